"""Publishing: a build becomes a release folder as a whole, then one small file names it. Nothing open is replaced.

Readers hold the release they opened for as long as they like; a run never needs their leave. DESIGN §4.2.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb

from pipeline import __version__
from pipeline.declare.moments import HOME_ZONE
from pipeline.declare.tables import SCHEMA_VERSION, inner_tables, macros, tables
from pipeline.declare.text import Text
from pipeline.errors import NothingPublished
from pipeline.settings import PROJECT, Home
from pipeline.warehouse.record import Entry, now, read_log, write_json
from pipeline.warehouse.room import small_statements

if TYPE_CHECKING:
    from pipeline.warehouse.versions import FileFacts

DATABASE = "warehouse.duckdb"
FIGURE_ROOMS = ("declare", "read", "conform", "validate", "warehouse", "measure")


@dataclass(frozen=True)
class Release:
    """A published release. inputs: fingerprint of the files, declarations and code it was made from. seals: hash of the
    newest seal that it shows, null before the first. nights: how many went on from one whose tables of dossiers were built
    whole (onward)."""

    id: str
    built_at: str
    inputs: str
    files: int
    folder: Path
    seals: str | None = None
    nights: int = 0

    @property
    def database(self) -> Path:
        return self.folder / DATABASE


@cache
def code_fingerprint() -> str:
    """Hash of every declaration, statement and line of code that can change a figure."""
    digest = hashlib.sha256()
    for name, sha256 in program_files().items():
        digest.update(name.encode() + b"\0" + sha256.encode())
    return digest.hexdigest()


@cache
def program_files() -> dict[str, str]:
    """Every file of the program that can change a figure → hash of its text, whatever its line ends."""
    found = {}
    for room in FIGURE_ROOMS:
        for path in sorted((PROJECT / "pipeline" / room).rglob("*")):
            if path.suffix in (".py", ".toml", ".csv", ".sql"):
                text = path.read_bytes().replace(b"\r\n", b"\n")
                found[path.relative_to(PROJECT).as_posix()] = hashlib.sha256(text).hexdigest()
    return found


def inputs_fingerprint(files: list[tuple[Entry, FileFacts]], aliases: str | None = None) -> str:
    """What a release is made from: the same fingerprint gives the same figures. aliases: hash of the alias file."""
    told = [
        f"{e.seq} {e.sha256} {e.known_at} {facts.folder.name} {e.withdrawn_at} {e.withdrawn_reason} {e.undone or ''}"
        for e, facts in files
    ]
    return hashlib.sha256("\n".join([code_fingerprint(), *told, *([aliases] if aliases else [])]).encode()).hexdigest()


def current(home: Home) -> Release | None:
    """The published release, or None before the first."""
    try:
        return release_in(home.releases / home.pointer.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None


def release_in(folder: Path) -> Release:
    """The release that stands in a folder. Raises FileNotFoundError."""
    node = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    told = node["release"], node["built_at"], node["inputs"], len(node["files"])
    return Release(*told, folder, node.get("seals"), node.get("nights", 0))


def published(home: Home) -> Release:
    """The published release. Raises NothingPublished."""
    release = current(home)
    if release is None:
        raise NothingPublished(
            Text("Chưa có số liệu nào được công bố.", "Nothing has been published yet."),
            where=str(home.warehouse),
            todo=Text(
                "Đặt tệp vào data/raw/<nguồn>/ rồi chạy: motcua run",
                "Put files into data/raw/<source>/, then: motcua run",
            ),
        )
    return release


def nothing_known(home: Home, moment: datetime) -> NothingPublished:
    """That no file was known yet, and since when the first is."""
    first = min((e.known_at for e in read_log(home)), default=None)
    return NothingPublished(
        Text(f"Đến {moment:%d/%m/%Y %H:%M} chưa biết số liệu nào.", f"Nothing was known by {moment:%d/%m/%Y %H:%M}."),
        found=Text(f"tệp đầu tiên: {first:.16}", f"the first file: {first:.16}") if first else None,
        todo=Text("Chọn thời điểm muộn hơn.", "Choose a later moment.") if first else None,
    )


def open_published(home: Home) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the published database; it disturbs no run. Raises NothingPublished."""
    return duckdb.connect(str(published(home).database), read_only=True)


def new_build(home: Home) -> Path:
    """An empty private folder for a build; what crashed builds left is cleared. Call under the build lock."""
    for left in home.releases.glob("building-*") if home.releases.is_dir() else []:
        shutil.rmtree(left, ignore_errors=True)
    folder = home.releases / f"building-{os.getpid()}"
    folder.mkdir(parents=True)
    return folder


