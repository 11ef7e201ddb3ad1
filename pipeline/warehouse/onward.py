"""A night that goes on from the published database: where nothing but files came, the tables of dossiers are kept, and
only the dossiers that a new file tells of are derived anew, by the same statements. What is counted of dossiers goes on
too (measure/moved). All else is built whole.

The rows of a dossier in these tables rest on its own words and on what the words' own files say, so no other dossier's
rows can change (docs/decisions.md). Not here: those tables (build), and whether there is anything to do (night).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.declare.tables import COUNTED
from pipeline.warehouse.accounts import Files
from pipeline.warehouse.aliases import Aliases
from pipeline.warehouse.release import Release, inputs_fingerprint
from pipeline.warehouse.sql import question, statement

WORDS = ("dossier", "other_word")  # all words about a dossier stand in them
KEPT = (*WORDS, "deadline_event", "transfer")
NAMES = "unit_named"  # kept too; of files, which do not change
# Rows that were replaced stay in the file, unread: at times it is built whole. More new rows than this cost as much as all.
NIGHTS, SHARE = 30, 0.2
# What stands in a database, kind by kind, in the order in which it can go; what is in schema main by its name alone.
OURS = "database_name = 'built' AND NOT internal"
PLACE = """CASE WHEN schema_name <> 'main' THEN '"' || schema_name || '".' ELSE '' END || """
BUILT = (
    ("VIEW", f"SELECT {PLACE}view_name FROM duckdb_views() WHERE {OURS}"),
    (
        "MACRO TABLE",
        f"SELECT DISTINCT function_name FROM duckdb_functions() WHERE {OURS} AND function_type = 'table_macro'",
    ),
    ("TABLE", f"SELECT {PLACE}table_name FROM duckdb_tables() WHERE {OURS}"),
    ("SCHEMA", f"""SELECT '"' || schema_name || '"' FROM duckdb_schemas() WHERE {OURS} AND schema_name <> 'main'"""),
)


@dataclass(frozen=True)
class Base:
    """The published database as a base. new: the files (seq) that came since. nights: how many went on from one that was
    built whole, this one included."""

    database: Path
    new: list[int]
    nights: int


def base(known: Release | None, files: Files, aliases: Aliases) -> Base | None:
    """What a night can go on from; None where all must be built: code, declarations, aliases, what was taken back or
    given again, or how a file was read is not as it was; nor by another DuckDB, whose hashes may be others."""
    if known is None or not known.database.exists():
        return None
    manifest = json.loads((known.folder / "manifest.json").read_text(encoding="utf-8"))
    then, nights = {f["seq"] for f in manifest["files"]}, known.nights + 1
    if manifest.get("duckdb") != duckdb.__version__:
        return None
    old = [f for f in files if f[0].seq in then]
    new = [f for f in files if f[0].seq not in then]
    if not new or nights > NIGHTS or inputs_fingerprint(old, aliases.sha256) != known.inputs:
        return None
    if sum(f.rows_in for _, f in new) > SHARE * sum(f.rows_in for _, f in files):
        return None
    # where a source brings its own units, what a name means is no matter of the list
    bring = [{facts.source for _, facts in part if facts.own_units} for part in (old, new)]
    if (bring[1] - bring[0]) & {facts.source for _, facts in old}:
        return None
    return Base(known.database, [entry.seq for entry, _ in new], nights)


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """A copy of the published database without anything but the tables that are kept, and what was counted (measure/moved)."""
    con.execute("BEGIN")
    for kind, found in BUILT:
        for (name,) in con.execute(found).fetchall():
            if name not in (*KEPT, NAMES) and not name.startswith(f'"{COUNTED}"'):
                con.execute(f"DROP {kind} {name}")
    con.execute("COMMIT")
    con.execute("CHECKPOINT built")  # what comes now takes the place of what went


def days_between(which: str = "") -> str:
    """SQL of a dossier: whether it may stand on another side of a cut-off that went on from the day in the variable `since`
    to that in `until`. which: what stands before their names."""
    since, until = f"getvariable('{which}since')", f"getvariable('{which}until')"
    told = ("received_on", "opened_on", "concluded_on", "due_on")
    either = " OR ".join(f"{day} BETWEEN {since} AND {until}" for day in told)
    return f"({either} OR (first_exported_on > {since} AND first_exported_on <= {until}))"


def touch(con: duckdb.DuckDBPyConnection, rows: str) -> None:
    """`touched`: the dossiers that new files tell of (rows: a relation of theirs). Their rows are taken out of the tables
    that are kept, and stand apart as they were, under names that begin with `before_`. `looked_up`: the rows of `dossier` among
    them, and those of others with a day between the newest cut-off and the newest export (`near_since`, `near_until`), which
    are mostly asked for afterwards (measure/moved): rows that lie scattered cost a look at all columns, so it is done once
    for both."""
    con.execute(f"CREATE TEMP TABLE touched AS SELECT DISTINCT dossier_id FROM {rows}")
    con.execute(f"SET VARIABLE near_since = (SELECT max(as_of) FROM {COUNTED}.unit_count)")
    con.execute("SET VARIABLE near_until = (SELECT CAST(max(exported_at) AS DATE) FROM file)")
    for table in KEPT:
        # by their places: to look for keys among those of all dossiers takes longer than all else that is done to them
        con.execute(
            f"CREATE TEMP TABLE taken AS SELECT rowid AS place FROM {table} SEMI JOIN touched USING (dossier_id)"
        )
        if table == "dossier":
            con.execute(
                f"""CREATE TEMP TABLE near AS SELECT rowid AS place FROM dossier WHERE {days_between("near_")};
                    CREATE TEMP TABLE looked_up AS FROM dossier WHERE rowid IN (FROM taken UNION ALL FROM near);
                    CREATE TEMP TABLE before_dossier AS FROM looked_up SEMI JOIN touched USING (dossier_id);
                    DROP TABLE near"""
            )
        else:
            con.execute(f"CREATE TEMP TABLE before_{table} AS FROM {table} WHERE rowid IN (FROM taken)")
        con.execute(f"DELETE FROM {table} WHERE rowid IN (FROM taken)")
        con.execute("DROP TABLE taken")


def told_again(con: duckdb.DuckDBPyConnection) -> None:
    """`told` of the dossiers that were touched: what new files tell, in `telling`; and all words before, as they stood in
    the tables, so that no older file is opened."""
    told = question(statement("warehouse", "told"))
    before = question(statement("warehouse", "dossier_version").replace("{of}", "before_"))
    con.execute(
        f"""CREATE TEMP TABLE told AS FROM ({told}) UNION ALL BY NAME
            SELECT v.* EXCLUDE (nth, versions, next_file_id), k.position
            FROM ({before}) v JOIN (SELECT file_id, known_from, position FROM file_known) k USING (file_id, known_from)"""
    )
