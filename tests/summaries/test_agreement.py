"""What a summary says of itself: each planted fault is told once with both numbers; a right table gives no notice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.declare.layouts import built_in
from pipeline.declare.reported import counts
from pipeline.declare.sources import Source
from tests.summaries import forms
from tests.summaries.tables import ii06a, table

AN, CHAU, SON = (
    ii06a("Xã Gio An", 40, 30, 10, 50, 10, 5, 12, 3),
    ii06a("Xã Gio Châu", 1200, 34, 0, 1000, 134, 20, 70, 10),
    ii06a("Xã Trung Sơn", 0, 7, 2, 4, 1, 0, 4, 0),
)
COUNTER = ii06a("UBND huyện Gio Linh", 500, 100, 50, 400, 100, 50, 75, 25)
Rows = list[list[str]]


def summed(name: str, *rows: list[str]) -> list[str]:
    return ["", name, *(str(sum(int(row[i]) for row in rows)) for i in range(2, 13))]


def notices(heads: forms.Heads, body: Rows, source: Source | None = None) -> list[tuple]:
    """(row, reason, column, expected, found) of each notice."""
    _, aside = table(heads, body, *([] if source is None else ["."]), source=source or Source("so", "so"))
    return [(row, *rest) for row, verdict, *rest in aside if verdict == "notice"]


# ---- identities

OF = {known.id: known.identities for known in built_in()}


@given(*[st.integers(0, 99_999)] * 8)
def test_a_right_row_gives_no_notice(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int) -> None:
    row = ii06a("Xã Gio An", a, b, c, d, e, f, g, h)
    row[2] = str(a + b + c)
    told = notices(forms.II06A, [row])
    assert [n[1] for n in told] == ([] if a + b + c == d + e + f + g + h else ["identity_fails"])


@pytest.mark.parametrize(
    ("column", "rules"),
    [
        (
            2,
            [
                "Tổng số nhận giải quyết = Trực tuyến + Trực tiếp, bưu chính + Tồn kỳ trước",
                "Tổng số nhận giải quyết = Đã giải quyết",
            ],
        ),
        (3, ["Tổng số nhận giải quyết = Trực tuyến"]),
        (6, ["Đã giải quyết (gồm rút, trả lại) = Trước hạn", "Tổng số nhận giải quyết = Đã giải quyết"]),
        (9, ["Đã giải quyết (gồm rút, trả lại) = Trước hạn"]),
        (10, ["Đang giải quyết = Trong hạn", "Tổng số nhận giải quyết = Đã giải quyết"]),
        (12, ["Đang giải quyết = Trong hạn"]),
    ],
)
def test_a_wrong_cell_breaks_just_the_identities_it_stands_in(column: int, rules: list[str]) -> None:
    row = [*CHAU]
    row[column] = str(int(row[column]) + 1)
    told = notices(forms.II06A, [AN, row])
    assert [n[:3] for n in told] == [(2, "identity_fails", None)] * len(rules)
    for rule, (*_, expected, found) in zip(rules, told, strict=True):
        assert expected.startswith(rule), expected
        left, right = (int(n.replace(".", "")) for n in found.split(" ≠ "))
        assert abs(left - right) == 1


def test_the_numbers_are_told_as_people_write_them() -> None:
    row = [*CHAU]
    row[2] = "1.235"
    told = notices(forms.II06A, [row])
    assert {found for *_, found in told} == {"1.235 ≠ 1.234"}
    vi, en = told[0][3].split(" / ")
    assert "Tồn kỳ trước" in vi and "Carried over" in en


def test_what_is_not_told_breaks_nothing() -> None:
    assert notices(forms.II06A, [["", "Xã Gio An", "80", "40", "", "10", "65", "-", "10", "5", "15", "", ""]]) == []


OTHERS: dict[str, tuple[forms.Heads, list[str], dict[int, int]]] = {
    # form: header, a right row, cell → how many identities a wrong number in it breaks
    "07a": (forms.OLD_07A, ["1", "Xã Gio An", "80", "10", "70", "65", "60", "5", "15", "12", "3", "2", "1"], {2: 1, 5: 1, 8: 1, 11: 0}),
    "eGov": (forms.EGOV, ["1", "Xã Gio An", "80", "70", "10", "62", "40", "17", "5", "15", "12", "3", "2", "1", "15"], {2: 2, 5: 2, 9: 2, 12: 1}),
    "digitization": (forms.DIGITIZATION, ["1", "Xã Gio An", "70", "20", "50", "9", "3", "62", "30", "32"], {2: 1, 3: 1, 5: 0, 7: 1, 9: 1}),
    "766": (forms.DECISION_766, ["1", "", "Xã Gio An", "92,31%", "40", "10", "25", "5", "60", "5", "12", "3", "80", "80", "9", "8"], {4: 1, 10: 1, 13: 0}),
    "land": (forms.LAND, ["1", "Xã Gio An", "10", "30", "40", "80", "65", "60", "5", "7,69", "15", "12", "3", "20"], {2: 1, 5: 2, 6: 2, 11: 1}),
}  # fmt: skip


@pytest.mark.parametrize("form", OTHERS)
def test_identities_of_the_other_forms(form: str) -> None:
    heads, row, breaks = OTHERS[form]
    assert notices(heads, [row]) == []
    for column, times in breaks.items():
        wrong = [*row]
        wrong[column] = str(int(wrong[column]) + 20)
        told = [n for n in notices(heads, [wrong]) if n[1] == "identity_fails"]
        assert len(told) == times, f"column {column}: {told}"


def test_every_identity_is_of_measures_and_every_layout_is_tried() -> None:
    assert {known.id for known in built_in() if known.kind == "summary" and known.identities} == {
        "summary_ii06a", "summary_07a", "summary_egov", "summary_digitization", "summary_766", "summary_land",
    }  # fmt: skip
    assert all(
        set(rule.replace("=", "+").replace(" ", "").split("+")) <= set(counts())
        for r in OF.values()
        for rule in r.values()
    )


# ---- percentages


def land(percent: str, late: int = 5, resolved: int = 65) -> list[str]:
    numbers = [10, 30, resolved + 15 - 40, resolved + 15, resolved, resolved - late, late]
    return ["1", "Xã Gio An", *map(str, numbers), percent, "15", "12", "3", "20"]


@pytest.mark.parametrize("told", ["7,69", "7.69%", "7,7 %", "8", "7,692", "0.0769230769230769", "0,0769", "0.08"])
def test_a_right_percentage_however_it_is_rounded(told: str) -> None:
    assert notices(forms.LAND, [land(told)]) == []


@pytest.mark.parametrize("third", [1, 2])
def test_a_share_as_a_workbook_computes_it(third: int) -> None:
    assert notices(forms.LAND, [land(repr(third / 3), third * 20, 60)]) == []


@pytest.mark.parametrize(
    ("told", "found"), [("7,68", "7,68 %"), ("9", "9 %"), ("0", "0 %"), ("0.0779", "0,0779 %"), ("1", "1 %"), ("100%", "100 %")]
)  # fmt: skip
def test_a_wrong_percentage(told: str, found: str) -> None:
    assert notices(forms.LAND, [land(told)]) == [(1, "percent_differs", "late_percent", "5/65 = 7,69 %", found)]


def test_one_percent_is_not_the_whole() -> None:
    assert len(notices(forms.LAND, [land("1%", 40, 50)])) == 1


def test_large_counts_keep_their_points() -> None:
    (notice,) = notices(forms.LAND, [land("50", 1234, 5000)])
    assert notice[3] == "1.234/5.000 = 24,68 %"


def test_a_percentage_of_nothing_is_not_judged() -> None:
    row = ["1", "Xã Gio An", *["0"] * 7, "100%", *["0"] * 3, "-"]
    assert notices(forms.LAND, [row]) == []


# ---- sums

TOTAL = summed("Tổng số", AN, CHAU, SON)
RIGHT: dict[str, Rows] = {
    "total below": [AN, CHAU, SON, TOTAL],
    "total above": [TOTAL, AN, CHAU, SON],
    "sections": [["I", "UBND cấp huyện"], COUNTER, ["II", "UBND cấp xã"], AN, CHAU, summed("Tổng số", COUNTER, AN, CHAU)],
    "subtotals above": [
        ["I", *summed("Cấp huyện", COUNTER)[1:]], COUNTER, ["II", *summed("Cấp xã", AN, CHAU)[1:]], AN, CHAU, summed("Tổng số", COUNTER, AN, CHAU),
    ],
    "subtotals below": [
        COUNTER, summed("Cộng cấp huyện", COUNTER), AN, CHAU, summed("Cộng cấp xã", AN, CHAU), summed("Tổng cộng", COUNTER, AN, CHAU),
    ],
    "total of dashes": [AN, ["", "Tổng số", *["-"] * 11]],
    "a unit that says nothing": [AN, ["", "Xã Gio Hải", *["-"] * 11], summed("Tổng số", AN)],
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_right_sums(name: str) -> None:
    assert notices(forms.II06A, RIGHT[name]) == []


@pytest.mark.parametrize("name", [n for n in RIGHT if "dashes" not in n and "nothing" not in n])
def test_a_wrong_number_in_the_last_sum_is_told_once(name: str) -> None:
    body = [[*row] for row in RIGHT[name]]
    at = next(n for n in reversed(range(len(body))) if "Tổng" in body[n][1])
    right = int(body[at][5])
    body[at][5] = str(right + 10)
    body[at][2] = str(int(body[at][2]) + 10)
    told = [n for n in notices(forms.II06A, body) if n[1] == "sum_differs"]
    total = int(body[at][2]) - 10
    assert told == [
        (at + 1, "sum_differs", "total", f"{total:,}".replace(",", "."), f"{total + 10:,}".replace(",", ".")),
        (at + 1, "sum_differs", "carried_over", str(right), str(right + 10)),
    ]


def test_a_wrong_subtotal_is_told_once() -> None:
    body = [[*row] for row in RIGHT["subtotals above"]]
    body[2][12] = str(int(body[2][12]) + 1)
    told = notices(forms.II06A, body)
    assert [(n[0], n[1], n[2], n[3], n[4]) for n in told if n[1] == "sum_differs"] == [
        (3, "sum_differs", "open_overdue", "13", "14")
    ]


def test_fields_are_parts_of_their_unit() -> None:
    heads = ("TT", "Đơn vị", "Lĩnh vực", *forms.II06A[2:])

    def both(row: list[str], field: str = "") -> list[str]:
        return [row[0], row[1], field, *row[2:]]

    whole = summed("Xã Gio An", AN, CHAU)
    body = [
        both(whole),
        both(["", "Xã Gio An", *AN[2:]], "Đất đai"),
        both(["", "Xã Gio An", *CHAU[2:]], "Hộ tịch"),
        both(summed("Tổng số", whole)),
    ]
    assert notices(heads, body) == []
    assert notices(heads, [*body[1:3], body[3]]) == [], "and without a row for the whole unit they are summed"


@pytest.mark.parametrize("includes", [True, False])
def test_a_district_that_includes_its_communes(includes: bool) -> None:
    """The total is that of the district's row, which holds the communes: declared per source."""
    whole = summed("UBND huyện Gio Linh", COUNTER, AN, CHAU)
    body = [whole, AN, CHAU, summed("Tổng số", COUNTER, AN, CHAU)]
    told = notices(forms.II06A, body, Source("so", "so", includes_communes=includes))
    assert [n[1] for n in told] == ([] if includes else ["sum_differs"] * 11)


def test_a_table_without_rows_has_nothing_to_sum() -> None:
    assert notices(forms.II06A, [TOTAL]) == []


@pytest.mark.parametrize("change", [lambda r: r, lambda r: [r[0], r[1].upper(), *r[2:]]])
def test_header_words_are_no_figures(change: Callable[[list[str]], list[str]]) -> None:
    assert notices(forms.II06A, [change(AN), ["TT", "Đơn vị", "Tổng số"], CHAU, summed("Tổng số", AN, CHAU)]) == []
