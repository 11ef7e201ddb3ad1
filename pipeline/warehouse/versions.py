"""A raw file → immutable Parquet of its dossier rows, and of the rows set aside, with the file's own facts.

Keyed by the file's sha256 and the fingerprint of all that conforms it (declarations, code of the rooms before this
one, the source's declaration, the key), so that a mended layout is conformed anew. Uniqueness within the file is
decided in contents.py. Not here: units (resolved at build), what other files say. DESIGN §4.3, §4.6.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.conform.headers import find_header, no_header
from pipeline.conform.returns import made_after, made_at, made_on, marked_sheets
from pipeline.conform.titles import read_title
from pipeline.declare.sources import Source
from pipeline.declare.units import known_spelling
from pipeline.read.grids import Grid, OpenFile, open_file
from pipeline.settings import PROJECT, Home
from pipeline.warehouse.contents import Sheets, Table, write_contents
from pipeline.warehouse.record import key, restricted_codes, restricted_units, write_json
from pipeline.warehouse.spans import Covered, covered, exported_at, period_of, too_early

CONFORMING = (
    *("declare", "read", "conform", "validate"),
    *(f"warehouse/{name}.py" for name in ("versions", "contents", "repeats", "spans", "sql")),
)


@dataclass(frozen=True)
class FileFacts:
    """What is known of a conformed file. Days and times are local to the source.

    rows_in = accepted + reported + returned + sum(excluded) + sum(rejected); reported: rows of summaries, returned: of
    returns. extent: full | received_in | open_at | delta, or reported where the file has no register.
    unit: whose registers these are where no column says it; null: their rows say it, or nothing does.
    extent_told: by its title or its source, not taken for granted. spans: what its registers cover, each with its
    extent; first_day/last_day: all of it together; null: none (corrections). columns: canonical columns found. dropped: headers not declared.
    """

    sha256: str
    source: str
    source_name: str
    name: str
    format: str
    layout: str
    extent: str
    extent_told: bool
    spans: list[Covered]
    first_day: date | None
    last_day: date | None
    exported_at: datetime
    lateness: str
    precedence: int
    own_units: bool
    unit: str | None
    includes_communes: bool
    rows_in: int
    accepted: int
    reported: int
    returned: int
    excluded: dict[str, int]
    rejected: dict[str, int]
    notices: int
    columns: list[str]
    dropped: int
    folder: Path


@cache
def _room_fingerprint() -> str:
    """Hash of every declaration and line of code that takes part in conforming."""
    digest = hashlib.sha256()
    for name in CONFORMING:
        place = PROJECT / "pipeline" / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.suffix in (".py", ".toml", ".csv"):
                digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def fingerprint(home: Home, source_toml: bytes) -> str:
    return hashlib.sha256(
        _room_fingerprint().encode() + source_toml + hashlib.sha256(b"motcua key" + key(home)).digest()
    ).hexdigest()


def version_folder(home: Home, sha256: str, declared: str) -> Path:
    return home.versions / f"{sha256[:24]}-{declared[:16]}"


def conform_file(
    home: Home, path: Path, sha256: str, name: str, source: Source, declared: str, taken_at: datetime
) -> FileFacts:
    """Conforms a file and keeps the result; at once if it is kept already. Raises InputRefused, keeping nothing."""
    folder = version_folder(home, sha256, declared)
    if (folder / "file.json").exists():
        return read_facts(folder)
    where = f"{source.key}/{name}"
    opened = open_file(path, where)
    sheets = sheets_of(opened, source, name, where)
    tables = sheets.tables
    registers = [table for table in tables if table.span is None]
    told = [table.title.exported_at for table in tables] + [made_at(made_on(sheet)) for sheet in sheets.returns]
    moments = [moment for moment in told if moment]
    today = taken_at.astimezone(ZoneInfo(source.time_zone)).date()
    if ahead := next(filter(None, (made_after(sheet, today, where) for sheet in sheets.returns)), None):
        raise ahead
    exported = exported_at(max(moments, default=None), source, name, where, taken_at)
    begins = [table.span[0] if table.span else table.title.first_day for table in tables]
    begins += [sheet.period.start for sheet in sheets.returns]
    if early := [day for day in begins if day and day > exported.date()]:
        raise too_early(early[0], exported, where)

    codes = restricted_codes(home, sha256)
    hidden = codes.with_suffix(".part")  # dossier codes stand nowhere else, not even for an instant
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(hidden, ignore_errors=True)
    part.mkdir(parents=True)
    hidden.mkdir()
    try:
        counts = write_contents(part, hidden, sheets, source, key(home), exported)
        os.replace(hidden / "codes.parquet", codes)
        if (hidden / "units.parquet").exists():
            os.replace(hidden / "units.parquet", restricted_units(home, sha256))
        spans = covered([table.title for table in registers], source, part, exported) if registers else []
        days = [(first, last) for _, first, last in spans] or [table.span for table in tables if table.span]
        days += [(sheet.period.start, sheet.period.end) for sheet in sheets.returns]
        facts = {
            "sha256": sha256,
            "source": source.key,
            "source_name": source.name,
            "name": name,
            "format": opened.format,
            "layout": tables[0].header.layout.id if tables else f"return:{sheets.returns[0].declared.id}",
            "extent": (spans[0][0] if spans else source.extent or "full") if registers else "reported",
            "extent_told": bool(source.extent or any(table.title.extent for table in registers)),
            "first_day": min(first for first, _ in days).isoformat() if days else None,
            "last_day": max(last for _, last in days).isoformat() if days else None,
            "spans": [(extent, first.isoformat(), last.isoformat()) for extent, first, last in spans],
            "exported_at": exported.isoformat(sep=" "),
            "lateness": source.lateness,
            "precedence": source.precedence,
            "own_units": source.units == "from_file",
            "unit": None if counts.pop("sections") else _whose(registers, source),
            "includes_communes": source.includes_communes,
            **counts,
            "columns": sorted({c for table in tables for c in table.header.places}),
            "dropped": max((len(table.header.dropped) for table in tables), default=0),
        }
        write_json(part / "file.json", facts)
        shutil.rmtree(folder, ignore_errors=True)  # one without file.json is no version
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(hidden, ignore_errors=True)
    return read_facts(folder)


def sheets_of(opened: OpenFile, source: Source, name: str, where: str) -> Sheets:
    """What the sheets of a file are; where some bear the mark of a return, only those are read. Raises InputRefused."""
    if returned := marked_sheets(opened.grids, where):
        marked = {id(sheet.grid) for sheet in returned}
        return Sheets([], returned, [g for g in opened.grids if id(g) not in marked and not g.delimiter])
    tables, others = tables_of(opened, source, name, where)
    return Sheets(tables, [], others)


def tables_of(opened: OpenFile, source: Source, name: str, where: str) -> tuple[list[Table], list[Grid]]:
    """The tables of a file, and its sheets that have none or are hidden. Raises InputRefused where there is none."""
    sheets: dict[object, list[Grid]] = {}
    for grid in opened.grids:  # of delimited text each grid is another way to cut the same rows
        sheets.setdefault(grid.sheet if grid.delimiter else id(grid), []).append(grid)
    tables, others = [], []
    for ways in sheets.values():
        found = [(grid, header) for grid in ways if not grid.hidden and (header := find_header(grid, source))]
        if not found:
            others.append(ways[0])
            continue
        grid, header = max(found, key=lambda table: len(table[1].places))
        title = read_title(grid.head[: header.top - grid.first_row])
        summary = header.layout.kind == "summary"
        tables.append(Table(grid, header, title, period_of(title, source, name, where) if summary else None))
    if not tables:
        raise no_header([grid for grid in opened.grids if not grid.hidden] or opened.grids, source, where)
    return tables, others


def _whose(registers: list[Table], source: Source) -> str | None:
    """The one unit of registers without a column of units, so that an empty one still says of it that nothing arose."""
    whose = {source.unit or t.title.unit for t in registers if "unit" not in t.header.places}
    name = next(iter(whose)) if len(whose) == 1 else None
    return name if name and (source.units == "from_file" or known_spelling(name)) else None


def read_facts(folder: Path) -> FileFacts:
    node: dict[str, Any] = json.loads((folder / "file.json").read_text(encoding="utf-8"))
    node.setdefault("returned", 0)  # rows kept of an expired file, by a version of the program without returns
    for day in ("first_day", "last_day"):
        node[day] = node[day] and date.fromisoformat(node[day])
    node["spans"] = [(extent, *map(date.fromisoformat, days)) for extent, *days in node["spans"]]
    node["exported_at"] = datetime.fromisoformat(node["exported_at"])
    return FileFacts(**node, folder=folder)
