"""Points of Decision 766 of the whole: each sub-score under its group, and what is lacking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.declare.text import Text
from pipeline.measure.scores import scores_of
from pipeline.report.book import Book
from pipeline.report.display import NOTHING
from pipeline.report.scores import COUNTS, FULL_FROM, LABEL, LACKING, POINTS
from pipeline.report.screen import heading
from pipeline.report.sheets.styles import DECIMAL, Styles, share
from pipeline.report.sheets.table import Cell, Column, Number, table_sheet

if TYPE_CHECKING:
    from xlsxwriter import Workbook

NAME = Text("Điểm QĐ 766", "Points of 766")
TITLE = Text(
    "Điểm theo QĐ 766/QĐ-TTg: phần số liệu cho phép tính", "Points of Decision 766: what the data allows to compute"
)


def scores_sheet(con: duckdb.DuckDBPyConnection, file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """Adds the sheet. A group has points only where all its parts have; beside them stands what was reached so far."""
    told = scores_of(con, book.period, {book.top: book.whole}, lang)
    groups = {r["score_group"]: r for r in told if r["part"] == "group"}
    ordered = [row for name, group in groups.items() for row in (group, *(r for r in told if _is_part(r, name)))] + [
        r for r in told if r["part"] == "total"
    ]
    rows: list[dict[str, Cell]] = [_row(row, lang) for row in ordered]
    columns = [
        *(Column("label", LABEL, 60), Column("points", POINTS, 20), Column("most", Text("Điểm tối đa", "Most"), 10)),
        *(Column("reached", Text("Đã tính được", "Reached"), 12), Column("of", Text("trên", "of"), 8)),
        *(Column(name, Text(heading(name, "vi"), heading(name, "en")), 12) for name in COUNTS),
        *(Column("full", FULL_FROM, 12), Column("lacking", LACKING, 60)),
    ]
    notes = " ".join(f"{words}." for words in {row["note"]: None for row in told} if words)
    title = Text(f"{TITLE.vi}. {notes}".strip(), f"{TITLE.en}. {notes}".strip())
    is_sum = {row["label"] for row in ordered if row["part"] != "score"}
    table_sheet(
        file, styles, NAME[lang], title, book, columns, rows, lang, lambda row: row["label"] in is_sum, filtered=False
    )


def _is_part(row: dict[str, Any], group: str) -> bool:
    return row["part"] == "score" and row["score_group"] == group


def _row(row: dict[str, Any], lang: str) -> dict[str, Cell]:
    points: Cell = None
    if row["part"] == "score" and not row["max_points"]:
        points = Text("không chấm điểm", "no points")[lang]
    elif row["points"] is not None:
        points = Number(float(row["points"]), DECIMAL)
    elif row["status"] == "nothing_arisen":
        points = NOTHING[lang]
    reached = row["reached_max"] and row["points"] is None
    return {
        "label": row["label"],
        "points": points,
        "most": row["max_points"],
        "reached": Number(float(row["reached"]), DECIMAL) if reached else None,
        "of": row["reached_max"] if reached else None,
        **{name: row[name] for name in COUNTS},
        "full": None if row["saturation"] is None else Number(float(row["saturation"]), share(row["saturation"])),
        "lacking": row["lacking"] or "",
    }
