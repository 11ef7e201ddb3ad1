"""Rows of summaries: which count, which are set aside and why; how counts are written; whose figures they are."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conform.shapes import count_of, is_numbering, is_total, percent_of
from pipeline.conform.summaries import frame_of
from pipeline.declare.procedures import known_fields
from pipeline.declare.sources import Source
from pipeline.declare.units import units
from tests.summaries import forms
from tests.summaries.tables import SPAN, ii06a, table, told

GIO_AN = ii06a("Xã Gio An", 40, 30, 10, 50, 10, 5, 12, 3)
UNREAD = "not_read"

# a row below the header → what becomes of it: None counts
KINDS: list[tuple[str, list[str], str | None]] = [
    ("a unit", GIO_AN, None),
    ("a unit, decomposed", [unicodedata.normalize("NFD", c) for c in GIO_AN], None),
    ("a unit among non-breaking spaces", [f"\u00a0{c}\u00a0" for c in GIO_AN], None),
    ("a unit with a Roman number", ["II", *GIO_AN[1:]], None),
    ("nothing arose, as dashes", ["5", "Xã Gio Hải", *["-"] * 11], None),
    ("nothing arose, as noughts", ["5", "Xã Gio Hải", *["0"] * 11], None),
    ("nothing told", ["5", "Xã Gio Hải", *[""] * 11], "section_row"),
    ("column numbers", forms.numbering(13), "numbering_row"),
    ("column numbers and letters", ["A", "B", *map(str, range(1, 12))], "numbering_row"),
    ("the header again", ["TT", "ĐƠN VỊ", "Tổng số", *[""] * 10], "header_row"),
    ("the header's last row again", [*[""] * 3, "Trực tuyến", "Trực tiếp, dịch vụ bưu chính", *[""] * 8], "header_row"),
    ("a section", ["I", "Huyện, thị xã, thành phố"], "section_row"),
    ("a section with figures", ["II", "Xã, phường, thị trấn", *GIO_AN[2:]], "subtotal_row"),
    ("a numbered group of its own", ["B", "Khối các đơn vị khác", *GIO_AN[2:]], "subtotal_row"),
    ("the total", ["", "Tổng số", *GIO_AN[2:]], "total_row"),
    ("the total in the first column", ["TỔNG CỘNG", "", *GIO_AN[2:]], "total_row"),
    ("a sum", ["", "Cộng cấp xã", *GIO_AN[2:]], "total_row"),
    ("the district", ["", "Toàn huyện", *GIO_AN[2:]], "total_row"),
    ("a note", ["* Bao gồm cả hồ sơ chờ bổ sung"], "section_row"),
    ("a signature", ["", "NGƯỜI LẬP BIỂU", *[""] * 6, "THỦ TRƯỞNG ĐƠN VỊ"], "note_row"),
    ("place and day", [*[""] * 8, "Gio Linh, ngày 15 tháng 9 năm 2023"], "note_row"),
    ("a unit that nobody knows", ["9", "Xã Chưa Ai Biết", *GIO_AN[2:]], None),  # resolved, and rejected, at build
    ("the same with a Roman number", ["IX", "Xã Chưa Ai Biết", *GIO_AN[2:]], None),
    ("figures of nobody", ["9", "", *GIO_AN[2:]], "missing"),
    ("a word among the figures", ["9", "Xã Gio An", "tám mươi", *GIO_AN[3:]], UNREAD),
    ("a fraction", ["9", "Xã Gio An", "8,5", *GIO_AN[3:]], UNREAD),
    ("less than nothing", ["9", "Xã Gio An", "-80", *GIO_AN[3:]], UNREAD),
    ("too much", ["9", "Xã Gio An", "1" + "0" * 13, *GIO_AN[3:]], UNREAD),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "reason"), [row[1:] for row in KINDS], ids=[row[0] for row in KINDS])
def test_what_becomes_of_a_row(cells: list[str], reason: str | None) -> None:
    found, aside = table(forms.II06A, [ii06a("Xã Trung Sơn", 1, 0, 0, 1, 0, 0, 0, 0), cells], forms.TITLES[0])
    reasons = [why for row, verdict, why, *_ in aside if row == 2 and verdict != "notice"]
    assert reasons == ([reason] if reason else [])
    assert len(told(found)) == (1 if reason else 2)


def test_what_cannot_be_read_is_shown_only_where_it_is_harmless() -> None:
    _, aside = table(forms.II06A, [["", "Xã Gio An", "8,5", "Trần Văn Mẫu", "9"], ["", "Xã Linh Trường", "-7"]])
    assert [(row, column, found) for row, _, _, column, _, found in aside] == [
        (1, "total", "8,5"),
        (1, "online", "Aaaa Aaa Aaa"),
        (2, "total", "-7"),
    ]


# text → the count it is, or None
COUNTS = {
    "0": 0, "04": 4, "7": 7, "1234": 1234, "1.234": 1234, "1,234": 1234, "1 234": 1234, "12.345.678": 12_345_678,
    "1\u00a0234": 1234, "5.0": 5, "5.00": 5, "1234.0": 1234, " 8 ": 8,
    "1.23": None, "1,5": None, "1.2345": None, "-3": None, "+3": None, "3%": None, "3 hồ sơ": None, "": None, "1e3": None,
    "½": None, "1.234,5": None, "0x1f": None, "1_000": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "count"), COUNTS.items())
def test_counts_as_offices_write_them(text: str, count: int | None) -> None:
    assert count_of(text) == count


@given(st.integers(0, 10**9), st.sampled_from([".", ",", "\u00a0", " ", ""]))
def test_every_count_reads_back(count: int, mark: str) -> None:
    assert count_of(f"{count:,}".replace(",", mark)) == count


@pytest.mark.parametrize(
    ("text", "value", "decimals"),
    [("99,95%", "99.95", 2), ("77,53 %", "77.53", 2), ("100", "100", 0), ("0.5", "0.5", 1), ("99.950", "99.95", 3)],
)
def test_percentages(text: str, value: str, decimals: int) -> None:
    from fractions import Fraction

    assert percent_of(text) == (Fraction(value), decimals)


@pytest.mark.parametrize("text", ["", "%", "99%%", "chín mươi", "-1%", "1.000,5%"])
def test_no_percentage(text: str) -> None:
    assert percent_of(text) is None


@pytest.mark.parametrize(
    "words",
    ["Tổng số", "TỔNG CỘNG", "tổng", "Cộng", "Cộng:", "Cộng dồn", "II. Tổng số", "Tổng cộng (I+II)", "Cộng cấp huyện",
     "Lũy kế từ đầu năm", "Toàn tỉnh", "CONG", "Tong so", "Cộng I"],
)  # fmt: skip
def test_totals(words: str) -> None:
    assert is_total(words) and is_total(unicodedata.normalize("NFD", words))


@pytest.mark.parametrize(
    "words", ["Công chứng", "Công an huyện", "Công thương", "Công nghiệp", "Xã Cộng Hòa", "Tốt", ""]
)
def test_no_totals(words: str) -> None:
    assert not is_total(words)


def test_no_unit_and_no_field_is_taken_for_a_total_or_a_group() -> None:
    """Whatever the lists hold: a row of theirs counts. "Công chứng" folds to the beginning of "cong"."""
    names = sorted({u.name for u in units().values() if u.reports})
    assert [name for name in names if is_total(name)] == []
    body = [["", name, "3", "1", "1", "1"] for name in sorted(set(known_fields().values()))]
    found, aside = table(forms.II06A_FIELDS, body, "Đơn vị báo cáo: UBND xã Gio An")
    assert aside == [] and len(told(found)) == len(body)


@pytest.mark.parametrize(
    ("cells", "is_it"),
    [
        (["(1)", "(2)", "(3) = (4)+(5)+(6)", "(4)"], True), (["A", "B", "1", "2=3+4", "3"], True),
        (["1", "2", "3", "", "4"], True), (["[1]", "[2]", "[3]"], True), (["(1)", "(2)", "(3)*", "(4)**"], True),
        (["1", "Xã Gio An", "3"], False), (["1", "2", "4"], False), (["1", "2"], False), (["5", "5", "5"], False), ([], False),
    ],
)  # fmt: skip
def test_rows_of_column_numbers(cells: list[str], is_it: bool) -> None:
    assert is_numbering(cells) is is_it


# ---- whose figures


def test_the_same_row_twice_counts_once() -> None:
    found, aside = table(forms.II06A, [GIO_AN, GIO_AN])
    assert len(told(found)) == 1
    assert [(row, verdict, reason) for row, verdict, reason, *_ in aside] == [(2, "excluded", "duplicate_row")]


def test_of_different_rows_of_one_unit_none_counts() -> None:
    found, aside = table(forms.II06A, [GIO_AN, ii06a("Xã Gio An", 41, 30, 10, 51, 10, 5, 12, 3)])
    assert told(found) == {}
    assert [(row, verdict, reason) for row, verdict, reason, *_ in aside] == [
        (1, "rejected", "conflicting_figures"),
        (2, "rejected", "conflicting_figures"),
    ]


def three(name: str, total: int = 3) -> list[str]:
    return ["", name, str(total), "1", "1", "1"]


def test_a_table_by_field_is_of_the_unit_in_its_title() -> None:
    body = [three("Đất đai"), three("HỘ TỊCH"), three("Việc riêng của xã"), three("Tổng số", 9)]
    found, aside = table(forms.II06A_FIELDS, body, *forms.TITLES, "Đơn vị báo cáo: UBND xã Gio An")
    assert [str(key[1]).partition(" ")[2] if str(key[1])[0] == "#" else key[1] for key in told(found)] == [
        "Đất đai",
        "Hộ tịch",
        "Aaaa Aaaaa Aaa Aa",
    ]
    assert {key[0] for key in told(found)} == {"UBND xã Gio An"}
    assert [(row, reason) for row, verdict, reason, *_ in aside if verdict != "notice"] == [(4, "total_row")]


def test_units_with_their_fields_below_them() -> None:
    body = [three("Xã Gio An", 6), three("Đất đai"), three("Hộ tịch"), three("UBND xã Gio Châu"), three("Đất đai")]
    found, aside = table(forms.II06A_FIELDS, body, "Đơn vị báo cáo: UBND huyện Gio Linh")
    assert list(told(found)) == [
        ("Xã Gio An", None), ("Xã Gio An", "Đất đai"), ("Xã Gio An", "Hộ tịch"),
        ("UBND xã Gio Châu", None), ("UBND xã Gio Châu", "Đất đai"),
    ]  # fmt: skip
    assert [a for a in aside if a[1] != "notice"] == []


def test_a_unit_named_once_over_its_fields() -> None:
    """A section row without figures, or a cell merged over the rows of its fields."""
    below = [["I", "Xã Gio An"], three("Đất đai"), three("Hộ tịch"), ["II", "Xã Gio Châu"], three("Đất đai")]
    found, _ = table(forms.II06A_FIELDS, below)
    expected = [("Xã Gio An", "Đất đai"), ("Xã Gio An", "Hộ tịch"), ("Xã Gio Châu", "Đất đai")]
    assert list(told(found)) == expected
    both = ("TT", "Đơn vị", "Lĩnh vực", *forms.II06A[2:])
    merged = [
        ["1", "Xã Gio An", *three("Đất đai")[1:]],
        ["2", "", *three("Hộ tịch")[1:]],
        ["3", "Xã Gio Châu", *three("Đất đai")[1:]],
    ]
    found, _ = table(both, merged, "Đơn vị báo cáo: UBND huyện Gio Linh")
    assert list(told(found)) == expected


def test_a_field_of_nobody_is_rejected() -> None:
    found, aside = table(("TT", "Đơn vị", "Lĩnh vực", *forms.II06A[2:]), [["1", "", *three("Đất đai")[1:]]])
    assert told(found) == {} and [a[1:4] for a in aside] == [("rejected", "missing", "unit")]


def test_figures_without_a_name_are_not_those_of_the_row_above() -> None:
    found, aside = table(forms.II06A, [GIO_AN, ["", "", *GIO_AN[2:]]], "Đơn vị báo cáo: UBND huyện Gio Linh")
    assert list(told(found)) == [("Xã Gio An", None)]
    assert [a[:4] for a in aside] == [(2, "rejected", "missing", "unit")]


def test_a_table_of_one_row_without_names() -> None:
    found, aside = table(forms.II06A[2:], [GIO_AN[2:]], "Đơn vị báo cáo: UBND xã Gio An")
    assert told(found)["UBND xã Gio An", None]["total"] == 80 and aside == []


def test_a_name_that_is_no_declared_unit_is_kept_as_a_hash_and_its_shape() -> None:
    found, _ = table(forms.II06A, [["", "Nguyễn Văn Mẫu", *GIO_AN[2:]]])
    ((unit, _),) = told(found)
    assert unit and unit.startswith("#") and unit.endswith(" Aaaaaa Aaa Aaa")


def test_units_that_a_source_brings() -> None:
    own = Source("so", "so", units="from_file")
    found, _ = table(forms.II06A, [["", "Sở Tư pháp", *GIO_AN[2:]], ["", "012345678901", *GIO_AN[2:]]], source=own)
    names = [unit for unit, _ in told(found)]
    assert names[0] == "Sở Tư pháp" and str(names[1]).startswith("#"), "a long number is no name"


def test_by_code_where_the_name_is_not_known() -> None:
    row = ["1", "19495", "Một cửa số 3", "99%", *map(str, range(12))]
    found, _ = table(forms.DECISION_766, [row])
    assert list(told(found)) == [("19495", None)]


ODD = st.sampled_from(
    ["", "-", "1", "04", "1.234", "999999", "0.333333333333333333333333", "1e-7", "100%", "99,95 %", "Tổng số", "I", "(1)", "x", "Đất đai", "Xã Gio An",
     "Công chứng", "123456789012", "9999999", "999999.9999999", "\u00a0", "*", "Trần Văn Mẫu"]
)  # fmt: skip


@given(st.lists(st.lists(ODD, min_size=14, max_size=14), max_size=6))
def test_whatever_stands_there_every_row_ends_somewhere_and_can_be_kept(body: list[list[str]]) -> None:
    found, aside = table(forms.LAND, body, "Đơn vị báo cáo: UBND xã Gio An")
    kept = frame_of(found, "Bieu", SPAN)
    assert set(kept["row"]) == {row.number for row in found.rows}
    assert not any("Mẫu" in str(cell) for row in [*aside, *kept.rows()] for cell in row)
