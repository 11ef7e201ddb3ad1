-- Every row that makes the history of its dossier: a version, its conclusion decided. Rows of a register of lower
-- precedence make none where a higher one tells of the same dossier.
-- Undated facts (paused, unclassified) are kept as `state`; they hold only from the export that said them.
CREATE TEMP TABLE version AS
SELECT *,
    -- A conclusion needs a day. A finish date beats a status that says "open": the date is a dated fact, the status
    -- is not. "Done" without a finish date takes the hand-over day; a stop has no such day.
    CASE
        WHEN finished_at IS NOT NULL THEN finished_at
        WHEN status_group IN ('resolved', 'withdrawn', 'returned') THEN returned_at
    END AS concluded_at,
    CASE
        WHEN finished_at IS NULL AND NOT (status_group IN ('resolved', 'withdrawn', 'returned') AND returned_at IS NOT NULL) THEN NULL
        WHEN status_group IN ('withdrawn', 'returned', 'stopped') THEN status_group
        WHEN status_group = 'unknown' THEN 'unclassified'
        ELSE 'resolved'
    END AS conclusion,
    CASE
        WHEN finished_at IS NOT NULL THEN 'running'
        WHEN status_group IN ('paused', 'stopped') THEN 'paused'
        WHEN status_group IN ('resolved', 'withdrawn', 'returned') AND returned_at IS NULL THEN 'unclassified'
        WHEN status_group = 'unknown' THEN 'unclassified'
        ELSE 'running'
    END AS state,
    row_number() OVER history AS nth,
    lead(file_id) OVER history AS next_file_id,
    count(*) OVER (PARTITION BY dossier_id) AS versions
FROM told ANTI JOIN outranked o ON o.dossier_id = told.dossier_id AND o.file_id = told.file_id
WINDOW history AS (PARTITION BY dossier_id ORDER BY exported_at, known_at, file_id, row)
