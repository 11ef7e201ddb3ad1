"""The files, and what became of every row of each: counted, excluded or rejected, by reason; rows set aside one by one.

Not here: why a row was rejected (conform/, validate/), and the check that the sums are right (measure/checks).
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import polars as pl

from pipeline.warehouse.record import Entry
from pipeline.warehouse.sql import parquet, statement, store
from pipeline.warehouse.versions import FileFacts

Files = list[tuple[Entry, FileFacts]]


def file_tables(con: duckdb.DuckDBPyConnection, files: Files, withdrawn: Files) -> None:
    """`file`: every file taken in, also those that were taken back; `file_known`, `file_span`: when each was known, and
    what its registers cover. `row_of_file`, `rejected_of_file`: their rows."""
    both = files + withdrawn
    rows = [
        {
            "file_id": entry.seq,
            "source": facts.source,
            "source_name": facts.source_name,
            "name": facts.name,
            "sha256": facts.sha256,
            "format": facts.format,
            "layout": facts.layout,
            "extent": facts.extent,
            "extent_told": facts.extent_told,
            "first_day": facts.first_day,
            "last_day": facts.last_day,
            "exported_at": facts.exported_at,
            "known_at": entry.known_at,
            "lateness": facts.lateness,
            "precedence": facts.precedence,
            "withdrawn_at": entry.withdrawn_at and entry.withdrawn_at[:19],
            "withdrawn_reason": entry.withdrawn_reason,
            "rows_in": facts.rows_in,
        }
        for entry, facts in sorted(both, key=lambda f: f[0].seq)
    ]
    texts = dict.fromkeys(("withdrawn_at", "withdrawn_reason"), pl.String)
    days = {"first_day": pl.Date, "last_day": pl.Date} | texts
    moments = pl.col("known_at", "withdrawn_at").str.to_datetime(time_unit="us")
    store(con, "file", pl.DataFrame(rows, schema_overrides=days).with_columns(moments))
    known = [(entry.seq, *span) for entry, _ in both for span in entry.known]
    schema = {"file_id": pl.Int64, "known_from": pl.Datetime("us"), "known_to": pl.Datetime("us")}
    store(con, "known", pl.DataFrame(known, schema=schema, orient="row"), temp=True)
    con.execute(
        """CREATE TABLE file_known AS
           SELECT k.*, row_number() OVER (ORDER BY f.exported_at, f.known_at, f.file_id, k.known_from) AS position
           FROM known k JOIN file f USING (file_id)"""
    )
    spans = [(entry.seq, *span) for entry, facts in both for span in facts.spans]
    schema = {"file_id": pl.Int64, "extent": pl.String, "first_day": pl.Date, "last_day": pl.Date}
    store(con, "file_span", pl.DataFrame(spans, schema=schema, orient="row"))
    folders = {
        "sha256": [f.sha256 for _, f in both],
        "folder": [f.folder.as_posix() for _, f in both],
    }
    store(con, "file_folder", pl.DataFrame(folders, schema=dict.fromkeys(folders, pl.String)), temp=True)
    con.execute(f"CREATE TEMP VIEW row_of_file AS {rows_sql(both)}")
    rejected = kept_sql(both, "rejected.parquet", lambda facts: facts.rejected or facts.excluded)
    con.execute(
        f"CREATE TEMP VIEW rejected_of_file AS SELECT f.file_id, CAST(r.dossier_id AS UUID) AS dossier_id FROM ({rejected}) r JOIN file f USING (sha256)"
    )


def kept_sql(files: Files, name: str, told: Callable[[FileFacts], object]) -> str:
    """What is kept of files under a name, each row with its file's hash; of those alone that tell something in it, as to open
    them all each night takes longer the more there are. Where none does one of them is opened, which is empty. Needs
    `file_folder`."""
    some = [facts for _, facts in files if told(facts)] or [facts for _, facts in files[:1]]
    stored = parquet(facts.folder / name for facts in some)
    return (
        f"SELECT r.* EXCLUDE (filename), d.sha256 FROM read_parquet({stored}, filename = true) r "
        f"JOIN file_folder d ON r.filename = d.folder || '/{name}'"
    )


def rows_sql(files: Files) -> str:
    """The conformed rows of files, each with its file's hash. Those that stand in place of an expired file may be of a
    program that kept dossier_id as text."""
    return f"SELECT * REPLACE (CAST(dossier_id AS UUID) AS dossier_id) FROM ({kept_sql(files, 'rows.parquet', lambda _: True)})"


def account(con: duckdb.DuckDBPyConnection, files: Files, withdrawn: Files) -> None:
    """`set_aside`: rows that do not count, and why. `file_account`: rows of each file by verdict and reason."""
    # without a file that counts the table is made all the same, of no rows
    told = kept_sql(files or withdrawn, "aside.parquet", lambda f: f.excluded or f.rejected or f.notices)
    con.execute(
        f"""
        CREATE TABLE set_aside AS
        SELECT f.file_id, a.sheet, a.row, a.verdict, a.reason, a."column", a.expected, a.found
        FROM ({told}) a JOIN file f ON f.sha256 = a.sha256 AND f.withdrawn_at IS NULL
        UNION ALL
        SELECT file_id, sheet, row, 'rejected', 'unknown_unit', 'unit', NULL,
               CASE WHEN unit LIKE '#%' THEN substr(unit, instr(unit, ' ') + 1) ELSE unit END
        FROM unknown_row WHERE withdrawn_at IS NULL
        UNION ALL
        SELECT DISTINCT r.file_id, r.sheet, r.row, 'rejected', 'unknown_unit', 'unit', NULL,
               CASE WHEN r.unit LIKE '#%' THEN substr(r.unit, instr(r.unit, ' ') + 1) ELSE r.unit END
        FROM reported_row r JOIN reported t USING (file_id, row)
        WHERE t.sheet IS NOT DISTINCT FROM r.sheet AND r.role = 'unit' AND t.unit_id IS NULL
        UNION ALL
        SELECT DISTINCT file_id, sheet, row, 'rejected', 'conflicting_figures', 'unit', NULL, NULL FROM reported WHERE conflict
        UNION ALL
        SELECT DISTINCT file_id, sheet, row, 'rejected', 'unknown_unit', unit_cell || ' ' || return_id, NULL,
               CASE WHEN unit LIKE '#%' THEN substr(unit, instr(unit, ' ') + 1) ELSE unit END
        FROM return_told WHERE unit_id IS NULL
        UNION ALL
        SELECT file_id, sheet, row, 'excluded', status, 'status', NULL, NULL
        FROM other_word WHERE nth = versions
        ORDER BY file_id, sheet, row
        """
    )
    con.execute(statement("warehouse", "file_account"))
