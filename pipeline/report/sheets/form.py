"""A printed form as a sheet: heading lines, header tree, number row, sections with their rows, total, notes.

Sums and identities are live formulas, written with the release's figure as their value. Where the release's figure is not
what the formula would give (summaries may tell sums that are none), the figure stands, marked, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

from pipeline.declare.forms import Form, Head, Identity
from pipeline.declare.marks import mark_of
from pipeline.declare.text import Text
from pipeline.measure.forms import Line
from pipeline.report.book import Book
from pipeline.report.display import NO_DATA, NOTHING
from pipeline.report.sheets.heading import span, standing
from pipeline.report.sheets.styles import Styles, height, page

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

WIDTHS = {"ordinal": 5.5, "code": 11, "named": 32, "count": 10}
ROMAN = ("I", "II", "III", "IV", "V")
NOT_YET = Text("chưa có số liệu", "no data yet")
TOTAL = Text("Tổng số", "Total")
AGREES, DIFFERS = Text("khớp", "agrees"), Text("lệch", "differs")
NO_FIELD = Text("Không rõ lĩnh vực", "Field not known")
UNDIVIDED = Text("Không chia theo lĩnh vực", "Not told by field")


@dataclass
class Grid:
    """Where things stand: columns from left to right, the header's depth, the first row of lines."""

    form: Form
    by: str
    columns: list[str] = field(init=False)
    depth: int = field(init=False)

    def __post_init__(self) -> None:
        self.columns = self.form.printed
        self.depth = max(head.depth for head in self.form.head)

    head_at = 5

    @property
    def numbers_at(self) -> int:
        return self.head_at + self.depth

    @property
    def first(self) -> int:
        return self.numbers_at + 1

    def at(self, column: str) -> int:
        return self.columns.index(column)

    @property
    def last_column(self) -> int:
        return len(self.columns) - 1


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
    for place, column in enumerate(grid.columns):
        kinds = {form.ordinal: "ordinal", form.code: "code", form.named: "named"}
        sheet.set_column(place, place, WIDTHS[kinds.get(column, "count")])
    _heading(sheet, styles, grid, book, receiver, lang)
    _header(sheet, styles, grid, lang)
    body = _Body(sheet, styles, grid, lines, book, lang)
    body.write()
    last = _notes(sheet, styles, grid, body, book, lang)
    _checks(sheet, styles, grid, lines, lang)
    sheet.freeze_panes(grid.first, grid.at(form.named) + 1)
    page(sheet, (grid.head_at, grid.numbers_at), len(grid.columns), lang, last)


# ---- above the rows


def _heading(sheet: Worksheet, styles: Styles, grid: Grid, book: Book, receiver: str | None, lang: str) -> None:
    form, last = grid.form, grid.last_column
    left, right = grid.at(form.named), last - 3
    for row, points in enumerate((18, 18, 18)):
        sheet.set_row(row, points)
    sheet.merge_range(0, 0, 0, left, form.number[lang], styles("bold", "left"))
    sheet.merge_range(1, 0, 2, left, form.act[lang], styles("left", "top"))
    sheet.merge_range(0, left + 1, 1, right - 1, form.title[lang].upper(), styles("bold", "center"))
    sheet.merge_range(2, left + 1, 2, right - 1, "", styles("center"))
    sheet.write_string(2, left + 1, f"{Text('Kỳ báo cáo', 'Period')[lang]}: {span(book, lang)}", styles("center"))
    sheet.merge_range(
        0, right, 0, last, f"{Text('Đơn vị báo cáo', 'Reported by')[lang]}: {book.names[book.top]}", styles("left")
    )
    to = f"{Text('Đơn vị nhận báo cáo', 'Reported to')[lang]}: {receiver or '……………………'}"
    sheet.merge_range(1, right, 2, last, to, styles("left", "top"))
    told = standing(book, lang)
    sheet.merge_range(3, 0, 3, last, told, styles("left", "italic", "small", "grey"))
    wide = sum(WIDTHS["count"] for _ in grid.columns) + 20
    sheet.set_row(3, height(told, wide * 1.1, 13))
    counted = f"{Text('Đơn vị tính', 'Counted in')[lang]}: {form.counted[lang]}"
    sheet.merge_range(4, 0, 4, last, counted, styles("right", "italic"))


