"""The canonical dossier schema, derived from the declared columns; decides on every row before it is stored.

Lazily, on materialised Polars frames: a lazy frame would be checked by its schema only. Not here: parsing
(conform/), uniqueness (warehouse/). Odd but possible dossiers (due before received, finished before received)
are no faults: the office's own dates stand, and they are counted as defined.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock

import pandera.polars as pa
import polars as pl

from pipeline.conform.rows import DTYPES, SET_ASIDE_SCHEMA, row_schema
from pipeline.declare.columns import CODED, codes, columns

EARLIEST = datetime(1990, 1, 1)
LATEST = datetime(2100, 1, 1)
MOST = 99_999
HAPPENED = ("received_at", "finished_at", "returned_at", "supplement_requested_at")
# A clock that runs ahead of the exporting server's is no fault.
CLOCK_SLACK = timedelta(days=1)
ONE_AT_A_TIME = Lock()  # Pandera keeps its settings where every thread sees them


@lru_cache(maxsize=64)
def dossier_schema(exported_at: datetime, without: frozenset[str] = frozenset()) -> pa.DataFrameSchema:
    """The schema of conformed rows of a file exported at that moment. Check names are reason codes. without: optional
    columns that are left out, because none of the rows has a value there."""
    fields: dict[str, pa.Column] = {
        "row": pa.Column(pl.Int64, pa.Check.ge(1, error="out_of_range")),
        "dossier_id": pa.Column(pl.String),
    }
    for name, column in columns().items():
        if column.kind == "code":
            continue
        checks = []
        if column.kind == "timestamp":
            checks.append(pa.Check.in_range(EARLIEST, LATEST, error="out_of_range"))
            if name in HAPPENED:
                checks.append(pa.Check.le(exported_at + CLOCK_SLACK, error="after_export"))
        elif column.kind in CODED:
            checks.append(pa.Check.isin(list(codes(column.kind)), error="not_read"))
        elif column.kind == "count":
            checks.append(pa.Check.in_range(0, MOST, error="out_of_range"))
        elif column.kind != "flag":
            checks.append(pa.Check.str_length(1, 300, error="too_long"))
        fields[name] = pa.Column(DTYPES[column.kind], checks, nullable=not column.required)
    assert list(fields) == list(row_schema())
    told = {name: column for name, column in fields.items() if name not in without}
    return pa.DataFrameSchema(told, strict=True, ordered=True, coerce=False)


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
    try:
        with ONE_AT_A_TIME:
            dossier_schema(exported_at, nowhere).validate(rows.drop(nowhere), lazy=True)
    except pa.errors.SchemaErrors as error:
        failures = error.failure_cases
    else:
        return rows, pl.DataFrame(schema=SET_ASIDE_SCHEMA)
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
