"""Makes the figure tables in a database under construction: `dossier_period`, `period_count`, the form, indicators.

Each count is a predicate over the labels of `dossier_period`; all SQL is generated from the declarations.
"""

from __future__ import annotations

import duckdb
import polars as pl

from pipeline import settings
from pipeline.declare.figures import Indicator, indicators, labels, measures, thresholds
from pipeline.declare.forms import form
from pipeline.declare.rules import OURS, filled, rule_sets
from pipeline.measure import spark
from pipeline.measure.reported import form_rows_sql, indicator_rows_sql, reconciliation_sql, reported_tables
from pipeline.measure.return_tables import build_returns
from pipeline.measure.score_table import score_select, score_table
from pipeline.warehouse.sql import statement

LIVE = "live"  # schema of what is computed now; the published tables show sealed periods as sealed (sealed.py)
PERIOD_COLUMNS = "period, scheme, kind, period_from, period_to, as_of, coverage"
HERE = dict.fromkeys(("heart", "own", "live", "main"), "")  # the schemas of a statement about the tables themselves


def build_figures(con: duckdb.DuckDBPyConnection) -> None:
    """All figure tables, in order. Needs the tables of warehouse/build."""
    con.execute(dossier_period_sql())
    if settings.engine() == "spark":
        spark.make_table(con, "period_count", plain_selects())
    else:
        con.execute(period_count_sql())
    reported_tables(con)
    con.execute(f"CREATE TABLE form_ii06a AS {filled(_form_select(reported=True), HERE)}")
    _threshold_table(con)
    con.execute(_indicator_count_sql())
    con.execute(indicator_value_sql())
    build_returns(con)
    score_table(con)
    con.execute(f"CREATE TABLE score_766 AS {filled(score_select(), HERE)}")
    derived_tables(con)


def dossier_period_sql(live: str = "", main: str = "") -> str:
    """The view `dossier_period`; live, main: schemas of the view and its periods, and of the dossiers, with their dots."""
    return f"CREATE VIEW {live}dossier_period AS {_heart_select(OURS, live, main)}"


def plain_selects() -> dict[str, str]:
    """What DuckDB and Spark answer alike: `dossier_period`, and `period_count` from it."""
    return {"dossier_period": _heart_select(OURS, "", ""), "period_count": filled(_period_count_select(), HERE)}


def _heart_select(rules: str, live: str, main: str) -> str:
    return filled(statement("measure", "dossier_period"), {**rule_sets()[rules].sql, "live": live, "main": main})


def derived_tables(con: duckdb.DuckDBPyConnection) -> None:
    """What follows from the published counts, sealed or live: trends, and the reconciliation."""
    con.execute(f"CREATE OR REPLACE TABLE trend_count AS {filled(_trend_select(), HERE)}")
    con.execute(reconciliation_sql())


def rule_views(con: duckdb.DuckDBPyConnection) -> None:
    """`dossier_period` by every rule set but ours, in a schema of its name, over live rows, whose views must be there;
    nothing where it is there. What is counted from it is made when it is asked (rules.py), to keep a night short."""
    there = {name for (name,) in con.execute("SELECT schema_name FROM duckdb_schemas()").fetchall()}
    for rules in rule_sets():
        if rules != OURS and rules not in there:
            con.execute(f'CREATE SCHEMA "{rules}"')
            con.execute(f'CREATE VIEW "{rules}".dossier_period AS {_heart_select(rules, f"{LIVE}.", "main.")}')


def other_selects() -> dict[str, str]:
    """The tables that answers are made from, by other rule sets than ours: each a SELECT in which {heart} stands for the
    schema of their `dossier_period`, {own} of these tables, {live} and {main} of the published file's, with their dots."""
    return {
        "period_coverage": statement("measure", "period_coverage_counted"),
        "reported_figure": f"SELECT period, unit_id, {', '.join(measures())} FROM {{live}}reported_figure WHERE FALSE",
        "period_count": _period_count_select(),
        "form_ii06a": _form_select(reported=False),
        "indicator_value": _indicator_value_select(f"({_indicator_count_select(reported=False)})"),
        "score_766": score_select(),
        "trend_count": _trend_select(),
    }


def period_count_sql() -> str:
    """Rows of `dossier_period` by period, unit, field and labels. Periods without data have no rows."""
    return f"CREATE TABLE period_count AS {filled(_period_count_select(), HERE)}"


def _period_count_select() -> str:
    by = ", ".join(labels())
    order = ", ".join(f"{name} NULLS LAST" for name in labels())  # engines differ where nothing is said
    return (
        f"SELECT {PERIOD_COLUMNS}, unit_id, field, {by}, count(*) AS n, "
        "sum(certified_copies) AS certified_copies, sum(processing_days) AS processing_days, "
        "count(certified_copies) AS n_certified_copies, count(processing_days) AS n_processing_days "
        "FROM {heart}dossier_period WHERE coverage <> 'no_data' "
        f"GROUP BY {PERIOD_COLUMNS}, unit_id, field, {by} ORDER BY period, unit_id, field NULLS LAST, {order}"
    )


