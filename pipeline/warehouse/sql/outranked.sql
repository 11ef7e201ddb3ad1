-- Rows of a dossier that a source of higher precedence tells of too: that register makes the dossier's history.
CREATE TEMP TABLE outranked AS
WITH highest AS (
    SELECT dossier_id, max(precedence) AS highest FROM told GROUP BY dossier_id HAVING max(precedence) > min(precedence)
)
SELECT t.* FROM told t JOIN highest h USING (dossier_id) WHERE t.precedence < h.highest
