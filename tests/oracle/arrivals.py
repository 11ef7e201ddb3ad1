"""Random arrivals: the exports of a random register, and how they reach the folder: late, out of order, mended,
exported anew, taken back and given again, under other names. Played into a home with the clock set.

Not here: what was known when (known.py), what the figures should be (oracle.py).
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.settings import Home
from pipeline.warehouse import intake, reading, record, withdrawal

from .known import Arrival
from .oracle import Export, Said
from .registers import COMMUNES, COUNTER, DAY, UNITS, History, Maker, end_of, moment, presence, spans, titles_of, write

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
HOUR = timedelta(hours=1)


@dataclass
class Incoming:
    """A file on its way. arrives: when it is taken in. stated: whether it says when it was exported; one that does
    not counts as exported when it arrives. withdrawn: from, to (None: for good). again: when its bytes come once more
    under another name. over: takes the name of a file that lies there already."""

    export: Export
    arrives: datetime
    stated: bool = True
    withdrawn: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    again: datetime | None = None
    over: bool = False

    def titles(self) -> list[str]:
        first, last = self.export.covers
        heading, span, exported = titles_of(self.export)
        if first > last:
            heading, span = "DANH SÁCH HỒ SƠ ĐANG GIẢI QUYẾT", f"Tính đến hết ngày {last:%d/%m/%Y}"
        elif not self.export.full:
            heading = "DANH SÁCH HỒ SƠ CÓ THAY ĐỔI"
        return [heading, span, exported] if self.stated else [heading, span]


# ---------------------------------------------------------------- drawing
class Post:
    """Draws the exports of two systems over some years, and how each of them arrives."""

    def __init__(self, seed: int, dossiers: int, first: date, last: tuple[date, date]) -> None:
        self.last = dict(zip((COUNTER, COMMUNES), last, strict=True))
        self.maker = Maker(seed, first, self.last, extensions=True)
        self.dice, self.first = self.maker.dice, first
        self.histories = [self.maker.history(n) for n in range(1, dossiers + 1)]
        # a day of a system on which it already exports something: two files of one day without a dossier in common
        # are parts of one export, which is a question of its own (test_coverage)
        self.busy: set[tuple[str, date]] = set()

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def draw(self) -> list[Incoming]:
        found: list[Incoming] = []
        for source in UNITS:
            lengths = (92, 91, 181, 92, 150) if source == COUNTER else (61, 92, 91, 150)
            covers = spans(self.first, self.last[source], (self.dice.choice(lengths) for _ in range(1000)))
            self.busy |= {(source, last) for _, last in covers}
            found += [self.full(source, span, end_of(span[1])) for span in covers]
            for span in covers[:-1]:
                found += self.more(source, span)
        return sorted(found, key=lambda i: i.arrives)

    def more(self, source: str, span: tuple[date, date]) -> Iterable[Incoming]:
        """What else may come of a span: made anew, corrections after it ended, the stock, a wrong file."""
        if self.chance(0.25):
            yield self.full(source, span, self.some_time(source, span[1]))
        if self.chance(0.5):
            at = self.some_time(source, span[1])
            yield self.changes(source, (span[1] - 20 * DAY, at.date()), at)
        if self.chance(0.25):
            yield self.stock(source, self.some_time(source, span[0]).date())
        if self.chance(0.15):
            yield self.wrong(source, span)

    def some_time(self, source: str, day: date) -> datetime:
        """A moment in the weeks after a day, on a day of its own."""
        while (source, day) in self.busy:
            day += self.dice.randint(1, 40) * DAY
        self.busy.add((source, day))
        return moment(day, self.maker.clock())

    def full(self, source: str, span: tuple[date, date], at: datetime) -> Incoming:
        listed = [h for h in self.histories if h.source == source and h.listed(*span) and not self.chance(0.01)]
        return self.sent(Export(source, at, span, self.rows(listed, at) + self.everywhere(source)))

    def changes(self, source: str, span: tuple[date, date], at: datetime) -> Incoming:
        """Only what changed; it may name some units alone."""
        units = self.dice.sample(list(UNITS[source]), self.dice.randint(1, len(UNITS[source])))
        changed = [h for h in self.histories if h.source == source and changes_in(h, moment(span[0]), at)]
        rows = tuple(said for said in self.rows(changed, at) if said.unit in units)
        return self.sent(Export(source, at, span, rows or self.everywhere(source), full=False))

    def stock(self, source: str, day: date) -> Incoming:
        at = end_of(day)
        rows = self.rows([h for h in self.histories if h.source == source and is_open(h.state(at))], at)
        return self.sent(Export(source, at, (day + DAY, day), rows + self.everywhere(source), full=False))

    def wrong(self, source: str, span: tuple[date, date]) -> Incoming:
        """Exported with wrong settings: it is taken back, sooner or later, for good."""
        made = self.full(source, span, self.some_time(source, span[1]))
        rows = tuple(replace(said, channel="online", due=None, finished=None) for said in made.export.rows)
        back = made.arrives + self.dice.choice((HOUR, 3 * DAY, 70 * DAY))
        return replace(made, export=replace(made.export, rows=rows), withdrawn=[(back, None)])

    def rows(self, histories: Iterable[History], at: datetime) -> tuple[Said, ...]:
        states = [h.state(at) for h in histories]
        return tuple(s for s in states if s is not None)

    def everywhere(self, source: str) -> tuple[Said, ...]:
        return tuple(presence(UNITS[source], self.first))

    def sent(self, export: Export) -> Incoming:
        made = Incoming(export, self.arrival(export.exported_at), over=self.chance(0.1))
        if export.covers[0] <= export.covers[1] and self.chance(0.1):
            made.stated = False
            at = max(self.some_time(export.source, made.arrives.date()), made.arrives)
            made = replace(made, arrives=at, export=replace(export, exported_at=at))
        if self.chance(0.2):
            back = self.edge(made.arrives + self.dice.randint(1, 200) * DAY)
            made.withdrawn = [(back, self.edge(back + self.dice.randint(1, 150) * DAY))]
        if self.chance(0.1):
            made.again = made.arrives + self.dice.randint(1, 300) * DAY
        return made

    def arrival(self, exported: datetime) -> datetime:
        """The morning after, weeks or many months late; or before the export, where a clock is wrong."""
        draw = self.dice.random()
        if draw < 0.45:
            return exported + self.dice.randint(1, 30 * 3600) * timedelta(seconds=1)
        if draw < 0.75:
            return self.edge(exported + self.dice.randint(3, 60) * DAY)
        if draw < 0.95:
            return exported + self.dice.randint(90, 400) * DAY
        return exported - self.dice.randint(1, 5) * HOUR

    def edge(self, at: datetime) -> datetime:
        """Sometimes the very last second of the month, or the first of the next one."""
        if self.chance(0.6):
            return moment(at.date(), self.maker.clock())
        next_month = moment((at.date().replace(day=1) + 32 * DAY).replace(day=1))
        return next_month - self.dice.choice((0, 1)) * timedelta(seconds=1)


def changes_in(history: History, start: datetime, end: datetime) -> bool:
    return any(start <= when <= end for when, _ in history.events)


def is_open(said: Said | None) -> bool:
    ended = {"refused_at_intake", "done", "handed_over", "withdrawn", "returned"}
    return said is not None and said.finished is None and said.status not in ended


# ---------------------------------------------------------------- playing
Step = tuple[datetime, Callable[[], None]]


class Player:
    """Lets files arrive in a home one by one, at the moment at which each does."""

    def __init__(self, home: Home, known_at: dict[str, str]) -> None:
        self.home, self.known_at = home, known_at
        self.names: dict[str, list[Path]] = {source: [] for source in known_at}
        self.clock = datetime.min
        for source, how in known_at.items():
            folder = home.raw / source
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "source.toml").write_text(f'name = "{source}"\nknown_at = "{how}"\n', encoding="utf-8")

    def play(self, coming: Iterable[Incoming]) -> list[Arrival]:
        """Everything taken in, as it will have been known."""
        coming = list(coming)
        steps: list[Step] = [step for n, one in enumerate(coming) for step in self._steps(n, one)]
        with pytest.MonkeyPatch.context() as patch:
            for room in (reading, withdrawal):
                patch.setattr(room, "now", lambda: self.clock.replace(tzinfo=HERE).astimezone(ZoneInfo("UTC")))
            for at, act in sorted(steps, key=lambda step: step[0]):
                self.clock = at
                act()
        return [Arrival(one.export, self._known_at(one), tuple(one.withdrawn)) for one in coming]

    def _known_at(self, one: Incoming) -> datetime:
        if self.known_at[one.export.source] == "exported":
            return min(one.export.exported_at, one.arrives)
        return one.arrives

    def _steps(self, number: int, one: Incoming) -> Iterable[Step]:
        made = write(self.home.root, one.export, random.Random(f"{number} {one.export.exported_at}"), one.titles())
        path = made.rename(self.home.root / f"{number}{made.suffix}")  # not there yet
        sha256 = record.sha256_of(path)
        yield one.arrives, lambda: self._arrive(path, made, one)
        for start, end in one.withdrawn:
            yield start, lambda: self._withdraw(sha256)
            if end is not None:
                yield end, lambda: self._withdraw(sha256, undo=True)
        if one.again is not None:
            yield one.again, lambda: self._come_again(sha256, made)

    def _arrive(self, path: Path, place: Path, one: Incoming) -> None:
        there = [p for p in self.names[one.export.source] if p.suffix == place.suffix]
        place = there[-1] if one.over and there else place
        shutil.move(path, place)
        self.names[one.export.source].append(place)
        self._take_in(1)

    def _come_again(self, sha256: str, place: Path) -> None:
        shutil.copyfile(record.archived(self.home, sha256), place.with_name(f"ban_sao_{place.name}"))
        self._take_in(0)

    def _take_in(self, files: int) -> None:
        took = intake.take_in(self.home)
        assert not took.refused and not took.waiting and len(took.taken) == files, took
        assert not any(facts.rejected for _, facts in took.all_files)

    def _withdraw(self, sha256: str, undo: bool = False) -> None:
        withdrawal.withdraw(self.home, sha256, "nhầm", undo)


def arrivals(
    home: Home, seed: int, dossiers: int, known_at: dict[str, str], first: date, last: tuple[date, date]
) -> list[Arrival]:
    """A random register taken into a home as its files arrived; what was known when."""
    return Player(home, known_at).play(Post(seed, dossiers, first, last).draw())


def end_of_month(year: int, month: int) -> datetime:
    """The last instant of a month: what "2021-03-31" means as a moment."""
    return datetime.combine(date(year + month // 12, month % 12 + 1, 1) - DAY, time.max)
