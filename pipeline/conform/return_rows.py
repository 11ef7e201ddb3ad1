"""What is read of a sheet of a return: the sheet and its mark, its rows, and the rows that do not count.

Not here: reading it (returns.py), judging it (validate/returns).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipeline.conform.return_cells import Figure, Numbers
from pipeline.declare.periods import Period
from pipeline.declare.return_sheet import Mark, letters
from pipeline.declare.returns import Return
from pipeline.declare.text import Text
from pipeline.read.grids import Grid

# unit: as kept; unit_key: unit_id that the sheet gives, null where its source brings its units. line: "" where the rows
# are units. cell: where the figure stands. value, word, day: at most one of them; all null: the cell tells nothing.
RETURN_SCHEMA: dict[str, Any] = {
    "sheet": pl.String,
    "row": pl.Int64,
    "return_id": pl.String,
    "period": pl.String,
    "unit": pl.String,
    "unit_key": pl.String,
    "unit_cell": pl.String,
    "line": pl.String,
    "measure": pl.String,
    "cell": pl.String,
    "value": pl.Decimal(20, 6),
    "word": pl.String,
    "day": pl.Date,
    "qualifier": pl.String,
}


@dataclass(frozen=True)
class ReturnSheet:
    """A sheet that bears a mark. top: index of the mark's row in the grid's head; codes: index of the row of codes;
    places: code of a column → its index."""

    grid: Grid
    mark: Mark
    declared: Return
    period: Period
    top: int
    codes: int
    places: dict[str, int]
    numbers: Numbers

    def at(self, index: int, row: int) -> str:
        return f"{letters(index)}{row}"


@dataclass
class ReturnRow:
    """unit: as kept; unit_key: unit_id that the sheet itself gives, or null. figures: measure → what is told."""

    number: int
    unit: str
    unit_key: str | None
    unit_cell: str
    line: str
    figures: dict[str, Figure]

    @property
    def told(self) -> bool:
        return any(figure.told for figure in self.figures.values())


@dataclass
class ReturnTable:
    """One sheet. rows_in = rows + rows set aside (notices are in both); a row may be set aside for several cells."""

    sheet: ReturnSheet
    rows: list[ReturnRow] = field(default_factory=list)
    sums: ReturnRow | None = None  # the row of sums, of a return whose rows are units
    aside: list[tuple[object, ...]] = field(default_factory=list)
    rows_in: int = 0
    broken: set[tuple[str | None, str]] = field(default_factory=set)  # (unit_key, line) of rows that are rejected

    def set_aside(self, row: int, verdict: str, reason: str, cell: str, measure: str = "", *rest: object) -> None:
        expected, found = (*rest, None, None)[:2]
        column = f"{cell} {self.sheet.declared.id}" + (f".{measure}" if measure else "")
        told = str(expected) if isinstance(expected, Text) else expected
        self.aside.append((self.sheet.grid.sheet, row, verdict, reason, column, told, found))


def figures_of(table: ReturnTable, rows: list[ReturnRow]) -> pl.DataFrame:
    """Rows that count as rows of RETURN_SCHEMA, one per measure."""
    sheet = table.sheet
    found = [
        (
            *(sheet.grid.sheet, row.number, sheet.declared.id, sheet.period.key, row.unit, row.unit_key, row.unit_cell),
            *(row.line, name, sheet.at(sheet.places[name], row.number)),
            *(figure.number, figure.word, figure.day, figure.qualifier),
        )
        for row in rows
        for name, figure in row.figures.items()
    ]
    return pl.DataFrame(found, schema=RETURN_SCHEMA, orient="row")
