"""Makes the built-in Word template of the report section: `python -m tests.report.make_template`.

Paper, margins, font and page numbers as Decree 30/2020 sets them for administrative documents (Annex I): A4; 20 mm above
and below, 30 mm left, 15 mm right; Times New Roman 14; page numbers 13, centred in the upper margin, none on the first.
"""

from __future__ import annotations

from pathlib import Path

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from pipeline.report.section.template import same_bytes

TARGET = Path(__file__).resolve().parents[2] / "pipeline" / "report" / "section" / "bao_cao_muc_I3.docx"
FONT = "Times New Roman"


def template() -> bytes:
    """The template's bytes, always the same."""
    from io import BytesIO

    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.top_margin = page.bottom_margin = Mm(20)
    page.left_margin, page.right_margin = Mm(30), Mm(15)
    page.header_distance = page.footer_distance = Mm(10)
    page.different_first_page_header_footer = True
    for name, size, bold in (("Normal", 14, None), ("Heading 2", 14, True)):
        style = document.styles[name]
        style.font.name, style.font.size, style.font.bold = FONT, Pt(size), bold
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in [key for key in fonts.attrib if key.endswith("Theme")]:
            del fonts.attrib[theme]
        for script in ("eastAsia", "cs", "hAnsi", "ascii"):
            fonts.set(qn(f"w:{script}"), FONT)
    normal = document.styles["Normal"].paragraph_format
    normal.space_before, normal.space_after, normal.line_spacing = Pt(0), Pt(6), 1.1
    heading = document.styles["Heading 2"].paragraph_format
    heading.space_before, heading.space_after = Pt(10), Pt(4)
    heading.keep_with_next = True
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "vi-VN")

    title = document.add_paragraph()
    _centred(title, 2).add_run("{{ so_muc }}. {{ tieu_de }}").font.bold = True
    below = document.add_paragraph()
    _centred(below, 12).add_run("{{ phu_de }}").font.italic = True
    body = document.add_paragraph("{{ noi_dung }}")
    body.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    body.paragraph_format.first_line_indent = Mm(10)
    body.paragraph_format.widow_control = True

    number = page.header.paragraphs[0]
    _field(_centred(number, 0), "PAGE")
    for footer in (page.footer, page.first_page_footer):
        run = _centred(footer.paragraphs[0], 0).add_run("{{ chan_trang }}")
        run.font.size = Pt(9)
    made = BytesIO()
    properties = document.core_properties
    properties.title, properties.author, properties.comments = "", "", ""
    document.save(made)
    return same_bytes(made.getvalue())


def _centred(paragraph: Paragraph, after: int) -> Paragraph:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_after = Pt(after)
    return paragraph


def _field(paragraph: Paragraph, code: str) -> None:
    run = paragraph.add_run()
    run.font.size = Pt(13)
    for kind in ("begin", None, "end"):
        if kind:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        else:
            element = OxmlElement("w:instrText")
            element.set(qn("xml:space"), "preserve")
            element.text = f" {code} "
        run._r.append(element)


if __name__ == "__main__":
    TARGET.write_bytes(template())
