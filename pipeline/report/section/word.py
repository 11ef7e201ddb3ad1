"""The section's pieces as Word paragraphs, tables and pictures, put where a template has the place for them.

Everything takes its looks from the paragraph that it replaces and from the template's own styles, so that it looks like
the rest of the office's document. Not here: templates and their placeholders (template).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

from docx.document import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Length, Mm, Pt
from docx.table import Table as WordTable
from docx.table import _Cell as WordCell
from docx.text.paragraph import Paragraph as WordParagraph

from pipeline.report.section.model import Figure, Head, Heading, Line, Paragraph, Picture, Piece, Table

CELL_SIZE, HEAD_SIZE = Pt(10), Pt(9)
KEPT = 8  # a table of so many rows stays on one page, of a longer one its headings with the first two
HEADING = "Heading 2"
LABEL = 28  # mm, at least, for the column of names
CENTRE, LEFT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.LEFT


class Writer:
    """Puts pieces in front of a paragraph of a document. pictures: name → caption, PNG."""

    def __init__(self, document: Document, place: WordParagraph, pictures: dict[str, tuple[str, Path]]) -> None:
        self.document, self.place, self.pictures = document, place, pictures
        page = document.sections[-1]
        across, left, right = (length or Length(0) for length in (page.page_width, page.left_margin, page.right_margin))
        self.width = Length(across - left - right)

    def write(self, pieces: Iterable[Piece]) -> None:
        """All pieces; the paragraph that held their place goes."""
        for piece in pieces:
            match piece:
                case Heading():
                    self._heading(f"{piece.number}. {piece.text}")
                case Paragraph():
                    self._paragraph(piece)
                case Table():
                    self._table(piece)
                case Picture() if piece.name in self.pictures:
                    self._picture(*self.pictures[piece.name])
        element = self.place._p
        element.getparent().remove(element)

    # ---- paragraphs

    def _new(self, text: str, **looks: Any) -> WordParagraph:
        """A paragraph like the one that holds the place."""
        made = deepcopy(self.place._p)
        for child in list(made):
            if child.tag != qn("w:pPr"):
                made.remove(child)
        self.place._p.addprevious(made)
        paragraph = WordParagraph(made, self.place._parent)
        run = paragraph.add_run(unbroken(text))
        for name, value in looks.items():
            setattr(run.font, name, value)
        return paragraph

    def _heading(self, text: str) -> None:
        styles = {style.name: style for style in self.document.styles}  # ids are translated in a Vietnamese Word
        paragraph = self._new(text, **({} if HEADING in styles else {"bold": True}))
        if HEADING in styles:
            paragraph._p.remove(paragraph._p.get_or_add_pPr())
            paragraph.style = styles[HEADING]
        paragraph.paragraph_format.keep_with_next = True

    def _paragraph(self, piece: Paragraph) -> None:
        sub = piece.style == "sub"
        paragraph = self._new(("- " if piece.style == "item" else "") + piece.text, **({"italic": True} if sub else {}))
        if sub:
            paragraph.runs[0].font.bold = True
            paragraph.paragraph_format.keep_with_next = True

    def _caption(self, text: str, before: int) -> None:
        paragraph = self._new(text, bold=True, size=Pt(12))
        looks = paragraph.paragraph_format
        looks.alignment, looks.first_line_indent, looks.keep_with_next = CENTRE, Mm(0), True
        looks.space_before, looks.space_after = Pt(before), Pt(3)

    def _picture(self, caption: str, path: Path) -> None:
        paragraph = self._new("")
        looks = paragraph.paragraph_format
        looks.alignment, looks.first_line_indent, looks.line_spacing = CENTRE, Mm(0), 1.0
        shape = paragraph.runs[0].add_picture(str(path), width=self.width)
        shape._inline.docPr.set("descr", caption)  # read aloud to those who cannot see it
        shape._inline.docPr.set("name", path.stem)

    # ---- tables

    def _table(self, table: Table) -> None:
        self._caption(table.title, 6)
        widths = self._widths(table.heads)
        tiers = 2 if any(head.group for head in table.heads) else 1
        made = self.document.add_table(tiers + 1, len(table.heads))
        self.place._p.addprevious(made._tbl)
        made.alignment, made.autofit = WD_TABLE_ALIGNMENT.CENTER, False
        _frame(made, widths)
        _heads(made, table.heads, tiers)
        for row in made.rows:
            _mark(row._tr, "w:cantSplit")
            for cell, width in zip(row._tr.tc_lst, widths, strict=False):
                if cell.grid_span == 1:
                    cell.width = width
        _lines(made, table.lines)
        rows = list(made.rows)
        for row in rows[:-1] if len(rows) <= KEPT else rows[: tiers + 2]:
            for paragraph in (p for cell in row.cells for p in cell.paragraphs):
                paragraph.paragraph_format.keep_with_next = True
        note = self._new(table.note or "", italic=True, size=Pt(11))
        note.paragraph_format.first_line_indent = Mm(0)
        note.paragraph_format.space_after = Pt(6)

    def _widths(self, heads: tuple[Head, ...]) -> list[Length]:
        room = self.width / Mm(1)
        told = sum(head.width for head in heads[1:])
        scale = min(1.0, (room - LABEL) / told)
        rest = [head.width * scale for head in heads[1:]]
        return [Mm(width) for width in (min(room - sum(rest), 80), *rest)]


def _frame(table: WordTable, widths: list[Length]) -> None:
    """Lines around every cell, narrow margins, fixed widths: whatever table styles the template has."""
    properties = table._tbl.tblPr
    borders, margins = OxmlElement("w:tblBorders"), OxmlElement("w:tblCellMar")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        edge = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "000000")):
            edge.set(qn(f"w:{name}"), value)
        borders.append(edge)
    for side in ("left", "right"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), "45")
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    layout = properties.find(qn("w:tblLayout"))
    layout.addprevious(borders)
    layout.addnext(margins)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width


def _heads(table: WordTable, heads: tuple[Head, ...], tiers: int) -> None:
    """Headings, repeated on every page; groups stand over their columns."""
    for row in list(table.rows)[:tiers]:
        _mark(row._tr, "w:tblHeader")
    first, last = table.rows[0].cells, table.rows[tiers - 1].cells
    at = 0
    while at < len(heads):
        group = heads[at].group
        end = at + 1
        while group and end < len(heads) and heads[end].group == group:
            end += 1
        if group:
            _put(first[at].merge(first[end - 1]) if end - at > 1 else first[at], group, CENTRE, True, HEAD_SIZE)
            for i in range(at, end):
                _put(last[i], heads[i].text, CENTRE, True, HEAD_SIZE)
        else:
            _put(first[at].merge(last[at]) if tiers > 1 else first[at], heads[at].text, CENTRE, True, HEAD_SIZE)
        at = end


def _lines(table: WordTable, lines: tuple[Line, ...]) -> None:
    """A row for each line, as copies of the table's last row: to make every cell anew takes seconds in a province."""
    last = table.rows[-1]
    patterns = {}
    for bold in {line.sum for line in lines}:
        for cell in last.cells:
            _put(cell, "0", LEFT, bold)
        patterns[bold] = deepcopy(last._tr)
    last._tr.getparent().remove(last._tr)
    for line in lines:
        row = deepcopy(patterns[line.sum])
        for at, (cell, figure) in enumerate(zip(row.tc_lst, (line.label, *line.cells), strict=True)):
            next(cell.iter(qn("w:t"))).text = unbroken(figure.display)
            align = "left" if at == 0 else "right" if is_number(figure) else "center"
            next(cell.iter(qn("w:jc"))).set(qn("w:val"), align)
        table._tbl.append(row)


