"""Official forms as written: every cell is the release's, sums are live, the head is the printed one."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.declare.forms import form, forms, forms_on, sections_on
from pipeline.declare.marks import mark_of
from pipeline.declare.rules import OURS, rule_sets
from pipeline.measure import answers
from pipeline.measure.forms import Line, lines_of
from pipeline.report import forms as written
from pipeline.report.book import Book, open_book
from pipeline.report.forms import write_forms
from pipeline.report.sheets.form import form_sheet
from pipeline.report.sheets.form_head import header_cells, leading
from pipeline.report.sheets.heading import standing
from pipeline.report.sheets.styles import workbook
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.report.conftest import NOTHING_AROSE
from tests.report.reading import form_rows, formulas, stored, summed
from tests.unit.office import Office

PERIOD = "2023-Q3"
COLUMNS = [f"c{n}" for n in range(3, 14)]
KINDS = {"Huyện, thị xã, thành phố": "counter", "Xã, phường, thị trấn": "commune"}
OF_FIELDS = {"TTHC cấp huyện": "counter", "TTHC cấp xã": "commune"}


Made = Callable[..., dict[str, Path]]
HOMES = ("sample", "district")


@contextmanager
def opened(
    home: Home, period: str = PERIOD, unit: str | None = None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Book]]:
    with open_published(home) as con:
        yield con, open_book(con, period, unit)


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """made(home, period, unit): the forms written, form → file; each set once."""

    @cache
    def write(home: str = "sample", period: str = PERIOD, unit: str | None = None) -> dict[str, Path]:
        with opened(request.getfixturevalue(home), period, unit) as (con, book):
            paths = write_forms(con, book, tmp_path_factory.mktemp("forms"))
        return {path.stem.removeprefix("bieu_"): path for path in paths}

    return write


@pytest.fixture
def con(request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published database of the home that a test is parametrized with."""
    with open_published(request.getfixturevalue(request.getfixturevalue("home_name"))) as con:
        yield con


# ---- the head


II06A = [
    # rows of the header, columns, words, as domain knowledge has them printed
    ("A6:A8", "TT"),
    ("B6:B8", "Đơn vị"),
    ("C6:F6", "Số hồ sơ nhận giải quyết"),
    ("C7:C8", "Tổng số"),
    ("D7:E7", "Trong kỳ"),
    ("D8", "Trực tuyến"),
    ("E8", "Trực tiếp, dịch vụ bưu chính"),
    ("F7:F8", "Từ kỳ trước"),
    ("G6:J6", "Số lượng hồ sơ đã giải quyết"),
    ("G7:G8", "Tổng số"),
    ("H7:H8", "Trước hạn"),
    ("I7:I8", "Đúng hạn*"),
    ("J7:J8", "Quá hạn"),
    ("K6:M6", "Số lượng hồ sơ đang giải quyết"),
    ("K7:K8", "Tổng số"),
    ("L7:L8", "Trong hạn**"),
    ("M7:M8", "Quá hạn"),
]


def test_the_head_of_ii06a_is_the_printed_one(made: Made) -> None:
    file = stored(made()["ii06a"])
    assert file.sheetnames == ["Theo đơn vị", "Theo lĩnh vực"]
    sheet = file["Theo đơn vị"]
    told = {str(r): sheet[str(r).split(":")[0]].value for r in sheet.merged_cells.ranges if 6 <= r.min_row <= 8}
    told |= {cell: sheet[cell].value for cell in ("D8", "E8")}
    assert told == dict(II06A)
    assert [c.value for c in sheet[9][:13]] == [f"({n})" for n in range(1, 14)]
    assert file["Theo lĩnh vực"]["B6"].value == "Lĩnh vực, công việc giải quyết theo cấp"
    heading = {sheet.cell(row, column).value for row in range(1, 6) for column in range(1, 14)}
    assert {
        "Biểu số II.06a/VPCP/KSTT",
        "Ban hành theo Thông tư số 01/2020/TT-VPCP ngày 21/10/2020",
        "TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT TTHC TẠI CƠ QUAN, ĐƠN VỊ TRỰC TIẾP GIẢI QUYẾT TTHC",
        "Kỳ báo cáo: Quý III/2023 (Từ ngày 15/06/2023 đến ngày 14/09/2023)",
        "Đơn vị báo cáo: Huyện Gio Linh",
        "Đơn vị nhận báo cáo: Tỉnh Quảng Trị",
        "Đơn vị tính: Số hồ sơ TTHC",
    } <= heading
    rows = form_rows(sheet)
    assert [(r.kind, r.name) for r in rows if r.kind != "row"] == [
        ("section", "Huyện, thị xã, thành phố"),
        ("section", "Xã, phường, thị trấn"),
        ("total", "Tổng số"),
    ]
    below = [sheet.cell(r, 1).value for r in range(rows[-1].row + 1, sheet.max_row + 1)]
    assert "* Bao gồm cả hồ sơ chờ Bổ sung và Trả lại/Xin rút" in below
    assert "** Bao gồm cả hồ sơ chờ bổ sung và hồ sơ khác" in below


