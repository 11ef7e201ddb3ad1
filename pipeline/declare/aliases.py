"""The alias file of an office, data/raw/unit_aliases.csv: what a name that no list knows means, a line for each.

An alias speaks only where the written name itself means no unit on that day: a declared name is never overruled.
Not here: spellings known everywhere (unit_aliases.csv of this package: units.py), keeping the file (warehouse/aliases).
"""

from __future__ import annotations

import csv
import difflib
import io
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipeline.declare.text import Text, fold
from pipeline.declare.units import ALWAYS, FOREVER, propose, units
from pipeline.errors import DeclarationError

FILE = "unit_aliases.csv"
REQUIRED = ("written", "unit_id")
COLUMNS = (*REQUIRED, "source", "from", "to", "note")
DAYS = ("%Y-%m-%d", "%d/%m/%Y")


@dataclass(frozen=True)
class Alias:
    """written: folded. source: null for every source. first, last: days of receipt for which it holds."""

    line: int
    written: str
    unit_id: str
    source: str | None
    first: date
    last: date

    def meets(self, other: Alias) -> bool:
        """Whether both may speak of one row."""
        same = (self.written, self.source) == (other.written, other.source)
        return same and self.first <= other.last and other.first <= self.last


def read_aliases(path: Path) -> tuple[Alias, ...]:
    """The lines of an alias file, those of one source first. Raises DeclarationError with file, line and key."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(1, "written", Text("tệp CSV mã UTF-8", "a CSV file in UTF-8"), "?") from None
    head = text.splitlines()[0] if text.strip() else ""
    rows = list(csv.reader(io.StringIO(text), delimiter=";" if ";" in head else ","))
    columns = [name.strip().lower() for name in rows[0]] if rows else []
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or len(set(columns)) < len(columns) or not set(REQUIRED) <= set(columns):
        raise _wrong(1, "written", Text(",".join(COLUMNS), ",".join(COLUMNS)), ",".join(columns))
    found: list[Alias] = []
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(columns):
            what = Text(f"{len(columns)} ô", f"{len(columns)} cells")
            raise _wrong(number, "written", what, str(len(row)))
        alias = _alias(number, {name: cell.strip() for name, cell in zip(columns, row, strict=False)})
        if twin := next((a for a in found if a.meets(alias) and a.unit_id != alias.unit_id), None):
            what = Text(f"một đơn vị cho một tên (dòng {twin.line})", f"one unit for a name (line {twin.line})")
            raise _wrong(number, "unit_id", what, alias.unit_id)
        found.append(alias)
    return tuple(sorted(found, key=lambda a: (a.source is None, a.line)))


def check_unit(unit_id: str, line: int = 0) -> None:
    """Raises DeclarationError where dossiers cannot belong to such a unit."""
    unit = units().get(unit_id)
    if unit is None or not unit.reports:
        reporting = [u.unit_id for u in units().values() if u.reports]
        near = [units()[i] for i in difflib.get_close_matches(unit_id, reporting, n=2, cutoff=0.6)] + propose(unit_id)
        words = "; ".join(dict.fromkeys(f"{u.unit_id} ({u.name})" for u in near))
        what = Text(
            f"unit_id của đơn vị có hồ sơ riêng (motcua units){words and f', ví dụ {words}'}",
            f"the unit_id of a unit with dossiers of its own (motcua units){words and f', e.g. {words}'}",
        )
        raise _wrong(line, "unit_id", what, unit_id)


def _alias(line: int, row: dict[str, str]) -> Alias:
    written = fold(row["written"])
    if not written:
        raise _wrong(
            line, "written", Text("tên đơn vị như trong tệp", "the unit as the file writes it"), row["written"]
        )
    check_unit(row.get("unit_id", ""), line)
    unit = units()[row["unit_id"]]
    first = _day(line, "from", row.get("from", "")) or ALWAYS
    last = _day(line, "to", row.get("to", "")) or FOREVER
    if first > last:
        what = Text(f"từ {first:%d/%m/%Y} trở đi", f"{first:%d/%m/%Y} or later")
        raise _wrong(line, "to", what, row["to"])
    return Alias(line, written, unit.unit_id, row.get("source") or None, first, last)


def _day(line: int, key: str, written: str) -> date | None:
    for form in DAYS if written else ():
        try:
            return datetime.strptime(written, form).date()
        except ValueError:
            continue
    if written:
        raise _wrong(line, key, Text("ngày: 01/07/2025 hoặc 2025-07-01", "a day: 01/07/2025 or 2025-07-01"), written)
    return None


def _wrong(line: int, key: str, expected: Text, found: str) -> DeclarationError:
    return DeclarationError(
        Text(f"Khai báo “{key}” không dùng được.", f"The declaration of “{key}” cannot be used."),
        where=f"{FILE}:{line}" if line else FILE,
        expected=expected,
        found=Text(found[:80], found[:80]),
        todo=Text("Sửa dòng này rồi chạy lại.", "Mend this line and run again."),
    )
