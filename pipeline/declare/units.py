"""Units with the dates on which they are valid, their tree, and the resolver of names as offices write them.

A unit is keyed by `unit_id` = code, with @valid_from where a code is used again (2025). DESIGN §4.13.
Not here: units that a source brings itself (`units = "from_file"`: warehouse/units).
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from pipeline.declare.text import declared_bytes, fold

# What stands in front of a unit's own name. Longest first: "uy ban nhan dan" before "uy ban".
ONE_STOP = (
    r"(?:bo phan (?:mot cua|tiep nhan va tra ket qua|tiep nhan tra ket qua|tn va tkq|tn tkq)"
    r"|(?:trung tam|tt) (?:phuc vu )?hanh chinh cong|trung tam pvhcc|tt pvhcc|ttpvhcc|bpmc|bp tn va tkq|bp tn tkq|mot cua)"
)
OFFICE = re.compile(
    rf"^(?:(?:{ONE_STOP}|van phong (?:hdnd (?:va )?)?ubnd|uy ban nhan dan|uy ban|ubnd|hdnd|van phong)\s+(?:cua\s+)?)+"
)
OFFICE_BEHIND = re.compile(rf"\s+{ONE_STOP}$")
TYPE_WORDS = {
    "xa": "xa",
    "x": "xa",
    "phuong": "phuong",
    "p": "phuong",
    "thi tran": "thi tran",
    "tt": "thi tran",
    "t t": "thi tran",
    "huyen": "huyen",
    "h": "huyen",
    "thi xa": "thi xa",
    "tx": "thi xa",
    "t x": "thi xa",
    "thanh pho": "thanh pho",
    "tp": "thanh pho",
    "t p": "thanh pho",
    "tinh": "tinh",
    "dac khu": "dac khu",
}
TYPE = re.compile(r"^(thi tran|thi xa|thanh pho|dac khu|phuong|huyen|tinh|xa|tt|tx|tp|t t|t x|t p|x|p|h)\s+(?=\S)")
LONGEST_NAME = 60  # folded, with district and province; what is longer is no unit's name
ALWAYS = date.min
FOREVER = date.max


@dataclass(frozen=True)
class Unit:
    """kind: province, district (whole), counter (the district's own), communes (their sum), commune."""

    unit_id: str
    code: str
    name: str
    kind: str
    valid_from: date
    valid_to: date
    parent_id: str | None

    @property
    def reports(self) -> bool:
        """Whether dossiers belong to the unit itself (the others are sums)."""
        return self.kind in ("commune", "counter")

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_to


def units_above(unit: Unit) -> list[str]:
    """The declared sums to which a unit belongs, nearest first."""
    found: list[str] = []
    above = units().get(unit.parent_id or "")
    while above is not None:
        found.append(above.unit_id)
        above = units().get(above.parent_id or "")
    return found


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(declared_bytes(name).decode("utf-8"))))


@cache
def units() -> dict[str, Unit]:
    """All declared units by unit_id, in the order of the declaration."""
    return {
        row["unit_id"]: Unit(
            row["unit_id"],
            row["unit_code"],
            row["name"],
            row["kind"],
            date.fromisoformat(row["valid_from"]) if row["valid_from"] else ALWAYS,
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else FOREVER,
            row["parent_id"] or None,
        )
        for row in _rows("units.csv")
    }


@dataclass(frozen=True)
class Succession:
    """Which unit took a unit's place, and from which day."""

    from_day: date
    successor_id: str
    source: str


@cache
def successions() -> dict[str, Succession]:
    """unit_id → the unit that took its place. A unit without a line has no single successor in law."""
    return {
        row["unit_id"]: Succession(date.fromisoformat(row["from_day"]), row["successor_id"], row["source"])
        for row in _rows("unit_successors.csv")
    }


