"""The section as a Word document: read back by python-docx, in the office's own template, the same bytes each time."""

from __future__ import annotations

import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import docx
import duckdb
import pytest
from docx.document import Document
from docx.oxml.ns import qn
from docx.shared import Mm

from pipeline.declare import report_section as plan
from pipeline.errors import InputRefused
from pipeline.report.book import Book, open_book
from pipeline.report.document import NAME, write_section
from pipeline.report.section.template import OURS
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.conftest import ROOT, Said
from tests.report import make_template
from tests.report.books import COMPONENTS, Told, book
from tests.report.test_section import Cell, shown


@pytest.fixture(scope="module")
def model(sample: Home) -> Iterator[tuple[duckdb.DuckDBPyConnection, Book]]:
    with open_published(sample) as con:
        yield con, open_book(con, "2023-Q3")


@pytest.fixture(scope="module")
def made(model: tuple[duckdb.DuckDBPyConnection, Book], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_section(*model, tmp_path_factory.mktemp("document"))


@pytest.fixture
def con(model: tuple[duckdb.DuckDBPyConnection, Book]) -> duckdb.DuckDBPyConnection:
    return model[0]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def told_in(json_file: Path) -> dict[str, Any]:
    return json.loads(json_file.read_text(encoding="utf-8"))


# ---- read back


def read_back(document: Document, told: dict[str, Any]) -> list[str]:
    """What the document says that the JSON does not, or otherwise: headings, paragraphs, tables, each number in them."""
    wrong = []
    texts = [plain(p.text) for p in document.paragraphs if p.text.strip()]
    tables = [[[plain(cell.text) for cell in row.cells] for row in table.rows] for table in document.tables]
    expected = [f"{told['number']}. {told['title']}", told["subtitle"]["text"]]
    for piece in told["pieces"]:
        if piece["kind"] == "heading":
            expected.append(f"{piece['number']}. {piece['text']}")
        elif piece["kind"] == "paragraph":
            dash = "- " if piece["style"] == "item" else ""
            expected.append(dash + " ".join(s["text"] for s in piece["sentences"]))
            wrong += [f"{s['id']}: {rest}" for s in piece["sentences"] if re.search(r"\d", rest := without_figures(s))]
        elif piece["kind"] == "table":
            expected += [piece["title"], *([piece["note"]] if piece["note"] else [])]
            lines = [[f["display"] for f in (line["label"], *line["cells"])] for line in piece["lines"]]
            if tables[0][-len(lines) :] != lines:
                wrong.append(f"{piece['title']}: {tables[0][-len(lines) :]}")
            del tables[0]
    wrong += [f"{a} | {b}" for a, b in zip(texts, expected, strict=False) if a != b]
    return wrong + ([] if len(texts) == len(expected) and not tables else [f"{len(texts)} | {len(expected)}"])


def without_figures(sentence: dict[str, Any]) -> str:
    """A sentence's text without its figures, which stand in it in their order."""
    rest, at = "", 0
    for figure in sentence["figures"]:
        found = sentence["text"].index(figure["display"], at)
        rest += sentence["text"][at:found]
        at = found + len(figure["display"])
    return rest + sentence["text"][at:]


def test_every_number_of_the_document_is_a_figure_of_the_release(
    con: duckdb.DuckDBPyConnection, made: list[Path]
) -> None:
    document, told = docx.Document(str(made[0])), told_in(made[2])
    assert read_back(document, told) == []
    cells = list(cells_in(told))
    assert len(cells) > 300
    for display, cell in cells:
        assert display == shown(
            con, Cell(*(cell.get(key) for key in ("period", "unit_id", "figure", "part", "of_return")))
        ), cell
    # a digit that somebody changes in the document is seen
    cell = document.tables[1].rows[4].cells[1]
    cell.paragraphs[0].runs[0].text = "438"
    [found] = read_back(document, told)
    assert found.startswith("Bảng 2.")


def cells_in(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Display and cell of every figure that is read from one cell."""
    if isinstance(node, dict):
        if "display" in node and len(node.get("cells", [])) == 1 and node["cells"][0].get("part") != "verdict":
            yield node["display"], node["cells"][0]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from cells_in(each)


def test_markdown_and_json_say_the_same(made: list[Path]) -> None:
    markdown, told = made[1].read_text(encoding="utf-8"), told_in(made[2])
    for piece in told["pieces"]:
        if piece["kind"] == "paragraph":
            assert " ".join(s["text"] for s in piece["sentences"]) in markdown.replace("\\", "")
    assert {"period": "2023-Q3", "unit_id": "466-all", "coverage": "full", "seal": None}.items() <= told.items()
    assert told["foot"]["text"] == f"Bản công bố {told['release']}; số liệu biết đến 14/09/2023 23:59"


def test_the_commands_beside_the_figures_explain_them(
    motcua: Callable[..., Said], sample: Home, made: list[Path]
) -> None:
    cells = {c["explain"]: d for d, c in cells_in(told_in(made[2])) if not c.get("part")}
    for command in ("total --period 2023-Q3 --unit 466", "online_service_rate --period 2023-Q3 --unit 466-all"):
        words = command.split()
        said = motcua(sample, "explain", *words)
        assert said.code == 0 and cells[f"motcua explain {command}"] in said.out, said.all


def test_what_was_known_then_or_is_counted_otherwise_says_so(
    model: tuple[duckdb.DuckDBPyConnection, Book], tmp_path: Path
) -> None:
    then = replace(model[1], as_known=datetime(2023, 9, 20, 23, 59, 59, 999999))
    _, markdown, told = write_section(model[0], then, tmp_path)
    text = markdown.read_text(encoding="utf-8")
    assert "Số liệu theo những gì biết đến 20/09/2023 23:59." in text and "chưa chốt" not in text
    assert told_in(told)["explain_with"] == "--as-known '2023-09-20 23:59:59'"
    _, markdown, told = write_section(model[0], replace(model[1], rules="thanh-hoa"), tmp_path)
    text = markdown.read_text(encoding="utf-8")
    assert "Cách tính được chọn: Kiểu Thanh Hóa." in text and "chưa chốt" not in text
    assert told_in(told)["explain_with"] == "--rules thanh-hoa"
    _, markdown, told = write_section(model[0], replace(model[1], passed_over="0123456789ab"), tmp_path)
    text = markdown.read_text(encoding="utf-8")
    assert "dấu chốt 0123456789ab; số dưới đây không phải số đã chốt" in text and "chưa chốt" not in text
    assert told_in(told)["explain_with"] == "--live"


# ---- the paper


def test_paper_margins_fonts_and_page_numbers_are_those_of_administrative_documents(made: list[Path]) -> None:
    document = docx.Document(str(made[0]))
    page = document.sections[0]
    assert [round(length / Mm(1)) for length in (page.page_width, page.page_height)] == [210, 297]
    margins = [round(m / Mm(1)) for m in (page.top_margin, page.bottom_margin, page.left_margin, page.right_margin)]
    assert all(
        low <= m <= high for m, (low, high) in zip(margins, [(20, 25), (20, 25), (30, 35), (15, 20)], strict=True)
    )
    assert (document.styles["Normal"].font.name, document.styles["Normal"].font.size.pt) == ("Times New Roman", 14)
    assert "PAGE" in page.header._element.xml and page.different_first_page_header_footer
    for footer in (page.footer, page.first_page_footer):
        assert "Bản công bố" in footer.paragraphs[0].text
    for table in document.tables:
        heads = [row for row in table.rows if row._tr.trPr.find(qn("w:tblHeader")) is not None]
        assert heads and all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)
        width = sum(column.width for column in table.columns)
        assert width <= page.page_width - page.left_margin - page.right_margin + Mm(1)


@pytest.mark.parametrize(("lang", "spoken"), [("vi", {"vi-VN"}), ("en", {"en-GB"})])
def test_the_document_says_in_which_language_it_is(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, lang: str, spoken: set[str]
) -> None:
    word, *_ = write_section(con, book({"1": Told({"total": 5})}), tmp_path, lang)
    styles = docx.Document(str(word)).styles.element
    assert {language.get(qn("w:val")) for language in styles.iter(qn("w:lang"))} == spoken


def test_the_built_in_template_is_what_its_maker_makes() -> None:
    assert OURS.read_bytes() == make_template.template(), "python -m tests.report.make_template"


def test_the_same_release_gives_the_same_bytes(
    model: tuple[duckdb.DuckDBPyConnection, Book], made: list[Path], tmp_path: Path
) -> None:
    again = write_section(*model, tmp_path)
    assert [p.read_bytes() for p in again] == [p.read_bytes() for p in made]
    assert {entry.date_time for entry in zipfile.ZipFile(made[0]).infolist()} == {(1980, 1, 1, 0, 0, 0)}
    other = replace(model[1], info=model[1].info | {"release": "20230915-080000-0a1b2c3d"})
    assert write_section(model[0], other, tmp_path)[0].read_bytes() != made[0].read_bytes()


# ---- pictures


def png(path: Path) -> Path:
    """A white picture of 8 × 4."""
    rows = b"".join(b"\0" + b"\xff" * 8 for _ in range(4))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 8, 4, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def test_pictures_stand_in_their_places_and_are_told_to_those_who_cannot_see(
    model: tuple[duckdb.DuckDBPyConnection, Book], tmp_path: Path
) -> None:
    # of one period alone no trend is shown; ranking_late_rate has no place of its own
    names = ("ranking_late_rate", "trend", f"ranking_{COMPONENTS}", "flow")
    drawn = {name: png(tmp_path / "pictures" / f"{name}.png") for name in names}
    word, markdown, _ = write_section(*model, tmp_path, pictures=drawn)
    document = docx.Document(str(word))
    told = [p._inline.docPr.get("descr") for p in document.inline_shapes]
    assert told == [
        "Từ tồn kỳ trước đến còn lại cuối kỳ",
        "Xếp hạng đơn vị: Tỷ lệ số hóa thành phần hồ sơ",
        "Xếp hạng đơn vị: Tỷ lệ giải quyết quá hạn",
    ]
    assert "![Từ tồn kỳ trước đến còn lại cuối kỳ](pictures/flow.png)" in markdown.read_text(encoding="utf-8")


# ---- an office's own template


def template(path: Path, *lines: str, header: str = "") -> Path:
    document = docx.Document()
    for line in lines:
        document.add_paragraph(line)
    document.sections[0].header.paragraphs[0].text = header
    path.parent.mkdir(parents=True, exist_ok=True)
    document.save(str(path))
    return path


def test_an_offices_own_template(model: tuple[duckdb.DuckDBPyConnection, Book], sample: Home, tmp_path: Path) -> None:
    own = template(
        Home(tmp_path).section_template,
        *("UBND HUYỆN MẪU", "Kỳ {{ ky }}, {{ don_vi }}: {{ cau_handled_resolved }}", "{{ noi_dung }}", "Hết: {{ chan_trang }}"),
        header="{{ so_muc }}",
    )  # fmt: skip
    # Word cuts a placeholder into pieces wherever somebody stopped typing
    document = docx.Document(str(own))
    line = document.paragraphs[1]
    line.runs[0].text = "Kỳ {{ k"
    line.add_run("y }}, {{ don_vi }}: {{ cau_handled_resolved }}").bold = True
    document.save(str(own))
    word, *_ = write_section(*model, tmp_path / "out", template=own)
    texts = [plain(p.text) for p in docx.Document(str(word)).paragraphs]
    assert texts[0] == "UBND HUYỆN MẪU"
    assert texts[1].startswith("Kỳ quý III/2023, Huyện Gio Linh: Đã giải quyết 7.614 hồ sơ")
    assert texts[2] == "3.1. Phạm vi số liệu"
    assert texts[-1].startswith("Hết: Bản công bố")
    assert docx.Document(str(word)).sections[0].header.paragraphs[0].text == "3"
    # a sentence that is not said in this period leaves its place empty
    other = template(tmp_path / "b.docx", "Rút: {{ cau_handled_withdrawn }}.", "{{ noi_dung }}")
    assert docx.Document(str(write_section(*model, tmp_path, template=other)[0])).paragraphs[0].text == "Rút: ."
    # where there is none, the built-in one
    assert write_section(*model, tmp_path, template=sample.section_template)[0].read_bytes()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["{{ noi_dun }}"], ["{{ noi_dun }}", "{{ noi_dung }} (toàn bộ nội dung", "docs/templates.md"]),
        (["{{ noi_dung }}", "{{ cau_handled_resolvd }}"], ["cau_handled_resolvd", "{{ cau_handled_resolved }} (Đã giải quyết"]),
        (["{{ noi_dung }}", "{{ ky "], ["viết sai", "hai dấu ngoặc nhọn mỗi bên"]),
        (["{{ noi_dung }}", "{{ ky.__class__.__mro__ }}"], ["viết sai"]),
        (["Chỉ có {{ ky }}"], ["không có chỗ cho nội dung", "{{ noi_dung }} trên một dòng riêng"]),
        (["Nội dung: {{ noi_dung }}"], ["chữ khác cùng dòng", "một mình một dòng"]),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_used_is_refused_in_words(
    model: tuple[duckdb.DuckDBPyConnection, Book], tmp_path: Path, lines: list[str], says: list[str]
) -> None:
    own = template(tmp_path / "mau.docx", *lines)
    with pytest.raises(InputRefused) as refused:
        write_section(*model, tmp_path / "out", template=own)
    for said in (str(own), *says):
        assert said in refused.value.render("vi")
    assert "template" in refused.value.render("en").lower() or "placeholder" in refused.value.render("en")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"Day la van ban", b"PK\x03\x04hong"])
def test_what_is_no_word_document_is_refused(
    model: tuple[duckdb.DuckDBPyConnection, Book], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "mau.docx").write_bytes(content)
    with pytest.raises(InputRefused, match=r"mau\.docx"):
        write_section(*model, tmp_path / "out", template=tmp_path / "mau.docx")


def test_a_name_is_only_text(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    name = "Xã <A> & {{ 7*7 }} *|* [x]"
    told = Told({"total": 5}, {COMPONENTS: (1, 2)}, name)
    word, markdown, _ = write_section(con, book({"1": told}), tmp_path)
    texts = "\n".join(p.text for p in docx.Document(str(word)).paragraphs)
    assert f"{name}: tổng số hồ sơ phải giải quyết là 5 hồ sơ" in texts and f"của {name.replace('Xã', 'xã')}" in texts
    assert r"\<A> & {{ 7\*7 }} \*\|\* \[x\]" in markdown.read_text(encoding="utf-8")


def test_the_guide_names_every_placeholder() -> None:
    guide = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    for name, text in plan.placeholders().items():
        assert name.startswith("cau_") or (f"`{{{{ {name} }}}}`" in guide and text.vi in guide and text.en in guide), (
            name
        )
    for name in re.findall(r"\{\{ (cau_\w+) \}\}", guide):
        assert name in plan.sentence_names()
    assert f"data/templates/{NAME}.docx" in guide
