"""A country's dossiers for the benchmarks: any number of them, 19 columns with Vietnamese words, 620 units, 48 fields,
three years; the same bytes each time. As CSV or Parquet, a source for each of twenty districts.

Not here: what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

FIELDS, PROCEDURES = 48, 400
FIRST_DAY, LAST_DAY = date(2021, 12, 15), date(2024, 12, 14)
SOURCE = f"""name = "Một cửa huyện {{district:02}} (đo tốc độ)"
kind = "register"
units = "from_file"
procedures = "from_file"
extent = "full"
known_at = "exported"
exported_at = "so_%Y%m%d.{{form}}"
from = {FIRST_DAY}
to = {LAST_DAY}
"""
CHANGES = """Danh sách hồ sơ có thay đổi
Từ ngày {since:%d/%m/%Y} đến ngày {day:%d/%m/%Y}
Ngày xuất dữ liệu: {day:%d/%m/%Y} 23:30:00
"""
LAND = ("Đất đai", "Hộ tịch", "Chứng thực", "Xây dựng", "Môi trường", "Bảo trợ xã hội", "Giáo dục", "Y tế")
KINDS = ("cấp mới", "cấp lại", "điều chỉnh", "gia hạn", "xác nhận", "đăng ký")
# The columns of an export, each as SQL over `i`, the number of the dossier. What is not declared must not pass.
MADE = f"""
SELECT i, 1 + i % {{units}} AS unit_no,
       TIMESTAMP '{{first_day}} 07:00:00' + to_days(CAST(hash(i, 1) % {{days}} AS INTEGER)) + to_seconds(CAST(hash(i, 9) % 36000 AS BIGINT)) AS received,
       date_trunc('day', received) + to_days(CAST(1 + hash(i, 3) % 25 AS INTEGER)) + INTERVAL 17 HOUR AS due,
       greatest(due + to_days(CAST(hash(i, 4) % 9 AS INTEGER) - 7), received + INTERVAL 2 HOUR) AS finishes,
       CASE WHEN finishes < TIMESTAMP '{{last_day}} 23:00:00' AND hash(i, 5) % 200 > 0 THEN finishes END AS finished,
       'Xã ' || list_value('An', 'Bình', 'Cát', 'Đông', 'Hải', 'Hòa', 'Lộc', 'Mỹ', 'Phú', 'Thượng')[CAST(1 + unit_no % 10 AS INTEGER)]
           || ' ' || unit_no AS unit,
       list_value({", ".join(f"'{word}'" for word in LAND)})[CAST(1 + hash(i, 6) % {FIELDS} % 8 AS INTEGER)]
           || ' ' || list_value({", ".join(f"'{word}'" for word in KINDS)})[CAST(1 + hash(i, 6) % {FIELDS} // 8 AS INTEGER)] AS field,
       'Thủ tục ' || hash(i, 7) % {PROCEDURES} || ' về ' || lower(field) AS procedure,
       list_value('Trực tuyến', 'Trực tuyến', 'Trực tuyến', 'Trực tiếp', 'Bưu chính công ích')[CAST(1 + hash(i, 8) % 5 AS INTEGER)] AS channel
FROM ({{numbers}})
"""
COLUMNS = """
SELECT 'H50.' || lpad(CAST(1 + (unit_no - 1) // {each} AS VARCHAR), 2, '0') || '-' || strftime(received, '%y%m%d') || '-' || lpad(CAST(i AS VARCHAR), 9, '0') AS "Mã hồ sơ",
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
TIMES = {
    "csv": {name: TEXT.format(name) for name in ("received", "finished", "due")},
    "parquet": {name: name for name in ("received", "finished", "due")},
}


@dataclass(frozen=True)
class Country:
    """How much there is. form: csv, or parquet (whose times are times). units: a multiple of districts; each district
    is a source of its own with one export of the evening of LAST_DAY."""

    rows: int
    form: str = "csv"
    units: int = 620
    districts: int = 20

    @property
    def each(self) -> int:
        """Units of a district."""
        return self.units // self.districts

    def write(self, raw: Path) -> None:
        """Every dossier, into the sources of raw/."""
        con = duckdb.connect()
        for district in range(1, self.districts + 1):
            path = _export_of(raw, district, LAST_DAY, self.form)
            path.parent.mkdir(parents=True)
            told = SOURCE.format(district=district, form=self.form)
            (path.parent / "source.toml").write_text(told, encoding="utf-8")
            self._copy(con, self._made(self._numbers(district, 0, self.rows), FIRST_DAY, LAST_DAY), path)

    def write_news(self, raw: Path, day: date, share: int = 100) -> None:
        """What the time until a later day brings, one in `share` of the rows: half of it dossiers received since, half
        the newest of the open ones, resolved on that day. A list of changes of each district, as CSV."""
        con, news = duckdb.connect(), self.rows // share
        first = -(-self.rows // self.units) * self.units
        since = LAST_DAY + timedelta(days=1)
        old = self._made(f"FROM range({self.rows}) t(i)", FIRST_DAY, LAST_DAY)
        con.execute(
            f"CREATE TABLE changed AS SELECT * REPLACE (TIMESTAMP '{day} 09:00:00' AS finished) FROM ({old}) "
            f"WHERE finished IS NULL ORDER BY received DESC, i LIMIT {news - news // 2}"
        )
        for district in range(1, self.districts + 1):
            made = self._made(self._numbers(district, first, first + news // 2), since, day)
            both = f"{made} UNION ALL FROM changed WHERE (unit_no - 1) // {self.each} = {district - 1}"
            path = _export_of(raw, district, day, "csv")
            self._copy(con, both, path)
            path.write_bytes(CHANGES.format(since=since, day=day).encode() + path.read_bytes())

    def days(self, raw: Path, days: int, a_day: int) -> Iterator[date]:
        """Day after day from LAST_DAY on: each district's list of the dossiers received or resolved on it, about as many
        new ones each day, as CSV. Each day is given when its files stand there."""
        con, since = duckdb.connect(), LAST_DAY + timedelta(days=1)
        fresh = f"SELECT {self.rows} + i AS i FROM range({days * a_day}) t(i)"
        con.execute(f"CREATE TABLE year AS {self._made(fresh, since, since + timedelta(days=days - 1))}")
        for day in (since + timedelta(days=n) for n in range(days)):
            for district in range(1, self.districts + 1):
                told = (
                    f"SELECT * REPLACE (CASE WHEN finishes::DATE <= '{day}' THEN finishes END AS finished) FROM year "
                    f"WHERE (unit_no - 1) // {self.each} = {district - 1} AND '{day}' IN (received::DATE, finishes::DATE)"
                )
                path = _export_of(raw, district, day, "csv")
                self._copy(con, told, path)
                path.write_bytes(CHANGES.format(since=day, day=day).encode() + path.read_bytes())
            yield day

    def _numbers(self, district: int, first: int, last: int) -> str:
        """The numbers of a district's dossiers: a dossier belongs to unit i % units, so that each stretch of them has
        all units. first: a multiple of units."""
        assert first % self.units == 0, "else dossiers would stand in another district's unit"
        own = f"{first} + j // {self.each} * {self.units} + {(district - 1) * self.each} + j % {self.each}"
        most = -(-(last - first) // self.units) * self.each
        return f"SELECT {own} AS i FROM range({most}) t(j) WHERE i < {last}"

    def _made(self, numbers: str, first: date, last: date) -> str:
        days = (last - first).days + 1
        return MADE.format(units=self.units, first_day=first, last_day=last, days=days, numbers=numbers)

    def _copy(self, con: duckdb.DuckDBPyConnection, made: str, path: Path) -> None:
        form = path.suffix[1:]
        columns = COLUMNS.format(made=f"({made})", each=self.each, **TIMES[form])
        how = "HEADER" if form == "csv" else "FORMAT parquet, COMPRESSION zstd"
        con.execute(f"COPY ({columns}) TO '{path.as_posix()}' ({how})")


def _export_of(raw: Path, district: int, day: date, form: str) -> Path:
    return raw / f"huyen_{district:02}" / f"so_{day:%Y%m%d}.{form}"
