"""Tables that are read row by row and held in memory: compactly, within the limits, merged cells filled in.

A cell merged over rows stands in each of them; merged over columns, it stands in the first. Not here: any format.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from pipeline.declare.limits import Limits
from pipeline.read.grids import check_limit

BLOCK_ROWS = 20_000
Cell = tuple[int, str | None, int, int]  # column (from 0), text, further columns and further rows that it covers


class Cells:
    """The cells that a file may still have, over all its tables."""

    def __init__(self, name: str, within: Limits) -> None:
        self.name, self.within, self.used = name, within, 0

    def take(self, count: int) -> None:
        self.used += count
        check_limit(self.name, "cells", self.used, self.within)


class Table:
    """Rows as they come; `frame()` gives them as text columns of one width."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.height = self.width = 0
        self._blocks: list[pl.DataFrame] = []
        self._rows: list[list[str | None]] = []
        self._down: dict[int, tuple[int, str | None]] = {}  # column → rows still covered, their text

    def covered(self, column: int) -> bool:
        """Whether a cell of a row above reaches into the next row here."""
        return column in self._down

    def end_merges(self) -> None:
        """No cell reaches further down: a table of the page is over."""
        self._down.clear()

    def add(self, cells: Iterable[Cell]) -> None:
        """The next row."""
        row: dict[int, str | None] = {}
        down = dict(self._down)
        for column, text, across, below in cells:
            self._check_width(column + across + 1)
            if column in self._down:
                continue
            row[column] = text
            for beside in range(column + 1, column + across + 1):
                row[beside] = None
            if below > 0:
                down |= {c: (below + 1, text if c == column else None) for c in range(column, column + across + 1)}
        row |= {column: text for column, (_, text) in self._down.items()}
        self._down = {column: (left - 1, text) for column, (left, text) in down.items() if left > 1}
        filled = [column for column, text in row.items() if text]
        width = max(filled, default=-1) + 1
        self._append([row.get(column) for column in range(width)])

    def add_empty(self, count: int) -> None:
        """Rows without cells of their own."""
        self._check_height(self.height + count)
        for _ in range(count):
            self.add(())

    def _append(self, row: list[str | None]) -> None:
        self.height += 1
        self._check_height(self.height)
        self.width = max(self.width, len(row))
        self.cells.take(len(row) or 1)
        self._rows.append(row)
        if len(self._rows) == BLOCK_ROWS:
            self._blocks.append(_block(self._rows))
            self._rows = []

    def _check_width(self, width: int) -> None:
        check_limit(self.cells.name, "columns", width, self.cells.within)

    def _check_height(self, height: int) -> None:
        check_limit(self.cells.name, "rows", height, self.cells.within)
        check_limit(self.cells.name, "cells", height, self.cells.within)

    def frame(self) -> pl.DataFrame:
        """All rows, without the empty ones at the end; no columns where nothing is filled."""
        blocks = [*self._blocks, _block(self._rows)]
        self.cells.take(self.height * self.width - self.height)  # what uneven rows are filled up to
        full = [
            block.with_columns(pl.lit(None, pl.String).alias(f"c{i}") for i in range(block.width, self.width))
            if block.width
            else pl.DataFrame({f"c{i}": [None] * block.height for i in range(self.width)}, _schema(self.width))
            for block in blocks
        ]
        if not self.width:
            return pl.DataFrame()
        whole = pl.concat(full)
        filled = whole.select(pl.any_horizontal(pl.all().is_not_null()).arg_true().max()).item()
        return whole.head(0 if filled is None else filled + 1)


def _schema(width: int) -> dict[str, type[pl.String]]:
    return {f"c{i}": pl.String for i in range(width)}


def _block(rows: list[list[str | None]]) -> pl.DataFrame:
    width = max(map(len, rows), default=0)
    even = [row + [None] * (width - len(row)) for row in rows]
    columns = list(zip(*even, strict=True)) or [()] * width
    if not width:  # a frame without columns forgets its height
        return pl.DataFrame({"c0": [None] * len(rows)}, {"c0": pl.String})
    return pl.DataFrame({f"c{i}": list(cells) for i, cells in enumerate(columns)}, _schema(width))
