"""Returns: figures kept by hand that no register holds, each declared in returns/<id>.toml (DESIGN §5, kind = "return").

A return is a table per unit and period. Its rows are units, or lines that are declared (sources of money, tasks); its
columns are measures. Identities hold between lines or between measures, indicators divide sums of them.
Not here: the workbook (report/templates), reading one back (conform/returns).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.declare.text import Text, declared, fold, text_of

KINDS = ("count", "decimal", "yes_no", "choice", "date", "document")
NUMBERS = ("count", "decimal")
WORDS = ("yes_no", "choice")
OF_UNITS, OF_LINES = "units", "lines"
NO_LINE = ""  # the line of a return whose rows are units
RULE = re.compile(r"(\w+) (=|<=|>=) (\w+(?: \+ \w+)*)")
FACTOR = re.compile(r"(?:(?P<line>\w+)\.)?(?P<measure>\w+)(?:=(?P<word>\w+|\*))?")
WEEKS = "weeks"  # whole weeks of the period, in a term


@dataclass(frozen=True)
class Word:
    """A word that a cell may hold, and the ways in which it is written (folded)."""

    value: str
    label: Text
    words: frozenset[str]


@dataclass(frozen=True)
class Qualifier:
    """How exact a figure is. low, high: bounds of the true figure as multiples of the one told; null: none."""

    value: str
    label: Text
    words: frozenset[str]
    low: Fraction | None
    high: Fraction | None


@dataclass(frozen=True)
class Measure:
    """A column. kind: count | decimal (with `digits`) | yes_no | choice | date | document (a document's number).
    approx: a figure may be "about", "more than". of: what is counted, in words, or null."""

    name: str
    label: Text
    kind: str
    digits: int
    approx: bool
    of: Text | None
    words: dict[str, Word]

    @property
    def is_number(self) -> bool:
        return self.kind in NUMBERS


@dataclass(frozen=True)
class Line:
    """A declared row. kinds: of units that have it; empty: all. additive: whether figures of several units add up."""

    name: str
    label: Text
    of: Text | None
    kinds: tuple[str, ...]
    additive: bool


@dataclass(frozen=True)
class Identity:
    """`left` operator the sum of `right`. across: between lines (of every number), or between measures of a row."""

    name: str
    left: str
    operator: str
    right: tuple[str, ...]
    across_lines: bool

    @property
    def rule(self) -> str:
        return f"{self.left} {self.operator} {' + '.join(self.right)}"


@dataclass(frozen=True)
class Factor:
    """A part of a product. word: rows that hold this word are counted ("*": any); measure "weeks": of the period."""

    line: str | None
    measure: str
    word: str | None


@dataclass(frozen=True)
class Target:
    operator: str
    value: Fraction
    near: Fraction
    basis: Text
    mark: str


@dataclass(frozen=True)
class ReturnIndicator:
    """numerator, denominator: products (an empty denominator: a number by itself). over: each (a value per row) | all
    (summed over the lines) | lines (the factors name theirs)."""

    code: str
    label: Text
    numerator: tuple[Factor, ...]
    denominator: tuple[Factor, ...]
    over: str
    target: Target | None


@dataclass(frozen=True)
class Return:
    """rows: units | lines. periods: kinds of period for which it is asked. fills: kinds of unit that hand it in.
    section: of the reform report that it feeds."""

    id: str
    label: Text
    sheet: str
    rows: str
    periods: tuple[str, ...]
    fills: tuple[str, ...]
    section: str
    source: str
    mark: str
    help: Text | None
    measures: dict[str, Measure]
    lines: dict[str, Line]
    identities: tuple[Identity, ...]
    indicators: dict[str, ReturnIndicator] = field(default_factory=dict)

    @property
    def numbers(self) -> tuple[Measure, ...]:
        return tuple(m for m in self.measures.values() if m.is_number)

    def lines_of(self, kind: str | None) -> dict[str, Line]:
        """The lines that a kind of unit has; null: of a unit that a source brings itself, which has all."""
        return {name: line for name, line in self.lines.items() if kind is None or not line.kinds or kind in line.kinds}


@cache
def returns() -> dict[str, Return]:
    """All declared returns by id."""
    folder = files("pipeline.declare").joinpath("returns")
    names = sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))
    return {name: _return(name, declared(f"returns/{name}.toml")) for name in names}


@cache
def qualifiers() -> dict[str, Qualifier]:
    return {
        value: Qualifier(
            value,
            text_of(node),
            frozenset(map(fold, node["words"])),
            Fraction(node["low"]) if "low" in node else None,
            Fraction(node["high"]) if "high" in node else None,
        )
        for value, node in declared("return_words.toml")["qualifier"].items()
    }


@cache
def answers() -> dict[str, Word]:
    return _words(declared("return_words.toml")["answer"])


def document_pattern() -> str:
    return str(declared("return_words.toml")["document"]["pattern"])


def document_example() -> str:
    return str(declared("return_words.toml")["document"]["example"])


def cell_label(column: str) -> Text | None:
    """What a fault's column "D7 investment.planned" is called; null where it is no cell of a return."""
    found = re.fullmatch(r"([A-Z]{1,3}\d+) (\w+)(?:\.(\w+))?", column)
    declared_return = returns().get(found[2]) if found else None
    if found is None or declared_return is None:
        return None
    measure = declared_return.measures.get(found[3] or "")
    vi, en = (f" ({measure.label.vi})", f" ({measure.label.en})") if measure else ("", "")
    return Text(f"ô {found[1]}{vi}", f"cell {found[1]}{en}")


def figure_label(code: str) -> Text:
    """What "investment.total.planned" is called: the return, its line where it has one, its measure."""
    return_id, *line, measure = code.split(".")
    declared_return = returns()[return_id]
    labels = [declared_return.label, *(declared_return.lines[name].label for name in line)]
    labels.append(declared_return.measures[measure].label)
    return Text(": ".join(t.vi for t in labels), ": ".join(t.en for t in labels))


# ---- from the declarations


def _return(name: str, node: dict[str, Any]) -> Return:
    measures = {m: _measure(m, told) for m, told in node["measures"].items()}
    lines = {
        line: Line(
            line, text_of(told), _text_or_none(told, "of"), tuple(told.get("kinds", ())), told.get("additive", True)
        )
        for line, told in node.get("lines", {}).items()
    }
    return Return(
        name,
        text_of(node),
        node["sheet"],
        node["rows"],
        tuple(node["periods"]),
        tuple(node["fills"]),
        node["section"],
        node["source"],
        node["mark"],
        _text_or_none(node, "help"),
        measures,
        lines,
        tuple(_identity(i, rule, lines) for i, rule in node.get("identities", {}).items()),
        {code: _indicator(code, told) for code, told in node.get("indicators", {}).items()},
    )


def _text_or_none(node: dict[str, Any], key: str) -> Text | None:
    return text_of(node[key]) if key in node else None


def _words(node: dict[str, Any]) -> dict[str, Word]:
    return {value: Word(value, text_of(told), frozenset(map(fold, told["words"]))) for value, told in node.items()}


def _measure(name: str, node: dict[str, Any]) -> Measure:
    words = answers() if node["kind"] == "yes_no" else _words(node.get("words", {}))
    return Measure(
        name,
        text_of(node),
        node["kind"],
        node.get("digits", 0),
        node.get("approx", False),
        _text_or_none(node, "of"),
        words,
    )


def _identity(name: str, rule: str, lines: dict[str, Line]) -> Identity:
    found = RULE.fullmatch(rule)
    assert found, rule
    left, operator, right = found.groups()
    return Identity(name, left, operator, tuple(right.split(" + ")), left in lines)


def _indicator(code: str, node: dict[str, Any]) -> ReturnIndicator:
    target = node.get("target")
    return ReturnIndicator(
        code,
        text_of(node),
        _term(node["numerator"]),
        _term(node.get("denominator", "")),
        node["over"],
        target
        and Target(
            target["operator"],
            Fraction(target["value"]),
            Fraction(target["near"]),
            text_of(target["basis"]),
            target["mark"],
        ),
    )


def _term(words: str) -> tuple[Factor, ...]:
    found = []
    for part in filter(None, words.split(" * ")):
        factor = FACTOR.fullmatch(part)
        assert factor, part
        found.append(Factor(factor["line"], factor["measure"], factor["word"]))
    return tuple(found)
