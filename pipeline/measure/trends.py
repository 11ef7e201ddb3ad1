"""Counts of past periods on today's tree: rows as `stats` gives them, from `trend_count`.

Not here: how old units are added to today's (sql/trend.sql).
"""

from __future__ import annotations

from typing import Any

import duckdb

from pipeline.declare.figures import measures
from pipeline.declare.periods import parse_periods
from pipeline.measure.answers import choose
from pipeline.warehouse.sql import rows_of

Row = dict[str, Any]


def trends(con: duckdb.DuckDBPyConnection, period: str, unit: str | None = None) -> list[Row]:
    """Counts per unit of today and sum of units for a period or range of periods; null where there is no data."""
    known = {r["unit_id"]: r for r in units_of_today(con)}
    counts = ", ".join(f"t.{name}" for name in measures())
    found: list[Row] = []
    for one in parse_periods(period):
        rows = rows_of(
            con,
            f"SELECT t.unit_id, t.as_of, t.coverage, t.basis, t.units, {counts} FROM trend_count t WHERE t.period = ?",
            [one.key],
        )
        counted = {r.pop("unit_id"): r for r in rows}
        nothing = {"as_of": None, "coverage": "no_data", "basis": None, "units": 0} | dict.fromkeys(measures())
        span = {"period": one.key, "period_from": one.start, "period_to": one.end}
        for unit_id, row in choose(known, unit).items():
            figures = counted.get(unit_id, nothing)
            words = {name: row[name] for name in ("unit_code", "unit", "level")}
            told = {name: figures[name] for name in ("as_of", "coverage", "basis")}
            found.append(span | told | words | {name: figures[name] for name in ("units", *measures())})
    return found


def units_of_today(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """Today's units and sums that have counts in some period: the total first, then sums, then units."""
    return rows_of(
        con,
        """WITH known AS (SELECT DISTINCT unit_id, level FROM trend_count)
           SELECT u.unit_id, u.unit_code, u.unit, k.level FROM known k JOIN unit u USING (unit_id)
           ORDER BY CASE k.level WHEN 'total' THEN 0 WHEN 'group' THEN 1 ELSE 2 END, u.sort""",
    )
