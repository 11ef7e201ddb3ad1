"""The oracle: recounts labels, counts and indicators in plain Python from what the exports say.

Shares no line with the pipeline (no import of it, no SQL, no data frames), so that both can only agree by
being right or by misreading the rules alike. Written for reading, not for speed.
Not here: making registers (registers.py), comparing (test_oracle.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

ORIGINS = ("online", "in_person", "postal", "channel_unknown", "carried_over")
RESOLVED = ("resolved_early", "resolved_on_time", "resolved_late", "resolved_no_due")
CONCLUDED = (*RESOLVED, "withdrawn", "returned", "stopped")
OPEN = ("open_in_term", "open_overdue", "open_paused")
OUTCOMES = (*CONCLUDED, *OPEN, "unclassified")
COUNTS = (*ORIGINS, "total", "resolved", *CONCLUDED, "open", *OPEN, "unclassified")

NEVER_A_DOSSIER = {"not_received", "refused_at_intake"}
DONE = {"done", "handed_over"}
ENDED_OTHERWISE = {"withdrawn", "returned"}
WAITING = {"supplement", "financial"}


# ---------------------------------------------------------------- what is fed in
@dataclass(frozen=True, kw_only=True)
class Said:
    """What one row of one export says about one dossier, in canonical words."""

    code: str
    unit: str
    received: datetime
    status: str | None = None
    finished: datetime | None = None
    channel: str | None = None
    due: datetime | None = None
    handed_over: datetime | None = None
    extended_due: datetime | None = None
    component_digitized: bool | None = None
    result_digitized: bool | None = None
    service_level: str | None = None
    apology_sent: bool | None = None
    rated: bool | None = None


@dataclass(frozen=True)
class Export:
    """One exported file: of which system, when, which days it covers, and its rows. full: whether it lists all that
    was open when its first day began, or that anything happened to since."""

    source: str
    exported_at: datetime
    covers: tuple[date, date]
    rows: tuple[Said, ...]
    full: bool = True


# ---------------------------------------------------------------- periods
@dataclass(frozen=True)
class Period:
    key: str
    start: date
    end: date
    kind: str
    scheme: str


KINDS = {
    "month": (1, "M{:02d}"),
    "quarter": (3, "Q{}"),
    "half": (6, "H{}"),
    "nine_months": (9, "9M"),
    "year": (12, ""),
}


def month_start(scheme: str, months: int) -> date:
    """First day of the scheme's month; `months` counts from year 0. nd09: January starts on 15 December."""
    if scheme == "nd09":
        months -= 1
    return date(months // 12, months % 12 + 1, 15 if scheme == "nd09" else 1)


def periods(first: date, last: date) -> list[Period]:
    """Every period of both schemes and all kinds that shares a day with first..last."""
    found = []
    for scheme, prefix in (("nd09", ""), ("calendar", "calendar:")):
        for year in range(first.year - 1, last.year + 2):
            for kind, (length, name) in KINDS.items():
                for n in range(1 if kind == "nine_months" else 12 // length):
                    start = month_start(scheme, year * 12 + n * length)
                    end = month_start(scheme, year * 12 + n * length + length) - timedelta(days=1)
                    key = "-".join(filter(None, (str(year), name.format(n + 1))))
                    if start <= last and end >= first:
                        found.append(Period(prefix + key, start, end, kind, scheme))
    return found


# ---------------------------------------------------------------- one dossier
def conclusion(said: Said) -> tuple[date, str] | None:
    """The day on which a version says the dossier ended, and how. A dated fact beats an undated status."""
    if said.status in NEVER_A_DOSSIER:
        return None
    if said.status in DONE or said.status in ENDED_OTHERWISE:
        ended = said.finished or said.handed_over
    else:
        ended = said.finished
    if ended is None:
        return None
    return ended.date(), said.status if said.status in ENDED_OTHERWISE | {"stopped"} else "resolved"


def undated_state(said: Said) -> str | None:
    """What a version says without a date: waiting or stopped (both paused), or ended on a day not known."""
    if conclusion(said) is not None:
        return None
    if said.status in WAITING or said.status == "stopped":
        return "open_paused"
    if said.status in DONE or said.status in ENDED_OTHERWISE:
        return "unclassified"
    return None


@dataclass(frozen=True)
class Episode:
    """A stretch of work on a dossier: from receipt or reopening until it ends, if it does."""

    reopened_on: date | None
    ended: tuple[date, str] | None


@dataclass(frozen=True)
class Label:
    """A dossier in a period."""

    newest: Said
    origin: str
    outcome: str
    effective_due: date | None
    reopened: bool
    ended_on: date | None


class Dossier:
    """All versions of one dossier, oldest export first."""

    def __init__(self, versions: Iterable[tuple[datetime, Said]]) -> None:
        self.versions = sorted(versions, key=lambda v: v[0])
        self.losses: list[tuple[date, int]] = []
        self.newest = self.versions[-1][1]
        self.received_on = self.newest.received.date()
        self.accepted = self.newest.status not in NEVER_A_DOSSIER
        self.episodes: list[Episode] = []
        for exported_at, said in self.versions:
            ended = conclusion(said)
            if not self.episodes:
                self.episodes.append(Episode(None, ended))
            elif ended is None and self.episodes[-1].ended is not None:
                self.episodes.append(Episode(exported_at.date(), None))
            else:
                self.episodes[-1] = Episode(self.episodes[-1].reopened_on, ended)

    def seen_by(self, day: date) -> Said | None:
        """The newest version exported on or before the day."""
        return next((said for at, said in reversed(self.versions) if at.date() <= day), None)

    def lose(self, export: Export) -> None:
        """Notes that a full export of the dossier's system does not list it, where it should have."""
        told = [said for at, said in self.versions if at < export.exported_at]
        if not told or told[-1].status in NEVER_A_DOSSIER:
            return
        if conclusion(told[-1]) is None and told[-1].received.date() <= export.covers[1]:
            self.losses.append((export.exported_at.date(), len(told)))

    def lost_by(self, day: date) -> bool:
        """Whether the last that is known on a day is that a full export no longer lists the dossier."""
        told = sum(at.date() <= day for at, _ in self.versions)
        return any(when <= day and after == told for when, after in self.losses)

    def label(self, start: date, as_of: date) -> Label | None:
        """How the dossier stands in the period start..as_of, or None where it does not."""
        episode = self._episode_in(start, as_of)
        if not self.accepted or episode is None:
            return None
        seen = self.seen_by(as_of)
        due = seen.extended_due if seen is not None and seen.extended_due is not None else self.newest.due
        due_on = due.date() if due is not None else None
        origin = "carried_over" if self.received_on < start else self.newest.channel or "channel_unknown"
        outcome = self._outcome(episode, seen, due_on, as_of)
        ended_on = episode.ended[0] if episode.ended else None
        return Label(self.newest, origin, outcome, due_on, episode.reopened_on is not None, ended_on)

    def _episode_in(self, start: date, as_of: date) -> Episode | None:
        if self.received_on > as_of:
            return None
        previous = None
        for episode in self.episodes:
            ended_on = episode.ended[0] if episode.ended else None
            if previous is None:
                stands = ended_on is None or ended_on >= start or self.received_on >= start
            else:
                stands = (
                    episode.reopened_on <= as_of
                    and previous.ended[0] < start
                    and (ended_on is None or ended_on >= start)
                )
            if stands:
                return episode
            previous = episode
        return None

    def _outcome(self, episode: Episode, seen: Said | None, due_on: date | None, as_of: date) -> str:
        if episode.ended is not None and episode.ended[0] <= as_of:
            ended_on, how = episode.ended
            if how != "resolved":
                return how
            if due_on is None:
                return "resolved_no_due"
            if ended_on == due_on:
                return "resolved_on_time"
            return "resolved_early" if ended_on < due_on else "resolved_late"
        if self.lost_by(as_of):
            state = "unclassified"
        elif seen is not None:
            state = undated_state(seen)
        else:  # not exported yet on that day: waiting then is not known, an undated end stays what it is
            state = "unclassified" if undated_state(self.newest) == "unclassified" else None
        if state is not None:
            return state
        return "open_overdue" if due_on is not None and due_on < as_of else "open_in_term"


# ---------------------------------------------------------------- counting
Three = tuple[int, int, int]
Test = Callable[[Label], bool]
Mark = Callable[[Label], "bool | None"]


def counts(labels: Iterable[Label]) -> dict[str, int]:
    """The counts of a `stats` row."""
    found = dict.fromkeys(COUNTS, 0)
    for label in labels:
        found["total"] += 1
        found[label.origin] += 1
        found[label.outcome] += 1
        if label.outcome in RESOLVED:
            found["resolved"] += 1
        if label.outcome in OPEN:
            found["open"] += 1
    return found


def in_time(label: Label) -> bool:
    return label.outcome in ("resolved_early", "resolved_on_time", "resolved_no_due")


def resolved(label: Label) -> bool:
    return label.outcome in RESOLVED


def new(label: Label) -> bool:
    return label.origin != "carried_over"


def overdue(label: Label) -> bool:
    return label.outcome in ("resolved_late", "open_overdue")


def rate(labels: list[Label], among: Test, hits: Test) -> Three:
    """Numerator and denominator where every label is known."""
    chosen = [x for x in labels if among(x)]
    return sum(map(hits, chosen)), len(chosen), 0


def marked(labels: list[Label], among: Test, mark: Mark) -> Three:
    """Numerator and denominator over the dossiers whose mark is known; the others are counted as unknown."""
    marks = [mark(x) for x in labels if among(x)]
    return marks.count(True), sum(m is not None for m in marks), marks.count(None)


def offered_online(labels: list[Label], levels: set[str]) -> Three:
    """Online among the newly received of procedures offered at one of the levels; no level = unknown."""
    known = [x for x in labels if new(x) and x.newest.service_level is not None]
    offered = [x for x in known if x.newest.service_level in levels]
    return sum(x.origin == "online" for x in offered), len(offered), sum(map(new, labels)) - len(known)


def indicators(labels: Iterable[Label], start: date, as_of: date) -> dict[str, Three]:
    """Every indicator as (numerator, denominator, unknown)."""
    rows = list(labels)
    newly = sum(map(new, rows))
    return {
        "on_time_rate": rate(rows, resolved, in_time),
        "late_rate": rate(rows, resolved, overdue),
        "on_time_rate_handled": rate(rows, lambda x: True, lambda x: not overdue(x)),
        "on_time_rate_due": rate(
            rows,
            lambda x: x.effective_due is not None and start <= x.effective_due <= as_of,
            lambda x: x.outcome in ("resolved_early", "resolved_on_time"),
        ),
        "on_time_rate_received": (sum(map(in_time, rows)), newly, 0),
        "on_time_rate_766": rate(rows, new, lambda x: in_time(x) or x.outcome == "open_in_term"),
        "resolution_rate": rate(rows, lambda x: True, resolved),
        "online_share": rate(rows, new, lambda x: x.origin == "online"),
        "online_service_rate": offered_online(rows, {"full", "partial"}),
        "full_process_rate": offered_online(rows, {"full"}),
        "component_digitization_rate": marked(rows, new, lambda x: x.newest.component_digitized),
        "result_digitization_rate": marked(rows, resolved, lambda x: x.newest.result_digitized),
        "evaluation_slip_rate": marked(rows, resolved, lambda x: x.newest.rated),
        "apology_rate": marked(rows, overdue, lambda x: x.newest.apology_sent),
    }


def value(three: Three) -> Fraction | None:
    """The rate itself; None where nothing arose."""
    return Fraction(three[0], three[1]) if three[1] else None


def add_up(parts: Iterable[Mapping]) -> dict:
    """Sum of several units' counts or indicators, key by key."""
    total: dict = {}
    for part in parts:
        for key, n in part.items():
            was = total.get(key)
            if was is None:
                total[key] = n
            else:
                total[key] = tuple(map(sum, zip(was, n, strict=True))) if isinstance(n, tuple) else was + n
    return total


@dataclass(frozen=True)
class Answer:
    """A unit in a period: the day it was judged on, its dossiers, their counts and indicators."""

    as_of: date
    labels: tuple[Label, ...]
    counts: dict[str, int]
    indicators: dict[str, Three]


class Oracle:
    """Everything the exports say, ready to be asked."""

    def __init__(self, exports: Iterable[Export]) -> None:
        exports = list(exports)
        versions: dict[str, list[tuple[datetime, Said]]] = {}
        for export in exports:
            for said in export.rows:
                versions.setdefault(said.code, []).append((export.exported_at, said))
        self.dossiers = {code: Dossier(v) for code, v in versions.items()}
        self._lose(exports)
        self.covered: dict[str, tuple[date, date]] = {}
        for source in {e.source for e in exports}:
            spans = [e.covers for e in exports if e.source == source]
            span = min(s[0] for s in spans), max(s[1] for s in spans)
            for unit in {said.unit for e in exports if e.source == source for said in e.rows}:
                self.covered[unit] = span
        self.by_unit: dict[str, list[Dossier]] = {unit: [] for unit in self.covered}
        for dossier in self.dossiers.values():
            self.by_unit[dossier.newest.unit].append(dossier)

    def _lose(self, exports: list[Export]) -> None:
        """Every full export against what its system told before of the units that it names: what it should list and
        does not has vanished."""
        for export in exports:
            listed = {said.code for said in export.rows}
            units = {said.unit for said in export.rows}
            if len(units) > 1:  # a register of several offices speaks for all that its system ever names
                units = {said.unit for e in exports if e.source == export.source for said in e.rows}
            for code, (_, source, last) in self._newest_before(export, exports).items():
                if export.full and source == export.source and last.unit in units and code not in listed:
                    self.dossiers[code].lose(export)

    def _newest_before(self, export: Export, exports: list[Export]) -> dict[str, tuple[datetime, str, Said]]:
        """Each dossier's newest word from before an export, and the system that told it."""
        found: dict[str, tuple[datetime, str, Said]] = {}
        for e in sorted(exports, key=lambda e: e.exported_at):
            if e.exported_at < export.exported_at:
                found |= {said.code: (e.exported_at, e.source, said) for said in e.rows}
        return found

    def periods(self) -> list[Period]:
        """All periods that the data touches."""
        return periods(min(c[0] for c in self.covered.values()), max(c[1] for c in self.covered.values()))

    def ask(self, period: Period) -> dict[str, Answer]:
        """Every unit that the data covers on some day of the period."""
        found = {}
        for unit, (first, last) in self.covered.items():
            as_of = min(period.end, last)
            if as_of < period.start or first > period.end:
                continue
            labels = [d.label(period.start, as_of) for d in self.by_unit[unit]]
            here = tuple(x for x in labels if x is not None)
            found[unit] = Answer(as_of, here, counts(here), indicators(here, period.start, as_of))
        return found
