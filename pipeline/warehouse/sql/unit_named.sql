-- The names of units in each file's rows as they are kept (of a name that no list knows its hash and shape), with the
-- days of receipt between which the file writes them. In braces: the rows.
CREATE TABLE unit_named AS
SELECT f.file_id, r.unit AS written, CAST(min(r.received_at) AS DATE) AS first_received_on,
       CAST(max(r.received_at) AS DATE) AS last_received_on, count(*) AS rows
FROM {rows} r JOIN file f USING (sha256)
GROUP BY f.file_id, r.unit
ORDER BY f.file_id, r.unit
