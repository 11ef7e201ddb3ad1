"""What a night that goes on from the published database counts: the dossiers that are not as they were, and the places (a
unit in a period) that are not. Of all others the counts stand in that database, and are taken from there.

A count is a sum over dossiers, so what is counted of a dossier as it was is taken off, and as it is, added. A cut-off that
goes on from day to day moves the dossiers of which a day lies between the two. Not here: what
is counted (counted.py, checks.py), which dossiers a file tells of (warehouse/onward).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.warehouse.sql import quoted

FORMER = "former"  # the published database, attached
COUNTED = "counted"  # schema of what a night counts; the published views look there
# of these, what counts are taken from
PLACES, VALUES, TALLY = "place_count", "value_count", "period_tally"
MANY = 200_000  # fewer dossiers are all counted sooner than told apart


@dataclass(frozen=True)
class Part:
    """Dossiers that are counted together. of: what stands before the names of their `dossier`, `dossier_state` and
    `period_unit`. sign: "-" where they are taken off."""

    of: str
    sign: str = ""


WHOLE = (Part(""),)
NOW = Part("now_")  # the dossiers that moved, as they are
MOVED = (Part("stale_"), NOW, Part("then_", "-"))
# What makes a place count otherwise, whatever its dossiers: its registers, its first day, and whether there is data.
COUNTS_BY = (
    "period, scheme, kind, period_from, period_to, unit_id, counted_unit_id, as_of IS NULL, coverage = 'no_data'"
)
RELATIONS = """
CREATE TEMP TABLE same_place AS
SELECT DISTINCT period, counted_unit_id AS unit_id FROM period_unit
ANTI JOIN (
    SELECT period, counted_unit_id
    FROM ((SELECT {by} FROM period_unit EXCEPT SELECT {by} FROM {former}.live.period_unit)
          UNION ALL (SELECT {by} FROM {former}.live.period_unit EXCEPT SELECT {by} FROM period_unit))
) USING (period, counted_unit_id);

-- in these the dossiers that moved are counted, as they are and as they were
CREATE TEMP TABLE now_period_unit AS
SELECT p.* FROM period_unit p SEMI JOIN same_place s ON s.period = p.period AND s.unit_id = p.counted_unit_id;
CREATE TEMP TABLE then_period_unit AS
SELECT p.* FROM {former}.live.period_unit p SEMI JOIN same_place s ON s.period = p.period AND s.unit_id = p.counted_unit_id;

-- from where to where the cut-offs of a register's periods went on: labels ask on which side of them a dossier's days lie
CREATE TEMP TABLE went_on AS
SELECT unit_id, min(least(n.as_of, t.as_of)) AS since, max(greatest(n.as_of, t.as_of)) AS until
FROM now_period_unit n JOIN then_period_unit t USING (period, unit_id) WHERE n.as_of <> t.as_of GROUP BY unit_id;

CREATE TEMP TABLE moved AS
SELECT dossier_id FROM touched
UNION
SELECT dossier_id
FROM ((FROM dossier_state EXCEPT FROM {former}.dossier_state) UNION ALL (FROM {former}.dossier_state EXCEPT FROM dossier_state))
UNION
SELECT dossier_id FROM dossier JOIN went_on USING (unit_id)
WHERE received_on BETWEEN since AND until OR opened_on BETWEEN since AND until OR concluded_on BETWEEN since AND until
   OR due_on BETWEEN since AND until OR (first_exported_on > since AND first_exported_on <= until)
UNION
SELECT dossier_id FROM dossier_state s JOIN dossier d USING (dossier_id) JOIN went_on w ON w.unit_id = d.unit_id
WHERE s.from_day BETWEEN since AND until OR s.to_day BETWEEN since AND until OR s.extended_due_on BETWEEN since AND until;

CREATE TEMP TABLE now_dossier AS FROM dossier SEMI JOIN moved USING (dossier_id);
CREATE TEMP TABLE then_dossier AS FROM {former}.dossier SEMI JOIN moved USING (dossier_id);
CREATE TEMP TABLE now_dossier_state AS FROM dossier_state SEMI JOIN moved USING (dossier_id);
CREATE TEMP TABLE then_dossier_state AS FROM {former}.dossier_state SEMI JOIN moved USING (dossier_id);

-- all other places, with all their dossiers: those that neither ended before the first of them nor came after
CREATE TEMP TABLE stale_period_unit AS
SELECT p.* FROM period_unit p ANTI JOIN same_place s ON s.period = p.period AND s.unit_id = p.counted_unit_id;
CREATE TEMP VIEW stale_dossier AS
SELECT d.* FROM dossier d JOIN (SELECT unit_id, min(period_from) AS since, max(as_of) AS until FROM stale_period_unit GROUP BY unit_id) s USING (unit_id)
WHERE d.episodes > 1 OR (d.received_on <= s.until AND (d.concluded_on IS NULL OR d.concluded_on >= s.since OR d.received_on >= s.since));
CREATE TEMP VIEW stale_dossier_state AS FROM dossier_state;
"""


@contextmanager
def counted_in(con: duckdb.DuckDBPyConnection, published: Path | None) -> Generator[Sequence[Part]]:
    """What is to be counted: everything, or in a build that goes on from a published database what moved since, that one
    attached meanwhile. Needs the tables of warehouse/build, and `touched` as warehouse/onward leaves it."""
    few = con.execute("SELECT count(*) < $1 FROM dossier", [MANY]).fetchall() == [(True,)]
    if not published or few:
        yield WHOLE
        return
    con.execute(f"ATTACH {quoted(published)} AS {FORMER} (READ_ONLY)")
    found = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = $1 AND schema_name = $2", [FORMER, COUNTED]
    ).fetchall()
    if {PLACES, VALUES, TALLY} <= {name for (name,) in found}:
        tell_apart(con)
        yield MOVED
    else:  # another engine counted
        yield WHOLE
    con.execute(f"DETACH {FORMER}")


def tell_apart(con: duckdb.DuckDBPyConnection) -> None:
    """The relations of MOVED, under the names that its parts have."""
    con.execute(RELATIONS.format(by=COUNTS_BY, former=FORMER))


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
