"""A connection to DuckDB that does something in its own way, and all else as the one within it."""

from __future__ import annotations

from typing import Any


class Connection:
    """con: the one within."""

    def __init__(self, con: Any) -> None:
        self._con = con

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)
