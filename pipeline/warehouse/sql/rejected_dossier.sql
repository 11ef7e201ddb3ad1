-- Dossiers of which a file tells in a row that was rejected: by itself, or for its unit. Of every file, also those
-- that were taken back.
CREATE TABLE rejected_dossier AS
SELECT file_id, dossier_id FROM rejected_of_file
UNION
SELECT file_id, dossier_id FROM unknown_row
ORDER BY ALL
