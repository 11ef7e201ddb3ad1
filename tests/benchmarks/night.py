"""A whole night and what it answers, beside the baselines, in one run:

    python -m tests.benchmarks.night [--rows N] [--form csv|parquet] [--rounds N] [--home DIR] [--out FILE.md]

Every figure is a ratio to a baseline of the same round; of several rounds the median is told, and the lowest and the
highest ratio. The counts of all engines are compared cell by cell with those that were published. Not here: the data (country.py), the baselines (bare.py).
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date
from itertools import takewhile
from pathlib import Path
from statistics import median

import plotly.graph_objects as go

from pipeline.declare.figures import asked_labels, labels, measures
from pipeline.declare.periods import all_periods
from pipeline.errors import NoPictures
from pipeline.report.charts import pictures
from pipeline.report.figures import Drawing
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.benchmarks import bare, equal
from tests.benchmarks.country import FIRST_DAY, LAST_DAY, Country
from tests.benchmarks.run import Cost, measured, motcua, motcua_night, own, spread

NEXT_DAY = date(2024, 12, 20)
MOST = 10_000_000  # beyond it pandas does not fit, and no further table of dossiers is laid beside the night's
QUARTER, UNIT = "2023-Q3", "Xã Bình 1"
START = "start and Dagster"


@dataclass(frozen=True)
class Line:
    """A line of the table: what, what it cost, and beside which baseline DESIGN §8 wants it at most how many times. A
    stage is part of the line before it. ratios: of several rounds, ascending."""

    name: str
    cost: Cost
    beside: str | None = None
    most: float | None = None
    stage: bool = False
    ratios: tuple[float, ...] = ()


class Bench:
    """One run. lines: in the order in which they were measured."""

    def __init__(self, root: Path, country: Country, say: Callable[[str], None] = print) -> None:
        self.home, self.work = Home(root), root / "bare"
        self.country, self.rows, self.form, self.say = country, country.rows, country.form, say
        self.lines: list[Line] = []
        self.tables: dict[str, dict[str, int]] = {}  # of the bare programs' dossiers, by what is asked of the night's
        self.compared = 0  # cells of these that the night has too
        self.periods = self.work / "periods.parquet"  # counts of all of them, by a bare program
        self.files = (self.home.raw / "*" / f"so_{LAST_DAY:%Y%m%d}.{self.form}").as_posix()

    def add(self, name: str, cost: Cost, beside: str | None = None, most: float | None = None) -> None:
        self._keep(Line(name, cost, beside, most))

    def _keep(self, line: Line) -> None:
        self.lines.append(line)
        self.say(self.words(line))

    def cost(self, name: str) -> Cost:
        return next(line.cost for line in self.lines if line.name == name)

    def work_of(self, night: str) -> float:
        """CPU seconds of a night in its stages, the start left out: that is the same however large the night is."""
        first = next(n for n, line in enumerate(self.lines) if line.name == night) + 1
        stages = takewhile(lambda line: line.stage, self.lines[first:])
        return sum(line.cost.cpu for line in stages if line.name != START)

    def words(self, line: Line) -> str:
        name, peak = f"{'  ' * line.stage}{line.name}", f" {line.cost.peak:7.0f} MB" if line.cost.peak else " " * 11
        told = f"{name:34} {line.cost.wall:8.2f} s {line.cost.cpu:8.2f} s CPU{peak}"
        if line.beside:
            told += f"   {self.ratio(line):6.2f} × {line.beside}" + (f" (at most {line.most:g})" if line.most else "")
        return told

    def ratio(self, line: Line) -> float:
        """In CPU: what else the machine does meanwhile changes the wall clock, not this. Of several rounds the median."""
        if line.ratios:
            return median(line.ratios)
        return line.cost.cpu / self.cost(line.beside).cpu if line.beside else 1.0

    # ---- what is measured

    def make(self) -> None:
        """The data, once for a home that is kept, without what an earlier run's second night brought."""
        if not self.home.raw.exists():
            part = self.home.raw.with_name("raw.part")
            shutil.rmtree(part, ignore_errors=True)
            self.country.write(part)
            part.rename(self.home.raw)
        for left in self.home.raw.glob(f"*/so_{NEXT_DAY:%Y%m%d}.csv"):
            left.unlink()
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()

    def baselines(self, pandas: bool = True) -> None:
        counts = bare.count_sql(bare.typed_sql(self.files, self.form), bare.quarters())
        self.add("count, DuckDB", measured(bare.DUCKDB_COUNT, counts, self._out("duckdb")))
        of_table = bare.count_sql("dossier", bare.quarters())
        words = (bare.outputs_sql(self.form), bare.TABLE, of_table, self.files, self.work.as_posix())
        self.add("same outputs, DuckDB", measured(bare.DUCKDB_OUTPUTS, *words, self._out("outputs")))
        stored = f"(SELECT unit, channel, received, due, finished FROM read_parquet('{self.work.as_posix()}/rows_*.parquet'))"
        self.add(
            "count over stored Parquet, DuckDB",
            measured(bare.DUCKDB_COUNT, bare.count_sql(stored, bare.quarters()), self._out("stored")),
        )
        told = json.dumps([(q.key, str(q.start), str(q.end)) for q in bare.quarters()])
        words = (self.files, self.form, told, json.dumps(bare.NEEDED))
        self.add("count, Polars", measured(bare.POLARS_COUNT, *words, self._out("polars")), "count, DuckDB")
        if pandas and self.rows <= MOST:
            self.add("count, pandas", measured(bare.PANDAS_COUNT, *words, self._out("pandas")), "count, DuckDB")
        self.tables[bare.NIGHT_CELLS] = equal.cells(self.work / "bare.duckdb", bare.TABLE_CELLS)
        for path in (*self.work.glob("rows_*.parquet"), self.work / "bare.duckdb"):
            path.unlink()  # a hundred million dossiers need the room
        if self.rows <= MOST:
            self._whole_table()

    def _whole_table(self) -> None:
        """As the same outputs, but with every column of the night's table; and then also the counts of every period in
        which a night counts, by the plain statement."""
        (folder := self.work / "whole").mkdir()
        quarters = bare.count_sql(bare.WHOLE_TABLE_ROWS, bare.quarters())
        words = (bare.numbered_sql(self.form), bare.whole_table_sql(LAST_DAY), quarters, self.files, folder.as_posix())
        of_table = measured(bare.DUCKDB_OUTPUTS, *words, self._out("whole"))
        self.add("same table, DuckDB", of_table, "same outputs, DuckDB")
        database = folder / "bare.duckdb"
        periods = bare.count_sql(bare.WHOLE_TABLE_ROWS, list(all_periods(FIRST_DAY, LAST_DAY)))
        of_periods = measured(bare.DUCKDB_COUNT, periods, self.periods.as_posix(), str(database))
        self.add("same table and all periods, DuckDB", of_table + of_periods, "same outputs, DuckDB")
        self.tables["FROM dossier"] = equal.cells(database, "FROM dossier")
        shutil.rmtree(folder)

    def night(self) -> None:
        shutil.rmtree(self.home.warehouse, ignore_errors=True)
        equal.give_key(self.home, bare.KEY)
        self._night("night", "same outputs, DuckDB", 1.5)
        for asked, theirs in self.tables.items():
            published = equal.cells(equal.published(self.home), asked)
            self.compared += equal.same_cells("dossiers, DuckDB", theirs, published)
        self._night("night with nothing new", "night")

    def _night(self, name: str, beside: str, most: float | None = None) -> None:
        """A night, and what is in it; what is in no stage is the start of the program, and Dagster."""
        cost, stages = motcua_night(self.home.root)
        self.add(name, cost, beside, most)
        rest = Cost(*(getattr(cost, c) - sum(getattr(s, c) for s in stages.values()) for c in ("wall", "cpu")))
        for stage, spent in {**stages, START: rest}.items():
            self._keep(Line(stage, spent, stage=True))

    def recount(self) -> None:
        """All quarters, and one, counted anew from the dossiers of the published file."""
        path = str(equal.published(self.home))
        for name, only, most in (("recount of all quarters", "", 1.0), ("recount of a quarter", QUARTER, 0.2)):
            out = self._out(f"recount{only}")
            self.add(name, measured(RECOUNT, path, only, out), "count over stored Parquet, DuckDB", most)

    def answers(self) -> None:
        at = ("--home", str(self.home.root))
        self.add("--help", motcua("--help"), "night")
        for name, words in {
            "stats": ("stats", "--period", QUARTER, "--format", "json"),
            "indicators": ("indicators", "--period", QUARTER, "--format", "json"),
            "explain --list": ("explain", "total", "--period", QUARTER, "--unit", UNIT, "--list", "--format", "csv"),
        }.items():
            self.add(name, motcua(*words, *at), "night")
        for name, sql in NOTEBOOK.items():
            self.add(f"notebook: {name}", measured(ASKED, str(self.home.root), sql.format(quarter=QUARTER)), "night")

    def export(self) -> None:
        words = ("export", "--period", QUARTER, "--out", str(self.work / "export"), "--home", str(self.home.root))
        self.add("export", motcua(*words), "night")

    def news(self) -> None:
        """One in a hundred rows new or changed, the night after."""
        self.country.write_news(self.home.raw, NEXT_DAY)
        self._night("night with 1 % new", "night", 0.1)

    # ---- whether all say the same

    def compare(self) -> int:
        """How many cells were compared: every engine's with those published, counts and dossiers. Raises SystemExit where
        one differs."""
        asked = {quarter.key for quarter in bare.quarters()}  # the news open another one
        picked = ", ".join(f"{name}::BIGINT AS {name}" for name in bare.COUNTS)
        cells = self.compared
        with open_published(self.home) as con:
            ours = con.execute(f"SELECT period, unit, {SUMS} FROM period_count c {BY_UNIT}").fetchall()
            for path in sorted(self.work.glob("counts_*.parquet")):
                named = f"FROM '{path.as_posix()}' c LEFT JOIN unit u ON u.unit_id = c.unit"  # one tells units by keys
                told = con.execute(f"SELECT period, coalesce(u.unit, c.unit) AS unit, {picked} {named} ORDER BY ALL")
                wanted = {QUARTER} if path.stem.endswith(QUARTER) else asked
                cells += equal.same_rows(path.stem, told.fetchall(), [row for row in ours if row[0] in wanted])
            if self.periods.exists():
                theirs = f"SELECT period, unit, {picked} FROM '{self.periods.as_posix()}' JOIN period USING (period) WHERE {ENDED}"
                counts = f"SELECT period, unit_id, {', '.join(bare.COUNTS)} FROM unit_count WHERE total > 0 AND {ENDED}"
                cells += equal.same_rows("all periods", con.execute(theirs).fetchall(), con.execute(counts).fetchall())
        return cells

    def _out(self, name: str) -> str:
        return (self.work / f"counts_{name}.parquet").as_posix()


