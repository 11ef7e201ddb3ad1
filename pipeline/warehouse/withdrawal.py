"""Taking a wrong file back, and giving it again: a line in the intake log each. Rows change at the next run.

Not here: what a withdrawn file's rows become (build), the words of the command (commands/data.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from pipeline.declare.text import Text, fold
from pipeline.errors import WrongUse
from pipeline.settings import Home
from pipeline.warehouse.lock import one_build
from pipeline.warehouse.record import Entry, Withdrawal, append_log, now, read_log

LONGEST_REASON = 300
SHORTEST_HASH = 4
WAIT_SECONDS = 30.0


def withdraw(home: Home, words: str, reason: str, undo: bool = False) -> Entry:
    """Records that a file is taken back (undo: given again). Raises WrongUse: no such file, several, or no reason."""
    told = " ".join(reason.split())[:LONGEST_REASON]
    if not told:
        raise WrongUse(
            Text("Cần lý do rút tệp.", "A reason is needed."),
            expected=Text('--reason "xuất nhầm đơn vị"', '--reason "wrong unit exported"'),
        )
    with one_build(home, WAIT_SECONDS):  # a run that reads the log must not meet half of this
        entry = find(read_log(home), words, undo)
        append_log(home, Withdrawal(entry.seq, now().isoformat(), told, undo))
    return entry


def find(entries: Sequence[Entry], words: str, withdrawn: bool = False) -> Entry:
    """The one file that counts (or that was withdrawn) that the words name: name, source/name, or start of its hash."""
    named = [e for e in entries if _names(e, words)]
    fit = [e for e in named if e.counts != withdrawn]
    if len(fit) == 1:
        return fit[0]
    if fit:
        raise WrongUse(
            Text(f"“{words[:80]}” chỉ nhiều tệp.", f"“{words[:80]}” names several files."),
            expected=Text(f"một trong các mã: {_listed(fit)}", f"one of these hashes: {_listed(fit)}"),
        )
    if named:
        raise WrongUse(
            Text("Tệp này không đang bị rút.", "This file is not withdrawn.")
            if withdrawn
            else Text("Tệp này đã được rút trước đây.", "This file was withdrawn before."),
            where=_listed(named),
        )
    near = _nearest([e for e in entries if e.counts != withdrawn], words)
    raise WrongUse(
        Text(f"Không có tệp nào tên “{words[:80]}”.", f"There is no file “{words[:80]}”."),
        expected=Text(f"gần nhất: {_listed(near)}", f"nearest: {_listed(near)}") if near else None,
        todo=Text("Xem tên tệp: motcua status", "See the files: motcua status"),
    )


def _names(entry: Entry, words: str) -> bool:
    plain = words.replace("\\", "/").removeprefix("./").removeprefix("data/raw/")
    by_name = plain in (entry.place, entry.name, entry.name.rpartition("/")[2])
    by_hash = len(words) >= SHORTEST_HASH and re.fullmatch("[0-9a-f]+", words) and entry.sha256.startswith(words)
    return by_name or bool(by_hash)


def _listed(entries: Sequence[Entry]) -> str:
    shown = [f"{e.sha256[:10]} = {e.place} ({e.known_at:.16})" for e in entries[:10]]
    return "; ".join(shown) + ("; …" if len(entries) > len(shown) else "")


def _nearest(entries: Sequence[Entry], words: str) -> list[Entry]:
    by_name = {fold(name): e for e in entries for name in (e.place, e.name)}
    close = get_close_matches(fold(words), by_name, n=3, cutoff=0.5)
    return list({by_name[name].seq: by_name[name] for name in close}.values())
