"""What section I.3 says of books made by hand: conditions, changes, lists under their right headings, the declaration."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.declare import report_section as plan
from pipeline.declare.figures import indicators, measures
from pipeline.report.section.build import section
from pipeline.report.section.model import Paragraph
from pipeline.report.section.scope import Scope, inline_name
from pipeline.report.section.tell import OPTIONAL, PLACEHOLDER, fill
from tests.report.books import COMPONENTS, Told, book
from tests.report.test_section import sentences, words

WHOLE_OF_TWO = Told({"total": 30, "resolved": 20, "resolved_late": 1, "open": 10, "open_in_term": 10},
                    {"on_time_rate": (19, 20), "late_rate": (1, 20), COMPONENTS: (9, 20)}, "Huyện Mẫu", "district", "total")  # fmt: skip


@pytest.mark.parametrize(
    ("change", "others", "says", "says_not"),
    [
        (Told(seal="2023-Q3@1 0a1b2c3d"), {}, "Số liệu đã chốt, dấu chốt 2023-Q3@1 0a1b2c3d.", "chưa chốt"),
        (Told(), {}, "Số liệu chưa chốt", "đã chốt"),
        (Told(coverage="partial", missing="thiếu số liệu 01/09/2023–14/09/2023"), {}, "Số liệu của kỳ chưa đủ: thiếu số liệu 01/09/2023–14/09/2023.", "đủ số liệu"),
        (Told(basis="reported"), {}, "theo bảng tổng hợp do đơn vị gửi", "Không lấy"),
        (Told({"withdrawn": 3, "returned": 2, "stopped": 1}), {}, "Người nộp rút 3 hồ sơ. Trả lại sau khi tiếp nhận 2 hồ sơ. Dừng giải quyết 1 hồ sơ.", "phân loại"),
        (Told({"open_paused": 4}), {}, "tạm dừng chờ bổ sung hoặc chờ thực hiện nghĩa vụ tài chính 4 hồ sơ", "rút"),
        (Told(), {}, "trong hạn 10 hồ sơ, quá hạn 0 hồ sơ.", "tạm dừng"),
        (Told({"postal": 5}), {}, "5 hồ sơ qua dịch vụ bưu chính công ích", "không rõ cách nộp"),
        (Told({"open_in_term": None, "open_overdue": None}), {}, "Đang giải quyết 10 hồ sơ.", "trong hạn"),
        (Told({"resolved_no_due": None}), {}, "quá hạn 1 hồ sơ, chiếm 5,00 %.", "Trong số trước và đúng hạn"),
        (Told(unknown={"apology_rate": 2}), {}, "Xin lỗi khi trễ hạn: không có số liệu; dữ liệu của 2 hồ sơ không cho biết.", "Xin lỗi khi trễ hạn: không phát sinh"),
        (Told(unknown={COMPONENTS: 3}), {}, "có số hóa thành phần, đạt 45,00 %. Chưa tính vào tỷ lệ 3 hồ sơ mà dữ liệu không cho biết.", "Xã 1: không có số liệu"),
        (Told(unknown={"online_service_rate": 3}), {}, "Xã 1: không có số liệu; dữ liệu của 3 hồ sơ không cho biết.", "Chưa tính"),
        (Told(), {"earlier": Told({"total": 30, "resolved": 25}, {"on_time_rate": (25, 25)})}, "tổng số hồ sơ phải giải quyết không đổi (kỳ đó 30 hồ sơ); hồ sơ đã giải quyết giảm 5 hồ sơ (kỳ đó 25 hồ sơ); hồ sơ quá hạn tăng 1 hồ sơ (kỳ đó 0 hồ sơ). Tỷ lệ giải quyết trước và đúng hạn giảm 5,00 điểm phần trăm (kỳ đó 100,00 %).", "So với quý II/2023: không có"),
        (Told(), {"earlier": Told({"total": 30}, coverage="partial", missing="thiếu số liệu tháng 5")}, "Số liệu quý II/2023 chưa đủ (thiếu số liệu tháng 5)", "So với quý II/2023: không có"),
        (Told(coverage="partial"), {"earlier": Told({"total": 30})}, "Số liệu kỳ này chưa đủ, so sánh với quý II/2023 chỉ để tham khảo. So với quý II/2023 (từ ngày", "Số liệu quý II/2023 chưa đủ"),
        (Told(), {"earlier": Told({"total": 0})}, "hồ sơ đã giải quyết tăng 20 hồ sơ (kỳ đó 0 hồ sơ)", "điểm phần trăm"),
        (Told(coverage="no_data"), {"earlier": Told({"total": 30})}, "Kỳ này không có số liệu", "30"),
    ],
)  # fmt: skip
def test_what_a_unit_and_its_periods_are_like(change: Told, others: dict[str, Told], says: str, says_not: str) -> None:
    usual = WHOLE_OF_TWO
    now = replace(change, counts={**(usual.counts or {}), **(change.counts or {})}, rates=usual.rates, level="unit")
    text = words(section(book({"1": now}, **{name: {"1": one} for name, one in others.items()})))
    assert says in text and says_not not in text, text


def test_the_changes_are_exact_and_rounded_once() -> None:
    now, then = (
        Told({"total": 1, "resolved": 1}, {"on_time_rate": (2, 3)}),
        Told({"total": 1}, {"on_time_rate": (199, 300)}),
    )
    said = sentences(section(book({"1": now}, earlier={"1": then})))
    # 66,67 - 66,33 would be 0,34; two thirds less 199/300 is a third of a point
    assert "tăng 0,33 điểm phần trăm (kỳ đó 66,33 %)" in said["compared.earlier.then_on_time", "1"]


# ---- lists


rate = st.integers(0, 200).flatmap(lambda d: st.tuples(st.integers(0, d), st.just(d)))
units = st.lists(
    st.tuples(rate, st.sampled_from(["full", "full", "full", "no_data"]), st.booleans()), min_size=2, max_size=12
)


@settings(max_examples=60)
@given(units)
def test_every_unit_stands_under_its_one_right_heading(told: list[tuple[tuple[int, int], str, bool]]) -> None:
    given_units = {
        f"u{i:02}": Told(
            {"total": r[1]}, {COMPONENTS: r}, f"Xã Số {i:02}", coverage=coverage, target=70 if judged else None
        )
        for i, (r, coverage, judged) in enumerate(told)
    }
    n, d = (sum(r[i] for r, coverage, _ in told if coverage == "full") for i in (0, 1))
    whole = Told({"total": d}, {COMPONENTS: (n, d)}, "Huyện Mẫu", "district", "total")
    said = sentences(section(book({"w": whole} | given_units)))
    listed = {
        head: re.findall(r"xã Số (\d\d)(?: \(([\d,]+) %)?", said.get((f"digitization.{COMPONENTS}.{head}", "w"), ""))
        for head in ("met", "not_met", "nothing_arisen", "no_data")
    }
    for i, ((n, d), coverage, judged) in enumerate(told):
        right = (
            "no_data"
            if coverage == "no_data"
            else "nothing_arisen"
            if not d
            else "met"
            if n * 10 > d * 7
            else "not_met"
        )
        heads = [head for head, found in listed.items() if f"{i:02}" in (name for name, _ in found)]
        anything = any(c == "full" and r[1] for r, c, _ in told) or right == "no_data"  # else the whole says it
        assert heads == ([right] if (judged or right in ("nothing_arisen", "no_data")) and anything else []), (i, said)
    for head in ("met", "not_met"):
        values = [Decimal(value.replace(",", ".")) for _, value in listed[head]]
        assert values == sorted(values, reverse=True)
        assert not values or f" {len(values)} đơn vị, gồm " in said[f"digitization.{COMPONENTS}.{head}", "w"]


def anything(chance: Random) -> Told:
    """A unit of which whatever was told."""
    return Told(
        {name: chance.choice([None, 0, 1, chance.randint(0, 10**7)]) for name in measures() if chance.random() < 0.7},
        {
            code: (n := chance.randint(0, 200), n + chance.choice([0, 7]))
            for code in indicators()
            if chance.random() < 0.7
        },
        kind=chance.choice(["commune", "counter"]),
        coverage=chance.choice(["full", "full", "partial", "no_data"]),
        basis=chance.choice(["dossiers", "reported", None]),
        seal=chance.choice([None, "86b8135c2d92"]),
        missing=chance.choice([None, "thiếu số liệu tháng cuối"]),
        target=chance.choice([None, 70]),
        unknown={code: chance.randint(0, 9) for code in indicators() if chance.random() < 0.2},
    )


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_whatever_the_figures_are_the_words_hold_them_and_nothing_else(seed: int) -> None:
    chance = Random(seed)
    units = [anything(chance) for _ in range(chance.randint(1, 4))]
    whole = replace(units[0], level="total" if len(units) > 1 else "unit", name="Huyện Mẫu")
    others = {name: {"w": anything(chance)} for name in ("earlier", "a_year_earlier") if chance.random() < 0.7}
    lang = chance.choice(["vi", "en"])
    told = section(book({"w": whole} | {f"u{i}": one for i, one in enumerate(units[1:])}, **others), lang)
    for sentence in (s for p in told.pieces if isinstance(p, Paragraph) for s in p.sentences):
        at = 0
        for figure in sentence.figures:
            at = sentence.text.index(figure.display, at) + len(figure.display)
        assert not re.search(r"None|[{}\[\]–]|  | [,;.:]", sentence.text), sentence


def test_units_with_other_thresholds_are_told_apart() -> None:
    two = {f"u{t}": Told({"total": 10}, {COMPONENTS: (9, 10)}, f"Xã {t}", target=t) for t in (70, 80)}
    whole = Told({"total": 20}, {COMPONENTS: (18, 20)}, "Huyện Mẫu", "district", "total")
    text = words(section(book({"w": whole} | two)))
    assert "Đạt ngưỡng (> 70 %): 1 đơn vị, gồm xã 70 (90,00 %)." in text
    assert "Đạt ngưỡng (> 80 %): 1 đơn vị, gồm xã 80 (90,00 %)." in text


@pytest.mark.parametrize(
    ("name", "inline"),
    [("Xã Gio An", "xã Gio An"), ("Thị trấn Cửa Việt", "thị trấn Cửa Việt"), ("UBND huyện Gio Linh", "UBND huyện Gio Linh"),
     ("Gio Linh", "Gio Linh"), ("Các xã, thị trấn huyện Gio Linh", "các xã, thị trấn huyện Gio Linh"), ("Phường 1", "phường 1")],
)  # fmt: skip
def test_a_name_within_a_sentence(name: str, inline: str) -> None:
    assert inline_name(name) == inline


# ---- the declaration


def test_brackets_go_with_what_is_not_known() -> None:
    scope = Scope(book({"1": Told({"total": 5, "open": None, "postal": 0})}), "vi", "1")
    assert (
        fill("{total}[, mở {open}][>0, bưu chính {postal}][, trực tiếp {in_person}].", scope).text == "5, trực tiếp 0."
    )
    assert [f.name for f in fill("{total}[, mở {open}]", scope).figures] == ["total"]


def test_every_sentence_is_used_and_says_the_same_in_both_languages() -> None:
    used = {said for part in plan.parts() for block in part.blocks for said in block.say}
    assert used == set(plan.sentences())
    for said in plan.sentences().values():
        names = [sorted(PLACEHOLDER.findall(text)) for text in (said.words.vi, said.words.en)]
        assert names[0] == names[1], said.id
        brackets = [
            sorted(len(PLACEHOLDER.findall(b)) for _, b in OPTIONAL.findall(t)) for t in (said.words.vi, said.words.en)
        ]
        assert brackets[0] == brackets[1] and 0 not in brackets[0], said.id


def test_no_figure_is_written_in_the_words() -> None:
    for said in plan.sentences().values():
        for text in (said.words, said.item):
            for lang in ("vi", "en"):
                assert not re.search(r"\d", OPTIONAL.sub(r"\2", text[lang])), said.id


def test_every_placeholder_condition_and_column_means_something() -> None:
    scope = Scope(book({"1": Told()}), "vi", "1", COMPONENTS, book({"1": Told()}).earlier)
    for said in plan.sentences().values():
        for name in PLACEHOLDER.findall(said.words.vi + said.item.vi):
            if name not in ("n", "units", "n_missed"):
                scope.get(name)
    with pytest.raises(KeyError):
        scope.get("no_such_figure")
    for grid in plan.grids().values():
        for name in (*(c.figure for c in grid.columns), *grid.figures):
            scope.get(name)
