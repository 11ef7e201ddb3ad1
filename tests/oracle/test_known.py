"""Every quarter as known at every month's end, against a plain replay of the arrivals, figure by figure.

A random register of three years arrives file by file (arrivals.py); `known_by` builds what was known at a moment, and
known.py replays the arrivals known then. Planted faults show that the comparison can fail.
Not here: the cases of known time one by one (tests/unit/test_as_known.py).
"""

from __future__ import annotations

import csv
import random
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline import night
from pipeline.errors import NothingPublished
from pipeline.measure import answers
from pipeline.measure.figures import LIVE
from pipeline.measure.sealed import live_only
from pipeline.measure.summary import open_database
from pipeline.settings import Home
from pipeline.warehouse import build, intake
from tests.quick import lay_aside, some, thorough

from .arrivals import HERE, arrivals, end_of_month
from .known import Arrival, AsKnown
from .oracle import COUNTS, ORIGINS, OUTCOMES, Period, add_up, periods, value
from .registers import COMMUNES, COUNTER

pytestmark = pytest.mark.usefixtures("figures_alone")
EXACT = Fraction(1, 10**12)
INSTANT = timedelta(microseconds=1)
FIRST = date(2020, 12, 15)
QUARTERS = [p for p in periods(FIRST, date(2024, 12, 31)) if p.kind == "quarter"]
COUNTER_UNIT = "466"
GROUP = "Các xã, thị trấn huyện Gio Linh"
# how each of the two systems' files become known
BY_INTAKE = {COUNTER: "intake", COMMUNES: "intake"}
MIXED = {COUNTER: "exported", COMMUNES: "intake"}
OTHER_WAY = {COUNTER: "intake", COMMUNES: "exported"}


@dataclass(frozen=True)
class History:
    """A home into which files came, and when what of them was known."""

    home: Home
    arrivals: list[Arrival]

    def events(self) -> list[datetime]:
        """The moments at which what is known changes."""
        back = [at for a in self.arrivals for span in a.withdrawn for at in span if at is not None]
        return sorted({*(a.known_at for a in self.arrivals), *back})


def make(root: Path, seed: int, dossiers: int, known_at: dict[str, str], last: tuple[date, date]) -> History:
    home = Home(root)
    home.raw.mkdir(parents=True)
    return History(home, arrivals(home, seed, dossiers, known_at, FIRST, last))


# ---------------------------------------------------------------- comparing
def differences(history: History, moment: datetime) -> list[str]:
    """Every cell of every quarter in which the pipeline and the replay differ on what was known at a moment."""
    oracle = AsKnown(history.arrivals, moment)
    try:
        path = night.known_by(history.home, moment)
    except NothingPublished:
        early = [a for a in history.arrivals if a.known_at <= moment]
        return [f"{moment}: nothing known, oracle knows {len(early)} files"] if early else []
    with open_database(path) as con:
        live_only(con)
        con.execute("SET threads = 1")  # small questions are answered sooner by one
        lay_aside(con, LIVE)
        last = oracle.last_day() or FIRST
        ahead = min((p.start for p in QUARTERS if p.start > last), default=last)
        # with the first quarter that is still to come: it must have no figures
        asked = [p for p in QUARTERS if p.start <= ahead]
        return [f"{moment} {line}" for period in asked for line in _quarter(con, oracle, period)]


def _quarter(con: Any, oracle: AsKnown, period: Period) -> Iterator[str]:
    want = oracle.ask(period)
    rates: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in answers.indicators(con, period.key):
        rates[row["level"] + row["unit_code"]][row["indicator"]] = row
    seen = set()
    for row in answers.stats(con, period.key):
        where = f"{period.key} {row['unit']} ({row['level']})"
        units = _units_of(row, want)
        seen |= set(units) if row["level"] == "unit" else set()
        told, wanted = _frame(row), _wanted_frame(row, oracle, period)
        if told != wanted:
            yield f"{where}: {told}, oracle {wanted}"
        counts = add_up(want[u].counts for u in units) or dict.fromkeys(COUNTS)
        yield from (f"{where}: {c} {row[c]}, oracle {counts[c]}" for c in COUNTS if row[c] != counts[c])
        threes = add_up(want[u].indicators for u in units)
        yield from (f"{where}: {line}" for line in _rates(rates[row["level"] + row["unit_code"]], threes))
    yield from (f"{period.key}: unit {u} has no row" for u in sorted(set(want) - seen))


def _units_of(row: dict[str, Any], want: Iterable[str]) -> list[str]:
    """The units with data that a row stands for."""
    if row["level"] == "unit":
        return [u for u in want if u == row["unit_code"]]
    return [u for u in want if row["unit"] != GROUP or u != COUNTER_UNIT]


