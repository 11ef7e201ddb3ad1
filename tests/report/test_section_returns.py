"""Section I.3 and the figures that offices keep by hand: told as theirs, beside what the registers tell."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.declare.returns import OF_LINES, returns
from pipeline.report.section.build import section
from pipeline.report.section.model import Heading, Paragraph, Table
from pipeline.report.section.returned import Returned, named
from tests.report.books import Told, book

Row = dict[str, Any]
LATE = {"apology_rate": (4, 4), "evaluation_slip_rate": (5, 10), "certified_copies": (6, 6)}


def told(figures: dict[str, object], rates: dict[str, tuple[int, int]] | None = None) -> Returned:
    """figures: `apologies.late` → a number, or (told, asked) of a sum that lacks units, a word, a day."""
    found = {}
    for name, value in figures.items():
        return_id, *line, measure = name.split(".")
        kind = returns()[return_id].measures[measure]
        row: Row = {
            "period": "2023-Q3",
            "unit_id": "1",
            "return_id": return_id,
            "line": "".join(line),
            "measure": measure,
        }
        row |= {"value": None, "word": None, "word_label": None, "day": None, "qualifier_label": None, "cell": None}
        row |= {"of": kind.of.vi if kind.of else None, "told": 1, "asked": 1}
        match value:
            case (n, of):
                row |= {"told": n, "asked": of}
            case str():
                row |= {"word": value, "word_label": kind.words[value].label.vi if value in kind.words else value}
            case date():
                row |= {"day": value}
            case _:
                row |= {"value": Decimal(str(value))}
        found[return_id, "".join(line), measure] = row
    return Returned(found, {key: row for name, pair in (rates or {}).items() for key, row in [rate(name, *pair)]})


def rate(name: str, n: int, d: int) -> tuple[tuple[str, str, str], Row]:
    return_id, *line, code = name.split(".")
    key = (return_id, "".join(line), code)
    row: Row = {
        "period": "2023-Q3",
        "unit_id": "1",
        "return_id": return_id,
        "line": key[1],
        "indicator": code,
        "qualifier": None,
    }
    row |= {"numerator": Decimal(n), "denominator": Decimal(d), "value": Decimal(n) / d if d else None}
    row |= {"operator": ">=", "threshold": Decimal(1), "needed": d - n or None}
    return key, row | {"verdict": "met" if d and n == d else "not_met" if d else "nothing_arisen"}


@pytest.mark.parametrize(
    ("figures", "rates", "says"),
    [
        ({"apologies.late": 4, "apologies.apologised": 4}, {"apologies.apologies_sent_rate": (4, 4)},
         "- Xin lỗi khi trễ hạn, theo báo cáo của đơn vị: 4/4 hồ sơ, đạt 100,00 %. Số hồ sơ trễ hạn khớp với sổ theo dõi hồ sơ."),
        ({"apologies.late": 9, "apologies.apologised": 8}, {"apologies.apologies_sent_rate": (8, 9)},
         "8/9 hồ sơ, đạt 88,89 %. Còn 1 hồ sơ trễ hạn chưa được xin lỗi. Số hồ sơ trễ hạn này khác số tính từ sổ theo dõi hồ sơ của cùng kỳ, cùng đơn vị (4 hồ sơ)"),
        ({"procedures_posted.commune_level.total": 124, "procedures_posted.commune_level.posted": 120},
         {"procedures_posted.commune_level.procedures_posted_rate": (120, 124)},
         "120/124 thủ tục hành chính thuộc thẩm quyền giải quyết của cấp xã, đạt 96,77 %. Còn 4 thủ tục chưa niêm yết, công khai so với chỉ tiêu ≥ 100 %."),
        ({"apologies.late": 4, "apologies.apologised": 3}, {"apologies.apologies_sent_rate": (3, 4)}, "3/4 hồ sơ, đạt 75,00 %. Còn 1 hồ sơ trễ hạn chưa được xin lỗi."),
        ({"slips.slips": 0, "slips.resolved": 0}, {"slips.slips_rate": (0, 0)},
         "- Phiếu đánh giá, theo báo cáo của đơn vị: không phát sinh hồ sơ đã giải quyết."),
        ({"apologies.late": 0}, {}, "theo báo cáo của đơn vị: không phát sinh hồ sơ trễ hạn. Số hồ sơ trễ hạn này khác"),
        ({"apologies.late": (3, 18)}, {}, "- Xin lỗi khi trễ hạn: mới có 3/18 đơn vị báo cáo."),
        ({"slips.slips": 5, "slips.resolved": 10}, {"slips.slips_rate": (5, 10)}, "5 phiếu trên 10 hồ sơ đã giải quyết, đạt 50,00 %. Số phiếu khớp"),
        ({"slips.slips": (17, 18)}, {}, "- Phiếu đánh giá: mới có 17/18 đơn vị báo cáo."),
        ({"certified_copies.copies": 7}, {}, "7 hồ sơ. Số này khác số bản tính từ sổ theo dõi hồ sơ (6)"),
        ({"petitions.received": 0}, {}, "- Phản ánh, kiến nghị về quy định, hành vi hành chính: không phát sinh."),
        ({"petitions.received": 3, "petitions.on_conduct": 2, "petitions.on_rules": 1, "petitions.handled": 3}, {"petitions.petitions_handled_rate": (3, 3)},
         "tiếp nhận 3 trường hợp, trong đó về hành vi hành chính 2, về quy định hành chính 1; đã xử lý 3 trường hợp, đạt 100,00 %."),
        ({"procedure_review.planned": 8, "procedure_review.reviewed": 6, "procedure_review.simplified": 0}, {"procedure_review.procedures_reviewed_rate": (6, 8)},
         "đã rà soát 6/8 thủ tục theo kế hoạch, đạt 75,00 %; đề nghị đơn giản hóa 0 thủ tục."),
        ({"procedure_review.planned": 0, "procedure_review.reviewed": 2}, {}, "không phát sinh thủ tục phải rà soát trong kỳ; ngoài kế hoạch đã rà soát 2 thủ tục."),
        ({"procedures_posted.district_level.complete": "yes"}, {}, "Niêm yết toàn bộ thủ tục hành chính thuộc thẩm quyền giải quyết của cấp huyện: Có."),
    ],
)  # fmt: skip
def test_what_an_office_tells_by_hand(figures: dict[str, object], rates: dict[str, tuple[int, int]], says: str) -> None:
    one = section(book({"1": Told({"total": 20, "resolved": 10}, LATE)}), "vi", told(figures, rates))
    [at] = [i for i, p in enumerate(one.pieces) if isinstance(p, Heading) and "tự theo dõi" in p.text]
    [first, found, *_] = one.pieces[at + 1 :]
    assert isinstance(first, Paragraph) and "không tính từ sổ" in first.text
    assert isinstance(found, Paragraph) and says in f"- {found.text}"
    assert all(c.of_return or "sổ" in s.text for s in found.sentences for f in s.figures for c in f.cells)


def test_where_nothing_was_told_nothing_is_said_of_it() -> None:
    for hand in (None, Returned({}, {}), told({"apologies.late": (0, 18)})):
        one = section(book({"1": Told({"total": 20})}), "vi", hand)
        assert not [
            p for p in one.pieces if isinstance(p, Heading) and ("tự theo dõi" in p.text or "thu thập" in p.text)
        ]


def test_other_sections_have_a_table_for_each_return() -> None:
    figures = {
        "investment.total.planned": "242322.798",
        "investment.total.as_of": date(2023, 8, 31),
        "directives.d01.document": "1033/UBND-NC",
        "directives.d01.subject": "steering",
        "documents_reviewed.reviewed": 7,
    }
    numbers = {k: Decimal(v) if k == "investment.total.planned" else v for k, v in figures.items()}  # ty: ignore
    hand = told(numbers, {"investment.total.disbursement_rate": (1, 3), "documents_reviewed.documents_handled": (4, 4)})
    one = section(book({"1": Told({"total": 20})}), "vi", hand)
    tables = [p for p in one.pieces if isinstance(p, Table)]
    told_in = [
        ([h.text for h in t.heads], [[f.display for f in (line.label, *line.cells)] for line in t.lines])
        for t in tables
    ]
    assert [t.title for t in tables] == [
        "Bảng 1. Văn bản chỉ đạo, điều hành đã ban hành (mục I.1)",
        "Bảng 2. Rà soát, xử lý văn bản quy phạm pháp luật (mục I.2)",
        "Bảng 3. Giải ngân vốn đầu tư xây dựng cơ bản theo nguồn vốn (mục I.6)",
    ]
    directives = returns()["directives"].measures
    assert told_in[0] == (
        ["Khoản mục", *(directives[m].label.vi for m in ("document", "subject"))],
        [["Văn bản 1", "1033/UBND-NC", "Chỉ đạo, điều hành"]],
    )
    assert told_in[1][1] == [["Đã rà soát", "7"], ["Văn bản đã xử lý sau rà soát", "100,00 %"]]
    assert told_in[2][1] == [["Tổng số", "242.322,798", "31/08/2023", "33,33 %", "chưa đạt"]]


def test_every_figure_that_sentences_name_is_declared() -> None:
    assert named() == {"apologies", "certified_copies", "petitions", "procedure_review", "procedures_posted", "slips"}
    assert {r.section for r in returns().values() if r.id in named()} == {"I.3"}
    empty = Returned({}, {})
    assert empty.get("", "procedures_posted.commune_level.posted", "vi") is None
    for wrong in ("no_such.late", "apologies.no_such", "procedures_posted.no_such.posted"):
        with pytest.raises(KeyError):
            empty.get("", wrong, "vi")
    assert all(r.lines for r in returns().values() if r.rows == OF_LINES)
