"""What stands in the charts of document and page, in which order and colour.

Not here: drawing them (report/figures.py, report/page/).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pipeline.declare.text import Text, declared, text_of


@dataclass(frozen=True)
class Step:
    """A column of the flow. sign: 1 comes in, -1 leaves, 0 what remains; counts: the measures it is made of; whole: the
    measure that counts all of these together, null where there is none."""

    label: Text
    sign: int
    counts: tuple[str, ...]
    whole: str | None


@dataclass(frozen=True)
class Chart:
    """shows: codes of measures or indicators, in their order. most: units that a picture shows; null: no such bound."""

    name: str
    title: Text
    shows: tuple[str, ...]
    most: int | None


@cache
def flow_steps() -> tuple[Step, ...]:
    return tuple(
        Step(text_of(node), node["sign"], tuple(node["counts"]), node.get("whole"))
        for node in declared("charts.toml")["flow"]["step"]
    )


@cache
def charts() -> dict[str, Chart]:
    """By name: flow, timeliness, processing_days, ranking, trend, rates_over_time."""
    return {
        name: Chart(name, text_of(node), tuple(node.get("counts") or node.get("indicators", ())), node.get("most"))
        for name, node in declared("charts.toml").items()
        if name != "colour"
    }


@cache
def colours() -> dict[str, str]:
    """Measure, indicator or verdict → #rrggbb."""
    return dict(declared("charts.toml")["colour"])
