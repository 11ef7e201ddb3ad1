-- Dossiers that moved between units within a source (`transfer`), and those that two sources keep in different units
-- (`two_registers`: from the one that does not count to the one that does). A unit under its old and its new name is
-- one unit.
CREATE TABLE transfer AS
WITH every_word AS (
    SELECT h.dossier_id, h.unit_id, f.source, h.exported_at, h.position, coalesce(h.nth = h.versions, FALSE) AS counts
    FROM history h JOIN file_known k ON k.position = h.position JOIN file f ON f.file_id = h.file_id
    WHERE k.known_to IS NULL
),
word AS (
    SELECT * FROM every_word SEMI JOIN (SELECT dossier_id FROM history WHERE moves OR nth IS NULL) USING (dossier_id)
),
in_order AS (
    SELECT *, lag(unit_id) OVER course AS from_unit_id, lag(exported_at) OVER course AS left_at,
           lead(position) OVER course IS NULL AS newest_of_source
    FROM word WINDOW course AS (PARTITION BY dossier_id, source ORDER BY position)
),
moved AS (
    SELECT dossier_id, from_unit_id, unit_id AS to_unit_id, source AS from_source, source AS to_source,
           CAST(left_at AS DATE) AS from_day, CAST(exported_at AS DATE) AS to_day, 'transfer' AS kind
    FROM in_order WHERE from_unit_id <> unit_id
    UNION ALL
    SELECT o.dossier_id, o.unit_id, c.unit_id, o.source, c.source,
           CAST(o.exported_at AS DATE), CAST(c.exported_at AS DATE), 'two_registers'
    FROM in_order o JOIN in_order c ON c.dossier_id = o.dossier_id AND c.counts AND c.source <> o.source
    WHERE o.newest_of_source AND o.unit_id <> c.unit_id
)
SELECT m.* FROM moved m
ANTI JOIN unit_successor s ON (s.unit_id = m.from_unit_id AND s.successor_id = m.to_unit_id)
    OR (s.unit_id = m.to_unit_id AND s.successor_id = m.from_unit_id)
ORDER BY ALL