def _frame(row: dict[str, Any]) -> tuple[Any, ...]:
    """Coverage, cut-off and, of a unit, what lacks: the days, and whether the stock does. Where all lacks, only that."""
    if row["coverage"] == "no_data":
        return (row["coverage"],)
    if row["level"] != "unit":
        return row["coverage"], row["as_of"]
    found = [datetime.strptime(d, "%d/%m/%Y").date() for d in re.findall(r"\d\d/\d\d/\d{4}", row["missing"] or "")]
    return row["coverage"], row["as_of"], found, "tồn" in (row["missing"] or "")


def _wanted_frame(row: dict[str, Any], oracle: AsKnown, period: Period) -> tuple[Any, ...]:
    if row["level"] != "unit":
        units = communes() if row["unit"] == GROUP else {*communes(), COUNTER_UNIT}
        found: tuple[Any, ...] = oracle.sum_of(units, period)
    else:
        told = oracle.covers(row["unit_code"], period)
        found = told.coverage, told.as_of, _ends(told.missing), told.stock_missing
    return found[:1] if found[0] == "no_data" else found


def _ends(missing: tuple[date, ...]) -> list[date]:
    """First and last day of every run of days."""
    lone = set(missing)
    day = timedelta(days=1)
    firsts, lasts = ([d for d in missing if d + step not in lone] for step in (-day, day))
    return [d for run in zip(firsts, lasts, strict=True) for d in run]


@cache
def communes() -> frozenset[str]:
    path = Path(__file__).parents[2] / "pipeline" / "declare" / "units.csv"
    with path.open(encoding="utf-8") as file:
        return frozenset(r["unit_code"] for r in csv.DictReader(file) if r["parent_id"] == "466-xa")


def _rates(got: dict[str, dict[str, Any]], threes: dict[str, Any]) -> Iterator[str]:
    if not threes:
        yield from (f"{code} without data: {row}" for code, row in got.items() if row["verdict"] != "no_data")
    for code, three in threes.items():
        row = got[code]
        found = (row["numerator"], row["denominator"], row["unknown"])
        if found != three:
            yield f"{code} {found}, oracle {three}"
        exact = value(three)
        told = None if row["value"] is None else Fraction(row["value"])
        if told != exact and (told is None or exact is None or abs(told - exact) > EXACT):
            yield f"{code} value {row['value']}, oracle {exact}"


def must_agree(history: History, moments: Iterable[datetime]) -> None:
    wrong = [line for moment in moments for line in differences(history, moment)]
    assert not wrong, f"{len(wrong)} cells differ:\n" + "\n".join(wrong[:40])


