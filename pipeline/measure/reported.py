"""Reported figures beside ours: filling the periods of which only summaries tell, and the reconciliation elsewhere.

All SQL is generated from reported.toml. What a summary does not say stays null. Not here: reading summaries, and
which of several reports counts (warehouse/reported).
"""

from __future__ import annotations

import duckdb

from pipeline.declare.figures import indicators, measures
from pipeline.declare.forms import form
from pipeline.declare.reported import counts, fills


def reported_tables(con: duckdb.DuckDBPyConnection) -> None:
    """`reported_figure`: the measures of units of which only summaries tell. Needs `reported_count`, `reported_node`."""
    con.execute(_wide_sql())
    con.execute(_figure_sql())


def _wide_sql() -> str:
    """`reported_wide`: one row per period, unit and field of which only summaries tell, a column per reported count."""
    columns = ", ".join(f"max(value) FILTER (WHERE measure = '{name}') AS {name}" for name in counts())
    return (
        f"CREATE TEMP TABLE reported_wide AS SELECT c.period, c.unit_id, c.field, {columns} "
        "FROM reported_count c JOIN reported_node USING (period, unit_id) GROUP BY c.period, c.unit_id, c.field"
    )


def _filled(kind: str, name: str) -> str:
    """The first expression that the summary allows: a sum with something unknown in it is unknown."""
    ways = fills(kind).get(name, ())
    return f"coalesce({', '.join(ways)})" if ways else "NULL::BIGINT"


def _figure_sql() -> str:
    filled = ", ".join(f"({_filled('stats', name)})::BIGINT AS {name}" for name in measures())
    return (
        f"CREATE TABLE reported_figure AS SELECT period, unit_id, {filled} FROM reported_wide "
        "WHERE field IS NULL ORDER BY period, unit_id"
    )


def form_rows_sql(period_columns: str, unit: bool) -> str:
    """Rows of form II.06a from summaries: per unit, or per unit and field."""
    qualified = ", ".join(f"p.{c.strip()}" for c in period_columns.split(","))
    filled = ", ".join(f"({_filled('ii06a', c)})::BIGINT AS {c}" for c in form("ii06a").columns)
    return (
        f"SELECT {qualified}, w.unit_id, '{'unit' if unit else 'field'}', w.field, {filled}, p.basis FROM reported_wide w "
        "JOIN period_coverage p ON p.period = w.period AND p.unit_id = w.unit_id "
        f"WHERE w.field IS {'' if unit else 'NOT '}NULL"
    )


def indicator_rows_sql() -> str:
    """period, unit_id, indicator, numerator, denominator, unknown of every rate from summaries. A rate that the summary
    does not allow leaves all its dossiers unknown; how many they are may be unknown too (null)."""
    pieces = []
    for code, indicator in indicators().items():
        numerator, denominator = _filled("numerator", code), _filled("denominator", code)
        known = f"{numerator} IS NOT NULL AND {denominator} IS NOT NULL"
        zero = "NULL::BIGINT" if indicator.kind in ("sum", "mean", "median") else "0"
        pieces.append(
            f"SELECT period, unit_id, '{code}' AS indicator, CASE WHEN {known} THEN {numerator} ELSE {zero} END AS numerator, "
            f"CASE WHEN {known} THEN {denominator} ELSE 0 END AS denominator, "
            f"CASE WHEN {known} THEN 0 ELSE {_filled('stats', 'total')} END AS unknown "
            "FROM reported_wide WHERE field IS NULL"
        )
    return " UNION ALL ".join(pieces)


COMPARED = """
    SELECT DISTINCT p.period, p.unit_id, r.field, p.coverage FROM reported r
    JOIN period_coverage p ON p.unit_id = r.unit_id AND p.period_from = r.first_day AND p.period_to = r.last_day
    WHERE r.counts AND p.basis = 'dossiers' AND p.coverage <> 'no_data'
"""


def reconciled(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The periods of which registers and summaries both tell."""
    found = con.execute(f"SELECT DISTINCT period FROM ({COMPARED}) ORDER BY period").fetchall()
    return [period for (period,) in found]


def reconciliation_sql(periods: list[str]) -> str:
    """`reconciliation`: every reported figure beside the registers' own, for units (and sums of units) that registers
    cover. Needs `reported`, `period_coverage`, `period_count`. periods: of `reconciled`; no others are counted."""
    only = "period IN (" + ", ".join(f"'{period}'" for period in periods) + ")" if periods else "FALSE"
    told = {name: r.where for name, r in counts().items() if r.where}
    computed = ", ".join(
        f"coalesce(sum(n) FILTER (WHERE {where}), 0)::BIGINT AS {name}" for name, where in told.items()
    )
    values = " UNION ALL ".join(
        f"SELECT period, node, field, '{name}' AS measure, {name} AS computed FROM of_registers" for name in told
    )
    return f"""
        CREATE OR REPLACE TABLE reconciliation AS
        WITH asked AS ({COMPARED}),
        of_registers AS (
            SELECT a.period, a.unit_id AS node, a.field, {computed}
            FROM asked a
            LEFT JOIN (SELECT c.*, node FROM period_count c JOIN node_of USING (unit_id) WHERE {only}) c
              ON c.period = a.period AND c.node = a.unit_id AND (a.field IS NULL OR c.field = a.field)
            GROUP BY a.period, a.unit_id, a.field
        ),
        -- a field may stand under several groups: the sum of its rows, of which the first is named
        told AS (
            SELECT unit_id, first_day, last_day, field, measure, sum(value) AS value, min(file_id) AS file_id,
                   min_by(sheet, row) AS sheet, min(row) AS row
            FROM reported WHERE counts GROUP BY ALL HAVING count(value) = count(*)
        ),
        ours AS ({values})
        SELECT a.period, a.unit_id, a.field, r.measure, CAST(r.value AS BIGINT) AS reported, o.computed,
               CAST(r.value AS BIGINT) - o.computed AS difference, a.coverage, r.file_id, r.sheet, r.row
        FROM asked a
        JOIN period p USING (period)
        JOIN told r ON r.unit_id = a.unit_id AND r.first_day = p.period_from AND r.last_day = p.period_to
            AND r.field IS NOT DISTINCT FROM a.field
        JOIN ours o ON o.period = a.period AND o.node = a.unit_id AND o.field IS NOT DISTINCT FROM a.field AND o.measure = r.measure
        ORDER BY a.period, a.unit_id, a.field, r.measure
    """
