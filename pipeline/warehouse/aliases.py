"""The alias file over time: read with each run, archived by its hash, the last good one where today's is broken.

Not here: what a line may say (declare/aliases.py), which rows it decides on (units.py).
"""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from pipeline.conform.keyed_hash import hash_of
from pipeline.declare.aliases import COLUMNS, FILE, Alias, check_unit, read_aliases
from pipeline.declare.text import Text, fold
from pipeline.declare.units import ALWAYS, FOREVER, Unit, resolve, units
from pipeline.errors import DeclarationError, WrongUse
from pipeline.settings import Home
from pipeline.warehouse.record import append_line, archive, archived, key, now, sha256_of


@dataclass(frozen=True)
class Aliases:
    """What an alias file says: folded name, and its keyed hash, → its lines. sha256: of the file; null: there is none."""

    sha256: str | None = None
    by_name: dict[str, tuple[Alias, ...]] = field(default_factory=dict)

    def meant(self, kept: str, source: str, received_on: date, exported_on: date) -> Unit | None:
        """The unit that a text as kept means on these days: by the name itself, else by an alias."""
        found = None if kept.startswith("#") else resolve(kept, received_on, exported_on)
        return found or self.unit_of(kept, source, received_on, exported_on)

    def unit_of(self, kept: str, source: str, received_on: date, exported_on: date) -> Unit | None:
        """The unit that a text as kept (a name, or "#hash shape") means; where it is valid on either day."""
        name = kept[1:].split(" ")[0] if kept.startswith("#") else fold(kept)
        for alias in self.by_name.get(name, ()):
            if alias.source in (None, source) and alias.first <= received_on <= alias.last:
                unit = units()[alias.unit_id]
                if unit.valid_on(received_on) or unit.valid_on(exported_on):
                    return unit
        return None

    def change_days(self) -> set[date]:
        """Days on which some line begins to hold or no longer does."""
        lines = {alias for same in self.by_name.values() for alias in same}
        ends = {a.last + timedelta(days=1) for a in lines if a.last != FOREVER}
        return ({a.first for a in lines} | ends) - {ALWAYS}


NO_ALIASES = Aliases()


def log_of(home: Home) -> Path:
    """Which alias file counted from when: a line of JSON for each change. Part of the record."""
    return home.warehouse / "unit_aliases.jsonl"


def take_aliases(home: Home) -> tuple[Aliases, DeclarationError | None]:
    """Today's aliases, archived and logged. A broken file changes nothing: the last good one goes on counting."""
    path, known = home.raw / FILE, last_aliases(home)
    if not path.exists():
        if known is not None:
            _append(home, None)
        return NO_ALIASES, None
    try:
        sha256 = sha256_of(path)
        found = _read(home, path, sha256)
        archive(home, path, sha256)
    except OSError as error:
        kind = type(error).__name__
        return kept_aliases(home, known), DeclarationError(
            Text("Không đọc được tệp.", "The file cannot be read."), where=FILE, found=Text(kind, kind)
        )
    except DeclarationError as error:
        return kept_aliases(home, known), error
    if sha256 != known:
        _append(home, sha256)
    return found, None


def kept_aliases(home: Home, sha256: str | None) -> Aliases:
    """The aliases of a file in the archive; none for null."""
    return _read(home, archived(home, sha256), sha256) if sha256 else NO_ALIASES


def accept(home: Home, written: str, unit_id: str, source: str | None = None) -> str:
    """Adds a line to the alias file, which is replaced as a whole; the line. Raises before anything is written."""
    check_unit(unit_id)
    path = home.raw / FILE
    known = read_aliases(path) if path.exists() else ()
    wanted = Alias(0, fold(written), unit_id, source or None, ALWAYS, FOREVER)
    if twin := next((a for a in known if a.meets(wanted)), None):
        raise WrongUse(
            Text("Tên này đã có trong tệp.", "The name is in the file already."),
            where=f"{FILE}:{twin.line}",
            found=Text(twin.unit_id, twin.unit_id),
            todo=Text("Sửa dòng ấy nếu cần.", "Change that line if need be."),
        )
    text = path.read_bytes().decode("utf-8-sig") if path.exists() else ",".join(COLUMNS) + "\n"
    line = _line(text.splitlines()[0], {"written": written.strip(), "unit_id": unit_id, "source": source or ""})
    part = path.with_name(f".{FILE}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    # the mark in front lets Excel see that it is UTF-8
    part.write_bytes(("\ufeff" + text.rstrip("\r\n") + "\n" + line + "\n").encode())
    try:
        read_aliases(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return line


def _line(head: str, row: dict[str, str]) -> str:
    """A row as a line below a heading, with its delimiter and in its order."""
    delimiter = ";" if ";" in head else ","
    columns = [name.strip().lower() for name in head.split(delimiter)]
    if row["source"] and "source" not in columns:
        raise WrongUse(
            Text("Tệp chưa có cột source.", "The file has no column source."),
            where=f"{FILE}:1",
            expected=Text(",".join(COLUMNS), ",".join(COLUMNS)),
            todo=Text("Thêm cột source vào dòng đầu.", "Add the column source to the first line."),
        )
    added = io.StringIO()
    csv.writer(added, delimiter=delimiter, lineterminator="").writerow([row.get(name, "") for name in columns])
    return added.getvalue()


def _read(home: Home, path: Path, sha256: str) -> Aliases:
    secret = key(home)
    by_name: dict[str, tuple[Alias, ...]] = {}
    for alias in read_aliases(path):
        for name in (alias.written, hash_of(alias.written, secret)):
            by_name[name] = (*by_name.get(name, ()), alias)
    return Aliases(sha256, by_name)


def last_aliases(home: Home) -> str | None:
    """Hash of the alias file that counts by the log; null: there is none."""
    told = _told(home)
    return told[-1] if told else None


def every_alias_file(home: Home) -> set[str | None]:
    """Hashes of all alias files that ever counted."""
    return set(_told(home))


def _told(home: Home) -> list[str | None]:
    if not log_of(home).exists():
        return []
    lines = log_of(home).read_bytes().split(b"\n")[:-1]  # a line cut off by a crash is none
    return [json.loads(line)["sha256"] for line in lines if line]


def _append(home: Home, sha256: str | None) -> None:
    append_line(log_of(home), {"at": now().isoformat(), "sha256": sha256})
