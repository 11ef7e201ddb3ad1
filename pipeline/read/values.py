"""Numbers and times of typed files as the text a person reads: no exponent, no ".0", ISO days. Not here: cells of text."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import polars as pl

ISO = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?")


def plain_number(text: str) -> str:
    """ "1.0E3" → "1000", "0.10" → "0.1"; what is no number stays as it is."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > 400:  # no double is larger; zeros by the million are a trap
        return text
    words = format(number, "f")
    words = words.rstrip("0").rstrip(".") if "." in words else words
    return "0" if words in ("-0", "") else words


def plain_date(text: str) -> str:
    """ "2023-06-15T08:30:00.000" → "2023-06-15 08:30:00"; a day stays a day."""
    found = ISO.fullmatch(text.strip())
    if not found:
        return text
    fraction = (found[3] or "").rstrip("0")
    return f"{found[1]} {found[2]}" + (f".{fraction}" if fraction else "")


def plain_times(times: pl.Series) -> pl.Series:
    """A column of times or days as text; times of a zone with their offset; one that no calendar has as its number."""
    if times.dtype in (pl.Date, pl.Datetime) and (beyond := times.is_not_null() & times.dt.year().is_null()).any():
        return plain_times(times.set(beyond, None)).zip_with(~beyond, times.to_physical().cast(pl.String))
    if not isinstance(times.dtype, pl.Datetime):
        return times.cast(pl.String)
    if not times.dtype.time_zone and not (times.dt.nanosecond() != 0).any():
        return times.dt.strftime("%Y-%m-%d %H:%M:%S")  # whole seconds, as nearly always: half the time
    shown = times.dt.strftime("%Y-%m-%d %H:%M:%S%.f" + ("%:z" if times.dtype.time_zone else ""))
    return shown.str.replace(r"\.0+(?:$|(\+|-))", "$1").str.replace(r"(\.\d*?[1-9])0+(?:$|(\+|-))", "$1$2")
