"""Figures of returns in a database under construction: of units and sums of units, and their indicators with verdicts.

A sum stands only where every unit that is asked has told, and a unit that hands in a return of its own is never summed
from those below it. Not here: which return counts (warehouse/returns), answers (returns.py).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

import duckdb
import polars as pl

from pipeline.declare.periods import Period, parse_period
from pipeline.declare.returns import NO_LINE, Measure, Return, returns
from pipeline.declare.text import Text
from pipeline.measure.exact import decimal_of
from pipeline.measure.return_terms import Cells, Span, Told, added, judge, span_of, terms
from pipeline.warehouse.sql import rows_of, store

NUMBER = pl.Decimal(28, 6)
ABOUT_PERIOD = {"period": pl.String, "scheme": pl.String, "kind": pl.String, "period_from": pl.Date, "period_to": pl.Date}  # fmt: skip
PLACE = ABOUT_PERIOD | {"unit_id": pl.String, "return_id": pl.String, "line": pl.String}
FIGURE = PLACE | {"measure": pl.String, "value": NUMBER, "word": pl.String, "day": pl.Date, "qualifier": pl.String, "told": pl.Int32, "asked": pl.Int32}  # fmt: skip
INDICATOR = PLACE | {
    "indicator": pl.String,
    "label_vi": pl.String,
    "label_en": pl.String,
    "numerator": NUMBER,
    "denominator": NUMBER,
    "value": pl.Float64,
    "qualifier": pl.String,
    "operator": pl.String,
    "threshold_p": pl.Int64,
    "threshold_q": pl.Int64,
    "verdict": pl.String,
    "near": pl.Boolean,
    "needed": NUMBER,
    "basis_vi": pl.String,
    "basis_en": pl.String,
    "mark": pl.String,
}


@dataclass
class _Handed:
    """What the units told of one return and period. days: (unit, line, measure) → a day."""

    declared: Return
    period: Period
    cells: dict[str, Cells] = field(default_factory=lambda: defaultdict(dict))
    days: dict[tuple[str, str, str], date] = field(default_factory=dict)


@dataclass(frozen=True)
class _Tree:
    """kinds: unit → kind. above: unit → the sums it belongs to, nearest first, up to the lowest that holds all units
    of its tree that tell anything (dossiers or returns). below: sum → the units that exist in it, with their days."""

    kinds: dict[str, str]
    above: dict[str, list[str]]
    below: dict[str, list[tuple[str, date, date]]]


def build_returns(con: duckdb.DuckDBPyConnection) -> None:
    """`return_measure`, `return_figure`, `return_indicator`, from `return_value`."""
    _measure_table(con)
    tree = _tree(con)
    figures: list[tuple[object, ...]] = []
    indicators: list[tuple[object, ...]] = []
    for handed in _handed(con):
        members = _members(handed, tree)
        figures += _figure_rows(handed, members)
        indicators += _indicator_rows(handed, members)
    store(con, "return_figure", pl.DataFrame(figures, schema=FIGURE, orient="row"))
    store(con, "return_indicator", pl.DataFrame(indicators, schema=INDICATOR, orient="row"))


def _measure_table(con: duckdb.DuckDBPyConnection) -> None:
    """What every figure of every return is called."""
    rows = []
    for r in returns().values():
        for name, line in (r.lines or {NO_LINE: None}).items():
            for m in r.measures.values():
                of = line.of if line and line.of else m.of
                rows.append(
                    (
                        *(r.id, name, m.name, r.label.vi, r.label.en, *_both(line.label if line else None)),
                        *(m.label.vi, m.label.en, *_both(of), m.kind, m.digits),
                        *(r.section, r.source, r.mark, len(rows)),
                    )
                )
    words = ("return_id", "line", "measure", "return_vi", "return_en", "line_vi", "line_en", "label_vi", "label_en", "of_vi", "of_en", "kind")  # fmt: skip
    told = {"digits": pl.Int32, "section": pl.String, "source": pl.String, "mark": pl.String, "sort": pl.Int32}
    store(con, "return_measure", pl.DataFrame(rows, schema=dict.fromkeys(words, pl.String) | told, orient="row"))


def _both(text: Text | None) -> tuple[str | None, str | None]:
    return (text.vi, text.en) if text else (None, None)


def _tree(con: duckdb.DuckDBPyConnection) -> _Tree:
    units = con.execute("SELECT unit_id, kind, valid_from, valid_to FROM unit").fetchall()
    days = {unit_id: (first or date.min, last or date.max) for unit_id, _, first, last in units}
    above: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[tuple[str, date, date]]] = defaultdict(list)
    for unit_id, node in con.execute(
        "SELECT unit_id, node FROM node_of WHERE depth > 0 AND node <> '*' ORDER BY depth"
    ).fetchall():
        above[unit_id].append(node)
        below[node].append((unit_id, *days[unit_id]))
    telling = con.execute("SELECT unit_id FROM return_value UNION SELECT unit_id FROM coverage ORDER BY 1").fetchall()
    chains: dict[str, list[list[str]]] = defaultdict(list)  # by the top of their tree
    for (unit_id,) in telling:
        chain = [unit_id, *above.get(unit_id, ())]
        chains[chain[-1]].append(chain)
    reach = {}
    for top, found in chains.items():
        shared = next(node for node in found[0] if all(node in chain for chain in found))
        reach[top] = {shared, *(u for u, *_ in below.get(shared, ()))}
    kept = {unit_id: [n for n in nodes if n in reach.get(nodes[-1], ())] for unit_id, nodes in above.items()}
    return _Tree({unit_id: kind for unit_id, kind, *_ in units}, kept, below)


def _handed(con: duckdb.DuckDBPyConnection) -> list[_Handed]:
    found: dict[tuple[str, str], _Handed] = {}
    for row in rows_of(con, "SELECT * FROM return_value ORDER BY period_from, period, return_id, unit_id"):
        place = row["period"], row["return_id"]
        if row["return_id"] not in returns():  # rows kept of an expired file, of a return that is declared no more
            continue
        if place not in found:
            found[place] = _Handed(returns()[row["return_id"]], parse_period(row["period"]))
        value = None if row["value"] is None else Fraction(row["value"])
        told = Told(value, row["word"], row["qualifier"])
        found[place].cells[row["unit_id"]][row["line"], row["measure"]] = told
        if row["day"]:
            found[place].days[row["unit_id"], row["line"], row["measure"]] = row["day"]
    return list(found.values())


def _members(handed: _Handed, tree: _Tree) -> dict[str, list[str]]:
    """Unit → itself; sum → the units that are asked within it. Sums of units that hand in no such return themselves;
    of a source's own units, those that told."""
    found = {unit_id: [unit_id] for unit_id in handed.cells}
    fills, day = handed.declared.fills, handed.period.end
    for unit_id in handed.cells:
        for node in tree.above.get(unit_id, ()):
            if node in found or tree.kinds[node] in fills:
                continue
            inside = [u for u, first, last in tree.below[node] if first <= day <= last and tree.kinds[u] in fills]
            own = tree.kinds[node] == "group"
            asked = [u for u in inside if u in handed.cells] if own else inside
            # a district and its communes are not added up: the highest of those that are asked tell
            asked = [u for u in asked if not any(n in asked for n in tree.above.get(u, ()))]
            if len(asked) > 1:
                found[node] = asked
    return found


