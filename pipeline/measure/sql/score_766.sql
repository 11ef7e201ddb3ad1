-- Points of every sub-score of Decision 766 for every unit and sum of units in every period, as an exact fraction in
-- lowest terms: max, or max * rate / saturation where that is less. In braces: the counts, and schemas.
-- missing: the data does not tell a part. nothing_arisen: the denominator is 0; the points are then as declared (full, zero,
-- none). Dossiers of which it is not known are in neither part; where that is all of them, the sub-score is missing.
WITH base AS (
    SELECT p.period, p.scheme, p.kind, p.period_from, p.period_to, p.as_of, p.coverage, p.unit_id,
           s.score_group, s.score, s.sort, s.max_points, s.saturation_p, s.saturation_q, s.nothing, s.needs_vi, s.needs_en,
           p.missing_vi, p.missing_en,
           s.parts, s.parts IN ('dossiers', 'procedures') AS of_dossiers, p.basis,
           -- a unit whose registers are here and hold no dossier of the period has none
           s.parts IN ('dossiers', 'procedures') AND p.coverage <> 'no_data' AND p.basis = 'dossiers' AND NOT coalesce(c.seen, FALSE) AS empty,
           CASE WHEN empty THEN 0 ELSE c.numerator END AS numerator,
           CASE WHEN empty AND s.parts = 'dossiers' THEN 0 ELSE c.denominator END AS denominator,
           CASE WHEN empty THEN 0 ELSE c.unknown END AS unknown
    FROM {own}period_coverage p
    CROSS JOIN {main}score s
    LEFT JOIN ({counts}) c ON c.period = p.period AND c.unit_id = p.unit_id AND c.score = s.score
         -- where summaries tell of a unit, its dossiers are not all there is
         AND (s.parts IN ('indicator', 'return') OR p.basis = 'dossiers')
),
judged AS (
    SELECT *,
        CASE
            WHEN denominator IS NULL OR (denominator = 0 AND parts <> 'procedures' AND coalesce(unknown > 0, TRUE)) THEN 'missing'
            WHEN denominator = 0 THEN 'nothing_arisen'
            WHEN numerator IS NULL THEN 'missing'
            ELSE 'computed'
        END AS status
    FROM base
),
fraction AS (
    SELECT *,
        CASE WHEN status = 'computed' THEN least(max_points * numerator * coalesce(saturation_q, 1), max_points * denominator * coalesce(saturation_p, 1))
             WHEN status = 'nothing_arisen' THEN CASE nothing WHEN 'full' THEN max_points WHEN 'zero' THEN 0 END END AS p,
        CASE WHEN status = 'computed' THEN denominator * coalesce(saturation_p, 1)
             WHEN status = 'nothing_arisen' AND nothing <> 'none' THEN 1 END AS q
    FROM judged
)
SELECT period, scheme, kind, period_from, period_to, as_of, coverage, unit_id, score_group, score, sort,
       CAST(numerator AS BIGINT) AS numerator, CAST(denominator AS BIGINT) AS denominator, CAST(unknown AS BIGINT) AS unknown,
       saturation_p, saturation_q, max_points,
       CAST(p // gcd(p, q) AS BIGINT) AS points_p, CAST(q // gcd(p, q) AS BIGINT) AS points_q, status,
       CASE WHEN status <> 'missing' THEN NULL
            WHEN coverage = 'no_data' THEN coalesce(missing_vi, 'số liệu của kỳ này')
            WHEN of_dossiers AND basis <> 'dossiers' THEN 'sổ hồ sơ của đơn vị chỉ có bảng tổng hợp; cần ' || needs_vi
            ELSE needs_vi END AS missing_vi,
       CASE WHEN status <> 'missing' THEN NULL
            WHEN coverage = 'no_data' THEN coalesce(missing_en, 'data of this period')
            WHEN of_dossiers AND basis <> 'dossiers' THEN 'registers of units of which summaries alone tell; what is needed: ' || needs_en
            ELSE needs_en END AS missing_en
FROM fraction
ORDER BY period, unit_id, sort
