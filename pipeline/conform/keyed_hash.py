"""HMAC-SHA256 in SQL: the keyed hash under which a dossier is known outside the restricted store.

RFC 2104 over DuckDB's sha256, so that millions are hashed in the engine; a test compares it with Python's hmac.
"""

from __future__ import annotations

import hashlib
import hmac

BLOCK = 64
HEX_DIGITS = 32  # 128 bits: no two of a billion dossiers collide


def hash_sql(text_sql: str, key: bytes) -> str:
    """SQL for the first 128 bits, in hex, of HMAC-SHA256(key, text as UTF-8). The key must be 64 bytes at most."""
    if len(key) > BLOCK:
        raise ValueError("key longer than a block")
    padded = key.ljust(BLOCK, b"\0")
    inner, outer = (_blob(bytes(b ^ pad for b in padded)) for pad in (0x36, 0x5C))
    return f"left(sha256({outer} || unhex(sha256({inner} || encode({text_sql})))), {HEX_DIGITS})"


def hash_of(text: str, key: bytes) -> str:
    """The same of one text, for the few that Python has in hand."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:HEX_DIGITS]


def _blob(data: bytes) -> str:
    return "'" + "".join(f"\\x{b:02X}" for b in data) + "'::BLOB"
