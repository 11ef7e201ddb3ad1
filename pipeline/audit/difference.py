"""Where two sets of figures differ in a period: the cells, the dossiers behind each, and the cause of each dossier's.

Not here: opening the two (sides.py), words on a screen (tell_difference.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import duckdb

from pipeline.audit.causes import Context, cause_of_return, cause_without_dossiers, causes_of, changed_dossiers
from pipeline.audit.rows import dossiers_sql
from pipeline.audit.sides import AFTER, BEFORE, ask, common_columns
from pipeline.declare.definitions import Figure, figures
from pipeline.declare.figures import measures
from pipeline.measure.sums import measure_counts_sql, sums_sql, unit_counts_sql
from pipeline.warehouse.sql import hex_sql

Row = dict[str, Any]
Cells = dict[tuple[str, str, str, str], Any]
REACH = ("as_of", "coverage")
PARTS = ("numerator", "denominator", "unknown", "value", "threshold_p", "threshold_q", "verdict", "needed")


@dataclass(frozen=True)
class Difference:
    """A cell of a period that is not the same on both sides; null where a side does not have it. field: "" for all
    fields together, "?" for the field that is not known. part: of an indicator, what differs; "" of a count.
    dossiers: (dossier_id, episode) of those whose part in the cell differs; because: where there are none, the cause, and
    the file or program's files that made it."""

    period: str
    unit_id: str
    unit: str
    field: str
    figure: str
    part: str
    before: Any
    after: Any
    dossiers: list[tuple[str, int]] = field(default_factory=list)
    because: tuple[str, str | None] | None = None


@dataclass(frozen=True)
class Compared:
    """changed: every dossier of the period whose labels differ, with its cause. Empty lists: identical. before, after:
    all cells of either side, by (unit or sum, field, figure, part). members: unit or sum → of how many units it is made."""

    period: str
    cells: list[Difference]
    changed: list[Row]
    before: Cells = field(repr=False, default_factory=dict)
    after: Cells = field(repr=False, default_factory=dict)
    members: dict[str, int] = field(repr=False, default_factory=dict)

    @property
    def identical(self) -> bool:
        return not self.cells and not self.changed


def compare(con: duckdb.DuckDBPyConnection, period: str, context: Context | None = None) -> Compared:
    """One period of the two sides of a connection (sides.py). context: what is known of why they may differ."""
    old, new = (_cells(con, schema, period) | _returned(con, schema, period) for schema in (BEFORE, AFTER))
    names = _names(con)
    differing = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    changed_dossiers(con, period)
    behind = {code: _behind(con, figures()[code], period) for code in {key[2] for key in differing} & figures().keys()}
    cells = [
        Difference(
            *(period, unit_id, names.get(unit_id, unit_id), of_field, code, part),
            *(old.get((unit_id, of_field, code, part)), new.get((unit_id, of_field, code, part))),
            [d for d, f in behind.get(code, {}).get(unit_id, []) if of_field in ("", f)],
        )
        for unit_id, of_field, code, part in sorted(differing)
    ]
    why = context or Context()

    @cache
    def because(unit_id: str, reach: bool) -> tuple[str, str | None]:
        return cause_without_dossiers(con, period, unit_id, reach, why)

    @cache
    def of_return(unit_id: str, return_id: str) -> tuple[str, str | None]:
        return cause_of_return(con, period, unit_id, return_id, why)

    def explained(cell: Difference) -> Difference:
        if cell.dossiers:
            return cell
        return_id, dot, _ = cell.figure.partition(".")
        found = of_return(cell.unit_id, return_id) if dot else because(cell.unit_id, cell.figure in REACH)
        return replace(cell, because=found)

    cells = [explained(cell) for cell in cells]
    return Compared(period, cells, causes_of(con, period, why), old, new, _members(con))


# ---- cells


