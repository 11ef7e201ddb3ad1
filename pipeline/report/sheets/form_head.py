"""The head of a form's sheet: heading lines, header tree with merged cells, number row; and where things stand on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.declare.forms import Form, Head, Identity
from pipeline.declare.text import Text
from pipeline.report.book import Book
from pipeline.report.sheets.heading import span, standing
from pipeline.report.sheets.styles import SMALL, SMALL_LINE, Styles, height

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

HEAD_AT = 5  # rows of heading lines above the header
FRAME = {"ordinal": 6.0, "code": 11.0, "named": 34.0}
NARROWEST, WIDEST, WHOLE = 10.0, 15.0, 150.0  # of a figure's column; what all columns should fill, in characters
RIGHT = 36.0  # what the names of the units that report need


@dataclass(frozen=True)
class Grid:
    """Where things stand on the sheet. by: unit | field."""

    form: Form
    by: str

    @cached_property
    def columns(self) -> list[str]:
        return self.form.printed

    @cached_property
    def depth(self) -> int:
        return max(head.depth for head in self.form.head)

    @cached_property
    def widths(self) -> list[float]:
        named = {self.form.ordinal: "ordinal", self.form.code: "code", self.form.named: "named"}
        frame = {c: FRAME[named[c]] for c in self.columns if c in named}
        frame |= {c: WIDEST for c, column in self.form.columns.items() if column.rate}  # may say that nothing arose
        share = (WHOLE - sum(frame.values())) / (len(self.columns) - len(frame))
        return [frame.get(c, round(min(WIDEST, max(NARROWEST, share)), 1)) for c in self.columns]

    @property
    def numbers_at(self) -> int:
        return HEAD_AT + self.depth

    @property
    def first(self) -> int:
        """The first row of figures."""
        return self.numbers_at + 1

    @property
    def last_column(self) -> int:
        return len(self.columns) - 1

    def at(self, column: str) -> int:
        return self.columns.index(column)

    def width(self, first: int, last: int) -> float:
        return sum(self.widths[first : last + 1])


def heading(sheet: Worksheet, styles: Styles, grid: Grid, book: Book, receiver: str | None, lang: str) -> None:
    """Form number and act, title and period, who reports to whom; the standing of the data; what is counted."""
    form, last = grid.form, grid.last_column
    left = grid.at(form.named)
    right = next(c for c in range(last, -1, -1) if grid.width(c, last) >= RIGHT)
    by = f"{Text('Đơn vị báo cáo', 'Reported by')[lang]}: {book.names[book.top]}"
    to = f"{Text('Đơn vị nhận báo cáo', 'Reported to')[lang]}: {receiver or '……………………'}"
    title, period = form.title[lang].upper(), f"{Text('Kỳ báo cáo', 'Period')[lang]}: {span(book, lang)}"
    wide = grid.width(0, left), grid.width(left + 1, right - 1), grid.width(right, last)
    first = max(height(form.number[lang], wide[0]), height(by, wide[2])) + 2
    third = height(period, wide[1]) + 2
    second = max(height(form.act[lang], wide[0]), height(to, wide[2])) - third
    second = max(15, second, height(title, wide[1] * 0.85) - first) + 2
    for row, points in enumerate((first, second, third)):
        sheet.set_row(row, points)
    sheet.merge_range(0, 0, 0, left, form.number[lang], styles("bold", "left"))
    sheet.merge_range(1, 0, 2, left, form.act[lang], styles("left", "top"))
    sheet.merge_range(0, left + 1, 1, right - 1, title, styles("bold", "center"))
    sheet.merge_range(2, left + 1, 2, right - 1, period, styles("center"))
    sheet.merge_range(0, right, 0, last, by, styles("left"))
    sheet.merge_range(1, right, 2, last, to, styles("left", "top"))
    told = standing(book, lang)
    sheet.merge_range(3, 0, 3, last, told, styles("left", "italic", "small", "grey"))
    sheet.set_row(3, height(told, grid.width(0, last) * SMALL, SMALL_LINE) + 2)
    counted = f"{Text('Đơn vị tính', 'Counted in')[lang]}: {form.counted[lang]}"
    sheet.merge_range(4, 0, 4, last, counted, styles("right", "italic"))


def header(sheet: Worksheet, styles: Styles, grid: Grid, lang: str) -> None:
    """The header tree, and the row of column numbers, with the formulas that the form prints in it."""
    heights = [18.0] * grid.depth
    cells = header_cells(grid.form, grid.by, lang)
    for top, bottom, first, last, words in sorted(cells):
        style = styles("head", "framed")
        if (top, first) == (bottom, last):
            sheet.write_string(HEAD_AT + top, first, words, style)
        else:
            sheet.merge_range(HEAD_AT + top, first, HEAD_AT + bottom, last, words, style)
        lacking = height(words, grid.width(first, last)) + 4 - sum(heights[top : bottom + 1])
        heights[bottom] += max(0, lacking)
    for row, points in enumerate(heights):
        sheet.set_row(HEAD_AT + row, points)
    formulas = {i.left: i.printed for i in leading(grid.form)} if grid.form.formulas else {}
    numbers = [formulas.get(column, f"({column[1:]})") for column in grid.columns]
    for place, told in enumerate(numbers):
        sheet.write_string(grid.numbers_at, place, told, styles("framed", "center", "italic", "small"))
    sheet.set_row(grid.numbers_at, max(height(n, grid.widths[p], SMALL_LINE) for p, n in enumerate(numbers)) + 3)


def header_cells(form: Form, by: str, lang: str) -> list[tuple[int, int, int, int, str]]:
    """The cells of the header: first and last row, first and last column, words."""
    depth = max(head.depth for head in form.head)
    columns = form.printed

    def cells(heads: tuple[Head, ...], row: int) -> Iterator[tuple[int, int, int, int, str]]:
        for head in heads:
            first, last = columns.index(head.columns[0]), columns.index(head.columns[-1])
            bottom = depth - 1 if head.column else row  # the head of a column reaches down to the number row
            yield row, bottom, first, last, (head.field if by == "field" else head.text)[lang]
            yield from cells(head.parts, row + 1)

    return list(cells(form.head, 0))


def leading(form: Form) -> list[Identity]:
    """The identity by which each column is written as a formula: the first that gives it as a sum."""
    found: dict[str, Identity] = {}
    for identity in form.rules:
        if identity.sign == "=":
            found.setdefault(identity.left, identity)
    return list(found.values())
