"""The database, built privately from the record: files, units, periods, dossiers, coverage, accounting.

Everything here can be deleted and built again: equal rows. Not here: labels, counts, indicators (measure/), and
whether the result may be published (night.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import polars as pl

from pipeline.declare.columns import codes
from pipeline.declare.periods import Period, all_periods, default_scheme, parse_period
from pipeline.warehouse.accounts import Files, account, file_tables, rows_sql
from pipeline.warehouse.aliases import NO_ALIASES, Aliases
from pipeline.warehouse.onward import KEPT, WORDS, clear, told_again, touch
from pipeline.warehouse.procedures import procedure_table
from pipeline.warehouse.reported import reported_tables
from pipeline.warehouse.returns import return_tables
from pipeline.warehouse.room import take_room
from pipeline.warehouse.sql import question, quoted, statement, store
from pipeline.warehouse.units import resolve_units, unit_review, unit_tables

STORAGE = "v1.5.0"  # older clients open the published file (DESIGN §4.1)


def connect(path: Path, rows: int = 0) -> duckdb.DuckDBPyConnection:
    """A new database file, open for building. rows: of the files that are built from. Until its first CHECKPOINT nothing
    is there: a build that was broken off is thrown away, so it keeps no log to be taken up from, and waits for no disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute(f"ATTACH {quoted(path)} AS built (STORAGE_VERSION '{STORAGE}', RECOVERY_MODE no_wal_writes)")
    con.execute("USE built")
    take_room(con, path.parent / "spill", rows)
    return con


# statements in the order in which their relations rest on each other
NEWEST = ("several", "preferred", "history", "placed", "dossier_unit", "dossier")
HISTORY = (*NEWEST, "other_word", "dossier_version", "version", "dossier_days")
# the same where figures of one period alone are wanted: dossiers that cannot stand in it are read and not stored
ONE_PERIOD = (*NEWEST, "one_period_version", "one_period_other", "version", "one_period_days")
DOSSIERS = (
    "unit_told",
    "coverage",
    "rejected_dossier",
    "gone",
    "vanished",
    "transfer",
    "dossier_state",
)
LEDGER = ("deadline_event", "deadline")  # of which no figure is made
PERIODS = ("period", "period_unit", "reported_count", "reported_node", "period_coverage")


def build(
    con: duckdb.DuckDBPyConnection,
    files: Files,
    withdrawn: Files | None = None,
    aliases: Aliases = NO_ALIASES,
    only: str | None = None,
    new: list[int] | None = None,
) -> None:
    """Makes the tables from the files that count. Those that were taken back are accounted for, and what they told
    stands in the history with the time in which it was known. only: the one period (its key) whose figures are wanted:
    `dossier` holds those that may stand in it, and nothing else is kept of dossiers.
    new: the files (seq) that came since, in a copy of the published database to go on from (onward)."""
    back = withdrawn or []
    if new:
        clear(con)
    file_tables(con, files, back)
    _status_table(con)
    procedure_table(con)
    own = resolve_units(con, files + back, aliases, new)
    reported_tables(con, files, aliases, own)
    return_tables(con, files, aliases, own)
    unit_tables(con, own)
    unit_review(con, files)
    # the optimizer takes the many rows of files, and of dossiers, for few, and would keep them in memory to join them
    con.execute("SET disabled_optimizers = 'build_side_probe_side,common_subplan'")
    if new:
        con.execute(f"CREATE TEMP VIEW telling AS {rows_sql([one for one in files + back if one[0].seq in new])}")
        touch(con, "telling")
        told_again(con)
    else:
        con.execute("CREATE TEMP VIEW telling AS FROM row_of_file")
        con.execute(_of("told", ""))
    if only:
        _make(con, (*ONE_PERIOD, *DOSSIERS), limits={"dossier": _may_stand(parse_period(only))})
    else:
        kept = KEPT if new else ()
        _make(con, (*HISTORY, *DOSSIERS), kept)
        if not new:
            for name in WORDS:
                con.execute(f"CREATE TEMP VIEW telling_{name} AS FROM {name}")
        words = question(_of("dossier_version", "telling_"))
        con.execute(f"CREATE TEMP VIEW telling_version AS FROM ({words}) WHERE nth IS NOT NULL")
        _make(con, LEDGER, kept)
    con.execute("RESET disabled_optimizers")
    account(con, files, back)
    con.execute(f"CREATE TEMP MACRO default_scheme() AS '{default_scheme()}'")
    _known_periods(con, only)
    _make(con, PERIODS)


def _make(
    con: duckdb.DuckDBPyConnection,
    names: Iterable[str],
    there: Iterable[str] = (),
    limits: Mapping[str, str] | None = None,
) -> None:
    """there: tables to which the statements' rows are added; where these are words they stand apart too, under the name
    `telling_…`. limits: what is asked of the rows of one in addition."""
    for name in names:
        making = _of(name, "") + (limits or {}).get(name, "")
        if name not in there:
            con.execute(making)
            continue
        rows = question(making)
        if name in WORDS:
            con.execute(f"CREATE TEMP TABLE telling_{name} AS {rows}")
            rows = f"FROM telling_{name}"
        con.execute(f"INSERT INTO {name} {rows}")


def _of(name: str, of: str) -> str:
    """A statement over the relations with such names."""
    return statement("warehouse", name).replace("{of}", of)


def _may_stand(period: Period) -> str:
    """A limit of `dossier`: whether one may stand in a period (declare/rules, `in_period`, asks more); and, wherever they
    stand, those that were reopened."""
    return (
        f"WHERE v.episodes > 1 OR (v.received_at < DATE '{period.end}' + 1 "
        f"AND (v.ended_at IS NULL OR v.ended_at >= DATE '{period.start}' OR v.received_at >= DATE '{period.start}'))"
    )


def _status_table(con: duckdb.DuckDBPyConnection) -> None:
    pairs = [(c.value, c.group) for c in codes("status").values()]
    store(con, "status", pl.DataFrame(pairs, schema=["status", "status_group"], orient="row"))


def _known_periods(con: duckdb.DuckDBPyConnection, only: str | None) -> None:
    """`known_period`: every period that some file reaches, also one that was taken back; or one of them only."""
    first, last = con.execute(
        """SELECT min(first_day), max(last_day) FROM (
               SELECT min(first_received_on) AS first_day, NULL AS last_day FROM unit_told
               UNION ALL SELECT NULL, max(last_day) FROM file_span
               UNION ALL SELECT min(first_day), max(last_day) FROM reported)"""
    ).fetchall()[0]
    known = all_periods(first, last) if first and last and first <= last else ()
    rows = [
        (n, p.key, p.scheme, p.kind, p.start, p.end, p.label.vi, p.label.en)
        for n, p in enumerate(known)
        if only in (None, p.key)
    ]
    words = dict.fromkeys(("period", "scheme", "kind"), pl.String)
    days = dict.fromkeys(("period_from", "period_to"), pl.Date)
    labels = dict.fromkeys(("label_vi", "label_en"), pl.String)
    frame = pl.DataFrame(rows, schema={"sort": pl.Int32} | words | days | labels, orient="row")
    store(con, "known_period", frame)
