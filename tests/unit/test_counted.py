"""Figures of units are counted from kinds of dossiers: the same as from each dossier in each period, whatever its days.

The other way round is the one by which other rule sets are asked: all from `period_count`, a view of `dossier_period`.
"""

from __future__ import annotations

import duckdb
import pytest

from pipeline.declare.figures import Indicator, indicators, labels, measures
from pipeline.declare.forms import form
from pipeline.declare.reported import counts
from pipeline.declare.rules import filled
from pipeline.declare.text import Text
from pipeline.measure import counted, figures, tally
from pipeline.measure.counted import Terms, count
from pipeline.warehouse.sql import statement

# Two units, months and the quarter of them, one cut off within a month: all days of dossiers lie on or beside their ends,
# so that every comparison of days has its equal case.
MADE = """
    CREATE TABLE node_of AS SELECT unit_id, unnest([unit_id, '*']) AS node FROM (SELECT unnest(['a', 'b']) AS unit_id);
    CREATE TABLE period_unit AS
    SELECT period, 'nd09' AS scheme, CASE WHEN period = 'Q3' THEN 'quarter' ELSE 'month' END AS kind, CAST(first AS DATE) AS period_from, CAST(last AS DATE) AS period_to, unit_id,
           unit_id AS counted_unit_id, CASE WHEN unit_id = 'a' OR last <= '2023-08-20' THEN CAST(last AS DATE) ELSE DATE '2023-08-20' END AS as_of,
           as_of + TIME '23:59:59' AS as_of_end,
           CASE WHEN unit_id = 'b' AND period = 'M8' THEN 'no_data' WHEN as_of < period_to THEN 'partial' ELSE 'full' END AS coverage
    FROM (VALUES ('M7', '2023-06-15', '2023-07-14'), ('M8', '2023-07-15', '2023-08-14'), ('M9', '2023-08-15', '2023-09-14'),
                 ('Q3', '2023-06-15', '2023-09-14'), ('C8', '2023-08-01', '2023-08-01')) p(period, first, last)
    CROSS JOIN (SELECT unnest(['a', 'b']) AS unit_id);
    CREATE TABLE period_coverage AS SELECT *, 'dossiers' AS basis FROM period_unit;
    CREATE MACRO of(i, k, words) AS words[CAST(1 + hash(i, k, {seed}) % len(words) AS INTEGER)];
    CREATE MACRO day(i, k) AS CAST(of(i, k, ['1990-01-01', '2023-06-13', '2023-06-14', '2023-06-15', '2023-06-16', '2023-07-01', '2023-07-14',
        '2023-07-15', '2023-07-31', '2023-08-01', '2023-08-02', '2023-08-14', '2023-08-15', '2023-08-19', '2023-08-20', '2023-08-21',
        '2023-09-13', '2023-09-14', '2023-09-15', '2023-10-01', '2150-01-01', NULL]) AS DATE);
    CREATE TABLE dossier AS
    SELECT 'd' || i AS dossier_id, CASE WHEN i % 50 = 1 THEN 2 ELSE 1 END AS episode, episode AS episodes,
           of(i, 1, ['a', 'b']) AS unit_id, of(i, 2, ['đất', 'hộ tịch', NULL]) AS field, NULL AS procedure_code, 'x' AS procedure,
           of(i, 3, ['online', 'in_person', 'postal', 'channel_unknown']) AS channel,
           coalesce(day(i, 4), DATE '2023-08-01') AS received_on, day(i, 5) AS due_on, due_on + TIME '12:00:00' AS due_at,
           CASE WHEN i % 5 > 0 THEN day(i, 6) END AS concluded_on, concluded_on + of(i, 7, [TIME '11:00:00', TIME '13:00:00']) AS concluded_at,
           CASE WHEN concluded_on IS NOT NULL THEN of(i, 8, ['resolved', 'resolved', 'withdrawn', 'returned', 'stopped']) END AS conclusion,
           CASE WHEN i % 50 = 1 THEN day(i, 9) ELSE received_on END AS opened_on, CASE WHEN i % 50 = 1 THEN day(i, 10) END AS previous_left_on,
           greatest(coalesce(concluded_on, DATE '9999-12-31'), received_on) AS counts_until,
           day(i, 11) AS first_exported_on, of(i, 12, ['running', 'running', 'running', 'paused', 'unclassified']) AS newest_state,
           of(i, 13, ['timestamp', 'date', 'date', 'date', 'date']) AS lateness, CAST(hash(i, 14) % 9 AS BIGINT) AS days,
           CASE WHEN days < 8 AND concluded_on >= received_on THEN days END AS processing_days, of(i, 15, ['full', 'partial', 'none', NULL]) AS service_level,
           {flags}, of(i, 16, [0, 1, 4, NULL]) AS certified_copies, NULL AS rating, 'so' AS source, 1 AS file_id, NULL AS sheet, i AS row
    FROM range(3000) t(i);
    CREATE TABLE dossier_state AS
    SELECT dossier_id, DATE '2023-07-15' AS from_day, of(row, 17, [DATE '2023-08-15', NULL]) AS to_day,
           of(row, 18, ['paused', 'unclassified', 'running']) AS state, CASE WHEN row % 2 = 0 THEN due_at + INTERVAL 30 DAY END AS extended_due_at,
           CAST(extended_due_at AS DATE) AS extended_due_on
    FROM dossier WHERE row % 11 = 0
"""


