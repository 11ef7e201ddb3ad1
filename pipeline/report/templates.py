"""The workbooks that units fill in: one sheet per return (and per unit, where its rows are lines), and one that explains.

Cells to fill are open and pale yellow, all others are locked without a password, so that nobody destroys a code by
accident and everybody may unlock. The marks by which a sheet is read again (declare/return_sheet) stand in a hidden column
and two hidden rows, which every way of saving a sheet keeps.
Not here: which units and periods are asked for (return_requests.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from pipeline.declare.periods import Period
from pipeline.declare.return_sheet import (
    ABOUT,
    DAY_LABEL,
    DAY_PROBE,
    HELP_MARK,
    LINE,
    NAME,
    PERIOD_LABEL,
    PROBE,
    TAG,
    TOTAL,
    UNIT,
    UNIT_LABEL,
    Mark,
    letters,
)
from pipeline.declare.returns import OF_LINES, Measure, Return, document_example, qualifiers
from pipeline.declare.text import Text
from pipeline.report.sheets.styles import A4, height

CREATED = datetime(2000, 1, 1)  # the same request gives the same bytes
LONGEST_SHEET_NAME = 31
HELP_WIDTH, LABEL_WIDTH = 78, 46  # in characters
KEY, NUMBER, LABEL = range(3)  # columns, from 0
TITLE, PERIOD, WHOSE, DAY, MARK, HEADER, CODES, FIRST = range(8)  # rows, from 0
HELP = Text("Hướng dẫn", "Instructions")
INPUT, HEAD, EDGE, FAINT, WRONG = "#FFF9E5", "#DDEBF7", "#A6A6A6", "#808080", "#F8CBAD"
MOST = {"count": 99_999_999, "decimal": 999_999_999_999}


@dataclass(frozen=True)
class Sheet:
    """A sheet to fill in. area: of its mark; whose: whose return it is, in words. rows: key and name of each row, of a
    return whose rows are units; kind: of the unit, null: one that its source brings."""

    declared: Return
    period: Period
    area: str
    whose: str
    rows: tuple[tuple[str, str], ...] = ()
    kind: str | None = None


@dataclass(frozen=True)
class _Column:
    """place: from 0. about: the column that says how exact the one before it is."""

    place: int
    measure: Measure
    about: bool

    @property
    def letter(self) -> str:
        return letters(self.place)


def write_template(path: Path, sheets: list[Sheet]) -> Path:
    """Writes the workbook. The same sheets give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with xlsxwriter.Workbook(str(part), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties(
            {"created": CREATED, "title": "; ".join(dict.fromkeys(s.declared.label.vi for s in sheets))}
        )
        styles = _Styles(book)
        taken: set[str] = set()
        for sheet in sheets:
            _write(book.add_worksheet(_name(sheet, sheets, taken)), sheet, styles)
        _write_help(book.add_worksheet(HELP.vi), sheets, styles)
        book.worksheets()[0].activate()
    part.replace(path)
    return path


def _name(sheet: Sheet, sheets: list[Sheet], taken: set[str]) -> str:
    """The sheet's name: the return's, with the unit's where it has several; no longer than workbooks allow."""
    several = sum(s.declared.id == sheet.declared.id for s in sheets) > 1
    clean = re.sub(
        r"[\[\]:*?/\\']", " ", f"{sheet.whose} – {sheet.declared.sheet}" if several else sheet.declared.sheet
    )
    name, n = clean[:LONGEST_SHEET_NAME].strip(), 1
    while name.lower() in taken:
        n += 1
        name = f"{clean[: LONGEST_SHEET_NAME - len(str(n)) - 1].strip()} {n}"
    taken.add(name.lower())
    return name


class _Styles:
    """The formats of the workbook, made once."""

    def __init__(self, book: Any) -> None:
        line = {"border": 1, "border_color": EDGE, "valign": "vcenter"}
        self.book = book
        self.title = book.add_format({"bold": True, "font_size": 14, "valign": "vcenter", "text_wrap": True})
        self.bold = book.add_format({"bold": True, "valign": "vcenter"})
        self.plain = book.add_format({"valign": "vcenter"})
        self.faint = book.add_format({"font_color": FAINT, "font_size": 8})
        self.probe = book.add_format({"font_color": FAINT, "font_size": 8, "num_format": "#,##0.0", "align": "left"})
        self.day_probe = book.add_format({"font_color": FAINT, "font_size": 8, "num_format": "dd/mm/yyyy"})
        self.head = book.add_format(line | {"bold": True, "bg_color": HEAD, "text_wrap": True, "align": "center"})
        self.code = book.add_format(line | {"font_color": FAINT, "font_size": 8, "align": "center"})
        self.ordinal = book.add_format(line | {"align": "center"})
        self.label = book.add_format(line | {"text_wrap": True})
        self.sum_label = book.add_format(line | {"bold": True})
        self.day = book.add_format({"num_format": "dd/mm/yyyy", "bg_color": INPUT, "locked": False, "align": "left"})
        self.wrong = book.add_format({"bg_color": WRONG})
        self.text = book.add_format({"text_wrap": True, "valign": "top"})
        self._line = line
        self._made: dict[tuple[str, bool], Any] = {}

    def cell(self, measure: Measure, about: bool, total: bool = False) -> Any:
        """An open cell of a measure, or the locked one of a sum."""
        kind = "text" if about or not measure.is_number else f"{measure.kind}{measure.digits}"
        kind = "date" if measure.kind == "date" else kind
        if (kind, total) not in self._made:
            look = self._line | ({"bold": True} if total else {"bg_color": INPUT, "locked": False})
            if kind == "date":
                look |= {"num_format": "dd/mm/yyyy", "align": "center"}
            elif measure.is_number and not about:
                look |= {"num_format": "#,##0" + ("." + "#" * measure.digits if measure.digits else "")}
            else:
                look |= {"num_format": "@", "align": "center"}
            self._made[kind, total] = self.book.add_format(look)
        return self._made[kind, total]


def _write(page: Any, sheet: Sheet, styles: _Styles) -> None:
    declared = sheet.declared
    of_lines = declared.rows == OF_LINES
    columns: list[_Column] = []
    with_unit = of_lines and any(line.of for line in declared.lines.values())
    place = LABEL + 1 + with_unit
    for measure in declared.measures.values():
        for about in (False, True) if measure.approx else (False,):
            columns.append(_Column(place, measure, about))
            place += 1
    last = place - 1
    _write_heading(page, sheet, styles, last)
    heads = {NUMBER: ("TT", ""), LABEL: ("Nội dung" if of_lines else "Đơn vị", TAG + NAME)}
    heads |= {LABEL + 1: ("Đơn vị tính", "")} if with_unit else {}
    for c in columns:
        of = f"\n({c.measure.of.vi})" if c.measure.of else ""
        code = TAG + c.measure.name + (ABOUT if c.about else "")
        heads[c.place] = ("Mức chính xác" if c.about else c.measure.label.vi + of, code)
    for place, (label, code) in heads.items():
        page.write_string(HEADER, place, label, styles.head)
        page.write_string(CODES, place, code, styles.code)
    page.write_string(CODES, KEY, TAG + (LINE if of_lines else UNIT), styles.code)
    rows = [(name, line.label.vi) for name, line in declared.lines_of(sheet.kind).items()] if of_lines else sheet.rows
    for n, (key, label) in enumerate(rows):
        row = FIRST + n
        page.set_row(row, height(label, LABEL_WIDTH + 6) + 3)
        page.write_string(row, KEY, key, styles.code)
        page.write_number(row, NUMBER, n + 1, styles.ordinal)
        page.write_string(row, LABEL, label, styles.label)
        if with_unit:
            of = declared.lines[key].of
            page.write_string(row, LABEL + 1, of.vi if of else "", styles.label)
        for c in columns:
            page.write_blank(row, c.place, None, styles.cell(c.measure, c.about))
    end = FIRST + len(rows) - 1
    for c in columns:
        page.data_validation(FIRST, c.place, end, c.place, _check(c))
    if of_lines:
        _write_totals(page, declared, [key for key, _ in rows], columns, styles)
    elif len(rows) > 1:
        _write_row_of_sums(page, columns, end + 1, styles)
    _mark_contradictions(page, declared, columns, [key for key, _ in rows], end, styles)
    _set_up(page, sheet, columns, with_unit, last)


def _write_heading(page: Any, sheet: Sheet, styles: _Styles, last: int) -> None:
    period = sheet.period
    days = f"{period.start:%d/%m/%Y} – {period.end:%d/%m/%Y}"
    page.merge_range(TITLE, NUMBER, TITLE, last, sheet.declared.label.vi, styles.title)
    page.write_string(PERIOD, NUMBER, f"{PERIOD_LABEL}: {period.label.vi} ({days})", styles.bold)
    if sheet.declared.rows == OF_LINES:
        page.write_string(WHOSE, NUMBER, f"{UNIT_LABEL}: {sheet.whose}", styles.bold)
    else:
        page.write_string(WHOSE, NUMBER, f"Địa bàn: {sheet.whose}", styles.bold)
    page.write_string(DAY, NUMBER, f"{DAY_LABEL}:", styles.plain)
    page.write_blank(DAY, LABEL, None, styles.day)
    page.data_validation(DAY, LABEL, DAY, LABEL, _day_check(period.start, "Ngày lập biểu"))
    page.write_string(MARK, KEY, Mark(sheet.declared.id, period.key, sheet.area).text, styles.faint)
    page.write_datetime(MARK, NUMBER, DAY_PROBE, styles.day_probe)
    page.write_number(MARK, last, PROBE, styles.probe)


# ---- checks while filling in


def _check(column: _Column) -> dict[str, Any]:
    m = column.measure
    if column.about:
        words = [q.label.vi for q in qualifiers().values()]
        return _list(words, "Mức chính xác", "Để trống nếu là số đúng.")
    if m.words:
        return _list([word.label.vi for word in m.words.values()], m.label.vi, "Chọn trong danh sách.")
    if m.kind == "date":
        return _day_check(date(1990, 1, 1), m.label.vi)
    if m.kind == "document":
        what = f"Số và ký hiệu văn bản, ví dụ {document_example()}."
        return _messages(m.label.vi, what, what) | {
            "validate": "length",
            "criteria": "between",
            "minimum": 4,
            "maximum": 40,
        }
    whole = m.kind == "count"
    what = (
        "Số nguyên, không âm. Chưa có số liệu thì để trống, đừng ghi 0."
        if whole
        else f"Số không âm, nhiều nhất {m.digits} chữ số thập phân. Chưa có số liệu thì để trống."
    )
    told = _messages(m.label.vi, what, what)
    if whole:
        return told | {"validate": "integer", "criteria": "between", "minimum": 0, "maximum": MOST["count"]}
    cell = f"{column.letter}{FIRST + 1}"
    rule = f"=AND(ISNUMBER({cell}),{cell}>=0,ABS({cell}-ROUND({cell},{m.digits}))<0.0000001)"
    return told | {"validate": "custom", "value": rule}


def _messages(title: str, hint: str, fault: str) -> dict[str, Any]:
    # a workbook takes 32 characters of a title and 255 of a message
    return {
        "input_title": title[:32],
        "input_message": hint[:255],
        "error_title": "Ô này chưa đúng",
        "error_message": fault[:255],
    }


def _list(words: list[str], title: str, hint: str) -> dict[str, Any]:
    return _messages(title, hint, "Chọn một trong: " + "; ".join(words)) | {"validate": "list", "source": words}


def _day_check(first: date, title: str) -> dict[str, Any]:
    what = "Ngày, ví dụ 31/08/2023."
    return _messages(title, what, what) | {
        "validate": "date",
        "criteria": "between",
        "minimum": first,
        "maximum": date(2099, 12, 31),
    }


# ---- sums


def _write_totals(page: Any, declared: Return, keys: list[str], columns: list[_Column], styles: _Styles) -> None:
    """A total of lines adds itself up where all its parts are filled in; it may be written over."""
    for identity in declared.identities:
        if identity.operator != "=" or not identity.across_lines or identity.left not in keys:
            continue
        row = FIRST + keys.index(identity.left)
        parts = [FIRST + keys.index(name) + 1 for name in identity.right]
        for c in (c for c in columns if c.measure.is_number and not c.about):
            cells = [f"{c.letter}{part}" for part in parts]
            formula = f'=IF(COUNT({",".join(cells)})={len(cells)},{"+".join(cells)},"")'
            page.write_formula(row, c.place, formula, styles.cell(c.measure, about=False), "")


def _write_row_of_sums(page: Any, columns: list[_Column], row: int, styles: _Styles) -> None:
    page.write_string(row, KEY, TOTAL, styles.code)
    page.write_string(row, NUMBER, "", styles.sum_label)
    page.write_string(row, LABEL, "Tổng cộng", styles.sum_label)
    for c in columns:
        look = styles.cell(c.measure, c.about, total=True)
        if c.measure.is_number and not c.about:
            cells = f"{c.letter}{FIRST + 1}:{c.letter}{row}"
            page.write_formula(row, c.place, f'=IF(COUNT({cells})=0,"",SUM({cells}))', look, "")
        else:
            page.write_blank(row, c.place, None, look)


def _mark_contradictions(
    page: Any, declared: Return, columns: list[_Column], keys: list[str], end: int, styles: _Styles
) -> None:
    """Cells that contradict others turn red while the sheet is filled in."""
    places = {c.measure.name: c for c in columns if not c.about}
    against = {"=": "<>", "<=": ">", ">=": "<"}
    for identity in declared.identities:
        sign = against[identity.operator]
        if identity.across_lines:
            if not {identity.left, *identity.right} <= set(keys):
                continue
            row = FIRST + keys.index(identity.left)
            for c in (c for c in columns if c.measure.is_number and not c.about):
                cells = [f"{c.letter}{FIRST + keys.index(name) + 1}" for name in identity.right]
                _red(page, row, c.place, row, f"{c.letter}{row + 1}", cells, sign, c.measure.digits, styles)
        else:
            c = places[identity.left]
            cells = [f"${places[name].letter}{FIRST + 1}" for name in identity.right]
            _red(page, FIRST, c.place, end, f"${c.letter}{FIRST + 1}", cells, sign, c.measure.digits, styles)


def _red(
    page: Any, first: int, place: int, last: int, left: str, cells: list[str], sign: str, digits: int, styles: _Styles
) -> None:
    told = f"COUNT({left},{','.join(cells)})={len(cells) + 1}"
    rule = f"=AND({told},ROUND({left},{digits}){sign}ROUND({'+'.join(cells)},{digits}))"
    page.conditional_format(first, place, last, place, {"type": "formula", "criteria": rule, "format": styles.wrong})


# ---- the page


def _set_up(page: Any, sheet: Sheet, columns: list[_Column], with_unit: bool, last: int) -> None:
    page.set_column(KEY, KEY, 9, None, {"hidden": True})
    page.set_column(NUMBER, NUMBER, 10)  # wide enough for the labels above the table
    page.set_column(LABEL, LABEL, LABEL_WIDTH + 2)
    if with_unit:
        page.set_column(LABEL + 1, LABEL + 1, 14)
    for c in columns:
        wide = 18 if c.measure.kind in ("decimal", "document", "choice") and not c.about else 13
        page.set_column(c.place, c.place, wide)
    page.set_row(TITLE, 24)
    page.set_row(HEADER, 48)
    page.set_row(MARK, None, None, {"hidden": True})
    page.set_row(CODES, None, None, {"hidden": True})
    page.freeze_panes(FIRST, LABEL + 1)
    page.protect("", {"format_columns": True, "format_rows": True, "sort": False, "select_locked_cells": True})
    page.set_paper(A4)
    page.set_landscape() if last > 5 else page.set_portrait()
    page.fit_to_pages(1, 0)
    page.repeat_rows(HEADER)
    page.set_margins(left=0.5, right=0.4, top=0.6, bottom=0.6)
    page.set_footer(f"&L{sheet.declared.sheet}, {sheet.period.label.vi}&R&P/&N")
    page.set_selection(FIRST, columns[0].place, FIRST, columns[0].place)


def _write_help(page: Any, sheets: list[Sheet], styles: _Styles) -> None:
    lines = [
        "Chỉ điền các ô nền vàng nhạt. Tiêu đề, tên dòng, tên đơn vị và các ô ẩn để nguyên: chương trình nhận biểu theo chúng.",
        "Chưa có số liệu thì để trống; số 0 nghĩa là có theo dõi và không phát sinh.",
        "Số chỉ ước lượng: ghi số vào ô số, chọn khoảng, hơn hoặc gần ở cột “Mức chính xác” (để trống nếu là số đúng).",
        "Không thêm, không xóa dòng. Không ghi họ tên, số điện thoại, nhận xét: chữ ngoài danh sách không được lưu.",
        "Ô tổng tự cộng khi đủ các phần; ô chuyển đỏ là trái với ô khác.",
        "“Ngày lập” là ngày chốt số liệu của biểu; để trống thì tính từ lúc nộp. Nộp lại cùng kỳ: bản lập sau được dùng.",
        "Lưu thành .xlsx, .ods hay .csv đều được, rồi đặt vào data/raw/<nguồn>/ và chạy: motcua run",
    ]
    page.write_string(0, 0, "Hướng dẫn điền biểu", styles.title)
    page.write_string(0, 1, HELP_MARK, styles.faint)
    # one cell for each part: every row of a file is accounted for, those of instructions too
    parts = ["\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1))]
    for declared in {s.declared.id: s.declared for s in sheets}.values():
        told = [*([declared.help.vi] if declared.help else []), *map(_rule_words(declared), declared.identities)]
        if not told:
            continue
        head = f"{declared.label.vi} (mục {declared.section} của báo cáo CCHC)"
        parts.append("\n".join([head, *(f"– {line}" for line in told)]))
    for n, part in enumerate(parts, 1):
        page.write_string(n, 0, part, styles.text)
        page.set_row(n, height(part, HELP_WIDTH + 8) + 6)
    page.set_column(0, 0, HELP_WIDTH)
    page.set_column(1, 1, 9, None, {"hidden": True})
    page.protect()
    page.set_paper(A4)
    page.fit_to_pages(1, 0)


def _rule_words(declared: Return) -> Any:
    """An identity in words."""
    signs = {"=": "bằng", "<=": "không quá", ">=": "không dưới"}

    def words(identity: Any) -> str:
        names = declared.lines if identity.across_lines else declared.measures
        right = " + ".join(f"“{names[name].label.vi}”" for name in identity.right)
        return f"“{names[identity.left].label.vi}” {signs[identity.operator]} {right}."

    return words
