"""Which rows are the header, and which layout they fit. Not here: the cells below them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from pipeline.conform.shapes import FULLEST_SECTION, section_unit
from pipeline.conform.titles import read_title
from pipeline.declare.layouts import BETWEEN, Layout, built_in, column_names, required_columns
from pipeline.declare.reported import reported
from pipeline.declare.sources import Source
from pipeline.declare.text import Text, fold, shape
from pipeline.declare.units import known_spelling
from pipeline.errors import InputRefused
from pipeline.read.grids import Grid

DEEPEST = 4  # header rows
FEWEST_FIGURES = 3  # that make a table with a column of units a summary


@dataclass(frozen=True)
class Header:
    """Where a table begins: the layout it fits, its first and last row (numbers as in the file), column → position,
    and the header of each position as written, below its groups: "Đã giải quyết > Đúng hạn"."""

    layout: Layout
    top: int
    row: int
    places: dict[str, int]
    headings: tuple[str, ...]

    @property
    def written(self) -> dict[str, str]:
        """Column → the words of its header's last row."""
        return {column: self.headings[i].split(BETWEEN)[-1] for column, i in self.places.items()}

    @property
    def names(self) -> list[tuple[str, ...]]:
        """What each column may be called, folded: with all its groups first, alone last."""
        return [_called(tuple(words.split(BETWEEN))) for words in self.headings]

    @property
    def dropped(self) -> list[str]:
        """Headers that stand for no declared column: nothing below them is read."""
        used = set(self.places.values())
        return [words for i, words in enumerate(self.headings) if words and i not in used]


def lacking(layout: Layout, places: dict[str, int], has_unit: bool) -> list[str]:
    """What a table cannot do without. A register: the required columns, and a status or a finish date. A summary: a
    column of units or fields, and some figures. `has_unit`: the file's title or its source says whose it is."""
    if layout.kind == "summary":
        missing = [] if has_unit or {"unit", "unit_code"} & places.keys() else ["unit"]
        if sum(name in reported() for name in places) < FEWEST_FIGURES:
            missing += ["total", "resolved_folded"]
        return missing
    missing = [c for c in required_columns() if c not in places and not (c == "unit" and has_unit)]
    if "status" not in places and "finished_at" not in places:
        missing += ["status", "finished_at"]
    return missing


def find_header(grid: Grid, source: Source) -> Header | None:
    """The rows and layout with most columns recognised, or None where no rows have all that is needed."""
    best: Header | None = None
    for header in _readings(grid, source):
        if (best is None or len(header.places) > len(best.places)) and not lacking(
            header.layout, header.places, _has_unit(grid, header, source)
        ):
            best = header
    return best


def _readings(grid: Grid, source: Source) -> Iterator[Header]:
    """Everything that may be the header, by every layout that recognises two of its columns; fewest rows first."""
    for top, row, paths in _candidates(grid, frozenset().union(*(layout.endings for layout in source.layouts))):
        names = [_called(path) for path in paths]
        headings = tuple(BETWEEN.join(path) for path in paths)
        for layout in source.layouts:
            places = layout.matches(names)
            if len(places) >= 2:
                yield Header(layout, top + grid.first_row, row + grid.first_row, places, headings)


def _has_unit(grid: Grid, header: Header, source: Source) -> bool:
    """Whether a column, the source, the title above, or rows below say whose the rows are."""
    top, row = header.top - grid.first_row, header.row - grid.first_row
    return (
        "unit" in header.places
        or bool(source.unit or read_title(grid.head[:top]).unit)
        or _sections(grid, row)
        or _units_among_fields(grid, row, header.places)
    )


def _units_among_fields(grid: Grid, row: int, places: dict[str, int]) -> bool:
    """Whether the column of fields names units too, each above its fields. A number alone is that of a column."""
    at = places.get("field")
    below = [cells[at] for cells in grid.head[row + 1 :] if at < len(cells)] if at is not None else []
    return any(known_spelling(cell) and not fold(cell).isdigit() for cell in below)


def _sections(grid: Grid, row: int) -> bool:
    """Whether section rows below a header name units."""
    below = ([c for c in cells if c.strip()] for cells in grid.head[row + 1 :])
    return any(len(cells) <= FULLEST_SECTION and section_unit(cells) for cells in below)


def _candidates(grid: Grid, endings: frozenset[str]) -> Iterator[tuple[int, int, list[tuple[str, ...]]]]:
    """(first row, last row, path of every column) of what may be a header, by index in `head`; fewest rows first.
    endings: how the headers looked for may end: rows without such cells in two columns are no header."""
    filled = [any(cell.strip() for cell in cells) for cells in grid.head]
    telling = [{i for i, cell in enumerate(cells) if fold(cell) in endings} for cells in grid.head]
    for depth in range(1, DEEPEST + 1):
        for row in range(depth - 1, len(grid.head)):
            window = slice(row - depth + 1, row + 1)
            if all(filled[window]) and len(set().union(*telling[window])) > 1:
                yield row - depth + 1, row, header_paths(grid.head[window])


