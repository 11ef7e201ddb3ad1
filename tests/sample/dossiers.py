"""The made dossiers of the sample, whole, as many of each kind as model_quarter.csv says."""

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

HERE = Path(__file__).parent
SEED = 20230914
FIRST, LAST = date(2023, 6, 15), date(2023, 9, 14)

HOLIDAYS = {date(2023, m, d + i) for m, d, n in [(4, 29, 2), (5, 1, 3), (9, 1, 4)] for i in range(n)}
DAYS = (date(2023, 1, 30) + timedelta(i) for i in range(400))
WORKDAYS = [d for d in DAYS if d.weekday() < 5 and d not in HOLIDAYS]
INDEX = {day: i for i, day in enumerate(WORKDAYS)}
FIRST_INDEX, LAST_INDEX = INDEX[FIRST], INDEX[LAST]
MORNING, AFTERNOON = (8 * 3600, 11 * 3600 + 1800), (13 * 3600 + 1800, 17 * 3600)


class Dice(Random):
    """Only random() is promised to stay the same from one Python to the next, so all else is built on it."""

    def below(self, n: int) -> int:
        return int(self.random() * n)

    def pick(self, items, weights=None):
        if weights is None:
            return items[self.below(len(items))]
        left = self.random() * sum(weights)
        for item, weight in zip(items, weights, strict=True):
            left -= weight
            if left < 0:
                return item
        return items[-1]

    def shuffled(self, items) -> list:
        return [item for _, _, item in sorted((self.random(), i, item) for i, item in enumerate(items))]

    def moment(self, day: date, spans=(MORNING, AFTERNOON)) -> datetime:
        low, high = self.pick(spans)
        return datetime.combine(day, time()) + timedelta(seconds=low + self.below(high - low))


@dataclass(frozen=True)
class Procedure:
    code: str
    name: str
    field: str
    level: str
    days: int
    weight: int


class Origin(NamedTuple):
    """Where a dossier comes from; None: left to chance (nothing is counted by it)."""

    carried: bool
    online: bool | None = None
    offered: bool | None = None  # of a procedure offered online


@dataclass(frozen=True)
class Dossier:
    unit: str
    written: str
    procedure: Procedure
    online: bool
    received: datetime
    due: datetime | None = None
    finished: datetime | None = None
    returned: datetime | None = None
    outcome: str = "open"
    word: str = ""  # status word that is not derived from the dates: rows that are no dossiers, withdrawals
    components: bool | None = None
    result: bool | None = None
    rated: bool | None = None
    rating: str = ""
    apology: bool | None = None
    copies: int | None = None
    code: str = ""
    person: int = 0

    @property
    def carried(self) -> bool:
        return self.received.date() < FIRST


# Dossiers on purpose: unit, procedure, online, received, finished, outcome. The boundary cases and the late
# dossiers; they are part of the figures in model_quarter.csv, not added to them.
FIXED = [
    # first second of the quarter
    ("19496", "2.000815", True, "2023-06-15 00:00:00", "2023-06-15 09:10:24", "early"),
    # its last minute
    ("466", "0.466014", True, "2023-09-14 23:59:00", None, "open"),
    # full process, 1 of 2
    ("19495", "2.001023", True, "2023-07-04 09:12:40", "2023-07-07 10:20:31", "early"),
    # full process, 2 of 2
    ("19495", "2.001023", True, "2023-08-16 20:05:10", "2023-08-22 15:41:02", "early"),
    # overdue and open at end of M07
    ("466", "0.466005", False, "2023-06-28 09:20:15", "2023-07-18 10:05:44", "late"),
    # due on the last day of M08
    ("19543", "1.004884", False, "2023-08-07 09:30:08", "2023-08-15 08:40:19", "late"),
    # carried over
    ("19498", "1.004859", False, "2023-06-14 16:40:53", "2023-06-22 14:20:06", "late"),
    # a weekend between
    ("19549", "1.001193", True, "2023-09-07 10:02:27", "2023-09-11 09:00:35", "late"),
]
# Rows that are no dossiers, in the register all the same: unit, procedure, received, status.
NOT_DOSSIERS = [
    ("466", "0.466014", "2023-07-03 19:12:09", "Mới đăng ký"),
    ("466", "0.466005", "2023-08-02 08:45:30", "Mới đăng ký"),
    ("466", "0.466017", "2023-09-14 21:07:55", "Mới đăng ký"),
    ("466", "0.466006", "2023-07-11 10:31:00", "Từ chối tiếp nhận"),
    ("466", "0.466021", "2023-08-24 14:02:18", "Từ chối tiếp nhận"),
    ("19496", "1.001193", "2023-07-06 20:14:41", "Mới đăng ký"),
    ("19522", "2.000815", "2023-08-21 09:00:12", "Mới đăng ký"),
    ("19534", "1.004873", "2023-09-13 18:40:00", "Mới đăng ký"),
    ("19519", "1.000894", "2023-07-20 15:25:33", "Từ chối tiếp nhận"),
    ("19543", "2.001035", "2023-09-06 08:51:07", "Từ chối tiếp nhận"),
]


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def start_index(received: datetime) -> int:
    """The working day from which processing days are counted: after 16:00 it is the next one."""
    day = received.date()
    if day in INDEX and received.hour < 16:
        return INDEX[day]
    day += timedelta(1)
    while day not in INDEX:
        day += timedelta(1)
    return INDEX[day]


