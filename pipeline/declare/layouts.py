"""Layouts: how the columns of an export are called, and what its words mean. Built-in ones, and source.toml.

A source is a folder below data/raw/; its optional source.toml has the same keys as a built-in layout and more
(DESIGN §5). Not here: looking into files.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pipeline.declare.columns import CODED, codes, columns
from pipeline.declare.text import Text, declared, fold
from pipeline.errors import DeclarationError

EXTENTS = ("full", "received_in", "open_at", "delta")
HOME_ZONE = "Asia/Ho_Chi_Minh"
# Day first, always (never month first by inference); ISO is what real Excel date cells become when read as text.
DATE_FORMATS = (
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%H:%M:%S %d/%m/%Y",
    "%H:%M %d/%m/%Y",
)
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": ("register",),
    "units": ("declared", "from_file"),
    "procedures": ("declared", "from_file"),
    "extent": EXTENTS,
    "known_at": ("intake", "exported"),
}
RULES: dict[str, tuple[str, ...]] = {"lateness": ("date", "timestamp")}
TEXTS = ("name", "time_zone", "exported_at", "system", "id", "mark", "from", "to")


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


@dataclass(frozen=True)
class Source:
    """A folder of data/raw with what its source.toml says; defaults where it says nothing."""

    key: str
    name: str
    layout: Layout | None = None  # columns declared by the source itself
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    time_zone: str = HOME_ZONE
    units: str = "declared"
    procedures: str = "declared"
    date_formats: tuple[str, ...] = DATE_FORMATS
    extent: str | None = None  # None: from the file's title, else full
    known_at: str = "intake"
    system: str | None = None  # None: nationally patterned codes are one system, others the source's own
    exported_at: str | None = None  # a strptime pattern over the file name
    lateness: str = "date"


def required_columns() -> tuple[str, ...]:
    return tuple(c.name for c in columns().values() if c.required)


@cache
def built_in() -> tuple[Layout, ...]:
    """The layouts that need no source.toml."""
    found = []
    for path in sorted(files("pipeline.declare").joinpath("layouts").iterdir(), key=lambda p: p.name):
        node = declared(f"layouts/{path.name}")
        found.append(Layout(node["id"], node["name"], _headers(node, path.name), _values(node, path.name)))
    return tuple(found)


def read_source(folder: Path, path: Path | None = None, key: str | None = None) -> Source:
    """The source of a folder (`path`, `key`: a declaration kept elsewhere, and the source's key).

    Raises DeclarationError naming the file, line, key and what may stand there.
    """
    key = key or folder.name
    plain = Source(key, key)
    path = path or folder / "source.toml"
    if not path.exists():
        return plain
    where = f"{key}/source.toml"
    try:
        text = path.read_bytes().decode("utf-8-sig")
        node = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(
            Text("Tệp khai báo nguồn không đọc được.", "The source declaration cannot be read."),
            where=where,
            found=Text(str(error), str(error)),
            todo=Text("Sửa tệp theo cú pháp TOML, mã UTF-8.", "Mend the file: TOML syntax, UTF-8."),
        ) from None
    _check(node, where, text)
    own = _headers(node, where) if "columns" in node else {}
    return replace(
        plain,
        name=node.get("name", key),
        layout=Layout(f"source:{key}", node.get("name", key), own) if own else None,
        values=_values(node, where, text),
        time_zone=node.get("time_zone", HOME_ZONE),
        units=node.get("units", "declared"),
        procedures=node.get("procedures", "declared"),
        date_formats=tuple(node.get("date_formats", DATE_FORMATS)),
        extent=node.get("extent"),
        known_at=node.get("known_at", "intake"),
        system=node.get("system"),
        exported_at=node.get("exported_at"),
        lateness=node.get("rules", {}).get("lateness", "date"),
    )


def _line(text: str, key: str) -> str:
    """Where a key stands in the file, for the error."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*(\[.*\b{re.escape(key)}\b.*\]|{re.escape(key)}\s*=)", line):
            return f":{number}"
    return ""


def _wrong(where: str, text: str, key: str, expected: str, found: object) -> DeclarationError:
    return DeclarationError(
        Text(f"Khai báo “{key}” không dùng được.", f"The declaration of “{key}” cannot be used."),
        where=where + _line(text, key.split(".")[-1]),
        expected=Text(expected, expected),
        found=Text(str(found)[:80], str(found)[:80]),
        todo=Text("Sửa dòng này rồi chạy lại.", "Mend this line and run again."),
    )


def _check(node: dict[str, Any], where: str, text: str) -> None:
    known = {*CHOICES, *TEXTS, "date_formats", "columns", "values", "rules"}
    for key, value in node.items():
        if key not in known:
            raise _wrong(where, text, key, f"{', '.join(sorted(known))}", key)
        if key in CHOICES and value not in CHOICES[key]:
            raise _wrong(where, text, key, " | ".join(CHOICES[key]), value)
        if key in TEXTS and not isinstance(value, str):
            raise _wrong(where, text, key, "chữ trong ngoặc kép / a text in quotes", value)
    for key, value in node.get("rules", {}).items():
        if key not in RULES or value not in RULES[key]:
            raise _wrong(where, text, key, "; ".join(f"{k} = {' | '.join(v)}" for k, v in RULES.items()), value)
    if node.get("time_zone", HOME_ZONE) not in available_timezones():
        raise _wrong(where, text, "time_zone", "Asia/Ho_Chi_Minh, Asia/Vientiane, …", node["time_zone"])
    ZoneInfo(node.get("time_zone", HOME_ZONE))
    formats = node.get("date_formats", [])
    if not isinstance(formats, list) or not all(isinstance(f, str) and "%d" in f and "%Y" in f for f in formats):
        raise _wrong(where, text, "date_formats", '["%d/%m/%Y %H:%M:%S", "%d/%m/%Y"]', formats)


def _headers(node: dict[str, Any], where: str) -> dict[str, str]:
    """[columns] → folded header → canonical column."""
    found: dict[str, str] = {}
    for column, headers in node.get("columns", {}).items():
        if column not in columns():
            raise _wrong(where, "", f"columns.{column}", ", ".join(columns()), column)
        for header in [headers] if isinstance(headers, str) else headers:
            if not isinstance(header, str):
                raise _wrong(where, "", f"columns.{column}", "tên cột như viết trong tệp / the header as written", header)
            if found.setdefault(fold(header), column) != column:
                raise _wrong(where, "", f"columns.{column}", "mỗi tên cột chỉ cho một cột / a header for one column", header)
    return found


def _values(node: dict[str, Any], where: str, text: str = "") -> dict[str, dict[str, str]]:
    """[values.<column>] canonical = [words] → column → folded word → canonical value."""
    found: dict[str, dict[str, str]] = {}
    for column, words in node.get("values", {}).items():
        kind = columns()[column].kind if column in columns() else column
        if kind not in (*CODED, "flag"):
            coded = [c.name for c in columns().values() if c.kind in (*CODED, "flag")]
            raise _wrong(where, text, f"values.{column}", ", ".join(coded), column)
        for value, written in words.items():
            if value not in codes(kind):
                raise _wrong(where, text, f"values.{column}.{value}", ", ".join(codes(kind)), value)
            for word in [written] if isinstance(written, str) else written:
                found.setdefault(column, {})[fold(str(word))] = value
    return found
