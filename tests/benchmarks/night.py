"""A whole night and what it answers, beside the baselines, in one run:

    python -m tests.benchmarks.night [--rows N] [--form csv|parquet] [--home DIR] [--out FILE.md]

Every figure is a ratio to a baseline of the same run; the counts of all engines are compared cell by cell with those
that were published. Not here: the data (country.py), the baselines (bare.py).
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import plotly.graph_objects as go

from pipeline.declare.figures import measures
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.benchmarks import bare
from tests.benchmarks.country import LAST_DAY, UNITS, write_country, write_news
from tests.benchmarks.run import Cost, measured, motcua

NEXT_DAY = "2024-12-20"
PANDAS_MOST = 10_000_000  # beyond it pandas does not fit
QUARTER, UNIT = "2023-Q3", "Xã Bình 1"


@dataclass(frozen=True)
class Line:
    """A line of the table: what, what it cost, and beside which baseline DESIGN §8 wants it at most how many times."""

    name: str
    cost: Cost
    beside: str | None = None
    most: float | None = None


class Bench:
    """One run. lines: in the order in which they were measured."""

    def __init__(self, root: Path, rows: int, form: str, say: Callable[[str], None] = print) -> None:
        self.home, self.work = Home(root), root / "bare"
        self.rows, self.form, self.say = rows, form, say
        self.lines: list[Line] = []
        self.files = (self.home.raw / "*" / f"so_{LAST_DAY.replace('-', '')}.{form}").as_posix()

    def add(self, name: str, cost: Cost, beside: str | None = None, most: float | None = None) -> None:
        line = Line(name, cost, beside, most)
        self.lines.append(line)
        self.say(self.words(line))

    def cost(self, name: str) -> Cost:
        return next(line.cost for line in self.lines if line.name == name)

    def words(self, line: Line) -> str:
        told = f"{line.name:34} {line.cost.wall:8.2f} s {line.cost.cpu:8.2f} s CPU {line.cost.peak:7.0f} MB"
        if line.beside:
            told += f"   {self.ratio(line):6.2f} × {line.beside}" + (f" (at most {line.most:g})" if line.most else "")
        return told

    def ratio(self, line: Line) -> float:
        """In CPU: what else the machine does meanwhile changes the wall clock, not this."""
        return line.cost.cpu / self.cost(line.beside).cpu if line.beside else 1.0

    # ---- what is measured

    def make(self) -> None:
        if not self.home.raw.exists():
            self.home.raw.mkdir(parents=True)
            write_country(self.home.raw, self.rows, self.form)
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()

    def baselines(self) -> None:
        counts = bare.count_sql(bare.typed_sql(self.files, self.form))
        self.add("count, DuckDB", measured(bare.DUCKDB_COUNT, counts, self._out("duckdb")))
        of_table = bare.count_sql("dossier")
        words = (bare.outputs_sql(self.form), of_table, self.files, self.work.as_posix(), self._out("outputs"))
        self.add("same outputs, DuckDB", measured(bare.DUCKDB_OUTPUTS, *words))
        stored = f"(SELECT unit, channel, received, due, finished FROM read_parquet('{self.work.as_posix()}/rows_*.parquet'))"
        self.add(
            "count over stored Parquet, DuckDB",
            measured(bare.DUCKDB_COUNT, bare.count_sql(stored), self._out("stored")),
        )
        told = json.dumps([(q.key, str(q.start), str(q.end)) for q in bare.quarters()])
        words = (self.files, self.form, told, json.dumps(bare.NEEDED))
        self.add("count, Polars", measured(bare.POLARS_COUNT, *words, self._out("polars")), "count, DuckDB")
        if self.rows <= PANDAS_MOST:
            self.add("count, pandas", measured(bare.PANDAS_COUNT, *words, self._out("pandas")), "count, DuckDB")

    def night(self) -> None:
        shutil.rmtree(self.home.warehouse, ignore_errors=True)
        at = ("--home", str(self.home.root))
        self.add("night", motcua("run", *at), "same outputs, DuckDB", 1.5)
        self.add("night with nothing new", motcua("run", *at), "night")

    def recount(self) -> None:
        """All quarters, and one, counted anew from the dossiers of the published file."""
        with open_published(self.home) as con:
            path = con.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchall()[0][0]
        for name, only, most in (("recount of all quarters", None, 1.0), ("recount of a quarter", QUARTER, 0.2)):
            self.add(name, measured(RECOUNT, path, only or ""), "count over stored Parquet, DuckDB", most)

    def answers(self) -> None:
        at = ("--home", str(self.home.root))
        for name, words in {
            "stats": ("stats", "--period", QUARTER, "--format", "json"),
            "indicators": ("indicators", "--period", QUARTER, "--format", "json"),
            "explain --list": ("explain", "total", "--period", QUARTER, "--unit", UNIT, "--list", "--format", "csv"),
            "export": ("export", "--period", QUARTER, "--out", str(self.work / "export")),
        }.items():
            self.add(name, motcua(*words, *at))

    def news(self) -> None:
        """One in a hundred rows new or changed, the night after."""
        write_news(self.home.raw, self.rows, NEXT_DAY)
        self.add("night with 1 % new", motcua("run", "--home", str(self.home.root)), "night", 0.1)

    # ---- whether all say the same

    def compare(self) -> int:
        """How many cells were compared: every engine's with those published. Raises SystemExit where one differs."""
        with open_published(self.home) as con:
            columns = ", ".join(f"({_sum(name)})::BIGINT AS {name}" for name in bare.COUNTS)
            ours = con.execute(
                f"SELECT period, u.unit, {columns} FROM period_count c JOIN unit u USING (unit_id) "
                "WHERE c.scheme = 'nd09' AND c.kind = 'quarter' GROUP BY period, u.unit ORDER BY period, u.unit"
            ).fetchall()
        picked = ", ".join(f"{name}::BIGINT AS {name}" for name in bare.COUNTS)
        found = sorted(self.work.glob("counts_*.parquet"))
        for path in found:
            theirs = duckdb.sql(
                f"SELECT period, unit, {picked} FROM '{path.as_posix()}' ORDER BY period, unit"
            ).fetchall()
            if theirs != ours:
                first = next((a, b) for a, b in zip(theirs, ours, strict=False) if a != b)
                raise SystemExit(f"{path.stem}: {len(theirs)} and {len(ours)} rows; first difference {first}")
        return len(found) * len(ours) * len(bare.COUNTS)

    def _out(self, name: str) -> str:
        return (self.work / f"counts_{name}.parquet").as_posix()


