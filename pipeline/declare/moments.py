"""Moments as people write them: a day, or a day and an hour, on the offices' wall clock.

Not here: dates inside files (conform/), the clock of the record itself, which is UTC.
"""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from pipeline.declare.text import Text
from pipeline.errors import WrongUse

HOME_ZONE = "Asia/Ho_Chi_Minh"
FORMS = ("%Y-%m-%d", "%d/%m/%Y")


def parse_moment(words: str) -> datetime:
    """`2023-09-15` or `15/09/2023` (its last instant), `2023-09-15 08:30`, `2023-09-15T08:30:00+07:00`; a moment without
    zone is local. Returned local and without zone, as `known_at` is kept. Raises WrongUse."""
    plain = " ".join(words.split())
    for form in FORMS:
        try:
            return datetime.combine(datetime.strptime(plain, form), time.max)
        except ValueError:
            continue
    try:
        return datetime.combine(date.fromisoformat(plain), time.max)  # a day however it is written: 20230915 too
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(plain)
        return found.astimezone(ZoneInfo(HOME_ZONE)).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):  # an hour of the year 1 or 9999 may be in no year elsewhere
        raise WrongUse(
            Text(f"Không hiểu thời điểm “{words[:40]}”.", f"The moment “{words[:40]}” is not understood."),
            expected=Text(
                "2023-09-15 (hết ngày ấy), 15/09/2023, hoặc 2023-09-15 08:30",
                "2023-09-15 (the end of that day), 15/09/2023, or 2023-09-15 08:30",
            ),
        ) from None
