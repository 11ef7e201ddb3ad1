"""How large a file may be, from limits.toml. Not here: the counting (read/)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

from pipeline.declare.text import Text, declared, text_of


@dataclass(frozen=True)
class Limits:
    """Each field is the greatest value that passes; `label` names it for people."""

    file_bytes: int
    held_bytes: int
    unpacked_bytes: int
    part_bytes: int
    ratio: int
    ratio_from_bytes: int
    members: int
    rows: int
    columns: int
    cells: int

    @staticmethod
    def label(name: str) -> Text:
        return text_of(declared("limits.toml")[name])


@cache
def limits() -> Limits:
    """The declared limits."""
    node = declared("limits.toml")
    return Limits(**{f.name: int(node[f.name]["value"]) for f in fields(Limits)})
