-- Rows of every file, also of those that were taken back, whose unit is not known. In braces: the rows of the files that
-- have some.
CREATE TEMP VIEW unknown_row AS
SELECT f.file_id, f.source, f.exported_at, f.withdrawn_at, r.dossier_id, r.sheet, r.row, r.unit, r.received_at
FROM {rows} r JOIN file f USING (sha256)
JOIN unit_ref u ON u.source = f.source AND u.written = r.unit
    AND u.received_era = era(CAST(r.received_at AS DATE)) AND u.exported_era = era(CAST(f.exported_at AS DATE))
WHERE u.unit_id IS NULL
