"""A raw file → immutable Parquet of its dossier rows, and of the rows set aside, with the file's own facts.

Keyed by the file's sha256 and the fingerprint of all that conforms it (declarations, code of the rooms before this
one, the source's declaration, the key), so that a mended layout is conformed anew. Uniqueness within the file is
decided here, in SQL. Not here: units (resolved at build), what other files say. DESIGN §4.3, §4.6.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from pipeline.conform.headers import Header, find_header, no_header
from pipeline.conform.rows import SET_ASIDE_SCHEMA, Conformer, row_schema
from pipeline.conform.titles import Title, read_title
from pipeline.declare.sources import Source
from pipeline.declare.text import Text
from pipeline.errors import InputRefused
from pipeline.read.grids import Grid, open_file
from pipeline.settings import PROJECT, Home
from pipeline.warehouse.coverage import Span, merge
from pipeline.warehouse.record import key, restricted_codes, write_json
from pipeline.warehouse.sql import parquet, quoted

CONFORMING_ROOMS = ("declare", "read", "conform", "validate")


@dataclass(frozen=True)
class FileFacts:
    """What is known of a conformed file. Days and times are local to the source.

    rows_in = accepted + sum(excluded) + sum(rejected). extent: full | received_in | open_at | delta.
    first_day/last_day: the days it covers; null: none (corrections). columns: canonical columns found. dropped: headers not declared.
    """

    sha256: str
    source: str
    source_name: str
    name: str
    format: str
    layout: str
    extent: str
    first_day: date | None
    last_day: date | None
    exported_at: datetime
    lateness: str
    own_units: bool
    rows_in: int
    accepted: int
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
    for room in CONFORMING_ROOMS:
        for path in sorted((PROJECT / "pipeline" / room).rglob("*")):
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
    tables = [(grid, header) for grid in opened.grids if (header := find_header(grid, source))]
    if not tables:
        raise no_header(opened.grids, source, where)
    title = _title(tables)
    exported_at = _exported_at(title, source, name, where, taken_at)
    if title.first_day and title.first_day > exported_at.date():
        raise _too_early(title.first_day, exported_at, where)

    codes = restricted_codes(home, sha256)
    hidden = codes.with_suffix(".part")  # dossier codes stand nowhere else, not even for an instant
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(hidden, ignore_errors=True)
    part.mkdir(parents=True)
    hidden.mkdir()
    try:
        counts = _write_rows(part, hidden, tables, source, key(home), exported_at)
        os.replace(hidden / "codes.parquet", codes)
        first, last = _covered(title, source, part, exported_at)
        facts = {
            "sha256": sha256,
            "source": source.key,
            "source_name": source.name,
            "name": name,
            "format": opened.format,
            "layout": tables[0][1].layout.id,
            "extent": title.extent or source.extent or "full",
            "first_day": first and first.isoformat(),
            "last_day": last and last.isoformat(),
            "exported_at": exported_at.isoformat(sep=" "),
            "lateness": source.lateness,
            "own_units": source.units == "from_file",
            **counts,
            "columns": sorted({c for _, h in tables for c in h.places}),
            "dropped": max(h.dropped for _, h in tables),
        }
        write_json(part / "file.json", facts)
        shutil.rmtree(folder, ignore_errors=True)  # one without file.json is no version
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(hidden, ignore_errors=True)
    return read_facts(folder)


def read_facts(folder: Path) -> FileFacts:
    node: dict[str, Any] = json.loads((folder / "file.json").read_text(encoding="utf-8"))
    for day in ("first_day", "last_day"):
        node[day] = node[day] and date.fromisoformat(node[day])
    node["exported_at"] = datetime.fromisoformat(node["exported_at"])
    return FileFacts(**node, folder=folder)


def _title(tables: list[tuple[Grid, Header]]) -> Title:
    """What the titles of all sheets say together: adjoining spans are one (a sheet per month), else the first counts."""
    told = [read_title(grid.head[: header.row - 1]) for grid, header in tables]
    exported_at = max((t.exported_at for t in told if t.exported_at), default=None)
    spans = [(t, t.first_day, t.last_day) for t in told if t.first_day and t.last_day]
    if not spans:
        return Title(exported_at=exported_at)
    first, start, end = spans[0]
    whole = merge(Span(one, other) for t, one, other in spans if t.extent == first.extent)
    if len(whole) == 1 and first.extent is None:
        start, end = whole[0].first, whole[0].last
    return Title(first.extent, start, end, exported_at)


def _exported_at(title: Title, source: Source, name: str, where: str, taken_at: datetime) -> datetime:
    """When the file was exported: its title, else its name as declared, else the intake (local to the source)."""
    if title.exported_at:
        return title.exported_at
    if source.exported_at:
        try:
            # composed: a Mac writes file names decomposed
            found = datetime.strptime(
                *(unicodedata.normalize("NFC", text) for text in (Path(name).name, source.exported_at))
            )
        except ValueError:
            raise InputRefused(
                Text(
                    "Tên tệp không cho biết thời điểm xuất.",
                    "The file's name does not tell when it was exported.",
                ),
                where=where,
                expected=Text(source.exported_at, source.exported_at),
                todo=Text(
                    "Đổi tên tệp, hoặc sửa exported_at trong source.toml.",
                    "Rename it, or mend exported_at in source.toml.",
                ),
            ) from None
        return (
            found
            if any(d in source.exported_at for d in ("%H", "%I"))
            else found + timedelta(hours=23, minutes=59, seconds=59)
        )
    return taken_at.astimezone(ZoneInfo(source.time_zone)).replace(tzinfo=None, microsecond=0)


def _too_early(first_day: date, exported_at: datetime, where: str) -> InputRefused:
    found = f"{exported_at:%d/%m/%Y %H:%M:%S}"
    return InputRefused(
        Text("Tệp xuất trước khoảng thời gian ghi ở tiêu đề.", "The file was exported before the span in its title."),
        where=where,
        expected=Text(f"xuất từ {first_day:%d/%m/%Y}", f"exported on {first_day:%d/%m/%Y} or later"),
        found=Text(found, found),
        todo=Text("Sửa dòng tiêu đề, hoặc xuất lại.", "Mend the title row, or export again."),
    )


def _covered(title: Title, source: Source, part: Path, exported_at: datetime) -> tuple[date | None, date | None]:
    """The days a file covers: as its title or its source says; else from its earliest receipt to the export.

    Changes only (`delta`) cover no days unless a span is given: a dozen corrections tell of no quarter.
    """
    export_day = exported_at.date()
    extent = title.extent or source.extent
    first, last = title.first_day or source.first_day, title.last_day or source.last_day
    if extent == "open_at":
        return last or export_day, last or export_day
    if extent == "delta" and not (first and last):
        return None, None
    if first is None:
        rows = str(part / "rows.parquet")
        first = (
            duckdb.execute("SELECT min(received_at)::DATE FROM read_parquet(?)", [rows]).fetchall()[0][0] or export_day
        )
    last = min(last or export_day, export_day)
    return min(first, last), last


def _write_rows(
    part: Path,
    hidden: Path,
    tables: list[tuple[Grid, Header]],
    source: Source,
    secret: bytes,
    exported_at: datetime,
) -> dict[str, Any]:
    """Writes rows and rows set aside to `part`, codes to `hidden`; returns the accounting."""
    from pipeline.validate.schema import accept  # Pandera takes a second to start; a night without news can do without

    rows_in = 0
    aside: list[pl.DataFrame] = []
    batches = part / "batches"
    batches.mkdir()
    conformer = Conformer(source, secret)
    number = 0
    for grid, header in tables:
        for batch in conformer.batches(grid, header):
            accepted, rejected = accept(batch.rows, grid.sheet, exported_at)
            accepted.with_columns(sheet=pl.lit(grid.sheet, pl.String)).write_parquet(
                batches / f"rows-{number:05}.parquet"
            )
            batch.codes.write_parquet(hidden / f"{number:05}.parquet")
            aside += [batch.aside, rejected]
            rows_in += batch.rows_in
            number += 1
    if not number:
        pl.DataFrame(schema=row_schema() | {"sheet": pl.String()}).write_parquet(batches / "rows-00000.parquet")
        pl.DataFrame(schema={"dossier_id": pl.String, "dossier_code": pl.String}).write_parquet(
            hidden / "00000.parquet"
        )
    aside.append(_settle_repeats(part, hidden, batches))
    shutil.rmtree(batches)
    found = pl.concat([a.cast(SET_ASIDE_SCHEMA) for a in aside])  # ty: ignore[invalid-argument-type]
    found.write_parquet(part / "aside.parquet")
    # a row may be rejected for several columns; it is one row all the same
    each = found.filter(pl.col("verdict") != "notice").unique(["sheet", "row"], keep="first", maintain_order=True)
    accepted_rows = duckdb.execute("SELECT count(*) FROM read_parquet(?)", [str(part / "rows.parquet")]).fetchall()[0][
        0
    ]
    tally = {
        verdict: dict(sorted(Counter(each.filter(pl.col("verdict") == verdict)["reason"]).items()))
        for verdict in ("excluded", "rejected")
    }
    if rows_in != accepted_rows + each.height:
        raise AssertionError(
            f"accounting does not add up: {rows_in} rows, {accepted_rows} accepted, {each.height} set aside"
        )
    notices = found.filter(pl.col("verdict") == "notice").height
    return {"rows_in": rows_in, "accepted": accepted_rows, **tally, "notices": notices}


def _settle_repeats(part: Path, hidden: Path, batches: Path) -> pl.DataFrame:
    """Writes rows.parquet with one row per dossier: identical repeats excluded, conflicting rows all rejected."""
    con = duckdb.connect()
    rows, codes = parquet(sorted(batches.iterdir())), parquet(sorted(hidden.iterdir()))
    content = ", ".join(c for c in row_schema() if c not in ("row", "dossier_id"))
    con.execute(
        f"""
        CREATE TEMP TABLE judged AS
        SELECT *, row_number() OVER (PARTITION BY dossier_id ORDER BY sheet, row) AS nth,
               count(*) OVER (PARTITION BY dossier_id) AS times,
               count(*) OVER (PARTITION BY dossier_id, {content}) AS same
        FROM read_parquet({rows})
        """
    )
    once = "same = times AND nth = 1"
    con.execute(
        f"COPY (SELECT * EXCLUDE (nth, times, same) FROM judged WHERE {once} ORDER BY sheet, row) "
        f"TO {quoted(part / 'rows.parquet')} (FORMAT parquet, COMPRESSION zstd)"
    )
    con.execute(
        f"COPY (SELECT DISTINCT dossier_id, dossier_code FROM read_parquet({codes})) "
        f"TO {quoted(hidden / 'codes.parquet')} (FORMAT parquet, COMPRESSION zstd)"
    )
    return con.sql(
        f"""
        SELECT sheet, row, CASE WHEN same = times THEN 'excluded' ELSE 'rejected' END AS verdict,
               CASE WHEN same = times THEN 'duplicate_row' ELSE 'conflicting_rows' END AS reason,
               'dossier_code' AS "column", NULL::VARCHAR AS expected, NULL::VARCHAR AS found
        FROM judged WHERE NOT ({once}) ORDER BY sheet, row
        """
    ).pl()