def counts_sql(where: dict[str, str]) -> str:
    """Select list of counts: name → predicate."""
    return ", ".join(
        f"coalesce(sum(n) FILTER (WHERE {predicate}), 0)::BIGINT AS {name}" for name, predicate in where.items()
    )


def measure_counts_sql() -> str:
    return counts_sql({m.name: m.where for m in measures().values()})


def _form_select(reported: bool) -> str:
    """Form II.06a for every period: a row per unit (by = unit) and a row per unit and field (by = field); with
    `reported` from summaries (basis = reported) where no register tells of the unit."""
    ii06a = form("ii06a")
    counts = counts_sql({c: m.where for c, m in ii06a.columns.items()})
    told = " ".join(f"UNION ALL {form_rows_sql(PERIOD_COLUMNS, unit)}" for unit in (True, False)) if reported else ""
    return (
        f"SELECT {PERIOD_COLUMNS}, unit_id, 'unit' AS \"by\", NULL::VARCHAR AS field, {counts}, 'dossiers' AS basis "
        f"FROM {{own}}period_count GROUP BY {PERIOD_COLUMNS}, unit_id UNION ALL "
        f"SELECT {PERIOD_COLUMNS}, unit_id, 'field', field, {counts}, 'dossiers' FROM {{own}}period_count "
        f'GROUP BY {PERIOD_COLUMNS}, unit_id, field {told} ORDER BY period, "by", unit_id, field'
    )


def _trend_select() -> str:
    """`trend_count`: every period on today's tree, from the same counts as everything else."""
    columns = ", ".join(f"CASE WHEN c.node_id IS NULL THEN 0 ELSE c.{m} END AS {m}" for m in measures())
    counts = unit_counts_sql("{own}period_count", "{own}reported_figure")
    select = statement("measure", "trend").replace("{unit_counts}", counts)
    return select.replace("{sums}", sums_sql()).replace("{columns}", columns)


def unit_counts_sql(period_count: str = "period_count", reported_figure: str = "reported_figure") -> str:
    """period, unit_id and every measure: of the registers' dossiers, and of summaries where they alone tell of a unit."""
    return (
        f"SELECT period, unit_id, {measure_counts_sql()} FROM {period_count} GROUP BY period, unit_id "
        f"UNION ALL SELECT period, unit_id, {', '.join(measures())} FROM {reported_figure}"
    )


def sums_sql() -> str:
    """Select list of the measures summed over units: what is unknown of one of them is unknown in sum."""
    return ", ".join(f"CASE WHEN count({m}) = count(*) THEN sum({m})::BIGINT END AS {m}" for m in measures())


def _threshold_table(con: duckdb.DuckDBPyConnection) -> None:
    schema = {
        "indicator": pl.String,
        "operator": pl.String,
        "value_p": pl.Int64,
        "value_q": pl.Int64,
        "near_p": pl.Int64,
        "near_q": pl.Int64,
        "unit_kind": pl.String,
        "within": pl.String,
        "valid_from": pl.Date,
        "valid_to": pl.Date,
        "basis_vi": pl.String,
        "basis_en": pl.String,
        "mark": pl.String,
    }
    rows = [
        (
            *(t.indicator, t.operator, *t.value.as_integer_ratio(), *t.near.as_integer_ratio(), kind, t.within),
            *(t.valid_from, t.valid_to, t.basis.vi, t.basis.en, t.mark),
        )
        for t in thresholds()
        for kind in t.kinds
    ]
    con.register("incoming", pl.DataFrame(rows, schema=schema, orient="row"))
    con.execute("CREATE TABLE threshold AS SELECT * FROM incoming")
    con.unregister("incoming")
    known = [
        (
            i.code,
            i.kind,
            i.label.vi,
            i.label.en,
            i.numerator,
            i.denominator,
            i.column,
            i.section,
            i.source,
            i.mark,
        )
        for i in indicators().values()
    ]
    names = [
        "indicator",
        "kind",
        "label_vi",
        "label_en",
        "numerator",
        "denominator",
        "of_column",
        "section",
        "source",
        "mark",
    ]
    con.register(
        "incoming",
        pl.DataFrame(known, schema=dict.fromkeys(names, pl.String), orient="row").with_row_index("sort"),
    )
    con.execute("CREATE TABLE indicator AS SELECT * FROM incoming")
    con.unregister("incoming")


