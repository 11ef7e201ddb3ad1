"""Makes the figures of a database under construction: `dossier_period`, `period_count`, the form, indicators. What units
add up to is counted once (counted.py); what is told by field and label when it is asked.

Each count is a predicate over the labels of `dossier_period`; all SQL is generated from the declarations.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import polars as pl

from pipeline import settings
from pipeline.declare.figures import Indicator, indicators, labels, measures, thresholds
from pipeline.declare.forms import form
from pipeline.declare.rules import OURS, filled, rule_sets
from pipeline.declare.tables import sealed_tables
from pipeline.measure import spark
from pipeline.measure.counted import PERIOD_COLUMNS, count, part_lists, reported_forms, with_summaries
from pipeline.measure.heart import heart_select
from pipeline.measure.moved import COUNTED, WHOLE, Part, store_counted
from pipeline.measure.reported import reconciled, reconciliation_sql, reported_tables
from pipeline.measure.return_tables import build_returns
from pipeline.measure.score_table import score_select, score_table
from pipeline.measure.sums import counts_sql, measure_counts_sql, sums_sql, unit_counts_sql
from pipeline.warehouse.sql import statement

LIVE = "live"  # schema of what is computed now; the published tables show sealed periods as sealed (sealed.py)
HEART = "dossier_period"
# what is computed when it is asked, in an order in which each rests on those before it
VIEWS = (HEART, "period_count", "unit_count", "form_ii06a", "indicator_value", "score_766")
UNASKED = "score_766"  # by any check or table: made with the published views alone (sealed.py); to make it takes long
FORM_ORDER = 'ORDER BY period, "by", unit_id, field'
HERE = dict.fromkeys(("heart", "own", "live", "main"), "")  # the schemas of a statement about the tables themselves


def build_figures(con: duckdb.DuckDBPyConnection, counted: Sequence[Part] = WHOLE) -> None:
    """All figure tables and the views that checks ask, in order. Needs the tables of warehouse/build. counted: as
    moved.counted_in gives it."""
    reported_tables(con)
    _threshold_table(con)
    score_table(con)
    build_returns(con)
    con.execute(view_sql(HEART))
    if settings.engine() == "spark":
        spark.make_table(con, "period_count", plain_selects())
        _count_from_rows(con)
        con.execute("DROP TABLE period_count")  # from here on it is computed when it is asked, as with DuckDB
    else:
        count(con, counted)
    for name in VIEWS[1:]:
        if name != UNASKED:
            con.execute(view_sql(name))
    derived_tables(con)


def plain_selects() -> dict[str, str]:
    """What DuckDB and Spark answer alike: `dossier_period`, and `period_count` from it."""
    order = ", ".join(f"{name} NULLS LAST" for name in labels())  # engines differ where nothing is said
    rows = f"{_period_count_select()} ORDER BY period, unit_id, field NULLS LAST, {order}"
    return {"dossier_period": heart_select(OURS, "", ""), "period_count": filled(rows, HERE)}


def _count_from_rows(con: duckdb.DuckDBPyConnection) -> None:
    """The tables of schema `counted`, from the rows of `period_count`."""
    selects = {
        "unit_count": f"{unit_count_select('period_count')} ORDER BY period, unit_id",
        "form_ii06a": f"{_form_by_unit()} {reported_forms()} {FORM_ORDER}",
        "indicator_value": with_summaries(con, _indicator_count_select()),
    }
    for name, select in selects.items():
        store_counted(con, WHOLE, name, filled(select, HERE))


def view_sql(name: str, live: str = "", main: str = "", states: bool = True) -> str:
    """A figure view over live rows. live, main: schemas of the view and its periods, and of the dossiers, with their dots.
    states: as of `heart_select`, for a `dossier_period` that stands as long as its dossiers do."""
    if name == HEART:
        select = heart_select(OURS, live, main, states=states)
    else:
        select = filled(live_select(name), {"heart": live, "own": live, "live": live, "main": main})
    return f"CREATE VIEW {live}{name} AS {select}"


def live_select(name: str) -> str:
    """What such a view asks, in braces the schemas (as of `other_selects`)."""
    select = {
        "period_count": _period_count_select(),
        "unit_count": f"SELECT * FROM {COUNTED}.unit_count",
        "form_ii06a": f"SELECT * FROM {COUNTED}.form_ii06a UNION ALL {_form_by_field()} {FORM_ORDER}",
        "indicator_value": _indicator_value_select(f"{COUNTED}.indicator_value"),
        "score_766": score_select(),
    }[name]
    return f"SELECT *, CAST(NULL AS VARCHAR) AS seal FROM ({select})" if name in sealed_tables() else select


def derived_tables(con: duckdb.DuckDBPyConnection) -> None:
    """What follows from the published counts, sealed or live: trends, and the reconciliation."""
    con.execute(f"CREATE OR REPLACE TABLE trend_count AS {filled(_trend_select(), HERE)}")
    con.execute(reconciliation_sql(reconciled(con)))


def rule_views(con: duckdb.DuckDBPyConnection) -> None:
    """`dossier_period` by every rule set but ours, in a schema of its name, over live rows, whose views must be there;
    nothing where it is there. What is counted from it is made when it is asked (rules.py), to keep a night short."""
    there = {name for (name,) in con.execute("SELECT schema_name FROM duckdb_schemas()").fetchall()}
    for rules in rule_sets():
        if rules != OURS and rules not in there:
            con.execute(f'CREATE SCHEMA "{rules}"')
            con.execute(f'CREATE VIEW "{rules}".dossier_period AS {heart_select(rules, f"{LIVE}.", "main.")}')


def other_selects() -> dict[str, str]:
    """The tables that answers are made from, by other rule sets than ours: each a SELECT in which {heart} stands for the
    schema of their `dossier_period`, {own} of these tables, {live} and {main} of the published file's, with their dots."""
    return {
        "period_coverage": statement("measure", "period_coverage_counted"),
        "reported_figure": f"SELECT period, unit_id, {', '.join(measures())} FROM {{live}}reported_figure WHERE FALSE",
        "period_count": _period_count_select(),
        "unit_count": unit_count_select("{own}period_count"),
        "form_ii06a": f"{_form_by_unit()} UNION ALL {_form_by_field()} {FORM_ORDER}",
        "indicator_value": _indicator_value_select(f"({_indicator_count_select()})"),
        "score_766": score_select(),
        "trend_count": _trend_select(),
    }


