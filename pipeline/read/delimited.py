"""Delimited text (CSV, semicolons, tabs, bars), streamed: as many grids as delimiters that cut it into columns.

Not here: which of them is right (the one under which a header is found), encodings (encodings.py).
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa

from pipeline.declare.limits import Limits
from pipeline.declare.text import Text
from pipeline.read import grids
from pipeline.read.encodings import LONGEST_LINE, Coding, LineTooLong, bad_encoding
from pipeline.read.grids import Grid, OpenFile, check_limit, damaged, refused

DELIMITERS = (",", ";", "\t", "|")
SNIFFED = 200_000  # characters from which the delimiter is told
BLOCK = 4_000_000  # characters that are cut into records at a time
LONGEST_CELL = 1_000_000  # of a register none is longer; a larger one is a broken quote that swallows the file
MOST_BEYOND = 50  # cells of a line beyond the header's width; more of them are told cell by cell
csv.field_size_limit(LONGEST_CELL)


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
    with _refusing(name):
        head = list(itertools.islice(_records(coding.lines(path), delimiter), grids.HEAD_ROWS))

    def batches(first_row: int) -> Iterator[pl.DataFrame]:
        width = len(head[first_row - 2]) if first_row > 1 else max(len(row) for row in head)
        check_limit(name, "columns", width, within)
        size, number, held = grids.batch_rows(width), 0, pl.DataFrame()
        with _refusing(name):
            for block in _blocks(path, coding, delimiter, width):
                check_limit(name, "rows", number + block.height, within)
                rows = block.with_row_index("row", offset=number + 1).with_columns(pl.col("row").cast(pl.Int64))
                number += block.height
                held = pl.concat([held, rows.slice(max(first_row - 1 - (number - block.height), 0))])
                while held.height >= size:
                    yield held.head(size)
                    held = held.slice(size)
        if held.height:
            yield held

    return Grid(None, head, batches, delimiter=delimiter)


@contextmanager
def _refusing(name: str) -> Generator[None]:
    """What is wrong with a file as a refusal of it."""
    try:
        yield
    except UnicodeError:
        raise bad_encoding(name) from None
    except csv.Error as error:
        what = Text("Tệp CSV hỏng: dấu ngoặc kép không khép.", "The CSV file is damaged: a quote is not closed.")
        raise refused(name, what, str(error)) from None
    except LineTooLong as error:
        raise damaged(name, error) from None


def _records(source: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    """The cells of each record, from lines with their ends. Raises csv.Error."""
    lines: list[str] = []
    for row in csv.reader((lines.append(line) or line for line in source), delimiter=delimiter):
        if len(lines) > 1:  # well quoted, or a stray quote has swallowed rows
            list(csv.reader(lines, delimiter=delimiter, strict=True))
        lines.clear()
        yield row


def _blocks(path: Path, coding: Coding, delimiter: str, width: int) -> Iterator[pl.DataFrame]:
    """All records as frames of `c0`, `c1`, …, `surplus`. What is quoted well or not at all is
    cut in a small part of the time that reading cell by cell takes; a test proves both ways equal."""
    with path.open("rb") as raw:
        source = _Utf8(raw) if coding.codec in ("utf-8", "utf-8-sig") else _Other(raw, coding.codec)
        while block := source.block():
            cells = None if coding.turn else _cells(block, delimiter, width)
            if cells is None:
                cells = _frame(list(_records_of(block.decode(), source, coding, delimiter)), width)
            yield cells


class _Utf8:
    """A file in blocks of bytes that end with a line."""

    def __init__(self, raw: BinaryIO) -> None:
        self.raw = raw
        if raw.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            raw.seek(0)

    def block(self) -> bytes:
        line = self.raw.read(BLOCK) + self.raw.readline(LONGEST_LINE)
        if len(line) >= LONGEST_LINE and not line.endswith(b"\n") and (end := line.rfind(b"\r", 0, -1) + 1):
            self.raw.seek(end - len(line), io.SEEK_CUR)  # lines that end as on old Macs
            return line[:end]
        return line

    def line(self) -> str:
        return self.raw.readline(LONGEST_LINE).decode()


class _Other:
    """The same of a file in another encoding: turned to UTF-8."""

    def __init__(self, raw: BinaryIO, codec: str) -> None:
        self.text = io.TextIOWrapper(raw, codec, newline="")

    def block(self) -> bytes:
        return (self.text.read(BLOCK) + self.text.readline(LONGEST_LINE)).encode()

    def line(self) -> str:
        return self.text.readline(LONGEST_LINE)


def _cells(block: bytes, delimiter: str, width: int) -> pl.DataFrame | None:
    """A block that begins and ends with a record, as a frame of the header's width; null where that cannot be told so
    easily: a zero byte, a quote that stands for itself, a cell that goes on in the next block."""
    quotes = b'"' in block
    if b"\0" in block or (quotes and not _well_quoted(block, delimiter)):
        return None
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if _has_long_line(block):
        return None
    try:
        return _cut_records(block, delimiter, width, quotes).with_columns(surplus=False)
    except (pl.exceptions.SchemaError, pl.exceptions.ComputeError):  # a record has more cells, or is no UTF-8
        mark = delimiter.encode()
        widest = 1 + max(line.count(mark) for line in block.split(b"\n"))
    if quotes or widest > width + MOST_BEYOND:
        return None
    try:
        cells = _cut_records(block, delimiter, widest, quotes)
    except pl.exceptions.ComputeError:  # no UTF-8: decoding it will tell
        return None
    beyond = [pl.col(name).str.strip_chars().fill_null("") != "" for name in _names(widest)[width:]]
    return cells.select(*_names(width), surplus=pl.any_horizontal(beyond))


def _well_quoted(block: bytes, delimiter: str) -> bool:
    """Whether every quote belongs to a cell that is quoted from its beginning to its end, without a line end of more than
    one byte in it. Each second quote opens a cell, each other closes it, but those that stand for one within it."""
    text = pl.Series(pl.from_arrow(pa.Array.from_buffers(pa.uint8(), len(block), [None, pa.py_buffer(block)])))
    quotes = (text == ord('"')).arg_true()
    if quotes.len() % 2:
        return False
    opening, closing = quotes.gather_every(2), quotes.gather_every(2, offset=1)
    next_to = closing.head(-1) + 1 == opening.slice(1)
    opening = opening.head(1).append(opening.slice(1).filter(~next_to))
    closing = closing.head(-1).filter(~next_to).append(closing.tail(1))
    before, after = opening.filter(opening > 0) - 1, closing.filter(closing + 1 < len(block)) + 1
    if not text.gather(before.append(after)).is_in([ord(delimiter), *b"\r\n"]).all():
        return False
    if b"\r" not in block:
        return True
    returns = (text == ord("\r")).arg_true()
    return bool((opening.search_sorted(returns) == closing.search_sorted(returns)).all())


def _has_long_line(block: bytes) -> bool:
    start = 0
    while len(block) - start > LONGEST_CELL:
        end = block.rfind(b"\n", start, start + LONGEST_CELL)
        if end < 0:
            return True
        start = end + 1
    return False


def _cut_records(block: bytes, delimiter: str, width: int, quotes: bool) -> pl.DataFrame:
    """Empty cells are null. Raises SchemaError or ComputeError where a record has more cells than that."""
    cells = pl.read_csv(
        block,
        has_header=False,
        separator=delimiter,
        quote_char='"' if quotes else None,
        schema=dict.fromkeys(_names(width), pl.String),
        missing_columns="insert",
        raise_if_empty=False,
    )
    return cells.with_columns(pl.all().replace("", None)) if quotes else cells


def _records_of(text: str, source: _Utf8 | _Other, coding: Coding, delimiter: str) -> Iterator[list[str]]:
    """The records that begin in a block; the last one may go on in what follows it."""
    waiting = deque(io.StringIO(text, newline=""))

    def lines() -> Iterator[str]:
        while True:
            if not waiting:  # a quoted cell goes on
                waiting.extend(io.StringIO(source.line(), newline=""))
            if not waiting:
                return
            line = waiting.popleft()
            if len(line) >= LONGEST_LINE:
                raise LineTooLong
            yield coding.turn(line) if coding.turn else line

    for row in _records(lines(), delimiter):
        yield row
        if not waiting:
            return


def _frame(rows: list[list[str]], width: int) -> pl.DataFrame:
    """Rows of any length as a frame of the header's width."""
    surplus = [len(row) > width and any(cell.strip() for cell in row[width:]) for row in rows]
    even = [row if len(row) == width else row[:width] + [""] * (width - len(row)) for row in rows]
    columns = zip(*even, strict=True) if rows else [()] * width
    frame = pl.DataFrame(
        dict(zip(_names(width), map(list, columns), strict=True)), dict.fromkeys(_names(width), pl.String)
    )
    return frame.with_columns(pl.all().replace("", None)).with_columns(surplus=pl.Series(surplus, dtype=pl.Boolean))


def _names(width: int) -> list[str]:
    return [f"c{i}" for i in range(width)]


def _widest(start: str, delimiter: str) -> int:
    try:
        found = list(zip(csv.reader(io.StringIO(start), delimiter=delimiter), range(grids.HEAD_ROWS), strict=False))
    except csv.Error:
        return 0
    return max((len(row) for row, _ in found), default=0)
