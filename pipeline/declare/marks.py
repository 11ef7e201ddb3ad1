"""How sure a definition or its source is, in both languages."""

from __future__ import annotations

from pipeline.declare.text import Text, declared


def mark_of(mark: str) -> Text:
    """The mark of a declaration in words. Raises KeyError where it has no Vietnamese ones."""
    return Text(declared("marks.toml")[mark], mark)
