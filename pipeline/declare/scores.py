"""Decision 766/QĐ-TTg in declarations: its groups, their sub-scores with formula and parts, and what each needs.

Not here: computing them (measure/scores).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

from pipeline.declare.figures import indicators
from pipeline.declare.text import Text, declared, text_of

FILE = "scores.toml"


@dataclass(frozen=True)
class Group:
    """max_points: those of its sub-scores together."""

    name: str
    label: Text
    max_points: int


@dataclass(frozen=True)
class Score:
    """A sub-score: points = min(max_points, max_points × numerator / denominator / saturation), saturation null: 1.

    parts: where numerator and denominator come from: indicator | dossiers | return | procedures (and a return).
    numerator, denominator: predicates over `dossier_period`, of `indicator` where it is one, or sums of measures of the
    return, as `parts` says; of procedures, the numerator is the predicate of a dossier newly received. unknown: a predicate, empty
    where the labels say it by being null. nothing: the points of a denominator of 0: full | zero | none (null). needs: what the data must
    tell. max_points 0: for information only."""

    key: str
    group: str
    label: Text
    max_points: int
    saturation: Fraction | None
    parts: str
    indicator: str | None
    numerator: str
    denominator: str
    unknown: str
    nothing: str
    needs: Text
    source: str
    mark: str

    @property
    def formula(self) -> str:
        """As the decision's description prints it: `6 × rate`, `min(6, 6 × rate / 0.50)`."""
        if self.saturation is None:
            return f"{self.max_points} × rate"
        return f"min({self.max_points}, {self.max_points} × rate / {float(self.saturation):.2f})"

    @property
    def judged(self) -> str:
        """The numerator's predicate, null where it cannot be told."""
        return three_valued(self.numerator, self.unknown)


@cache
def groups() -> dict[str, Group]:
    return {name: Group(name, text_of(node), node["max"]) for name, node in declared(FILE)["group"].items()}


@cache
def scores() -> dict[str, Score]:
    """Every sub-score by its key, in the order of its group."""
    return {key: _score(key, node) for key, node in declared(FILE)["score"].items()}


def _score(key: str, node: dict[str, Any]) -> Score:
    parts, numerator, denominator = _parts(node)
    return Score(
        key,
        node["group"],
        text_of(node),
        node["max"],
        Fraction(node["saturation"]) if "saturation" in node else None,
        parts,
        node.get("indicator"),
        numerator,
        denominator,
        node.get("unknown", ""),
        node["nothing"],
        Text(node["needs_vi"], node["needs_en"]),
        declared(FILE)["source"],
        node["mark"],
    )


def _parts(node: dict[str, Any]) -> tuple[str, str, str]:
    """Where a sub-score's parts come from, its numerator and its denominator."""
    if "indicator" in node:
        own = indicators()[node["indicator"]]
        return "indicator", own.numerator, own.denominator
    if "procedures" in node:
        return "procedures", node["procedures"], node["denominator_return"]
    if "numerator_return" in node:
        return "return", node["numerator_return"], node["denominator_return"]
    return "dossiers", node["numerator"], node["denominator"]


def three_valued(numerator: str, unknown: str) -> str:
    """SQL of a numerator that is null where it cannot be told."""
    return f"CASE WHEN {unknown} THEN NULL ELSE {numerator} END" if unknown else numerator


def label() -> Text:
    """What the whole is called."""
    return text_of(declared(FILE))


def return_id() -> str:
    """The return that collects what no register tells."""
    return str(declared(FILE)["return"])


def valid_from() -> date:
    """Since when the decision holds."""
    return declared(FILE)["valid_from"]


def scheme() -> str:
    """The scheme of periods by which the decision scores."""
    return str(declared(FILE)["scheme"])
