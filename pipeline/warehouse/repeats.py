"""A file's conformed batches → its rows, each dossier once: what repeats within a file is settled here.

Not here: what other files say of a dossier (the build).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.conform.rows import SET_ASIDE_SCHEMA, row_schema
from pipeline.warehouse.sql import hex_sql, parquet, quoted

MEMORY = "1GB"  # to compare the rows of a file with each other; beyond it DuckDB uses the disk
PLACE = {"sheet": pl.String()}
CODES = {"dossier_id": pl.String(), "dossier_code": pl.String()}
# texts of which there are few: the others are no shorter in a dictionary, and take longer to write
KEY = "dossier_id"  # kept as the 128 bits that it is (a UUID to readers): as text every join and sort of a night takes twice as long
# Rows of a batch stand in the order in which dossiers ended, open ones last, however the file is ordered (a register mostly
# by receipt): so what is open, and what happened lately, which is asked for most, lies together in every table made of them.
ENDED = ("finished_at", "returned_at")
IN_DICTIONARY = [name for name, dtype in (row_schema() | PLACE).items() if dtype == pl.String and name != KEY]


class Kept:
    """Frames of one schema as a Parquet file, written as they come, the rows of each in order."""

    def __init__(self, path: Path, schema: Mapping[str, pl.DataType]) -> None:
        self.path = path
        in_dictionary = [name for name in IN_DICTIONARY if name in schema]
        kept = _as_kept(pl.DataFrame(schema=schema)).schema
        spans = [name for name, dtype in schema.items() if dtype == pl.Datetime]  # of nothing else a range is asked
        # rows stand in the order of time: as steps, times to the second take a third of the room, and are read faster
        steps = {n: "DELTA_BINARY_PACKED" for n, t in schema.items() if t.is_temporal() or t.is_integer()}
        self.writer = pq.ParquetWriter(
            path,
            kept,
            compression="zstd",
            use_dictionary=in_dictionary,
            column_encoding=steps,
            write_statistics=spans,
        )

    def add(self, frame: pl.DataFrame) -> None:
        self.writer.write_table(_as_kept(frame))

    def close(self) -> None:
        self.writer.close()


def _as_kept(frame: pl.DataFrame) -> pa.Table:
    """A frame as it is written: keys as 16 bytes, rows by when they ended."""
    keys, at, others = _keys(frame[KEY]), frame.columns.index(KEY), frame.drop(KEY)
    if ended := [name for name in ENDED if name in others.columns]:
        # keys apart: as texts they would take longer to move than all else. What ended at one moment stands as in the file:
        # the same bytes each time.
        others = others.with_row_index("place").sort(pl.coalesce(ended), nulls_last=True, maintain_order=True)
        keys = keys.take(others.drop_in_place("place").to_arrow())
    table = others.to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.add_column(at, KEY, pa.ExtensionArray.from_storage(pa.uuid(), keys))


def _keys(texts: pl.Series) -> pa.FixedSizeBinaryArray:
    """Keys of dossiers (hex, never null) as 16 bytes each."""
    digits = bytes.fromhex(texts.str.join("").item())
    if len(digits) != 16 * len(texts):
        raise AssertionError(f"{len(texts)} dossiers, {len(digits)} bytes of their keys")
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(texts), [None, pa.py_buffer(digits)])


class Batches:
    """The accepted rows of a file, table by table, and the codes of all that were read, in `hidden`; both wait on the
    disk."""

    def __init__(self, part: Path, hidden: Path) -> None:
        self.part, self.hidden = part, hidden
        self.tables: list[tuple[str | None, int, Kept]] = []
        self.codes = Kept(hidden / "codes.parquet", CODES)
        self.seen: list[pl.Series] = []

    def add(self, rows: pl.DataFrame, codes: pl.DataFrame, sheet: str | None, rank: int) -> None:
        """rows: `row_schema`. codes: dossier_id, dossier_code. rank: of two tables in one file the higher is the newer."""
        if not self.tables or self.tables[-1][:2] != (sheet, rank):
            self._open(sheet, rank)
        self.tables[-1][2].add(rows.with_columns(pl.lit(sheet, PLACE["sheet"]).alias("sheet")))
        self.codes.add(codes)
        self.seen.append(codes["dossier_id"].hash())

    def _open(self, sheet: str | None, rank: int) -> None:
        for _, _, kept in self.tables[-1:]:
            kept.close()
        path = self.part / f"table_{len(self.tables):05}.parquet"
        self.tables.append((sheet, rank, Kept(path, row_schema() | PLACE)))

    def close(self) -> None:
        """Whatever happened: an open file cannot be removed on Windows."""
        self.codes.close()
        for _, _, kept in self.tables:
            kept.close()

    def settle(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Leaves rows.parquet, and the codes: one row per dossier. Returns the dossiers of conflicting rows, and the rows
        set aside."""
        if not self.tables:
            self._open(None, 0)
        self.close()
        codes, rows = self.codes.path, self.part / "rows.parquet"
        seen = pl.concat(self.seen) if self.seen else pl.Series(dtype=pl.UInt64)
        # two dossiers of one hash only make it look closer
        if seen.n_unique() == len(seen) and len(self.tables) == 1:
            self.tables[0][2].path.rename(rows)
            return pl.DataFrame(schema={"dossier_id": pl.String()}), pl.DataFrame(schema=SET_ASIDE_SCHEMA)
        spill = self.part / "spill"
        con = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill)})
        every = " UNION ALL ".join(
            f"SELECT *, {rank} AS table_rank FROM read_parquet({parquet([kept.path])})" for _, rank, kept in self.tables
        )
        told = codes.rename(self.hidden / "read.parquet")
        try:
            return settle_repeats(con, f"({every})", f"read_parquet({parquet([told])})", rows, codes)
        finally:
            con.close()
            shutil.rmtree(spill, ignore_errors=True)
            for _, _, kept in self.tables:
                kept.path.unlink()


