"""Units: names as offices write them, the reform of July 2025, what is never assumed."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.declare.text import fold, shape
from pipeline.declare.units import Unit, known_spelling, propose, resolve, split_name, successors, units

SUMMER_2023 = date(2023, 7, 1)
BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)

# as written, day of receipt, unit_id or None
SPELLINGS = [
    # ten ways to write one town
    *[
        (written, SUMMER_2023, "19496")
        for written in (
            "Thị trấn Cửa Việt", "TT Cửa Việt", "TT. Cửa Việt", "UBND thị trấn Cửa Việt", "UBND TT Cửa Việt",
            "Cửa Việt", "cua viet", "THỊ TRẤN CỬA VIỆT", "  Thị  trấn\u00a0Cửa Việt ", "Thị trấn Cửa Việt, huyện Gio Linh",
            "Ủy ban nhân dân thị trấn Cửa Việt", "Bộ phận một cửa thị trấn Cửa Việt", "19496", "T.T. Cửa Việt",
            "Thị Trấn Cửa Việt.", "UBND thị trấn Cửa Việt (huyện Gio Linh, tỉnh Quảng Trị)", "tt cua viet, h. Gio Linh",
            unicodedata.normalize("NFD", "Thị trấn Cửa Việt"),
        )
    ],
    # the report itself writes Gio Hải without its accent
    ("Xã Gio Hải", SUMMER_2023, "19519"),
    ("Xã Gio Hai", SUMMER_2023, "19519"),
    ("Gio Hai", SUMMER_2023, "19519"),
    ("UBND xã Gio Hải", SUMMER_2023, "19519"),
    ("Bộ phận TN và TKQ xã Gio Hải", SUMMER_2023, "19519"),
    *[
        (written, SUMMER_2023, "19519")
        for written in (
            "Xã Gio Hải", "XÃ GIO HẢI", "X. Gio Hải", "x.Gio Hải", "xã Gio Hải, huyện Gio Linh", "xa gio hai",
            "UBND xã Gio Hải (huyện Gio Linh, tỉnh Quảng Trị)", "Gio  Hải", "Gio\u00a0Hải;", "19519", "Xã Gio Hải - Gio Linh",
            unicodedata.normalize("NFD", "Xã Gio Hải"), "Xã Gio Hải, tỉnh Quảng Trị",
        )
    ],
    ("Xã Vĩnh Hoà", SUMMER_2023, "19396"),  # the tone mark on the other vowel
    ("Xã Vĩnh Hòa", SUMMER_2023, "19396"),
    # spellings known in practice
    ("UBND huyện Đakrông", SUMMER_2023, "467"),
    ("Xã Tà Rụt, huyện Đakrông", SUMMER_2023, "19588"),
    ("Xã Đakrông", SUMMER_2023, "19564"),
    ("Xã Đa Krông", AFTER, "19564@2025-07-01"),
    ("Xã Hải Qui", SUMMER_2023, "19693"),
    # three that are called Gio Linh
    ("Thị trấn Gio Linh", SUMMER_2023, "19495"),
    ("TT Gio Linh", SUMMER_2023, "19495"),
    ("UBND huyện Gio Linh", SUMMER_2023, "466"),
    ("Huyện Gio Linh", SUMMER_2023, "466"),
    ("h. Gio Linh", SUMMER_2023, "466"),
    ("Văn phòng HĐND và UBND huyện Gio Linh", SUMMER_2023, "466"),
    ("Xã Gio Linh", AFTER, "19495@2025-07-01"),
    ("Gio Linh", AFTER, "19495@2025-07-01"),
    ("Gio Linh", SUMMER_2023, None),  # the town or the counter
    ("Xã Gio Linh", SUMMER_2023, None),  # not yet a commune
    ("Thị trấn Gio Linh", AFTER, None),  # no longer a town
    ("UBND huyện Gio Linh", AFTER, None),
    # the day decides on which side of the reform a name stands
    ("Xã Gio An", BEFORE, "19522"),
    ("Xã Gio An", AFTER, None),
    ("Xã Cửa Việt", AFTER, "19496@2025-07-01"),
    ("Xã Cửa Việt", BEFORE, None),
    ("Đặc khu Cồn Cỏ", AFTER, "19742"),
    ("UBND huyện Cồn Cỏ", BEFORE, "471"),
    ("Phường 1", SUMMER_2023, None),  # two towns have one
    ("Phường 1, TX. Quảng Trị", SUMMER_2023, "19357"),
    ("P. 1 TP Đông Hà", SUMMER_2023, "19333"),
    ("Phường 1, tỉnh Quảng Trị", SUMMER_2023, None),
    ("19495", SUMMER_2023, "19495"),
    ("19495", AFTER, "19495@2025-07-01"),
    # what is no unit, or none to which dossiers belong
    ("Các xã, thị trấn huyện Gio Linh", SUMMER_2023, None),
    ("Tỉnh Quảng Trị", SUMMER_2023, None),
    ("Xã Gio Ann", SUMMER_2023, None),
    ("Phường Gio An", SUMMER_2023, None),
    ("Nguyễn Văn Mẫu", SUMMER_2023, None),
    ("", SUMMER_2023, None),
    ("xã", SUMMER_2023, None),
    ("UBND", SUMMER_2023, None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "day", "unit_id"), SPELLINGS)
def test_a_name_means_one_unit_or_none(written: str, day: date, unit_id: str | None) -> None:
    found = resolve(written, day)
    assert (found and found.unit_id) == unit_id


def test_where_the_tone_mark_stands_does_not_matter() -> None:
    assert fold("Hoà An") == fold("Hòa An") == fold(unicodedata.normalize("NFD", "Hoà An")) == "hoa an"
    assert fold("Thuỷ Đông") == fold("Thủy Đông") == "thuy dong"
    assert fold("  Mã\u00a0 Hồ-sơ: ") == "ma ho so"


def test_an_old_dossier_may_carry_the_new_name_once_the_system_has_renamed_it() -> None:
    assert resolve("Xã Cửa Việt", SUMMER_2023) is None
    found = resolve("Xã Cửa Việt", SUMMER_2023, date(2025, 8, 1))
    assert found and found.unit_id == "19496@2025-07-01"


def test_the_name_of_the_day_of_receipt_goes_before_that_of_the_export() -> None:
    found = resolve("Thị trấn Gio Linh", SUMMER_2023, date(2025, 8, 1))
    assert found and found.unit_id == "19495"


def test_near_names_are_proposed_never_assumed() -> None:
    assert resolve("Xã Gio Anh", SUMMER_2023) is None
    assert propose("Xã Gio Anh")[0].unit_id == "19522"
    assert propose("Nguyễn Văn Mẫu") == []
    assert propose("x" * 10_000) == []


def test_whoever_took_a_units_place_is_proposed_with_it() -> None:
    found = [u.unit_id for u in propose("Xã Gio An")]
    assert found[:2] == ["19522", "19537@2025-07-01"]


def test_a_name_that_is_several_units_proposes_them_all() -> None:
    assert {u.unit_id for u in propose("Gio Linh")} >= {"19495", "466", "19495@2025-07-01"}


def test_only_names_of_units_may_pass_as_such() -> None:
    assert known_spelling("Xã Gio An") and known_spelling("gio an") and known_spelling("19522")
    for person in ("Nguyễn Văn Mẫu", "Xã Gio An 0912345678", "Xã Gio An ທ້າວ ສົມຊາຍ", "Xã Gio An 王"):
        assert not known_spelling(person), person


def with_district(unit: Unit) -> list[str]:
    """Phường 1 is in two towns: the one above tells which."""
    above = units()[units()[unit.parent_id or ""].parent_id or ""]
    return [
        f"{unit.name}, {above.name}",
        f"{unit.name} - {fold(above.name)}",
        f"{unit.name} {split_name(above.name)[1]}",
    ]


def test_every_unit_resolves_by_its_own_name_and_code() -> None:
    for unit in (u for u in units().values() if u.reports):
        day = max(unit.valid_from, date(2023, 1, 1))
        if sum(u.valid_on(day) and u.reports and fold(u.name) == fold(unit.name) for u in units().values()) > 1:
            assert resolve(unit.name, day) is None, "two units of one name"
            names = with_district(unit)
        else:
            names = [unit.name, unit.name.upper(), unicodedata.normalize("NFD", unit.name)]
        for name in names:
            assert resolve(name, day) == unit, name


@given(st.data())
def test_every_official_name_with_its_district_means_its_unit_on_every_day(data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from([u for u in units().values() if u.reports]))
    first, last = max(unit.valid_from, date(2000, 1, 1)), min(unit.valid_to, date(2030, 12, 31))
    day = data.draw(st.dates(first, last))
    above = units()[unit.parent_id or ""]
    district = above if above.kind in ("district", "province") else units()[above.parent_id or ""]
    joint = data.draw(st.sampled_from([", ", " - ", " (", "  ", " · "]))
    name = unit.name if unit.kind == "counter" else f"{unit.name}{joint}{district.name}"
    name = data.draw(
        st.sampled_from([name, name.upper(), fold(name), unicodedata.normalize("NFD", name), f" UBND {name}."])
    )
    found = resolve(name.replace("UBND UBND", "UBND"), day)
    assert found == unit, name


def test_all_units_of_the_province_are_declared() -> None:
    after = [u for u in units().values() if u.kind == "commune" and u.valid_on(AFTER)]
    assert len(after) == 78 and all(u.parent_id == "44@2025-07-01" for u in after)
    kinds = [split_name(u.name)[0] for u in after]
    assert (kinds.count("xa"), kinds.count("phuong"), kinds.count("dac khu")) == (69, 8, 1)
    assert len({new for _, new in successors().values()}) == 37, "of them 37 from the former Quảng Trị"
    old = [u for u in units().values() if u.kind == "commune" and u.valid_on(BEFORE)]
    assert len(old) == 122 and sum(u.kind == "district" for u in units().values()) == 10


def test_every_successor_takes_over_the_day_after() -> None:
    for old, (day, new) in successors().items():
        assert units()[new].valid_on(day), new
        assert not units()[old].valid_on(day), old


def test_type_words() -> None:
    assert split_name("UBND TT Cửa Việt") == ("thi tran", "cua viet")
    assert split_name("Thị xã Quảng Trị") == ("thi xa", "quang tri")
    assert split_name("Gio An") == (None, "gio an")


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(words: str) -> None:
    assert fold(fold(words)) == fold(words)


@given(st.text(st.characters(categories=("L", "N")), max_size=20))
def test_folding_hides_no_letter(words: str) -> None:
    assert bool(fold(words)) == bool(words)


@given(st.text(max_size=40))
def test_a_shape_shows_no_letter_and_no_digit(value: str) -> None:
    shown = shape(value)
    assert {c for c in shown if unicodedata.category(c)[0] in "LMN"} <= set("Aa9")
