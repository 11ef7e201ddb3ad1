-- Every figure of every summary. counts: whether it is the newest report of its unit, field, days and measure; only
-- the rows of units count, totals and subtotals are kept to verify them. unit_id is null where the name is not known.
CREATE TABLE reported AS
SELECT r.file_id, r.sheet, r.row, r.role, u.unit_id, r.field, r.first_day, r.last_day, r.measure, r.value, r.decimals,
       r.role = 'unit' AND u.unit_id IS NOT NULL AND row_number() OVER newest = 1 AS counts
FROM reported_row r
LEFT JOIN reported_unit u
  ON u.source = r.source AND u.unit = r.unit AND u.last_day = r.last_day AND u.exported_on = CAST(r.exported_at AS DATE)
WINDOW newest AS (
    PARTITION BY r.role, u.unit_id, r.field, r.first_day, r.last_day, r.measure
    ORDER BY r.exported_at DESC, r.known_at DESC, r.file_id DESC, r.sheet, r.row
)
ORDER BY r.file_id, r.sheet, r.row, r.measure
