"""Reason codes of rows that do not count, from reasons.toml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pipeline.declare.columns import columns
from pipeline.declare.reported import label_of
from pipeline.declare.text import Text, declared, text_of


@dataclass(frozen=True)
class Reason:
    """verdict: rejected, excluded or notice. `todo` is None where nothing needs to be done."""

    code: str
    verdict: str
    text: Text
    todo: Text | None

    def about(self, column: str | None) -> Text:
        """The reason in words, with the column's label."""
        label = (
            Text("ô", "a cell") if not column else columns()[column].label if column in columns() else label_of(column)
        )
        told = Text(self.text.vi.format(column=label.vi), self.text.en.format(column=label.en))
        return Text(told.vi[:1].upper() + told.vi[1:], told.en[:1].upper() + told.en[1:])


@cache
def reasons() -> dict[str, Reason]:
    return {
        code: Reason(
            code,
            node["verdict"],
            text_of(node),
            Text(node["todo_vi"], node["todo_en"]) if "todo_vi" in node else None,
        )
        for code, node in declared("reasons.toml").items()
    }
