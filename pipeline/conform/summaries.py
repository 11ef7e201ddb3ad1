"""Summaries: a table with a row per unit (and per field) → reported figures, or the reason why a row does not count.

Every row of the table ends as figures, or set aside with a reason; totals and subtotals are set aside and their
figures kept, to verify the sums. Not here: which unit a name means, what the registers say (warehouse/reported).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

import polars as pl

from pipeline.conform.cells import LONG_NUMBER, OWN_WORDS
from pipeline.conform.headers import Header
from pipeline.conform.keyed_hash import hash_of
from pipeline.conform.rows import SET_ASIDE_SCHEMA
from pipeline.conform.shapes import LONGEST_COUNT, count_of, is_numbering, is_total, percent_of
from pipeline.conform.unit_names import UnitNames
from pipeline.declare.procedures import known_fields
from pipeline.declare.reported import groups, reported
from pipeline.declare.text import Text, fold, shape
from pipeline.declare.units import known_spelling, split_name
from pipeline.read.grids import Grid

NOTHING = ("", "-", "–", "—", "null", "n/a", "x")
HARMLESS = re.compile(r"-?[\d.,\s]{1,15}%?")  # what may be shown of a figure that cannot be read
SECTION = re.compile(r"(?:[IVX]{1,5}|[A-ZĐ])[.)]?")  # the number of a section row: I, II, A, B
LONGEST_FIELD = 100

# role: unit (counts), total, subtotal (verify the sums), rejected (a row of a unit, its figures unknown: without it a
# sum over fields would be too small). section: the declared group that a field stands under. value: a count, or a
# percentage in percent; null: the cell says nothing. decimals: those printed of a percentage. unit and field as kept;
# both null: of the whole table.
REPORTED_SCHEMA = {
    "sheet": pl.String,
    "row": pl.Int64,
    "role": pl.String,
    "unit": pl.String,
    "field": pl.String,
    "section": pl.String,
    "first_day": pl.Date,
    "last_day": pl.Date,
    "measure": pl.String,
    "value": pl.Decimal(18, 6),
    "decimals": pl.Int32,
}
Figures = dict[str, tuple[Decimal | None, int | None]]


@dataclass
class Row:
    number: int
    role: str
    unit: str | None
    field: str | None
    section: str | None
    figures: Figures


@dataclass
class Summary:
    """One table. rows_in = rows that count + rows set aside (notices are in both)."""

    rows: list[Row] = field(default_factory=list)
    aside: list[tuple[object, ...]] = field(default_factory=list)
    rows_in: int = 0
    accepted: int = 0

    def set_aside(self, sheet: str | None, row: int, verdict: str, reason: str, *rest: str | None) -> None:
        column, expected, found = (*rest, None, None, None)[:3]
        self.aside.append((sheet, row, verdict, reason, column, expected, found))


@dataclass
class Above:
    """What stands above a row that names a field alone: the unit that it is of, as written, and the declared group.
    own: the table's own unit. numbered: whether Roman numbers and letters number groups, not units."""

    own: str | None
    numbered: bool
    unit: str | None = None
    group: str | None = None

    def name_unit(self, name: str) -> None:
        self.unit, self.group = name, None

    def name_group(self, name: str, ordinal: str) -> None:
        """A row that stands above others. A name that nobody declared is somebody's all the same: the rows below are
        not those of the unit before."""
        if fold(name) in groups():
            self.unit, self.group = self.own, groups()[fold(name)]
        elif _field(name):  # with a number of the groups it ends the unit before; else nothing arose in that field
            self.unit, self.group = (self.own, None) if SECTION.fullmatch(ordinal) else (self.unit, self.group)
        elif name and not is_total(name):
            self.name_unit(name)


def conform_summary(grid: Grid, header: Header, names: UnitNames, unit: str | None) -> Summary:
    """Reads a table. unit: whose figures they are where no row says it."""
    table = Summary()
    rows = list(_rows(grid, header))
    above = Above(unit, names.source.units != "from_file" and _numbers_groups(rows, header), unit)
    for number, cells in rows:
        table.rows_in += 1
        texts = _texts(cells, header)
        reason = _no_figures(cells, texts, header)
        if reason:
            table.set_aside(grid.sheet, number, "excluded", reason)
            if reason == "section_row":
                above.name_group(texts.get("unit") or texts.get("field") or "", texts.get("ordinal", ""))
            continue
        row = _row(number, texts, above, names)
        figures, faults = _figures(texts)
        if faults:
            for column, found in faults:
                expected = Text("số đếm, ví dụ 1.234", "a count, e.g. 1.234")
                table.set_aside(grid.sheet, number, "rejected", "not_read", column, str(expected), found)
            if row and row.role == "unit":
                table.rows.append(_unknown(row, figures.keys() | dict(faults).keys()))
            continue
        if row is None:
            table.set_aside(grid.sheet, number, "rejected", "missing", "unit")
            continue
        row.figures = figures
        table.rows.append(row)
        if row.role != "unit":
            table.set_aside(grid.sheet, number, "excluded", f"{row.role}_row")
    _settle_repeats(table, grid.sheet)
    table.accepted = sum(1 for row in table.rows if row.role == "unit")
    return table


