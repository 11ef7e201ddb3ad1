"""Printed forms, in declarations (forms/*.toml, sections.toml): header tree, columns as measures, identities, notes.

A form has versions: of each family the one is printed that is in force on the period's last day. Not here: figures
(measure/forms), writing (report/forms).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.declare.text import Text, declared, text_of


@dataclass(frozen=True)
class Column:
    """A numbered column, "c3" being printed as (3). where: a predicate over labels. of: where the predicate may be
    unknown, among which dossiers it is asked; not known where it is so of all of them. fill: how it follows, for a unit of
    which summaries alone tell, from columns of table form_ii06a (ii06a.c3) and measures; the first expression that they
    allow. rate: an indicator instead. told: the return, line and measure of a hand-kept figure. With none of them nothing that we
    read tells it."""

    name: str
    label: Text
    where: str
    of: str
    fill: tuple[str, ...]
    rate: str
    told: tuple[str, ...]


@dataclass(frozen=True)
class Head:
    """A cell of the header: over one column, or over its parts. field: the words where rows are fields."""

    text: Text
    field: Text
    column: str
    parts: tuple[Head, ...]

    @property
    def columns(self) -> list[str]:
        """The columns below it, from left to right."""
        return [self.column] if self.column else [c for part in self.parts for c in part.columns]

    @property
    def depth(self) -> int:
        return 1 + max((part.depth for part in self.parts), default=0)


@dataclass(frozen=True)
class Section:
    """A row above those of the units of some kinds. text: above units; field: above their fields."""

    kinds: tuple[str, ...]
    text: Text
    field: Text
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True)
class Identity:
    """What holds between columns of every row: left sign the sum of right. sign: = or >=."""

    name: str
    left: str
    sign: str
    right: tuple[str, ...]

    @property
    def printed(self) -> str:
        """As forms print it: (5) = (6) + (7)."""
        sign = {">=": "≥"}.get(self.sign, self.sign)
        return f"({self.left[1:]}) {sign} {' + '.join(f'({c[1:]})' for c in self.right)}"


@dataclass(frozen=True)
class Form:
    """One version of a form. sheet: the name of its sheet in a workbook. ordinal, code, named: the columns of a row's number, of the unit's code ("": none) and
    name. formulas: identities are printed in the number row. table: the published table of its figures; "": they are
    counted by the columns' predicates. order: what is not confirmed of the columns' order and numbers; null: nothing."""

    name: str
    id: str
    family: str
    place: int
    valid_from: date
    valid_to: date | None
    sheet: Text
    number: Text
    act: Text
    title: Text
    counted: Text
    by: tuple[str, ...]
    formulas: bool
    ordinal: str
    code: str
    named: str
    table: str
    head: tuple[Head, ...]
    notes: tuple[Text, ...]
    columns: dict[str, Column]
    identities: dict[str, str]
    source: str
    mark: str
    order: Text | None

    @property
    def by_hand(self) -> bool:
        """Whether all its figures are hand-kept: such are told of a unit as they are, and are never added up."""
        return not any(c.where or c.rate for c in self.columns.values())

    @property
    def printed(self) -> list[str]:
        """All columns, from left to right."""
        return [c for head in self.head for c in head.columns]

    @property
    def rules(self) -> list[Identity]:
        return [_identity(name, rule) for name, rule in self.identities.items()]


@cache
def form(name: str) -> Form:
    """A form by the name of its file, e.g. "ii06a"."""
    node = declared(f"forms/{name}.toml")
    return Form(
        name,
        node["id"],
        node["family"],
        node["place"],
        node["valid_from"],
        node.get("valid_to"),
        *(_words(node, key) for key in ("sheet", "number", "act", "title", "counted")),
        tuple(node["by"]),
        node.get("formulas", False),
        node.get("ordinal", "c1"),
        node.get("code", ""),
        node.get("named", "c2"),
        node.get("table", ""),
        tuple(_heads(node["head"])),
        tuple(text_of(n) for n in node.get("note", ())),
        {
            name: Column(
                *(name, text_of(c), c.get("where", ""), c.get("of", ""), tuple(c.get("fill", ())), c.get("rate", "")),
                tuple(c["told"].split(".")) if "told" in c else (),
            )
            for name, c in node["columns"].items()
        },
        node["identities"],
        node["source"],
        node["mark"],
        _words(node, "order") if "order_vi" in node else None,
    )


@cache
def forms() -> tuple[Form, ...]:
    """Every version of every form, in the order in which they are handed in."""
    names = sorted(f.name.removesuffix(".toml") for f in files("pipeline.declare").joinpath("forms").iterdir())
    return tuple(sorted((form(name) for name in names), key=lambda f: (f.place, f.valid_from)))


def forms_on(last_day: date) -> list[Form]:
    """The version of each form that is in force on a period's last day."""
    return [f for f in forms() if f.valid_from <= last_day <= (f.valid_to or date.max)]


def sections_on(last_day: date) -> list[Section]:
    """The rows under which units stand in a period that ends on that day."""
    return [s for s in _sections() if (s.valid_from or date.min) <= last_day <= (s.valid_to or date.max)]


@cache
def _sections() -> tuple[Section, ...]:
    return tuple(
        Section(tuple(n["kinds"]), text_of(n), _words(n, "field"), n.get("valid_from"), n.get("valid_to"))
        for n in declared("sections.toml")["section"]
    )


def _words(node: dict[str, Any], key: str) -> Text:
    return Text(node[f"{key}_vi"], node[f"{key}_en"])


def _heads(nodes: list[dict[str, Any]]) -> Iterator[Head]:
    for node in nodes:
        words = text_of(node)
        field = _words(node, "field") if "field_vi" in node else words
        yield Head(words, field, node.get("column", ""), tuple(_heads(node.get("parts", []))))


def _identity(name: str, rule: str) -> Identity:
    left, sign, *right = re.findall(r"c\d+|>=|=", rule)
    return Identity(name, left, sign, tuple(right))
