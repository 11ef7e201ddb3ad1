"""Reason codes of rows that do not count, from reasons.toml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pipeline.declare.columns import columns
from pipeline.declare.reported import label_of
from pipeline.declare.returns import cell_label
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
        label = column_label(column) if column else Text("ô", "a cell")
        told = Text(self.text.vi.format(column=label.vi), self.text.en.format(column=label.en))
        return Text(told.vi[:1].upper() + told.vi[1:], told.en[:1].upper() + told.en[1:])


def column_label(column: str) -> Text:
    """What the column of a fault is called: a canonical column, a reported figure, or a cell of a return."""
    return columns()[column].label if column in columns() else cell_label(column) or label_of(column)


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
