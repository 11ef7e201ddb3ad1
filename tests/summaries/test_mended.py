"""Whose figures stand where: sections, groups, rejected rows, corrected files, and names where no name belongs.

What people got wrong by a small slip must be seen, and must not become another unit's figure. Not here: the kinds of
rows (test_rows), nights over right tables (test_nights).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline.conform.shapes import is_total
from pipeline.declare.sources import Source
from pipeline.measure import answers
from tests.summaries import forms
from tests.summaries.tables import ii06a, table, told
from tests.unit.office import Office, dossier, write_csv

pytestmark = pytest.mark.usefixtures("figures_alone")
SPAN = "Từ ngày 15/06/2023 đến ngày 14/09/2023"
FIELDS = ("STT", "Lĩnh vực", "Tổng số", "Kỳ trước chuyển qua", "Mới tiếp nhận")
UNITS = ("STT", "Đơn vị", "Tổng số", "Kỳ trước chuyển qua", "Mới tiếp nhận")
BOTH = ("STT", "Đơn vị", "Lĩnh vực", "Tổng số", "Kỳ trước chuyển qua", "Mới tiếp nhận")
DISTRICT = "Đơn vị báo cáo: UBND huyện Gio Linh"
OWN = "UBND huyện Gio Linh"
AN, SON = "19522", "19537"


def line(number: str, name: str, total: int | str, *more: str) -> list[str]:
    """A row whose identity holds: total, a tenth of it carried over, the rest received."""
    if isinstance(total, str):
        return [number, name, *more, total, "1", "9"]
    return [number, name, *more, str(total), str(total // 10), str(total - total // 10)]


def totals(body: Sequence[Sequence[str]], *titles: str, heads: forms.Heads = FIELDS) -> list[tuple]:
    """(unit, field, total) of each row that counts; of an unknown unit only that it is one."""
    found, _ = table(heads, body, *titles)
    return [
        (unit if unit is None or unit[0] != "#" else "#", field, figures["total"])
        for (unit, field), figures in told(found).items()
    ]


def put(office: Office, name: str, body: Sequence[Sequence[str]], heads: forms.Heads, day: int = 15, key: str = "bc",
        *titles: str) -> None:  # fmt: skip
    head = [[*titles], [SPAN], [f"Ngày xuất dữ liệu: {day}/09/2023 08:00:00"], list(heads)]
    write_csv(office.home.raw / key / name, [*head, *body])


def night(office: Office) -> duckdb.DuckDBPyConnection:
    report = office.night()
    assert not report.refused and report.release
    return office.open()


def sums(con: duckdb.DuckDBPyConnection) -> dict[str, int | None]:
    return dict(con.execute("SELECT unit_id, total FROM reported_figure WHERE period = '2023-Q3'").fetchall())


def account(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Verdict and reason → rows, of all files; they add up."""
    found = con.execute("SELECT verdict || coalesce(' ' || reason, ''), sum(rows)::INT FROM file_account GROUP BY 1")
    accounts = dict(found.fetchall())
    assert sum(accounts.values()) == con.execute("SELECT sum(rows_in)::INT FROM file").fetchall()[0][0]
    return accounts


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


# ---- whose a field is

AN_FIRST = [["I", "Xã Gio An"], line("1", "Hộ tịch", 10)]
OF_AN = ("Xã Gio An", "Hộ tịch", 10)
BELOW = line("1", "Đất đai", 500)
WHOSE: dict[str, tuple[list[list[str]], list[tuple]]] = {
    # rows between → the rows that count after the first
    "a unit misspelled": ([["II", "Xã Gio Sann"]], [("#", "Đất đai", 500)]),
    "a unit misspelled, with figures": ([line("II", "Xã Gio Sann", 500)], [("#", None, 500), ("#", "Đất đai", 500)]),
    "a group that nobody declared": ([["II", "Các đơn vị khác"]], [("#", "Đất đai", 500)]),
    "the same with figures": ([line("II", "Các đơn vị khác", 500)], [("#", "Đất đai", 500)]),
    "a declared group": ([["II", "TTHC cấp huyện"]], [(OWN, "Đất đai", 500)]),
    "a declared group with figures": ([line("II", "Cấp huyện", 500)], [(OWN, "Đất đai", 500)]),
    "a field as a section": ([["II", "Môi trường"]], [(OWN, "Đất đai", 500)]),
    "a field in which nothing arose": ([["2", "Môi trường"]], [("Xã Gio An", "Đất đai", 500)]),
    "a unit whose figures cannot be read": ([line("II", "Xã Gio Sơn", "12a")], [("Xã Gio Sơn", "Đất đai", 500)]),
}  # fmt: skip


