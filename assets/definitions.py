"""All that Dagster loads. The command line runs `build_defs` too, so that every run is the same job."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from assets.checks import freshness_check
from assets.jobs import NIGHT, RERUN
from assets.night import dossier_versions, quarter, release, warehouse
from assets.outputs import outputs
from assets.resources import Progress, Work, work_resource
from assets.schedules import NIGHTLY, failure_notice, new_files
from pipeline.settings import Home


def build_defs(
    home: Home | None = None, progress: Progress | None = None, keep: Callable[[Work], None] | None = None
) -> dg.Definitions:
    """home: default as the environment says when a run starts. keep: is given the Work of each run."""
    return dg.Definitions(
        assets=[dossier_versions, warehouse, release, quarter, outputs],
        asset_checks=[freshness_check],
        jobs=[NIGHT, RERUN],
        schedules=[NIGHTLY],
        sensors=[new_files, failure_notice],
        resources={"work": work_resource(home, progress, keep)},
        executor=dg.in_process_executor,  # also for what is started asset by asset in the page
    )


defs = build_defs()
