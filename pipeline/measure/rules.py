"""Asking by another rule set than ours: a connection whose questions find that rule set's tables under the usual names.

Its `dossier_period` stands in the published file; what is counted from it are views in memory, computed when they are
asked. All of it is live. What summaries alone tell cannot be counted anew: there these views have no data.
Not here: the rule sets (declare/rules), the statements (figures.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import duckdb

from pipeline.declare.rules import OURS, filled
from pipeline.declare.tables import tables
from pipeline.measure.figures import LIVE, other_selects

ASKED = "asked"  # the database in memory that holds the views
OWN = re.compile(r"\{own\}(\w+)")


def ask_by(con: duckdb.DuckDBPyConnection, rules: str, names: Iterable[str] | None = None) -> None:
    """From here on this connection's questions are answered by a rule set, from live rows; ours: by live figures.
    names: the tables that will be asked beside `dossier_period`, where not all of them will: each takes its time."""
    file = _quoted(con.execute("SELECT current_database()").fetchall()[0][0])
    path = [f"{file}.{LIVE}", f"{file}.main"]
    if rules != OURS:
        own, heart = f"{ASKED}.{_quoted(rules)}", f"{file}.{_quoted(rules)}"
        con.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {ASKED} (READ_WRITE)")
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {own}")
        schemas = {"own": f"{own}.", "heart": f"{heart}.", "live": f"{path[0]}.", "main": f"{path[1]}."}
        made = "SELECT view_name FROM duckdb_views() WHERE database_name = ? AND schema_name = ?"
        there = {name for (name,) in con.execute(made, [ASKED, rules]).fetchall()}
        for name, select in _needed(names).items():
            if name not in there:
                con.execute(f"CREATE VIEW {own}.{name} AS {_shaped(name, filled(select, schemas))}")
        path = [heart, own, *path]  # the file's first, so that it stays the current database
    con.execute(f"SET search_path = '{','.join(path)}'")


def _needed(names: Iterable[str] | None) -> dict[str, str]:
    """The statements of these tables and of those that they are made from, in the order in which they can be made."""
    selects = other_selects()
    if names is None:
        return selects
    needed, more = set(), set(names)
    while more := more - needed:
        needed |= more
        more = {name for one in more for name in OWN.findall(selects[one])}
    return {name: select for name, select in selects.items() if name in needed}


def search_path(rules: str) -> str:
    """What to set in a client of one's own to find the rule set's `dossier_period`, and the published tables."""
    return f'"{rules}",{LIVE},main'


def _shaped(name: str, select: str) -> str:
    """With the column that names the seal where a table has one: always null, for these are live."""
    return f"SELECT *, CAST(NULL AS VARCHAR) AS seal FROM ({select})" if tables()[name].sealed else select


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
