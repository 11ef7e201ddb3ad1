"""Run history that does not grow without end, and runs that died without a word.

Dagster keeps every run for ever, and takes a killed run for one that is still at work: the queue would wait for
it for ever. Where it deletes a run in SQLite, it leaves the run's own file of events (half a megabyte a night) and what
its checks said. Ticks of schedules and sensors go by their age (dagster.yaml).
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from sqlalchemy import event

from pipeline.errors import Busy
from pipeline.settings import Home
from pipeline.warehouse.lock import one_build
from pipeline.warehouse.room import log_first

KEPT_RUNS = 400  # a year of nights, and some re-runs
AT_WORK = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]
# A run takes the lock within seconds of its start, or waits while another holds it; a slow machine gets more.
SECONDS_TO_THE_LOCK = 300
STORAGES = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)


def forget_old_runs(instance: dg.DagsterInstance, kept: int = KEPT_RUNS) -> int:
    """Deletes the oldest finished runs beyond the number kept; returns how many."""
    runs = instance.get_runs()
    old = [run for run in runs[kept:] if run.is_finished]
    for run in old:
        instance.delete_run(run.run_id)
    store = instance.event_log_storage
    if old and isinstance(store, SqliteEventLogStorage):
        _forget_leftovers(store, [run.run_id for run in old])
    return len(old)


def _forget_leftovers(store: SqliteEventLogStorage, run_ids: list[str]) -> None:
    """What Dagster keeps of runs that it deleted."""
    with store.index_connection() as con:
        con.execute(sa.delete(AssetCheckExecutionsTable).where(AssetCheckExecutionsTable.c.run_id.in_(run_ids)))
    for run_id in run_ids:
        Path(store.path_for_shard(run_id)).unlink(missing_ok=True)


class _Kept(sa.QueuePool):
    """Connections that stay open when Dagster has done with them."""

    close = sa.QueuePool.dispose

    def dispose(self) -> None: ...

    def recreate(self) -> _Kept:
        return self


@contextmanager
def held_open(home: Home) -> Generator[None]:
    """Holds the files of the history open while a run writes to them. Dagster opens one anew, with all that SQLAlchemy
    puts around it, for each of some five hundred questions of a night, and SQLite waits for the disk at each answer, and
    again where nobody else has the file open: a quarter of the sample's night. Files of earlier runs it opens as ever: one
    that is held open cannot be deleted everywhere."""
    earlier = {path.stem for path in home.dagster.glob("history/runs/*.db")} - {sqlite_event_log.INDEX_SHARD_NAME}
    held: dict[str, sa.Engine] = {}

    def engine(place: str, **asked: Any) -> sa.Engine:
        if Path(place).stem in earlier:
            return sa.create_engine(place, **asked)
        if place not in held:
            held[place] = sa.create_engine(place, **asked | {"poolclass": _Kept})
            event.listen(held[place], "connect", lambda con, _: log_first(con))
        return held[place]

    with ExitStack() as after:
        for storage in STORAGES:
            after.callback(setattr, storage, "create_engine", storage.create_engine)
            storage.create_engine = engine  # ty: ignore[invalid-assignment]
        try:
            yield
        finally:
            for one in held.values():
                cast(_Kept, one.pool).close()


def work_is_going_on(home: Home) -> bool:
    """Whether some process holds the build lock now."""
    try:
        with one_build(home, wait_seconds=0):
            return False
    except Busy:
        return True


def fail_abandoned_runs(instance: dg.DagsterInstance, home: Home, after: float = SECONDS_TO_THE_LOCK) -> list[str]:
    """Marks runs as failed that claim to be at work while nobody holds the build lock; returns their ids."""
    ended = []
    records = instance.get_run_records(dg.RunsFilter(statuses=AT_WORK))
    if records and not work_is_going_on(home):
        for record in records:
            if time.time() - record.update_timestamp.timestamp() > after:
                words = "Tiến trình đã dừng đột ngột; lần chạy bị bỏ / The process died; the run is given up"
                instance.report_run_failed(record.dagster_run, message=words)
                ended.append(record.dagster_run.run_id)
    return ended
