"""Workbooks of Excel (.xlsx, .xlsm, old .xls), each sheet parsed once by fastexcel, everything as text.

A merged cell's text stands in each of its rows, in the first of its columns. Error values stay as Excel shows them.
Not here: what a package or compound file must be before it is opened (package.py, compound.py).
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

import fastexcel
import polars as pl
import python_calamine

from pipeline.declare.limits import Limits
from pipeline.declare.text import Text
from pipeline.read.compound import check_workbook
from pipeline.read.grids import OpenFile, check_limit, damaged, refused
from pipeline.read.legacy import mended
from pipeline.read.package import Merge, SheetPart, survey

ERRORS = {
    "NA": "#N/A",
    "Div0": "#DIV/0!",
    "Ref": "#REF!",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
NO_DAY = r"^1899-12-3[01] (\d\d:\d\d:\d\d)"  # a time of day, which Excel counts from its own beginning


def open_xlsx(path: Path, name: str, within: Limits) -> OpenFile:
    check_limit(name, "held_bytes", path.stat().st_size, within)
    try:
        with zipfile.ZipFile(path) as parts:
            sheets = survey(parts, name, within)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise damaged(name, error) from None
    return _open(path, name, "xlsx", sheets)


def open_xls(path: Path, name: str, within: Limits) -> OpenFile:
    check_limit(name, "held_bytes", path.stat().st_size, within)
    check_workbook(path, name)
    sheets = {}
    book = python_calamine.CalamineWorkbook.from_path(path)
    for told in book.sheets_metadata:
        if told.typ is python_calamine.SheetTypeEnum.WorkSheet:
            sheet = book.get_sheet_by_name(told.name)
            merges = [(*first, *last) for first, last in sheet.merged_cell_ranges or ()]
            start = sheet.start or (0, 0)
            hidden = told.visible is not python_calamine.SheetVisibleEnum.Visible
            sheets[told.name] = SheetPart(first_column=start[1], errors=True, hidden=hidden, merges=merges)
            check_limit(name, "cells", sheet.height * sheet.width, within)
    return _open(path, name, "xls", sheets)


def _open(path: Path, name: str, kind: str, sheets: dict[str, SheetPart]) -> OpenFile:
    book = fastexcel.read_excel(path)
    tables = [(sheet, _load(book, sheet, part), part.hidden) for sheet, part in sheets.items()]
    grids, legacy = mended([table for table in tables if table[1].width and table[1].height])
    if not grids:
        raise refused(name, Text("Sổ tính không có dữ liệu.", "The workbook holds no data."))
    return OpenFile(kind, legacy, grids)


def _load(book: fastexcel.ExcelReader, sheet: str, part: SheetPart) -> pl.DataFrame:
    # Everything as text: a column of codes must keep its zeros. skip_rows is given so that leading empty rows are
    # kept and row numbers are the sheet's own. The eager way is the faster one, but silent about error values.
    if part.errors:
        loaded = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
        if not loaded.width or not loaded.total_height:
            return pl.DataFrame()
        batch, errors = loaded.to_arrow_with_errors()
        frame = _with_errors(pl.DataFrame(pl.from_arrow(batch)), errors.errors if errors else [])
    else:
        frame = pl.DataFrame(
            pl.from_arrow(book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string", eager=True))
        )
    return merged(_times(frame), part.merges, part.first_column)


def _with_errors(frame: pl.DataFrame, errors: list[fastexcel.CellError]) -> pl.DataFrame:
    columns: dict[int, dict[int, str | None]] = {}
    for error in errors:
        kind = re.search(r"Error\((\w+)\)", error.detail)
        row, column = error.offset_position
        columns.setdefault(column, {})[row] = ERRORS.get(kind[1], "#N/A") if kind else "#N/A"
    return _set(frame, columns)


def _times(frame: pl.DataFrame) -> pl.DataFrame:
    found = [c for c in frame.columns if frame[c].str.starts_with("1899-12-3").any()]
    return frame.with_columns(pl.col(found).str.replace(NO_DAY, "$1")) if found else frame


def merged(frame: pl.DataFrame, merges: list[Merge], first_column: int) -> pl.DataFrame:
    """The text of each merged cell in all its rows, its further columns empty."""
    cells: dict[int, dict[int, str | None]] = {}
    for top, left, bottom, right in merges:
        left, right = left - first_column, min(right - first_column, frame.width - 1)
        bottom = min(bottom, frame.height - 1)
        if left < 0 or left >= frame.width or top >= frame.height or (top == bottom and left == right):
            continue
        text = frame[top, left]
        for row in range(top, bottom + 1):
            cells.setdefault(left, {})[row] = text
            for column in range(left + 1, right + 1):
                cells.setdefault(column, {})[row] = None
    return _set(frame, cells)


def _set(frame: pl.DataFrame, cells: dict[int, dict[int, str | None]]) -> pl.DataFrame:
    """Column → row → text put into the frame."""
    names = frame.columns
    changed = []
    for column, texts in cells.items():
        series = frame[names[column]].clone()
        changed.append(
            series.scatter(list(texts), pl.Series(list(texts.values()), dtype=pl.String)).alias(names[column])
        )
    return frame.with_columns(changed)
