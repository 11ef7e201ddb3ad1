"""Quarters as partitions: keys that people know (`2023-Q3`), added when data for them appears."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from assets import notes
from assets.resources import Work
from pipeline.measure import answers, summary
from pipeline.warehouse.release import current, open_published

# Dynamic, because the quarters that have data are known only after the files are read.
PERIOD = dg.DynamicPartitionsDefinition(name="period")
QUARTER = dg.AssetKey("quarter")


def tell_quarters(context: dg.AssetExecutionContext, work: Work, anew: bool, but: Sequence[str] = ()) -> None:
    """Adds new quarters' keys, and shows the page the figures published for every quarter.

    anew: for all quarters; else only for those of which the history has nothing. but: not for these.
    """
    published = current(work.home)
    if published is None:
        return
    with open_published(work.home) as con:
        keys = summary.quarters(con)
        known = set(context.instance.get_dynamic_partitions("period"))
        if new := [key for key in keys if key not in known]:
            context.instance.add_dynamic_partitions("period", new)
        shown = set() if anew else context.instance.get_materialized_partitions(QUARTER)
        for key in keys:
            if key not in but and key not in shown:
                rows = answers.stats(con, key)
                metadata = {"bản công bố / release": published.id, "số liệu / figures": notes.headline(rows)}
                context.log_event(dg.AssetMaterialization(QUARTER, partition=key, metadata=metadata))
