"""The report's section I.3 as declared: parts in order, the words of its sentences, tables. Shapes: report_section.toml,
report_sentences.toml.

Not here: filling the words with figures (report/section/).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.declare.text import Text, declared, text_of


@dataclass(frozen=True)
class Chosen:
    """Which units a sentence is about: all of what is given must hold. no: a count that is 0. none: it is said just
    where there is no such unit; many, few: where there are more than `longest_list`, or not."""

    verdict: tuple[str, ...] = ()
    coverage: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    no: str | None = None
    none: bool = False
    many: bool = False
    few: bool = False


@dataclass(frozen=True)
class Said:
    """A sentence: its words with placeholders, when it is said, and the units it lists, each in the words of `item`."""

    id: str
    words: Text
    when: tuple[str, ...]
    units: Chosen | None
    item: Text


@dataclass(frozen=True)
class Block:
    """A paragraph of sentences, a table or a picture, in this order of which is given. each: whole | levels."""

    say: tuple[str, ...]
    each: str
    style: str
    table: str | None
    picture: str | None
    when: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """A numbered heading (none: it goes on without one) and its blocks, told for each indicator of `of`, or against each
    of the other periods of `against`."""

    id: str
    heading: Text | None
    when: tuple[str, ...]
    of: tuple[str, ...]
    against: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Column:
    """width: mm. group: the heading above it and its neighbours. some: left out where it is 0 throughout. beside:
    left out where that figure is known of no row. blank: what is not known is nothing, not a dash."""

    figure: str
    head: Text
    width: int
    group: Text | None
    some: bool
    beside: str
    blank: bool


@dataclass(frozen=True)
class Grid:
    """A table. rows: levels | units | rated | missed (with columns), or figures (of the whole, by period)."""

    id: str
    rows: str
    caption: Text
    columns: tuple[Column, ...]
    figures: tuple[str, ...]


def _plan() -> dict[str, Any]:
    return declared("report_section.toml")


def number() -> str:
    return str(_plan()["number"])


def title() -> Text:
    return text_of(_plan())


def subtitle() -> Text:
    return Text(_plan()["sub_vi"], _plan()["sub_en"])


def foot() -> Text:
    """The line about the release."""
    return text_of(_plan()["foot"])


def longest_list() -> int:
    """How many units a sentence tells by name at most."""
    return int(_plan()["longest_list"])


def most_levels() -> int:
    """How many sums are told in a paragraph each at most."""
    return int(_plan()["most_levels"])


def word(name: str) -> Text:
    return text_of(_plan()["word"][name])


def noun(indicator: str) -> Text | None:
    """What the dossiers of a rate are, in a sentence; None where the section tells none."""
    node = _plan()["noun"].get(indicator)
    return text_of(node) if node else None


@cache
def parts() -> tuple[Part, ...]:
    return tuple(
        Part(
            node["id"],
            text_of(node) if "vi" in node else None,
            *(tuple(node.get(key, ())) for key in ("when", "of", "against")),
            tuple(_block(block) for block in node["blocks"]),
        )
        for node in _plan()["part"]
    )


def _block(node: dict[str, Any]) -> Block:
    return Block(
        say=tuple(node.get("say", ())),
        each=node.get("each", "whole"),
        style=node.get("style", "body"),
        table=node.get("table"),
        picture=node.get("picture"),
        when=tuple(node.get("when", ())),
    )


@cache
def sentences() -> dict[str, Said]:
    """Sentences by id."""
    return {
        key: Said(
            key,
            text_of(node),
            tuple(node.get("when", ())),
            _chosen(node) if "units" in node else None,
            text_of(_plan()["item"][node.get("item", "name")]),
        )
        for key, node in declared("report_sentences.toml").items()
    }


def _chosen(node: dict[str, Any]) -> Chosen:
    which = node["units"]
    return Chosen(
        verdict=tuple(which.get("verdict", ())),
        coverage=tuple(which.get("coverage", ())),
        basis=tuple(which.get("basis", ())),
        no=which.get("no"),
        none=node.get("none", False),
        many=node.get("many", False),
        few=node.get("few", False),
    )


@cache
def placeholders() -> dict[str, Text]:
    """What a Word template may hold: name → what it stands for. `cau_…` is a sentence: its words are told."""
    told = {name: text_of(node) for name, node in _plan()["placeholder"].items()}
    for name, key in sentence_names().items():
        told[name] = sentences()[key.rpartition(".")[2]].words
    return told


@cache
def sentence_names() -> dict[str, str]:
    """Name of a sentence in a template → its id: part, indicator or other period, sentence."""
    found = {}
    for part in parts():
        for middle in (part.of or part.against) or ("",):
            for said in (said for block in part.blocks for said in block.say):
                key = ".".join(filter(None, (part.id, middle, said)))
                found[f"cau_{key.replace('.', '_')}"] = key
    return found


@cache
def pictures() -> frozenset[str]:
    """The pictures that have a place of their own."""
    return frozenset(
        block.picture.format(it=of)
        for part in parts()
        for block in part.blocks
        if block.picture
        for of in part.of or ("",)
    )


@cache
def grids() -> dict[str, Grid]:
    """Tables by id."""
    plan = _plan()
    return {
        key: Grid(
            key,
            node["rows"],
            text_of(node),
            tuple(
                Column(
                    c["figure"],
                    text_of(c),
                    c["width"],
                    text_of(plan["group"][c["group"]]) if "group" in c else None,
                    c.get("some", False),
                    c.get("beside", c["figure"]),
                    c.get("blank", False),
                )
                for c in plan["columns"].get(node.get("columns", ""), ())
            ),
            tuple(node.get("figures", ())),
        )
        for key, node in plan["table"].items()
    }
