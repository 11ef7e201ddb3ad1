"""Answers from a published database: stats, indicators, overdue. Rows as DESIGN §6 names their keys.

Reads what was computed; computes no figure anew. Not here: printing.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import duckdb

from pipeline.declare.figures import PROCEDURE, measures
from pipeline.declare.figures import indicators as declared_indicators
from pipeline.declare.periods import Period, default_scheme, parse_periods
from pipeline.declare.text import Text, fold
from pipeline.declare.units import split_name
from pipeline.errors import WrongUse
from pipeline.measure.exact import decimal_of
from pipeline.measure.sums import measure_counts_sql, sums_sql, unit_counts_sql
from pipeline.warehouse.sql import rows_of

Row = dict[str, Any]
BREAKDOWNS = ("unit", "field", "procedure", "level")
# of a row of `indicator_value`, what an answer is made from
PARTS = "indicator, indicator_kind, numerator, denominator, unknown, value, operator, threshold_p, threshold_q, verdict, near, needed"


# ---- which units an answer is about


def nodes(con: duckdb.DuckDBPyConnection, period: Period) -> dict[str, Row]:
    """unit_id → its row of an answer without figures: every unit that has data in some period, and their parents.

    level: unit; total for the lowest sum that holds all of them; group for the sums between.
    """
    known = rows_of(
        con,
        """SELECT u.unit_id, u.unit_code, u.unit, u.kind, p.as_of, p.coverage, p.missing_vi, p.missing_en, p.basis, p.seal
           FROM period_coverage p JOIN unit u USING (unit_id)
           WHERE p.period = ? AND ((u.valid_from IS NULL OR u.valid_from <= p.period_to)
               AND (u.valid_to IS NULL OR u.valid_to >= p.period_from)
               OR EXISTS (SELECT 1 FROM unit_count c WHERE c.period = p.period AND c.unit_id = u.unit_id))
           ORDER BY u.sort""",
        [period.key],
    )
    if not known:  # no data of that time at all: the units one asks about are those that ever reported
        known = rows_of(
            con,
            """SELECT DISTINCT u.unit_id, u.unit_code, u.unit, u.kind, u.sort, NULL AS as_of, 'no_data' AS coverage, NULL AS missing_vi, NULL AS missing_en, NULL AS basis, NULL AS seal
               FROM unit u WHERE u.unit_id IN (SELECT unit_id FROM coverage)
                  OR u.unit_id IN (SELECT group_id FROM unit_in JOIN coverage USING (unit_id)) ORDER BY u.sort""",
        )
    filled = con.execute("SELECT unit_id FROM reported_figure WHERE period = ?", [period.key]).fetchall()
    leaves = {r["unit_id"] for r in known if r["kind"] in ("commune", "counter")} | {unit_id for (unit_id,) in filled}
    # by other rules than ours: units of which summaries alone tell, which is nothing that could be counted
    leaves |= {r["unit_id"] for r in known if r["basis"] == "reported" and r["coverage"] == "no_data"}
    parts: dict[str, set[str]] = {}
    depth: dict[str, int] = {}
    for group, unit_id, distance in con.execute("SELECT node, unit_id, depth FROM node_of WHERE depth > 0").fetchall():
        if unit_id in leaves:
            parts.setdefault(group, set()).add(unit_id)
            depth[group] = max(depth.get(group, 0), distance)
    whole = min((g for g in parts if parts[g] == leaves), key=lambda g: depth[g], default="*")
    found = {}
    for row in known:
        unit_id = row["unit_id"]
        if unit_id in leaves:
            found[unit_id] = row | {"level": "unit"}
        elif unit_id == whole:
            found[unit_id] = row | {"level": "total"}
        elif depth.get(unit_id, 0) < depth.get(whole, 99) and unit_id in parts:
            found[unit_id] = row | {"level": "group"}
    order = {"total": 0, "group": 1, "unit": 2}
    return dict(sorted(found.items(), key=lambda item: order[item[1]["level"]]))


def choose(found: dict[str, Row], unit: str | None) -> dict[str, Row]:
    """The rows of one unit, as its code, key or name is written. Raises WrongUse with the nearest names."""
    if unit is None:
        return found
    wanted = fold(unit)
    exact = {k: r for k, r in found.items() if wanted in (fold(r["unit_code"]), fold(k), fold(r["unit"]))}
    if not exact:
        kind, bare = split_name(unit)
        exact = {
            k: r
            for k, r in found.items()
            if r["level"] == "unit" and split_name(r["unit"])[1] == bare and kind in (None, split_name(r["unit"])[0])
        }
    if exact:
        return exact
    import difflib

    names = {fold(r["unit"]): r["unit"] for r in found.values()}
    near = [names[n] for n in difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)] or list(names.values())[:3]
    raise WrongUse(
        Text(f"Không có đơn vị “{unit[:40]}” trong số liệu.", f"No unit “{unit[:40]}” in the data."),
        expected=Text(
            "mã hoặc tên đơn vị, ví dụ: " + "; ".join(near), "code or name of a unit, e.g. " + "; ".join(near)
        ),
        todo=Text("Xem danh sách: motcua units", "See the list: motcua units"),
    )


def frame_of(period: Period, row: Row, lang: str) -> Row:
    """How every row of an answer begins: its period, cut-off, coverage and unit. row: of `nodes`."""
    return {
        "period": period.key,
        "period_from": period.start,
        "period_to": period.end,
        "as_of": row["as_of"],
        "coverage": row["coverage"],
        "missing": row[f"missing_{lang}"],
        "basis": row["basis"],
        "seal": row["seal"],
        "unit_code": row["unit_code"],
        "unit": row["unit"],
        "level": row["level"],
    }


# ---- stats


def stats(
    con: duckdb.DuckDBPyConnection,
    period: str,
    by: str | None = None,
    unit: str | None = None,
    lang: str = "vi",
) -> list[Row]:
    """Counts per unit and sum of units for a period or range of periods; with `by`, per field, procedure or level of
    the chosen units (all of them together where none is named). Counts are null where there is no data."""
    found: list[Row] = []
    for one in parse_periods(period):
        chosen = choose(nodes(con, one), unit)
        if by in (None, "unit"):
            found += by_unit(con, one, chosen, lang)
        else:
            if unit is None:
                chosen = {k: r for k, r in chosen.items() if r["level"] == "total"}
            found += by_part(con, one, chosen, str(by), lang)
    return found


def by_unit(con: duckdb.DuckDBPyConnection, period: Period, chosen: dict[str, Row], lang: str) -> list[Row]:
    """Counts of the registers, and of summaries where they alone tell of a unit; unknown in one part, unknown in sum."""
    counted = {
        r.pop("node"): r
        for r in rows_of(
            con,
            f"WITH counted AS ({unit_counts_sql()}) SELECT node, {sums_sql()} "
            "FROM counted JOIN node_of USING (unit_id) WHERE period = ? GROUP BY node",
            [period.key],
        )
    }
    nothing = dict.fromkeys(measures(), 0)
    unknown = dict.fromkeys(measures(), None)
    return [
        frame_of(period, row, lang) | (unknown if row["coverage"] == "no_data" else counted.get(unit_id, nothing))
        for unit_id, row in chosen.items()
    ]


def by_part(con: duckdb.DuckDBPyConnection, period: Period, chosen: dict[str, Row], by: str, lang: str) -> list[Row]:
    """A row per field, procedure (by its code, else its name) or service level."""
    group = {"field": "field", "procedure": PROCEDURE, "level": "service_level"}[by]
    key = {"procedure": "any_value(procedure_code) AS procedure_code, any_value(procedure) AS procedure"}.get(by, group)
    empty = {"procedure": ("procedure_code", "procedure")}.get(by, (group,))
    source = "period_count"
    if by == "procedure":  # from the view: the table does not hold procedures (DESIGN §4.5)
        source = "(SELECT *, 1 AS n FROM dossier_period WHERE coverage <> 'no_data')"
    found: list[Row] = []
    for unit_id, row in chosen.items():
        if row["coverage"] == "no_data":
            found.append(frame_of(period, row, lang) | dict.fromkeys((*empty, *measures())))
            continue
        counted = rows_of(
            con,
            f"SELECT {key}, {measure_counts_sql()} FROM {source} JOIN node_of USING (unit_id) "
            f"WHERE period = ? AND node = ? GROUP BY {group} ORDER BY total DESC, {group}",
            [period.key, unit_id],
        )
        if row["basis"] in ("reported", "mixed"):  # what summaries tell is not broken down
            counted += [
                dict.fromkeys(empty) | r
                for r in rows_of(
                    con,
                    f"SELECT {sums_sql()} FROM reported_figure JOIN node_of USING (unit_id) "
                    "WHERE period = ? AND node = ? HAVING count(*) > 0",
                    [period.key, unit_id],
                )
            ]
        found += [frame_of(period, row, lang) | r for r in counted]
    return found


# ---- indicators


def indicators(con: duckdb.DuckDBPyConnection, period: str, unit: str | None = None, lang: str = "vi") -> list[Row]:
    """Rates with numerator, denominator, unknown, threshold and verdict, per unit and sum of units.

    value: exact to more than 12 digits (Decimal); null where nothing arose or there is no data.
    """
    found: list[Row] = []
    for one in parse_periods(period):
        found += indicator_rows(con, one, choose(nodes(con, one), unit), lang).values()
    return found


def indicator_rows(
    con: duckdb.DuckDBPyConnection, period: Period, chosen: dict[str, Row], lang: str
) -> dict[tuple[str, str], Row]:
    """(unit_id, indicator) → its row, for every indicator of the chosen units."""
    values: dict[tuple[str, str], Row] = {
        (r["unit_id"], r["indicator"]): r
        for r in rows_of(con, f"SELECT unit_id, {PARTS} FROM indicator_value WHERE period = ?", [period.key])
    }
    labels = {code: one.label[lang] for code, one in declared_indicators().items()}
    found: dict[tuple[str, str], Row] = {}
    for unit_id, row in chosen.items():
        frame = _rate_frame(period, row, lang)
        for code, label in labels.items():
            found[unit_id, code] = frame | _rate(code, label, values.get((unit_id, code)))
    return found


def indicator_row(period: Period, row: Row, code: str, lang: str, found: Row | None) -> Row:
    """One of them. found: the row of `indicator_value`; none: nothing is told of the indicator there."""
    return _rate_frame(period, row, lang) | _rate(code, declared_indicators()[code].label[lang], found)


def _rate_frame(period: Period, row: Row, lang: str) -> Row:
    return {k: v for k, v in frame_of(period, row, lang).items() if k not in ("period_from", "period_to")}


def _rate(code: str, label: str, found: Row | None) -> Row:
    told: Row = {"indicator": code, "label": label}
    if found is None:
        told |= dict.fromkeys(("numerator", "denominator", "unknown", "value", "operator", "threshold"))
        return told | {"verdict": "no_data", "near": False, "needed": None}
    return told | {
        "numerator": found["numerator"],
        "denominator": found["denominator"],
        "unknown": found["unknown"],
        "value": _exact(found),
        "operator": found["operator"],
        "threshold": None if found["threshold_p"] is None else _limit(found["threshold_p"], found["threshold_q"]),
        "verdict": found["verdict"],
        "near": found["near"],
        "needed": found["needed"],
    }


def _exact(found: Row) -> Decimal | None:
    if found["value"] is None:
        return None
    if found["indicator_kind"] == "median":
        return Decimal(str(found["value"]))
    if found["indicator_kind"] == "sum":
        return Decimal(found["numerator"])
    return Decimal(found["numerator"]) / Decimal(found["denominator"])


@cache  # there are few
def _limit(p: int, q: int) -> Decimal:
    return decimal_of(Fraction(p, q))


# ---- open dossiers past due or soon due


def overdue(con: duckdb.DuckDBPyConnection, unit: str | None = None, within: int = 5) -> list[Row]:
    """Open dossiers per unit, each as of the last day of its own data: past due, and due within some days.

    The labels of the newest month are used, so these are the figures of `stats`. Paused dossiers are open but their
    clock stands still: they are in neither. as_of of a sum is the earliest of its units.
    """
    newest = rows_of(
        con,
        "SELECT max_by(period, period_from) AS period FROM period_unit "
        "WHERE scheme = ? AND kind = 'month' AND as_of IS NOT NULL",
        [default_scheme()],
    )
    if not newest or newest[0]["period"] is None:
        return []
    rows = rows_of(
        con,
        """WITH
            newest AS (
                SELECT unit_id AS register_unit_id, max(period_from) AS period_from FROM period_unit
                WHERE scheme = $2 AND kind = 'month' AND as_of IS NOT NULL GROUP BY unit_id
            ),
            last_day AS (
                SELECT p.counted_unit_id AS unit_id, min(p.as_of) AS as_of FROM period_unit p
                JOIN newest n ON n.register_unit_id = p.unit_id AND n.period_from = p.period_from
                WHERE p.scheme = $2 AND p.kind = 'month' GROUP BY ALL
            ),
            open_now AS (
                SELECT d.unit_id, d.outcome, d.effective_due_on, d.as_of FROM dossier_period d
                JOIN newest n USING (register_unit_id, period_from)
                WHERE d.scheme = $2 AND d.kind = 'month' AND d.outcome IN ('open_in_term', 'open_overdue', 'open_paused')
            )
            SELECT n.node AS unit_id, min(l.as_of) AS as_of, count(o.outcome) AS open,
                   count(*) FILTER (WHERE o.outcome = 'open_overdue') AS overdue,
                   count(*) FILTER (WHERE o.outcome = 'open_in_term' AND o.effective_due_on <= o.as_of + $1::INTEGER) AS due_soon,
                   count(*) FILTER (WHERE o.outcome = 'open_paused') AS paused,
                   min(o.effective_due_on) FILTER (WHERE o.outcome <> 'open_paused') AS earliest_due
            FROM last_day l JOIN node_of n USING (unit_id) LEFT JOIN open_now o USING (unit_id)
            GROUP BY ALL""",
        [within, default_scheme()],
    )
    counts = {r.pop("unit_id"): r for r in rows}
    chosen = choose(nodes(con, parse_periods(newest[0]["period"])[0]), unit)
    return [
        {k: row[k] for k in ("unit_code", "unit", "level")} | {"within_days": within} | counts[unit_id]
        for unit_id, row in chosen.items()
        if unit_id in counts
    ]
