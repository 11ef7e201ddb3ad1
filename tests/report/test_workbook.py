"""The workbook as written: every number is the release's, rates are live quotients, nothing runs, nothing is English."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from xlsxwriter.worksheet import Worksheet

from pipeline.declare.definitions import figures as declared_figures
from pipeline.declare.figures import indicators, measures, thresholds
from pipeline.declare.marks import mark_of
from pipeline.declare.reasons import reasons
from pipeline.declare.text import declared
from pipeline.measure import answers
from pipeline.measure.returns import return_figures, return_indicators
from pipeline.measure.scores import score_rows
from pipeline.report.book import Book, open_book
from pipeline.report.display import COVERAGE, NO_DATA, NOTHING, VERDICT
from pipeline.report.sheets import figures as sheets
from pipeline.report.sheets.about import KIND
from pipeline.report.sheets.formulas import PlainFormulas
from pipeline.report.sheets.heading import standing
from pipeline.report.sheets.styles import workbook
from pipeline.report.sheets.table import Column, table_sheet
from pipeline.report.workbook import write_workbook
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from pipeline.warehouse.sql import rows_of
from tests.report.conftest import NOTHING_AROSE
from tests.report.reading import formulas, recalculated, stored, table_rows

PERIOD = "2023-Q3"
CASES = [("sample", PERIOD), ("sample", "2019-Q3"), ("district", PERIOD), ("district", NOTHING_AROSE)]
NAMES = ["sample", "no data", "130 units", "nothing arose"]
SHEETS = [
    *("Tổng quan", "Biểu II.06a", "Biểu II.06a (lĩnh vực)", "Biểu II.07b", "Tiến độ 766", "Số hóa", "Số hồ sơ"),
    *("Số hồ sơ (lĩnh vực)", "Bảng chỉ tiêu", "Chỉ tiêu", "Đạt, chưa đạt", "Số liệu nhập tay", "Chỉ tiêu nhập tay"),
    *("Điểm QĐ 766", "Kiểm tra", "Dòng không tính", "Định nghĩa", "Bản công bố", "Tệp nguồn"),
]
Row = dict[str, Any]
Made = Callable[..., Path]
each = pytest.mark.parametrize(("home_name", "period"), CASES, ids=NAMES)


@contextmanager
def opened(home: Home, period: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Book]]:
    with open_published(home) as con:
        yield con, open_book(con, period)


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """made(home, period): the workbook, written once."""

    @cache
    def write(home: str = "sample", period: str = PERIOD) -> Path:
        with opened(request.getfixturevalue(home), period) as (con, book):
            return write_workbook(con, book, tmp_path_factory.mktemp("workbook"))[0]

    return write


@pytest.fixture
def opens(
    request: pytest.FixtureRequest, home_name: str, period: str
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Book]]:
    with opened(request.getfixturevalue(home_name), period) as told:
        yield told


def word(row: Row, value: Any) -> Any:
    """What a cell of a count says: the number, or that there is no data."""
    return NO_DATA.vi if row["coverage"] == "no_data" else value


# ---- every number


@each
def test_counts_by_unit(opens: Any, home_name: str, period: str, made: Made) -> None:
    con, book = opens
    told = table_rows(stored(made(home_name, period))["Số hồ sơ"])
    wanted = answers.stats(con, period)
    labels = {m: measures()[m].label.vi for m in measures()}
    assert [{m: r[labels[m]] for m in measures()} for r in told] == [
        {m: word(r, r[m]) for m in measures()} for r in wanted
    ]
    assert [(r["Mã"], r["Đơn vị"]) for r in told] == [
        (r["unit_code"], book.names[u]) for u, r in zip(book.units, wanted, strict=True)
    ]
    assert [r["Số liệu"] for r in told] == [COVERAGE[r["coverage"]].vi for r in wanted]
    assert [r["Ngày chốt"] if r["Ngày chốt"] != "–" else None for r in told] == [
        r["as_of"] and datetime.combine(r["as_of"], datetime.min.time()) for r in wanted
    ]


@each
def test_counts_by_field(opens: Any, home_name: str, period: str, made: Made) -> None:
    con, _ = opens
    told = table_rows(stored(made(home_name, period))["Số hồ sơ (lĩnh vực)"])
    wanted = answers.stats(con, period, by="field")
    assert [list(r.values())[1:] for r in told] == [[word(r, r[m]) for m in measures()] for r in wanted]
    assert [r["Lĩnh vực"] for r in told] == [r["field"] or "không rõ lĩnh vực" for r in wanted]


@each
def test_indicators_and_verdicts(opens: Any, home_name: str, period: str, made: Made) -> None:
    con, book = opens
    told = table_rows(stored(made(home_name, period))["Chỉ tiêu"])
    wanted = answers.indicators(con, period)
    assert len(told) == len(wanted) == len(book.units) * len(indicators())
    for row, want in zip(told, wanted, strict=True):
        compare_indicator(row, want)
    if home_name == "sample" and period == PERIOD:
        assert {r["Kết luận"] for r in told} == {"đạt", "chưa đạt", "không có chỉ tiêu", "không phát sinh"}


@each
def test_matrix_of_units_and_indicators(opens: Any, home_name: str, period: str, made: Made) -> None:
    _, book = opens
    sheet = stored(made(home_name, period))["Bảng chỉ tiêu"]
    codes = declared("workbook.toml")["overview"]["indicators"]
    signs = {"met": "✓", "not_met": "✗"}
    for line, unit_id in zip(sheet.iter_rows(min_row=6, min_col=2), book.units, strict=True):
        assert line[0].value == book.names[unit_id]
        for cell, code in zip(line[2:], codes, strict=True):
            want = book.rate(unit_id, code)
            if want["value"] is None:
                assert cell.value == VERDICT[want["verdict"]].vi
            else:
                assert cell.value == pytest.approx(float(want["value"]), rel=1e-14)
                told = cell.number_format.replace('"', "").split(" ")[0]
                assert (told if told in signs.values() else None) == signs.get(want["verdict"]), (unit_id, code)


def compare_indicator(row: Row, want: Row) -> None:
    plain = {"numerator": "Tử số", "denominator": "Mẫu số", "unknown": "Không rõ", "needed": "Còn thiếu (hồ sơ)"}
    for key, head in plain.items():
        assert row[head] == ("–" if want[key] is None else want[key]), (want["unit"], want["indicator"], key)
    assert row["Chỉ tiêu"] == want["label"] and row["Kết luận"] == VERDICT[want["verdict"]].vi
    assert row["Ngưỡng"] == ("–" if want["threshold"] is None else float(want["threshold"]))
    assert bool(row["Sát ngưỡng"]) == want["near"]
    if want["value"] is None:
        assert row["Giá trị"] == VERDICT[want["verdict"]].vi in (NOTHING.vi, NO_DATA.vi)
    else:
        assert isinstance(row["Giá trị"], int | float) and row["Giá trị"] == pytest.approx(
            float(want["value"]), rel=1e-14
        )


@each
def test_units_that_meet_a_threshold_or_not(opens: Any, home_name: str, period: str, made: Made) -> None:
    con, _ = opens
    told = table_rows(stored(made(home_name, period))["Đạt, chưa đạt"])
    judged = [r for r in answers.indicators(con, period) if r["level"] == "unit" and r["operator"]]
    by_place = {(r["label"], r["unit_code"]): r for r in judged}
    assert len(by_place) == len(judged)
    if not judged:
        assert [next(iter(r.values())) for r in told] == ["không có chỉ tiêu"]
        return
    assert {(r["Chỉ tiêu"], r["Mã"]) for r in told} == set(by_place) and len(told) == len(judged)
    for row in told:
        compare_indicator(row, by_place[row["Chỉ tiêu"], row["Mã"]])
    if home_name == "sample":
        assert [(r["Đơn vị"], r["Kết luận"], r["Còn thiếu (hồ sơ)"]) for r in told[:3]] == [
            ("UBND huyện Gio Linh", "chưa đạt", 311),
            ("Xã Trung Hải", "chưa đạt", 37),
            ("Xã Trung Giang", "đạt", 0),
        ]


@each
def test_overview_and_changes(opens: Any, home_name: str, period: str, made: Made) -> None:
    con, book = opens
    sheet = stored(made(home_name, period))["Tổng quan"]
    shown = declared("workbook.toml")["overview"]
    told = table_rows(sheet)
    assert len(told) == len(shown["counts"]) + len(shown["indicators"])
    keys = [book.period.key, book.earlier.key, book.a_year_earlier.key]
    counts = [next((r for r in answers.stats(con, k) if r["level"] == "total"), None) for k in keys]
    for row, name in zip(told, shown["counts"], strict=False):
        now, before, more, year, more_year = [*row.values()][1:]
        values = [r[name] if r and r["coverage"] != "no_data" else None for r in counts]
        assert [now, before, year] == [NO_DATA.vi if v is None else v for v in values], name
        changes = [values[0] - v if None not in (values[0], v) else "–" for v in values[1:]]
        assert [more, more_year] == changes, name
    rates = [{r["indicator"]: r for r in answers.indicators(con, k) if r["level"] == "total"} for k in keys]
    for row, code in zip(told[len(shown["counts"]) :], shown["indicators"], strict=True):
        now, before, more, year, more_year = [*row.values()][1:]
        scale = 100 if indicators()[code].kind in ("rate", "count_ratio") else 1
        values = [r[code]["value"] if code in r else None for r in rates]
        for cell, value in zip((now, before, year), values, strict=True):
            assert cell in (NO_DATA.vi, NOTHING.vi) if value is None else cell == pytest.approx(float(value)), code
        for cell, then in zip((more, more_year), values[1:], strict=True):
            if None in (values[0], then):
                assert cell == "–", code
            else:
                assert cell == pytest.approx(float((values[0] - then) * scale), abs=1e-9), code
    counted = {sheet.cell(r, 1).value: sheet.cell(r, 2).value for r in range(6 + len(told), sheet.max_row + 1)}
    assert counted["Tất cả"] == len(book.leaves)
    for coverage, text in COVERAGE.items():
        assert counted[text.vi] == sum(r["coverage"] == coverage for r in book.leaves.values())


def test_how_many_units_meet_each_threshold(made: Made) -> None:
    sheet = stored(made())["Tổng quan"]
    rows = {row[0]: row[1:5] for row in sheet.iter_rows(min_row=36, max_col=5, values_only=True) if row[0]}
    assert rows["Ngưỡng: số đơn vị"] == ("đạt", "chưa đạt", "không phát sinh", "không có số liệu")
    assert rows["Tỷ lệ số hóa thành phần hồ sơ > 70 %"] == (16, 2, 0, 0)
    assert rows["Tỷ lệ số hóa kết quả giải quyết > 70 %"] == (18, 0, 0, 0)


def test_a_planted_fault_is_found(made: Made, of_sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A cell that is off by one is told by the comparison; so is a verdict."""
    book = openpyxl.load_workbook(made(), data_only=True)
    heads = [c.value for c in book["Chỉ tiêu"][5]]
    wanted = answers.indicators(of_sample, PERIOD)
    for head, wrong in (("Tử số", 1), ("Kết luận", "đạt"), ("Giá trị", 0.5)):
        rows = table_rows(book["Chỉ tiêu"])
        assert head in heads
        rows[0][head] = rows[0][head] + wrong if isinstance(wrong, int) else wrong
        with pytest.raises(AssertionError):
            compare_indicator(rows[0], wanted[0])