ENDED = f"period_to <= DATE '{LAST_DAY}' ORDER BY ALL"  # of others the news change the counts
SUMS = ", ".join(
    f"coalesce(sum(n) FILTER (WHERE {measures()[name].where}), 0)::BIGINT AS {name}" for name in bare.COUNTS
)
BY_UNIT = (
    "JOIN unit u USING (unit_id) WHERE c.scheme = 'nd09' AND c.kind = 'quarter' GROUP BY period, unit ORDER BY ALL"
)
LABELS = ", ".join(name for name in labels() if name in asked_labels(*(measures()[name].where for name in bare.COUNTS)))
RECOUNT = f"""
import sys, duckdb
path, only, out = sys.argv[1:4]
con = duckdb.connect(path, read_only=True)
where = f"AND period = '{{only}}'" if only else ""
con.execute("CREATE TEMP TABLE counted AS SELECT period, unit_id, {SUMS} FROM (SELECT period, unit_id, {LABELS}, count(*) AS n "
            f"FROM dossier_period WHERE scheme = 'nd09' AND kind = 'quarter' {{where}} GROUP BY ALL) GROUP BY ALL")
con.execute(f"COPY (SELECT period, unit, counted.* EXCLUDE (period, unit_id) FROM counted JOIN unit USING (unit_id) "
            f"ORDER BY period, unit) TO '{{out}}' (FORMAT parquet)")
"""
ASKED = """
import sys
from pathlib import Path
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
open_published(Home(Path(sys.argv[1]))).execute(sys.argv[2]).fetchall()
"""
NOTEBOOK = {
    "late ones of a quarter": "SELECT u.unit, d.field, d.received_on, d.effective_due_on, d.concluded_on, f.name, d.row FROM "
    "dossier_period d JOIN unit u USING (unit_id) JOIN file f USING (file_id) WHERE d.period = '{quarter}' AND "
    "d.outcome = 'resolved_late' ORDER BY u.sort LIMIT 1000",
    "medians by field": "SELECT field, count(*), median(date_diff('day', received_on, concluded_on)) FROM dossier_period "
    "WHERE period = '{quarter}' AND outcome LIKE 'resolved%' GROUP BY field ORDER BY 2 DESC",
    "all quarters by origin": "SELECT period, sum(online), sum(in_person), sum(postal), sum(channel_unknown), sum(carried_over) "
    "FROM unit_count WHERE scheme = 'nd09' AND kind = 'quarter' GROUP BY period ORDER BY period",
}


