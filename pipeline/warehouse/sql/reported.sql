-- Every figure of every summary. counts: whether it belongs to the report that speaks for its unit, days and measure:
-- of the source that goes before others, there the file exported last, and all rows of that file, so that a unit's fields
-- never come from two. New bytes under a file's name replace all that it told of the same days. Only the rows of units
-- count, totals and subtotals are kept to verify them. conflict: another row of the same file tells the same figure
-- differently (two sheets, two spellings of a unit): neither is known. A field's row that is rejected counts without a
-- figure: a sum over fields that lacks one is unknown, not smaller. unit_id is null where the name is not known. A cell
-- that says nothing does not stand against a number of the same file.
CREATE TABLE reported AS
WITH named AS (
    SELECT r.*, u.unit_id, f.precedence,
           r.file_id < max(r.file_id) OVER (PARTITION BY r.source, f.name, r.first_day, r.last_day) AS replaced
    FROM reported_row r
    JOIN file f USING (file_id)
    LEFT JOIN reported_unit u
      ON u.source = r.source AND u.unit = r.unit AND u.last_day = r.last_day AND u.exported_on = CAST(r.exported_at AS DATE)
),
judged AS (
    SELECT *, role = 'unit' AND unit_id IS NOT NULL AND min(value) OVER same <> max(value) OVER same AS differs
    FROM named
    WINDOW same AS (PARTITION BY file_id, role, unit_id, section, field, first_day, last_day, measure)
),
found AS (
    SELECT * EXCLUDE (value), coalesce(bool_or(differs) OVER (PARTITION BY file_id, sheet, row), FALSE) AS conflict,
           CASE WHEN NOT conflict THEN value END AS value
    FROM judged
),
speaks AS (
    SELECT unit_id, first_day, last_day, measure,
           first(file_id ORDER BY precedence DESC, exported_at DESC, known_at DESC, file_id DESC) AS file_id
    FROM found
    WHERE role = 'unit' AND unit_id IS NOT NULL AND NOT conflict AND NOT replaced
    GROUP BY ALL
)
SELECT f.file_id, f.sheet, f.row, f.role, f.unit_id, f.field, f.section, f.first_day, f.last_day, f.measure, f.value,
       f.decimals, f.conflict,
       s.file_id IS NOT NULL AND ((f.role = 'unit' AND NOT f.conflict) OR f.field IS NOT NULL)
       AND row_number() OVER one = 1 AS counts
FROM found f
LEFT JOIN speaks s
  ON s.file_id = f.file_id AND s.unit_id = f.unit_id AND s.first_day = f.first_day AND s.last_day = f.last_day
 AND s.measure IS NOT DISTINCT FROM f.measure AND f.role IN ('unit', 'rejected')
WINDOW one AS (
    PARTITION BY f.file_id, s.file_id IS NULL, f.unit_id, f.section, f.field, f.first_day, f.last_day, f.measure
    ORDER BY f.value IS NULL, f.role = 'rejected', f.conflict, f.sheet, f.row
)
ORDER BY f.file_id, f.sheet, f.row, f.measure
