"""The canonical dossier columns and the code lists of their values, from columns.toml and codes.toml.

Not here: headers of particular exports (layouts.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from pipeline.declare.text import Text, declared, text_of

CODED = ("status", "channel", "level", "rating")
# What may be shown of a date that cannot be read: only what is built like one, for digits alone may be a person's.
DAY_LIKE = r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}[/-]\d{1,2}[/-]\d{1,2}"
CLOCK_LIKE = r"\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{1,6})?)?(?: (?:AM|PM|SA|CH))?"
DATE_LIKE = re.compile(rf"(?:{DAY_LIKE})(?:[ T]+{CLOCK_LIKE})?|{CLOCK_LIKE} (?:{DAY_LIKE})|\d{{1,5}}")


@dataclass(frozen=True)
class Column:
    """A canonical column. `unknown`: "reject" the row or "null" with a notice when its text cannot be read."""

    name: str
    kind: str
    label: Text
    required: bool
    unknown: str
    harmless: str | None
    absent: str

    def shows(self, value: str) -> bool:
        """Whether a value may be shown in an error (it fits the column's harmless pattern)."""
        if self.kind == "timestamp":
            return DATE_LIKE.fullmatch(value) is not None
        return self.harmless is not None and re.fullmatch(self.harmless, value) is not None


@dataclass(frozen=True)
class Code:
    value: str
    label: Text
    words: tuple[str, ...]
    group: str


@cache
def columns() -> dict[str, Column]:
    """All canonical columns, in stored order."""
    return {
        name: Column(
            name,
            node["kind"],
            text_of(node),
            node.get("required", False),
            node["unknown"],
            node.get("harmless"),
            node["absent"],
        )
        for name, node in declared("columns.toml").items()
    }


@cache
def codes(kind: str) -> dict[str, Code]:
    """The code list of a kind: status, channel, level, flag or rating."""
    return {
        value: Code(value, text_of(node), tuple(node["words"]), node.get("group", ""))
        for value, node in declared("codes.toml")[kind].items()
    }


def statuses(*groups: str) -> list[str]:
    """The canonical statuses of the given groups (not_counted, open, paused, resolved, …)."""
    return [code.value for code in codes("status").values() if code.group in groups]
