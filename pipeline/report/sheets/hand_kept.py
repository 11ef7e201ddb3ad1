"""Hand-kept figures of returns, and the indicators and verdicts that follow from them, of the book's units."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.declare.returns import qualifiers
from pipeline.declare.text import Text
from pipeline.measure.returns import return_figures, return_indicators
from pipeline.report.book import Book
from pipeline.report.display import VERDICT
from pipeline.report.return_screen import figure
from pipeline.report.sheets.figures import YES, conditions, threshold_cell
from pipeline.report.sheets.styles import PERCENT, Styles
from pipeline.report.sheets.table import HEAD_AT, Cell, Column, Number, ratio, table_sheet

if TYPE_CHECKING:
    from xlsxwriter import Workbook

Row = dict[str, Any]
FIGURES = (
    Text("Số liệu nhập tay", "Hand-kept"),
    Text("Số liệu đơn vị tự theo dõi (biểu thu thập)", "Hand-kept figures (returns)"),
)
RATES = (
    Text("Chỉ tiêu nhập tay", "Hand-kept indicators"),
    Text("Chỉ tiêu từ số liệu đơn vị tự theo dõi", "Indicators of hand-kept figures"),
)
NONE = Text("Chưa có biểu thu thập nào của kỳ này.", "There are no returns of this period yet.")
WHERE = [
    Column("return_label", Text("Biểu thu thập", "Return"), 40),
    Column("line_label", Text("Dòng", "Line"), 44),
    Column("label", Text("Số liệu", "Figure"), 40),
]
UNITS = [Column("unit_code", Text("Mã", "Code"), 10), Column("unit", Text("Đơn vị", "Unit"), 34)]


def hand_kept_sheet(con: duckdb.DuckDBPyConnection, file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """Every figure that a return tells of a unit, or that follows as a sum of what all its units told."""
    rows: list[dict[str, Cell]] = []
    for row in _inside(con, book, return_figures(con, book.period.key, lang=lang)):
        if row["told"]:
            of = {
                k: row[k] or ""
                for k in ("return_label", "line_label", "label", "of", "unit_code", "unit", "file", "cell")
            }
            rows.append(of | {"value": _figure(row, lang)})
    columns = [
        *(
            *WHERE,
            Column("of", Text("Đơn vị tính", "Counted in"), 24),
            *UNITS,
            Column("value", Text("Giá trị", "Value"), 30),
        ),
        *(Column("file", Text("Tệp", "File"), 40), Column("cell", Text("Ô", "Cell"), 8)),
    ]
    sheet = table_sheet(file, styles, FIGURES[0][lang], FIGURES[1], book, columns, rows, lang)
    if not rows:
        sheet.write_string(HEAD_AT + 1, 0, NONE[lang], styles("indented", "italic"))


def hand_kept_indicators_sheet(
    con: duckdb.DuckDBPyConnection, file: Workbook, styles: Styles, book: Book, lang: str
) -> None:
    """What follows from them, with verdicts."""
    rows: list[dict[str, Cell]] = []
    for row in _inside(con, book, return_indicators(con, book.period.key, lang=lang)):
        rows.append(
            {
                "label": row["label"],
                "line_label": row["line_label"] or "",
                "unit_code": row["unit_code"],
                "unit": row["unit"],
                "numerator": _number(row["numerator"]),
                "denominator": _number(row["denominator"]),
                "value": _value(row, lang),
                "threshold": None if row["threshold"] is None else threshold_cell(row),
                "verdict": VERDICT[row["verdict"]][lang],
                "near": YES[lang] if row["near"] else "",
                "needed": _number(row["needed"]),
                "basis": row["basis"] or "",
            }
        )
    columns = [
        *(Column("label", Text("Chỉ tiêu", "Indicator"), 48), WHERE[1], *UNITS),
        *(Column("numerator", Text("Tử số", "Numerator")), Column("denominator", Text("Mẫu số", "Denominator"))),
        *(Column("value", Text("Giá trị", "Value"), 26), Column("threshold", Text("Ngưỡng", "Threshold"))),
        *(Column("verdict", Text("Kết luận", "Verdict"), 26), Column("near", Text("Sát ngưỡng", "Near"))),
        *(Column("needed", Text("Còn thiếu", "Needs")), Column("basis", Text("Căn cứ", "Basis"), 50)),
    ]
    sheet = table_sheet(file, styles, RATES[0][lang], RATES[1], book, columns, rows, lang)
    if not rows:
        sheet.write_string(HEAD_AT + 1, 0, NONE[lang], styles("indented", "italic"))
    conditions(sheet, styles, [c.key for c in columns], len(rows), lang)


def _inside(con: duckdb.DuckDBPyConnection, book: Book, rows: list[Row]) -> list[Row]:
    units = {u for (u,) in con.execute("SELECT unit_id FROM node_of WHERE node = ?", [book.top]).fetchall()}
    return [row for row in rows if row["unit_id"] in units]


def _figure(row: Row, lang: str) -> Cell:
    if row["value"] is None:
        return figure(row, lang)
    about = f'"{row["qualifier_label"]} "' if row["qualifier_label"] else ""
    return _number(row["value"], about)


def _number(value: Decimal | int | None, about: str = "") -> Cell:
    """A number cell with the decimals that were told, and how exact it is in front. null: a dash."""
    if value is None:
        return None
    digits = max(0, -int(Decimal(value).normalize().as_tuple().exponent))
    return Number(float(value), f"{about}#,##0{'.' + '0' * digits if digits else ''}")


def _value(row: Row, lang: str) -> Cell:
    if row["value"] is None:
        return VERDICT[row["verdict"]][lang]
    about = f'"{qualifiers()[row["qualifier"]].label[lang]} "' if row["qualifier"] else ""
    return _number(row["value"], about) if row["denominator"] is None else ratio(row, pattern=about + PERCENT)
