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

from pipeline.warehouse.accounts import Files
from pipeline.warehouse.aliases import Aliases
from pipeline.warehouse.release import Release, inputs_fingerprint

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
    """A copy of the published database without anything but the tables that are kept."""
    for kind, found in BUILT:
        for (name,) in con.execute(found).fetchall():
            if name not in (*KEPT, NAMES):
                con.execute(f"DROP {kind} {name}")
    con.execute("CHECKPOINT built")  # what comes now takes the place of what went


def touch(con: duckdb.DuckDBPyConnection, new: list[int]) -> set[int]:
    """`touched`: the dossiers that files (seq) tell of. Their rows are taken out of the tables that are kept. Returns the
    files in which a word about them stands, these among them."""
    con.execute(
        f"""CREATE TEMP TABLE touched AS
            SELECT DISTINCT dossier_id FROM row_of_file JOIN file USING (sha256) WHERE file_id IN ({", ".join(map(str, new))})"""
    )
    words = " UNION ".join(f"SELECT file_id FROM {table} SEMI JOIN touched USING (dossier_id)" for table in WORDS)
    told = {file_id for (file_id,) in con.execute(words).fetchall()}
    for table in KEPT:
        con.execute(f"DELETE FROM {table} WHERE dossier_id IN (FROM touched)")
    return told | set(new)
