"""What the title rows above a table say: the span it covers, its extent, when it was exported. From titles.toml."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from pipeline.declare.text import declared

DAY = r"(\d{1,2}[/.-]\d{1,2}[/.-]\d{4})"
TIME = r"(\d{1,2}[/.-]\d{1,2}[/.-]\d{4}(?:[ ,]+(?:lúc\s+)?\d{1,2}:\d{2}(?::\d{2})?)?|\d{1,2}:\d{2}(?::\d{2})?\s+(?:ngày\s+)?\d{1,2}[/.-]\d{1,2}[/.-]\d{4})"


@dataclass(frozen=True)
class Title:
    """Null where the titles do not say."""

    extent: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    exported_at: datetime | None = None


@cache
def _patterns(kind: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(p.replace("{d}", DAY).replace("{t}", TIME)) for p in declared("titles.toml")[kind])


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
    span = next((m for p in _patterns("span") if (m := p.search(text))), None)
    stock = next((m for p in _patterns("open_at") if (m := p.search(text))), None)
    export = next((m for p in _patterns("exported_at") if (m := p.search(text))), None)
    exported_at = _moment(export[1]) if export else None
    if span:
        first, last = _day(span[1]), _day(span[2])
        if first and last and first <= last:
            return Title(None, first, last, exported_at)
    if stock and (day := _day(stock[1])):
        return Title("open_at", day, day, exported_at)
    return Title(exported_at=exported_at)
