"""What an XLSX package tells beside its cells, in one cheap pass over its parts before a reader opens it.

Sizes counted while unpacking, a sheet's extent (a reader sets aside memory for all of it), merged cells, whether it
holds error values, whether it is cut short. Not here: the cells (workbooks.py).
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from pipeline.declare.limits import Limits
from pipeline.read.archives import PIECE, checked_parts, counted
from pipeline.read.grids import check_limit, damaged
from pipeline.read.markup import Events, attributes, local, parse_xml

Merge = tuple[int, int, int, int]  # first row and column, last row and column, from 0
OVERLAP = 400  # of two pieces, what may be cut in two between them
REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,4})(\d{1,9})["']""")
WIDE_COLUMN = re.compile(rb"""r\s*=\s*["']([A-Za-z]{2,})\d""")
WIDE_AT_ALL = r"""r\s*=\s*["'][A-Za-z]{2}"""  # for Polars, whose search is several times faster
MERGE = re.compile(rb"""mergeCell\s[^<>]*?ref\s*=\s*["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']""")
ERROR = b't="e"'
DOCTYPE = b"<!DOCTYPE"
END = re.compile(rb"</(?:\w+:)?worksheet\s*>(?:\s|\x00|<!--.*?-->)*$", re.DOTALL)


@dataclass
class SheetPart:
    """A worksheet's part: `first_column`: the first with a value (from 0), where a reader's table begins."""

    width: int = 0
    height: int = 0
    first_column: int = 0
    errors: bool = False
    hidden: bool = False
    merges: list[Merge] = field(default_factory=list)


def survey(parts: zipfile.ZipFile, name: str, within: Limits) -> dict[str, SheetPart]:
    """Sheet name → what its part tells; refuses a package that is broken or larger than the limits."""
    checked_parts(parts, name, within)
    found = {}
    for sheet, (part, hidden) in _worksheets(parts, name).items():
        found[sheet] = _sheet(parts, part, name, within)
        found[sheet].hidden = hidden
    for info in parts.infolist():
        if info.filename.lower().endswith(("sharedstrings.xml", "styles.xml")):
            for piece in _pieces(parts, info, name, within):
                _no_doctype(piece, name)
    check_limit(name, "cells", sum(sheet.width * sheet.height for sheet in found.values()), within)
    return found


def _worksheets(parts: zipfile.ZipFile, name: str) -> dict[str, tuple[str, bool]]:
    """Sheet name → its part and whether it is hidden, for worksheets only (no charts)."""
    by_lower = {n.lower(): n for n in parts.namelist()}
    book, links = Links(name), Links(name)
    main = by_lower["xl/workbook.xml"]
    with parts.open(main) as stream:
        parse_xml(stream, book)
    related = by_lower.get(f"{posixpath.dirname(main)}/_rels/{posixpath.basename(main)}.rels".lower())
    if related is None:
        raise damaged(name, "xl/_rels")
    with parts.open(related) as stream:
        parse_xml(stream, links)
    targets = {node["Id"]: node for node in links.relations if node.get("Type", "").endswith("/worksheet")}
    found = {}
    for node in book.sheets:
        target = targets.get(node.get("id", ""), {}).get("Target")
        if target is None:
            continue
        part = posixpath.normpath(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
        if part.lower() not in by_lower:
            raise damaged(name, part)
        found[node.get("name", "")] = by_lower[part.lower()], node.get("state", "visible") != "visible"
    return found


class Links(Events):
    """The sheets of a workbook part, the relations of a relations part."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.sheets: list[dict[str, str]] = []
        self.relations: list[dict[str, str]] = []

    def start(self, tag: str, attrib: dict[str, str]) -> None:
        if local(tag) == "sheet":
            self.sheets.append(attributes(attrib))
        elif local(tag) == "Relationship" and {"Id", "Target"} <= attrib.keys():
            self.relations.append(dict(attrib))


def _pieces(parts: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, within: Limits) -> Iterator[bytes]:
    with parts.open(info) as stream:
        # larger pieces leave the core's cache, and are memory that is asked of the system each time
        pieces = iter(lambda: stream.read(PIECE), b"")
        yield from counted(pieces, info.compress_size, name, within, "part_bytes")


def _ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces as they are, the next one unpacked while one is looked through."""
    with ThreadPoolExecutor(1) as other:
        coming = other.submit(_next, pieces)
        while piece := coming.result():
            coming = other.submit(_next, pieces)
            yield piece


def _next(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")


def _with_seams(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, and before each what may be cut in two between it and those before: to join whole pieces would copy all
    of them. A piece that its seam holds whole comes with it alone, so that the last text ends as the part does."""
    before = b""
    for piece in pieces:
        if before:
            yield before + piece[:OVERLAP]
        if not before or len(piece) > OVERLAP:
            yield piece
        before = (before + piece[-OVERLAP:])[-OVERLAP:]


def _sheet(parts: zipfile.ZipFile, part: str, name: str, within: Limits) -> SheetPart:
    found = SheetPart()
    first: int | None = None
    text = b""
    widest: set[bytes] = set()
    for text in _with_seams(_ahead(_pieces(parts, parts.getinfo(part), name, within))):
        if not found.height:
            _no_doctype(text, name)
        found.errors = found.errors or ERROR in text
        if len(text) <= 2 * OVERLAP or _may_be_wide(text):
            widest.update(WIDE_COLUMN.findall(text))
        if first != 0:
            first = _first_column(text, first)
        # merged cells follow the rows (ECMA-376, CT_Worksheet is a sequence): a piece full of rows is passed over
        after = text[max(text.rfind(b"</row"), 0) :] if found.height else text
        if b"mergeCell" in after:
            found.merges += [_merge(m) for m in MERGE.findall(after)]
            check_limit(name, "cells", len(found.merges), within)
        if (at := text.rfind(b" r=")) >= 0:
            found.height = max(found.height, _row_of(text[at : at + 40]))
    if not END.search(text[-OVERLAP:]):
        raise damaged(name, part)
    found.merges = list(dict.fromkeys(found.merges))  # those in a seam came twice
    found.first_column = first or 0
    found.width = max((_column(letters) + 1 for letters in widest), default=26)
    check_limit(name, "columns", found.width, within)
    return found


def _no_doctype(text: bytes, name: str) -> None:
    if DOCTYPE in text:
        Events(name).doctype()


def _may_be_wide(text: bytes) -> bool:
    """Whether a cell beyond column Z is named; true where a letter is cut in two at the piece's end."""
    return (
        pl.Series([text], dtype=pl.Binary).cast(pl.String, strict=False).str.contains(WIDE_AT_ALL).item() is not False
    )


def _first_column(text: bytes, known: int | None) -> int | None:
    """The first column with a value so far: looked for from the left, which a usual sheet fills."""
    for column in range(26 if known is None else known):
        if re.search(rb"\sr=[\"']%c\d+[\"'](?:[^<>]*[^<>/])?>(?!</)" % (65 + column), text):
            return column
    return known


def _row_of(text: bytes) -> int:
    found = REFERENCE.match(text) or re.match(rb"""\sr\s*=\s*["']()(\d{1,9})["']""", text)
    return int(found[2]) if found else 0


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:6]:
        number = number * 26 + letter - 64
    return number - 1


def _merge(found: tuple[bytes, bytes, bytes, bytes]) -> Merge:
    left, top, right, bottom = found
    return int(top) - 1, _column(left), int(bottom) - 1, _column(right)
