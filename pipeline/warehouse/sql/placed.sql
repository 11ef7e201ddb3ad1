-- Every word of a register about a dossier with its place in the dossier's history as known now.
CREATE TEMP VIEW placed AS
SELECT t.*, CASE WHEN h.dossier_id IS NULL THEN 1 ELSE h.nth END AS nth,
       CASE WHEN h.dossier_id IS NULL THEN 1 ELSE h.versions END AS versions, h.next_file_id,
       coalesce(h.first_exported_at, t.exported_at) AS first_exported_at, coalesce(h.first_due_at, t.due_at) AS first_due_at
FROM told t LEFT JOIN history h ON h.dossier_id = t.dossier_id AND h.position = t.position
