-- Rows of dossier_period by period and unit: all, those without a label, the first episodes of dossiers received in the
-- period, and how many and which were open at its end, or carried over (a sum of hashes: where two are the same, so are
-- the dossiers). Several checks look at these instead of going through all rows each. In braces: the statement of
-- dossier_period over tally_period_unit, where a place in a period is one number; a word in each of so many rows is dear.
CREATE OR REPLACE TEMP TABLE tally_period_unit AS
SELECT CAST(row_number() OVER () AS INTEGER) AS period, NULL AS scheme, NULL AS kind, period_from, period_to, as_of, as_of_end,
       NULL AS coverage, unit_id, NULL AS counted_unit_id, period AS period_key, counted_unit_id AS counted, coverage AS covered
FROM period_unit;

CREATE OR REPLACE TEMP TABLE period_tally AS
SELECT p.period_key AS period, p.counted AS unit_id, p.unit_id AS register_unit_id, p.covered AS coverage,
       t.rows, t.unlabelled, t.received, t.open, t.which_open, t.carried, t.which_carried
FROM (
    SELECT period, count(*) AS rows,
           count(*) FILTER (WHERE origin IS NULL OR outcome IS NULL) AS unlabelled,
           count(*) FILTER (WHERE episode = 1 AND received_on BETWEEN period_from AND as_of) AS received,
           count(*) FILTER (WHERE is_open) AS open, sum(which) FILTER (WHERE is_open) AS which_open,
           count(*) FILTER (WHERE origin = 'carried_over') AS carried,
           sum(which) FILTER (WHERE origin = 'carried_over') AS which_carried
    FROM (
        SELECT *, concluded_on IS NULL OR concluded_on > as_of AS is_open, CAST(hash(dossier_id) >> 20 AS BIGINT) AS which
        FROM ({heart})
    )
    GROUP BY period
) t
JOIN tally_period_unit p USING (period)
