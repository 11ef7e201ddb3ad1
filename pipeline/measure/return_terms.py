"""Figures of returns as numbers with bounds: "about 500" lies between two numbers, and a verdict stands only where it is
the same over the whole span.

Exact fractions throughout; rounded at display alone. Not here: which return counts (warehouse/returns).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from pipeline.declare.periods import Period
from pipeline.declare.returns import NO_LINE, WEEKS, Factor, Return, ReturnIndicator, Target, qualifiers

DAYS_OF_A_WEEK = 7


@dataclass(frozen=True)
class Told:
    """What a cell tells. value: of a number; word: of a choice, an answer or a document."""

    value: Fraction | None = None
    word: str | None = None
    qualifier: str | None = None


@dataclass(frozen=True)
class Span:
    """A figure and between which numbers the true one lies; high null: no bound. Figures of returns are never below 0."""

    value: Fraction
    low: Fraction
    high: Fraction | None

    @property
    def qualifier(self) -> str | None:
        """How exact the figure is: null, about, at_least, at_most."""
        if self.low == self.value == self.high:
            return None
        if self.high is None:
            return "at_least" if self.low == self.value else "about"
        return "at_most" if self.high == self.value and self.low == 0 else "about"


Cells = dict[tuple[str, str], Told]  # (line, measure) → what is told
ONE, NONE = Span(Fraction(1), Fraction(1), Fraction(1)), Span(Fraction(0), Fraction(0), Fraction(0))


def exact(value: Fraction) -> Span:
    return Span(value, value, value)


def span_of(told: Told) -> Span | None:
    if told.value is None:
        return None
    if told.qualifier is None:
        return exact(told.value)
    how = qualifiers()[told.qualifier]
    low = told.value * how.low if how.low is not None else Fraction(0)
    return Span(told.value, low, None if how.high is None else told.value * how.high)


def added(spans: Iterable[Span | None]) -> Span | None:
    """Their sum; unknown in one part, unknown in sum. None of no parts."""
    found = list(spans)
    known = [span for span in found if span is not None]
    if not found or len(known) < len(found):
        return None
    highs = [span.high for span in known]
    high = None if None in highs else sum((h for h in highs if h is not None), Fraction(0))
    return Span(sum((s.value for s in known), Fraction(0)), sum((s.low for s in known), Fraction(0)), high)


def product(spans: list[Span | None]) -> Span | None:
    found = ONE
    for span in spans:
        if span is None:
            return None
        high = None if found.high is None or span.high is None else found.high * span.high
        found = Span(found.value * span.value, found.low * span.low, high)
    return found


def terms(declared: Return, indicator: ReturnIndicator, cells: Cells, period: Period) -> dict[str, tuple[Span | None, Span | None]]:  # fmt: skip
    """line → (numerator, denominator) of one unit; null where the cells do not tell it."""
    lines = list(declared.lines) or [NO_LINE]
    if indicator.over == "each":
        return {
            line: (
                _term(indicator.numerator, line, cells, period),
                _term(indicator.denominator, line, cells, period),
            )
            for line in lines
        }
    if indicator.over == "lines":
        return {
            NO_LINE: (
                _term(indicator.numerator, NO_LINE, cells, period),
                _term(indicator.denominator, NO_LINE, cells, period),
            )
        }

    def over_all(term: tuple[Factor, ...]) -> Span | None:
        return added([span for line in lines if (span := _term(term, line, cells, period))])

    return {NO_LINE: (over_all(indicator.numerator), over_all(indicator.denominator))}


def _term(term: tuple[Factor, ...], line: str, cells: Cells, period: Period) -> Span | None:
    return product([_factor(factor, line, cells, period) for factor in term]) if term else None


def _factor(factor: Factor, line: str, cells: Cells, period: Period) -> Span | None:
    if factor.measure == WEEKS:
        return exact(Fraction(((period.end - period.start).days + 1) // DAYS_OF_A_WEEK))
    told = cells.get((factor.line or line, factor.measure), Told())
    if factor.word is None:
        return span_of(told)
    if told.word is None:
        return None
    return ONE if factor.word in ("*", told.word) else NONE


# ---- verdicts


@dataclass(frozen=True)
class Judged:
    """verdict: met | not_met | undecided (the figure is not exact enough) | no_target | nothing_arisen | no_data.
    needed: what the numerator lacks."""

    verdict: str
    value: Fraction | None = None
    qualifier: str | None = None
    near: bool = False
    needed: Fraction | None = None


def judge(
    numerator: Span | None, denominator: Span | None, divides: bool, target: Target | None, whole: bool
) -> Judged:
    """divides: whether the indicator has a denominator. whole: whether the numerator counts, so that what it lacks is a
    whole number."""
    if numerator is None or (divides and denominator is None):
        return Judged("no_data")
    if not divides or denominator is None:
        return Judged("no_target", numerator.value, numerator.qualifier)
    if denominator.value == 0:
        return Judged("nothing_arisen")
    value = numerator.value / denominator.value
    low = Fraction(0) if denominator.high is None else numerator.low / denominator.high
    high = None if numerator.high is None or denominator.low == 0 else numerator.high / denominator.low
    span = Span(value, low, high)
    if target is None:
        return Judged("no_target", value, span.qualifier)
    at_low = _holds(low, target)
    at_high = target.operator in (">", ">=") if high is None else _holds(high, target)
    verdict = "undecided" if at_low != at_high else "met" if at_low else "not_met"
    near = abs(value - target.value) <= target.near
    lacking = target.value * denominator.value - numerator.value
    needed = None
    if verdict == "not_met" and target.operator == ">=":
        needed = Fraction(math.ceil(lacking)) if whole else lacking
    return Judged(verdict, value, span.qualifier, near, needed)


def _holds(value: Fraction, target: Target) -> bool:
    return {
        ">": value > target.value,
        ">=": value >= target.value,
        "<": value < target.value,
        "<=": value <= target.value,
    }[target.operator]
