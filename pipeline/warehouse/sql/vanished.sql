-- Dossiers that vanished from a full export, as published: see gone.
CREATE TABLE vanished AS
SELECT dossier_id, unit_id, source, last_seen_file_id, file_id, vanished_on, was, reappeared_on
FROM gone ORDER BY vanished_on, unit_id, dossier_id
