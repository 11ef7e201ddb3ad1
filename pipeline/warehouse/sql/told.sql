-- What every file that counts tells: its accepted rows, the unit resolved. A row whose unit is not known tells nothing.
CREATE TEMP VIEW told AS
SELECT v.*, f.file_id, f.exported_at, f.known_at, f.lateness, f.source, f.precedence,
       r.unit_id, coalesce(s.status_group, '') AS status_group,
       CAST(v.finished_at AS DATE) AS finished_on, CAST(v.returned_at AS DATE) AS returned_on
FROM row_of_file v
JOIN file f USING (sha256)
JOIN unit_ref r ON r.source = f.source AND r.written = v.unit
    AND r.received_era = era(CAST(v.received_at AS DATE)) AND r.exported_era = era(CAST(f.exported_at AS DATE))
LEFT JOIN status s ON s.status = v.status
WHERE r.unit_id IS NOT NULL
