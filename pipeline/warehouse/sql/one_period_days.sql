-- `dossier_days` of these, also of dossiers that are not of the period. Those that were reopened are all in `dossier`.
CREATE TEMP VIEW dossier_days AS
SELECT file_id, unit_id, episode, episodes, received_on, concluded_on FROM dossier WHERE episodes > 1
UNION ALL
SELECT v.file_id, coalesce(u.unit_id, v.unit_id), 1, 1, CAST(v.received_at AS DATE), CAST(v.concluded_at AS DATE)
FROM dossier_version v
LEFT JOIN dossier_unit u ON u.dossier_id = v.dossier_id
ANTI JOIN (SELECT dossier_id FROM dossier WHERE episodes > 1) r ON r.dossier_id = v.dossier_id
WHERE v.nth = v.versions AND v.status_group <> 'not_counted'
