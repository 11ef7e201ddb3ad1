-- What summaries say of a period of ours, per unit and field (null: all fields): one row per measure. A field that stands
-- under several groups is the sum of them. Where a unit has no row for all fields together, its fields are summed;
-- unknown in one is unknown in all.
CREATE TEMP TABLE reported_count AS
WITH told AS (
    SELECT p.period, r.unit_id, r.field, r.measure, r.value
    FROM reported r JOIN period p ON p.period_from = r.first_day AND p.period_to = r.last_day
    WHERE r.counts AND r.measure IS NOT NULL AND r.decimals IS NULL  -- a percentage is no count
),
whole AS (
    SELECT DISTINCT period, unit_id, measure FROM told WHERE field IS NULL
)
SELECT period, unit_id, field, measure, CASE WHEN count(value) = count(*) THEN CAST(sum(value) AS BIGINT) END AS value
FROM told
GROUP BY period, unit_id, field, measure
UNION ALL
SELECT period, unit_id, NULL, measure, CASE WHEN count(value) = count(*) THEN CAST(sum(value) AS BIGINT) END
FROM told ANTI JOIN whole USING (period, unit_id, measure)
WHERE field IS NOT NULL
GROUP BY period, unit_id, measure
