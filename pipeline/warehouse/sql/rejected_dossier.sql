-- Dossiers of which a file tells in a row that was rejected: by itself, or for its unit. Of every file, also those
-- that were taken back.
CREATE TABLE rejected_dossier AS
SELECT file_id, dossier_id FROM rejected_of_file
UNION
SELECT f.file_id, r.dossier_id
FROM row_of_file r JOIN file f USING (sha256)
JOIN unit_ref u ON u.source = f.source AND u.written = r.unit
    AND u.received_era = era(CAST(r.received_at AS DATE)) AND u.exported_era = era(CAST(f.exported_at AS DATE))
WHERE u.unit_id IS NULL
ORDER BY ALL
