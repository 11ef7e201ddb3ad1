"""A mark of what is handed in of a quarter: where two releases give the same one, forms, report and page say the same.

Made of the figures that are told, and of what forms by field and scores ask of each dossier: a label that enters no figure
changes no mark. Not here: the outputs that are written anew when a mark changes (report/standing.py).
"""

from __future__ import annotations

import duckdb

from pipeline.declare.figures import asked_labels, labels, measures
from pipeline.declare.forms import forms
from pipeline.declare.periods import a_year_earlier, earlier, parse_period
from pipeline.declare.scores import scores, three_valued
from pipeline.measure.score_table import DAYS, NEW
from pipeline.measure.summary import quarters

# by period; all else that is handed in follows from them, and from what is asked of the dossiers
FIGURES = ("period_coverage", "reported_figure", "indicator_value", "return_figure")


def figure_marks(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Quarter (as in `quarters`) → a mark of its figures and of those it is compared with, the quarter before and the
    same a year earlier."""
    keys = [parse_period(key) for key in quarters(con)]
    asked = {key for one in keys for key in (one.key, earlier(one).key, a_year_earlier(one).key)}
    pieces = {table: "t" for table in FIGURES}
    pieces["dossier_period"] = ", ".join(("unit_id", "field", "coalesce(procedure_code, procedure)", *questions()))
    sums = " UNION ALL ".join(
        f"SELECT period, count(*) + sum(hash({told})::HUGEINT) AS mark FROM {table} t WHERE list_contains($1, period) GROUP BY period"
        for table, told in pieces.items()
    )
    found = con.execute(f"SELECT period, sum(mark)::VARCHAR FROM ({sums}) GROUP BY period", [sorted(asked)]).fetchall()
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
            pairs.append((of, three_valued(score.numerator, score.unknown)))
    found = dict.fromkeys(always)
    for of, where in pairs:
        found |= dict.fromkeys([f"({of})"] if _more(of, always) else [])
        found |= dict.fromkeys([f"CASE WHEN {of or 'TRUE'} THEN ({where}) END"] if _more(where, always) else [])
    return list(found)


def _more(predicate: str, always: list[str]) -> bool:
    """Whether a predicate asks for more than some labels: for other ones, or for days."""
    return bool(asked_labels(predicate) - set(always) or DAYS.search(predicate))
