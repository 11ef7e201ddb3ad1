"""What an office may get wrong in a return, and how it is answered: reason, the cell's address, expected, found.

Each case spoils one good workbook; the rows that do not count are named, all others count as before.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from pandera.errors import SchemaErrors
from rich.console import Console

from pipeline.declare.periods import parse_period
from pipeline.declare.reasons import reasons
from pipeline.declare.returns import returns
from pipeline.declare.sources import Source
from pipeline.declare.text import shape
from pipeline.errors import InputRefused
from pipeline.report.return_requests import requested
from pipeline.report.templates import write_template
from pipeline.report.trial import tell_trial, trial_facts
from pipeline.settings import Home
from pipeline.validate.returns import DTYPES, return_schema
from pipeline.warehouse.trial import try_file
from tests.returns.fill import Cells, fill, of_returns, sheets, told
from tests.returns.make_returns import per_unit
from tests.unit.office import conform, write_csv

GL = "Huyện Gio Linh"
NAMES = ("investment", "apologies", "communications", "communications_plan", "budget")
PERIOD = "2023"  # for which all of them are asked
Spoil = Callable[[Worksheet], object]


def good() -> Cells:
    plan = {
        ("communications_plan", "plan_issued", m): v for m, v in (("result", "Hoàn thành"), ("document", "37/KH-UBND"))
    }
    counts: Cells = {
        ("communications", "air_minutes", "count"): 500,
        ("communications", "air_minutes", "count~"): "khoảng",
        ("communications", "portal_items", "count"): 79,
    }
    units = {k: v for k, v in per_unit().items() if k[0] == "apologies"}
    money = of_returns(told(GL, "2023-Q3"), ["investment"]) | of_returns(told(GL, "2023-9M"), ["budget"])
    return money | units | plan | counts


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("biểu")
    asked = requested(Home(folder), NAMES, parse_period(PERIOD), GL)
    return fill(write_template(folder / "t.xlsx", asked), folder / "tốt.xlsx", good())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A private home for conforming; its key is made once."""
    folder = tmp_path_factory.mktemp("nhà")
    (folder / "data" / "warehouse").mkdir(parents=True)
    return Home(folder)


def judged(home: Home, path: Path, source: Source | None = None) -> tuple[Any, set[tuple[str, str, str]], list[tuple]]:
    """A file's facts, (return, line or unit, measure) → of what counts, and the rejected and noticed cells."""
    facts, _, aside = conform(home, path, source or Source("bieu", "bieu"))
    figures = pl.read_parquet(facts.folder / "returns.parquet")
    told_rows = figures.filter(pl.any_horizontal(pl.col("value", "word", "day").is_not_null()))
    key = pl.when(pl.col("line") != "").then(pl.col("line")).otherwise(pl.col("unit_key"))
    counts = set(told_rows.select("return_id", key.alias("key"), "measure").iter_rows())
    faults = aside.filter(pl.col("verdict") != "excluded").select("verdict", "reason", "column", "expected", "found")
    return facts, counts, list(faults.iter_rows())


def spoiled(workbook: Path, folder: Path, name: str, spoil: Spoil) -> Path:
    book = openpyxl.load_workbook(workbook)
    spoil(sheets(book)[name])
    path = folder / "hỏng.xlsx"
    book.save(path)
    return path


def put(**cells: Any) -> Spoil:
    def spoil(sheet: Worksheet) -> None:
        for cell, value in cells.items():
            sheet[cell] = value

    return spoil


