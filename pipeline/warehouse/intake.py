"""Taking in what is new in data/raw: conform, archive, log. A refused file changes nothing and stops no other.

Not here: what lies in data/raw and may be read (arrival.py), taking a file back (withdrawal.py).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from pipeline.conform.return_rows import RETURN_SCHEMA
from pipeline.conform.rows import row_schema
from pipeline.conform.summaries import REPORTED_SCHEMA
from pipeline.declare.moments import HOME_ZONE
from pipeline.declare.sources import Source, read_source
from pipeline.declare.text import Text
from pipeline.errors import DeclarationError, InputRefused, MotcuaError
from pipeline.settings import Home
from pipeline.warehouse.aliases import NO_ALIASES, Aliases, kept_aliases, last_aliases, take_aliases
from pipeline.warehouse.arrival import (
    BY_CHANGE,
    broken_rules,
    exports,
    has_exports,
    still_written,
    stray_files,
    waiting_by_name,
)
from pipeline.warehouse.reading import Arrival, StillWritten, bytes_of, conformed, read_arrival, several_readers
from pipeline.warehouse.record import (
    Entry,
    append_log,
    archive,
    archived,
    kept_in_archive,
    read_log,
    sha256_of,
)
from pipeline.warehouse.seen import Seen
from pipeline.warehouse.versions import FileFacts, fingerprint, read_facts, version_folder

Progress = Callable[[Text], None]


@dataclass
class Intake:
    """What a look at data/raw gave. files: every file that counts, with its log entry, oldest intake first;
    withdrawn: likewise those that were taken back. waiting: files that still arrive, and what shows it. aliases: what
    names of units mean here."""

    taken: list[Entry] = field(default_factory=list)
    refused: list[MotcuaError] = field(default_factory=list)
    waiting: list[tuple[str, Text]] = field(default_factory=list)
    files: list[tuple[Entry, FileFacts]] = field(default_factory=list)
    withdrawn: list[tuple[Entry, FileFacts]] = field(default_factory=list)
    aliases: Aliases = NO_ALIASES

    @property
    def all_files(self) -> list[tuple[Entry, FileFacts]]:
        return sorted(self.files + self.withdrawn, key=lambda f: f[0].seq)

    @property
    def rows(self) -> int:
        """Of all files."""
        return sum(facts.rows_in for _, facts in self.files + self.withdrawn)


def new_exports(home: Home) -> list[Path]:
    """Files in data/raw whose bytes were never taken in."""
    known, seen = {e.sha256 for e in read_log(home)}, Seen(home)
    return [path for _, path in exports(home) if seen.sha256_of(path) not in known]


def take_in(home: Home, progress: Progress = lambda _: None) -> Intake:
    """Takes in what is new, and conforms anew what changed declarations ask for. Refusals are collected."""
    result = Intake(refused=stray_files(home) + broken_rules(home))
    result.aliases, broken_aliases = take_aliases(home)
    result.refused += [broken_aliases] if broken_aliases else []
    _wait(home, result, progress)
    known, seen = {e.sha256: e for e in read_log(home)}, Seen(home)
    by_place = {e.place: e for e in known.values()}
    sources: dict[str, tuple[Source, bytes]] = {}
    broken: set[str] = set()
    arriving: dict[str, Arrival] = {}
    again: list[Arrival] = []
    found = list(exports(home))
    growing = still_written([path for _, path in found])
    for folder, path in found:
        if folder.name in broken:
            continue
        place = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        if path in growing:
            _tell_waiting(result, progress, place, BY_CHANGE)
            continue
        try:
            if folder.name not in sources:
                sources[folder.name] = read_source(folder), _source_toml(folder)
            sha256 = bytes_of(path, place, seen)
            arrival = Arrival(folder, path, sha256, seen.stamp_of(path), *sources[folder.name])
            if arrival.sha256 in known or arrival.sha256 in arriving:
                again.append(arrival)
            else:
                arriving[arrival.sha256] = arrival
        except MotcuaError as error:
            if folder.name not in sources:
                broken.add(folder.name)
            result.refused.append(error)
    seen.keep()
    with several_readers() as readers:
        read = {sha256: readers.submit(read_arrival, home, arrival) for sha256, arrival in arriving.items()}
        for arrival in [*arriving.values(), *again]:
            _receive(home, arrival, read.get(arrival.sha256), known, by_place, result, progress)
    result.refused += _declared_today(home, {e.source for e in known.values()}, sources, broken)
    _conform_known(home, list(known.values()), sources, broken, result, progress)
    return result


def recorded(home: Home, known_by: datetime | None = None) -> Intake:
    """What the record holds, data/raw left alone; known_by: as it was known then. What the files mean (declarations of
    sources, aliases of units) is as it is today."""
    result = Intake(aliases=kept_aliases(home, last_aliases(home)))
    entries = read_log(home, known_by)
    sources: dict[str, tuple[Source, bytes]] = {}
    broken: set[str] = set()
    _declared_today(home, {e.source for e in entries}, sources, broken)
    _conform_known(home, entries, sources, broken, result)
    return result


def _declared_today(
    home: Home, keys: set[str], sources: dict[str, tuple[Source, bytes]], broken: set[str]
) -> list[DeclarationError]:
    """Adds what sources declare today: those with a source.toml, or with exports beside which there is none any more.
    Of the others (their folder was cleared, or is on another machine) what they declared last in the archive counts.
    What cannot be read goes to `broken`, and is returned."""
    errors = []
    for key in sorted(keys - sources.keys() - broken):
        folder = home.raw / key
        if not (folder / "source.toml").exists() and not has_exports(home, key):
            continue
        try:
            sources[key] = read_source(folder), _source_toml(folder)
        except DeclarationError as error:
            broken.add(key)
            errors.append(error)
    return errors


def _conform_known(
    home: Home,
    entries: list[Entry],
    sources: dict[str, tuple[Source, bytes]],
    broken: set[str],
    result: Intake,
    progress: Progress = lambda _: None,
) -> None:
    declared = {key: fingerprint(home, toml) for key, (_, toml) in sources.items() if key not in broken}
    with several_readers() as readers:
        read: list[tuple[Entry, FileFacts | Future[FileFacts]]] = []
        again = 0
        for entry in sorted(entries, key=lambda e: e.seq):
            standing = _standing_facts(home, entry, declared)
            read.append((entry, standing or readers.submit(_facts, home, entry, sources, broken)))
            again += not (standing or entry.expired_rows) and entry.source in declared
        _tell_again(progress, again)
        for entry, facts in read:
            try:
                known = facts if isinstance(facts, FileFacts) else facts.result()
                (result.files if entry.counts else result.withdrawn).append((entry, known))
            except MotcuaError as error:  # what is in the archive is read no more: it is said, and the others go on
                result.refused.append(error)


def _same_bytes_elsewhere(entry: Entry, arrival: Arrival) -> None:
    """The same bytes in another source are one file, unless this source says whose they are: an empty register of one
    unit may be the very file of another's. Raises InputRefused."""
    if entry.source != arrival.folder.name and arrival.source.unit:
        raise InputRefused(
            Text("Nội dung y hệt tệp của nguồn khác.", "The same bytes as a file of another source."),
            where=arrival.place,
            found=Text(entry.place, entry.place),
            todo=Text(
                "Nếu tệp thật sự của đơn vị này (sổ không phát sinh): thêm tên đơn vị vào dòng tiêu đề; nếu chép nhầm: xóa đi.",
                "If it really is this unit's (nothing arose): write the unit's name into a title row; else delete it.",
            ),
        )