def test_each_header_covers_its_columns_once() -> None:
    for one in forms():
        depth = max(head.depth for head in one.head)
        cells = header_cells(one, "unit", "vi")
        places = [
            (r, c) for top, low, first, last, _ in cells for r in range(top, low + 1) for c in range(first, last + 1)
        ]
        assert sorted(places) == list(itertools.product(range(depth), range(len(one.printed)))), one.id
        assert one.printed == [f"c{n}" for n in range(1, len(one.printed) + 1)], "numbered from left to right"
        assert set(one.printed) == {*one.columns, one.ordinal, one.named} | ({one.code} - {""})


def test_progress_of_766_prints_its_formulas(made: Made) -> None:
    sheet = stored(made()["tien_do_766"]).worksheets[0]
    numbers = [c.value for c in sheet[8][:16]]
    assert numbers == [
        *("(1)", "(2)", "(3)", "(4)", "(5) = (6) + (7) + (8) + (9)", "(6)", "(7)", "(8)", "(9)"),
        *("(10) = (11) + (12)", "(11)", "(12)", "(13) = (14) + (15)", "(14)", "(15)", "(16) = (10) + (13)"),
    ]


# last day of a period → names of the forms written
IN_FORCE = [
    (date(2019, 9, 14), ["mau07a"]),
    (date(2020, 10, 20), ["mau07a"]),
    (date(2020, 10, 21), ["ii06a", "ii07b"]),
    (date(2022, 9, 14), ["ii06a", "ii07b", "tien_do_766"]),
    (date(2023, 9, 14), ["ii06a", "ii07b", "tien_do_766", "so_hoa"]),
]


@pytest.mark.parametrize(("last_day", "names"), IN_FORCE, ids=lambda v: str(v) if isinstance(v, date) else "")
def test_the_version_in_force_on_the_last_day_is_written(last_day: date, names: list[str]) -> None:
    assert [f.name for f in forms_on(last_day)] == names


def test_no_day_has_two_versions_of_a_form() -> None:
    for a, b in itertools.combinations(forms(), 2):
        apart = (a.valid_to or date.max) < b.valid_from or (b.valid_to or date.max) < a.valid_from
        assert a.family != b.family or apart, (a.name, b.name)


def test_sections_change_with_the_reform() -> None:
    words = {
        day: [s.text.vi for s in sections_on(day) if "commune" in s.kinds]
        for day in (date(2025, 6, 30), date(2025, 7, 1))
    }
    assert [*words.values()] == [["Xã, phường, thị trấn"], ["Xã, phường, đặc khu"]]
    for day in words:
        kinds = [k for s in sections_on(day) for k in s.kinds]
        assert sorted(kinds) == sorted({"counter", "district", "commune", "province", "communes", "group", "all"})


def test_marks_and_orders_are_told(made: Made) -> None:
    assert all(mark_of(f.mark).vi != f.mark for f in forms()), "in Vietnamese words"
    for name, path in made().items():
        one = form(name)
        for sheet in stored(path):
            words = [c.value for row in sheet.iter_rows(max_col=1) for c in row]
            assert sum(f"[{mark_of(one.mark).vi}]" in str(w) for w in words) == 1, "the source says how sure it is"
            assert (one.order is None) or one.order.vi in words
    assert {f.name for f in forms() if f.order} == {"mau07a", "tien_do_766", "so_hoa"}


