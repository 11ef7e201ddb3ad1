"""The section's tables, from a book and the declared columns. Not here: how they are drawn (word, as_text)."""

from __future__ import annotations

from pipeline.declare import report_section as plan
from pipeline.declare.figures import indicators, measures
from pipeline.declare.periods import Period
from pipeline.declare.report_section import Chosen, Column, Grid
from pipeline.report.book import Book
from pipeline.report.section.model import Figure, Head, Line, Sentence, Table
from pipeline.report.section.scope import Scope, inline_period
from pipeline.report.section.tell import JUDGED, choose, fill, missed

DASH = Figure("", "–")
NOTHING = Figure("", "")


def levels(book: Book) -> list[str]:
    """The sums that are told apart: the whole, its one counter, the sums between; the whole alone where it has no parts."""
    counters = [u for u, row in book.leaves.items() if row["kind"] == "counter"]
    sums = [u for u, row in book.units.items() if row["level"] == "group" and u != book.top]
    return [book.top, *(counters if len(counters) == 1 and len(book.leaves) > 1 else []), *sums]


def table(grid: Grid, scope: Scope, number: int, name: str) -> Table | None:
    """None where there is nothing to set side by side: less than two lines."""
    lang = scope.lang
    if grid.rows == "figures":
        heads, lines = _compared(grid, scope)
    else:
        rows = _rows(grid, scope)
        heads, lines = _columns(grid.columns, rows, lang)
    if len(lines) < (1 if grid.rows == "missed" else 2):
        return None
    caption = fill(grid.caption[lang], scope)
    unknown = any(cell is DASH for line in lines for cell in line.cells)
    return Table(
        name,
        number,
        f"{plan.word('table')[lang]} {number}. {caption.text}",
        Sentence(f"{name}.caption", caption.text, None, caption.figures),
        tuple(heads),
        tuple(lines),
        plan.word("dash")[lang] if unknown else None,
    )


def _rows(grid: Grid, scope: Scope) -> list[Scope]:
    book = scope.book
    if grid.rows == "levels":
        found = levels(book)
        return [scope.about(unit_id) for unit_id in found] if len(found) > 1 else []
    if grid.rows == "missed":
        return missed(book, scope.lang)
    if len(book.leaves) < 2:
        return []
    if grid.rows == "units":
        return [scope.about(unit_id) for unit_id in book.leaves]
    return choose(scope, Chosen(verdict=(*JUDGED, "no_target")))  # where nothing arose is said in a sentence


def _columns(columns: tuple[Column, ...], rows: list[Scope], lang: str) -> tuple[list[Head], list[Line]]:
    cells = {c.figure: [one.get(c.figure) for one in rows] for c in columns}
    kept = [
        c
        for c in columns
        if any(f is not None and (f.value != 0 or not c.some) for f in cells[c.figure])
        and any(f is not None for f in cells[c.beside])
    ]
    heads = [Head(plan.word("unit")[lang], None, 0)]
    heads += [Head(c.head[lang], c.group[lang] if c.group else None, c.width) for c in kept]
    lines = [
        Line(
            Figure("unit", one.book.names[one.unit_id]),
            tuple(cells[c.figure][i] or (NOTHING if c.blank else DASH) for c in kept),
            one.row["level"] != "unit",
        )
        for i, one in enumerate(rows)
    ]
    return heads, lines


def _compared(grid: Grid, scope: Scope) -> tuple[list[Head], list[Line]]:
    """A line per figure of the whole: this period, then each other period of which there is data, and the change."""
    book, lang = scope.book, scope.lang
    others = [p for p in dict.fromkeys((book.earlier, book.a_year_earlier)) if _known(scope, p)]
    if not others:
        return [], []
    heads = [Head(plan.word("figure")[lang], None, 0), Head(inline_period(book.period, lang), None, 22)]
    for period in others:
        label = inline_period(period, lang)
        heads += [Head(plan.word("value")[lang], label, 22), Head(plan.word("change")[lang], label, 32)]
    lines = []
    for figure in grid.figures:
        cells = [scope.get(figure)]
        for period in others:
            then = Scope(book, lang, scope.unit_id, then=period)
            cells += [then.get(f"then.{figure}"), then.get(f"then.{figure}.change")]
        if any(cell and cell.value not in (0, None) for cell in cells):
            label = measures()[figure].label if figure in measures() else indicators()[figure].label
            lines.append(Line(Figure("label", label[lang]), tuple(cell or DASH for cell in cells), False))
    return heads, lines


def _known(scope: Scope, period: Period) -> bool:
    row = scope.book.count(scope.unit_id, period)
    return row is not None and row["total"] is not None
