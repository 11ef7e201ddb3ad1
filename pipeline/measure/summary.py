"""What a database tells in few words: its quarters, how two differ in one, what was found, how fresh it is.

Reads published or freshly built databases for the notes of a run. Not here: printing, or a figure of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipeline.declare.figures import measures
from pipeline.declare.periods import default_scheme
from pipeline.declare.sources import read_source
from pipeline.errors import DeclarationError
from pipeline.measure import answers
from pipeline.measure.checks import Outcome, checks
from pipeline.measure.sums import measure_counts_sql
from pipeline.settings import Home
from pipeline.warehouse.release import code_fingerprint

Cells = dict[tuple[str, str, str], Any]
INDICATOR_CELLS = ("numerator", "denominator", "unknown", "value", "verdict")


def open_database(path: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a finished database, published or not yet."""
    return duckdb.connect(str(path), read_only=True)


# ---- quarters


def quarters(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Keys of the default scheme's quarters that have data, oldest first."""
    found = con.execute(
        """SELECT period FROM period_coverage WHERE scheme = ? AND kind = 'quarter' AND coverage <> 'no_data'
           GROUP BY period ORDER BY min(period_from)""",
        [default_scheme()],
    )
    return [key for (key,) in found.fetchall()]


def newest_quarter(con: duckdb.DuckDBPyConnection) -> str | None:
    """The last quarter with receipts that is covered in full for some unit, else the last one that has data."""
    found = con.execute(
        """WITH arisen AS (
               SELECT period FROM unit_count WHERE total > carried_over UNION SELECT period FROM reported_figure
           )
           SELECT c.period FROM period_coverage c LEFT JOIN arisen a USING (period)
           WHERE c.scheme = ? AND c.kind = 'quarter' AND c.coverage <> 'no_data' GROUP BY c.period
           ORDER BY count(a.period) > 0 DESC, bool_or(c.coverage = 'full') DESC, max(c.period_to) DESC LIMIT 1""",
        [default_scheme()],
    ).fetchall()
    return found[0][0] if found else None


def stats_marks(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Quarter → a mark of what `answers.stats` tells of it: where two databases give the same one, so does that."""
    counts = ", ".join(("period", "unit_id", *measures()))
    found = con.execute(
        f"""SELECT period, sum(mark)::VARCHAR FROM (
                SELECT period, sum(hash(c, u.unit_code, u.unit, u.kind)::HUGEINT) AS mark
                FROM period_coverage c JOIN unit u USING (unit_id) GROUP BY period
                UNION ALL
                SELECT period, sum(hash(c)::HUGEINT) FROM (SELECT {counts} FROM unit_count UNION ALL SELECT {counts} FROM reported_figure) c
                GROUP BY period
                UNION ALL
                SELECT period, mark FROM period, (SELECT sum(hash(n)::HUGEINT) AS mark FROM node_of n)
            )
            WHERE list_contains($1, period) GROUP BY period""",
        [quarters(con)],
    ).fetchall()
    return {key: int(mark) for key, mark in found}


def marks_in(database: Path) -> dict[str, int]:
    """The marks of a release's quarters; none where it is gone, or another program made it."""
    if not database.exists():
        return {}
    with open_database(database) as con:
        made_by = "SELECT value FROM release_info WHERE key = 'code_and_declarations'"
        return stats_marks(con) if con.execute(made_by).fetchall() == [(code_fingerprint(),)] else {}


def contents(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How much there is: dossiers, units that have data, quarters that have data."""
    dossiers, units = con.execute(
        "SELECT (SELECT count(*) FROM dossier WHERE episode = episodes), "
        "(SELECT count(*) FROM (SELECT unit_id FROM coverage UNION SELECT unit_id FROM reported WHERE counts))"
    ).fetchall()[0]
    return {"dossiers": dossiers, "units": units, "quarters": len(quarters(con))}


# ---- files


@dataclass(frozen=True)
class Account:
    """What became of a file's rows. reasons: code → rows that are excluded or rejected for it."""

    file_id: int
    file: str
    rows_in: int
    counted: int
    excluded: int
    rejected: int
    reasons: dict[str, int]

    @property
    def adds_up(self) -> bool:
        told = self.excluded + self.rejected
        return self.counted + told == self.rows_in and sum(self.reasons.values()) == told


def accounts(con: duckdb.DuckDBPyConnection) -> list[Account]:
    """The account of every file, by source and name."""
    told: dict[int, dict[str, dict[str, int]]] = {}
    for file_id, verdict, reason, rows in con.execute(
        "SELECT file_id, verdict, coalesce(reason, ''), rows FROM file_account ORDER BY ALL"
    ).fetchall():
        told.setdefault(file_id, {}).setdefault(verdict, {})[reason] = rows
    found = []
    for file_id, file, rows_in in con.execute(
        "SELECT file_id, source || '/' || name, rows_in FROM file ORDER BY source, exported_at, name, file_id"
    ).fetchall():
        own = {verdict: told.get(file_id, {}).get(verdict, {}) for verdict in ("counted", "excluded", "rejected")}
        sums = (sum(by_reason.values()) for by_reason in own.values())
        found.append(Account(file_id, file, rows_in, *sums, own["rejected"] | own["excluded"]))
    return found


# ---- two databases, one quarter


@dataclass(frozen=True)
class Difference:
    """A cell of a quarter that is not the same in two databases; null where a database does not have it."""

    period: str
    unit: str
    field: str
    figure: str
    before: Any
    after: Any


def cells(con: duckdb.DuckDBPyConnection, period: str) -> Cells:
    """(unit, field, figure) → value: every count by unit and field, every indicator, cut-off and coverage."""
    found: Cells = {}
    counted = con.execute(
        f"""SELECT u.unit, coalesce(c.field, '?'), {measure_counts_sql()}
            FROM period_count c JOIN unit u USING (unit_id)
            WHERE c.period = ? GROUP BY u.unit_id, u.unit, c.field""",
        [period],
    ).fetchall()
    reported = con.execute(
        f"SELECT u.unit, '', {', '.join(measures())} FROM reported_figure r JOIN unit u USING (unit_id) WHERE period = ?",
        [period],
    ).fetchall()
    for unit, of_field, *counts in counted + reported:
        found |= {(unit, of_field, name): n for name, n in zip(measures(), counts, strict=True) if n}
    for row in answers.indicators(con, period):
        found |= {(row["unit"], "", name): row[name] for name in ("as_of", "coverage")}
        found |= {(row["unit"], "", f"{row['indicator']}: {name}"): row[name] for name in INDICATOR_CELLS}
    return found


def differences(
    before: duckdb.DuckDBPyConnection | None, after: duckdb.DuckDBPyConnection, periods: Iterable[str]
) -> list[Difference]:
    """The cells of these quarters that differ; all of them where there is no database before."""
    found = []
    for period in periods:
        old, new = (cells(con, period) if con else {} for con in (before, after))
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                found.append(Difference(period, *key, old.get(key), new.get(key)))
    return found


# ---- findings


def kept_outcomes(con: duckdb.DuckDBPyConnection) -> list[Outcome]:
    """The outcome of every check as the published database keeps it, for a night that built nothing."""
    rows: dict[str, tuple[int, list[dict[str, Any]]]] = {}
    for code, failures, detail in con.execute('SELECT "check", failures, detail FROM finding').fetchall():
        rows.setdefault(code, (failures, []))[1].append(json.loads(detail))
    return [Outcome(check, *rows.get(check.code, (0, []))) for check in checks()]


# ---- freshness


@dataclass(frozen=True)
class Freshness:
    """How old a source's newest export is. waits_for: from which day its age counts (see `freshness`)."""

    source: str
    name: str
    exports: int
    exported_on: date
    last_day: date
    waits_for: date
    live: bool

    @property
    def age_days(self) -> int:
        return max(0, (self.waits_for - self.exported_on).days)


def freshness(con: duckdb.DuckDBPyConnection, home: Home, today: date) -> list[Freshness]:
    """Age of the newest export of every source that still has its folder in data/raw.

    A source that reports as it goes is measured against today. One that declares its files historical
    (known_at = "exported") has no today: it is measured against the newest export of all sources, so that one
    that fell behind the others still shows.
    """
    rows = con.execute(
        """SELECT source, any_value(source_name), count(*), max(CAST(exported_at AS DATE)), max(last_day)
           FROM file WHERE withdrawn_at IS NULL GROUP BY source ORDER BY source"""
    ).fetchall()
    newest = max((exported_on for *_, exported_on, _ in rows), default=today)
    found = []
    for source, name, exports, exported_on, last_day in rows:
        folder = home.raw / source
        if not folder.is_dir():
            continue
        try:
            live = read_source(folder).known_at != "exported"
        except DeclarationError:
            live = True
        found.append(Freshness(source, name, exports, exported_on, last_day, today if live else newest, live))
    return found
