"""Makes `score` (the sub-scores of Decision 766 as declared) and `score_766` (their points), in a database under
construction; and the latter's statement for other rule sets.

Not here: the formulas (declare/scores), answers from the tables (scores.py).
"""

from __future__ import annotations

import re

import duckdb
import polars as pl

from pipeline.declare.figures import PROCEDURE, labels
from pipeline.declare.returns import returns
from pipeline.declare.scores import Score, groups, return_id, scores
from pipeline.warehouse.sql import statement, store

DAYS = re.compile(r"\w+_on IS NULL|\w+ <=? \w+_on|\w+_on <=? \w+")
NEW = "origin <> 'carried_over'"
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
    """`score`: a row for each sub-score; saturation null: 1."""
    rows = [
        (
            *(sort, s.key, s.group, groups()[s.group].label.vi, groups()[s.group].label.en, s.label.vi, s.label.en),
            *(s.max_points, *(s.saturation.as_integer_ratio() if s.saturation else (None, None)), s.formula),
            *(s.parts, s.indicator, s.judged, s.denominator or None),
            *(s.nothing, s.needs.vi, s.needs.en, s.source, s.mark),
        )
        for sort, s in enumerate(scores().values())
    ]
    store(con, "score", pl.DataFrame(rows, schema=SCHEMA, orient="row"))


def score_select() -> str:
    """The points of every sub-score, unit, sum of units and period; in braces the schemas, as of `other_selects`."""
    return statement("measure", "score_766").replace("{counts}", _counts_sql())


def _counts_sql() -> str:
    """period, unit_id (or sum of units), score, numerator, denominator, unknown: a row where something tells of it; seen:
    whether the unit has dossiers in the period, of sub-scores that are made from these."""
    rates, procedures = _of("dossiers"), _of("procedures")
    labels_asked, days = _asked(rates + procedures)
    of_kinds = ", ".join(f"{sql} AS {s.key}__{x}" for s in rates + procedures for x, sql in _terms(s).items())
    for term, name in days.items():
        of_kinds = of_kinds.replace(term, name)
    looked_at = ", ".join([*labels_asked, *(f"{term} AS {name}" for term, name in days.items())])
    hit = ", ".join(f"bool_or({s.judged}) AS {s.key}" for s in procedures)
    hits = ", ".join(f"count_if({s.key}) AS {s.key}__h" for s in procedures)
    # with such a new dossier; not known where there are new dossiers and none tells
    procedures_n = ", ".join(
        f"CASE WHEN {s.key}__k > 0 OR {s.key}__u = 0 THEN coalesce({s.key}__h, 0) END AS {s.key}__n" for s in procedures
    )
    by_node = ", ".join(
        [f"sum({s.key}__{x}) AS {s.key}__{x}" for s in rates for x in "ndu"]
        + [f"CASE WHEN count({s.key}__n) = count(*) THEN sum({s.key}__n) END AS {s.key}__n" for s in procedures]
        + [f"sum({s.key}__u) AS {s.key}__u" for s in procedures]
    )
    those = "(SELECT score FROM {main}score WHERE parts = 'procedures')"
    return f"""
        -- alike dossiers are counted first, and the predicates asked of each kind; procedures are told apart by their
        -- code, else their name, only where they are what is counted: they make nearly every dossier a kind of its own
        WITH kind AS (
            SELECT period, unit_id, {PROCEDURE} IS NULL AS nameless, {looked_at}, count(*) AS n
            FROM {{heart}}dossier_period WHERE coverage <> 'no_data' GROUP BY ALL
        ),
        of_kinds AS (SELECT period, unit_id, {of_kinds} FROM kind GROUP BY period, unit_id),
        of_procedures AS (
            SELECT period, unit_id, {hits}
            FROM (
                SELECT period, unit_id, {PROCEDURE} AS name, {hit} FROM {{heart}}dossier_period
                WHERE coverage <> 'no_data' AND {NEW} AND {PROCEDURE} IS NOT NULL GROUP BY ALL
            )
            GROUP BY period, unit_id
        ),
        of_unit AS (SELECT *, {procedures_n} FROM of_kinds LEFT JOIN of_procedures USING (period, unit_id)),
        of_node AS MATERIALIZED (
            SELECT period, node AS unit_id, {by_node} FROM of_unit JOIN {{main}}node_of USING (unit_id) GROUP BY period, node
        ),
        returned AS ({_returned_sql()})
        SELECT period, unit_id, {_unpivoted(rates, {"n": "numerator", "d": "denominator", "u": "unknown"})}, TRUE AS seen
        FROM of_node
        UNION ALL
        SELECT v.period, v.unit_id, s.score, v.numerator, v.denominator, v.unknown, NULL
        FROM {{own}}indicator_value v JOIN {{main}}score s ON s.indicator = v.indicator
        UNION ALL
        SELECT period, unit_id, score, numerator, denominator, 0, NULL FROM returned WHERE score NOT IN {those}
        UNION ALL
        SELECT period, unit_id, score, p.numerator, r.denominator, p.unknown, p.score IS NOT NULL
        FROM (SELECT period, unit_id, {_unpivoted(procedures, {"n": "numerator", "u": "unknown"})} FROM of_node) p
        FULL JOIN (SELECT * FROM returned WHERE score IN {those}) r USING (period, unit_id, score)
    """


