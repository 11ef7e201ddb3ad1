-- Dossiers of which more than one row tells, or one that was taken back. Of all others the one row is all there is to tell,
-- and they are most.
CREATE TEMP TABLE several AS
SELECT dossier_id FROM told GROUP BY dossier_id HAVING count(*) > 1 OR count(known_to) > 0
