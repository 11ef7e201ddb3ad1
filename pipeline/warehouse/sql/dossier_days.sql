-- Every episode of every dossier with its days.
CREATE TEMP VIEW dossier_days AS
SELECT file_id, unit_id, episode, episodes, received_on, concluded_on FROM dossier