def _asked(found: list[Score]) -> tuple[list[str], dict[str, str]]:
    """The labels that predicates hang on, and what they ask of days, each as a column: term → name."""
    text = " ".join([NEW, *(f"{s.numerator} {s.unknown} {s.denominator}" for s in found)])
    days = {term: f"day_{n}" for n, term in enumerate(sorted({m[0] for m in DAYS.finditer(text)}))}
    return [name for name in labels() if name in re.findall(r"\w+", text)], days


def _of(parts: str) -> list[Score]:
    return [s for s in scores().values() if s.parts == parts]


def _unpivoted(found: list[Score], columns: dict[str, str]) -> str:
    """Select list that turns columns KEY__x into a row for each sub-score. columns: x → name."""
    names = ", ".join(f"unnest([{', '.join(f'{s.key}__{x}' for s in found)}]) AS {name}" for x, name in columns.items())
    return f"unnest([{', '.join(repr(s.key) for s in found)}]) AS score, {names}"


def _terms(score: Score) -> dict[str, str]:
    """Aggregates over the kinds of dossiers of a unit: of a rate its parts; of procedures how many new dossiers tell (k),
    and of how many it, or their procedure, is not known (u)."""
    n, d = f"({score.judged})", f"({score.denominator})"
    if score.parts == "procedures":
        return {
            "k": f"coalesce(sum(n) FILTER (WHERE {NEW} AND {n} IS NOT NULL), 0)",
            "u": f"coalesce(sum(n) FILTER (WHERE {NEW} AND ({n} IS NULL OR ({n} AND nameless))), 0)",
        }
    return {
        "n": f"coalesce(sum(n) FILTER (WHERE {d} AND {n}), 0)",
        "d": f"coalesce(sum(n) FILTER (WHERE {d} AND {n} IS NOT NULL), 0)",
        "u": f"coalesce(sum(n) FILTER (WHERE {d} IS NULL OR ({d} AND {n} IS NULL)), 0)",
    }


def _returned_sql() -> str:
    """Measures of the return; of procedures their denominator alone."""
    own = _of("return") + _of("procedures")
    measures = ", ".join(
        f"CAST(max(value) FILTER (WHERE measure = '{name}') AS BIGINT) AS {name}"
        for name in returns()[return_id()].measures
    )
    columns = ", ".join(
        f"{s.numerator if s.parts == 'return' else 'NULL::BIGINT'} AS {s.key}__n, {s.denominator} AS {s.key}__d"
        for s in own
    )
    return f"""
        SELECT period, unit_id, {_unpivoted(own, {"n": "numerator", "d": "denominator"})}
        FROM (
            SELECT period, unit_id, {columns}
            FROM (SELECT period, unit_id, {measures} FROM {{live}}return_figure WHERE return_id = '{return_id()}' GROUP BY period, unit_id)
        )"""
