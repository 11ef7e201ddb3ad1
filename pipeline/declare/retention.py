"""What is kept and for how long: retention.toml, and what an office says in data/raw/retention.toml instead.

    releases = 30                  # how many of the newest stay
    versions_days = 90             # rows as earlier declarations read them
    raw_files_days = 1825          # or "forever"
    dossier_codes_days = 365
    unit_names_days = "forever"
    reason = "Quyết định 12/QĐ-UBND ngày 05/01/2026"

Not here: removing anything (warehouse/keeping.py).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.declare.faults import wrong
from pipeline.declare.text import Text, declared, text_of
from pipeline.errors import DeclarationError

FILE = "retention.toml"
FOREVER = "forever"
RULES = ("releases", "versions_days", "raw_files_days", "dossier_codes_days", "unit_names_days")
MOST = 100_000
LONGEST_REASON = 300


@dataclass(frozen=True)
class Retention:
    """releases: how many stay. The others: days, None = forever. reason: the office's own words, null: it gave none.
    by_office: the rules that the office's file decides."""

    releases: int
    versions_days: int | None
    raw_files_days: int | None
    dossier_codes_days: int | None
    unit_names_days: int | None
    reason: str | None = None
    by_office: frozenset[str] = field(default_factory=frozenset)

    @staticmethod
    def label(rule: str) -> Text:
        return text_of(declared(FILE)[rule])


@cache
def by_default() -> Retention:
    """What holds where an office says nothing."""
    return Retention(**{rule: _days(declared(FILE)[rule]["value"]) for rule in RULES})


def law() -> list[tuple[Text, str]]:
    """The law behind it, each text with its mark: C confirmed, I inferred, M from memory."""
    return [(text_of(node), node["mark"]) for node in declared(FILE)["law"].values()]


def read_retention(path: Path) -> Retention:
    """The defaults with what the file at `path` says instead; the defaults alone where there is none.

    Raises DeclarationError naming the file, line, key and what may stand there.
    """
    usual = by_default()
    if not path.exists():
        return usual
    try:
        text = path.read_bytes().decode("utf-8-sig")
        node = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        line = re.search(r"at line (\d+)", str(error)) or re.search(r"\bend of (document)", str(error))
        told = type(error).__name__ if isinstance(error, OSError) else str(error)
        raise DeclarationError(
            Text(
                "Quy định lưu giữ không đọc được; không xóa gì.",
                "The retention rules cannot be read; nothing is removed.",
            ),
            where=FILE + (f":{_line(line[1], path)}" if line else ""),
            found=Text(told, told),
            todo=Text("Sửa tệp theo cú pháp TOML, mã UTF-8.", "Mend the file: TOML syntax, UTF-8."),
        ) from None
    for key, value in node.items():
        _check(key, value, text)
    said = {rule: _days(node[rule]) for rule in RULES if rule in node}
    kept = {rule: getattr(usual, rule) for rule in RULES} | said
    return Retention(**kept, reason=" ".join(node.get("reason", "").split()) or None, by_office=frozenset(said))


def _line(told: str, path: Path) -> str:
    return told if told.isdigit() else str(max(1, path.read_bytes().rstrip(b"\r\n").count(b"\n") + 1))


def _days(value: int | str) -> Any:
    return None if value == FOREVER else value


def _check(key: str, value: object, text: str) -> None:
    if key == "reason":
        if not isinstance(value, str) or len(value) > LONGEST_REASON:
            raise wrong(FILE, text, key, f"chữ trong ngoặc kép / a text in quotes (<= {LONGEST_REASON})", value)
        return
    if key not in RULES:
        raise wrong(FILE, text, key, ", ".join((*RULES, "reason")), key)
    if key != "releases" and value == FOREVER:
        return
    least = declared(FILE)[key]["least"]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST:
        forever = "" if key == "releases" else f' | "{FOREVER}"'
        raise wrong(FILE, text, key, f"số nguyên / a whole number: {least}–{MOST}{forever}", value)
