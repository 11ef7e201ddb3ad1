-- Rows of a dossier that a source of higher precedence tells of too: that register makes the dossier's history.
CREATE TEMP VIEW outranked AS
SELECT * FROM dossier_version WHERE nth IS NULL AND known_to IS NULL
