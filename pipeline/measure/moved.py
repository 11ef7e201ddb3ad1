"""What a night that goes on from the published database counts: the dossiers that are not as they were, and the places (a
unit in a period) that are not. Of all others the counts stand in that database, and are taken from there; of periods in
which nothing moved, with all that follows from them.

A count is a sum over dossiers, so what is counted of a dossier as it was is taken off, and as it is, added. A cut-off that
goes on from day to day moves the dossiers of which a day lies between the two. Not here: what is counted (counted.py,
tally.py), which dossiers a file tells of (warehouse/onward).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline import settings
from pipeline.declare.tables import COUNTED
from pipeline.warehouse.onward import days_between
from pipeline.warehouse.sql import quoted, statement

FORMER = "former"  # the published database, attached; sql/moved.sql asks it under this name
# of these, what counts are taken from
PLACES, VALUES, TALLY, MARKS = "place_count", "value_count", "period_tally", "quarter_mark"
MANY = 60_000  # fewer dossiers are all counted as soon as told apart (measured with 20 units)


@dataclass(frozen=True)
class Part:
    """Dossiers that are counted together. of: what stands before the names of their `dossier`, `dossier_state` and
    `period_unit`. sign: "-" where they are taken off."""

    of: str
    sign: str = ""


WHOLE = (Part(""),)
NOW = Part("now_")  # the dossiers that moved, as they are
MOVED = (Part("stale_"), NOW, Part("then_", "-"))
# of a dossier's row: what files told it by, which explains it and of which no count is made
UNASKED = (
    *("status", "received_at", "first_due_at", "extended_due_at", "finished_at", "returned_at"),
    *("exported_at", "known_at", "versions", "paused_days", "supplement_requested_at", "told_unit_id"),
)
# of a place: what stands in its rows of the tables that are counted
PLACE = "period, scheme, kind, period_from, period_to, unit_id, counted_unit_id, as_of, coverage"
# what sql/moved.sql asks of the days of dossiers
DAYS = {"between": days_between(), "near": days_between("near_")}


@contextmanager
def counted_in(con: duckdb.DuckDBPyConnection, published: Path | None) -> Generator[Sequence[Part]]:
    """What is to be counted: everything, or in a build that goes on from a published database what moved since, that one
    attached meanwhile. Needs the tables of warehouse/build, and `touched` and `looked_up` as warehouse/onward leaves them."""
    here = "FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = $1"
    stands = {name for (name,) in con.execute(f"SELECT table_name {here}", [COUNTED]).fetchall()}
    few = con.execute("SELECT count(*) < $1 FROM dossier", [MANY]).fetchall() == [(True,)]
    ours = settings.engine() == "duckdb" and {PLACES, VALUES, TALLY, MARKS} <= stands  # another engine counts all
    if published and not few and ours:
        con.execute(f"ATTACH {quoted(published)} AS {FORMER} (READ_ONLY)")
        tell_apart(con)
        yield MOVED
        con.execute(f"DETACH {FORMER}")
        return
    if stands:  # what comes now takes the place of what went
        con.execute(f"DROP SCHEMA {COUNTED} CASCADE")
        con.execute("CHECKPOINT")
    yield WHOLE


def tell_apart(con: duckdb.DuckDBPyConnection) -> None:
    """The relations of MOVED, under the names that its parts have; and `quiet`: the periods in which nothing moved."""
    asked = f"COLUMNS(lambda c: c NOT IN {UNASKED})"
    con.execute(statement("measure", "moved").format(asked=asked, place=PLACE, **DAYS))


def busy(counted: Sequence[Part]) -> str:
    """The relation of the places in which something is counted anew."""
    return "period_unit" if counted == WHOLE else "busy_period_unit"


def store_counted(con: duckdb.DuckDBPyConnection, counted: Sequence[Part], name: str, select: str) -> None:
    """The table of schema `counted` of that name: what is counted anew (a SELECT), after what stands of quiet periods."""
    if counted == WHOLE:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {COUNTED}")
        con.execute(f"CREATE OR REPLACE TABLE {COUNTED}.{name} AS {select}")
    else:
        con.execute(f"DELETE FROM {COUNTED}.{name} WHERE period NOT IN (FROM quiet)")
        con.execute(f"INSERT INTO {COUNTED}.{name} {select}")


def together(counted: Sequence[Part], keys: str, counts: Sequence[str], select: Callable[[str], str], kept: str) -> str:
    """SQL of counts by keys. select: of a part's `of`: a SELECT of keys and counts (whole numbers, never null). kept: the
    SELECT of those of places that are as they were. counts: the first is of all dossiers: where it is 0 nothing is told."""
    if counted == WHOLE:
        return select(WHOLE[0].of)
    pieces = [
        f"SELECT {keys}, {', '.join(f'{part.sign}{c} AS {c}' for c in counts)} FROM ({select(part.of)})"
        for part in counted
    ]
    sums = ", ".join(f"sum({c})::BIGINT AS {c}" for c in counts)
    return f"SELECT {keys}, {sums} FROM ({' UNION ALL '.join([*pieces, kept])}) GROUP BY {keys} HAVING sum({counts[0]}) > 0"


def count_registers(
    con: duckdb.DuckDBPyConnection,
    counted: Sequence[Part],
    name: str,
    counts: Sequence[str],
    select: Callable[[str], str],
) -> None:
    """The table of schema `counted` of that name: counts by period and register. select: as of `together`, by period and
    unit_id."""
    kept = (
        f"SELECT period, unit_id, {', '.join(counts)} FROM {FORMER}.{COUNTED}.{name} "
        "SEMI JOIN now_period_unit USING (period, unit_id)"
    )
    asked = together(counted, "period, unit_id", counts, select, kept)
    store_counted(con, counted, name, f"{asked} ORDER BY period, unit_id")
