"""What a person means by one side of a difference: a release, a seal, a moment, or what is published now.

Not here: opening it (sides.py).
"""

from __future__ import annotations

from pipeline import night
from pipeline.audit.rerun import seal_of
from pipeline.audit.sides import Place
from pipeline.declare.moments import parse_moment
from pipeline.declare.text import Text
from pipeline.errors import WrongUse
from pipeline.settings import Home
from pipeline.warehouse.release import current, published, release_in

NOW = ("current", "now", "hiện-nay", "hien-nay")
LIVE = "live"


def place_of(home: Home, words: str, progress: night.Progress = night.SILENT) -> Place:
    """`current` (as published, sealed periods as sealed), `live` (as computed now), a release (its id or the start of
    it), a seal (2023-Q3, 2023-Q3@1 or the start of its hash), or a moment (2023-09-15). Raises WrongUse."""
    plain = words.strip()
    if plain.lower() in (*NOW, LIVE):
        release = published(home)
        live = plain.lower() == LIVE
        name = Text("số tính tới nay", "live figures") if live else Text("đang công bố", "published")
        return Place(Text(f"{name.vi} {release.id}", f"{name.en} {release.id}"), release.database, live)
    for folder in sorted(home.releases.glob("*")) if home.releases.is_dir() else []:
        if len(plain) >= 8 and folder.name.startswith(plain) and (folder / "manifest.json").exists():
            release = release_in(folder)
            return Place(Text(f"bản {release.id}", f"release {release.id}"), release.database)
    try:
        seal = seal_of(home, plain)
        label = f"{seal.period}@{seal.version} {seal.short}"
        return Place(Text(f"đã chốt {label}", f"sealed {label}"), seal=seal)
    except WrongUse:
        pass
    try:
        moment = parse_moment(plain)
    except WrongUse:
        raise _unknown(home, plain) from None
    name = f"{moment:%d/%m/%Y %H:%M}"
    return Place(Text(f"biết đến {name}", f"as known at {name}"), night.known_by(home, moment, progress), live=True)


def _unknown(home: Home, words: str) -> WrongUse:
    release = current(home)
    return WrongUse(
        Text(
            f"“{words[:40]}” không phải bản công bố, lần chốt hay thời điểm.",
            f"“{words[:40]}” is no release, seal or moment.",
        ),
        expected=Text(
            f"current, live, một bản công bố ({release.id if release else '–'}), một lần chốt (2023-Q3, 2023-Q3@1, mã băm), hoặc một ngày (2023-09-15)",
            f"current, live, a release ({release.id if release else '–'}), a seal (2023-Q3, 2023-Q3@1, its hash), or a day (2023-09-15)",
        ),
        todo=Text("Xem: motcua status, motcua seal", "See: motcua status, motcua seal"),
    )
