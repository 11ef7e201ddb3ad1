"""Vietnamese syllables, from syllables.toml: whether a word can be one. Not here: what the word means."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

from pipeline.declare.text import declared

GRAVE, ACUTE, TILDE, HOOK, DOT = "\u0300\u0301\u0303\u0309\u0323"
TONES = GRAVE + ACUTE + TILDE + HOOK + DOT
FRONT = tuple("eêiy")


@cache
def _parts() -> tuple[frozenset[str], tuple[str, ...]]:
    """All syllables without their tones, and the ends that carry two tones only."""
    node = declared("syllables.toml")
    front, back = set(node["before_front"].split()), set(node["before_back"].split())
    found = set(node["rimes"].split())
    for onset in node["onsets"].split():
        for rime in node["rimes"].split():
            if (onset in front and not rime.startswith(FRONT)) or (onset in back and rime.startswith(FRONT)):
                continue
            found.add(onset + rime)
    # "gi" and "qu" share their vowel with the rime: gì, gìn, quý; g before ia, in stands for gi
    found |= {"g" + rime for rime in node["rimes"].split() if rime.startswith("i")}
    return frozenset(found), tuple(node["stopped"].split())


@lru_cache(maxsize=65_536)
def is_syllable(word: str) -> bool:
    """Whether a word can be a Vietnamese syllable; either way of placing the tone will do (hòa, hoà)."""
    apart = unicodedata.normalize("NFD", word.lower())
    tones = [c for c in apart if c in TONES]
    if len(tones) > 1:
        return False
    syllables, stopped = _parts()
    plain = unicodedata.normalize("NFC", "".join(c for c in apart if c not in TONES))
    if plain not in syllables:
        return False
    return not plain.endswith(stopped) or not tones or tones[0] in (ACUTE, DOT)
