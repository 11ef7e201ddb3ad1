-- Every row that makes the history of its dossier.
CREATE TEMP VIEW version AS
SELECT * FROM dossier_version WHERE nth IS NOT NULL
