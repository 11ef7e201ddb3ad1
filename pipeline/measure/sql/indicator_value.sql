-- Every indicator of every unit and sum of units in every period: exact numerator and denominator, the threshold in
-- force on the period's last day, the verdict and how many more dossiers are needed. Whole-number arithmetic only:
-- numerator/denominator against p/q is numerator*q against denominator*p. In braces: the counts, of all indicators in a list each, in their order; and schemas.
WITH asked AS (
    SELECT t.*, u.unit_id FROM {main}threshold t JOIN {main}unit u ON u.kind = t.unit_kind
    WHERE t.within IS NULL OR t.within = u.unit_id OR EXISTS (SELECT 1 FROM {main}unit_in i WHERE i.unit_id = u.unit_id AND i.group_id = t.within)
),
base AS (
    SELECT p.period, p.scheme, p.kind, p.period_from, p.period_to, p.as_of, p.coverage, p.unit_id,
           i.indicator, i.sort, i.kind AS indicator_kind,
           CASE WHEN p.coverage = 'no_data' THEN NULL WHEN i.kind IN ('rate', 'count_ratio') THEN coalesce(c.numerator[i.sort + 1], 0) ELSE c.numerator[i.sort + 1] END AS numerator,
           CASE WHEN p.coverage = 'no_data' OR i.kind = 'sum' THEN NULL ELSE coalesce(c.denominator[i.sort + 1], 0) END AS denominator,
           -- null where a summary does not even say of how many dossiers it does not tell
           CASE WHEN p.coverage <> 'no_data' THEN CASE WHEN c.unit_id IS NULL THEN 0 ELSE c.unknown[i.sort + 1] END END AS unknown,
           c.value[i.sort + 1] AS median
    FROM {own}period_coverage p
    LEFT JOIN {counts} c ON c.period = p.period AND c.unit_id = p.unit_id
    CROSS JOIN {main}indicator i
),
with_threshold AS (
    SELECT b.*, t.operator, t.value_p, t.value_q, t.near_p, t.near_q,
           CAST(b.numerator AS HUGEINT) * t.value_q AS mine, CAST(b.denominator AS HUGEINT) * t.value_p AS theirs
    FROM base b
    LEFT JOIN asked t
      ON t.indicator = b.indicator AND t.unit_id = b.unit_id
     AND t.valid_from <= b.period_to AND (t.valid_to IS NULL OR t.valid_to >= b.period_to)
),
judged AS (
    SELECT *,
        CASE
            WHEN coverage = 'no_data' OR (denominator = 0 AND coalesce(unknown > 0, TRUE)) THEN 'no_data'
            WHEN indicator_kind = 'sum' THEN CASE WHEN numerator IS NULL AND coalesce(unknown > 0, TRUE) THEN 'no_data' WHEN numerator IS NULL THEN 'nothing_arisen' ELSE 'no_target' END
            WHEN denominator = 0 THEN 'nothing_arisen'
            WHEN operator IS NULL THEN 'no_target'
            WHEN operator = '>' THEN CASE WHEN mine > theirs THEN 'met' ELSE 'not_met' END
            WHEN operator = '>=' THEN CASE WHEN mine >= theirs THEN 'met' ELSE 'not_met' END
            WHEN operator = '<' THEN CASE WHEN mine < theirs THEN 'met' ELSE 'not_met' END
            WHEN operator = '<=' THEN CASE WHEN mine <= theirs THEN 'met' ELSE 'not_met' END
        END AS verdict,
        -- the smallest number of dossiers that would turn the verdict (more in the numerator; fewer for < and <=)
        CASE operator
            WHEN '>' THEN theirs // value_q + 1 - numerator
            WHEN '>=' THEN (theirs + value_q - 1) // value_q - numerator
            WHEN '<' THEN CASE WHEN theirs > 0 THEN numerator - ((theirs + value_q - 1) // value_q - 1) END
            WHEN '<=' THEN numerator - theirs // value_q
        END AS lacking
    FROM with_threshold
)
SELECT period, scheme, kind, period_from, period_to, as_of, coverage, unit_id, indicator, indicator_kind, sort,
       CAST(numerator AS BIGINT) AS numerator, CAST(denominator AS BIGINT) AS denominator, CAST(unknown AS BIGINT) AS unknown,
       CASE
           WHEN indicator_kind = 'median' THEN median
           WHEN indicator_kind = 'sum' THEN CAST(numerator AS DOUBLE)
           WHEN denominator > 0 THEN CAST(numerator AS DOUBLE) / denominator
       END AS value,
       operator, value_p AS threshold_p, value_q AS threshold_q, verdict,
       CASE WHEN verdict IN ('met', 'not_met') THEN abs(mine - theirs) * near_q <= CAST(near_p AS HUGEINT) * denominator * value_q ELSE FALSE END AS near,
       CASE WHEN verdict = 'met' THEN 0
            WHEN verdict = 'not_met' AND (operator IN ('<', '<=') OR numerator + lacking <= denominator) THEN CAST(lacking AS BIGINT) END AS needed
FROM judged
ORDER BY period, unit_id, sort