# ---- every cell


def compared(sheet: Worksheet, wanted: dict[tuple[str, str, str], tuple]) -> None:
    """Each row of the form has the figures wanted, and no row is there that is not wanted, nor the other way round.
    wanted: (kind, section, name) → figures of columns (3) on."""
    told = {(r.kind, r.section if r.kind != "total" else "", r.name): tuple(r.cells.values()) for r in form_rows(sheet)}
    assert told == wanted


def of_units(con: duckdb.DuckDBPyConnection, period: str) -> dict[tuple[str, str, str], tuple]:
    """Form II.06a from the published tables, by SQL of its own."""
    sums = ", ".join(f"coalesce(sum({c}), 0)::BIGINT" for c in COLUMNS)
    book = open_book(con, period)
    rows = con.execute(
        f"""SELECT u.unit_id, u.kind, {sums} FROM unit u
            LEFT JOIN form_ii06a f ON f.unit_id = u.unit_id AND f.period = $1 AND f."by" = 'unit'
            WHERE list_contains($2, u.unit_id) GROUP BY ALL""",
        [period, [*book.leaves]],
    ).fetchall()
    of_kind = con.execute(
        f"""SELECT u.kind, {sums} FROM form_ii06a JOIN unit u USING (unit_id)
            WHERE period = $1 AND "by" = 'unit' GROUP BY ALL""",
        [period],
    ).fetchall()
    total = con.execute(
        f"""SELECT {sums} FROM form_ii06a JOIN node_of USING (unit_id) WHERE period = $1 AND node = $2 AND "by" = 'unit'""",
        [period, book.top],
    ).fetchall()
    section = {kind: words for words, kind in KINDS.items()}
    wanted = {("row", section[kind], book.names[u]): tuple(figures) for u, kind, *figures in rows}
    wanted |= {("section", words, words): (0,) * len(COLUMNS) for words in KINDS}
    wanted |= {("section", section[kind], section[kind]): tuple(figures) for kind, *figures in of_kind}
    return wanted | {("total", "", "Tổng số"): total[0]}


@pytest.mark.parametrize(
    ("home_name", "period"),
    [("sample", PERIOD), ("district", PERIOD), ("district", NOTHING_AROSE)],
    ids=["sample", "130 units", "nothing arose"],
)
def test_every_cell_of_ii06a_by_unit(con: duckdb.DuckDBPyConnection, home_name: str, period: str, made: Made) -> None:
    wanted = of_units(con, period)
    compared(stored(made(home_name, period)["ii06a"])["Theo đơn vị"], wanted)
    assert (wanted["total", "", "Tổng số"] == (0,) * 11) == (period == NOTHING_AROSE)


@pytest.mark.parametrize("home_name", HOMES)
def test_every_cell_of_ii06a_by_field(con: duckdb.DuckDBPyConnection, home_name: str, made: Made) -> None:
    sums = ", ".join(f"sum({c})::BIGINT" for c in COLUMNS)
    rows = con.execute(
        f"""SELECT u.kind, coalesce(field, 'Không rõ lĩnh vực'), {sums} FROM form_ii06a JOIN unit u USING (unit_id)
            WHERE period = ? AND "by" = 'field' GROUP BY ALL""",
        [PERIOD],
    ).fetchall()
    section = {kind: words for words, kind in OF_FIELDS.items()}
    wanted = {("row", section[kind], field): tuple(figures) for kind, field, *figures in rows}
    by_unit = of_units(con, PERIOD)
    for (kind, words, _), figures in by_unit.items():
        if kind == "section":
            wanted["section", section[KINDS[words]], section[KINDS[words]]] = figures
    wanted["total", "", "Tổng số"] = by_unit["total", "", "Tổng số"]
    compared(stored(made(home_name)["ii06a"])["Theo lĩnh vực"], wanted)


