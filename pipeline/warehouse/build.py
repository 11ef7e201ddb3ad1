"""The database, built privately from the record: files, units, periods, dossiers, coverage, accounting.

Everything here can be deleted and built again: equal rows. Not here: labels, counts, indicators (measure/), and
whether the result may be published (night.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb
import polars as pl

from pipeline import settings
from pipeline.declare.columns import codes
from pipeline.declare.periods import Period, all_periods
from pipeline.declare.text import Text, fold
from pipeline.declare.units import ALWAYS, FOREVER, Unit, resolve, successors, units
from pipeline.warehouse.coverage import Coverage, Reach, by_unit, common, cover, joined
from pipeline.warehouse.record import Entry
from pipeline.warehouse.sql import parquet, quoted, statement
from pipeline.warehouse.versions import FileFacts

STORAGE = "v1.5.0"  # older clients open the published file (DESIGN §4.1)
EVERYTHING = Unit("*", "*", "Tất cả đơn vị có số liệu", "all", ALWAYS, FOREVER, None)


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """A new database file, open for building."""
    path.parent.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute(f"ATTACH {quoted(path)} AS built (STORAGE_VERSION '{STORAGE}')")
    con.execute("USE built")
    if limit := settings.memory_limit():
        con.execute(f"SET memory_limit = '{limit}'")
    con.execute(f"SET temp_directory = {quoted(path.parent / 'spill')}")
    return con


def build(con: duckdb.DuckDBPyConnection, files: list[tuple[Entry, FileFacts]]) -> None:
    """Makes the tables from the files that count. `files` must not be empty."""
    _file_table(con, files)
    _status_table(con)
    rows = parquet(facts.folder / "rows.parquet" for _, facts in files)
    con.execute(
        f"CREATE TEMP VIEW row_of_file AS SELECT r.*, f.sha256 FROM read_parquet({rows}, filename = true) r "
        "JOIN file_folder f ON f.path = r.filename"
    )
    own = _resolve_units(con, files)
    con.execute(statement("warehouse", "version"))
    con.execute(statement("warehouse", "dossier"))
    con.execute(statement("warehouse", "dossier_state"))
    _unit_tables(con, own)
    _account(con, files)
    _period_tables(con)


# ---- files


def _file_table(con: duckdb.DuckDBPyConnection, files: list[tuple[Entry, FileFacts]]) -> None:
    rows = [
        {
            "file_id": entry.seq,
            "source": facts.source,
            "source_name": facts.source_name,
            "name": facts.name,
            "sha256": facts.sha256,
            "format": facts.format,
            "layout": facts.layout,
            "extent": facts.extent,
            "first_day": facts.first_day,
            "last_day": facts.last_day,
            "exported_at": facts.exported_at,
            "known_at": entry.known_at,
            "lateness": facts.lateness,
            "rows_in": facts.rows_in,
        }
        for entry, facts in files
    ]
    days = {"first_day": pl.Date, "last_day": pl.Date}
    frame = pl.DataFrame(rows, schema_overrides=days).with_columns(pl.col("known_at").str.to_datetime(time_unit="us"))
    _store(con, "file", frame)
    folders = pl.DataFrame(
        {
            "sha256": [f.sha256 for _, f in files],
            "path": [(f.folder / "rows.parquet").as_posix() for _, f in files],
        }
    )
    _store(con, "file_folder", folders, temp=True)


def _status_table(con: duckdb.DuckDBPyConnection) -> None:
    pairs = [(c.value, c.group) for c in codes("status").values()]
    _store(con, "status", pl.DataFrame(pairs, schema=["status", "status_group"], orient="row"), temp=True)


# ---- units


def _change_days() -> list[date]:
    """Days on which some declared unit begins or has ceased."""
    days = {u.valid_from for u in units().values()} | {
        u.valid_to + timedelta(days=1) for u in units().values() if u.valid_to != FOREVER
    }
    return sorted(d for d in days if d != ALWAYS)


def _resolve_units(con: duckdb.DuckDBPyConnection, files: list[tuple[Entry, FileFacts]]) -> dict[str, Unit]:
    """Fills `unit_ref`: every unit as written → unit_id, or null. Returns the units that sources brought themselves."""
    days = _change_days()
    eras = " + ".join(f"CAST(d >= DATE '{d}' AS INTEGER)" for d in days) or "0"
    con.execute(f"CREATE TEMP MACRO era(d) AS ({eras})")
    written = con.execute(
        """SELECT DISTINCT f.source, r.unit, era(CAST(r.received_at AS DATE)), era(CAST(f.exported_at AS DATE))
           FROM row_of_file r JOIN file f USING (sha256) ORDER BY ALL"""
    ).fetchall()
    day_in = [days[0] - timedelta(days=1) if days else date(2000, 1, 1), *days]
    brings = {facts.source for _, facts in files if facts.own_units}
    own: dict[str, Unit] = {}
    rows = []
    for source, name, received_era, exported_era in written:
        if source in brings:
            unit_id = f"{source}:{fold(name).replace(' ', '-')}"
            own.setdefault(unit_id, Unit(unit_id, unit_id, name, "commune", ALWAYS, FOREVER, f"{source}:*"))
        else:
            found = None if name.startswith("#") else resolve(name, day_in[received_era], day_in[exported_era])
            unit_id = found.unit_id if found else None
        rows.append((source, name, received_era, exported_era, unit_id))
    schema = {
        "source": pl.String,
        "written": pl.String,
        "received_era": pl.Int32,
        "exported_era": pl.Int32,
        "unit_id": pl.String,
    }
    _store(con, "unit_ref", pl.DataFrame(rows, schema=schema, orient="row"), temp=True)
    names = {facts.source: facts.source_name for _, facts in files}
    for source in sorted(brings):
        own[f"{source}:*"] = Unit(f"{source}:*", f"{source}:*", names[source], "group", ALWAYS, FOREVER, None)
    return own


def _unit_tables(con: duckdb.DuckDBPyConnection, own: dict[str, Unit]) -> None:
    """`unit`: the declared tree and the sources' own units. `unit_in`: which units each sum is made of."""
    known = units() | own | {EVERYTHING.unit_id: EVERYTHING}
    order = {unit_id: n for n, unit_id in enumerate(known)}
    frame = pl.DataFrame(
        [
            (u.unit_id, u.code, u.name, u.kind, u.valid_from, u.valid_to, u.parent_id, order[u.unit_id])
            for u in known.values()
        ],
        schema={
            "unit_id": pl.String,
            "unit_code": pl.String,
            "unit": pl.String,
            "kind": pl.String,
            "valid_from": pl.Date,
            "valid_to": pl.Date,
            "parent_id": pl.String,
            "sort": pl.Int32,
        },
        orient="row",
    )
    _store(con, "unit", frame.with_columns(_open_end("valid_from", ALWAYS), _open_end("valid_to", FOREVER)))
    pairs = []
    for unit in known.values():
        if unit.reports:
            above, depth = known.get(unit.parent_id or ""), 1
            while above is not None:
                pairs.append((above.unit_id, unit.unit_id, depth))
                above, depth = known.get(above.parent_id or ""), depth + 1
            pairs.append((EVERYTHING.unit_id, unit.unit_id, 99))
    schema = {"group_id": pl.String, "unit_id": pl.String, "depth": pl.Int32}
    _store(con, "unit_in", pl.DataFrame(pairs, schema=schema, orient="row"))


