-- From which day to which (exclusive; null: still) a dossier's exports said an undated fact of it. Only dossiers of
-- which some export said one. Of several exports on one day the newest speaks. An open dossier that vanished from a
-- full export is unclassified from that export's day, until a later one tells of it.
CREATE TABLE dossier_state AS
WITH lost AS (
    SELECT dossier_id, vanished_on AS from_day, 'unclassified' AS state, extended_due_at, nth + 0.5 AS nth
    FROM gone WHERE concluded_on IS NULL
),
told_of AS (
    SELECT dossier_id FROM version WHERE state <> 'running' OR extended_due_at IS NOT NULL
    UNION
    SELECT dossier_id FROM lost
),
days AS (
    SELECT v.dossier_id, CAST(v.exported_at AS DATE) AS from_day, v.state, v.extended_due_at, v.nth
    FROM version v SEMI JOIN told_of USING (dossier_id)
    UNION ALL
    SELECT * FROM lost
),
newest_of_day AS (
    SELECT * FROM days QUALIFY row_number() OVER (PARTITION BY dossier_id, from_day ORDER BY nth DESC) = 1
)
SELECT dossier_id, from_day, lead(from_day) OVER (PARTITION BY dossier_id ORDER BY from_day) AS to_day,
       state, extended_due_at, CAST(extended_due_at AS DATE) AS extended_due_on
FROM newest_of_day
ORDER BY dossier_id, from_day