# form → column → what it counts, in words of its own, among the dossiers of a unit in the period
DONE = "outcome LIKE 'resolved%'"
CLOSED = f"({DONE} OR outcome IN ('withdrawn', 'returned', 'stopped'))"
NEW = "origin <> 'carried_over'"
BY_HAND = {
    "tien_do_766": {
        "(5)": "TRUE",
        "(6)": "origin = 'online'",
        "(7)": f"NOT ({NEW})",
        "(8)": "origin IN ('in_person', 'channel_unknown')",
        "(9)": "origin = 'postal'",
        "(10)": CLOSED,
        "(11)": f"{CLOSED} AND outcome <> 'resolved_late'",
        "(12)": "outcome = 'resolved_late'",
        "(13)": f"NOT {CLOSED}",
        "(14)": f"NOT {CLOSED} AND outcome <> 'open_overdue'",
        "(15)": "outcome = 'open_overdue'",
        "(16)": "TRUE",
    },
    "so_hoa": {
        "(3)": NEW,
        "(4)": f"{NEW} AND component_digitized = FALSE",
        "(5)": f"{NEW} AND component_digitized = TRUE",
        "(8)": DONE,
        "(9)": f"{DONE} AND result_digitized = FALSE",
        "(10)": f"{DONE} AND result_digitized = TRUE",
    },
    "mau07a": {
        "(3)": "TRUE",
        "(4)": f"NOT ({NEW})",
        "(5)": NEW,
        "(6)": DONE,
        "(7)": f"{DONE} AND outcome <> 'resolved_late'",
        "(8)": "outcome = 'resolved_late'",
        "(9)": "outcome IN ('open_in_term', 'open_overdue', 'unclassified')",
        "(10)": "outcome IN ('open_in_term', 'unclassified')",
        "(11)": "outcome = 'open_overdue'",
        "(12)": "outcome = 'open_paused'",
        "(13)": "outcome IN ('withdrawn', 'returned', 'stopped')",
    },
}


@pytest.mark.parametrize("home_name", HOMES)
@pytest.mark.parametrize("name", BY_HAND)
def test_every_cell_of_the_other_forms(con: duckdb.DuckDBPyConnection, home_name: str, name: str) -> None:
    book = open_book(con, PERIOD)
    counts = ", ".join(f"count(*) FILTER (WHERE {w})" for w in BY_HAND[name].values())
    told = con.execute(f"SELECT unit_id, {counts} FROM dossier_period WHERE period = ? GROUP BY unit_id", [PERIOD])
    wanted = {u: figures for u, *figures in told.fetchall()}
    lines = lines_of(con, form(name), book.period, book.leaves, "unit", book.top)
    for line in (one for one in lines if one.unit_id):
        figures = [line.figures[f"c{n[1:-1]}"] for n in BY_HAND[name]]
        assert figures == wanted.get(line.unit_id or "", [0] * len(figures)), line.unit_id
    total = [sum(column) for column in zip(*wanted.values(), strict=True)]
    assert [lines[-1].figures[f"c{n[1:-1]}"] for n in BY_HAND[name]] == total


def test_share_resolved_is_the_indicator(of_sample: duckdb.DuckDBPyConnection, made: Made) -> None:
    book = open_book(of_sample, PERIOD)
    rows = form_rows(stored(made()["tien_do_766"]).worksheets[0])
    rates = {book.names[u]: book.rate(u, "resolution_rate")["value"] for u in book.leaves}
    assert {r.name: r.cells["(4)"] for r in rows if r.kind == "row"} == {k: float(v) for k, v in rates.items()}
    assert rows[-1].cells["(4)"] == pytest.approx(7614 / 8134, abs=1e-12)


# ---- live formulas


@pytest.mark.parametrize("home_name", HOMES)
def test_sums_and_identities_are_live_and_agree(con: duckdb.DuckDBPyConnection, home_name: str, made: Made) -> None:
    """Every section and total is a SUM, every leading identity a formula of its row; each gives what is stored. Beside
    the page the other identities are compared, row by row."""
    book = open_book(con, PERIOD)
    for name, path in made(home_name).items():
        one = form(name)
        live = {(sheet, cell): text for sheet, cell, text, _ in formulas(path)}
        checks = [value for _, _, text, value in formulas(path) if text.startswith("=IF(")]
        led = {i.left for i in leading(one)}
        known = 0
        for by, sheet in zip(one.by, stored(path), strict=True):
            others = [i for i in one.rules if i not in leading(one)]
            lines = lines_of(con, one, book.period, book.leaves, by, book.top)
            known += sum(None not in [line.figures[c] for c in (i.left, *i.right)] for line in lines for i in others)
            for row in form_rows(sheet):
                for place, (number, value) in enumerate(row.cells.items(), len(one.printed) - len(row.cells) + 1):
                    column, cell = f"c{number[1:-1]}", sheet.cell(row.row, place).coordinate
                    is_sum = row.kind != "row" and not (one.columns[column].rate or one.by_hand)
                    if isinstance(value, int) and (is_sum or column in led):
                        assert summed(sheet, live[sheet.title, cell]) == value, (name, cell)
        assert len(checks) == known and set(checks) <= {"khớp"}, name