# ---- telling


def _wait(home: Home, result: Intake, progress: Progress) -> None:
    for path, why in waiting_by_name(home):
        _tell_waiting(result, progress, path.relative_to(home.raw).as_posix(), why)


def _tell_waiting(result: Intake, progress: Progress, place: str, why: Text) -> None:
    result.waiting.append((place, why))
    progress(Text(f"{place}: chờ lần chạy sau, {why.vi}", f"{place}: waits for the next run, {why.en}"))


def _tell_known(progress: Progress, entry: Entry, place: str) -> None:
    """The same bytes again: of a file that was taken back, or of one with another name."""
    if not entry.counts:
        day = f"{entry.withdrawn_at:.10}"
        progress(
            Text(
                f"{place}: nội dung của tệp {entry.place} đã rút ngày {day}, không nhận lại (motcua withdraw --undo)",
                f"{place}: the bytes of {entry.place}, withdrawn on {day}, not taken in again (motcua withdraw --undo)",
            )
        )
    elif entry.place != place:
        progress(
            Text(
                f"{place}: nội dung y hệt {entry.place}, chỉ tính một lần",
                f"{place}: the same bytes as {entry.place}, counted once",
            )
        )


def _tell_new(progress: Progress, before: Entry | None, place: str) -> None:
    """before: the newest file that was taken in from this place."""
    if before is None:
        progress(Text(f"Đọc {place}", f"Reading {place}"))
    else:
        day = f"{before.known_at:.16}"
        progress(
            Text(
                f"Đọc {place}: nội dung mới của tệp đã nhận ({day})",
                f"Reading {place}: new bytes of a file taken in before ({day})",
            )
        )


def _tell_again(progress: Progress, files: int) -> None:
    """After an update of the program this is the night's longest part."""
    if files:
        progress(
            Text(
                f"Đọc lại {files} tệp đã nhận (chương trình hoặc khai báo của nguồn đã đổi)",
                f"Taken in before, read again: {files} (the program or the source's declaration changed)",
            )
        )


# ---- one file


