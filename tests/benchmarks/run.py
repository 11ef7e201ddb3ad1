"""A program measured from outside: wall time, CPU of the whole process tree, its peak memory together. Linux only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.warehouse.seen import SETTLED

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "from pipeline.cli import main; main()"
NIGHT = "import sys; from tests.benchmarks.stages import told_apart; told_apart(sys.argv[1], sys.argv[2:])"
EVERY = 0.05  # seconds between two looks at the memory
PAGE = 4096 if sys.platform == "win32" else os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    """Seconds of wall clock and CPU, MB at the peak (of a stage: null)."""

    wall: float
    cpu: float
    peak: float | None = None

    def __add__(self, other: Cost) -> Cost:
        """Of one after the other, both with a peak."""
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.peak or 0, other.peak or 0))


def own(root: Path) -> Path:
    """A benchmark's own home, kept for its next run: it may delete what stands there, record and all. Raises SystemExit
    for a home that no benchmark made."""
    mark = root / "benchmark"
    if (root / "data").exists() and not mark.exists():
        raise SystemExit(f"{root} is a home that no benchmark made: nothing in it was touched; name another folder")
    root.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return root


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
        env=_environment(),
    )
    peak = _Peak(process.pid)
    out, err = process.communicate()
    wall, after = time.perf_counter() - begun, os.times()
    if process.returncode not in done:
        raise SystemExit(err or out)
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Cost(wall, cpu, peak.stop())


def _environment() -> dict[str, str]:
    """As in an office: what Python compiled once it finds again, whatever is set where the benchmark runs."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"MOTCUA_SETTLE_SECONDS": "0"}


def settle() -> None:
    """Waits until files that were just written are remembered by their stamps, as those of an office are by night."""
    time.sleep(SETTLED / 10**9 + 1)


def spread(ratios: Sequence[float]) -> str:
    """The lowest and the highest of several rounds, ascending; nothing of one."""
    return f" ({ratios[0]:.3g}–{ratios[-1]:.3g})" if len(ratios) > 1 else ""


def motcua(*words: str) -> Cost:
    """A command; also one that ends with rejects."""
    return measured(COMMAND, *words, done=(0, 1))


def motcua_night(home: Path) -> tuple[Cost, dict[str, Cost]]:
    """`motcua run`, and what each of its stages took (stages.py)."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "stages.json"
        cost = measured(NIGHT, str(told), "run", "--home", str(home), done=(0, 1))
        stages = json.loads(told.read_text(encoding="utf-8"))
    return cost, {name: Cost(*spent) for name, spent in stages.items()}


class _Peak(threading.Thread):
    """Looks at the memory of a process and all its descendants, summed at each look, until it is stopped. Pages that
    processes share count for each of them: an upper bound."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.going = pid, 0, True
        self.start()

    def run(self) -> None:
        while self.going:
            self.most = max(self.most, sum(map(_resident, descendants(self.pid))))
            time.sleep(EVERY)

    def stop(self) -> float:
        self.going = False
        self.join()
        return self.most * PAGE / 1024**2


def descendants(pid: int) -> list[int]:
    """A process and those it started, and those they started."""
    found = [pid]
    for task in _entries(f"/proc/{pid}/task"):
        for child in _words(f"/proc/{pid}/task/{task}/children"):
            found += descendants(int(child))
    return found


def _resident(pid: int) -> int:
    told = _words(f"/proc/{pid}/statm")
    return int(told[1]) if told else 0


def _entries(folder: str) -> list[str]:
    """None where the process has just ended."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _words(path: str) -> list[str]:
    """None where the process has just ended."""
    try:
        return Path(path).read_text(encoding="ascii").split()
    except OSError:
        return []
