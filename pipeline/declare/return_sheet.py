"""The marks by which a sheet of a return is known again, however it was saved: writer and reader share them.

    motcua/return/investment/2023-Q3/466-all | 31/12/2000 | 1234.5     the mark, and how a day and a number are written
    #line  #name  …  #planned  #planned~                     the codes of the columns, below their headings

Not here: the look of the sheet (report/templates), reading it (conform/returns).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

PREFIX = "motcua/return/"
MARK = re.compile(rf"\s*{PREFIX}(?P<id>\w+)/(?P<period>[\w:-]+)/(?P<area>[^/\s]*)\s*")
HELP_MARK = "motcua/help"
PROBE, DAY_PROBE = 1234.5, date(2000, 12, 31)  # known, so that how they come back tells how the file writes
TAG = "#"
LINE, UNIT, NAME = "line", "unit", "name"
ABOUT = "~"  # behind a measure's code: how exact it is
TOTAL = "total"  # key of the row of sums, of a return whose rows are units
UNIT_LABEL = "Đơn vị báo cáo"
PERIOD_LABEL = "Kỳ báo cáo"
DAY_LABEL = "Ngày lập"


@dataclass(frozen=True)
class Mark:
    """What a sheet says of itself. area: unit_id of the unit, or of the sum whose units are the rows; "" where the
    source brings its units itself."""

    return_id: str
    period: str
    area: str

    @property
    def text(self) -> str:
        return f"{PREFIX}{self.return_id}/{self.period}/{self.area}"


def mark_in(text: str) -> Mark | None:
    found = MARK.fullmatch(text)
    return Mark(found["id"], found["period"], found["area"]) if found else None


def letters(index: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name
