"""Words for people in two languages, and the folding that lets words be compared as people read them.

Not here: parsing of values (conform/) or formatting of numbers (report/display.py).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("vi", "en")


@dataclass(frozen=True)
class Text:
    """One meaning in Vietnamese and English. `text["vi"]`, `text["en"]`."""

    vi: str
    en: str

    def __getitem__(self, lang: str) -> str:
        return self.en if lang == "en" else self.vi

    def __str__(self) -> str:
        return f"{self.vi} / {self.en}"


def text_of(node: dict[str, Any]) -> Text:
    return Text(str(node["vi"]), str(node["en"]))


@lru_cache(maxsize=65_536)  # bounded: a file may hold a different text in every cell
def fold(words: str) -> str:
    """Lower case, no accents, no punctuation, single spaces: "Mã  Hồ-sơ" and its NFD form give "ma ho so".

    Letters and digits of every script stay: what folds to a known word must not hide anything else.
    """
    plain = unicodedata.normalize("NFD", words.casefold().replace("đ", "d"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain))


def shape(value: str, longest: int = 24) -> str:
    """The shape of a value that must not be shown itself: letters as A/a, digits as 9, the rest as it is."""
    kinds = ((c, unicodedata.category(c)) for c in value[:longest])
    masked = "".join(
        "9" if kind[0] == "N" else "A" if kind == "Lu" else "a" if kind[0] in "LM" else c for c, kind in kinds
    )
    return masked + ("…" if len(value) > longest else "")


@cache
def declared(name: str) -> dict[str, Any]:
    """The content of a declaration file of this package, by name."""
    return tomllib.loads(declared_bytes(name).decode("utf-8"))


def declared_bytes(name: str) -> bytes:
    return files("pipeline.declare").joinpath(name).read_bytes()
