-- Per period and unit, and per period and sum of units: the cut-off, what is covered, and what is missing.
-- A sum is covered in full when every unit of it that exists at the cut-off is.
CREATE TABLE period_coverage AS
WITH leaf AS (
    SELECT DISTINCT period, scheme, kind, period_from, period_to, counted_unit_id AS unit_id, as_of, coverage, missing_vi, missing_en
    FROM period_unit
),
expected AS (
    SELECT p.period, p.scheme, p.kind, p.period_from, p.period_to, i.group_id, i.unit_id, l.unit_id IS NOT NULL AS reports, l.as_of,
           coalesce(l.coverage, 'no_data') AS coverage, l.missing_vi, l.missing_en
    FROM period p
    CROSS JOIN unit_in i
    JOIN unit u ON u.unit_id = i.unit_id
    LEFT JOIN leaf l ON l.period = p.period AND l.unit_id = i.unit_id
    WHERE l.unit_id IS NOT NULL
       OR (i.group_id <> '*' AND (u.valid_from IS NULL OR u.valid_from <= p.period_to) AND (u.valid_to IS NULL OR u.valid_to >= p.period_to))
),
sums AS (
    SELECT period, scheme, kind, period_from, period_to, group_id AS unit_id, min(as_of) AS as_of,
           count(*) AS units, count(*) FILTER (WHERE coverage = 'full') AS units_full,
           count(*) FILTER (WHERE coverage = 'no_data') AS units_no_data,
           -- what all of them lack alike
           CASE WHEN count(DISTINCT missing_vi) = 1 AND count(missing_vi) = count(*) THEN min(missing_vi) END AS alike_vi,
           CASE WHEN count(DISTINCT missing_en) = 1 AND count(missing_en) = count(*) THEN min(missing_en) END AS alike_en
    FROM expected GROUP BY ALL HAVING bool_or(reports)
)
SELECT period, scheme, kind, period_from, period_to, unit_id, as_of, coverage, missing_vi, missing_en,
       1 AS units, CAST(coverage = 'full' AS INTEGER) AS units_full
FROM leaf
UNION ALL
SELECT period, scheme, kind, period_from, period_to, unit_id, as_of,
       CASE WHEN units_full = units THEN 'full' WHEN units_no_data = units THEN 'no_data' ELSE 'partial' END,
       CASE WHEN units_full < units THEN coalesce(alike_vi, units_full || '/' || units || ' đơn vị đủ số liệu') END,
       CASE WHEN units_full < units THEN coalesce(alike_en, units_full || '/' || units || ' units covered in full') END,
       units, units_full
FROM sums
ORDER BY period, unit_id
