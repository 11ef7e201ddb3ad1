"""Sources: the folders of data/raw, and what the source.toml beside their files says of them (DESIGN §5).

Not here: the columns of built-in layouts (layouts.py), looking into files.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from pipeline.declare.faults import line_of, wrong
from pipeline.declare.layouts import KINDS, Layout, built_in, layout_of, values_of, words_of
from pipeline.declare.moments import HOME_ZONE
from pipeline.declare.reported import counts
from pipeline.declare.text import Text
from pipeline.errors import DeclarationError

EXTENTS = ("full", "received_in", "open_at", "delta")

# Day first, always (never month first by inference); ISO is what real Excel date cells become when read as text.
DATE_FORMATS = (
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y%m%d%H%M%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%H:%M:%S %d/%m/%Y",
    "%H:%M %d/%m/%Y",
)
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": KINDS,
    "units": ("declared", "from_file"),
    "procedures": ("declared", "from_file"),
    "extent": EXTENTS,
    "known_at": ("intake", "exported"),
}
RULES: dict[str, tuple[str | bool, ...]] = {"lateness": ("date", "timestamp"), "includes_communes": (True, False)}
TEXTS = ("name", "time_zone", "exported_at", "system", "id", "mark", "unit")
DAYS = ("from", "to")  # the days the files cover, where their titles do not say
TABLES = ("columns", "groups", "values", "rules", "identities")
time_zones = cache(available_timezones)  # it looks through some hundred files, and every source asks


@dataclass(frozen=True)
class Source:
    """A folder of data/raw with what its source.toml says; defaults where it says nothing."""

    key: str
    name: str
    layouts: tuple[Layout, ...] = field(default_factory=built_in)  # those that its files may have
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
    precedence: int = 0  # of a dossier that several sources tell of, the highest makes its history
    unit: str | None = None  # whose files these are, where no column says it
    declared: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)  # column → (file:line, headers)
    includes_communes: bool = False  # its district's figures are those of the counter and the communes together


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
        layouts=_layouts(key, node, where, text),
        values=values_of(node, where, text),
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
        precedence=node.get("precedence", 0),
        unit=node.get("unit"),
        declared={
            column: (where + line_of(text, "columns", column), tuple(words_of(written) or ()))
            for column, written in node.get("columns", {}).items()
        },
        includes_communes=node.get("rules", {}).get("includes_communes", False),
    )


def _layouts(key: str, node: dict[str, Any], where: str, text: str) -> tuple[Layout, ...]:
    """The source's own headers, and for columns that it does not declare those of each built-in layout of its kind;
    without headers of its own the built-in ones (all of them where it does not say its kind)."""
    if "columns" not in node:
        return tuple(known for known in built_in() if known.kind == node.get("kind", known.kind))
    own = layout_of(node, f"source:{key}", where, text)
    return tuple(
        replace(
            own,
            columns=own.columns
            | {h: c for h, c in known.columns.items() if c not in node["columns"] and h not in own.columns},
            values=known.values,
            identities=own.identities or known.identities,
        )
        for known in built_in()
        if known.kind == own.kind
    )


def _check(node: dict[str, Any], where: str, text: str) -> None:
    known = {*CHOICES, *TEXTS, *DAYS, *TABLES, "date_formats", "precedence"}
    for key, value in node.items():
        if key not in known:
            raise wrong(where, text, key, f"{', '.join(sorted(known))}", key)
        if key in CHOICES and value not in CHOICES[key]:
            raise wrong(where, text, key, " | ".join(CHOICES[key]), value)
        if key in DAYS and (not isinstance(value, date) or isinstance(value, datetime)):
            raise wrong(where, text, key, "ngày, không ngoặc kép / a day without quotes: 2023-06-15", value)
        if key in TEXTS and not isinstance(value, str):
            raise wrong(where, text, key, "chữ trong ngoặc kép / a text in quotes", value)
        if key == "precedence" and (not isinstance(value, int) or isinstance(value, bool) or abs(value) > 1000):
            raise wrong(where, text, key, "số nguyên / a whole number: 10", value)
        if key in TABLES and not isinstance(value, dict):
            raise wrong(where, text, key, f"mục [{key}] / a table [{key}]", value)
    if node.get("kind") == "return" and "columns" in node:
        raise wrong(
            where, text, "columns", "biểu do motcua template ghi / returns have the template's columns", "columns"
        )
    for key, value in node.get("rules", {}).items():
        if key not in RULES or value not in RULES[key]:
            raise wrong(
                where,
                text,
                f"rules.{key}",
                "; ".join(f"{k} = {' | '.join(str(v).lower() for v in values)}" for k, values in RULES.items()),
                value,
            )
    if node.get("time_zone", HOME_ZONE) not in time_zones():
        raise wrong(where, text, "time_zone", "Asia/Ho_Chi_Minh, Asia/Vientiane, …", node["time_zone"])
    name = node.get("exported_at", "%d%m%Y")
    if not re.search("%[mbB]", name) or not re.search("%[yY]", name) or "%d" not in name:
        raise wrong(where, text, "exported_at", '"so_%Y-%m-%d.xlsx" (%d, %m, %Y)', name)
    if {"from", "to"} <= node.keys() and node["from"] > node["to"]:
        raise wrong(where, text, "to", f"từ {node['from']} trở đi / {node['from']} or later", node["to"])
    for key, rule in node.get("identities", {}).items():
        if not isinstance(rule, str) or not set(re.findall(r"[a-z_]+", rule)) <= set(counts()) or rule.count("=") != 1:
            raise wrong(where, text, f"identities.{key}", '"total = online + carried_over"', rule)
    formats = node.get("date_formats", [])
    if not isinstance(formats, list) or not all(isinstance(f, str) and "%d" in f and "%Y" in f for f in formats):
        raise wrong(where, text, "date_formats", '["%d/%m/%Y %H:%M:%S", "%d/%m/%Y"]', formats)
