"""What starts a run: every night, a new file; and who is told when one fails.

A night missed while the machine was off is made up for, once, when `motcua ui` runs again: Dagster remembers
the last night, and runs the newest one missed of a schedule without partitions (a test holds it).
"""

import hashlib
import time
from pathlib import Path

import dagster as dg

from assets.history import fail_abandoned_runs, work_is_going_on
from assets.jobs import NIGHT
from assets.notice import notice_of, notify
from pipeline.declare.moments import HOME_ZONE
from pipeline.settings import find_home
from pipeline.warehouse.intake import exports, new_exports

SETTLED_SECONDS = 10  # a file that changed a moment ago may still be on its way

NIGHTLY = dg.ScheduleDefinition(
    name="nightly",
    job=NIGHT,
    cron_schedule="30 1 * * *",
    execution_timezone=HOME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="01:30 hằng đêm, giờ Việt Nam / 01:30 every night, Vietnam time",
)


@dg.sensor(
    job=NIGHT,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Có tệp mới trong data/raw thì chạy ngay / A new file in data/raw starts a run",
)
def new_files(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    home = find_home()
    if ended := fail_abandoned_runs(context.instance, home):
        context.log.warning(f"bỏ lần chạy / runs given up: {', '.join(ended)}")
    if work_is_going_on(home):
        return dg.SkipReason("một lần chạy đang làm việc / a run is at work")
    found = [path for _, path in exports(home)]
    if any(0 <= time.time() - path.stat().st_mtime < SETTLED_SECONDS for path in found):
        return dg.SkipReason("tệp vừa thay đổi, đợi ghi xong / a file has just changed, waiting for its end")
    listing = listing_key(found)
    if listing == context.cursor:  # sizes and times first: hashing gigabytes every minute would be a waste
        return dg.SkipReason("data/raw không đổi / data/raw is unchanged")
    context.update_cursor(listing)
    try:
        new = new_exports(home)
    except Exception as error:  # a run can say what is wrong, and somebody is told when it fails; a sensor cannot
        context.log.warning(f"không xem được / could not look: {type(error).__name__}")
        new = found
    if not new:
        return dg.SkipReason("không có tệp mới / no new file")
    return dg.RunRequest(run_key=listing_key(new), tags={"motcua/new_files": str(len(new))})


def listing_key(paths: list[Path]) -> str:
    """Names, sizes and times of files and of their sources' declarations.

    So a refused file is tried again when it or its source.toml changes, and not every minute.
    """
    told = []
    declarations = (above / "source.toml" for path in paths for above in path.parents[:4])
    for path in sorted({*paths, *declarations}):
        if path.exists():
            stat = path.stat()
            told.append(f"{path.parent.name}/{path.name} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


@dg.run_failure_sensor(
    name="failure_notice",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Báo khi một lần chạy hỏng (MOTCUA_NOTICE) / Tells of a failed run (MOTCUA_NOTICE)",
)
def failure_notice(context: dg.RunFailureSensorContext) -> None:
    notify(
        notice_of(context.dagster_run, [*context.get_step_failure_events()], context.failure_event.message or ""),
        context.log,
    )