# ---- hand-kept, checks, files, definitions, release


def test_hand_kept_figures(of_sample: duckdb.DuckDBPyConnection, made: Made) -> None:
    told = table_rows(stored(made())["Số liệu nhập tay"])
    wanted = [r for r in return_figures(of_sample, PERIOD) if r["told"]]
    assert len(told) == len(wanted) > 100
    for row, want in zip(told, wanted, strict=True):
        assert (row["Biểu thu thập"], row["Số liệu"], row["Mã"]) == (
            want["return_label"],
            want["label"],
            want["unit_code"],
        )
        assert (row["Đơn vị tính"] or "") == (want["of"] or "")
        if want["value"] is not None:
            assert Decimal(str(row["Giá trị"])) == want["value"], want["label"]
        else:
            assert isinstance(row["Giá trị"], str) and row["Giá trị"]
    rates = table_rows(stored(made())["Chỉ tiêu nhập tay"])
    follow = return_indicators(of_sample, PERIOD)
    assert [r["Kết luận"] for r in rates] == [VERDICT[r["verdict"]].vi for r in follow]
    for row, want in zip(rates, follow, strict=True):
        if want["value"] is not None:
            assert row["Giá trị"] == pytest.approx(float(want["value"]), rel=1e-14)
    posted = [(r["Dòng"], r["Tử số"], r["Mẫu số"]) for r in rates if "niêm yết" in r["Chỉ tiêu"]]
    assert posted == [("Thủ tục thuộc thẩm quyền cấp huyện", 272, 272), ("Thủ tục thuộc thẩm quyền cấp xã", 124, 124)]


