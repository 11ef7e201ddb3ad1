-- Per period and unit of a dossier: the unit in which it counts at the cut-off (through the mapping old → new), the
-- cut-off, and what is covered of the period, and what is missing.
-- A full export covers its span and the stock at its start; received_in and delta cover their span but need a stock
-- before it; open_at gives the stock of the next day and covers no receipts. The stock at a day's start is known by
-- itself, or because every day since one that is known is covered. DESIGN 4.11.
-- Of a unit that came from others it is covered what its own files cover and, before, what those of all the others do
-- alike. Where one of them has told nothing, the days before are not known in full: its own files speak alone, or,
-- where it has none, those of the rest, without a stock.
CREATE TABLE period_unit AS
WITH reached AS (
    SELECT unit_id, max(last_day) AS last_day FROM coverage GROUP BY unit_id
),
stock AS (
    SELECT unit_id, first_day AS day FROM coverage WHERE extent = 'full'
    UNION
    SELECT unit_id, last_day + 1 FROM coverage WHERE extent = 'open_at'
),
-- runs of covered days: spans that overlap or adjoin are one
run AS (
    SELECT unit_id, min(first_day) AS first_day, max(last_day) AS last_day
    FROM (
        SELECT *, sum(CASE WHEN first_day > until + 1 THEN 1 ELSE 0 END) OVER (PARTITION BY unit_id ORDER BY first_day, last_day ROWS UNBOUNDED PRECEDING) AS nth
        FROM (
            SELECT unit_id, first_day, last_day,
                   max(last_day) OVER (PARTITION BY unit_id ORDER BY first_day, last_day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
            FROM coverage WHERE extent <> 'open_at'
        )
    )
    GROUP BY unit_id, nth
),
-- days at whose start the stock is known
knows AS (
    SELECT r.unit_id, min(s.day) AS first_day, r.last_day
    FROM run r JOIN stock s ON s.unit_id = r.unit_id AND s.day BETWEEN r.first_day AND r.last_day
    GROUP BY r.unit_id, r.first_day, r.last_day
),
-- units that count in another one, each from its day on; since: the day from which just these do
merged AS (
    SELECT s.unit_id, s.from_day, s.successor_id FROM unit_successor s JOIN reached USING (unit_id)
),
part AS (
    SELECT DISTINCT n.successor_id AS node, n.from_day AS since, m.unit_id
    FROM merged n JOIN merged m ON m.successor_id = n.successor_id AND m.from_day <= n.from_day
),
node AS (
    SELECT unit_id AS node, DATE '0001-01-01' AS since, TRUE AS whole, 0 AS parts, last_day FROM reached
    UNION ALL
    SELECT p.node, p.since, p.parts = s.parts, p.parts,
           CASE WHEN o.last_day IS NULL THEN p.last_day WHEN p.parts = s.parts THEN greatest(o.last_day, p.last_day) ELSE o.last_day END
    FROM (SELECT node, since, count(*) AS parts, min(last_day) AS last_day FROM part JOIN reached USING (unit_id) GROUP BY node, since) p
    JOIN (SELECT successor_id, count(*) AS parts FROM unit_successor GROUP BY successor_id) s ON s.successor_id = p.node
    LEFT JOIN reached o ON o.unit_id = p.node
),
-- what all parts have in common begins where some part's begins, and ends where the first of them ends
common_run AS (
    SELECT n.node, n.since, a.first_day, min(b.last_day) AS last_day
    FROM node n
    JOIN part p ON p.node = n.node AND p.since = n.since JOIN run a ON a.unit_id = p.unit_id
    JOIN part q ON q.node = n.node AND q.since = n.since JOIN run b ON b.unit_id = q.unit_id AND a.first_day BETWEEN b.first_day AND b.last_day
    WHERE n.whole OR n.node NOT IN (SELECT unit_id FROM reached)
    GROUP BY n.node, n.since, n.parts, a.first_day HAVING count(DISTINCT q.unit_id) = n.parts
),
common_stock AS (
    SELECT n.node, n.since, a.first_day AS day
    FROM node n
    JOIN part p ON p.node = n.node AND p.since = n.since JOIN knows a ON a.unit_id = p.unit_id
    JOIN part q ON q.node = n.node AND q.since = n.since JOIN knows b ON b.unit_id = q.unit_id AND a.first_day BETWEEN b.first_day AND b.last_day
    WHERE n.whole
    GROUP BY n.node, n.since, n.parts, a.first_day HAVING count(DISTINCT q.unit_id) = n.parts
),
covered AS (
    SELECT n.node, n.since, r.first_day, r.last_day FROM node n JOIN run r ON r.unit_id = n.node
    UNION ALL
    SELECT node, since, first_day, last_day FROM common_run
),
-- the days between: gaps, the one before all that is covered and the one after it included
gap AS (
    SELECT node, since, coalesce(until + 1, DATE '0001-01-01') AS first_day, first_day - 1 AS last_day
    FROM (
        SELECT *, max(last_day) OVER (PARTITION BY node, since ORDER BY first_day, last_day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
        FROM covered
    )
    WHERE until IS NULL OR first_day > until + 1
    UNION ALL
    SELECT n.node, n.since, coalesce(max(c.last_day) + 1, DATE '0001-01-01'), DATE '9999-12-31'
    FROM node n LEFT JOIN covered c ON c.node = n.node AND c.since = n.since GROUP BY n.node, n.since
),
stock_of AS (
    SELECT n.node, n.since, s.day FROM node n JOIN stock s ON s.unit_id = n.node
    UNION
    SELECT node, since, day FROM common_stock
),
-- where the dossiers of each unit count in each period
counted AS (
    SELECT p.period, p.scheme, p.kind, p.period_from, p.period_to, r.unit_id, coalesce(m.successor_id, r.unit_id) AS node,
           coalesce(max(m.from_day) OVER (PARTITION BY p.period, coalesce(m.successor_id, r.unit_id)), DATE '0001-01-01') AS since
    FROM period p
    CROSS JOIN reached r
    LEFT JOIN merged m ON m.unit_id = r.unit_id AND m.from_day <= least(p.period_to, (SELECT max(last_day) FROM reached))
),
asked AS (
    SELECT DISTINCT c.period, c.period_from, c.period_to, c.node, c.since, CASE WHEN n.last_day >= c.period_from THEN least(c.period_to, n.last_day) END AS as_of
    FROM counted c JOIN node n ON n.node = c.node AND n.since = c.since
),
missing AS (
    SELECT a.period, a.node, a.since, bool_or(g.first_day <= a.period_from AND g.last_day >= a.period_to) AS nothing,
           string_agg(strftime(greatest(g.first_day, a.period_from), '%d/%m/%Y') || '–' || strftime(least(g.last_day, a.period_to), '%d/%m/%Y'), ', ' ORDER BY g.first_day) AS days
    FROM asked a JOIN gap g ON g.node = a.node AND g.since = a.since AND g.first_day <= a.period_to AND g.last_day >= a.period_from
    GROUP BY a.period, a.node, a.since
),
-- the newest stock before the period, where no gap lies between
with_stock AS (
    SELECT DISTINCT a.period, a.node, a.since
    FROM asked a
    JOIN stock_of s ON s.node = a.node AND s.since = a.since AND s.day <= a.period_from
    ANTI JOIN gap g ON g.node = a.node AND g.since = a.since AND g.first_day <= a.period_from AND g.last_day >= s.day
),
told AS (
    SELECT a.period, a.node, a.since, a.as_of, m.days, w.period IS NULL AS no_stock,
           CASE WHEN a.as_of IS NULL OR m.nothing THEN 'no_data' WHEN m.days IS NULL AND w.period IS NOT NULL THEN 'full' ELSE 'partial' END AS coverage
    FROM asked a
    LEFT JOIN missing m ON m.period = a.period AND m.node = a.node AND m.since = a.since
    LEFT JOIN with_stock w ON w.period = a.period AND w.node = a.node AND w.since = a.since
)
SELECT c.period, c.scheme, c.kind, c.period_from, c.period_to, c.unit_id, c.node AS counted_unit_id,
       t.as_of, t.as_of + TIME '23:59:59' AS as_of_end, t.coverage,
       nullif(concat_ws('; ', 'thiếu số liệu ' || t.days, CASE WHEN t.no_stock THEN 'chưa biết hồ sơ tồn đầu kỳ' END), '') AS missing_vi,
       nullif(concat_ws('; ', 'no data for ' || t.days, CASE WHEN t.no_stock THEN 'stock at the start not known' END), '') AS missing_en
FROM counted c JOIN told t ON t.period = c.period AND t.node = c.node AND t.since = c.since
ORDER BY c.period_from, c.period, c.node, c.unit_id
