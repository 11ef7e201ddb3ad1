-- Per period and unit of today's tree, and per sum of units that exists today: the counts of all units, of then and of
-- today, that make it up, and what is covered of them. A unit of then without a successor stays itself, and so does a
-- whole district of which only a summary tells. basis as in period_coverage.
WITH today AS (
    SELECT u.unit_id, u.valid_from, u.valid_to, coalesce(s.successor_id, u.unit_id) AS today_id,
           u.kind NOT IN ('commune', 'counter') AS whole
    FROM {main}unit u LEFT JOIN {main}unit_successor s USING (unit_id)
    WHERE u.kind IN ('commune', 'counter') OR u.unit_id IN (SELECT unit_id FROM {own}reported_figure)
),
node AS (
    SELECT unit_id, valid_from, valid_to, whole, today_id AS node_id, 'unit' AS level FROM today
    UNION ALL
    SELECT t.unit_id, t.valid_from, t.valid_to, t.whole, i.node, CASE WHEN i.node = '*' THEN 'total' ELSE 'group' END
    FROM today t JOIN {main}node_of i ON i.unit_id = t.today_id AND i.depth > 0 JOIN {main}unit g ON g.unit_id = i.node
    WHERE g.valid_to IS NULL
),
part AS (
    SELECT p.period, n.node_id, n.level, c.as_of, coalesce(c.coverage, 'no_data') AS coverage, c.basis
    FROM {main}period p CROSS JOIN node n
    LEFT JOIN {own}period_coverage c ON c.period = p.period AND c.unit_id = n.unit_id
    WHERE (NOT n.whole OR EXISTS (SELECT 1 FROM {own}reported_figure f WHERE f.period = p.period AND f.unit_id = n.unit_id))
      AND (c.coverage <> 'no_data' OR (n.level = 'total' AND c.unit_id IS NOT NULL)
       OR (n.level <> 'total' AND (n.valid_from IS NULL OR n.valid_from <= p.period_to)
           AND (n.valid_to IS NULL OR n.valid_to >= p.period_to)))
),
covered AS (
    SELECT period, node_id, level, min(as_of) AS as_of, count(*) AS units,
           CASE WHEN bool_and(coverage = 'full') THEN 'full' ELSE 'partial' END AS coverage,
           CASE WHEN count(DISTINCT basis) > 1 THEN 'mixed' ELSE min(basis) END AS basis
    FROM part GROUP BY period, node_id, level HAVING bool_or(coverage <> 'no_data')
),
counted AS (
    SELECT c.period, n.node_id, {sums}
    FROM ({unit_counts}) c JOIN node n USING (unit_id) GROUP BY c.period, n.node_id
)
SELECT p.period, p.scheme, p.kind, p.period_from, p.period_to, t.as_of, t.coverage, t.basis, t.node_id AS unit_id, t.level, t.units,
       {columns}
FROM covered t
JOIN {main}period p USING (period)
JOIN {main}unit u ON u.unit_id = t.node_id
LEFT JOIN counted c ON c.period = t.period AND c.node_id = t.node_id
ORDER BY p.period_from, p.period, u.sort