def test_points_of_decision_766(of_sample: duckdb.DuckDBPyConnection, made: Made) -> None:
    told = {r["Nhóm, chỉ số"]: r for r in table_rows(stored(made())["Điểm QĐ 766"])}
    wanted = [r for r in score_rows(of_sample, PERIOD) if r["level"] == "total"]
    assert [*told] and len(told) == len(wanted)
    for want in wanted:
        row = told[want["label"]]
        assert row["Điểm tối đa"] == want["max_points"]
        if want["points"] is not None and want["max_points"]:
            assert row["Điểm"] == pytest.approx(float(want["points"]), rel=1e-14)
        else:
            assert row["Điểm"] in ("–", "không phát sinh", "không chấm điểm"), "no points where something is lacking"
            reached = float(want["reached"]) if want["reached_max"] and want["points"] is None else "–"
            assert row["Đã tính được"] == (reached if reached == "–" else pytest.approx(reached, rel=1e-14))
        for head, key in (("Tử số", "numerator"), ("Mẫu số", "denominator"), ("Không rõ", "unknown")):
            assert row[head] == ("–" if want.get(key) is None else want[key]), want["label"]
        assert (row["Còn thiếu"] or None) == want["lacking"]


def test_where_no_return_is_told_it_says_so(made: Made) -> None:
    assert stored(made("district"))["Số liệu nhập tay"]["A6"].value == "Chưa có biểu thu thập nào của kỳ này."


