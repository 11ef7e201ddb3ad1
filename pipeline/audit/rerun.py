"""Re-running a sealed period: from the archived raw files through every room, apart from all that is published.

Not here: comparing (difference.py), whether the record was touched (verify.py).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline import night
from pipeline.audit.causes import Context
from pipeline.audit.difference import Compared, compare
from pipeline.audit.sides import Place, side_by_side
from pipeline.audit.verify import Fault, changed_program, is_declaration, verify
from pipeline.declare.sources import Source, read_source
from pipeline.declare.text import Text
from pipeline.errors import MotcuaError, WrongUse
from pipeline.settings import Home
from pipeline.warehouse.aliases import kept_aliases
from pipeline.warehouse.intake import Intake
from pipeline.warehouse.keeping import kept_rows
from pipeline.warehouse.reading import conformed, several_readers
from pipeline.warehouse.record import Entry, archived
from pipeline.warehouse.release import DATABASE
from pipeline.warehouse.seals import Seal, SealedFile, read_seals
from pipeline.warehouse.versions import FileFacts, fingerprint, read_facts


@dataclass(frozen=True)
class Rerun:
    """compared: null where nothing could be computed. from_rows: files whose raw bytes are gone and whose conformed
    rows were used. lost: files that could not be read at all, and why. faults: what is not as it was sealed."""

    seal: Seal
    compared: Compared | None
    from_rows: list[str]
    lost: list[tuple[str, Text]]
    faults: list[Fault]

    @property
    def identical(self) -> bool:
        return self.compared is not None and self.compared.identical and not self.lost

    @property
    def exit_code(self) -> int:
        """1 where a cell differs or something was touched."""
        return 0 if self.identical and all(f.harmless for f in self.faults) else 1


def seal_of(home: Home, words: str) -> Seal:
    """The seal that a period (its newest), a period with a version (2023-Q3@1) or the start of a hash names. Raises
    WrongUse."""
    seals = read_seals(home)
    plain = words.strip()
    period, _, version = plain.partition("@")
    named = [s for s in seals if s.period.lower() == period.lower() and version in ("", str(s.version))]
    if named:
        return named[-1]
    by_hash = [s for s in seals if len(plain) >= 4 and s.sha256.startswith(plain.lower())]
    if len(by_hash) == 1:
        return by_hash[0]
    known = ", ".join(f"{s.period}@{s.version} ({s.short})" for s in seals) or "–"
    raise WrongUse(
        Text(f"“{words[:40]}” không phải một lần chốt.", f"“{words[:40]}” is no seal."),
        expected=Text(f"một trong: {known}", f"one of: {known}"),
        todo=Text("Chốt số liệu: motcua seal 2023-Q3", "To seal: motcua seal 2023-Q3"),
    )


def rerun(home: Home, seal: Seal, progress: night.Progress = night.SILENT) -> Rerun:
    """Computes a sealed period again from the record and compares every cell. Touches nothing that is published."""
    faults = verify(home, [seal])
    with _private(home) as (apart, folder):
        intake, from_rows, lost = _conform(apart, seal, progress)
        if not intake.all_files:
            return Rerun(seal, None, from_rows, lost, faults)
        night.build_apart(intake, folder, progress, only=seal.period)
        before = Place(Text(f"đã chốt {seal.short}", f"sealed {seal.short}"), seal=seal)
        after = Place(Text("chạy lại", "re-run"), database=folder / DATABASE, live=True)
        changed = changed_program(seal)
        touched = frozenset(f.blames for f in faults if f.blames is not None)
        context = Context(
            touched,
            tuple(name for name in changed if is_declaration(name)),
            tuple(name for name in changed if not is_declaration(name)),
        )
        with side_by_side(before, after) as con:
            return Rerun(seal, compare(con, seal.period, context), from_rows, lost, faults)


@contextmanager
def _private(home: Home) -> Generator[tuple[Home, Path]]:
    """A home that reads this one's record and conforms in a folder of its own, only its owner's, gone afterwards."""
    folder = home.warehouse / f"rerun-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield Home(home.root, folder), folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _conform(apart: Home, seal: Seal, progress: night.Progress) -> tuple[Intake, list[str], list[tuple[str, Text]]]:
    """The sealed files read anew, as their seal's declarations say; several at a time."""
    intake = Intake(aliases=kept_aliases(apart, seal.unit_aliases))
    from_rows: list[str] = []
    lost: list[tuple[str, Text]] = []
    with several_readers() as readers:
        reading = [(file, _entry(file), readers.submit(_facts, apart, file, _entry(file))) for file in seal.files]
        for file, entry, read in reading:
            progress(Text(f"Đọc lại {file.place}", f"Reading {file.place} again"))
            try:
                facts, raw = read.result()
            except (MotcuaError, OSError) as error:
                what = error.what if isinstance(error, MotcuaError) else Text(*(type(error).__name__,) * 2)
                lost.append((file.place, what))
                continue
            if not raw:
                from_rows.append(file.place)
            (intake.files if entry.counts else intake.withdrawn).append((entry, facts))
    return intake, from_rows, lost


def _entry(file: SealedFile) -> Entry:
    return Entry(
        *(file.seq, file.taken_at, file.known_at, file.sha256, file.source, file.name, file.size, file.source_toml),
        withdrawn_at=file.withdrawn_at,
        withdrawn_reason=file.withdrawn_reason,
    )


def _facts(apart: Home, file: SealedFile, entry: Entry) -> tuple[FileFacts, bool]:
    """The file conformed from its raw bytes, else its kept rows; and whether from raw bytes."""
    path = archived(apart, file.sha256)
    kept = kept_rows(apart, file.sha256, file.conformed)
    if not path.exists() and kept is not None:
        return read_facts(kept), False
    source, toml = Source(file.source, file.source), b""
    if file.source_toml:
        declared = archived(apart, file.source_toml)
        source, toml = read_source(declared.parent, declared, file.source), declared.read_bytes()
    taken_at = datetime.fromisoformat(file.taken_at)
    declared_by = fingerprint(apart, toml)
    return conformed(apart, path, file.sha256, file.name, source, declared_by, taken_at), True
