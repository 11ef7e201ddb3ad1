"""Definitions with their sources and marks, thresholds in force, and what the workbook was made from."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

import duckdb

from pipeline.declare.definitions import definition, figures
from pipeline.declare.figures import indicators
from pipeline.declare.marks import mark_of
from pipeline.declare.rules import OURS, rule_sets
from pipeline.declare.text import Text
from pipeline.measure.exact import decimal_of
from pipeline.report.book import Book
from pipeline.report.display import BASIS, COVERAGE, day, threshold
from pipeline.report.sheets.styles import Styles
from pipeline.report.sheets.table import Cell, Column, table_sheet
from pipeline.warehouse.sql import rows_of

if TYPE_CHECKING:
    from xlsxwriter import Workbook

DEFINITIONS = (
    Text("Định nghĩa", "Definitions"),
    Text("Định nghĩa, căn cứ, mức chắc chắn", "Definitions, sources, marks"),
)
RELEASE = Text("Bản công bố", "Release"), Text("Số liệu này được làm từ đâu", "What these figures were made from")
KIND = {
    "indicators": Text("chỉ tiêu", "indicator"),
    "stats": Text("số hồ sơ", "count"),
    "ii06a": Text("cột biểu II.06a", "column of form II.06a"),
    "threshold": Text("ngưỡng", "threshold"),
}


def definitions_sheet(con: duckdb.DuckDBPyConnection, file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """Every figure of the workbook in words, and the thresholds in force on the period's last day."""
    rows: list[dict[str, Cell]] = [
        {
            "code": figure.code,
            "kind": KIND[figure.table][lang],
            "label": figure.label[lang],
            "definition": definition(figure)[lang],
            "source": figure.source[lang],
            "mark": mark_of(figure.mark)[lang],
        }
        for figure in figures().values()
        if figure.table in KIND
    ]
    in_force = rows_of(
        con,
        """SELECT DISTINCT indicator, operator, value_p, value_q, basis_vi, basis_en, mark, valid_from, valid_to
           FROM threshold WHERE valid_from <= $1 AND (valid_to IS NULL OR valid_to >= $1) ORDER BY ALL""",
        [book.period.end],
    )
    for r in in_force:
        since = f"{Text('từ', 'from')[lang]} {day(r['valid_from'], lang)}"
        until = f" {Text('đến', 'to')[lang]} {day(r['valid_to'], lang)}" if r["valid_to"] else ""
        r["threshold"] = decimal_of(Fraction(r["value_p"], r["value_q"]))
        rows.append(
            {
                "code": r["indicator"],
                "kind": KIND["threshold"][lang],
                "label": indicators()[r["indicator"]].label[lang],
                "definition": f"{threshold(r, lang)}, {since}{until}",
                "source": r[f"basis_{lang}"],
                "mark": mark_of(r["mark"])[lang],
            }
        )
    columns = [
        Column("code", Text("Mã", "Code"), 28),
        Column("kind", Text("Loại", "Kind"), 18),
        Column("label", Text("Tên", "Name"), 36),
        Column("definition", Text("Định nghĩa", "Definition"), 60),
        Column("source", Text("Căn cứ", "Source"), 50),
        Column("mark", Text("Mức chắc chắn", "How sure"), 30),
    ]
    table_sheet(file, styles, DEFINITIONS[0][lang], DEFINITIONS[1], book, columns, rows, lang)


def release_sheet(con: duckdb.DuckDBPyConnection, file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """Release, known time, seal, hashes, rules, unit, period, coverage: item and value."""
    whole, info = book.whole, book.info
    seal = con.execute("SELECT sha256 FROM seal WHERE period = ? AND counts", [book.period.key]).fetchone()
    rules = rule_sets()[book.rules]
    basis = BASIS[whole["basis"]][lang] if whole["basis"] in BASIS else Text("theo sổ theo dõi", "registers")[lang]
    told: list[tuple[Text, str | None]] = [
        (Text("Kỳ báo cáo", "Period"), f"{book.period.label[lang]} ({book.period.key})"),
        (Text("Từ ngày", "From"), day(book.period.start, lang)),
        (Text("Đến ngày", "To"), day(book.period.end, lang)),
        (Text("Đơn vị", "Unit"), f"{book.names[book.top]} ({whole['unit_code']})"),
        (Text("Ngày chốt", "As of"), day(whole["as_of"], lang)),
        (Text("Mức đủ số liệu", "Coverage"), COVERAGE[whole["coverage"]][lang]),
        (Text("Còn thiếu", "Missing"), whole[f"missing_{lang}"]),
        (Text("Số liệu từ", "Figures from"), basis if whole["basis"] else None),
        (Text("Biết đến", "Known until"), day(datetime.fromisoformat(info["known_at"]), lang)),
        (Text("Theo những gì biết đến", "As known at"), day(book.as_known, lang)),
        (Text("Dấu chốt", "Seal"), whole["seal"]),
        (Text("Mã băm của lần chốt", "Hash of the seal"), seal[0] if seal and whole["seal"] else None),
        (Text("Cách tính", "Rules"), f"{rules.label[lang]} ({rules.name})"),
        (Text("Bản công bố", "Release"), info["release"]),
        (Text("Mã băm đầu vào", "Hash of the inputs"), info["inputs"]),
        (Text("Mã băm chương trình và khai báo", "Hash of program and declarations"), info["code_and_declarations"]),
        (Text("Phiên bản Motcua", "Version of Motcua"), info["motcua"]),
        (Text("Cấu trúc bảng", "Schema version"), info["schema_version"]),
    ]
    if book.rules != OURS:
        told.insert(13, (Text("Về cách tính", "About the rules"), rules.about[lang]))
    columns = [Column("item", Text("Mục", "Item"), 44, 40), Column("value", Text("Nội dung", "Content"), 90, 80)]
    rows: list[dict[str, Cell]] = [{"item": item[lang], "value": value or "–"} for item, value in told]
    table_sheet(file, styles, RELEASE[0][lang], RELEASE[1], book, columns, rows, lang, filtered=False)
