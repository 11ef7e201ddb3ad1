"""A file as grids of text: one per sheet, with the row numbers a person sees when opening it.

What every reader of this room shares: Grid, OpenFile, the refusal, the check of limits; and `open_file`, the way in.
Not here: the formats (one module each), which row is the header, what a cell means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.declare.limits import Limits, limits
from pipeline.declare.text import Text
from pipeline.errors import InputRefused

HEAD_ROWS = 60  # a table begins within these rows
# of one batch: what is done once for each takes little beside them, and their text some hundred MB
BATCH_CELLS = 1_500_000


@dataclass(frozen=True)
class Grid:
    """One sheet, or one way to cut delimited text. `head`: the first rows as text. `batches(row)`: all cells from that
    row on, as frames with `row` (Int64) and `c0`, `c1`, … (String; empty cells null or white).

    Delimited text has `surplus` (Boolean) too: whether cells beyond the width of the row before are filled.
    `typed`: all cells likewise, of a format that has times: columns of them as Datetime("us"), all others as text.
    `sheet` is null for a file without sheets; in an archive it is the member, or "member › sheet".
    """

    sheet: str | None
    head: list[list[str]]
    batches: Callable[[int], Iterator[pl.DataFrame]]
    first_row: int = 1  # the number of head[0]; 0 for records, whose head[0] holds the keys
    hidden: bool = False  # a hidden sheet of a workbook
    delimiter: str | None = None  # of delimited text: grids of one sheet with delimiters are ways to cut the same rows
    typed: Callable[[int], Iterator[pl.DataFrame]] | None = None


@dataclass(frozen=True)
class OpenFile:
    """`format`: csv xlsx xls ods html spreadsheetml json ndjson parquet (xlsm is xlsx), of the first file in an archive.
    `encoding`: of text, and tcvn3 or vni where cells of a workbook were typed so."""

    format: str
    encoding: str | None
    grids: list[Grid]
    container: str | None = None  # zip | gzip


def open_file(path: Path, name: str, within: Limits | None = None) -> OpenFile:
    """The grids of a file; `name` is what people call it. Raises InputRefused for what cannot be read."""
    from pipeline.read.files import open_any  # its readers need what stands here, and take time to start

    return open_any(path, name, within or limits())


def refused(name: str, what: Text, found: str | Text | None = None) -> InputRefused:
    return InputRefused(
        what,
        where=name,
        expected=Text(
            "tệp CSV, XLSX, XLS, ODS, HTML (bảng), XML (Excel 2003), JSON, Parquet, hoặc gzip/zip của chúng",
            "a file of CSV, XLSX, XLS, ODS, HTML (a table), XML (Excel 2003), JSON, Parquet, or gzip/zip of these",
        ),
        found=Text(found, found) if isinstance(found, str) else found,
        todo=Text(
            "Xuất lại từ hệ thống, hoặc mở bằng Excel/LibreOffice rồi lưu thành .xlsx hay CSV UTF-8.",
            "Export it again, or open it in Excel/LibreOffice and save it as .xlsx or CSV UTF-8.",
        ),
    )


def damaged(name: str, error: BaseException | str | Text) -> InputRefused:
    """error: where it is, or what was raised; never the words of that, which may quote the file."""
    found = type(error).__name__ if isinstance(error, BaseException) else error
    return refused(name, Text("Tệp hỏng hoặc bị cắt cụt.", "The file is damaged or cut short."), found)


def check_limit(name: str, limit: str, found: int, within: Limits) -> None:
    """Refuses what is larger than the declared limit of that name."""
    allowed = getattr(within, limit)
    if found > allowed:
        label = Limits.label(limit)
        raise refused(
            name,
            Text(f"Tệp quá lớn: {label.vi} tối đa {allowed}.", f"The file is too large: {label.en} at most {allowed}."),
            str(found),
        )


def batch_rows(columns: int) -> int:
    """How many rows of so many columns are a batch."""
    return BATCH_CELLS // max(columns, 1)


def numbered(frame: pl.DataFrame, first_row: int) -> Iterator[pl.DataFrame]:
    """A frame of cells as batches with row numbers, the first of them `first_row`."""
    size = batch_rows(frame.width)
    for start in range(0, frame.height, size):
        part = frame.slice(start, size).with_row_index("row", offset=first_row + start)
        yield part.with_columns(pl.col("row").cast(pl.Int64))


def grid_of(frame: pl.DataFrame, sheet: str | None, first_row: int = 1, hidden: bool = False) -> Grid:
    """A table that is held in memory; its columns are named c0, c1, …"""
    frame.columns = [f"c{i}" for i in range(frame.width)]
    head = [[cell or "" for cell in row] for row in frame.head(HEAD_ROWS).iter_rows()]

    def batches(start: int) -> Iterator[pl.DataFrame]:
        skipped = max(start - first_row, 0)
        return numbered(frame.slice(skipped), first_row + skipped)

    return Grid(sheet, head, batches, first_row, hidden)
