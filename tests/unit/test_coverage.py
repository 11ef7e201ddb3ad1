"""Coverage: what files together tell of a unit and a period, case by case. Never full where something is missing."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.declare.units import successors
from pipeline.warehouse.build import _joint_reach
from pipeline.warehouse.coverage import Coverage, Reach, Span, by_unit, common, cover, joined, merge, reach

DAY = timedelta(days=1)


def day(words: str) -> date:
    """15/6 → that day of 2023."""
    d, m = words.split("/")
    return date(2023, int(m), int(d))


def span(words: str) -> tuple[date, date]:
    first, _, last = words.partition("-")
    return day(first), day(last or first)


def files(*words: str) -> list[tuple[str, date, date]]:
    """ "full 15/6-14/7" → (extent, first, last)."""
    return [(extent, *span(days)) for extent, days in (w.split(" ") for w in words)]


# files, period, state, as_of, missing days, whether the stock at the period's start is missing
CASES = {
    "nothing at all": ([], "15/6-14/9", "no_data", None, ["15/6-14/9"], True),
    "one full export of the quarter": (["full 15/6-14/9"], "15/6-14/9", "full", "14/9", [], False),
    "a full export of more": (["full 1/1-31/12"], "15/6-14/9", "full", "14/9", [], False),
    "three full months": (["full 15/6-14/7", "full 15/7-14/8", "full 15/8-14/9"], "15/6-14/9", "full", "14/9", [], False),
    "their order does not matter": (["full 15/8-14/9", "full 15/6-14/7", "full 15/7-14/8"], "15/6-14/9", "full", "14/9", [], False),
    "overlapping exports": (["full 15/6-31/7", "full 10/7-14/9"], "15/6-14/9", "full", "14/9", [], False),
    "one inside another": (["full 15/6-14/9", "full 1/7-2/7"], "15/6-14/9", "full", "14/9", [], False),
    "one month of three": (["full 15/7-14/8"], "15/6-14/9", "partial", "14/8", ["15/6-14/7", "15/8-14/9"], True),
    "a gap in the middle": (["full 15/6-14/7", "full 15/8-14/9"], "15/6-14/9", "partial", "14/9", ["15/7-14/8"], False),
    "a gap of one day": (["full 15/6-14/7", "full 16/7-14/9"], "15/6-14/9", "partial", "14/9", ["15/7"], False),
    "the data ends inside": (["full 15/6-20/8"], "15/6-14/9", "partial", "20/8", ["21/8-14/9"], False),
    "the data ends on the first day": (["full 15/6-15/6"], "15/6-14/9", "partial", "15/6", ["16/6-14/9"], False),
    "the data ends before": (["full 15/3-14/6"], "15/6-14/9", "no_data", None, ["15/6-14/9"], True),
    "the data begins after": (["full 15/9-14/12"], "15/6-14/9", "no_data", "14/9", ["15/6-14/9"], True),
    "the data begins inside": (["full 1/7-14/9"], "15/6-14/9", "partial", "14/9", ["15/6-30/6"], True),
    "receipts only": (["received_in 15/6-14/9"], "15/6-14/9", "partial", "14/9", [], True),
    "receipts, and the stock before them": (["open_at 14/6", "received_in 15/6-14/9"], "15/6-14/9", "full", "14/9", [], False),
    "the stock of another day": (["open_at 13/6", "received_in 15/6-14/9"], "15/6-14/9", "partial", "14/9", [], True),
    "the stock of the first day itself": (["open_at 15/6", "received_in 15/6-14/9"], "15/6-14/9", "partial", "14/9", [], True),
    "a stock inside a longer run of receipts": (["received_in 1/5-14/9", "open_at 14/6"], "15/6-14/9", "full", "14/9", [], False),
    "a stock long before, receipts ever since": (["open_at 30/4", "received_in 1/5-14/9"], "15/6-14/9", "full", "14/9", [], False),
    "a stock long before, then a gap": (
        ["open_at 30/4", "received_in 1/5-31/5", "received_in 15/6-14/9"], "15/6-14/9", "partial", "14/9", [], True,
    ),
    "receipts, then a full export that begins with the period": (
        ["received_in 1/5-14/6", "full 15/6-14/9"], "15/6-14/9", "full", "14/9", [], False,
    ),
    "receipts, overlapped by a full export": (["received_in 1/5-31/7", "full 15/6-14/9"], "15/6-14/9", "full", "14/9", [], False),
    "a full export before, receipts since": (["full 1/5-14/6", "received_in 15/6-14/9"], "15/6-14/9", "full", "14/9", [], False),
    "the stock alone": (["open_at 14/6"], "15/6-14/9", "no_data", None, ["15/6-14/9"], True),
    "the stock alone, of a day inside": (["open_at 1/8"], "15/6-14/9", "no_data", "1/8", ["15/6-14/9"], True),
    "the stock at the end covers no receipts": (["full 15/6-14/8", "open_at 14/9"], "15/6-14/9", "partial", "14/9", ["15/8-14/9"], False),
    "changes of the whole span": (["delta 15/6-14/9"], "15/6-14/9", "partial", "14/9", [], True),
    "changes after a full export": (["full 15/6-14/8", "delta 15/8-14/9"], "15/6-14/9", "full", "14/9", [], False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_cover(name: str) -> None:
    told, period, state, as_of, missing, stock_missing = CASES[name]
    assert cover(reach(files(*told)), *span(period)) == Coverage(
        state, as_of and day(as_of), tuple(Span(*span(m)) for m in missing), stock_missing
    )


def test_units_are_told_apart() -> None:
    found = by_unit(
        [("b", "full", *span("15/6-14/7")), ("a", "full", *span("15/6-14/9")), ("b", "open_at", *span("14/6"))]
    )
    assert list(found) == ["a", "b"]
    assert found["a"] == reach(files("full 15/6-14/9"))
    assert found["b"] == reach(files("open_at 14/6", "full 15/6-14/7"))


# files of two units that became one, period, state of the sum
MERGED = {
    "both in full": (["full 1/1-30/6"], ["full 1/1-30/6"], "15/3-14/6", "full"),
    "one begins later": (["full 1/1-30/6"], ["full 1/4-30/6"], "15/3-14/6", "partial"),
    "one begins later, but before the period": (["full 1/1-30/6"], ["full 1/3-30/6"], "15/3-14/6", "full"),
    "one ends earlier": (["full 1/1-30/6"], ["full 1/1-31/5"], "15/3-14/6", "partial"),
    "one knows no stock": (["full 1/1-30/6"], ["received_in 1/1-30/6"], "15/3-14/6", "partial"),
    "different gaps": (["full 1/1-14/3", "full 1/4-30/6"], ["full 1/1-31/5"], "15/3-14/6", "partial"),
    "nothing in common": (["full 1/1-31/3"], ["full 1/4-30/6"], "15/3-14/6", "no_data"),
}  # fmt: skip


@pytest.mark.parametrize("name", MERGED)
def test_a_sum_is_covered_where_all_its_units_are(name: str) -> None:
    one, other, period, state = MERGED[name]
    known = [r for r in (reach(files(*one)), reach(files(*other))) if r]
    assert cover(common(known), *span(period)).state == state
    assert cover(common(known[::-1]), *span(period)).state == state
    assert common([]) is None


def test_a_new_unit_goes_on_where_the_old_ones_ended() -> None:
    old, new = reach(files("full 1/1-30/6")), reach(files("full 1/7-31/12"))
    assert cover(joined(old, new), *span("15/6-14/9")).state == "full"
    assert cover(joined(None, new), *span("15/6-14/9")).state == "partial"
    assert cover(joined(old, None), *span("15/6-14/9")).state == "partial"


def test_a_new_unit_is_not_covered_by_some_of_the_units_it_came_from() -> None:
    """Three communes became one; the files of two say nothing of the third."""
    new = max({s for _, s in successors().values()}, key=lambda s: sum(s == to for _, to in successors().values()))
    old = sorted(u for u, (_, to) in successors().items() if to == new)
    assert len(old) >= 3
    before, after = Span(date(2025, 1, 1), date(2025, 6, 30)), Span(date(2025, 7, 1), date(2025, 12, 31))

    def state(parts: list[str], first: date, last: date) -> str:
        known = {u: Reach((before,), (before.first,), before.last) for u in parts if u != new}
        known |= {new: Reach((after,), (after.first,), after.last)} if new in parts else {}
        return cover(_joint_reach(new, parts, known), first, last).state

    quarter = date(2025, 6, 15), date(2025, 9, 14)
    autumn = date(2025, 9, 15), date(2025, 12, 14)
    assert state([*old, new], *quarter) == "full"
    assert state([*old[:-1], new], *quarter) == "partial"
    assert state([*old[:-1], new], *autumn) == "full"  # the new unit's own files tell its stock
    assert state(old, *quarter) == "partial"
    assert state(old[:-1], date(2025, 3, 15), date(2025, 6, 14)) == "partial"


spans = st.builds(
    lambda first, days: Span(date(2023, 1, 1) + first * DAY, date(2023, 1, 1) + (first + days) * DAY),
    st.integers(0, 200),
    st.integers(0, 60),
)


@given(st.lists(spans, max_size=6))
def test_runs_cover_the_same_days_and_stand_apart(some: list[Span]) -> None:
    def days(found: tuple[Span, ...] | list[Span]) -> set[date]:
        return {s.first + n * DAY for s in found for n in range((s.last - s.first).days + 1)}

    runs = merge(some)
    assert days(runs) == days(some)
    assert all(a.last + DAY < b.first for a, b in pairwise(runs))


@given(st.lists(st.tuples(st.sampled_from(["full", "received_in", "open_at", "delta"]), spans), max_size=5), spans)
def test_full_means_every_day_and_the_stock(told: list[tuple[str, Span]], period: Span) -> None:
    found = cover(reach((extent, s.first, s.last) for extent, s in told), period.first, period.last)
    covered = {
        s.first + n * DAY for extent, s in told if extent != "open_at" for n in range((s.last - s.first).days + 1)
    }
    inside = {period.first + n * DAY for n in range((period.last - period.first).days + 1)}
    missing = {s.first + n * DAY for s in found.missing for n in range((s.last - s.first).days + 1)}
    assert missing == inside - covered or found.state == "no_data"
    if found.state == "full":
        assert inside <= covered and not found.stock_missing and found.as_of == period.last
    if found.state == "no_data":
        assert not inside & covered