def _header(sheet: Worksheet, styles: Styles, grid: Grid, lang: str) -> None:
    for top, bottom, first, last, words in header_cells(grid.form, grid.by, lang):
        style = styles("head", "framed")
        if (top, first) == (bottom, last):
            sheet.write_string(grid.head_at + top, first, words, style)
        else:
            sheet.merge_range(grid.head_at + top, first, grid.head_at + bottom, last, words, style)
    for row in range(grid.depth):
        sheet.set_row(grid.head_at + row, 50 if row == grid.depth - 1 else 20 if grid.depth > 2 and row else 32)
    formulas = {i.left: i.printed for i in _leading(grid.form)} if grid.form.formulas else {}
    for place, column in enumerate(grid.columns):
        told = formulas.get(column, f"({column[1:]})")
        sheet.write_string(grid.numbers_at, place, told, styles("framed", "center", "italic", "small"))
    longest = max((len(told) for told in formulas.values()), default=0)
    sheet.set_row(grid.numbers_at, 13 * max(1, -(-longest // 9)) + 3)


def header_cells(form: Form, by: str, lang: str) -> list[tuple[int, int, int, int, str]]:
    """The cells of the header: first and last row, first and last column, words."""
    depth = max(head.depth for head in form.head)
    columns = form.printed

    def cells(heads: tuple[Head, ...], row: int) -> Iterator[tuple[int, int, int, int, str]]:
        for head in heads:
            first, last = columns.index(head.columns[0]), columns.index(head.columns[-1])
            # a leaf reaches down to the number row; a group leaves room for its parts
            bottom = depth - 1 if head.column else row
            yield row, bottom, first, last, (head.field if by == "field" else head.text)[lang]
            yield from cells(head.parts, row + 1)

    return list(cells(form.head, 0))


def _leading(form: Form) -> list[Identity]:
    """The identity by which each column is written as a formula: the first that gives it as a sum."""
    found: dict[str, Identity] = {}
    for identity in form.rules:
        if identity.sign == "=":
            found.setdefault(identity.left, identity)
    return list(found.values())


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

    def write(self) -> None:
        section, ordinal, sections = 0, 0, 0
        parts: dict[int, list[int]] = {}  # line of a section → its lines
        for place, line in enumerate(self.lines):
            if line.kind == "section":
                section, ordinal, sections = place, 0, sections + 1
                number, below = ROMAN[sections - 1], parts.setdefault(place, [])
            elif line.kind == "total":
                number, below = "", [n for n, one in enumerate(self.lines) if one.kind == "section"]
            else:
                ordinal += 1
                number, below = str(ordinal), []
                parts[section].append(place)
            self._row(place, line, number, below)

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
        self.sheet.set_row(row, height(name, WIDTHS["named"] + 2) + 3)
        if all(figure is None for figure in line.figures.values()):
            words = (NOT_YET if line.has_data else NO_DATA)[self.lang]
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
                style = self.styles("framed", "percent", *weight)
                self.sheet.write_number(row, at, numerator / denominator, style)
            else:
                self.sheet.write_string(row, at, NOTHING[self.lang], self.styles("framed", "right", "small", *weight))
        else:
            formula, value = self._formula(row, line, column, below)
            if formula and value == figure:
                self.sheet.write_formula(row, at, formula, self.styles("framed", "count", *weight), figure)
            else:
                odd = bool(formula) and value is not None
                self.odd |= odd
                style = self.styles("framed", "count", *weight, *(["warned"] if odd else []))
                self.sheet.write_number(row, at, figure, style)

    def _formula(self, row: int, line: Line, column: str, below: list[int]) -> tuple[str, int | None]:
        """The formula of a count and what it gives; ("", null) where there is none, and null where a part is unknown."""
        at = self.grid.at(column)
        if below:
            rows = [self.grid.first + place for place in below]
            cells = (
                xl_range(rows[0], at, rows[-1], at)
                if line.kind == "section"
                else ",".join(xl_rowcol_to_cell(r, at) for r in rows)
            )
            return f"=SUM({cells})", sum(_count(self.lines[place].figures[column]) for place in below)
        identity = next((i for i in _leading(self.grid.form) if i.left == column), None)
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
    wide = sum(WIDTHS["count"] for _ in grid.columns) + 20
    for note in told:
        row += 1
        sheet.merge_range(row, 0, row, grid.last_column, note, styles("left", "small", "top"))
        sheet.set_row(row, height(note, wide * 1.1, 13))
    return row


def _checks(sheet: Worksheet, styles: Styles, grid: Grid, lines: list[Line], lang: str) -> None:
    """Beside the printed form: the identities that no cell's own formula holds, as live comparisons, row by row."""
    leading = _leading(grid.form)
    for n, identity in enumerate(i for i in grid.form.rules if i not in leading):
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
