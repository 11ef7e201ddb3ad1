"""The record: an append-only intake log, the archive of raw files by sha256, and the restricted store with its key.

A file that was taken back stays in the log and in the archive: the withdrawal is a line of its own, and so is its
undoing. A file that expired by policy stays in the log, and its conformed rows stand in the archive in its place.
Not here: what stands in the files, when one expires (keeping.py). DESIGN §4.3, §4.4, §4.15.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sys
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.declare.moments import HOME_ZONE
from pipeline.settings import Home

KEY_BYTES = 32
MAKING_A_KEY = Lock()  # files are read side by side, also the first ones


@dataclass(frozen=True)
class Entry:
    """A file taken in. taken_at: when (UTC). known_at: from when its content counts as known, on the offices' wall
    clock, whatever the source's. source_toml: sha256 of the source's declaration then, or null. withdrawn_at (UTC),
    withdrawn_reason: where it was taken back and not given again; undone: from when to when (UTC) it was taken back
    before that. expired_at (UTC), expired_why, expired_rows: where the raw file is kept no longer, and the name of the
    conformed rows that count in its place. From withdrawn_at on they come from lines of their own."""

    seq: int
    taken_at: str
    known_at: str
    sha256: str
    source: str
    name: str
    size: int
    source_toml: str | None
    withdrawn_at: str | None = None
    withdrawn_reason: str | None = None
    undone: tuple[tuple[str, str], ...] = ()
    expired_at: str | None = None
    expired_why: str | None = None
    expired_rows: str | None = None

    @property
    def place(self) -> str:
        return f"{self.source}/{self.name}"

    @property
    def counts(self) -> bool:
        return self.withdrawn_at is None

    @property
    def known(self) -> list[tuple[datetime, datetime | None]]:
        """From when until before when (null: still) what it tells was known, on the offices' wall clock."""
        spans: list[tuple[datetime, datetime | None]] = []
        begins = datetime.fromisoformat(self.known_at)
        for back, again in (tuple(map(local, pair)) for pair in self.undone):
            if back < again:  # a clock that was put back makes no gap
                spans += [(begins, back)] if begins < back else []
                begins = max(begins, again)
        ends = local(self.withdrawn_at) if self.withdrawn_at else None
        return [*spans, (begins, ends)] if ends is None or begins < ends else spans


@dataclass(frozen=True)
class Withdrawal:
    """A file (its seq) taken back at a moment (UTC), or, with `undo`, given again."""

    withdrawn: int
    at: str
    reason: str
    undo: bool = False


@dataclass(frozen=True)
class Expiry:
    """The raw bytes of a file (its seq) gone from the archive at a moment (UTC), by which rule. rows: the folder of
    conformed rows that count in their place from then on."""

    expired: int
    at: str
    why: str
    rows: str


TOLD_APART = ("withdrawn_at", "withdrawn_reason", "undone", "expired_at", "expired_why", "expired_rows")


def now() -> datetime:
    return datetime.now(UTC)


def local(moment: str) -> datetime:
    """A moment of the record (UTC) on the offices' wall clock."""
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(HOME_ZONE)).replace(tzinfo=None)


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_log(home: Home, known_by: datetime | None = None) -> list[Entry]:
    """All entries in the order of intake, with what was withdrawn and what expired since. known_by: as the log told
    then (local time): no file known later, nothing taken back later; what expired is gone whatever the moment.
    A last line cut off by a crash is no entry."""
    if not home.intake_log.exists():
        return []
    lines = home.intake_log.read_bytes().split(b"\n")  # a crash may also cut a letter in two
    found: list[Entry] = []
    at: dict[int, list[int]] = {}  # seq → its places in found: a line about a file must not look at all of them
    for node in (json.loads(line) for line in lines[:-1] if line):
        if "expired" in node:
            end = Expiry(**node)
            gone = {"expired_at": end.at, "expired_why": end.why, "expired_rows": end.rows}
            for place in at.get(end.expired, ()):
                found[place] = replace(found[place], **gone)
            continue
        if "withdrawn" not in node:
            entry = Entry(**node)
            if known_by is None or datetime.fromisoformat(entry.known_at) <= known_by:
                at.setdefault(entry.seq, []).append(len(found))
                found.append(entry)
            continue
        step = Withdrawal(**node)
        if known_by is not None and local(step.at) > known_by:
            continue
        for place in at.get(step.withdrawn, ()):
            found[place] = _after(found[place], step)
    return found


