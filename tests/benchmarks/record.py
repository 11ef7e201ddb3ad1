"""The record at scale: `python -m tests.benchmarks.record` [--rows N] [--home DIR].

Ten million dossiers in sixty monthly registers; then a quarter among them is sealed, explained and run again, each beside
a bare DuckDB script that only counts that quarter, in the same run. Prints seconds and ratios. Not here: the night's own speed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[2]
FIRST, MONTHS = date(2019, 1, 15), 60
QUARTER, UNIT = "2022-Q3", "Xã Gio An"
UNITS = (
    "Xã Gio An",
    "Xã Gio Mỹ",
    "Xã Gio Hải",
    "Xã Trung Hải",
    "Xã Linh Trường",
    "Thị trấn Cửa Việt",
    "UBND huyện Gio Linh",
)
SOURCE = 'name = "Sổ lớn"\nknown_at = "exported"\nextent = "full"\n'
HEAD = "SỔ THEO DÕI HỒ SƠ\nTừ ngày {0:%d/%m/%Y} đến ngày {1:%d/%m/%Y}\nNgày xuất dữ liệu: {1:%d/%m/%Y} 23:30:00\n"

# What a person would write to count one quarter, and nothing else.
BARE = """
SELECT unit, count(*) FILTER (WHERE received < DATE '2022-06-15') AS carried_over,
       count(*) FILTER (WHERE received >= DATE '2022-06-15' AND channel = 'Trực tuyến') AS online,
       count(*) FILTER (WHERE received >= DATE '2022-06-15' AND channel <> 'Trực tuyến') AS in_person,
       count(*) FILTER (WHERE finished <= DATE '2022-09-14' AND finished < due) AS early,
       count(*) FILTER (WHERE finished <= DATE '2022-09-14' AND finished = due) AS on_time,
       count(*) FILTER (WHERE finished <= DATE '2022-09-14' AND finished > due) AS late,
       count(*) FILTER (WHERE finished > DATE '2022-09-14' OR finished IS NULL) AS open
FROM {dossiers}
WHERE received <= DATE '2022-09-14' AND (finished IS NULL OR finished >= DATE '2022-06-15' OR received >= DATE '2022-06-15')
GROUP BY unit ORDER BY unit
"""
# The registers of the quarter's months list all that counts in it; of a dossier in several the newest speaks.
CSV = """(
    SELECT "Đơn vị tiếp nhận" AS unit, "Hình thức nộp" AS channel,
           CAST(strptime("Ngày tiếp nhận", '%d/%m/%Y %H:%M:%S') AS DATE) AS received,
           CAST(strptime("Ngày hẹn trả", '%d/%m/%Y %H:%M:%S') AS DATE) AS due,
           CAST(strptime("Ngày kết thúc xử lý", '%d/%m/%Y %H:%M:%S') AS DATE) AS finished
    FROM read_csv('{glob}', skip = 3, header = true, all_varchar = true, filename = true)
    QUALIFY row_number() OVER (PARTITION BY "Mã hồ sơ" ORDER BY filename DESC) = 1
)"""
# Every dossier once, as it ended.
PARQUET = """(
    SELECT unit, channel, CAST(received AS DATE) AS received, CAST(due AS DATE) AS due, CAST(finished AS DATE) AS finished
    FROM read_parquet('{path}')
)"""


def months() -> Iterator[tuple[date, date]]:
    first = FIRST
    for _ in range(MONTHS):
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=15)
        yield first, following - timedelta(days=1)
        first = following


def write_registers(folder: Path, ended: Path, rows: int) -> None:
    """Sixty monthly registers: each lists what was received in its month, or was open when it began. ended: where every
    dossier stands once, as Parquet."""
    folder.mkdir(parents=True)
    (folder / "source.toml").write_text(SOURCE, encoding="utf-8")
    con = duckdb.connect()
    units = ", ".join(f"'{u}'" for u in UNITS)
    days = (list(months())[-1][1] - FIRST).days
    con.execute(
        f"""CREATE TABLE made AS
            SELECT i, list_value({units})[CAST(1 + hash(i, 1) % {len(UNITS)} AS INTEGER)] AS unit,
                   CAST(DATE '{FIRST}' AS TIMESTAMP) + to_seconds(CAST(i * ({days} * 86400.0 / {rows}) AS BIGINT)) AS received,
                   CASE WHEN hash(i, 2) % 3 > 0 THEN 'Trực tuyến' ELSE 'Trực tiếp' END AS channel,
                   received + to_days(CAST(3 + hash(i, 3) % 20 AS INTEGER)) AS due,
                   due + to_days(CAST(hash(i, 4) % 8 AS INTEGER) - 6) AS finished,
                   CASE WHEN hash(i, 5) % 10 > 2 THEN 'Có' ELSE 'Không' END AS digitized,
                   'Lĩnh vực ' || hash(i, 6) % 12 AS field
            FROM range({rows}) t(i)"""
    )
    con.execute(f"COPY made TO '{ended}'")
    for first, last in months():
        path = folder / f"so_{last:%Y-%m}.csv"
        body = folder / "body.csv"
        con.execute(
            f"""COPY (
                SELECT 'H50.466-' || strftime(received, '%y%m%d') || '-' || lpad(CAST(i AS VARCHAR), 8, '0') AS "Mã hồ sơ",
                       unit AS "Đơn vị tiếp nhận", strftime(received, '%d/%m/%Y %H:%M:%S') AS "Ngày tiếp nhận",
                       CASE WHEN finished < DATE '{last + timedelta(days=1)}' THEN 'Đã xử lý xong' ELSE 'Đang xử lý' END AS "Trạng thái",
                       CASE WHEN finished < DATE '{last + timedelta(days=1)}' THEN strftime(finished, '%d/%m/%Y %H:%M:%S') END AS "Ngày kết thúc xử lý",
                       channel AS "Hình thức nộp", strftime(due, '%d/%m/%Y %H:%M:%S') AS "Ngày hẹn trả",
                       digitized AS "Số hóa thành phần hồ sơ", digitized AS "Số hóa kết quả"
                FROM made WHERE received < DATE '{last + timedelta(days=1)}' AND (received >= DATE '{first}' OR finished >= DATE '{first}')
            ) TO '{body}' (HEADER)"""
        )
        with path.open("wb") as stream:
            stream.write(HEAD.format(first, last).encode())
            stream.write(body.read_bytes())
        body.unlink()


def timed(code: str, *words: str) -> tuple[float, str]:
    """Seconds of a program of its own, its start included, and what it printed."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return time.perf_counter() - begun, done.stdout


