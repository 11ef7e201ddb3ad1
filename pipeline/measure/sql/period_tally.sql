-- What the days of a register's dossiers tell of it in each period, by arithmetic: of those received by the cut-off all that
-- had left before the period are not in it, and so on. Labels are not asked, so that what is counted by labels is held
-- against something else; and each dossier is looked at once, not in each of its periods.
-- rows: those of dossier_period. received: of first episodes. open, carried: how many are open at the cut-off, or were
-- received before the period, and which ones (a sum of hashes: where two are the same, so are the dossiers).
-- cutoff_unknown: open ones whose state then no file tells.
-- In braces: what stands before the names of relations; the statement of dossier_period over the few dossiers whose days
-- say more (tally.py).
WITH plain AS NOT MATERIALIZED (
    SELECT unit_id, received_on, greatest(received_on, concluded_on) AS left_on, concluded_on,
           greatest(received_on, least(concluded_on, coalesce(first_exported_on, received_on))) AS told_on,
           CAST(hash(dossier_id) >> 28 AS BIGINT) AS which
    FROM {of}plain_dossier
),
-- every day, with the next one on which some period is cut off, or before which some begins: to all periods the days up to
-- that one are one day. What was before the first counts as on it.
edge AS (SELECT DISTINCT unnest([period_from - 1, as_of]) AS edge FROM {of}period_unit WHERE as_of IS NOT NULL),
calendar AS (
    SELECT edge - CAST(unnest(range(edge - coalesce(lag(edge) OVER (ORDER BY edge), edge - 1))) AS INTEGER) AS day, edge FROM edge
),
started AS (SELECT min(edge) AS first_edge FROM edge),
-- by unit and such a day, each of them: dossiers received, those that left, those of which is told from then on, and which ones
of_day AS (
    SELECT unit_id, edge AS day, count(*) AS received, sum(which) AS which_received, 0 AS gone, 0 AS which_gone, 0 AS told
    FROM plain, started JOIN calendar ON day = greatest(received_on, first_edge) GROUP BY unit_id, edge
    UNION ALL
    SELECT unit_id, edge, 0, 0, count(*), sum(which), 0
    FROM plain, started JOIN calendar ON day = greatest(left_on, first_edge) WHERE concluded_on IS NOT NULL GROUP BY unit_id, edge
    UNION ALL
    SELECT unit_id, edge, 0, 0, 0, 0, count(*)
    FROM plain, started JOIN calendar ON day = greatest(told_on, first_edge) GROUP BY unit_id, edge
    UNION ALL
    SELECT unit_id, edge, 0, 0, 0, 0, 0 FROM (SELECT DISTINCT unit_id FROM {of}period_unit), edge
),
upto AS (
    SELECT unit_id, day, sum(sum(received)) OVER course AS received, sum(sum(which_received)) OVER course AS which_received,
           sum(sum(gone)) OVER course AS gone, sum(sum(which_gone)) OVER course AS which_gone, sum(sum(told)) OVER course AS told
    FROM of_day GROUP BY unit_id, day
    WINDOW course AS (PARTITION BY unit_id ORDER BY day)
),
each AS (
    SELECT p.period, p.unit_id, a.received - b.gone AS rows, a.received - b.received AS received,
           a.received - a.gone AS open, a.which_received - a.which_gone AS which_open,
           b.received - b.gone AS carried, b.which_received - b.which_gone AS which_carried,
           a.received - a.told AS cutoff_unknown
    FROM {of}period_unit p
    JOIN upto a ON a.unit_id = p.unit_id AND a.day = p.as_of
    JOIN upto b ON b.unit_id = p.unit_id AND b.day = p.period_from - 1
    UNION ALL
    SELECT period, register_unit_id, count(*), count(*) FILTER (WHERE episode = 1 AND received_on BETWEEN period_from AND as_of),
           count(*) FILTER (WHERE is_open), sum(which) FILTER (WHERE is_open),
           count(*) FILTER (WHERE origin = 'carried_over'), sum(which) FILTER (WHERE origin = 'carried_over'),
           count(*) FILTER (WHERE state_at_cutoff_unknown)
    FROM (
        SELECT *, concluded_on IS NULL OR concluded_on > as_of AS is_open, CAST(hash(dossier_id) >> 28 AS BIGINT) AS which
        FROM ({heart})
    )
    GROUP BY period, register_unit_id
)
SELECT period, unit_id, {counts} FROM each GROUP BY period, unit_id HAVING sum(rows) > 0
