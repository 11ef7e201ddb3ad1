"""What is kept and for how long, applied: old releases, rows by old declarations, raw files and restricted texts go.

A raw file goes only when its conformed rows stand in the archive in its place: those that count today, and those that
a seal names, with the very hashes that the seal holds. Steps of an expiry: rows copied, a line in the intake log, the
raw bytes removed. Killed before the line it is undone by the next run, after it it is finished. The key, the intake log,
the seals and every declaration that the log or a seal names never go. Call `apply` under the build lock.

Not here: the rules themselves (declare/retention.py), telling them (report/kept.py).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pipeline import settings
from pipeline.declare.retention import FILE, Retention, read_retention
from pipeline.declare.text import Text
from pipeline.errors import CheckFailed, DeclarationError
from pipeline.settings import Home
from pipeline.warehouse.aliases import every_alias_file
from pipeline.warehouse.record import (
    Entry,
    Expiry,
    append_log,
    archived,
    kept_in_archive,
    now,
    read_log,
    sha256_of,
    write_through,
)
from pipeline.warehouse.release import current, prune
from pipeline.warehouse.seals import MANIFEST, Link, read_chain, read_seals
from pipeline.warehouse.versions import FileFacts, fingerprint, version_folder

DAY = timedelta(days=1)
Files = Iterable[tuple[Entry, FileFacts]]


@dataclass
class Removed:
    """What one application removed. releases, versions: names of folders. codes, units: files of the restricted store.
    held: raw files that are due and stay, by sha256, and why."""

    releases: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    expired: list[Entry] = field(default_factory=list)
    codes: int = 0
    units: int = 0
    held: dict[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class SealedRows:
    """Conformed rows that a seal names: their folder, and the hash of each table by its file name."""

    seal: str
    folder: str
    tables: dict[str, str]


@dataclass(frozen=True)
class Needs:
    """What must stay. rows: sha256 of a raw file → what the seals say of it. declarations: hashes of every source.toml
    and alias file that counted once. seals: how many there are. unread: one is gone or is not as it was sealed, so that
    nobody knows what it needs."""

    rows: dict[str, list[SealedRows]]
    declarations: frozenset[str]
    seals: int
    unread: bool

    def seals_of(self, sha256: str) -> list[str]:
        return list(dict.fromkeys(one.seal for one in self.rows.get(sha256, [])))


def policy(home: Home) -> Retention:
    """The rules that hold here. Raises DeclarationError where the office's own file is broken."""
    return read_retention(home.raw / FILE)


def releases_kept(rules: Retention) -> int:
    """How many releases stay: the environment's word goes before the declared one."""
    return settings.keep_releases() or rules.releases


def kept_rows(home: Home, sha256: str, conformed: str) -> Path | None:
    """The folder of conformed rows that stand in the archive for an expired file, by the name of their folder in
    versions/ (as a seal names it); None where there are none."""
    folder = kept_in_archive(home, sha256, conformed)
    return folder if (folder / "file.json").exists() else None


def expired(home: Home, sha256: str) -> str | None:
    """When (UTC) a raw file expired by policy; None where it did not."""
    return next((e.expired_at for e in read_log(home) if e.sha256 == sha256 and e.expired_at), None)


def needs(home: Home, entries: list[Entry] | None = None) -> Needs:
    """What the log and the seals need. entries: those of the log, where they were read already."""
    rows: dict[str, list[SealedRows]] = {}
    links, unread = _chain(home)
    seals = read_seals(home) if links else []
    log = read_log(home) if entries is None else entries
    kept = {e.source_toml for e in log} | every_alias_file(home) | {s.unit_aliases for s in seals}
    for seal in seals:
        for file in seal.files:
            kept.add(file.source_toml)
            told = SealedRows(f"{seal.period} ({seal.version})", file.conformed, file.rows_sha256)
            rows.setdefault(file.sha256, []).append(told)
    return Needs(rows, frozenset(filter(None, kept)), len(links), unread or len(seals) < len(links))


