"""XML workbooks of Excel 2003 (SpreadsheetML): sheets, cells by their index, merged cells, hidden sheets.

Not here: formulas (their kept value is read), formats of numbers.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.declare.limits import Limits
from pipeline.declare.text import Text
from pipeline.read.grids import OpenFile, check_limit, damaged, refused
from pipeline.read.held import Cell, Cells, Table
from pipeline.read.legacy import mended
from pipeline.read.markup import Events, attributes, local, parse_xml
from pipeline.read.values import plain_date, plain_number

NAMESPACE = "urn:schemas-microsoft-com:office:spreadsheet"


def open_spreadsheetml(path: Path, name: str, within: Limits) -> OpenFile:
    check_limit(name, "held_bytes", path.stat().st_size, within)
    book = Book(name, within)
    with path.open("rb") as stream:
        parse_xml(stream, book)
    tables = [(sheet, table.frame(), sheet in book.hidden) for sheet, table in book.sheets]
    grids, legacy = mended([t for t in tables if t[1].width])
    if not grids:
        raise refused(name, Text("Sổ tính không có dữ liệu.", "The workbook holds no data."))
    return OpenFile("spreadsheetml", legacy, grids)


class Book(Events):
    """Events of the XML → sheets in their order."""

    def __init__(self, name: str, within: Limits) -> None:
        super().__init__(name)
        self.cells = Cells(name, within)
        self.sheets: list[tuple[str, Table]] = []
        self.hidden: set[str] = set()
        self._row: list[Cell] = []
        self._column = 0
        self._spans = (0, 0)
        self._kind = "String"
        self._words: list[str] | None = None
        self._text: str | None = None
        self._visible: list[str] | None = None

    def start(self, tag: str, attrib: dict[str, str]) -> None:
        tag, given = local(tag), attributes(attrib)
        if tag == "Worksheet":
            self.sheets.append((given.get("Name", ""), Table(self.cells)))
        elif tag == "Row":
            self._begin_row(given)
        elif tag == "Cell":
            self._column = self._number(given, "Index", self._column + 1) - 1
            self._spans = self._number(given, "MergeAcross", 0), self._number(given, "MergeDown", 0)
            self._text = None
        elif tag == "Data":
            self._kind, self._words = given.get("Type", "String"), []
        elif tag == "Visible":
            self._visible = []

    def end(self, tag: str) -> None:
        tag = local(tag)
        if tag == "Data" and self._words is not None:
            self._text, self._words = _value("".join(self._words), self._kind), None
        elif tag == "Cell":
            self._row.append((self._column, self._text, *self._spans))
            self._column += 1 + self._spans[0]
        elif tag == "Row" and self.sheets:
            self.sheets[-1][1].add(self._row)
        elif tag == "Visible" and self._visible is not None and self.sheets:
            if "".join(self._visible).strip() != "SheetVisible":
                self.hidden.add(self.sheets[-1][0])
            self._visible = None

    def data(self, text: str) -> None:
        if self._words is not None:
            self._words.append(text)
        elif self._visible is not None:
            self._visible.append(text)

    def _begin_row(self, given: dict[str, str]) -> None:
        if not self.sheets:
            raise damaged(self.name, "Row")
        table = self.sheets[-1][1]
        index = self._number(given, "Index", table.height + 1)
        if index <= table.height:
            raise damaged(self.name, "Row Index")
        table.add_empty(index - table.height - 1)
        self._row, self._column = [], 0

    def _number(self, given: dict[str, str], key: str, otherwise: int) -> int:
        written = given.get(key)
        if written is None:
            return otherwise
        if not written.isascii() or not written.isdigit() or len(written) > 9:
            raise damaged(self.name, key)
        return int(written)


def _value(text: str, kind: str) -> str | None:
    if kind == "Number":
        return plain_number(text)
    if kind == "DateTime":
        return plain_date(text)
    if kind == "Boolean":
        return {"1": "true", "0": "false"}.get(text.strip(), text)
    return text or None
