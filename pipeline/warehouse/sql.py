"""SQL of this package's rooms: one statement per file, loaded by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statement(room: str, name: str) -> str:
    """The text of pipeline/<room>/sql/<name>.sql."""
    return files(f"pipeline.{room}").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
