"""The national list of procedures: codes, names, fields; and which names may pass as known. DESIGN §4.15, §5.

Not here: procedures that a source brings itself (`procedures = "from_file"`).
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from functools import cache

from pipeline.declare.text import Text, declared, declared_bytes, fold

CODE = re.compile(r"^(\d\.\d{6})(?:\.\d{3}\.\d{2}\.\d{2}\.[HG]\d{2})?$")


@dataclass(frozen=True)
class Procedure:
    """service_level (full, partial, none), valid_from, valid_to: null where the list does not tell."""

    code: str
    name: str
    field: str
    levels: tuple[str, ...]
    service_level: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@cache
def procedures() -> dict[str, Procedure]:
    """National procedures by code. The list spells some fields in two ways: the first way met is the field's."""
    rows = csv.DictReader(io.StringIO(declared_bytes("procedures.csv").decode("utf-8")))
    fields: dict[str, str] = {}
    return {
        r["procedure_code"]: Procedure(
            r["procedure_code"],
            r["name"],
            fields.setdefault(fold(r["field"]), r["field"]),
            tuple(r["levels"].split("|")),
            r.get("service_level") or None,
            _day(r.get("valid_from")),
            _day(r.get("valid_to")),
        )
        for r in rows
    }


@dataclass(frozen=True)
class Origin:
    """Which list the procedures come from, and its year."""

    source: Text
    listed_in: int


@cache
def origin() -> Origin:
    node = declared("procedures.toml")
    return Origin(Text(node["source_vi"], node["source_en"]), node["listed_in"])


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None


def national_code(written: str) -> str | None:
    """The national part of a procedure code: local ones carry an office's suffix (1.001612.000.00.00.H48)."""
    found = CODE.match(written.strip())
    return found[1] if found else None


@cache
def known_names() -> dict[str, str]:
    """Folded name → procedure code, for names that belong to one procedure only."""
    seen: dict[str, set[str]] = {}
    for p in procedures().values():
        seen.setdefault(fold(p.name), set()).add(p.code)
    return {name: next(iter(found)) for name, found in seen.items() if len(found) == 1}


@cache
def known_fields() -> dict[str, str]:
    """Folded field name → field as declared."""
    return {fold(p.field): p.field for p in procedures().values()}
