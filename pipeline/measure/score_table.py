"""Makes `score` (the sub-scores of Decision 766 as declared) and `score_766` (their points), in a database under
construction; and the latter's statement for other rule sets.

Not here: the formulas (declare/scores), answers from the tables (scores.py).
"""

from __future__ import annotations

import duckdb
import polars as pl

from pipeline.declare.scores import Score, groups, scores, three_valued
from pipeline.warehouse.sql import statement, store

SCHEMA = {
    "sort": pl.Int32,
    "score": pl.String,
    "score_group": pl.String,
    "group_vi": pl.String,
    "group_en": pl.String,
    "label_vi": pl.String,
    "label_en": pl.String,
    "max_points": pl.Int32,
    "saturation_p": pl.Int64,
    "saturation_q": pl.Int64,
    "formula": pl.String,
    "parts": pl.String,
    "indicator": pl.String,
    "numerator": pl.String,
    "denominator": pl.String,
    "nothing": pl.String,
    "needs_vi": pl.String,
    "needs_en": pl.String,
    "source": pl.String,
    "mark": pl.String,
}


def score_table(con: duckdb.DuckDBPyConnection) -> None:
    """`score`: a row for each sub-score; null where the decision has no saturation, or the data no parts."""
    rows = [
        (
            *(sort, s.key, s.group, groups()[s.group].label.vi, groups()[s.group].label.en, s.label.vi, s.label.en),
            *(s.max_points, *(s.saturation.as_integer_ratio() if s.saturation else (None, None)), s.formula),
            *(s.parts, s.indicator, three_valued(s.numerator, s.unknown) or None, s.denominator or None),
            *(s.nothing, s.needs.vi, s.needs.en, s.source, s.mark),
        )
        for sort, s in enumerate(scores().values())
    ]
    store(con, "score", pl.DataFrame(rows, schema=SCHEMA, orient="row"))


def score_select() -> str:
    """The points of every sub-score, unit, sum of units and period; in braces the schemas, as of `other_selects`."""
    return statement("measure", "score_766").replace("{counts}", _counts_sql())


def _counts_sql() -> str:
    """period, unit_id (or sum of units), score, numerator, denominator, unknown."""
    own = [s for s in scores().values() if s.parts == "dossiers"]
    columns = ", ".join(f"{sql} AS {s.key}__{part}" for s in own for part, sql in _terms(s).items())
    sums = ", ".join(f"sum({s.key}__{part}) AS {s.key}__{part}" for s in own for part in "ndu")
    parts = ", ".join(
        f"unnest([{', '.join(f'{s.key}__{part}' for s in own)}]) AS {name}"
        for part, name in (("n", "numerator"), ("d", "denominator"), ("u", "unknown"))
    )
    return f"""
        WITH of_unit AS (
            SELECT period, unit_id, {columns} FROM {{heart}}dossier_period WHERE coverage <> 'no_data' GROUP BY period, unit_id
        ),
        summed AS (
            SELECT period, node, {sums} FROM of_unit JOIN {{main}}node_of USING (unit_id) GROUP BY period, node
        )
        SELECT period, node AS unit_id, unnest([{", ".join(f"'{s.key}'" for s in own)}]) AS score, {parts} FROM summed
        UNION ALL
        SELECT v.period, v.unit_id, s.score, v.numerator, v.denominator, v.unknown
        FROM {{own}}indicator_value v JOIN {{main}}score s ON s.indicator = v.indicator
    """


def _terms(score: Score) -> dict[str, str]:
    """Aggregates over dossiers, as of an indicator that is a rate."""
    n, d = f"({three_valued(score.numerator, score.unknown)})", f"({score.denominator})"
    return {
        "n": f"count(*) FILTER (WHERE {d} AND {n})",
        "d": f"count(*) FILTER (WHERE {d} AND {n} IS NOT NULL)",
        "u": f"count(*) FILTER (WHERE {d} IS NULL OR ({d} AND {n} IS NULL))",
    }
