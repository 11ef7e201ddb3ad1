-- Rows of dossier_period by period and unit: all, those without a label, and the first episodes of dossiers received in
-- the period. Several checks look at these instead of going through all rows each.
CREATE OR REPLACE TEMP TABLE period_tally AS
SELECT period, unit_id, register_unit_id, coverage, count(*) AS rows,
       count(*) FILTER (WHERE origin IS NULL OR outcome IS NULL) AS unlabelled,
       count(*) FILTER (WHERE episode = 1 AND received_on BETWEEN period_from AND as_of) AS received
FROM dossier_period
GROUP BY period, unit_id, register_unit_id, coverage
