"""A sheet of a return → typed rows, or the reason why a row does not count, with the cell's address.

The sheet is known by its own mark, its columns by their codes, so that it may be saved as XLSX, ODS or CSV and its
columns may move. Not here: whether figures fit together (validate/returns), which unit a name means (warehouse/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from pipeline.conform.cells import LONG_NUMBER
from pipeline.conform.return_cells import Figure, Unread, numbers_of, read_cell, read_day, read_qualifier
from pipeline.conform.return_rows import ReturnRow, ReturnSheet, ReturnTable
from pipeline.conform.summaries import OWN_NAME, kept_unit
from pipeline.conform.titles import read_title
from pipeline.conform.unit_names import UnitNames
from pipeline.declare.periods import Period, parse_period
from pipeline.declare.return_sheet import (
    ABOUT,
    DAY_LABEL,
    HELP_MARK,
    LINE,
    NAME,
    PERIOD_LABEL,
    TAG,
    TOTAL,
    UNIT,
    UNIT_LABEL,
    Mark,
    letters,
    mark_in,
)
from pipeline.declare.returns import NO_LINE, OF_LINES, Return, returns
from pipeline.declare.sources import Source
from pipeline.declare.text import Text, fold, shape
from pipeline.declare.units import Unit, split_name, units, units_above
from pipeline.errors import InputRefused, WrongUse
from pipeline.read.grids import Grid


def is_help(grid: Grid) -> bool:
    """Whether a sheet is the one of instructions that comes with every template."""
    return any(cell.strip() == HELP_MARK for row in grid.head[:3] for cell in row)


def marked_sheets(grids: list[Grid], where: str) -> list[ReturnSheet]:
    """The sheets that bear the mark of a return. Raises InputRefused for a mark or codes that were tampered with."""
    best: dict[object, ReturnSheet] = {}
    for grid in grids:
        found = _marked(grid, where)
        # of delimited text each grid is another way to cut the same rows
        key = grid.sheet if grid.delimiter else id(grid)
        if found and (key not in best or len(found.places) > len(best[key].places)):
            best[key] = found
    return list(best.values())


def _marked(grid: Grid, where: str) -> ReturnSheet | None:
    for top, row in enumerate(grid.head):
        for column, text in enumerate(row):
            mark = mark_in(text)
            if mark is None:
                continue
            at = f"{where}{f' › {grid.sheet}' if grid.sheet else ''}, {letters(column)}{grid.first_row + top}"
            declared, period = _declared(mark, at)
            codes, places = _codes(grid, top, declared, at)
            probes = [cell for i, cell in enumerate(row) if i != column]
            return ReturnSheet(grid, mark, declared, period, top, codes, places, numbers_of(probes))
    return None


def _declared(mark: Mark, at: str) -> tuple[Return, Period]:
    declared = returns().get(mark.return_id)
    try:
        period = parse_period(mark.period)
    except WrongUse:
        period = None
    if declared and period and period.kind in declared.periods:
        return declared, period
    raise InputRefused(
        Text("Dấu của biểu đã bị sửa.", "The mark of the return was changed."),
        where=at,
        expected=Text("biểu và kỳ do motcua template ghi", "a return and a period as written by motcua template"),
        todo=Text("Lấy mẫu mới: motcua template", "Take a new template: motcua template"),
    )


def _codes(grid: Grid, top: int, declared: Return, at: str) -> tuple[int, dict[str, int]]:
    key = LINE if declared.rows == OF_LINES else UNIT
    for n, row in enumerate(grid.head[top + 1 :], top + 1):
        places = {cell.strip()[1:]: i for i, cell in enumerate(row) if cell.strip().startswith(TAG)}
        if key in places:
            missing = [name for name in (NAME, *declared.measures) if name not in places]
            if not missing:
                return n, places
            raise _no_codes(at, ", ".join(TAG + name for name in missing))
    raise _no_codes(at, TAG + key)


def _no_codes(at: str, missing: str) -> InputRefused:
    return InputRefused(
        Text("Dòng mã cột của biểu thiếu mã.", "The row of column codes lacks a code."),
        where=at,
        expected=Text(missing, missing),
        todo=Text(
            "Khôi phục dòng mã cột dưới tiêu đề, hoặc chép số sang mẫu mới: motcua template",
            "Restore the row of codes below the headings, or copy the figures to a new template: motcua template",
        ),
    )


# ---- one sheet


def conform_return(sheet: ReturnSheet, names: UnitNames) -> ReturnTable:
    """Reads a sheet. Where its heading contradicts its mark, every row is rejected with the heading's cell."""
    found = ReturnTable(sheet)
    above = _heading_fault(sheet, names.source)
    for number, cells in _rows(sheet):
        found.rows_in += 1
        if above:
            reason, cell, expected, told = above
            found.set_aside(number, "rejected", reason, cell, "", expected, told)
            continue
        _read_row(found, number, cells, names)
    _blank_returns(found)
    if not above:
        _missing_rows(found)
    return found


