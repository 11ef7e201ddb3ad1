"""Figures with bounds, and verdicts that stand only where they are the same over the whole span."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pipeline.declare.periods import parse_period
from pipeline.declare.returns import NO_LINE, Target, returns
from pipeline.declare.text import Text
from pipeline.measure.return_terms import Span, Told, added, exact, judge, product, span_of, terms


def target(operator: str = ">=", value: str = "1", near: str = "0.05") -> Target:
    return Target(operator, Fraction(value), Fraction(near), Text("", ""), "")


def told(value: int, qualifier: str | None = None) -> Span:
    span = span_of(Told(Fraction(value), qualifier=qualifier))
    assert span
    return span


@pytest.mark.parametrize(
    ("numerator", "denominator", "operator", "verdict", "near", "needed"),
    [
        (told(272), told(272), ">=", "met", True, None),
        (told(271), told(272), ">=", "not_met", True, 1),
        (told(200), told(272), ">=", "not_met", False, 72),
        (told(0), told(0), ">=", "nothing_arisen", False, None),
        (None, told(272), ">=", "no_data", False, None),
        (told(272), None, ">=", "no_data", False, None),
        (told(500, "about"), told(520), ">=", "undecided", True, None),
        (told(500, "about"), told(400), ">=", "met", False, None),
        (told(500, "about"), told(600), ">=", "not_met", False, 100),
        (told(500, "at_least"), told(520), ">=", "undecided", True, None),
        (told(520, "at_least"), told(520), ">=", "met", True, None),
        (told(519, "at_most"), told(520), ">=", "not_met", True, 1),
        (told(600, "at_most"), told(520), ">=", "undecided", False, None),
        (told(10), told(10, "about"), ">=", "undecided", True, None),
        (told(520), told(520), ">", "not_met", True, None),
        (told(1), told(100), "<=", "met", False, None),
    ],
)
def test_verdicts(
    numerator: Span | None, denominator: Span | None, operator: str, verdict: str, near: bool, needed: int | None
) -> None:
    found = judge(numerator, denominator, True, target(operator), whole=True)
    assert (found.verdict, found.near, found.needed) == (verdict, near, needed)


def test_what_lacks_of_an_amount_is_exact_and_of_a_count_whole() -> None:
    half = exact(Fraction(1, 3))
    assert judge(half, exact(Fraction(1)), True, target(), whole=False).needed == Fraction(2, 3)
    assert judge(half, exact(Fraction(1)), True, target(), whole=True).needed == 1


@pytest.mark.parametrize(
    ("parts", "value", "qualifier"),
    [
        ([told(1), told(2)], 3, None),
        ([told(1), told(2, "about")], 3, "about"),
        ([told(1), told(2, "at_least")], 3, "at_least"),
        ([told(0), told(2, "at_most")], 2, "at_most"),
        ([told(1, "at_most"), told(2, "at_least")], 3, "about"),
    ],
)
def test_sums_are_as_exact_as_their_parts(parts: list[Span | None], value: int, qualifier: str | None) -> None:
    found = added(parts)
    assert found and (found.value, found.qualifier) == (value, qualifier)


def test_what_is_unknown_in_one_part_is_unknown_in_sum() -> None:
    assert added([told(1), None]) is None and added([]) is None
    assert product([told(2), None]) is None and product([told(2), told(3, "about")]) is not None


@pytest.mark.parametrize(
    ("key", "weeks"), [("2024-H1", 26), ("2023-Q3", 13), ("2023-9M", 39), ("2023", 52), ("2023-M09", 4)]
)
def test_the_schedule_of_ten_minutes_twice_a_week(key: str, weeks: int) -> None:
    declared = returns()["communications"]
    cells = {("air_minutes", "count"): Told(Fraction(500)), ("minutes_per_item", "count"): Told(Fraction(10))}
    cells[("airings_per_week", "count")] = Told(Fraction(2))
    ((line, (numerator, denominator)),) = terms(
        declared, declared.indicators["broadcast_schedule"], cells, parse_period(key)
    ).items()
    assert (line, numerator, denominator) == (NO_LINE, exact(Fraction(500)), exact(Fraction(weeks * 10 * 2)))
    del cells["airings_per_week", "count"]
    (terms_without,) = terms(declared, declared.indicators["broadcast_schedule"], cells, parse_period(key)).values()
    assert terms_without[1] is None, "a schedule that is not told expects nothing"


def test_tasks_not_done_are_in_the_denominator_alone() -> None:
    declared = returns()["communications_plan"]
    cells = {(line, "result"): Told(word="done") for line in list(declared.lines)[:7]}
    cells[("contests_held", "result")] = Told(word="not_done")
    (pair,) = terms(declared, declared.indicators["plan_tasks_done"], cells, parse_period("2023")).values()
    assert pair == (exact(Fraction(7)), exact(Fraction(8))), "a task of which nothing is told is in neither"
