"""What each stage of a night takes: the rooms' functions wrapped, in the benchmark's process alone.

Wall and CPU seconds, children that have ended included; what a stage calls that is a stage of its own is not counted
twice. Not here: what is measured (night.py), the whole process from outside (run.py).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

# stage → the functions it consists of, where the night looks them up
STAGES = {
    "read, conform, archive": ["pipeline.night:take_in"],
    "build tables": ["pipeline.night:build_tables"],
    "figures": [
        "pipeline.measure.moved:tell_apart",
        "pipeline.night:build_figures",
        "pipeline.night:count_marks",
        "pipeline.night:as_known_macros",
        "pipeline.night:apply_seals",
    ],
    "checks": ["pipeline.night:run_checks"],
    "publish": ["pipeline.night:publish", "pipeline.night:settle", "pipeline.warehouse.release:describe"],
    "report, forms, page": ["assets.resources:refresh"],
}


class Stages:
    """Wall and CPU seconds of each stage, added up over its calls, and how many there were."""

    def __init__(self) -> None:
        self.spent = {name: [0.0, 0.0] for name in STAGES}
        self.calls = dict.fromkeys((place for places in STAGES.values() for place in places), 0)
        self._open: list[list[float]] = []  # of each stage that is under way: what stages within it took

    def wrap(self, put: Callable[[Any, str, Any], None] = setattr) -> None:
        for stage, places in STAGES.items():
            for place in places:
                module, name = place.split(":")
                found = import_module(module)
                put(found, name, self._timed(getattr(found, name), stage, place))

    def _timed(self, function: Callable[..., Any], stage: str, place: str) -> Callable[..., Any]:
        @wraps(function)
        def timed(*args: Any, **named: Any) -> Any:
            self.calls[place] += 1
            self._open.append([0.0, 0.0])
            begun = _now()
            try:
                return function(*args, **named)
            finally:
                whole = [now - before for now, before in zip(_now(), begun, strict=True)]
                within = self._open.pop()
                for n in (0, 1):
                    self.spent[stage][n] += whole[n] - within[n]
                    if self._open:
                        self._open[-1][n] += whole[n]

        return timed


def told_apart(out: str, words: list[str]) -> None:
    """The command line with its stages told apart; stage → [wall, CPU] as JSON into a file. Ends as the command does."""
    from pipeline.cli import main

    stages = Stages()
    stages.wrap()
    sys.argv[1:] = words  # as a program of its own, which ends otherwise than a command within another one
    try:
        main()
    finally:
        Path(out).write_text(json.dumps(stages.spent), encoding="utf-8")


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _now() -> tuple[float, float]:
    return time.perf_counter(), cpu()