def test_rows_set_aside_add_up_to_those_of_the_files(of_sample: duckdb.DuckDBPyConnection, made: Made) -> None:
    file = stored(made())
    rejects, files = table_rows(file["Dòng không tính"]), table_rows(file["Tệp nguồn"])
    accounts = rows_of(
        of_sample,
        "SELECT source || '/' || name AS file, verdict, reason, rows FROM file_account JOIN file USING (file_id)",
    )
    named = {r["Tệp"] for r in files}
    assert named == {r["file"] for r in accounts}, "also what was known on the eve: what is carried over"
    told = sorted((r["Tệp"], r["Kết luận"], r["Lý do"], r["Số dòng"]) for r in rejects)
    assert told == sorted(
        (r["file"], VERDICT[r["verdict"]].vi, reasons()[r["reason"]].about(None).vi, r["rows"])
        for r in accounts
        if r["reason"]
    )
    for row in files:
        assert row["Được tính"] + row["Loại"] + row["Từ chối"] == row["Số dòng"], row["Tệp"]
    hashes = dict(of_sample.execute("SELECT source || '/' || name, sha256 FROM file").fetchall())
    assert {r["Tệp"]: r["Mã băm SHA-256"] for r in files} == hashes


@each
def test_what_checks_found(opens: Any, home_name: str, period: str, made: Made) -> None:
    con, _ = opens
    told = {
        r["Điều phải đúng"]: r["Số dòng không đạt (mọi kỳ)"]
        for r in table_rows(stored(made(home_name, period))["Kiểm tra"])
    }
    wanted = dict(con.execute("SELECT DISTINCT label_vi, failures FROM finding").fetchall())
    assert told == wanted or (not wanted and [*told] == ["Mọi phép kiểm tra đều đạt."])


def test_definitions_tell_source_and_mark(of_sample: duckdb.DuckDBPyConnection, made: Made) -> None:
    rows = table_rows(stored(made())["Định nghĩa"])
    told = {r["Mã"] for r in rows if r["Loại"] != "ngưỡng"}
    assert told == {*indicators(), *measures(), *(f"c{n}" for n in range(3, 14))}
    assert all(r["Định nghĩa"] and r["Căn cứ"] and r["Mức chắc chắn"] for r in rows)
    limits = [(r["Mã"], r["Định nghĩa"]) for r in rows if r["Loại"] == "ngưỡng"]
    assert limits == [(t.indicator, "> 70 %, từ 15/12/2022") for t in thresholds()]


