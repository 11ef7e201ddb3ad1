"""The record as one file, and back: intake log, archive, seals, restricted store with its key, and the declarations
that the office wrote beside its files (source.toml, unit_aliases.csv, retention.toml), without which the same files
would not mean the same.

A backup is a tar, packed with gzip: the record's files by name under `record/`, the declarations under `declared/`, and
at the end `manifest.json` with the hash of each. It is written and read under the build lock. Restoring is all or
nothing: everything is unpacked apart and checked, then the folder gets the name by which restoring.py finishes it.

Not here: what is made from the record (versions, releases): the next run makes it again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pipeline import __version__
from pipeline.declare import aliases, retention
from pipeline.declare.text import Text
from pipeline.errors import InputRefused, WrongUse
from pipeline.settings import Home
from pipeline.warehouse.arrival import exports
from pipeline.warehouse.keeping import needs
from pipeline.warehouse.lock import one_build
from pipeline.warehouse.record import archived, now, read_log
from pipeline.warehouse.restoring import DECLARED, HIDDEN, RECORD, finish_restore, restored

MANIFEST = "manifest.json"
KIND = "motcua backup"
FORMAT = 1
PACKING = 3  # of gzip: registers shrink, what is packed already costs little time
BLOCK = 1 << 20
MOST_MANIFEST = 500_000_000
WAIT_SECONDS = 60.0
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # names that Windows keeps for itself


@dataclass
class Saved:
    """What a backup or a restore held. damaged: files of the archive that are not, or no longer, what their names say."""

    file: Path
    files: int = 0
    bytes: int = 0
    sealed: int = 0
    damaged: list[str] = field(default_factory=list)


# ---- backup


def backup(home: Home, file: Path, force: bool = False) -> Saved:
    """Writes the whole record to a file, readable by its owner only. Raises WrongUse: there is no record, the place is
    in the data's own folders, or the file exists (unless `force`)."""
    file = file.expanduser().absolute()
    _may_write(home, file, force)
    part = file.with_name(f".{file.name}.part")
    with one_build(home, WAIT_SECONDS):
        if not home.intake_log.exists():
            raise _no_record(home)
        part.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _binary(), 0o600), "wb") as stream:
                saved = _write(home, file, stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(part, file)
        finally:
            part.unlink(missing_ok=True)
    return saved


def _may_write(home: Home, file: Path, force: bool) -> None:
    for folder in (home.raw, home.warehouse):
        if file.resolve().is_relative_to(folder.resolve()):
            raise WrongUse(
                Text(
                    "Bản sao lưu không được nằm trong thư mục dữ liệu.", "A backup must not lie in the data's folders."
                ),
                where=str(file),
                todo=Text("Ghi sang ổ đĩa hoặc máy khác.", "Write it to another disk or machine."),
            )
    if file.is_dir() or not file.parent.is_dir():
        raise WrongUse(
            Text("Không ghi được tệp ở đây.", "No file can be written here."),
            where=str(file),
            expected=Text("một tệp trong thư mục có sẵn", "a file in a folder that exists"),
        )
    if file.exists() and not force:
        raise WrongUse(
            Text("Tệp này đã có.", "This file exists."),
            where=str(file),
            todo=Text(
                "Chọn tên khác, hoặc thêm --force để ghi đè.", "Choose another name, or add --force to replace it."
            ),
        )


def _no_record(home: Home) -> WrongUse:
    return WrongUse(
        Text("Chưa có gì để sao lưu: chưa nhận tệp nào.", "There is nothing to back up: no file was taken in."),
        where=str(home.warehouse),
        todo=Text("Chạy trước: motcua run", "First run: motcua run"),
    )


def _binary() -> int:
    return getattr(os, "O_BINARY", 0)


def members(home: Home) -> Iterator[tuple[str, Path | None]]:
    """(name in the backup, file) of everything that goes in, in the order of names; None: an empty declaration, of a
    source beside whose exports there is none any more. What a crash left half written stays out."""
    found: dict[str, Path | None] = {}
    for item in RECORD:
        top = home.warehouse / item
        if top.is_file():
            found[f"record/{item}"] = top
        for folder, _, names in os.walk(top):
            place = Path(folder).relative_to(home.warehouse).as_posix()
            found |= {f"record/{place}/{name}": Path(folder) / name for name in names}
    for path in (home.raw / aliases.FILE, home.raw / retention.FILE, *home.raw.glob("*/source.toml")):
        if path.is_file():
            found[f"declared/{path.relative_to(home.raw).as_posix()}"] = path
    for key in {folder.name for folder, _ in exports(home)} & {e.source for e in read_log(home) if e.source_toml}:
        found.setdefault(f"declared/{key}/source.toml", None)
    for name in sorted(found):
        if not any(step.endswith(".part") for step in name.split("/")):
            yield name, found[name]


def _write(home: Home, file: Path, stream: BinaryIO) -> Saved:
    need = needs(home)
    saved = Saved(file, sealed=need.seals)
    told: list[dict[str, Any]] = []
    with (
        gzip.GzipFile("", "wb", PACKING, stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in members(home):
            size = path.stat().st_size if path else 0
            with path.open("rb") if path else io.BytesIO() as source:
                hashing = _Hashing(source)
                tar.addfile(_member(name, size), hashing)
                if source.read(1):
                    raise OSError(f"{name} grew while it was read")
            sha256 = hashing.digest.hexdigest()
            told.append({"name": name, "size": size, "sha256": sha256})
            saved.files, saved.bytes = saved.files + 1, saved.bytes + size
            if re.fullmatch(r"record/archive/../[0-9a-f]{64}", name) and name[-64:] != sha256:
                saved.damaged.append(name)
        manifest = {
            "kind": KIND,
            "format": FORMAT,
            "motcua": __version__,
            "made_at": now().isoformat(timespec="seconds"),
            "files": told,
        }
        content = json.dumps(manifest, ensure_ascii=False, indent=0).encode() + b"\n"
        tar.addfile(_member(MANIFEST, len(content)), io.BytesIO(content))
    if not (home.restricted / "key").exists():
        saved.damaged.append("record/restricted/key")
    if need.unread:
        saved.damaged.append("record/seals (motcua seal --verify)")
    saved.damaged += [
        f"{e.place} ({e.sha256[:12]})"
        for e in read_log(home)
        if not e.expired_at and not archived(home, e.sha256).exists()
    ]
    return saved


def _member(name: str, size: int) -> tarfile.TarInfo:
    """The same for the same content: no owner, no time."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info


class _Hashing(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, source: BinaryIO) -> None:
        self.source, self.digest = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self.source.read(size)
        self.digest.update(block)
        return block


# ---- restore


def restore(home: Home, file: Path) -> Saved:
    """Puts the record of a backup into a home without one. Raises WrongUse: there is a record, or declarations that
    differ; InputRefused naming the member: the backup is truncated, altered or not one. Then nothing is changed."""
    if not file.is_file():
        raise WrongUse(Text("Không có tệp này.", "There is no such file."), where=str(file))
    with one_build(home, WAIT_SECONDS):
        _must_be_empty(home)
        apart = home.warehouse / "restoring"
        shutil.rmtree(apart, ignore_errors=True)
        apart.mkdir(parents=True, mode=0o700)
        try:
            saved = _unpack(file, apart)
            _must_agree(home, apart / DECLARED)
            os.replace(apart, restored(home))
        finally:
            shutil.rmtree(apart, ignore_errors=True)
        finish_restore(home)
        saved.sealed = needs(home).seals
    return saved


def _must_be_empty(home: Home) -> None:
    for item in RECORD:
        top = home.warehouse / item
        if top.is_file() or (top.is_dir() and any(path.is_file() for path in top.rglob("*"))):
            raise WrongUse(
                Text(
                    "Ở đây đã có hồ sơ gốc; khôi phục không bao giờ ghi đè.",
                    "There is a record here already; restoring never replaces one.",
                ),
                where=str(top),
                todo=Text(
                    "Dùng thư mục khác (--home), hoặc tự chuyển data/warehouse đi nơi khác trước.",
                    "Use another folder (--home), or first move data/warehouse away yourself.",
                ),
            )


def _must_agree(home: Home, declared: Path) -> None:
    for path in sorted(declared.rglob("*")) if declared.is_dir() else []:
        own = home.raw / path.relative_to(declared)
        if path.is_file() and own.exists() and (not own.is_file() or own.read_bytes() != path.read_bytes()):
            raise WrongUse(
                Text(
                    "Khai báo ở đây khác với khai báo trong bản sao lưu.",
                    "A declaration here differs from the one in the backup.",
                ),
                where=f"data/raw/{path.relative_to(declared).as_posix()}",
                todo=Text(
                    "Chuyển tệp ở đây đi nơi khác rồi khôi phục; sau đó sửa lại nếu cần.",
                    "Move the file here away, then restore; change it afterwards if need be.",
                ),
            )


def _unpack(file: Path, apart: Path) -> Saved:
    """Unpacks and checks every member. Raises InputRefused."""
    saved, at = Saved(file), Text("đầu tệp", "the start of the file")
    found: dict[str, tuple[int, str]] = {}
    manifest: bytes | None = None
    free = shutil.disk_usage(apart).free
    try:
        with gzip.open(file) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
            for info in tar:
                at = Text(info.name, info.name)
                if manifest is not None:
                    raise _refused(file, info.name, Text("đứng sau bảng kê", "it stands after the manifest"))
                if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.issparse():
                    raise _refused(file, info.name, Text("không phải tệp thường", "it is no plain file"))
                source: Any = tar.extractfile(info)
                if info.name == MANIFEST and info.size <= MOST_MANIFEST:
                    manifest = source.read()
                    continue
                _check_name(file, info.name, found)
                saved.files, saved.bytes = saved.files + 1, saved.bytes + info.size
                if saved.bytes > free:
                    raise _refused(file, info.name, Text("không đủ chỗ trên đĩa", "there is no room on the disk"))
                found[info.name] = info.size, _unpack_one(source, apart / info.name, info.name.split("/")[1] in HIDDEN)
            while packed.read(BLOCK):  # to the end, where gzip keeps its own sum
                pass
        for folder in (apart / "record" / item for item in HIDDEN):
            for place in (folder, *folder.rglob("*")) if folder.is_dir() and os.name == "posix" else ():
                if place.is_dir():
                    place.chmod(0o700)
    except (FileExistsError, NotADirectoryError):
        raise _refused(file, at, Text("trùng với tệp khác", "it stands where another file does")) from None
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        why = type(error).__name__
        raise _refused(file, at, Text(f"hỏng hoặc bị cắt cụt ({why})", f"broken or cut short ({why})")) from None
    _check_manifest(file, manifest, found)
    return saved


def _check_name(file: Path, name: str, found: dict[str, tuple[int, str]]) -> None:
    """Names that stay inside, on every system: of the record or of its declarations, each once."""
    steps = name.split("/")
    harmless = all(
        step not in ("", ".", "..")
        and not re.search(r'[\\:*?"<>|\x00-\x1f]', step)
        and not step.endswith((".", " "))
        and not DEVICES.fullmatch(step)
        for step in steps
    )
    ours = (steps[0] == "record" and len(steps) > 1 and steps[1] in RECORD) or (
        steps[0] == DECLARED
        and (
            name[len(DECLARED) + 1 :] in (aliases.FILE, retention.FILE)
            or (len(steps) == 3 and steps[2] == "source.toml")
        )
    )
    if not harmless or not ours:
        raise _refused(file, name, Text("tên không thuộc bản sao lưu", "a name that no backup has"))
    if name in found:
        raise _refused(file, name, Text("có hai lần", "it is there twice"))


def _unpack_one(source: BinaryIO, path: Path, hidden: bool) -> str:
    """Writes a member; its hash. hidden: for its owner only, as the folder that holds it (all of `apart` is, till then)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    mode = 0o600 if hidden else 0o666  # less what the user's umask takes away
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _binary(), mode), "wb") as stream:
        while block := source.read(BLOCK):
            digest.update(block)
            stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


def _check_manifest(file: Path, manifest: bytes | None, found: dict[str, tuple[int, str]]) -> None:
    if manifest is None:
        last = next(reversed(found), "–")
        raise _refused(file, MANIFEST, Text(f"thiếu; tệp cuối: {last}", f"missing; the last file: {last}"))
    try:
        node = json.loads(manifest)
        told = {one["name"]: (one["size"], one["sha256"]) for one in node["files"]}
        if node["kind"] != KIND or node["format"] != FORMAT:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise _refused(file, MANIFEST, Text("không đọc được", "it cannot be read")) from None
    for name in sorted(told.keys() | found.keys()):
        if name not in found:
            raise _refused(file, name, Text("có trong bảng kê mà thiếu", "the manifest names it, and it is missing"))
        if name not in told:
            raise _refused(file, name, Text("không có trong bảng kê", "the manifest does not name it"))
        if told[name] != found[name]:
            raise _refused(file, name, Text("nội dung khác bảng kê", "its content is not what the manifest says"))
    if "record/intake.jsonl" not in found:
        raise _refused(file, "record/intake.jsonl", Text("thiếu", "missing"))


def _refused(file: Path, member: str | Text, why: Text) -> InputRefused:
    name = member if isinstance(member, Text) else Text(member, member)
    shown = Text(*("".join(c if c.isprintable() else "?" for c in text)[:200] for text in (name.vi, name.en)))
    return InputRefused(
        Text("Bản sao lưu không dùng được; chưa thay đổi gì.", "The backup cannot be used; nothing was changed."),
        where=str(file),
        found=Text(f"{shown.vi}: {why.vi}", f"{shown.en}: {why.en}"),
        todo=Text("Chép lại tệp, hoặc dùng bản sao lưu khác.", "Copy the file again, or use another backup."),
    )
