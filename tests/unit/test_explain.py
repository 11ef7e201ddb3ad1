"""What a figure means in words, what a cell's SQL quotes, and what stands behind figures that summaries tell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from pipeline.audit.explain import explain, list_of, listed
from pipeline.audit.rows import Cell, figure_sql
from pipeline.declare.definitions import OF_A_COLUMN, definition, figure, figures, in_words, labels_of
from pipeline.declare.figures import indicators, measures
from pipeline.declare.forms import form
from pipeline.declare.periods import parse_period
from pipeline.errors import WrongUse
from pipeline.measure import answers
from tests.conftest import Said
from tests.quick import some
from tests.summaries import forms
from tests.summaries.tables import ii06a
from tests.unit.office import Office, dossier, opened

Q3 = parse_period("2023-Q3")


# ---- in words


@pytest.mark.parametrize("code", list(figures()))
def test_every_figure_has_words_a_source_and_a_mark(code: str) -> None:
    f = figures()[code]
    for lang in ("vi", "en"):
        words = definition(f)[lang]
        assert not re.search(r"\w_\w|'|\bIN\b|<>", words), words  # words, and no SQL
        assert f.label[lang] and f.source[lang] and f.mark
    assert {"origin", "outcome"} <= set(labels_of(f))


def test_a_predicate_in_words() -> None:
    told = in_words("origin <> 'carried_over' AND service_level IN ('full', 'partial') AND NOT component_digitized")
    assert told.vi == (
        "hồ sơ có nguồn hồ sơ trong kỳ không phải “Tồn kỳ trước” và mức độ dịch vụ công là “Toàn trình” hoặc “Một phần” "
        "và “Đã số hóa thành phần hồ sơ”: không"
    )
    assert told.en.startswith("dossiers with origin in the period not “Carried over” and online service level “")
    assert in_words("TRUE").vi == "mọi hồ sơ"
    with pytest.raises(ValueError, match="no words"):
        in_words("n > 3")


PLACES = {  # measure → the form's column that holds it, and whether it is just that
    "total": (3, True), "online": (4, True), "postal": (5, False), "carried_over": (6, True), "resolved": (7, False),
    "resolved_early": (8, True), "resolved_no_due": (9, False), "withdrawn": (9, False), "resolved_late": (10, True),
    "open": (11, False), "open_paused": (12, False), "unclassified": (12, False), "open_overdue": (13, True),
}  # fmt: skip


@pytest.mark.parametrize("name", list(PLACES))
def test_a_measure_names_its_column_of_the_form(name: str) -> None:
    column, same = PLACES[name]
    f = figure(name)
    assert f.source.vi.startswith(f"{'bằng' if same else 'một phần của'} cột ({column}) biểu II.06a: TT 01/2020")
    assert (f.mark == form("ii06a").mark) is same


@pytest.mark.parametrize("words", ["on_time_rate", " ON-TIME-RATE "])
def test_codes_as_people_write_them(words: str) -> None:
    assert figure(words) is figures()["on_time_rate"]


def test_a_name_instead_of_a_code_is_answered_with_the_code() -> None:
    with pytest.raises(WrongUse, match="resolution_rate"):
        figure(indicators()["resolution_rate"].label.vi)


def test_names_with_quotes_stay_texts_in_the_sql() -> None:
    """A unit or a field may be called anything; the statement stays one statement."""
    cell = Cell(Q3.key, Q3.start, Q3.end, "a'; DROP TABLE x; --", True, "it's", False)
    sql = figure_sql(figure("total"), cell, [])
    assert len(duckdb.extract_statements(sql)) == 1
    assert "node = 'a''; DROP TABLE x; --'" in sql and "field = 'it''s'" in sql


# ---- summaries

SUMMARY = [
    ii06a("Xã Gio Châu", 10, 20, 5, 8, 6, 4, 12, 5),
    ii06a("Xã Trung Sơn", 1, 2, 3, 4, 0, 1, 1, 0),
]
OWN = [
    *(dossier(unit="Xã Gio An", channel=channel) for channel in ("Trực tuyến", "Trực tiếp", "")),
    dossier(unit="Xã Gio An", finished_at="10/07/2023 08:00:00"),
    opened(unit="Xã Gio An"),
]


def office_with_summary(office: Office, register: bool) -> Office:
    """Two communes of which only a summary tells; beside them, where asked for, one with a register."""
    forms.workbook(office.home.raw / "bieu" / "q3.xlsx", {"Biểu": (forms.II06A, SUMMARY, forms.TITLES)})
    if register:
        office.drop("so.csv", OWN)
    assert not office.night().refused
    return office


def must_add_up(con: duckdb.DuckDBPyConnection, unit_id: str, code: str, field: str | None = None) -> dict[str, Any]:
    """The published numbers, the list's sums and the SQL's answer are one; and where they come from is said."""
    f = figures()[code]
    told = explain(con, f, Q3, unit_id, field)
    rows, count = listed(con, list_of(told))
    where = (unit_id, code, told.numbers, rows)
    assert told.adds_up and count == len(rows), where
    asked = con.execute(str(told.sql))
    for name, value in zip([d[0] for d in asked.description], asked.fetchall()[0], strict=True):
        assert value == told.numbers[name], (where, name, value)
    for name in ("numerator", "denominator", "unknown"):
        if told.numbers[name] is not None and (f.kind not in OF_A_COLUMN or name != "denominator"):
            assert sum(r[name] or 0 for r in rows) == told.numbers[name], (where, name)
    for row in rows:
        assert (row["dossier_id"] is None) == (row["part"] == "reported")
        if row["part"] == "reported" and row["measure"]:
            assert row["file"] == "q3.xlsx" and row["sheet"] == "Biểu" and row["row"]
    return told.numbers


@pytest.fixture
def office(tmp_path: Any) -> Office:
    return Office(tmp_path / "office")


@pytest.mark.parametrize("register", [False, True], ids=["reported", "mixed"])
def test_every_figure_of_summaries_is_the_sum_of_reported_rows(office: Office, register: bool) -> None:
    con = office_with_summary(office, register).open()
    counted = {r["unit"]: r for r in answers.stats(con, Q3.key)}
    rates = {(r["unit"], r["indicator"]): r for r in answers.indicators(con, Q3.key)}
    nodes = answers.nodes(con, Q3)
    assert {r["basis"] for r in nodes.values()} == ({"reported", "mixed", "dossiers"} if register else {"reported"}) | (
        {None} if any(r["coverage"] == "no_data" for r in nodes.values()) else set()
    )
    asked, codes = 0, some([*measures(), *indicators(), *form("ii06a").columns], 12)
    for unit_id, row in nodes.items():
        if row["coverage"] == "no_data" or (register and row["basis"] == "reported"):
            continue  # of summaries alone: as without a register
        for code in codes:
            numbers = must_add_up(con, unit_id, code)
            if code in measures():
                assert numbers["value"] == counted[row["unit"]][code]
            elif code in indicators():
                told = rates[row["unit"], code]
                assert {k: numbers[k] for k in numbers} == {k: told[k] for k in numbers}
            asked += 1
    assert asked >= 2 * len(codes), "two nodes at least, and every figure of them"


def test_what_a_summary_tells_and_how_it_enters(office: Office, motcua: Callable[..., Said]) -> None:
    home = office_with_summary(office, register=True).home
    asked = ("explain", "on_time_rate_handled", "--period", Q3.key, "--unit", "Xã Gio Châu")
    rows = json.loads(motcua(home, *asked, "--list", "--format", "json").out)
    assert {(r["measure"], r["value"], r["numerator"], r["denominator"]) for r in rows} == {
        ("total", 35, 35, 35),
        ("resolved_late", 4, -4, 0),
        ("open_overdue", 5, -5, 0),
    }
    assert {(r["file"], r["sheet"]) for r in rows} == {("q3.xlsx", "Biểu")} and len({r["row"] for r in rows}) == 1
    said = motcua(home, *asked)
    assert said.code == 0 and "theo bảng tổng hợp" in said.out and "tử số 26 / mẫu số 35" in said.out
    assert "Số trong bảng tổng hợp" in said.out and "reported r" in said.out
    untold = motcua(home, "explain", "withdrawn", "--period", Q3.key, "--unit", "Xã Gio Châu")
    assert untold.code == 0 and "bảng tổng hợp không cho biết" in untold.out


FIELDS = {"Đất đai": SUMMARY[0], "Hộ tịch": ii06a("Xã Gio Châu", 3, 4, 0, 2, 2, 1, 1, 1)}
WHOLE = {"": ii06a("Xã Gio Châu", 20, 25, 5, 10, 10, 5, 20, 5)}


@pytest.mark.parametrize(
    ("told", "total", "resolved", "rows"),
    [(FIELDS, 35 + 7, 18 + 5, 2), (WHOLE | FIELDS, 50, 25, 1)],
    ids=["fields", "both"],
)
def test_fields_are_added_where_no_row_tells_of_all_of_them(
    office: Office, told: dict[str, list[str]], total: int, resolved: int, rows: int
) -> None:
    heads = ("TT", "Đơn vị", "Lĩnh vực", *forms.II06A[2:])
    body = [[*row[:2], name, *row[2:]] for name, row in told.items()]
    forms.workbook(office.home.raw / "bieu" / "q3.xlsx", {"Biểu": (heads, body, forms.TITLES)})
    assert not office.night().refused
    with office.open() as con:
        (unit_id,) = (k for k, r in answers.nodes(con, Q3).items() if r["unit"] == "Xã Gio Châu")
        assert must_add_up(con, unit_id, "total")["value"] == total
        assert listed(con, list_of(explain(con, figures()["total"], Q3, unit_id)))[1] == rows
        assert must_add_up(con, unit_id, "on_time_rate")["denominator"] == resolved
        assert must_add_up(con, unit_id, "c10", "Hộ tịch")["value"] == 1
        assert must_add_up(con, unit_id, "c3", "Đất đai")["value"] == 35


def test_what_the_registers_count_beside_a_reported_figure(office: Office) -> None:
    """Each computed cell of the reconciliation is the length of its list."""
    forms.workbook(
        office.home.raw / "bieu" / "q3.xlsx",
        {"Biểu": (forms.II06A, [ii06a("Xã Gio An", 1, 3, 0, 2, 1, 1, 1, 0)], forms.TITLES)},
    )
    office.drop("so.csv", OWN)
    assert not office.night().refused
    with office.open() as con:
        cells = con.execute(
            "SELECT unit_id, measure, computed FROM reconciliation WHERE period = ?", [Q3.key]
        ).fetchall()
        assert len(cells) > 8
        for unit_id, measure, computed in cells:
            told = explain(con, figures()[f"reported.{measure}"], Q3, unit_id)
            assert listed(con, list_of(told))[1] == told.numbers["value"] == computed, measure
