"""Night after night, and many files in one night:

    python -m tests.benchmarks.nights [--days 365] [--a-day N] [--rows N] [--every N] [--home DIR] [--out FILE.md]
    python -m tests.benchmarks.nights --small 10000 [--home DIR] [--out FILE.md]

A year of nights in one process, each with the same arrivals: two districts' lists of the day's changes upon registers of
three years. The last nights are held against the thirtieth in CPU seconds, start of the program and Dagster left out;
what stands on the disk is counted. --every N: outside the nights that are measured only every Nth is a whole night, the
others take in what came; all that grows with the files grows as it would. With fewer than 60,000 dossiers (measure/moved)
a night counts all of them, with more what moved.

--small: so many files of five dossiers in one night, beside a tenth of them, and a night after each with one file more.

Not here: the data of a country (country.py), Dagster's history (tests/orchestration/test_schedules.py).
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline import night
from pipeline.report.standing import refresh
from pipeline.settings import Home
from pipeline.warehouse import keeping
from pipeline.warehouse.intake import take_in
from pipeline.warehouse.lock import one_build
from pipeline.warehouse.record import read_log
from tests.benchmarks.country import CHANGES, LAST_DAY, SOURCE, Country
from tests.benchmarks.run import own, settle
from tests.benchmarks.stages import Stages, cpu

Say = Callable[[str], None]
MOST_YEAR, MOST_SMALL = 1.2, 1.3
WINDOW = 5  # nights of which the median counts
FOLDERS = 20
OF_A_FILE = ("read, conform, archive", "build tables", "figures", "checks", "publish")
ROW = "H50.{folder:02}-{day:%y%m%d}-{number:09},Xã {folder},{day:%d/%m/%Y} 08:{n:02}:00,Đang xử lý,,Trực tuyến,{due:%d/%m/%Y} 17:00:00\n"
HEADERS = "Mã hồ sơ,Đơn vị tiếp nhận,Ngày tiếp nhận,Trạng thái,Ngày kết thúc xử lý,Hình thức nộp,Ngày hẹn trả\n"


@dataclass(frozen=True)
class Night:
    """CPU seconds of a night, of its stages, and of what is handed in."""

    whole: float
    stages: dict[str, float]


class Nights:
    """Nights of one home in this process, with their stages told apart while it is open."""

    def __init__(self, home: Home) -> None:
        self.home, self.stages, self._before = home, Stages(), list[tuple[object, str, object]]()
        home.raw.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Nights:
        self._settle = os.environ.get("MOTCUA_SETTLE_SECONDS")
        os.environ["MOTCUA_SETTLE_SECONDS"] = "0"
        self.stages.wrap(self._put)
        return self

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()
        for module, name, value in reversed(self._before):
            setattr(module, name, value)
        if self._settle is None:
            del os.environ["MOTCUA_SETTLE_SECONDS"]
        else:
            os.environ["MOTCUA_SETTLE_SECONDS"] = self._settle

    def _put(self, module: object, name: str, value: object) -> None:
        self._before.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    def whole(self, taken: int) -> Night:
        """A night that takes in so many files, and writes what is handed in. Raises SystemExit where it does not."""
        gc.collect()
        gc.freeze()  # a night has a process of its own, and does not search through what others left
        before, begun = {name: spent[1] for name, spent in self.stages.spent.items()}, cpu()
        result = night.run(self.home)
        handed_in = cpu()
        refresh(self.home, draw=False)
        ended = cpu()
        if len(result.taken) != taken or result.exit_code or not result.changed:
            raise SystemExit(
                f"{len(result.taken)} files taken in, {len(result.refused)} refused, changed: {result.changed}"
            )
        stages = {name: spent[1] - before[name] for name, spent in self.stages.spent.items()}
        return Night(ended - begun, stages | {"report, forms, page": ended - handed_in})

    def intake_alone(self) -> None:
        """A night that takes in and keeps house, and builds nothing."""
        with one_build(self.home):
            keeping.apply(self.home, take_in(self.home).all_files)

    def stored(self) -> dict[str, int]:
        """How much stands on the disk."""
        home = self.home
        return {
            "files taken in": len(read_log(home)),
            "releases": len(list(home.releases.iterdir())),
            "quarters' outputs": len([p for p in home.outputs.iterdir() if p.is_dir()]),
            "databases of earlier knowledge": len(list(home.as_known.iterdir())) if home.as_known.exists() else 0,
            "conformed files": len(list(home.versions.iterdir())),
            "folders left half done": len(
                [p for p in home.warehouse.rglob("*") if p.name.startswith(("building-", ".part-", ".old-"))]
            ),
            "files but record and rows": len(_derived(home)),
            "MB but record and rows": round(sum(p.stat().st_size for p in _derived(home)) / 1024**2),
        }


def _derived(home: Home) -> list[Path]:
    """Files of the warehouse that hold neither what was taken in nor its rows."""
    apart = (home.archive, home.versions, home.restricted, home.seals)
    return [p for p in home.warehouse.rglob("*") if p.is_file() and not any(p.is_relative_to(one) for one in apart)]


# ---- a year


@dataclass(frozen=True)
class Year:
    """The nights around the early and the late one, and what stood on the disk after each."""

    days: int
    early: list[Night]
    late: list[Night]
    stored: list[dict[str, int]]

    @property
    def ratio(self) -> float:
        return _median(self.late) / _median(self.early)


def year(
    home: Home,
    country: Country,
    days: int,
    a_day: int,
    early: int = 30,
    every: int = 1,
    window: int = WINDOW,
    say: Say = print,
) -> Year:
    """Runs it. early: the number of the night that the last one is held against. window: of so many
    nights the median counts."""
    windows = {n: n <= early for last in (early, days) for n in range(last - window + 1, last + 1)}
    nights: dict[bool, list[Night]] = {True: [], False: []}
    stored = []
    with Nights(home) as here:
        country.write(home.raw)
        here.whole(country.districts)
        since = 0
        for n, day in enumerate(country.days(home.raw, days, a_day), 1):
            since += country.districts
            if n not in windows and n + 1 not in windows and n % every:
                here.intake_alone()
                since = 0
                continue
            made = here.whole(since)
            since = 0
            if n in windows:
                nights[windows[n]].append(made)
                say(f"night {n:4} ({day}) {made.whole:6.2f} s CPU  " + _told(made.stages))
            if n in (early, days):
                stored.append(here.stored())
    return Year(days, nights[True], nights[False], stored)


def _median(nights: list[Night]) -> float:
    return statistics.median(one.whole for one in nights)


def _told(stages: dict[str, float]) -> str:
    return ", ".join(f"{name} {spent:.2f}" for name, spent in stages.items())


def year_table(found: Year, early: int = 30) -> str:
    """As Markdown."""
    verdict = "met" if found.ratio <= MOST_YEAR else "not met"
    told = f"Night {found.days} costs {found.ratio:.2f} × night {early} (at most {MOST_YEAR:g}: {verdict}).\n\n"
    told += f"| CPU s, median of {WINDOW} nights | night {early} | night {found.days} | ratio |\n|---|---:|---:|---:|\n"
    rows = {"whole night": (_median(found.early), _median(found.late))}
    for name in found.early[0].stages:
        rows[f"– {name}"] = tuple(
            statistics.median(one.stages[name] for one in side) for side in (found.early, found.late)
        )  # ty: ignore[invalid-assignment]
    for name, (a, b) in rows.items():
        told += f"| {name} | {a:.2f} | {b:.2f} | {b / a if a else 1:.2f} |\n"
    told += f"\n| on the disk | after night {early} | after night {found.days} |\n|---|---:|---:|\n"
    for name, many in found.stored[0].items():
        told += f"| {name} | {many:,} | {found.stored[1][name]:,} |\n"
    return told


# ---- many small files


@dataclass(frozen=True)
class Small:
    """files taken in by one night, and the night after with one more."""

    files: int
    first: Night
    second: Night

    def each(self, stage: str, one: Small) -> float:
        """CPU seconds of a file in a stage. one: a night with one file, which has all that a night costs anyhow."""
        return (self.first.stages[stage] - one.first.stages[stage]) / (self.files - one.files)


def write_small(raw: Path, files: range) -> None:
    """Files of five dossiers, each a day's news of one unit, over sources of one unit each."""
    for number in files:
        folder, day = number % FOLDERS, LAST_DAY - timedelta(days=number // FOLDERS % 700)
        place = raw / f"xa_{folder:02}"
        if not place.exists():
            place.mkdir(parents=True)
            (place / "source.toml").write_text(SOURCE.format(district=folder, form="csv"), encoding="utf-8")
        rows = "".join(
            ROW.format(folder=folder, day=day, number=number * 5 + n, n=n, due=day + timedelta(days=7))
            for n in range(5)
        )
        text = CHANGES.format(since=day, day=day) + HEADERS + rows
        (place / f"so_{number:06}.csv").write_text(text, encoding="utf-8")


def small(home: Home, files: int, say: Say = print) -> Small:
    with Nights(home) as here:
        write_small(home.raw, range(files))
        settle()
        first = here.whole(files)
        write_small(home.raw, range(files, files + 1))
        second = here.whole(1)
    found = Small(files, first, second)
    say(f"{files:6,} files {first.whole:8.2f} s CPU  " + _told(first.stages))
    say(f"     1 more   {second.whole:8.2f} s CPU  " + _told(second.stages))
    return found


def small_ratio(one: Small, few: Small, many: Small) -> float:
    """What a file among many costs beside one among few, taken in and built with."""
    each = [sum(side.each(stage, one) for stage in OF_A_FILE) for side in (few, many)]
    return each[1] / each[0]


def small_table(one: Small, few: Small, many: Small) -> str:
    """As Markdown."""
    ratio = small_ratio(one, few, many)
    told = f"A file among {many.files:,} costs {ratio:.2f} × one among {few.files:,} "
    told += f"(at most {MOST_SMALL:g}: {'met' if ratio <= MOST_SMALL else 'not met'}).\n\n"
    sides = (one, few, many)
    heads = ["1 file", *(f"{side.files:,} files" for side in sides[1:])]
    heads += ["ms each, few", "ms each, many", *(f"1 more after {side.files:,}" for side in sides[1:])]
    told += f"| CPU s | {' | '.join(heads)} |\n|---{'|---:' * len(heads)}|\n"
    for stage in one.first.stages:
        cells = [side.first.stages[stage] for side in sides]
        cells += [side.each(stage, one) * 1000 for side in sides[1:]]
        cells += [side.second.stages[stage] for side in sides[1:]]
        told += f"| {stage} | {' | '.join(f'{cell:.2f}' for cell in cells)} |\n"
    return told


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--days", type=int, default=365)
    asked.add_argument("--a-day", type=int, default=40, help="new dossiers each day")
    asked.add_argument("--rows", type=int, default=20_000, help="dossiers of the three years before")
    asked.add_argument("--every", type=int, default=1, help="whole nights outside those that are measured")
    asked.add_argument("--small", type=int, default=None, help="so many small files in one night instead")
    asked.add_argument("--home", type=Path, default=None, help="kept; else a folder that goes")
    asked.add_argument("--out", type=Path, default=None, help="the table as Markdown")
    told = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = own(told.home or Path(folder))
        if told.small:
            small(Home(root / "warm"), 1, say=lambda _: None)  # imports what a night needs
            sides = (1, told.small // 10, told.small)
            words = small_table(*(small(Home(root / str(files)), files) for files in sides))
        else:
            country = Country(told.rows, units=20, districts=2)
            words = year_table(year(Home(root), country, told.days, told.a_day, every=told.every))
    print(f"\n{words}")
    if told.out:
        told.out.write_text(words, encoding="utf-8")


if __name__ == "__main__":
    main()
