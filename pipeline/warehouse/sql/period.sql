-- The periods that today's data reaches: from the first receipt, or summary, to the last day known of. known_period:
-- those that any file reaches, also one that was taken back.
CREATE TABLE period AS
WITH reach AS (
    SELECT least((SELECT min(received_on) FROM dossier_days), (SELECT min(first_day) FROM reported WHERE counts)) AS first_day,
           greatest((SELECT max(last_day) FROM coverage), (SELECT max(last_day) FROM reported WHERE counts)) AS last_day
)
SELECT k.* EXCLUDE (sort) FROM known_period k JOIN reach r ON k.period_from <= r.last_day AND k.period_to >= r.first_day
WHERE r.first_day <= r.last_day
ORDER BY k.sort