@pytest.mark.parametrize("case", WHOSE)
def test_a_field_is_of_the_unit_above_it_and_never_of_the_one_before(case: str) -> None:
    between, expected = WHOSE[case]
    assert totals([*AN_FIRST, *between, BELOW], DISTRICT) == [OF_AN, *expected]


def test_rows_below_an_alias_are_those_of_the_unit_it_means(office: Office) -> None:
    office.home.raw.mkdir(parents=True, exist_ok=True)
    (office.home.raw / "unit_aliases.csv").write_text("written,unit_id\nMột cửa Gio Sơn 2,19537\n", encoding="utf-8")
    put(office, "b.csv", [*AN_FIRST, ["II", "Một cửa Gio Sơn 2"], BELOW], FIELDS)
    with night(office) as con:
        assert sums(con) == {AN: 10, SON: 500}


def test_the_rows_of_a_unit_nobody_knows_are_rejected(office: Office) -> None:
    put(office, "b.csv", [*AN_FIRST, ["II", "Xã Gio Sann"], BELOW], FIELDS)
    assert office.night().exit_code == 1
    with office.open() as con:
        assert sums(con) == {AN: 10}
        assert account(con) == {"counted": 1, "excluded section_row": 2, "rejected unknown_unit": 1}


# ---- the same field under two groups

LEVELS = [
    line("I", "TTHC cấp huyện", 60), line("1", "Hộ tịch", 10), line("2", "Đất đai", 50),
    line("II", "TTHC cấp xã", 30), line("1", "Hộ tịch", 30), line("", "Tổng cộng", 90),
]  # fmt: skip


def test_a_field_under_two_groups_is_their_sum(office: Office) -> None:
    put(office, "b.csv", LEVELS, FIELDS, 15, "bc", "UBND huyện Gio Linh")
    with night(office) as con:
        (whole,) = sums(con).values()
        assert whole == 90
        fields = con.execute(
            """SELECT field, c3 FROM form_ii06a WHERE period = '2023-Q3' AND "by" = 'field'"""
        ).fetchall()
        assert set(fields) == {("Hộ tịch", 40), ("Đất đai", 50)}
        kept = con.execute("SELECT row, field, section FROM reported WHERE counts AND measure = 'total' ORDER BY row")
        assert [row[1:] for row in kept.fetchall()] == [
            ("Hộ tịch", "TTHC cấp huyện"), ("Đất đai", "TTHC cấp huyện"), ("Hộ tịch", "TTHC cấp xã"),
        ]  # fmt: skip
        assert account(con) == {"counted": 3, "excluded subtotal_row": 2, "excluded total_row": 1}
        assert con.execute("SELECT count(*) FROM set_aside WHERE verdict = 'notice'").fetchall() == [(0,)]


