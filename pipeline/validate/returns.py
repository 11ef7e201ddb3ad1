"""The schema of a return, derived from its declaration, decides on its rows; then what only several rows tell: sums of
lines, rows told twice, the row of sums.

A sum that does not hold, or lacks a row, rejects all rows that take part in it, so that what counts always adds up. Not here: parsing
(conform/returns), which of several returns counts (warehouse/returns).
"""

from __future__ import annotations

import operator as op
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import polars as pl

from pipeline.conform.return_cells import Figure
from pipeline.conform.return_rows import ReturnRow, ReturnTable
from pipeline.declare.returns import Identity, Measure, Return, document_pattern
from pipeline.declare.text import Text
from pipeline.validate.pandera_alone import pa

NUMBER = pl.Decimal(20, 6)
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 1, 1)
DTYPES = {"count": NUMBER, "decimal": NUMBER, "yes_no": pl.String(), "choice": pl.String(), "document": pl.String(), "date": pl.Date()}  # fmt: skip
COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {"=": op.eq, "<=": op.le, ">=": op.ge}
SIGN = {"=": "=", "<=": "≤", ">=": "≥"}


def return_schema(declared: Return) -> pa.DataFrameSchema:
    """The schema of a return's typed rows. Names of checks are reasons: out_of_range, return_not_read, or the name of
    an identity between measures of a row."""
    fields = {"row": pa.Column(pl.Int64, pa.Check.ge(1, error="out_of_range"))}
    fields |= {m.name: pa.Column(DTYPES[m.kind], _checks(m), nullable=True) for m in declared.measures.values()}
    rules = [_in_row(identity) for identity in declared.identities if not identity.across_lines]
    return pa.DataFrameSchema(fields, checks=rules, strict=True, coerce=False)


def _checks(measure: Measure) -> list[pa.Check]:
    if measure.is_number:
        return [pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) >= 0), error="out_of_range")]
    if measure.words:
        return [pa.Check.isin(list(measure.words), error="return_not_read")]
    if measure.kind == "date":
        return [pa.Check.in_range(EARLIEST, LATEST, error="out_of_range")]
    return [pa.Check.str_matches(rf"^(?:{document_pattern()})$", error="return_not_read")]


def _in_row(identity: Identity) -> pa.Check:
    left, right = pl.col(identity.left), pl.sum_horizontal(*map(pl.col, identity.right), ignore_nulls=False)
    holds = {"=": left == right, "<=": left <= right, ">=": left >= right}[identity.operator]
    # what a cell does not tell contradicts nothing
    return pa.Check(lambda data: data.lazyframe.select(holds.fill_null(value=True)), error=f"identity:{identity.name}")


def accept(table: ReturnTable) -> list[ReturnRow]:
    """The rows that count; the others are set aside in the table, each with the cell's address."""
    rows = _by_schema(table, list(table.rows))
    rows = _repeats(table, rows)
    rows = _fill_totals(table, rows)
    rows = _across_lines(table, rows)
    _row_of_sums(table, rows)
    return rows


def _by_schema(table: ReturnTable, rows: list[ReturnRow]) -> list[ReturnRow]:
    declared = table.sheet.declared
    if not rows:
        return rows
    try:
        return_schema(declared).validate(frame_of(declared, rows), lazy=True)
    except pa.errors.SchemaErrors as error:
        failures = error.failure_cases
    else:
        return rows
    if failures["index"].null_count():
        raise AssertionError(f"schema does not fit: {sorted(set(failures['check']))}")
    identities = {f"identity:{i.name}": i for i in declared.identities}
    failed: set[int] = set()
    told: set[tuple[int, str]] = set()
    for index, column, check in failures.select("index", "column", "check").sort("index").iter_rows():
        failed.add(index)
        row = rows[index]
        if (index, check) in told:
            continue
        told.add((index, check))
        if identity := identities.get(check):
            _tell(table, row, identity, {name: row.figures[name] for name in identity.right})
        else:
            table.set_aside(row.number, "rejected", check, _cell(table, column, row.number), column)
    _break(table, [rows[i] for i in failed])
    return [row for i, row in enumerate(rows) if i not in failed]


def frame_of(declared: Return, rows: list[ReturnRow]) -> pl.DataFrame:
    """The typed rows as a frame: `row`, and a column per measure."""
    columns: dict[str, pl.Series] = {"row": pl.Series([row.number for row in rows], dtype=pl.Int64)}
    for m in declared.measures.values():
        values = [_value(row.figures[m.name], m) for row in rows]
        columns[m.name] = pl.Series(values, dtype=DTYPES[m.kind])
    return pl.DataFrame(columns)


def _value(figure: Figure, measure: Measure) -> Decimal | str | date | None:
    return figure.number if measure.is_number else figure.day if measure.kind == "date" else figure.word


def _cell(table: ReturnTable, measure: str, row: int) -> str:
    return table.sheet.at(table.sheet.places[measure], row)


def _break(table: ReturnTable, rows: list[ReturnRow]) -> None:
    table.broken |= {(row.unit_key, row.line) for row in rows}