SUM = {
    "total",
    "central",
    "provincial",
    "district",
    "central_disaster",
    "provincial_support",
    "new_rural",
    "poverty",
    "ethnic",
}
PARTS = len(SUM) - 1
# case: return, what is spoiled, keys that no longer count, (reason, column, what stands in expected, found) of the first
CASES: dict[str, tuple[str, Spoil, set[str], tuple[str, str, str | None, str | None]]] = {
    "letters in a number": (
        *("budget", put(D8="485.358 triệu"), {"revenue"}),
        ("return_not_read", "D8 budget.planned", "số không âm", "999.999 aaaaa"),
    ),
    "a name in a number": (
        *("communications", put(E16="Nguyễn Văn A"), {"portal_items"}),
        ("return_not_read", "E16 communications.count", "số nguyên", "Aaaaaa Aaa A"),
    ),
    "a telephone in a number": (
        *("communications", put(E16="0912345678"), {"portal_items"}),
        ("return_not_read", "E16 communications.count", "số nguyên", "9999999999"),
    ),
    "a negative number": (
        *("communications", put(E16=-3), {"portal_items"}),
        ("return_not_read", "E16 communications.count", "số nguyên", "-3"),
    ),
    "a count with decimals": (
        *("communications", put(E16=79.5), {"portal_items"}),
        ("return_not_read", "E16 communications.count", "số nguyên", "79.5"),
    ),
    "more decimals than declared": (
        *("budget", put(D8=485358.12345), {"revenue"}),
        ("return_not_read", "D8 budget.planned", "3 chữ số thập phân", "999999.99999"),
    ),
    "an error value": (
        *("budget", put(D8="#DIV/0!"), {"revenue"}),
        ("return_not_read", "D8 budget.planned", "số không âm", "#AAA/9!"),
    ),
    "a word that is not declared": (
        *("communications_plan", put(D8="Làm tốt"), {"plan_issued"}),
        ("return_not_read", "D8 communications_plan.result", "Hoàn thành; Chưa hoàn thành", "Aaa aaa"),
    ),
    "a result in free words": (
        *("communications_plan", put(E8="Đã tổ chức tại xã, bà Lan chủ trì"), {"plan_issued"}),
        (
            "return_not_read",
            "E8 communications_plan.document",
            "37/KH-UBND",
            shape("Đã tổ chức tại xã, bà Lan chủ trì"),
        ),
    ),
    "how exact, in other words": (
        *("communications", put(F11="hình như"), {"air_minutes"}),
        ("return_not_read", "F11 communications.count", "khoảng", "aaaa aaa"),
    ),
    "a day that is none": (
        *("investment", put(F9="31/02/2023"), SUM),
        ("return_not_read", "F9 investment.as_of", "31/08/2023", "99/99/9999"),
    ),
    "a day of another age": (
        *("investment", put(F9="01/01/1890"), SUM),
        ("out_of_range", "F9 investment.as_of", None, None),
    ),
    "a total that is not its parts": (
        *("investment", put(E8=79461.613), SUM),
        ("return_total", "E8 investment.disbursed", "= 79461,612", "79461,613"),
    ),
    "a part that is not in its total": (
        *("investment", put(D9=84221.372), SUM),
        ("return_total", "D8 investment.planned", "= 242322,799", "242322,798"),
    ),
    "parts larger than the whole": (
        *("budget", put(E10=370000), {"expenditure"}),
        ("return_relation", "E10 budget.realised", "≥ 370790", "370000"),
    ),
    "more done than there is": (
        *("apologies", put(E8=5), {"466"}),
        ("return_relation", "E8 apologies.apologised", "≤ 4 (Hồ sơ quá hạn)", "5"),
    ),
    "a row without its unit": (
        *("apologies", put(A9=None, C9=None), {"19495"}),
        ("return_unit_missing", "C9 apologies", "tên đơn vị", None),
    ),
    "a unit's name gone": (
        *("apologies", put(C9=None), {"19495"}),
        ("return_unit_missing", "C9 apologies", "Thị trấn Gio Linh", None),
    ),
    "another unit's name": (
        *("apologies", put(C9="Xã Gio An"), {"19495"}),
        ("return_unit_unknown", "C9 apologies", "Thị trấn Gio Linh", "Aa Aaa Aa"),
    ),
    "a unit of elsewhere": (
        *("apologies", put(A9="19363", C9="Thị trấn Hồ Xá"), {"19495"}),
        ("return_row_unknown", "A9 apologies", "chỉ các đơn vị của mẫu", "99999"),
    ),
    "a line that is not declared": (
        *("budget", put(A9="other"), {"revenue_local"}),
        ("return_row_unknown", "A9 budget", "chỉ các dòng của mẫu", "aaaaa"),
    ),
    "the row of sums written over": (
        *("apologies", put(D26=10), set()),
        ("return_total", "D26 apologies.late", "9", "10"),
    ),
    "the unit above the table gone": (
        *(
            "budget",
            put(B3=None),
            {"revenue", "revenue_local", "expenditure", "expenditure_investment", "expenditure_recurrent"},
        ),
        ("return_unit_missing", "B3 budget", GL, None),
    ),
    "last period's workbook with a new heading": (
        *("communications_plan", put(B2="Kỳ báo cáo: Năm 2024"), {"plan_issued"}),
        ("return_period", "B2 communications_plan", "Năm 2023", "Năm 2024"),
    ),
    "a heading with other days": (
        *("communications_plan", put(B2="Kỳ báo cáo: Năm 2023 (01/01/2023 – 31/12/2023)"), {"plan_issued"}),
        ("return_period", "B2 communications_plan", "Năm 2023", "Năm 2023"),
    ),
    "the day of making in words": (
        *("communications_plan", put(C4="hôm qua"), {"plan_issued"}),
        ("return_not_read", "C4 communications_plan", "15/09/2023", "aaa aaa"),
    ),
}


