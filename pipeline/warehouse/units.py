"""Units in a database under construction: what each name as written means, the tree, and the mapping old → new.

Not here: how a name is read (declare/units), and which days are covered (sql/period_unit).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

import duckdb
import polars as pl

from pipeline.declare.text import fold
from pipeline.declare.units import ALWAYS, FOREVER, Unit, propose, successions, units
from pipeline.warehouse.accounts import Files, rows_sql
from pipeline.warehouse.aliases import Aliases
from pipeline.warehouse.sql import parquet, question, statement, store

EVERYTHING = Unit("*", "*", "Tất cả đơn vị có số liệu", "all", ALWAYS, FOREVER, None)


def _change_days(aliases: Aliases) -> list[date]:
    """Days on which some declared unit begins or has ceased, or some alias does."""
    ends = {u.valid_to + timedelta(days=1) for u in units().values() if u.valid_to != FOREVER}
    days = {u.valid_from for u in units().values()} | ends | aliases.change_days()
    return sorted(d for d in days if d != ALWAYS)


def resolve_units(
    con: duckdb.DuckDBPyConnection, files: Files, aliases: Aliases, new: Collection[int] | None = None
) -> dict[str, Unit]:
    """`unit_named`: the names of units that files write. Fills `unit_ref`: every one of them → unit_id, or null. Returns the
    units that sources brought themselves. `unknown_row`: the rows whose unit is not known. files: also those that were
    taken back; what they alone name is no unit of today. new: the files (seq) since `unit_named` was made, if it was."""
    days = _change_days(aliases)
    eras = " + ".join(f"CAST(d >= DATE '{d}' AS INTEGER)" for d in days) or "0"
    con.execute(f"CREATE TEMP MACRO era(d) AS ({eras})")
    making = statement("warehouse", "unit_named")
    if new is None:
        con.execute(making.replace("{rows}", "row_of_file"))
    else:
        came = rows_sql([(entry, facts) for entry, facts in files if entry.seq in new])
        con.execute("INSERT INTO unit_named " + question(making).replace("{rows}", f"({came})"))
    written = con.execute(
        """SELECT source, written, received_era, exported_era, bool_or(withdrawn_at IS NULL), list(DISTINCT file_id)
           FROM (
               SELECT f.source, n.written, unnest(range(era(first_received_on), era(last_received_on) + 1)) AS received_era,
                      era(CAST(f.exported_at AS DATE)) AS exported_era, f.withdrawn_at, f.file_id
               FROM unit_named n JOIN file f USING (file_id)
           ) GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    day_in = [days[0] - timedelta(days=1) if days else date(2000, 1, 1), *days]
    brings = {facts.source for _, facts in files if facts.own_units}
    own: dict[str, Unit] = {}
    _file_units(con, files, aliases, own)
    rows, unknown = [], set[int]()
    for source, name, received_era, exported_era, counts, file_ids in written:
        if source in brings:
            unit_id = own_unit(source, name, own if counts else {})
        else:
            on = day_in[received_era], day_in[exported_era]
            found = aliases.meant(name, source, *on)
            unit_id = found.unit_id if found else None
        unknown |= set() if unit_id else set(file_ids)
        rows.append((source, name, received_era, exported_era, unit_id))
    schema = {
        "source": pl.String,
        "written": pl.String,
        "received_era": pl.Int32,
        "exported_era": pl.Int32,
        "unit_id": pl.String,
    }
    store(con, "unit_ref", pl.DataFrame(rows, schema=schema, orient="row"), temp=True)
    some = [(entry, facts) for entry, facts in files if entry.seq in unknown] or files[:1]
    con.execute(statement("warehouse", "unknown_row").replace("{rows}", f"({rows_sql(some)})"))
    names = {facts.source: facts.source_name for entry, facts in files if entry.counts}
    for source in sorted(brings & names.keys()):
        own[f"{source}:*"] = Unit(f"{source}:*", f"{source}:*", names[source], "group", ALWAYS, FOREVER, None)
    return own


def own_unit(source: str, name: str, own: dict[str, Unit]) -> str:
    """The unit_id of a unit that a source brings itself, which is added to `own`."""
    unit_id = f"{source}:{fold(name).replace(' ', '-')}"
    own.setdefault(unit_id, Unit(unit_id, unit_id, name, "commune", ALWAYS, FOREVER, f"{source}:*"))
    return unit_id