def table(bench: Bench, cells: int) -> str:
    """The run as Markdown."""
    told = f"{bench.rows:,} dossiers of {bench.country.units} units in three years, as {bench.form}; {cells:,} cells compared, all equal.\n\n"
    told += "| what | wall s | CPU s | peak MB | CPU beside a baseline | DESIGN §8 |\n|---|---:|---:|---:|---|---|\n"
    for line in bench.lines:
        beside = f"{bench.ratio(line):.3g}{spread(line.ratios)} × {line.beside}" if line.beside else ""
        wanted = f"at most {line.most:g}: {'met' if bench.ratio(line) <= line.most else 'not met'}" if line.most else ""
        cost, name = line.cost, f"– {line.name}" if line.stage else line.name
        peak = f"{cost.peak:.0f}" if cost.peak else ""
        told += f"| {name} | {cost.wall:.2f} | {cost.cpu:.2f} | {peak} | {beside} | {wanted} |\n"
    return told


def plot(bench: Bench, path: Path) -> None:
    """The CPU seconds as bars: a page that opens without a network, and a picture where there is a browser to draw it."""
    lines = bench.lines[::-1]
    bars = go.Bar(
        x=[line.cost.cpu for line in lines],
        y=[f"{'– ' * line.stage}{line.name} ({n})" for n, line in zip(range(len(lines), 0, -1), lines, strict=True)],
        orientation="h",
        text=[f"{line.cost.cpu:.1f}" for line in lines],
        marker_color=["#a8c5da" if line.stage else "#2a7f9e" for line in lines],
    )
    title = f"{bench.rows:,} dossiers, {bench.form}: CPU seconds"
    figure = go.Figure(
        bars, {"title": title, "width": 900, "height": 24 * len(lines) + 160, "template": "simple_white"}
    )
    figure.update_yaxes(automargin=True)
    figure.write_html(path)
    try:
        pictures({path.stem: Drawing(path.stem, title, title, figure, figure.layout.height)}, path.parent)
    except NoPictures as error:
        bench.say(error.render("en"))


