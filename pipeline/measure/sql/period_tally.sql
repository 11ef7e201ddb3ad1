-- Rows of dossier_period by register and place, each place in a period one number (a word in each of so many rows is dear):
-- all, those without a label, the first episodes of dossiers received in the period, how many and which were open at its
-- end, or carried over (a sum of hashes: where two are the same, so are the dossiers), and those whose state at the cut-off
-- no file tells. Several checks look at these instead of going through all rows each. In braces: the statement of
-- dossier_period over the places.
SELECT period AS place, count(*) AS rows,
       count(*) FILTER (WHERE origin IS NULL OR outcome IS NULL) AS unlabelled,
       count(*) FILTER (WHERE episode = 1 AND received_on BETWEEN period_from AND as_of) AS received,
       count(*) FILTER (WHERE is_open) AS open,
       CAST(coalesce(sum(which) FILTER (WHERE is_open), 0) AS BIGINT) AS which_open,
       count(*) FILTER (WHERE origin = 'carried_over') AS carried,
       CAST(coalesce(sum(which) FILTER (WHERE origin = 'carried_over'), 0) AS BIGINT) AS which_carried,
       count(*) FILTER (WHERE state_at_cutoff_unknown) AS cutoff_unknown
FROM (
    SELECT *, concluded_on IS NULL OR concluded_on > as_of AS is_open, CAST(hash(dossier_id) >> 28 AS BIGINT) AS which
    FROM ({heart})
)
GROUP BY period
