"""Books made by hand for the report section: any units, counts and rates, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pipeline.declare.figures import indicators, measures
from pipeline.declare.periods import a_year_earlier, earlier, parse_period
from pipeline.measure.exact import decimal_of
from pipeline.report.book import Book

Row = dict[str, Any]
INFO = {"release": "20230915-080000-0a1b2c3d", "known_at": "2023-09-14 23:59:59"}
COMPONENTS = "component_digitization_rate"


@dataclass(frozen=True)
class Told:
    """Of a unit: counts that are not 0, rates as (numerator, denominator); coverage, basis, seal. target: in percent, of
    the rate of component digitization. unknown: by indicator, of how many dossiers it is not known."""

    counts: Mapping[str, int | None] | None = None
    rates: Mapping[str, tuple[int, int]] | None = None
    name: str = ""
    kind: str = "commune"
    level: str = "unit"
    coverage: str = "full"
    basis: str | None = "dossiers"
    seal: str | None = None
    missing: str | None = None
    target: int | None = None
    unknown: Mapping[str, int] | None = None


def book(units: dict[str, Told], period: str = "2023-Q3", **others: dict[str, Told]) -> Book:
    """units: unit_id → what is told, the whole first. others: earlier, a_year_earlier likewise."""
    one = parse_period(period)
    periods = {"now": one, "earlier": earlier(one), "a_year_earlier": a_year_earlier(one)}
    told = {"now": units} | {name: others.get(name, {}) for name in ("earlier", "a_year_earlier")}
    unknown = {
        unit_id: Told(name=unit.name, kind=unit.kind, level=unit.level, coverage="no_data", basis=None)
        for unit_id, unit in units.items()
    }
    found = {p.key: told[name] or unknown for name, p in periods.items()}
    return Book(
        *(periods["now"], periods["earlier"], periods["a_year_earlier"], "motcua", next(iter(units))),
        {unit_id: _frame(unit_id, unit, one.end) for unit_id, unit in units.items()},
        {key: {u: _counts(u, unit, one.end) for u, unit in each.items()} for key, each in found.items()},
        {
            key: {(u, code): _rate(u, unit, code) for u, unit in each.items() for code in indicators()}
            for key, each in found.items()
        },
        [],
        INFO,
        {unit_id: unit.name or f"Xã {unit_id}" for unit_id, unit in units.items()},
    )


def _frame(unit_id: str, unit: Told, as_of: date) -> Row:
    return {
        "unit_id": unit_id,
        "unit_code": unit_id,
        "unit": unit.name or f"Xã {unit_id}",
        "kind": unit.kind,
        "level": unit.level,
        "as_of": as_of,
        "coverage": unit.coverage,
        "missing_vi": unit.missing,
        "missing_en": unit.missing,
        "basis": unit.basis,
        "seal": unit.seal,
    }


def _counts(unit_id: str, unit: Told, as_of: date) -> Row:
    given = unit.counts or {}
    unknown = unit.coverage == "no_data"
    frame = _frame(unit_id, unit, as_of) | {"missing": unit.missing}
    return frame | {name: None if unknown else given.get(name, 0) for name in measures()}


def _rate(unit_id: str, unit: Told, code: str) -> Row:
    n, d = (unit.rates or {}).get(code, (0, 0))
    kind = indicators()[code].kind
    value = {"sum": Decimal(n), "median": Decimal(n)}.get(kind, decimal_of(Fraction(n, d)) if d else None)
    row: Row = {"unit_code": unit_id, "unit": unit.name, "indicator": code, "numerator": n, "denominator": d}
    row |= {"unknown": 0, "value": value, "operator": None, "threshold": None, "near": False, "needed": None}
    row |= {"verdict": "nothing_arisen" if not d and kind != "sum" else "no_target"}
    row["unknown"] = (unit.unknown or {}).get(code, 0)
    if row["unknown"] and not d:
        return row | {"verdict": "no_data"}
    if unit.coverage == "no_data":
        return row | dict.fromkeys(("numerator", "denominator", "unknown", "value")) | {"verdict": "no_data"}
    if code == COMPONENTS and unit.target is not None and d:
        met = n * 100 > unit.target * d
        row |= {"operator": ">", "threshold": Decimal(unit.target) / 100, "verdict": "met" if met else "not_met"}
        row |= {"needed": 0 if met else unit.target * d // 100 + 1 - n}
    return row
