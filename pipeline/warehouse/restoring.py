"""The last step of a restore: what was unpacked and checked gets its place. Whoever holds the build lock next finishes
it, if its own process did not live to do so; nothing is read or written under the lock before. DESIGN §4.3.

Not here: unpacking and checking (backup.py).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pipeline.settings import Home

# What the record is, in the order in which it is put back: the log of files last, without it there is no record.
RECORD = ("restricted", "archive", "seals", "unit_aliases.jsonl", "intake.jsonl")
HIDDEN = ("restricted", "archive")  # for their owner only
DECLARED = "declared"


def restored(home: Home) -> Path:
    """A folder that stands here only between a checked restore and its last step."""
    return home.warehouse / "restored"


def finish_restore(home: Home) -> None:
    """Moves a checked restore into place; nothing where there is none. May be cut off anywhere and called again."""
    folder = restored(home)
    if not folder.is_dir():
        return
    home.raw.mkdir(parents=True, exist_ok=True)
    declared = folder / DECLARED
    for path in sorted(declared.rglob("*")) if declared.is_dir() else []:
        own = home.raw / path.relative_to(declared)
        if path.is_file() and not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, own)
    for item in RECORD:
        kept, place = folder / "record" / item, home.warehouse / item
        if not kept.exists():
            continue
        if place.exists():  # an empty folder; or a key that something made since, for which nothing was taken in
            aside = place.with_name(f"{item}.before-restore")
            shutil.rmtree(aside, ignore_errors=True)
            place.rename(aside)
            if aside.is_dir() and not any(path.is_file() for path in aside.rglob("*")):
                shutil.rmtree(aside)
        os.replace(kept, place)
    shutil.rmtree(folder)
