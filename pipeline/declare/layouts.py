"""Layouts: how the columns of an export are called, and what its words mean.

A built-in layout is a file in layouts/; a source.toml has the same keys (sources.py). Not here: looking into files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.declare.columns import CODED, codes, columns
from pipeline.declare.faults import wrong
from pipeline.declare.text import declared, fold


@dataclass(frozen=True)
class Layout:
    """Header words and value words of one kind of export; folded for comparison.

    columns: folded header → canonical column. values: canonical column or kind → folded word → canonical value.
    """

    id: str
    name: str
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)

    def matches(self, headers: list[str]) -> dict[str, int]:
        """Canonical column → position of the first header that means it, candidates in the order declared."""
        places: dict[str, int] = {}
        for i, header in enumerate(headers):
            places.setdefault(fold(header), i)
        found: dict[str, int] = {}
        for word, column in self.columns.items():
            if word in places and column not in found:
                found[column] = places[word]
        return found

    def words(self, column: str) -> dict[str, str]:
        """Folded word → canonical value for a coded or flag column: the shared code list, then this layout's own."""
        kind = columns()[column].kind
        known = {fold(w): c.value for c in codes(kind).values() for w in c.words}
        return known | self.values.get(kind, {}) | self.values.get(column, {})


def required_columns() -> tuple[str, ...]:
    return tuple(c.name for c in columns().values() if c.required)


@cache
def built_in() -> tuple[Layout, ...]:
    """The layouts that need no source.toml."""
    found = []
    for path in sorted(files("pipeline.declare").joinpath("layouts").iterdir(), key=lambda p: p.name):
        node = declared(f"layouts/{path.name}")
        found.append(Layout(node["id"], node["name"], headers_of(node, path.name), values_of(node, path.name)))
    return tuple(found)


def _words(written: object) -> list[str] | None:
    """One text or number, or a list of them; None where it is something else, or nothing that can be compared."""
    listed = written if isinstance(written, list) else [written]
    if not all(isinstance(word, str | int) and not isinstance(word, bool) and fold(str(word)) for word in listed):
        return None
    return [str(word) for word in listed]


def headers_of(node: dict[str, Any], where: str, text: str = "") -> dict[str, str]:
    """[columns] → folded header → canonical column."""
    found: dict[str, str] = {}
    for column, written in node.get("columns", {}).items():
        if column not in columns():
            raise wrong(where, text, f"columns.{column}", ", ".join(columns()), column)
        headers = _words(written)
        if headers is None:
            expected = "tên cột như viết trong tệp / the header as written"
            raise wrong(where, text, f"columns.{column}", expected, written)
        for header in headers:
            if found.setdefault(fold(header), column) != column:
                expected = "mỗi tên cột chỉ cho một cột / a header for one column"
                raise wrong(where, text, f"columns.{column}", expected, header)
    return found


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
            listed = _words(written)
            if listed is None:
                expected = "chữ như viết trong tệp / words as written"
                raise wrong(where, text, f"values.{column}.{value}", expected, written)
            for word in listed:
                if found.setdefault(column, {}).setdefault(fold(word), value) != value:
                    expected = "mỗi chữ chỉ cho một giá trị / a word for one value"
                    raise wrong(where, text, f"values.{column}.{value}", expected, word)
    return found
