"""The rows behind a figure, as SQL over the published file: dossiers, and reported rows where summaries alone tell.

Every row says what it adds to numerator, denominator and unknown, so that a figure is the sum of its list.
Not here: what summaries tell (told.py), words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.declare.definitions import OF_A_COLUMN, Figure
from pipeline.warehouse.sql import hex_sql, parquet

REPORTED = "reported"  # the rows of summaries, of whatever part
# The units of then added to today's, as trend_count adds them.
TODAY = """(
    WITH today AS (
        SELECT unit_id, coalesce(successor_id, unit_id) AS node
        FROM unit LEFT JOIN unit_successor USING (unit_id) WHERE kind IN ('commune', 'counter')
    )
    SELECT unit_id, node FROM today
    UNION ALL
    SELECT t.unit_id, i.group_id FROM today t JOIN unit_in i ON i.unit_id = t.node JOIN unit g ON g.unit_id = i.group_id
    WHERE g.valid_to IS NULL
) AS node_of"""


@dataclass(frozen=True)
class Cell:
    """Where a figure stands: the period, the unit or sum of units, and where asked for one field (null: not known).
    today: on today's tree, as trend_count."""

    period: str
    first_day: date
    last_day: date
    unit_id: str
    of_field: bool = False
    field: str | None = None
    today: bool = False

    @property
    def nodes(self) -> str:
        return TODAY if self.today else "node_of"

    @property
    def where(self) -> str:
        where = f"period = {text(self.period)} AND node = {text(self.unit_id)}"
        if not self.of_field:
            return where
        return f"{where} AND field {'IS NULL' if self.field is None else '= ' + text(self.field)}"


@dataclass(frozen=True)
class Told:
    """A reported count (a unit's, by its measure) that a figure is made from, and with which sign it enters numerator,
    denominator and unknown (null: not told). by_field: told per field only, which are added."""

    unit_id: str
    measure: str | None
    by_field: bool
    numerator: int | None
    denominator: int | None
    unknown: int | None


def text(value: str) -> str:
    """A value as an SQL text."""
    return "'" + value.replace("'", "''") + "'"


# ---- what a dossier adds


def adds(figure: Figure) -> tuple[str, str, str, str]:
    """SQL over the labels of a dossier: what it adds to numerator, denominator, unknown; and whether it is listed."""
    n, d = f"({figure.judged})", f"({figure.denominator})"
    if figure.kind == "count":
        return "1", "NULL", "0", n
    if figure.kind == "rate":
        return (
            f"CASE WHEN {d} AND {n} THEN 1 ELSE 0 END",
            f"CASE WHEN {d} AND {n} IS NOT NULL THEN 1 ELSE 0 END",
            f"CASE WHEN {d} IS NULL OR ({d} AND {n} IS NULL) THEN 1 ELSE 0 END",
            f"coalesce({d}, TRUE)",
        )
    if figure.kind == "count_ratio":
        return f"CASE WHEN {n} THEN 1 ELSE 0 END", f"CASE WHEN {d} THEN 1 ELSE 0 END", "0", f"({n} OR {d})"
    known = f"CASE WHEN {figure.column} IS NULL THEN 0 ELSE 1 END"
    return (
        "NULL" if figure.kind == "median" else str(figure.column),
        "NULL" if figure.kind == "sum" else known,
        f"1 - {known}",
        n,
    )


def dossiers_sql(figure: Figure, where: str, nodes: str = "node_of", dossiers: str = "dossier_period") -> str:
    """The dossiers behind a figure, with period, node, and what each adds. dossiers: the relation they are read from."""
    numerator, denominator, unknown, listed = adds(figure)
    value = figure.column or "NULL"
    return f"""SELECT period, node, unit_id, dossier_id, episode, field, procedure_code, origin, outcome, received_on,
       effective_due_on, concluded_on, NULL::VARCHAR AS measure, {value}::BIGINT AS value, file_id, sheet, "row",
       {numerator}::BIGINT AS numerator, {denominator}::BIGINT AS denominator, {unknown}::BIGINT AS unknown
FROM {dossiers} JOIN {nodes} USING (unit_id)
WHERE {where} AND coverage <> 'no_data' AND {listed}"""


