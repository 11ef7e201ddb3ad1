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

    numerator, denominator, unknown: predicates over `dossier_period`, of `indicator` where it is one; empty where
    the data tells nothing. nothing: the points of a denominator of 0: full | zero | none (null). needs: what the data must
    tell. max_points 0: for information only."""

    key: str
    group: str
    label: Text
    max_points: int
    saturation: Fraction | None
    indicator: str | None
    numerator: str
    denominator: str
    unknown: str
    nothing: str
    needs: Text
    source: str
    mark: str

    @property
    def parts(self) -> str | None:
        """Where numerator and denominator come from: indicator | dossiers; null: nowhere."""
        return "indicator" if self.indicator else "dossiers" if self.numerator else None

    @property
    def formula(self) -> str:
        """As the decision's description prints it: `6 × rate`, `min(6, 6 × rate / 0.50)`."""
        if self.saturation is None:
            return f"{self.max_points} × rate"
        return f"min({self.max_points}, {self.max_points} × rate / {float(self.saturation):.2f})"


@cache
def groups() -> dict[str, Group]:
    return {name: Group(name, text_of(node), node["max"]) for name, node in declared(FILE)["group"].items()}


@cache
def scores() -> dict[str, Score]:
    """Every sub-score by its key, in the order of its group."""
    return {key: _score(key, node) for key, node in declared(FILE)["score"].items()}


def _score(key: str, node: dict[str, Any]) -> Score:
    own = indicators().get(node.get("indicator", ""))
    return Score(
        key,
        node["group"],
        text_of(node),
        node["max"],
        Fraction(node["saturation"]) if "saturation" in node else None,
        node.get("indicator"),
        own.numerator if own else node.get("numerator", ""),
        own.denominator if own else node.get("denominator", ""),
        node.get("unknown", ""),
        node["nothing"],
        Text(node["needs_vi"], node["needs_en"]),
        declared(FILE)["source"],
        node["mark"],
    )


def three_valued(numerator: str, unknown: str) -> str:
    """SQL of a numerator that is null where it cannot be told."""
    return f"CASE WHEN {unknown} THEN NULL ELSE {numerator} END" if unknown else numerator


def label() -> Text:
    """What the whole is called."""
    return text_of(declared(FILE))


def valid_from() -> date:
    """Since when the decision holds."""
    return declared(FILE)["valid_from"]


def scheme() -> str:
    """The scheme of periods by which the decision scores."""
    return str(declared(FILE)["scheme"])
