"""A small office for the tests: its exports as files, taken in, conformed, published.

Rows are given as canonical column → text as an office writes it. Not here: what should come of them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import openpyxl
import polars as pl
import pytest

from pipeline import night
from pipeline.declare.sources import Source, read_source
from pipeline.settings import Home
from pipeline.warehouse import reading, withdrawal
from pipeline.warehouse.intake import Intake, take_in
from pipeline.warehouse.record import sha256_of
from pipeline.warehouse.release import open_published
from pipeline.warehouse.versions import FileFacts, conform_file, fingerprint

HEADERS = {
    "dossier_code": "Mã hồ sơ",
    "unit": "Đơn vị tiếp nhận",
    "received_at": "Ngày tiếp nhận",
    "status": "Trạng thái",
    "finished_at": "Ngày kết thúc xử lý",
    "procedure_code": "Mã TTHC",
    "procedure": "Tên TTHC",
    "field": "Lĩnh vực",
    "channel": "Hình thức nộp",
    "due_at": "Ngày hẹn trả",
    "returned_at": "Ngày trả kết quả",
    "supplement_requested_at": "Ngày yêu cầu bổ sung",
    "extended_due_at": "Ngày hẹn trả sau gia hạn",
    "paused_days": "Số ngày tạm dừng",
    "component_digitized": "Số hóa thành phần hồ sơ",
    "component_reused": "Tái sử dụng thành phần hồ sơ",
    "result_digitized": "Số hóa kết quả",
    "service_level": "Mức độ DVC",
    "fee_due": "Có nghĩa vụ tài chính",
    "paid_online": "Thanh toán trực tuyến",
    "certified_copies": "Số bản chứng thực điện tử",
    "apology_sent": "Đã xin lỗi",
    "rated": "Có phiếu đánh giá",
    "rating": "Mức đánh giá",
}
QUARTER = ("SỔ THEO DÕI HỒ SƠ", "Từ ngày 15/06/2023 đến ngày 14/09/2023", "Ngày xuất dữ liệu: 14/09/2023 23:30:00")
LATER = ("SỔ THEO DÕI HỒ SƠ", "Từ ngày 15/09/2023 đến ngày 14/10/2023", "Ngày xuất dữ liệu: 14/10/2023 23:30:00")
HERE = ZoneInfo("Asia/Ho_Chi_Minh")
TAKEN_AT = datetime(2023, 9, 15, 1, 0, tzinfo=UTC)
Row = dict[str, Any]
_numbers = count(1)


def dossier(**cells: Any) -> Row:
    """A dossier of its own, resolved a day before it was due, unless the cells say otherwise."""
    usual = {
        "dossier_code": f"H50.466-230703-{next(_numbers):04d}",
        "unit": "Xã Gio An",
        "received_at": "03/07/2023 08:15:00",
        "status": "Đã xử lý xong",
        "finished_at": "06/07/2023 15:00:00",
        "channel": "Trực tuyến",
        "due_at": "07/07/2023 17:00:00",
    }
    return usual | cells


def opened(**cells: Any) -> Row:
    """A dossier that is still open."""
    return dossier(**({"status": "Đang xử lý", "finished_at": ""} | cells))


def table(
    rows: Sequence[Row], titles: Iterable[str] = QUARTER, headers: dict[str, str] | None = None
) -> list[list[Any]]:
    """Titles, headers and rows as cells; only the columns that some row has (or those of `headers`)."""
    names = headers or {c: HEADERS[c] for c in HEADERS if not rows or any(c in row for row in rows)}
    body = [[row.get(c, "") for c in names] for row in rows]
    return [[title] for title in titles] + [list(names.values()), *body]


def write_csv(path: Path, cells: Sequence[Sequence[Any]], delimiter: str = ",", encoding: str = "utf-8-sig") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(cells)
    return path


def write_xlsx(path: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(list(row))
    book.save(path)
    return path


class Office:
    """A home with sources; `drop` puts an export into one, the rest runs the rooms."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.home = Home(root)

    def source(self, toml: str, key: str = "so") -> Path:
        folder = self.home.raw / key
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "source.toml").write_text(toml, encoding="utf-8")
        return folder

    def drop(
        self, name: str, rows: Sequence[Row], titles: Iterable[str] = QUARTER, key: str = "so", **how: Any
    ) -> Path:
        """A CSV of the rows."""
        return write_csv(self.home.raw / key / name, table(rows, titles, how.pop("headers", None)), **how)

    def take_in(self) -> Intake:
        return take_in(self.home)

    def night(self) -> night.Result:
        return night.run(self.home)

    def open(self) -> duckdb.DuckDBPyConnection:
        return open_published(self.home)


@contextmanager
def clock(words: str) -> Iterator[None]:
    """What comes in or is taken back meanwhile does so at this moment, on the offices' wall clock."""
    at = datetime.fromisoformat(words).replace(tzinfo=HERE).astimezone(UTC)
    with pytest.MonkeyPatch.context() as patch:
        for room in (reading, withdrawal):
            patch.setattr(room, "now", lambda: at)
        yield


def conform(home: Home, path: Path, source: Source | None = None) -> tuple[FileFacts, pl.DataFrame, pl.DataFrame]:
    """A file through read, conform and validate: its facts, accepted rows, rows set aside."""
    source = source or read_source(path.parent)
    declared = fingerprint(home, repr(source).encode())
    facts = conform_file(home, path, sha256_of(path), path.name, source, declared, TAKEN_AT)
    return facts, pl.read_parquet(facts.folder / "rows.parquet"), pl.read_parquet(facts.folder / "aside.parquet")


def conform_rows(root: Path, *rows: Row, source: Source | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of one CSV → accepted rows, and (row, verdict, reason, column, found) of those set aside. First row: 1."""
    office = Office(root)
    path = office.drop(f"{next(_numbers)}.csv", rows)
    _, accepted, aside = conform(office.home, path, source)
    above = len(QUARTER) + 1
    return accepted.with_columns(pl.col("row") - above), aside.with_columns(pl.col("row") - above)
