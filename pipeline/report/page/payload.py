"""What the page holds, as plain values: declarations, units, and the figures of each period as compact rows.

Figures are the release's, verdicts included; rates travel as numerator and denominator and are rounded on the page.
Units are told by their place in `units`, periods by their place in `periods`. Not here: the page's files (assemble).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb

from pipeline.declare.charts import charts, colours, flow_steps
from pipeline.declare.definitions import definition, figures, in_words
from pipeline.declare.figures import indicators, measures
from pipeline.declare.marks import mark_of
from pipeline.declare.periods import Period, a_year_earlier, earlier, schemes
from pipeline.declare.reasons import reasons
from pipeline.declare.rules import OURS, rule_sets
from pipeline.declare.text import Text, declared
from pipeline.measure.exact import decimal_of
from pipeline.report.book import Book
from pipeline.report.display import BASIS, COVERAGE, VERDICT, threshold
from pipeline.report.history import History
from pipeline.warehouse.sql import rows_of

Row = dict[str, Any]
Pair = list[str]  # in Vietnamese, in English
Limit = tuple[str, Decimal]  # operator, threshold
LEVELS = ("total", "group", "unit")
VERDICTS = ("no_data", "nothing_arisen", "no_target", "met", "not_met")


def payload(con: duckdb.DuckDBPyConnection, book: Book, history: History) -> dict[str, Any]:
    """Everything that the page shows, in both languages. con: as the book was opened."""
    unit_ids = list(dict.fromkeys(u for one in reversed(history.periods) for u in history.units[one.key]))
    place = {unit_id: n for n, unit_id in enumerate(unit_ids)}
    limits: dict[Limit, int] = {}
    rows = {one.key: _rows(history, one.key, place, limits) for one in history.periods}
    passed_over = _passed_over(con, history)
    return {
        "info": book.info | ({"as_known": str(book.as_known)} if book.as_known else {}),
        "rules": [book.rules, *_pair(rule_sets()[book.rules].label), book.rules == OURS],
        "scheme": _pair(schemes()[book.period.scheme].label),
        "words": {key: [node["vi"], node["en"]] for key, node in declared("page.toml")["words"].items()},
        "headline": _headline(),
        "charts": _charts(),
        "verdicts": [[code, *_pair(VERDICT[code])] for code in VERDICTS],
        "coverages": [[code, *_pair(text)] for code, text in COVERAGE.items()],
        "bases": {code: _pair(text) for code, text in BASIS.items()},
        "measures": [_defined(code) for code in measures()],
        "indicators": [_defined(code) | {"limits": _limits_of(con, code)} for code in indicators()],
        "units": [[history.names[u], u] for u in unit_ids],
        "inside": _inside(con, place),
        "periods": [
            {
                "key": one.key,
                "name": _pair(one.label),
                "from": str(one.start),
                "to": str(one.end),
                "against": _against(con, one, history),
                "passed_over": passed_over.get(one.key),
            }
            for one in history.periods
        ],
        "rows": [rows[one.key] for one in history.periods],
        "today": [_today(history, one.key, place) for one in history.periods],
        "limits": [_limit(limit) for limit in limits],
        "quality": _quality(con, book, history, place),
        "seals": _seals(con, history),
    }


def _pair(text: Text) -> Pair:
    return [text.vi, text.en]


# ---- declarations


def _headline() -> Row:
    told = declared("page.toml")["headline"]
    return told | {"counts": {code: [node["vi"], node["en"]] for code, node in told["counts"].items()}}


def _charts() -> dict[str, Any]:
    found: dict[str, Any] = {
        name: {"name": _pair(one.title), "shows": one.shows, "most": one.most} for name, one in charts().items()
    }
    found["flow"]["steps"] = [
        {"name": _pair(s.label), "sign": s.sign, "counts": s.counts, "whole": s.whole} for s in flow_steps()
    ]
    return found | {"colours": colours()}


def _defined(code: str) -> Row:
    """A measure or an indicator with all that is said of it."""
    one = figures()[code]
    told: Row = {
        "code": code,
        "kind": one.kind,
        "name": _pair(one.label),
        "definition": _pair(definition(one)),
        "source": _pair(one.source),
        "mark": _pair(mark_of(one.mark)),
    }
    if one.denominator:
        told |= {"numerator": _pair(in_words(one.numerator)), "denominator": _pair(in_words(one.denominator))}
    return told


def _limits_of(con: duckdb.DuckDBPyConnection, code: str) -> list[Row]:
    """The thresholds of an indicator with their basis; those that say the same of several kinds of unit as one."""
    rows = rows_of(
        con,
        """SELECT t.operator, t.value_p, t.value_q, list(t.unit_kind ORDER BY t.unit_kind) AS kinds, u.unit AS area,
                  t.valid_from, t.valid_to, t.basis_vi, t.basis_en, t.mark
           FROM threshold t LEFT JOIN unit u ON u.unit_id = t.within WHERE t.indicator = ?
           GROUP BY ALL ORDER BY ALL""",
        [code],
    )
    return [
        {
            "text": [_limit_text(r, lang) for lang in ("vi", "en")],
            "kinds": r["kinds"],
            "area": r["area"],
            "from": str(r["valid_from"]),
            "to": str(r["valid_to"]) if r["valid_to"] else None,
            "basis": [r["basis_vi"], r["basis_en"]],
            "mark": _pair(mark_of(r["mark"])),
        }
        for r in rows
    ]


def _limit_text(row: Row, lang: str) -> str:
    value = decimal_of(Fraction(row["value_p"], row["value_q"]))
    return threshold({"threshold": value, "operator": row["operator"]}, lang)


# ---- figures


def _against(con: duckdb.DuckDBPyConnection, one: Period, history: History) -> list[Row]:
    """The period before and the same a year earlier (of a year, one): place on the page (null: not on it), name, and
    whether the release tells of it."""
    keys = [p.key for p in history.periods]
    found = []
    for then in dict.fromkeys((earlier(one), a_year_earlier(one))):
        told = con.execute(
            "SELECT count(*) > 0 FROM period_coverage WHERE period = ? AND coverage <> 'no_data'", [then.key]
        ).fetchall()
        place = keys.index(then.key) if then.key in keys else None
        found.append({"place": place, "name": _pair(then.label), "told": told[0][0]})
    return found


def _inside(con: duckdb.DuckDBPyConnection, place: dict[str, int]) -> dict[int, list[int]]:
    """Sum of units → the units and sums in it."""
    found: dict[int, list[int]] = {}
    for node, unit_id in con.execute("SELECT node, unit_id FROM node_of WHERE depth > 0 ORDER BY ALL").fetchall():
        if node in place and unit_id in place:
            found.setdefault(place[node], []).append(place[unit_id])
    return dict(sorted(found.items()))


def _rows(history: History, key: str, place: dict[str, int], limits: dict[Limit, int]) -> list[list[Any]]:
    """Per unit: place, level, cut-off, coverage, what is missing in both languages, basis, seal, counts, indicators.
    Counts and indicators stand in the order of the declarations; null counts: no data."""
    found = []
    for unit_id, row in history.units[key].items():
        counts = history.counts[key][unit_id]
        told = [counts[name] for name in measures()]
        found.append(
            [
                place[unit_id],
                LEVELS.index(row["level"]),
                None if row["as_of"] is None else str(row["as_of"]),
                list(COVERAGE).index(row["coverage"]),
                row["missing_vi"],
                row["missing_en"],
                row["basis"],
                row["seal"],
                None if all(n is None for n in told) else told,
                [_rate(history.rates[key][unit_id, code], limits) for code in indicators()],
            ]
        )
    return found


def _rate(row: Row, limits: dict[Limit, int]) -> int | list[Any]:
    """[verdict, numerator, denominator, unknown, threshold, needed, near, value], cut behind the last that says
    something; the verdict alone where nothing else is told. value: of medians only, as text."""
    limit = None
    if row["threshold"] is not None:
        limit = limits.setdefault((row["operator"], row["threshold"]), len(limits))
    median = indicators()[row["indicator"]].kind == "median" and row["value"] is not None
    told: list[Any] = [
        VERDICTS.index(row["verdict"]),
        row["numerator"],
        row["denominator"],
        row["unknown"] or None,
        limit,
        row["needed"],
        1 if row["near"] else None,
        f"{row['value']:f}" if median else None,
    ]
    while told[-1] is None:
        told.pop()
    return told if len(told) > 1 else told[0]


def _limit(limit: Limit) -> list[Any]:
    """In both languages, in percent for the place of the line, and whether less is better."""
    row = {"operator": limit[0], "threshold": limit[1]}
    return [threshold(row, "vi"), threshold(row, "en"), float(limit[1] * 100), limit[0] in ("<", "<=")]


def _today(history: History, key: str, place: dict[str, int]) -> list[list[Any]]:
    """Units of today that did not stand in the period: place, cut-off, coverage, basis, counts of what was merged."""
    return [
        [
            place[unit_id],
            None if row["as_of"] is None else str(row["as_of"]),
            list(COVERAGE).index(row["coverage"]),
            row["basis"],
            [row[name] for name in measures()],
        ]
        for unit_id, row in history.today[key].items()
        if unit_id in place and unit_id not in history.units[key]
    ]


# ---- quality, seals


def _quality(con: duckdb.DuckDBPyConnection, book: Book, history: History, place: dict[str, int]) -> dict[str, Any]:
    """Rows by verdict and reason of the files with days in each period; findings of the release; cells in which
    summaries and registers differ, by period and unit. The last two are of our own rules alone."""
    ours = book.rules == OURS
    accounts = [_account(con, str(one.start), str(one.end)) for one in history.periods]
    differ: list[dict[int, int]] = [{} for _ in history.periods]
    keys = [one.key for one in history.periods]
    for key, unit_id, n in con.execute(
        """SELECT period, unit_id, count(*) FROM reconciliation
           WHERE difference <> 0 AND list_contains($1, period) GROUP BY ALL ORDER BY ALL""",
        [keys],
    ).fetchall():
        if ours and unit_id in place:
            differ[keys.index(key)][place[unit_id]] = n
    findings = con.execute(
        "SELECT DISTINCT severity, label_vi, label_en, failures FROM finding ORDER BY ALL"
    ).fetchall()
    said = {code for one in accounts for _, code, _ in one["rows"] if code}
    return {
        "accounts": accounts,
        "reasons": {code: _pair(reasons()[code].about(None)) for code in sorted(said)},
        "verdicts": {code: _pair(VERDICT[code]) for code in ("counted", "excluded", "rejected")},
        "findings": [list(row) for row in findings] if ours else None,
        "differ": differ,
    }


def _account(con: duckdb.DuckDBPyConnection, first: str, last: str) -> dict[str, Any]:
    rows = con.execute(
        """SELECT a.verdict, a.reason, sum(a.rows)::BIGINT FROM file_account a JOIN file f USING (file_id)
           WHERE coalesce(f.first_day, $1::DATE) <= $2::DATE AND coalesce(f.last_day, $2::DATE) >= $1::DATE
           GROUP BY ALL ORDER BY a.verdict, 3 DESC, a.reason""",
        [first, last],
    ).fetchall()
    (files,) = con.execute(
        """SELECT count(*) FROM file f
           WHERE coalesce(f.first_day, $1::DATE) <= $2::DATE AND coalesce(f.last_day, $2::DATE) >= $1::DATE""",
        [first, last],
    ).fetchall()[0]
    return {"files": files, "rows": [list(row) for row in rows]}


def _passed_over(con: duckdb.DuckDBPyConnection, history: History) -> dict[str, str]:
    """Period → its seal in force, where the page's figures of that period are not those that were sealed."""
    live = [key for key, rows in history.units.items() if all(row["seal"] is None for row in rows.values())]
    return dict(
        con.execute("SELECT period, seal FROM seal WHERE counts AND list_contains($1, period)", [live]).fetchall()
    )


def _seals(con: duckdb.DuckDBPyConnection, history: History) -> dict[str, Row]:
    """Short mark of a seal → its period, version and whole hash, of the seals that the page's figures are of."""
    shown = {row["seal"] for rows in history.units.values() for row in rows.values() if row["seal"]}
    return {
        mark: {"period": period, "version": version, "sha256": sha256}
        for mark, period, version, sha256 in con.execute(
            "SELECT seal, period, version, sha256 FROM seal WHERE list_contains($1, seal) ORDER BY seal",
            [sorted(shown)],
        ).fetchall()
    }