def test_a_field_under_two_groups_is_compared_with_the_register_once(office: Office) -> None:
    row = dossier(unit="Xã Gio An", field="Hộ tịch", received_at="03/07/2023 08:15:00")
    office.drop("so.csv", [row, dossier(field="Hộ tịch"), dossier(field="Hộ tịch")])
    groups = ["I", "TTHC cấp huyện"], ["II", "TTHC cấp xã"]
    rows = ["1", "Hộ tịch", "1", "0", "1"], ["1", "Hộ tịch", "2", "0", "2"]
    put(office, "b.csv", [groups[0], rows[0], groups[1], rows[1]], FIELDS, 15, "bc", "Đơn vị báo cáo: UBND xã Gio An")
    with night(office) as con:
        compared = con.execute(
            "SELECT field, reported, computed FROM reconciliation WHERE measure = 'total'"
        ).fetchall()
        assert compared == [("Hộ tịch", 3, 3)]


def test_under_one_group_the_same_field_twice_is_a_conflict() -> None:
    _, aside = table(FIELDS, [*LEVELS[:3], line("3", "Hộ tịch", 20)], DISTRICT)
    assert [(row, reason) for row, verdict, reason, *_ in aside if verdict == "rejected"] == [
        (2, "conflicting_figures"), (4, "conflicting_figures"),
    ]  # fmt: skip


# ---- a sum over fields that lacks one


@pytest.mark.parametrize(
    "rows",
    [
        [line("2", "Xã Gio An", "50x", "Đất đai")],
        [line("2", "Xã Gio An", 50, "Đất đai"), line("3", "Xã Gio An", 60, "Đất đai")],
    ],
    ids=["not read", "conflicting"],
)
def test_a_sum_over_fields_of_which_one_is_rejected_is_unknown(office: Office, rows: list[list[str]]) -> None:
    body = [
        line("1", "Xã Gio An", 10, "Hộ tịch"),
        *rows,
        line("4", "Xã Gio Sơn", 30, "Hộ tịch"),
        line("", "Tổng số", 90, ""),
    ]
    put(office, "b.csv", body, BOTH)
    assert office.night().exit_code == 1
    with office.open() as con:
        assert sums(con).get(AN) is None and sums(con)[SON] == 30
        accounts = account(con)
        assert accounts["counted"] == 2 and sum(n for why, n in accounts.items() if "rejected" in why) == len(rows)
        assert con.execute("SELECT count(*) FROM set_aside WHERE reason = 'sum_differs'").fetchall() == [(0,)]


def test_nor_is_it_smaller_where_two_sheets_differ(office: Office) -> None:
    first = [line("1", "Xã Gio An", 10, "Hộ tịch"), line("2", "Xã Gio An", 50, "Đất đai")]
    forms.workbook(
        office.home.raw / "bc" / "b.xlsx",
        {
            "A": (BOTH, first, [SPAN]),
            "B": (BOTH, [line("1", "UBND xã Gio An", 60, "Đất đai")], [SPAN]),
        },
    )
    assert office.night().exit_code == 1
    with office.open() as con:
        assert sums(con).get(AN) is None
        accounts = account(con)
        assert (accounts["counted"], accounts["rejected conflicting_figures"]) == (1, 2)


# ---- which file speaks


def test_of_a_corrected_table_no_row_of_the_older_stays(office: Office) -> None:
    put(office, "v1.csv", [line("1", "Xã Gio An", 10, "Hộ tịch"), line("2", "Xã Gio An", 70, "Đất đai")], BOTH)
    put(office, "v2.csv", [line("1", "Xã Gio An", 10, "Hộ tịch"), line("2", "Xã Gio An", 70, "Môi trường")], BOTH, 20)
    with night(office) as con:
        assert sums(con) == {AN: 80}
        assert account(con) == {"counted": 2, "excluded superseded": 2}


@pytest.mark.parametrize(("whole", "fields", "total"), [(15, 20, 17), (20, 15, 100)])
def test_a_whole_and_its_fields_in_two_files_are_not_mixed(office: Office, whole: int, fields: int, total: int) -> None:
    put(office, "v1.csv", [line("1", "Xã Gio An", 100)], UNITS, whole)
    put(office, "v2.csv", [line("1", "Xã Gio An", 10, "Hộ tịch"), line("2", "Xã Gio An", 7, "Đất đai")], BOTH, fields)
    with night(office) as con:
        assert sums(con) == {AN: total}


