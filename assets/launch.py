"""Starting Dagster from the command line: the night in this process, or the page with its daemon.

The night is the same job that the schedule runs, kept in the same history. Not here: what is printed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

from assets.definitions import build_defs
from assets.history import fail_abandoned_runs, held_open
from assets.page import LOCATION, prepare
from assets.page import serve as serve
from assets.partitions import quarters_of, runs_of
from assets.resources import Progress, Work
from pipeline import night
from pipeline.settings import Home

# By these the page and the history know which code location a run belongs to.
RUN_TAGS = {".dagster/repository": f"__repository__@{LOCATION}", "motcua/started_by": "motcua run"}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def run_night(
    home: Home,
    progress: Progress = night.SILENT,
    rebuild: bool = False,
    periods: Sequence[str] = (),
    pictures: bool = False,
) -> night.Result:
    """One night in this process; with periods, their quarters are re-run from the record instead. pictures: with charts
    in the documents, as the schedule has them.

    Raises the pipeline's own errors (Busy, CheckFailed, …) as the job met them.
    """
    prepare(home)
    works: list[Work] = []
    defs = build_defs(home, progress, works.append)
    with held_open(home), dg.DagsterInstance.get() as instance:
        fail_abandoned_runs(instance, home)
        if not periods:
            ops = {"warehouse": {"config": {"rebuild": rebuild}}, "outputs": {"config": {"pictures": pictures}}}
            return _run(defs.resolve_job_def("night"), instance, works, {"ops": ops}, {})
        known = instance.get_dynamic_partitions("period")
        results = []
        for first, last in runs_of(quarters_of(periods, known), known):
            tags = dict(zip(RANGE, (first, last), strict=True))
            results.append(_run(defs.resolve_job_def("rerun"), instance, works, {}, tags))
        results[-1].changed = any(one.changed for one in results)
        results[-1].taken = [entry for one in results for entry in one.taken]
        results[-1].differing = {key: n for one in results for key, n in one.differing.items()}
        results[-1].touched = {key: found for one in results for key, found in one.touched.items()}
        return results[-1]


def _run(
    job: dg.JobDefinition, instance: dg.DagsterInstance, works: list[Work], config: dict, tags: dict[str, str]
) -> night.Result:
    chatter = logging.getLogger("dagster")
    level = chatter.level
    chatter.setLevel(logging.CRITICAL)  # the command line says what there is to say
    try:
        job.execute_in_process(run_config=QUIET | config, instance=instance, tags=RUN_TAGS | tags)
    except dg.Failure as failure:
        raise failure.__cause__ or failure from None
    except DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None
    finally:
        chatter.setLevel(level)
    result = works[-1].result
    assert result is not None, "the last step keeps the result"
    return result
