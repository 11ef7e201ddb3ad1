-- Which units and days each file covers. A file covers the units it names. One that names several also covers those
-- that stand together with one of them in another file of its source: a district's monthly register of all communes
-- says of a commune without a row that nothing arose there. A file of one unit speaks for that unit alone.
-- A file whose title or source names its unit covers it even where it has no row. Corrections without a span cover no
-- days.
CREATE TABLE coverage AS
WITH named AS (
    SELECT f.source, u.file_id, u.unit_id
    FROM (SELECT file_id, unit_id FROM unit_told UNION SELECT file_id, unit_id FROM file_unit) u JOIN file f USING (file_id)
    WHERE f.withdrawn_at IS NULL
),
of_several AS (
    SELECT n.*, CAST(dense_rank() OVER (PARTITION BY source ORDER BY unit_id) - 1 AS INTEGER) AS place
    FROM named n JOIN (SELECT file_id FROM named GROUP BY file_id HAVING count(*) > 1) USING (file_id)
),
-- units as bits: files are compared through their units, as a look at all pairs of files would take a year's lists squared
no_unit AS (
    SELECT source, CAST(repeat('0', max(place) + 1) AS BIT) AS units FROM of_several GROUP BY source
),
of_file AS (
    SELECT o.file_id, bit_or(set_bit(n.units, o.place, 1)) AS units
    FROM of_several o JOIN no_unit n USING (source) GROUP BY o.file_id
),
together AS (
    SELECT o.source, o.unit_id, o.place, bit_or(f.units) AS units
    FROM of_several o JOIN of_file f USING (file_id) GROUP BY o.source, o.unit_id, o.place
),
spoken_of AS (
    SELECT o.source, o.file_id, bit_or(t.units) AS units
    FROM of_several o JOIN together t USING (source, unit_id) GROUP BY o.source, o.file_id
),
covers AS (
    SELECT file_id, unit_id FROM named
    UNION
    SELECT s.file_id, t.unit_id FROM spoken_of s JOIN together t ON t.source = s.source AND get_bit(s.units, t.place) = 1
)
SELECT f.source, f.file_id, c.unit_id, s.extent, s.first_day, s.last_day, f.exported_at
FROM covers c JOIN file f USING (file_id) JOIN file_span s USING (file_id)
ORDER BY ALL
