-- `dossier_version` where the dossiers of one period alone are stored: of every word what histories, coverage and accounts
-- ask, and nothing that figures are made of.
CREATE TEMP TABLE dossier_version AS
SELECT dossier_id, unit_id, source, file_id, sheet, row, status, status_group, received_at, finished_at, extended_due_at,
       exported_at, concluded_at, conclusion, state, known_to, nth, versions, next_file_id
FROM placed
