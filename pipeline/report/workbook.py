"""The workbook of a period and unit: overview, forms, counts, indicators, lists, hand-kept figures, points, findings, definitions, release.

Not here: the sheets (sheets/).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline.declare.forms import forms_on
from pipeline.declare.rules import OURS
from pipeline.declare.text import Text
from pipeline.report.book import Book
from pipeline.report.forms import add_form
from pipeline.report.sheets.about import definitions_sheet, release_sheet
from pipeline.report.sheets.figures import counts_sheet, fields_sheet, indicators_sheet, lists_sheet, matrix_sheet
from pipeline.report.sheets.hand_kept import hand_kept_indicators_sheet, hand_kept_sheet
from pipeline.report.sheets.overview import overview_sheet
from pipeline.report.sheets.quality import files_sheet, findings_sheet, rejects_sheet
from pipeline.report.sheets.scores import scores_sheet
from pipeline.report.sheets.styles import workbook

NAME = "so_lieu.xlsx"
BY_FIELD = Text("{} (lĩnh vực)", "{} (fields)")


def write_workbook(con: duckdb.DuckDBPyConnection, book: Book, out: Path, lang: str = "vi") -> list[Path]:
    """Writes `so_lieu.xlsx` into `out`. The same release gives the same bytes. Returns the file. con: what the book was
    opened from."""
    path = out / NAME
    title = Text("Số liệu giải quyết TTHC", "Figures on dossiers")[lang]
    with workbook(path, f"{title}, {book.period.label[lang]}", book.info["known_at"]) as (file, styles):
        overview_sheet(file, styles, book, lang)
        for form in forms_on(book.period.end):
            for by in form.by:
                name = form.sheet[lang] if by == "unit" else BY_FIELD[lang].format(form.sheet[lang])
                add_form(con, file, styles, name, form, book, by, lang)
        counts_sheet(file, styles, book, lang)
        fields_sheet(file, styles, book, lang)
        matrix_sheet(file, styles, book, lang)
        indicators_sheet(file, styles, book, lang)
        lists_sheet(file, styles, book, lang)
        hand_kept_sheet(con, file, styles, book, lang)
        hand_kept_indicators_sheet(con, file, styles, book, lang)
        if book.rules == OURS:  # points are of our own rules alone
            scores_sheet(con, file, styles, book, lang)
        findings_sheet(con, file, styles, book, lang)
        rejects_sheet(con, file, styles, book, lang)
        definitions_sheet(con, file, styles, book, lang)
        release_sheet(con, file, styles, book, lang)
        files_sheet(con, file, styles, book, lang)
    return [path]
