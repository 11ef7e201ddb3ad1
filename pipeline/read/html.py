"""HTML tables, which many systems save under the name .xls: their cells, with rowspan and colspan.

Text before a table stands in rows of one cell, as Excel shows it; a table of one or two columns is taken for such
text. Each wider table is a grid of its own. Not here: looks, links, hidden elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.declare.limits import Limits
from pipeline.declare.text import Text
from pipeline.read.encodings import Coding, bad_encoding
from pipeline.read.grids import OpenFile, check_limit, damaged, grid_of, refused
from pipeline.read.held import Cells, Table
from pipeline.read.legacy import mend_frame
from pipeline.read.markup import PIECE, parse_html

HTML = re.compile(
    r"<(!doctype\s+html|html|head|body|table|meta|title|style|div|center|font|p|br|h[1-6]|thead|tbody|tr)\b", re.I
)
UNSEEN = ("script", "style", "head", "title", "template")
BREAKS = ("br", "p", "div", "li", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "center", "ul", "ol", "pre", "form")
WIDE = 3  # columns from which a table is one, and no layout of the page
MOST_ACROSS, MOST_DOWN = 1_000, 65_534  # as browsers have it


def looks_like_html(words: str) -> bool:
    return bool(HTML.search(words))


def open_html(path: Path, name: str, coding: Coding, within: Limits) -> OpenFile:
    check_limit(name, "held_bytes", path.stat().st_size, within)
    page = Page(name, within)
    try:
        parse_html(_pieces(path, coding, page), page)
    except UnicodeError:
        raise bad_encoding(name) from None
    if not page.tables_seen:
        raise refused(name, Text("Trang HTML này không có bảng nào.", "This HTML page has no table."))
    if page.cut_short:
        raise damaged(name, "<table> …")
    grids, encoding = [], coding.name
    for first_row, table in page.sections:
        frame, legacy = mend_frame(table.frame())
        encoding = legacy or encoding
        if not frame.is_empty():
            grids.append(grid_of(frame, None, first_row))
    return OpenFile("html", encoding, grids)


def _pieces(path: Path, coding: Coding, page: Page) -> Iterator[str]:
    """The text of the page; notes on the way whether its last table is closed."""
    tail = ""
    with path.open(encoding=coding.codec) as stream:
        while piece := stream.read(PIECE) + stream.readline():  # no letter is cut from its mark
            look = (tail + piece).lower()
            if "<tr" in look or "</table" in look:
                page.cut_short = look.rfind("</table") < look.rfind("<tr")
            tail = piece[-8:]
            yield coding.turn(piece) if coding.turn else piece


class Page:
    """Events of a page → sections (number of the first row, table)."""

    def __init__(self, name: str, within: Limits) -> None:
        self.name = name
        self.cells = Cells(name, within)
        self.sections: list[tuple[int, Table]] = [(1, Table(self.cells))]
        self.tables_seen = False
        self.cut_short = False
        self._rows = 0  # of the whole page
        self._has_wide = False  # the section holds a wide table
        self._depth = 0  # of tables
        self._wide_now = False
        self._pending: list[list[tuple[int, str | None, int, int]]] = []  # rows of a table not yet known as wide
        self._row: list[tuple[int, str | None, int, int]] | None = None
        self._cell: tuple[int, int] | None = None
        self._words: list[str] = []
        self._unseen = 0

    # ---- events

    def start(self, tag: str, attrib: dict[str, str]) -> None:
        if tag in UNSEEN:
            self._unseen += 1
        elif tag in BREAKS:
            self._break()
        elif tag == "table":
            self._break()
            self._depth += 1
            self.tables_seen = True
        elif tag == "tr" and self._depth == 1:
            self._end_row()
            self._row = []
        elif tag in ("td", "th") and self._depth == 1:
            self._end_cell()
            self._row = [] if self._row is None else self._row
            self._cell = _span(attrib, "colspan", MOST_ACROSS), _span(attrib, "rowspan", MOST_DOWN)
        elif tag in ("td", "th", "tr"):  # a table in a cell: its text belongs to the cell
            self._words.append(" ")

    def end(self, tag: str) -> None:
        if tag in UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        elif tag in BREAKS and tag != "br":
            self._break()
        elif tag in ("td", "th") and self._depth == 1:
            self._end_cell()
        elif tag == "tr" and self._depth == 1:
            self._end_row()
        elif tag == "table" and self._depth:
            if self._depth == 1:
                self._end_table()
            self._depth -= 1

    def data(self, text: str) -> None:
        if not self._unseen and (self._cell or not self._depth):
            self._words.append(text.replace("\n", " ").replace("\r", " "))

    def comment(self, _: str) -> None:
        """What browsers do not show is not read."""

    def close(self) -> None:
        self._break()

    # ---- rows

    def _break(self) -> None:
        """A line ends: in a cell it is kept, outside of tables it is a row of its own."""
        if self._cell:
            self._words.append("\n")
        elif not self._depth and (text := self._text()):
            self._place([(0, text, 0, 0)])

    def _text(self) -> str | None:
        lines = (" ".join(line.split()) for line in "".join(self._words).split("\n"))
        self._words = []
        return "\n".join(line for line in lines if line) or None

    def _end_cell(self) -> None:
        if self._cell and self._row is not None:
            across, down = self._cell
            column = sum(cell[2] + 1 for cell in self._row)
            self._row.append((column, self._text(), across - 1, down - 1))
        self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row is None:
            return
        row, self._row = self._row, None
        if self._wide_now:
            self._place(row)
            return
        self._pending.append(row)
        if sum(cell[2] + 1 for cell in row) >= WIDE and sum(1 for cell in row if cell[1]) >= WIDE:
            self._begin_wide()

    def _begin_wide(self) -> None:
        if self._has_wide:
            self.sections.append((self._rows + 1, Table(self.cells)))
        self._has_wide = self._wide_now = True
        self._flush()

    def _end_table(self) -> None:
        self._end_row()
        self._flush()
        self._wide_now = False
        self.sections[-1][1].end_merges()

    def _flush(self) -> None:
        rows, self._pending = self._pending, []
        for row in rows:
            self._place(row)

    def _place(self, row: list[tuple[int, str | None, int, int]]) -> None:
        """A row with its cells moved to the right of those that reach down into it."""
        table = self.sections[-1][1]
        moved, column = [], 0
        for _, text, across, down in row:
            while table.covered(column):
                column += 1
            moved.append((column, text, across, down))
            column += across + 1
        self._rows += 1
        table.add(moved)


def _span(attrib: dict[str, str], key: str, most: int) -> int:
    found = re.match(r"\s*(\d{1,9})", attrib.get(key, "1"))
    if not found:
        return 1
    count = int(found[1])
    return most if count == 0 and key == "rowspan" else max(1, min(count, most))
