-- Dossiers that stand in several rows of the tables from which dossier_period is joined, with these rows: only such ones
-- can stand in a period twice, and they are few. In braces: the dossiers whose rows were made anew. All others stood in no
-- period twice when they were published, so that of those only the reopened ones have several rows.
CREATE OR REPLACE TEMP TABLE often AS
SELECT dossier_id FROM {anew}dossier GROUP BY dossier_id HAVING count(*) > 1
UNION
SELECT dossier_id FROM dossier WHERE episodes > 1
UNION
SELECT dossier_id FROM dossier_state GROUP BY dossier_id HAVING count(*) > 1;

CREATE OR REPLACE TEMP TABLE often_dossier AS
SELECT * FROM dossier SEMI JOIN often USING (dossier_id);

CREATE OR REPLACE TEMP TABLE often_dossier_state AS
SELECT * FROM dossier_state SEMI JOIN often USING (dossier_id)
