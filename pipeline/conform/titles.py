"""What the title rows above a table say: whose it is, the span it covers, its extent, when it was exported.

The patterns stand in titles.toml. Not here: what a source.toml says instead.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache

from pipeline.declare.periods import Period, parse_period
from pipeline.declare.text import declared, fold
from pipeline.declare.units import known_spelling, split_name
from pipeline.errors import WrongUse

DAY = r"(\d{1,2}[/.-]\d{1,2}[/.-]\d{4})"
TIME = r"(\d{1,2}[/.-]\d{1,2}[/.-]\d{4}(?:[ ,]+(?:lúc\s+)?\d{1,2}:\d{2}(?::\d{2})?)?|\d{1,2}:\d{2}(?::\d{2})?\s+(?:ngày\s+)?\d{1,2}[/.-]\d{1,2}[/.-]\d{4})"


@dataclass(frozen=True)
class Title:
    """Null where the titles do not say."""

    extent: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    exported_at: datetime | None = None
    unit: str | None = None
    period: Period | None = None

    @property
    def span(self) -> tuple[date, date] | None:
        """The days of a summary: those it gives, else those of the period it names."""
        if self.first_day and self.last_day and self.extent != "open_at":
            return self.first_day, self.last_day
        return (self.period.start, self.period.end) if self.period else None


@cache
def _patterns(kind: str) -> tuple[re.Pattern[str], ...]:
    return tuple(
        re.compile(p.replace("{d}", DAY).replace("{t}", TIME), re.MULTILINE) for p in declared("titles.toml")[kind]
    )


def _day(words: str) -> date | None:
    day, month, year = (int(n) for n in re.split(r"[/.-]", words))
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _moment(words: str) -> datetime | None:
    day = _day(re.search(DAY, words)[1])  # ty: ignore[not-subscriptable]  # the pattern that found it holds a day
    clock = re.search(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", words)
    if day is None:
        return None
    # a day without a time means its end: what happened on that day was known when it ended
    hour, minute, second = (int(n or 0) for n in clock.groups()) if clock else (23, 59, 59)
    try:
        return datetime(day.year, day.month, day.day, hour, minute, second)
    except ValueError:
        return None


def read_title(rows: list[list[str]]) -> Title:
    """The facts in the rows above the header; the first pattern that fits wins."""
    text = "\n".join(" ".join(c.strip() for c in row if c.strip()) for row in rows)
    text = unicodedata.normalize("NFC", text).lower()
    export = next((m for p in _patterns("exported_at") if (m := p.search(text))), None)
    found = Title(
        exported_at=_moment(export[1]) if export else None,
        unit=_unit([c for row in rows for c in row if c.strip()]),
        period=_period(text),
    )
    span = next((m for p in _patterns("span") if (m := p.search(text))), None)
    if span:
        first, last = _day(span[1]), _day(span[2])
        if first and last and first <= last:
            extents = (kind for kind in ("delta", "received_in") if any(p.search(text) for p in _patterns(kind)))
            return replace(found, extent=next(extents, None), first_day=first, last_day=last)
    stock = next((m for p in _patterns("open_at") if (m := p.search(text))), None)
    if stock and (day := _day(stock[1])):
        return replace(found, extent="open_at", first_day=day, last_day=day)
    return found


def _unit(lines: list[str]) -> str | None:
    """The unit that titles name: after "Đơn vị báo cáo:", else the lowest of those named anywhere in them (a superior
    stands above); None where two units of one level are named."""
    lines = [" ".join(unicodedata.normalize("NFC", line).split()) for line in lines]
    text = "\n".join(lines)
    for pattern in _patterns("unit"):
        named = [m[1].strip() for m in re.finditer(pattern.pattern, text, re.MULTILINE | re.IGNORECASE)]
        known = [name for name in named if known_spelling(name) and split_name(name)[0]]
        if known:
            return known[-1]
    named = {split_name(name): name for line in lines for name in _names_in(line)}
    for level in (COMMUNES, DISTRICTS):
        found = [name for (kind, _), name in named.items() if kind in level]
        if found:
            return found[0] if len(found) == 1 else None
    return None


COMMUNES = ("xa", "phuong", "thi tran", "dac khu")
DISTRICTS = ("huyen", "thi xa", "thanh pho")
LONGEST_PLACE = 6  # words of a unit's name with its kind


def _names_in(line: str) -> list[str]:
    """Names of known units, with their kinds, anywhere in a line; the whole line as it stands where it is one."""
    if known_spelling(line) and split_name(line)[0]:
        return [line]
    words = fold(line).split()
    found = []
    for start in range(len(words)):
        for end in range(min(len(words), start + LONGEST_PLACE), start + 1, -1):
            name = " ".join(words[start:end])
            if words[start] in FIRST_WORDS and split_name(name)[0] and known_spelling(name):
                found.append(name)
                break
    return found


FIRST_WORDS = frozenset(kind.split()[0] for kind in (*COMMUNES, *DISTRICTS, "tt", "tx", "tp"))


def _period(text: str) -> Period | None:
    """The one period that titles name; None where they name none, or several."""
    for pattern in _patterns("not_a_period"):
        text = pattern.sub("", text)
    found: dict[str, Period] = {}
    for part, pattern in declared("titles.toml")["period"].items():
        for named in re.finditer(pattern, text):
            n = named.groupdict().get("n") or "0"
            number = {"i": 1, "ii": 2, "iii": 3, "iv": 4}.get(n) or int(n)
            try:
                period = parse_period(f"{named['year']}-{part.format(n=number)}".rstrip("-"))
            except WrongUse:
                continue
            found[period.key] = period
        text = re.sub(pattern, "", text)  # "quý iii năm 2023" names no year beside
    return next(iter(found.values())) if len(found) == 1 else None