def _put(cell: WordCell, text: str, align: WD_ALIGN_PARAGRAPH, bold: bool, size: Length = CELL_SIZE) -> None:
    for spare in cell.paragraphs[1:]:
        spare._p.getparent().remove(spare._p)
    paragraph = cell.paragraphs[0]
    for run in paragraph.runs:
        run._r.getparent().remove(run._r)
    run = paragraph.add_run(unbroken(text))
    run.font.size, run.font.bold = size, bold
    looks = paragraph.paragraph_format
    looks.alignment, looks.first_line_indent, looks.line_spacing = align, Mm(0), 1.0
    looks.space_before, looks.space_after = Pt(1), Pt(1)
    _middle(cell)


def _middle(cell: WordCell) -> None:
    properties = cell._tc.get_or_add_tcPr()
    if properties.find(qn("w:vAlign")) is None:
        align = OxmlElement("w:vAlign")
        align.set(qn("w:val"), "center")
        properties.append(align)


def _mark(row: Any, name: str) -> None:
    row.get_or_add_trPr().append(OxmlElement(name))


def is_number(figure: Figure) -> bool:
    """Whether a cell stands to the right: figures, not words."""
    return figure.display[-1:].isdigit() or figure.display.endswith("%")


def unbroken(text: str) -> str:
    """A number, its % and the sign before it stay on one line."""
    return re.sub(r"(?<=[<>≤≥]) (?=\d)| (?=%)", "\u00a0", text)
