"""The workbook that is handed out: who and what stands in it, what its cells take, what is refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipeline.declare.periods import parse_period
from pipeline.declare.returns import returns
from pipeline.errors import WrongUse
from pipeline.report.return_requests import requested
from pipeline.report.templates import write_template
from pipeline.settings import Home
from tests.conftest import Said
from tests.returns.fill import places, sheets
from tests.unit.office import Office

GL = "Huyện Gio Linh"
NAMES = ("investment", "apologies", "communications", "communications_plan", "documents_reviewed", "directives")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mẫu")
    return write_template(folder / "t.xlsx", requested(Home(folder), NAMES, parse_period("2023"), GL))


@pytest.fixture(scope="module")
def book(template: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(template)


def test_the_same_request_gives_the_same_bytes(template: Path, tmp_path: Path) -> None:
    again = write_template(tmp_path / "t.xlsx", requested(Home(tmp_path), NAMES, parse_period("2023"), GL))
    assert again.read_bytes() == template.read_bytes()
    other = write_template(tmp_path / "u.xlsx", requested(Home(tmp_path), NAMES, parse_period("2024"), GL))
    assert other.read_bytes() != template.read_bytes()


def test_what_stands_above_a_table(book: openpyxl.Workbook) -> None:
    sheet = sheets(book)["investment"]
    assert [sheet[cell].value for cell in ("B1", "B2", "B3", "B4", "A5")] == [
        "Giải ngân vốn đầu tư xây dựng cơ bản theo nguồn vốn",
        "Kỳ báo cáo: Năm 2023 (15/12/2022 – 14/12/2023)",
        "Đơn vị báo cáo: Huyện Gio Linh",
        "Ngày lập:",
        "motcua/return/investment/2023/466-all",
    ]
    assert sheet.row_dimensions[5].hidden and sheet.row_dimensions[7].hidden and sheet.column_dimensions["A"].hidden
    assert [c.value for c in sheet[6]][1:] == [
        "TT",
        "Nội dung",
        "Kế hoạch vốn\n(triệu đồng)",
        "Đã giải ngân\n(triệu đồng)",
        "Tính đến ngày",
    ]
    assert sheet.freeze_panes == "D8" and sheet.page_setup.paperSize == 9 and sheet.page_setup.fitToHeight == 0


def test_units_and_lines_are_there_already(book: openpyxl.Workbook) -> None:
    rows = [(r[0].value, r[2].value) for r in sheets(book)["apologies"].iter_rows(min_row=8)]
    assert len(rows) == 19 and rows[0] == ("466", "UBND huyện Gio Linh") and rows[-1] == ("total", "Tổng cộng")
    assert ("19522", "Xã Gio An") in rows
    assert [r[0].value for r in sheets(book)["documents_reviewed"].iter_rows(min_row=8)] == ["466-all"]
    lines = {key for key, code in places(sheets(book)["communications"]) if code == "count"} - {"#line"}
    assert lines == set(returns()["communications"].lines)


def test_only_the_cells_to_fill_are_open(book: openpyxl.Workbook) -> None:
    for name, sheet in sheets(book).items():
        assert sheet.protection.sheet and not sheet.protection.password, "locked, and anybody may unlock"
        where = places(sheet)
        codes = {code for _, code in where} - {"line", "unit", "name"}
        for (key, code), cell in where.items():
            opened = code in codes and not key.startswith("#") and (key != "total" or name == "investment")
            assert sheet[cell].protection.locked != opened, (name, cell)
    assert not sheets(book)["investment"]["C4"].protection.locked, "the day of making"


def validations(book: openpyxl.Workbook, name: str) -> dict[str, Any]:
    return {str(v.sqref): v for v in sheets(book)[name].data_validations.dataValidation}


def test_cells_take_only_what_is_declared(book: openpyxl.Workbook) -> None:
    units = validations(book, "apologies")
    assert (units["D8:D25"].type, units["D8:D25"].operator, units["D8:D25"].formula1) == ("whole", None, "0")
    assert "Số nguyên, không âm" in units["D8:D25"].error and "để trống" in units["D8:D25"].prompt
    money = validations(book, "investment")
    assert money["D8:D17"].type == "custom" and "ROUND(D8,3)" in money["D8:D17"].formula1
    assert money["F8:F17"].type == "date" and money["C4"].type == "date"
    plan = validations(book, "communications_plan")
    assert plan["D8:D16"].formula1 == '"Hoàn thành,Chưa hoàn thành"' and plan["E8:E16"].type == "textLength"
    assert validations(book, "communications")["F8:F27"].formula1 == '"đúng,khoảng,hơn,gần"'
    for name in NAMES:
        for v in validations(book, name).values():
            assert v.error and v.prompt and len(v.promptTitle) <= 32 and v.errorTitle == "Ô này chưa đúng"


def test_totals_add_themselves_up(book: openpyxl.Workbook) -> None:
    assert sheets(book)["investment"]["E8"].value == (
        '=IF(COUNT(E9,E10,E11,E12,E13,E14,E15,E16)=8,E9+E10+E11+E12+E13+E14+E15+E16,"")'
    )
    assert sheets(book)["apologies"]["D26"].value == '=IF(COUNT(D8:D25)=0,"",SUM(D8:D25))'


def test_what_contradicts_turns_red(book: openpyxl.Workbook) -> None:
    rules = {
        str(area.sqref): rule.formula[0]
        for area, found in sheets(book)["apologies"].conditional_formatting._cf_rules.items()
        for rule in found
    }
    assert rules == {"E8:E25": "AND(COUNT($E8,$D8)=2,ROUND($E8,0)>ROUND($D8,0))"}
    assert (
        len(sheets(book)["investment"].conditional_formatting) == 3
    )  # the total of both columns, and disbursed ≤ planned


def test_instructions_come_along(book: openpyxl.Workbook) -> None:
    sheet = book["Hướng dẫn"]
    text = "\n".join(str(row[0].value) for row in sheet.iter_rows())
    assert book.sheetnames[-1] == "Hướng dẫn" and sheet["B1"].value == "motcua/help"
    assert "nền vàng" in text and "Số 0".lower() in text.lower() and "“Tổng số” bằng “Ngân sách trung ương”" in text


# ---- who is asked, and what is refused


@pytest.mark.parametrize(
    ("name", "unit", "areas", "rows"),
    [
        ("communications", "Huyện Gio Linh", ["466-all"], 0),
        ("communications", "466-xa", 17, 0),  # a sheet for each commune
        ("communications", "Xã Gio An", ["19522"], 0),
        ("budget", "UBND huyện Gio Linh", ["466-all"], 0),  # the district's, whoever of it is named
        ("apologies", "466-all", ["466-all"], 18),
        ("apologies", "19522", ["19522"], 1),
        ("documents_reviewed", "Huyện Vĩnh Linh", ["464-all"], 1),
        ("documents_reviewed", "45", ["45"], 10),  # a province: its districts
    ],
)
def test_who_is_asked(tmp_path: Path, name: str, unit: str, areas: list[str] | int, rows: int) -> None:
    found = requested(Home(tmp_path), (name,), parse_period("2023"), unit)
    assert len(found) == areas if isinstance(areas, int) else [s.area for s in found] == areas
    assert len(found[0].rows) == rows


@pytest.mark.parametrize(
    ("names", "period", "unit", "told"),
    [
        (("comunications",), "2023-Q4", GL, "communications"),
        (("communications_plan",), "2023-Q4", GL, "kỳ: 6 tháng, năm"),
        (("budget",), "2023-M09", GL, "kỳ: quý, 6 tháng, 9 tháng, năm"),
        (("documents_reviewed",), "2023-Q4", "Xã Gio An", "đơn vị lập biểu này: huyện"),
        (("communications",), "2023-Q4", "Gio Linhh", "Gio Linh"),
        (("communications",), "2023-Q4", "466", ""),
        (("communications",), "2025-Q4", GL, "Xã Gio Linh"),  # districts are no more
        (("communications",), "2023-Q4", None, "Huyện Gio Linh"),  # nothing is published
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    tmp_path: Path, names: tuple[str, ...], period: str, unit: str | None, told: str
) -> None:
    if (names, unit) == (("communications",), "466"):
        assert requested(Home(tmp_path), names, parse_period(period), unit)[0].area == "466-all"
        return
    with pytest.raises(WrongUse) as refusal:
        requested(Home(tmp_path), names, parse_period(period), unit)
    assert refusal.value.expected and told in refusal.value.expected.vi


def test_without_a_unit_those_are_asked_whose_data_is_published(sample: Home) -> None:
    (units,) = requested(sample, ("slips",), parse_period("2023-Q4"))
    assert (units.area, len(units.rows)) == ("466-all", 18)
    (district,) = requested(sample, ("communications",), parse_period("2023-Q4"))
    assert (district.area, district.whose) == ("466-all", GL)


def test_a_source_with_units_of_its_own(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.source('kind = "return"\nunits = "from_file"\n', "rieng")
    (lines, units) = requested(
        office.home, ("communications", "slips"), parse_period("2024-H1"), "Thị trấn  Như Quỳnh", "rieng"
    )
    assert (lines.area, lines.whose, units.rows) == ("", "Thị trấn Như Quỳnh", (("", "Thị trấn Như Quỳnh"),))
    with pytest.raises(WrongUse):
        requested(office.home, ("slips",), parse_period("2024-H1"), "0912345678", "rieng")


def test_sheets_of_many_units_have_names_of_their_own(tmp_path: Path) -> None:
    sheets_asked = requested(Home(tmp_path), ("communications_plan",), parse_period("2023"), "466-xa")
    names = openpyxl.load_workbook(write_template(tmp_path / "t.xlsx", sheets_asked)).sheetnames
    assert len(names) == len({name.lower() for name in names}) == 18 and all(len(name) <= 31 for name in names)
    assert "Xã Gio An" in names[8] or any("Xã Gio An" in name for name in names)


# ---- the command


def test_the_command_lists_the_returns(tmp_path: Path, motcua: Callable[..., Said]) -> None:
    said = motcua(Home(tmp_path), "template", "--format", "json")
    rows = json.loads(said.out)
    assert [r["return"] for r in rows] == list(returns()) and all(r["name"] and r["periods"] for r in rows)


def test_the_command_writes_and_refuses(tmp_path: Path, motcua: Callable[..., Said]) -> None:
    home, out = Home(tmp_path), tmp_path / "m" / "t.xlsx"
    said = motcua(home, "template", "slips", "budget", "--period", "2023-9M", "--unit", GL, "--out", str(out))
    assert (
        said.code == 0
        and "2 trang" in said.out
        and openpyxl.load_workbook(out).sheetnames[:2] == ["Phiếu đánh giá", "Ngân sách"]
    )
    filled = out.read_bytes()
    again = ("template", "slips", "--period", "2023-9M", "--unit", GL, "--out", str(out))
    refused = motcua(home, *again)
    assert refused.code == 2 and "có thể đã điền" in refused.err and out.read_bytes() == filled
    assert motcua(home, *again, "--force").code == 0 and out.read_bytes() != filled
    assert motcua(home, "template", "slips").code == 2
    refused = motcua(home, "template", "communications_plan", "--period", "2023-Q3", "--unit", GL)
    assert refused.code == 2 and "không lập theo kỳ Quý III/2023" in refused.err
