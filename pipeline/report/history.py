"""The periods before a book's, for trends and for the page: counts and indicators of the same whole and its parts.

Not here: computing a figure (measure/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.declare.figures import measures
from pipeline.declare.periods import Period, earlier
from pipeline.measure import answers
from pipeline.report.book import Book, names_of
from pipeline.warehouse.sql import rows_of

Row = dict[str, Any]
LONGEST = 12  # periods before the book's


@dataclass(frozen=True)
class History:
    """periods: of one kind and scheme without a gap, oldest first, the book's last; the first one has data.

    By period key: units, unit_id → row without figures, the whole first, sums, then units; counts and rates as in
    Book; today: unit_id of today's tree → its counts with the units merged into it, for periods in which it did not
    stand yet (null where not known). names: as in Book, of the units of all periods.
    """

    periods: list[Period]
    units: dict[str, dict[str, Row]]
    counts: dict[str, dict[str, Row]]
    rates: dict[str, dict[tuple[str, str], Row]]
    today: dict[str, dict[str, Row]]
    names: dict[str, str]

    def count(self, unit_id: str, period: Period) -> Row | None:
        """The counts of a unit as it stood in the period, else of today's unit; None where nothing is told of it."""
        return self.counts[period.key].get(unit_id) or self.today[period.key].get(unit_id)

    def rate(self, unit_id: str, indicator: str, period: Period) -> Row | None:
        """An indicator of a unit; None where the unit did not stand in that period."""
        return self.rates[period.key].get((unit_id, indicator))


def open_history(con: duckdb.DuckDBPyConnection, book: Book, lang: str = "vi") -> History:
    """The book's period and up to LONGEST before it, back to the first one with data. con: as for `open_book`."""
    told = {
        key
        for (key,) in con.execute(
            "SELECT DISTINCT period FROM period_coverage WHERE coverage <> 'no_data' UNION SELECT DISTINCT period FROM trend_count"
        ).fetchall()
    }
    periods = [book.period]
    for _ in range(LONGEST):
        periods.insert(0, earlier(periods[0]))
    while len(periods) > 1 and periods[0].key not in told:
        del periods[0]
    inside = {u for (u,) in con.execute("SELECT unit_id FROM node_of WHERE node = ?", [book.top]).fetchall()}
    inside |= {book.top}
    units: dict[str, dict[str, Row]] = {}
    counts: dict[str, dict[str, Row]] = {}
    rates: dict[str, dict[tuple[str, str], Row]] = {}
    for one in periods:
        if one == book.period:
            units[one.key] = book.units
        else:
            found = {k: r for k, r in answers.nodes(con, one).items() if k in inside}
            first = {k: r for k, r in found.items() if k == book.top}
            units[one.key] = first | found
        if one.key in book.counts:
            counts[one.key], rates[one.key] = book.counts[one.key], book.rates[one.key]
        else:
            counts[one.key] = dict(zip(units[one.key], answers.by_unit(con, one, units[one.key], lang), strict=True))
            rates[one.key] = answers.indicator_rows(con, one, units[one.key], lang)
    names = {unit_id: name for rows in units.values() for unit_id, name in names_of(con, rows).items()} | book.names
    return History(periods, units, counts, rates, _today(con, periods, inside), names)


def _today(con: duckdb.DuckDBPyConnection, periods: list[Period], inside: set[str]) -> dict[str, dict[str, Row]]:
    names = ", ".join(measures())
    found: dict[str, dict[str, Row]] = {one.key: {} for one in periods}
    for row in rows_of(
        con,
        f"SELECT period, unit_id, as_of, coverage, basis, {names} FROM trend_count WHERE list_contains(?, period)",
        [list(found)],
    ):
        if row["unit_id"] in inside:
            found[row.pop("period")][row["unit_id"]] = row
    return found
