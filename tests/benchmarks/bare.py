"""What a person would write by hand over the same exports: the baselines. Each is a program of its own that writes its
counts, a row per quarter and unit, so that they can be compared cell by cell.

    count     only counts (DuckDB, Polars, pandas)
    outputs   writes the same outputs as a night: typed rows with a keyed hash as Parquet for each file, one table of
              all dossiers, the counts (DuckDB); with the export's columns, or with all that the night's table has, and
              then also the counts of every period in which a night counts
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pipeline.declare.periods import Period, parse_periods

KEY = b"k" * 64  # as text, as those that homes make
COUNTS = ("total", "online", "carried_over", "resolved_early", "resolved_on_time", "resolved_late", "open")
QUARTERS = "2022-Q1..2024-Q4"
NEEDED = {
    "unit": "Đơn vị tiếp nhận",
    "received": "Ngày tiếp nhận",
    "finished": "Ngày kết thúc xử lý",
    "due": "Ngày hẹn trả",
    "channel": "Hình thức nộp",
}


def hash_sql(text: str, key: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) by DuckDB's sha256: its first 128 bits in hex. key: a block (64 bytes) at most."""
    padded = key.ljust(64, b"\0")
    inner, outer = ("'" + "".join(f"\\x{byte ^ pad:02X}" for byte in padded) + "'::BLOB" for pad in (0x36, 0x5C))
    return f"left(sha256({outer} || unhex(sha256({inner} || encode({text})))), 32)"


DOSSIER_ID = hash_sql("'national' || chr(31) || upper(\"Mã hồ sơ\")", KEY)  # as a night makes it of a national code


def quarters() -> list[Period]:
    return parse_periods(QUARTERS)


def count_sql(dossiers: str, asked: Sequence[Period]) -> str:
    """One statement for all periods over rows of unit, channel and DATEs received, due, finished."""
    period, first, last, where = f"'{asked[0].key}'", f"DATE '{asked[0].start}'", f"DATE '{asked[0].end}'", "WHERE"
    if len(asked) > 1:  # else, as a person would write it, without a join, which costs twice as much
        values = ", ".join(f"('{q.key}', DATE '{q.start}', DATE '{q.end}')" for q in asked)
        period, first, last = "period", "q.first", "q.last"
        where = f"JOIN (VALUES {values}) q(period, first, last) ON"
    return f"""
        SELECT {period} AS period, unit, count(*) AS total,
               count(*) FILTER (WHERE received >= {first} AND channel = 'Trực tuyến') AS online,
               count(*) FILTER (WHERE received < {first}) AS carried_over,
               count(*) FILTER (WHERE finished <= {last} AND finished < due) AS resolved_early,
               count(*) FILTER (WHERE finished <= {last} AND finished = due) AS resolved_on_time,
               count(*) FILTER (WHERE finished <= {last} AND finished > due) AS resolved_late,
               count(*) FILTER (WHERE finished IS NULL OR finished > {last}) AS open
        FROM {dossiers} d {where}
          received <= {last} AND (finished IS NULL OR finished >= {first} OR received >= {first})
        GROUP BY period, unit ORDER BY period, unit"""


def typed_sql(glob: str, form: str) -> str:
    """The needed columns of the exports, typed."""
    if form == "parquet":
        days = ", ".join(f'CAST("{NEEDED[c]}" AS DATE) AS {c}' for c in ("received", "finished", "due"))
        return f'(SELECT "{NEEDED["unit"]}" AS unit, "{NEEDED["channel"]}" AS channel, {days} FROM read_parquet(\'{glob}\'))'
    parsed = "CAST(strptime(\"{0}\", '%d/%m/%Y %H:%M:%S') AS DATE) AS {1}"
    days = ", ".join(parsed.format(NEEDED[c], c) for c in ("received", "finished", "due"))
    return (
        f'(SELECT "{NEEDED["unit"]}" AS unit, "{NEEDED["channel"]}" AS channel, {days} '
        f"FROM read_csv('{glob}', header = true, all_varchar = true))"
    )


DUCKDB_COUNT = """
import sys, duckdb
sql, out, *database = sys.argv[1:]
duckdb.connect(*database).execute(f"COPY ({sql}) TO '{out}' (FORMAT parquet)")
"""

DUCKDB_OUTPUTS = """
import sys, glob, duckdb
from pathlib import Path
select, table, count, files, folder, out = sys.argv[1:7]
con = duckdb.connect(str(Path(folder) / "bare.duckdb"))
for n, path in enumerate(sorted(glob.glob(files))):
    con.execute(f"COPY ({select.replace('FILE', path)}) TO '{folder}/rows_{n}.parquet' (FORMAT parquet, COMPRESSION zstd)")
con.execute(f"CREATE TABLE dossier AS {table.replace('FOLDER', folder)}")
con.execute(f"COPY ({count}) TO '{out}' (FORMAT parquet)")
con.close()
"""

