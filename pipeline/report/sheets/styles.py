"""A workbook file and its styles: one font, Vietnamese number formats, the same bytes for the same release.

Number formats are written as every spreadsheet stores them; a Vietnamese one shows 8.134 and 99,95 %.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

A4 = 9  # as workbooks number papers
HIGHEST = 400.0  # points of a row; spreadsheets take no more than 409
SMALL, SMALL_LINE = 1.15, 13.0  # how many more characters of the small size a width holds; points of its lines
COUNT, PERCENT, DECIMAL, DAY, MOMENT = "#,##0", '0.00" "%', "#,##0.00", "dd/mm/yyyy", "dd/mm/yyyy hh:mm"
PARTS: dict[str, dict[str, Any]] = {
    "left": {"align": "left"},
    "indented": {"align": "left", "indent": 1},
    "center": {"align": "center"},
    "right": {"align": "right", "indent": 1},
    "bold": {"bold": True},
    "italic": {"italic": True},
    "small": {"font_size": 9},
    "title": {"font_size": 13, "bold": True},
    "top": {"valign": "top"},
    "framed": {"border": 1, "border_color": "#7F7F7F"},
    "head": {"bold": True, "bg_color": "#DDEBF7", "align": "center"},
    "total": {"bold": True, "bg_color": "#F2F2F2"},
    "section": {"bold": True, "bg_color": "#F8F8F8"},
    "warned": {"font_color": "#C00000", "bold": True},
    "grey": {"font_color": "#595959"},
    "number": {"align": "right", "indent": 1, "text_wrap": False},
    "day": {"num_format": DAY, "align": "center"},
    "moment": {"num_format": MOMENT, "align": "center"},
    # a filling under a text, as conditions lay it: said in words as well, never by colour alone
    "met": {"bg_color": "#E2F0D9", "font_color": "#215C1B"},
    "not_met": {"bg_color": "#FBE0DD", "font_color": "#9C1C0F"},
    "near": {"bg_color": "#FFF2CC", "font_color": "#7A5800"},
}
PLAIN = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter", "text_wrap": True}


class Styles:
    """The formats of one workbook, each made once: styles("head", "framed")."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[str, ...], Format] = {}

    def __call__(self, *parts: str) -> Format:
        if parts not in self._made:
            told = PLAIN.copy()
            for part in parts:
                told |= PARTS[part]
            self._made[parts] = self._book.add_format(told)
        return self._made[parts]

    def number(self, pattern: str, *parts: str) -> Format:
        """A style with a number format of its own."""
        if ("=", pattern, *parts) not in self._made:
            told = PLAIN | PARTS["number"] | {"num_format": pattern}
            for part in parts:
                told |= PARTS[part]
            self._made["=", pattern, *parts] = self._book.add_format(told)
        return self._made["=", pattern, *parts]

    def condition(self, part: str) -> Format:
        """A format that a condition lays over a cell's own."""
        if ("", part) not in self._made:
            self._made["", part] = self._book.add_format(PARTS[part])
        return self._made["", part]


@contextmanager
def workbook(path: Path, title: str, known_at: str) -> Generator[tuple[Workbook, Styles]]:
    """A workbook that stands at `path` when it is whole. known_at: ISO moment, told as its time of creation, so that
    the same release gives the same bytes. A text is a text: none is taken for a formula, a number or an address."""
    import xlsxwriter

    from pipeline.report.sheets.formulas import PlainFormulas

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    texts = dict.fromkeys(("strings_to_formulas", "strings_to_numbers", "strings_to_urls"), False)
    with xlsxwriter.Workbook(str(part), {"in_memory": True, **texts}) as book:
        book.worksheet_class = PlainFormulas
        book.set_properties({"title": title, "author": "Motcua", "created": datetime.fromisoformat(known_at)})
        yield book, Styles(book)
    part.replace(path)


def page(sheet: Worksheet, header: tuple[int, int], columns: int, lang: str, last_row: int | None = None) -> None:
    """A4 landscape, as wide as the page; header rows (first, last) on each page, page numbers below. With last_row
    what stands to the right of `columns` and below is not printed."""
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=0.5, right=0.5, top=0.45, bottom=0.55)
    sheet.fit_to_pages(1, 0)
    sheet.center_horizontally()
    sheet.repeat_rows(*header)
    sheet.set_footer('&C&"Times New Roman"&9' + ("Page &P/&N" if lang == "en" else "Trang &P/&N"))
    if last_row is not None:
        sheet.print_area(0, 0, last_row, columns - 1)


def share(value: Decimal | float, before: str = "") -> str:
    """The number format of a share with as many decimals as it was declared with: 70 %, 99.5 %; before: words."""
    exponent = (Decimal(str(value)) * 100).normalize().as_tuple().exponent
    digits = max(0, -int(exponent))
    words = f'"{before} "' if before else ""
    return f'{words}0{"." + "0" * digits if digits else ""}" "%'


def height(text: str, width: float, line: float = 15) -> float:
    """Points that a wrapped text needs in a cell `width` characters wide, as far as a row can be that high; words are not
    cut, and a font that stands in for ours may be wider."""
    return min(HIGHEST, line * _lines(text, max(1, int(width * 0.9))))


@lru_cache(maxsize=4096)  # a table says the same words in many rows
def _lines(text: str, fits: int) -> int:
    if len(text) <= fits and text.isprintable():  # most do, and wrapping takes long; tabs and line ends take more room
        return 1
    return sum(len(wrap(part, fits)) or 1 for part in text.split("\n"))
