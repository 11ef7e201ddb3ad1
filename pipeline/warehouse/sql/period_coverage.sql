-- Per period and unit, and per period and sum of units: the cut-off, what is covered, and what is missing.
-- A sum is covered in full when every unit of it that exists at the cut-off is. basis: what the figures come from: the
-- dossiers of registers; reported: only a summary of just these days tells of the unit; of a sum also mixed. A whole
-- district of which only a summary tells stands for its units in the sums above it.
CREATE TABLE period_coverage AS
WITH bounded AS (
    SELECT count(*) AS units FROM unit WHERE (valid_from IS NOT NULL OR valid_to IS NOT NULL) AND unit_id IN (SELECT counted_unit_id FROM period_unit)
    HAVING count(*) > 0
),
-- of no matter where all units are there at all times
busy AS (
    SELECT unit_id, min(received_on) AS first_day, max(coalesce(concluded_on, DATE '9999-12-31')) AS last_day
    FROM dossier_days, bounded GROUP BY unit_id
),
register_leaf AS (
    -- a unit that did not exist in a period lacks nothing there: it is left out unless dossiers count in it
    SELECT DISTINCT p.period, p.scheme, p.kind, p.period_from, p.period_to, p.counted_unit_id AS unit_id, p.as_of, p.coverage, p.missing_vi, p.missing_en,
           CASE WHEN p.coverage <> 'no_data' THEN 'dossiers' END AS basis
    FROM period_unit p
    JOIN unit u ON u.unit_id = p.counted_unit_id
    LEFT JOIN busy b ON b.unit_id = p.unit_id
    WHERE ((u.valid_from IS NULL OR u.valid_from <= p.period_to) AND (u.valid_to IS NULL OR u.valid_to >= p.period_from))
       OR (p.coverage <> 'no_data' AND b.first_day <= p.as_of AND b.last_day >= p.period_from)
),
-- a summary knows nothing of the days after its export
summary AS (
    SELECT r.unit_id, r.first_day, r.last_day, CAST(max(f.exported_at) AS DATE) AS exported_on
    FROM reported r JOIN file f USING (file_id) WHERE r.counts GROUP BY ALL
),
reported_leaf AS (
    SELECT DISTINCT p.period, p.scheme, p.kind, p.period_from, p.period_to, c.unit_id, least(p.period_to, s.exported_on) AS as_of,
           CASE WHEN s.exported_on < p.period_to THEN 'partial' ELSE 'full' END AS coverage,
           CASE WHEN s.exported_on < p.period_to THEN 'bảng tổng hợp lập ngày ' || strftime(s.exported_on, '%d/%m/%Y') || ', trước khi hết kỳ' END AS missing_vi,
           CASE WHEN s.exported_on < p.period_to THEN 'summary of ' || strftime(s.exported_on, '%d/%m/%Y') || ', before the period ended' END AS missing_en,
           'reported' AS basis
    FROM reported_node c
    JOIN period p USING (period)
    JOIN summary s ON s.unit_id = c.unit_id AND s.first_day = p.period_from AND s.last_day = p.period_to
),
leaf AS (
    SELECT * FROM reported_leaf
    UNION ALL
    SELECT * FROM register_leaf l
    WHERE NOT EXISTS (SELECT 1 FROM reported_leaf r WHERE r.period = l.period AND r.unit_id = l.unit_id)
),
told_above AS (
    SELECT r.period, n.unit_id FROM reported_node r JOIN node_of n ON n.node = r.unit_id AND n.depth > 0
),
expected AS (
    SELECT p.period, p.scheme, p.kind, p.period_from, p.period_to, i.node AS group_id, i.unit_id, l.unit_id IS NOT NULL AS reports, l.as_of,
           coalesce(l.coverage, 'no_data') AS coverage, l.missing_vi, l.missing_en, l.basis
    FROM period p
    CROSS JOIN (SELECT * FROM node_of WHERE depth > 0) i
    JOIN unit u ON u.unit_id = i.unit_id
    LEFT JOIN leaf l ON l.period = p.period AND l.unit_id = i.unit_id
    LEFT JOIN told_above t ON t.period = p.period AND t.unit_id = i.unit_id
    WHERE t.unit_id IS NULL
      AND (l.unit_id IS NOT NULL
           OR (i.node <> '*' AND u.kind IN ('commune', 'counter')
               AND (u.valid_from IS NULL OR u.valid_from <= p.period_to) AND (u.valid_to IS NULL OR u.valid_to >= p.period_to)))
),
sums AS (
    SELECT period, scheme, kind, period_from, period_to, group_id AS unit_id, min(as_of) AS as_of,
           count(*) AS units, count(*) FILTER (WHERE coverage = 'full') AS units_full,
           count(*) FILTER (WHERE coverage = 'no_data') AS units_no_data,
           CASE WHEN count(DISTINCT basis) > 1 THEN 'mixed' ELSE min(basis) END AS basis,
           -- what all of them lack alike
           CASE WHEN count(DISTINCT missing_vi) = 1 AND count(missing_vi) = count(*) THEN min(missing_vi) END AS alike_vi,
           CASE WHEN count(DISTINCT missing_en) = 1 AND count(missing_en) = count(*) THEN min(missing_en) END AS alike_en
    FROM expected GROUP BY ALL HAVING bool_or(reports)
)
SELECT period, scheme, kind, period_from, period_to, unit_id, as_of, coverage, missing_vi, missing_en,
       1 AS units, CAST(coverage = 'full' AS INTEGER) AS units_full, basis
FROM leaf
UNION ALL
SELECT period, scheme, kind, period_from, period_to, unit_id, as_of,
       CASE WHEN units_full = units THEN 'full' WHEN units_no_data = units THEN 'no_data' ELSE 'partial' END,
       CASE WHEN units_full < units THEN coalesce(alike_vi, units_full || '/' || units || ' đơn vị đủ số liệu') END,
       CASE WHEN units_full < units THEN coalesce(alike_en, units_full || '/' || units || ' units covered in full') END,
       units, units_full, basis
FROM sums
ORDER BY period, unit_id
