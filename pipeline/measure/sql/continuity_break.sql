-- Dossiers that are open at the end of a period and not carried over into the next, or the other way round, per unit.
-- Only where the data reaches the end of the first period and knows something of the second.
CREATE TABLE continuity_break AS
WITH step AS (
    SELECT a.period AS period_before, b.period AS period
    FROM period a JOIN period b ON b.scheme = a.scheme AND b.kind = a.kind AND b.period_from > a.period_to
    WHERE a.scheme = 'nd09' AND a.kind IN ('month', 'quarter')
    QUALIFY row_number() OVER (PARTITION BY a.period ORDER BY b.period_from) = 1
),
left_open AS (
    SELECT s.period_before, s.period, d.unit_id, d.dossier_id, d.reopened
    FROM step s JOIN dossier_period d ON d.period = s.period_before
    WHERE d.as_of = d.period_to AND d.coverage <> 'no_data' AND (d.concluded_on IS NULL OR d.concluded_on > d.as_of)
      AND EXISTS (SELECT 1 FROM period_coverage c WHERE c.period = s.period AND c.unit_id = d.unit_id AND c.coverage <> 'no_data')
),
carried AS (
    SELECT s.period_before, s.period, d.unit_id, d.dossier_id, d.reopened
    FROM step s JOIN dossier_period d ON d.period = s.period
    WHERE d.origin = 'carried_over' AND d.coverage <> 'no_data'
      AND EXISTS (SELECT 1 FROM period_coverage c WHERE c.period = s.period_before AND c.unit_id = d.unit_id
                  AND c.coverage <> 'no_data' AND c.as_of = c.period_to)
)
SELECT coalesce(l.period_before, c.period_before) AS period_before, coalesce(l.period, c.period) AS period,
       coalesce(l.unit_id, c.unit_id) AS unit_id, coalesce(l.dossier_id, c.dossier_id) AS dossier_id,
       CASE WHEN c.dossier_id IS NULL THEN 'open_not_carried' ELSE 'carried_not_open' END AS side,
       CASE WHEN coalesce(c.reopened, l.reopened) THEN 'reopened' ELSE 'not_explained' END AS reason
FROM left_open l
FULL JOIN carried c ON c.period = l.period AND c.unit_id = l.unit_id AND c.dossier_id = l.dossier_id
WHERE l.dossier_id IS NULL OR c.dossier_id IS NULL
ORDER BY ALL
