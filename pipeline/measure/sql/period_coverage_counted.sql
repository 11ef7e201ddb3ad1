-- Coverage by another rule set than ours: what only summaries tell cannot be counted anew. A unit that they alone tell
-- of has no data (its basis still says why); a sum of which they are a part is covered in part.
WITH filled AS (
    SELECT c.period, n.node AS unit_id, count(*) AS units, count(*) FILTER (WHERE c.coverage = 'full') AS units_full,
           bool_or(n.depth = 0) AS itself
    FROM {live}reported_figure f
    JOIN {live}period_coverage c ON c.period = f.period AND c.unit_id = f.unit_id
    JOIN {main}node_of n ON n.unit_id = f.unit_id
    GROUP BY c.period, n.node
)
SELECT c.period, c.scheme, c.kind, c.period_from, c.period_to, c.unit_id,
       CASE WHEN c.basis = 'reported' THEN NULL ELSE c.as_of END AS as_of,
       CASE c.basis WHEN 'reported' THEN 'no_data' WHEN 'mixed' THEN 'partial' ELSE c.coverage END AS coverage,
       CASE WHEN c.basis IN ('reported', 'mixed')
            THEN concat_ws('; ', c.missing_vi, f.units || ' đơn vị chỉ có bảng tổng hợp, không tính lại được theo cách khác')
            ELSE c.missing_vi END AS missing_vi,
       CASE WHEN c.basis IN ('reported', 'mixed')
            THEN concat_ws('; ', c.missing_en, f.units || ' unit(s) of which summaries alone tell, not countable by other rules')
            ELSE c.missing_en END AS missing_en,
       c.units, CAST(c.units_full - coalesce(f.units_full, 0) AS BIGINT) AS units_full,
       CASE WHEN c.basis = 'mixed' THEN 'dossiers' WHEN c.basis = 'reported' AND NOT f.itself THEN NULL ELSE c.basis END AS basis
FROM {live}period_coverage c
LEFT JOIN filled f ON f.period = c.period AND f.unit_id = c.unit_id
ORDER BY c.period, c.unit_id