def test_the_good_one_counts_whole(home: Home, workbook: Path) -> None:
    facts, counts, faults = judged(home, workbook)
    assert faults == [] and not facts.rejected
    assert {(name, key, m) for name, key, m in good() if not m.endswith("~")} == counts


@pytest.mark.parametrize("case", CASES)
def test_a_spoiled_cell_is_answered_with_its_address(home: Home, workbook: Path, tmp_path: Path, case: str) -> None:
    name, spoil, lost, (reason, column, expected, found) = CASES[case]
    facts, counts, faults = judged(home, spoiled(workbook, tmp_path, name, spoil))
    before = {(n, key, m) for n, key, m in good() if not m.endswith("~")}
    assert before - counts == {place for place in before if place[0] == name and place[1] in lost}
    assert counts <= before
    told_faults = [f for f in faults if f[0] == "rejected" and f[1] != "return_part"]
    first = next(f for f in told_faults if f[1] == reason)
    assert first[2] == column and first[4] == found
    assert expected is None or expected in str(first[3])
    assert facts.rows_in == facts.returned + sum(facts.excluded.values()) + sum(facts.rejected.values())
    assert reasons()[reason].todo and column.split()[0] in reasons()[reason].about(column).vi


@pytest.mark.parametrize(
    ("name", "row", "missing", "label"),
    [
        ("budget", 12, "expenditure_recurrent", "Trong đó: chi thường xuyên"),
        ("budget", 8, "revenue", "Thu ngân sách nhà nước"),
        ("apologies", 9, "19495", "Thị trấn Gio Linh"),
    ],
)
def test_a_deleted_row_is_told_and_the_others_count(
    home: Home, workbook: Path, tmp_path: Path, name: str, row: int, missing: str, label: str
) -> None:
    _, counts, faults = judged(home, spoiled(workbook, tmp_path, name, lambda sheet: sheet.delete_rows(row)))
    before = {(n, key, m) for n, key, m in good() if not m.endswith("~")}
    assert before - counts == {place for place in before if place[:2] == (name, missing)}
    assert [f[:3] for f in faults] == [("notice", "return_row_missing", f"A7 {name}")] and label in faults[0][3]


