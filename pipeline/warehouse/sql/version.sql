-- Every accepted row of every file: a version of a dossier, with its unit resolved and its conclusion decided.
-- Undated facts (paused, unclassified) are kept as `state`; they hold only from the export that said them.
CREATE TEMP TABLE version AS
WITH joined AS (
    SELECT v.*, f.file_id, f.exported_at, f.known_at, f.lateness, f.source,
           r.unit_id, coalesce(s.status_group, '') AS status_group,
           CAST(v.finished_at AS DATE) AS finished_on, CAST(v.returned_at AS DATE) AS returned_on
    FROM row_of_file v
    JOIN file f USING (sha256)
    JOIN unit_ref r ON r.source = f.source AND r.written = v.unit
        AND r.received_era = era(CAST(v.received_at AS DATE)) AND r.exported_era = era(CAST(f.exported_at AS DATE))
    LEFT JOIN status s ON s.status = v.status
    WHERE r.unit_id IS NOT NULL
)
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
    count(*) OVER (PARTITION BY dossier_id) AS versions
FROM joined
WINDOW history AS (PARTITION BY dossier_id ORDER BY exported_at, known_at, file_id, row)