def test_every_mark_that_is_shown_has_vietnamese_words() -> None:
    marks = {f.mark for f in declared_figures().values() if f.table in KIND} | {t.mark for t in thresholds()}
    assert all(mark_of(mark).vi != mark for mark in marks)


@each
def test_release_and_standing(opens: Any, home_name: str, period: str, made: Made) -> None:
    _, book = opens
    file = stored(made(home_name, period))
    told = {r["Mục"]: r["Nội dung"] for r in table_rows(file["Bản công bố"])}
    assert told["Bản công bố"] == book.info["release"] and told["Mã băm đầu vào"] == book.info["inputs"]
    assert told["Mã băm chương trình và khai báo"] == book.info["code_and_declarations"]
    assert told["Mức đủ số liệu"] == COVERAGE[book.whole["coverage"]].vi
    for sheet in file:
        words = {c.value for row in sheet.iter_rows(max_row=4, max_col=1) for c in row}
        assert standing(book, "vi") in words, sheet.title


def test_seal_and_rules_are_told(of_sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    book = open_book(of_sample, PERIOD)
    book = replace(book, units=book.units | {book.top: book.whole | {"seal": "0123456789ab"}}, rules="by-timestamp")
    file = openpyxl.load_workbook(write_workbook(of_sample, book, tmp_path)[0])
    told = {r["Mục"]: r["Nội dung"] for r in table_rows(file["Bản công bố"])}
    assert told["Dấu chốt"] == "0123456789ab" and "by-timestamp" in told["Cách tính"] and told["Về cách tính"]
    for sheet in file:
        words = " ".join(str(c.value) for row in sheet.iter_rows(max_row=4, max_col=1) for c in row)
        assert "dấu chốt 0123456789ab" in words and "(by-timestamp)" in words, sheet.title


# ---- as a file


def test_numbers_are_numbers_and_rates_are_live(made: Made) -> None:
    file, texts = stored(made()), {(s, c): t for s, c, t, _ in formulas(made())}
    heads = {c.value: c.column for c in file["Chỉ tiêu"][5]}
    for n, row in enumerate(table_rows(file["Chỉ tiêu"]), 6):
        value = file["Chỉ tiêu"].cell(n, heads["Giá trị"])
        if isinstance(row["Giá trị"], float) and "%" in value.number_format:
            assert texts["Chỉ tiêu", value.coordinate] == f"=E{n}/F{n}" and value.number_format == '0.00" "%'
    assert {c.number_format for c in file["Số hồ sơ"]["F"][5:]} == {"#,##0"}
    limit = next(c for c in file["Đạt, chưa đạt"]["B"][5:])
    assert (limit.value, limit.number_format) == (0.7, '"> "0" "%'), "shown as > 70 %"


def test_sheets_are_frozen_filtered_and_fit_the_page(made: Made) -> None:
    file = stored(made())
    assert file.sheetnames == SHEETS
    for sheet in file:
        assert sheet.freeze_panes and sheet.page_setup.orientation == "landscape" and sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.print_title_rows, sheet.title
        if sheet.title in SHEETS[6:] and sheet.title not in ("Bản công bố", "Điểm QĐ 766"):
            assert sheet.auto_filter.ref.startswith("A5:"), sheet.title
    widths = file["Chỉ tiêu"].column_dimensions
    names = [str(c.value) for c in file["Chỉ tiêu"]["B"][5:]]
    assert widths["B"].width >= max(map(len, names)), "a name is not cut"


def test_verdicts_are_coloured_by_conditions(made: Made) -> None:
    conditions = [
        (str(of.sqref), rule.formula)
        for of, rules in openpyxl.load_workbook(made())["Chỉ tiêu"].conditional_formatting._cf_rules.items()
        for rule in rules
    ]
    rows = 5 + 20 * len(indicators())
    assert conditions == [(f"J6:J{rows}", ['"đạt"']), (f"J6:J{rows}", ['"chưa đạt"']), (f"K6:K{rows}", ['"có"'])]


INJECTED = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    '=HYPERLINK("http://a")',
    "\t=1",
    "http://a",
    "12",
    "so_xa_2023.csv",
    "_x0041_",
]