def test_precedence_goes_before_the_time_of_export(office: Office) -> None:
    office.source("precedence = 5\n", "bc")
    put(office, "b.csv", [line("1", "Xã Gio An", 1000)], UNITS)
    put(office, "c.csv", [line("1", "Xã Gio An", 70)], UNITS, 16, "khac")
    with night(office) as con:
        assert sums(con) == {AN: 1000}


def test_new_bytes_under_a_name_replace_what_it_told_of_those_days(office: Office) -> None:
    put(office, "b.csv", [line("1", "Xã Gio An", 10), line("2", "Xã Gio Sơn", 50)], UNITS)
    night(office).close()
    put(office, "b.csv", [line("1", "Xã Gio An", 20)], UNITS, 16)
    with night(office) as con:
        assert sums(con) == {AN: 20}, "the unit that was dropped no longer counts"
        assert account(con) == {"counted": 1, "excluded superseded": 2}


def test_a_name_used_again_for_another_quarter_replaces_nothing(office: Office) -> None:
    put(office, "b.csv", [line("1", "Xã Gio An", 10)], UNITS)
    night(office).close()
    later = [["Quý IV/2023"], ["Ngày xuất dữ liệu: 15/12/2023 08:00:00"], list(UNITS), line("1", "Xã Gio An", 30)]
    write_csv(office.home.raw / "bc" / "b.csv", later)
    with night(office) as con:
        assert sums(con) == {AN: 10} and account(con) == {"counted": 2}


# ---- numbers and names that are no groups, no totals

BRANCHES = [line("I", "Chi nhánh Đông", 100), line("II", "Chi nhánh Tây", 50)]


def test_units_of_a_source_of_its_own_may_have_roman_numbers() -> None:
    own = Source("so", "so", units="from_file")
    for body in (BRANCHES, [*BRANCHES, line("3", "Chi nhánh Nam", 10)]):
        found, aside = table(UNITS, body, source=own)
        assert len(told(found)) == len(body) and aside == []


def test_roman_numbers_alone_number_no_groups() -> None:
    assert totals([*BRANCHES, line("", "Tổng số", 150)], heads=UNITS) == [("#", None, 100), ("#", None, 50)]
    assert totals([*BRANCHES, line("1", "Xã Gio An", 10)], heads=UNITS) == [("Xã Gio An", None, 10)]


@pytest.mark.parametrize(
    "words",
    ["Tổng cục Thuế", "Tổng công ty Điện lực", "Công khối", "Công xã Gio An", "TONG CONG TY", "2. Tổng cục Dân số"],
)
def test_offices_are_no_totals(words: str) -> None:
    assert not is_total(words)


@pytest.mark.parametrize(
    "words", ["Tổng cộng toàn huyện", "Tổng cộng tỉnh", "Cộng xã", "Cộng khối huyện", "Công", "TONG CONG: 12"]
)
def test_totals_stay_totals(words: str) -> None:
    assert is_total(words)


# ---- what is nobody's business

SECRETS = ("0912345678", "045123456789", "091 234 567", "123456789")


@pytest.mark.parametrize("number", SECRETS)
@pytest.mark.parametrize("name", ["Người lập: Lê Văn Mẫu", "Xã Gio An", ""])
def test_a_telephone_or_identity_number_is_no_figure_and_is_not_shown(number: str, name: str) -> None:
    found, aside = table(UNITS, [line("1", "Xã Gio Sơn", 10), ["", name, number, "", ""]])
    assert [figures["total"] for figures in told(found).values()] == [10]
    assert number not in str(aside) and number.replace(" ", "") not in str(found.rows)
    assert [row for row, verdict, *_ in aside if verdict != "notice"] == [2]


def test_a_count_has_eight_digits_at_most() -> None:
    assert totals([line("1", "Xã Gio An", 12_345_678)], heads=UNITS) == [("Xã Gio An", None, 12_345_678)]
    assert totals([line("1", "Xã Gio An", 123_456_789)], heads=UNITS) == []