def _odd(sections: bool) -> list[Line]:
    """A unit of which a summary tells 10 received and parts of 9; or a section that is not the sum of its units."""
    section = sections_on(date(2023, 9, 14))[1]
    good = dict.fromkeys(COLUMNS, 0) | {"c3": 10, "c4": 6, "c5": 4, "c7": 10, "c9": 10}
    bad = good | {"c4": 5}
    whole = good if sections else bad
    more = whole | ({"c3": 11} if sections else {})
    return [
        Line("section", section, None, None, True, more),
        Line("unit", section, "19522", None, True, whole),
        Line("total", None, None, None, True, more),
    ]


@pytest.mark.parametrize(("sections", "cells"), [(False, ["C11"]), (True, ["C10"])], ids=["identity", "sum"])
def test_figures_that_do_not_add_up_stand_as_told(
    of_sample: duckdb.DuckDBPyConnection, tmp_path: Path, sections: bool, cells: list[str]
) -> None:
    path = tmp_path / "a.xlsx"
    with workbook(path, "a", "2023-09-14 00:00:00") as (file, styles):
        form_sheet(file, styles, "a", form("ii06a"), _odd(sections), open_book(of_sample, PERIOD), "unit", None, "vi")
    sheet = openpyxl.load_workbook(path)["a"]
    odd = [c.coordinate for row in sheet["C10:M12"] for c in row if c.font.color and c.font.color.rgb == "FFC00000"]
    assert odd == cells and all(isinstance(sheet[cell].value, int) for cell in cells)
    notes = [str(sheet.cell(r, 1).value) for r in range(13, 25)]
    assert any(note.startswith("Ô chữ đỏ") for note in notes)


# ---- the comparison can fail


