"""The counts by DuckDB and by Spark beside each other, in one run:

    python -m tests.benchmarks.engines [--rows N] [--home DIR [--counts]] [--spark local[*]] [--out FILE.md]

What is counted is the published database of a night over `rows` dossiers; both engines' counts are compared cell by cell
with it. A line of Spark holds its start, the hand-over of the rows and of the counts. Not here: the data (country.py).
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path

import duckdb

from pipeline.settings import Home
from pipeline.warehouse.sql import quoted
from tests.benchmarks.country import LAST_DAY, Country
from tests.benchmarks.equal import published
from tests.benchmarks.run import Cost, measured, own

NIGHT = """
import os, sys
os.environ["MOTCUA_ENGINE"] = sys.argv.pop(1)
from pipeline.cli import main
main(sys.argv[1:])
"""
START = """
import sys
from pathlib import Path
from pipeline.measure import spark
with spark.session(Path(sys.argv[1])) as session:
    session.sql("SELECT 1").collect()
"""
COUNT = """
import sys, duckdb
from pipeline.measure import spark
from pipeline.measure.figures import plain_selects
night, engine, out = sys.argv[1:]
con = duckdb.connect()
con.execute(f"ATTACH {night} AS night (READ_ONLY)")
for name in spark.READ:
    con.execute(f"CREATE VIEW {name} AS FROM night.{name}")
plain = plain_selects()
con.execute(f"CREATE VIEW dossier_period AS {plain['dossier_period']}")
if engine == "duckdb":
    con.execute(f"CREATE TABLE period_count AS {plain['period_count']}")
else:
    spark.make_table(con, "period_count", plain)
con.execute(f"COPY period_count TO {out} (FORMAT parquet)")
"""


def run(home: Home, work: Path, rows: int, nights: bool = True) -> tuple[dict[str, Cost], int]:
    """What each costs, by name; how many cells of the counts were compared. nights: whole ones too; else the home has a
    release already. Raises SystemExit where a cell differs."""
    costs = {}
    if nights and not home.raw.exists():
        Country(rows).write(home.raw)
    for engine in ("spark", "duckdb") if nights else ():
        shutil.rmtree(home.warehouse, ignore_errors=True)
        costs[f"night, {engine}"] = told(
            f"night, {engine}", measured(NIGHT, engine, "run", "--home", str(home.root), done=(0, 1))
        )
    night = quoted(published(home))
    costs["start, spark"] = told("start, spark", measured(START, str(work)))
    for engine in ("duckdb", "spark"):
        out = quoted(work / f"{engine}.parquet")
        costs[f"count, {engine}"] = told(f"count, {engine}", measured(COUNT, night, engine, out))
    return costs, sum(compared(night, quoted(work / f"{engine}.parquet")) for engine in ("duckdb", "spark"))


def told(name: str, cost: Cost) -> Cost:
    print(f"{name:16} {cost.wall:8.2f} s {cost.cpu:8.2f} s CPU {cost.peak:7.0f} MB")
    return cost


def compared(night: str, out: str) -> int:
    """How many cells of an engine's counts are those published. Raises SystemExit where one is not."""
    con = duckdb.connect()
    con.execute(f"ATTACH {night} AS night (READ_ONLY)")
    ours, theirs = "SELECT * EXCLUDE (seal) FROM night.period_count", f"FROM read_parquet({out})"
    sql = f"SELECT count(*) FROM ((({ours}) EXCEPT ALL ({theirs})) UNION ALL (({theirs}) EXCEPT ALL ({ours})))"
    if differing := con.execute(sql).fetchall()[0][0]:
        raise SystemExit(f"{out}: {differing} rows differ from those published")
    return con.execute(f"SELECT count(*) FROM ({theirs})").fetchall()[0][0] * len(con.execute(ours).description or ())


def table(costs: dict[str, Cost], rows: int, cells: int) -> str:
    """The run as Markdown; of Spark's lines also how many times DuckDB's."""
    text = f"{rows:,} dossiers, three years to {LAST_DAY}, {os.cpu_count()} cores; {cells:,} cells compared, all equal.\n\n"
    text += (
        "| what | wall s | CPU s | peak MB | wall beside DuckDB | CPU beside DuckDB |\n|---|---:|---:|---:|---:|---:|\n"
    )
    for name, cost in costs.items():
        base = costs.get(name.replace("spark", "duckdb"), cost)
        beside = ("", "") if base is cost else (f"{cost.wall / base.wall:.1f} ×", f"{cost.cpu / base.cpu:.1f} ×")
        text += f"| {name} | {cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak:.0f} | {' | '.join(beside)} |\n"
    return text


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--home", type=Path, default=None, help="kept; else a folder that goes")
    asked.add_argument("--counts", action="store_true", help="of the release that --home has, no nights")
    asked.add_argument("--spark", default="local[*]", help="as MOTCUA_SPARK")
    asked.add_argument("--out", type=Path, default=None, help="the table as Markdown")
    words = asked.parse_args()
    if words.counts and not words.home:
        asked.error("--counts needs --home, with a release in it")
    os.environ["MOTCUA_SPARK"] = words.spark
    with tempfile.TemporaryDirectory() as folder:
        root = words.home or Path(folder) / "home"
        costs, cells = run(Home(root if words.counts else own(root)), Path(folder), words.rows, not words.counts)
    print(f"\n{table(costs, words.rows, cells)}")
    if words.out:
        words.out.write_text(table(costs, words.rows, cells), encoding="utf-8")


if __name__ == "__main__":
    main()
