-- Dossiers that are open at the end of a period and not carried over into the next by the same unit, or the other way
-- round. Only where the data reaches the end of the first period and knows something of the second. A dossier whose
-- unit was merged into another between the two leaves the one and enters the other: its reason is the reform.
-- Where as many dossiers, and the same ones, leave a register as enter it (period_tally), there is nothing to look for, and
-- that is nearly everywhere: the dossiers themselves are compared where it is not so. In braces: the statement of
-- dossier_period over these.
CREATE OR REPLACE TEMP TABLE doubted AS
WITH step AS (
    SELECT a.period AS period_before, b.period AS period
    FROM period a JOIN period b ON b.scheme = a.scheme AND b.kind = a.kind AND b.period_from > a.period_to
    WHERE a.scheme = default_scheme() AND a.kind IN ('month', 'quarter')
    QUALIFY row_number() OVER (PARTITION BY a.period ORDER BY b.period_from) = 1
),
-- left_open, carried: whether the dossiers of a register that are open at the end of the first period, or carried over into
-- the second, count here
place AS (
    SELECT s.period_before, s.period, u.unit_id AS register_unit_id,
           a.counted_unit_id AS left_unit_id, b.counted_unit_id AS carried_unit_id,
           a.as_of = a.period_to AND a.coverage <> 'no_data' AND EXISTS (
               SELECT 1 FROM period_coverage c WHERE c.period = s.period
               AND c.unit_id = coalesce(b.counted_unit_id, a.counted_unit_id) AND c.coverage <> 'no_data') AS left_open,
           b.coverage <> 'no_data' AND EXISTS (
               SELECT 1 FROM period_coverage c WHERE c.period = s.period_before
               AND c.unit_id = coalesce(a.counted_unit_id, b.counted_unit_id) AND c.coverage <> 'no_data' AND c.as_of = c.period_to) AS carried
    FROM step s
    CROSS JOIN (SELECT DISTINCT unit_id FROM period_unit) u
    LEFT JOIN period_unit a ON a.period = s.period_before AND a.unit_id = u.unit_id
    LEFT JOIN period_unit b ON b.period = s.period AND b.unit_id = u.unit_id
)
SELECT p.*
FROM place p
LEFT JOIN period_tally a ON p.left_open AND a.period = p.period_before AND a.register_unit_id = p.register_unit_id
LEFT JOIN period_tally b ON p.carried AND b.period = p.period AND b.register_unit_id = p.register_unit_id
WHERE (coalesce(a.open, 0), coalesce(a.which_open, 0)) <> (coalesce(b.carried, 0), coalesce(b.which_carried, 0))
   OR (p.left_unit_id <> p.carried_unit_id AND a.open > 0);

CREATE OR REPLACE TEMP VIEW doubted_dossier AS
SELECT d.* FROM dossier d SEMI JOIN doubted o ON o.register_unit_id = d.unit_id;

CREATE OR REPLACE TEMP VIEW doubted_dossier_state AS SELECT * FROM dossier_state;

CREATE OR REPLACE TEMP TABLE doubted_period_unit AS
SELECT p.* FROM period_unit p
SEMI JOIN (SELECT period, register_unit_id FROM doubted UNION SELECT period_before, register_unit_id FROM doubted) o
ON o.period = p.period AND o.register_unit_id = p.unit_id;

CREATE OR REPLACE TEMP VIEW doubted_period AS {heart};

CREATE TABLE continuity_break AS
WITH left_open AS (
    SELECT o.period_before, o.period, d.unit_id, d.dossier_id, d.reopened
    FROM doubted o JOIN doubted_period d ON d.period = o.period_before AND d.register_unit_id = o.register_unit_id
    WHERE o.left_open AND (d.concluded_on IS NULL OR d.concluded_on > d.as_of)
),
carried AS (
    SELECT o.period_before, o.period, d.unit_id, d.dossier_id, d.reopened
    FROM doubted o JOIN doubted_period d ON d.period = o.period AND d.register_unit_id = o.register_unit_id
    WHERE o.carried AND d.origin = 'carried_over'
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