@pytest.mark.parametrize("by", ["a figure", "a row"])
def test_a_planted_fault_is_found(
    of_sample: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    def wrong(*args: Any) -> list[Line]:
        lines = lines_of(*args)
        at = 5  # a unit, or a field
        figures = lines[at].figures
        lines[at] = replace(lines[at], figures=figures | {"c8": (figures["c8"] or 0) + 1})
        return lines if by == "a figure" else lines[:at] + lines[at + 1 :]

    monkeypatch.setattr(written, "lines_of", wrong)
    path = write_forms(of_sample, open_book(of_sample, PERIOD), tmp_path)[0]
    sheet = openpyxl.load_workbook(path, data_only=True)["Theo đơn vị"]
    with pytest.raises(AssertionError):
        compared(sheet, of_units(of_sample, PERIOD))


# ---- what is missing, sealed, known, counted otherwise


def test_a_period_without_data_says_so_in_every_row(made: Made) -> None:
    files = made("sample", "2019-Q3")
    assert [*files] == ["mau07a"]
    rows = form_rows(stored(files["mau07a"])["Theo đơn vị"])
    assert len(rows) == 2 + 18 + 1
    for row in rows:
        assert [v for v in row.cells.values() if v is not None] == ["không có số liệu"], row.name


def test_where_nothing_arose_counts_are_zero_and_rates_say_so(made: Made) -> None:
    for row in form_rows(stored(made("district", NOTHING_AROSE)["tien_do_766"]).worksheets[0]):
        rate, *counts = row.cells.values()
        assert rate == "không phát sinh" and set(counts) == {0}, row.name


def test_hand_kept_figures_and_what_nobody_told(made: Made) -> None:
    """The return tells of the whole district; of its units nobody told, and nothing is 0."""
    rows = form_rows(stored(made()["ii07b"]).worksheets[0])
    for row in rows[:-1]:
        told = [v for v in row.cells.values() if v is not None]
        assert told == ([] if row.kind == "section" else ["chưa có số liệu"]), row.name
    told = {number: value for number, value in rows[-1].cells.items() if value != "–"}
    assert told == {"(5)": 272, "(6)": 124} and len(rows[-1].cells) == 12
    for row in form_rows(stored(made("district")["ii07b"]).worksheets[0])[-1:]:
        assert [v for v in row.cells.values() if v is not None] == ["chưa có số liệu"]
    for row in form_rows(stored(made()["so_hoa"]).worksheets[0]):
        assert row.cells["(6)"] == row.cells["(7)"] == "–", "no export tells of reused components"


def test_units_of_one_name_are_told_apart(made: Made) -> None:
    names = [r.name for r in form_rows(stored(made("district")["ii06a"])["Theo đơn vị"]) if r.kind == "row"]
    assert len(names) == len(set(names)) > 130
    assert {"Phường 1, Thành phố Đông Hà", "Phường 1, Thị xã Quảng Trị"} <= set(names)


def _stood(book: Book, **told: Any) -> Book:
    return replace(book, units=book.units | {book.top: book.whole | told})


OTHER = next(name for name in rule_sets() if name != OURS)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda b: b, "Mức đủ số liệu: đủ; ngày chốt 14/09/2023; biết đến 14/09/2023 23:59; bản công bố "),
        (lambda b: _stood(b, seal="0123456789ab"), "; dấu chốt 0123456789ab; "),
        (
            lambda b: _stood(b, coverage="partial", missing_vi="thiếu số liệu 01/09"),
            "số liệu: một phần (thiếu số liệu 01/09)",
        ),
        (lambda b: _stood(b, coverage="no_data", as_of=None), "Mức đủ số liệu: không có số liệu; biết đến "),
        (lambda b: _stood(b, basis="mixed"), "; có cả bảng tổng hợp; "),
        (lambda b: replace(b, as_known=datetime(2023, 8, 1, 8, 30)), "; theo những gì biết đến 01/08/2023 08:30; "),
        (lambda b: replace(b, rules=OTHER), f"; cách tính: {rule_sets()[OTHER].label.vi} ({OTHER}); "),
    ],
    ids=["plain", "sealed", "partial", "no data", "summaries", "as known", "rules"],
)
def test_every_sheet_says_how_its_figures_stand(
    of_sample: duckdb.DuckDBPyConnection, tmp_path: Path, changed: Any, words: str
) -> None:
    book = changed(open_book(of_sample, PERIOD))
    assert words in standing(book, "vi")
    with workbook(tmp_path / "a.xlsx", "a", "2023-09-14 00:00:00") as (file, styles):
        written.add_form(of_sample, file, styles, "a", form("ii06a"), book, "unit", "vi")
    assert openpyxl.load_workbook(tmp_path / "a.xlsx")["a"]["A4"].value == standing(book, "vi")