def header_paths(rows: list[list[str]]) -> list[tuple[str, ...]]:
    """The headers of every column from top to bottom: its groups, then its own. A group's words stand over its first
    column only; one merged over several rows stands in each of them."""
    width = max(map(len, rows))
    cells = [[" ".join(c.split()) for c in row] + [""] * (width - len(row)) for row in rows]
    for n, row in enumerate(cells[:-1]):
        below = cells[n + 1]
        group, above = "", ""
        for i in range(width):
            under = any(line[i] for line in cells[n + 1 :])
            if n and under and cells[n - 1][i] != above:  # a group ends where the one above it does
                group, above = "", cells[n - 1][i]
            if row[i]:  # a header with nothing of its own below it is no group
                group = row[i] if under and below[i] != row[i] else ""
            elif under:  # an empty column may stand within a group
                row[i] = group
    paths = []
    for column in zip(*cells, strict=True):
        words = [w for n, w in enumerate(column) if w and (n == 0 or w != column[n - 1])]
        paths.append(tuple(words))
    return paths


def _called(path: tuple[str, ...]) -> tuple[str, ...]:
    """What a column may be called, folded: with all its groups first, alone last."""
    return tuple(fold(" ".join(path[n:])) for n in range(len(path)))


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


def shown(headings: list[str]) -> list[str]:
    """Headers for people to read. A row with long numbers in it is no header row: of what it holds only header words
    are shown, the rest as shapes."""
    doubtful = any(re.search(r"\d{4}", words) for words in headings)
    return [_shown(words) if doubtful else words[:60] for words in headings if words]


def closest(grids: list[Grid], source: Source) -> tuple[Grid, Header] | None:
    """The rows and layout with most columns recognised, whatever is lacking; None where fewer than two are."""
    found = ((grid, header) for grid in grids for header in _readings(grid, source))
    return max(found, key=lambda reading: len(reading[1].places), default=None)


def fullest_row(grids: list[Grid]) -> tuple[Grid, int] | None:
    """What looks like a header where none is recognised: the first of the fullest rows, by its index in the head."""
    rows = [(sum(1 for c in cells if c.strip()), grid, n) for grid in grids for n, cells in enumerate(grid.head)]
    _, grid, n = max(rows, key=lambda r: r[0], default=(0, None, 0))
    return (grid, n) if grid else None


def no_header(grids: list[Grid], source: Source, name: str) -> InputRefused:
    """The error for a file without a usable header: what was found, what is needed, what to do."""
    if other := _of_another_kind(grids, source):
        return InputRefused(
            Text("Tệp không thuộc loại mà nguồn đã khai báo.", "The file is not of the kind that its source declares."),
            where=name,
            expected=Text(f'kind = "{source.layouts[0].kind}"', f'kind = "{source.layouts[0].kind}"'),
            found=Text(f"{other.kind}: {other.name}", f"{other.kind}: {other.id}"),
            todo=Text(
                f"Chuyển tệp sang một nguồn khác, hoặc bỏ dòng kind trong data/raw/{source.key}/source.toml.",
                f"Move the file to another source, or take the line kind out of data/raw/{source.key}/source.toml.",
            ),
        )
    found_near = closest(grids, source)
    header = found_near and found_near[1]
    layout = header.layout if header else source.layouts[0]
    if header is None:
        fullest = fullest_row(grids)
        cells = fullest[0].head[fullest[1]] if fullest else []
        found = ", ".join(_shown(c) for c in cells if c.strip())[:400] or "—"
        missing = list(required_columns())
        hints = []
    else:
        found = ", ".join(shown(list(header.headings)))[:400]
        missing = lacking(layout, header.places, has_unit=bool(source.unit))
        hints = [f'{column} = "{words}"' for column, words in nearest(missing, list(header.headings), layout)]
        hints = [_declared_hint(c, header, source) for c in missing if source.declared.get(c, ("", ()))[1]] or hints
    example = "; ".join(hints) or "; ".join(f'{c} = "…"' for c in missing[:3])
    labels = "; ".join(f"{column_names(layout.kind)[c].vi} ({c})" for c in missing)
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


def not_found(header: Header, source: Source) -> list[tuple[str, str, str | None]]:
    """(column, where and how it is declared, the header most like it) for what source.toml declares and a table does not
    have: a header written otherwise would leave the column unknown in every row."""
    return [
        (column, f"{place}: {' | '.join(words)}", _most_like(words, header))
        for column, (place, words) in source.declared.items()
        if words and column not in header.places
    ]


def _most_like(words: tuple[str, ...], header: Header) -> str | None:
    """The header, not used otherwise, that looks most like one of some words; for people to read."""
    free = {fold(h): h for h in shown(header.dropped)}
    near = [h for w in words for h in difflib.get_close_matches(fold(w), free, n=1, cutoff=0.6)]
    return free[near[0]] if near else None


def _declared_hint(column: str, header: Header, source: Source) -> str:
    """Where source.toml declares a column that the file does not have, and which header may be meant."""
    place, words = source.declared[column]
    near = _most_like(words, header)
    return f'{place}: {column} = "{words[0]}"' + (f" → “{near}”?" if near else "")


def _of_another_kind(grids: list[Grid], source: Source) -> Layout | None:
    """The layout that the file fits, where it is none of those that its source may have."""
    kinds = {layout.kind for layout in source.layouts}
    anything = replace(source, layouts=tuple(known for known in built_in() if known.kind not in kinds))
    fits = (header for grid in grids if (header := find_header(grid, anything)))
    return next((header.layout for header in fits), None) if anything.layouts else None


def nearest(missing: list[str], headings: list[str], layout: Layout) -> list[tuple[str, str]]:
    """(column, header as written) for headers that look like those of a missing column; for people to choose from."""
    found = []
    for column in missing:
        words = [w for w, c in layout.columns.items() if c == column]
        near = {h for h in headings if any(difflib.SequenceMatcher(None, fold(h), w).ratio() > 0.7 for w in words)}
        found += [(column, h) for h in sorted(near) if h]
    return found