def describe(con: duckdb.DuckDBPyConnection, release_id: str, inputs: str) -> None:
    """Makes the file describe itself: what it was made from, a data dictionary, comments on tables and columns."""
    con.execute("BEGIN")  # one commit instead of one for each of a thousand small statements
    con.execute("CREATE OR REPLACE TABLE release_info (key VARCHAR, value VARCHAR)")
    facts = {
        "release": release_id,
        "schema_version": str(SCHEMA_VERSION),
        "motcua": __version__,
        "inputs": inputs,
        "code_and_declarations": code_fingerprint(),
        "known_at": str(con.execute("SELECT max(known_at) FROM file").fetchall()[0][0]),
    }
    con.executemany("INSERT INTO release_info VALUES (?, ?)", list(facts.items()))
    con.execute(
        'CREATE OR REPLACE TABLE data_dictionary ("table" VARCHAR, "column" VARCHAR, type VARCHAR, vi VARCHAR, en VARCHAR)'
    )
    columns = con.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = 'built'"
    ).fetchall()
    there = {tuple(place) for *place, _ in columns}
    inner = {name: table for name, table in inner_tables().items() if name in {place[1] for place in there}}
    types = {f"{name}.{column}": kind for schema, name, column, kind in columns if schema == "main" or name in inner}
    kinds = con.execute(
        "SELECT schema_name, table_name, 'TABLE' FROM duckdb_tables() WHERE database_name = 'built' UNION ALL "
        "SELECT schema_name, view_name, 'VIEW' FROM duckdb_views() WHERE database_name = 'built' AND NOT internal"
    ).fetchall()
    comments = []
    for schema, name, kind in kinds:  # a table of another schema than main has the words of its namesake
        if table := tables().get(name) or inner.get(name):
            comments.append(f'{kind} "{schema}".{name} IS {_quoted(str(table.text))}')
            for column, text in table.columns.items():
                if (schema, name, column) in there:
                    comments.append(f'COLUMN "{schema}".{name}."{column}" IS {_quoted(str(text))}')
    words: list[tuple[str | None, ...]] = []
    for table in (*tables().values(), *inner.values()):
        words.append((table.place, None, None, table.text.vi, table.text.en))
        for column, text in table.columns.items():
            words.append((table.place, column, types[f"{table.name}.{column}"], text.vi, text.en))
    for name, text in macros().items():
        comments.append(f"MACRO TABLE {name} IS {_quoted(str(text))}")
        words.append((name, None, "TABLE MACRO", text.vi, text.en))
    with small_statements(con):
        con.execute("; ".join(f"COMMENT ON {comment}" for comment in comments))
    # column by column: row by row takes a tenth of a small night
    lists = ", ".join(["unnest(?::VARCHAR[])"] * 5)
    con.execute(f"INSERT INTO data_dictionary SELECT {lists}", [list(column) for column in zip(*words, strict=True)])
    con.execute("COMMIT")


def publish(
    home: Home,
    build: Path,
    release_id: str,
    inputs: str,
    files: list[tuple[Entry, FileFacts]],
    aliases: str | None = None,
    seals: str | None = None,
    nights: int = 0,
) -> Release:
    """Turns a finished, closed build into the published release."""
    manifest: dict[str, Any] = {
        "release": release_id,
        "built_at": now().isoformat(),
        "schema_version": SCHEMA_VERSION,
        "motcua": __version__,
        "duckdb": duckdb.__version__,
        "inputs": inputs,
        "unit_aliases": aliases,
        "seals": seals,
        "nights": nights,
        "files": [
            {
                "seq": e.seq,
                "sha256": e.sha256,
                "source": e.source,
                "name": e.name,
                "known_at": e.known_at,
                "withdrawn_at": e.withdrawn_at,
            }
            for e, _ in files
        ],
    }
    write_json(build / "manifest.json", manifest)
    shutil.rmtree(build / "spill", ignore_errors=True)
    folder = home.releases / release_id
    build.rename(folder)
    part = home.pointer.with_suffix(".part")
    part.write_text(release_id + "\n", encoding="utf-8")
    for attempt in range(20):  # on Windows a reader may have the small file open for an instant
        try:
            os.replace(part, home.pointer)
            break
        except PermissionError:
            if attempt == 19:
                raise
            time.sleep(0.1)
    return Release(release_id, manifest["built_at"], inputs, len(files), folder, seals, nights)


def new_release_id(home: Home, inputs: str) -> str:
    """Local time and the start of the inputs' fingerprint; one after another, also within a second."""
    stamp = datetime.now(ZoneInfo(HOME_ZONE)).strftime("%Y%m%d-%H%M%S")
    name, n = f"{stamp}-{inputs[:8]}", 1
    while (home.releases / name).exists():
        n += 1
        name = f"{stamp}-{inputs[:8]}-{n}"
    return name


def standing(home: Home) -> list[Path]:
    """The folders of the releases that are here, oldest first."""
    found = home.releases.iterdir() if home.releases.is_dir() else ()
    return sorted((p for p in found if (p / "manifest.json").exists()), key=lambda p: p.name)


def prune(home: Home, keep: int) -> list[str]:
    """Removes the oldest releases beyond the number kept; their names. One that somebody has open stays for another
    time, and the published one always."""
    removed = []
    newest = current(home)
    for old in standing(home)[:-keep]:
        if newest and old == newest.folder:  # a clock set back gives the newest release the oldest name
            continue
        try:
            (old / DATABASE).unlink(missing_ok=True)
        except OSError:
            continue
        shutil.rmtree(old, ignore_errors=True)
        removed.append(old.name)
    return removed


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