def _rows(sheet: ReturnSheet) -> Iterator[tuple[int, list[str]]]:
    for frame in sheet.grid.batches(sheet.grid.first_row + sheet.codes + 1):
        cells = [c for c in frame.columns if c not in ("row", "surplus")]
        for number, *texts in frame.select("row", *cells).iter_rows():
            found = [" ".join((text or "").split()) for text in texts]
            if any(found):
                yield number, found


def _heading(sheet: ReturnSheet, label: str) -> tuple[str, int, int] | None:
    """The text behind a label in the rows above the table, and its place: (text, column, row)."""
    for n, row in enumerate(sheet.grid.head[: sheet.codes]):
        for i, cell in enumerate(row):
            if fold(cell).startswith(fold(label)):
                behind = cell.partition(":")[2].strip()
                if behind:
                    return behind, i, sheet.grid.first_row + n
                after = [(text, i + 1 + k) for k, text in enumerate(row[i + 1 :]) if text.strip()]
                place = after[0] if after else ("", min(i + 2, max(len(row) - 1, i + 1)))
                return place[0].strip(), place[1], sheet.grid.first_row + n
    return None


def made_on(sheet: ReturnSheet) -> date | None:
    """The day on which the return was made, where its heading tells it."""
    told = _heading(sheet, DAY_LABEL)
    return read_day(told[0], sheet.numbers) if told else None


def made_after(sheet: ReturnSheet, day: date, where: str) -> InputRefused | None:
    """What is wrong with a return that says it was made after a day: it would go before all that are made till then."""
    told, made = _heading(sheet, DAY_LABEL), made_on(sheet)
    if told is None or made is None or made <= day:
        return None
    name = f" › {sheet.grid.sheet}" if sheet.grid.sheet else ""
    return InputRefused(
        Text("Ngày lập biểu ở tương lai.", "The return's day of making lies ahead."),
        where=f"{where}{name}, {sheet.at(told[1], told[2])}",
        expected=Text(f"đến {day:%d/%m/%Y}", f"{day:%d/%m/%Y} or earlier"),
        found=Text(*(f"{made:%d/%m/%Y}",) * 2),
        todo=Text("Sửa ngày lập rồi nộp lại tệp.", "Mend the day and hand it in again."),
    )


def made_at(made_on: date | None) -> datetime | None:
    """A day means its end: what was written on it was known when it ended."""
    return datetime(made_on.year, made_on.month, made_on.day, 23, 59, 59) if made_on else None


