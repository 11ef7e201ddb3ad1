"""The seals in the record: a folder for each, and a chain in which each line holds the hash of the seal before.

A seal is a period's slice of the published tables as Parquet, with a manifest of all it was made from. Nothing is ever
changed or removed here. Not here: making one (audit/sealing), showing its figures instead of live ones
(measure/sealed), judging whether it was touched (audit/verify).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.declare.text import Text
from pipeline.errors import CheckFailed
from pipeline.settings import Home
from pipeline.warehouse.record import append_line, now, sha256_of

MANIFEST = "seal.json"
FIRST = "0" * 64  # what the first seal holds in place of a hash before it
SHORT = 12


@dataclass(frozen=True)
class SealedFile:
    """A file that a sealed figure may rest on. conformed: folder of its conformed rows (versions/), rows_sha256: hash of
    the bytes of its tables, by name. source_toml: hash of the source's declaration that conformed it, null: none."""

    seq: int
    sha256: str
    source: str
    name: str
    taken_at: str
    known_at: str
    withdrawn_at: str | None
    withdrawn_reason: str | None
    size: int
    source_toml: str | None
    conformed: str
    rows_sha256: dict[str, str]

    @property
    def place(self) -> str:
        return f"{self.source}/{self.name}"


@dataclass(frozen=True)
class Seal:
    """A sealed period. number: its place in the chain. version: 1, and one more with each revision of the period.
    known_at: all that was known by then (local time) is in it. sha256: of its manifest. key_mark: by which the key of the
    keyed hashes is known again."""

    number: int
    period: str
    version: int
    sha256: str
    previous: str
    sealed_at: str
    known_at: datetime
    note: str | None
    reason: str | None
    rules: str
    program: dict[str, Any]
    files: tuple[SealedFile, ...]
    unit_aliases: str | None
    key_mark: str | None
    tables: dict[str, dict[str, Any]]
    folder: Path

    @property
    def short(self) -> str:
        return self.sha256[:SHORT]

    def table(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def holds(self, name: str) -> bool:
        """Whether it has a table: one that came into the program after the sealing it has not."""
        return f"{name}.parquet" in self.tables


@dataclass(frozen=True)
class Link:
    """A line of the chain."""

    number: int
    period: str
    folder: str
    sha256: str
    previous: str

    @property
    def short(self) -> str:
        return self.sha256[:SHORT]


def chain_of(home: Home) -> Path:
    return home.seals / "chain.jsonl"


def read_chain(home: Home) -> list[Link]:
    """The chain's lines, oldest first. A line cut off by a crash is none. Raises CheckFailed where one is no line."""
    if not chain_of(home).exists():
        return []
    found = []
    for number, line in enumerate(chain_of(home).read_bytes().split(b"\n")[:-1], start=1):
        try:
            found.append(Link(**json.loads(line)))
        except (ValueError, TypeError):
            raise touched(f"seals/{chain_of(home).name}:{number}") from None
    return found


def touched(where: str) -> CheckFailed:
    return CheckFailed(
        Text(
            "Bản chốt bị sửa hoặc không còn; số liệu đang công bố vẫn được giữ.",
            "A seal was changed or is gone; what is published stays.",
        ),
        where=where,
        todo=Text(
            "Xem: motcua seal --verify; lấy lại tệp ấy từ bản sao lưu (motcua backup).",
            "See: motcua seal --verify; take the file back from a backup (motcua backup).",
        ),
    )


def sound_seals(home: Home, shown: str | None = None) -> list[Seal]:
    """Every seal, oldest first, for publishing. shown: hash of the newest seal that the published release shows. Raises
    CheckFailed where a manifest, a table that would be shown, or a seal of the release is not as it was sealed."""
    links = read_chain(home)
    if shown and shown not in {link.sha256 for link in links}:
        raise touched(f"seals/{chain_of(home).name} ({shown[:SHORT]})")
    before = FIRST
    for number, link in enumerate(links, start=1):
        if (link.number, link.previous) != (number, before):
            raise touched(f"seals/{chain_of(home).name}:{number}")
        before = link.sha256
        manifest = home.seals / link.folder / MANIFEST
        if not manifest.exists() or sha256_of(manifest) != link.sha256:
            raise touched(f"seals/{link.folder}/{MANIFEST}")
    seals = [read_seal(home, link) for link in links]
    for seal in {seal.period: seal for seal in seals}.values():
        for name, told in seal.tables.items():
            if not (seal.folder / name).exists() or sha256_of(seal.folder / name) != told["sha256"]:
                raise touched(f"seals/{seal.folder.name}/{name}")
    return seals


def read_seals(home: Home) -> list[Seal]:
    """Every seal, oldest first. One whose manifest cannot be read is left out: verifying names it."""
    found = []
    for link in read_chain(home):
        try:
            found.append(read_seal(home, link))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def read_seal(home: Home, link: Link) -> Seal:
    folder = home.seals / link.folder
    node = json.loads((folder / MANIFEST).read_bytes())
    return Seal(
        number=link.number,
        period=node["period"],
        version=node["version"],
        sha256=link.sha256,
        previous=link.previous,
        sealed_at=node["sealed_at"],
        known_at=datetime.fromisoformat(node["known_at"]),
        note=node["note"],
        reason=node["reason"],
        rules=node["rules"],
        program=node["program"],
        files=tuple(SealedFile(**file) for file in node["files"]),
        unit_aliases=node["unit_aliases"],
        key_mark=node["key_mark"],
        tables=node["tables"],
        folder=folder,
    )


def in_force(home: Home) -> dict[str, Seal]:
    """period → its newest seal."""
    return {seal.period: seal for seal in read_seals(home)}


def keep_seal(home: Home, made: Path, manifest: dict[str, Any]) -> Seal:
    """Adds a seal whose tables stand in the folder `made`, which is moved into the record: the folder as a whole, then
    one line of the chain. A crash in between leaves a folder that no line names, which the next seal replaces."""
    links = read_chain(home)
    number = len(links) + 1
    previous = links[-1].sha256 if links else FIRST
    node: dict[str, Any] = {"number": number, "previous": previous, "sealed_at": now().isoformat(), **manifest}
    content = json.dumps(node, ensure_ascii=False, indent=1, default=str).encode() + b"\n"
    (made / MANIFEST).write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    name = f"{number:04}-{node['period'].replace(':', '-')}-{sha256[:SHORT]}"
    home.seals.mkdir(parents=True, exist_ok=True)
    for left in home.seals.glob(f"{number:04}-*"):
        shutil.rmtree(left)
    made.rename(home.seals / name)
    link = Link(number, node["period"], name, sha256, previous)
    append_line(chain_of(home), asdict(link))
    return read_seal(home, link)