def _cells(con: duckdb.DuckDBPyConnection, schema: str, period: str) -> Cells:
    """(unit or sum, field, figure, part) → value: counts of units and sums, counts by field of units, indicators,
    cut-off and coverage."""
    ask(con, schema)
    found: Cells = {}
    counts = unit_counts_sql()
    summed = con.execute(
        f"SELECT node, {sums_sql()} FROM ({counts}) JOIN node_of USING (unit_id) WHERE period = ? GROUP BY node",
        [period],
    ).fetchall()
    for unit_id, *values in summed:
        found |= {(unit_id, "", name, ""): n for name, n in zip(measures(), values, strict=True)}
    by_field = con.execute(
        f"SELECT unit_id, coalesce(field, '?'), {measure_counts_sql()} FROM period_count WHERE period = ? GROUP BY ALL",
        [period],
    ).fetchall()
    for unit_id, of_field, *values in by_field:
        found |= {(unit_id, of_field, name, ""): n for name, n in zip(measures(), values, strict=True) if n}
    rated = con.execute(
        f"SELECT unit_id, indicator, {', '.join(PARTS)} FROM indicator_value WHERE period = ?", [period]
    ).fetchall()
    for unit_id, code, *values in rated:
        found |= {(unit_id, "", code, part): value for part, value in zip(PARTS, values, strict=True)}
    for unit_id, as_of, coverage in con.execute(
        "SELECT unit_id, as_of, coverage FROM period_coverage WHERE period = ?", [period]
    ).fetchall():
        found |= {(unit_id, "", "as_of", ""): as_of, (unit_id, "", "coverage", ""): coverage}
    return found


def _returned(con: duckdb.DuckDBPyConnection, schema: str, period: str) -> Cells:
    """What returns tell, each figure as a text: "return.line.measure" of units and sums. Nothing where a side was sealed
    by a version of the program without returns."""
    if not common_columns(con, "return_figure"):
        return {}
    rows = con.execute(
        f"""SELECT unit_id, concat_ws('.', return_id, nullif(line, ''), measure),
                   nullif(concat_ws(' ', qualifier, CAST(value AS VARCHAR), word, CAST(day AS VARCHAR)), '')
            FROM {schema}.return_figure WHERE period = ?""",
        [period],
    ).fetchall()
    return {(unit_id, "", code, ""): text for unit_id, code, text in rows}


def _names(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = con.execute(f"SELECT unit_id, unit FROM {BEFORE}.unit UNION ALL SELECT unit_id, unit FROM {AFTER}.unit")
    return dict(rows.fetchall())


def _members(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(con.execute(f"SELECT node, count(*) FROM {AFTER}.node_of GROUP BY node").fetchall())


# ---- the dossiers behind a cell


def _behind(
    con: duckdb.DuckDBPyConnection, figure: Figure, period: str
) -> dict[str, list[tuple[tuple[str, int], str]]]:
    """unit or sum → the changed dossiers whose part in the figure is not the same on both sides, each with its field."""
    sides = []
    for schema in (BEFORE, AFTER):
        rows = dossiers_sql(figure, f"period = '{period}'", f"{schema}.node_of", f"changed_{schema}")
        sides.append(f"SELECT node, dossier_id, episode, field, numerator, denominator, unknown, value FROM ({rows})")
    found = con.execute(
        f"""SELECT node, {hex_sql("dossier_id")}, episode, coalesce(a.field, b.field, '?')
            FROM ({sides[0]}) b FULL JOIN ({sides[1]}) a USING (node, dossier_id, episode)
            WHERE (b.numerator, b.denominator, b.unknown, b.value, b.field)
                  IS DISTINCT FROM (a.numerator, a.denominator, a.unknown, a.value, a.field)
            ORDER BY ALL"""
    ).fetchall()
    by_node: dict[str, list[tuple[tuple[str, int], str]]] = {}
    for node, dossier_id, episode, of_field in found:
        by_node.setdefault(node, []).append(((dossier_id, episode), of_field))
    return by_node
