"""What lies in data/raw and may be read now: exports, and those that still arrive and wait for the next run.

A file waits when its name says that it is half written, and when it changed during a short look. Not here: reading
one (intake.py), or refusing one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from pipeline import settings
from pipeline.declare import aliases, retention
from pipeline.declare.text import Text
from pipeline.errors import DeclarationError, InputRefused, MotcuaError
from pipeline.settings import Home

NOT_EXPORTS = ("source.toml", "readme.md", "readme.txt", "thumbs.db", "desktop.ini")
# What browsers, copying programs and file transfer put behind a name until the file is whole.
HALF_WRITTEN = (".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".opdownload", ".!ut")
OPEN_IN_EXCEL = "~$"

BY_NAME = Text("tên tệp cho biết việc chép chưa xong", "its name says that copying has not ended")
BY_EXCEL = Text("Excel đang mở tệp (~$)", "Excel has the file open (~$)")
BY_CHANGE = Text("tệp đang được ghi", "the file is still being written")

Stamp = tuple[int, int]


def exports(home: Home) -> Iterator[tuple[Path, Path]]:
    """(source folder, file) of everything in data/raw that may be an export."""
    for folder, path in _files(home):
        if why_by_name(path) is None:
            yield folder, path


def has_exports(home: Home, key: str) -> bool:
    """Whether a source's folder holds anything that may be an export."""
    folder = home.raw / key
    return any(_may_count(folder, path) and why_by_name(path) is None for path in folder.rglob("*"))


def waiting_by_name(home: Home) -> Iterator[tuple[Path, Text]]:
    """Files whose names say that they are not whole yet, and what says so."""
    for _, path in _files(home):
        if why := why_by_name(path):
            yield path, why


def why_by_name(path: Path) -> Text | None:
    """Why a file must wait, going by its name; None where the name says nothing."""
    if path.name.startswith(OPEN_IN_EXCEL):
        return BY_EXCEL
    return BY_NAME if path.name.lower().endswith(HALF_WRITTEN) else None


def still_written(paths: list[Path]) -> set[Path]:
    """Those of the files that changed during a short look. Files that have long stayed as they are cost no time."""
    first = {path: stamp for path in paths if (stamp := _stamp(path))}
    age = min((_age(path) for path in first), default=settings.settle_seconds())
    if age < settings.settle_seconds():
        time.sleep(min(settings.settle_seconds(), settings.settle_seconds() - age))
    return {path for path, stamp in first.items() if _stamp(path) not in (stamp, None)}


def stray_files(home: Home) -> list[MotcuaError]:
    """Exports dropped beside the source folders instead of into one."""
    if not home.raw.is_dir():
        return []
    return [
        InputRefused(
            Text("Tệp nằm ngoài thư mục nguồn.", "The file is in no source folder."),
            where=path.name,
            expected=Text("data/raw/<tên nguồn>/tệp", "data/raw/<source>/file"),
            todo=Text("Chuyển tệp vào một thư mục con của data/raw.", "Move it into a folder below data/raw."),
        )
        for path in sorted(home.raw.iterdir())
        if path.is_file()
        and path.name.lower() not in (*NOT_EXPORTS, aliases.FILE, retention.FILE)
        and not path.name.startswith(".")
        and why_by_name(path) is None
    ]


def broken_rules(home: Home) -> list[MotcuaError]:
    """What is wrong with the office's own rules of keeping, by which nothing is removed."""
    try:
        retention.read_retention(home.raw / retention.FILE)
    except DeclarationError as error:
        return [error]
    return []


def _files(home: Home) -> Iterator[tuple[Path, Path]]:
    for folder in sorted(p for p in home.raw.iterdir() if p.is_dir()) if home.raw.is_dir() else []:
        for path in sorted(folder.rglob("*")):
            if _may_count(folder, path):
                yield folder, path


def _may_count(folder: Path, path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.name.lower() not in NOT_EXPORTS and not hidden and path.is_file()


def _stamp(path: Path) -> Stamp | None:
    """Size and time of change; None where the file is gone again or may not be looked at."""
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_size, told.st_mtime_ns


def _age(path: Path) -> float:
    """Seconds since the file was last written or put there. A copy may bring its original's time of change along,
    so the file system's own counts too; a clock that is ahead makes no file older."""
    try:
        told = path.stat()
    except OSError:
        return settings.settle_seconds()
    return max(0.0, time.time() - max(told.st_mtime, told.st_ctime))
