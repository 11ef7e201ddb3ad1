"""What a placeholder of the section's words means in a book: a figure with its cells, or a fact of the release.

Not here: the words (declare/report_sentences.toml), which sentences are said (tell).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from pipeline.declare import report_section as plan
from pipeline.declare.figures import indicators, measures, thresholds
from pipeline.declare.periods import Period, schemes
from pipeline.declare.rules import rule_sets
from pipeline.declare.units import split_name
from pipeline.measure.change import count_change, indicator_change
from pipeline.report.book import Book
from pipeline.report.display import VERDICT, day, half_up, indicator_value, number, threshold
from pipeline.report.section.model import Cell, Figure
from pipeline.report.section.returned import Returned

Row = dict[str, Any]
PARTS = ("numerator", "denominator", "unknown", "needed")


def whole_number(name: str, value: int, lang: str) -> Figure:
    """A number that the document itself gives: of units in a list, of lines in a table."""
    return Figure(name, number(value, lang), value)


@dataclass(frozen=True)
class Scope:
    """Of which unit, indicator (`it`) and other period (`then`) a sentence speaks; returned: what returns tell of the
    book's whole."""

    book: Book
    lang: str
    unit_id: str
    of: str | None = None
    then: Period | None = None
    returned: Returned | None = None

    def about(self, unit_id: str) -> Scope:
        return replace(self, unit_id=unit_id)

    @property
    def row(self) -> Row:
        return self.book.units[self.unit_id]

    def verdict(self, indicator: str | None = None) -> str:
        row = self.book.rate(self.unit_id, (indicator if indicator not in (None, "it") else self.of) or "")
        return row["verdict"] if row else "no_data"

    def get(self, name: str) -> Figure | None:
        """What a placeholder stands for; None where it is not known. Raises KeyError where there is no such name."""
        first, _, rest = name.partition(".")
        if first == "r":
            return (self.returned or Returned({}, {})).get(name, rest, self.lang)
        if first == "then":
            if rest in ("period", "from", "to", "missing"):
                return self._fact(name, rest, self.then or self.book.period)
            figure, _, part = rest.partition(".")
            return self._change(name, figure) if part == "change" else self._of(name, figure, part, self.then)
        if first == "it" and rest in ("name", "noun", "basis"):
            return self._of_indicator(name, rest)
        if first == "it" or first in measures() or first in indicators():
            return self._of(name, self.of or "" if first == "it" else first, rest, self.book.period)
        return self._fact(name, first, self.book.period)

    # ---- figures

    def _of(self, name: str, figure: str, part: str, period: Period | None) -> Figure | None:
        period = period or self.book.period
        cell = Cell(period.key, self.unit_id, figure, part or None)
        if figure in measures():
            row = self.book.count(self.unit_id, period)
            value = row[figure] if row else None
            return None if value is None else Figure(name, number(value, self.lang), value, cells=(cell,))
        row = self.book.rate(self.unit_id, indicators()[figure].code, period)
        if row is None:
            return None
        if part in PARTS:
            value = row[part]
            return None if value is None else Figure(name, number(value, self.lang), value, cells=(cell,))
        if part == "threshold":
            if row["threshold"] is None:
                return None
            return Figure(name, threshold(row, self.lang), str(row["threshold"]), cells=(cell,))
        if part == "verdict":
            return Figure(name, VERDICT[row["verdict"]][self.lang], cells=(cell,))
        if row["verdict"] == "no_data":
            return None
        value = None if row["value"] is None else _plain(row["value"])
        if indicators()[figure].kind == "sum":
            value = row["numerator"]
        return Figure(name, indicator_value(row, self.lang), value, row["numerator"], row["denominator"], cells=(cell,))

    def _change(self, name: str, figure: str) -> Figure | None:
        """By how much the figure is more than in the other period: `tăng 12 hồ sơ`, `giảm 0,12 điểm phần trăm`."""
        then = self.then or self.book.period
        cells = tuple(Cell(p.key, self.unit_id, figure) for p in (self.book.period, then))
        rows = [self.book.count(self.unit_id, p) for p in (self.book.period, then)]
        if figure in measures():
            change: Fraction | int | None = count_change(*(row[figure] if row else None for row in rows))
            digits, what = 0, "dossiers"
        else:
            change = indicator_change(*(self.book.rate(self.unit_id, figure, p) for p in (self.book.period, then)))
            kind = indicators()[figure].kind
            digits, what = (0, "dossiers") if kind == "sum" else (2, "days")
            if kind in ("rate", "count_ratio"):
                change, what = None if change is None else change * 100, "points"
        if change is None:
            return None
        shown = half_up(Fraction(change), digits)
        if shown == 0:
            return Figure(name, plan.word("same")[self.lang], str(shown), cells=cells)
        words = (plan.word("up" if shown > 0 else "down"), plan.word(what))
        told = f"{words[0][self.lang]} {number(abs(shown), self.lang, digits)} {words[1][self.lang]}"
        return Figure(name, told, str(shown), cells=cells)

    # ---- facts

    def _of_indicator(self, name: str, what: str) -> Figure | None:
        one = indicators()[self.of or ""]
        text = {"name": one.label, "noun": plan.noun(one.code)}.get(what)
        if what == "basis":
            row = self.book.rate(self.unit_id, one.code) or {"threshold": None, "operator": None}
            found = {
                t.basis
                for t in thresholds()
                if (t.indicator, t.operator) == (one.code, row["operator"])
                and row["threshold"] == Decimal(t.value.numerator) / Decimal(t.value.denominator)
                and t.valid_from <= self.book.period.end <= (t.valid_to or self.book.period.end)
            }
            text = found.pop() if len(found) == 1 else None
        return Figure(name, text[self.lang]) if text else None

    def _fact(self, name: str, what: str, period: Period) -> Figure | None:
        book, lang = self.book, self.lang
        there = book.count(self.unit_id, period)
        text: str | None
        match what:
            case "period":
                text = inline_period(period, lang)
            case "from":
                text = day(period.start, lang)
            case "to":
                text = day(period.end, lang)
            case "scheme":
                text = schemes()[period.scheme].label[lang]
            case "unit":
                text = inline_name(book.names[self.unit_id]) if lang == "vi" else book.names[self.unit_id]
            case "Unit":
                text = book.names[self.unit_id]
            case "as_of":
                text = day(self.row["as_of"], lang) if self.row["as_of"] else None
            case "missing":
                text = there["missing"] if there else None
            case "seal":
                text = self.row["seal"]
            case "passed_over":
                text = book.passed_over
            case "release":
                text = book.info["release"]
            case "known_at":
                text = day(known_at(book), lang)
            case "rules":
                text = rule_sets()[book.rules].label[lang]
            case "n_units":
                return whole_number(name, len(book.leaves), lang)
            case _:
                raise KeyError(name)
        return Figure(name, text) if text else None


@cache
def inline_name(name: str) -> str:
    """A unit's name within a sentence: `xã Gio An`, `phường 1, thành phố Đông Hà`, but `UBND huyện Gio Linh`, `Gio An`."""
    return ", ".join(part[0].lower() + part[1:] if _has_kind(part) else part for part in name.split(", "))


def _has_kind(name: str) -> bool:
    """Whether a name begins with a word for what the unit is, and not with its own."""
    first = name.partition(" ")[0]
    return not first.isupper() and (split_name(name)[0] is not None or first == "Các")


def known_at(book: Book) -> datetime:
    """The moment by whose knowledge a book is: as it was asked for, else of the newest file, else the period's end."""
    newest = book.info.get("known_at")
    return book.as_known or (datetime.fromisoformat(newest) if newest else datetime.combine(book.period.end, time()))


def inline_period(period: Period, lang: str) -> str:
    label = period.label[lang]
    return label[0].lower() + label[1:]


def _plain(value: Decimal) -> str | int:
    return format(value, "f")
