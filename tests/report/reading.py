"""Reading back what was written: forms and tables of a workbook, cell by cell, with openpyxl; formulas recalculated by
LibreOffice. Not here: what ought to stand in them.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

ROMAN = ("I", "II", "III", "IV", "V")
# Excel's files say nothing of recalculation; LibreOffice then keeps the stored values unless it is told otherwise
ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode"><value>0</value></prop></item>
</oor:items>"""


@cache
def stored(path: Path) -> Workbook:
    """A workbook with its formulas' stored values. Read it."""
    return openpyxl.load_workbook(path, data_only=True)


@dataclass(frozen=True)
class FormRow:
    """kind: section | row | total. cells: printed number of the column, "(3)" → value as stored, by columns."""

    kind: str
    section: str
    name: str
    cells: dict[str, Any]
    row: int


def form_rows(sheet: Worksheet) -> list[FormRow]:
    """The rows of a form's sheet, below its number row and above its notes. sheet: read with data_only."""
    numbers_at = next(r for r in range(1, 20) if sheet.cell(r, 1).value == "(1)")
    numbers: dict[int, str] = {}
    column = 1
    while sheet.cell(numbers_at, column).value is not None:
        numbers[column] = str(sheet.cell(numbers_at, column).value).split(" = ")[0]
        column += 1
    named = next(c for c in numbers if sheet.cell(numbers_at + 1, c).alignment.indent)
    found, section = [], ""
    for row in range(numbers_at + 1, sheet.max_row + 1):
        name, number = sheet.cell(row, named).value, sheet.cell(row, 1).value
        if name is None:
            break
        kind = "section" if number in ROMAN else "row" if number else "total"
        section = str(name) if kind == "section" else section
        cells = {numbers[c]: sheet.cell(row, c).value for c in numbers if c > named}
        found.append(FormRow(kind, section, str(name), cells, row))
    return found


def table_rows(sheet: Worksheet, head_at: int = 5) -> list[dict[str, Any]]:
    """The rows of a table's sheet by the words of its header, down to the first empty row."""
    heads = [c.value for c in sheet[head_at] if c.value is not None]
    found = []
    for row in sheet.iter_rows(min_row=head_at + 1, max_col=len(heads), values_only=True):
        if all(value is None for value in row):
            break
        found.append(dict(zip(heads, row, strict=True)))
    return found


@cache
def formulas(path: Path) -> list[tuple[str, str, str, Any]]:
    """Every formula of a workbook: sheet, cell, text, stored value."""
    values = stored(path)
    return [
        (sheet.title, cell.coordinate, str(cell.value), values[sheet.title][cell.coordinate].value)
        for sheet in openpyxl.load_workbook(path)
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def recalculated(soffice: str, folder: Path, *paths: Path) -> list[dict[tuple[str, str], Any]]:
    """Of each workbook what LibreOffice makes of its cells when it opens it and reckons anew."""
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")
    words = [soffice, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", "xlsx", "--outdir"]
    files = [str(path) for path in paths]
    subprocess.run([*words, str(folder), *files], check=True, capture_output=True, timeout=240)
    books = [openpyxl.load_workbook(folder / path.name, data_only=True) for path in paths]
    return [
        {(s.title, c.coordinate): c.value for s in book for row in s.iter_rows() for c in row if c.value is not None}
        for book in books
    ]


def summed(sheet: Worksheet, formula: str) -> int:
    """What a formula =SUM(…) over ranges and cells, or =A1+B1, gives over the stored values; texts count nothing."""
    inside = formula.removeprefix("=SUM(").rstrip(")") if formula.startswith("=SUM(") else formula.lstrip("=")
    total = 0
    for part in re.split(r"[,+]", inside):
        cells = sheet[part] if ":" in part else ((sheet[part],),)
        total += sum(c.value for row in cells for c in row if isinstance(c.value, int))
    return total
