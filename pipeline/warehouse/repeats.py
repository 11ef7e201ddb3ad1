"""A file's conformed batches → its rows, each dossier once: what repeats within a file is settled here.

Not here: what other files say of a dossier (the build).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import polars as pl

from pipeline.conform.rows import SET_ASIDE_SCHEMA, row_schema
from pipeline.warehouse.sql import parquet, quoted

MEMORY = "1GB"  # for files of several batches; beyond it DuckDB uses the disk
PLACE = {"sheet": pl.String(), "table_rank": pl.Int32()}
CODES = {"dossier_id": pl.String(), "dossier_code": pl.String()}


class Batches:
    """The accepted rows of a file, and the codes of all that were read, batch by batch: a lone batch stays in memory,
    several wait on the disk, their codes in `hidden`."""

    def __init__(self, part: Path, hidden: Path) -> None:
        self.part, self.hidden = part, hidden
        self.rows, self.codes = pl.DataFrame(schema=row_schema() | PLACE), pl.DataFrame(schema=CODES)
        self.number = 0
        self.sheets: list[str | None] = []

    def add(self, rows: pl.DataFrame, codes: pl.DataFrame, sheet: str | None, rank: int) -> None:
        """rows: `row_schema`. codes: dossier_id, dossier_code. rank: of two tables in one file the higher is the newer."""
        if self.number == 1:
            self._keep()
        place = {"sheet": sheet, "table_rank": rank}
        self.rows = rows.with_columns(pl.lit(place[name], dtype).alias(name) for name, dtype in PLACE.items())
        self.codes = codes
        self.number += 1
        if self.number > 1:
            self._keep()
        if sheet not in self.sheets[-1:]:
            self.sheets.append(sheet)

    def _keep(self) -> None:
        (self.part / "batches").mkdir(exist_ok=True)
        self.rows.write_parquet(
            self.part / "batches" / f"{self.number:05}.parquet", compression="lz4", statistics=False
        )
        self.codes.write_parquet(self.hidden / f"{self.number:05}.parquet", compression="lz4", statistics=False)

    def settle(self, con: duckdb.DuckDBPyConnection) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Writes rows.parquet, and the codes: one row per dossier. Returns the dossiers of conflicting rows, and the rows
        set aside. con: for a lone batch."""
        if self.number > 1:
            folder = self.part / "spill"
            con = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(folder)})
            rows = f"read_parquet({parquet(sorted((self.part / 'batches').iterdir()))})"
            codes = f"read_parquet({parquet(sorted(self.hidden.glob('*.parquet')))})"
        else:
            rows, codes = "batch_rows", "batch_codes"
            con.register(rows, self.rows)
            con.register(codes, self.codes)
        try:
            return settle_repeats(con, rows, codes, self.part, self.hidden, in_order=len(self.sheets) < 2)
        finally:
            if self.number > 1:
                con.close()
                shutil.rmtree(self.part / "batches")
                shutil.rmtree(self.part / "spill", ignore_errors=True)
            else:
                con.unregister(rows)
                con.unregister(codes)


def settle_repeats(
    con: duckdb.DuckDBPyConnection, rows: str, codes: str, part: Path, hidden: Path, in_order: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Identical repeats are excluded, conflicting rows all rejected; where registers of different days stand in one file
    (a sheet per month), the newest speaks. rows, codes: relations. in_order: the rows come by sheet and row."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE repeated AS SELECT dossier_id FROM {codes} GROUP BY dossier_id HAVING count(*) > 1"
    )
    some = con.execute("SELECT count(*) > 0 FROM repeated").fetchall()[0][0]
    content = ", ".join(c for c in row_schema() if c not in ("row", "dossier_id"))
    once, distinct = "", ""
    if some:  # seldom: to compare all rows with each other takes longer than all else here
        con.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE judged AS
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
        once = "ANTI JOIN (FROM judged WHERE NOT once) other ON other.row = told.row AND other.sheet IS NOT DISTINCT FROM told.sheet"
        distinct = "DISTINCT"
    order = "" if in_order and not some else "ORDER BY sheet, row"
    con.execute(
        f"COPY (SELECT * EXCLUDE (table_rank) FROM {rows} told {once} {order}) "
        f"TO {quoted(part / 'rows.parquet')} (FORMAT parquet, COMPRESSION zstd)"
    )
    con.execute(
        f"COPY (SELECT {distinct} dossier_id, dossier_code FROM {codes}) "
        f"TO {quoted(hidden / 'codes.parquet')} (FORMAT parquet, COMPRESSION zstd)"
    )
    schema = {"dossier_id": pl.String()}
    if not some:
        return pl.DataFrame(schema=schema), pl.DataFrame(schema=SET_ASIDE_SCHEMA)
    found = con.sql(
        """
        SELECT sheet, row, CASE WHEN conflicting THEN 'rejected' ELSE 'excluded' END AS verdict,
               CASE WHEN superseded THEN 'superseded_in_file' WHEN conflicting THEN 'conflicting_rows' ELSE 'duplicate_row' END AS reason,
               'dossier_code' AS "column", NULL::VARCHAR AS expected, NULL::VARCHAR AS found
        FROM judged WHERE NOT once ORDER BY sheet, row
        """
    ).pl()
    conflicting = con.sql("SELECT DISTINCT dossier_id FROM judged WHERE conflicting").pl()
    return conflicting, found
