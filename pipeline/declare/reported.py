"""What summaries report, from reported.toml: columns, measures, percentages, and how they fill the published tables.

Not here: the headers of particular summaries (layouts/), SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pipeline.declare.text import Text, declared, fold, text_of


@dataclass(frozen=True)
class Reported:
    """A figure of a summary. kind: count | percent. where: the same count as a predicate over labels; "": none."""

    name: str
    kind: str
    label: Text
    where: str
    numerator: str = ""
    denominator: str = ""


@cache
def row_columns() -> dict[str, Text]:
    """What a row of a summary is about: its number, unit, field."""
    return {name: text_of(node) for name, node in declared("reported.toml")["column"].items()}


@cache
def reported() -> dict[str, Reported]:
    """Every figure that a summary may report, counts first."""
    node = declared("reported.toml")
    counts = {name: Reported(name, "count", text_of(m), m["where"]) for name, m in node["measure"].items()}
    return counts | {
        name: Reported(name, "percent", text_of(m), "", m["numerator"], m["denominator"])
        for name, m in node["percent"].items()
    }


@cache
def counts() -> dict[str, Reported]:
    return {name: r for name, r in reported().items() if r.kind == "count"}


@cache
def fills(kind: str) -> dict[str, tuple[str, ...]]:
    """Figure of a published table → expressions over reported counts, best first. kind: stats, ii06a, numerator,
    denominator."""
    return {name: tuple(ways) for name, ways in declared("reported.toml")["fill"][kind].items()}


@cache
def groups() -> dict[str, str]:
    """Folded words of rows that stand above those of a group → the words as declared."""
    return {fold(words): words for words in declared("reported.toml")["groups"]}


def label_of(name: str) -> Text:
    return row_columns().get(name) or reported()[name].label
