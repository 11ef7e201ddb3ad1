"""Every real header is recognised as its layout, each column at its place, however the header is written."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conform.headers import Header, find_header, header_paths
from pipeline.declare.layouts import built_in
from pipeline.declare.sources import Source
from pipeline.declare.text import fold
from pipeline.read.grids import Grid
from tests.summaries import forms

PLAIN = Source("so", "so")
TITLE = ["TỔNG HỢP TÌNH HÌNH GIẢI QUYẾT HỒ SƠ"]
WHOSE = ["Đơn vị báo cáo: UBND xã Gio An"]

# form → its header, the layout, and the column that stands at each position ("": nothing that we read)
FORMS: dict[str, tuple[forms.Heads, str, str]] = {
    "II.06a by unit": (
        forms.II06A, "summary_ii06a",
        "ordinal unit total online in_person_or_postal carried_over resolved_folded resolved_early "
        "resolved_on_time_folded resolved_late open open_in_term_folded open_overdue",
    ),
    "II.06a by field": (
        forms.II06A_FIELDS, "summary_ii06a",
        "ordinal field total online in_person_or_postal carried_over resolved_folded resolved_early "
        "resolved_on_time_folded resolved_late open open_in_term_folded open_overdue",
    ),
    "07a": (
        forms.OLD_07A, "summary_07a",
        "ordinal unit total carried_over received resolved_folded resolved_in_time_folded resolved_late "
        "open open_in_term_folded open_overdue supplement returned",
    ),
    "eGov": (
        forms.EGOV, "summary_egov",
        "ordinal unit total received carried_over resolved resolved_early resolved_on_time resolved_late "
        "open open_in_term_folded open_overdue withdrawn returned -",
    ),
    "digitization": (
        forms.DIGITIZATION, "summary_digitization",
        "ordinal unit received component_not_digitized component_digitized component_reused "
        "component_reused_national resolved result_not_digitized result_digitized",
    ),
    "766": (
        forms.DECISION_766, "summary_766",
        "ordinal unit_code unit on_time_percent online carried_over in_person postal resolved_in_time_folded "
        "resolved_late open_in_term_folded open_overdue sync_due synced fee_due paid_online",
    ),
    "land": (
        forms.LAND, "summary_land",
        "ordinal unit carried_over in_person_or_postal online total resolved_folded resolved_in_time_folded "
        "resolved_late late_percent open open_in_term_folded open_overdue overdue_percent",
    ),
}  # fmt: skip
# the registers of running systems (domain knowledge §7): header, columns at their positions; none has a column of units
SHARED_REGISTER: forms.Heads = (
    "TT", "Mã hồ sơ", "Nội dung hồ sơ", "Số lượng hồ sơ (bộ)", "Tên chủ hồ sơ", "Địa chỉ chủ hồ sơ", "Số điện thoại",
    ("Ngày, tháng, năm", ["Nhận hồ sơ", "Hẹn trả kết quả", "Chuyển HS tới cơ quan giải quyết", "Nhận KQ từ cơ quan giải quyết"]),
    ("Ký nhận", ["Ngày tháng năm", "Ký nhận"]), "Ghi chú",
)  # fmt: skip
REGISTERS = {
    "the shared list": (SHARED_REGISTER, "- dossier_code - - - - - received_at due_at - finished_at - - -"),
    "the list of late ones": (
        ("Mã hồ sơ", "Tên nội dung", "Ngày nhận", "Ngày hẹn trả", "Người xử lý", "Lý do trễ hẹn", "Trạng thái"),
        "dossier_code - received_at due_at - - status",
    ),
}


def places(columns: str) -> dict[str, int]:
    return {name: i for i, name in enumerate(columns.split()) if name != "-"}


def found_in(rows: list[list[str]], source: Source = PLAIN, title: list[str] = WHOSE) -> Header:
    found = find_header(Grid(None, [title, *rows], lambda _: iter(())), source)
    assert found, rows
    return found


def filled_as_html(heads: forms.Heads) -> list[list[str]]:
    """The header as a reader that repeats a cell over all that it covers gives it."""
    rows, merged = forms.header_rows(heads)
    for row, column, height, width in merged:
        for r in range(row, row + height):
            for c in range(column, column + width):
                rows[r][c] = rows[row][column]
    return rows


def each(change: Callable[[str], str]) -> Callable[[forms.Heads], list[list[str]]]:
    return lambda heads: [[change(cell) for cell in row] for row in forms.header_rows(heads)[0]]


def plain(text: str) -> str:
    return (
        "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
        .replace("đ", "d")
        .replace("Đ", "D")
    )


def at_the_bottom(heads: forms.Heads) -> list[list[str]]:
    """What is merged over several rows written in the last of them, as when merged cells are taken apart by hand."""
    rows, merged = forms.header_rows(heads)
    for row, column, height, _ in merged:
        if height > 1:
            rows[row + height - 1][column], rows[row][column] = rows[row][column], ""
    return rows


def one_row(heads: forms.Heads) -> list[list[str]]:
    """Flattened by whoever made a CSV of it: the groups in front of each header."""
    return [[" - ".join(path) for path in header_paths(forms.header_rows(heads)[0])]]


WAYS: dict[str, Callable[[forms.Heads], list[list[str]]]] = {
    "merged cells written once": each(str),
    "repeated over all that they cover": filled_as_html,
    "at the bottom of what they cover": at_the_bottom,
    "in one row": one_row,
    "upper case": each(str.upper),
    "without accents": each(plain),
    "decomposed": each(lambda t: unicodedata.normalize("NFD", t)),
    "with non-breaking spaces": each(lambda t: t.replace(" ", "\u00a0")),
    "with line breaks": each(lambda t: t.replace(" ", "\n", 1)),
    "with notes and colons": each(lambda t: t and f" {t}: "),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_recognised_however_it_is_written(form: str, way: str) -> None:
    heads, layout, columns = FORMS[form]
    rows = WAYS[way](heads)
    found = found_in(rows)
    assert found.layout.id == layout
    assert found.places == places(columns)
    assert (found.top, found.row) == (2, 1 + len(rows)), "the title is no part of it"


@pytest.mark.parametrize("form", FORMS)
def test_with_an_empty_column_anywhere(form: str) -> None:
    """Systems leave columns empty for the eye, also within a group, where merged cells hide them."""
    heads, layout, columns = FORMS[form]
    for at in range(len(columns.split()) + 1):
        rows = [[*row[:at], "", *row[at:]] for row in WAYS["merged cells written once"](heads)]
        found = found_in(rows)
        assert found.layout.id == layout
        assert found.places == {c: i + (i >= at) for c, i in places(columns).items()}, f"empty column at {at}"


@pytest.mark.parametrize("form", FORMS)
def test_of_a_column_that_stands_there_twice_the_first_counts(form: str) -> None:
    heads, layout, columns = FORMS[form]
    rows = [[*row, *row] for row in filled_as_html(heads)]
    found = found_in(rows)
    assert found.layout.id == layout and found.places == places(columns)


@given(st.sampled_from(sorted(FORMS)), st.randoms(use_true_random=False))
def test_in_any_order_of_columns_and_groups(form: str, dice: random.Random) -> None:
    heads, layout, columns = FORMS[form]

    def shuffled(some: forms.Heads) -> list:
        return [(h[0], shuffled(h[1])) if isinstance(h, tuple) else h for h in dice.sample(list(some), len(some))]

    def leaves(some: forms.Heads, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        return [p for h in some for p in (leaves(h[1], (*above, h[0])) if isinstance(h, tuple) else [(*above, h)])]

    named = dict(zip(leaves(heads), columns.split(), strict=True))
    mixed = shuffled(heads)
    found = found_in(dice.choice([WAYS["merged cells written once"], filled_as_html])(mixed))
    assert found.layout.id == layout
    assert found.places == places(" ".join(named[path] for path in leaves(mixed)))


def test_every_summary_layout_is_tried_here() -> None:
    assert {layout for _, layout, _ in FORMS.values()} == {known.id for known in built_in() if known.kind == "summary"}


@pytest.mark.parametrize("form", FORMS)
def test_without_a_column_of_units_the_title_says_whose_it_is(form: str) -> None:
    heads, layout, columns = FORMS[form]
    cut = [i for i, name in enumerate(columns.split()) if name not in ("unit", "unit_code", "field")]
    rows = [[row[i] for i in cut] for row in filled_as_html(heads)]
    grid = Grid(None, [TITLE, *rows], lambda _: iter(()))
    assert find_header(grid, PLAIN) is None
    expected = places(" ".join(columns.split()[i] for i in cut))
    of_title = found_in(rows)
    declared = found_in(rows, Source("so", "so", unit="Xã Gio An"), TITLE)
    for found in (of_title, declared):
        assert found.layout.id == layout and found.places == expected


@pytest.mark.parametrize("name", REGISTERS)
def test_registers_of_running_systems(name: str) -> None:
    heads, columns = REGISTERS[name]
    for rows in (WAYS["merged cells written once"](heads), filled_as_html(heads), each(plain)(heads)):
        assert find_header(Grid(None, [TITLE, *rows], lambda _: iter(())), PLAIN) is None, "nothing says whose they are"
        for found in (
            found_in(rows, title=["Đơn vị: UBND xã Gio An"]),
            found_in(rows, Source("so", "so", unit="Xã Gio An"), TITLE),
        ):
            assert found.layout.id == "register_one_stop"
            assert found.places == places(columns)


def test_a_grid_of_people_is_no_register() -> None:
    rows = [["Mã biên nhận", "Chủ hồ sơ", "Số định danh"]]
    assert find_header(Grid(None, rows, lambda _: iter(())), Source("so", "so", unit="Xã Gio An")) is None


# rows of a header → the path of each column
PATHS = [
    ([["A", "B"]], ["A", "B"]),
    ([["G", "", "B"], ["x", "y", ""]], ["G>x", "G>y", "B"]),
    ([["G", "G", "B"], ["x", "y", "B"]], ["G>x", "G>y", "B"]),
    ([["G", "", "", "B"], ["x", "", "y", ""]], ["G>x", "", "G>y", "B"]),
    ([["G", "", "", ""], ["x", "H", "", "z"], ["", "p", "q", ""]], ["G>x", "G>H>p", "G>H>q", "G>z"]),
    ([["G", "", "H", ""], ["x", "y", "x", "y"]], ["G>x", "G>y", "H>x", "H>y"]),
    ([["A", "G", ""], ["", "x", "y"]], ["A", "G>x", "G>y"]),
    ([["", "G", ""], ["A", "x", "y"]], ["A", "G>x", "G>y"]),
    ([[" A\n b ", "G"], ["", "x"]], ["A b", "G>x"]),
    ([["G"], ["x", "y"]], ["G>x", "G>y"]),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "paths"), PATHS)
def test_header_paths(rows: list[list[str]], paths: list[str]) -> None:
    assert [">".join(path) for path in header_paths(rows)] == paths


@given(st.lists(st.lists(st.sampled_from(["", "a", "b"]), min_size=3, max_size=3), min_size=1, max_size=4))
def test_every_filled_header_stands_in_the_path_of_its_column(rows: list[list[str]]) -> None:
    for i, path in enumerate(header_paths(rows)):
        own = [row[i] for row in rows if row[i]]
        assert set(own) <= set(path)
        assert not own or fold(path[-1]) == own[-1]
