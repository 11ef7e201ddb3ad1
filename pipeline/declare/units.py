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
OFFICE = re.compile(
    r"^(?:van phong (?:hdnd (?:va|&)? ?ubnd|hdnd ubnd|hdnd va ubnd)|bo phan (?:mot cua|tiep nhan va tra ket qua|tn va tkq|tn tkq)"
    r"|trung tam (?:phuc vu )?hanh chinh cong|bpmc|ttpvhcc|uy ban nhan dan|uy ban|ubnd)\s+(?:cua\s+)?"
)
TYPE_WORDS = {
    "xa": "xa",
    "x": "xa",
    "phuong": "phuong",
    "p": "phuong",
    "thi tran": "thi tran",
    "tt": "thi tran",
    "huyen": "huyen",
    "h": "huyen",
    "thi xa": "thi xa",
    "tx": "thi xa",
    "thanh pho": "thanh pho",
    "tp": "thanh pho",
    "tinh": "tinh",
    "dac khu": "dac khu",
}
TYPE = re.compile(r"^(thi tran|thi xa|thanh pho|dac khu|phuong|huyen|tinh|xa|tt|tx|tp|x|p|h)\s+(?=\S)")
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


@cache
def successors() -> dict[str, tuple[date, str]]:
    """unit_id → (first day, unit_id) of the unit that took its place."""
    return {
        row["unit_id"]: (date.fromisoformat(row["from_day"]), row["successor_id"])
        for row in _rows("unit_successors.csv")
    }


def split_name(written: str) -> tuple[str | None, str]:
    """A unit as written → (type word or None, bare name), folded: "UBND TT Cửa Việt" → ("thi tran", "cua viet")."""
    rest = OFFICE.sub("", fold(written))
    kind = TYPE.match(rest)
    return (TYPE_WORDS[kind[1]], rest[kind.end() :]) if kind else (None, rest)


@cache
def _spellings() -> dict[str, tuple[tuple[str | None, Unit], ...]]:
    """Bare folded name, with and without the district behind it, or the code → the units that it may mean."""
    found: dict[str, set[tuple[str | None, Unit]]] = defaultdict(set)
    for unit in units().values():
        if not unit.reports:
            continue
        kind, bare = split_name(unit.name)
        found[bare].add((kind, unit))
        found[unit.code].add((None, unit))
        above = units().get(unit.parent_id or "")
        while above is not None:
            if above.kind == "district":
                district_type, district = split_name(above.name)
                for tail in (district, f"{district_type} {district}", f"{fold(above.name)}"):
                    found[f"{bare} {tail}"].add((kind, unit))
            above = units().get(above.parent_id or "")
    return {spelling: tuple(sorted(candidates, key=lambda c: c[1].unit_id)) for spelling, candidates in found.items()}


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


def propose(written: str, most: int = 3) -> list[str]:
    """Names of declared units that look like the one written; for people to choose from, never assumed."""
    import difflib

    by_bare = {split_name(u.name)[1]: u.name for u in units().values() if u.reports}
    return [by_bare[b] for b in difflib.get_close_matches(split_name(written)[1], by_bare, n=most, cutoff=0.75)]