def _standing_facts(home: Home, entry: Entry, declared: dict[str, str]) -> FileFacts | None:
    """What is known of a file whose rows stand as today's declaration (source → fingerprint) has them: nearly all there
    are, each night. None where more must be looked at."""
    if entry.expired_rows or entry.source not in declared:
        return None
    try:
        return read_facts(version_folder(home, entry.sha256, declared[entry.source]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _facts(home: Home, entry: Entry, sources: dict[str, tuple[Source, bytes]], broken: set[str]) -> FileFacts:
    """What is known of a file in the archive, by today's declaration or, where that no longer reads it, its own; of one
    that expired what its kept rows tell, whatever is declared today."""
    if entry.expired_rows:
        return _expired_facts(home, entry, entry.expired_rows)
    if entry.source in broken:
        # its declaration is broken today; what it gave before was conformed by the one in the archive
        sources[entry.source] = _kept_source(home, entry)
    source, toml = sources.get(entry.source) or _kept_source(home, entry)
    try:
        return _kept_facts(home, entry, source, toml)
    except InputRefused:
        # today's declaration no longer reads the file: the one it was taken in with still does
        return _kept_facts(home, entry, *_kept_source(home, entry))


def _expired_facts(home: Home, entry: Entry, conformed: str) -> FileFacts:
    """What the rows kept in place of an expired file tell. Raises InputRefused where they are gone, or were made by a
    program whose tables had other columns: that refuses this file by name, and does not break the build of all."""
    folder = kept_in_archive(home, entry.sha256, conformed)
    try:
        facts = read_facts(folder)
        kept = {"rows": {*row_schema(), "sheet"}, "reported": {*REPORTED_SCHEMA}}
        kept |= {"returns": {*RETURN_SCHEMA}} if facts.returned else {}
        for name, columns in kept.items():
            with (folder / f"{name}.parquet").open("rb") as stream:  # a path may hold what a pattern holds
                if set(pl.read_parquet_schema(stream)) != columns:
                    raise ValueError(f"columns of {name}.parquet")
        return facts
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise InputRefused(
            Text(
                "Tệp gốc đã hết hạn lưu, và các dòng giữ lại của nó không đọc được.",
                "The raw file has expired, and the rows that were kept of it cannot be read.",
            ),
            where=entry.place,
            found=Text(*(f"{conformed}: {type(error).__name__}",) * 2),
            todo=Text(
                "Lấy lại thư mục .rows của tệp trong archive/ từ bản sao lưu.",
                "Take the file's .rows folder in archive/ back from a backup.",
            ),
        ) from None


def _kept_facts(home: Home, entry: Entry, source: Source, toml: bytes) -> FileFacts:
    """What is known of a file in the archive, conformed by a declaration (kept: at once)."""
    taken_at = datetime.fromisoformat(entry.taken_at)
    path = archived(home, entry.sha256)
    return conformed(home, path, entry.sha256, entry.name, source, fingerprint(home, toml), taken_at)


def _receive(
    home: Home,
    arrival: Arrival,
    read: Future[tuple[FileFacts, datetime]] | None,
    known: dict[str, Entry],
    by_place: dict[str, Entry],
    result: Intake,
    progress: Progress,
) -> None:
    """Takes in a file that was read; one whose bytes are known is only spoken of."""
    try:
        if entry := known.get(arrival.sha256):
            _same_bytes_elsewhere(entry, arrival)
            _tell_known(progress, entry, arrival.place)
            return
        _tell_new(progress, by_place.get(arrival.place), arrival.place)
        facts, taken_at = read.result() if read else read_arrival(home, arrival)
        entry = _keep(home, arrival, facts, taken_at, len(known) + 1)
        known[arrival.sha256] = by_place[entry.place] = entry
        result.taken.append(entry)
    except StillWritten:
        _tell_waiting(result, progress, arrival.place, BY_CHANGE)
    except MotcuaError as error:
        result.refused.append(error)


def _keep(home: Home, arrival: Arrival, facts: FileFacts, taken_at: datetime, seq: int) -> Entry:
    """Archives, then logs: a crash before leaves nothing that counts."""
    source, path, sha256 = arrival.source, arrival.path, arrival.sha256
    archive(home, path, sha256)
    toml_sha = None
    if arrival.toml:
        toml_path = arrival.folder / "source.toml"
        toml_sha = sha256_of(toml_path)
        archive(home, toml_path, toml_sha)
    known = taken_at
    if source.known_at == "exported":
        known = min(facts.exported_at.replace(tzinfo=ZoneInfo(source.time_zone)), taken_at)
    known_at = known.astimezone(ZoneInfo(HOME_ZONE)).replace(tzinfo=None, microsecond=0)
    entry = Entry(
        seq,
        taken_at.isoformat(),
        known_at.isoformat(sep=" "),
        sha256,
        source.key,
        arrival.name,
        path.stat().st_size,
        toml_sha,
    )
    append_log(home, entry)
    return entry


def _source_toml(folder: Path) -> bytes:
    path = folder / "source.toml"
    return path.read_bytes() if path.exists() else b""


def _kept_source(home: Home, entry: Entry) -> tuple[Source, bytes]:
    """The declaration with which a file was taken in, from the archive."""
    if entry.source_toml is None:
        return Source(entry.source, entry.source), b""
    kept = archived(home, entry.source_toml)
    return read_source(kept.parent, kept, entry.source), kept.read_bytes()
