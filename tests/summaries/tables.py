"""Tables of summaries in memory: rows of text → what `conform_summary` makes of them. Not here: files, nights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from pipeline.conform.headers import Header, find_header
from pipeline.conform.summaries import Summary, aside_of, conform_summary
from pipeline.conform.summary_checks import check
from pipeline.conform.titles import read_title
from pipeline.conform.unit_names import UnitNames
from pipeline.declare.sources import Source
from pipeline.read.grids import Grid, grid_of
from tests.summaries import forms

PLAIN = Source("so", "so")
SPAN = date(2023, 6, 15), date(2023, 9, 14)


def ii06a(
    name: str,
    online: int,
    in_person: int,
    carried: int,
    early: int,
    on_time: int,
    late: int,
    in_term: int,
    overdue: int,
) -> list[str]:
    """A row of form II.06a whose identities hold wherever the parts do."""
    received, resolved, opened = online + in_person + carried, early + on_time + late, in_term + overdue
    figures = received, online, in_person, carried, resolved, early, on_time, late, opened, in_term, overdue
    return ["", name, *map(str, figures)]


def grid(heads: forms.Heads, body: Sequence[Sequence[str]], *titles: str) -> Grid:
    head, _ = forms.header_rows(heads)
    rows = [*([t] for t in titles), *head, *map(list, body)]
    width = max(map(len, rows))
    cells = [[*row, *[""] * (width - len(row))] for row in rows]
    return grid_of(pl.DataFrame(cells, schema=[f"c{i}" for i in range(width)], orient="row"), "Bieu")


def table(
    heads: forms.Heads, body: Sequence[Sequence[str]], *titles: str, source: Source = PLAIN
) -> tuple[Summary, list[tuple]]:
    """The table, and (row below the header, verdict, reason, column, expected, found) of what was set aside."""
    cells = grid(heads, body, *titles)
    header = find_header(cells, source)
    assert isinstance(header, Header), "no header was found"
    title = read_title(cells.head[: header.top - cells.first_row])
    found = conform_summary(cells, header, UnitNames(source, b"key of a test"), source.unit or title.unit)
    check(found, header.layout, cells.sheet, source.includes_communes)
    for row in found.rows:
        row.number -= header.row
    aside = [(number - header.row, *rest) for _, number, *rest in aside_of(found).iter_rows()]
    told = {row for row, verdict, *_ in aside if verdict != "notice"}
    assert found.rows_in == found.accepted + len(told), "every row ends counted or set aside, none twice"
    return found, aside


def told(found: Summary) -> dict[tuple[str | None, str | None], dict[str, int | None]]:
    """(unit, field) → counts as reported."""
    return {
        (row.unit, row.field): {name: None if v is None else int(v) for name, (v, _) in row.figures.items()}
        for row in found.rows
        if row.role == "unit"
    }