def behind_sql(figure: Figure, cell: Cell, told: list[Told]) -> str:
    """All rows behind a figure: the dossiers, and the rows of summaries."""
    found = dossiers_sql(figure, cell.where, cell.nodes)
    if not told:
        return found
    return f"""{found}
UNION ALL BY NAME
SELECT t.unit_id, r.field, t.measure, r.value::BIGINT AS value, r.file_id, r.sheet, r."row",
       {_added("numerator")} AS numerator, {_added("denominator")} AS denominator, {_added("unknown")} AS unknown
FROM {_told_sql(told, cell)}"""


def _added(part: str) -> str:
    """What is told adds its value with its sign; nothing where it has none in this part; null where it is not told."""
    return f"CASE WHEN t.{part} = 0 THEN 0 ELSE CAST(r.value * t.{part} AS BIGINT) END"


def _told_sql(told: list[Told], cell: Cell) -> str:
    def row(t: Told) -> str:
        signs = ("NULL" if sign is None else str(sign) for sign in (t.numerator, t.denominator, t.unknown))
        measure = "NULL::VARCHAR" if t.measure is None else text(t.measure)
        return f"({text(t.unit_id)}, {measure}, {str(t.by_field).upper()}, {', '.join(signs)})"

    rows = ",\n    ".join(map(row, told))
    one_field = f" AND r.field = {text(cell.field or '')}" if cell.of_field else ""
    return f"""(VALUES
    {rows}
) t (unit_id, measure, by_field, numerator, denominator, unknown)
LEFT JOIN reported r ON r.unit_id = t.unit_id AND r.measure = t.measure AND r.counts AND r.decimals IS NULL
    AND r.first_day = DATE '{cell.first_day}' AND r.last_day = DATE '{cell.last_day}' AND (r.field IS NOT NULL) = t.by_field{one_field}"""


# ---- the list


def list_sql(
    figure: Figure, cell: Cell, told: list[Told], part: str | None = None, codes: Sequence[Path] | None = None
) -> str:
    """The list behind a figure, in an order of its own; part: only the rows of one part; codes: where dossiers' codes
    are to stand beside their keys, and the files that hold them. Keys in hex, as they are shown."""
    keep = f"WHERE {_in_part(figure, part)}" if part else ""
    code, known = ("", "") if codes is None else ("c.dossier_code, ", "LEFT JOIN c ON c.dossier_id = b.dossier_id")
    coded = "" if codes is None else f", c AS ({_codes_sql(codes)})"
    return f"""WITH b AS (SELECT * REPLACE ({hex_sql("dossier_id")} AS dossier_id) FROM ({behind_sql(figure, cell, told)})){coded}
SELECT {_part_name(figure)} AS part, {code}b.numerator, b.denominator, b.unknown, b.dossier_id, b.episode,
       u.unit_code, u.unit, b.field, b.procedure_code, b.origin, b.outcome, b.received_on, b.effective_due_on,
       b.concluded_on, b.measure, b.value, f.source, f.name AS file, b.sheet, b."row"
FROM b LEFT JOIN unit u ON u.unit_id = b.unit_id LEFT JOIN file f ON f.file_id = b.file_id {known}
{keep}
ORDER BY u.sort, f.source, f.name, b.file_id, b.sheet, b."row", b.dossier_id, b.episode, b.measure"""


def _codes_sql(files: Sequence[Path]) -> str:
    """The code of each dossier in `b`, as the restricted store has it; a dossier that is in several files has one."""
    if not files:
        return "SELECT dossier_id, NULL::VARCHAR AS dossier_code FROM b WHERE FALSE"
    return f"""SELECT {hex_sql("dossier_id")} AS dossier_id, max(dossier_code) AS dossier_code
FROM read_parquet({parquet(files)}) WHERE {hex_sql("dossier_id")} IN (SELECT dossier_id FROM b) GROUP BY 1"""


