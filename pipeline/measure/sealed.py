"""Sealed periods in a database: their rows stand in the published tables, and live ones in schema `live`.

In schema `main` a sealed period shows what was sealed, marked in column `seal`; `live` shows every period as computed
now. Both have the same tables, so that one question serves either: SET search_path = 'live,main'.
Not here: what a seal holds and how it is made (audit/sealing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from pipeline.declare.figures import measures
from pipeline.declare.tables import live_tables, sealed_tables
from pipeline.measure.figures import (
    LIVE,
    VIEWS,
    derived_tables,
    rule_views,
    unit_count_select,
    view_sql,
)
from pipeline.measure.heart import has_states
from pipeline.measure.sums import sums_sql, unit_counts_sql
from pipeline.warehouse.seals import Seal
from pipeline.warehouse.sql import parquet, rows_of, store

BENEATH = "beneath"  # live rows of sealed periods, which the published tables do not show
KEPT = "sealed"  # rows of sealed periods, of what is otherwise computed when it is asked
COUNTED_ANEW = "unit_count"  # no seal holds it: it follows from the sealed period_count


def live_only(con: duckdb.DuckDBPyConnection) -> None:
    """From here on this connection's questions are answered by live figures."""
    con.execute(f"SET search_path = '{LIVE},main'")


def slice_where(table: str, period: str, first_day: object, last_day: object) -> str:
    """Which rows of a table belong to a period; summaries are kept by their days."""
    if table == "reported":
        return f"first_day = DATE '{first_day}' AND last_day = DATE '{last_day}'"
    return f"period = '{period}'"


def apply_seals(con: duckdb.DuckDBPyConnection, seals: Sequence[Seal]) -> None:
    """Shows each sealed period as its newest seal has it, and all others as live. seals: all there are, oldest first.
    May be called again on a database that has seals already."""
    tables = [name for name in sealed_tables() if name not in VIEWS]
    again = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'seal'").fetchall() != [(0,)]
    if again:
        _take_off(con, tables)
    else:
        con.execute(f"CREATE SCHEMA {LIVE}; CREATE SCHEMA {BENEATH}; CREATE SCHEMA {KEPT}")
        con.execute("; ".join(f"DROP VIEW IF EXISTS {name}" for name in reversed(VIEWS)))
        for name in tables:
            con.execute(f"ALTER TABLE {name} ADD COLUMN seal VARCHAR")
    days = {r["period"]: r for r in rows_of(con, "SELECT period, period_from, period_to FROM period")}
    shown = [s for s in {s.period: s for s in seals}.values() if s.period in days]
    for name in tables:
        wheres = [slice_where(name, s.period, *list(days[s.period].values())[1:]) for s in shown]
        _show(con, name, shown, " OR ".join(wheres) or "FALSE")
    states = has_states(con)
    for name in VIEWS:
        _view(con, name, shown, states)
    _seal_table(con, seals)
    known_at = con.execute("SELECT max(known_at) FROM file").fetchall()[0][0]
    _revision_table(con, seals, known_at)
    rule_views(con)
    if shown or again:  # else they are as build_figures made them
        derived_tables(con)


