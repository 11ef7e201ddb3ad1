"""SQL of this package's rooms: one statement per file, loaded by name; and rows of a query as dictionaries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    import polars as pl

HEAD = re.compile(r"(?:--[^\n]*\n)*CREATE (?:OR REPLACE )?(?:TEMP )?(?:TABLE|VIEW) \S+ AS\s+")
KEPT_ORDER = re.compile(r"\nORDER BY [^()]*\Z")


@cache
def statement(room: str, name: str) -> str:
    """The text of pipeline/<room>/sql/<name>.sql."""
    return files(f"pipeline.{room}").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def question(making: str) -> str:
    """What is asked in a statement that makes a relation: without its head and the order in which rows are kept."""
    found = HEAD.sub("", making.strip(), count=1)
    return KEPT_ORDER.sub("", found)


def rows_of(con: duckdb.DuckDBPyConnection, sql: str, values: Iterable[object] = ()) -> list[dict[str, Any]]:
    """The rows of a query, each a dictionary by column name; keys of dossiers in hex."""
    found = con.execute(sql, list(values))
    names = [d[0] for d in found.description or []]
    keys = [d[0] for d in found.description or [] if str(d[1]) == "UUID"]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    for row in rows if keys else ():
        row |= {key: row[key] and row[key].hex for key in keys}
    return rows


def hex_sql(key: str) -> str:
    """The key of a dossier as people and files get it: 32 digits."""
    return f"replace(CAST({key} AS VARCHAR), '-', '')"


def quoted(path: Path) -> str:
    """A path as an SQL text: a folder may be called "it's here"."""
    return "'" + path.as_posix().replace("'", "''") + "'"


def parquet(paths: Iterable[Path]) -> str:
    """A list of files for read_parquet. DuckDB takes *, ? and [ for patterns: they are put in brackets."""
    return "[" + ", ".join(re.sub(r"[*?[]", r"[\g<0>]", quoted(path)) for path in paths) + "]"


def store(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame, temp: bool = False) -> None:
    """A frame as a table."""
    con.register("incoming", frame)
    con.execute(f"CREATE {'TEMP ' if temp else ''}TABLE {table} AS SELECT * FROM incoming")
    con.unregister("incoming")
