"""Parquet, streamed: its columns as text, its column names as the row of keys (row 0). All types end here but times, which
have them for those who ask (`typed`): written and read again they take longer than all else of a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.declare.limits import Limits
from pipeline.declare.text import Text
from pipeline.read import grids
from pipeline.read.grids import Grid, OpenFile, check_limit, damaged, refused
from pipeline.read.values import plain_number, plain_times


def open_parquet(path: Path, name: str, within: Limits) -> OpenFile:
    try:
        with pq.ParquetFile(path) as file:
            keys, rows = file.schema_arrow.names, file.metadata.num_rows
            packed = sum(file.metadata.row_group(g).total_byte_size for g in range(file.metadata.num_row_groups))
    except (pa.ArrowException, OSError) as error:
        raise damaged(name, error) from None
    if not rows or not keys:
        raise refused(name, Text("Tệp không có dòng nào.", "The file has no rows."))
    check_limit(name, "rows", rows, within)
    check_limit(name, "columns", len(keys), within)
    check_limit(name, "unpacked_bytes", packed, within)

    def batches(first_row: int, typed: bool = False) -> Iterator[pl.DataFrame]:
        if first_row < 1:
            yield from grids.numbered(pl.DataFrame({f"c{i}": [key] for i, key in enumerate(keys)}), 0)
        seen = 0
        for frame in _frames(path, name, typed):
            start, seen = seen + 1, seen + frame.height
            if seen >= first_row:
                skipped = max(first_row - start, 0)
                yield from grids.numbered(frame.slice(skipped), start + skipped)

    head = [[cell or "" for cell in row] for row in next(_frames(path, name)).head(grids.HEAD_ROWS - 1).iter_rows()]
    return OpenFile(
        "parquet", None, [Grid(None, [keys, *head], batches, first_row=0, typed=partial(batches, typed=True))]
    )


def _frames(path: Path, name: str, typed: bool = False) -> Iterator[pl.DataFrame]:
    try:
        with pq.ParquetFile(path) as file:
            before = 0
            for batch in file.iter_batches(batch_size=grids.batch_rows(len(file.schema_arrow))):
                _check(batch, name, before)
                before += batch.num_rows
                columns = [_cells(column, typed) for column in batch.columns]
                if batch.num_rows:
                    yield pl.DataFrame({f"c{i}": column for i, column in enumerate(columns)})
    except (pa.ArrowException, OSError) as error:
        raise damaged(name, error) from None


def _check(batch: pa.RecordBatch, name: str, before: int) -> None:
    """Values must be what their column says, texts UTF-8 above all: Arrow takes that on trust, and Polars rests on it.
    before: rows of the batches before this one. Raises InputRefused, which names the column, and the row of a text."""
    for key, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            found = Text(f"cột “{key}”", f"column “{key}”")
            if row := next((before + n for n, value in enumerate(column, 1) if not _is_text(value)), None):
                found = Text(f"{found.vi}, dòng {row}", f"{found.en}, row {row}")
            raise damaged(name, found) from None


def _is_text(value: pa.Scalar) -> bool:
    try:
        value.as_py()
    except UnicodeDecodeError:
        return False
    return True


def _cells(column: pa.Array, typed: bool) -> pl.Series:
    times = _times(column) if typed else None
    return _text(column) if times is None else times


def _times(column: pa.Array) -> pl.Series | None:
    """A column of days, or of times without a zone, in microseconds; null where it is none that can be told so."""
    if not (pa.types.is_date32(column.type) or (pa.types.is_timestamp(column.type) and column.type.tz is None)):
        return None
    found = pl.Series(pl.from_arrow(column))
    if found.dtype == pl.Datetime("ns") and (found.dt.nanosecond() % 1000 != 0).any():
        return None
    usual = found.is_null() | found.dt.year().is_between(1, 9999)
    return found.cast(pl.Datetime("us")) if usual.all(ignore_nulls=False) else None


def _text(column: pa.Array) -> pl.Series:
    """A column as text: days in ISO, numbers plain, nested values as JSON, bytes not at all."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_nested(kind):
        return _each(column, lambda value: json.dumps(value, ensure_ascii=False, default=str))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _each(column, lambda value: value.decode("utf-8", "replace"))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _each(column, lambda value: plain_number(str(value)))
    return plain_times(pl.Series(pl.from_arrow(column)))


def _each(column: pa.Array, turn: object) -> pl.Series:
    values = column.to_pylist()
    return pl.Series([None if value is None else turn(value) for value in values], dtype=pl.String)  # ty: ignore