# ---------------------------------------------------------------- histories
@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Half a year and what came of it later."""
    root = tmp_path_factory.mktemp("short")
    return make(root / "home", 13, 90, MIXED, (date(2021, 6, 20), date(2021, 7, 2)))


def test_what_was_known_at_some_moments_of_a_short_history(short: History) -> None:
    """Before the first file, at and an instant before a withdrawal and an arrival, at a month's end, today."""
    events = short.events()
    back = next(a.withdrawn[0][0] for a in short.arrivals if a.withdrawn)
    moments = [events[0] - INSTANT, back - INSTANT, back, events[len(events) // 2], events[-1]]
    must_agree(short, moments)


MONTHS_ENDS = [end_of_month(2021 + n // 12, n % 12 + 1) for n in range(36)]
THREE_YEARS = date(2023, 11, 5), date(2023, 10, 20)


@thorough
@pytest.mark.slow
def test_every_quarter_as_known_at_months_ends_of_three_years(tmp_path: Path) -> None:
    history = make(tmp_path / "home", 13, 250, MIXED, THREE_YEARS)
    holds_the_odd_cases(history.arrivals)
    must_agree(history, MONTHS_ENDS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "known_at"), [(14, BY_INTAKE), (16, OTHER_WAY)], ids=["by intake", "the other way round"]
)
def test_every_quarter_as_known_where_what_is_known_changes(
    seed: int, known_at: dict[str, str], tmp_path: Path
) -> None:
    """At some of the moments at which files come, go or come back, and the instant before each; asked out of order."""
    history = make(tmp_path / "home", seed, 150, known_at, (date(2022, 5, 5), date(2022, 4, 20)))
    drawn = some(random.Random(seed).sample(history.events(), 3), 1)
    must_agree(history, [moment for at in drawn for moment in (at, at - INSTANT)])


def holds_the_odd_cases(came: list[Arrival]) -> None:
    """A history without them would prove nothing."""
    exports = [a.export for a in came]
    assert len(came) >= 40
    assert sum(e.full for e in exports) >= 25
    assert sum(not e.full and e.covers[0] <= e.covers[1] for e in exports) >= 4, "corrections"
    assert sum(e.covers[0] > e.covers[1] for e in exports) >= 2, "stocks"
    assert sum(a.known_at.date() > a.export.exported_at.date() + timedelta(days=20) for a in came) >= 5, "late"
    older = [a for a in came if any(b.known_at < a.known_at and b.export.covers == a.export.covers
             and b.export.source == a.export.source and b.export.exported_at > a.export.exported_at for b in came)]  # fmt: skip
    assert older, "an export older than one of the same days that is there already"
    spans = [span for a in came for span in a.withdrawn]
    assert any(end for _, end in spans) and any(end is None for _, end in spans)
    today = AsKnown(came, datetime.max)
    dossiers = list(today.dossiers.values())
    assert sum(len(d.episodes) > 1 for d in dossiers) >= 5 and sum(bool(d.losses) for d in dossiers) >= 3
    assert any(len({said.unit for _, said in d.versions}) > 1 for d in dossiers), "moved to another unit"
    labels = [x for p in QUARTERS for a in today.ask(p).values() for x in a.labels]
    assert {x.outcome for x in labels} == set(OUTCOMES) and {x.origin for x in labels} == set(ORIGINS)
    assert {today.covers(u, p).coverage for u in today.reaches for p in QUARTERS} == {"full", "partial", "no_data"}
    assert any(a.known_at in (end.replace(microsecond=0), end + INSTANT) for a in came for end in MONTHS_ENDS), "edges"


# ---------------------------------------------------------------- planted faults
Plant = Callable[[pytest.MonkeyPatch], None]


def reading(change: Callable[[list[Any], list[Any], datetime], list[Any]]) -> Plant:
    """A fault in what the log tells of a moment: made from what it told then, rightly, and what it tells today."""
    log = intake.read_log

    def faulty(home: Home, known_by: datetime | None = None) -> list[Any]:
        return log(home) if known_by is None else change(log(home, known_by), log(home), known_by)

    return lambda patch: patch.setattr(intake, "read_log", faulty)


def ordering(patch: pytest.MonkeyPatch) -> None:
    """The word known last speaks, whenever it was exported."""
    right = build.statement

    def faulty(room: str, name: str) -> str:
        return right(room, name).replace("ORDER BY exported_at, known_at", "ORDER BY known_at, exported_at")

    patch.setattr(build, "statement", faulty)


def remembering(patch: pytest.MonkeyPatch) -> None:
    """A database built before is taken for another one, because withdrawals are not part of its name."""
    right = night.releases.inputs_fingerprint

    def faulty(files: list[Any], *rest: Any) -> str:
        return right([(replace(e, withdrawn_at=None, withdrawn_reason=None), f) for e, f in files], *rest)

    patch.setattr(night.releases, "inputs_fingerprint", faulty)


def known_at(entry: Any) -> datetime:
    return datetime.fromisoformat(entry.known_at)


def taken_at(entry: Any) -> datetime:
    return datetime.fromisoformat(entry.taken_at).astimezone(HERE).replace(tzinfo=None)


def never_back(entry: Any) -> Any:
    return replace(entry, withdrawn_at=None, withdrawn_reason=None)


# what is wrong → the fault, and where to look for it
FAULTS: dict[str, tuple[Plant, str]] = {
    "known before the moment, not by it": (
        reading(lambda right, _, at: [e for e in right if known_at(e) < at]),
        "came",
    ),
    "known a second after it": (
        reading(lambda _, all_, at: [never_back(e) for e in all_ if known_at(e) <= at + timedelta(seconds=1)]),
        "came",
    ),
    "everything is known": (reading(lambda _, all_, __: all_), "came"),
    "known when taken in, though it says when it was exported": (
        reading(lambda right, _, at: [e for e in right if taken_at(e) <= at]),
        "came",
    ),
    "withdrawals are not seen": (reading(lambda right, *_: [never_back(e) for e in right]), "went"),
    "withdrawals of today are seen": (
        reading(lambda _, all_, at: [e for e in all_ if known_at(e) <= at and e.withdrawn_at is None]),
        "back",
    ),
    "a database of another moment is taken": (remembering, "went"),
    "the word known last speaks": (ordering, "came"),
}


def changes(history: History, where: str) -> list[datetime]:
    """Moments at which what is known changes, and the instant before each: files came, went, or came back; latest first."""
    spans = [span for a in history.arrivals for span in a.withdrawn]
    found = {
        "came": [a.known_at for a in history.arrivals],
        "went": [start for start, _ in spans],
        "back": [end for _, end in spans if end is not None],
    }[where]
    return [moment for at in sorted(found, reverse=True) for moment in (at - INSTANT, at)]


@pytest.mark.slow
def test_without_a_fault_nothing_differs(short: History) -> None:
    """Not even where the faults below are looked for."""
    must_agree(short, [moment for where in ("came", "went", "back") for moment in some(changes(short, where)[:4], 1)])


@pytest.mark.slow
@pytest.mark.parametrize("fault", some(list(FAULTS), 4))
def test_a_fault_is_noticed(fault: str, short: History, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, where = FAULTS[fault]
    shutil.rmtree(short.home.as_known, ignore_errors=True)
    plant(monkeypatch)
    try:
        found = next((lines for moment in changes(short, where) if (lines := differences(short, moment))), None)
    finally:
        shutil.rmtree(short.home.as_known, ignore_errors=True)  # what a fault built must serve nobody
    assert found, "the comparison does not notice it"
