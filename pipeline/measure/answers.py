"""Answers from a published database: stats, indicators, overdue. Rows as DESIGN §6 names their keys.

Reads what was computed; computes no figure anew. Not here: printing.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb

from pipeline.declare.figures import indicators as declared_indicators
from pipeline.declare.figures import measures
from pipeline.declare.periods import Period, parse_periods
from pipeline.declare.text import Text, fold
from pipeline.declare.units import split_name
from pipeline.errors import WrongUse
from pipeline.measure.figures import measure_counts_sql
from pipeline.warehouse.sql import rows_of

Row = dict[str, Any]
BREAKDOWNS = ("unit", "field", "procedure", "level")
_NODES = "node_of AS (SELECT unit_id, unit_id AS node FROM unit UNION ALL SELECT unit_id, group_id FROM unit_in)"


# ---- which units an answer is about


def nodes(con: duckdb.DuckDBPyConnection, period: Period) -> dict[str, Row]:
    """unit_id → its row of an answer without figures: every unit that has data in some period, and their parents.

    level: unit; total for the lowest sum that holds all of them; group for the sums between.
    """
    known = rows_of(
        con,
        """SELECT u.unit_id, u.unit_code, u.unit, u.kind, p.as_of, p.coverage, p.missing_vi, p.missing_en
           FROM period_coverage p JOIN unit u USING (unit_id) WHERE p.period = ? ORDER BY u.sort""",
        [period.key],
    )
    if not known:  # no data of that time at all: the units one asks about are those that ever reported
        known = rows_of(
            con,
            """SELECT DISTINCT u.unit_id, u.unit_code, u.unit, u.kind, u.sort, NULL AS as_of, 'no_data' AS coverage, NULL AS missing_vi, NULL AS missing_en
               FROM unit u WHERE u.unit_id IN (SELECT unit_id FROM coverage)
                  OR u.unit_id IN (SELECT group_id FROM unit_in JOIN coverage USING (unit_id)) ORDER BY u.sort""",
        )
    leaves = {r["unit_id"] for r in known if r["kind"] in ("commune", "counter")}
    parts: dict[str, set[str]] = {}
    depth: dict[str, int] = {}
    for group, unit_id, distance in con.execute("SELECT group_id, unit_id, depth FROM unit_in").fetchall():
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


def _frame_of(period: Period, row: Row, lang: str) -> Row:
    return {
        "period": period.key,
        "period_from": period.start,
        "period_to": period.end,
        "as_of": row["as_of"],
        "coverage": row["coverage"],
        "missing": row[f"missing_{lang}"],
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
            found += _by_unit(con, one, chosen, lang)
        else:
            if unit is None:
                chosen = {k: r for k, r in chosen.items() if r["level"] == "total"}
            found += _by_part(con, one, chosen, str(by), lang)
    return found


def _by_unit(con: duckdb.DuckDBPyConnection, period: Period, chosen: dict[str, Row], lang: str) -> list[Row]:
    counted = {
        r.pop("node"): r
        for r in rows_of(
            con,
            f"WITH {_NODES} SELECT node, {measure_counts_sql()} FROM period_count JOIN node_of USING (unit_id) "
            "WHERE period = ? GROUP BY node",
            [period.key],
        )
    }
    nothing = dict.fromkeys(measures(), 0)
    unknown = dict.fromkeys(measures(), None)
    return [
        _frame_of(period, row, lang) | (unknown if row["coverage"] == "no_data" else counted.get(unit_id, nothing))
        for unit_id, row in chosen.items()
    ]


def _by_part(con: duckdb.DuckDBPyConnection, period: Period, chosen: dict[str, Row], by: str, lang: str) -> list[Row]:
    """A row per field, procedure (by its code, else its name) or service level."""
    group = {"field": "field", "procedure": "coalesce(procedure_code, procedure)", "level": "service_level"}[by]
    key = {"procedure": "any_value(procedure_code) AS procedure_code, any_value(procedure) AS procedure"}.get(by, group)
    empty = {"procedure": ("procedure_code", "procedure")}.get(by, (group,))
    source = "period_count"
    if by == "procedure":  # from the view: the table does not hold procedures (DESIGN §4.5)
        source = "(SELECT *, 1 AS n FROM dossier_period WHERE coverage <> 'no_data')"
    found: list[Row] = []
    for unit_id, row in chosen.items():
        if row["coverage"] == "no_data":
            found.append(_frame_of(period, row, lang) | dict.fromkeys((*empty, *measures())))
            continue
        counted = rows_of(
            con,
            f"WITH {_NODES} SELECT {key}, {measure_counts_sql()} FROM {source} JOIN node_of USING (unit_id) "
            f"WHERE period = ? AND node = ? GROUP BY {group} ORDER BY total DESC, {group}",
            [period.key, unit_id],
        )
        found += [_frame_of(period, row, lang) | r for r in counted]
    return found


# ---- indicators


def indicators(con: duckdb.DuckDBPyConnection, period: str, unit: str | None = None, lang: str = "vi") -> list[Row]:
    """Rates with numerator, denominator, unknown, threshold and verdict, per unit and sum of units.

    value: exact to more than 12 digits (Decimal); null where nothing arose or there is no data.
    """
    found: list[Row] = []
    for one in parse_periods(period):
        chosen = choose(nodes(con, one), unit)
        values: dict[tuple[str, str], Row] = {
            (r["unit_id"], r["indicator"]): r
            for r in rows_of(con, "SELECT * FROM indicator_value WHERE period = ? ORDER BY sort", [one.key])
        }
        for unit_id, row in chosen.items():
            for code in declared_indicators():
                found.append(_indicator_row(one, row, code, lang, values.get((unit_id, code))))
    return found


def _indicator_row(period: Period, row: Row, code: str, lang: str, found: Row | None) -> Row:
    frame = _frame_of(period, row, lang)
    label = declared_indicators()[code].label[lang]
    for key in ("period_from", "period_to"):
        del frame[key]
    if found is None:
        empty = dict.fromkeys(("numerator", "denominator", "unknown", "value", "operator", "threshold"), None)
        return (
            frame | {"indicator": code, "label": label} | empty | {"verdict": "no_data", "near": False, "needed": None}
        )
    return frame | {
        "indicator": code,
        "label": label,
        "numerator": found["numerator"],
        "denominator": found["denominator"],
        "unknown": found["unknown"],
        "value": _exact(found),
        "operator": found["operator"],
        "threshold": None
        if found["threshold_p"] is None
        else decimal_of(Fraction(found["threshold_p"], found["threshold_q"])),
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
    return decimal_of(Fraction(found["numerator"], found["denominator"]))


def decimal_of(fraction: Fraction) -> Decimal:
    """A fraction to 28 significant digits."""
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


# ---- open dossiers past due or soon due


def overdue(
    con: duckdb.DuckDBPyConnection, unit: str | None = None, within: int = 5, on: date | None = None
) -> list[Row]:
    """Open dossiers per unit, as of the last day of data (or `on`, not later): past due, and due within some days.

    Paused dossiers are open but their clock stands still: they are in neither. Lateness by date, effective due date.
    """
    last_rows = rows_of(con, "SELECT max(last_day) AS last_day FROM coverage")
    last: date | None = last_rows[0]["last_day"] if last_rows else None
    if last is None:
        return []
    day = min(on, last) if on else last
    rows = rows_of(
        con,
        f"""WITH {_NODES},
            open_now AS (
                SELECT d.unit_id, coalesce(s.state, d.newest_state) AS state, coalesce(s.extended_due_on, d.due_on) AS due_on
                FROM dossier d
                LEFT JOIN dossier_state s ON s.dossier_id = d.dossier_id AND s.from_day <= $day AND (s.to_day IS NULL OR $day < s.to_day)
                WHERE d.opened_on <= $day AND (d.concluded_on IS NULL OR d.concluded_on > $day)
            )
            SELECT u.unit_code, u.unit, u.kind, n.node AS unit_id, count(*) AS open,
                   count(*) FILTER (WHERE state = 'paused') AS paused,
                   count(*) FILTER (WHERE state <> 'paused' AND due_on < $day) AS overdue,
                   count(*) FILTER (WHERE state <> 'paused' AND due_on >= $day AND due_on <= $until) AS due_soon,
                   min(due_on) FILTER (WHERE state <> 'paused') AS earliest_due
            FROM open_now JOIN node_of n USING (unit_id) JOIN unit u ON u.unit_id = n.node
            GROUP BY ALL""".replace("$day", f"DATE '{day}'").replace(
            "$until", f"DATE '{day + timedelta(days=within)}'"
        ),
    )
    counts = {r["unit_id"]: r for r in rows}
    period = Period(day, day, day.isoformat(), "", "day", Text("", ""))
    frame = {k: r for k, r in choose(nodes(con, period), unit).items()}
    found = []
    for unit_id, row in frame.items():
        c = counts.get(unit_id, {"open": 0, "paused": 0, "overdue": 0, "due_soon": 0, "earliest_due": None})
        found.append(
            {
                "as_of": day,
                "unit_code": row["unit_code"],
                "unit": row["unit"],
                "level": row["level"],
                "within_days": within,
            }
            | {key: c[key] for key in ("open", "overdue", "due_soon", "paused", "earliest_due")}
        )
    return found
