"""One build at a time, across the command, the schedule and the sensor.

An operating-system lock: it goes with its process, so that a killed run leaves nothing to clean up. DESIGN §4.2.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from pipeline.declare.text import Text
from pipeline.errors import Busy
from pipeline.settings import Home
from pipeline.warehouse.restoring import finish_restore


@contextmanager
def one_build(home: Home, wait_seconds: float = 600) -> Generator[None]:
    """Holds the home's build lock, over a whole record. Raises Busy when another run still holds it after the wait."""
    home.warehouse.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.lock)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise Busy(
            Text("Một lần chạy khác đang làm việc.", "Another run is at work."),
            where=str(home.warehouse),
            todo=Text("Đợi lần chạy kia xong rồi chạy lại.", "Wait for it to end, then run again."),
        ) from None
    try:
        finish_restore(home)
        yield
    finally:
        lock.release()
