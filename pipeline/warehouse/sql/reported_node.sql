-- The units and sums of units whose figures of a period are filled from summaries: a unit that no register covers; a
-- whole district (or province) where nothing is told of any part of it. What is told of a part and of the whole is
-- filled once, from the parts.
CREATE TEMP TABLE reported_node AS
WITH told AS (
    SELECT DISTINCT period, unit_id FROM reported_count WHERE value IS NOT NULL
),
registered AS (
    SELECT DISTINCT period, counted_unit_id AS unit_id FROM period_unit WHERE coverage <> 'no_data'
),
has_data AS (
    SELECT period, unit_id FROM told UNION SELECT period, unit_id FROM registered
)
SELECT t.period, t.unit_id FROM told t
WHERE NOT EXISTS (SELECT 1 FROM registered r WHERE r.period = t.period AND r.unit_id = t.unit_id)
  AND NOT EXISTS (
      SELECT 1 FROM has_data d JOIN node_of n ON n.unit_id = d.unit_id AND n.depth > 0
      WHERE d.period = t.period AND n.node = t.unit_id
  )
