-- The rows about these dossiers in their order, narrow: nth of so many versions, and the file that tells of the dossier
-- next. Without a place (null): the row was taken back, or a register of higher precedence tells of the same dossier.
-- reopens: a conclusion told before is gone. moves: the unit is another than before.
CREATE TEMP TABLE history AS
WITH ranked AS (
    SELECT t.dossier_id, t.position, t.file_id, t.unit_id, t.exported_at, t.due_at, t.concluded_at, t.conclusion,
           t.known_to IS NULL AND t.precedence >= coalesce(p.precedence, t.precedence) AS counts
    FROM told t JOIN several s ON s.dossier_id = t.dossier_id LEFT JOIN preferred p ON p.dossier_id = t.dossier_id
)
SELECT dossier_id, position, file_id, unit_id, exported_at, concluded_at, conclusion,
       CASE WHEN counts THEN row_number() OVER course END AS nth,
       CASE WHEN counts THEN count(*) OVER (PARTITION BY dossier_id, counts) END AS versions,
       CASE WHEN counts THEN lead(file_id) OVER course END AS next_file_id,
       -- the due date told first; versions without one do not tell
       first_value(exported_at) OVER course AS first_exported_at, first_value(due_at IGNORE NULLS) OVER course AS first_due_at,
       counts AND concluded_at IS NULL AND lag(concluded_at) OVER course IS NOT NULL AS reopens,
       unit_id <> lag(unit_id) OVER course AS moves
FROM ranked
WINDOW course AS (PARTITION BY dossier_id, counts ORDER BY position)
