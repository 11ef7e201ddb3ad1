"""What starts a run and who is told: sensor, schedule after a missed night, notice of a failure, history."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._scheduler.scheduler import launch_scheduled_runs

from assets.history import fail_abandoned_runs, forget_old_runs
from assets.launch import run_night
from assets.notice import notice_of, notify
from assets.schedules import failure_notice, new_files
from pipeline import night
from pipeline.settings import PROJECT, Home
from pipeline.warehouse.lock import one_build
from tests.orchestration import NAME, Q3, dossiers, events, export, history, newest_run, refused_file

LOG = logging.getLogger("test")


def look(home: Home, instance: dg.DagsterInstance, cursor: str | None = None) -> tuple[object, str | None]:
    """One tick of the sensor, some time after the last change of a file."""
    for path in home.raw.rglob("*"):
        long_ago = path.stat().st_mtime_ns - 3600 * 10**9
        if time.time() - path.stat().st_mtime < 1800:
            os.utime(path, ns=(long_ago, long_ago))
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    return new_files(context), context.cursor


def test_new_file_starts_one_run(home: Home) -> None:
    with history(home) as instance:
        asked, cursor = look(home, instance)
        assert isinstance(asked, dg.RunRequest) and asked.run_key
        again, cursor = look(home, instance, cursor)
        assert isinstance(again, dg.SkipReason), "the same files, a minute later"
        refused_file(home)
        night.run(home)
        refused, cursor = look(home, instance, cursor)
        assert isinstance(refused, dg.RunRequest) and refused.run_key != asked.run_key, "a new file: it will be refused"
        assert isinstance(look(home, instance, cursor)[0], dg.SkipReason), "a refused file is not tried every minute"
        toml = home.raw / "gio_an" / "source.toml"
        toml.write_text(toml.read_text(encoding="utf-8") + "# sửa\n", encoding="utf-8")
        mended, cursor = look(home, instance, cursor)
        assert isinstance(mended, dg.RunRequest) and mended.run_key not in (asked.run_key, refused.run_key)
        (home.raw / "gio_an" / "ghi_chep.csv").unlink()
        assert isinstance(look(home, instance, cursor)[0], dg.SkipReason), "nothing left that is not known"


def test_sensor_waits_for_runs_and_for_copies(home: Home) -> None:
    with history(home) as instance:
        with one_build(home):
            skipped, cursor = look(home, instance)
            assert isinstance(skipped, dg.SkipReason) and cursor is None, "looked at again when the run is over"
        path = export(home, ("moi.csv", *Q3[1:]), dossiers("2308", "01/08/2023", 1))
        context = dg.build_sensor_context(instance=instance)
        assert isinstance(new_files(context), dg.SkipReason) and context.cursor is None, "still being written"
        ahead = time.time() + 9000
        os.utime(path, (ahead, ahead))
        assert isinstance(look(home, instance)[0], dg.RunRequest), "a clock that is ahead must not stop the sensor"


def test_sensor_of_an_empty_home(tmp_path: Path) -> None:
    with history(Home(tmp_path)) as instance:
        assert isinstance(new_files(dg.build_sensor_context(instance=instance)), dg.SkipReason)


def test_missed_nights_are_made_up_for_once(tmp_path: Path) -> None:
    """The scheduler itself, at moments of our choosing. 01:30 in Vietnam is 18:30 UTC of the day before."""

    def place(folder: Path) -> InProcessWorkspaceLoadTarget:
        target = LoadableTargetOrigin(module_name="assets.definitions", working_directory=str(folder))
        return InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(target, location_name="assets.definitions"))

    with history(Home(tmp_path)) as instance, ExitStack() as stack:
        # Each start of `motcua ui` serves the code at another address: that must not make the scheduler forget.
        first, second = (
            stack.enter_context(create_test_daemon_workspace_context(place(folder), instance))
            for folder in (PROJECT, tmp_path)
        )

        def wake(*moment: int) -> int:
            before = instance.get_runs_count()
            workspace = first if moment < (2026, 3, 2) else second
            list(launch_scheduled_runs(workspace, LOG, datetime(*moment, tzinfo=UTC), {}))
            return instance.get_runs_count() - before

        assert wake(2026, 3, 1, 8, 0) == 0, "first start: nothing is missed"
        assert wake(2026, 3, 1, 18, 29) == 0
        assert wake(2026, 3, 1, 18, 31) == 1, "01:30 in Vietnam"
        assert wake(2026, 3, 1, 18, 35) == 0
        assert wake(2026, 3, 6, 9, 0) == 1, "off for four nights: one run when it is back"
        assert wake(2026, 3, 6, 9, 5) == 0
        assert wake(2026, 3, 6, 18, 31) == 1, "and the next night as always"
        assert {run.job_name for run in instance.get_runs()} == {"night"}
        assert newest_run(instance).tags["dagster/schedule_name"] == "nightly"


# ---- the notice


def failed_run(
    home: Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> dg.DagsterRun:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(night, "take_in", fail)
    with pytest.raises(type(error)):
        run_night(home)
    return newest_run(instance)


def test_failure_is_told_in_words_to_a_file(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "notices.jsonl"
    monkeypatch.setenv("MOTCUA_NOTICE", str(target))
    with history(home) as instance:
        run = failed_run(home, instance, monkeypatch, ValueError(f"cannot read {NAME}"))
        (failure,) = events(instance, run, dg.DagsterEventType.RUN_FAILURE)
        context = dg.build_run_status_sensor_context("failure_notice", failure, instance, run).for_run_failure()
        failure_notice(context)
        failure_notice(context)
    first, second = (json.loads(line) for line in target.read_text(encoding="utf-8").splitlines())
    assert first["run"] == second["run"] == run.run_id and first["job"] == "night"
    assert "dossier_versions: Lỗi ngoài dự kiến (ValueError)" in first["text"]
    assert NAME not in first["text"] and "Traceback" not in first["text"] and "File " not in first["text"]


def test_failure_is_posted_to_a_hook(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    got: list[dict[str, str]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.handle_request, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/s3cret"
    monkeypatch.setenv("MOTCUA_NOTICE", address)
    notice = notice_of(dg.DagsterRun(job_name="night"), [], "the process died")
    notify(notice, LOG)
    assert got == [notice] and "the process died" in notice["text"]
    server.server_close()
    with caplog.at_level(logging.WARNING):
        notify(notice, LOG)  # nobody listens now
    assert "URLError" in caplog.text and "s3cret" not in caplog.text
    monkeypatch.setenv("MOTCUA_NOTICE", "/no/such/folder/notice.txt")
    notify(notice, LOG)
    monkeypatch.delenv("MOTCUA_NOTICE")
    notify(notice, LOG)


# ---- history


def add_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    run = dg.DagsterRun(job_name="night", run_id=dg._core.utils.make_new_run_id(), status=status)
    return instance.add_run(run).run_id


def test_old_runs_are_forgotten_and_unfinished_ones_kept(home: Home) -> None:
    with history(home) as instance:
        at_work = add_run(instance, dg.DagsterRunStatus.STARTED)
        ids = [add_run(instance, dg.DagsterRunStatus.SUCCESS) for _ in range(5)]
        assert forget_old_runs(instance, kept=3) == 2
        assert [run.run_id for run in instance.get_runs()] == [*reversed(ids[2:]), at_work]
        assert forget_old_runs(instance) == 0


def test_a_run_whose_process_died_is_given_up(home: Home) -> None:
    with history(home) as instance:
        dead = add_run(instance, dg.DagsterRunStatus.STARTED)
        waiting = add_run(instance, dg.DagsterRunStatus.NOT_STARTED)
        assert fail_abandoned_runs(instance, home) == [], "it may be about to take the lock"
        with one_build(home):
            assert fail_abandoned_runs(instance, home, after=-1) == [], "somebody is at work"
        assert fail_abandoned_runs(instance, home, after=-1) == [dead]
        assert instance.get_run_by_id(dead).status == dg.DagsterRunStatus.FAILURE
        assert instance.get_run_by_id(waiting).status == dg.DagsterRunStatus.NOT_STARTED


def test_the_history_of_many_nights_stays_as_large_as_that_of_the_nights_kept(
    published: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files and rows of Dagster's whole store, after real nights, of which two are kept."""
    monkeypatch.setattr("assets.night.forget_old_runs", lambda instance: forget_old_runs(instance, kept=2))
    sizes = []
    for _ in range(6):
        run_night(published)
        sizes.append(_stored(published))
    # every other night the quarters are shown anew, as the run that showed them is forgotten
    before, after = ({part: max(size[part] for size in two) for part in two[0]} for two in (sizes[2:4], sizes[4:6]))
    assert after == before
    assert after["files"] == 6  # settings, three of all runs, two of a run each
    assert after["runs.runs"] == 2


def _stored(home: Home) -> dict[str, int]:
    """How many files Dagster's folder has, and rows each table of what all runs share."""
    files = [path for path in home.dagster.rglob("*") if path.is_file()]
    found = {"files": len(files)}
    for path in files:
        if path.name in ("runs.db", "index.db", "schedules.db"):
            con = sqlite3.connect(path)
            for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                rows = con.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                found[f"{path.stem}.{name}"] = rows
            con.close()
    return found
