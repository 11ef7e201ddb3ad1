-- Dossiers that a full export of their source and unit should hold and does not. It should hold what was open, or was
-- concluded since its first day, going by the newest word before it, and was received by its last day. The first such
-- export counts; a later word of the dossier ends it. Files of one source and day that have no dossier in common are
-- parts of one export: what stands in one part is not missing from the other. A row that was rejected was there too.
CREATE TEMP TABLE gone AS
WITH place AS (
    SELECT file_id, source, CAST(exported_at AS DATE) AS day,
           row_number() OVER (ORDER BY exported_at, known_at, file_id) AS position
    FROM file WHERE withdrawn_at IS NULL
),
-- a file that only by default is taken for a full export speaks of older dossiers only if it has some; nothing can be
-- missing from the first file of its source
by_default AS (
    SELECT f.file_id, f.first_day FROM file f JOIN place p USING (file_id)
    WHERE NOT f.extent_told AND p.position > (SELECT min(position) FROM place o WHERE o.source = p.source)
),
lists_stock AS (
    SELECT DISTINCT v.file_id FROM version v JOIN by_default f USING (file_id) WHERE CAST(v.received_at AS DATE) < f.first_day
),
full_file AS (
    SELECT c.unit_id, c.file_id, c.source, p.day, p.position, c.first_day, c.last_day,
           f.extent_told OR s.file_id IS NOT NULL AS lists_stock
    FROM coverage c JOIN place p USING (file_id) JOIN file f USING (file_id) LEFT JOIN lists_stock s USING (file_id)
    WHERE c.extent = 'full'
),
-- per file and unit: the earliest first day of the full files after it, and the place of the first of them
asks AS (
    SELECT p.file_id, p.day, p.position, f.unit_id, min(f.first_day) AS from_day, min(f.position) AS first_position
    FROM place p JOIN full_file f ON f.source = p.source AND f.position > p.position
    GROUP BY ALL
),
-- the files that have words to look for, by what takes little to read: mostly few
sought AS (
    SELECT DISTINCT v.file_id
    FROM version v
    JOIN (SELECT file_id, min(from_day) AS from_day, min(first_position) AS first_position FROM asks GROUP BY file_id) a USING (file_id)
    LEFT JOIN place n ON n.file_id = v.next_file_id
    WHERE (v.concluded_at IS NULL OR CAST(v.concluded_at AS DATE) >= a.from_day)
      AND (n.position IS NULL OR n.position > a.first_position)
),
word AS (
    SELECT v.dossier_id, v.nth, v.source, v.unit_id, v.file_id, a.day, a.position,
           CAST(v.received_at AS DATE) AS received_on, CAST(v.concluded_at AS DATE) AS concluded_on,
           coalesce(v.conclusion, CASE v.state WHEN 'running' THEN 'open' ELSE v.state END) AS was,
           v.extended_due_at, v.next_file_id, n.position AS next_position, n.day AS next_day
    FROM version v JOIN sought USING (file_id) JOIN asks a ON a.file_id = v.file_id AND a.unit_id = v.unit_id
    LEFT JOIN place n ON n.file_id = v.next_file_id
    WHERE v.status_group <> 'not_counted' AND (v.concluded_at IS NULL OR CAST(v.concluded_at AS DATE) >= a.from_day)
      AND (n.position IS NULL OR n.position > a.first_position)
),
missing AS (
    SELECT w.*, f.file_id AS missing_from, f.position AS missing_position, f.day AS missing_day
    FROM word w
    JOIN full_file f ON f.source = w.source AND f.unit_id = w.unit_id
        AND f.position > w.position AND (w.next_position IS NULL OR f.position < w.next_position)
        AND (f.lists_stock OR w.received_on >= f.first_day)
        AND w.received_on <= f.last_day AND (w.concluded_on IS NULL OR w.concluded_on >= f.first_day)
    ANTI JOIN rejected_dossier r ON r.dossier_id = w.dossier_id AND r.file_id = f.file_id
),
same_day AS (
    SELECT DISTINCT missing_from AS file_id, file_id AS other_id FROM missing WHERE day = missing_day
    UNION
    SELECT DISTINCT missing_from, next_file_id FROM missing WHERE next_day = missing_day
),
of_same_day AS (
    SELECT v.file_id, v.dossier_id FROM version v
    SEMI JOIN (SELECT file_id FROM same_day UNION SELECT other_id FROM same_day) s USING (file_id)
),
alike AS (
    SELECT DISTINCT s.file_id, s.other_id
    FROM same_day s JOIN of_same_day a ON a.file_id = s.file_id
    JOIN of_same_day b ON b.file_id = s.other_id AND b.dossier_id = a.dossier_id
),
part AS (
    SELECT * FROM same_day EXCEPT SELECT * FROM alike
)
SELECT m.dossier_id, m.nth, m.unit_id, m.source, m.file_id AS last_seen_file_id, m.missing_from AS file_id,
       m.missing_day AS vanished_on, m.was, m.next_day AS reappeared_on, m.concluded_on, m.extended_due_at
FROM missing m
ANTI JOIN part p ON p.file_id = m.missing_from AND (p.other_id = m.file_id OR p.other_id = m.next_file_id)
QUALIFY row_number() OVER (PARTITION BY m.dossier_id, m.nth ORDER BY m.missing_position) = 1
