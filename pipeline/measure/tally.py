"""`period_tally`: the rows of `dossier_period` counted by period and register, which several checks look at.

By each dossier in each period and not by kinds of dossiers (alike.py), so that what is published is held against something
else than itself. Not here: the checks (checks.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from pipeline.declare.rules import OURS
from pipeline.measure.heart import heart_select
from pipeline.measure.moved import COUNTED, TALLY, WHOLE, Part, count_registers
from pipeline.warehouse.sql import statement

COUNTS = ("rows", "unlabelled", "received", "open", "which_open", "carried", "which_carried", "cutoff_unknown")


def tally(con: duckdb.DuckDBPyConnection, counted: Sequence[Part] = WHOLE) -> None:
    """period_tally (of this connection: with the unit in which a register counts, and what is covered), and its counts in
    schema `counted` for the night that goes on from this one. counted: as moved.counted_in gives it."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE tally_place AS SELECT CAST(row_number() OVER (ORDER BY period, unit_id) AS INTEGER) AS place, "
        "period, unit_id FROM (SELECT DISTINCT period, unit_id FROM period_unit)"
    )
    for part in counted:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {part.of}tally_period_unit AS SELECT t.place AS period, NULL AS scheme, NULL AS kind, "
            "p.period_from, p.period_to, p.as_of, p.as_of_end, NULL AS coverage, p.unit_id, NULL AS counted_unit_id "
            f"FROM {part.of}period_unit p JOIN tally_place t USING (period, unit_id)"
        )
    count_registers(con, counted, TALLY, COUNTS, _of)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {TALLY} AS SELECT t.period, p.counted_unit_id AS unit_id, t.unit_id AS register_unit_id, "
        f"p.coverage, {', '.join(COUNTS)} FROM {COUNTED}.{TALLY} t JOIN period_unit p USING (period, unit_id)"
    )


def _of(of: str) -> str:
    rows = statement("measure", "period_tally").replace("{heart}", heart_select(OURS, f"{of}tally_", of))
    return f"SELECT period, unit_id, {', '.join(COUNTS)} FROM ({rows}) JOIN tally_place USING (place)"