def _heading_fault(sheet: ReturnSheet, source: Source) -> tuple[str, str, Text, str | None] | None:
    """What is wrong above the table: reason, cell, expected, found."""
    told = _heading(sheet, PERIOD_LABEL)
    if told is None or not _names(told[0], sheet.period):
        place = told or ("", 1, sheet.grid.first_row + 1)
        named = read_title([[place[0]]]).period
        return "return_period", sheet.at(place[1], place[2]), sheet.period.label, named.label.vi if named else None
    made = _heading(sheet, DAY_LABEL)
    if made and made[0] and read_day(made[0], sheet.numbers) is None:
        expected = Text("ngày, ví dụ 15/09/2023", "a day, e.g. 15/09/2023")
        return "return_not_read", sheet.at(made[1], made[2]), expected, shape(made[0])
    if sheet.declared.rows == OF_LINES:
        named = _heading(sheet, UNIT_LABEL)
        name, column, row = named or ("", 1, sheet.grid.first_row + 2)
        return _unit_fault(name, sheet.mark.area, sheet.at(column, row), source)
    return None


def _names(text: str, period: Period) -> bool:
    """Whether a heading names the period: its name, and where days stand with it, its days."""
    days = re.findall(r"\d{1,2}/\d{1,2}/\d{4}", text)
    own = [f"{period.start:%d/%m/%Y}", f"{period.end:%d/%m/%Y}"]
    return fold(text).startswith(fold(period.label.vi)) and (not days or days == own)


def _unit_fault(name: str, key: str, cell: str, source: Source) -> tuple[str, str, Text, str | None] | None:
    unit = units().get(key)
    expected = Text(unit.name, unit.name) if unit else Text("tên đơn vị", "a unit's name")
    if not name:
        return "return_unit_missing", cell, expected, None
    if key and unit is None:
        return "return_unit_unknown", cell, Text("mã đơn vị của mẫu", "the template's code of a unit"), shape(key)
    if unit and split_name(name) != split_name(unit.name) and fold(name) != fold(unit.name):
        return "return_unit_unknown", cell, expected, shape(name)
    if source.units == "from_file" and not (re.fullmatch(OWN_NAME, name) and not re.search(LONG_NUMBER, name)):
        return "return_unit_unknown", cell, expected, shape(name)
    return None


def _read_row(found: ReturnTable, number: int, cells: list[str], names: UnitNames) -> None:
    sheet, declared = found.sheet, found.sheet.declared

    def cell(code: str) -> str:
        place = sheet.places.get(code, len(cells))
        return cells[place].strip() if place < len(cells) else ""

    key_code = LINE if declared.rows == OF_LINES else UNIT
    key, name = cell(key_code), cell(NAME)
    filled = [m for m in declared.measures if cell(m)]
    key_at = sheet.at(sheet.places[key_code], number)
    if key == TOTAL and declared.rows != OF_LINES:
        _read_sums(found, number, cell)
        return
    if not key and not filled:
        found.set_aside(number, "excluded", "note_row", key_at)
        return
    if declared.rows == OF_LINES:
        unit, column, row = _heading(sheet, UNIT_LABEL) or ("", 1, sheet.grid.first_row + 2)
        unit_key, unit_cell, line = sheet.mark.area or None, sheet.at(column, row), key
        if key not in declared.lines:
            expected = Text("chỉ các dòng của mẫu", "only the rows of the template")
            found.set_aside(number, "rejected", "return_row_unknown", key_at, "", expected, shape(key) if key else None)
            return
    else:
        unit, unit_key, unit_cell, line = name, key or None, sheet.at(sheet.places[NAME], number), NO_LINE
        if fault := _unit_fault(name, key, unit_cell, names.source) or _outside(sheet, key, key_at):
            reason, at, expected, told = fault
            found.set_aside(number, "rejected", reason, at, "", expected, told)
            found.broken.add((unit_key, line))
            return
    figures, faults = _figures(found, number, cell)
    for reason, at, measure, expected, told in faults:
        found.set_aside(number, "rejected", reason, at, measure, expected, told)
    if faults:
        found.broken.add((unit_key, line))
        return
    found.rows.append(ReturnRow(number, kept_unit(unit, names), unit_key, unit_cell, line, figures))


