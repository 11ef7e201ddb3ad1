-- Every word of a register about a dossier, with the time in which it was known, and its place in the dossier's history
-- as known now: nth of so many versions, and the file that tells of the dossier next. Without a place (null): it was
-- taken back, or a register of higher precedence tells of the same dossier.
CREATE TABLE dossier_version AS
WITH ranked AS (
    SELECT *, known_to IS NULL AND precedence = max(precedence) FILTER (WHERE known_to IS NULL) OVER (PARTITION BY dossier_id) AS counts
    FROM told
)
SELECT * EXCLUDE (counts),
       CASE WHEN counts THEN row_number() OVER history END AS nth,
       CASE WHEN counts THEN count(*) OVER (PARTITION BY dossier_id, counts) END AS versions,
       CASE WHEN counts THEN lead(file_id) OVER history END AS next_file_id
FROM ranked
WINDOW history AS (PARTITION BY dossier_id, counts ORDER BY exported_at, known_at, file_id, row)