COMMAND = "import sys; from pipeline.cli import main; main(sys.argv[1:])"
SQL = "import sys, duckdb; print(duckdb.sql(sys.argv[1]).fetchall())"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=10_000_000)
    asked.add_argument("--home", type=Path, default=None, help="kept and used again; else a folder that goes")
    told = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = told.home or Path(folder)
        raw = home / "data" / "raw" / "lon"
        ended = home / "ended.parquet"
        if not raw.exists():
            seconds = time.perf_counter()
            write_registers(raw, ended, told.rows)
            print(f"{told.rows:,} dossiers written in {time.perf_counter() - seconds:.0f} s", flush=True)
        at = ("--home", str(home))
        seconds, _ = timed(COMMAND, "run", *at)
        print(f"night: {seconds:.0f} s", flush=True)
        bare = {
            "bare, the quarter's registers as CSV": BARE.format(
                dossiers=CSV.format(glob=(raw / "so_2022-0[789].csv").as_posix())
            ),
            "bare, all dossiers as Parquet": BARE.format(dossiers=PARQUET.format(path=ended.as_posix())),
        }
        found = {}
        for name, sql in bare.items():
            found[name] = min(timed(SQL, sql)[0] for _ in range(3))
        for name, words in {
            "stats": ("stats", "--period", QUARTER, "--format", "json"),
            "explain": ("explain", "on_time_rate", "--period", QUARTER, "--unit", UNIT, "--format", "json"),
            "explain --list": (
                "explain",
                "on_time_rate",
                "--period",
                QUARTER,
                "--unit",
                UNIT,
                "--list",
                "--format",
                "csv",
            ),
            "seal": ("seal", QUARTER, "--format", "json"),
            "seal --verify": ("seal", "--verify"),
            "rerun": ("rerun", QUARTER, "--format", "json"),
        }.items():
            found[name] = timed(COMMAND, *words, *at)[0]
            print(f"{name}: {found[name]:.1f} s", flush=True)
    for name, seconds in found.items():
        ratios = ", ".join(f"{seconds / found[one]:.1f} × {one.removeprefix('bare, ')}" for one in bare)
        print(f"{name:40} {seconds:7.1f} s   {'' if name in bare else ratios}")
    print(json.dumps({name: round(seconds, 2) for name, seconds in found.items()}))


if __name__ == "__main__":
    main()
