"""A file in data/raw, read and conformed; several at a time. Whatever breaks on one is a refusal of that file alone.

Not here: which files are read, and what becomes of them (intake.py).
"""

from __future__ import annotations

import os
import shutil
import traceback
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.declare.sources import Source
from pipeline.declare.text import Text
from pipeline.errors import InputRefused, MotcuaError
from pipeline.settings import Home
from pipeline.warehouse.record import now, sha256_of
from pipeline.warehouse.seen import Seen, Stamp, stamp_now
from pipeline.warehouse.versions import FileFacts, conform_file, fingerprint, version_folder

AT_A_TIME = min(os.cpu_count() or 1, 4)  # files; each takes up to half a gigabyte


class StillWritten(Exception):
    """The bytes of a file changed while it was read."""


@dataclass(frozen=True)
class Arrival:
    """A file in data/raw, and what its source declares. stamp: see Seen.stamp_of."""

    folder: Path
    path: Path
    sha256: str
    stamp: Stamp | None
    source: Source
    toml: bytes

    @property
    def name(self) -> str:
        return self.path.relative_to(self.folder).as_posix()

    @property
    def place(self) -> str:
        return f"{self.folder.name}/{self.name}"


@contextmanager
def several_readers() -> Generator[ThreadPoolExecutor]:
    """Several files are read at a time; where one breaks the night, the rest is not begun."""
    readers = ThreadPoolExecutor(AT_A_TIME)
    try:
        yield readers
    finally:
        readers.shutdown(cancel_futures=True)


def read_arrival(home: Home, arrival: Arrival) -> tuple[FileFacts, datetime]:
    """A file conformed, and when. Raises StillWritten, or why it is refused."""
    path, taken_at = arrival.path, now()
    declared = fingerprint(home, arrival.toml)
    try:
        facts = conformed(home, path, arrival.sha256, arrival.name, arrival.source, declared, taken_at)
    except MotcuaError:
        if _changed(arrival):  # half a file is no file that cannot be read
            raise StillWritten from None
        raise
    if _changed(arrival):
        # what was read are not the bytes of this name
        shutil.rmtree(version_folder(home, arrival.sha256, declared))
        raise StillWritten
    return facts, taken_at


def conformed(
    home: Home, path: Path, sha256: str, name: str, source: Source, declared: str, taken_at: datetime
) -> FileFacts:
    """A file conformed. Whatever breaks on it is a refusal of this file alone: the others go on."""
    try:
        return conform_file(home, path, sha256, name, source, declared, taken_at)
    except (MotcuaError, OSError):
        raise
    except BaseException as error:
        # a reader written in Rust ends in a panic, which is no Exception
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        # where it broke, not the message, which may quote a cell
        kind = f"{type(error).__name__}, {Path(place.filename).name}:{place.lineno}"
        raise InputRefused(
            Text("Tệp làm hỏng việc đọc.", "Reading broke on this file."),
            where=f"{source.key}/{name}",
            found=Text(kind, kind),
            todo=Text(
                "Xuất lại tệp; nếu vẫn thế, báo người phát triển.", "Export it again; if it stays, tell the developers."
            ),
        ) from None


def bytes_of(path: Path, where: str, seen: Seen) -> str:
    """The sha256 of a file in data/raw, which may be locked by whoever has it open, or gone again."""
    try:
        return seen.sha256_of(path)
    except OSError as error:
        raise InputRefused(
            Text("Không đọc được tệp.", "The file cannot be read."),
            where=where,
            found=Text(type(error).__name__, type(error).__name__),
            todo=Text(
                "Đóng tệp ở chương trình khác, xem quyền đọc.", "Close it in other programs; see that it may be read."
            ),
        ) from None


def _changed(arrival: Arrival) -> bool:
    try:
        if arrival.stamp and stamp_now(arrival.path) == arrival.stamp:
            return False
        return sha256_of(arrival.path) != arrival.sha256
    except OSError:
        return True
