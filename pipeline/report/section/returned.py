"""What returns tell of the whole: figures that sentences name, and a table for each return that none names.

Not here: reading returns, computing what follows from them (measure/returns).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import duckdb

from pipeline.declare import report_section as plan
from pipeline.declare.returns import OF_LINES, Return, returns
from pipeline.measure.returns import return_figures, return_indicators
from pipeline.report.book import Book
from pipeline.report.display import VERDICT, number, percent, threshold
from pipeline.report.return_screen import figure, value_pair
from pipeline.report.section.model import Cell, Figure, Head, Line, Sentence, Table

Row = dict[str, Any]
NOTHING = Figure("", "")
JUDGED = ("met", "not_met", "undecided")
WIDTHS = {"document": 38, "choice": 38, "date": 24}  # mm
ALL = ""  # the line of what a return tells of all its lines


@dataclass(frozen=True)
class Returned:
    """figures: (return, line, measure) → row of `return_figures`; rates: (return, line, indicator) → row of
    `return_indicators`; both of one unit and period."""

    figures: dict[tuple[str, str, str], Row]
    rates: dict[tuple[str, str, str], Row]

    def get(self, name: str, words: str, lang: str) -> Figure | None:
        """The figure of `RETURN[.LINE].MEASURE[.told|.asked]` or `RETURN[.LINE].INDICATOR[.threshold|.needed]`; None where it is not told.
        Raises KeyError where no such figure is declared."""
        return_id, *rest = words.split(".")
        declared = returns()[return_id]
        line = declared.lines[rest.pop(0)].name if declared.rows == OF_LINES else ALL
        what, part = rest[0], rest[1] if len(rest) > 1 else None
        if what in declared.indicators:
            return self._rate(name, (return_id, line, what), lang, part)
        row = self.figures.get((return_id, line, declared.measures[what].name))
        if row is None:
            return None
        if part:
            return Figure(name, number(row[part], lang), row[part], cells=(_cell(row, what, part),))
        return _figure(name, row, lang)

    def _rate(self, name: str, key: tuple[str, str, str], lang: str, part: str | None = None) -> Figure | None:
        row = self.rates.get(key)
        if row is None or row["verdict"] == "no_data":
            return None
        if part:
            value = row[part]
            if value is None:
                return None
            shown = threshold(row, lang) if part == "threshold" else number(value, lang)
            return Figure(name, shown, _plain(Decimal(value)), cells=(_cell(row, key[2], part, True),))
        cell = (_cell(row, key[2], of_indicator=True),)
        if row["value"] is None:
            return Figure(name, VERDICT[row["verdict"]][lang], cells=cell)
        about = f"{row['qualifier_label']} " if row.get("qualifier_label") else ""
        if row["denominator"] is None:
            told = figure(row | {"qualifier_label": None, "word_label": None, "day": None}, lang)
            return Figure(name, about + told, _plain(row["value"]), cells=cell)
        n, d = value_pair(row["numerator"], row["denominator"])
        return Figure(name, about + percent(n, d, lang), str(row["value"]), n, d, cell)


def returned(con: duckdb.DuckDBPyConnection, book: Book, lang: str) -> Returned:
    """What returns tell of a book's whole. con: as the book was opened."""
    figures = [r for r in return_figures(con, book.period.key, lang=lang) if r["unit_id"] == book.top]
    rates = [r for r in return_indicators(con, book.period.key, lang=lang) if r["unit_id"] == book.top]
    return Returned(
        {(r["return_id"], r["line"], r["measure"]): r for r in figures},
        {(r["return_id"], r["line"], r["indicator"]): r for r in rates},
    )


@cache
def named() -> frozenset[str]:
    """The returns whose figures sentences name."""
    words = " ".join(said.words.vi for said in plan.sentences().values())
    return frozenset(name for name in returns() if f"{{r.{name}." in words)


def tables(told: Returned, number: int, name: str, lang: str) -> Iterator[Table]:
    """A table for each other return of which anything is told, by section of the report, numbered from `number` on."""
    others = [r for r in returns().values() if r.id not in named()]
    for one in sorted(others, key=lambda r: r.section):
        heads, lines = (_by_line if one.rows == OF_LINES else _by_measure)(told, one, lang)
        if not lines:
            continue
        facts = {"label": Figure("label", one.label[lang]), "section": Figure("section", one.section)}
        words = plan.grids()["returns"].caption[lang]
        caption = words.format(**{key: fact.display for key, fact in facts.items()})
        sentence = Sentence(f"{name}.{one.id}.caption", caption, None, tuple(facts.values()))
        title = f"{plan.word('table')[lang]} {number}. {caption}"
        yield Table(f"{name}.{one.id}", number, title, sentence, tuple(heads), tuple(lines), None)
        number += 1


