-- The cells of returns that count, as told.
CREATE TABLE return_value AS
SELECT t.period, t.scheme, t.kind, t.period_from, t.period_to, t.unit_id, t.return_id, t.line, t.measure, t.value, t.word,
       t.day, t.qualifier, t.file_id, t.sheet, t.row, t.cell
FROM return_told t
WHERE t.counts
ORDER BY t.period, t.return_id, t.unit_id, t.file_id, t.sheet, t.row, t.cell
