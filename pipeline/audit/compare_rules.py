"""A figure by several rule sets side by side, and the dossiers that make the difference, each with why.

All of it is live: other rule sets than ours are sealed nowhere. Not here: printing (tell_rules.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import duckdb

from pipeline.audit.explain import cell_of, codes_in, reported_behind
from pipeline.audit.rows import Cell, Told, adds, figure_sql, text
from pipeline.audit.told import told_of
from pipeline.declare.definitions import Figure
from pipeline.declare.periods import Period
from pipeline.declare.rules import ASPECTS, OURS, RuleSet, rule_sets, whys
from pipeline.declare.text import Text
from pipeline.measure.figures import LIVE
from pipeline.measure.rules import ask_by
from pipeline.settings import Home
from pipeline.warehouse.sql import rows_of

Row = dict[str, Any]
PARTS = ("numerator", "denominator", "unknown")
NO_DATA = dict.fromkeys((*PARTS, "value"))
ONLY_SUMMARIES = Text(
    "chỉ có bảng tổng hợp: không tính lại được theo cách khác", "summaries alone tell: not countable by other rules"
)


@dataclass(frozen=True)
class Counted:
    """A figure by one rule set. numbers: null where it has no data. differences: theirs minus ours, per part; null where
    either has none. dossiers: what makes the difference, each with the part it adds to it; none of ours itself.
    adds_up: whether they are the difference; null where there is none to account for."""

    rules: RuleSet
    numbers: Row
    differences: Row
    dossiers: list[Row] = field(repr=False)
    adds_up: bool | None


def compare(
    con: duckdb.DuckDBPyConnection,
    figure: Figure,
    period: Period,
    unit: str | None = None,
    of_field: str | None = None,
    today: bool = False,
    rules: Sequence[str] = (),
) -> tuple[Row, list[Counted]]:
    """The unit's row, and the figure by ours first and then by each of the rule sets (all of them where none is named).
    Raises WrongUse."""
    ask_by(con, OURS)
    cell, frame = cell_of(con, figure, period, unit, of_field, today)
    told = told_of(con, figure, cell)
    has_data = frame["coverage"] != "no_data"
    ours = _numbers(con, figure, cell, told) if has_data else dict(NO_DATA)
    lacking = _of_summaries(reported_behind(con, figure, cell, told))
    found = [Counted(rule_sets()[OURS], ours, dict.fromkeys(PARTS, 0 if has_data else None), [], None)]
    for other in rule_sets().values():
        if other.name == OURS or (rules and other.name not in rules):
            continue
        ask_by(con, other.name, [_covering(cell)])
        numbers = _numbers(con, figure, cell, []) if has_data and _has_data(con, cell) else dict(NO_DATA)
        rows = differing(con, figure, cell, other.name) + lacking if has_data else []
        differences = {part: _minus(numbers[part], ours[part]) for part in PARTS}
        found.append(Counted(other, numbers, differences, rows, _adds_up(differences, rows)))
    ask_by(con, OURS)
    return frame, found


def _has_data(con: duckdb.DuckDBPyConnection, cell: Cell) -> bool:
    """Whether the rule set in force on this connection can count the unit in the period."""
    where = f"FROM {_covering(cell)} WHERE period = ? AND unit_id = ? AND coverage <> 'no_data'"
    return con.execute(f"SELECT count(*) {where}", [cell.period, cell.unit_id]).fetchall() != [(0,)]


def _covering(cell: Cell) -> str:
    """The table that says whether a cell has data."""
    return "trend_count" if cell.today else "period_coverage"


def _numbers(con: duckdb.DuckDBPyConnection, figure: Figure, cell: Cell, told: list[Told]) -> Row:
    """The figure by the rule set in force on this connection, by the statement that `explain` prints."""
    found = {"numerator": None, "denominator": None, "unknown": 0} | rows_of(con, figure_sql(figure, cell, told))[0]
    if "value" in found:
        return found
    n, d = found["numerator"], found["denominator"]
    if figure.kind in ("count", "sum"):
        return found | {"value": n}
    return found | {"value": Decimal(n) / Decimal(d) if d and n is not None else None}


def _minus(theirs: int | None, ours: int | None) -> int | None:
    return None if theirs is None or ours is None else theirs - ours


def _of_summaries(rows: list[Row]) -> list[Row]:
    """Reported counts that ours is made from, as what the other rule set lacks."""
    lacking = {f"{part}_difference": part for part in PARTS}
    kept = ("unit_code", "unit", "field", "measure", "value", "source", "file", "sheet", "row")
    return [
        {name: r[name] for name in kept}
        | {name: None if r[part] is None else -r[part] for name, part in lacking.items()}
        | {"dossier_id": None, "why": ONLY_SUMMARIES}
        for r in rows
    ]


def _adds_up(differences: Row, rows: list[Row]) -> bool | None:
    known = {part: n for part, n in differences.items() if n is not None}
    if not known:
        return None
    return all(sum(r[f"{part}_difference"] or 0 for r in rows) == n for part, n in known.items())


def with_codes(found: list[Counted], home: Home) -> list[Counted]:
    """The dossiers with their codes from the restricted store. Raises WrongUse where it cannot be read."""
    codes = codes_in(home, {r["sha256"] for c in found for r in c.dossiers if r["dossier_id"]})
    return [
        replace(c, dossiers=[{"dossier_code": codes.get(r["dossier_id"] or "")} | r for r in c.dossiers]) for c in found
    ]


# ---- the dossiers that make the difference


def differing(con: duckdb.DuckDBPyConnection, figure: Figure, cell: Cell, rules: str) -> list[Row]:
    """The dossiers of a cell that add something else to the figure by a rule set than by ours, and why."""
    rows = rows_of(con, differing_sql(figure, cell, rules))
    reasons = whys()
    found = []
    for row in rows:
        numbers = [row.pop(f"why_{aspect}") for aspect in ASPECTS]
        words = [reasons[n].text for n in numbers if n is not None]
        why = Text("; ".join(t.vi for t in words), "; ".join(t.en for t in words)) if words else None
        found.append(row | {"why": why})
    return found


def differing_sql(figure: Figure, cell: Cell, rules: str) -> str:
    """The statement for it. Needs a connection that asks by the rule set: ours stands in schema `live` there."""
    columns = ", ".join(
        f"{alias}.{name} AS {name}_{side}"
        for name in ("origin", "outcome", "effective_due_on")
        for alias, side in (("o", "ours"), ("t", "theirs"))
    )
    parts = ", ".join(f"coalesce(t.{p}, 0) - coalesce(o.{p}, 0) AS {p}_difference" for p in PARTS)
    ours, theirs = (", ".join(f"coalesce({alias}.{p}, 0)" for p in PARTS) + f", {alias}.value" for alias in "ot")
    reasons = ", ".join(f"{_why_sql(aspect, rules)} AS why_{aspect}" for aspect in ASPECTS)
    return f"""WITH ours AS ({_labelled_sql(figure, cell, f"{LIVE}.dossier_period")}),