def test_partial_units_and_summaries_are_named_in_the_notes(
    of_sample: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    book = open_book(of_sample, PERIOD)
    partial = book.units["19522"] | {"coverage": "partial", "missing_vi": "thiếu số liệu 01/09/2023–14/09/2023"}
    told = book.units["19525"] | {"basis": "reported"}
    book = replace(book, units=book.units | {"19522": partial, "19525": told})
    with workbook(tmp_path / "a.xlsx", "a", "2023-09-14 00:00:00") as (file, styles):
        written.add_form(of_sample, file, styles, "a", form("ii06a"), book, "unit", "vi")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx", data_only=True)["a"]
    words = [str(c.value) for row in sheet.iter_rows(max_col=1) for c in row]
    assert "Số liệu một phần: Xã Gio An: thiếu số liệu 01/09/2023–14/09/2023." in words
    assert "Theo bảng tổng hợp do đơn vị báo cáo: Xã Gio Châu." in words
    assert "Xã Gio An (một phần)" in [r.name for r in form_rows(sheet)]


# ---- as a file


def test_print_setup(made: Made) -> None:
    for name, path in made("district").items():
        for sheet in stored(path):
            setup, rows = sheet.page_setup, form_rows(sheet)
            assert (setup.orientation, setup.paperSize) == ("landscape", 9), name
            assert sheet.sheet_properties.pageSetUpPr.fitToPage and setup.fitToHeight == 0, "one page wide by default"
            first, last = rows[0].row, len(form(name).printed)
            assert sheet.print_title_rows == f"$6:${first - 1}" and "Trang &P/&N" in sheet.oddFooter.center.text
            assert sheet.freeze_panes == sheet.cell(first, 4 if name == "tien_do_766" else 3).coordinate
            assert f"$A$1:${get_column_letter(last)}$" in sheet.print_area, "checks stand beside the page"


def test_texts_never_run_as_formulas(of_sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    section = sections_on(date(2023, 9, 14))[1]
    figures = dict.fromkeys(COLUMNS, 1)
    bad = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://a")', "http://a"]
    lines = [Line("section", section, None, None, True, figures)]
    lines += [Line("field", section, None, text, True, figures) for text in bad]
    lines += [Line("total", None, None, None, True, figures)]
    path = tmp_path / "a.xlsx"
    with workbook(path, "a", "2023-09-14 00:00:00") as (file, styles):
        form_sheet(file, styles, "a", form("ii06a"), lines, open_book(of_sample, PERIOD), "field", "=2+2", "vi")
    sheet = openpyxl.load_workbook(path)["a"]
    told = {c.value: (c.data_type, c.hyperlink) for row in sheet["B10:B20"] for c in row}
    assert {text: told[text] for text in bad} == dict.fromkeys(bad, ("s", None))


def test_the_same_release_gives_the_same_bytes(of_sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    book = open_book(of_sample, PERIOD)
    one, two = write_forms(of_sample, book, tmp_path / "1"), write_forms(of_sample, book, tmp_path / "2")
    assert [p.name for p in one] == [p.name for p in two]
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
    created = openpyxl.load_workbook(one[0]).properties.created
    assert str(created) == book.info["known_at"], "told by the release, not by the clock"


def test_english(of_sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    book = open_book(of_sample, PERIOD, lang="en")
    for path in write_forms(of_sample, book, tmp_path, "en"):
        one = form(path.stem.removeprefix("bieu_"))
        words = {str(c.value) for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows() for c in row}
        assert {head.text.en for head in one.head} <= words and one.title.en.upper() in words
        assert not {head.text.vi for head in one.head} & words


def test_one_commune_alone(made: Made) -> None:
    sheet = stored(made(unit="Xã Gio An")["ii06a"])["Theo đơn vị"]
    rows = form_rows(sheet)
    assert [(r.kind, r.name) for r in rows] == [
        ("section", "Xã, phường, thị trấn"),
        ("row", "Xã Gio An"),
        ("total", "Tổng số"),
    ]
    assert len({tuple(r.cells.values()) for r in rows}) == 1
    heading = {sheet.cell(r, c).value for r in (1, 2) for c in range(1, 14)}
    assert {"Đơn vị báo cáo: Xã Gio An", "Đơn vị nhận báo cáo: Huyện Gio Linh"} <= heading


# ---- units of which summaries alone tell


# what a summary tells of a unit, as form_ii06a and reported_figure hold it → the other forms' figures; null: not told
TOLD = {f"c{n}": figure for n, figure in zip(range(3, 14), (10, 6, 3, 1, 8, None, None, 2, 2, 1, 1), strict=True)}
FOLLOWS = {
    "tien_do_766": {"c5": 10, "c6": 6, "c7": 1, "c8": 2, "c9": 1, "c10": 8, "c11": 6, "c12": 2, "c13": 2, "c14": 1},
    "mau07a": {"c3": 10, "c4": 1, "c5": 9, "c6": None, "c7": None, "c8": 2, "c9": None, "c11": 1, "c12": None},
    "so_hoa": {"c3": 9, "c4": None, "c5": None, "c7": None, "c8": None, "c10": None},
}


@pytest.mark.parametrize("name", FOLLOWS)
def test_other_forms_follow_from_what_summaries_tell(of_sample: duckdb.DuckDBPyConnection, name: str) -> None:
    """One commune by its register, one by its summary: what is not told of one is not told of both."""
    book = open_book(of_sample, PERIOD)
    con = duckdb.connect()
    for table in ("period_count", "indicator_value"):
        of_unit = of_sample.sql(f"SELECT * FROM {table} WHERE period = $1 AND unit_id = '19522'", params=[PERIOD])
        con.register(table, of_unit.pl())
    con.execute(
        f"""CREATE TABLE form_ii06a AS SELECT '{PERIOD}' AS period, '19525' AS unit_id, 'unit' AS "by", NULL::VARCHAR AS field,
            {", ".join(f"{'NULL' if v is None else v}::BIGINT AS {c}" for c, v in TOLD.items())}"""
    )
    con.execute(
        f"""CREATE TABLE reported_figure AS SELECT '{PERIOD}' AS period, '19525' AS unit_id, 1::BIGINT AS postal,
            NULL::BIGINT AS open_paused"""
    )
    leaves = {u: book.units[u] for u in ("19522", "19525")}
    _, registered, reported, total = lines_of(con, form(name), book.period, leaves, "unit", book.top)
    assert {c: reported.figures[c] for c in FOLLOWS[name]} == FOLLOWS[name]
    for column, figure in FOLLOWS[name].items():
        own = registered.figures[column]
        assert total.figures[column] == (None if figure is None or own is None else own + figure), column


# ---- what we print is what we read


TOLD_BY = {
    "ii06a": ("online", "carried_over", "total", "resolved_early", "resolved_late", "open", "open_overdue"),
    "tien_do_766": ("online", "carried_over", "postal", "total", "resolved_late", "open", "open_overdue"),
    "so_hoa": (),
}


@pytest.mark.parametrize("name", TOLD_BY)
def test_a_form_that_we_print_is_read_back_like_any_other(
    of_sample: duckdb.DuckDBPyConnection, made: Made, tmp_path: Path, name: str
) -> None:
    """Dropped as a summary, it is recognised by its header; each row counts, its sums are verified and hold, and the
    figures are those of the registers."""
    office = Office(tmp_path)
    shutil.copy(made()[name], office.source("", "bieu") / "bieu.xlsx")
    assert office.night().exit_code == 0, "nothing rejected, no check failed"
    ours = {r["unit"]: r for r in answers.stats(of_sample, PERIOD)}
    with office.open() as con:
        told = {r["unit"]: r for r in answers.stats(con, PERIOD)}
        assert {u: [r[m] for m in TOLD_BY[name]] for u, r in told.items()} == {
            u: [r[m] for m in TOLD_BY[name]] for u, r in ours.items()
        }
        counted = con.execute("SELECT sum(rows) FROM file_account WHERE verdict = 'counted'").fetchall()
        assert counted == [(18 + (of_fields(of_sample) if name == "ii06a" else 0),)]
        if name == "so_hoa":
            read = con.execute(
                "SELECT unit_id, value::BIGINT FROM reported WHERE measure = 'component_digitized' AND counts"
            ).fetchall()
            book = open_book(of_sample, PERIOD)
            rates = {u: book.rate(u, "component_digitization_rate")["numerator"] for u in book.leaves}
            assert {u: n for u, n in read if u in rates} == rates


def of_fields(con: duckdb.DuckDBPyConnection) -> int:
    """The rows of form II.06a by field."""
    rows = con.execute(
        "SELECT count(*) FROM (SELECT DISTINCT unit_id = '466', field FROM period_count WHERE period = ?)", [PERIOD]
    )
    return rows.fetchall()[0][0]


def test_a_list_of_many_units_goes_on_in_the_next_row(of_district: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A row can be 409 points high and no more: a note of 130 units is cut between words, not lost."""
    book = open_book(of_district, PERIOD)
    missing = "thiếu số liệu 01/09/2023–14/09/2023; chưa biết hồ sơ tồn đầu kỳ"
    book = replace(book, units={u: r | {"coverage": "partial", "missing_vi": missing} for u, r in book.units.items()})
    with workbook(tmp_path / "a.xlsx", "a", "2023-09-14 00:00:00") as (file, styles):
        written.add_form(of_district, file, styles, "a", form("ii06a"), book, "unit", "vi")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["a"]
    assert max(d.height or 0 for d in sheet.row_dimensions.values()) <= 400
    words = " ".join(str(row[0]) for row in sheet.iter_rows(max_col=1, values_only=True) if row[0])
    assert all(f"{book.names[u]}: {missing}" in words for u in book.leaves)
