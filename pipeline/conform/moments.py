"""Text of a date, with or without a time → SQL of the local wall clock. Not here: which columns are dates, their range."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from pipeline.conform.cells import literal
from pipeline.declare.sources import Source

WITH_OFFSET = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)"
HALF_DAYS = "AM|PM|SA|CH"  # of a twelve-hour clock; SA and CH where Windows speaks Vietnamese
TWELVE_HOURS = "['%d/%m/%Y %I:%M:%S %p', '%d/%m/%Y %I:%M %p', '%d-%m-%Y %I:%M:%S %p']"
TO_THE_END_OF_ITS_DAY = ("due_at", "extended_due_at")
# Days on which day, month and year cannot be taken for each other unless a format does so.
TRIED = [datetime(2003, 2, 1, 4, 5, 6), datetime(2011, 10, 9, 8, 7), datetime(2024, 12, 11), datetime(1999, 12, 31, 23)]


def moment_sql(name: str, source: Source, told: str | None) -> str:
    """Local wall-clock time, null where the text is none. Text with an offset or Z is turned to the source's zone; an Excel
    serial is a day count. told: a text of the column, whose format most others will have too."""
    formats = "[" + ", ".join(map(literal, source.date_formats)) + "]"
    zone = literal(source.time_zone)
    ways = [f"try_strptime({name}, {formats})"]
    if first := _format_of(told, source.date_formats):
        ways.insert(0, f"try_strptime({name}, {literal(first)})")  # to try those before it takes many times as long
    parsed = (
        f"coalesce({', '.join(ways)},"
        f" CASE WHEN regexp_full_match({name}, '.* ({HALF_DAYS})')"
        f" THEN try_strptime(replace(replace({name}, ' SA', ' AM'), ' CH', ' PM'), {TWELVE_HOURS})"
        f" WHEN regexp_full_match({name}, '{WITH_OFFSET}')"
        f" THEN timezone({zone}, try_cast({name} AS TIMESTAMPTZ))"
        f" WHEN regexp_full_match({name}, '[2-7]\\d{{4}}(\\.\\d+)?')"
        f" THEN TIMESTAMP '1899-12-30' + to_seconds(round({name}::DOUBLE * 86400)) END)"
    )
    return time_sql(name, source, parsed)


def time_sql(name: str, source: Source, time: str) -> str:
    """The same of a column whose cells are times; time: their SQL."""
    if name in TO_THE_END_OF_ITS_DAY and source.lateness == "timestamp":
        # A due date without a time (a workbook's date cell reads as midnight) runs to the end of its day.
        end = "INTERVAL '86399 seconds'"
        return f"{time} + CASE WHEN {time} = date_trunc('day', {time}) THEN {end} ELSE INTERVAL 0 SECOND END"
    return time


def _format_of(told: str | None, formats: tuple[str, ...]) -> str | None:
    """The format of a text, where it is not the first anyhow and none before it reads such a text as another moment."""
    place = next((n for n, form in enumerate(formats) if told and _read(told, form)), 0)
    return formats[place] if place and _plain(formats[place], formats[:place]) else None


@cache
def _plain(form: str, before: tuple[str, ...]) -> bool:
    texts = [f"{moment:{form}}" for moment in TRIED]
    return all(_read(text, other) in (None, _read(text, form)) for text in texts for other in before)


def _read(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None
