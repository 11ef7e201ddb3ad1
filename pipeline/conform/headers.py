"""Which row is the header, and which layout it fits. Not here: the cells below it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

from pipeline.declare.columns import columns
from pipeline.declare.layouts import Layout, built_in, required_columns
from pipeline.declare.sources import Source
from pipeline.declare.text import Text, fold, shape
from pipeline.errors import InputRefused
from pipeline.read.grids import Grid


@dataclass(frozen=True)
class Header:
    """Where a table begins: the layout it fits, row of the header (1-based), column → position, column → header as
    written, number of cells not mapped."""

    layout: Layout
    row: int
    places: dict[str, int]
    written: dict[str, str]
    dropped: int


def layouts_for(source: Source) -> tuple[Layout, ...]:
    return source.layouts or built_in()


def lacking(places: dict[str, int]) -> list[str]:
    """What a register cannot do without: the required columns, and a status or a finish date."""
    missing = [c for c in required_columns() if c not in places]
    if "status" not in places and "finished_at" not in places:
        missing += ["status", "finished_at"]
    return missing


def find_header(grid: Grid, source: Source) -> Header | None:
    """The row and layout with most columns recognised, or None where no row has all that is needed."""
    best: Header | None = None
    for number, cells in enumerate(grid.head, 1):
        for layout in layouts_for(source):
            places = layout.matches(cells)
            if lacking(places) or (best and len(places) <= len(best.places)):
                continue
            written = {column: cells[i] for column, i in places.items()}
            best = Header(layout, number, places, written, sum(1 for c in cells if c.strip()) - len(places))
    return best


@cache
def _header_words() -> frozenset[str]:
    """Words that headers are made of: those of all declared headers, and common ones beside them."""
    declared = {word for layout in built_in() for header in layout.columns for word in header.split()}
    common = "so hs tt stt phong ban to bo phan vao so nguoi nop chu ho ten dia chi dien thoai ghi chu loai noi dung"
    return frozenset(declared | set(common.split()))


def _shown(cell: str) -> str:
    """A cell that may be a header: as written where all its words are header words, else its shape only (a row may
    hold anything, and a name must not be printed)."""
    words = fold(cell).split()
    return " ".join(cell.split())[:40] if words and set(words) <= _header_words() else shape(cell, 12)


def no_header(grids: list[Grid], source: Source, name: str) -> InputRefused:
    """The error for a file without a usable header: what was found, what is needed, what to do."""
    layouts = layouts_for(source)
    ranked = [
        (len(layout.matches(cells)), layout, cells) for grid in grids for cells in grid.head for layout in layouts
    ]
    known, layout, cells = max(ranked, key=lambda r: r[0], default=(0, layouts[0], []))
    if known < 2:  # what looks like a header: the first of the fullest rows
        rows = [c for g in grids for c in g.head]
        most = max((sum(1 for x in c if x.strip()) for c in rows), default=0)
        cells = next((c for c in rows if sum(1 for x in c if x.strip()) == most), [])
        found = ", ".join(_shown(c) for c in cells if c.strip())[:400] or "—"
        missing = list(required_columns())
    else:
        found = ", ".join(" ".join(c.split())[:40] for c in cells if c.strip())[:400]
        missing = lacking(layout.matches(cells))
    wanted = {c: [w for w, column in layout.columns.items() if column == c] for c in missing}
    labels = "; ".join(f"{columns()[c].label.vi} ({c})" for c in missing)
    hints = []
    for column, words in wanted.items():
        near = {
            header
            for header in cells
            for word in words
            if known >= 2 and difflib.SequenceMatcher(None, fold(header), word).ratio() > 0.7
        }
        hints += [f'{column} = "{" ".join(h.split())}"' for h in sorted(near)]
    example = "; ".join(hints) or "; ".join(f'{c} = "…"' for c in missing[:3])
    return InputRefused(
        Text("Tiêu đề cột không khớp bố cục nào đã biết.", "The column headers fit no known layout."),
        where=name,
        expected=Text(
            f"các cột: {labels}; ví dụ tiêu đề: Mã hồ sơ, Đơn vị tiếp nhận, Ngày tiếp nhận, Trạng thái",
            f"columns: {', '.join(missing)}; e.g. headers: Mã hồ sơ, Đơn vị tiếp nhận, Ngày tiếp nhận, Trạng thái",
        ),
        found=Text(found, found),
        todo=Text(
            f"Khai báo trong data/raw/{source.key}/source.toml, mục [columns]: {example}",
            f"Declare it in data/raw/{source.key}/source.toml under [columns]: {example}",
        ),
    )
