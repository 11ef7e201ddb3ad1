"""Headers: found under title rows however they are written; what is missing is named, the nearest offered."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conform.headers import find_header, no_header, not_found
from pipeline.declare.columns import columns
from pipeline.declare.layouts import built_in, column_names
from pipeline.declare.sources import Source, read_source
from pipeline.read.grids import HEAD_ROWS, Grid
from tests.unit.office import HEADERS, QUARTER, Office, dossier

PLAIN = Source("so", "so")
LEAST = ["dossier_code", "unit", "received_at", "status"]


def grid(*head: list[str]) -> Grid:
    return Grid(None, list(head), lambda _: iter(()))


def own(tmp_path: Path, toml: str) -> Source:
    (tmp_path / "source.toml").write_text(toml, encoding="utf-8")
    return read_source(tmp_path)


def refusal(source: Source, *head: list[str]) -> dict[str, str]:
    assert find_header(grid(*head), source) is None
    error = no_header([grid(*head)], source, "so/t7.csv")
    assert error.exit_code == 2 and error.where == "so/t7.csv"
    return {lang: error.render(lang) for lang in ("vi", "en")}


@pytest.mark.parametrize("above", [0, 1, 3, HEAD_ROWS - 1])
def test_under_any_number_of_title_rows(above: int) -> None:
    titles = [["Đơn vị: UBND xã Gio An", "", "Trạng thái: tất cả"]] * above
    found = find_header(grid(*titles, list(HEADERS.values()), ["H50", "Xã Gio An"]), PLAIN)
    assert found and found.row == above + 1
    assert found.places == {c: i for i, c in enumerate(HEADERS)}
    assert found.dropped == [] and found.layout.id == "register_one_stop"


@given(st.permutations(list(HEADERS)), st.randoms(use_true_random=False))
def test_in_any_order_case_and_spelling(order: list[str], dice: random.Random) -> None:
    def written(header: str) -> str:
        way = dice.choice([str, str.upper, str.lower, lambda h: f" {h}: ", lambda h: h.replace(" ", "\n")])
        return unicodedata.normalize(dice.choice(["NFC", "NFD"]), way(header))

    found = find_header(grid(list(QUARTER), [written(HEADERS[c]) for c in order]), PLAIN)
    assert found and found.places == {c: i for i, c in enumerate(order)}


def test_without_accents() -> None:
    found = find_header(grid(["Ma ho so", "Don vi tiep nhan", "Ngay tiep nhan", "Trang thai"]), PLAIN)
    assert found and list(found.places) == LEAST


def test_fields_of_the_national_portal() -> None:
    found = find_header(grid(["MaHoSo", "TenDonVi", "NgayTiepNhan", "TrangThaiHoSo", "KenhThucHien"]), PLAIN)
    assert found and found.layout.id == "register_portal"
    assert [*found.places] == [*LEAST, "channel"]


def test_columns_not_declared_are_counted_and_dropped() -> None:
    found = find_header(grid(["STT", *[HEADERS[c] for c in LEAST], "Chủ hồ sơ", "", "Số CCCD"]), PLAIN)
    assert found and found.dropped == ["STT", "Chủ hồ sơ", "Số CCCD"]


def test_the_first_of_two_headers_of_one_meaning() -> None:
    """Candidates count in the order declared: the receiving unit before the handling one."""
    found = find_header(
        grid([*[HEADERS[c] for c in LEAST if c != "unit"], "Cơ quan giải quyết", "Đơn vị tiếp nhận"]), PLAIN
    )
    assert found and found.places["unit"] == 4


def test_a_finish_date_will_do_without_a_status() -> None:
    names = ["Mã hồ sơ", "Đơn vị", "Ngày nhận", "Ngày có kết quả"]
    found = find_header(grid(names), PLAIN)
    assert found and set(found.places) == {"dossier_code", "unit", "received_at", "finished_at"}
    words = refusal(PLAIN, names[:3])
    assert "status, finished_at" in words["en"]


@pytest.mark.parametrize("missing", ["dossier_code", "unit", "received_at"])
def test_a_missing_column_is_named(missing: str) -> None:
    names = [HEADERS[c] for c in LEAST if c != missing] + ["Ghi chú"]
    words = refusal(PLAIN, list(QUARTER), names)
    for lang in ("vi", "en"):
        assert missing in words[lang] and "Ghi chú" in words[lang]  # expected; found
        assert "data/raw/so/source.toml" in words[lang] and "[columns]" in words[lang]
        assert f'{missing} = "' in words[lang]
    assert columns()[missing].label.vi in words["vi"]


def test_the_nearest_header_is_offered_and_works_when_declared(tmp_path: Path) -> None:
    names = ["Mã hồ sơ TTHC", "Đơn vị tiếp nhận", "Ngày tiếp nhận", "Trạng thái"]
    words = refusal(PLAIN, names)
    line = 'dossier_code = "Mã hồ sơ TTHC"'
    assert line in words["vi"] and line in words["en"]
    assert 'unit = "' not in words["vi"], "what is recognised needs no hint"
    found = find_header(grid(names), own(tmp_path, f"[columns]\n{line}\n"))
    assert found and list(found.places) == LEAST


def test_a_header_that_serves_already_is_not_offered_for_another() -> None:
    words = refusal(PLAIN, ["Mã hồ sơ", "Đơn vị tiếp nhận", "Ngày hẹn trả", "Trạng thái"])
    assert 'received_at = "Ngày hẹn trả"' not in words["vi"]


def test_without_any_header_rows_only_shapes_are_shown() -> None:
    """Where no header is in sight, the rows may hold anything."""
    words = refusal(PLAIN, ["Nguyễn Văn Mẫu", "012345678901", "0912 345 678"])
    for lang in ("vi", "en"):
        assert "Nguyễn" not in words[lang] and "0123" not in words[lang] and "345" not in words[lang]
        assert "Aaaaaa Aaa A" in words[lang] and "999999999999" in words[lang]
    assert refusal(PLAIN)["vi"].count("—") == 1


def test_a_layout_of_its_own(tmp_path: Path) -> None:
    source = own(
        tmp_path,
        """
        [columns]
        dossier_code = "Ref"
        unit = "Office"
        received_at = ["Received", "Date in"]
        finished_at = "Date out"
        """,
    )
    found = find_header(grid(["Office", "DATE IN", "ref", "Date out", "Trạng thái"]), source)
    assert found and found.layout.id == f"source:{source.key}"
    assert found.places == {"unit": 0, "received_at": 1, "dossier_code": 2, "finished_at": 3, "status": 4}
    first = find_header(grid(["Ref", "Office", "Date in", "Received", "Date out"]), source)
    assert first and first.places["received_at"] == 3, "candidates count in the order declared"


def test_what_a_source_declares_is_not_taken_from_elsewhere(tmp_path: Path) -> None:
    """It declared which date counts; the usual header is another date here."""
    source = own(tmp_path, '[columns]\nreceived_at = "Ngày thụ lý"\nstatus = []\n')
    names = ["Mã hồ sơ", "Đơn vị tiếp nhận", "Ngày thụ lý", "Ngày tiếp nhận", "Trạng thái", "Ngày có kết quả"]
    found = find_header(grid(names), source)
    assert found and found.places == {"received_at": 2, "dossier_code": 0, "unit": 1, "finished_at": 5}
    words = refusal(source, [n for n in names if n != "Ngày thụ lý"])
    assert "received_at" in words["vi"]


def test_built_in_layouts_mean_one_column_per_header() -> None:
    for layout in (known for known in built_in() if known.kind == "register"):
        assert {"dossier_code", "unit", "received_at", "status"} <= set(layout.columns.values())
        assert set(layout.columns.values()) <= set(columns())
    for kind in ("register", "summary"):  # returns are known by marks of their own
        told = {c for layout in built_in() if layout.kind == kind for c in layout.columns.values()}
        assert told == set(column_names(kind)), "a column that no layout reads is a promise that nobody keeps"


def test_a_summary_in_a_source_of_registers_is_named(tmp_path: Path) -> None:
    source = own(tmp_path, 'kind = "register"')
    words = refusal(source, ["Đơn vị", "Tiếp nhận", "Đã giải quyết", "Chưa số hóa TPHS", "Có số hóa TPHS"])
    assert 'kind = "register"' in words["vi"] and "Tổng hợp số hóa" in words["vi"] and "source.toml" in words["en"]


def test_a_declared_header_that_the_file_lacks_is_told_with_its_line(tmp_path: Path) -> None:
    toml = '[columns]\ndossier_code = "Số vào sổ"\nchannel = "Hình thưc nhận hồ sơ"\nrating = []\n'
    source = own(tmp_path, toml)
    words = refusal(source, ["Số vào sổ HS", "Đơn vị tiếp nhận", "Ngày tiếp nhận", "Trạng thái"])
    assert f'{tmp_path.name}/source.toml:2: dossier_code = "Số vào sổ" → “Số vào sổ HS”?' in words["vi"]
    names = ["Số vào sổ", "Đơn vị tiếp nhận", "Ngày tiếp nhận", "Trạng thái", "Hình thức nhận hồ sơ khác"]
    found = find_header(grid(names), source)
    assert found and not_found(found, source) == [
        ("channel", f"{tmp_path.name}/source.toml:3: Hình thưc nhận hồ sơ", "Hình thức nhận hồ sơ khác")
    ]


def test_such_a_header_is_a_finding_of_the_night(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.source('[columns]\nrated = "Phiếu hài lòng"\n')
    office.drop("so.csv", [dossier()])
    result = office.night()
    (outcome,) = [o for o in result.outcomes if o.check.code == "declared_headers"]
    assert outcome.sample == [
        {"file": "so/so.csv", "column": "rated", "expected": "so/source.toml:2: Phiếu hài lòng", "found": None}
    ]
    assert result.rejected_rows == 0
