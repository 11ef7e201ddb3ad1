-- Dossiers that are open at the end of a period and not carried over into the next by the same unit, or the other way
-- round. Only where the data reaches the end of the first period and knows something of the second. A dossier whose
-- unit was merged into another between the two leaves the one and enters the other: its reason is the reform.
CREATE TABLE continuity_break AS
WITH step AS (
    SELECT a.period AS period_before, b.period AS period
    FROM period a JOIN period b ON b.scheme = a.scheme AND b.kind = a.kind AND b.period_from > a.period_to
    WHERE a.scheme = default_scheme() AND a.kind IN ('month', 'quarter')
    QUALIFY row_number() OVER (PARTITION BY a.period ORDER BY b.period_from) = 1
),
left_open AS (
    SELECT s.period_before, s.period, d.unit_id, d.dossier_id, d.reopened
    FROM step s JOIN dossier_period d ON d.period = s.period_before
    LEFT JOIN period_unit n ON n.period = s.period AND n.unit_id = d.register_unit_id
    WHERE d.scheme = default_scheme() AND d.kind IN ('month', 'quarter') AND d.as_of = d.period_to AND d.coverage <> 'no_data' AND (d.concluded_on IS NULL OR d.concluded_on > d.as_of)
      AND EXISTS (SELECT 1 FROM period_coverage c WHERE c.period = s.period
                  AND c.unit_id = coalesce(n.counted_unit_id, d.unit_id) AND c.coverage <> 'no_data')
),
carried AS (
    SELECT s.period_before, s.period, d.unit_id, d.dossier_id, d.reopened
    FROM step s JOIN dossier_period d ON d.period = s.period
    LEFT JOIN period_unit b ON b.period = s.period_before AND b.unit_id = d.register_unit_id
    WHERE d.scheme = default_scheme() AND d.kind IN ('month', 'quarter') AND d.origin = 'carried_over' AND d.coverage <> 'no_data'
      AND EXISTS (SELECT 1 FROM period_coverage c WHERE c.period = s.period_before
                  AND c.unit_id = coalesce(b.counted_unit_id, d.unit_id) AND c.coverage <> 'no_data' AND c.as_of = c.period_to)
),
both_ends AS (
    SELECT coalesce(l.period_before, c.period_before) AS period_before, coalesce(l.period, c.period) AS period,
           coalesce(l.dossier_id, c.dossier_id) AS dossier_id, l.unit_id AS left_unit_id, c.unit_id AS carried_unit_id,
           CASE WHEN l.dossier_id IS NOT NULL AND c.dossier_id IS NOT NULL THEN 'reform'
                WHEN coalesce(c.reopened, l.reopened) THEN 'reopened' ELSE 'not_explained' END AS reason
    FROM left_open l
    FULL JOIN carried c ON c.period = l.period AND c.dossier_id = l.dossier_id
    WHERE l.unit_id IS DISTINCT FROM c.unit_id
)
SELECT period_before, period, left_unit_id AS unit_id, dossier_id, 'open_not_carried' AS side, reason
FROM both_ends WHERE left_unit_id IS NOT NULL
UNION ALL
SELECT period_before, period, carried_unit_id, dossier_id, 'carried_not_open', reason
FROM both_ends WHERE carried_unit_id IS NOT NULL
ORDER BY ALL
