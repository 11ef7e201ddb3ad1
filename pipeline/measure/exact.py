"""Exact fractions as decimal numbers. Not here: rounding for people (report/display)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


def decimal_of(fraction: Fraction) -> Decimal:
    """A fraction to 28 significant digits."""
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)
