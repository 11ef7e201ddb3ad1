"""When a file was exported and which days it covers: by its titles, its name, its source's declaration.

Not here: which units it covers (coverage), what stands in its rows.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from pipeline.conform.titles import Title
from pipeline.declare.periods import parse_period
from pipeline.declare.sources import Source
from pipeline.declare.text import Text
from pipeline.errors import InputRefused, WrongUse
from pipeline.warehouse.coverage import Span, merge

PERIOD_IN_NAME = re.compile(r"(?<![\d-])(\d{4}-(?:Q[1-4]|M\d\d|H[12]|9M))(?![^\W_])", re.IGNORECASE)


def joint_title(told: list[Title]) -> Title:
    """What the titles of all registers of a file say together: adjoining spans are one (a sheet per month), else the
    first counts."""
    exported_at = max((t.exported_at for t in told if t.exported_at), default=None)
    spans = [(t, t.first_day, t.last_day) for t in told if t.first_day and t.last_day]
    if not spans:
        return Title(exported_at=exported_at)
    first, start, end = spans[0]
    whole = merge(Span(one, other) for t, one, other in spans if t.extent == first.extent)
    if len(whole) == 1 and first.extent != "open_at":
        start, end = whole[0].first, whole[0].last
    return Title(first.extent, start, end, exported_at)


def period_of(title: Title, source: Source, name: str, where: str) -> tuple[date, date]:
    """The days that a summary is about: by its title, the period's name in the file's name, its declaration.

    Raises InputRefused where nothing says it: a figure without a period is none.
    """
    if title.span:
        return title.span
    if named := PERIOD_IN_NAME.search(Path(name).stem):
        try:
            period = parse_period(named[1].upper())
            return period.start, period.end
        except WrongUse:
            pass
    if source.first_day and source.last_day:
        return source.first_day, source.last_day
    raise InputRefused(
        Text("Không biết bảng tổng hợp là của kỳ nào.", "Nothing says which period the summary is about."),
        where=where,
        expected=Text(
            "dòng tiêu đề “Từ ngày 15/06/2023 đến ngày 14/09/2023” hoặc “Quý III/2023”, hay tên tệp có 2023-Q3",
            "a title “Từ ngày 15/06/2023 đến ngày 14/09/2023” or “Quý III/2023”, or 2023-Q3 in the file's name",
        ),
        todo=Text(
            "Thêm dòng kỳ báo cáo, đổi tên tệp, hoặc khai báo from và to trong source.toml.",
            "Add the period's row, rename the file, or declare from and to in source.toml.",
        ),
    )


def exported_at(title: Title, source: Source, name: str, where: str, taken_at: datetime) -> datetime:
    """When the file was exported: its title, else its name as declared, else the intake (local to the source)."""
    if title.exported_at:
        return title.exported_at
    if source.exported_at:
        try:
            # composed: a Mac writes file names decomposed
            found = datetime.strptime(
                *(unicodedata.normalize("NFC", text) for text in (Path(name).name, source.exported_at))
            )
        except ValueError:
            raise InputRefused(
                Text(
                    "Tên tệp không cho biết thời điểm xuất.",
                    "The file's name does not tell when it was exported.",
                ),
                where=where,
                expected=Text(source.exported_at, source.exported_at),
                todo=Text(
                    "Đổi tên tệp, hoặc sửa exported_at trong source.toml.",
                    "Rename it, or mend exported_at in source.toml.",
                ),
            ) from None
        return (
            found
            if any(d in source.exported_at for d in ("%H", "%I"))
            else found + timedelta(hours=23, minutes=59, seconds=59)
        )
    return taken_at.astimezone(ZoneInfo(source.time_zone)).replace(tzinfo=None, microsecond=0)


def too_early(first_day: date, exported_at: datetime, where: str) -> InputRefused:
    found = f"{exported_at:%d/%m/%Y %H:%M:%S}"
    return InputRefused(
        Text("Tệp xuất trước khoảng thời gian ghi ở tiêu đề.", "The file was exported before the span in its title."),
        where=where,
        expected=Text(f"xuất từ {first_day:%d/%m/%Y}", f"exported on {first_day:%d/%m/%Y} or later"),
        found=Text(found, found),
        todo=Text("Sửa dòng tiêu đề, hoặc xuất lại.", "Mend the title row, or export again."),
    )


def covered(title: Title, source: Source, part: Path, exported_at: datetime) -> tuple[date | None, date | None]:
    """The days a file covers: as its title or its source says; else from its earliest receipt to the export.

    Changes only (`delta`) cover no days unless a span is given: a dozen corrections tell of no quarter.
    """
    export_day = exported_at.date()
    extent = title.extent or source.extent
    first, last = title.first_day or source.first_day, title.last_day or source.last_day
    if extent == "open_at":
        return last or export_day, last or export_day
    if extent == "delta" and not (first and last):
        return None, None
    if first is None:
        rows = str(part / "rows.parquet")
        first = (
            duckdb.execute("SELECT min(received_at)::DATE FROM read_parquet(?)", [rows]).fetchall()[0][0] or export_day
        )
    last = min(last or export_day, export_day)
    return min(first, last), last
