"""A file as grids of text: one per sheet, with the row numbers a person sees when opening it.

What a file is, its bytes say, never its name. Not here: which row is the header, what a cell means.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from pipeline.declare.text import Text
from pipeline.errors import InputRefused

HEAD_ROWS = 60  # a table begins within these rows
BATCH_ROWS = 100_000
DELIMITERS = (",", ";", "\t", "|")
# One cell of a register is never longer; a larger one is a broken quote that swallows the file.
csv.field_size_limit(1_000_000)


@dataclass(frozen=True)
class Grid:
    """One sheet, or one way to cut delimited text. `head`: the first rows as text. `batches(row)`: all cells from that
    row (1-based) on, as frames with `row` (Int64) and `c0`, `c1`, … (String; empty cells null or white).

    Delimited text has `surplus` (Boolean) too: whether cells beyond the width of the row before are filled."""

    sheet: str | None
    head: list[list[str]]
    batches: Callable[[int], Iterator[pl.DataFrame]]


@dataclass(frozen=True)
class OpenFile:
    format: str
    encoding: str | None
    grids: list[Grid]


def open_file(path: Path, name: str) -> OpenFile:
    """The grids of a file; `name` is what people call it. Raises InputRefused for what cannot be read."""
    with path.open("rb") as stream:
        start = stream.read(8192)
    if not start.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise _refused(name, Text("Tệp rỗng.", "The file is empty."))
    if start.startswith(b"PK\x03\x04"):
        return _open_workbook(path, name)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _open_text(path, name, "utf-16")
    if b"\x00" in start or start.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b")):
        raise _refused(name, Text("Không phải tệp CSV hay XLSX.", "This is neither a CSV nor an XLSX file."))
    if re.match(rb"(?:\xef\xbb\xbf)?\s*<[a-z!?]", start, re.IGNORECASE):  # many systems name HTML .xls
        raise _refused(
            name,
            Text("Tệp là trang HTML/XML, không phải bảng tính.", "The file is HTML or XML, not a workbook."),
        )
    return _open_text(path, name, "utf-8-sig")


def _refused(name: str, what: Text, found: str | None = None) -> InputRefused:
    return InputRefused(
        what,
        where=name,
        expected=Text("tệp CSV (UTF-8, UTF-16) hoặc XLSX", "a CSV (UTF-8, UTF-16) or XLSX file"),
        found=Text(found, found) if found else None,
        todo=Text(
            "Xuất lại từ hệ thống, hoặc mở bằng Excel/LibreOffice rồi lưu thành .xlsx hay CSV UTF-8.",
            "Export it again, or open it in Excel/LibreOffice and save it as .xlsx or CSV UTF-8.",
        ),
    )


# ---- workbooks


def _open_workbook(path: Path, name: str) -> OpenFile:
    try:
        with zipfile.ZipFile(path) as parts:
            if not any(n.lower().startswith("xl/workbook") for n in parts.namelist()):
                raise _refused(name, Text("Tệp nén này không phải sổ tính XLSX.", "This zip is not an XLSX workbook."))
        book = fastexcel.read_excel(path)
        grids = [_sheet(book, sheet) for sheet in book.sheet_names]
    except (fastexcel.FastExcelError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise _refused(
            name,
            Text("Sổ tính hỏng hoặc không mở được.", "The workbook is damaged or cannot be opened."),
            type(error).__name__,
        ) from None
    return OpenFile("xlsx", None, [g for g in grids if g is not None])


def _sheet(book: fastexcel.ExcelReader, sheet: str) -> Grid | None:
    def load(skip: int, rows: int | None) -> pl.DataFrame:
        # Everything as text: a column of codes must keep its zeros. skip_rows is given so that leading empty
        # rows are kept and row numbers are the sheet's own.
        loaded = book.load_sheet(sheet, header_row=None, skip_rows=skip, n_rows=rows, dtypes="string")
        return loaded.to_polars()

    head = load(0, HEAD_ROWS)
    if head.is_empty() or head.width == 0:
        return None

    def batches(first_row: int) -> Iterator[pl.DataFrame]:
        frame = load(first_row - 1, None)
        frame = frame.rename({c: f"c{i}" for i, c in enumerate(frame.columns)})
        for part in frame.with_row_index("row", offset=first_row).iter_slices(BATCH_ROWS):
            yield part.with_columns(pl.col("row").cast(pl.Int64))

    return Grid(sheet, [[cell or "" for cell in row] for row in head.iter_rows()], batches)


# ---- delimited text


def _open_text(path: Path, name: str, encoding: str) -> OpenFile:
    """One grid per delimiter that cuts the file into columns: only under the right one will a header be found."""
    try:
        with path.open(encoding=encoding, newline="") as stream:
            start = stream.read(200_000)
    except UnicodeError:
        raise _bad_encoding(name) from None
    if not start.strip("\x00 \t\r\n"):
        raise _refused(name, Text("Tệp rỗng.", "The file is empty."))
    widths = {d: _widest(start, d) for d in DELIMITERS}
    cutting = [d for d in DELIMITERS if widths[d] > 1] or [DELIMITERS[0]]
    ordered = sorted(cutting, key=lambda d: -widths[d])
    return OpenFile("csv", encoding, [_cut(path, name, encoding, d) for d in ordered])


def _cut(path: Path, name: str, encoding: str, delimiter: str) -> Grid:
    def rows() -> Iterator[list[str]]:
        try:
            with path.open(encoding=encoding, newline="") as stream:
                lines: list[str] = []
                for row in csv.reader((lines.append(line) or line for line in stream), delimiter=delimiter):
                    if len(lines) > 1:  # well quoted, or a stray quote has swallowed rows
                        list(csv.reader(lines, delimiter=delimiter, strict=True))
                    lines.clear()
                    yield row
        except UnicodeError:
            raise _bad_encoding(name) from None
        except csv.Error as error:
            what = Text("Tệp CSV hỏng: dấu ngoặc kép không khép.", "The CSV file is damaged: a quote is not closed.")
            raise _refused(name, what, str(error)) from None

    head = [row for row, _ in zip(rows(), range(HEAD_ROWS), strict=False)]

    def batches(first_row: int) -> Iterator[pl.DataFrame]:
        width = len(head[first_row - 2]) if first_row > 1 else max(len(row) for row in head)
        block: list[list[str]] = []
        start_row = first_row
        for number, row in enumerate(rows(), 1):
            if number >= first_row:
                block.append(row)
            if len(block) == BATCH_ROWS:
                yield _frame(block, width, start_row)
                start_row, block = number + 1, []
        if block:
            yield _frame(block, width, start_row)

    return Grid(None, head, batches)


def _frame(rows: list[list[str]], width: int, first_row: int) -> pl.DataFrame:
    """Rows of any length as a frame of the header's width."""
    surplus = [len(row) > width and any(cell.strip() for cell in row[width:]) for row in rows]
    even = [row if len(row) == width else row[:width] + [""] * (width - len(row)) for row in rows]
    frame = pl.DataFrame({f"c{i}": list(cells) for i, cells in enumerate(zip(*even, strict=True))})
    frame = frame.with_columns(pl.all().replace("", None)).with_columns(surplus=pl.Series(surplus, dtype=pl.Boolean))
    return frame.with_row_index("row", offset=first_row).with_columns(pl.col("row").cast(pl.Int64))


def _widest(start: str, delimiter: str) -> int:
    try:
        found = list(zip(csv.reader(io.StringIO(start), delimiter=delimiter), range(HEAD_ROWS), strict=False))
    except csv.Error:
        return 0
    return max((len(row) for row, _ in found), default=0)


def _bad_encoding(name: str) -> InputRefused:
    return _refused(name, Text("Mã chữ của tệp không phải UTF-8.", "The file's encoding is not UTF-8."))