def run(root: Path, country: Country, rounds: int = 1, say: Callable[[str], None] = print) -> tuple[Bench, int]:
    """All of it, so many times; how many cells were compared in all. Raises SystemExit where a program fails or a cell
    differs."""
    done: list[Bench] = []
    cells = 0
    for nth in range(rounds):
        bench = Bench(root, country, say)
        bench.make()
        bench.baselines(pandas=nth == 0)  # two minutes in which nothing is learned twice
        bench.night()
        bench.recount()
        cells += bench.compare()
        bench.answers()
        bench.export()
        bench.news()
        done.append(bench)
    return medians(done), cells


def medians(rounds: Sequence[Bench]) -> Bench:
    """Of each line the median of the rounds that have it, by CPU; of memory the peak."""
    told = copy(rounds[0])
    each = [dict(zip(_places(bench), bench.lines, strict=True)) for bench in rounds]
    told.lines = []
    for place in _places(rounds[0]):
        lines = [(bench, found[place]) for bench, found in zip(rounds, each, strict=True) if place in found]
        costs = [line.cost for _, line in lines]
        cost = Cost(
            median(cost.wall for cost in costs),
            median(cost.cpu for cost in costs),
            max((cost.peak for cost in costs if cost.peak), default=None),
        )
        first = lines[0][1]
        ratios = tuple(sorted(bench.ratio(line) for bench, line in lines)) if first.beside else ()
        told.lines.append(replace(first, cost=cost, ratios=ratios))
    return told


def _places(bench: Bench) -> list[tuple[str, str]]:
    """Of each line its name and, as stages of several nights have one name, that of the night."""
    night, found = "", []
    for line in bench.lines:
        night = night if line.stage else line.name
        found.append((night, line.name))
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--form", choices=("csv", "parquet"), default="csv")
    asked.add_argument("--units", type=int, default=620, help="a multiple of --districts")
    asked.add_argument("--districts", type=int, default=20, help="each a source with one file")
    asked.add_argument("--rounds", type=int, default=1, help="so many times in turn: on a machine whose speed changes")
    asked.add_argument("--home", type=Path, default=None, help="kept; else a folder that goes")
    asked.add_argument("--out", type=Path, default=None, help="the table as Markdown, and beside it the plot")
    told = asked.parse_args()
    country = Country(told.rows, told.form, told.units, told.districts)
    with tempfile.TemporaryDirectory() as folder:
        bench, cells = run(own(told.home or Path(folder)), country, told.rounds)
    print(f"\n{table(bench, cells)}")
    if told.out:
        told.out.write_text(table(bench, cells), encoding="utf-8")
        plot(bench, told.out.with_suffix(".html"))


if __name__ == "__main__":
    main()
