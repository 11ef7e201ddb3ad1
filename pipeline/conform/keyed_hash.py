"""HMAC-SHA256: the keyed hash under which a dossier is known outside the restricted store.

Of many texts at once by a library of Polars, which takes a key that is text, as `record.key` makes it since 0.6; one of an
earlier record is bytes, and its texts are hashed one by one in Python: the same hash, at five times the cost.
"""

from __future__ import annotations

import hashlib
import hmac

import polars as pl
import polars_hash as plh

HEX_DIGITS = 32  # 128 bits: no two of a billion dossiers collide


def hashes_of(texts: pl.Series, key: bytes) -> pl.Series:
    """The first 128 bits, in hex, of HMAC-SHA256(key, text as UTF-8) of each text; null of null."""
    try:
        as_text = key.decode()
    except UnicodeDecodeError:
        found = [None if text is None else hash_of(text, key) for text in texts]
        return pl.Series(texts.name, found, dtype=pl.String)
    hashed = plh.col(texts.name).chash.hmac_sha256(key=as_text)
    return texts.to_frame().select(hashed.str.head(HEX_DIGITS)).to_series()


def hash_of(text: str, key: bytes) -> str:
    """The same of one text."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:HEX_DIGITS]
