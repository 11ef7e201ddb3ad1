"""What summaries reported, in a database under construction: whose figures they are, and which of them count.

Of several files that tell a measure of a unit and days one speaks, with all its rows: of the source that goes before
others, the one exported last. Not here: reading summaries (conform/summaries), comparing them with the registers
(measure/reported).
"""

from __future__ import annotations

from datetime import date

import duckdb
import polars as pl

from pipeline.declare.units import Unit, units
from pipeline.warehouse.accounts import kept_sql
from pipeline.warehouse.aliases import Aliases
from pipeline.warehouse.record import Entry
from pipeline.warehouse.sql import statement, store
from pipeline.warehouse.units import own_unit
from pipeline.warehouse.versions import FileFacts


def reported_tables(
    con: duckdb.DuckDBPyConnection, files: list[tuple[Entry, FileFacts]], aliases: Aliases, own: dict[str, Unit]
) -> None:
    """`reported`: a row per reported figure. Adds to `own` the units that the sources of summaries brought themselves."""
    rows = kept_sql(files, "reported.parquet", lambda facts: facts.reported) if files else ""
    con.execute(
        f"""CREATE TEMP TABLE reported_row AS
            SELECT r.* EXCLUDE (sha256), f.file_id, f.source, f.exported_at, f.known_at FROM ({rows}) r JOIN file f USING (sha256)"""
        if files
        else statement("warehouse", "reported_none")
    )
    sources = {facts.source: facts for _, facts in files}
    rows = []
    for source, name, last, exported in con.execute(
        "SELECT DISTINCT source, unit, last_day, CAST(exported_at AS DATE) FROM reported_row WHERE unit IS NOT NULL"
    ).fetchall():
        unit_id = _unit_of(sources[source], name, last, exported, aliases, own)
        rows.append((source, name, last, exported, unit_id))
    schema = {
        "source": pl.String,
        "unit": pl.String,
        "last_day": pl.Date,
        "exported_on": pl.Date,
        "unit_id": pl.String,
    }
    store(con, "reported_unit", pl.DataFrame(rows, schema=schema, orient="row"), temp=True)
    con.execute(statement("warehouse", "reported"))


def _unit_of(
    facts: FileFacts, name: str, last: date, exported: date, aliases: Aliases, own: dict[str, Unit]
) -> str | None:
    """The unit that a name means on the period's last day. Where the source says that its district's figures include
    the communes, the whole district instead of its counter: what is counted twice is counted nowhere."""
    if facts.own_units:
        if name.startswith("#"):  # what cannot be a unit's name by its shape
            return None
        return own_unit(facts.source, name, own)
    found = aliases.meant(name, facts.source, last, exported)
    if found is None:
        return None
    above = units().get(found.parent_id or "")
    if found.kind == "counter" and facts.includes_communes and above and above.kind == "district":
        return above.unit_id
    return found.unit_id
