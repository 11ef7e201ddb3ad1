"""Fills templates in as an office does, with a second library, and always to the same bytes.

A cell is named as the declarations do: (return, key of its row, measure), the key being a line or a unit_id. Not here:
what should come of it.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.declare.return_sheet import ABOUT, DAY_LABEL, mark_in
from pipeline.declare.returns import returns

HERE = Path(__file__).parent
MADE = "2023-10-01T00:00:00Z"
Cells = dict[tuple[str, str, str], Any]


def places(sheet: Worksheet) -> dict[tuple[str, str], str]:
    """(key, code) → address of every cell of the table; the row of sums and the row of codes (key "") included."""
    rows = list(sheet.iter_rows())
    top = next(n for n, row in enumerate(rows) if str(row[0].value) in ("#line", "#unit"))
    codes = {cell.column: str(cell.value)[1:] for cell in rows[top] if cell.value}
    return {
        (str(row[0].value or row[2].value or ""), codes[cell.column]): cell.coordinate
        for row in rows[top:]
        for cell in row
        if cell.column in codes
    }


def sheets(book: openpyxl.Workbook) -> dict[str, Worksheet]:
    """return → its first sheet in the workbook."""
    found: dict[str, Worksheet] = {}
    for sheet in book.worksheets:
        marks = [m for row in sheet.iter_rows(max_row=8) if (m := mark_in(str(row[0].value or "")))]
        if marks:
            found.setdefault(marks[0].return_id, sheet)
    return found


def fill(template: Path, out: Path, cells: Cells, made_on: date | None = None) -> Path:
    """Writes the cells into a copy of a template; made_on: into each heading. A key None as measure replaces a cell by
    its address: (return, "A3", None)."""
    book = openpyxl.load_workbook(template)
    by_return = sheets(book)
    where = {name: places(sheet) for name, sheet in by_return.items()}
    for (name, key, measure), value in cells.items():
        by_return[name][key if measure is None else where[name][key, measure]] = value
    for sheet in by_return.values() if made_on else ():
        day = next(row for row in sheet.iter_rows(max_row=8) if str(row[1].value).startswith(DAY_LABEL))
        day[2].value = made_on
    out.parent.mkdir(parents=True, exist_ok=True)
    book.save(out)
    return _always_the_same(out)


def _always_the_same(path: Path) -> Path:
    """openpyxl writes the moment of saving into the package: here it is always the same one."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    core = parts["docProps/core.xml"].decode()
    parts["docProps/core.xml"] = re.sub(r">\d{4}-\d\d-\d\dT[\d:]+Z<", f">{MADE}<", core).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(zipfile.ZipInfo(name, (2023, 10, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return path


# ---- the figures of the four documents


def table(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def told(unit: str, period: str, key: str | None = None) -> Cells:
    """What a unit's documents tell in a period, as cells. key: of the row of a return whose rows are units."""
    found: Cells = {}
    for row in [*table("figures.csv"), *table("made.csv")]:
        if (row["unit"], row["period"]) != (unit, period):
            continue
        place = row["return"], row["line"] or key or row["unit"]
        found[*place, row["measure"]] = value_of(row["return"], row["measure"], row["told"])
        if row.get("about"):
            found[*place, row["measure"] + ABOUT] = row["about"]
    return found


def value_of(name: str, measure: str, text: str) -> Any:
    kind = returns()[name].measures[measure].kind
    if kind == "count":
        return int(text)
    return float(text) if kind == "decimal" else date.fromisoformat(text) if kind == "date" else text


def of_returns(cells: Cells, names: Iterable[str]) -> Cells:
    wanted = set(names)
    return {place: value for place, value in cells.items() if place[0] in wanted}