def _file_units(con: duckdb.DuckDBPyConnection, files: Files, aliases: Aliases, own: dict[str, Unit]) -> None:
    """`file_unit`: whose a file is, where that stands in its title or its source's declaration."""
    rows = []
    for entry, facts in files:
        if facts.unit is None:
            continue
        if facts.own_units:
            rows.append((entry.seq, own_unit(facts.source, facts.unit, own if entry.counts else {})))
            continue
        on = facts.last_day or facts.exported_at.date(), facts.exported_at.date()
        if found := aliases.meant(facts.unit, facts.source, *on):
            rows.append((entry.seq, found.unit_id))
    schema = {"file_id": pl.Int64, "unit_id": pl.String}
    store(con, "file_unit", pl.DataFrame(rows, schema=schema, orient="row"))


def unit_tables(con: duckdb.DuckDBPyConnection, own: dict[str, Unit]) -> None:
    """`unit`: the declared tree and the sources' own units. `unit_in`: which units each sum is made of. `node_of`:
    where the figures of a unit or a sum count, itself included.
    `unit_successor`: which unit took a unit's place."""
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
    store(con, "unit", frame.with_columns(_open_end("valid_from", ALWAYS), _open_end("valid_to", FOREVER)))
    places = []
    for unit in known.values():
        places.append((unit.unit_id, unit.unit_id, 0))
        above, depth = known.get(unit.parent_id or ""), 1
        while above is not None:
            places.append((unit.unit_id, above.unit_id, depth))
            above, depth = known.get(above.parent_id or ""), depth + 1
        places += [(unit.unit_id, EVERYTHING.unit_id, 99)] if unit != EVERYTHING else []
    schema = {"unit_id": pl.String, "node": pl.String, "depth": pl.Int32}
    store(con, "node_of", pl.DataFrame(places, schema=schema, orient="row"))
    con.execute(
        """CREATE TABLE unit_in AS SELECT n.node AS group_id, n.unit_id, n.depth FROM node_of n JOIN unit u USING (unit_id)
           WHERE n.depth > 0 AND u.kind IN ('commune', 'counter') ORDER BY u.sort, n.depth"""
    )
    taken = [(unit_id, s.from_day, s.successor_id, s.source) for unit_id, s in successions().items()]
    schema = {"unit_id": pl.String, "from_day": pl.Date, "successor_id": pl.String, "source": pl.String}
    store(con, "unit_successor", pl.DataFrame(taken, schema=schema, orient="row"))


def unit_review(con: duckdb.DuckDBPyConnection, files: Files) -> None:
    """`unit_review`: names of units that were not understood, with the units they may mean. Never the text of one that
    is no declared name: that stands in the restricted store, under the same hash."""
    told = con.execute(
        """WITH told AS (
               SELECT source, unit, CAST(received_at AS DATE) AS first, CAST(received_at AS DATE) AS last, exported_at
               FROM unknown_row WHERE withdrawn_at IS NULL
               UNION ALL
               SELECT source, unit, any_value(first_day), any_value(last_day), any_value(exported_at) FROM reported_row r
               SEMI JOIN (SELECT source, unit FROM reported_unit WHERE unit_id IS NULL) USING (source, unit)
               WHERE role = 'unit' GROUP BY source, unit, file_id, sheet, row
           )
           SELECT source, unit, count(*), min(first), max(last), max(CAST(exported_at AS DATE)) FROM told
           GROUP BY ALL ORDER BY 3 DESC, 1, 2"""
    ).fetchall()
    unknown = [facts.folder / "unknown_units.parquet" for _, facts in files] if told else []
    found_near = f"SELECT DISTINCT unit_hash, near FROM read_parquet({parquet(unknown)})"
    near = dict(con.execute(found_near).fetchall()) if unknown else {}
    rows = []
    for source, kept, count, first, last, exported in told:
        hashed, _, found = kept[1:].partition(" ") if kept.startswith("#") else (None, "", kept)
        may_be = [units()[i] for i in near.get(hashed, []) if i in units()] if hashed else propose(kept)
        fits = [u for u in may_be if (u.valid_from <= last and u.valid_to >= first) or u.valid_on(exported)]
        proposals = "; ".join(f"{u.unit_id} {u.name}" for u in fits) or None
        rows.append((source, hashed, found, count, first, last, proposals))
    schema = {
        "source": pl.String,
        "unit_hash": pl.String,
        "found": pl.String,
        "rows": pl.Int64,
        "first_received_on": pl.Date,
        "last_received_on": pl.Date,
        "proposals": pl.String,
    }
    store(con, "unit_review", pl.DataFrame(rows, schema=schema, orient="row"))


def _open_end(column: str, never: date) -> pl.Expr:
    return pl.when(pl.col(column) != never).then(pl.col(column)).alias(column)