def test_texts_stay_texts(of_sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with workbook(path, "a", "2023-09-14 00:00:00") as (file, styles):
        columns = [Column("a", sheets.YES), Column("b", sheets.YES)]
        rows: list[Row] = [{"a": text, "b": 1} for text in INJECTED]
        table_sheet(file, styles, "a", sheets.YES, open_book(of_sample, PERIOD), columns, rows, "vi")
    cells = [c for c in openpyxl.load_workbook(path)["a"]["A"][5:]]
    assert [(c.value, c.data_type, c.hyperlink) for c in cells] == [(text, "s", None) for text in INJECTED]


def test_the_same_release_gives_the_same_bytes(
    of_sample: duckdb.DuckDBPyConnection, made: Made, tmp_path: Path
) -> None:
    again = write_workbook(of_sample, open_book(of_sample, PERIOD), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["so_lieu.xlsx"] and again[0].read_bytes() == made().read_bytes()


def test_nothing_is_english_where_vietnamese_belongs(
    of_sample: duckdb.DuckDBPyConnection, made: Made, tmp_path: Path
) -> None:
    """What only the English workbook says, the Vietnamese one does not say, and the other way round; names, hashes and
    sources of definitions stand in both."""
    book = open_book(of_sample, PERIOD, lang="en")
    english = openpyxl.load_workbook(write_workbook(of_sample, book, tmp_path, "en")[0])
    assert len(english.sheetnames) == len(SHEETS) and not set(english.sheetnames) & set(SHEETS)
    for vi, en in zip(stored(made()), english, strict=True):
        assert (vi.max_row, vi.max_column) == (en.max_row, en.max_column), vi.title
        heads = [
            {c.value for c in sheet[5] if isinstance(c.value, str) and not c.value.startswith("(")}
            for sheet in (vi, en)
        ]
        assert not (heads[0] & heads[1]) - {"SHA-256", "TT"}, vi.title
    verdicts = {c.value for c in english["Indicators"]["J"][5:]}
    assert verdicts == {VERDICT[v].en for v in ("met", "not_met", "no_target", "nothing_arisen")}
    words = {str(c.value) for sheet in stored(made()) for row in sheet.iter_rows() for c in row}
    assert not words & {t.en for t in (*VERDICT.values(), *COVERAGE.values())}
    assert not words & {m.label.en for m in (*measures().values(), *indicators().values())}


@pytest.mark.slow
def test_libreoffice_reckons_the_same(made: Made, need_tool: Callable[[str | None, str], str], tmp_path: Path) -> None:
    """Every formula of the workbook and its forms, reckoned anew, gives what is stored; where what is stored is wrong, as
    in a workbook made for it, that is told."""
    soffice = need_tool(shutil.which("soffice"), "LibreOffice")
    path, planted = made(), tmp_path / "planted.xlsx"
    with workbook(planted, "a", "2023-09-14 00:00:00") as (file, _):
        file.add_worksheet("a").write_formula(0, 0, "=1+1", None, 3)
    anew, wrong = recalculated(soffice, tmp_path / "anew", path, planted)
    found = {(sheet, cell): value for sheet, cell, _, value in formulas(path)}
    assert len(found) > 600
    for key, value in found.items():
        assert anew.get(key) == (pytest.approx(value, abs=1e-9) if isinstance(value, float) else value), key
    names = [r["Tệp"] for r in table_rows(stored(path)["Tệp nguồn"])]
    assert any("_xa_" in name for name in names), "which LibreOffice would take for an escaped character"
    assert [anew["Tệp nguồn", f"A{n}"] for n in range(6, 6 + len(names))] == names
    assert stored(planted)["a"]["A1"].value == 3 and wrong["a", "A1"] == 2


@pytest.mark.parametrize(
    "formula",
    ["=A1/B1", '=IF(A1>=B1+C1,"khớp","lệch")', "=SUM(A1:B1)", "=SUM(FILTER(A1:A2,B1:B2))", "{=SUM(A1*B1)}", "A1"],
)
def test_a_formula_is_written_as_xlsxwriter_writes_it(formula: str, tmp_path: Path) -> None:
    written = []
    for name, sheets_of in (("ours.xlsx", PlainFormulas), ("theirs.xlsx", Worksheet)):
        with workbook(tmp_path / name, "Thử", "2023-09-30T23:30:00") as (book, _):
            book.add_worksheet("a", sheets_of).write_formula(0, 3, formula, None, 1)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
