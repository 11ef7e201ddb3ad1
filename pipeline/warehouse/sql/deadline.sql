-- The ledger of deadlines in whole: deadline_event, and of all other dossiers their one due date, where it was told first.
CREATE VIEW deadline AS
SELECT dossier_id, step, kind, due_at, due_before_at, from_at, until_at, days, told_on, source, file_id, sheet, row
FROM deadline_event
UNION ALL
SELECT dossier_id, 1, 'original', due_at, NULL, NULL, NULL, NULL, CAST(exported_at AS DATE), source, file_id, sheet, row
FROM dossier
WHERE versions = 1 AND due_at IS NOT NULL AND extended_due_at IS NULL AND supplement_requested_at IS NULL
  AND paused_days IS NULL AND newest_state <> 'paused'
UNION ALL
SELECT dossier_id, 1, 'original', due_at, NULL, NULL, NULL, NULL, CAST(exported_at AS DATE), source, file_id, sheet, row
FROM dossier_version
SEMI JOIN (SELECT dossier_id FROM dossier WHERE versions > 1) several USING (dossier_id)
ANTI JOIN deadline_event USING (dossier_id)
WHERE nth IS NOT NULL AND due_at IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY dossier_id ORDER BY nth) = 1