def _period_count_select() -> str:
    """Rows of `dossier_period` by period, unit, field and labels. Periods without data have no rows."""
    return (
        f"SELECT {PERIOD_COLUMNS}, {_labels_counted()} "
        f"FROM {{heart}}dossier_period WHERE coverage <> 'no_data' GROUP BY {PERIOD_COLUMNS}, {_labels_by()}"
    )


def period_count_of(period: str) -> str:
    """Likewise of one period alone, in which a unit has one cut-off: what a row has of it is put to what was counted.
    Grouped by as well, it takes half as much again."""
    return (
        f"SELECT {PERIOD_COLUMNS}, counts.*, CAST(NULL AS VARCHAR) AS seal "
        f"FROM (SELECT {_labels_counted()} FROM {{heart}}dossier_period WHERE coverage <> 'no_data' AND period = '{period}' "
        f"GROUP BY {_labels_by()}) counts "
        f"JOIN (SELECT DISTINCT {PERIOD_COLUMNS}, counted_unit_id AS unit_id FROM {{heart}}period_unit WHERE period = '{period}') "
        "USING (unit_id)"
    )


def _labels_by() -> str:
    return f"unit_id, field, {', '.join(labels())}"


def _labels_counted() -> str:
    return (
        f"{_labels_by()}, count(*) AS n, "
        "sum(certified_copies) AS certified_copies, sum(processing_days) AS processing_days, "
        "count(certified_copies) AS n_certified_copies, count(processing_days) AS n_processing_days"
    )


def unit_count_select(period_count: str) -> str:
    """`unit_count` from rows of `period_count`: a relation, or its name."""
    return (
        f"SELECT {PERIOD_COLUMNS}, unit_id, {measure_counts_sql()} FROM {period_count} "
        f"GROUP BY {PERIOD_COLUMNS}, unit_id"
    )


def _form_by_unit() -> str:
    """Form II.06a for every period: a row per unit."""
    return (
        f"SELECT {PERIOD_COLUMNS}, unit_id, 'unit' AS \"by\", NULL::VARCHAR AS field, {_form_counts()}, 'dossiers' AS basis "
        f"FROM {{own}}period_count GROUP BY {PERIOD_COLUMNS}, unit_id"
    )


def _form_by_field() -> str:
    """Form II.06a for every period: a row per unit and field."""
    return (
        f"SELECT {PERIOD_COLUMNS}, unit_id, 'field', field, {_form_counts()}, 'dossiers' FROM {{own}}period_count "
        f"GROUP BY {PERIOD_COLUMNS}, unit_id, field"
    )


def _form_counts() -> str:
    return counts_sql({name: column.where for name, column in form("ii06a").columns.items()})


def _trend_select() -> str:
    """`trend_count`: every period on today's tree, from the same counts as everything else."""
    columns = ", ".join(f"CASE WHEN c.node_id IS NULL THEN 0 ELSE c.{m} END AS {m}" for m in measures())
    counts = unit_counts_sql("{own}unit_count", "{own}reported_figure")
    select = statement("measure", "trend").replace("{unit_counts}", counts)
    return select.replace("{sums}", sums_sql()).replace("{columns}", columns)


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
        SELECT period, node AS unit_id,
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


def _indicator_count_select() -> str:
    """The parts of every indicator for every unit and every sum of units, as in `counted.indicator_value`."""
    parts = {code: indicator_terms(i) for code, i in indicators().items()}
    medians = {code: f"{code}.median" for code, i in indicators().items() if i.kind == "median"}
    columns = [(f"{code}__{t}", sql) for code, three in parts.items() for t, sql in zip("ndu", three, strict=True)]
    sums = ", ".join(f"({sql})::BIGINT AS {name}" for name, sql in columns)
    named = {code: (f"{code}__n", f"{code}__d", f"{code}__u") for code in parts}
    joined = " ".join(
        f"LEFT JOIN ({_median_select(indicators()[code])}) {code} USING (period, unit_id)" for code in medians
    )
    return f"""
        SELECT period, unit_id, {part_lists(named, medians)}
        FROM (
            SELECT period, n.node AS unit_id, {sums}
            FROM {{own}}period_count c JOIN {{main}}node_of n USING (unit_id) GROUP BY period, n.node
        ) {joined}"""


def _indicator_value_select(counts: str) -> str:
    return statement("measure", "indicator_value").replace("{counts}", counts)
