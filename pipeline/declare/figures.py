"""What is counted, in declarations: labels, measures, indicators, thresholds. SQL predicates over labels.

Not here: forms (forms.py), evaluating any of them (measure/).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache

from pipeline.declare.text import Text, declared, text_of

WORD, QUOTED = re.compile(r"\w+"), re.compile(r"'[^']*'")
# how the procedures of dossiers are told apart: by their code, else their name
PROCEDURE = "coalesce(procedure_code, procedure)"


@dataclass(frozen=True)
class Label:
    """never_null: every dossier has it in every period; it may be another one in another period."""

    name: str
    text: Text
    values: dict[str, Text]
    never_null: bool = False


@dataclass(frozen=True)
class Measure:
    """A count of the rows of `dossier_period` for which `where` holds."""

    name: str
    label: Text
    where: str


@dataclass(frozen=True)
class Indicator:
    """kind: rate | count_ratio | sum | mean | median. `denominator` is empty for the last three; `column` is what
    they sum or average, in the unit its name says (days)."""

    code: str
    kind: str
    label: Text
    numerator: str
    denominator: str
    column: str | None
    section: str
    source: str
    mark: str


@dataclass(frozen=True)
class Threshold:
    """In force for a period whose last day lies in [valid_from, valid_to]; valid_to null: until further notice."""

    indicator: str
    operator: str
    value: Fraction
    near: Fraction
    kinds: tuple[str, ...]
    within: str | None
    valid_from: date
    valid_to: date | None
    basis: Text
    mark: str


@cache
def labels() -> dict[str, Label]:
    return {
        name: Label(
            name,
            text_of(node),
            {v: text_of(words) for v, words in node.get("values", {}).items()},
            node.get("never_null", False),
        )
        for name, node in declared("labels.toml").items()
    }


def asked_labels(*predicates: str) -> set[str]:
    """The labels that predicates ask of."""
    return {word for predicate in predicates for word in WORD.findall(QUOTED.sub("", predicate))} & labels().keys()


@cache
def measures() -> dict[str, Measure]:
    return {name: Measure(name, text_of(node), node["where"]) for name, node in declared("measures.toml").items()}


@cache
def indicators() -> dict[str, Indicator]:
    return {
        code: Indicator(
            code,
            node["kind"],
            text_of(node),
            node["numerator"],
            node.get("denominator", ""),
            node.get("column"),
            node["section"],
            node["source"],
            node["mark"],
        )
        for code, node in declared("indicators.toml").items()
    }


@cache
def thresholds() -> tuple[Threshold, ...]:
    return tuple(
        Threshold(
            node["indicator"],
            node["operator"],
            Fraction(node["value"]),
            Fraction(node["near"]),
            tuple(node["kinds"]),
            node.get("within"),
            node["valid_from"],
            node.get("valid_to"),
            Text(node["basis_vi"], node["basis_en"]),
            node["mark"],
        )
        for node in declared("thresholds.toml")["threshold"]
    )
