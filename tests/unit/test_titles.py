"""Title rows: the span a file covers, its extent, when it was exported."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conform.titles import Title, read_title
from pipeline.declare.sources import Source
from pipeline.errors import InputRefused
from pipeline.measure import answers
from tests.unit.office import Office, conform, dossier, opened, table, write_csv, write_xlsx

pytestmark = pytest.mark.usefixtures("figures_alone")

JUNE, JULY = date(2023, 6, 15), date(2023, 7, 14)
NIGHT = datetime(2023, 7, 14, 23, 30)

# title rows → what they say
CASES = [
    (["Từ ngày 15/06/2023 đến ngày 14/07/2023"], Title(None, JUNE, JULY)),
    (["TỪ NGÀY 15/6/2023 ĐẾN HẾT NGÀY 14/7/2023"], Title(None, JUNE, JULY)),
    (["(Từ 15-06-2023 đến 14-07-2023)"], Title(None, JUNE, JULY)),
    (["Kỳ báo cáo (15/06/2023 – 14/07/2023)"], Title(None, JUNE, JULY)),
    (["Từ\u00a0ngày 15.06.2023  đến ngày\n14.07.2023"], Title(None, JUNE, JULY)),
    (["DANH SÁCH HỒ SƠ ĐANG GIẢI QUYẾT", "Tính đến hết ngày 14/06/2023"], Title("open_at", date(2023, 6, 14), date(2023, 6, 14))),
    (["Hồ sơ tồn đến ngày 14/6/2023"], Title("open_at", date(2023, 6, 14), date(2023, 6, 14))),
    (["DANH SÁCH HỒ SƠ TIẾP NHẬN", "Từ ngày 15/06/2023 đến ngày 14/07/2023"], Title("received_in", JUNE, JULY)),
    (["Hồ sơ mới tiếp nhận từ ngày 15/06/2023 đến ngày 14/07/2023"], Title("received_in", JUNE, JULY)),
    (["Danh sách hồ sơ có thay đổi (15/06/2023 – 14/07/2023)"], Title("delta", JUNE, JULY)),
    (["Danh sách hồ sơ tiếp nhận"], Title()),
    (["UBND HUYỆN GIO LINH", "UBND XÃ GIO AN", "SỔ THEO DÕI"], Title(unit="UBND XÃ GIO AN")),
    (["Đơn vị báo cáo: Xã Gio Mỹ / Đơn vị nhận báo cáo: UBND huyện"], Title(unit="Xã Gio Mỹ")),
    (["UBND HUYỆN GIO LINH", "SỔ THEO DÕI HỒ SƠ CỦA BỘ PHẬN MỘT CỬA XÃ GIO AN"], Title(unit="xa gio an")),
    (["UBND XÃ GIO AN", "Kính gửi: UBND huyện Gio Linh"], Title(unit="UBND XÃ GIO AN")),
    (["HUYỆN GIO LINH", "Sổ theo dõi"], Title(unit="HUYỆN GIO LINH")),
    (["Xã Gio An và xã Gio Mỹ"], Title()),
    (["466", "Gio Linh", "Tân Hợp"], Title()),
    (["Đơn vị tính: Số hồ sơ TTHC", "Người lập: Nguyễn Văn Mẫu"], Title()),
    (["Ngày xuất dữ liệu: 14/07/2023 23:30:00"], Title(exported_at=NIGHT)),
    (["Thời gian xuất báo cáo: 23:30 14/07/2023"], Title(exported_at=NIGHT)),
    (["Thời điểm kết xuất: 23:30 ngày 14/07/2023"], Title(exported_at=NIGHT)),
    (["Ngày in: 14/07/2023 23:30"], Title(exported_at=NIGHT)),
    (["Ngày lập báo cáo: 14/07/2023"], Title(exported_at=datetime(2023, 7, 14, 23, 59, 59))),
    (["Xuất dữ liệu lúc 14/07/2023, lúc 23:30"], Title(exported_at=NIGHT)),
    (["Từ ngày 15/06/2023 đến ngày 14/07/2023", "Ngày xuất dữ liệu: 14/07/2023 23:30:00"], Title(None, JUNE, JULY, NIGHT)),
    (["SỔ THEO DÕI HỒ SƠ", "Đơn vị: UBND xã Gio An"], Title(unit="UBND xã Gio An")),
    ([], Title()),
    # what cannot be a day or a span says nothing
    (["Từ ngày 31/02/2023 đến ngày 14/07/2023"], Title()),
    (["Từ ngày 14/07/2023 đến ngày 15/06/2023"], Title()),
    (["Ngày xuất dữ liệu: 14/13/2023"], Title()),
    (["Ngày xuất dữ liệu: 14/07/2023 25:61"], Title()),
]  # fmt: skip


@pytest.mark.parametrize(("titles", "says"), CASES)
def test_what_the_titles_say(titles: list[str], says: Title) -> None:
    assert read_title([[t] for t in titles]) == says
    assert read_title([[unicodedata.normalize("NFD", t)] for t in titles]) == says
    assert read_title([[""], [f"  {t} " for t in titles], ["", ""]]) == says, "in one row, in several cells"


@pytest.mark.parametrize(("words", "key"), [
    ("Quý III/2023", "2023-Q3"), ("Kỳ báo cáo: Quý 3 năm 2023", "2023-Q3"), ("QUÝ IV, NĂM 2022", "2022-Q4"),
    ("Tháng 7 năm 2023", "2023-M07"), ("tháng 12/2023", "2023-M12"), ("6 tháng đầu năm 2023", "2023-H1"),
    ("06 tháng cuối năm 2023", "2023-H2"), ("9 tháng năm 2023", "2023-9M"), ("Năm 2023", "2023"),
    ("Gio Linh, ngày 15 tháng 9 năm 2023", None), ("Báo cáo 6 tháng năm 2023", "2023-H1"),
    ("BÁO CÁO NĂM 2023\nGio Linh, ngày … tháng 01 năm 2024", "2023"), ("Năm 2023\nngày 05, tháng 01 năm 2024", "2023"),
    ("THÁNG 8 NĂM 2023, SO VỚI QUÝ II NĂM 2023", "2023-M08"), ("KẾ HOẠCH NĂM 2023\nQUÝ III", None),
    ("Quyết định 766/QĐ-TTg năm 2022", None), ("Quý I năm 2023\nQuý II năm 2023", None), ("Tháng 13 năm 2023", None), ("Quý V/2023", None),
])  # fmt: skip
def test_a_period_by_its_name(words: str, key: str | None) -> None:
    period = read_title([[words]]).period
    assert (period and period.key) == key


@given(st.lists(st.lists(st.text(max_size=30), max_size=3), max_size=3))
def test_any_other_text_says_nothing(rows: list[list[str]]) -> None:
    found = read_title(rows)
    assert (found.first_day is None) == (found.last_day is None)


def facts(root: Path, titles: list[str], toml: str = "", name: str = "so.csv"):
    office = Office(root)
    office.source(toml)
    return conform(office.home, office.drop(name, [dossier(), opened(received_at="20/06/2023")], titles))[0]


def told(found) -> tuple:
    return found.extent, str(found.first_day), str(found.last_day), str(found.exported_at)


def test_what_a_file_covers(tmp_path: Path) -> None:
    """Its titles go before source.toml, and that before the rows and the day of intake (15/9/2023)."""
    span, export = "Từ ngày 15/06/2023 đến ngày 14/09/2023", "Ngày xuất dữ liệu: 20/07/2023 08:00:00"
    cases = {
        # the newest thing in it happened on 6/7, ten weeks before it was taken in
        "nothing said": ([], "", ("full", "2023-06-20", "2023-07-06", "2023-09-15 08:00:00")),
        "a month by its name": (["SỔ THEO DÕI THÁNG 7 NĂM 2023"], "", ("full", "2023-06-15", "2023-07-14", "2023-09-15 08:00:00")),
        "the export": ([export], "", ("full", "2023-06-20", "2023-07-20", "2023-07-20 08:00:00")),
        "a span that runs on": ([span, export], "", ("full", "2023-06-15", "2023-07-20", "2023-07-20 08:00:00")),
        "a span": ([span], "", ("full", "2023-06-15", "2023-09-14", "2023-09-15 08:00:00")),
        "a stock": (["Đang giải quyết đến hết ngày 14/06/2023"], "", ("open_at", "2023-06-14", "2023-06-14", "2023-09-15 08:00:00")),
        "declared receipts": ([export], 'extent = "received_in"', ("received_in", "2023-06-20", "2023-07-20", "2023-07-20 08:00:00")),
        "a declared stock": ([export], 'extent = "open_at"', ("open_at", "2023-07-20", "2023-07-20", "2023-07-20 08:00:00")),
        "changes": ([export], 'extent = "delta"', ("delta", "None", "None", "2023-07-20 08:00:00")),
        "changes of a span": ([span, export], 'extent = "delta"', ("delta", "2023-06-15", "2023-07-20", "2023-07-20 08:00:00")),
        "declared days": ([export], "from = 2023-06-01\nto = 2023-07-10", ("full", "2023-06-01", "2023-07-10", "2023-07-20 08:00:00")),
    }  # fmt: skip
    for n, (name, (titles, toml, says)) in enumerate(cases.items()):
        assert told(facts(tmp_path / str(n), titles, toml)) == says, name


def test_the_export_from_the_files_name(tmp_path: Path) -> None:
    by_day, by_minute = 'exported_at = "so_%Y-%m-%d.csv"', 'exported_at = "so_%d%m%Y_%H%M.csv"'
    assert str(facts(tmp_path / "1", [], by_day, "so_2023-07-20.csv").exported_at) == "2023-07-20 23:59:59"
    assert str(facts(tmp_path / "2", [], by_minute, "so_20072023_0815.csv").exported_at) == "2023-07-20 08:15:00"
    title = ["Ngày xuất dữ liệu: 21/07/2023 08:00:00"]
    assert str(facts(tmp_path / "3", title, by_day, "khác.csv").exported_at) == "2023-07-21 08:00:00"
    with pytest.raises(InputRefused) as caught:
        facts(tmp_path / "4", [], by_day, "so_thang_7.csv")
    assert "so/so_thang_7.csv" in caught.value.render("vi") and "so_%Y-%m-%d.csv" in caught.value.render("en")


def test_a_name_in_decomposed_letters(tmp_path: Path) -> None:
    """A Mac writes file names decomposed; the declaration is composed."""
    name = unicodedata.normalize("NFD", "sổ_2023-07-20.csv")
    assert facts(tmp_path, [], 'exported_at = "sổ_%Y-%m-%d.csv"', name).exported_at.day == 20


def test_a_file_exported_before_its_own_span_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as caught:
        facts(tmp_path, ["Từ ngày 15/06/2023 đến ngày 14/07/2023", "Ngày xuất dữ liệu: 14/06/2023 08:00:00"])
    assert "15/06/2023" in caught.value.render("vi") and "14/06/2023 08:00:00" in caught.value.render("en")


def sheets(root: Path, **titles: str):
    office = Office(root)
    cells = {name: table([dossier()], [title]) for name, title in titles.items()}
    return conform(office.home, write_xlsx(office.home.raw / "so" / "so.xlsx", **cells), Source("so", "so"))[0]


def test_a_sheet_for_each_month(tmp_path: Path) -> None:
    months = {
        "T7": "Từ ngày 15/06/2023 đến ngày 14/07/2023",
        "T9": "Từ ngày 15/08/2023 đến ngày 14/09/2023",
        "T8": "Từ ngày 15/07/2023 đến ngày 14/08/2023",
    }
    assert told(sheets(tmp_path / "1", **months))[:3] == ("full", "2023-06-15", "2023-09-14")
    del months["T8"]
    apart = sheets(tmp_path / "2", **months).spans
    assert [str(day) for _, *days in apart for day in days] == [
        "2023-06-15", "2023-07-14", "2023-08-15", "2023-09-14"
    ], "a gap is never covered"  # fmt: skip


def test_titles_below_a_byte_order_mark_and_with_padding(tmp_path: Path) -> None:
    """Excel pads every row of a CSV to the width of the table."""
    cells = table([dossier()], ["Từ ngày 15/06/2023 đến ngày 14/07/2023"])
    padded = [[*row, *[""] * (len(cells[1]) - len(row))] for row in cells]
    path = write_csv(tmp_path / "data/raw/so/so.csv", padded, ";")
    assert told(conform(Office(tmp_path).home, path)[0])[:3] == ("full", "2023-06-15", "2023-07-14")


def test_an_empty_register_of_a_named_unit_says_that_nothing_arose(tmp_path: Path) -> None:
    """Whose it is stands in its title; a commune whose register never came has no data, not zero."""
    office = Office(tmp_path)
    header = ["Mã hồ sơ", "Ngày tiếp nhận", "Trạng thái"]
    span = ["Từ ngày 15/06/2023 đến ngày 14/09/2023"]
    write_csv(office.home.raw / "so" / "an.csv", [["UBND xã Gio An"], span, header])
    write_csv(
        office.home.raw / "so" / "my.csv",
        [["UBND xã Gio Mỹ"], span, header, ["H50.1-230703-0001", "03/07/2023", "Đang xử lý"]],
    )
    assert not office.night().refused
    with office.open() as con:
        stats = {r["unit_code"]: r for r in answers.stats(con, "2023-Q3") if r["level"] == "unit"}
    assert {code: (r["coverage"], r["total"]) for code, r in stats.items()} == {
        "19522": ("full", 0),
        "19510": ("full", 1),
    }


@pytest.mark.parametrize("turned", [False, True])
def test_a_stock_and_receipts_in_one_workbook(tmp_path: Path, turned: bool) -> None:
    """Each sheet covers what its title says, in whichever order they stand."""
    office = Office(tmp_path)
    sheets = {
        "Tồn": table([opened(received_at="05/06/2023", due_at="20/12/2023")], ["Hồ sơ tồn đến hết ngày 14/06/2023"]),
        "Nhận": table([dossier()], ["Danh sách hồ sơ tiếp nhận", "Từ ngày 15/06/2023 đến ngày 14/09/2023"]),
    }
    write_xlsx(office.home.raw / "so" / "so.xlsx", **dict(reversed(sheets.items()) if turned else sheets.items()))
    office.night()
    with office.open() as con:
        (row,) = [r for r in answers.stats(con, "2023-Q3") if r["level"] == "unit"]
    assert (row["coverage"], row["carried_over"], row["online"]) == ("full", 1, 1)


def test_a_calendar_month_by_its_name(tmp_path: Path) -> None:
    """Which way of dividing the year an office has in mind, its receipts tell."""
    office = Office(tmp_path)
    rows = [
        dossier(received_at="01/07/2023", finished_at="02/07/2023"),
        dossier(received_at="31/07/2023", finished_at="31/07/2023"),
    ]
    found = conform(office.home, office.drop("so.csv", rows, ["Tháng 7 năm 2023"]))[0]
    assert (str(found.first_day), str(found.last_day)) == ("2023-07-01", "2023-07-31")
