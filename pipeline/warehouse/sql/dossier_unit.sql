-- The unit of dossiers whose system gave them the name of the unit that took the old one's place: the old unit, so
-- that a period before the reform still counts them where they were. After it the mapping leads to the new one.
CREATE TEMP TABLE dossier_unit AS
SELECT v.dossier_id, max_by(v.unit_id, v.nth) AS unit_id
FROM version v
JOIN unit_successor s USING (unit_id)
JOIN version newest ON newest.dossier_id = v.dossier_id AND newest.nth = newest.versions
    AND newest.unit_id = s.successor_id
GROUP BY v.dossier_id
