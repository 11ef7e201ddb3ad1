"""Summaries: a table with a row per unit (and per field) → reported figures, or the reason why a row does not count.

Every row of the table ends as figures, or set aside with a reason; totals and subtotals are set aside and their
figures kept, to verify the sums. Not here: which unit a name means, what the registers say (warehouse/reported).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import polars as pl

from pipeline.conform.headers import Header
from pipeline.conform.rows import LONG_NUMBER, OWN_WORDS, SET_ASIDE_SCHEMA
from pipeline.conform.shapes import count_of, is_numbering, is_total, percent_of
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

# role: unit (counts), total, subtotal (verify the sums). value: a count, or a percentage in percent; null: the cell
# says nothing. decimals: those printed of a percentage. unit and field as kept; both null: of the whole table.
REPORTED_SCHEMA = {
    "sheet": pl.String,
    "row": pl.Int64,
    "role": pl.String,
    "unit": pl.String,
    "field": pl.String,
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


def conform_summary(grid: Grid, header: Header, names: UnitNames, unit: str | None) -> Summary:
    """Reads a table. unit: whose figures they are where no row says it."""
    table = Summary()
    current = None if unit is None else _kept_unit(unit, names)
    for number, cells in _rows(grid, header):
        table.rows_in += 1
        texts = {c: cells[i].strip() for c, i in header.places.items() if i < len(cells)}
        reason = _no_figures(cells, texts, header)
        if reason:
            table.set_aside(grid.sheet, number, "excluded", reason)
            above = texts.get("unit") or texts.get("field") or ""
            if reason == "section_row" and known_spelling(above):
                current = _kept_unit(above, names)
            continue
        figures, faults = _figures(texts)
        if faults:
            for column, found in faults:
                expected = Text("số đếm, ví dụ 1.234", "a count, e.g. 1.234")
                table.set_aside(grid.sheet, number, "rejected", "not_read", column, str(expected), found)
            continue
        row = _row(number, texts, figures, current, names)
        if row is None:
            table.set_aside(grid.sheet, number, "rejected", "missing", "unit")
            continue
        if row.role == "unit":  # rows below that name a field alone are of this unit
            current = row.unit
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
        about = (sheet, row.number, row.role, row.unit, row.field, *span)
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
    readable = any(HARMLESS.fullmatch(text) or text.lower() in NOTHING for text in figures)
    return None if readable or known_spelling(_name(texts)) else "note_row"


def _name(texts: dict[str, str]) -> str:
    return texts.get("unit") or texts.get("field") or texts.get("unit_code") or texts.get("ordinal") or ""


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
            if count is None or count >= 10**12:
                faults.append((name, text if HARMLESS.fullmatch(text) else shape(text)))
            else:
                figures[name] = (Decimal(count), None)
        else:
            percent = percent_of(text)
            if percent is None or percent[0] >= 10**6:
                faults.append((name, text if HARMLESS.fullmatch(text) else shape(text)))
            else:
                value, decimals = percent
                figures[name] = (Decimal(value.numerator) / Decimal(value.denominator), decimals)
    return figures, faults


def _row(number: int, texts: dict[str, str], figures: Figures, current: str | None, names: UnitNames) -> Row | None:
    """What a row with figures is about; None where nothing says whose they are."""
    unit, of_field, code, ordinal = (texts.get(c, "") for c in ("unit", "field", "unit_code", "ordinal"))
    if any(is_total(words) and not _field(words) for words in (unit, of_field, ordinal)):
        return Row(number, "total", current, None, figures)
    name = unit or of_field
    if fold(name) in groups() or (SECTION.fullmatch(ordinal) and not _named(name)):
        return Row(number, "subtotal", None, None, figures)
    if unit and of_field:
        return Row(number, "unit", _kept_unit(unit, names), _own_field(of_field), figures)
    if name and not known_spelling(name) and (of_field or _field(name)):
        return Row(number, "unit", current, _own_field(name), figures) if current else None
    if unit and not known_spelling(unit) and known_spelling(code):
        return Row(number, "unit", _kept_unit(code, names), None, figures)
    if name or code:
        return Row(number, "unit", _kept_unit(name or code, names), None, figures)
    # in a table with a column of names, figures without one may be anybody's
    nameless = not {"unit", "field", "unit_code"} & texts.keys()
    return Row(number, "unit", current, None, figures) if current and nameless else None


def _kept_unit(text: str, names: UnitNames) -> str:
    if names.source.units == "from_file" and re.fullmatch(_LETTERS, text) and not re.search(LONG_NUMBER, text):
        return text
    return names.kept(text)


def _field(name: str) -> str | None:
    return known_fields().get(fold(name))


def _named(name: str) -> bool:
    """Whether the text is the name of one unit or field, known or not, and not of a group of them."""
    return known_spelling(name) or _field(name) is not None or split_name(name)[0] is not None


def _own_field(name: str) -> str:
    """A field as the national list spells it, else as the office does; what cannot be a field's name by its shape."""
    name = unicodedata.normalize("NFC", name)
    own = len(name) <= LONGEST_FIELD and re.fullmatch(_LETTERS, name) and not re.search(LONG_NUMBER, name)
    return _field(name) or (name if own else shape(name))


# `OWN_WORDS` is written for DuckDB; Python's re has no classes of Unicode letters
_LETTERS = OWN_WORDS.replace(r"\p{L}\p{M}\d", r"\w\u0300-\u036f")


def _settle_repeats(table: Summary, sheet: str | None) -> None:
    """The same unit and field twice: one of identical rows counts, of different ones none."""
    seen: dict[tuple[str | None, str | None], list[Row]] = {}
    for row in table.rows:
        if row.role == "unit":
            seen.setdefault((row.unit, row.field), []).append(row)
    for rows in seen.values():
        if len(rows) == 1:
            continue
        same = all(row.figures == rows[0].figures for row in rows)
        for row in rows[same:]:
            table.rows.remove(row)
            if same:
                table.set_aside(sheet, row.number, "excluded", "duplicate_row", "unit")
            else:
                table.set_aside(sheet, row.number, "rejected", "conflicting_figures", "unit")
