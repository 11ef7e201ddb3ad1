"""The figures of one period and unit that everything handed in is made from: read once, so that all outputs agree.

Form, workbook, report section, charts and page are written from a Book and from nothing else of a release's counts and
indicators. Not here: computing a figure (measure/), writing anything.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import duckdb

from pipeline.declare.periods import Period, a_year_earlier, earlier, parse_period
from pipeline.declare.rules import OURS
from pipeline.declare.text import Text
from pipeline.errors import WrongUse
from pipeline.measure import answers
from pipeline.measure.forms import Line
from pipeline.measure.returns import returning_units

Row = dict[str, Any]


@dataclass(frozen=True)
class Book:
    """One period of one unit and of all its parts, with the period before and the same one a year earlier.

    top: unit_id of the whole. units: unit_id → its row without figures (unit_code, unit, kind, level, as_of, coverage,
    missing_vi, missing_en, basis, seal), the whole first, then sums between, then units. counts: period key → unit_id →
    row of `motcua stats`; rates: period key → (unit_id, indicator) → row of `motcua indicators`; both for the three
    periods, for the units of `units` that stood in them, null figures where there is no data. fields: rows of
    `stats --by field` of the whole. info: release_info (release, known_at, schema_version, inputs, …). names: unit_id →
    the unit's name, with its district behind it where several have that name. as_known: the moment (local time) by
    whose knowledge everything is; null: what is known now. passed_over: the seal in force of the period, where its
    figures are not those that were sealed. lines: (form, unit | field) → its rows, from when a sheet first asks (forms.py).
    """

    period: Period
    earlier: Period
    a_year_earlier: Period
    rules: str
    top: str
    units: dict[str, Row]
    counts: dict[str, dict[str, Row]]
    rates: dict[str, dict[tuple[str, str], Row]]
    fields: list[Row]
    info: dict[str, str]
    names: dict[str, str]
    as_known: datetime | None = None
    passed_over: str | None = None
    lines: dict[tuple[str, str], list[Line]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def whole(self) -> Row:
        """The row of the whole, without figures."""
        return self.units[self.top]

    @cached_property
    def leaves(self) -> dict[str, Row]:
        """The units that are no sums of others, in the order in which they are shown."""
        return {unit_id: row for unit_id, row in self.units.items() if row["level"] == "unit"}

    def count(self, unit_id: str, period: Period | None = None) -> Row | None:
        """The counts of a unit; None where it has no row in that period."""
        return self.counts[(period or self.period).key].get(unit_id)

    def rate(self, unit_id: str, indicator: str, period: Period | None = None) -> Row | None:
        """An indicator of a unit; None where the unit has no row in that period."""
        return self.rates[(period or self.period).key].get((unit_id, indicator))


def open_book(
    con: duckdb.DuckDBPyConnection,
    period: str,
    unit: str | None = None,
    rules: str = OURS,
    lang: str = "vi",
    as_known: datetime | None = None,
) -> Book:
    """The book of a period, of all units or of one with its parts. con: as `asked` opens it, so that sealed periods are
    shown as sealed and `--as-known`, `--live` hold; rules, as_known: what it was opened with. Raises WrongUse where period or unit is not known, or nothing is."""
    one = parse_period(period)
    found, whole = _asked(con, one, unit)
    inside = {u for (u,) in con.execute("SELECT unit_id FROM node_of WHERE node = ?", [whole]).fetchall()} | {whole}
    units = {whole: found[whole]} | {unit_id: row for unit_id, row in found.items() if unit_id in inside}
    counts, rates = {}, {}
    for each in (one, earlier(one), a_year_earlier(one)):
        chosen = units if each == one else {k: r for k, r in answers.nodes(con, each).items() if k in inside}
        counts[each.key] = dict(zip(chosen, answers.by_unit(con, each, chosen, lang), strict=True))
        rates[each.key] = answers.indicator_rows(con, each, chosen, lang)
    fields = answers.by_part(con, one, {whole: units[whole]}, "field", lang)
    info = dict(con.execute("SELECT key, value FROM release_info").fetchall())
    before = earlier(one), a_year_earlier(one)
    told = con.execute("SELECT seal FROM seal WHERE period = ? AND counts", [one.key]).fetchone()
    passed_over = told[0] if told and units[whole]["seal"] is None else None
    names = names_of(con, units)
    return Book(one, *before, rules, whole, units, counts, rates, fields, info, names, as_known, passed_over)


def _asked(con: duckdb.DuckDBPyConnection, one: Period, unit: str | None) -> tuple[dict[str, Row], str]:
    """The units of a period, and which of them is asked for: without a name the whole; where returns alone tell of the
    period, the one that handed them in. A unit that only returns tell of has a row without data."""
    found = answers.nodes(con, one)
    others = {k: row for k, row in returning_units(con, one).items() if k not in found}
    known = found | others
    if not known:
        raise WrongUse(
            Text("Chưa có số liệu của đơn vị nào.", "There is no data of any unit."),
            todo=Text("Đặt tệp vào data/raw/ rồi chạy motcua run", "Put files into data/raw/, then: motcua run"),
        )
    told = [unit_id for unit_id, row in others.items() if row.pop("told")]
    if unit is None and not found and len(told) > 1:
        names = "; ".join(row["unit"] for row in others.values())
        raise WrongUse(
            Text(
                "Kỳ này chỉ có biểu thu thập, của nhiều đơn vị.", "Returns alone tell of this period, of several units."
            ),
            expected=Text(f"--unit với một trong: {names}", f"--unit with one of: {names}"),
        )
    whole = next(iter(found or told)) if unit is None else next(iter(answers.choose(known, unit)))
    return found | {whole: known[whole]}, whole


def names_of(con: duckdb.DuckDBPyConnection, units: dict[str, Row]) -> dict[str, str]:
    """unit_id → name, unlike any other's: with the district's behind it, or the unit's code, where several have it."""
    times = Counter(row["unit"] for row in units.values())
    same = [unit_id for unit_id, row in units.items() if times[row["unit"]] > 1]
    above = con.execute(
        """SELECT n.unit_id, first(u.unit ORDER BY n.depth) FROM node_of n JOIN unit u ON u.unit_id = n.node
           WHERE n.depth > 0 AND u.kind IN ('district', 'province') AND list_contains($1, n.unit_id) GROUP BY n.unit_id""",
        [same],
    )
    told = {u: units[u]["unit_code"] for u in same} | dict(above.fetchall())
    return {u: f"{row['unit']}, {told[u]}" if u in told else row["unit"] for u, row in units.items()}
