-- Rows of each file by verdict and reason. A row that was rejected for several columns is one row. Reasons that concern
-- whole files or most of one are only counted here, not listed row by row in set_aside.
CREATE TABLE file_account AS
WITH one_verdict AS (
    SELECT file_id, sheet, row, min_by(verdict, rank) AS verdict, min_by(reason, rank) AS reason
    FROM (SELECT *, row_number() OVER () AS rank FROM set_aside WHERE verdict <> 'notice')
    GROUP BY file_id, sheet, row
),
of_summaries AS (
    SELECT file_id, sheet, row, bool_or(counts) AS counts
    FROM reported WHERE role = 'unit' AND unit_id IS NOT NULL AND NOT conflict GROUP BY file_id, sheet, row
),
of_returns AS (
    SELECT file_id, sheet, row, bool_or(counts) AS counts FROM return_told WHERE unit_id IS NOT NULL GROUP BY file_id, sheet, row
),
each AS (
    SELECT file_id, verdict, reason, 1 AS rows FROM one_verdict
    UNION ALL
    SELECT file_id, 'excluded', 'superseded', 1 FROM other_word WHERE nth < versions
    UNION ALL
    SELECT file_id, 'excluded', 'other_register', 1 FROM other_word WHERE nth IS NULL AND known_to IS NULL
    UNION ALL
    SELECT file_id, 'excluded', 'withdrawn', rows_in FROM file WHERE withdrawn_at IS NOT NULL AND rows_in > 0
    UNION ALL
    SELECT file_id, 'counted', NULL, 1 FROM dossier_days WHERE episode = episodes
    UNION ALL
    SELECT file_id, CASE WHEN counts THEN 'counted' ELSE 'excluded' END, CASE WHEN NOT counts THEN 'superseded' END, 1
    FROM (SELECT * FROM of_summaries UNION ALL SELECT * FROM of_returns)
)
SELECT file_id, verdict, reason, CAST(sum(rows) AS BIGINT) AS rows
FROM each GROUP BY file_id, verdict, reason ORDER BY file_id, verdict, reason