def _tell(table: ReturnTable, row: ReturnRow, identity: Identity, parts: dict[str, Figure], measure: str = "") -> None:
    """Sets a row aside because of an identity, at the cell of its left side."""
    name = measure or identity.left
    declared = table.sheet.declared
    names = declared.lines if identity.across_lines else declared.measures
    total = sum((part.number or Decimal(0) for part in parts.values()), Decimal(0))
    labels = [names[n].label for n in parts]
    shown = _plain(total)
    expected = Text(
        f"{SIGN[identity.operator]} {shown} ({' + '.join(t.vi for t in labels)})",
        f"{SIGN[identity.operator]} {shown} ({' + '.join(t.en for t in labels)})",
    )
    found = row.figures[name].number
    reason = "return_total" if identity.operator == "=" else "return_relation"
    table.set_aside(row.number, "rejected", reason, _cell(table, name, row.number), name, expected, _plain(found))


def _plain(number: Decimal | None) -> str | None:
    if number is None:
        return None
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")


def _repeats(table: ReturnTable, rows: list[ReturnRow]) -> list[ReturnRow]:
    """The same row twice: one of identical ones counts, of different ones none."""
    seen: dict[tuple[str, str], list[ReturnRow]] = defaultdict(list)
    for row in rows:
        seen[row.unit_key or row.unit, row.line].append(row)
    kept = []
    for same in seen.values():
        alike = all(row.figures == same[0].figures for row in same)
        kept += [same[0]] if alike or len(same) == 1 else []
        for row in same[1:] if alike else same:
            verdict, reason = ("excluded", "duplicate_row") if alike else ("rejected", "conflicting_figures")
            table.set_aside(row.number, verdict, reason, row.unit_cell)
        if not alike:
            _break(table, same)
    return sorted(kept, key=lambda row: row.number)


# ---- between lines


def _sums(table: ReturnTable) -> list[Identity]:
    return [identity for identity in table.sheet.declared.identities if identity.across_lines]


def _groups(rows: list[ReturnRow]) -> dict[str, dict[str, ReturnRow]]:
    """unit → line → row."""
    found: dict[str, dict[str, ReturnRow]] = defaultdict(dict)
    for row in rows:
        found[row.unit_key or row.unit][row.line] = row
    return found


def _fill_totals(table: ReturnTable, rows: list[ReturnRow]) -> list[ReturnRow]:
    """A total that is left empty is the sum of its parts where all of them are told: some programs save the template's
    formula without its result."""
    for lines in _groups(rows).values():
        for identity in _sums(table):
            total = lines.get(identity.left)
            parts = [lines[name] for name in identity.right if name in lines]
            if identity.operator != "=" or total is None or len(parts) < len(identity.right):
                continue
            for m in table.sheet.declared.numbers:
                told = [part.figures[m.name] for part in parts]
                if not total.figures[m.name].told and all(f.number is not None and not f.qualifier for f in told):
                    total.figures[m.name] = Figure(sum((f.number or Decimal(0) for f in told), Decimal(0)))
    return rows


def _across_lines(table: ReturnTable, rows: list[ReturnRow]) -> list[ReturnRow]:
    """Rejects the rows of sums that do not hold, and of those of which a row is rejected or gone."""
    refused: set[int] = set()
    for lines in _groups(rows).values():
        for identity in _sums(table):
            total = lines.get(identity.left)
            parts = {name: lines[name] for name in identity.right if name in lines}
            exact = identity.operator == "="
            wrong = [m.name for m in table.sheet.declared.numbers if total and _wrong(identity, total, parts, m.name)]
            for name in wrong:
                assert total is not None
                _tell(table, total, identity, {n: part.figures[name] for n, part in parts.items()}, name)
            gone = exact and (total is None or len(parts) < len(identity.right))
            taking_part = [*([total] if total else []), *(parts.values() if exact else [])]
            for row in taking_part if wrong or gone else []:
                if row is not total or not wrong:
                    cell = table.sheet.at(min(table.sheet.places.values()), row.number)
                    table.set_aside(row.number, "rejected", "return_part", cell)
                refused.add(row.number)
    return [row for row in rows if row.number not in refused]


def _wrong(identity: Identity, total: ReturnRow, parts: dict[str, ReturnRow], measure: str) -> bool:
    figures = [part.figures[measure] for part in parts.values()]
    whole = total.figures[measure]
    if whole.number is None or whole.qualifier or any(f.qualifier for f in figures):
        return False
    numbers = [f.number for f in figures]
    if identity.operator == ">=":  # the parts that are told must fit in already
        return sum((n for n in numbers if n is not None), Decimal(0)) > whole.number
    if None in numbers or len(numbers) < len(identity.right):
        return False
    return not COMPARE[identity.operator](whole.number, sum((n for n in numbers if n is not None), Decimal(0)))


def _row_of_sums(table: ReturnTable, rows: list[ReturnRow]) -> None:
    """The row of sums is excluded where it says what its rows do, and rejected where it does not. It cannot be judged
    where one of its rows is rejected, or a figure is not exact."""
    if table.sums is None:
        return
    number, wrong = table.sums.number, False
    for name, figure in table.sums.figures.items():
        told = [row.figures[name] for row in rows if row.figures[name].number is not None]
        total = sum((f.number or Decimal(0) for f in told), Decimal(0))
        judged = (
            figure.number is not None and told and not table.broken and not any(f.qualifier for f in (figure, *told))
        )
        if judged and total != figure.number:
            wrong = True
            cell = _cell(table, name, number)
            table.set_aside(number, "rejected", "return_total", cell, name, _plain(total), _plain(figure.number))
    if not wrong:
        table.set_aside(number, "excluded", "total_row", table.sums.unit_cell)