def _by_line(told: Returned, one: Return, lang: str) -> tuple[list[Head], list[Line]]:
    """A row for each line of which anything is told; measures and what follows from each line beside each other."""
    keys = [m for m in one.measures if any(_told(told, one, line, m) for line in one.lines)]
    each = [
        c
        for c, i in one.indicators.items()
        if i.over == "each" and any((one.id, line, c) in told.rates for line in one.lines)
    ]
    judged = [
        c for c in each if any(told.rates.get((one.id, line, c), {}).get("verdict") in JUDGED for line in one.lines)
    ]
    heads = [Head(plan.word("content")[lang], None, 0)]
    heads += [Head(_label(told, one, m, lang), None, WIDTHS.get(one.measures[m].kind, 26)) for m in keys]
    for code in each:
        heads.append(Head(one.indicators[code].label[lang], None, 28))
        heads += [Head(plan.word("verdict")[lang], None, 22)] if code in judged else []
    lines = []
    for line in one.lines:
        if not any(_told(told, one, line, measure) for measure in keys):
            continue
        cells = [_figure_or_nothing(told, one, line, measure, lang) for measure in keys]
        for code in each:
            cells.append(told._rate(code, (one.id, line, code), lang) or NOTHING)
            if code in judged:
                cells.append(_verdict(told.rates.get((one.id, line, code)), lang))
        lines.append(Line(Figure("line", one.lines[line].label[lang]), tuple(cells), False))
    width = len(heads) - 1
    for code, indicator in one.indicators.items():
        found = told._rate(code, (one.id, ALL, code), lang)
        if found and lines:
            cells = [found] + [NOTHING] * (width - 1)
            lines.append(Line(Figure("indicator", indicator.label[lang]), tuple(cells), True))
    return heads, lines


def _by_measure(told: Returned, one: Return, lang: str) -> tuple[list[Head], list[Line]]:
    """A row for each measure that is told, then for each indicator."""
    heads = [Head(plan.word("content")[lang], None, 0), Head(plan.word("value")[lang], None, 40)]
    lines = []
    for measure in one.measures:
        if _told(told, one, ALL, measure):
            cells = (_figure_or_nothing(told, one, ALL, measure, lang),)
            lines.append(Line(Figure("measure", _label(told, one, measure, lang)), cells, False))
    for code, indicator in one.indicators.items():
        found = told._rate(code, (one.id, ALL, code), lang)
        if found and lines:
            lines.append(Line(Figure("indicator", indicator.label[lang]), (found,), True))
    return heads, lines


def _told(told: Returned, one: Return, line: str, measure: str) -> bool:
    return bool(told.figures.get((one.id, line, measure), {"told": 0})["told"])


def _label(told: Returned, one: Return, measure: str, lang: str) -> str:
    """What a measure is called, with what it is counted in where all lines have the same."""
    label = one.measures[measure].label[lang]
    of = {row["of"] for (return_id, _, m), row in told.figures.items() if (return_id, m) == (one.id, measure)}
    return f"{label} ({only})" if len(of) == 1 and (only := of.pop()) else label


def _figure_or_nothing(told: Returned, one: Return, line: str, measure: str, lang: str) -> Figure:
    row = told.figures.get((one.id, line, measure))
    found = _figure(f"r.{one.id}.{measure}", row, lang) if row and row["told"] else None
    if found is None or row is None:
        return NOTHING
    of = {r["of"] for (return_id, _, m), r in told.figures.items() if (return_id, m) == (one.id, measure)}
    if row["of"] and len(of) > 1:  # lines that are counted in different things say so themselves
        return Figure(found.name, f"{found.display} {row['of']}", found.value, cells=found.cells)
    return found


def _figure(name: str, row: Row, lang: str) -> Figure | None:
    """What a cell tells; None where it tells nothing, or a sum lacks units."""
    if row["value"] is None and row["word"] is None and row["day"] is None:
        return None
    value = None if row["value"] is None else _plain(row["value"])
    return Figure(name, figure(row, lang), value, cells=(_cell(row, row["measure"]),))


def _verdict(row: Row | None, lang: str) -> Figure:
    if row is None or row["verdict"] not in JUDGED:
        return NOTHING
    return Figure("verdict", VERDICT[row["verdict"]][lang], cells=(_cell(row, row["indicator"], "verdict", True),))


def _cell(row: Row, what: str, part: str | None = None, of_indicator: bool = False) -> Cell:
    where = f"{row['file']}, {row['sheet']}, {row['cell']}" if row.get("cell") else None
    name = ".".join(filter(None, (row["return_id"], row["line"], what)))
    return Cell(row["period"], row["unit_id"], name, part, "indicators" if of_indicator else "figures", where)


def _plain(value: Decimal) -> int | str:
    """A whole number as one, any other exactly."""
    return int(value) if value == int(value) else format(value.normalize(), "f")
