"""A table as a sheet: heading lines, one header row with a filter, frozen, each column as wide as what stands in it.

Numbers are number cells, what is not known says so in words. Not here: which rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_col_to_name

from pipeline.declare.text import Text
from pipeline.report.book import Book
from pipeline.report.sheets.heading import span, standing
from pipeline.report.sheets.styles import COUNT, DECIMAL, PERCENT, SMALL, SMALL_LINE, Styles, height, page

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

HEAD_AT = 4
ROOM = 1.15  # a font that stands in for ours may be wider
ESCAPE = re.compile("_x[0-9A-Fa-f]{1,4}_")
Row = dict[str, Any]


@dataclass(frozen=True)
class Formula:
    """A live formula in which {name} is the cell of that column in the same row; value: what it gives."""

    text: str
    value: int | float
    pattern: str


@dataclass(frozen=True)
class Number:
    """A number with a format of its own. part: of PARTS, a filling."""

    value: int | float
    pattern: str
    part: str = ""


Cell = str | int | Decimal | Fraction | date | datetime | Formula | Number | None


@dataclass(frozen=True)
class Column:
    """key: of the row. wide, least: the greatest and the least width, in characters; longer texts fold."""

    key: str
    text: Text
    wide: int = 28
    least: int = 8


def ratio(row: Row, numerator: str = "numerator", denominator: str = "denominator", pattern: str = PERCENT) -> Formula:
    """A live quotient of two columns of the row."""
    return Formula(
        f"={{{numerator}}}/{{{denominator}}}", float(Fraction(row[numerator]) / Fraction(row[denominator])), pattern
    )


def table_sheet(
    file: Workbook,
    styles: Styles,
    name: str,
    title: Text,
    book: Book,
    columns: Sequence[Column],
    rows: Sequence[dict[str, Cell]],
    lang: str,
    bold: Callable[[dict[str, Cell]], bool] = lambda row: False,
    frozen: int = 1,
    filtered: bool = True,
) -> Worksheet:
    """Adds the sheet; returns it for conditions. The table stands from row HEAD_AT on. frozen: columns that stay.
    bold: rows of sums."""
    sheet = file.add_worksheet(name)
    widths = [_width(c, rows, lang) for c in columns]
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    last = len(columns) - 1
    lines = (title[lang], f"{book.names[book.top]}. {span(book, lang)}", standing(book, lang))
    for row, (words, parts) in enumerate(zip(lines, (("title",), ("bold",), ("small", "grey", "italic")), strict=True)):
        if last:
            sheet.merge_range(row, 0, row, last, words, styles("left", *parts))
        else:
            sheet.write_string(row, 0, words, styles("left", *parts))
        wide, line = ((0.8, 18), (0.9, 15), (SMALL, SMALL_LINE))[row]
        sheet.set_row(row, height(words, sum(widths) * wide, line) + 2)
    heads = [c.text[lang] for c in columns]
    for place, words in enumerate(heads):
        sheet.write_string(HEAD_AT, place, words, styles("head", "framed"))
    sheet.set_row(HEAD_AT, max(height(w, widths[p] - 2) for p, w in enumerate(heads)) + 6)
    letters = {c.key: xl_col_to_name(p) for p, c in enumerate(columns)}
    for n, row in enumerate(rows):
        at = HEAD_AT + 1 + n
        weight = ("total",) if bold(row) else ()
        for place, column in enumerate(columns):
            write(sheet, styles, at, place, row[column.key], letters, *weight)
        texts = [(row[c.key], widths[p]) for p, c in enumerate(columns) if isinstance(row[c.key], str)]
        sheet.set_row(at, max((height(str(t), w - 2) for t, w in texts), default=15) + 3)
    if filtered:
        sheet.autofilter(HEAD_AT, 0, HEAD_AT + max(len(rows), 1), last)
    sheet.freeze_panes(HEAD_AT + 1, frozen)
    page(sheet, (HEAD_AT, HEAD_AT), len(columns), lang)
    return sheet


def write(
    sheet: Worksheet, styles: Styles, row: int, column: int, value: Cell, letters: dict[str, str], *parts: str
) -> None:
    """One cell. A text is written as a text, whatever it begins with. letters: of the columns that formulas name."""
    framed: tuple[str, ...] = ("framed", *parts)
    if isinstance(value, Formula):
        style = styles.number(value.pattern, *framed)
        cells = {key: f"{letter}{row + 1}" for key, letter in letters.items()}
        sheet.write_formula(row, column, value.text.format(**cells), style, value.value)
    elif isinstance(value, Number):
        part = (value.part,) if value.part else ()
        sheet.write_number(row, column, value.value, styles.number(value.pattern, *framed, *part))
    elif isinstance(value, str):
        write_text(sheet, row, column, value, styles("indented", *framed))
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value, styles("moment", *framed))
    elif isinstance(value, date):
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), styles("day", *framed))
    elif value is None:
        sheet.write_string(row, column, "–", styles("center", *framed))
    else:
        whole = isinstance(value, int)
        sheet.write_number(
            row, column, value if whole else float(value), styles.number(COUNT if whole else DECIMAL, *framed)
        )


def write_text(sheet: Worksheet, row: int, column: int, value: str, style: Format) -> None:
    """A text that every program shows as it is: LibreOffice takes the “_xa_” in a file's name for an escaped character,
    as it would “_x000A_”; in two runs it does not."""
    if escape := ESCAPE.search(value):
        cut = escape.start() + 1
        sheet.write_rich_string(row, column, style, value[:cut], style, value[cut:], style)
    else:
        sheet.write_string(row, column, value, style)


def _width(column: Column, rows: Sequence[dict[str, Cell]], lang: str) -> float:
    """As wide as its longest value, within the column's limit; words of the header fold, but none is cut."""
    longest = max((_length(row[column.key]) for row in rows), default=0)
    word = max(len(w) for w in column.text[lang].split())
    return min(max(column.least, longest * ROOM + 3, word * ROOM + 5), max(column.wide, word * ROOM + 5))


def _length(value: Cell) -> int:
    if isinstance(value, str):
        return max((len(line) for line in value.split("\n")), default=0)
    if isinstance(value, datetime):
        return 16
    if isinstance(value, int):
        return len(f"{value:,}")
    return 10 if isinstance(value, date) else 9
