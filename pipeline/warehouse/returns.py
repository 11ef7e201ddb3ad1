"""What returns told, in a database under construction: whose figures they are, and which return counts.

Not here: reading a return (conform/returns), sums over units and indicators (measure/returns).
"""

from __future__ import annotations

from datetime import date

import duckdb
import polars as pl

from pipeline.conform.return_rows import RETURN_SCHEMA
from pipeline.declare.periods import parse_period
from pipeline.declare.returns import returns
from pipeline.declare.units import Unit, units
from pipeline.warehouse.accounts import kept_sql
from pipeline.warehouse.aliases import Aliases
from pipeline.warehouse.record import Entry
from pipeline.warehouse.sql import statement, store
from pipeline.warehouse.units import own_unit
from pipeline.warehouse.versions import FileFacts

FILE = "returns.parquet"
WORDS = ("source", "return_id", "period", "unit", "unit_key")


def return_tables(
    con: duckdb.DuckDBPyConnection, files: list[tuple[Entry, FileFacts]], aliases: Aliases, own: dict[str, Unit]
) -> None:
    """`return_value`: a row per cell that counts. Adds to `own` the units that the sources of returns brought."""
    with_returns = [(entry, facts) for entry, facts in files if facts.returned]
    if with_returns:
        con.execute(
            f"""CREATE TEMP TABLE return_row AS
                SELECT r.* EXCLUDE (sha256), f.file_id, f.source, f.exported_at, f.known_at
                FROM ({kept_sql(with_returns, FILE, lambda _: True)}) r JOIN file f USING (sha256)"""
        )
    else:
        moments = dict.fromkeys(("exported_at", "known_at"), pl.Datetime("us"))
        none = RETURN_SCHEMA | {"file_id": pl.Int64, "source": pl.String} | moments
        store(con, "return_row", pl.DataFrame(schema=none), temp=True)
    _periods(con)
    _units(con, {facts.source: facts for _, facts in with_returns}, aliases, own)
    con.execute(statement("warehouse", "return_told"))
    con.execute(statement("warehouse", "return_value"))


def _periods(con: duckdb.DuckDBPyConnection) -> None:
    keys = [key for (key,) in con.execute("SELECT DISTINCT period FROM return_row ORDER BY 1").fetchall()]
    rows = [(p.key, p.scheme, p.kind, p.start, p.end) for p in map(parse_period, keys)]
    words, days = (
        dict.fromkeys(("period", "scheme", "kind"), pl.String),
        dict.fromkeys(("period_from", "period_to"), pl.Date),
    )
    store(con, "return_period", pl.DataFrame(rows, schema=words | days, orient="row"), temp=True)


def _units(
    con: duckdb.DuckDBPyConnection, sources: dict[str, FileFacts], aliases: Aliases, own: dict[str, Unit]
) -> None:
    rows = []
    asked = con.execute(
        f"SELECT DISTINCT {', '.join(WORDS)}, CAST(exported_at AS DATE), p.period_to "
        f"FROM return_row JOIN return_period p USING (period) ORDER BY ALL"
    ).fetchall()
    for source, return_id, period, name, key, exported, last in asked:
        unit_id = _unit_of(sources[source], return_id, name, key, last, exported, aliases, own)
        rows.append((source, return_id, period, name, key, exported, unit_id))
    schema = dict.fromkeys(WORDS, pl.String) | {"exported_on": pl.Date, "unit_id": pl.String}
    store(con, "return_unit", pl.DataFrame(rows, schema=schema, orient="row"), temp=True)


def _unit_of(
    facts: FileFacts,
    return_id: str,
    name: str,
    key: str | None,
    last: date,
    exported: date,
    aliases: Aliases,
    own: dict[str, Unit],
) -> str | None:
    """The unit of a row: by the key that the template wrote, else by its name on the period's last day. A return that
    the whole district hands in is the district's, not its counter's."""
    if facts.own_units:
        return None if name.startswith("#") else own_unit(facts.source, name, own)
    known = units().get(key or "")
    if known and known.valid_on(last):
        return known.unit_id
    found = aliases.meant(name, facts.source, last, exported)
    fills = returns()[return_id].fills
    above = units().get(found.parent_id or "") if found else None
    if found and found.kind not in fills and above and above.kind in fills:
        return above.unit_id
    return found.unit_id if found else None