def indicator_terms(i: Indicator) -> tuple[str, str, str]:
    """SQL of (numerator, denominator, unknown) over rows of `period_count`; NULL where the kind has none."""
    if i.kind == "sum":
        return (
            f"sum({i.column}) FILTER (WHERE {i.numerator})",
            "NULL::BIGINT",
            f"sum(n - n_{i.column}) FILTER (WHERE {i.numerator})",
        )
    if i.kind == "mean":
        return (
            f"sum({i.column}) FILTER (WHERE {i.numerator})",
            f"sum(n_{i.column}) FILTER (WHERE {i.numerator})",
            f"sum(n - n_{i.column}) FILTER (WHERE {i.numerator})",
        )
    if i.kind == "median":
        return (
            "NULL::BIGINT",
            f"sum(n_{i.column}) FILTER (WHERE {i.numerator})",
            f"sum(n - n_{i.column}) FILTER (WHERE {i.numerator})",
        )
    numerator, denominator = f"({i.numerator})", f"({i.denominator})"
    if i.kind == "count_ratio":
        return f"sum(n) FILTER (WHERE {numerator})", f"sum(n) FILTER (WHERE {denominator})", "0"
    return (
        f"sum(n) FILTER (WHERE {denominator} AND {numerator})",
        f"sum(n) FILTER (WHERE {denominator} AND {numerator} IS NOT NULL)",
        f"sum(n) FILTER (WHERE {denominator} IS NULL OR ({denominator} AND {numerator} IS NULL))",
    )


def _median_select(median: Indicator) -> str:
    """The median of a column of days, for every unit and sum of units: from the number of dossiers with each value, as a
    dossier counts in several periods and sums."""
    return f"""
        SELECT period, node AS unit_id, '{median.code}' AS indicator,
               (min(value) FILTER (WHERE upto > (told - 1) // 2) + min(value) FILTER (WHERE upto > told // 2)) / 2 AS median
        FROM (
            SELECT period, node, value, told, sum(n) OVER (PARTITION BY period, node ORDER BY value) AS upto
            FROM (
                SELECT c.period, o.node, c.value, CAST(sum(c.n) AS BIGINT) AS n,
                       CAST(sum(sum(c.n)) OVER (PARTITION BY c.period, o.node) AS BIGINT) AS told
                FROM (
                    SELECT period, unit_id, {median.column} AS value, count(*) AS n FROM {{heart}}dossier_period
                    WHERE coverage <> 'no_data' AND ({median.numerator}) AND {median.column} IS NOT NULL
                    GROUP BY period, unit_id, {median.column}
                ) c JOIN {{main}}node_of o USING (unit_id)
                GROUP BY c.period, o.node, c.value
            )
        )
        GROUP BY period, node"""


def indicator_columns_sql() -> str:
    """Select list with three columns per indicator: <code>__n, <code>__d, <code>__u."""
    parts = []
    for i in indicators().values():
        for term, sql in zip("ndu", indicator_terms(i), strict=True):
            parts.append(f"({sql})::BIGINT AS {i.code}__{term}")
    return ", ".join(parts)


def _indicator_count_sql() -> str:
    """`indicator_count`: numerator, denominator, unknown of every indicator for every unit and every sum of units."""
    return f"CREATE TEMP TABLE indicator_count AS {filled(_indicator_count_select(reported=True), HERE)}"


def _indicator_count_select(reported: bool) -> str:
    medians = [i for i in indicators().values() if i.kind == "median"]
    codes = ", ".join(f"'{code}'" for code in indicators())
    counts = ", ".join(  # one row for each indicator, in one projection: a SELECT for each takes ten times as long
        f"unnest([{', '.join(term.format(code) for code in indicators())}]) AS {name}"
        for name, term in (("numerator", "{}__n"), ("denominator", "{}__d"), ("unknown", "coalesce({}__u, 0)"))
    )
    medians_sql = " UNION ALL ".join(_median_select(i) for i in medians)
    told = (
        f"UNION ALL SELECT r.period, n.node, r.indicator, r.numerator, r.denominator, r.unknown "
        f"FROM ({indicator_rows_sql()}) r JOIN {{main}}node_of n USING (unit_id)"
        if reported
        else ""
    )
    return f"""
        WITH wide AS (
            SELECT period, n.node AS unit_id, {indicator_columns_sql()}
            FROM {{own}}period_count c JOIN {{main}}node_of n USING (unit_id) GROUP BY period, n.node
        ),
        counts AS (SELECT period, unit_id, unnest([{codes}]) AS indicator, {counts} FROM wide {told}),
        medians AS ({medians_sql}),
        summed AS (
            SELECT period, unit_id, indicator, CAST(sum(numerator) AS BIGINT) AS numerator,
                   CAST(sum(denominator) AS BIGINT) AS denominator,
                   CASE WHEN count(unknown) = count(*) THEN CAST(sum(unknown) AS BIGINT) END AS unknown
            FROM counts GROUP BY period, unit_id, indicator
        )
        SELECT c.*, m.median FROM summed c LEFT JOIN medians m USING (period, unit_id, indicator)
    """


def indicator_value_sql() -> str:
    """`indicator_value`, from the counts of `indicator_count`."""
    return f"CREATE TABLE indicator_value AS {filled(_indicator_value_select('indicator_count'), HERE)}"


def _indicator_value_select(counts: str) -> str:
    return statement("measure", "indicator_value").replace("{counts}", counts)
