"""When a file was exported and which days it covers: by its titles, its name, its source's declaration.

Not here: which units it covers (coverage.sql), what stands in its rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from pipeline.conform.titles import Title
from pipeline.declare.periods import Period, parse_period, schemes
from pipeline.declare.sources import Source
from pipeline.declare.text import Text
from pipeline.errors import InputRefused, WrongUse

Covered = tuple[str, date, date]  # extent, first and last day
LONGEST_SILENCE = 31  # days without any receipt or conclusion before the intake of a file without an export time
PERIOD_IN_NAME = re.compile(r"(?<![\d-])(\d{4}-(?:Q[1-4]|M\d\d|H[12]|9M))(?![^\W_])", re.IGNORECASE)
DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Span:
    """Days first..last, both included."""

    first: date
    last: date


def period_of(title: Title, source: Source, name: str, where: str) -> tuple[date, date]:
    """The days that a summary is about: by its title, the period's name in the file's name, its declaration.

    Raises InputRefused where nothing says it: a figure without a period is none.
    """
    by_name = _period_in(name)
    if title.period and by_name and not title.first_day and by_name != title.period:
        raise InputRefused(
            Text("Tiêu đề và tên tệp nói hai kỳ khác nhau.", "The title and the file's name tell two periods."),
            where=where,
            expected=Text(by_name.label.vi, by_name.label.en),
            found=Text(title.period.label.vi, title.period.label.en),
            todo=Text("Sửa dòng tiêu đề hoặc tên tệp.", "Mend the title or the file's name."),
        )
    if title.span:
        return title.span
    if by_name:
        return by_name.start, by_name.end
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


def _period_in(name: str) -> Period | None:
    named = PERIOD_IN_NAME.search(Path(name).stem)
    try:
        return parse_period(named[1].upper()) if named else None
    except WrongUse:
        return None


def exported_at(told: datetime | None, source: Source, name: str, where: str, taken_at: datetime) -> datetime:
    """When the file was exported: its title, else its name as declared, else the intake (local to the source)."""
    if told:
        return told
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


def covered(titles: list[Title], source: Source, part: Path, exported_at: datetime) -> list[Covered]:
    """What the registers of a file cover: each as its title says, adjoining spans as one (a sheet per month); where no
    title gives days, as the source says; else from the earliest receipt to the export.

    Changes only (`delta`) cover no days unless a span is given: a dozen corrections tell of no quarter. A file that
    nowhere says when it was exported, and has long been silent when it is taken in, covers the days to the last one
    seen in it: the days since would be zeros that nobody reported.
    """
    export_day = exported_at.date()
    spans: dict[str, list[Span]] = {}
    for title in titles:
        days = (title.first_day, title.last_day) if title.first_day else _named_days(title, part)
        if days and days[0] and days[1]:
            extent = title.extent or source.extent or "full"
            last = days[1] if extent == "open_at" else max(days[0], min(days[1], export_day))
            spans.setdefault(extent, []).append(Span(days[0], last))
    if spans:
        return [(extent, s.first, s.last) for extent, found in spans.items() for s in merge(found)]
    extent, first, last = source.extent or "full", source.first_day, source.last_day
    if extent == "open_at":
        return [(extent, last or export_day, last or export_day)]
    if extent == "delta" and not (first and last):
        return []
    earliest, newest = _days_seen(part)
    told = source.exported_at or any(title.exported_at for title in titles)
    if not told and newest and (export_day - newest).days > LONGEST_SILENCE:
        export_day = newest
    last = min(last or export_day, export_day)
    return [(extent, min(first or earliest or export_day, last), last)]


def _named_days(title: Title, part: Path) -> tuple[date, date] | None:
    """The days of the period that a register's title names: in the first scheme in which it holds all its receipts."""
    if title.period is None:
        return None
    earliest, newest = _days_seen(part, "received_at")
    key = title.period.key.partition(":")[2] or title.period.key
    ways = [title.period, *(parse_period(f"{scheme}:{key}") for scheme in schemes() if scheme != title.period.scheme)]
    fits = (p for p in ways if earliest is None or newest is None or (newest <= p.end and newest >= p.start))
    return next(((p.start, p.end) for p in fits), (title.period.start, title.period.end))


def _days_seen(part: Path, *columns: str) -> tuple[date | None, date | None]:
    """The earliest receipt among a file's dossiers, and the last day on which something happened to one."""
    with (part / "rows.parquet").open("rb") as stream:  # a path may hold what a pattern holds
        rows = pl.read_parquet(stream, columns=["received_at", "finished_at"])
    happened = [rows[column].max() for column in columns or ("received_at", "finished_at")]
    first, last = rows["received_at"].min(), max((at for at in happened if isinstance(at, datetime)), default=None)
    return first.date() if isinstance(first, datetime) else None, last and last.date()


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Overlapping and adjoining spans as runs."""
    runs: list[Span] = []
    for span in sorted(spans):
        if runs and span.first <= runs[-1].last + DAY:
            runs[-1] = Span(runs[-1].first, max(runs[-1].last, span.last))
        else:
            runs.append(span)
    return tuple(runs)