def _part_name(figure: Figure) -> str:
    if figure.kind == "rate":
        name = "CASE WHEN b.unknown = 1 THEN 'unknown' WHEN b.numerator = 1 THEN 'numerator' ELSE 'rest' END"
    elif figure.kind == "count_ratio":
        name = "CASE WHEN b.numerator = 1 AND b.denominator = 1 THEN 'both' WHEN b.numerator = 1 THEN 'numerator' ELSE 'rest' END"
    else:
        name = "CASE WHEN b.unknown = 1 THEN 'unknown' ELSE 'counted' END"
    return f"CASE WHEN b.dossier_id IS NULL THEN '{REPORTED}' ELSE {name} END"


def _in_part(figure: Figure, part: str) -> str:
    """What a row must add to belong to a part. A value of 0 is still part of a sum or mean."""
    if part == REPORTED:
        return "b.dossier_id IS NULL"
    if figure.kind in OF_A_COLUMN:
        return {"unknown": "b.unknown <> 0", "rest": "FALSE"}.get(part, "b.unknown = 0")
    return {
        "numerator": "b.numerator <> 0",
        "denominator": "b.denominator <> 0",
        "rest": "b.denominator <> 0 AND b.numerator = 0",
        "unknown": "b.unknown <> 0",
    }[part]


# ---- the figure itself


def figure_sql(figure: Figure, cell: Cell, told: list[Told]) -> str:
    """One statement for the published file that gives the figure: its numerator, and denominator, unknown or (a
    median's) value where its kind has them."""
    columns = _counted(figure)
    counted = ",\n    ".join(f"{sql} AS {name}" for name, sql in columns.items())
    dossiers = f"""SELECT
    {counted}
FROM dossier_period JOIN {cell.nodes} USING (unit_id)
WHERE {cell.where} AND coverage <> 'no_data'"""
    if not told:
        return dossiers
    sums = ", ".join("NULL AS value" if c == "value" else f"sum({_added(c)})::BIGINT AS {c}" for c in columns)
    whole = ", ".join(f"{_summed(figure, c)} AS {c}" for c in columns)
    return f"""WITH part AS (
{dossiers}
UNION ALL
SELECT {sums}
FROM {_told_sql(told, cell)}
GROUP BY t.unit_id
)
SELECT {whole} FROM part"""


def _counted(figure: Figure) -> dict[str, str]:
    """Aggregates over the dossiers of a cell, as one would write them by hand."""
    n, d, column = f"({figure.judged})", f"({figure.denominator})", figure.column
    if figure.kind == "count":
        return {"numerator": f"count(*) FILTER (WHERE {figure.numerator})"}
    if figure.kind == "rate":
        return {
            "numerator": f"count(*) FILTER (WHERE {d} AND {n})",
            "denominator": f"count(*) FILTER (WHERE {d} AND {n} IS NOT NULL)",
            "unknown": f"count(*) FILTER (WHERE {d} IS NULL OR ({d} AND {n} IS NULL))",
        }
    if figure.kind == "count_ratio":
        return {
            "numerator": f"count(*) FILTER (WHERE {figure.numerator})",
            "denominator": f"count(*) FILTER (WHERE {figure.denominator})",
        }
    found = {
        "numerator": f"sum({column}) FILTER (WHERE {figure.numerator})",
        "denominator": f"count({column}) FILTER (WHERE {figure.numerator})",
        "unknown": f"count(*) FILTER (WHERE {n} AND {column} IS NULL)",
        "value": f"median({column}) FILTER (WHERE {figure.numerator})",
    }
    left_out = {"sum": ("denominator", "value"), "mean": ("value",), "median": ("numerator",)}[figure.kind]
    return {name: sql for name, sql in found.items() if name not in left_out}


def _summed(figure: Figure, column: str) -> str:
    """What is not told of one unit is not known of the sum: of a count, and of how many are unknown. A rate is made
    from the units that tell both its parts."""
    if column == "value":
        return "max(value)"
    if column == "unknown" or figure.kind == "count":
        return f"CASE WHEN count({column}) = count(*) THEN sum({column})::BIGINT END"
    return f"sum({column})::BIGINT"
