"""A mark of what is handed in of a quarter: where two releases give the same one, forms, report and page say the same.

Made of the figures that are told, and of what forms by field and scores ask of each dossier: a label that enters no figure
changes no mark. What dossiers answer is summed up when a database is built, in one that goes on of those that moved.
Not here: the outputs that are written anew when a mark changes (report/standing.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import duckdb

from pipeline.declare.figures import PROCEDURE, asked_labels, labels, measures
from pipeline.declare.forms import forms
from pipeline.declare.periods import a_year_earlier, default_scheme, earlier, parse_period
from pipeline.declare.rules import OURS
from pipeline.declare.scores import scores
from pipeline.measure.heart import has_states, heart_select
from pipeline.measure.moved import COUNTED, MARKS, WHOLE, Part, count_registers
from pipeline.measure.score_table import DAYS, NEW
from pipeline.measure.summary import quarters

# by period; all else that is handed in follows from them, and from what is asked of the dossiers
FIGURES = ("period_coverage", "reported_figure", "indicator_value", "return_figure")
COUNTS = ("n", "mark")  # dossiers, and a sum of hashes of what they answer: 36 bits of each


def count_marks(con: duckdb.DuckDBPyConnection, counted: Sequence[Part] = WHOLE) -> None:
    """`counted.quarter_mark`: what the dossiers of a register answer in a quarter. counted: as moved.counted_in gives it."""
    for part in counted:
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {part.of}asked_period_unit AS "
            f"SELECT * FROM {part.of}period_unit WHERE kind = 'quarter' AND scheme = '{default_scheme()}'"
        )
    count_registers(con, counted, MARKS, COUNTS, partial(_answers_of, con))


def _answers_of(con: duckdb.DuckDBPyConnection, of: str) -> str:
    return answers_sql(heart_select(OURS, f"{of}asked_", of, states=has_states(con, of)))


def answers_sql(rows: str) -> str:
    """What rows of `dossier_period` (a SELECT) answer, by period and register: as in `counted.quarter_mark`."""
    told = ", ".join(("unit_id", "field", PROCEDURE, *questions()))
    return (
        f"SELECT period, register_unit_id AS unit_id, count(*) AS n, CAST(sum(CAST(hash({told}) >> 28 AS BIGINT)) AS BIGINT) AS mark "
        f"FROM ({rows}) GROUP BY period, register_unit_id"
    )


def figure_marks(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Quarter (as in `quarters`) → a mark of its figures and of those it is compared with, the quarter before and the
    same a year earlier."""
    keys = [parse_period(key) for key in quarters(con)]
    asked = {key for one in keys for key in (one.key, earlier(one).key, a_year_earlier(one).key)}
    sums = [
        f"SELECT period, count(*) + sum(hash(t)::HUGEINT) AS mark FROM {table} t WHERE list_contains($1, period) GROUP BY period"
        for table in FIGURES
    ]
    sealed = [key for (key,) in con.execute("SELECT period FROM seal WHERE counts ORDER BY 1").fetchall()]
    sums.append(
        f"SELECT period, sum(n) + sum(mark) FROM {COUNTED}.{MARKS} "
        "WHERE list_contains($1, period) AND NOT list_contains($2::VARCHAR[], period) GROUP BY period"
    )
    shown = "SELECT * FROM dossier_period WHERE period = '{}'"
    sums += [
        f"SELECT period, sum(n) + sum(mark) FROM ({answers_sql(shown.format(key))}) GROUP BY period"
        for key in sealed
        if key in asked
    ]
    found = con.execute(
        f"SELECT period, sum(mark)::VARCHAR FROM ({' UNION ALL '.join(sums)}) GROUP BY period", [sorted(asked), sealed]
    ).fetchall()
    own = {key: int(mark) for key, mark in found}
    compared = {one.key: (one, own[one.key]) for one in keys}
    return {
        key: mark + 3 * own.get(earlier(one).key, 0) + 7 * own.get(a_year_earlier(one).key, 0)
        for key, (one, mark) in compared.items()
    }


def questions() -> list[str]:
    """SQL of all that is asked of a dossier in a period by measures, forms and scores, each once: whatever is counted of
    dossiers that answer alike is the same. First the labels that measures ask for; other labels only as they are asked,
    and of those dossiers of which they are."""
    always = [name for name in labels() if name in asked_labels(*(m.where for m in measures().values()))]
    pairs = [(column.of, column.where) for one in forms() for column in one.columns.values() if column.where]
    for score in scores().values():
        if score.parts in ("dossiers", "procedures"):
            of = NEW if score.parts == "procedures" else score.denominator
            pairs.append((of, score.judged))
    found = dict.fromkeys(always)
    for of, where in pairs:
        found |= dict.fromkeys([f"({of})"] if _more(of, always) else [])
        found |= dict.fromkeys([f"CASE WHEN {of or 'TRUE'} THEN ({where}) END"] if _more(where, always) else [])
    return list(found)


def _more(predicate: str, always: list[str]) -> bool:
    """Whether a predicate asks for more than some labels: for other ones, or for days."""
    return bool(asked_labels(predicate) - set(always) or DAYS.search(predicate))
