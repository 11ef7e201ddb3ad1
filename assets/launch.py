"""Starting Dagster from the command line: the night in this process, or the page with its daemon.

The night is the same job that the schedule runs, kept in the same history. Not here: what is printed.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
import webbrowser
from collections.abc import Callable, Sequence

import dagster as dg
from filelock import FileLock, Timeout

from assets.definitions import build_defs
from assets.history import fail_abandoned_runs
from assets.partitions import quarters_of, runs_of
from assets.resources import Progress, Work
from pipeline import night
from pipeline.declare.text import Text
from pipeline.errors import Busy, WrongUse
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
            return _run(defs.resolve_job_def("night"), instance, works, config, {})
        known = instance.get_dynamic_partitions("period")
        results = []
        for first, last in runs_of(quarters_of(periods, known), known):
            tags = dict(zip(RANGE, (first, last), strict=True))
            results.append(_run(defs.resolve_job_def("rerun"), instance, works, {}, tags))
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


# ---- the page and its daemon


def serve(home: Home, port: int = 3000, open_browser: bool = False, tell: Callable[[str], None] = print) -> int:
    """Dagster's page and daemon as two child processes, until Ctrl-C or TERM. Returns the exit code.

    Raises WrongUse where the port is taken, Busy where this home's page is open already (two daemons would both
    start the night).
    """
    prepare(home)
    try:
        with FileLock(home.dagster / "ui.lock").acquire(timeout=0):
            _port_must_be_free(port)
            return _serve(port, open_browser, tell)
    except Timeout:
        raise Busy(
            Text("Trang của thư mục này đang mở ở một cửa sổ khác.", "This folder's page is open already."),
            where=str(home.root),
            todo=Text("Dùng trang đó, hoặc đóng nó rồi mở lại.", "Use that page, or close it first."),
        ) from None


def _serve(port: int, open_browser: bool, tell: Callable[[str], None]) -> int:
    end = threading.Event()
    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    before = {one: signal.signal(one, lambda *_: end.set()) for one in signals}
    location = ["-m", LOCATION, "-d", str(PROJECT), "--log-level", "warning"]
    page = f"http://127.0.0.1:{port}"
    children: list[subprocess.Popen[bytes]] = []
    try:
        children.append(_start("dagster_webserver", "-h", "127.0.0.1", "-p", str(port), *location))
        children.append(_start("dagster._daemon", "run", *location))
        told = False
        while not end.wait(0.5):
            if not told and (told := _answers(page)):
                tell(str(Text(f"Trang: {page} (dừng: Ctrl-C)", f"Page: {page} (stop: Ctrl-C)")))
                if open_browser:
                    webbrowser.open(page)
            if any(child.poll() is not None for child in children):
                tell(str(Text("Trang hoặc bộ lập lịch đã dừng đột ngột.", "The page or the scheduler has died.")))
                return 3
        return 0
    finally:
        _end(children)
        for one, handler in before.items():
            signal.signal(one, handler)


def _start(module: str, *words: str) -> subprocess.Popen[bytes]:
    """A child in a group of its own: Ctrl-C reaches us alone, and we end both in order."""
    command = [sys.executable, "-m", module, *words]
    if sys.platform == "win32":
        return subprocess.Popen(command, cwd=PROJECT, creationflags=subprocess.CREATE_NEW_PROCESS_GROUP)
    return subprocess.Popen(command, cwd=PROJECT, start_new_session=True)


def _end(children: list[subprocess.Popen[bytes]], patience: float = 20) -> None:
    """Asks all to end, waits, and kills what is left."""
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.CTRL_BREAK_EVENT if os.name == "nt" else signal.SIGINT)
    for child in children:
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _port_must_be_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise WrongUse(
                Text(f"Cổng {port} đang có chương trình khác dùng.", f"Port {port} is in use."),
                todo=Text(
                    f"Chọn cổng khác: motcua ui --port {port + 1}", f"Choose another: motcua ui --port {port + 1}"
                ),
            )


def _answers(page: str) -> bool:
    try:
        with urllib.request.urlopen(f"{page}/server_info", timeout=2):
            return True
    except OSError:
        return False
