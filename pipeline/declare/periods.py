"""Reporting periods: schemes, kinds, names, from and to. DESIGN §4.10; Decree 09/2019 Article 12 for `nd09`.

Not here: how far data reaches into a period (warehouse/sql/period_unit).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from pipeline.declare.text import Text, declared, text_of
from pipeline.errors import WrongUse

YEARS = range(1990, 2100)


@dataclass(frozen=True)
class Scheme:
    """A way of cutting the year. Month m starts on `first_day` of the month `months_before` earlier."""

    name: str
    first_day: int
    months_before: int
    label: Text
    source: str

    def month_start(self, year: int, month: int) -> date:
        """First day of the scheme's month; `month` may run past 12."""
        index = year * 12 + month - 1 - self.months_before
        return date(index // 12, index % 12 + 1, self.first_day)


@dataclass(frozen=True, order=True)
class Period:
    """A reporting period; `start` and `end` are both inside it."""

    start: date
    end: date
    key: str
    scheme: str
    kind: str
    label: Text

    def __str__(self) -> str:
        return self.key


@cache
def schemes() -> dict[str, Scheme]:
    return {
        name: Scheme(name, node["first_day"], node["months_before"], text_of(node), node["source"])
        for name, node in declared("periods.toml")["scheme"].items()
    }


def default_scheme() -> str:
    return str(declared("periods.toml")["default"])


@cache
def period(scheme: str, year: int, part: str) -> Period:
    """The period of a scheme, year and part ("M09", "Q3", "H1", "9M", "" for the year)."""
    rule = schemes()[scheme]
    for kind in declared("periods.toml")["kind"]:
        if part in kind["keys"]:
            n = kind["keys"].index(part)
            start = rule.month_start(year, 1 + n * kind["step"])
            end = rule.month_start(year, 1 + n * kind["step"] + kind["months"]) - timedelta(days=1)
            words = {
                "n": n + 1,
                "year": year,
                "roman": ("I", "II", "III", "IV")[n % 4],
                "half_vi": ("đầu", "cuối")[n % 2],
            }
            label = Text(kind["vi"].format(**words), kind["en"].format(**words))
            prefix = "" if scheme == default_scheme() else f"{scheme}:"
            return Period(start, end, prefix + str(year) + (f"-{part}" if part else ""), scheme, kind["name"], label)
    raise KeyError(part)


def earlier(one: Period) -> Period:
    """The period of the same kind and scheme before it: of a quarter the quarter before, of nine months and of a year
    those a year earlier."""
    return _shifted(one, -1)


def a_year_earlier(one: Period) -> Period:
    """The same part of the year before."""
    keys = _kind(one.kind)["keys"]
    return _shifted(one, -len(keys))


def _shifted(one: Period, places: int) -> Period:
    year, _, part = one.key.rpartition(":")[2].partition("-")
    keys = _kind(one.kind)["keys"]
    years, index = divmod(keys.index(part) + places, len(keys))
    return period(one.scheme, int(year) + years, keys[index])


def _kind(name: str) -> dict[str, Any]:
    return next(kind for kind in declared("periods.toml")["kind"] if kind["name"] == name)


def parse_period(words: str) -> Period:
    """`2023-M09`, `2023-Q3`, `2023-H1`, `2023-9M`, `2023`; another scheme in front: `calendar:2023-Q3`."""
    fits = re.fullmatch(r"(?:([A-Za-z][A-Za-z0-9_]*):)?(\d{4})(?:-([A-Za-z0-9]{2,3}))?", words.strip())
    if fits:
        scheme, year, part = (fits[1] or default_scheme()).lower(), int(fits[2]), (fits[3] or "").upper()
        if scheme in schemes() and year in YEARS and any(part in k["keys"] for k in declared("periods.toml")["kind"]):
            return period(scheme, year, part)
    known = ", ".join(schemes())
    raise WrongUse(
        Text(f"Không hiểu kỳ báo cáo “{words[:40]}”.", f"Period “{words[:40]}” is not understood."),
        expected=Text(
            f"2023-M09, 2023-Q3, 2023-H1, 2023-9M hoặc 2023; cách chia khác viết trước: calendar:2023-Q3 (có: {known})",
            f"2023-M09, 2023-Q3, 2023-H1, 2023-9M or 2023; another scheme in front: calendar:2023-Q3 (known: {known})",
        ),
    )


def parse_periods(words: str) -> list[Period]:
    """One period, or a range of periods of one kind and scheme: `2022-Q1..2023-Q4`."""
    first_words, dots, last_words = words.partition("..")
    first = parse_period(first_words)
    if not dots:
        return [first]
    last = parse_period(last_words)
    if (first.scheme, first.kind) != (last.scheme, last.kind) or first.start > last.start:
        raise WrongUse(
            Text(f"Khoảng kỳ “{words[:60]}” không hợp lệ.", f"The range “{words[:60]}” is not valid."),
            expected=Text(
                "hai kỳ cùng loại, cùng cách chia, kỳ đầu trước kỳ cuối: 2022-Q1..2023-Q4",
                "two periods of one kind and scheme, the earlier first: 2022-Q1..2023-Q4",
            ),
        )
    return [
        p for p in all_periods(first.start, last.end, first.scheme) if p.kind == first.kind and p.start >= first.start
    ]


def all_periods(first_day: date, last_day: date, *only: str) -> Iterator[Period]:
    """Every period of every kind (of the named schemes) that shares a day with the span, by scheme and start."""
    for scheme in only or tuple(schemes()):
        for year in range(first_day.year - 1, last_day.year + 2):
            for kind in declared("periods.toml")["kind"]:
                for part in kind["keys"]:
                    found = period(scheme, year, part)
                    if found.start <= last_day and found.end >= first_day:
                        yield found
