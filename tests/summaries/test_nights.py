"""Nights over summaries: tables filled and marked, the reconciliation with the registers, mixtures, corrections."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from assets import notes
from pipeline.declare.figures import measures
from pipeline.measure import answers
from pipeline.measure.summary import cells, contents, newest_quarter
from pipeline.measure.trends import trends
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.conftest import Said
from tests.summaries import forms
from tests.summaries.tables import ii06a
from tests.unit.office import Office, dossier, opened, table, write_csv

Q3 = "2023-Q3"
COMMUNES = ("Xã Gio An", "Xã Gio Châu", "Xã Trung Sơn", "Thị trấn Cửa Việt")
COUNTER = "UBND huyện Gio Linh"
DISTRICT = "Huyện Gio Linh"
COLUMNS = [f"c{n}" for n in range(3, 14)]
SUMMARY = 'kind = "summary"\n'
EXPORTED = "Ngày xuất dữ liệu: {}"


def book(
    office: Office,
    name: str,
    body: Sequence[Sequence[Any]],
    *titles: str,
    key: str = "bieu",
    heads: forms.Heads = forms.II06A,
) -> Path:
    return forms.workbook(office.home.raw / key / name, {"Biểu": (heads, body, titles or forms.TITLES)})


def stats(con: duckdb.DuckDBPyConnection, period: str = Q3) -> dict[str, dict[str, Any]]:
    return {row["unit"]: row for row in answers.stats(con, period)}


def form(con: duckdb.DuckDBPyConnection, unit: str) -> list[tuple]:
    """(by, field, c3…c13, basis) of a unit in the quarter."""
    return con.execute(
        f"""SELECT "by", field, {", ".join(COLUMNS)}, basis FROM form_ii06a f JOIN unit u USING (unit_id)
            WHERE period = ? AND u.unit = ? ORDER BY "by" DESC, field""",
        [Q3, unit],
    ).fetchall()


def rates(con: duckdb.DuckDBPyConnection, unit: str) -> dict[str, tuple]:
    return {
        r["indicator"]: (r["numerator"], r["denominator"], r["unknown"], r["verdict"])
        for r in answers.indicators(con, Q3, unit)
    }


def findings(con: duckdb.DuckDBPyConnection, check: str) -> int:
    return con.execute('SELECT coalesce(max(failures), 0) FROM finding WHERE "check" = ?', [check]).fetchall()[0][0]


def account(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """File → verdict and reason → rows; those of every file add up to its rows."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name, verdict, reason, rows in con.execute(
        "SELECT f.name, a.verdict, a.reason, a.rows FROM file f JOIN file_account a USING (file_id) ORDER BY ALL"
    ).fetchall():
        found[name][f"{verdict} {reason or ''}".strip()] = rows
    for name, rows_in in con.execute("SELECT name, rows_in FROM file").fetchall():
        assert sum(found[name].values()) == rows_in, name
    return found


def some_rows(dice: random.Random, names: Sequence[str]) -> list[list[str]]:
    """Right rows of form II.06a with numbers of chance."""
    rows = []
    for name in names:
        online, in_person, carried = (dice.randrange(300) for _ in range(3))
        left = online + in_person + carried
        parts = []
        for _ in range(4):
            parts.append(dice.randint(0, left))
            left -= parts[-1]
        rows.append(ii06a(name, online, in_person, carried, *parts, left))
    return rows


def numbers(row: Sequence[str]) -> list[int]:
    return [int(cell) for cell in row[2:13]]


# ---- only summaries


@pytest.fixture(scope="module")
def told() -> list[list[str]]:
    return some_rows(random.Random(7), [*COMMUNES, COUNTER])


