"""The Word template of the section: ours, or the office's own, with its placeholders checked before anything is written.

A template is a Word document with placeholders in double braces, e.g. {{ noi_dung }}; which there are, is declared
(report_section.toml). It is filled in a sandbox: a template can show what it is given and do nothing else.
"""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from difflib import get_close_matches
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path

from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph as WordParagraph
from docxtpl import DocxTemplate
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from pipeline.declare import report_section as plan
from pipeline.declare.text import Text
from pipeline.errors import InputRefused
from pipeline.report.section.model import Section
from pipeline.report.section.word import Writer

OURS = files("pipeline.report").joinpath("section", "bao_cao_muc_I3.docx")
PLACE = "\ue000noi_dung\ue000"  # stands where the content is to come until it comes; no text holds this character
CONTENT = "noi_dung"
FIXED = (1980, 1, 1, 0, 0, 0)  # the earliest moment that a zip archive can tell


def filled(
    section: Section,
    facts: dict[str, str],
    pictures: dict[str, tuple[str, Path]],
    own: Path | None,
    moment: datetime,
) -> bytes:
    """The document's bytes: the same for the same section, facts and template. own: the office's template, else ours.
    facts: what placeholders stand for, but the content. moment: when it says that it was made. Raises InputRefused, with what is wrong in the template."""
    if own is not None:
        return _filled(section, facts, pictures, own, moment)
    with as_file(OURS) as path:
        return _filled(section, facts, pictures, path, moment)


def _filled(
    section: Section,
    facts: dict[str, str],
    pictures: dict[str, tuple[str, Path]],
    path: Path,
    moment: datetime,
) -> bytes:
    template = _checked(path)
    try:
        template.render(facts | {CONTENT: PLACE}, SandboxedEnvironment(), autoescape=True)
    except TemplateError as error:
        raise _refused(path, error) from error
    document = template.docx  # get_docx() would read the template anew
    assert document is not None
    for element in list(document.element.body.iter("{*}p")):
        paragraph = WordParagraph(element, document._body)
        if PLACE in paragraph.text:
            if paragraph.text.strip() != PLACE:
                raise InputRefused(
                    Text(
                        "Mẫu có chữ khác cùng dòng với {{ noi_dung }}.", "The line of {{ noi_dung }} holds other text."
                    ),
                    where=str(path),
                    todo=Text("Để {{ noi_dung }} một mình một dòng.", "Let {{ noi_dung }} stand on a line of its own."),
                )
            Writer(document, paragraph, pictures).write(section.pieces)
    if section.lang == "en":  # the templates are Vietnamese: what reads the document aloud is to speak English
        for language in document.styles.element.iter(qn("w:lang")):
            language.set(qn("w:val"), "en-GB")
    properties = document.core_properties
    properties.title = f"{section.title}: {section.subtitle.text}"
    properties.author = properties.last_modified_by = "motcua"
    properties.created = properties.modified = moment
    properties.revision = 1
    raw = BytesIO()
    document.save(raw)
    return same_bytes(raw.getvalue())


def _checked(path: Path) -> DocxTemplate:
    """The template, when it is a Word document whose placeholders are all known. Raises InputRefused."""
    try:
        template = DocxTemplate(path)
        named = template.get_undeclared_template_variables(SandboxedEnvironment())
    except TemplateError as error:
        raise _refused(path, error) from error
    except Exception as error:  # whatever a file that is no Word document may bring about
        raise InputRefused(
            Text("Không mở được mẫu văn bản.", "The template cannot be opened."),
            where=str(path),
            expected=Text("tệp Word (.docx)", "a Word file (.docx)"),
            todo=Text(
                "Lưu lại mẫu bằng Word dưới dạng .docx, hoặc bỏ tệp này để dùng mẫu có sẵn.",
                "Save it anew as .docx, or remove it: the built-in template is used then.",
            ),
        ) from error
    known = plan.placeholders()
    for name in sorted(named - set(known)):
        near = get_close_matches(name, known, n=3, cutoff=0.5) or list(known)[:3]
        raise InputRefused(
            Text(
                f"Mẫu có chỗ điền không có trong danh mục: {{{{ {name} }}}}.",
                f"The template holds a placeholder that is not known: {{{{ {name} }}}}.",
            ),
            where=str(path),
            expected=Text(
                "một trong: " + "; ".join(f"{{{{ {n} }}}} ({known[n].vi})" for n in near),
                "one of: " + "; ".join(f"{{{{ {n} }}}} ({known[n].en})" for n in near),
            ),
            todo=Text(
                "Sửa tên trong mẫu; danh mục đầy đủ: docs/templates.md", "Correct it; all names: docs/templates.md"
            ),
        )
    if not named & ({CONTENT} | set(plan.sentence_names())):
        raise InputRefused(
            Text("Mẫu không có chỗ cho nội dung.", "The template has no place for the content."),
            where=str(path),
            expected=Text(
                "{{ noi_dung }} trên một dòng riêng, hoặc {{ cau_… }}",
                "{{ noi_dung }} on a line of its own, or {{ cau_… }}",
            ),
        )
    return template


def _refused(path: Path, error: TemplateError) -> InputRefused:
    return InputRefused(
        Text("Chỗ điền trong mẫu viết sai.", "A placeholder of the template is not well formed."),
        where=str(path),
        expected=Text("hai dấu ngoặc nhọn mỗi bên: {{ noi_dung }}", "two braces on either side: {{ noi_dung }}"),
        found=Text(re.sub(r"\s+", " ", str(error))[:120], re.sub(r"\s+", " ", str(error))[:120]),
    )


def same_bytes(raw: bytes) -> bytes:
    """The archive anew with fixed times, so that the same content is the same file."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(raw)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, FIXED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return made.getvalue()
