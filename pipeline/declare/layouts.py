"""Layouts: how the columns of an export are called, and what its words mean.

A built-in layout is a file in layouts/; a source.toml has the same keys (sources.py). Not here: looking into files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from pipeline.declare.columns import CODED, codes, columns
from pipeline.declare.faults import wrong
from pipeline.declare.reported import reported, row_columns
from pipeline.declare.text import Text, declared, fold

BETWEEN = " > "  # between a group's header and those below it
KINDS = ("register", "summary", "return")


@dataclass(frozen=True)
class Layout:
    """Header words and value words of one kind of export; folded for comparison.

    kind: register (a row per dossier) | summary (a row per unit or field). columns: folded header → column (of a
    dossier, or a reported figure); a header below a group's is folded with it: "da giai quyet dung han".
    values: canonical column or kind → folded word → canonical value. identities: name → "a = b + c".
    """

    id: str
    name: str
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    kind: str = "register"
    identities: dict[str, str] = field(default_factory=dict)

    def matches(self, names: list[tuple[str, ...]]) -> dict[str, int]:
        """Column → position of the first header that means it, candidates in the order declared.

        names: for each position what its header may be called, folded: with all groups above it first, alone last.
        The fullest name counts first: "Tổng số" under one group must not stand for that of another.
        """
        places: dict[str, int] = {}
        for depth in range(max(map(len, names), default=0)):
            for i, called in enumerate(names):
                if depth < len(called):
                    places.setdefault(called[depth], i)
        found: dict[str, int] = {}
        taken: set[int] = set()
        for word in sorted(self.columns.keys() & places.keys(), key=self._order.__getitem__):
            column = self.columns[word]
            if column not in found and places[word] not in taken:
                found[column] = places[word]
                taken.add(places[word])
        return found

    @cached_property
    def _order(self) -> dict[str, int]:
        return {word: n for n, word in enumerate(self.columns)}

    @cached_property
    def endings(self) -> frozenset[str]:
        """How headers may end, folded: what stands in one cell of a header is one of these, whatever stands above it."""
        words = [header.split() for header in self.columns]
        return frozenset(" ".join(each[n:]) for each in words for n in range(len(each)))

    def words(self, column: str) -> dict[str, str]:
        """Folded word → canonical value for a coded or flag column: the shared code list, then this layout's own."""
        kind = columns()[column].kind
        known = {fold(w): c.value for c in codes(kind).values() for w in c.words}
        return known | self.values.get(kind, {}) | self.values.get(column, {})


def required_columns() -> tuple[str, ...]:
    return tuple(c.name for c in columns().values() if c.required)


def column_names(kind: str) -> dict[str, Text]:
    """What the columns of a register or a summary may stand for, with their labels."""
    if kind == "register":
        return {name: c.label for name, c in columns().items()}
    return row_columns() | {name: r.label for name, r in reported().items()}


@cache
def built_in() -> tuple[Layout, ...]:
    """The layouts that need no source.toml."""
    found = []
    for path in sorted(files("pipeline.declare").joinpath("layouts").iterdir(), key=lambda p: p.name):
        node = declared(f"layouts/{path.name}")
        found.append(layout_of(node, node["id"], path.name))
    return tuple(found)


def layout_of(node: dict[str, Any], layout_id: str, where: str, text: str = "") -> Layout:
    """The layout that a declaration describes: a built-in one, or a source.toml's own. Raises DeclarationError."""
    kind = node.get("kind", "register")
    return Layout(
        layout_id,
        node.get("name", layout_id),
        headers_of(node, where, text),
        values_of(node, where, text),
        kind,
        dict(node.get("identities", {})),
    )


def words_of(written: object) -> list[str] | None:
    """One text or number, or a list of them; None where it is something else, or nothing that can be compared."""
    listed = written if isinstance(written, list) else [written]
    if not all(isinstance(word, str | int) and not isinstance(word, bool) and fold(str(word)) for word in listed):
        return None
    return [str(word) for word in listed]


def headers_of(node: dict[str, Any], where: str, text: str = "") -> dict[str, str]:
    """[columns] → folded header → canonical column."""
    found: dict[str, str] = {}
    known = column_names(node.get("kind", "register"))
    for column, written in node.get("columns", {}).items():
        if column not in known:
            raise wrong(where, text, f"columns.{column}", ", ".join(known), column)
        headers = words_of(written)
        if headers is None:
            expected = "tên cột như viết trong tệp / the header as written"
            raise wrong(where, text, f"columns.{column}", expected, written)
        for header in _grouped(headers, node, where, text, column):
            if found.setdefault(fold(header), column) != column:
                expected = "mỗi tên cột chỉ cho một cột / a header for one column"
                raise wrong(where, text, f"columns.{column}", expected, header)
    return found


def _grouped(headers: list[str], node: dict[str, Any], where: str, text: str, column: str) -> Iterator[str]:
    """Headers with each group in braces replaced by every way in which [groups] says it is written."""
    groups = node.get("groups", {})
    for header in headers:
        ways = [header]
        for name in re.findall(r"\{(\w+)\}", header):
            if name not in groups or words_of(groups[name]) is None:
                raise wrong(where, text, f"columns.{column}", f'[groups] {name} = ["…"]', header)
            ways = [way.replace(f"{{{name}}}", written) for way in ways for written in words_of(groups[name]) or ()]
        yield from ways


def values_of(node: dict[str, Any], where: str, text: str = "") -> dict[str, dict[str, str]]:
    """[values.<column>] canonical = [words] → column → folded word → canonical value."""
    found: dict[str, dict[str, str]] = {}
    for column, words in node.get("values", {}).items():
        kind = columns()[column].kind if column in columns() else column
        if kind not in (*CODED, "flag"):
            coded = [c.name for c in columns().values() if c.kind in (*CODED, "flag")]
            raise wrong(where, text, f"values.{column}", ", ".join(coded), column)
        if not isinstance(words, dict):
            raise wrong(where, text, f"values.{column}", f"mục [values.{column}] / a table", words)
        for value, written in words.items():
            if value not in codes(kind):
                raise wrong(where, text, f"values.{column}.{value}", ", ".join(codes(kind)), value)
            listed = words_of(written)
            if listed is None:
                expected = "chữ như viết trong tệp / words as written"
                raise wrong(where, text, f"values.{column}.{value}", expected, written)
            for word in listed:
                if found.setdefault(column, {}).setdefault(fold(word), value) != value:
                    expected = "mỗi chữ chỉ cho một giá trị / a word for one value"
                    raise wrong(where, text, f"values.{column}.{value}", expected, word)
    return found
