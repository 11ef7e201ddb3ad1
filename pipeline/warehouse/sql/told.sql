-- What the rows of every file tell, also of those that were taken back: the unit resolved, the conclusion decided, and
-- from when until before when it was known. A row whose unit is not known tells nothing. A file that was taken back
-- and given again tells its rows twice, with a gap between.
-- Undated facts (paused, unclassified) are kept as `state`; they hold only from the export that said them.
CREATE TEMP VIEW told AS
WITH word AS (
    SELECT v.dossier_id, r.unit_id, v.* EXCLUDE (dossier_id, unit, sheet, row, sha256), coalesce(s.status_group, '') AS status_group,
           f.source, f.file_id, v.sheet, v.row, f.exported_at, f.known_at, f.lateness, f.precedence, k.known_from, k.known_to, k.position
    FROM telling v
    JOIN file f USING (sha256)
    JOIN file_known k USING (file_id)
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
    END AS state
FROM word
