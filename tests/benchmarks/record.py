"""The record at scale: `python -m tests.benchmarks.record` [--rows N] [--rounds N] [--home DIR].

Ten million dossiers in sixty monthly registers (a third more rows) are taken in at night; then a quarter among them is
sealed, explained and run again. Before, the register of the next ten days is taken in, which tells of one in a hundred:
held against the whole night. Beside all else stand bare DuckDB scripts in the same run:

- same outputs: reads the same files, writes their rows with keyed hashes as Parquet, each dossier's newest row as a
  table, and counts every quarter, or the one. What the night and the re-run are held against, which leave the same.
- quarter from CSV: counts the one quarter from the same raw files. Any of them may hold a dossier that is open in the
  quarter, and the newest word about it counts: so it has to read all of them. What seal and explain are held
  against, which leave no rows behind.
- quarter from Parquet: the same from every dossier's last state, once each.

Every quarter's counts and every dossier that the scripts leave are compared with those published, cell by cell. Prints
wall and CPU seconds, peak memory and the ratios of CPU, which another program on the same cores changes least.
With 0.6.15 on two cores, 30/11/2026, seconds of CPU and ratios, medians of three rounds (lowest–highest):

                            10 M dossiers                (before 0.5.0)
same outputs                 66.2
same outputs, one quarter    60.8
quarter from CSV             15.6
night                        88.4   1.34 × (1.28–1.37) same outputs, 2.4 GB     (6.0 ×, 6.2 GB)
night with 1 % new            8.5   0.093 × (0.086–0.097) night
re-run                       70.8   1.17 × same outputs, one quarter; 4.7 × quarter from CSV     (17.6 × from CSV)
seal                          4.2   0.28 × quarter from CSV
explain                       0.3   0.02 × quarter from CSV
explain --list                0.6   0.04 × quarter from CSV
stats                         0.2   0.01 × quarter from CSV

The night keeps to one and a half times the script that leaves what it leaves, the one after it to a tenth of it, the others
to twice theirs.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from pipeline.declare.periods import Period, parse_period, parse_periods
from pipeline.settings import Home
from tests.benchmarks import equal
from tests.benchmarks.bare import COUNTS, DOSSIER_ID, DUCKDB_COUNT, KEY, count_sql, meant
from tests.benchmarks.run import Cost, measured, motcua, own, settle, spread

FIRST, MONTHS = date(2019, 1, 15), 60
QUARTERS = parse_periods("2019-Q1..2024-Q1")
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

# All is told beforehand: to find out how sixty files are written takes longer than to read them.
READ = """read_csv('{glob}', skip = 3, header = true, filename = true, auto_detect = false, delim = ',', quote = '"', columns = {{
    'Mã hồ sơ': 'VARCHAR', 'Đơn vị tiếp nhận': 'VARCHAR', 'Ngày tiếp nhận': 'VARCHAR', 'Trạng thái': 'VARCHAR',
    'Ngày kết thúc xử lý': 'VARCHAR', 'Hình thức nộp': 'VARCHAR', 'Ngày hẹn trả': 'VARCHAR',
    'Số hóa thành phần hồ sơ': 'VARCHAR', 'Số hóa kết quả': 'VARCHAR'}})"""
# Of a dossier in several registers the newest speaks.
CSV = """(
    SELECT "Đơn vị tiếp nhận" AS unit, "Hình thức nộp" AS channel,
           CAST(strptime("Ngày tiếp nhận", '%d/%m/%Y %H:%M:%S') AS DATE) AS received,
           CAST(strptime("Ngày hẹn trả", '%d/%m/%Y %H:%M:%S') AS DATE) AS due,
           CAST(strptime("Ngày kết thúc xử lý", '%d/%m/%Y %H:%M:%S') AS DATE) AS finished
    FROM {csv}
    QUALIFY row_number() OVER (PARTITION BY "Mã hồ sơ" ORDER BY filename DESC) = 1
)"""
# What a person would write to have the same outputs as a night: rows, a table, counts.
SAME = """
COPY (
    SELECT {hashed} AS dossier_id, "Mã hồ sơ" AS code, "Đơn vị tiếp nhận" AS unit, "Hình thức nộp" AS channel, "Trạng thái" AS status,
           strptime("Ngày tiếp nhận", '%d/%m/%Y %H:%M:%S') AS received_at, strptime("Ngày hẹn trả", '%d/%m/%Y %H:%M:%S') AS due_at,
           strptime("Ngày kết thúc xử lý", '%d/%m/%Y %H:%M:%S') AS finished_at,
           "Số hóa thành phần hồ sơ" AS component, "Số hóa kết quả" AS result, filename AS file
    FROM {csv}
) TO '{folder}/rows.parquet' (FORMAT parquet, COMPRESSION zstd);
ATTACH '{folder}/same.duckdb' AS same;
CREATE TABLE same.dossier AS
SELECT * EXCLUDE (code) FROM read_parquet('{folder}/rows.parquet')
QUALIFY row_number() OVER (PARTITION BY dossier_id ORDER BY file DESC) = 1 ORDER BY unit, received_at;
COPY ({count}) TO '{folder}/count.parquet' (FORMAT parquet);
DETACH same"""
TABLE = """(
    SELECT unit, channel, CAST(received_at AS DATE) AS received, CAST(due_at AS DATE) AS due, CAST(finished_at AS DATE) AS finished
    FROM same.dossier
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
        _write_register(con, folder, first, last)


def _write_register(con: duckdb.DuckDBPyConnection, folder: Path, first: date, last: date, name: str = "so") -> None:
    """What the table `made` holds of these days."""
    path, body = folder / f"{name}_{last:%Y-%m-%d}.csv", folder / "body.csv"
    after = last + timedelta(days=1)
    con.execute(
        f"""COPY (
            SELECT 'H50.466-' || strftime(received, '%y%m%d') || '-' || lpad(CAST(i AS VARCHAR), 8, '0') AS "Mã hồ sơ",
                   unit AS "Đơn vị tiếp nhận", strftime(received, '%d/%m/%Y %H:%M:%S') AS "Ngày tiếp nhận",
                   CASE WHEN finished < DATE '{after}' THEN 'Đã xử lý xong' ELSE 'Đang xử lý' END AS "Trạng thái",
                   CASE WHEN finished < DATE '{after}' THEN strftime(finished, '%d/%m/%Y %H:%M:%S') END AS "Ngày kết thúc xử lý",
                   channel AS "Hình thức nộp", strftime(due, '%d/%m/%Y %H:%M:%S') AS "Ngày hẹn trả",
                   digitized AS "Số hóa thành phần hồ sơ", digitized AS "Số hóa kết quả"
            FROM made WHERE received < DATE '{after}' AND (received >= DATE '{first}' OR finished >= DATE '{first}')
        ) TO '{body}' (HEADER)"""
    )
    with path.open("wb") as stream:
        stream.write(HEAD.format(first, last).encode())
        stream.write(body.read_bytes())
    body.unlink()


def write_news(folder: Path, ended: Path, rows: int) -> None:
    """The next register, of so many days that one in a hundred dossiers is told of: those received in them, and all that
    were open when they began. folder, ended, rows: as for write_registers."""
    con = duckdb.connect()
    last = list(months())[-1][1]
    first = last + timedelta(days=1)
    # dossiers of the last month, a month later; as many days as it takes
    con.execute(
        f"""CREATE TABLE made AS
            SELECT * FROM '{ended}' WHERE finished >= DATE '{first}'
            UNION ALL
            SELECT i + {rows} AS i, unit, received + to_days(30), channel, due + to_days(30), finished + to_days(30), digitized, field
            FROM '{ended}' WHERE received >= DATE '{first}' - 30"""
    )
    asked = f"SELECT CAST(received AS DATE) FROM made ORDER BY received LIMIT 1 OFFSET {rows // 100}"
    upto = con.execute(asked).fetchall()[0][0]
    con.execute(f"DELETE FROM made WHERE received >= DATE '{upto}' + 1")
    _write_register(con, folder, first, upto, "moi")  # not among those that the bare scripts read


WRITE = "import sys; from pathlib import Path; from tests.benchmarks.record import write_registers; write_registers(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))"
NEWS = WRITE.replace("write_registers", "write_news")
SQL = "import sys, duckdb; duckdb.execute(sys.argv[1])"
FROM_FILES = ("quarter from CSV", "quarter from Parquet")
HELD_AGAINST = {
    "night": ("same outputs",),
    "night with 1 % new": ("night",),
    "rerun": ("same outputs, one quarter", *FROM_FILES),
    **dict.fromkeys(("seal", "seal --verify", "explain", "explain --list", "stats"), FROM_FILES),
}
# What a night has of what the bare scripts leave.
OURS = f"""
SELECT period, unit, {", ".join(COUNTS)} FROM unit_count c JOIN unit USING (unit_id)
WHERE c.scheme = '{QUARTERS[0].scheme}' AND c.kind = '{QUARTERS[0].kind}' ORDER BY ALL"""
OUR_DOSSIERS = """
SELECT dossier_id, status, channel, unit, received_at, due_at, finished_at, component_digitized AS component,
       result_digitized AS result, f.name AS file
FROM dossier JOIN unit USING (unit_id) JOIN file f USING (file_id)"""
THEIR_DOSSIERS = f"""
SELECT CAST(dossier_id AS UUID) AS dossier_id, {meant("status")}, {meant("channel")}, unit, received_at, due_at, finished_at,
       component = 'Có' AS component, result = 'Có' AS result, parse_filename(file) AS file
FROM dossier"""


class Run:
    """One run, and what was found. cells: how many were compared with what the night published."""

    def __init__(self, root: Path, rows: int) -> None:
        self.home, self.rows, self.found, self.cells = Home(root), rows, dict[str, Cost](), 0
        self.raw, self.ended = self.home.raw / "lon", root / "ended.parquet"
        self.counts, self.dossiers = list[list[Any]](), dict[str, int]()  # that the night published

    def note(self, name: str, spent: Cost) -> None:
        self.found[name] = spent
        print(f"{name:26} {spent.wall:7.1f} s wall {spent.cpu:7.1f} s CPU {spent.peak:7.0f} MB", flush=True)

    def command(self, name: str, *words: str) -> None:
        self.note(name, motcua(*words, "--home", str(self.home.root)))

    def night(self) -> None:
        """The registers, once for a home that is kept; the night, from nothing."""
        if not self.raw.exists():
            # a program of its own: the memory of the one that starts another counts as that one's, too
            measured(WRITE, str(self.raw), str(self.ended), str(self.rows))
            settle()
        for left in self.raw.glob("moi_*.csv"):
            left.unlink()
        shutil.rmtree(self.home.warehouse, ignore_errors=True)
        equal.give_key(self.home, KEY)
        self.command("night", "run")
        self.counts = equal.asked(equal.published(self.home), OURS)
        self.dossiers = equal.cells(equal.published(self.home), OUR_DOSSIERS)

    def news(self) -> None:
        """The night after, with one in a hundred new."""
        measured(NEWS, str(self.raw), str(self.ended), str(self.rows))
        self.command("night with 1 % new", "run")

    def baselines(self, folder: Path) -> None:
        """The bare scripts, each held against what the night published."""
        one = [parse_period(QUARTER)]
        every = READ.format(glob=(self.raw / "so_*.csv").as_posix())
        for name, periods in {"same outputs": QUARTERS, "same outputs, one quarter": one}.items():
            (left := folder / name).mkdir()
            count = count_sql(TABLE, periods)
            words = SAME.format(hashed=DOSSIER_ID, csv=every, folder=left.as_posix(), count=count)
            self.note(name, measured(SQL, words))
            self._held(name, left / "count.parquet", periods)
            self.cells += equal.same_cells(name, equal.cells(left / "same.duckdb", THEIR_DOSSIERS), self.dossiers)
            shutil.rmtree(left)
        for name, source in {
            "CSV": CSV.format(csv=every),
            "Parquet": PARQUET.format(path=self.ended.as_posix()),
        }.items():
            out = folder / f"{name}.parquet"
            self.note(f"quarter from {name}", measured(DUCKDB_COUNT, count_sql(source, one), out.as_posix()))
            self._held(f"quarter from {name}", out, one)

    def _held(self, name: str, counts: Path, periods: Sequence[Period]) -> None:
        theirs = duckdb.sql(
            f"SELECT period, unit, {', '.join(COUNTS)} FROM '{counts.as_posix()}' ORDER BY ALL"
        ).fetchall()
        asked = {period.key for period in periods}
        self.cells += equal.same_rows(name, theirs, [row for row in self.counts if row[0] in asked])

    def commands(self) -> None:
        """A quarter among all: asked for, explained, sealed and run again."""
        cell = ("explain", "on_time_rate", "--period", QUARTER, "--unit", UNIT)
        self.command("stats", "stats", "--period", QUARTER, "--format", "json")
        self.command("explain", *cell, "--format", "json")
        self.command("explain --list", *cell, "--list", "--format", "csv")
        self.command("seal", "seal", QUARTER, "--format", "json")
        self.command("seal --verify", "seal", "--verify")
        self.command("rerun", "rerun", QUARTER, "--format", "json")

    def ratio(self, name: str, script: str) -> float:
        """Of CPU."""
        return self.found[name].cpu / self.found[script].cpu


def ratios(rounds: Sequence[Run]) -> str:
    """A line for each; of several rounds the median, and the lowest and the highest."""
    lines = []
    for name, scripts in HELD_AGAINST.items():
        told = []
        for script in scripts:
            found = sorted(run.ratio(name, script) for run in rounds)
            told.append(f"{median(found):6.3g}{spread(found)} × {script}")
        lines.append(f"{name:18} {', '.join(told)}")
    return "\n".join(lines)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=10_000_000)
    asked.add_argument("--rounds", type=int, default=1, help="so many times in turn: on a machine whose speed changes")
    asked.add_argument("--home", type=Path, default=None, help="kept and used again; else a folder that goes")
    told = asked.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(told.rounds):
            rounds.append(run := Run(own(told.home or Path(folder)), told.rows))
            with tempfile.TemporaryDirectory() as outputs:
                run.night()
                run.news()
                run.baselines(Path(outputs))
                run.commands()
    cells = sum(run.cells for run in rounds)
    print(f"{ratios(rounds)}\n{cells:,} cells compared with what the night published, all equal")


if __name__ == "__main__":
    main()
