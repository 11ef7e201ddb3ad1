"""A country's dossiers for the benchmarks: any number of them, 19 columns with Vietnamese words, 620 units, 48 fields,
three years; the same bytes each time. As CSV or Parquet, a source for each of twenty districts.

Not here: what is done with them.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

DISTRICTS, UNITS, FIELDS, PROCEDURES = 20, 620, 48, 400
FIRST_DAY, LAST_DAY = "2021-12-15", "2024-12-14"
DAYS = 1096
SOURCE = f"""name = "Một cửa huyện {{district:02}} (đo tốc độ)"
kind = "register"
units = "from_file"
procedures = "from_file"
extent = "{{extent}}"
known_at = "exported"
exported_at = "so_%Y%m%d.{{form}}"
from = {FIRST_DAY}
to = {{last}}
"""
LAND = ("Đất đai", "Hộ tịch", "Chứng thực", "Xây dựng", "Môi trường", "Bảo trợ xã hội", "Giáo dục", "Y tế")
KINDS = ("cấp mới", "cấp lại", "điều chỉnh", "gia hạn", "xác nhận", "đăng ký")
# The columns of an export, each as SQL over `i`, the number of the dossier. What is not declared must not pass.
MADE = f"""
SELECT i, 1 + i % {UNITS} AS unit_no,
       TIMESTAMP '{FIRST_DAY} 07:00:00' + to_seconds(CAST(hash(i, 1) % ({DAYS} * 24) AS BIGINT) * 3600 + CAST(hash(i, 9) % 3600 AS BIGINT)) AS received,
       date_trunc('day', received) + to_days(CAST(1 + hash(i, 3) % 25 AS INTEGER)) + INTERVAL 17 HOUR AS due,
       greatest(due + to_days(CAST(hash(i, 4) % 9 AS INTEGER) - 7), received + INTERVAL 2 HOUR) AS finishes,
       CASE WHEN finishes < TIMESTAMP '{LAST_DAY} 23:00:00' AND hash(i, 5) % 200 > 0 THEN finishes END AS finished,
       'Xã ' || list_value('An', 'Bình', 'Cát', 'Đông', 'Hải', 'Hòa', 'Lộc', 'Mỹ', 'Phú', 'Thượng')[CAST(1 + unit_no % 10 AS INTEGER)]
           || ' ' || unit_no AS unit,
       list_value({", ".join(f"'{word}'" for word in LAND)})[CAST(1 + hash(i, 6) % {FIELDS} % 8 AS INTEGER)]
           || ' ' || list_value({", ".join(f"'{word}'" for word in KINDS)})[CAST(1 + hash(i, 6) % {FIELDS} // 8 AS INTEGER)] AS field,
       'Thủ tục ' || hash(i, 7) % {PROCEDURES} || ' về ' || lower(field) AS procedure,
       list_value('Trực tuyến', 'Trực tuyến', 'Trực tuyến', 'Trực tiếp', 'Bưu chính công ích')[CAST(1 + hash(i, 8) % 5 AS INTEGER)] AS channel
FROM range({{first}}, {{last}}) t(i)
"""
COLUMNS = """
SELECT 'H50.' || lpad(CAST(1 + (unit_no - 1) // 31 AS VARCHAR), 2, '0') || '-' || strftime(received, '%y%m%d') || '-' || lpad(CAST(i AS VARCHAR), 9, '0') AS "Mã hồ sơ",
       unit AS "Đơn vị tiếp nhận", {received} AS "Ngày tiếp nhận",
       CASE WHEN finished IS NULL THEN 'Đang xử lý' ELSE 'Đã xử lý xong' END AS "Trạng thái",
       {finished} AS "Ngày kết thúc xử lý", channel AS "Hình thức nộp", {due} AS "Ngày hẹn trả",
       procedure AS "Tên TTHC", field AS "Lĩnh vực",
       CASE WHEN hash(i, 10) % 10 > 2 THEN 'Có' ELSE 'Không' END AS "Số hóa thành phần hồ sơ",
       CASE WHEN finished IS NULL THEN NULL WHEN hash(i, 11) % 10 > 1 THEN 'Có' ELSE 'Không' END AS "Số hóa kết quả",
       list_value('Toàn trình', 'Một phần', NULL)[CAST(1 + hash(i, 12) % 3 AS INTEGER)] AS "Mức độ DVC",
       CASE WHEN hash(i, 13) % 4 = 0 THEN 'Có' ELSE 'Không' END AS "Có nghĩa vụ tài chính",
       CASE WHEN hash(i, 14) % 8 = 0 THEN 'Có' ELSE 'Không' END AS "Thanh toán trực tuyến",
       CASE WHEN hash(i, 15) % 3 > 0 THEN 'Có' ELSE 'Không' END AS "Có phiếu đánh giá",
       'Trần Thị ' || chr(65 + CAST(hash(i, 16) % 26 AS INTEGER)) || ' ' || i AS "Chủ hồ sơ",
       'Thôn ' || hash(i, 17) % 30 || ', ' || unit AS "Địa chỉ",
       '09' || lpad(CAST(hash(i, 18) % 100000000 AS VARCHAR), 8, '0') AS "Số điện thoại",
       'Đề nghị giải quyết việc ' || lower(field) AS "Nội dung hồ sơ"
FROM {made}
"""
TEXT = "strftime({0}, '%d/%m/%Y %H:%M:%S')"
AS_TEXT = {name: TEXT.format(name) for name in ("received", "finished", "due")}


def write_country(raw: Path, rows: int, form: str) -> None:
    """`rows` dossiers into twenty sources of raw/, each one export of the evening of LAST_DAY. form: csv or parquet
    (whose times are times)."""
    con = duckdb.connect()
    # a dossier belongs to unit i % 620, so that each stretch of numbers has all units
    con.execute(f"CREATE VIEW made AS {MADE.format(first=0, last=rows)}")
    times = AS_TEXT if form == "csv" else {name: name for name in AS_TEXT}
    for district in range(1, DISTRICTS + 1):
        folder = _source(raw, f"huyen_{district:02}", district, form, LAST_DAY, "full")
        target = folder / f"so_{LAST_DAY.replace('-', '')}.{form}"
        of_it = f"(SELECT * FROM made WHERE (unit_no - 1) // 31 = {district - 1})"
        how = "HEADER" if form == "csv" else "FORMAT parquet, COMPRESSION zstd"
        con.execute(f"COPY ({COLUMNS.format(made=of_it, **times)}) TO '{target.as_posix()}' ({how})")


def write_news(raw: Path, rows: int, day: str, share: int = 100) -> int:
    """What a later day brings, one in `share` of `rows`: half of it new dossiers, half old ones resolved since. A delta
    of each district's system; returns how many rows."""
    con = duckdb.connect()
    news = rows // share
    con.execute(f"CREATE VIEW fresh AS {MADE.format(first=rows, last=rows + news // 2)}")
    con.execute(f"CREATE VIEW old AS {MADE.format(first=0, last=rows)}")
    columns = "i, unit_no, received, due, finishes, finished, unit, field, procedure, channel"
    later = (
        f"i, unit_no, received, due, finishes, TIMESTAMP '{day} 09:00:00' AS finished, unit, field, procedure, channel"
    )
    changed = f"SELECT {later} FROM old WHERE finished IS NULL ORDER BY i LIMIT {news - news // 2}"
    con.execute(f"CREATE TABLE news AS SELECT {columns} FROM fresh UNION ALL ({changed})")
    for district in range(1, DISTRICTS + 1):
        folder = _source(raw, f"huyen_{district:02}_ngay", district, "csv", day, "delta")
        of_it = f"(SELECT * FROM news WHERE (unit_no - 1) // 31 = {district - 1})"
        target = folder / f"so_{day.replace('-', '')}.csv"
        con.execute(f"COPY ({COLUMNS.format(made=of_it, **AS_TEXT)}) TO '{target.as_posix()}' (HEADER)")
    return con.execute("SELECT count(*) FROM news").fetchall()[0][0]


def _source(raw: Path, key: str, district: int, form: str, last: str, extent: str) -> Path:
    folder = raw / key
    folder.mkdir(parents=True, exist_ok=True)
    told = SOURCE.format(district=district, form=form, last=last, extent=extent)
    (folder / "source.toml").write_text(told, encoding="utf-8")
    return folder