def _open_end(column: str, never: date) -> pl.Expr:
    return pl.when(pl.col(column) != never).then(pl.col(column)).alias(column)


# ---- accounting: every row of every file


def _account(con: duckdb.DuckDBPyConnection, files: list[tuple[Entry, FileFacts]]) -> None:
    """`set_aside`: every row that does not count and why. `file_account`: rows per file and verdict; the sums are checked."""
    aside = parquet(facts.folder / "aside.parquet" for _, facts in files)
    con.execute(
        f"""
        CREATE TABLE set_aside AS
        SELECT f.file_id, a.sheet, a.row, a.verdict, a.reason, a."column", a.expected, a.found
        FROM read_parquet({aside}, filename = true) a
        JOIN file_folder d ON replace(d.path, 'rows.parquet', 'aside.parquet') = a.filename
        JOIN file f ON f.sha256 = d.sha256
        UNION ALL
        SELECT f.file_id, r.sheet, r.row, 'rejected', 'unknown_unit', 'unit', NULL,
               CASE WHEN r.unit LIKE '#%' THEN substr(r.unit, instr(r.unit, ' ') + 1) ELSE r.unit END
        FROM row_of_file r JOIN file f USING (sha256)
        JOIN unit_ref u ON u.source = f.source AND u.written = r.unit
            AND u.received_era = era(CAST(r.received_at AS DATE)) AND u.exported_era = era(CAST(f.exported_at AS DATE))
        WHERE u.unit_id IS NULL
        UNION ALL
        SELECT file_id, sheet, row, 'excluded', status, 'status', NULL, NULL
        FROM version WHERE nth = versions AND status_group = 'not_counted'
        ORDER BY file_id, sheet, row
        """
    )
    con.execute(
        """
        CREATE TABLE file_account AS
        WITH one_verdict AS (
            SELECT file_id, sheet, row, min_by(verdict, rank) AS verdict, min_by(reason, rank) AS reason
            FROM (SELECT *, row_number() OVER () AS rank FROM set_aside WHERE verdict <> 'notice')
            GROUP BY file_id, sheet, row
        )
        SELECT file_id, verdict, reason, count(*) AS rows FROM one_verdict GROUP BY ALL
        UNION ALL
        SELECT file_id, 'excluded', 'superseded', count(*) FROM version WHERE nth < versions GROUP BY file_id
        UNION ALL
        SELECT file_id, 'counted', NULL, count(*) FROM version WHERE nth = versions AND status_group <> 'not_counted' GROUP BY file_id
        ORDER BY file_id, verdict, reason
        """
    )