def _place(handed: _Handed, unit_id: str, line: str) -> tuple[object, ...]:
    p = handed.period
    return (p.key, p.scheme, p.kind, p.start, p.end, unit_id, handed.declared.id, line)


def _figure_rows(handed: _Handed, members: dict[str, list[str]]) -> list[tuple[object, ...]]:
    declared, found = handed.declared, []
    for unit_id, asked in members.items():
        for line in declared.lines or {NO_LINE: None}:
            for m in declared.measures.values():
                if unit_id in handed.cells:
                    cells = handed.cells[unit_id]
                    if (line, m.name) not in cells:  # a row that was never accepted
                        continue
                    told = cells[line, m.name]
                    day = handed.days.get((unit_id, line, m.name))
                    about = (
                        _number(told.value),
                        told.word,
                        day,
                        told.qualifier,
                        int(told != Told() or day is not None),
                        1,
                    )
                elif m.is_number and (line == NO_LINE or declared.lines[line].additive):
                    spans = [_span(handed, u, line, m) for u in asked]
                    known = sum(span is not None for span in spans)
                    whole = added(spans)
                    about = (_number(whole), None, None, whole and whole.qualifier, known, len(asked))
                    if not known:
                        continue
                else:
                    continue
                found.append((*_place(handed, unit_id, line), m.name, *about))
    return found


def _span(handed: _Handed, unit_id: str, line: str, measure: Measure) -> Span | None:
    return span_of(handed.cells.get(unit_id, {}).get((line, measure.name), Told()))


def _indicator_rows(handed: _Handed, members: dict[str, list[str]]) -> list[tuple[object, ...]]:
    """A row per unit or sum and line, where the numerator or denominator is told by some unit."""
    declared, found = handed.declared, []
    for code, indicator in declared.indicators.items():
        by_unit = {u: terms(declared, indicator, cells, handed.period) for u, cells in handed.cells.items()}
        whole = all(f.word or declared.measures[f.measure].kind == "count" for f in indicator.numerator)
        nothing: tuple[Span | None, Span | None] = (None, None)
        for unit_id, asked in members.items():
            for line in dict.fromkeys(line for told in by_unit.values() for line in told):
                parts = [by_unit.get(u, {}).get(line, nothing) for u in asked]
                if all(part == nothing for part in parts):
                    continue
                numerator, denominator = added([n for n, _ in parts]), added([d for _, d in parts])
                t = indicator.target
                judged = judge(numerator, denominator, bool(indicator.denominator), t, whole)
                found.append(
                    (
                        *_place(handed, unit_id, line),
                        *(code, indicator.label.vi, indicator.label.en),
                        *(_number(numerator), _number(denominator)),
                        *(None if judged.value is None else float(judged.value), judged.qualifier),
                        *((t.operator, *t.value.as_integer_ratio()) if t else (None, None, None)),
                        *(judged.verdict, judged.near, _number(judged.needed)),
                        *((t.basis.vi, t.basis.en, t.mark) if t else (None, None, None)),
                    )
                )
    return found


def _number(figure: Span | Fraction | None) -> Decimal | None:
    if figure is None:
        return None
    return decimal_of(figure.value if isinstance(figure, Span) else figure)
