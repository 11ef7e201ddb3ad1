"""`period_tally`: what the days of dossiers tell of each register in each period, which several checks look at.

By arithmetic of days and not by labels (counted.py), so that what is published is held against something else than
itself. Not here: the checks (checks.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from pipeline.declare.rules import OURS
from pipeline.measure.heart import heart_select
from pipeline.measure.moved import COUNTED, TALLY, WHOLE, Part, count_registers
from pipeline.warehouse.sql import statement

COUNTS = ("rows", "received", "open", "which_open", "carried", "which_carried", "cutoff_unknown")
# dossiers of which nothing but receipt, conclusion and first export says where they stand
PLAIN = "episode = 1 AND previous_left_on IS NULL AND opened_on = received_on"


def tally(con: duckdb.DuckDBPyConnection, counted: Sequence[Part] = WHOLE) -> None:
    """period_tally (of this connection: with the unit in which a register counts, and what is covered), and its counts in
    schema `counted` for the night that goes on from this one. counted: as moved.counted_in gives it."""
    for part in counted:
        of = part.of
        con.execute(
            f"""CREATE OR REPLACE TEMP VIEW {of}plain_dossier AS SELECT * FROM {of}dossier WHERE {PLAIN};
                CREATE OR REPLACE TEMP VIEW {of}other_dossier AS SELECT * FROM {of}dossier WHERE ({PLAIN}) IS NOT TRUE;
                CREATE OR REPLACE TEMP VIEW {of}other_dossier_state AS SELECT * FROM {of}dossier_state"""
        )
    count_registers(con, counted, TALLY, COUNTS, _of)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {TALLY} AS SELECT t.period, p.counted_unit_id AS unit_id, t.unit_id AS register_unit_id, "
        f"p.coverage, {', '.join(COUNTS)} FROM {COUNTED}.{TALLY} t JOIN period_unit p USING (period, unit_id)"
    )


def _of(of: str) -> str:
    counts = ", ".join(f"CAST(coalesce(sum({name}), 0) AS BIGINT) AS {name}" for name in COUNTS)
    heart = heart_select(OURS, of, f"{of}other_")
    return statement("measure", "period_tally").format(of=of, heart=heart, counts=counts)