# ---- periods and coverage


def _period_tables(con: duckdb.DuckDBPyConnection) -> None:
    """`period`, `coverage` (file × unit), `period_unit`: per period and unit of a dossier the unit it counts in,
    the cut-off and what is covered."""
    con.execute(statement("warehouse", "coverage"))
    spans = con.execute("SELECT unit_id, extent, first_day, last_day FROM coverage").fetchall()
    reaches = by_unit(spans)
    first = con.execute("SELECT min(received_on) FROM dossier").fetchall()[0][0]
    last = max((r.last_day for r in reaches.values()), default=None)
    periods = list(all_periods(first, last)) if first and last and first <= last else []
    _store(con, "period", _period_frame(periods))
    _store(con, "period_unit", _coverage_frame(periods, reaches))
    con.execute(statement("warehouse", "period_coverage"))


PERIOD_SCHEMA = {
    "period": pl.String,
    "scheme": pl.String,
    "kind": pl.String,
    "period_from": pl.Date,
    "period_to": pl.Date,
}


def _period_facts(p: Period) -> tuple[object, ...]:
    return p.key, p.scheme, p.kind, p.start, p.end


def _period_frame(periods: Iterable[Period]) -> pl.DataFrame:
    rows = [(*_period_facts(p), p.label.vi, p.label.en) for p in periods]
    words = {"label_vi": pl.String, "label_en": pl.String}
    return pl.DataFrame(rows, schema=PERIOD_SCHEMA | words, orient="row")


def effective_units(reaches: dict[str, Reach], until: date) -> dict[str, str]:
    """unit_id → the unit in which its dossiers count on a day, through the mapping old → new."""
    return {
        unit_id: (
            successors()[unit_id][1] if unit_id in successors() and successors()[unit_id][0] <= until else unit_id
        )
        for unit_id in reaches
    }


def _coverage_frame(periods: list[Period], reaches: dict[str, Reach]) -> pl.DataFrame:
    global_last = max((r.last_day for r in reaches.values()), default=date.min)
    rows = []
    for p in periods:
        counted_in = effective_units(reaches, min(p.end, global_last))
        members: dict[str, list[str]] = defaultdict(list)
        for unit_id, counted in counted_in.items():
            members[counted].append(unit_id)
        for counted, parts in members.items():
            found = cover(_joint_reach(counted, parts, reaches), p.start, p.end)
            end = found.as_of and datetime.combine(found.as_of, time(23, 59, 59))
            told = (counted, found.as_of, end, found.state, *missing_words(found))
            rows += [(*_period_facts(p), unit_id, *told) for unit_id in parts]
    schema = {
        "unit_id": pl.String,
        "counted_unit_id": pl.String,
        "as_of": pl.Date,
        "as_of_end": pl.Datetime("us"),
        "coverage": pl.String,
        "missing_vi": pl.String,
        "missing_en": pl.String,
    }
    return pl.DataFrame(rows, schema=PERIOD_SCHEMA | schema, orient="row")


def _joint_reach(counted: str, parts: list[str], reaches: dict[str, Reach]) -> Reach | None:
    """What is covered of a unit: by its own files, and before it existed by those of all units it came from."""
    own, before = reaches.get(counted), common(reaches[p] for p in parts if p != counted)
    came_from = {unit_id for unit_id, (_, successor) in successors().items() if successor == counted}
    if before and not came_from <= set(parts):  # one of them has told nothing, so before is not known in full
        return own or replace(before, stocks=())
    return joined(before, own)


def missing_words(found: Coverage) -> tuple[str | None, str | None]:
    """What a partial period lacks, in Vietnamese and English; null where nothing is lacking."""
    runs = ", ".join(f"{s.first:%d/%m/%Y}–{s.last:%d/%m/%Y}" for s in found.missing)
    parts = [Text(f"thiếu số liệu {runs}", f"no data for {runs}")] if runs else []
    if found.stock_missing:
        parts.append(Text("chưa biết hồ sơ tồn đầu kỳ", "stock at the start not known"))
    return ("; ".join(p.vi for p in parts), "; ".join(p.en for p in parts)) if parts else (None, None)


def _store(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame, temp: bool = False) -> None:
    con.register("incoming", frame)
    con.execute(f"CREATE {'TEMP ' if temp else ''}TABLE {table} AS SELECT * FROM incoming")
    con.unregister("incoming")
