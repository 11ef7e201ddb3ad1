"""How far the data reaches: which days of a period are covered for a unit, by which files. Days in, days out; no SQL.

A `full` export covers its span and the stock at its start; `received_in` and `delta` cover their span but need a
stock before it; `open_at` gives a stock and covers no receipts. DESIGN §4.11.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Span:
    """Days first..last, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class Reach:
    """What is covered of one unit: disjoint runs of days, oldest first; the days at whose start the stock is known;
    and the last day anything is known of."""

    runs: tuple[Span, ...]
    stocks: tuple[date, ...]
    last_day: date

    def knows_stock(self, day: date) -> bool:
        """Whether the stock at the start of a day is known: by itself, or because every day since one is covered."""
        return any(run.first <= s <= day <= run.last for run in self.runs for s in self.stocks)


@dataclass(frozen=True)
class Coverage:
    """The answer for a unit and a period. state: full | partial | no_data. missing: runs of days not covered,
    and whether the stock at the period's start is unknown. as_of: null where the data ends before the period."""

    state: str
    as_of: date | None
    missing: tuple[Span, ...]
    stock_missing: bool


def reach(files: Iterable[tuple[str, date, date]]) -> Reach | None:
    """(extent, first day, last day) of every file of a unit → its reach; None without files."""
    known = sorted(files)
    if not known:
        return None
    spans = [Span(first, last) for extent, first, last in known if extent != "open_at"]
    # an open_at file of day d tells the stock at the start of d + 1
    stocks = {last + DAY for extent, _, last in known if extent == "open_at"}
    stocks |= {first for extent, first, _ in known if extent == "full"}
    return Reach(merge(spans), tuple(sorted(stocks)), max(last for _, _, last in known))


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Overlapping and adjoining spans as runs."""
    runs: list[Span] = []
    for span in sorted(spans):
        if runs and span.first <= runs[-1].last + DAY:
            runs[-1] = Span(runs[-1].first, max(runs[-1].last, span.last))
        else:
            runs.append(span)
    return tuple(runs)


def common(reaches: Iterable[Reach]) -> Reach | None:
    """What all of several units cover together (the units that became one)."""
    known = list(reaches)
    if not known:
        return None
    runs = known[0].runs
    for other in known[1:]:
        runs = tuple(
            Span(max(a.first, b.first), min(a.last, b.last))
            for a in runs
            for b in other.runs
            if max(a.first, b.first) <= min(a.last, b.last)
        )
    days = sorted({day for r in known for day in r.stocks} | {run.first for run in runs})
    stocks = tuple(day for day in days if all(r.knows_stock(day) for r in known))
    return Reach(runs, stocks, min(r.last_day for r in known))


def joined(before: Reach | None, own: Reach | None) -> Reach | None:
    """A unit's own reach, continuing that of the units it came from."""
    if before is None or own is None:
        return own or before
    stocks = tuple(sorted({*before.stocks, *own.stocks}))
    return Reach(merge([*before.runs, *own.runs]), stocks, max(before.last_day, own.last_day))


def cover(found: Reach | None, first: date, last: date) -> Coverage:
    """Coverage of a period first..last."""
    if found is None or found.last_day < first:
        return Coverage("no_data", None, (Span(first, last),), True)
    as_of = min(last, found.last_day)
    inside = [run for run in found.runs if run.first <= as_of and run.last >= first]
    if not inside:
        return Coverage("no_data", as_of, (Span(first, last),), True)
    missing = []
    day = first
    for run in inside:
        if run.first > day:
            missing.append(Span(day, run.first - DAY))
        day = max(day, run.last + DAY)
    if day <= last:
        missing.append(Span(day, last))
    stock_missing = not found.knows_stock(first)
    state = "partial" if missing or stock_missing else "full"
    return Coverage(state, as_of, tuple(missing), stock_missing)


def by_unit(files: Iterable[tuple[str, str, date, date]]) -> dict[str, Reach]:
    """(unit_id, extent, first, last) → reach per unit."""
    ordered = sorted(files)
    found = {}
    for unit, rows in groupby(ordered, key=lambda r: r[0]):
        got = reach((extent, first, last) for _, extent, first, last in rows)
        if got is not None:
            found[unit] = got
    return found
