"""Select lists of counts and their sums, generated from the declared measures: for tables that a night makes, and for
answers, which need none of what makes tables.

Not here: the statements that they stand in.
"""

from __future__ import annotations

from pipeline.declare.figures import measures


def counts_sql(where: dict[str, str]) -> str:
    """Select list of counts: name → predicate."""
    return ", ".join(
        f"coalesce(sum(n) FILTER (WHERE {predicate}), 0)::BIGINT AS {name}" for name, predicate in where.items()
    )


def measure_counts_sql() -> str:
    return counts_sql({m.name: m.where for m in measures().values()})


def unit_counts_sql(unit_count: str = "unit_count", reported_figure: str = "reported_figure") -> str:
    """period, unit_id and every measure: of the registers' dossiers, and of summaries where they alone tell of a unit."""
    names = ", ".join(measures())
    return f"SELECT period, unit_id, {names} FROM {unit_count} UNION ALL SELECT period, unit_id, {names} FROM {reported_figure}"


def sums_sql() -> str:
    """Select list of the measures summed over units: what is unknown of one of them is unknown in sum."""
    return ", ".join(f"CASE WHEN count({m}) = count(*) THEN sum({m})::BIGINT END AS {m}" for m in measures())
