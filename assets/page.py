"""Dagster's page and daemon for `motcua ui`: child processes that start and end together."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
import webbrowser
from collections.abc import Callable
from functools import partial
from typing import IO, Any

from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._grpc.client import DagsterGrpcClient
from filelock import FileLock, Timeout

from pipeline.declare.text import Text
from pipeline.errors import Busy, WrongUse
from pipeline.settings import PROJECT, Home, set_dagster_home

LOCATION = "assets.definitions"
LOG_LEVEL = ("--log-level", "warning")
SAY: Callable[[str], None] = partial(print, flush=True)


def prepare(home: Home) -> None:
    """The home's Dagster folder with our settings, named in the environment."""
    set_dagster_home(home)
    ours, theirs = PROJECT / "dagster.yaml", home.dagster / "dagster.yaml"
    if not theirs.exists() or theirs.read_bytes() != ours.read_bytes():
        shutil.copyfile(ours, theirs)


def serve(home: Home, port: int = 3000, open_browser: bool = False, tell: Callable[[str], None] = SAY) -> int:
    """Dagster's page and daemon as child processes, until Ctrl-C or TERM. Returns the exit code.

    Raises WrongUse where the port is taken, Busy where this home's page is open already (two daemons would both
    start the night).
    """
    prepare(home)
    try:
        with FileLock(home.dagster / "ui.lock").acquire(timeout=0):
            _port_must_be_free(port)
            return _serve(home, port, open_browser, tell)
    except Timeout:
        raise Busy(
            Text("Trang của thư mục này đang mở ở một cửa sổ khác.", "This folder's page is open already."),
            where=str(home.root),
            todo=Text("Dùng trang đó, hoặc đóng nó rồi mở lại.", "Use that page, or close it first."),
        ) from None


def _serve(home: Home, port: int, open_browser: bool, tell: Callable[[str], None]) -> int:
    end = threading.Event()
    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    before = {one: signal.signal(one, lambda *_: end.set()) for one in signals}
    page = f"http://127.0.0.1:{port}"
    children: list[subprocess.Popen[bytes]] = []
    room, log = tempfile.mkdtemp(prefix="motcua-"), (home.dagster / "ui.log").open("wb")
    start = partial(_start, log)
    try:
        # One server of our code for both: each would else start its own, and the daemon a new one every minute.
        code = _code_address(room)
        where = [f"--{key}={value}" for key, value in code.items()]
        ours = ["-m", LOCATION, "-d", str(PROJECT), "--location-name", LOCATION]
        children.append(start("dagster", "api", "grpc", *ours, *where, *LOG_LEVEL))
        workspace = home.dagster / "workspace.yaml"
        place = {"host": "127.0.0.1", **code, "location_name": LOCATION}
        workspace.write_text(json.dumps({"load_from": [{"grpc_server": place}]}), encoding="utf-8")
        if not _wait(end, children, partial(_code_answers, **code)):
            return 0 if end.is_set() else _died(log.name, tell)
        both = ["-w", str(workspace), *LOG_LEVEL]
        children.append(start("dagster._daemon", "run", *both))
        children.append(start("dagster_webserver", "-h", "127.0.0.1", "-p", str(port), *both))
        if _wait(end, children, partial(_answers, page)):
            tell(str(Text(f"Trang: {page} (dừng: Ctrl-C)", f"Page: {page} (stop: Ctrl-C)")))
            if open_browser:
                webbrowser.open(page)
        _wait(end, children, lambda: False)
        return 0 if end.is_set() else _died(log.name, tell)
    finally:
        _end(children)
        log.close()
        shutil.rmtree(room, ignore_errors=True)
        for one, handler in before.items():
            signal.signal(one, handler)


def _wait(end: threading.Event, children: list[subprocess.Popen[bytes]], ready: Callable[[], bool]) -> bool:
    """Waits until ready, asked to end, or a child has died; True only when ready."""
    while not end.wait(0.3) and all(child.poll() is None for child in children):
        if ready():
            return True
    return False


def _died(log: str, tell: Callable[[str], None]) -> int:
    tell(
        str(
            Text(
                f"Trang hoặc bộ lập lịch đã dừng đột ngột; xem {log}", f"The page or the scheduler has died; see {log}"
            )
        )
    )
    return 3


def _code_address(room: str) -> dict[str, Any]:
    """Where our code answers: a socket file of ours alone; a free port where there are no such files."""
    if os.name == "posix":
        return {"socket": os.path.join(room, "code")}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return {"port": probe.getsockname()[1]}


def _code_answers(**address: Any) -> bool:
    try:
        DagsterGrpcClient(host="127.0.0.1", **address).ping("")
    except DagsterUserCodeUnreachableError:
        return False
    return True


def _start(log: IO[bytes], module: str, *words: str) -> subprocess.Popen[bytes]:
    """A child in a group of its own: Ctrl-C reaches us alone, and we end all in order."""
    command = [sys.executable, "-m", module, *words]
    apart = subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
    session = sys.platform != "win32"
    return subprocess.Popen(
        command, cwd=PROJECT, stdout=log, stderr=log, creationflags=apart, start_new_session=session
    )


def _end(children: list[subprocess.Popen[bytes]], patience: float = 20) -> None:
    """Asks them to end, the last one first, waits, and kills what is left."""
    for child in reversed(children):
        if child.poll() is None:
            child.send_signal(signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT)
    for child in reversed(children):
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