FLAG = "CASE \"{0}\" WHEN 'Có' THEN TRUE WHEN 'Không' THEN FALSE END AS {1}"
FLAGS = {
    "Số hóa thành phần hồ sơ": "component_digitized",
    "Số hóa kết quả": "result_digitized",
    "Có nghĩa vụ tài chính": "fee_due",
    "Thanh toán trực tuyến": "paid_online",
    "Có phiếu đánh giá": "rated",
}


def outputs_sql(form: str) -> str:
    """Typed rows of one export, the code as a keyed hash, nothing of a person; FILE stands for its path."""
    when = '"{0}" AS {1}' if form == "parquet" else "strptime(\"{0}\", '%d/%m/%Y %H:%M:%S') AS {1}"
    times = ", ".join(when.format(NEEDED[c], f"{c}_at") for c in ("received", "finished", "due"))
    days = ", ".join(f"CAST({c}_at AS DATE) AS {c}" for c in ("received", "finished", "due"))
    read = "read_parquet('FILE')" if form == "parquet" else "read_csv('FILE', header = true, all_varchar = true)"
    flags = ", ".join(FLAG.format(header, name) for header, name in FLAGS.items())
    words = '"Trạng thái" AS status, "Hình thức nộp" AS channel, "Tên TTHC" AS procedure, "Lĩnh vực" AS field'
    return (
        f'SELECT *, {days} FROM (SELECT {DOSSIER_ID} AS dossier_id, "{NEEDED["unit"]}" AS unit, {times}, {words}, '
        f'"Mức độ DVC" AS service_level, {flags} FROM {read})'
    )


TABLE = "SELECT * FROM read_parquet('FOLDER/rows_*.parquet')"

# What the words of an export mean: to hold the table against the one that a night publishes.
WORDS = {
    "status": {"Đã xử lý xong": "done", "Đang xử lý": "processing"},
    "channel": {"Trực tuyến": "online", "Trực tiếp": "in_person", "Bưu chính công ích": "postal"},
    "service_level": {"Toàn trình": "full", "Một phần": "partial"},
}


def meant(column: str) -> str:
    """SQL of what a column's words mean; of others an error."""
    arms = " ".join(f"WHEN '{word}' THEN '{value}'" for word, value in WORDS[column].items())
    return f"CASE WHEN {column} IS NOT NULL THEN CASE {column} {arms} ELSE error('not known: ' || {column}) END END AS {column}"


# the columns of the table, as the night has them; and those of a night, by the same names
TABLE_CELLS = f"""SELECT CAST(dossier_id AS UUID) AS dossier_id, {", ".join(map(meant, WORDS))}, * EXCLUDE (dossier_id, {", ".join(WORDS)}) FROM dossier"""
NIGHT_CELLS = """SELECT dossier_id, status, channel, service_level, unit, received_at, finished_at, due_at, procedure, field, {flags},
       received_on AS received, concluded_on AS finished, due_on AS due FROM dossier JOIN unit USING (unit_id)""".format(
    flags=", ".join(FLAGS.values())
)

# ---- the same with every column of the night's table


def numbered_sql(form: str) -> str:
    """Rows as of `outputs_sql`, with their place in the file, below a header if it has one."""
    return f"SELECT row_number() OVER () + {int(form == 'csv')} AS row, * FROM ({outputs_sql(form)})"


