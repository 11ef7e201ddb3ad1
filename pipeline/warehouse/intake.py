"""Taking in what is new in data/raw: conform, archive, log. A refused file changes nothing and stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.declare.sources import Source, read_source
from pipeline.declare.text import Text
from pipeline.errors import InputRefused, MotcuaError
from pipeline.settings import Home
from pipeline.warehouse.record import Entry, append_log, archive, archived, now, read_log, sha256_of
from pipeline.warehouse.versions import FileFacts, conform_file, fingerprint

NOT_EXPORTS = ("source.toml", "readme.md", "readme.txt", "thumbs.db", "desktop.ini")
Progress = Callable[[Text], None]


@dataclass
class Intake:
    """What a look at data/raw gave. files: every file that counts, with its log entry, oldest intake first."""

    taken: list[Entry] = field(default_factory=list)
    refused: list[MotcuaError] = field(default_factory=list)
    files: list[tuple[Entry, FileFacts]] = field(default_factory=list)


def exports(home: Home) -> Iterator[tuple[Path, Path]]:
    """(source folder, file) of everything in data/raw that may be an export."""
    for folder in sorted(p for p in home.raw.iterdir() if p.is_dir()) if home.raw.is_dir() else []:
        for path in sorted(folder.rglob("*")):
            hidden = any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts)
            if path.is_file() and path.name.lower() not in NOT_EXPORTS and not hidden:
                yield folder, path


def new_exports(home: Home) -> list[Path]:
    """Files in data/raw whose bytes were never taken in."""
    known = {e.sha256 for e in read_log(home)}
    return [path for _, path in exports(home) if sha256_of(path) not in known]


def take_in(home: Home, progress: Progress = lambda _: None) -> Intake:
    """Takes in what is new, and conforms anew what changed declarations ask for. Refusals are collected."""
    result = Intake()
    result.refused += _stray_files(home)
    known = {e.sha256: e for e in read_log(home)}
    sources: dict[str, tuple[Source, bytes]] = {}
    broken: set[str] = set()
    for folder, path in exports(home):
        if folder.name in broken:
            continue
        name = path.relative_to(folder).as_posix()
        try:
            if folder.name not in sources:
                sources[folder.name] = read_source(folder), _source_toml(folder)
            sha256 = _bytes_of(path, f"{folder.name}/{name}")
            if sha256 not in known:
                progress(Text(f"Đọc {folder.name}/{name}", f"Reading {folder.name}/{name}"))
                known[sha256] = _take(home, folder, name, sha256, *sources[folder.name], len(known) + 1)
                result.taken.append(known[sha256])
            elif (known[sha256].source, known[sha256].name) != (folder.name, name):
                same = f"{known[sha256].source}/{known[sha256].name}"
                progress(
                    Text(
                        f"{folder.name}/{name}: nội dung y hệt {same}, chỉ tính một lần",
                        f"{folder.name}/{name}: the same bytes as {same}, counted once",
                    )
                )
        except MotcuaError as error:
            if folder.name not in sources:
                broken.add(folder.name)
            result.refused.append(error)
    for entry in sorted(known.values(), key=lambda e: e.seq):
        if entry.source in broken:
            # its declaration is broken today; what it gave before was conformed by the one in the archive
            sources[entry.source] = _kept_source(home, entry)
        source, toml = sources.get(entry.source) or _kept_source(home, entry)
        try:
            facts = _kept_facts(home, entry, source, toml)
        except InputRefused:
            # today's declaration no longer reads the file: the one it was taken in with still does
            facts = _kept_facts(home, entry, *_kept_source(home, entry))
        result.files.append((entry, facts))
    return result


def _kept_facts(home: Home, entry: Entry, source: Source, toml: bytes) -> FileFacts:
    """What is known of a file in the archive, conformed by a declaration (kept: at once)."""
    taken_at = datetime.fromisoformat(entry.taken_at)
    path = archived(home, entry.sha256)
    return conform_file(home, path, entry.sha256, entry.name, source, fingerprint(home, toml), taken_at)


def _take(home: Home, folder: Path, name: str, sha256: str, source: Source, toml: bytes, seq: int) -> Entry:
    """Conforms, then archives, then logs: a crash in between leaves nothing that counts."""
    path, taken_at = folder / name, now()
    facts = conform_file(home, path, sha256, name, source, fingerprint(home, toml), taken_at)
    if sha256_of(path) != sha256:
        raise InputRefused(
            Text("Tệp đang được ghi.", "The file is still being written."),
            where=f"{source.key}/{name}",
            todo=Text("Sẽ được đọc ở lần chạy sau.", "It will be read by the next run."),
        )
    archive(home, path, sha256)
    toml_sha = None
    if toml:
        toml_path = folder / "source.toml"
        toml_sha = sha256_of(toml_path)
        archive(home, toml_path, toml_sha)
    local = taken_at.astimezone(ZoneInfo(source.time_zone)).replace(tzinfo=None, microsecond=0)
    known_at = min(facts.exported_at, local) if source.known_at == "exported" else local
    entry = Entry(
        seq,
        taken_at.isoformat(),
        known_at.isoformat(sep=" "),
        sha256,
        source.key,
        name,
        path.stat().st_size,
        toml_sha,
    )
    append_log(home, entry)
    return entry


def _bytes_of(path: Path, where: str) -> str:
    """The sha256 of a file in data/raw, which may be locked by whoever has it open, or gone again."""
    try:
        return sha256_of(path)
    except OSError as error:
        raise InputRefused(
            Text("Không đọc được tệp.", "The file cannot be read."),
            where=where,
            found=Text(type(error).__name__, type(error).__name__),
            todo=Text(
                "Đóng tệp ở chương trình khác, xem quyền đọc.", "Close it in other programs; see that it may be read."
            ),
        ) from None


def _source_toml(folder: Path) -> bytes:
    path = folder / "source.toml"
    return path.read_bytes() if path.exists() else b""


def _kept_source(home: Home, entry: Entry) -> tuple[Source, bytes]:
    """The declaration with which a file was taken in, from the archive."""
    if entry.source_toml is None:
        return Source(entry.source, entry.source), b""
    kept = archived(home, entry.source_toml)
    return read_source(kept.parent, kept, entry.source), kept.read_bytes()


def _stray_files(home: Home) -> list[MotcuaError]:
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
        if path.is_file() and path.name.lower() not in NOT_EXPORTS and not path.name.startswith(".")
    ]
