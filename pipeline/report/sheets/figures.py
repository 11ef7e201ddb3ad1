"""Counts of every unit, indicators with verdicts, and which units meet which threshold."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.declare.figures import indicators, measures
from pipeline.declare.text import Text, declared
from pipeline.report.book import Book
from pipeline.report.display import BASIS, COVERAGE, NO_DATA, OPERATOR, VERDICT
from pipeline.report.screen import LEVEL, heading
from pipeline.report.sheets.styles import COUNT, DECIMAL, PERCENT, Styles, share
from pipeline.report.sheets.table import HEAD_AT, Cell, Column, Number, ratio, table_sheet

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

Row = dict[str, Any]
COUNTS = Text("Số hồ sơ", "Counts"), Text("Số hồ sơ theo đơn vị", "Dossiers by unit")
FIELDS = Text("Số hồ sơ (lĩnh vực)", "Counts by field"), Text("Số hồ sơ theo lĩnh vực", "Dossiers by field")
RATES = Text("Chỉ tiêu", "Indicators"), Text("Chỉ tiêu và kết luận theo đơn vị", "Indicators and verdicts by unit")
LISTS = (
    Text("Đạt, chưa đạt", "Met, not met"),
    Text("Đơn vị đạt, chưa đạt từng ngưỡng", "Units that meet each threshold or not"),
)
MATRIX = (
    Text("Bảng chỉ tiêu", "Matrix"),
    Text("Bảng chỉ tiêu: ✓ đạt, ✗ chưa đạt ngưỡng", "Indicators by unit: ✓ met, ✗ not met"),
)
YES = Text("có", "yes")
SIGNS = {"met": '"✓ "', "not_met": '"✗ "'}  # said by a sign, not by the filling alone
ORDER = ("not_met", "met", "nothing_arisen", "no_data")


def counts_sheet(file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """Every measure of every unit and sum of units."""
    rows: list[dict[str, Cell]] = []
    for unit_id, row in book.counts[book.period.key].items():
        told: dict[str, Cell] = _frame(book, unit_id, row, lang)
        told |= {name: NO_DATA[lang] if row["coverage"] == "no_data" else row[name] for name in measures()}
        rows.append(told)
    missing = _columns("missing", wide=40) if any(row["missing"] for row in rows) else []
    columns = [*_columns("unit_code", "unit", "level", "coverage", "as_of"), *_columns(*measures(), wide=13), *missing]
    table_sheet(file, styles, COUNTS[0][lang], COUNTS[1], book, columns, rows, lang, _is_sum(lang), frozen=2)


def fields_sheet(file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """Every measure of the whole by field."""
    unknown = Text("không rõ lĩnh vực", "field not known")[lang]
    rows: list[dict[str, Cell]] = [
        {"field": row["field"] or unknown}
        | {name: NO_DATA[lang] if row["coverage"] == "no_data" else row[name] for name in measures()}
        for row in book.fields
    ]
    columns = [*_columns("field", wide=44), *_columns(*measures(), wide=13)]
    table_sheet(file, styles, FIELDS[0][lang], FIELDS[1], book, columns, rows, lang)


def indicators_sheet(file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """Every indicator of every unit and sum of units, with conditions on the verdicts."""
    rows: list[dict[str, Cell]] = []
    for (unit_id, _), row in book.rates[book.period.key].items():
        rows.append(_frame(book, unit_id, row, lang) | _judged(row, lang))
    names = (
        "unit_code",
        "unit",
        "level",
        "label",
        "numerator",
        "denominator",
        "unknown",
        "value",
        "threshold",
        "verdict",
    )
    columns = [*_columns(*names, wide=58), Column("near", Text("Sát ngưỡng", "Near")), *_columns("needed", wide=14)]
    sheet = table_sheet(file, styles, RATES[0][lang], RATES[1], book, columns, rows, lang, _is_sum(lang), frozen=2)
    conditions(sheet, styles, [c.key for c in columns], len(rows), lang)


def matrix_sheet(file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """Units × the indicators of the overview: each value with the sign and the filling of its verdict."""
    codes = declared("workbook.toml")["overview"]["indicators"]
    rates = book.rates[book.period.key]
    rows: list[dict[str, Cell]] = [
        _frame(book, unit_id, rates[unit_id, codes[0]], lang) | {c: _in_matrix(rates[unit_id, c], lang) for c in codes}
        for unit_id in book.units
    ]
    columns = [*_columns("unit_code", "unit", "level"), *(Column(c, indicators()[c].label, 19) for c in codes)]
    table_sheet(file, styles, MATRIX[0][lang], MATRIX[1], book, columns, rows, lang, _is_sum(lang), frozen=2)


def _in_matrix(row: Row, lang: str) -> Cell:
    kind, verdict = indicators()[row["indicator"]].kind, row["verdict"]
    if verdict in ("nothing_arisen", "no_data"):
        return VERDICT[verdict][lang]
    pattern = {"rate": PERCENT, "count_ratio": PERCENT, "sum": COUNT}.get(kind, DECIMAL)
    return Number(float(row["value"]), SIGNS.get(verdict, "") + pattern, verdict if verdict in SIGNS else "")


def lists_sheet(file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """Per threshold the units that do not meet it, the lowest first, then those that do; how many dossiers are lacking."""
    judged = [
        (unit_id, row)
        for (unit_id, _), row in book.rates[book.period.key].items()
        if row["level"] == "unit" and row["operator"]
    ]
    codes = list(indicators())
    judged.sort(
        key=lambda one: (
            codes.index(one[1]["indicator"]),
            ORDER.index(one[1]["verdict"]),
            one[1]["value"] or Decimal(0),
        )
    )
    rows: list[dict[str, Cell]] = [_frame(book, unit_id, row, lang) | _judged(row, lang) for unit_id, row in judged]
    names = ("label", "threshold", "verdict", "unit_code", "unit", "numerator", "denominator", "unknown", "value")
    columns = [*_columns(*names, wide=58), Column("near", Text("Sát ngưỡng", "Near")), *_columns("needed", wide=14)]
    sheet = table_sheet(file, styles, LISTS[0][lang], LISTS[1], book, columns, rows, lang)
    if not rows:
        sheet.write_string(HEAD_AT + 1, 0, VERDICT["no_target"][lang], styles("indented", "italic"))
    conditions(sheet, styles, [c.key for c in columns], len(rows), lang)


def _columns(*keys: str, wide: int = 28) -> list[Column]:
    return [Column(key, Text(heading(key, "vi"), heading(key, "en")), wide) for key in keys]


def _frame(book: Book, unit_id: str, row: Row, lang: str) -> dict[str, Cell]:
    basis = f", {BASIS[row['basis']][lang]}" if row["basis"] in BASIS else ""
    return {
        "unit_code": row["unit_code"],
        "unit": book.names.get(unit_id, row["unit"]),
        "level": LEVEL[row["level"]][lang],
        "coverage": COVERAGE[row["coverage"]][lang] + basis,
        "as_of": row["as_of"],
        "missing": row["missing"],
    }


def _judged(row: Row, lang: str) -> dict[str, Cell]:
    """The cells of a row of `motcua indicators`: a rate is a live quotient of the cells beside it."""
    kind, verdict = indicators()[row["indicator"]].kind, row["verdict"]
    value: Cell
    if verdict in ("nothing_arisen", "no_data"):
        value = VERDICT[verdict][lang]
    elif kind in ("rate", "count_ratio"):
        value = ratio(row)
    elif kind == "mean":
        value = ratio(row, pattern=DECIMAL)
    else:
        value = row["numerator"] if kind == "sum" else row["value"]
    return {
        "label": row["label"],
        "numerator": row["numerator"],
        "denominator": row["denominator"],
        "unknown": row["unknown"],
        "value": value,
        "threshold": None if row["threshold"] is None else threshold_cell(row),
        "verdict": VERDICT[verdict][lang],
        "near": YES[lang] if row["near"] else "",
        "needed": row["needed"],
    }


def threshold_cell(row: Row) -> Number:
    """`> 70 %`: a number cell that shows its operator."""
    return Number(float(row["threshold"]), share(row["threshold"], OPERATOR[row["operator"]]))


def conditions(sheet: Worksheet, styles: Styles, keys: list[str], rows: int, lang: str) -> None:
    """Fillings under verdicts, beside their words."""
    first, last = HEAD_AT + 1, HEAD_AT + max(1, rows)
    for verdict in ("met", "not_met"):
        at = keys.index("verdict")
        told = {
            "type": "cell",
            "criteria": "==",
            "value": f'"{VERDICT[verdict][lang]}"',
            "format": styles.condition(verdict),
        }
        sheet.conditional_format(first, at, last, at, told)
    at = keys.index("near")
    told = {"type": "cell", "criteria": "==", "value": f'"{YES[lang]}"', "format": styles.condition("near")}
    sheet.conditional_format(first, at, last, at, told)


def _is_sum(lang: str) -> Any:
    return lambda row: row["level"] != LEVEL["unit"][lang]
