"""A printed form as a sheet: below its head (form_head.py), sections with their rows, the total, notes, checks.

Sums and identities are live formulas, written with the release's figure as their value. Where the release's figure is not
what the formula would give (summaries may tell sums that are none), the figure stands, marked, and a note says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

from pipeline.declare.forms import Form, Identity
from pipeline.declare.marks import mark_of
from pipeline.declare.text import Text
from pipeline.measure.forms import Line
from pipeline.report.book import Book
from pipeline.report.display import NO_DATA, NOTHING
from pipeline.report.sheets.form_head import HEAD_AT, Grid, header, heading, leading
from pipeline.report.sheets.styles import COUNT, PERCENT, SMALL, SMALL_LINE, Styles, height, page

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

LINES = 12  # of a note in one row: a list of a hundred units goes on in the next
ROMAN = ("I", "II", "III", "IV", "V")
NOT_YET = Text("chưa có số liệu", "no data yet")
TOTAL = Text("Tổng số", "Total")
AGREES, DIFFERS = Text("khớp", "agrees"), Text("lệch", "differs")
NO_FIELD = Text("Không rõ lĩnh vực", "Field not known")
UNDIVIDED = Text("Không chia theo lĩnh vực", "Not told by field")


def form_sheet(
    book_file: Workbook,
    styles: Styles,
    name: str,
    form: Form,
    lines: list[Line],
    book: Book,
    by: str,
    receiver: str | None,
    lang: str,
) -> None:
    """Adds the sheet. lines: as measure/forms gives them. receiver: the unit that the form is handed to, if known."""
    sheet = book_file.add_worksheet(name)
    grid = Grid(form, by)
    for place, width in enumerate(grid.widths):
        sheet.set_column(place, place, width)
    heading(sheet, styles, grid, book, receiver, lang)
    header(sheet, styles, grid, lang)
    body = _Body(sheet, styles, grid, lines, book, lang)
    body.write()
    last = _notes(sheet, styles, grid, body, book, lang)
    _checks(sheet, styles, grid, lines, lang)
    sheet.freeze_panes(grid.first, grid.at(form.named) + 1)
    page(sheet, (HEAD_AT, grid.numbers_at), len(grid.columns), lang, last)


# ---- rows


@dataclass
class _Body:
    """The rows, and what is to be noted below them."""

    sheet: Worksheet
    styles: Styles
    grid: Grid
    lines: list[Line]
    book: Book
    lang: str
    odd: bool = False  # a figure that is not what its parts add up to
    dashes: bool = False

    @cached_property
    def led(self) -> dict[str, Identity]:
        return {identity.left: identity for identity in leading(self.grid.form)}

    def write(self) -> None:
        heads = [n for n, line in enumerate(self.lines) if line.kind == "section"]
        for place, line in enumerate(self.lines):
            if line.kind == "total":
                self._row(place, line, "", heads)
            elif line.kind == "section":
                end = next((n for n in heads if n > place), len(self.lines) - 1)
                self._row(place, line, ROMAN[heads.index(place)], list(range(place + 1, end)))
            else:
                self._row(place, line, str(place - max(n for n in heads if n < place)), [])

    def _row(self, place: int, line: Line, number: str, below: list[int]) -> None:
        form, row = self.grid.form, self.grid.first + place
        weight = (line.kind,) if line.kind in ("section", "total") else ()
        name = self._name(line)
        self.sheet.write_string(row, self.grid.at(form.ordinal), number, self.styles("framed", "center", *weight))
        if form.code:
            code = self.book.units[line.unit_id]["unit_code"] if line.unit_id else ""
            self.sheet.write_string(row, self.grid.at(form.code), code, self.styles("framed", "center", *weight))
        align = "center" if line.kind == "total" else "indented"
        self.sheet.write_string(row, self.grid.at(form.named), name, self.styles("framed", align, *weight))
        self.sheet.set_row(row, height(name, self.grid.widths[self.grid.at(form.named)] - 2) + 1.5)
        if all(figure is None for figure in line.figures.values()):
            words = (NOT_YET if line.has_data else NO_DATA)[self.lang]
            if form.by_hand and line.kind == "section":
                words = ""  # of a section nobody tells anything by hand
            first = self.grid.at(next(iter(form.columns)))
            style = self.styles("framed", "center", "italic", "grey", *weight)
            self.sheet.merge_range(row, first, row, self.grid.last_column, words, style)
            return
        for column in form.columns:
            self._cell(row, line, column, below, weight)

    def _cell(self, row: int, line: Line, column: str, below: list[int], weight: tuple[str, ...]) -> None:
        figure, at = line.figures[column], self.grid.at(column)
        if figure is None:
            self.dashes = True
            self.sheet.write_string(row, at, "–", self.styles("framed", "right", *weight))
        elif isinstance(figure, tuple):
            numerator, denominator = figure
            if denominator:
                style = self.styles.number(PERCENT, "framed", *weight)
                self.sheet.write_number(row, at, numerator / denominator, style)
            else:
                self.sheet.write_string(row, at, NOTHING[self.lang], self.styles("framed", "right", "small", *weight))
        else:
            formula, value = self._formula(row, line, column, below)
            if formula and value == figure:
                self.sheet.write_formula(row, at, formula, self.styles.number(COUNT, "framed", *weight), figure)
            else:
                odd = bool(formula) and value is not None
                self.odd |= odd
                style = self.styles.number(COUNT, "framed", *weight, *(["warned"] if odd else []))
                self.sheet.write_number(row, at, figure, style)

    def _formula(self, row: int, line: Line, column: str, below: list[int]) -> tuple[str, int | None]:
        """The formula of a count and what it gives; ("", null) where there is none, and null where a part is unknown."""
        at = self.grid.at(column)
        if below and self.grid.form.by_hand:
            return "", None
        if below:
            rows = [self.grid.first + place for place in below]
            cells = (
                xl_range(rows[0], at, rows[-1], at)
                if line.kind == "section"
                else ",".join(xl_rowcol_to_cell(r, at) for r in rows)
            )
            return f"=SUM({cells})", sum(_count(self.lines[place].figures[column]) for place in below)
        identity = self.led.get(column)
        if identity is None or line.kind in ("section", "total"):
            return "", None
        parts = [line.figures[c] for c in identity.right]
        places = [self.grid.at(c) for c in identity.right]
        if places == list(range(places[0], places[-1] + 1)):
            formula = f"=SUM({xl_range(row, places[0], row, places[-1])})"
        else:
            formula = "=" + "+".join(xl_rowcol_to_cell(row, p) for p in places)
        return formula, None if None in parts else sum(_count(p) for p in parts)

    def _name(self, line: Line) -> str:
        if line.kind == "total":
            return TOTAL[self.lang]
        if line.kind == "section" and line.section:
            return (line.section.field if self.grid.by == "field" else line.section.text)[self.lang]
        if line.unit_id:
            partial = self.book.units[line.unit_id]["coverage"] == "partial"
            return self.book.names[line.unit_id] + (f" ({Text('một phần', 'partial')[self.lang]})" if partial else "")
        if line.kind == "undivided":
            return UNDIVIDED[self.lang]
        return line.field or NO_FIELD[self.lang]


def _count(figure: Any) -> int:
    return figure if isinstance(figure, int) else 0


# ---- below and beside the rows


def _notes(sheet: Worksheet, styles: Styles, grid: Grid, body: _Body, book: Book, lang: str) -> int:
    """The notes; returns the last row."""
    form, told = grid.form, [note[lang] for note in grid.form.notes]
    leaves = book.leaves.items()
    partial = [f"{book.names[u]}: {r[f'missing_{lang}']}" for u, r in leaves if r["coverage"] == "partial"]
    reported = [book.names[u] for u, r in leaves if r["basis"] == "reported"]
    if partial:
        told.append(f"{Text('Số liệu một phần', 'Partial data')[lang]}: {'; '.join(partial)}.")
    if reported:
        words = Text("Theo bảng tổng hợp do đơn vị báo cáo", "As reported in summaries")
        told.append(f"{words[lang]}: {'; '.join(reported)}.")
    if body.dashes:
        told.append(f"“–”: {NO_DATA[lang]}.")
    if body.odd:
        words = Text(
            "Ô chữ đỏ: số được báo cáo khác tổng các cột hoặc các dòng thành phần.",
            "Red cells: figures that were reported otherwise than their parts add up to.",
        )
        told.append(words[lang])
    if form.order:
        told.append(form.order[lang])
    told.append(f"{Text('Căn cứ biểu', 'Source of the form')[lang]}: {form.source} [{mark_of(form.mark)[lang]}].")
    row = grid.first + len(body.lines)
    wide = sum(grid.widths) * SMALL
    for part in (part for note in told for part in wrap(note, int(wide) * LINES)):
        row += 1
        sheet.merge_range(row, 0, row, grid.last_column, part, styles("left", "small", "top"))
        sheet.set_row(row, height(part, wide, SMALL_LINE))
    return row


def _checks(sheet: Worksheet, styles: Styles, grid: Grid, lines: list[Line], lang: str) -> None:
    """Beside the printed form: the identities that no cell's own formula holds, as live comparisons, row by row."""
    led = leading(grid.form)
    for n, identity in enumerate(i for i in grid.form.rules if i not in led):
        at = grid.last_column + 2 + n
        sheet.set_column(at, at, 18)
        title = f"{Text('Kiểm tra', 'Check')[lang]}: {identity.printed}"
        sheet.write_string(grid.numbers_at - 1, at, title, styles("head", "framed"))
        for place, line in enumerate(lines):
            row = grid.first + place
            figures = [line.figures[c] for c in (identity.left, *identity.right)]
            if None in figures:
                continue
            left, *right = (xl_rowcol_to_cell(row, grid.at(c)) for c in (identity.left, *identity.right))
            total, parts = _count(figures[0]), sum(_count(f) for f in figures[1:])
            holds = total >= parts if identity.sign == ">=" else total == parts
            formula = f'=IF({left}{identity.sign}{"+".join(right)},"{AGREES[lang]}","{DIFFERS[lang]}")'
            sheet.write_formula(
                row, at, formula, styles("framed", "center", "small"), (AGREES if holds else DIFFERS)[lang]
            )
        last = grid.first + len(lines) - 1
        told = {"type": "cell", "criteria": "==", "value": f'"{DIFFERS[lang]}"', "format": styles.condition("not_met")}
        sheet.conditional_format(grid.first, at, last, at, told)
