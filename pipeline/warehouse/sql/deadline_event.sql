-- The ledger of deadlines: a row for each thing that exports told about a dossier's deadline, in the order of the
-- versions. kind: original (the due date told first), changed (a later version states another; one that states none
-- changes nothing), extended (an extended due date that is new; a null one: no longer told), paused (a pause that is new:
-- a paused status, a day of a request for supplement, or days of pause alone), reopened (a conclusion that is gone
-- again). Kept here only of dossiers with more to tell than one due date; the view adds the others.
CREATE TABLE deadline_event AS
WITH eventful AS (
    SELECT dossier_id FROM telling_dossier
    WHERE episodes > 1 OR due_at <> first_due_at OR extended_due_at IS NOT NULL OR supplement_requested_at IS NOT NULL
          OR paused_days IS NOT NULL OR newest_state = 'paused'
    UNION
    SELECT o.dossier_id FROM telling_other_word o JOIN telling_dossier d ON d.dossier_id = o.dossier_id
    WHERE o.nth IS NOT NULL AND (o.due_at <> d.first_due_at OR o.extended_due_at IS NOT NULL
          OR o.supplement_requested_at IS NOT NULL OR o.paused_days IS NOT NULL OR o.state = 'paused')
),
word AS (
    SELECT v.dossier_id, v.nth, v.due_at, v.extended_due_at, v.supplement_requested_at AS requested_at, v.paused_days AS days,
           v.state = 'paused' AS paused, v.concluded_at, v.exported_at, v.source, v.file_id, v.sheet, v.row
    FROM telling_version v SEMI JOIN eventful e ON e.dossier_id = v.dossier_id
),
beside AS (
    SELECT *,
           last_value(due_at IGNORE NULLS) OVER before AS due_before_at,
           lag(extended_due_at) OVER history AS extended_before_at,
           lag(concluded_at) OVER history AS concluded_before_at,
           last_value(requested_at IGNORE NULLS) OVER before AS requested_before_at,
           coalesce(lag(paused) OVER history, FALSE) AS paused_before,
           last_value(days IGNORE NULLS) OVER before AS days_before
    FROM word
    WINDOW history AS (PARTITION BY dossier_id ORDER BY nth),
           before AS (PARTITION BY dossier_id ORDER BY nth ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
-- a pause begins where one is shown or requested that was not so before; a request told later is of the pause that runs
marked AS (
    SELECT *,
           (paused AND NOT paused_before)
           OR (requested_at IS NOT NULL AND requested_at IS DISTINCT FROM requested_before_at
               AND NOT (paused_before AND requested_before_at IS NULL)) AS begins
    FROM beside
),
runs AS (
    SELECT *, sum(CAST(begins AS INTEGER)) OVER (PARTITION BY dossier_id ORDER BY nth) AS run FROM marked
),
pause AS (
    SELECT dossier_id, run, min(nth) AS nth,
           CASE WHEN bool_or(requested_at IS DISTINCT FROM requested_before_at AND requested_at IS NOT NULL)
                THEN max(requested_at) FILTER (WHERE requested_at IS DISTINCT FROM requested_before_at)
                ELSE min(exported_at) END AS from_at,
           min(exported_at) FILTER (WHERE NOT paused) AS stops_at, max_by(days, nth) AS days
    FROM runs WHERE run > 0 GROUP BY dossier_id, run
),
-- what ends a pause that no export shows ended is the next one that begins
ended AS (
    SELECT p.*, coalesce(stops_at, lead(from_at) OVER (PARTITION BY dossier_id ORDER BY run)) AS until_at FROM pause p
),
told AS (
    SELECT dossier_id, nth, 1 AS place, CASE WHEN due_before_at IS NULL THEN 'original' ELSE 'changed' END AS kind,
           due_at, due_before_at, NULL::TIMESTAMP AS from_at, NULL::TIMESTAMP AS until_at, NULL::BIGINT AS days
    FROM beside WHERE due_at IS NOT NULL AND due_at IS DISTINCT FROM due_before_at
    UNION ALL
    SELECT dossier_id, nth, 2, 'extended', extended_due_at, coalesce(extended_before_at, due_at, due_before_at), NULL, NULL, NULL
    FROM beside WHERE extended_due_at IS DISTINCT FROM extended_before_at
    UNION ALL
    SELECT dossier_id, nth, 3, 'paused', NULL, NULL, from_at, until_at, days FROM ended
    UNION ALL
    SELECT dossier_id, nth, 3, 'paused', NULL, NULL, NULL, NULL, days
    FROM runs WHERE run = 0 AND days > 0 AND days IS DISTINCT FROM days_before
    UNION ALL
    SELECT dossier_id, nth, 4, 'reopened', NULL, NULL, concluded_before_at, exported_at, NULL
    FROM beside WHERE concluded_at IS NULL AND concluded_before_at IS NOT NULL
)
SELECT t.dossier_id, CAST(row_number() OVER (PARTITION BY t.dossier_id ORDER BY t.nth, t.place) AS INTEGER) AS step, t.kind,
       t.due_at, t.due_before_at, t.from_at, t.until_at, t.days,
       CAST(w.exported_at AS DATE) AS told_on, w.source, w.file_id, w.sheet, w.row
FROM told t JOIN word w ON w.dossier_id = t.dossier_id AND w.nth = t.nth
