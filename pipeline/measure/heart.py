"""The statement of `dossier_period`, filled in: by a rule set, over the tables of a schema.

Not here: the labels themselves (sql/dossier_period.sql, declare/rules.toml).
"""

from __future__ import annotations

from pipeline.declare.rules import filled, rule_sets
from pipeline.warehouse.sql import statement


def heart_select(rules: str, live: str, main: str, more: str = "") -> str:
    """By a rule set. live, main: what stands before the names of periods, and of dossiers and their states: a schema with
    its dot. more: columns of {main}dossier beside those that are published, each with a comma before it."""
    text = statement("measure", "dossier_period").replace(" AS seal\n", f" AS seal{more}\n")
    return filled(text, {**rule_sets()[rules].sql, "live": live, "main": main})
