"""What a file is, its bytes say, never its name: each format to its reader, all else refused with the reason.

Not here: how a format is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from pipeline.declare.limits import Limits
from pipeline.declare.text import Text
from pipeline.errors import MotcuaError
from pipeline.read import archives, delimited, encodings, html, opendocument, parquet, records, spreadsheetml, workbooks
from pipeline.read.grids import Grid, OpenFile, check_limit, damaged, refused

START = 65_536
# Files that people put into the folder by mistake: how they begin, and what they are.
FOREIGN = {
    b"%PDF": Text("Đây là tệp PDF.", "This is a PDF file."),
    b"\x89PNG": Text("Đây là ảnh PNG.", "This is a PNG picture."),
    b"\xff\xd8\xff": Text("Đây là ảnh JPEG.", "This is a JPEG picture."),
    b"GIF8": Text("Đây là ảnh GIF.", "This is a GIF picture."),
    b"II*\x00": Text("Đây là ảnh TIFF.", "This is a TIFF picture."),
    b"Rar!": Text("Đây là tệp nén RAR: hãy giải nén trước.", "This is a RAR archive: unpack it first."),
    b"7z\xbc\xaf": Text("Đây là tệp nén 7z: hãy giải nén trước.", "This is a 7z archive: unpack it first."),
    b"{\\rtf": Text("Đây là văn bản RTF.", "This is an RTF document."),
    b"MIME-Version:": Text("Đây là trang web lưu dạng MHT.", "This is a web page saved as MHT."),
    b"SQLite format 3": Text("Đây là cơ sở dữ liệu SQLite.", "This is an SQLite database."),
}
MARKUP = re.compile(r"\s*<(?:[a-z!?])", re.IGNORECASE)
JSON = re.compile(r'\s*(?:\[\s*[{\]]|\{\s*["}])')


def open_any(path: Path, name: str, within: Limits) -> OpenFile:
    """The grids of a file. Whatever goes wrong inside a reader is a refusal that names the file."""
    check_limit(name, "file_bytes", path.stat().st_size, within)
    try:
        opened = _open(path, name, within)
    except (MotcuaError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a reader written in Rust panics outside of Exception
        raise damaged(name, error) from None
    return replace(opened, grids=[_guarded(grid, name) for grid in opened.grids])


def _guarded(grid: Grid, name: str) -> Grid:
    typed = grid.typed and partial(_all_of, grid.typed, name)
    return replace(grid, batches=partial(_all_of, grid.batches, name), typed=typed)


def _all_of(batches: Callable[[int], Iterator[pl.DataFrame]], name: str, first_row: int) -> Iterator[pl.DataFrame]:
    """What is read later on may be damaged too."""
    try:
        yield from batches(first_row)
    except (MotcuaError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise damaged(name, error) from None


def _open(path: Path, name: str, within: Limits) -> OpenFile:
    with path.open("rb") as stream:
        start = stream.read(START)
    if not start.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise refused(name, Text("Tệp rỗng.", "The file is empty."))
    for mark, what in FOREIGN.items():
        if start.startswith(mark):
            raise refused(name, what)
    if start.startswith(b"PAR1"):
        return parquet.open_parquet(path, name, within)
    if start.startswith(b"\x1f\x8b"):
        return archives.open_gzip(path, name, within, _open)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _open_zip(path, name, within)
    if start.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return workbooks.open_xls(path, name, within)
    return _open_text(path, name, start, within)


def _open_zip(path: Path, name: str, within: Limits) -> OpenFile:
    kind = archives.kind_of(path, name, within)
    if kind == "xlsx":
        return workbooks.open_xlsx(path, name, within)
    if kind == "ods":
        return opendocument.open_ods(path, name, within)
    return archives.open_zip(path, name, within, _open)


def _open_text(path: Path, name: str, start: bytes, within: Limits) -> OpenFile:
    coding = encodings.coding_of(path, name, start)
    words = coding.decode(start)
    if not words.strip("\x00 \t\r\n\ufeff"):
        raise refused(name, Text("Tệp rỗng.", "The file is empty."))
    if MARKUP.match(words):
        if spreadsheetml.NAMESPACE in words:
            return spreadsheetml.open_spreadsheetml(path, name, within)
        if html.looks_like_html(words):
            return html.open_html(path, name, coding, within)
        what = Text("Tệp XML này không phải bảng tính Excel 2003.", "This XML file is not a workbook of Excel 2003.")
        raise refused(name, what)
    if JSON.match(words):
        return records.open_json(path, name, coding, within)
    return delimited.open_delimited(path, name, coding, within)
