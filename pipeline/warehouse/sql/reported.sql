-- Every figure of every summary. counts: whether it is the newest report of its unit, field, days and measure; only
-- the rows of units count, totals and subtotals are kept to verify them. conflict: another row of the same file tells
-- the same figure differently (two sheets, two spellings of a unit): neither counts. unit_id is null where the name is
-- not known. A cell that says nothing does not stand against a number of the same file.
CREATE TABLE reported AS
WITH named AS (
    SELECT r.file_id, r.sheet, r.row, r.role, u.unit_id, r.field, r.first_day, r.last_day, r.measure, r.value, r.decimals,
           r.exported_at, r.known_at
    FROM reported_row r
    LEFT JOIN reported_unit u
      ON u.source = r.source AND u.unit = r.unit AND u.last_day = r.last_day AND u.exported_on = CAST(r.exported_at AS DATE)
),
judged AS (
    SELECT *, role = 'unit' AND unit_id IS NOT NULL AND min(value) OVER same <> max(value) OVER same AS differs
    FROM named WINDOW same AS (PARTITION BY file_id, role, unit_id, field, first_day, last_day, measure)
),
found AS (
    SELECT *, coalesce(bool_or(differs) OVER (PARTITION BY file_id, sheet, row), FALSE) AS conflict FROM judged
)
SELECT file_id, sheet, row, role, unit_id, field, first_day, last_day, measure, value, decimals, conflict,
       role = 'unit' AND unit_id IS NOT NULL AND NOT conflict AND row_number() OVER newest = 1 AS counts
FROM found
WINDOW newest AS (
    PARTITION BY role, unit_id, field, first_day, last_day, measure, conflict
    ORDER BY exported_at DESC, known_at DESC, file_id DESC, value IS NULL, sheet, row
)
ORDER BY file_id, sheet, row, measure
