-- `other_word` of these.
CREATE TEMP VIEW other_word AS
SELECT * FROM dossier_version WHERE nth IS NULL OR nth < versions OR status_group = 'not_counted'
