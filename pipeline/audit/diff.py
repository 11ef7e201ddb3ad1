"""The difference of any two sets of figures: tables by their rows, periods by their cells, dossiers and causes.

Not here: what a person means by a side (places.py), one period (difference.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.audit.difference import Compared, compare
from pipeline.audit.places import place_of
from pipeline.audit.sides import AFTER, BEFORE, Place, common_columns, side_by_side
from pipeline.declare.tables import sealed_tables, tables
from pipeline.declare.text import Text
from pipeline.errors import WrongUse
from pipeline.settings import Home

Row = dict[str, Any]
# What is asked of the view, period by period; and what tells of seals, which a side without them does not have.
NOT_COMPARED = ("dossier_period", "revision", "seal")
WITH_PERIOD = [name for name in sealed_tables() if name not in ("dossier_period", "reported")]


@dataclass(frozen=True)
class Diff:
    """tables: those of which some row stands on one side only, with the numbers of rows; empty where a side is a seal.
    periods: those in which a cell or a dossier differs."""

    before: Place
    after: Place
    tables: list[Row]
    periods: list[Compared]

    @property
    def identical(self) -> bool:
        return not self.tables and not self.periods

    def facts(self, lang: str) -> Row:
        return {"before": self.before.label[lang], "after": self.after.label[lang], "tables": self.tables}


def diff(home: Home, a: str, b: str, periods: Sequence[str] | None = None) -> Diff:
    """A and B as people write them (places.py). periods: only these; else those that differ, of a seal its own.
    Raises WrongUse."""
    before, after = place_of(home, a), place_of(home, b)
    sealed = {place.seal.period for place in (before, after) if place.seal}
    if len(sealed) > 1:
        raise WrongUse(
            Text("Hai lần chốt của hai kỳ khác nhau.", "The two seals are of different periods."),
            found=Text(", ".join(sorted(sealed)), ", ".join(sorted(sealed))),
            expected=Text("hai lần chốt của cùng một kỳ", "two seals of one period"),
        )
    with side_by_side(before, after) as con:
        found = [] if sealed else [row for name in _comparable(con) if (row := _rows(con, name))]
        keys = sorted(sealed) or periods or _differing(con)
        compared = [compare(con, key) for key in keys]
    return Diff(before, after, found, [one for one in compared if not one.identical])


def _comparable(con: duckdb.DuckDBPyConnection) -> list[str]:
    both = con.execute(
        "SELECT view_name FROM duckdb_views() WHERE schema_name IN (?, ?) GROUP BY 1 HAVING count(*) = 2",
        [BEFORE, AFTER],
    ).fetchall()
    return [name for name in tables() if (name,) in set(both) and name not in NOT_COMPARED]


def _selects(con: duckdb.DuckDBPyConnection, name: str) -> tuple[str, str]:
    """A table of either side, of the columns that both have."""
    names = ", ".join(f'"{c}"' for c in common_columns(con, name))
    return f"SELECT {names} FROM {BEFORE}.{name}", f"SELECT {names} FROM {AFTER}.{name}"


def _rows(con: duckdb.DuckDBPyConnection, name: str) -> Row | None:
    """How many rows of a table stand on one side only; None where all are the same."""
    one, other = _selects(con, name)
    counts = con.execute(
        f"""SELECT (SELECT count(*) FROM {BEFORE}.{name}), (SELECT count(*) FROM {AFTER}.{name}),
                   (SELECT count(*) FROM ({one} EXCEPT ALL {other})), (SELECT count(*) FROM ({other} EXCEPT ALL {one}))"""
    ).fetchall()[0]
    told = dict(zip(("rows_before", "rows_after", "only_before", "only_after"), counts, strict=True))
    return {"table": name} | told if told["only_before"] or told["only_after"] else None


def _differing(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Periods in which some published row is not the same on both sides, in order of time."""
    pieces = []
    for name in WITH_PERIOD:
        one, other = _selects(con, name)
        pieces += [f"({one} EXCEPT ALL {other})", f"({other} EXCEPT ALL {one})"]
    union = " UNION ALL ".join(f"SELECT DISTINCT period FROM {piece}" for piece in pieces)
    found = con.execute(
        f"""SELECT DISTINCT period, period_from, period_to FROM ({union})
            JOIN (FROM {BEFORE}.period UNION FROM {AFTER}.period) USING (period) ORDER BY period_from, period_to, period"""
    )
    return [key for key, *_ in found.fetchall()]
