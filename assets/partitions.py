"""Quarters as partitions: keys that people know (`2023-Q3`), added when data for them appears."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

from assets import notes
from assets.resources import Work
from pipeline.declare.periods import Period, all_periods, default_scheme, parse_periods
from pipeline.declare.text import Text
from pipeline.errors import WrongUse
from pipeline.measure import answers, summary
from pipeline.warehouse.release import current, open_published

# Dynamic, because the quarters that have data are known only after the files are read.
PERIOD = dg.DynamicPartitionsDefinition(name="period")
QUARTER = dg.AssetKey("quarter")


def tell_quarters(context: dg.AssetExecutionContext, work: Work, anew: bool, but: Sequence[str] = ()) -> None:
    """Adds new quarters' keys, and shows the page the figures published for every quarter.

    anew: also for those of which other figures were published before; else only for those of which the history has
    nothing. but: not for these.
    """
    published = current(work.home)
    if published is None:
        return
    with open_published(work.home) as con:
        keys = summary.quarters(con)
        known = set(context.instance.get_dynamic_partitions("period"))
        if new := [key for key in keys if key not in known]:
            context.instance.add_dynamic_partitions("period", new)
        shown = context.instance.get_materialized_partitions(QUARTER)
        if anew:
            before, now = work.marks_before(), summary.stats_marks(con)
            shown = {key for key in shown if before.get(key) == now.get(key)}
        for key in keys:
            if key not in but and key not in shown:
                rows = answers.stats(con, key)
                metadata = {"bản công bố / release": published.id, "số liệu / figures": notes.headline(rows)}
                context.log_event(dg.AssetMaterialization(QUARTER, partition=key, metadata=metadata))


def quarters_of(words: Iterable[str], known: Sequence[str]) -> list[str]:
    """The quarters of the default scheme in the periods named. Raises WrongUse where none has data."""
    found: list[str] = []
    for one in words:
        keys = [q.key for period in parse_periods(one) for q in _quarters_in(period) if q.key in known]
        if not keys:
            shown = ", ".join(known) or "–"
            raise WrongUse(
                Text(f"“{one[:40]}” chưa có số liệu để chạy lại.", f"“{one[:40]}” has no figures to re-run."),
                expected=Text(f"quý đã có số liệu: {shown}", f"a quarter that has figures: {shown}"),
            )
        found += [key for key in keys if key not in found]
    return found


def _quarters_in(period: Period) -> Iterable[Period]:
    return (q for q in all_periods(period.start, period.end, default_scheme()) if q.kind == "quarter")


def runs_of(keys: Sequence[str], known: Sequence[str]) -> list[tuple[str, str]]:
    """(first, last) of each stretch of keys that stand side by side in the history: a run each."""
    places = sorted(known.index(key) for key in keys)
    firsts = [p for p in places if p - 1 not in places]
    lasts = [p for p in places if p + 1 not in places]
    return [(known[a], known[b]) for a, b in zip(firsts, lasts, strict=True)]