def test_a_sum_without_one_of_its_rows_stands_back_whole(home: Home, workbook: Path, tmp_path: Path) -> None:
    _, counts, faults = judged(home, spoiled(workbook, tmp_path, "investment", lambda sheet: sheet.delete_rows(16)))
    assert {f[1] for f in faults if f[0] == "rejected"} == {"return_part"}
    assert {key for name, key, _ in counts if name == "investment"} == {"forecast"}


def test_an_added_row_is_refused_and_the_others_count(home: Home, workbook: Path, tmp_path: Path) -> None:
    path = spoiled(workbook, tmp_path, "budget", put(C13="Thu khác", D13=5))
    _, counts, faults = judged(home, path)
    assert [f[:3] for f in faults] == [("rejected", "return_row_unknown", "A13 budget")]
    assert {place for place in counts if place[0] == "budget"} == {p for p in good() if p[0] == "budget"}


def test_a_row_twice(home: Home, workbook: Path, tmp_path: Path) -> None:
    again = put(A13="revenue", C13="Thu ngân sách nhà nước", D13=461006, E13=485358, F13="Ước thực hiện")
    facts, counts, faults = judged(home, spoiled(workbook, tmp_path, "budget", again))
    assert faults == [] and facts.excluded["duplicate_row"] == 1 and ("budget", "revenue", "planned") in counts
    other = put(A13="revenue", C13="Thu ngân sách nhà nước", D13=461007, E13=485358, F13="Ước thực hiện")
    _, counts, faults = judged(home, spoiled(workbook, tmp_path, "budget", other))
    assert [f[1] for f in faults] == ["conflicting_figures"] * 2
    assert ("budget", "revenue", "planned") not in counts, "two rows that differ: neither is known"


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ({"A5": "motcua/return/budget/2023-Q5/466-all"}, "Dấu của biểu"),
        ({"A5": "motcua/return/unknown/2023/466-all"}, "Dấu của biểu"),
        ({"A5": "motcua/return/budget/2023-M09/466-all"}, "Dấu của biểu"),
        ({"D7": None}, "mã cột"),
        ({"A7": None}, "mã cột"),
    ],
)
def test_marks_that_were_tampered_with_refuse_the_file(
    home: Home, workbook: Path, tmp_path: Path, cells: dict[str, Any], what: str
) -> None:
    with pytest.raises(InputRefused) as refusal:
        judged(home, spoiled(workbook, tmp_path, "budget", put(**cells)))
    assert what in refusal.value.what.vi and "Ngân sách, A5" in str(refusal.value.where)


def test_a_day_of_making_that_lies_ahead_refuses_the_file(home: Home, workbook: Path, tmp_path: Path) -> None:
    """Else one slip of the keyboard would go before every later return."""
    judged(home, spoiled(workbook, tmp_path, "budget", put(C4=date(2023, 9, 15))))  # the day on which it comes in
    with pytest.raises(InputRefused) as refusal:
        judged(home, spoiled(workbook, tmp_path, "budget", put(C4=date(2032, 9, 15))))
    assert "Ngân sách, C4" in str(refusal.value.where) and "15/09/2032" in refusal.value.render("vi")


def test_nothing_that_somebody_wrote_is_kept(home: Home, workbook: Path, tmp_path: Path) -> None:
    def write(sheet: Worksheet) -> None:
        put(D8="Nguyễn Văn A", E9="0912345678", F10="bà Lan", C13="Người lập: Trần Thị B", D15="ghi chú riêng")(sheet)

    facts, _, _ = judged(home, spoiled(workbook, tmp_path, "budget", write))
    for path in facts.folder.iterdir():
        content = path.read_bytes() if path.suffix == ".json" else pl.read_parquet(path).write_ndjson().encode()
        for word in ("Nguyễn", "0912345678", "Lan", "Trần", "ghi chú"):
            assert word.encode() not in content, (path.name, word)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("vietnamese", [True, False])