@pytest.fixture(scope="module")
def reported(told: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> Home:
    office = Office(tmp_path_factory.mktemp("reported"))
    total = ["", "Tổng số", *(str(sum(column)) for column in zip(*map(numbers, told), strict=True))]
    book(office, "quy3.xlsx", [["I", "Cấp xã"], *told[:-1], ["II", "Cấp huyện"], told[-1], total])
    assert office.night().exit_code == 0
    return office.home


def test_what_only_summaries_tell_fills_the_tables(reported: Home, told: list[list[str]]) -> None:
    with open_published(reported) as con:
        found = stats(con)
        for row in told:
            c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 = numbers(row)
            got = found[row[1]]
            assert (got["basis"], got["coverage"], str(got["as_of"])) == ("reported", "full", "2023-09-14")
            known = {
                "online": c4, "in_person": c5, "carried_over": c6, "total": c3, "resolved": c7, "resolved_early": c8,
                "resolved_on_time": c9, "resolved_late": c10, "open": c11, "open_in_term": c12, "open_overdue": c13,
            }  # fmt: skip
            assert {name: got[name] for name in known} == known
            assert {name for name in measures() if got[name] is None} == set(measures()) - set(known), (
                "nothing is invented"
            )
            assert form(con, row[1]) == [("unit", None, *numbers(row), "reported")]


def test_sums_of_what_is_reported(reported: Home, told: list[list[str]]) -> None:
    with open_published(reported) as con:
        found = stats(con)
        communes, whole = found["Các xã, thị trấn huyện Gio Linh"], found[DISTRICT]
        assert (communes["basis"], whole["basis"]) == ("reported", "reported")
        assert whole["coverage"] == "partial", "thirteen communes have told nothing"
        assert communes["total"] == sum(numbers(row)[0] for row in told[:-1])
        assert whole["total"] == sum(numbers(row)[0] for row in told)
        assert whole["open_overdue"] == sum(numbers(row)[10] for row in told)
        assert whole["postal"] is None
        assert findings(con, "summaries") == findings(con, "reported_periods") == 0


def test_rates_of_what_is_reported(reported: Home, told: list[list[str]]) -> None:
    c3, c4, c5, _, c7, c8, c9, c10, _, _, c13 = numbers(told[0])
    expected = {
        "on_time_rate": (c8 + c9, c7),
        "late_rate": (c10, c7),
        "on_time_rate_handled": (c3 - c10 - c13, c3),
        "on_time_rate_received": (c8 + c9, c4 + c5),
        "resolution_rate": (c7, c3),
        "online_share": (c4, c4 + c5),
    }
    with open_published(reported) as con:
        found = rates(con, told[0][1])
    for code, (numerator, denominator, unknown, verdict) in found.items():
        if code in expected:
            assert (numerator, denominator, unknown) == (*expected[code], 0), code
        else:
            assert verdict == "no_data" and not denominator and unknown == c3, code


def test_no_other_period_is_told_of(reported: Home) -> None:
    with open_published(reported) as con:
        periods = con.execute("SELECT DISTINCT period FROM period_coverage WHERE coverage <> 'no_data'").fetchall()
    assert periods == [(Q3,)]


def test_what_people_see(reported: Home, told: list[list[str]], motcua: Any) -> None:
    said: Said = motcua(reported, "stats", "--period", Q3)
    assert said.code == 0 and "theo bảng tổng hợp" in said.out
    assert f"{numbers(told[0])[0]}" in said.out and DISTRICT in said.out
    for words in (
        ["indicators", "--period", Q3, "--unit", "Xã Gio An"],
        ["status"],
        ["rejects"],
        ["overdue"],
        ["units"],
        ["export", "--no-pictures", "--period", Q3, "--out", str(reported.root / "out")],
    ):
        said = motcua(reported, *words)
        assert said.code == 0, (words, said.all)
    english: Said = motcua(reported, "stats", "--period", Q3, "--lang", "en")
    assert "as reported" in english.out
    assert motcua(reported, "stats", "--period", "2023-Q2").code == 0


# ---- registers and summaries of one period


def sample_rows(con: duckdb.DuckDBPyConnection) -> list[list[str]]:
    """Form II.06a of the sample as its offices would report it: from the dossiers, counted here anew."""
    where = {
        "c4": "origin = 'online'", "c5": "origin IN ('in_person', 'postal', 'channel_unknown')", "c6": "origin = 'carried_over'",
        "c8": "outcome = 'resolved_early'", "c9": "outcome IN ('resolved_on_time', 'resolved_no_due', 'withdrawn', 'returned', 'stopped')",
        "c10": "outcome = 'resolved_late'", "c12": "outcome IN ('open_in_term', 'open_paused', 'unclassified')", "c13": "outcome = 'open_overdue'",
    }  # fmt: skip
    counts = ", ".join(f"count(*) FILTER (WHERE {sql})" for sql in where.values())
    found = con.execute(
        f"SELECT u.unit, {counts} FROM dossier_period d JOIN unit u USING (unit_id) WHERE period = ? GROUP BY u.unit ORDER BY u.unit",
        [Q3],
    ).fetchall()
    return [ii06a(name, *figures) for name, *figures in found]


def differing(con: duckdb.DuckDBPyConnection) -> set[tuple]:
    return set(
        con.execute(
            "SELECT u.unit, r.measure, r.reported, r.computed, r.difference FROM reconciliation r JOIN unit u USING (unit_id) WHERE difference <> 0"
        ).fetchall()
    )


def test_a_summary_of_what_the_registers_hold_agrees_and_each_planted_difference_is_found(
    sample: Home, published_sample: Home
) -> None:
    with open_published(sample) as con:
        rows = sample_rows(con)
        before = answers.stats(con, Q3)
    assert len(rows) == 18
    office = Office(published_sample.root)
    total = ["", "Tổng số", *(str(sum(column)) for column in zip(*map(numbers, rows), strict=True))]
    book(office, "dung.xlsx", [*rows, total])
    assert office.night().exit_code == 0
    with office.open() as con:
        assert differing(con) == set() and findings(con, "reconciliation") == 0
        compared = con.execute(
            "SELECT count(*), count(DISTINCT unit_id) FROM reconciliation WHERE period = ?", [Q3]
        ).fetchall()
        assert compared == [(18 * 11, 18)]
        assert answers.stats(con, Q3) == before, "the dossiers count, the summary is compared"
        assert account(con)["dung.xlsx"] == {
            "counted": 18,
            "excluded numbering_row": 1,
            "excluded total_row": 1,
            "excluded note_row": 1,
            "excluded section_row": 2,
        }

    wrong = [[*row] for row in rows]
    planted = set()
    for n, (at, column, measure, by) in enumerate(
        [(0, 3, "online", 7), (5, 9, "resolved_late", -1), (17, 12, "open_overdue", 3)]
    ):
        if int(wrong[at][column]) + by < 0:
            by = 1
        right = int(wrong[at][column])
        wrong[at][column] = str(right + by)
        planted.add((wrong[at][1], measure, right + by, right, by))
        assert len(planted) == n + 1
    book(office, "sai.xlsx", wrong)
    result = office.night()
    with office.open() as con:
        assert differing(con) == planted
        assert findings(con, "reconciliation") == 3
        assert answers.stats(con, Q3) == before
        assert account(con)["dung.xlsx"]["excluded superseded"] == 18
    assert {o.check.code for o in result.outcomes if not o.passed} >= {"reconciliation", "summaries"}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def register(office: Office) -> None:
    """Two dossiers of Gio An: one online and resolved early, one in person and still open."""
    write_csv(
        office.home.raw / "so" / "so.csv",
        table([dossier(field="Hộ tịch"), opened(channel="Trực tiếp", due_at="20/09/2023 17:00:00", field="Hộ tịch")]),
    )


def test_a_register_and_a_summary_side_by_side(office: Office) -> None:
    register(office)
    book(office, "b.xlsx", [ii06a("Xã Gio Châu", 10, 5, 0, 9, 3, 1, 1, 1)])
    assert office.night().exit_code == 0
    with office.open() as con:
        found = stats(con)
        assert {
            u: (r["basis"], r["total"], r["resolved_early"]) for u, r in found.items() if r["total"] is not None
        } == {
            "Các xã, thị trấn huyện Gio Linh": ("mixed", 17, 10),
            "Xã Gio An": ("dossiers", 2, 1),
            "Xã Gio Châu": ("reported", 15, 9),
        }
        whole = found["Các xã, thị trấn huyện Gio Linh"]
        assert whole["postal"] is None, "unknown of one unit, unknown in sum"
        assert rates(con, "Các xã, thị trấn huyện Gio Linh")["online_share"][:3] == (11, 17, 0)
        assert findings(con, "reconciliation") == 0


def test_a_field_of_a_summary_is_compared_with_that_field(office: Office) -> None:
    register(office)
    heads = ("TT", "Đơn vị", "Lĩnh vực", *forms.II06A[2:])
    row = ii06a("Xã Gio An", 1, 1, 0, 1, 0, 0, 1, 0)
    body = [["1", "Xã Gio An", "Hộ tịch", *row[2:]], ["2", "Xã Gio An", "Đất đai", "1", "1", *["0"] * 9]]
    book(office, "b.xlsx", body, heads=heads)
    office.night()
    with office.open() as con:
        found = con.execute(
            "SELECT field, measure, reported, computed FROM reconciliation WHERE difference <> 0 ORDER BY ALL"
        ).fetchall()
        assert found == [("Đất đai", "online", 1, 0), ("Đất đai", "total", 1, 0)]


def test_each_difference_is_told_with_both_numbers(office: Office, motcua: Any) -> None:
    register(office)
    book(
        office, "b.xlsx", [ii06a("Xã Gio An", 1234, 1, 0, 1, 0, 0, 1, 0), ii06a("Xã Gio Châu", 1, 0, 0, 1, 0, 0, 0, 0)]
    )
    office.night()
    said: Said = motcua(office.home, "status")
    assert "Xã Gio An, Quý III/2023, Trực tuyến: báo cáo 1.234, sổ 1 (bieu/b.xlsx, dòng 8)" in said.out
    english: Said = motcua(office.home, "status", "--lang", "en")
    assert "Xã Gio An, Quarter 3/2023, Online: reported 1,234, registers 1 (bieu/b.xlsx, row 8)" in english.out
    told = json.loads(motcua(office.home, "status", "--format", "json").out)[0]["differences"]
    assert {(d["measure"], d["reported"], d["computed"]) for d in told} == {("online", 1234, 1), ("total", 1235, 2)}


def test_more_differences_than_a_sample_are_all_found(sample: Home, published_sample: Home, motcua: Any) -> None:
    with open_published(sample) as con:
        rows = sample_rows(con)
    office = Office(published_sample.root)
    book(
        office,
        "b.xlsx",
        [[*row[:3], str(int(row[3]) + 1000), *row[4:6], *row[6:]] for row in rows[:5]]
        + [[*row[:2], *(str(int(n) + 7) for n in row[2:])] for row in rows[5:]],
    )
    office.night()
    with office.open() as con:
        assert findings(con, "reconciliation") == len(differing(con)) == 5 + 13 * 11
        assert con.execute("SELECT count(*) FROM finding WHERE \"check\" = 'reconciliation'").fetchall() == [
            (5 + 13 * 11,)
        ]
    said: Said = motcua(office.home, "status")
    assert "… và 143 chỗ nữa" in said.out


def test_a_quarter_that_only_summaries_tell_of_is_the_newest(office: Office) -> None:
    register(office)
    book(office, "b.xlsx", [ii06a("Xã Gio Châu", 1, 0, 0, 1, 0, 0, 0, 0)], "Quý IV/2023")
    office.night()
    with office.open() as con:
        assert newest_quarter(con) == "2023-Q4"
        assert contents(con) == {"dossiers": 2, "units": 2, "quarters": 2}
        assert cells(con, "2023-Q4")["Xã Gio Châu", "", "online"] == 1, "a quarter run again compares them"


@pytest.mark.parametrize("includes", [True, False])
def test_a_district_with_or_without_its_communes(office: Office, includes: bool) -> None:
    """Declared per source; either way nothing is counted twice."""
    office.source(f"{SUMMARY}[rules]\nincludes_communes = {str(includes).lower()}\n", key="bieu")
    commune = ii06a("Xã Gio An", 10, 5, 0, 9, 3, 1, 1, 1)
    district = ii06a(COUNTER, 30, 15, 0, 25, 10, 3, 4, 3)
    book(office, "b.xlsx", [district, commune])
    assert office.night().exit_code == 0
    with office.open() as con:
        found = {u: (r["basis"], r["total"]) for u, r in stats(con).items() if r["total"] is not None}
        assert findings(con, "reported_unused") == includes, "a figure that is used nowhere is told"
    if includes:
        assert found["Xã Gio An"] == ("reported", 15)
        assert sum(total for unit, (_, total) in found.items() if unit in (COUNTER, "Xã Gio An")) == 15
        assert {total for _, total in found.values()} == {15}
    else:
        assert found == {
            DISTRICT: ("reported", 60), COUNTER: ("reported", 45), "Các xã, thị trấn huyện Gio Linh": ("reported", 15), "Xã Gio An": ("reported", 15),
        }  # fmt: skip


def test_a_district_with_its_communes_is_compared_with_all_their_registers(
    sample: Home, published_sample: Home
) -> None:
    with open_published(sample) as con:
        rows = sample_rows(con)
    sums = [sum(column) for column in zip(*map(numbers, rows), strict=True)]
    office = Office(published_sample.root)
    office.source(f"{SUMMARY}[rules]\nincludes_communes = true\n", key="bieu")
    book(office, "b.xlsx", [["1", COUNTER, *map(str, sums)]])
    assert office.night().exit_code == 0
    with office.open() as con:
        compared = con.execute(
            "SELECT u.unit, r.reported FROM reconciliation r JOIN unit u USING (unit_id) WHERE measure = 'total'"
        ).fetchall()
        assert compared == [(DISTRICT, sums[0])] and differing(con) == set() and findings(con, "reported_unused") == 0


def test_a_corrected_summary_takes_the_place_of_the_earlier(office: Office) -> None:
    first, second = (ii06a("Xã Gio An", n, 5, 0, 9, 3, 1, n - 9, 1) for n in (10, 12))
    chau = ii06a("Xã Gio Châu", 1, 0, 0, 1, 0, 0, 0, 0)
    book(office, "sau.xlsx", [second], *forms.TITLES, EXPORTED.format("20/09/2023 08:00"))
    book(office, "truoc.xlsx", [first, chau], *forms.TITLES, EXPORTED.format("15/09/2023 08:00"))
    assert office.night().exit_code == 0
    with office.open() as con:
        found = stats(con)
        assert (found["Xã Gio An"]["online"], found["Xã Gio Châu"]["online"]) == (12, 1)
        accounts = account(con)
        assert accounts["truoc.xlsx"]["excluded superseded"] == 1 and accounts["truoc.xlsx"]["counted"] == 1
        assert accounts["sau.xlsx"]["counted"] == 1


def test_digitization_and_form_ii06a_of_one_period_together(office: Office) -> None:
    book(office, "a.xlsx", [ii06a("Xã Gio An", 40, 30, 10, 50, 10, 5, 12, 3)])
    book(office, "b.xlsx", [["1", "Xã Gio An", "70", "20", "50", "9", "3", "62", "30", "32"]], heads=forms.DIGITIZATION)
    assert office.night().exit_code == 0
    with office.open() as con:
        assert stats(con)["Xã Gio An"]["total"] == 80
        found = rates(con, "Xã Gio An")
        assert found["component_digitization_rate"][:3] == (50, 70, 0)
        assert found["result_digitization_rate"][:3] == (32, 62, 0)
        assert [a.get("counted") for a in account(con).values()] == [1, 1]


def test_digitization_alone_tells_of_nothing_else(office: Office) -> None:
    book(office, "b.xlsx", [["1", "Xã Gio An", "70", "20", "50", "9", "3", "62", "30", "32"]], heads=forms.DIGITIZATION)
    assert office.night().exit_code == 0
    with office.open() as con:
        row = stats(con)["Xã Gio An"]
        assert {name: row[name] for name in measures() if row[name] is not None} == {"resolved": 62}
        found = rates(con, "Xã Gio An")
        assert found["component_digitization_rate"][:3] == (50, 70, 0)
        assert found["on_time_rate"] == (0, 0, None, "no_data"), "not even of how many it does not tell"
        whole = rates(con, "Các xã, thị trấn huyện Gio Linh")
        assert whole["on_time_rate"] == (0, 0, None, "no_data")


def test_one_unit_told_of_differently_in_one_file(office: Office) -> None:
    """In two spellings, or on two sheets: neither counts, both are named."""
    an = ii06a("Xã Gio An", 10, 5, 0, 9, 3, 1, 1, 1)
    other = ii06a("UBND xã Gio An", 11, 5, 0, 10, 3, 1, 1, 1)
    same = ii06a("Xã Gio Châu", 1, 0, 0, 1, 0, 0, 0, 0)
    path = office.home.raw / "bieu" / "b.xlsx"
    forms.workbook(
        path, {"A": (forms.II06A, [an, same], forms.TITLES), "B": (forms.II06A, [other, same], forms.TITLES)}
    )
    assert office.night().exit_code == 1
    with office.open() as con:
        accounts = account(con)["b.xlsx"]
        assert accounts["rejected conflicting_figures"] == 2
        assert (accounts["counted"], accounts["excluded superseded"]) == (1, 1)
        found = stats(con)
        assert found["Xã Gio Châu"]["total"] == 1 and "Xã Gio An" not in {u for u, r in found.items() if r["total"]}


def test_two_sheets_of_two_periods(office: Office) -> None:
    first, second = ii06a("Xã Gio An", 10, 5, 0, 9, 3, 1, 1, 1), ii06a("Xã Gio An", 20, 5, 2, 9, 3, 1, 13, 1)
    path = office.home.raw / "bieu" / "b.xlsx"
    forms.workbook(
        path,
        {
            "Quý III": (forms.II06A, [first], ["BÁO CÁO QUÝ III/2023"]),
            "Quý IV": (forms.II06A, [second], ["BÁO CÁO QUÝ IV NĂM 2023"]),
        },
    )
    assert office.night().exit_code == 0
    with office.open() as con:
        assert stats(con)["Xã Gio An"]["online"] == 10
        assert stats(con, "2023-Q4")["Xã Gio An"]["online"] == 20
        assert con.execute("SELECT first_day::VARCHAR, last_day::VARCHAR FROM file").fetchall() == [
            ("2023-06-15", "2023-12-14")
        ]


def test_unknown_units_are_rejected_and_can_be_accepted(office: Office, motcua: Any) -> None:
    book(office, "b.xlsx", [ii06a("Xã Gio Ann", 10, 5, 0, 9, 3, 1, 1, 1), ii06a("Xã Gio Châu", 1, 0, 0, 1, 0, 0, 0, 0)])
    assert office.night().exit_code == 1
    with office.open() as con:
        assert account(con)["b.xlsx"]["rejected unknown_unit"] == 1
    assert "Xã Gio Ann" in motcua(office.home, "units", "--review").out
    assert motcua(office.home, "units", "--accept", "Xã Gio Ann", "19522").code == 0
    assert office.night().exit_code == 0
    with office.open() as con:
        assert stats(con)["Xã Gio An"]["total"] == 15


def test_a_summary_taken_back(office: Office, motcua: Any) -> None:
    book(office, "b.xlsx", [ii06a("Xã Gio An", 10, 5, 0, 9, 3, 1, 1, 1)])
    register(office)
    office.night()
    assert motcua(office.home, "withdraw", "bieu/b.xlsx", "--reason", "nhầm kỳ").code == 0
    office.night()
    with office.open() as con:
        assert con.execute("SELECT count(*) FROM reported").fetchall() == [(0,)]
        assert set(account(con)["b.xlsx"]) == {"excluded withdrawn"}


def test_a_summary_made_before_the_period_ended_covers_it_in_part(office: Office) -> None:
    book(office, "b.xlsx", [ii06a("Xã Gio An", 10, 5, 0, 9, 3, 1, 1, 1)], *forms.TITLES, EXPORTED.format("10/09/2023"))
    assert office.night().exit_code == 0
    with office.open() as con:
        row = stats(con)["Xã Gio An"]
        assert (row["coverage"], str(row["as_of"]), row["total"]) == ("partial", "2023-09-10", 15)
        assert "10/09/2023" in row["missing"]


def test_a_summary_made_before_its_period_began_is_refused(office: Office) -> None:
    book(office, "b.xlsx", [ii06a("Xã Gio An", 10, 5, 0, 9, 3, 1, 1, 1)], *forms.TITLES, EXPORTED.format("10/06/2023"))
    (refusal,) = office.night().refused
    assert "15/06/2023" in refusal.render("vi") and "10/06/2023" in refusal.render("vi")


def test_a_register_and_its_summary_in_one_workbook(office: Office) -> None:
    """A sheet of dossiers, a sheet of figures, one that is hidden, one with words alone."""
    path = office.home.raw / "so" / "b.xlsx"
    forms.workbook(path, {"Biểu": (forms.II06A, [ii06a("Xã Gio An", 1, 1, 0, 1, 0, 0, 1, 0)], forms.TITLES)})
    rows = table([dossier(), opened(channel="Trực tiếp", due_at="20/09/2023 17:00:00")])
    with_sheets(path, {"Sổ": rows, "Ẩn": rows, "Ghi chú": [["Số liệu lấy từ hệ thống"]]}, hidden="Ẩn")
    assert office.night().exit_code == 0
    with office.open() as con:
        assert stats(con)["Xã Gio An"]["basis"] == "dossiers" and stats(con)["Xã Gio An"]["total"] == 2
        assert con.execute(
            "SELECT count(*), sum(abs(difference)) FROM reconciliation WHERE period = ?", [Q3]
        ).fetchall() == [(11, 0)]
        accounts = account(con)["b.xlsx"]
        assert (accounts["counted"], accounts["excluded hidden_sheet"], accounts["excluded no_table"]) == (
            3,
            len(rows),
            1,
        )


def with_sheets(path: Path, sheets: dict[str, list[list[Any]]], hidden: str) -> None:
    book = openpyxl.load_workbook(path)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book[hidden].sheet_state = "hidden"
    book.save(path)


def test_on_todays_tree_what_is_reported_counts_and_is_marked(office: Office) -> None:
    """Gio An and Gio Châu stand in two communes of today."""
    register(office)
    book(office, "b.xlsx", [ii06a("Xã Gio Châu", 10, 5, 0, 9, 3, 1, 1, 1)])
    office.night()
    with office.open() as con:
        rows = {r["unit"]: (r["basis"], r["coverage"], r["total"], r["postal"]) for r in trends(con, Q3)}
    assert rows == {
        "Tất cả đơn vị có số liệu": ("mixed", "full", 17, None),
        "Tỉnh Quảng Trị": ("mixed", "partial", 17, None),
        "Xã Cồn Tiên": ("dossiers", "partial", 2, 0),
        "Xã Gio Linh": ("reported", "partial", 15, None),
    }


def test_the_page_of_a_run_takes_what_a_summary_does_not_tell(reported: Home, office: Office) -> None:
    book(office, "b.xlsx", [["1", "Xã Gio An", "70", "20", "50", "9", "3", "62", "30", "32"]], heads=forms.DIGITIZATION)
    office.night()
    for home in (reported, office.home):
        with open_published(home) as con:
            rows = answers.stats(con, Q3)
        lines = (notes.headline(rows).value or "").splitlines()
        assert len(lines) == 2 + len(rows)
        assert notes.picture(rows).value


def test_a_run_over_summaries_alone_ends_well(office: Office, motcua: Any) -> None:
    book(office, "b.xlsx", [ii06a("Xã Gio An", 10, 5, 0, 9, 3, 1, 1, 1)])
    said: Said = motcua(office.home, "run")
    assert said.code == 0, said.all
    assert "Xã Gio An" in said.out and "theo bảng tổng hợp" in said.out


# ---- an oracle, and the proof that each cell matters


def recount(files: list[tuple[str, list[list[str]]]]) -> dict[str, list[int]]:
    """Unit → columns (3)…(13), newest report first, in plain Python."""
    found: dict[str, list[int]] = {}
    for _, rows in sorted(files):
        found |= {row[1]: numbers(row) for row in rows}
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_random_summaries_against_a_recount(office: Office, seed: int) -> None:
    dice = random.Random(seed)
    files = []
    for n in range(4):
        names = dice.sample([*COMMUNES, COUNTER], dice.randint(1, 5))
        rows = some_rows(dice, names)
        day = f"2023-09-{15 + n}"
        files.append((day, rows))
        spelled = [
            [row[0], dice.choice([row[1], row[1].upper(), f"UBND {row[1]}".replace("UBND UBND", "UBND")]), *row[2:]]
            for row in rows
        ]
        shown = [
            [*row[:2], *(f"{int(c):,}".replace(",", dice.choice([".", ",", ""])) for c in row[2:])] for row in spelled
        ]
        book(
            office,
            f"{n}.xlsx",
            dice.sample(shown, len(shown)),
            *forms.TITLES,
            EXPORTED.format(f"{15 + n}/09/2023"),
            key=dice.choice(["a", "b"]),
        )
    assert office.night().exit_code == 0
    expected = recount(files)
    with office.open() as con:
        found = stats(con)
        assert {u: form(con, u)[0][2:13] for u in expected} == {u: tuple(row) for u, row in expected.items()}
        assert {u for u, r in found.items() if r["level"] == "unit" and r["total"] is not None} == set(expected)
        for name, at in (("total", 0), ("online", 1), ("resolved_late", 7), ("open_overdue", 10)):
            assert found.get(DISTRICT, found["Các xã, thị trấn huyện Gio Linh"])[name] == sum(
                row[at] for row in expected.values()
            )
        account(con)


def cells_of(con: duckdb.DuckDBPyConnection) -> dict[tuple, Any]:
    """Every figure of the quarter: (table, unit, name) → value."""
    found: dict[tuple, Any] = {}
    for row in answers.stats(con, Q3):
        found |= {("stats", row["unit"], name): row[name] for name in measures()}
    for row in con.execute(
        f"SELECT u.unit, {', '.join(COLUMNS)} FROM form_ii06a JOIN unit u USING (unit_id)"
    ).fetchall():
        found |= {("form", row[0], name): n for name, n in zip(COLUMNS, row[1:], strict=True)}
    for row in answers.indicators(con, Q3):
        found |= {
            ("rate", row["unit"], f"{row['indicator']} {k}"): row[k] for k in ("numerator", "denominator", "unknown")
        }
    return found


def test_one_cell_changes_just_the_figures_that_hang_on_it(
    reported: Home, told: list[list[str]], office: Office
) -> None:
    """Column (13), overdue, of one commune: its own figures, the form's, and the sums above."""
    rows = [[*row] for row in told]
    rows[1][12] = str(int(rows[1][12]) + 1)
    book(office, "quy3.xlsx", rows)
    assert office.night().exit_code == 0
    with open_published(reported) as one, office.open() as other:
        before, after = cells_of(one), cells_of(other)
        assert findings(other, "summaries") == 1
    units = [told[1][1], "Các xã, thị trấn huyện Gio Linh", DISTRICT]
    expected = {("stats", unit, "open_overdue") for unit in units} | {("form", told[1][1], "c13")}
    expected |= {("rate", unit, "on_time_rate_handled numerator") for unit in units}
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} == expected
