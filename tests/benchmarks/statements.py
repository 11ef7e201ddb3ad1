"""What each statement of a night costs, the dearest first:

    python -m tests.benchmarks.statements --home DIR [--top N] [--keep FOLDER]

The record of DIR (`motcua run` once, so that its files are conformed) is built anew in a folder that goes, or stays to be
looked at (--keep). CPU is that of all threads; the rest of a line is how many rows the relation has that was made.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline import night
from pipeline.settings import Home
from pipeline.warehouse.intake import recorded
from tests.connection import Connection

MAKES = re.compile(r"CREATE (?:OR REPLACE )?(?:TEMP )?(?:TABLE|VIEW|MACRO) ([\w.\"]+)")
BETWEEN = "(Python between statements)"


class Timed(Connection):
    """A connection that notes what each of its statements costs. costs: name → (CPU seconds, how often)."""

    def __init__(self, con: Any, costs: dict[str, list[float]], sizes: dict[str, int]) -> None:
        super().__init__(con)
        self._costs, self._sizes = costs, sizes
        self._since = time.process_time()

    def execute(self, sql: str, *values: Any) -> Any:
        return self._noted(_name(sql), lambda: self._con.execute(sql, *values))

    def executemany(self, sql: str, *values: Any) -> Any:
        return self._noted(_name(sql), lambda: self._con.executemany(sql, *values))

    def sql(self, sql: str) -> Any:
        """As a relation, run at once: it is asked for its rows in any case."""
        return self._noted(_name(sql), lambda: self._con.sql(sql).materialize())

    def close(self) -> None:
        asked = "SELECT table_name, estimated_size FROM duckdb_tables()"
        self._sizes.update(self._con.execute(asked).fetchall())
        self._con.close()

    def _noted(self, name: str, run: Callable[[], Any]) -> Any:
        began = time.process_time()
        self._add(BETWEEN, began - self._since)
        try:
            return run()
        finally:
            self._since = time.process_time()
            self._add(name, self._since - began)

    def _add(self, name: str, seconds: float) -> None:
        self._costs[name].append(seconds)


def _name(sql: str) -> str:
    """The relation that a statement makes, else how it begins; comments on tables are one."""
    if made := MAKES.search(sql):
        return made[1]
    words = " ".join(line for line in sql.split("\n") if not line.startswith("--")).split()
    return words[0] + " " + words[1] if words[:1] == ["COMMENT"] else " ".join(words)[:60]


def costs(home: Home, folder: Path) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Name of a statement → CPU seconds of each time it ran; relation → its rows."""
    found: dict[str, list[float]] = defaultdict(list)
    sizes: dict[str, int] = {}
    before = night.connect
    night.connect = lambda *place: Timed(before(*place), found, sizes)  # ty: ignore[invalid-assignment]
    try:
        night.build_apart(recorded(home), folder, inputs="measured")
    finally:
        night.connect = before
    return found, sizes


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--home", type=Path, required=True)
    asked.add_argument("--top", type=int, default=40)
    asked.add_argument("--keep", type=Path, default=None, help="a folder for the database that was built")
    told = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found, sizes = costs(Home(told.home), told.keep or Path(folder) / "build")
    print(f"{'CPU s':>8} {'times':>6} {'rows':>10}  statement")
    for name, seconds in sorted(found.items(), key=lambda item: -sum(item[1]))[: told.top]:
        print(f"{sum(seconds):8.3f} {len(seconds):6} {sizes.get(name, ''):>10}  {name}")
    print(f"{sum(sum(seconds) for seconds in found.values()):8.3f}  in all")


if __name__ == "__main__":
    main()
