"""What is kept of a unit's name as written. Default-deny: a name that nobody declared may be anything.

Not here: which unit a name means (declare/units, resolved at build).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.conform.keyed_hash import hash_of
from pipeline.declare.sources import Source
from pipeline.declare.text import fold, shape
from pipeline.declare.units import known_spelling

LONGEST_SHAPE = 40


@dataclass
class UnitNames:
    """The names of one source's units. unknown: hash → name as written that is no declared one's, for the restricted
    store alone."""

    source: Source
    key: bytes
    unknown: dict[str, str] = field(default_factory=dict)

    def kept(self, text: str) -> str:
        """A declared name as it stands; of any other the hash of its folded text and its shape: it is rejected when
        units are resolved, and counts from the day on which somebody declares what it means."""
        if known_spelling(text):
            return text
        hashed = hash_of(fold(text) or text, self.key)
        self.unknown.setdefault(hashed, text)
        return f"#{hashed} {shape(text, LONGEST_SHAPE)}"
