-- Dossiers of which a register tells that goes before others, with its precedence; most offices have none.
CREATE TEMP TABLE preferred AS
SELECT dossier_id, max(precedence) AS precedence
FROM told WHERE known_to IS NULL AND precedence > (SELECT min(precedence) FROM file WHERE withdrawn_at IS NULL)
GROUP BY dossier_id
