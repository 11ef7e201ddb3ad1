"""Coverage: what files together tell of a unit and a period, case by case. Never full where something is missing.

Asked of the very statement that makes `period_unit`, over tables of these cases alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.declare.units import successors
from pipeline.warehouse.spans import Span, merge
from pipeline.warehouse.sql import statement, store

pytestmark = pytest.mark.usefixtures("figures_alone")

File = tuple[str, date, date]  # extent, first and last day
LONG_AGO = date(1990, 1, 1)
DAY = timedelta(days=1)


def day(words: str) -> date:
    """15/6 → that day of 2023."""
    d, m = words.split("/")
    return date(2023, int(m), int(d))


def span(words: str) -> tuple[date, date]:
    first, _, last = words.partition("-")
    return day(first), day(last or first)


def files(*words: str) -> list[File]:
    """ "full 15/6-14/7" → (extent, first, last)."""
    return [(extent, *span(days)) for extent, days in (w.split(" ") for w in words)]


@dataclass(frozen=True)
class Coverage:
    state: str
    as_of: date | None
    missing: tuple[Span, ...]
    stock_missing: bool


def coverage(
    told: dict[str, Iterable[File]], first: date, last: date, into: dict[str, tuple[date, str]] | None = None
) -> dict[str, tuple[str, Coverage]]:
    """The files of each unit, a period, which unit another one becomes and when → where each unit counts in the period,
    and what is covered of that. The words in both languages must tell the same days."""
    con = duckdb.connect()
    rows = [(unit_id, *file) for unit_id, known in told.items() for file in known]
    days = {"first_day": pl.Date, "last_day": pl.Date}
    spans = pl.DataFrame(rows, schema={"unit_id": pl.String, "extent": pl.String} | days, orient="row")
    taken = [(unit_id, from_day, successor_id) for unit_id, (from_day, successor_id) in (into or {}).items()]
    steps = {"unit_id": pl.String, "from_day": pl.Date, "successor_id": pl.String}
    store(con, "coverage", spans)
    store(con, "unit_successor", pl.DataFrame(taken, schema=steps, orient="row"))
    con.execute(
        "CREATE TABLE period AS SELECT 'P' AS period, 'S' AS scheme, 'K' AS kind, ? AS period_from, ? AS period_to",
        [first, last],
    )
    con.execute(statement("warehouse", "period_unit"))
    found = {}
    for unit_id, counted, as_of, end, state, vi, en in con.execute(
        "SELECT unit_id, counted_unit_id, as_of, as_of_end, coverage, missing_vi, missing_en FROM period_unit"
    ).fetchall():
        assert end == (as_of and datetime(as_of.year, as_of.month, as_of.day, 23, 59, 59))
        missing, stock = in_words(vi, "thiếu số liệu ", "chưa biết hồ sơ tồn đầu kỳ")
        assert (missing, stock) == in_words(en, "no data for ", "stock at the start not known")
        assert unit_id not in found
        found[unit_id] = counted, Coverage(state, as_of, missing, stock)
    con.close()
    return found


def in_words(told: str | None, before: str, stock: str) -> tuple[tuple[Span, ...], bool]:
    """What the words of a period say is missing: the days, and whether the stock is."""
    fits = re.fullmatch(f"(?:{before}([0-9/–, ]+))?(?:; )?({stock})?", told or "")
    assert fits and told != ""
    days = [
        [datetime.strptime(d, "%d/%m/%Y").date() for d in run.split("–")] for run in (fits[1] or "").split(", ") if run
    ]
    return tuple(Span(first, last) for first, last in days), fits[2] is not None


def cover(told: Iterable[File], first: date, last: date) -> Coverage:
    """What the files of one unit cover of a period: the only one there is, or the one without any."""
    found = coverage({"a": told}, first, last)
    return found["a"][1] if found else Coverage("no_data", None, (Span(first, last),), True)


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
    assert cover(files(*told), *span(period)) == Coverage(
        state, as_of and day(as_of), tuple(Span(*span(m)) for m in missing), stock_missing
    )


def test_units_are_told_apart() -> None:
    quarter = span("15/6-14/9")
    a, b = files("full 15/6-14/9"), files("full 15/6-14/7", "open_at 14/6")
    found = coverage({"b": b, "a": a}, *quarter)
    assert found == {"a": ("a", cover(a, *quarter)), "b": ("b", cover(b, *quarter))}
    assert found["a"] != found["b"]


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


def merged(one: list[File], other: list[File], own: list[File], first: date, last: date) -> Coverage:
    """What is covered of a unit that came from two others; some must tell something."""
    into = dict.fromkeys(("one", "other"), (LONG_AGO, "new"))
    found = {found for _, found in coverage({"one": one, "other": other, "new": own}, first, last, into).values()}
    assert len(found) == 1, "all that counts in a unit has its coverage"
    return found.pop()


@pytest.mark.parametrize("name", MERGED)
def test_a_sum_is_covered_where_all_its_units_are(name: str) -> None:
    one, other, period, state = MERGED[name]
    assert merged(files(*one), files(*other), [], *span(period)).state == state
    assert merged(files(*other), files(*one), [], *span(period)).state == state


def test_units_of_which_nothing_is_told_have_no_coverage() -> None:
    assert coverage({}, *span("15/6-14/9")) == {}


def test_a_new_unit_goes_on_where_the_old_ones_ended() -> None:
    old, new, quarter = files("full 1/1-30/6"), files("full 1/7-31/12"), span("15/6-14/9")
    into = {"old": (day("1/7"), "new")}
    assert coverage({"old": old, "new": new}, *quarter, into)["new"][1].state == "full"
    assert coverage({"new": new}, *quarter, into)["new"][1].state == "partial"
    assert coverage({"old": old}, *quarter, into)["old"][1].state == "partial"


def test_a_unit_counts_as_itself_until_the_day_and_as_long_as_no_file_reaches_it() -> None:
    old, into = {"old": files("full 1/1-30/6")}, {"old": (day("1/7"), "new")}
    assert coverage(old, *span("15/3-14/6"), into)["old"][0] == "old"
    assert coverage(old, *span("15/6-14/9"), into)["old"][0] == "old"
    assert coverage(old | {"another": files("full 1/7-31/7")}, *span("15/6-14/9"), into)["old"][0] == "new"


def test_a_new_unit_is_not_covered_by_some_of_the_units_it_came_from() -> None:
    """Three communes became one; the files of two say nothing of the third."""
    new = max({s for _, s in successors().values()}, key=lambda s: sum(s == to for _, to in successors().values()))
    old = sorted(u for u, (_, to) in successors().items() if to == new)
    assert len(old) >= 3
    before, after = ("full", date(2025, 1, 1), date(2025, 6, 30)), ("full", date(2025, 7, 1), date(2025, 12, 31))

    def state(parts: list[str], first: date, last: date) -> str:
        told = {u: [after if u == new else before] for u in parts}
        into = {u: (LONG_AGO, to) for u, (_, to) in successors().items()}
        counted, found = coverage(told, first, last, into)[parts[0]]
        assert counted == new
        return found.state

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
    found = cover([(extent, s.first, s.last) for extent, s in told], period.first, period.last)
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