def frame_of(table: Summary, sheet: str | None, span: tuple[date, date]) -> pl.DataFrame:
    """The figures of a table as rows of REPORTED_SCHEMA; a row whose cells are all empty has one with a null measure."""
    found = []
    for row in table.rows:
        about = (sheet, row.number, row.role, row.unit, row.field, row.section, *span)
        found += [(*about, name, *figure) for name, figure in row.figures.items()] or [(*about, None, None, None)]
    return pl.DataFrame(found, schema=REPORTED_SCHEMA, orient="row")


def aside_of(table: Summary) -> pl.DataFrame:
    return pl.DataFrame(table.aside, schema=SET_ASIDE_SCHEMA, orient="row")


def _rows(grid: Grid, header: Header) -> Iterator[tuple[int, list[str]]]:
    """(row number, cells) of every row below the header that has something in it."""
    for frame in grid.batches(header.row + 1):
        cells = [c for c in frame.columns if c not in ("row", "surplus")]
        for number, *texts in frame.select("row", *cells).iter_rows():
            found = [" ".join((text or "").split()) for text in texts]
            if any(found):
                yield number, found


def _texts(cells: list[str], header: Header) -> dict[str, str]:
    return {c: cells[i].strip() for c, i in header.places.items() if i < len(cells)}


def _numbers_groups(rows: list[tuple[int, list[str]]], header: Header) -> bool:
    """Whether Roman numbers and letters stand for groups: some other row with figures has another number, or none."""
    for _, cells in rows:
        texts = _texts(cells, header)
        words = [texts.get(c, "") for c in ("unit", "field", "ordinal")]
        if not (
            SECTION.fullmatch(words[2])
            or any(map(is_total, words))
            or not _name(texts)
            or _no_figures(cells, texts, header)
        ):
            return True
    return False


def _no_figures(cells: list[str], texts: dict[str, str], header: Header) -> str | None:
    """Why a row holds no figures at all: column numbers, the header again, a section, a note or signature."""
    if is_numbering(cells):
        return "numbering_row"
    written = {c: fold(words) for c, words in header.written.items()}
    if sum(1 for c, text in texts.items() if text and fold(text) == written[c]) >= 2:
        return "header_row"
    figures = [text for name, text in texts.items() if text and name in reported()]
    if not figures:
        return "section_row" if _name(texts) else "note_row"
    readable = any(_harmless(text) or text.lower() in NOTHING for text in figures)
    return None if readable or known_spelling(_name(texts)) else "note_row"


def _name(texts: dict[str, str]) -> str:
    return texts.get("unit") or texts.get("field") or texts.get("unit_code") or texts.get("ordinal") or ""


def _harmless(text: str) -> bool:
    """Whether the text of a figure may be shown: a long run of digits may be a person's."""
    return HARMLESS.fullmatch(text) is not None and not re.search(LONG_NUMBER, text)


def _is_count(count: int, text: str) -> bool:
    """Whether a number can be a count: one with a nought before many digits is a telephone, an identity card."""
    digits = re.sub(r"\D", "", text)
    return count < 10**LONGEST_COUNT and not (digits[0] == "0" and len(digits) > LONGEST_COUNT)


def _figures(texts: dict[str, str]) -> tuple[Figures, list[tuple[str, str]]]:
    """(measure → value and printed decimals; null where the cell says nothing), and what cannot be read."""
    figures: Figures = {}
    faults = []
    for name, text in texts.items():
        if name not in reported():
            continue
        if text.lower() in NOTHING:
            figures[name] = (None, None)
        elif reported()[name].kind == "count":
            count = count_of(text)
            if count is not None and _is_count(count, text):
                figures[name] = (Decimal(count), None)
            else:
                faults.append((name, text if _harmless(text) else shape(text)))
        else:
            percent = percent_of(text)
            if percent is None or percent[0] >= 10**6:
                faults.append((name, text if _harmless(text) else shape(text)))
            else:
                value, decimals = percent
                figures[name] = (Decimal(value.numerator) / Decimal(value.denominator), decimals)
    return figures, faults


