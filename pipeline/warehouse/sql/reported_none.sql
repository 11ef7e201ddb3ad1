-- No file counts: no summary reported anything.
CREATE TEMP TABLE reported_row (
    sheet VARCHAR, row BIGINT, role VARCHAR, unit VARCHAR, field VARCHAR, section VARCHAR, first_day DATE, last_day DATE,
    measure VARCHAR, value DECIMAL(18, 6), decimals INTEGER, file_id BIGINT, source VARCHAR, exported_at TIMESTAMP, known_at TIMESTAMP
)