def _chain(home: Home) -> tuple[list[Link], bool]:
    """The chain, and whether something about it or a manifest is not as it was sealed; what is published knows the last
    seal, where the chain was cut."""
    try:
        links = read_chain(home)
    except CheckFailed:
        return [], True
    shown = current(home)
    if shown and shown.seals and shown.seals not in {link.sha256 for link in links}:
        return links, True
    for link in links:
        manifest = home.seals / link.folder / MANIFEST
        if not manifest.exists() or sha256_of(manifest) != link.sha256:
            return links, True
    return links, False


def due_on(taken_at: str, days: int | None) -> datetime | None:
    """When something that came with a file is due to go, by the days since the file's intake; None: never. Not by
    known_at, which a source of historical files sets years back: what came yesterday would be gone today."""
    return None if days is None else datetime.fromisoformat(taken_at) + days * DAY


def is_due(taken_at: str, days: int | None) -> bool:
    due = due_on(taken_at, days)
    return due is not None and due <= now()


def why_held(home: Home, sha256: str, need: Needs) -> Text | None:
    """Why the bytes of a raw file must stay although they are due; None where they may go."""
    if need.unread:
        return Text("có bản chốt bị sửa hoặc không còn", "a seal was changed or is gone")
    if sha256 in need.declarations:
        return Text("cũng là một tệp khai báo đã dùng", "it is also a declaration that was used")
    for one in need.rows.get(sha256, []):
        folder = kept_rows(home, sha256, one.folder) or home.versions / one.folder
        if not _holds(folder, one.tables):
            return Text(
                f"bản chốt {one.seal} cần: các dòng mà bản chốt ghi không còn nguyên ở đây",
                f"seal {one.seal} needs it: the rows that the seal names do not stand here unchanged",
            )
    return None


def apply(home: Home, files: Files) -> Removed:
    """Removes what the policy lets go; files: those of the intake, with their facts. What is in use stays for another
    time, and so does everything where the office's own rules are broken (arrival tells it)."""
    done = Removed()
    try:
        rules = policy(home)
        _apply(home, rules, {entry.sha256: facts for entry, facts in files}, done)
    except (DeclarationError, OSError):
        return done
    return done


def _apply(home: Home, rules: Retention, facts: dict[str, FileFacts], done: Removed) -> None:
    done.releases = prune(home, releases_kept(rules))
    entries = read_log(home)
    need = needs(home, entries)
    _expire(home, rules, entries, facts, need, done)
    used = {one.folder.name for one in facts.values()} | names_in_use(home, entries)
    _drop_versions(home, rules.versions_days, used, need, done)
    taken = {e.sha256: e.taken_at for e in entries}
    done.codes = _drop_hidden(home.codes, rules.dossier_codes_days, taken)
    done.units = _drop_hidden(home.unit_names, rules.unit_names_days, taken)


# ---- raw files


def _expire(
    home: Home, rules: Retention, entries: list[Entry], facts: dict[str, FileFacts], need: Needs, done: Removed
) -> None:
    why = f"raw_files_days = {rules.raw_files_days}" + (f": {rules.reason}" if rules.reason else "")
    gone = {e.sha256 for e in entries if e.expired_rows}
    for entry in entries:
        raw = archived(home, entry.sha256)
        if not (entry.expired_rows or is_due(entry.taken_at, rules.raw_files_days)) or not raw.exists():
            continue
        held = why_held(home, entry.sha256, need)
        if not held and not entry.expired_rows and entry.sha256 not in facts:
            held = Text("hiện không đọc được", "it cannot be read today")
        if not held and not entry.expired_rows and sha256_of(raw) != entry.sha256:
            held = Text("đã bị sửa: giữ làm chứng", "it was changed: kept as evidence")
        if held:
            done.held[entry.sha256] = held
            continue
        try:
            if not entry.expired_rows:
                folder = facts[entry.sha256].folder
                _keep_rows(home, entry.sha256, folder, need)
                append_log(home, Expiry(entry.seq, now().isoformat(timespec="seconds"), why, folder.name))
                gone.add(entry.sha256)
            elif not kept_rows(home, entry.sha256, entry.expired_rows):
                continue  # the log says so, and the rows are gone: the bytes are all there is
            raw.unlink()
        except OSError:  # in use, or the disk is full: another time
            continue
        done.expired.append(entry)
    for left in home.archive.glob("??/*.rows"):  # of an expiry that was killed before its line in the log
        if left.stem not in gone and archived(home, left.stem).exists():
            shutil.rmtree(left, ignore_errors=True)


