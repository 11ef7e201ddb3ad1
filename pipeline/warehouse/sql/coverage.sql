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
    SELECT n.* FROM named n JOIN (SELECT file_id FROM named GROUP BY file_id HAVING count(*) > 1) USING (file_id)
),
kin AS (
    SELECT DISTINCT a.file_id, b.file_id AS kin_id FROM of_several a JOIN of_several b USING (source, unit_id)
),
covers AS (
    SELECT file_id, unit_id FROM named
    UNION
    SELECT k.file_id, o.unit_id FROM kin k JOIN of_several o ON o.file_id = k.kin_id
)
SELECT f.source, f.file_id, c.unit_id, s.extent, s.first_day, s.last_day, f.exported_at
FROM covers c JOIN file f USING (file_id) JOIN file_span s USING (file_id)
ORDER BY ALL
