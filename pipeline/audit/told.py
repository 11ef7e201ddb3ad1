"""What summaries tell of a figure: which reported counts it was made from, in a cell that registers do not cover.

The ways are those of reported.toml, in the same order as the published tables were filled.
Not here: filling them (measure/reported).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.audit.rows import Cell, Told, text
from pipeline.declare.definitions import OF_A_COLUMN, Figure
from pipeline.declare.reported import fills

if TYPE_CHECKING:
    import duckdb

# measure → whether its value is known, and whether it is told per field only
Known = dict[str, tuple[bool, bool]]
Way = list[tuple[int, str]]


def told_of(con: duckdb.DuckDBPyConnection, figure: Figure, cell: Cell) -> list[Told]:
    """The reported counts that enter a figure, of every unit of the cell of which summaries alone tell."""
    # of fields, only the form is filled from summaries; in the reconciliation they stand on the other side, and of a
    # sub-score's own rate no summary tells
    if (cell.of_field and figure.table != "ii06a") or figure.table in ("reconciliation", "scores"):
        return []
    units = con.execute(
        f"SELECT unit_id FROM reported_figure JOIN {cell.nodes} USING (unit_id) WHERE period = ? AND node = ? ORDER BY ALL",
        [cell.period, cell.unit_id],
    ).fetchall()
    found: list[Told] = []
    for (unit_id,) in units:
        known = _known(con, unit_id, cell)
        if known:
            found += _of_unit(figure, unit_id, known)
    return found


def _known(con: duckdb.DuckDBPyConnection, unit_id: str, cell: Cell) -> Known:
    """The counts that a unit reported for all fields together, or, where it has no such row, for each field."""
    rows = con.execute(
        f"""SELECT measure, field IS NOT NULL, count(value) = count(*) FROM reported
            WHERE unit_id = ? AND first_day = ? AND last_day = ? AND counts AND measure IS NOT NULL AND decimals IS NULL
              {"AND field = " + text(cell.field or "") if cell.of_field else ""}
            GROUP BY ALL ORDER BY 2 DESC""",
        [unit_id, cell.first_day, cell.last_day],
    ).fetchall()
    return {measure: (known, by_field) for measure, by_field, known in rows}


def _of_unit(figure: Figure, unit_id: str, known: Known) -> list[Told]:
    if figure.kind == "count":
        way = _way("stats" if figure.table == "stats" else "ii06a", figure.code, known)
        return _entered(unit_id, known, way, []) if way else [Told(unit_id, None, False, None, None, 0)]
    numerator, denominator = _way("numerator", figure.code, known), _way("denominator", figure.code, known)
    if numerator and denominator:
        return _entered(unit_id, known, numerator, denominator)
    nothing = None if figure.kind in OF_A_COLUMN else 0, None if figure.kind == "sum" else 0
    total = _way("stats", "total", known)
    if not total:
        return [Told(unit_id, None, False, *nothing, None)]
    return [Told(unit_id, name, known[name][1], *nothing, sign) for sign, name in total]


def _way(kind: str, code: str, known: Known) -> Way:
    """The first expression of which all parts are told: its measures with their signs; none where there is none."""
    for expression in fills(kind).get(code, ()):
        way = [(-1 if sign == "-" else 1, name) for sign, name in re.findall(r"([+-]?)\s*(\w+)", expression)]
        if all(known.get(name, (False, False))[0] for _, name in way):
            return way
    return []


def _entered(unit_id: str, known: Known, numerator: Way, denominator: Way) -> list[Told]:
    """One row per reported count, with its sign in numerator and denominator."""
    above, below = ({name: sign for sign, name in way} for way in (numerator, denominator))
    return [
        Told(unit_id, name, known[name][1], above.get(name, 0), below.get(name, 0), 0)
        for name in dict.fromkeys([*above, *below])
    ]