def _keep_rows(home: Home, sha256: str, today: Path, need: Needs) -> None:
    """Copies rows of a file into the archive: today's and those that seals name. Raises OSError where a copy differs."""
    wanted = {today.name: today} | {one.folder: home.versions / one.folder for one in need.rows.get(sha256, [])}
    for name, folder in wanted.items():
        kept = kept_in_archive(home, sha256, name)
        if not folder.is_dir():
            continue  # why_held saw it in the archive
        part = kept.with_name(name + ".part")
        for left in (part, kept):
            shutil.rmtree(left, ignore_errors=True)
        part.mkdir(parents=True)
        for path in sorted(folder.iterdir()):
            _copy(path, part / path.name)
        part.rename(kept)
    for one in need.rows.get(sha256, []):
        if not _holds(kept_in_archive(home, sha256, one.folder), one.tables):
            raise OSError(f"rows of {sha256[:12]} changed while they were copied")


def _copy(path: Path, copy: Path) -> None:
    """On disk, and equal, before this returns."""
    shutil.copyfile(path, copy)
    write_through(copy)
    if sha256_of(copy) != sha256_of(path):
        raise OSError(f"{copy.name} differs from what was copied")


def _holds(folder: Path, tables: dict[str, str]) -> bool:
    """Whether the tables stand in the folder, unchanged, with the facts of their file."""
    try:
        same = all(sha256_of(folder / name) == sha256 for name, sha256 in tables.items())
    except OSError:
        return False
    return same and (folder / "file.json").exists()


# ---- rows by old declarations, restricted texts


def names_in_use(home: Home, entries: list[Entry]) -> set[str]:
    """Folders of versions/ that today's declarations ask for, or those that a file was taken in with. entries: those of
    the log."""
    found: set[str] = set()
    if not (home.restricted / "key").exists():
        return found  # asking for a fingerprint would make a new one
    declared: dict[tuple[str, str | None], set[str]] = {}
    for entry in entries:
        by = entry.source, entry.source_toml
        if by not in declared:
            kept = archived(home, entry.source_toml) if entry.source_toml else None
            tomls = (home.raw / entry.source / "source.toml", kept)
            declared[by] = {fingerprint(home, p.read_bytes() if p and p.exists() else b"") for p in tomls}
        found |= {version_folder(home, entry.sha256, one).name for one in declared[by]}
    return found


def _drop_versions(home: Home, days: int | None, used: set[str], need: Needs, done: Removed) -> None:
    """Removes rows that no file that counts has used for so many days, and at once those that stand in the archive. A
    folder that is in use says so by its time of change. What a seal names stays: without it the raw file could not go."""
    sealed = {one.folder for told in need.rows.values() for one in told}
    in_archive = {place.name for place in home.archive.glob("??/*.rows/*") if not place.name.endswith(".part")}
    for folder in sorted(home.versions.iterdir()) if home.versions.is_dir() else []:
        try:
            age = now().timestamp() - folder.stat().st_mtime
            if folder.name in used:
                if age > DAY.total_seconds():
                    os.utime(folder, (now().timestamp(), now().timestamp()))
                continue
            old = days is not None and age > days * DAY.total_seconds() and folder.name not in sealed
            if old or folder.name in in_archive:
                (folder / "file.json").unlink(missing_ok=True)  # half a folder is no version
                shutil.rmtree(folder)
                done.versions.append(folder.name)
        except OSError:
            continue


def _drop_hidden(folder: Path, days: int | None, taken: dict[str, str]) -> int:
    """Removes the files of a restricted folder that are due; how many."""
    count = 0
    for path in sorted(folder.glob("*.parquet")) if days is not None else []:
        try:
            since = taken.get(path.stem) or datetime.fromtimestamp(path.stat().st_mtime, now().tzinfo).isoformat()
            if is_due(since, days):
                path.unlink()
                count += 1
        except OSError:
            continue
    return count
