"""What the published database holds: every table and column in words, from tables.toml; the schema's version.

Columns that a declaration elsewhere already describes (canonical columns, labels, measures) take their words there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pipeline.declare.columns import columns
from pipeline.declare.figures import labels, measures
from pipeline.declare.forms import form
from pipeline.declare.text import Text, declared, text_of

SCHEMA_VERSION = 6
COUNTED = "counted"  # schema of what a night counts; the published views look there


@dataclass(frozen=True)
class Table:
    """A published table: its grain in words, its columns in order. place: how it is asked for: of what stands in schema
    `counted` alone with the schema. sealed: a seal holds its rows of the period. live: schema `live` has the table as computed
    now: every sealed one, and what follows from these."""

    name: str
    place: str
    text: Text
    columns: dict[str, Text]
    sealed: bool = False
    live: bool = False


@cache
def tables() -> dict[str, Table]:
    return _tables("table", "")


@cache
def inner_tables() -> dict[str, Table]:
    """What stands in schema `counted` for the night that goes on, and nobody else asks."""
    return _tables("inner", f"{COUNTED}.")


def _tables(kind: str, schema: str) -> dict[str, Table]:
    node = declared("tables.toml")
    shared = {name: text_of(words) for name, words in node["column"].items()}
    known = (
        {name: m.label for name, m in measures().items()}
        | {name: c.label for name, c in columns().items()}
        | {name: label.text for name, label in labels().items()}
        | {name: m.label for name, m in form("ii06a").columns.items()}
        | shared
    )
    found = {}
    for name, table in node[kind].items():
        own = {c: text_of(words) for c, words in table.get("own", {}).items()}
        sealed = table.get("sealed", False)
        names = [*table["columns"], *(["seal"] if sealed else [])]
        told = {c: own.get(c) or known[c] for c in names}
        found[name] = Table(name, schema + name, text_of(table), told, sealed, table.get("live", sealed))
    return found


@cache
def macros() -> dict[str, Text]:
    """The published file's table macros, each in words and with an example."""
    return {name: text_of(words) for name, words in declared("tables.toml")["macro"].items()}


def sealed_tables() -> list[str]:
    """The tables of which a seal holds the rows of its period."""
    return [table.name for table in tables().values() if table.sealed]


def live_tables() -> list[str]:
    """The tables that schema `live` has too."""
    return [table.name for table in tables().values() if table.live]
