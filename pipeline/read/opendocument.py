"""OpenDocument spreadsheets (.ods): sheets, repeated and merged cells, hidden sheets.

The workbook's XML is read here and not by fastexcel, which tells neither merged cells nor truth values nor errors of
this format and writes out repeated cells without a limit. Not here: formulas (their kept value is read).
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from pipeline.declare.limits import Limits
from pipeline.declare.text import Text
from pipeline.read.archives import checked_parts
from pipeline.read.grids import OpenFile, check_limit, damaged, refused
from pipeline.read.held import Cell, Cells, Table
from pipeline.read.legacy import mended
from pipeline.read.markup import Events, attributes, local, parse_xml
from pipeline.read.values import plain_date, plain_number

CONTENT = "content.xml"
TIME = re.compile(r"PT(\d\d)H(\d\d)M(\d\d)(?:[.,]0+)?S")


def open_ods(path: Path, name: str, within: Limits) -> OpenFile:
    check_limit(name, "held_bytes", path.stat().st_size, within)
    with zipfile.ZipFile(path) as parts:
        checked_parts(parts, name, within)
        if "META-INF/manifest.xml" in parts.namelist() and b":encryption-data" in parts.read("META-INF/manifest.xml"):
            raise refused(name, Text("Tệp có mật khẩu.", "The file is protected by a password."))
        book = Book(name, within)
        with parts.open(CONTENT) as stream:
            parse_xml(stream, book)
    tables = [(sheet, table.frame(), hidden) for sheet, table, hidden in book.sheets]
    grids, legacy = mended([t for t in tables if t[1].width])
    if not grids:
        raise refused(name, Text("Sổ tính không có dữ liệu.", "The workbook holds no data."))
    return OpenFile("ods", legacy, grids)


class Book(Events):
    """Events of content.xml → sheets in their order."""

    def __init__(self, name: str, within: Limits) -> None:
        super().__init__(name)
        self.cells = Cells(name, within)
        self.sheets: list[tuple[str, Table, bool]] = []
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._tables = 0  # a table may stand in a cell of another; such are not read
        self._row: list[Cell] = []
        self._column = 0
        self._row_repeats = self._cell_repeats = 1
        self._empty_rows = 0  # rows without text, not yet known to have text below
        self._given: dict[str, str] | None = None
        self._lines: list[str] = []
        self._in_text = self._aside = 0

    def start(self, tag: str, attrib: dict[str, str]) -> None:
        tag, given = local(tag), attributes(attrib)
        if tag == "style":
            self._style = given.get("name", "")
        elif tag == "table-properties" and given.get("display") == "false":
            self._hidden_styles.add(self._style)
        elif tag == "table":
            self._tables += 1
            if self._tables == 1:
                hidden = given.get("style-name") in self._hidden_styles
                self.sheets.append((given.get("name", ""), Table(self.cells), hidden))
                self._empty_rows = 0
        elif self._tables != 1:
            return
        elif tag == "table-row":
            self._row, self._column = [], 0
            self._row_repeats = self._number(given, "number-rows-repeated", 1)
        elif tag in ("table-cell", "covered-table-cell"):
            self._given = given | ({"covered": "1"} if tag.startswith("covered") else {})
            self._cell_repeats = self._number(given, "number-columns-repeated", 1)
            self._lines = []
        elif tag in ("annotation", "frame"):
            self._aside += 1
        elif not self._aside:
            self._start_text(tag, given)

    def _start_text(self, tag: str, given: dict[str, str]) -> None:
        if tag in ("p", "h"):
            self._in_text += 1
            self._lines.append("")
        elif tag == "s":
            self._say(" " * min(self._number(given, "c", 1), 1_000))
        elif tag == "tab":
            self._say("\t")
        elif tag == "line-break":
            self._say("\n")

    def end(self, tag: str) -> None:
        tag = local(tag)
        if tag == "table":
            self._tables -= 1
        elif self._tables != 1:
            return
        elif tag in ("annotation", "frame"):
            self._aside -= 1
        elif tag in ("p", "h") and not self._aside and self._in_text:
            self._in_text -= 1
        elif tag in ("table-cell", "covered-table-cell") and self._given is not None:
            self._end_cell(self._given)
            self._given = None
        elif tag == "table-row":
            self._end_row()

    def data(self, text: str) -> None:
        if self._in_text and not self._aside:
            self._say(text)

    def _say(self, text: str) -> None:
        if self._in_text and self._lines:
            self._lines[-1] += text

    def _end_cell(self, given: dict[str, str]) -> None:
        text = None if "covered" in given else _value(given, "\n".join(self._lines))
        across = self._number(given, "number-columns-spanned", 1) - 1
        down = self._number(given, "number-rows-spanned", 1) - 1
        if text is None and not down:
            self._column += self._cell_repeats
            return
        check_limit(self.name, "columns", self._column + self._cell_repeats, self.cells.within)
        for _ in range(self._cell_repeats):  # the cells it covers follow by themselves
            self._row.append((self._column, text, max(across, 0), max(down, 0)))
            self._column += 1

    def _end_row(self) -> None:
        table = self.sheets[-1][1]
        if not self._row:
            self._empty_rows += self._row_repeats  # a sheet ends with a million of them
            return
        table.add_empty(self._empty_rows)
        self._empty_rows = 0
        check_limit(self.name, "rows", table.height + self._row_repeats, self.cells.within)
        for _ in range(self._row_repeats):
            table.add(self._row)

    def _number(self, given: dict[str, str], key: str, otherwise: int) -> int:
        written = given.get(key)
        if written is None:
            return otherwise
        if not written.isascii() or not written.isdigit() or len(written) > 9:
            raise damaged(self.name, key)
        return int(written)


def _value(given: dict[str, str], shown: str) -> str | None:
    kind = given.get("value-type")
    if kind in ("float", "percentage", "currency") and "value" in given and not shown.startswith(("#", "Err:")):
        return plain_number(given["value"])
    if kind == "date" and "date-value" in given:
        return plain_date(given["date-value"])
    if kind == "boolean" and "boolean-value" in given:
        return given["boolean-value"]
    if kind == "time" and (found := TIME.fullmatch(given.get("time-value", ""))):
        return ":".join(found.groups())
    return given.get("string-value") or shown or None
