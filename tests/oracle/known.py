"""The oracle in known time: which exports were known at a moment, and how far they reach, in plain Python.

Every arrival of a file is kept with the moment from which it is known and the times in which it was taken back. For a
moment only the arrivals known then are replayed, as if no others had ever come. Shares no line with the pipeline.
Not here: drawing arrivals (arrivals.py), comparing (test_known.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from .oracle import Answer, Export, Oracle, Period, counts, indicators

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Arrival:
    """An export as it came: known_at, and from when to when it was taken back (None: for good)."""

    export: Export
    known_at: datetime
    withdrawn: tuple[tuple[datetime, datetime | None], ...] = ()

    def counts(self, moment: datetime) -> bool:
        """Whether it is known at a moment and not taken back."""
        back = any(start <= moment and (end is None or moment < end) for start, end in self.withdrawn)
        return self.known_at <= moment and not back


@cache  # the same periods are asked at every moment
def days(first: date, last: date) -> tuple[date, ...]:
    return tuple(first + n * DAY for n in range((last - first).days + 1))


@dataclass(frozen=True)
class Reach:
    """What is told of a unit: the days covered, those at whose start all that was open is known, the last one told."""

    days: frozenset[date]
    stocks: frozenset[date]
    last: date


@dataclass(frozen=True)
class Covered:
    """A unit in a period: full, partial or no_data; the day it is judged on; what lacks."""

    coverage: str
    as_of: date | None
    missing: tuple[date, ...]
    stock_missing: bool


class AsKnown(Oracle):
    """What the arrivals told by a moment, ready to be asked. An export that is not `full` tells changes of the days
    it covers, or, where it covers none (they end before they begin), what was open when its first day began."""

    def __init__(self, arrivals: Iterable[Arrival], moment: datetime) -> None:
        known = sorted((a for a in arrivals if a.counts(moment)), key=lambda a: (a.export.exported_at, a.known_at))
        super().__init__(a.export for a in known)
        self.reaches = _reaches([a.export for a in known])

    def last_day(self) -> date | None:
        return max((r.last for r in self.reaches.values()), default=None)

    def covers(self, unit: str, period: Period) -> Covered:
        told = self.reaches.get(unit)
        if told is None or told.last < period.start:
            return Covered("no_data", None, days(period.start, period.end), True)
        as_of = min(period.end, told.last)
        missing = tuple(d for d in days(period.start, period.end) if d not in told.days)
        stock = any(
            told.days.issuperset(days(s, period.start)) for s in told.stocks if s <= period.start
        )  # known at its start, or on an earlier day since which no day lacks
        if told.days.isdisjoint(days(period.start, as_of)):
            return Covered("no_data", as_of, missing, True)
        return Covered("partial" if missing or not stock else "full", as_of, missing, not stock)

    def ask(self, period: Period) -> dict[str, Answer]:
        """Every unit of which some day of the period is covered."""
        found = {}
        for unit in self.reaches:
            covered = self.covers(unit, period)
            if covered.coverage == "no_data" or covered.as_of is None:
                continue
            labels = [d.label(period.start, covered.as_of) for d in self.by_unit[unit]]
            here = tuple(x for x in labels if x is not None)
            counted = counts(here), indicators(here, period.start, covered.as_of)
            found[unit] = Answer(covered.as_of, here, *counted)
        return found

    def sum_of(self, units: Iterable[str], period: Period) -> tuple[str, date | None]:
        """Coverage and cut-off of a sum of units: full only where every one is; judged on the earliest day of any."""
        parts = [self.covers(unit, period) for unit in units]
        told = {p.coverage for p in parts}
        return told.pop() if len(told) == 1 else "partial", min((p.as_of for p in parts if p.as_of), default=None)


def _reaches(exports: list[Export]) -> dict[str, Reach]:
    """unit → what all exports that speak for it tell."""
    spoken: dict[str, list[Export]] = {}
    for export in exports:
        for unit in _speaks_for(export, exports):
            spoken.setdefault(unit, []).append(export)
    return {unit: _reach(told) for unit, told in spoken.items()}


def _speaks_for(export: Export, exports: list[Export]) -> set[str]:
    """The units an export names; where it names several, those beside one of them in its system's other exports too."""
    named = {said.unit for said in export.rows}
    if len(named) < 2:
        return named
    found = set(named)
    for other in exports:
        beside = {said.unit for said in other.rows}
        if other.source == export.source and len(beside) > 1 and beside & named:
            found |= beside
    return found


def _reach(exports: list[Export]) -> Reach:
    covered: set[date] = set()
    stocks: set[date] = set()
    for export in exports:
        first, last = export.covers
        covered.update(days(first, last))
        if export.full or first > last:
            stocks.add(first)
    return Reach(frozenset(covered), frozenset(stocks), max(e.covers[1] for e in exports))
