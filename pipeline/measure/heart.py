"""The statement of `dossier_period`, filled in: by a rule set, over the tables of a schema.

Not here: the labels themselves (sql/dossier_period.sql, declare/rules.toml).
"""

from __future__ import annotations

import duckdb

from pipeline.declare.rules import filled, rule_sets
from pipeline.warehouse.sql import statement


def heart_select(rules: str, live: str, main: str, more: str = "", states: bool = True) -> str:
    """By a rule set. live, main: what stands before the names of periods, and of dossiers and their states: a schema with
    its dot. more: columns of {main}dossier beside those that are published, each with a comma before it. states: as
    `has_states` says: where there are none they are not looked for, which would read the key of every dossier."""
    text = statement("measure", "dossier_period").replace(" AS seal\n", f" AS seal{more}\n")
    if not states:
        text = text.replace("  ON s.dossier_id", "  ON FALSE AND s.dossier_id")
    return filled(text, {**rule_sets()[rules].sql, "live": live, "main": main})


def has_states(con: duckdb.DuckDBPyConnection, main: str = "") -> bool:
    """Whether some dossier's state or due day was another at some time: whether {main}dossier_state has rows."""
    return con.execute(f"SELECT 1 FROM {main}dossier_state LIMIT 1").fetchone() is not None
