"""The database, built privately from the record: files, units, periods, dossiers, coverage, accounting.

Everything here can be deleted and built again: equal rows. Not here: labels, counts, indicators (measure/), and
whether the result may be published (night.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import duckdb
import polars as pl

from pipeline import settings
from pipeline.declare.columns import codes
from pipeline.declare.periods import Period, all_periods, default_scheme
from pipeline.declare.text import Text
from pipeline.declare.units import successors
from pipeline.warehouse.accounts import Files, account, file_tables, told
from pipeline.warehouse.aliases import NO_ALIASES, Aliases
from pipeline.warehouse.coverage import Coverage, Reach, by_unit, common, cover, joined
from pipeline.warehouse.procedures import procedure_table
from pipeline.warehouse.reported import reported_tables
from pipeline.warehouse.sql import quoted, statement, store
from pipeline.warehouse.units import effective_units, resolve_units, unit_review, unit_tables

STORAGE = "v1.5.0"  # older clients open the published file (DESIGN §4.1)


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


def build(
    con: duckdb.DuckDBPyConnection, files: Files, withdrawn: Files | None = None, aliases: Aliases = NO_ALIASES
) -> None:
    """Makes the tables from the files that count; those that were taken back are only accounted for."""
    back = withdrawn or []
    file_tables(con, files, back)
    _status_table(con)
    procedure_table(con)
    own = resolve_units(con, files, aliases)
    reported_tables(con, files, aliases, own)
    unit_tables(con, own)
    unit_review(con, files)
    told(con)
    for name in ("version", "coverage", "rejected_dossier"):
        con.execute(statement("warehouse", name))
    for name in ("vanished", "transfer", "dossier_unit", "dossier", "dossier_state"):
        con.execute(statement("warehouse", name))
    account(con, files, back)
    _period_tables(con)


def _status_table(con: duckdb.DuckDBPyConnection) -> None:
    pairs = [(c.value, c.group) for c in codes("status").values()]
    store(con, "status", pl.DataFrame(pairs, schema=["status", "status_group"], orient="row"), temp=True)


# ---- periods and coverage


def _period_tables(con: duckdb.DuckDBPyConnection) -> None:
    """`period`, `period_unit`: per period and unit of a dossier the unit it counts in,
    the cut-off and what is covered."""
    spans = con.execute("SELECT unit_id, extent, first_day, last_day FROM coverage").fetchall()
    reaches = by_unit(spans)
    told = con.execute("SELECT min(first_day), max(last_day) FROM reported WHERE counts").fetchall()[0]
    first = min(
        filter(None, (con.execute("SELECT min(received_on) FROM dossier").fetchall()[0][0], told[0])), default=None
    )
    last = max(filter(None, (*(r.last_day for r in reaches.values()), told[1])), default=None)
    periods = list(all_periods(first, last)) if first and last and first <= last else []
    con.execute(f"CREATE TEMP MACRO default_scheme() AS '{default_scheme()}'")
    store(con, "period", _period_frame(periods))
    store(con, "period_unit", _coverage_frame(periods, reaches))
    for name in ("reported_count", "reported_node", "period_coverage"):
        con.execute(statement("warehouse", name))


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
