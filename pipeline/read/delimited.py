"""Delimited text (CSV, semicolons, tabs, bars), streamed: as many grids as delimiters that cut it into columns.

Not here: which of them is right (the one under which a header is found), encodings (encodings.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from pipeline.declare.limits import Limits
from pipeline.declare.text import Text
from pipeline.read import grids
from pipeline.read.encodings import Coding, LineTooLong, bad_encoding
from pipeline.read.grids import Grid, OpenFile, check_limit, damaged, refused

DELIMITERS = (",", ";", "\t", "|")
SNIFFED = 200_000  # characters from which the delimiter is told
# One cell of a register is never longer; a larger one is a broken quote that swallows the file.
csv.field_size_limit(1_000_000)


def open_delimited(path: Path, name: str, coding: Coding, within: Limits) -> OpenFile:
    """One grid per delimiter that cuts the file into columns: only under the right one will a header be found."""
    try:
        with path.open(encoding=coding.codec, newline="") as stream:
            start = stream.read(SNIFFED)
    except UnicodeError:
        raise bad_encoding(name) from None
    if not start.strip("\x00 \t\r\n"):
        raise refused(name, Text("Tệp rỗng.", "The file is empty."))
    widths = {d: _widest(start, d) for d in DELIMITERS}
    cutting = [d for d in DELIMITERS if widths[d] > 1] or [DELIMITERS[0]]
    ordered = sorted(cutting, key=lambda d: -widths[d])
    check_limit(name, "columns", widths[ordered[-1]], within)  # the wrong delimiter may cut into more
    return OpenFile("csv", coding.name, [_cut(path, name, coding, d, within) for d in ordered])


def _cut(path: Path, name: str, coding: Coding, delimiter: str, within: Limits) -> Grid:
    def rows() -> Iterator[list[str]]:
        try:
            lines: list[str] = []
            for row in csv.reader((lines.append(line) or line for line in coding.lines(path)), delimiter=delimiter):
                if len(lines) > 1:  # well quoted, or a stray quote has swallowed rows
                    list(csv.reader(lines, delimiter=delimiter, strict=True))
                lines.clear()
                yield row
        except UnicodeError:
            raise bad_encoding(name) from None
        except csv.Error as error:
            what = Text("Tệp CSV hỏng: dấu ngoặc kép không khép.", "The CSV file is damaged: a quote is not closed.")
            raise refused(name, what, str(error)) from None
        except LineTooLong as error:
            raise damaged(name, error) from None

    head = [row for row, _ in zip(rows(), range(grids.HEAD_ROWS), strict=False)]

    def batches(first_row: int) -> Iterator[pl.DataFrame]:
        width = len(head[first_row - 2]) if first_row > 1 else max(len(row) for row in head)
        check_limit(name, "columns", width, within)
        block: list[list[str]] = []
        start_row = first_row
        for number, row in enumerate(rows(), 1):
            if number >= first_row:
                block.append(row)
            if len(block) == grids.BATCH_ROWS:
                check_limit(name, "rows", number, within)
                yield _frame(block, width, start_row)
                start_row, block = number + 1, []
        if block:
            check_limit(name, "rows", start_row + len(block) - 1, within)
            yield _frame(block, width, start_row)

    return Grid(None, head, batches, delimiter=delimiter)


def _frame(rows: list[list[str]], width: int, first_row: int) -> pl.DataFrame:
    """Rows of any length as a frame of the header's width."""
    surplus = [len(row) > width and any(cell.strip() for cell in row[width:]) for row in rows]
    even = [row if len(row) == width else row[:width] + [""] * (width - len(row)) for row in rows]
    frame = pl.DataFrame({f"c{i}": list(cells) for i, cells in enumerate(zip(*even, strict=True))})
    frame = frame.with_columns(pl.all().replace("", None)).with_columns(surplus=pl.Series(surplus, dtype=pl.Boolean))
    return frame.with_row_index("row", offset=first_row).with_columns(pl.col("row").cast(pl.Int64))


def _widest(start: str, delimiter: str) -> int:
    try:
        found = list(zip(csv.reader(io.StringIO(start), delimiter=delimiter), range(grids.HEAD_ROWS), strict=False))
    except csv.Error:
        return 0
    return max((len(row) for row, _ in found), default=0)