theirs AS ({_labelled_sql(figure, cell, "dossier_period")}),
pair AS (
    SELECT o AS o, t AS t, coalesce(t.dossier_id, o.dossier_id) AS dossier_id, coalesce(t.episode, o.episode) AS episode,
           coalesce(t.unit_id, o.unit_id) AS unit_id
    FROM ours o FULL JOIN theirs t ON t.dossier_id = o.dossier_id
    WHERE ({ours}) IS DISTINCT FROM ({theirs})
)
SELECT x.dossier_id, x.episode, u.unit_code, u.unit, d.field, d.procedure_code, {columns}, d.received_at, d.due_at, d.concluded_at,
       d.returned_at,
       {parts}, {reasons}, f.source, f.name AS file, d.sheet, d."row", f.sha256
FROM pair x
JOIN dossier d ON d.dossier_id = x.dossier_id AND d.episode = x.episode
JOIN period p ON p.period = {text(cell.period)}
LEFT JOIN unit u ON u.unit_id = x.unit_id
LEFT JOIN file f ON f.file_id = d.file_id
ORDER BY u.sort, f.source, f.name, d.file_id, d.sheet, d."row", x.dossier_id"""


def _labelled_sql(figure: Figure, cell: Cell, heart: str) -> str:
    """The dossiers of a cell by one labelling, and what each adds to the figure."""
    numerator, denominator, unknown, listed = adds(figure)
    added = ", ".join(
        f"CASE WHEN {listed} THEN CAST({sql} AS BIGINT) ELSE 0 END AS {part}"
        for part, sql in zip(PARTS, (numerator, denominator, unknown), strict=True)
    )
    value = f"CASE WHEN {listed} THEN {figure.column} END" if figure.column else "NULL"
    return f"""SELECT dossier_id, episode, unit_id, origin, outcome, effective_due_on, due_in_period, {added},
       CAST({value} AS BIGINT) AS value
FROM {heart} JOIN {cell.nodes} USING (unit_id)
WHERE {cell.where} AND coverage <> 'no_data'"""


def _why_sql(aspect: str, rules: str) -> str:
    """The number of the first reason that holds, where the labellings differ in this aspect; else null."""
    both = "o.dossier_id IS NOT NULL AND t.dossier_id IS NOT NULL"
    differs = {
        "row": "o.dossier_id IS NULL OR t.dossier_id IS NULL",
        "due": f"{both} AND o.effective_due_on IS DISTINCT FROM t.effective_due_on "
        "AND (o.outcome <> t.outcome OR o.due_in_period <> t.due_in_period)",
        "origin": f"{both} AND o.origin <> t.origin",
        "outcome": f"{both} AND o.outcome <> t.outcome",
    }[aspect]
    cases = " ".join(
        f"WHEN {why.when} THEN {number}"
        for number, why in enumerate(whys())
        if why.aspect == aspect and (not why.rules or rules in why.rules)
    )
    return f"CASE WHEN NOT ({differs}) THEN NULL {cases} END"