def _outside(sheet: ReturnSheet, key: str, cell: str) -> tuple[str, str, Text, str | None] | None:
    asked = expected_units(sheet.mark.area, sheet.declared, sheet.period.end)
    if not key or not asked or key in asked:
        return None
    return "return_row_unknown", cell, Text("chỉ các đơn vị của mẫu", "only the units of the template"), shape(key)


def expected_units(area: str, declared: Return, day: date) -> dict[str, Unit]:
    """The units that hand in a return of an area on a day: itself, where it is of their kind, else those below it."""
    return _expected_units(area, declared.id, day)


@lru_cache(maxsize=256)
def _expected_units(area: str, return_id: str, day: date) -> dict[str, Unit]:
    declared, whole = returns()[return_id], units().get(area)
    if whole is None:
        return {}
    if whole.kind in declared.fills:
        return {area: whole} if whole.valid_on(day) else {}
    inside = [u for u in units().values() if u.kind in declared.fills and u.valid_on(day) and area in units_above(u)]
    keys = {u.unit_id for u in inside}
    # where a district hands it in for its communes, they are not asked beside it
    return {u.unit_id: u for u in inside if not keys & set(units_above(u))}


def _figures(found: ReturnTable, number: int, cell: Any) -> tuple[dict[str, Figure], list[tuple[Any, ...]]]:
    sheet = found.sheet
    figures, faults = {}, []
    for name, measure in sheet.declared.measures.items():
        at = sheet.at(sheet.places[name], number)
        told = read_cell(cell(name), measure, sheet.numbers)
        if isinstance(told, Unread):
            faults.append(("return_not_read", at, name, told.expected, told.found))
            continue
        if measure.approx and told.number is not None:
            beside = read_qualifier(cell(name + ABOUT))
            if isinstance(beside, Unread):
                at = sheet.at(sheet.places[name + ABOUT], number)
                faults.append(("return_not_read", at, name, beside.expected, beside.found))
                continue
            told = Figure(told.number, qualifier=beside or told.qualifier)
        figures[name] = told
    return figures, faults


def _read_sums(found: ReturnTable, number: int, cell: Any) -> None:
    """The row of sums, which is held against its rows and counts for nothing."""
    figures, faults = _figures(found, number, cell)
    for reason, at, measure, expected, told in faults:
        found.set_aside(number, "rejected", reason, at, measure, expected, told)
    if not faults:
        at = found.sheet.at(found.sheet.places[UNIT], number)
        found.sums = ReturnRow(number, "", None, at, NO_LINE, figures)


def _blank_returns(found: ReturnTable) -> None:
    """A unit of which no cell is filled has handed in nothing: its rows are no figures, and replace none."""
    told = {row.unit_key or row.unit for row in found.rows if row.told}
    told |= {key for key, _ in found.broken if key}
    kept = []
    for row in found.rows:
        if (row.unit_key or row.unit) in told:
            kept.append(row)
        else:
            key = LINE if found.sheet.declared.rows == OF_LINES else UNIT
            found.set_aside(row.number, "excluded", "return_blank", found.sheet.at(found.sheet.places[key], row.number))
    found.rows = kept


def _missing_rows(found: ReturnTable) -> None:
    """A notice for every row of the template that is not there any more."""
    sheet, declared = found.sheet, found.sheet.declared
    if declared.rows == OF_LINES:
        unit = units().get(sheet.mark.area)
        asked = {n: line.label.vi for n, line in declared.lines_of(unit.kind if unit else None).items()}
    else:
        asked = {key: u.name for key, u in expected_units(sheet.mark.area, declared, sheet.period.end).items()}
    keys = sheet.places[LINE if declared.rows == OF_LINES else UNIT]
    there = {cells[keys] for _, cells in _rows(sheet) if keys < len(cells)}
    row = sheet.grid.first_row + sheet.codes
    for key, label in asked.items():
        if key not in there:
            found.set_aside(row, "notice", "return_row_missing", sheet.at(keys, row), "", Text(label, label))
