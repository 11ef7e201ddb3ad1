"""The canonical dossier schema, derived from the declared columns; decides on every row before it is stored.

Lazily, on materialised Polars frames: a lazy frame would be checked by its schema only. Not here: parsing
(conform/), uniqueness (warehouse/). Odd but possible dossiers (due before received, finished before received)
are no faults: the office's own dates stand, and they are counted as defined.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache, partial
from threading import Lock

import polars as pl

from pipeline.conform.cells import LONGEST_NAME
from pipeline.conform.rows import SET_ASIDE_SCHEMA, row_schema
from pipeline.declare.columns import CODED, codes, columns
from pipeline.validate.pandera_alone import PolarsData, pa

EARLIEST = datetime(1990, 1, 1)
LATEST = datetime(2100, 1, 1)
MOST = 99_999
HAPPENED = ("received_at", "finished_at", "returned_at", "supplement_requested_at")
# A clock that runs ahead of the exporting server's is no fault.
CLOCK_SLACK = timedelta(days=1)
ONE_AT_A_TIME = Lock()  # Pandera keeps its settings where every thread sees them


@lru_cache(maxsize=64)
def dossier_schema(
    exported_at: datetime, without: frozenset[str] = frozenset(), apart: bool = True
) -> pa.DataFrameSchema:
    """The schema of conformed rows of a file exported at that moment. Check names are reason codes. without: optional
    columns that are left out, because none of the rows has a value there. apart: each rule is a check of its column, which
    tells what is wrong where; else all of them are one check, which takes a third of the time and tells whether."""
    fields: dict[str, pa.Column] = {}
    every: list[pl.Expr] = []
    for name, dtype in row_schema().items():
        if name in without:
            continue
        rules = _rules(name, exported_at)
        every += [rule.fill_null(True) for rule in rules.values()]
        checks = [pa.Check(partial(_held, rule), error=reason) for reason, rule in rules.items()] if apart else []
        optional = name in columns() and not columns()[name].required
        fields[name] = pa.Column(dtype, checks, nullable=optional)
    together = [] if apart else pa.Check(partial(_held, pl.all_horizontal(every)), error="some_rule")
    return pa.DataFrameSchema(fields, together, strict=True, ordered=True, coerce=False)


def _rules(name: str, exported_at: datetime) -> dict[str, pl.Expr]:
    """Reason code → what must hold of a value of the column; of none nothing is asked."""
    value = pl.col(name)
    if name == "row":
        return {"out_of_range": value >= 1}
    column = columns().get(name)
    if column is None or column.kind == "flag":
        return {}
    if column.kind == "timestamp":
        happened = {"after_export": value <= exported_at + CLOCK_SLACK} if name in HAPPENED else {}
        return {"out_of_range": value.is_between(EARLIEST, LATEST), **happened}
    if column.kind in CODED:
        return {"not_read": value.is_in(list(codes(column.kind)))}
    if column.kind == "count":
        return {"out_of_range": value.is_between(0, MOST)}
    return {"too_long": value.str.len_chars().is_between(1, LONGEST_NAME)}


def _held(rule: pl.Expr, data: PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(rule)


def _nowhere(rows: pl.DataFrame) -> frozenset[str]:
    """The optional columns of the right type without a value: few exports have all columns, and each costs its checks."""
    optional = {name for name, column in columns().items() if not column.required}
    return frozenset(
        name
        for name, dtype in row_schema().items()
        if name in optional and rows.schema.get(name) == dtype and rows[name].null_count() == rows.height
    )


def accept(rows: pl.DataFrame, sheet: str | None, exported_at: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Conformed rows → (accepted rows, rejected ones as SET_ASIDE rows with the check's name as the reason)."""
    if rows.is_empty():
        return rows, pl.DataFrame(schema=SET_ASIDE_SCHEMA)
    nowhere = _nowhere(rows)
    told = rows.drop(nowhere)
    with ONE_AT_A_TIME, suppress(pa.errors.SchemaError):
        dossier_schema(exported_at, nowhere, apart=False).validate(told)
        return rows, pl.DataFrame(schema=SET_ASIDE_SCHEMA)
    failures = _failures(told, dossier_schema(exported_at, nowhere))
    if failures["index"].null_count():
        # A fault without a row is a fault of the frame itself: a mistake of ours, never the office's.
        raise AssertionError(
            f"schema does not fit: {sorted(set(failures['check']))} on {sorted(set(failures['column']))}"
        )
    numbers = rows["row"]
    aside = [
        (
            sheet,
            numbers[i],
            "rejected",
            _reason(check),
            column,
            _expected(check, column, exported_at),
            _found(rows, column, i),
        )
        for i, column, check in failures.select("index", "column", "check").iter_rows()
    ]
    frame = pl.DataFrame(aside, schema=SET_ASIDE_SCHEMA, orient="row").unique(
        ["row", "column"], keep="first", maintain_order=True
    )
    return rows.filter(~pl.col("row").is_in(frame["row"].implode())), frame


def _failures(rows: pl.DataFrame, schema: pa.DataFrameSchema) -> pl.DataFrame:
    """`index`, `column` and `check` of each value that does not fit."""
    try:
        with ONE_AT_A_TIME:
            schema.validate(rows, lazy=True)
    except pa.errors.SchemaErrors as error:
        return error.failure_cases
    raise AssertionError("rows fit one by one, and not together")


def _reason(check: str) -> str:
    return "missing" if check == "not_nullable" else check


def _expected(check: str, column: str, exported_at: datetime) -> str:
    count = column in columns() and columns()[column].kind == "count"
    return {
        "after_export": f"≤ {exported_at:%d/%m/%Y %H:%M}",
        "out_of_range": f"0 – {MOST:,}".replace(",", ".") if count else f"{EARLIEST:%Y} – {LATEST:%Y}",
    }.get(check, "")


def _found(rows: pl.DataFrame, column: str, index: int) -> str | None:
    value = rows[column][index]
    return (
        f"{value:%d/%m/%Y %H:%M:%S}" if isinstance(value, datetime) else str(value) if isinstance(value, int) else None
    )
