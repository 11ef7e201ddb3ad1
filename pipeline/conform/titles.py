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
from pipeline.declare.text import declared
from pipeline.declare.units import known_spelling
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
        unit=_unit("\n".join(c for row in rows for c in row if c.strip())),
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


def _unit(text: str) -> str | None:
    """The unit that a title names: after "Đơn vị báo cáo:", else the last line that is one (its superior stands above)."""
    text = unicodedata.normalize("NFC", text)
    for pattern in _patterns("unit"):
        named = [m[1].strip() for m in re.finditer(pattern.pattern, text, re.MULTILINE | re.IGNORECASE)]
        known = [name for name in named if known_spelling(name)]
        if known:
            return known[-1]
    return None


def _period(text: str) -> Period | None:
    text = re.sub(r"ngày\s+\d{1,2}\s+tháng\s+\d{1,2}\s+năm\s+\d{4}", "", text)  # a day, no month
    for part, pattern in declared("titles.toml")["period"].items():
        if found := re.search(pattern, text):
            n = found.groupdict().get("n") or "0"
            number = {"i": 1, "ii": 2, "iii": 3, "iv": 4}.get(n) or int(n)
            try:
                return parse_period(f"{found['year']}-{part.format(n=number)}".rstrip("-"))
            except WrongUse:
                continue
    return None
