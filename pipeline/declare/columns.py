"""The canonical dossier columns and the code lists of their values, from columns.toml and codes.toml.

Not here: headers of particular exports (layouts.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import polars as pl

from pipeline.declare.text import Text, declared, text_of

# Stored type per kind. Times are local and zone-less: the wall clock of the source's own zone (DESIGN §4.5).
DTYPES: dict[str, pl.DataType] = {
    "code": pl.String(),
    "unit": pl.String(),
    "timestamp": pl.Datetime("us"),
    "status": pl.String(),
    "channel": pl.String(),
    "level": pl.String(),
    "rating": pl.String(),
    "flag": pl.Boolean(),
    "count": pl.Int32(),
    "procedure_code": pl.String(),
    "procedure": pl.String(),
    "field": pl.String(),
}
CODED = ("status", "channel", "level", "rating")


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

    @property
    def dtype(self) -> pl.DataType:
        return DTYPES[self.kind]

    def shows(self, value: str) -> bool:
        """Whether a value may be shown in an error (it fits the column's harmless pattern)."""
        if self.kind == "timestamp":  # dates and numbers name nobody, as long as they are short
            return re.fullmatch(r"[\d/\-.: T]{1,25}", value) is not None and len(re.sub(r"\D", "", value)) < 15
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
