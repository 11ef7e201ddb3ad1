"""How far a figure moved from one period to another, exactly. Not here: which periods, showing it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

Row = dict[str, Any]


def count_change(now: int | None, then: int | None) -> int | None:
    """By how many more; null where either is not known."""
    return None if now is None or then is None else now - then


def indicator_change(now: Row | None, then: Row | None) -> Fraction | None:
    """Of two rows of `motcua indicators` of one indicator: rates in parts of 1, sums, means and medians in their own
    unit. From numerators and denominators, so that nothing was rounded before; null where nothing arose in either or
    there is no data."""
    values = [_exactly(row) for row in (now, then)]
    return None if values[0] is None or values[1] is None else values[0] - values[1]


def _exactly(row: Row | None) -> Fraction | None:
    if row is None or row["value"] is None:
        return None
    if row["numerator"] is not None and row["denominator"]:
        return Fraction(row["numerator"], row["denominator"])
    return Fraction(row["value"])