def everything(office: Office) -> str:
    """All that is kept outside the restricted store and data/raw, as text."""
    kept = [str(pl.read_parquet(path).rows()) for path in sorted(office.home.versions.rglob("*.parquet"))]
    with office.open() as con:
        names = [
            name for (name,) in con.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall()
        ]
        kept += [str(con.execute(f"FROM {name}").fetchall()) for name in names]
    return "\n".join(kept)


def test_a_persons_name_in_the_column_of_fields_is_kept_nowhere(office: Office) -> None:
    people = [
        line("1", "Xã Gio An", 10, "Nguyễn Văn Tửxa"),
        line("2", "Xã Gio An", 30, "Lê Thị Tửxa"),
        line("3", "Xã Gio An", "5x", "Trần Tửxa"),
    ]
    put(
        office, "b.csv", [*people, line("4", "Xã Gio Sơn", 20, "Hộ tịch"), line("5", "Xã Gio Sơn", 10, "Vũ Tửxa")], BOTH
    )
    report = office.night()
    assert "Tửxa" not in everything(office) and "Tửxa" not in str(report)
    with office.open() as con:
        assert sums(con)[SON] == 30
        fields = con.execute("SELECT DISTINCT field FROM reported WHERE field IS NOT NULL ORDER BY 1").fetchall()
        shapes = sorted(field.partition(" ")[2] for (field,) in fields if field[0] == "#")
        assert ("Hộ tịch",) in fields and shapes == ["Aa Aaa Aaaa", "Aa Aaaa", "Aaaa Aaaa", "Aaaaaa Aaa Aaaa"]
        assert len(answers.stats(con, "2023-Q3")) > 0


def test_fields_of_its_own_are_kept_where_the_source_says_so() -> None:
    body = [line("1", "Việc riêng", 10), line("2", "việc  riêng", 10), line("3", "Việc khác", 10)]
    found, _ = table(FIELDS, body, DISTRICT)
    kept = [field for _, field in told(found)]
    assert len(set(kept)) == 2 and all(field and field[0] == "#" for field in kept)
    found, _ = table(FIELDS, body[::2], DISTRICT, source=Source("so", "so", procedures="from_file"))
    assert [field for _, field in told(found)] == ["Việc riêng", "Việc khác"]


# ---- large tables


def test_thousands_of_repeats_and_of_totals_take_no_square_of_time() -> None:
    twice = [line("1", f"Xã số {n}", 10) for n in range(15_000)] * 2
    many = [row for n in range(10_000) for row in (line("1", f"Xã {n}", 10), line("", "Tổng cộng", 10))]
    begin = time.process_time()
    _, aside = table(UNITS, twice)
    assert len(aside) == 15_000
    found, _ = table(UNITS, many)
    assert len(told(found)) == 10_000
    assert time.process_time() - begin < 20, "of every row with every other it took minutes"


def test_sums_follow_a_unit_row_that_comes_after_its_fields() -> None:
    """Its fields were added already: they are parts of it."""
    body = [
        line("1", "Xã Gio An", 10, "Hộ tịch"),
        line("2", "Xã Gio An", 30, "Đất đai"),
        line("3", "Xã Gio An", 40, ""),
    ]
    for total, wrong in ((40, 0), (80, 3)):
        _, aside = table(BOTH, [*body, line("", "Tổng số", total, "")])
        assert sum(1 for a in aside if a[2] == "sum_differs") == wrong


def test_a_row_that_was_rejected_makes_no_sum_wrong() -> None:
    good = ii06a("Xã Gio An", 40, 30, 10, 50, 10, 5, 12, 3)
    bad = ["", "Xã Gio Châu", "tám", *good[3:]]
    _, aside = table(forms.II06A, [good, bad, ["", "Tổng số", *(str(2 * int(c)) for c in good[2:])]])
    assert [a[2] for a in aside if a[1] == "notice"] == []
