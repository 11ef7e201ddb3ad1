"""A program measured from outside: wall time, CPU of the whole process tree, its peak memory together."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "import sys; from pipeline.cli import main; main(sys.argv[1:])"
EVERY = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Cost:
    """Seconds of wall clock and CPU, MB at the peak, and what was printed."""

    wall: float
    cpu: float
    peak: float
    out: str


def measured(code: str, *words: str, done: tuple[int, ...] = (0,)) -> Cost:
    """A Python program with arguments, its start included. done: the exit codes that are no failure. Raises SystemExit
    with what it said."""
    begun, before = time.perf_counter(), os.times()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"MOTCUA_SETTLE_SECONDS": "0"},
    )
    peak = _Peak(process.pid)
    out, err = process.communicate()
    wall, after = time.perf_counter() - begun, os.times()
    if process.returncode not in done:
        raise SystemExit(err or out)
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Cost(wall, cpu, peak.stop(), out)


def motcua(*words: str) -> Cost:
    """A command; also one that ends with rejects."""
    return measured(COMMAND, *words, done=(0, 1))


class _Peak(threading.Thread):
    """Looks at the memory of a process and its children until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.going = pid, 0, True
        self.start()

    def run(self) -> None:
        while self.going:
            try:
                root = psutil.Process(self.pid)
                tree = [root, *root.children(recursive=True)]
                self.most = max(self.most, sum(p.memory_info().rss for p in tree))
            except psutil.Error:
                pass  # one of them has just ended
            time.sleep(EVERY)

    def stop(self) -> float:
        self.going = False
        self.join()
        return self.most / 1024**2
