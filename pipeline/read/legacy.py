"""TCVN3 (ABC, fonts .Vn…) and VNI (fonts VNI-…): old ways of writing Vietnamese with the 256 characters of a font.

Read as Latin-1 such text looks like "Hµ Néi" or "Haø Noäi". The tables below turn it into Unicode; whether a text is
such text is judged by its words: read rightly they are Vietnamese syllables. Not here: bytes and files (encodings.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain

import polars as pl

from pipeline.declare.syllables import is_syllable
from pipeline.read import grids

# TCVN3 has no capitals with tones: fonts whose name ends in H show small letters as capitals.
TCVN3 = str.maketrans(
    "¡¢£¤¥¦§¨©ª«¬\u00ad®µ¶·¸¹»¼½¾ÆÇÈÉÊËÌÎÏÐÑÒÓÔÕÖ×ØÜÝÞßáâãäåæçèéêëìíîïñòóôõö÷øùúûüýþ",
    "ĂÂÊÔƠƯĐăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
)
# VNI writes a letter and then its marks; ô and ö as bases stand for ơ and ư, and i carries its tones in one character.
VNI_ALONE = dict(zip("ñÑôÔöÖîÎíÍìÌæÆóÓòÒ", "đĐơƠưƯỵỴíÍìÌỉỈĩĨịỊ", strict=True))


def _vni_pairs() -> dict[str, str]:
    tones = "\u0301\u0300\u0309\u0303\u0323"  # sắc huyền hỏi ngã nặng
    hat, breve = "\u0302", "\u0306"
    found: dict[str, str] = {}
    for base, letter in zip("aeouyôö", "aeouyơư", strict=True):
        found |= {base + mark: letter + tone for mark, tone in zip("ùøûõï", tones, strict=True)}
        if base in "aeo":
            found[base + "â"] = letter + hat
            found |= {base + mark: letter + hat + tone for mark, tone in zip("áàåãä", tones, strict=True)}
    found["aê"] = "a" + breve
    found |= {"a" + mark: "a" + breve + tone for mark, tone in zip("éèúüë", tones, strict=True)}
    # capitals: both characters capital, or the letter alone
    found |= {b.upper() + m: t[0].upper() + t[1:] for (b, m), t in list(found.items())} | {
        pair.upper(): t[0].upper() + t[1:] for pair, t in found.items()
    }
    return {pair: unicodedata.normalize("NFC", letter) for pair, letter in (found | VNI_ALONE).items()}


VNI = _vni_pairs()
VNI_PIECES = re.compile("|".join(sorted(map(re.escape, VNI), key=len, reverse=True)))


def from_tcvn3(text: str) -> str:
    return text.translate(TCVN3)


def from_vni(text: str) -> str:
    return VNI_PIECES.sub(lambda piece: VNI[piece[0]], text)


LEGACY: dict[str, Callable[[str], str]] = {"tcvn3": from_tcvn3, "vni": from_vni}
NEUTRAL = "\u2010-\u2026"  # dashes and quotation marks that Excel puts in by itself
OUTSIDE = re.compile(f"[^\u0000-\u00ff{NEUTRAL}]")
WORD = re.compile(r"[A-Za-z\u00a1-\U0010ffff]+")
SAMPLE = 2_000  # texts that are looked at before a decision


def words_to_judge(texts: Iterable[str]) -> list[str]:
    """Words with a character beyond ASCII; single characters tell nothing ("3 × 4")."""
    found = (word for text in texts for word in WORD.findall(text) if not word.isascii())
    return [word for word in dict.fromkeys(found) if len(word) > 1]


def likeness(words: list[str]) -> float:
    """The share of words that can be Vietnamese syllables; 0 without words."""
    return sum(map(is_syllable, map(_bare, words))) / len(words) if words else 0.0


def _bare(word: str) -> str:
    return word.strip("“”‘’–—…")


def legacy_of(texts: Iterable[str]) -> str | None:
    """The old encoding that a column or text is written in, if its words are clearly better read so."""
    return _code_of(_words_inside(texts))


def _words_inside(texts: Iterable[str]) -> list[str]:
    """The words to judge of those texts that can be in an old encoding."""
    return words_to_judge(text for text in texts if not OUTSIDE.search(text))


def _code_of(words: list[str]) -> str | None:
    asis = likeness(words)
    judged = {code: likeness([turn(word) for word in words]) for code, turn in LEGACY.items()}
    best = max(judged, key=lambda code: judged[code])
    return best if judged[best] >= 0.75 and judged[best] >= asis + 0.4 else None


@lru_cache(maxsize=65_536)
def _cell(text: str, code: str, ties: bool) -> str:
    """One cell of a column in an old encoding; as it is where its own words are better read as they are."""
    if OUTSIDE.search(text):
        return text
    turned = unicodedata.normalize("NFC", LEGACY[code](text))
    words = words_to_judge([text])
    asis, better = likeness(words), likeness([LEGACY[code](word) for word in words])
    return turned if better > asis or (ties and better == asis) else text


def _latin(cells: pl.Series) -> pl.Series:
    """Whether a text has letters beyond ASCII and none beyond Latin-1."""
    return cells.str.contains("[\u00a1-\u00ff]") & ~cells.str.contains(OUTSIDE.pattern)


def mend_frame(frame: pl.DataFrame) -> tuple[pl.DataFrame, str | None]:
    """A held table with its columns in old encodings turned into Unicode, and the encoding found (null: none).

    A text is touched only where it has no character beyond Latin-1 and its words are no Vietnamese as they stand.
    """
    # in one go, so that columns are looked through side by side; each distinct text once
    high = pl.all().filter(pl.all().str.len_bytes() != pl.all().str.len_chars()).unique(maintain_order=True)
    found = frame.lazy().select(high.implode()).collect()
    texts = {c: cells.filter(_latin(cells)).to_list() for c in frame.columns if (cells := found[c].item()).len()}
    columns = [c for c in texts if texts[c]]
    if not columns:
        return frame, None
    words = {column: _words_inside(texts[column][:SAMPLE]) for column in columns}
    whole = _code_of(list(dict.fromkeys(chain.from_iterable(words.values()))))
    mended: list[pl.Series] = []
    codes: list[str] = []
    for column in columns:
        if not (code := _code_of(words[column]) or whole):
            continue
        # a column that holds proper Vietnamese too keeps what could be either
        ties = not frame[column].str.contains(OUTSIDE.pattern).any()
        changed = {old: new for old in texts[column] if (new := _cell(old, code, ties)) != old}
        if changed:
            mended.append(frame[column].replace(list(changed), list(changed.values())))
            codes.append(code)
    return frame.with_columns(mended), (codes[0] if codes else None)


def mended(opened: list[tuple[str | None, pl.DataFrame, bool]]) -> tuple[list[grids.Grid], str | None]:
    """Held tables (sheet, cells, hidden) → their grids, old encodings turned into Unicode; and the encoding found."""
    found: list[grids.Grid] = []
    encoding: str | None = None
    for sheet, frame, hidden in opened:
        whole, code = mend_frame(frame)
        encoding = encoding or code
        found.append(grids.grid_of(whole, sheet, hidden=hidden))
    return found, encoding
