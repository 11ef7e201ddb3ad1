-- Of which units each file's words tell, and the first day of receipt among them. Also of files that were taken back. The
-- names that files write tell it (unit_named); a file with a name that means one unit on some of its days of receipt and
-- another, or none, on others is asked for its words.
CREATE TEMP TABLE unit_told AS
WITH meant AS (
    SELECT f.source, n.file_id, n.first_received_on, min(r.unit_id) AS unit_id, count(DISTINCT coalesce(r.unit_id, '')) > 1 AS unsure
    FROM unit_named n
    JOIN file f USING (file_id)
    JOIN unit_ref r ON r.source = f.source AND r.written = n.written AND r.exported_era = era(CAST(f.exported_at AS DATE))
        AND r.received_era BETWEEN era(n.first_received_on) AND era(n.last_received_on)
    GROUP BY f.source, n.file_id, n.written, n.first_received_on
)
SELECT source, file_id, unit_id, min(first_received_on) AS first_received_on
FROM (
    SELECT source, file_id, unit_id, first_received_on FROM meant WHERE NOT unsure AND unit_id IS NOT NULL
    UNION ALL
    SELECT source, file_id, unit_id, CAST(received_at AS DATE)
    FROM dossier_version SEMI JOIN (SELECT file_id FROM meant WHERE unsure) USING (file_id)
)
GROUP BY source, file_id, unit_id