def _after(entry: Entry, step: Withdrawal) -> Entry:
    """A file after it was taken back, or given again."""
    if not step.undo:
        return replace(entry, withdrawn_at=step.at, withdrawn_reason=step.reason)
    undone = (*entry.undone, (entry.withdrawn_at, step.at)) if entry.withdrawn_at else entry.undone
    return replace(entry, withdrawn_at=None, withdrawn_reason=None, undone=undone)


def append_log(home: Home, line: Entry | Withdrawal | Expiry) -> None:
    append_line(home.intake_log, {key: value for key, value in asdict(line).items() if key not in TOLD_APART})


def append_line(path: Path, node: dict[str, Any]) -> None:
    """Adds a line of JSON to a log of the record, on disk before this returns; a line cut off by an earlier crash is cut
    away first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as stream:
        end = stream.seek(0, os.SEEK_END)
        stream.seek(max(end - 1, 0))
        if stream.read() not in (b"", b"\n"):
            stream.seek(0)
            stream.truncate(stream.read().rfind(b"\n") + 1)
        stream.write(json.dumps(node, ensure_ascii=False).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def archived(home: Home, sha256: str) -> Path:
    return home.archive / sha256[:2] / sha256


def kept_in_archive(home: Home, sha256: str, conformed: str) -> Path:
    """Where the conformed rows of an expired file stand in its place, by the name of their folder in versions/."""
    return archived(home, sha256).with_suffix(".rows") / conformed


def archive(home: Home, path: Path, sha256: str) -> Path:
    """The file in the archive; copied there if it is not yet, sharing its blocks where the file system can."""
    kept = archived(home, sha256)
    if not kept.exists():
        _private(home.archive)
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        copy_file(path, part)
        write_through(part)  # before the log names it: a power cut must not take it and leave its line
        os.replace(part, kept)
    return kept


def copy_file(path: Path, copy: Path) -> None:
    """A copy of a file's bytes, sharing its blocks where the file system can."""
    if not _share_blocks(path, copy):
        shutil.copyfile(path, copy)


def write_through(path: Path) -> None:
    """A file that was written is on the disk before this returns."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _share_blocks(path: Path, copy: Path) -> bool:
    """A copy-on-write clone (Btrfs, XFS); never a hard link, which would change with the raw file."""
    if not sys.platform.startswith("linux"):
        return False
    import fcntl

    ficlone = 0x40049409
    try:
        with path.open("rb") as source, copy.open("wb") as target:
            fcntl.ioctl(target.fileno(), ficlone, source.fileno())
    except OSError:
        return False
    return True


def key(home: Home) -> bytes:
    """The key of the keyed hashes; made on first use, readable by its owner only, never in git."""
    path = home.restricted / "key"
    with MAKING_A_KEY:
        if not path.exists():
            _private(home.restricted)
            part = path.with_suffix(".part")
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                stream.write(secrets.token_hex(KEY_BYTES).encode())
            os.replace(part, path)
    return path.read_bytes()


def key_mark(home: Home) -> str | None:
    """By what the key is known again, without telling it; null: there is none."""
    path = home.restricted / "key"
    return hashlib.sha256(b"motcua key mark" + path.read_bytes()).hexdigest()[:32] if path.exists() else None


def restricted_codes(home: Home, sha256: str) -> Path:
    """Where the dossier codes of a file are kept: dossier_id → dossier_code."""
    return _hidden(home.codes, sha256)


def restricted_units(home: Home, sha256: str) -> Path:
    """Where the unit names of a file that no list knows are kept: unit_hash → written. Only files with such names."""
    return _hidden(home.unit_names, sha256)


def _hidden(folder: Path, sha256: str) -> Path:
    _private(folder.parent)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{sha256}.parquet"


def _private(folder: Path) -> None:
    """A folder for its owner only (on Windows the home folder's own permissions hold)."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.name == "posix":
        folder.chmod(0o700)


def write_json(path: Path, content: Any) -> None:
    """A JSON file, replaced as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(content, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    os.replace(part, path)