def test_a_sheet_saved_as_csv_is_read_by_its_own_way_of_writing(
    home: Home, workbook: Path, tmp_path: Path, delimiter: str, vietnamese: bool
) -> None:
    """As Excel saves what it shows: numbers and days by the machine's language."""

    def shown(value: Any) -> str:
        if isinstance(value, datetime):
            return f"{value:%d/%m/%Y}" if vietnamese else f"{value:%m/%d/%Y}"
        if isinstance(value, int | float):
            return f"{value:,}".translate(str.maketrans(",.", ".,")) if vietnamese else f"{value:,}"
        return "" if value is None else str(value)

    sheet = sheets(openpyxl.load_workbook(workbook))["investment"]
    cells = [[shown(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    path = write_csv(tmp_path / "bieu.csv", cells, delimiter)
    facts, counts, faults = judged(home, path)
    assert faults == [] and {place[:2] for place in counts} == {("investment", key) for key in SUM | {"forecast"}}
    figures = pl.read_parquet(facts.folder / "returns.parquet")
    one = figures.filter(pl.col("line") == "central").select("value", "day", "cell").rows()
    assert one == [
        (Decimal("84221.371000"), None, "D9"),
        (Decimal("7973.351000"), None, "E9"),
        (None, date(2023, 8, 31), "F9"),
    ]


def test_a_dry_run_tells_what_a_return_would_give(workbook: Path, tmp_path: Path) -> None:
    tried = try_file(workbook, Source("bieu", "bieu"))
    told_facts = trial_facts(tried, "vi")
    assert [r["return"] for r in told_facts["returns"]] == list(NAMES) and told_facts["rejected"] == {}
    money = told_facts["returns"][0]
    assert (money["period"], money["area"], money["cells"][0]["cell"]) == ("2023", "466-all", "D8")
    console = Console(file=io.StringIO(), width=400)
    tell_trial(tried, "vi", console)
    shown = console.file.getvalue()  # ty: ignore[missing-attribute]
    assert "biểu investment (Giải ngân vốn" in shown and "D8: Tổng số, Kế hoạch vốn = 242.322,798" in shown
    assert "plan_issued" not in shown and "Kết quả = Hoàn thành" in shown
    hopeless = try_file(spoiled(workbook, tmp_path, "budget", put(A5="motcua/return/x/2023/")), Source("bieu", "bieu"))
    assert hopeless.refused and hopeless.facts is None


@pytest.mark.parametrize(
    ("name", "values", "check"),
    [
        ("slips", {"slips": Decimal(-1)}, "out_of_range"),
        ("communications_plan", {"result": "perhaps"}, "return_not_read"),
        ("communications_plan", {"document": "of Mrs Lan"}, "return_not_read"),
        ("yearly_targets", {"complete": "có"}, "return_not_read"),
        ("investment", {"as_of": date(1890, 1, 1)}, "out_of_range"),
        ("slips", {"slips": Decimal(3), "resolved": Decimal(2)}, "identity:not_more"),
        ("petitions", {"received": Decimal(3), "on_conduct": Decimal(1), "on_rules": Decimal(1)}, "identity:kinds"),
    ],
)
def test_each_check_of_the_schema_can_fail(name: str, values: dict[str, Any], check: str) -> None:
    declared = returns()[name]
    good_row = pl.DataFrame([{"row": 8}], schema={"row": pl.Int64}).with_columns(
        pl.lit(None, DTYPES[m.kind]).alias(m.name) for m in declared.measures.values()
    )
    return_schema(declared).validate(good_row, lazy=True)
    planted = good_row.with_columns(
        pl.lit(value, DTYPES[declared.measures[m].kind]).alias(m) for m, value in values.items()
    )
    with pytest.raises(SchemaErrors) as fault:
        return_schema(declared).validate(planted, lazy=True)
    assert set(fault.value.failure_cases["check"]) == {check}
