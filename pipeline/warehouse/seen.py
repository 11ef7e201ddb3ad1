"""What bytes stand in data/raw, without reading all of them again each night: a file's hash, remembered by its stamp.

The stamp is size, time of change, the file system's own time of change (which no program sets) and number. A file that
was changed within a moment of being read is not remembered: a second change within one tick of the clock would leave
the stamp as it is. On Windows no such time is told, and every file is read. The memory may be deleted at any time.

Not here: whether a file may be read now (arrival.py).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from pipeline.settings import Home
from pipeline.warehouse.record import sha256_of, write_json

SETTLED = 10 * 10**9  # nanoseconds; clocks of shares tick in steps of up to two seconds

Stamp = list[int]


class Seen:
    """The hashes of files in data/raw. What is not asked for again until `keep` is forgotten."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._before = _read(home.seen)
        self._now: dict[str, tuple[Stamp, str]] = {}

    def sha256_of(self, path: Path) -> str:
        """The hash of a file's bytes. Raises OSError."""
        place, stamp, begun = path.relative_to(self.home.raw).as_posix(), stamp_now(path), time.time_ns()
        known = self._before.get(place)
        found = known[1] if stamp and known and known[0] == stamp else sha256_of(path)
        if stamp and begun - max(stamp[1:3]) > SETTLED and stamp_now(path) == stamp:
            self._now[place] = (stamp, found)
        return found

    def stamp_of(self, path: Path) -> Stamp | None:
        """By what it is known that a file still has the bytes that were hashed; null: it would have to be read again."""
        return self._now.get(path.relative_to(self.home.raw).as_posix(), (None,))[0]

    def keep(self) -> None:
        """Call under the build lock."""
        if self._now != self._before:
            write_json(self.home.seen, self._now)


def stamp_now(path: Path) -> Stamp | None:
    """The stamp of a file; null where the system tells none. Raises OSError."""
    if os.name != "posix":
        return None
    told = path.stat()
    return [told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino]


def _read(path: Path) -> dict[str, tuple[Stamp, str]]:
    """What was remembered; nothing where it cannot be read."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {place: ([*map(int, stamp)], str(sha256)) for place, (stamp, sha256) in told.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