RECOUNT = """
import sys, duckdb
path, only = sys.argv[1:3]
con = duckdb.connect(path, read_only=True)
where = f"AND period = '{only}'" if only else ""
con.execute("CREATE TEMP TABLE counted AS SELECT period, unit_id, field, origin, outcome, count(*) AS n FROM dossier_period "
            f"WHERE scheme = 'nd09' AND kind = 'quarter' {where} GROUP BY ALL")
"""


def _sum(name: str) -> str:
    return f"coalesce(sum(n) FILTER (WHERE {measures()[name].where}), 0)"


def table(bench: Bench, cells: int) -> str:
    """The run as Markdown."""
    head = f"{bench.rows:,} dossiers of {UNITS} units in three years, as {bench.form}; {cells:,} cells compared, all equal.\n\n"
    head += "| what | wall s | CPU s | peak MB | CPU beside a baseline | DESIGN §8 |\n|---|---:|---:|---:|---|---|\n"
    rows = ""
    for line in bench.lines:
        beside = f"{bench.ratio(line):.2f} × {line.beside}" if line.beside else ""
        wanted = f"at most {line.most:g}: {'met' if bench.ratio(line) <= line.most else 'not met'}" if line.most else ""
        cost = line.cost
        rows += f"| {line.name} | {cost.wall:.2f} | {cost.cpu:.2f} | {cost.peak:.0f} | {beside} | {wanted} |\n"
    return head + rows


def plot(bench: Bench, path: Path) -> None:
    """The CPU seconds as bars, in a page that opens without a network."""
    lines = bench.lines[::-1]
    bars = go.Bar(x=[line.cost.cpu for line in lines], y=[line.name for line in lines], orientation="h")
    go.Figure(bars, {"title": f"{bench.rows:,} dossiers, {bench.form}: CPU seconds"}).write_html(path)


def run(root: Path, rows: int, form: str) -> tuple[Bench, int]:
    bench = Bench(root, rows, form)
    bench.make()
    bench.baselines()
    bench.night()
    cells = bench.compare()
    bench.recount()
    bench.answers()
    bench.news()
    return bench, cells


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--form", choices=("csv", "parquet"), default="csv")
    asked.add_argument("--home", type=Path, default=None, help="kept; else a folder that goes")
    asked.add_argument("--out", type=Path, default=None, help="the table as Markdown, and beside it the plot")
    told = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench, cells = run(told.home or Path(folder), told.rows, told.form)
    print(f"\n{table(bench, cells)}")
    if told.out:
        told.out.write_text(table(bench, cells), encoding="utf-8")
        plot(bench, told.out.with_suffix(".html"))


if __name__ == "__main__":
    main()
