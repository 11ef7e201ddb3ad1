"""The tables of one file as Parquet: dossier rows, reported figures, rows set aside; and their accounting.

Uniqueness within the file is decided here, in SQL. Not here: titles and spans, what other files say.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.conform.cells import LONGEST_NAME
from pipeline.conform.headers import Header, not_found, shown
from pipeline.conform.return_rows import RETURN_SCHEMA, ReturnSheet, figures_of
from pipeline.conform.returns import conform_return, is_help
from pipeline.conform.rows import SET_ASIDE_SCHEMA, Conformer
from pipeline.conform.summaries import REPORTED_SCHEMA, aside_of, conform_summary, frame_of
from pipeline.conform.summary_checks import check
from pipeline.conform.titles import Title
from pipeline.conform.unit_names import UnitNames
from pipeline.declare.sources import Source
from pipeline.declare.units import propose
from pipeline.read.grids import Grid
from pipeline.warehouse.repeats import Batches

MOST_PROPOSALS = 500  # of one file: a column that holds no units at all must not take the night
WANTED = ("due_at", "channel")
MOST_SHOWN = 300


@dataclass(frozen=True)
class Table:
    """A table of a file. span: the days a summary is about; None for a register."""

    grid: Grid
    header: Header
    title: Title
    span: tuple[date, date] | None

    @property
    def rank(self) -> int:
        """Which of two registers of one file is the newer: the one whose title names the later last day."""
        return self.title.last_day.toordinal() if self.title.last_day else 0


@dataclass(frozen=True)
class Sheets:
    """What the sheets of a file are: registers and summaries, returns, and the rest, which has no table."""

    tables: list[Table]
    returns: list[ReturnSheet]
    others: list[Grid]


def write_contents(
    part: Path, hidden: Path, sheets: Sheets, source: Source, secret: bytes, exported: datetime
) -> dict[str, Any]:
    """Writes rows, reported figures, those of returns and rows set aside to `part`, codes and unknown names to `hidden`;
    returns the accounting: rows_in = accepted + reported + returned + excluded + rejected."""
    tables, others = sheets.tables, sheets.others
    names = UnitNames(source, secret)
    rows_in, aside, sections = _write_registers(part, hidden, [t for t in tables if t.span is None], names, exported)
    figures = [pl.DataFrame(schema=REPORTED_SCHEMA)]
    reported = 0
    for table in (t for t in tables if t.span):
        found = conform_summary(table.grid, table.header, names, source.unit or table.title.unit)
        check(found, table.header.layout, table.grid.sheet, source.includes_communes)
        figures.append(frame_of(found, table.grid.sheet, table.span))  # ty: ignore[invalid-argument-type]
        aside.append(aside_of(found))
        rows_in, reported = rows_in + found.rows_in, reported + found.accepted
    pl.concat(figures).write_parquet(part / "reported.parquet")
    aside += [_headers_not_found(table, source) for table in tables]
    of_returns, read, returned = _write_returns(part, sheets.returns, names)
    rows_in, aside = rows_in + read, aside + of_returns
    for grid in others:
        aside.append(_all_aside(grid))
        rows_in += aside[-1].height
    _write_unknown_units(part, hidden, names.unknown)
    found = pl.concat([a.cast(SET_ASIDE_SCHEMA) for a in aside])  # ty: ignore[invalid-argument-type]
    found.write_parquet(part / "aside.parquet")
    return _accounting(part, rows_in, reported, returned, found) | {"sections": sections}


def _write_returns(part: Path, sheets: list[ReturnSheet], names: UnitNames) -> tuple[list[pl.DataFrame], int, int]:
    """Writes returns.parquet, where there are returns; the rows set aside, how many were read, and how many count."""
    if not sheets:
        return [], 0, 0
    from pipeline.validate.returns import accept  # Pandera takes a second to start

    figures, aside, read, returned = [pl.DataFrame(schema=RETURN_SCHEMA)], [], 0, 0
    for sheet in sheets:
        table = conform_return(sheet, names)
        rows = accept(table)
        figures.append(figures_of(table, rows))
        aside.append(pl.DataFrame(table.aside, schema=SET_ASIDE_SCHEMA, orient="row"))
        read, returned = read + table.rows_in, returned + len(rows)
    pl.concat(figures).write_parquet(part / "returns.parquet")
    return aside, read, returned


def _accounting(part: Path, rows_in: int, reported: int, returned: int, aside: pl.DataFrame) -> dict[str, Any]:
    # a row may be rejected for several columns; it is one row all the same
    each = aside.filter(pl.col("verdict") != "notice").unique(["sheet", "row"], keep="first", maintain_order=True)
    with (part / "rows.parquet").open("rb") as stream:  # a path may hold what a pattern holds
        accepted = pl.read_parquet(stream, columns=["row"]).height
    tally = {
        verdict: dict(sorted(Counter(each.filter(pl.col("verdict") == verdict)["reason"]).items()))
        for verdict in ("excluded", "rejected")
    }
    if rows_in != accepted + reported + returned + each.height:
        raise AssertionError(
            f"accounting does not add up: {rows_in} rows, {accepted} accepted, {reported} reported, {returned} of "
            f"returns, {each.height} aside"
        )
    notices = aside.filter(pl.col("verdict") == "notice").height
    return {
        "rows_in": rows_in,
        "accepted": accepted,
        "reported": reported,
        "returned": returned,
        **tally,
        "notices": notices,
    }


def _headers_not_found(table: Table, source: Source) -> pl.DataFrame:
    """A notice for every column that source.toml declares and the table does not have, and for those that a register
    can do without, but not silently: without a due date every dossier is in time."""
    place = (table.grid.sheet, table.header.row, "notice")
    rows: list[tuple[object, ...]] = [(*place, "header_not_found", *about) for about in not_found(table.header, source)]
    if table.span is None:
        dropped = ", ".join(shown(table.header.dropped))[:MOST_SHOWN] or None
        lacking = (c for c in WANTED if c not in table.header.places and c not in source.declared)
        rows += [(*place, "column_absent", column, None, dropped) for column in lacking]
    return pl.DataFrame(rows, schema=SET_ASIDE_SCHEMA, orient="row")


def _all_aside(grid: Grid) -> pl.DataFrame:
    """Every row with something in it, of a sheet that is hidden or has no table."""
    reason = "return_help" if is_help(grid) else "hidden_sheet" if grid.hidden else "no_table"
    about = {"sheet": grid.sheet, "verdict": "excluded", "reason": reason}
    columns = [pl.col(c) if c == "row" else pl.lit(about.get(c), pl.String).alias(c) for c in SET_ASIDE_SCHEMA]
    found = [pl.DataFrame(schema=SET_ASIDE_SCHEMA)]
    for frame in grid.batches(grid.first_row):
        cells = [c for c in frame.columns if c not in ("row", "surplus")]
        filled = pl.any_horizontal(pl.col(cells).fill_null("").str.strip_chars() != "")
        found.append(frame.filter(filled).select(columns))
    return pl.concat(found)


# ---- registers


def _write_registers(
    part: Path, hidden: Path, tables: list[Table], names: UnitNames, exported: datetime
) -> tuple[int, list[pl.DataFrame], bool]:
    """Writes rows.parquet and the codes; returns the number of rows read, the rows set aside, and whether section rows
    named units."""
    from pipeline.validate.schema import accept  # Pandera takes a second to start; a night without news can do without

    rows_in = 0
    aside: list[pl.DataFrame] = []
    refused: list[pl.DataFrame] = [pl.DataFrame(schema={"dossier_id": pl.String})]
    conformer = Conformer(names)
    with closing(Batches(part, hidden)) as batches:
        for table in tables:
            sheet, dossiers = table.grid.sheet, 0
            totals = []
            for batch in conformer.batches(table.grid, table.header, names.source.unit or table.title.unit):
                accepted, rejected = accept(batch.rows, sheet, exported)
                batches.add(accepted, batch.codes, sheet, table.rank)
                aside += [batch.aside, rejected]
                refused.append(batch.refused)
                if accepted.height < batch.rows.height:
                    refused.append(batch.rows.join(accepted, on="row", how="anti").select("dossier_id"))
                totals.append(batch.aside.filter(pl.col("reason") == "total_row"))
                rows_in += batch.rows_in
                dossiers += batch.rows_in - batch.aside.filter(pl.col("verdict") == "excluded").height
            aside.append(_check_total(sheet, totals, dossiers))
        conflicting, repeats = batches.settle()
    aside.append(repeats)
    # dossiers that the file tells of, though not in a row that counts
    pl.concat([*refused, conflicting]).unique().sort("dossier_id").write_parquet(part / "rejected.parquet")
    return rows_in, aside, conformer.sections


def _check_total(sheet: str | None, totals: list[pl.DataFrame], rows: int) -> pl.DataFrame:
    """A notice where the one total row of a register tells another number of dossiers than it has rows."""
    told = pl.concat(totals) if totals else pl.DataFrame(schema=SET_ASIDE_SCHEMA)
    found = []
    if told.height == 1 and told["found"][0] is not None and int(told["found"][0]) != rows:
        found = [(sheet, told["row"][0], "notice", "total_differs", None, str(rows), told["found"][0])]
    return pl.DataFrame(found, schema=SET_ASIDE_SCHEMA, orient="row")


def _write_unknown_units(part: Path, hidden: Path, names: dict[str, str]) -> None:
    """Names of units that no list knows: their hash and what they may mean to `part`, the text itself to `hidden`."""
    near = [[unit.unit_id for unit in propose(text)] for text in list(names.values())[:MOST_PROPOSALS]]
    near += [[]] * (len(names) - len(near))
    schema = {"unit_hash": pl.String, "near": pl.List(pl.String)}
    pl.DataFrame({"unit_hash": list(names), "near": near}, schema=schema).write_parquet(part / "unknown_units.parquet")
    if names:
        written = [text[:LONGEST_NAME] for text in names.values()]
        pl.DataFrame({"unit_hash": list(names), "written": written}).write_parquet(hidden / "units.parquet")
