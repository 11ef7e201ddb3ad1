"""Starting Dagster from the command line: the night in this process, or the page with its daemon.

The night is the same job that the schedule runs, kept in the same history. Not here: what is printed.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Sequence

import dagster as dg

from assets.definitions import build_defs
from assets.history import fail_abandoned_runs
from assets.resources import Progress, Work
from pipeline import night
from pipeline.declare.periods import Period, all_periods, default_scheme, parse_periods
from pipeline.declare.text import Text
from pipeline.errors import WrongUse
from pipeline.settings import PROJECT, Home, set_dagster_home

LOCATION = "assets.definitions"
# By these the page and the history know which code location a run belongs to.
RUN_TAGS = {".dagster/repository": f"__repository__@{LOCATION}", "motcua/started_by": "motcua run"}
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def prepare(home: Home) -> None:
    """The home's Dagster folder with our settings, named in the environment."""
    set_dagster_home(home)
    ours, theirs = PROJECT / "dagster.yaml", home.dagster / "dagster.yaml"
    if not theirs.exists() or theirs.read_bytes() != ours.read_bytes():
        shutil.copyfile(ours, theirs)


def run_night(
    home: Home, progress: Progress = night.SILENT, rebuild: bool = False, periods: Sequence[str] = ()
) -> night.Result:
    """One night in this process; with periods, their quarters are re-run from the record instead.

    Raises the pipeline's own errors (Busy, CheckFailed, …) as the job met them.
    """
    prepare(home)
    works: list[Work] = []
    defs = build_defs(home, progress, works.append)
    with dg.DagsterInstance.get() as instance:
        fail_abandoned_runs(instance, home)
        if not periods:
            config = {"ops": {"warehouse": {"config": {"rebuild": rebuild}}}}
            return _run(defs.get_job_def("night"), instance, works, config, {})
        known = instance.get_dynamic_partitions("period")
        results = []
        for first, last in runs_of(quarters_of(periods, known), known):
            tags = dict(zip(RANGE, (first, last), strict=True))
            results.append(_run(defs.get_job_def("rerun"), instance, works, {}, tags))
        results[-1].changed = any(one.changed for one in results)
        results[-1].taken = [entry for one in results for entry in one.taken]
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
    finally:
        chatter.setLevel(level)
    result = works[-1].result
    assert result is not None, "the last step keeps the result"
    return result


def quarters_of(words: Iterable[str], known: Sequence[str]) -> list[str]:
    """The quarters of the default scheme that make up the periods named. Raises WrongUse where none has data."""
    found: list[str] = []
    for one in words:
        keys = [q.key for period in parse_periods(one) for q in _quarters_in(period) if q.key in known]
        if not keys:
            shown = ", ".join(known) or "–"
            raise WrongUse(
                Text(f"Kỳ “{one[:40]}” chưa có số liệu để chạy lại.", f"“{one[:40]}” has no figures to re-run."),
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
