-- The unit of dossiers whose system gave them the name of the unit that took the old one's place: the old unit, so
-- that a period before the reform still counts them where they were. After it the mapping leads to the new one.
CREATE TEMP TABLE dossier_unit AS
WITH renamed AS (
    SELECT dossier_id, unit_id FROM history
    WHERE nth = versions AND versions > 1 AND unit_id IN (SELECT successor_id FROM unit_successor)
)
SELECT v.dossier_id, max_by(v.unit_id, v.nth) AS unit_id
FROM history v
JOIN renamed r ON r.dossier_id = v.dossier_id
JOIN unit_successor s ON s.unit_id = v.unit_id AND s.successor_id = r.unit_id
WHERE v.nth IS NOT NULL
GROUP BY v.dossier_id
