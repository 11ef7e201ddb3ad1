"""The overview: the whole's counts and indicators with their change to the period before and to a year earlier, and how
many units meet each threshold.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.declare.figures import indicators, measures
from pipeline.declare.periods import Period
from pipeline.declare.text import Text, declared
from pipeline.measure.change import count_change, indicator_change
from pipeline.report.book import Book
from pipeline.report.display import COVERAGE, NO_DATA, VERDICT, threshold
from pipeline.report.sheets.styles import COUNT, DECIMAL, PERCENT, Styles
from pipeline.report.sheets.table import HEAD_AT, Cell, Column, Formula, Number, table_sheet, write

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

NAME, TITLE = Text("Tổng quan", "Overview"), Text("Tổng quan số liệu giải quyết TTHC", "Overview")
RATIOS = ("rate", "count_ratio")
MORE = "+#,##0;-#,##0;0"
MORE_DAYS = "+#,##0.00;-#,##0.00;0.00"
POINTS = Text('+0.00" điểm %";-0.00" điểm %";0.00" điểm %"', '+0.00" pp";-0.00" pp";0.00" pp"')
VERDICTS = ("met", "not_met", "nothing_arisen", "no_data")


def overview_sheet(file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """Adds the sheet."""
    before = _before(book)
    columns = [
        Column("figure", Text("Chỉ số", "Figure"), 48),
        Column("now", _of(Text("Kỳ này", "This period"), book.period), 20),
    ]
    for key, words, period in before:
        more = Text(f"Tăng (+), giảm (–) so với {words.vi.lower()}", f"Change from {words.en.lower()}")
        columns += [Column(key, _of(words, period), 20), Column(f"more_{key}", more, 20)]
    told = declared("workbook.toml")["overview"]
    rows = [_count_row(book, name, lang) for name in told["counts"]]
    rows += [_indicator_row(book, code, lang) for code in told["indicators"]]
    sheet = table_sheet(file, styles, NAME[lang], TITLE, book, columns, rows, lang, filtered=False)
    at = _thresholds(sheet, styles, book, HEAD_AT + len(rows) + 2, lang)
    _units(sheet, styles, book, at + 1, lang)


def _before(book: Book) -> list[tuple[str, Text, Period]]:
    """The periods to compare with: of a year, and of nine months, both are the same one."""
    found = [("before", Text("Kỳ trước", "Period before"), book.earlier)]
    if book.a_year_earlier != book.earlier:
        found.append(("year", Text("Cùng kỳ năm trước", "A year earlier"), book.a_year_earlier))
    return found


def _of(words: Text, period: Period) -> Text:
    return Text(f"{words.vi}: {period.label.vi}", f"{words.en}: {period.label.en}")


def _count_row(book: Book, name: str, lang: str) -> dict[str, Cell]:
    def told(period: Period) -> int | None:
        row = book.count(book.top, period)
        return row[name] if row else None

    now = told(book.period)
    cells: dict[str, Cell] = {"figure": measures()[name].label[lang], "now": NO_DATA[lang] if now is None else now}
    for key, _, period in _before(book):
        then = told(period)
        more = count_change(now, then)
        cells[key] = NO_DATA[lang] if then is None else then
        cells[f"more_{key}"] = None if more is None else Formula(f"={{now}}-{{{key}}}", more, MORE)
    return cells


def _indicator_row(book: Book, code: str, lang: str) -> dict[str, Cell]:
    is_ratio = indicators()[code].kind in RATIOS
    now = book.rate(book.top, code)
    cells: dict[str, Cell] = {"figure": indicators()[code].label[lang], "now": _value(now, lang)}
    for key, _, period in _before(book):
        then = book.rate(book.top, code, period)
        more = indicator_change(now, then)
        cells[key] = _value(then, lang)
        if more is None:
            cells[f"more_{key}"] = None
        elif is_ratio:
            cells[f"more_{key}"] = Formula(f"=({{now}}-{{{key}}})*100", float(more * 100), POINTS[lang])
        else:
            whole = indicators()[code].kind == "sum"
            cells[f"more_{key}"] = Formula(f"={{now}}-{{{key}}}", float(more), MORE if whole else MORE_DAYS)
    return cells


def _value(row: dict | None, lang: str) -> Cell:
    if row is None or row["verdict"] in ("no_data", "nothing_arisen"):
        return VERDICT["no_data" if row is None else row["verdict"]][lang]
    kind = indicators()[row["indicator"]].kind
    return Number(float(row["value"]), PERCENT if kind in RATIOS else COUNT if kind == "sum" else DECIMAL)


def _thresholds(sheet: Worksheet, styles: Styles, book: Book, at: int, lang: str) -> int:
    """How many units meet each threshold; returns the row below."""
    rows = [r for r in book.rates[book.period.key].values() if r["level"] == "unit" and r["operator"]]
    counts = Counter((r["indicator"], threshold(r, lang), r["verdict"]) for r in rows)
    named = list(dict.fromkeys((r["indicator"], r["label"], threshold(r, lang)) for r in rows))
    heads = [Text("Ngưỡng: số đơn vị", "Threshold: units")[lang], *(VERDICT[v][lang] for v in VERDICTS)]
    for place, words in enumerate(heads):
        sheet.write_string(at, place, words, styles("head", "framed"))
    sheet.set_row(at, 34)
    for n, (code, label, told) in enumerate(named, 1):
        write(sheet, styles, at + n, 0, f"{label} {told}", {})
        for place, verdict in enumerate(VERDICTS, 1):
            write(sheet, styles, at + n, place, counts[code, told, verdict], {})
        sheet.set_row(at + n, 18)
    if not named:
        write(sheet, styles, at + 1, 0, VERDICT["no_target"][lang], {})
    return at + max(1, len(named)) + 1


def _units(sheet: Worksheet, styles: Styles, book: Book, at: int, lang: str) -> None:
    """How many units are covered."""
    counts = Counter(row["coverage"] for row in book.leaves.values())
    sheet.write_string(at, 0, Text("Mức đủ số liệu: số đơn vị", "Coverage: units")[lang], styles("head", "framed"))
    sheet.write_string(at + 1, 0, Text("Tất cả", "All")[lang], styles("indented", "framed"))
    sheet.write_number(at + 1, 1, len(book.leaves), styles.number(COUNT, "framed"))
    sheet.write_blank(at, 1, None, styles("head", "framed"))
    for n, coverage in enumerate(COVERAGE, 2):
        sheet.write_string(at + n, 0, COVERAGE[coverage][lang], styles("indented", "framed"))
        sheet.write_number(at + n, 1, counts[coverage], styles.number(COUNT, "framed"))