@cache
def successors() -> dict[str, tuple[date, str]]:
    """unit_id → (first day, unit_id) of the unit that took its place."""
    return {unit_id: (s.from_day, s.successor_id) for unit_id, s in successions().items()}


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """unit_id → its declared name and the spellings known in practice (unit_aliases.csv)."""
    found = {unit.unit_id: [unit.name] for unit in units().values()}
    for row in _rows("unit_aliases.csv"):
        found[row["unit_id"]].append(row["written"])
    return {unit_id: tuple(names) for unit_id, names in found.items()}


def split_name(written: str) -> tuple[str | None, str]:
    """A unit as written → (type word or None, bare name), folded: "UBND TT Cửa Việt" → ("thi tran", "cua viet")."""
    rest = OFFICE_BEHIND.sub("", OFFICE.sub("", fold(written)))
    kind = TYPE.match(rest)
    return (TYPE_WORDS[kind[1]], rest[kind.end() :]) if kind else (None, rest)


@cache
def _spellings() -> dict[str, tuple[tuple[str | None, Unit], ...]]:
    """Bare folded name, alone or with district and province behind it, or the code → the units that it may mean."""
    found: dict[str, set[tuple[str | None, Unit]]] = defaultdict(set)
    for unit in (u for u in units().values() if u.reports):
        found[unit.code].add((None, unit))
        for name in _names()[unit.unit_id]:
            kind, bare = split_name(name)
            for tail in ("", *_tails(unit)):
                found[f"{bare} {tail}".rstrip()].add((kind, unit))
    return {spelling: tuple(sorted(candidates, key=lambda c: c[1].unit_id)) for spelling, candidates in found.items()}


def _tails(unit: Unit) -> set[str]:
    """What may stand behind a unit's name: its district in every way of writing it, its province, or both."""
    districts, provinces = {""}, {""}
    above = units().get(unit.parent_id or "")
    while above is not None:
        names = {split_name(name) for name in _names()[above.unit_id]}
        if above.kind == "district":
            words = {kind: [w for w, meant in TYPE_WORDS.items() if meant == kind] for kind, _ in names}
            districts |= {bare for _, bare in names} | {f"{w} {bare}" for kind, bare in names for w in words[kind]}
        elif above.kind == "province":  # with its type alone: a town may have the province's name
            provinces |= {f"tinh {bare}" for _, bare in names}
        above = units().get(above.parent_id or "")
    return {f"{district} {province}".strip() for district in districts for province in provinces} - {""}


def known_spelling(written: str) -> bool:
    """Whether the text is the name of some declared unit on some day (then it is no personal data)."""
    return split_name(written)[1] in _spellings() or fold(written) in _spellings()


@lru_cache(maxsize=65_536)
def resolve(written: str, received_on: date, exported_on: date | None = None) -> Unit | None:
    """The unit that a name as written means: exactly one or none.

    Tried on the day of receipt, then on the day of the export (a system renames its old dossiers' units too).
    A type word must agree; without one, the bare name must be unique among the units valid on that day.
    """
    kind, bare = split_name(written)
    candidates = _spellings().get(bare, ()) if bare else ()
    for day in (received_on, exported_on):
        if day is None:
            continue
        fits = {u for t, u in candidates if u.valid_on(day) and (kind is None or t is None or t == kind)}
        if len(fits) == 1:
            return next(iter(fits))
        if fits:
            return None
    return None


def propose(written: str, most: int = 4) -> list[Unit]:
    """Units that a text may mean, nearest first, for people to choose from, never assumed: those of that name on
    some day, those with a name much like it, and whichever took their place."""
    import difflib

    _, bare = split_name(written)
    near = difflib.get_close_matches(bare, _spellings(), n=2 * most, cutoff=0.75) if len(bare) <= LONGEST_NAME else []
    found: dict[str, Unit] = {}
    for spelling in dict.fromkeys([bare, *near]):
        for _, unit in _spellings().get(spelling, ()):
            found.setdefault(unit.unit_id, unit)
            if unit.unit_id in successors():
                heir = successors()[unit.unit_id][1]
                found.setdefault(heir, units()[heir])
    return list(found.values())[: 2 * most]
