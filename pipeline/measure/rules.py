"""Asking by another rule set than ours: a connection whose questions find that rule set's tables under the usual names.

Its `dossier_period` stands in the published file; what is counted from it are views in memory, computed when they are
asked. All of it is live. What summaries alone tell cannot be counted anew: there these views have no data.
Not here: the rule sets (declare/rules), the statements (figures.py).
"""

from __future__ import annotations

import duckdb

from pipeline.declare.rules import OURS, filled
from pipeline.declare.tables import tables
from pipeline.measure.figures import LIVE, other_selects

ASKED = "asked"  # the database in memory that holds the views


def ask_by(con: duckdb.DuckDBPyConnection, rules: str) -> None:
    """From here on this connection's questions are answered by a rule set, from live rows; ours: by live figures."""
    file = _quoted(con.execute("SELECT current_database()").fetchall()[0][0])
    path = [f"{file}.{LIVE}", f"{file}.main"]
    if rules != OURS:
        own, heart = f"{ASKED}.{_quoted(rules)}", f"{file}.{_quoted(rules)}"
        con.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {ASKED} (READ_WRITE)")
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {own}")
        schemas = {"own": f"{own}.", "heart": f"{heart}.", "live": f"{path[0]}.", "main": f"{path[1]}."}
        for name, select in other_selects().items():
            con.execute(f"CREATE VIEW IF NOT EXISTS {own}.{name} AS {_shaped(name, filled(select, schemas))}")
        path = [heart, own, *path]  # the file's first, so that it stays the current database
    con.execute(f"SET search_path = '{','.join(path)}'")


def search_path(rules: str) -> str:
    """What to set in a client of one's own to find the rule set's `dossier_period`, and the published tables."""
    return f'"{rules}",{LIVE},main'


def _shaped(name: str, select: str) -> str:
    """With the column that names the seal where a table has one: always null, for these are live."""
    return f"SELECT *, CAST(NULL AS VARCHAR) AS seal FROM ({select})" if tables()[name].sealed else select


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
