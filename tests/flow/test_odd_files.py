"""What a second pair of eyes found in files as offices send them: each once went wrong without a word."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.declare.units import resolve
from pipeline.measure import answers
from tests.mutations.mutate import as_html
from tests.unit.office import TAKEN_AT, Office, conform, dossier, opened, table, write_csv, write_xlsx

pytestmark = pytest.mark.usefixtures("figures_alone")


def test_every_table_of_a_page_is_read(tmp_path: Path) -> None:
    office = Office(tmp_path)
    path = office.home.raw / "so" / "so.xls"
    path.parent.mkdir(parents=True)
    path.write_bytes(
        as_html(table([dossier(), dossier(), dossier()])) + as_html(table([dossier(), dossier()], ["Trang 2"]))
    )
    facts, rows, _ = conform(office.home, path)
    assert facts.rows_in == facts.accepted == 5 and rows["row"].n_unique() == 5


def test_the_total_of_each_table_of_a_page_is_its_own(tmp_path: Path) -> None:
    office = Office(tmp_path)
    path = office.home.raw / "so" / "so.xls"
    path.parent.mkdir(parents=True)
    first = [*table([dossier(), dossier(), dossier()]), ["Tổng cộng: 3 hồ sơ"]]
    second = [*table([dossier(), dossier()], ["Trang 2"]), ["Tổng cộng: 2 hồ sơ"]]
    path.write_bytes(as_html(first) + as_html(second))
    facts, _, aside = conform(office.home, path)
    assert facts.excluded == {"total_row": 2} and "total_differs" not in aside["reason"]


def test_members_of_a_zip_with_nearly_one_name(tmp_path: Path) -> None:
    office = Office(tmp_path)
    path = office.home.raw / "so" / "so.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("so 1.csv", "so  1.csv"):
            archive.write(write_csv(tmp_path / "x.csv", table([dossier(), dossier()])), name)
    facts, rows, _ = conform(office.home, path)
    assert facts.rows_in == facts.accepted == 4 and sorted(rows["sheet"].unique()) == ["so 1.csv", "so 1.csv (2)"]


HEAD = ["STT", "Mã hồ sơ", "Ngày tiếp nhận", "Ngày hẹn trả", "Hình thức nộp", "Trạng thái", "Nơi ở"]


def line(n: int, *more: str) -> list[str]:
    return [str(n), f"H50.1-230703-{n:04}", "03/07/2023", "10/07/2023", "Trực tuyến", "Đang xử lý", *more]


@pytest.mark.parametrize("title", [["UBND HUYỆN GIO LINH"], ["Sổ theo dõi"]])
def test_section_rows_of_a_register_say_whose_the_dossiers_are(tmp_path: Path, title: list[str]) -> None:
    """No column of units; the title names a superior, or nobody."""
    office = Office(tmp_path)
    rows = [
        title, ["Từ ngày 15/06/2023 đến ngày 14/09/2023"], HEAD,
        ["I", "UBND xã Gio An", "2"], line(1, "Xã Gio Mỹ"), line(2),
        ["II", "UBND xã Gio Mỹ"], line(3, "xã Gio An"),
    ]  # fmt: skip
    write_xlsx(office.home.raw / "so" / "so.xlsx", So=rows)
    assert not office.night().refused
    with office.open() as con:
        stats = {r["unit"]: r["total"] for r in answers.stats(con, "2023-Q3") if r["level"] == "unit"}
    assert stats == {"Xã Gio An": 2, "Xã Gio Mỹ": 1}


def test_a_signature_block_is_no_dossier(tmp_path: Path) -> None:
    office = Office(tmp_path)
    rows = table([dossier(), dossier()])
    width = len(rows[3])
    signed = [
        ["Gio Linh, ngày 15 tháng 9 năm 2023"],
        ["NGƯỜI LẬP", "", "CHỦ TỊCH"],
        ["Người Mẫu", "", "", "Người Mẫu Hai"],
    ]
    path = write_csv(
        office.home.raw / "so" / "so.csv", [*rows, ["Tổng cộng: 2 hồ sơ"], *signed, ["A-17"] + [""] * (width - 1)]
    )
    facts, _, aside = conform(office.home, path)
    assert facts.accepted == 2 and facts.rejected == {"missing": 1}, "a code alone is a dossier that lacks the rest"
    assert facts.excluded == {"total_row": 1, "section_row": 1, "note_row": 2}
    assert "total_differs" in aside["reason"], "three are told as two: the row with the code alone"


def test_a_telephone_below_a_register_is_no_count(tmp_path: Path) -> None:
    office = Office(tmp_path)
    rows = [*table([dossier()]), ["Tổng hợp: người mẫu - 0912345678"]]
    _, _, aside = conform(office.home, write_csv(office.home.raw / "so" / "so.csv", rows))
    assert not any("912345678" in str(cell) for row in aside.iter_rows() for cell in row)


FORMAL = [
    "Bộ phận Một cửa UBND xã Gio An", "Bộ phận Tiếp nhận và Trả kết quả UBND xã Gio An", "Bộ phận TN&TKQ UBND xã Gio An",
    "UBND xã Gio An (Bộ phận Một cửa)", "Văn phòng UBND xã Gio An", "Văn phòng HĐND và UBND xã Gio An",
    "Trung tâm PVHCC xã Gio An", "Trung tâm Phục vụ hành chính công xã Gio An", "Ủy ban nhân dân xã Gio An",
]  # fmt: skip


@pytest.mark.parametrize("name", FORMAL)
def test_formal_names_of_an_office(name: str) -> None:
    found = resolve(name, TAKEN_AT.date())
    assert found and found.unit_id == "19522"


def test_a_register_without_a_due_date_says_so(tmp_path: Path) -> None:
    """Every dossier of it counts as on time: that must not go unsaid."""
    office = Office(tmp_path)
    names: dict[str, Any] = {c: h for c, h in zip(("dossier_code", "unit", "received_at", "status", "channel"),
                                                  ("Mã hồ sơ", "Đơn vị", "Ngày nhận", "Trạng thái", "Hình thức nộp"), strict=True)}  # fmt: skip
    office.drop("so.csv", [dossier()], headers=names | {"due_at": "Ngày sẽ xong"})
    (outcome,) = [o for o in office.night().outcomes if o.check.code == "columns_absent"]
    assert [(r["column"], r["headers_not_read"]) for r in outcome.sample] == [("due_at", "Ngày sẽ xong")]


def test_the_same_empty_register_of_another_unit_is_not_taken_for_the_first(tmp_path: Path) -> None:
    office = Office(tmp_path)
    for key, unit in (("an", "Xã Gio An"), ("my", "Xã Gio Mỹ")):
        folder = office.source(f'unit = "{unit}"', key)
        write_csv(folder / "so.csv", [["Từ ngày 15/06/2023 đến ngày 14/09/2023"], HEAD])
    (refused,) = office.night().refused
    assert refused.where == "my/so.csv" and "an/so.csv" in refused.render("vi")


def test_monthly_lists_of_receipts_make_no_dossier_vanish(tmp_path: Path) -> None:
    """Nobody said that they list everything, and what they list shows that they do not."""
    office = Office(tmp_path)
    july = [
        opened(received_at="20/06/2023", due_at="20/12/2023"),
        opened(received_at="01/07/2023", due_at="20/12/2023"),
    ]
    august = [opened(received_at="20/07/2023", due_at="20/12/2023")]
    office.drop("7.csv", july, ("Từ ngày 15/06/2023 đến ngày 14/07/2023", "Ngày xuất: 14/07/2023"))
    office.drop("8.csv", august, ("Từ ngày 15/07/2023 đến ngày 14/08/2023", "Ngày xuất: 14/08/2023"))
    office.night()
    with office.open() as con:
        assert con.execute("SELECT count(*) FROM vanished").fetchall() == [(0,)]
    office.source('extent = "full"')
    office.night()
    with office.open() as con:
        assert con.execute("SELECT count(*) FROM vanished").fetchall() == [(2,)], "said to be everything, they speak"