def settle_repeats(
    con: duckdb.DuckDBPyConnection, rows: str, codes: str, kept_rows: Path, kept_codes: Path
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Identical repeats are excluded, conflicting rows all rejected; where registers of different days stand in one file
    (a sheet per month), the newest speaks. rows, codes: relations."""
    con.execute(f"CREATE TEMP TABLE repeated AS SELECT dossier_id FROM {codes} GROUP BY dossier_id HAVING count(*) > 1")
    content = ", ".join(c for c in row_schema() if c not in ("row", "dossier_id"))
    con.execute(
        f"""
        CREATE TEMP TABLE judged AS
        SELECT sheet, row, dossier_id, same <> times AND NOT superseded AS conflicting, superseded,
               same = times AND nth = 1 AND NOT superseded AS once
        FROM (
            SELECT sheet, row, dossier_id, row_number() OVER same_day AS nth,
                   count(*) OVER (PARTITION BY dossier_id, table_rank) AS times,
                   count(*) OVER (PARTITION BY dossier_id, table_rank, {content}) AS same,
                   table_rank < max(table_rank) OVER (PARTITION BY dossier_id) AS superseded
            FROM {rows} SEMI JOIN repeated USING (dossier_id)
            WINDOW same_day AS (PARTITION BY dossier_id, table_rank ORDER BY sheet, row)
        )
        """
    )
    con.execute(
        f"COPY (SELECT * EXCLUDE (table_rank) FROM {rows} told "
        "ANTI JOIN (FROM judged WHERE NOT once) other ON other.row = told.row AND other.sheet IS NOT DISTINCT FROM told.sheet "
        f"ORDER BY coalesce({', '.join(ENDED)}) NULLS LAST, sheet, row) TO {quoted(kept_rows)} (FORMAT parquet, COMPRESSION zstd)"
    )
    con.execute(
        f"COPY (SELECT DISTINCT dossier_id, dossier_code FROM {codes}) TO {quoted(kept_codes)} (FORMAT parquet, COMPRESSION zstd)"
    )
    found = con.sql(
        """
        SELECT sheet, row, CASE WHEN conflicting THEN 'rejected' ELSE 'excluded' END AS verdict,
               CASE WHEN superseded THEN 'superseded_in_file' WHEN conflicting THEN 'conflicting_rows' ELSE 'duplicate_row' END AS reason,
               'dossier_code' AS "column", NULL::VARCHAR AS expected, NULL::VARCHAR AS found
        FROM judged WHERE NOT once ORDER BY sheet, row
        """
    ).pl()
    conflicting = con.sql(f"SELECT DISTINCT {hex_sql(KEY)} AS dossier_id FROM judged WHERE conflicting").pl()
    return conflicting, found
