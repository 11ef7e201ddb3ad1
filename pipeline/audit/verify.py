"""Whether the record is as it was sealed: the chain, each seal's tables, the files, conformed rows and declarations.

Every fault names what was touched. Not here: whether the figures come out again (rerun.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import __version__
from pipeline.declare.text import Text
from pipeline.settings import Home
from pipeline.warehouse.keeping import expired, kept_rows
from pipeline.warehouse.record import archived, key_mark, read_log, sha256_of
from pipeline.warehouse.release import current, program_files
from pipeline.warehouse.seals import FIRST, MANIFEST, SHORT, Link, Seal, SealedFile, read_chain, read_seal


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was sealed. seal: its short hash, or of the chain its number. where: what was touched.
    blames: the file of the log (its seq) that it concerns. harmless: worth knowing, no sign that anybody touched it."""

    seal: str
    where: str
    what: Text
    blames: int | None = None
    harmless: bool = False


@dataclass
class _Hashes:
    """Hashes of files, each taken once: many seals name the same."""

    known: dict[Path, str | None] = field(default_factory=dict)

    def of(self, path: Path) -> str | None:
        if path not in self.known:
            try:
                self.known[path] = sha256_of(path)
            except OSError:
                self.known[path] = None
        return self.known[path]


def verify(home: Home, only: Iterable[Seal] | None = None) -> list[Fault]:
    """Every fault of the chain and of each seal (only: of these seals)."""
    hashes = _Hashes()
    faults: list[Fault] = []
    wanted = None if only is None else {seal.number for seal in only}
    before, links = FIRST, read_chain(home)
    release = current(home)
    if release and release.seals and release.seals not in {link.sha256 for link in links}:
        what = Text("lần chốt mà bản công bố đang dùng không còn", "the seal that the published release shows is gone")
        faults.append(Fault(release.seals[:SHORT], "seals/chain.jsonl", what))
    for place, link in enumerate(links, start=1):
        faults += _chain(link, place, before)
        before = link.sha256
        if wanted is None or link.number in wanted:
            faults += _seal(home, link, hashes)
    return faults


def changed_program(seal: Seal) -> tuple[str, ...]:
    """The program's files that are not as they were when it was sealed."""
    then, now = seal.program["files"], program_files()
    return tuple(sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name)))


def is_declaration(name: str) -> bool:
    return name.startswith("pipeline/declare/") and not name.endswith(".py")


# ---- the chain


def _chain(link: Link, place: int, before: str) -> list[Fault]:
    if link.number == place and link.previous == before:
        return []
    return [
        Fault(
            str(place),
            f"seals/chain.jsonl:{place}",
            Text("dòng không nối với lần chốt trước", "the line does not continue the seal before"),
        )
    ]


def _seal(home: Home, link: Link, hashes: _Hashes) -> list[Fault]:
    manifest = home.seals / link.folder / MANIFEST
    short = link.short
    found = hashes.of(manifest)
    if found != link.sha256:
        what = (
            Text("không còn", "is gone")
            if found is None
            else Text("bị sửa: nội dung không còn khớp mã băm", "was changed: it no longer fits its hash")
        )
        return [Fault(short, f"seals/{link.folder}/{MANIFEST}", what)]
    seal = read_seal(home, link)
    faults = [
        Fault(short, f"seals/{link.folder}/{name}", Text("bị sửa hoặc không còn", "was changed or is gone"))
        for name, told in seal.tables.items()
        if hashes.of(seal.folder / name) != told["sha256"]
    ]
    logged = {e.seq: e for e in read_log(home)}
    for file in seal.files:
        entry = logged.get(file.seq)
        if entry is None or (entry.sha256, entry.known_at, entry.place) != (file.sha256, file.known_at, file.place):
            what = Text("dòng nhật ký của tệp không còn như khi chốt", "the file's line is not what was sealed")
            faults.append(Fault(short, f"intake.jsonl ({file.place})", what, file.seq))
        faults += _file(home, seal, file, hashes)
    if seal.unit_aliases and hashes.of(archived(home, seal.unit_aliases)) != seal.unit_aliases:
        what = Text("tệp bí danh đơn vị bị sửa hoặc không còn", "the file of unit aliases was changed or is gone")
        faults.append(Fault(short, f"archive/{seal.unit_aliases[:2]}/{seal.unit_aliases}", what))
    if seal.key_mark != key_mark(home):
        what = Text(
            "không phải khóa băm khi chốt: mã hồ sơ sẽ khác", "not the key of then: dossiers will have other hashes"
        )
        faults.append(Fault(short, "restricted/key", what))
    return faults + _program(seal)


def _file(home: Home, seal: Seal, file: SealedFile, hashes: _Hashes) -> list[Fault]:
    faults = []
    place = f"archive/{file.sha256[:2]}/{file.sha256} ({file.place})"
    found = hashes.of(archived(home, file.sha256))
    kept = kept_rows(home, file.sha256, file.conformed)
    if found is None and kept is None:
        faults.append(Fault(seal.short, place, Text("tệp gốc không còn trong kho", "the raw file is gone"), file.seq))
    elif found is None and expired(home, file.sha256) is None:
        what = Text("tệp gốc bị xóa ngoài chính sách lưu giữ", "the raw file was removed, by no policy")
        faults.append(Fault(seal.short, place, what, file.seq))
    elif found is not None and found != file.sha256:
        faults.append(Fault(seal.short, place, Text("tệp gốc bị sửa", "the raw file was changed"), file.seq))
    for folder in (kept, home.versions / file.conformed):
        if folder is not None and folder.exists():
            now = {path.name: hashes.of(path) for path in folder.glob("*.parquet")}
            for name in sorted(now.keys() | file.rows_sha256.keys()):
                if now.get(name) != file.rows_sha256.get(name):
                    what = Text("dòng đã đọc của tệp bị sửa hoặc không còn", "conformed rows were changed or are gone")
                    where = f"{folder.relative_to(home.warehouse).as_posix()}/{name} ({file.place})"
                    faults.append(Fault(seal.short, where, what, file.seq))
    toml = file.source_toml
    if toml and hashes.of(archived(home, toml)) != toml:
        what = Text("khai báo nguồn bị sửa hoặc không còn", "the source's declaration was changed or is gone")
        faults.append(Fault(seal.short, f"archive/{toml[:2]}/{toml} ({file.source}/source.toml)", what, file.seq))
    return faults


def _program(seal: Seal) -> list[Fault]:
    """Declarations and code that are not as sealed: after an update that is as it should be, else somebody changed them."""
    then = seal.program["motcua"]
    updated = then != __version__
    since = Text(f" (bản {then} → {__version__})", f" (version {then} → {__version__})") if updated else Text("", "")
    found = []
    for name in changed_program(seal):
        kind = Text("khai báo", "declaration") if is_declaration(name) else Text("chương trình", "code")
        what = Text(f"{kind.vi} đã đổi sau khi chốt{since.vi}", f"{kind.en} changed since it was sealed{since.en}")
        found.append(Fault(seal.short, name, what, harmless=updated))
    return found
