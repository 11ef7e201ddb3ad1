"""How sure a definition or its source is, in both languages."""

from __future__ import annotations

from pipeline.declare.text import Text, declared


def mark_of(mark: str) -> Text:
    """The mark of a declaration in words; as it stands where it has none in Vietnamese (a release of older declarations)."""
    return Text(declared("marks.toml").get(mark, mark), mark)