def whole_table_sql(day: date) -> str:
    """The table `dossier` as a night publishes it, of exports of the evening of that day whose rows lie in FOLDER."""
    told = f"TIMESTAMP '{day} 23:59:59'"
    nothing = {
        "VARCHAR": ("procedure_code", "rating", "sheet"),
        "TIMESTAMP": ("extended_due_at", "returned_at", "supplement_requested_at"),
        "BOOLEAN": ("component_reused", "apology_sent"),
        "INTEGER": ("certified_copies", "paused_days"),
        "DATE": ("previous_left_on",),
    }
    nulls = ", ".join(f"NULL::{kind} AS {name}" for kind, names in nothing.items() for name in names)
    return f"""
        WITH told AS (
            SELECT *, 1 + CAST(regexp_extract(filename, 'rows_(\\d+)', 1) AS BIGINT) AS file_id
            FROM read_parquet('FOLDER/rows_*.parquet', filename = true)
        ),
        place AS (
            SELECT file_id, unit, format('huyen_{{:02d}}', file_id) AS source,
                   source || ':' || replace(replace(strip_accents(lower(unit)), 'đ', 'd'), ' ', '-') AS unit_id
            FROM (SELECT DISTINCT file_id, unit FROM told)
        )
        SELECT CAST(dossier_id AS UUID) AS dossier_id, 1 AS episode, 1 AS episodes, CAST(1 AS BIGINT) AS versions,
               unit_id, unit_id AS told_unit_id, source, file_id, row, field, procedure, {", ".join(map(meant, WORDS))},
               received_at, received AS received_on, received AS opened_on, due_at, due AS due_on, due_at AS first_due_at,
               finished_at, finished_at AS concluded_at, finished AS concluded_on,
               CASE WHEN finished IS NOT NULL THEN 'resolved' END AS conclusion, finished - received AS processing_days,
               greatest(coalesce(finished, DATE '9999-12-31'), received) AS counts_until, 'running' AS newest_state,
               'date' AS lateness, {", ".join(FLAGS.values())}, DATE '{day}' AS first_exported_on, {told} AS exported_at,
               {told} AS known_at, {nulls}
        FROM told JOIN place USING (file_id, unit)"""


WHOLE_TABLE_ROWS = """(SELECT unit_id AS unit, CASE channel WHEN 'online' THEN 'Trực tuyến' END AS channel,
    received_on AS received, concluded_on AS finished, due_on AS due FROM dossier)"""

POLARS_COUNT = """
import sys, json, polars as pl
files, form, quarters, needed, out = sys.argv[1:6]
needed = json.loads(needed)
scan = pl.scan_parquet(files) if form == "parquet" else pl.scan_csv(files, infer_schema=False)
day = {c: pl.col(needed[c]).cast(pl.Date) if form == "parquet" else
       pl.col(needed[c]).str.to_datetime("%d/%m/%Y %H:%M:%S").cast(pl.Date) for c in ("received", "finished", "due")}
d = scan.select(unit=pl.col(needed["unit"]), channel=pl.col(needed["channel"]), **day)
parts = []
for key, first, last in json.loads(quarters):
    first, last = pl.lit(first).str.to_date(), pl.lit(last).str.to_date()
    done = pl.col("finished") <= last
    parts.append(d.filter((pl.col("received") <= last) & (pl.col("finished").is_null() | (pl.col("finished") >= first)
            | (pl.col("received") >= first))).group_by("unit").agg(
        period=pl.lit(key), total=pl.len(),
        online=((pl.col("received") >= first) & (pl.col("channel") == "Trực tuyến")).sum(),
        carried_over=(pl.col("received") < first).sum(),
        resolved_early=(done & (pl.col("finished") < pl.col("due"))).sum(),
        resolved_on_time=(done & (pl.col("finished") == pl.col("due"))).sum(),
        resolved_late=(done & (pl.col("finished") > pl.col("due"))).sum(),
        open=(pl.col("finished").is_null() | (pl.col("finished") > last)).sum()))
pl.concat(pl.collect_all(parts, engine="streaming")).sort("period", "unit").write_parquet(out)
"""

PANDAS_COUNT = """
import sys, json, glob, pandas as pd
files, form, quarters, needed, out = sys.argv[1:6]
needed = json.loads(needed)
columns = list(needed.values())
read = (lambda p: pd.read_parquet(p, columns=columns)) if form == "parquet" else (lambda p: pd.read_csv(p, usecols=columns, dtype=str))
d = pd.concat([read(p) for p in sorted(glob.glob(files))]).rename(columns={v: k for k, v in needed.items()})
for c in ("received", "finished", "due"):
    d[c] = pd.to_datetime(d[c], format=None if form == "parquet" else "%d/%m/%Y %H:%M:%S").dt.normalize()
parts = []
for key, first, last in json.loads(quarters):
    first, last = pd.Timestamp(first), pd.Timestamp(last)
    q = d[(d.received <= last) & (d.finished.isna() | (d.finished >= first) | (d.received >= first))]
    done = q.finished <= last
    parts.append(pd.DataFrame({
        "unit": q.unit, "total": 1, "online": (q.received >= first) & (q.channel == "Trực tuyến"), "carried_over": q.received < first,
        "resolved_early": done & (q.finished < q.due), "resolved_on_time": done & (q.finished == q.due),
        "resolved_late": done & (q.finished > q.due), "open": q.finished.isna() | (q.finished > last),
    }).groupby("unit").sum().reset_index().assign(period=key))
pd.concat(parts).sort_values(["period", "unit"]).to_parquet(out)
"""
