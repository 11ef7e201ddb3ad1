"""The official forms of a period and unit as XLSX, a file a form: of each form the version in force on the last day.

Not here: a form's figures (measure/forms), how a sheet of it looks (sheets/form).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipeline.declare.forms import Form, forms_on
from pipeline.declare.text import Text
from pipeline.measure.forms import lines_of
from pipeline.report.book import Book
from pipeline.report.sheets.form import form_sheet
from pipeline.report.sheets.styles import Styles, workbook

if TYPE_CHECKING:
    from xlsxwriter import Workbook

BY = {"unit": Text("Theo đơn vị", "By unit"), "field": Text("Theo lĩnh vực", "By field")}


def write_forms(con: duckdb.DuckDBPyConnection, book: Book, out: Path, lang: str = "vi") -> list[Path]:
    """Writes `bieu_<form>.xlsx` for each form in force into `out`, a sheet by units and, where the form is so printed,
    one by fields. The same release gives the same bytes. Returns the files. con: what the book was opened from."""
    made = []
    for form in forms_on(book.period.end):
        path = out / f"bieu_{form.name}.xlsx"
        title = f"{form.number[lang]}, {book.period.label[lang]}"
        with workbook(path, title, book.info["known_at"]) as (file, styles):
            for by in form.by:
                add_form(con, file, styles, BY[by][lang], form, book, by, lang)
        made.append(path)
    return made


def add_form(
    con: duckdb.DuckDBPyConnection,
    file: Workbook,
    styles: Styles,
    name: str,
    form: Form,
    book: Book,
    by: str,
    lang: str,
) -> None:
    """A sheet with the form, by unit or by field, into an open workbook."""
    if (form.name, by) not in book.lines:
        book.lines[form.name, by] = lines_of(con, form, book.period, book.leaves, by, book.top)
    lines = book.lines[form.name, by]
    form_sheet(file, styles, name, form, lines, book, by, receiver(con, book), lang)


def receiver(con: duckdb.DuckDBPyConnection, book: Book) -> str | None:
    """The name of the district or province above the book's unit, to which its report goes; None where none is known."""
    above = con.execute(
        """SELECT u.unit FROM node_of n JOIN unit u ON u.unit_id = n.node
           WHERE n.unit_id = ? AND n.depth > 0 AND u.kind IN ('district', 'province') ORDER BY n.depth LIMIT 1""",
        [book.top],
    ).fetchone()
    return above[0] if above else None
