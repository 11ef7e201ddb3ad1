"""Layouts: how the columns of an export are called, and what its words mean. Built-in ones, and source.toml.

A source is a folder below data/raw/; its optional source.toml has the same keys as a built-in layout and more
(DESIGN §5). Not here: looking into files.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

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
    "%Y-%m-%dT%H:%M:%S.%f",
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
TEXTS = ("name", "time_zone", "exported_at", "system", "id", "mark")
DAYS = ("from", "to")  # the days the files cover, where their titles do not say
TABLES = ("columns", "values", "rules")


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
    layouts: tuple[Layout, ...] = ()  # the source's own headers over the built-in ones; empty: built-in
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
    first_day: date | None = None
    last_day: date | None = None


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
        line = re.search(r"at line (\d+)", str(error))
        raise DeclarationError(
            Text("Tệp khai báo nguồn không đọc được.", "The source declaration cannot be read."),
            where=where + (f":{line[1]}" if line else ""),
            found=Text(str(error), str(error)),
            todo=Text("Sửa tệp theo cú pháp TOML, mã UTF-8.", "Mend the file: TOML syntax, UTF-8."),
        ) from None
    _check(node, where, text)
    return replace(
        plain,
        name=node.get("name", key),
        layouts=_over_built_in(key, node, where, text),
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
        first_day=node.get("from"),
        last_day=node.get("to"),
    )


def _over_built_in(key: str, node: dict[str, Any], where: str, text: str) -> tuple[Layout, ...]:
    """The source's own headers; for columns that it does not declare, those of each built-in layout."""
    if "columns" not in node:
        return ()
    own = _headers(node, where, text)
    return tuple(
        Layout(
            f"source:{key}",
            node.get("name", key),
            own | {h: c for h, c in known.columns.items() if c not in node["columns"] and h not in own},
            known.values,
        )
        for known in built_in()
    )


def _line(text: str, *keys: str) -> str:
    """Where a key stands in the file, for the error: as a key or table heading, below those that hold it."""
    lines = text.splitlines()
    at = 0
    for key in keys:
        word = rf"(?<![\w-]){re.escape(key)}(?![\w-])"
        for form in (rf"\s*(?:\[[^\]]*{word}[^\]]*\]|[\"']?{word}[\"']?\s*=)", rf".*{word}"):
            found = next((n for n, line in enumerate(lines[at:], at) if re.match(form, line)), None)
            if found is not None:
                at = found
                break
        else:
            return ""
    return f":{at + 1}"


def _wrong(where: str, text: str, key: str, expected: str, found: object) -> DeclarationError:
    """`key` as a path: values.channel.online."""
    return DeclarationError(
        Text(f"Khai báo “{key}” không dùng được.", f"The declaration of “{key}” cannot be used."),
        where=where + _line(text, *key.split(".")),
        expected=Text(expected, expected),
        found=Text(str(found)[:80], str(found)[:80]),
        todo=Text("Sửa dòng này rồi chạy lại.", "Mend this line and run again."),
    )


def _check(node: dict[str, Any], where: str, text: str) -> None:
    known = {*CHOICES, *TEXTS, *DAYS, *TABLES, "date_formats"}
    for key, value in node.items():
        if key not in known:
            raise _wrong(where, text, key, f"{', '.join(sorted(known))}", key)
        if key in CHOICES and value not in CHOICES[key]:
            raise _wrong(where, text, key, " | ".join(CHOICES[key]), value)
        if key in DAYS and (not isinstance(value, date) or isinstance(value, datetime)):
            raise _wrong(where, text, key, "ngày, không ngoặc kép / a day without quotes: 2023-06-15", value)
        if key in TEXTS and not isinstance(value, str):
            raise _wrong(where, text, key, "chữ trong ngoặc kép / a text in quotes", value)
        if key in TABLES and not isinstance(value, dict):
            raise _wrong(where, text, key, f"mục [{key}] / a table [{key}]", value)
    for key, value in node.get("rules", {}).items():
        if key not in RULES or value not in RULES[key]:
            raise _wrong(
                where,
                text,
                f"rules.{key}",
                "; ".join(f"{k} = {' | '.join(v)}" for k, v in RULES.items()),
                value,
            )
    if node.get("time_zone", HOME_ZONE) not in available_timezones():
        raise _wrong(where, text, "time_zone", "Asia/Ho_Chi_Minh, Asia/Vientiane, …", node["time_zone"])
    name = node.get("exported_at", "%d%m%Y")
    if not re.search("%[mbB]", name) or not re.search("%[yY]", name) or "%d" not in name:
        raise _wrong(where, text, "exported_at", '"so_%Y-%m-%d.xlsx" (%d, %m, %Y)', name)
    if {"from", "to"} <= node.keys() and node["from"] > node["to"]:
        raise _wrong(where, text, "to", f"từ {node['from']} trở đi / {node['from']} or later", node["to"])
    formats = node.get("date_formats", [])
    if not isinstance(formats, list) or not all(isinstance(f, str) and "%d" in f and "%Y" in f for f in formats):
        raise _wrong(where, text, "date_formats", '["%d/%m/%Y %H:%M:%S", "%d/%m/%Y"]', formats)


def _words(written: object) -> list[str] | None:
    """One text or number, or a list of them; None where it is something else, or nothing that can be compared."""
    listed = written if isinstance(written, list) else [written]
    if not all(isinstance(word, str | int) and not isinstance(word, bool) and fold(str(word)) for word in listed):
        return None
    return [str(word) for word in listed]


def _headers(node: dict[str, Any], where: str, text: str = "") -> dict[str, str]:
    """[columns] → folded header → canonical column."""
    found: dict[str, str] = {}
    for column, written in node.get("columns", {}).items():
        if column not in columns():
            raise _wrong(where, text, f"columns.{column}", ", ".join(columns()), column)
        headers = _words(written)
        if headers is None:
            expected = "tên cột như viết trong tệp / the header as written"
            raise _wrong(where, text, f"columns.{column}", expected, written)
        for header in headers:
            if found.setdefault(fold(header), column) != column:
                expected = "mỗi tên cột chỉ cho một cột / a header for one column"
                raise _wrong(where, text, f"columns.{column}", expected, header)
    return found


def _values(node: dict[str, Any], where: str, text: str = "") -> dict[str, dict[str, str]]:
    """[values.<column>] canonical = [words] → column → folded word → canonical value."""
    found: dict[str, dict[str, str]] = {}
    for column, words in node.get("values", {}).items():
        kind = columns()[column].kind if column in columns() else column
        if kind not in (*CODED, "flag"):
            coded = [c.name for c in columns().values() if c.kind in (*CODED, "flag")]
            raise _wrong(where, text, f"values.{column}", ", ".join(coded), column)
        if not isinstance(words, dict):
            raise _wrong(where, text, f"values.{column}", f"mục [values.{column}] / a table", words)
        for value, written in words.items():
            if value not in codes(kind):
                raise _wrong(where, text, f"values.{column}.{value}", ", ".join(codes(kind)), value)
            listed = _words(written)
            if listed is None:
                expected = "chữ như viết trong tệp / words as written"
                raise _wrong(where, text, f"values.{column}.{value}", expected, written)
            for word in listed:
                if found.setdefault(column, {}).setdefault(fold(word), value) != value:
                    expected = "mỗi chữ chỉ cho một giá trị / a word for one value"
                    raise _wrong(where, text, f"values.{column}.{value}", expected, word)
    return found