def make(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """The tables that figures are counted from, with random dossiers."""
    made = [name for name, label in labels().items() if not label.never_null and name != "service_level"]
    flags = ", ".join(f"of(i, 2{n}, [TRUE, FALSE, NULL]) AS {name}" for n, name in enumerate(made))
    con.execute(MADE.format(seed=seed, flags=flags))
    reported = ", ".join(f"{name} BIGINT" for name in counts())
    con.execute(f"CREATE TABLE reported_wide (period VARCHAR, unit_id VARCHAR, field VARCHAR, {reported})")
    con.execute("CREATE TABLE reported_node (period VARCHAR, unit_id VARCHAR)")


@pytest.fixture(scope="module", params=[1, 2])
def con(request: pytest.FixtureRequest) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    make(con, request.param)
    con.execute(figures.view_sql("dossier_period"))
    con.execute(figures.view_sql("period_count"))
    return con


def both(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[list[tuple], list[tuple]]]:
    """What is counted → rows as counted once, and as counted from each dossier. Rates that nothing is told of are 0/0."""
    count(con)
    parts = [f"({name}[{n + 1}])" for name in ("numerator", "denominator", "unknown", "value") for n in range(len(indicators()))]  # fmt: skip
    rates = [i.kind in ("rate", "count_ratio") for i in indicators().values()]
    told = ", ".join(f"coalesce({p}, 0)" if n >= len(rates) or rates[n] else p for n, p in enumerate(parts))
    selects = {
        "measures": (f"SELECT * FROM {counted.COUNTED}.unit_count", figures.unit_count_select("period_count")),
        "form": (f"SELECT * FROM {counted.COUNTED}.form_ii06a", figures._form_by_unit()),
        "indicators": tuple(
            f"SELECT period, unit_id, {told} FROM {source}"
            for source in (f"{counted.COUNTED}.indicator_value", f"({figures._indicator_count_select()})")
        ),
    }
    return {
        name: tuple(con.execute(f"{filled(sql, figures.HERE)} ORDER BY ALL").fetchall() for sql in pair)  # ty: ignore[invalid-return-type]
        for name, pair in selects.items()
    }


def test_kinds_of_dossiers_count_as_the_dossiers_do(con: duckdb.DuckDBPyConnection) -> None:
    for name, (once, each) in both(con).items():
        assert once == each and len(once) >= 9, name
    kinds, dossiers = con.execute(
        "SELECT (SELECT count(*) FROM alike_dossier), (SELECT count(*) FROM dossier)"
    ).fetchall()[0]
    assert kinds < dossiers, "some are alike"
    outcomes = {o for (o,) in con.execute("SELECT DISTINCT outcome FROM dossier_period").fetchall()}
    assert outcomes == labels()["outcome"].values.keys(), "every outcome is among them"


# What the days of dossiers tell, asked of each dossier in each period.
TOLD = """
    SELECT period, register_unit_id, count(*), count(*) FILTER (WHERE episode = 1 AND received_on BETWEEN period_from AND as_of),
           count(*) FILTER (WHERE is_open), coalesce(sum(which) FILTER (WHERE is_open), 0),
           count(*) FILTER (WHERE origin = 'carried_over'), coalesce(sum(which) FILTER (WHERE origin = 'carried_over'), 0),
           count(*) FILTER (WHERE state_at_cutoff_unknown)
    FROM (SELECT *, concluded_on IS NULL OR concluded_on > as_of AS is_open, hash(dossier_id) >> 28 AS which FROM dossier_period)
    GROUP BY ALL ORDER BY ALL
"""


def told(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    tally.tally(con)
    names = "period, register_unit_id, rows, received, open, which_open, carried, which_carried, cutoff_unknown"
    return con.execute(f"SELECT {names} FROM period_tally ORDER BY ALL").fetchall()


def test_arithmetic_of_days_gives_what_each_dossier_tells(con: duckdb.DuckDBPyConnection) -> None:
    each = con.execute(TOLD).fetchall()
    assert told(con) == each and len(each) == 10 and all(any(row[n] for row in each) for n in range(2, 9))
    plain, others = (con.execute(f"SELECT count(*) FROM {of}_dossier").fetchall()[0][0] for of in ("plain", "other"))
    assert plain > others > 0, "reopened ones are among them, and few"


@pytest.mark.parametrize(
    ("right", "wrong"),
    {
        "greatest(received_on, concluded_on)": "concluded_on",
        "a.day = p.as_of": "a.day = p.as_of - 1",
        "[period_from - 1, as_of]": "[period_from, as_of]",
        "a.received - a.gone AS open": "a.received - b.gone AS open",
        "least(concluded_on, ": "coalesce(concluded_on, ",
        "{of}plain_dossier": "{of}dossier",
    }.items(),
)
def test_a_fault_of_that_arithmetic_is_seen(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str
) -> None:
    text = statement("measure", "period_tally")
    assert right in text
    monkeypatch.setattr(tally, "statement", lambda *_: text.replace(right, wrong))
    assert told(con) != con.execute(TOLD).fetchall()


HARD = {
    "an OR over both kinds of labels": ("rate", "component_digitized OR origin = 'online'", "service_level = 'full' OR due_in_period"),
    "labels of the dossier alone": ("rate", "component_digitized AND NOT fee_due", "rated AND service_level IN ('full', 'none')"),
    "the denominator null for some": ("rate", "outcome = 'resolved_late'", "origin <> 'carried_over' AND rated"),
    "both null for some": ("rate", "result_digitized", "fee_due AND outcome <> 'withdrawn'"),
    "two counts": ("count_ratio", "paid_online AND outcome = 'resolved_early'", "fee_due"),
    "a mean of some": ("mean", "origin <> 'carried_over' AND rated", ""),
    "a median that hangs on the due day": ("median", "outcome IN ('resolved_late', 'withdrawn')", ""),
    "a median of one channel": ("median", "origin = 'online' AND fee_due", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_whatever_a_predicate_asks(con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kind, numerator, denominator = HARD[name]
    column = "processing_days" if kind in ("mean", "median") else None
    one = Indicator("hard", kind, Text("khó", "hard"), numerator, denominator, column, "I.3", "a", "b")
    for module in (counted, figures):
        monkeypatch.setattr(module, "indicators", lambda: {"hard": one})
    monkeypatch.setitem(globals(), "indicators", lambda: {"hard": one})
    once, each = both(con)["indicators"]
    assert once == each and any(part for row in once for part in row[2:])


@pytest.mark.parametrize(
    ("told", "sums"),
    [
        ("(2, 2), (3, 3)", "sum(n)::BIGINT"),
        ("(2, 0), (3, 0)", "0"),
        ("(2, NULL), (3, 0)", "0"),
        ("(2, 1), (3, 3)", "sum(w1)::BIGINT"),
        ("(2, NULL), (3, 3)", "sum(w1)::BIGINT"),  # of some kinds nothing is told
    ],
)
def test_a_weight_that_tells_nothing_of_its_own_is_not_summed(told: str, sums: str) -> None:
    terms = Terms()
    terms.dossiers("TRUE", terms._weight("rated"))
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE kinds AS SELECT n, CAST(w1 AS BIGINT) AS w1 FROM (VALUES {told}) k(n, w1)")
        assert terms._sums(con, "kinds") == {"n": "sum(n)::BIGINT", "w1": sums}


def test_what_is_counted_for_several_figures_is_counted_once() -> None:
    terms = Terms()
    for figure in [*measures().values(), *form("ii06a").columns.values()]:
        terms.dossiers(figure.where)
    for i in indicators().values():
        terms.parts(i)
    assert len(terms.asked) < 60 and not terms.keys, "no declared predicate asks of labels that cannot be told apart"
    assert len(set(terms.weights.values())) == len(terms.weights)
