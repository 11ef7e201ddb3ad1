-- Every cell of every return that counts, with the unit it is of. counts: of the returns of a unit and period the newest
-- one speaks for each of its rows: of the source that goes before others, the one made last. A row of which it tells
-- nothing (a cell left empty) is not told any more; a row that it does not have stays as it was told before.
CREATE TEMP TABLE return_told AS
SELECT r.*, u.unit_id, p.scheme, p.kind, p.period_from, p.period_to,
       u.unit_id IS NOT NULL AND row_number() OVER newest = 1 AS counts
FROM return_row r
JOIN file f USING (file_id)
JOIN return_period p USING (period)
LEFT JOIN return_unit u
  ON u.source = r.source AND u.return_id = r.return_id AND u.period = r.period AND u.unit = r.unit
 AND u.unit_key IS NOT DISTINCT FROM r.unit_key AND u.exported_on = CAST(r.exported_at AS DATE)
WINDOW newest AS (
    PARTITION BY u.unit_id, r.period, r.return_id, r.line, r.measure
    ORDER BY f.precedence DESC, r.exported_at DESC, r.known_at DESC, r.file_id DESC, r.sheet, r.row
)