def _row(number: int, texts: dict[str, str], above: Above, names: UnitNames) -> Row | None:
    """What a row with figures is about; None where nothing says whose they are. Tells `above` of the unit it names."""
    unit, of_field, code, ordinal = (texts.get(c, "") for c in ("unit", "field", "unit_code", "ordinal"))
    if any(is_total(words) and not _field(words) for words in (unit, of_field, ordinal)):
        return Row(number, "total", above.own and kept_unit(above.own, names), None, None, {})
    name = unit or of_field
    if fold(name) in groups() or (above.numbered and SECTION.fullmatch(ordinal) and not _named(name)):
        above.name_group(name, ordinal)
        return Row(number, "subtotal", None, None, None, {})
    if unit and of_field:
        above.unit = unit
        return _of_field(number, unit, of_field, above, names)
    if name and not _is_unit(name) and (of_field or _field(name)):
        return _of_field(number, above.unit, name, above, names) if above.unit else None
    if name or code:
        above.name_unit(code if unit and not known_spelling(unit) and known_spelling(code) else name or code)
        return Row(number, "unit", kept_unit(above.unit or "", names), None, None, {})
    # in a table with a column of names, figures without one may be anybody's
    nameless = not {"unit", "field", "unit_code"} & texts.keys()
    return Row(number, "unit", kept_unit(above.unit, names), None, None, {}) if above.unit and nameless else None


def _of_field(number: int, unit: str, name: str, above: Above, names: UnitNames) -> Row:
    return Row(number, "unit", kept_unit(unit, names), _own_field(name, names), above.group, {})


def _unknown(row: Row, measures: Iterable[str]) -> Row:
    """A rejected row: that it was there is known, and none of its figures."""
    return replace(row, role="rejected", figures=dict.fromkeys(measures, (None, None)))


def kept_unit(text: str, names: UnitNames) -> str:
    if names.source.units == "from_file" and re.fullmatch(OWN_NAME, text) and not re.search(LONG_NUMBER, text):
        return text
    return names.kept(text)


def _field(name: str) -> str | None:
    return known_fields().get(fold(name))


def _named(name: str) -> bool:
    """Whether the text is the name of one unit or field, known or not, and not of a group of them."""
    return known_spelling(name) or _field(name) is not None or split_name(name)[0] is not None


def _is_unit(name: str) -> bool:
    """Whether the text is a unit's name, or has the type word of one and is no known field."""
    return known_spelling(name) or (_field(name) is None and split_name(name)[0] is not None)


def _own_field(name: str, names: UnitNames) -> str:
    """A field as the national list spells it. Of any other text only its hash and shape: somebody's name may stand
    there; as the office spells it only where the source brings names of its own and it can be one."""
    if known := _field(name):
        return known
    name = unicodedata.normalize("NFC", name)
    own = len(name) <= LONGEST_FIELD and re.fullmatch(OWN_NAME, name) and not re.search(LONG_NUMBER, name)
    if own and names.source.procedures == "from_file":
        return name
    plain = fold(name).title() or name  # one field, however its letters are written
    return f"#{hash_of(f'field {plain}', names.key)} {shape(plain)}"


# `OWN_WORDS` is written for DuckDB; Python's re has no classes of Unicode letters
OWN_NAME = OWN_WORDS.replace(r"\p{L}\p{M}\d", r"\w\u0300-\u036f")


def _settle_repeats(table: Summary, sheet: str | None) -> None:
    """The same unit, group and field twice: one of identical rows counts, of different ones none."""
    seen: dict[tuple[str | None, str | None, str | None], list[Row]] = {}
    for row in table.rows:
        if row.role == "unit":
            seen.setdefault((row.unit, row.section, row.field), []).append(row)
    settled: dict[int, Row | None] = {}  # row's number → what stays of it
    for rows in seen.values():
        if len(rows) == 1:
            continue
        same = all(row.figures == rows[0].figures for row in rows)
        for row in rows[same:]:
            if same:
                settled[row.number] = None
                table.set_aside(sheet, row.number, "excluded", "duplicate_row", "unit")
            else:
                settled[row.number] = _unknown(row, row.figures)
                table.set_aside(sheet, row.number, "rejected", "conflicting_figures", "unit")
    stays = (settled.get(row.number, row) for row in table.rows)
    table.rows = [row for row in stays if row is not None]