def due_of(received: datetime, days: int) -> datetime:
    in_afternoon = received.date() in INDEX and 12 <= received.hour < 16
    clock = time(17) if in_afternoon else time(11, 30)
    return datetime.combine(WORKDAYS[start_index(received) + days], clock)


def receive(dice: Dice, low: date, high: date, online: bool) -> datetime:
    """A receipt between two days: in working hours; online in the evening and at weekends too."""
    while True:
        day = low + timedelta(dice.below((high - low).days + 1))
        at_home = online and dice.random() < (0.15 if day in INDEX else 0.5)
        if at_home:
            return dice.moment(day, ((17 * 3600, 22 * 3600),) if day in INDEX else ((8 * 3600, 22 * 3600),))
        if day in INDEX:
            return dice.moment(day)


def dates(dice: Dice, procedure: Procedure, carried: bool, online: bool, outcome: str):
    """Received, due and finished that fit the outcome, or None when this throw does not fit."""
    days = procedure.days
    if outcome == "open_due_last_day":
        received = dice.moment(WORKDAYS[LAST_INDEX - days])
    elif carried:
        received = receive(dice, FIRST - timedelta(days * 3 // 2 + 4), FIRST - timedelta(1), online)
    else:
        received = receive(dice, FIRST, LAST, online)
    due, start = due_of(received, days), start_index(received)
    if (received.date() < FIRST) != carried:
        return None
    if outcome == "open_no_due":
        return received, None, None
    if outcome == "open_due_last_day":
        return (received, due, None) if due.date() == LAST else None
    if outcome == "open":
        return (received, due, None) if due.date() > LAST else None
    due_index = start + days
    # a long procedure begun at the very end would be resolved implausibly fast
    if due_index > LAST_INDEX + 2:
        return None
    if outcome in ("on_time", "after_hour"):
        day = due.date()
    else:
        low, high = max(start, FIRST_INDEX), min(due_index - 1, LAST_INDEX)
        if low > high:
            return None
        day = WORKDAYS[low + int(max(dice.random(), dice.random()) * (high - low + 1))]
    if not FIRST <= day <= LAST:
        return None
    finished = dice.moment(day, (AFTERNOON,) if outcome == "after_hour" else (MORNING, AFTERNOON))
    if finished < received + timedelta(minutes=15):
        return None
    if day == due.date() and (finished > due) != (outcome == "after_hour"):
        return None
    return received, None if outcome == "no_due" else due, finished


def make(dice: Dice, unit: dict, catalogue: list[Procedure], origin: Origin, outcome: str) -> Dossier:
    """One dossier of a unit that fits its origin and outcome."""
    choice = [p for p in catalogue if origin.offered is None or (p.level != "none") == origin.offered]
    stock = origin.carried or outcome.startswith("open")  # what is open for long is what takes long
    weights = [p.weight * (p.days if stock else 1) for p in choice]
    for _ in range(100_000):
        procedure = dice.pick(choice, weights)
        online = origin.online
        if online is None:
            online = procedure.level != "none" and dice.random() < 0.4
        found = dates(dice, procedure, origin.carried, online, outcome)
        if found:
            return Dossier(unit["code"], unit["written"], procedure, online, *found, outcome=outcome)
    raise RuntimeError(f"no dossier fits: {unit['code']} {origin} {outcome}")


def returned_of(dice: Dice, finished: datetime) -> datetime | None:
    """When the result was handed over: mostly soon, now and then weeks later, some never."""
    if dice.random() < 0.04:
        return None
    wait = dice.pick([0, 1, 2, 7], [6, 3, 2, 1])
    if wait == 0 and finished.hour < 16:
        return finished + timedelta(minutes=5 + dice.below(50))
    return dice.moment(WORKDAYS[INDEX[finished.date()] + max(wait, 1)])


def unit_dossiers(unit: dict, catalogue: list[Procedure]) -> list[Dossier]:
    """Every dossier of a unit in the quarter, as many of each kind as model_quarter.csv says."""
    dice = Dice(SEED + int(unit["code"]))
    n = {key: int(value) for key, value in unit.items() if value.isdigit() and key != "code"}
    by_code = {p.code: p for p in catalogue}
    fixed = []
    for code, procedure, online, received, finished, outcome in FIXED:
        if code == unit["code"]:
            p, at = by_code[procedure], moment(received)
            made = Dossier(code, unit["written"], p, online, at, due_of(at, p.days), moment(finished))
            fixed.append(replace(made, outcome=outcome))
    origins = {
        Origin(True): n["carried"],
        Origin(False, True, True): n["online"],
        Origin(False, False, True): n["eligible_online"] - n["online"],
        Origin(False, False, False): n["new"] - n["eligible_online"],
    }
    outcomes = Counter(
        early=n["resolved_early"],
        on_time=n["resolved_on_time"] - n["on_time_after_the_hour"],
        after_hour=n["on_time_after_the_hour"],
        late=n["resolved_late"],
        no_due=n["resolved_no_due"],
    )
    no_due, last_day = n["open_no_due"], n["open_due_last_day"]
    still_open = Counter(open_no_due=no_due, open=n["open"] - no_due - last_day, open_due_last_day=last_day)
    for d in fixed:
        origins[Origin(True) if d.carried else Origin(False, d.online, d.procedure.level != "none")] -= 1
        (still_open if d.outcome == "open" else outcomes)[d.outcome] -= 1
    if outcomes["late"]:
        raise ValueError(f"late dossiers are written by hand, in FIXED: {unit['code']}")

    # Carried-over dossiers still open are taken from the front: without a due date, then the very long ones.
    left_open = list(still_open.elements())
    resolved = dice.shuffled(outcomes.elements())
    carried_open, carried_resolved = n["open_carried"], origins.pop(Origin(True)) - n["open_carried"]
    carried_outcomes = left_open[:carried_open] + resolved[:carried_resolved]
    new_outcomes = dice.shuffled(left_open[carried_open:] + resolved[carried_resolved:])
    slots = [(Origin(True), outcome) for outcome in carried_outcomes]
    slots += zip(dice.shuffled(Counter(origins).elements()), new_outcomes, strict=True)
    common = [p for p in catalogue if p.weight]
    made = fixed + [make(dice, unit, common, origin, outcome) for origin, outcome in slots]
    return marked(dice, n, sorted(made, key=lambda d: (d.received, d.procedure.code)))


def marked(dice: Dice, n: dict, dossiers: list[Dossier]) -> list[Dossier]:
    """Digitization, evaluation, apology and certified copies: exactly as many as the model says."""
    numbers = range(len(dossiers))
    new = [i for i in numbers if not dossiers[i].carried]
    done = [i for i in numbers if dossiers[i].finished]
    certifying = [i for i in done if dossiers[i].procedure.field == "Chứng thực"]
    components = set(dice.shuffled(new)[: n["components_digitized"]])
    results = set(dice.shuffled(done)[: n["results_digitized"]])
    rated = set(dice.shuffled(done)[: n["rated"]])
    copies = set(dice.shuffled(certifying)[: n["certified_copies"]])
    out = []
    for i, d in enumerate(dossiers):
        d = replace(d, components=i in components if not d.carried else dice.random() < 0.5)
        if d.finished:
            words = ["Rất hài lòng", "Hài lòng", "Không hài lòng"]
            d = replace(
                d,
                returned=returned_of(dice, d.finished),
                result=i in results,
                rated=i in rated,
                rating=dice.pick(words, [70, 28, 2]) if i in rated else "",
                apology=True if d.outcome == "late" else None,
                copies=int(i in copies) if i in certifying else None,
            )
        out.append(d)
    return out


def numbered(dossiers: list[Dossier], prefixes: dict[str, str]) -> list[Dossier]:
    """Codes (prefix, day of receipt, number of the day) and the number that stands for the person."""
    day_count: Counter[str] = Counter()
    out = []
    for person, d in enumerate(sorted(dossiers, key=lambda d: (d.received, prefixes[d.unit])), 1):
        stem = f"{prefixes[d.unit]}-{d.received:%y%m%d}"
        day_count[stem] += 1
        out.append(replace(d, code=f"{stem}-{day_count[stem]:04d}", person=person))
    return out


def read_model() -> tuple[list[dict], dict[str, list[Procedure]]]:
    with (HERE / "model_quarter.csv").open(encoding="utf-8", newline="") as f:
        units = list(csv.DictReader(f))
    catalogue = defaultdict(list)
    with (HERE / "procedures.csv").open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            p = Procedure(r["code"], r["name"], r["field"], r["level"], int(r["days"]), int(r["weight"]))
            catalogue[r["office"]].append(p)
    return units, catalogue


def all_dossiers() -> dict[str, list[Dossier]]:
    """What the registers of the two sources hold: "district" (the counter) and "commune"."""
    units, catalogue = read_model()
    prefixes = {u["code"]: u["prefix"] for u in units}
    made = {"district": [], "commune": []}
    for unit in units:
        office = "district" if unit["code"] == "466" else "commune"
        by_code = {p.code: p for p in catalogue[office]}
        dossiers = unit_dossiers(unit, catalogue[office])
        dossiers += [
            Dossier(code, unit["written"], by_code[p], word == "Mới đăng ký", moment(r), word=word)
            for code, p, r, word in NOT_DOSSIERS
            if code == unit["code"]
        ]
        if unit["code"] == "19519":  # the same commune, written in two ways
            for i in range(0, len(dossiers), 6):
                dossiers[i] = replace(dossiers[i], written="UBND xã Gio Hai")
        made[office] += dossiers
    return {office: numbered(dossiers, prefixes) for office, dossiers in made.items()}