def _take_off(con: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> None:
    """The live rows back into the published tables."""
    for name in tables:
        con.execute(f"DELETE FROM {name} WHERE seal IS NOT NULL")
        con.execute(f"INSERT INTO {name} BY NAME SELECT * FROM {BENEATH}.{name}")
        con.execute(f"DROP VIEW {LIVE}.{name}; DROP TABLE {BENEATH}.{name}")
    for name in reversed(VIEWS):
        kind = "VIEW" if name == COUNTED_ANEW else "TABLE"
        con.execute(f"DROP VIEW {name}; DROP VIEW {LIVE}.{name}; DROP {kind} IF EXISTS {KEPT}.{name}")
    con.execute("DROP TABLE seal; DROP TABLE revision")


def _show(con: duckdb.DuckDBPyConnection, name: str, shown: Sequence[Seal], where: str) -> None:
    con.execute(f"CREATE TABLE {BENEATH}.{name} AS SELECT * FROM {name} WHERE {where}")
    con.execute(f"DELETE FROM {name} WHERE {where}")
    for seal in shown:
        if seal.holds(name):
            con.execute(f"INSERT INTO {name} BY NAME {_rows(con, name, seal)}")
    con.execute(
        f"CREATE VIEW {LIVE}.{name} AS SELECT * FROM main.{name} WHERE seal IS NULL "
        f"UNION ALL BY NAME SELECT * FROM {BENEATH}.{name}"
    )


def _rows(con: duckdb.DuckDBPyConnection, name: str, seal: Seal) -> str:
    """The sealed rows of a table, of the columns that the table has today."""
    known = {
        c for (c,) in con.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = ?", [name]).fetchall()
    }
    path = parquet([seal.table(name)])
    kept = [c for c, *_ in con.execute(f"DESCRIBE SELECT * FROM read_parquet({path})").fetchall() if c in known]
    columns = ", ".join(f'"{c}"' for c in kept)
    return f"SELECT {columns}, '{seal.short}' AS seal FROM read_parquet({path})"


def _view(con: duckdb.DuckDBPyConnection, name: str, shown: Sequence[Seal], states: bool) -> None:
    """What is computed when it is asked: the computed rows of live periods, and the kept ones of sealed periods. states: as
    of `view_sql`."""
    con.execute(view_sql(name, f"{LIVE}.", "main.", states))
    kept = ""
    if shown:
        _keep(con, name, shown)
        keys = ", ".join(f"'{s.period}'" for s in shown)
        kept = f"WHERE period NOT IN ({keys}) UNION ALL BY NAME SELECT * FROM {KEPT}.{name}"
    con.execute(f"CREATE VIEW {name} AS SELECT * FROM {LIVE}.{name} {kept}")


def _keep(con: duckdb.DuckDBPyConnection, name: str, shown: Sequence[Seal]) -> None:
    """The rows of sealed periods, with the columns of the computed ones."""
    if name == COUNTED_ANEW:
        con.execute(f"CREATE VIEW {KEPT}.{name} AS {unit_count_select(f'{KEPT}.period_count')}")
        return
    con.execute(f"CREATE TABLE {KEPT}.{name} AS SELECT * FROM {LIVE}.{name} LIMIT 0")
    for seal in shown:
        if seal.holds(name):
            con.execute(f"INSERT INTO {KEPT}.{name} BY NAME {_rows(con, name, seal)}")


def _seal_table(con: duckdb.DuckDBPyConnection, seals: Sequence[Seal]) -> None:
    """`seal`: which seals there are; counts: whether the published figures of the period are this one's."""
    newest = {s.period: s.number for s in seals}
    rows = [
        (
            *(s.short, s.period, s.version, newest[s.period] == s.number, s.known_at),
            *(datetime.fromisoformat(s.sealed_at), s.rules, s.note, s.reason, s.sha256, s.previous),
        )
        for s in seals
    ]
    texts = dict.fromkeys(("rules", "note", "reason", "sha256", "previous"), pl.String)
    schema = {"seal": pl.String, "period": pl.String, "version": pl.Int32, "counts": pl.Boolean}
    moments = {"known_at": pl.Datetime("us"), "sealed_at": pl.Datetime("us", "UTC")}
    frame = pl.DataFrame(rows, schema=schema | moments | texts, orient="row")
    store(con, "seal", frame.with_columns(pl.col("sealed_at").dt.replace_time_zone(None)))


# ---- figures by known time


def _revision_table(con: duckdb.DuckDBPyConnection, seals: Sequence[Seal], known_at: datetime | None) -> None:
    """`revision`: every figure of every sealed period, as each of its seals has it and as it is now."""
    pieces = [_figures_sql(s.period, s.table, f"'{s.short}'", s.version, s.known_at) for s in seals]
    newest = {s.period: s.version for s in seals}
    pieces += [
        _figures_sql(period, lambda name: f"{LIVE}.{name}" if name in live_tables() else name, "NULL", None, known_at)
        for period, version in newest.items()
    ]
    schema = (
        "SELECT NULL::VARCHAR AS period, NULL::VARCHAR AS unit_id, NULL::VARCHAR AS figure, NULL::VARCHAR AS seal, "
        "NULL::INTEGER AS version, NULL::TIMESTAMP AS known_at, NULL::BIGINT AS numerator, NULL::BIGINT AS denominator, "
        "NULL::DOUBLE AS value LIMIT 0"
    )
    rows = " UNION ALL BY NAME ".join([f"({schema})", *(f"({piece})" for piece in pieces)])
    con.execute(f"CREATE TABLE revision AS SELECT * FROM ({rows}) ORDER BY period, unit_id, figure, version NULLS LAST")


def _figures_sql(
    period: str, place: Callable[[str], object], seal: str, version: int | None, known_at: datetime | None
) -> str:
    """The counts and indicators of a period from tables that `place` finds: names of tables, or Parquet files."""

    def table(name: str) -> str:
        found = place(name)
        return f"read_parquet({parquet([found])})" if isinstance(found, Path) else str(found)

    # a seal holds what is counted by field and label, of which the counts of units follow
    sealed = f"({unit_count_select(table('period_count'))})"
    counts = unit_counts_sql(sealed if version else table(COUNTED_ANEW), table("reported_figure"))
    names = ", ".join(measures())
    told = (
        f"{seal}::VARCHAR AS seal, {'NULL' if version is None else version}::INTEGER AS version, "
        f"{'NULL' if known_at is None else repr(str(known_at))}::TIMESTAMP AS known_at"
    )
    return f"""
        WITH summed AS (
            SELECT period, node AS unit_id, {sums_sql()} FROM ({counts}) JOIN {table("node_of")} USING (unit_id)
            WHERE period = '{period}' GROUP BY period, node
        )
        SELECT period, unit_id, figure, {told}, value AS numerator, NULL::BIGINT AS denominator, value::DOUBLE AS value
        FROM summed UNPIVOT INCLUDE NULLS (value FOR figure IN ({names}))
        UNION ALL BY NAME
        SELECT period, unit_id, indicator AS figure, {told}, numerator, denominator, value
        FROM {table("indicator_value")} WHERE period = '{period}'
    """
