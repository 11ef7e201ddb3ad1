"""Two sets of figures side by side in one connection: releases, seals, databases of earlier knowledge.

Each side is a schema with the published tables' names, so that one question can be asked of either, or of both.
Not here: comparing them (difference.py), finding the place a person means (places.py).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.declare.tables import live_tables, sealed_tables, tables
from pipeline.declare.text import Text
from pipeline.measure.figures import LIVE, unit_count_select
from pipeline.warehouse.seals import Seal
from pipeline.warehouse.sql import parquet, quoted

BEFORE, AFTER = "before", "after"
ABOUT_THE_FILE = ("release_info", "data_dictionary")  # not about figures
# What a seal holds beside its period's rows: what its keys mean, and what was in force.
LOOKUPS = ("period", "unit", "node_of", "file", "threshold", "indicator")


@dataclass(frozen=True)
class Place:
    """Where figures stand. database: a published file, or one of earlier knowledge; live: its live figures, not its
    sealed ones. Or a seal. label: what people call it."""

    label: Text
    database: Path | None = None
    live: bool = False
    seal: Seal | None = None


@contextmanager
def side_by_side(before: Place, after: Place) -> Generator[duckdb.DuckDBPyConnection]:
    """A connection with the schemas `before` and `after`."""
    con = duckdb.connect()
    try:
        known: dict[Path, str] = {}
        for schema, place in ((BEFORE, before), (AFTER, after)):
            con.execute(f"CREATE SCHEMA {schema}")
            if place.seal:
                _show_seal(con, schema, place.seal)
            elif place.database:
                _show_database(con, schema, place, known)
        yield con
    finally:
        con.close()


def ask(con: duckdb.DuckDBPyConnection, schema: str) -> None:
    """From here on questions without a schema are answered by this side."""
    con.execute(f"SET search_path = '{schema}'")


def common_columns(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The columns of a table that both sides have, without the mark of a seal."""
    found = con.execute(
        """SELECT column_name FROM duckdb_columns()
           WHERE schema_name IN (?, ?) AND table_name = ? AND column_name <> 'seal'
           GROUP BY column_name HAVING count(*) = 2 ORDER BY min(column_index), column_name""",
        [BEFORE, AFTER, table],
    )
    return [name for (name,) in found.fetchall()]


def _all(table: str) -> str:
    """The columns of a table of either side; before 0.6 keys of dossiers were text."""
    keyed = table in tables() and "dossier_id" in tables()[table].columns
    return "* REPLACE (CAST(dossier_id AS UUID) AS dossier_id)" if keyed else "*"


def _show_seal(con: duckdb.DuckDBPyConnection, schema: str, seal: Seal) -> None:
    for name in filter(seal.holds, (*sealed_tables(), *LOOKUPS)):
        con.execute(
            f"CREATE VIEW {schema}.{name} AS SELECT {_all(name)} FROM read_parquet({parquet([seal.table(name)])})"
        )
    con.execute(f"CREATE VIEW {schema}.unit_count AS {unit_count_select(f'{schema}.period_count')}")


def _show_database(con: duckdb.DuckDBPyConnection, schema: str, place: Place, known: dict[Path, str]) -> None:
    path = place.database
    assert path is not None
    if path not in known:
        known[path] = f"file_{len(known)}"
        con.execute(f"ATTACH {quoted(path)} AS {known[path]} (READ_ONLY)")
    live = set(live_tables())
    # a re-run keeps no ledger of deadlines, and a file of another version of the program has other tables
    there = con.execute(
        "SELECT DISTINCT schema_name, table_name FROM duckdb_columns() WHERE database_name = ?", [known[path]]
    ).fetchall()
    for name in (t for t in tables() if t not in ABOUT_THE_FILE):
        inside = LIVE if place.live and name in live else "main"
        if (inside, name) in there:
            con.execute(f"CREATE VIEW {schema}.{name} AS SELECT {_all(name)} FROM {known[path]}.{inside}.{name}")
