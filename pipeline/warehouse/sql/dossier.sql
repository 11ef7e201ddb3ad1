-- What is known of each dossier: the dated facts of its newest version, and one row per episode. A finish date that
-- is gone again in a later export is a reopening: the first conclusion stays, a new episode begins on that export's day.
-- The rows stand in the order of the conformed files, in which those of a time are together (repeats.py), without sorting
-- them here.
CREATE TABLE dossier AS
WITH numbered AS (
    SELECT *, 1 + sum(CAST(reopens AS INTEGER)) OVER (PARTITION BY dossier_id ORDER BY nth) AS episode
    FROM history WHERE nth IS NOT NULL AND dossier_id IN (SELECT dossier_id FROM history WHERE reopens)
),
episodes AS (
    SELECT dossier_id, CAST(episode AS INTEGER) AS episode,
           max(nth) AS last_nth,
           min(CAST(exported_at AS DATE)) AS opened_on
    FROM numbered GROUP BY dossier_id, episode
),
-- of dossiers that were reopened
course AS (
    SELECT e.dossier_id, e.episode, e.opened_on, n.concluded_at, n.conclusion,
           -- the latest of all episodes before: one may state an earlier day than the one before it
           max(CAST(n.concluded_at AS DATE)) OVER (
               PARTITION BY e.dossier_id ORDER BY e.episode ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS previous_concluded_on,
           CAST(max(e.episode) OVER (PARTITION BY e.dossier_id) AS INTEGER) AS episodes
    FROM episodes e JOIN numbered n ON n.dossier_id = e.dossier_id AND n.nth = e.last_nth
),
newest AS (
    SELECT v.*, coalesce(c.episode, 1) AS episode, coalesce(c.episodes, 1) AS episodes, c.opened_on AS reopened_on,
           CASE WHEN c.dossier_id IS NULL THEN v.concluded_at ELSE c.concluded_at END AS ended_at,
           CASE WHEN c.dossier_id IS NULL THEN v.conclusion ELSE c.conclusion END AS ended_as, c.previous_concluded_on
    FROM placed v LEFT JOIN course c ON c.dossier_id = v.dossier_id
    WHERE v.nth = v.versions AND v.status_group <> 'not_counted'
)
SELECT
    v.dossier_id, v.episode, v.episodes, v.versions, coalesce(u.unit_id, v.unit_id) AS unit_id, v.field, v.procedure_code, v.procedure,
    coalesce(v.channel, 'channel_unknown') AS channel,
    v.status, v.received_at, CAST(v.received_at AS DATE) AS received_on,
    v.due_at, CAST(v.due_at AS DATE) AS due_on, v.first_due_at, v.extended_due_at, v.finished_at, v.returned_at,
    v.ended_at AS concluded_at, CAST(v.ended_at AS DATE) AS concluded_on, v.ended_as AS conclusion,
    CASE WHEN v.episode > 1 THEN v.reopened_on ELSE CAST(v.received_at AS DATE) END AS opened_on,
    -- one day to be asked for instead of two of which one may be null: only so can what stands in a period be found by it
    greatest(coalesce(CAST(v.ended_at AS DATE), DATE '9999-12-31'), CAST(v.received_at AS DATE)) AS counts_until,
    -- the day on which the episode before left the counts: never before the dossier was received
    greatest(v.previous_concluded_on, CASE WHEN v.episode > 1 THEN CAST(v.received_at AS DATE) END) AS previous_left_on,
    CAST(v.first_exported_at AS DATE) AS first_exported_on, v.state AS newest_state, v.lateness,
    -- calendar days from receipt to conclusion; a conclusion before receipt has no duration
    CASE WHEN CAST(v.ended_at AS DATE) >= CAST(v.received_at AS DATE)
         THEN date_diff('day', CAST(v.received_at AS DATE), CAST(v.ended_at AS DATE)) END AS processing_days,
    v.component_digitized, v.component_reused, v.result_digitized, v.service_level, v.fee_due, v.paid_online,
    v.certified_copies, v.apology_sent, v.rated, v.rating, v.paused_days, v.supplement_requested_at,
    v.source, v.file_id, v.sheet, v.row, v.exported_at, v.known_at, v.unit_id AS told_unit_id
FROM newest v
LEFT JOIN dossier_unit u ON u.dossier_id = v.dossier_id
