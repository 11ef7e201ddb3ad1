"""Across files and sources: dossiers that vanish from full exports, one dossier in two registers, transfers between
units, files taken back. Every row of every file stays accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measure import answers
from pipeline.warehouse.withdrawal import withdraw
from tests.unit.office import Office, Row, opened

pytestmark = pytest.mark.usefixtures("figures_alone")
CODE, OTHER, STAYS = "H50.466-230703-0001", "H50.466-230703-0002", "H50.466-230703-0009"


def titles(first: str, last: str, at: str | None = None) -> list[str]:
    return ["SỔ THEO DÕI HỒ SƠ", f"Từ ngày {first} đến ngày {last}", f"Ngày xuất dữ liệu: {at or last + ' 23:30:00'}"]


JULY = titles("15/06/2023", "14/07/2023")
AUGUST = titles("15/07/2023", "14/08/2023")
SEPTEMBER = titles("15/08/2023", "14/09/2023")
MONTHS = {"m7.csv": JULY, "m8.csv": AUGUST, "m9.csv": SEPTEMBER}


def stays(**cells: Any) -> Row:
    """A dossier that is in every file, so that each names its unit."""
    return opened(dossier_code=STAYS, received_at="01/07/2023", due_at="30/12/2023") | cells


def lost(**cells: Any) -> Row:
    return opened(dossier_code=CODE, received_at="03/07/2023", due_at="30/12/2023") | cells


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.source('known_at = "exported"\n')
    return made


def monthly(office: Office, *rows: Sequence[Row], key: str = "so", also: Sequence[Row] = ()) -> None:
    """A full export a month."""
    for (name, month), own in zip(MONTHS.items(), rows, strict=False):
        office.drop(name, [stays(), *also, *own], month, key=key)


@contextmanager
def published(office: Office) -> Iterator[duckdb.DuckDBPyConnection]:
    result = office.night()
    assert not result.refused, [e.render("en") for e in result.refused]
    with office.open() as con:
        accounted(con)
        yield con


def accounted(con: duckdb.DuckDBPyConnection) -> None:
    """Every file's rows add up, and as many rows count as there are dossiers."""
    wrong = con.execute(
        """SELECT f.file_id, f.name, f.rows_in, coalesce(sum(a.rows), 0) FROM file f LEFT JOIN file_account a USING (file_id)
           GROUP BY ALL HAVING f.rows_in <> coalesce(sum(a.rows), 0)"""
    ).fetchall()
    assert wrong == []
    counted, dossiers = con.execute(
        """SELECT (SELECT coalesce(sum(rows), 0) FROM file_account WHERE verdict = 'counted'),
                  (SELECT count(DISTINCT dossier_id) FROM dossier)"""
    ).fetchall()[0]
    assert counted == dossiers


def outcome(con: duckdb.DuckDBPyConnection, period: str, but: int = 1) -> str:
    """How the one dossier besides those that stay stands in a period."""
    rows = con.execute(
        "SELECT outcome, count(*) FROM dossier_period WHERE period = ? GROUP BY ALL ORDER BY ALL", [period]
    ).fetchall()
    found = dict(rows)
    found["open_in_term"] = found.get("open_in_term", 0) - but
    return " ".join(name for name, n in found.items() if n) or "none"


def vanished(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None]]:
    """(file that it is missing from, what it was, day on which it came back)."""
    return con.execute(
        """SELECT f.name, v.was, CAST(v.reappeared_on AS VARCHAR) FROM vanished v JOIN file f USING (file_id)
           ORDER BY v.vanished_on"""
    ).fetchall()


def reasons(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """(file, reason or verdict) → rows."""
    rows = con.execute(
        "SELECT f.source || '/' || f.name, coalesce(a.reason, a.verdict), a.rows FROM file_account a JOIN file f USING (file_id)"
    ).fetchall()
    return {(file, reason): n for file, reason, n in rows}


# ---- vanished


def test_an_open_dossier_that_vanishes_is_unclassified_from_that_export_on(office: Office) -> None:
    monthly(office, [lost()], [], [])
    with published(office) as con:
        assert vanished(con) == [("m8.csv", "open", None)]
        assert outcome(con, "2023-M07") == "open_in_term", "an earlier cut-off keeps what was known then"
        assert outcome(con, "2023-M08") == outcome(con, "2023-M09") == outcome(con, "2023-Q3") == "unclassified"
        (found,) = con.execute("SELECT failures FROM finding WHERE \"check\" = 'vanished'").fetchall()
        assert found == (1,)
        (row,) = answers.stats(con, "2023-Q3", unit="Xã Gio An")
        assert (row["total"], row["open"], row["unclassified"]) == (2, 1, 1)


def test_one_that_comes_back_is_what_the_later_file_says(office: Office) -> None:
    monthly(office, [lost()], [], [lost(status="Đã xử lý xong", finished_at="01/09/2023", due_at="30/08/2023")])
    with published(office) as con:
        assert vanished(con) == [("m8.csv", "open", "2023-09-14")]
        assert (outcome(con, "2023-M08"), outcome(con, "2023-M09")) == ("unclassified", "resolved_late")
        assert con.execute("SELECT count(*) FROM finding WHERE \"check\" = 'vanished'").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("row", "found", "q3"),
    [
        (lost(status="Đã xử lý xong", finished_at="10/07/2023"), [], "resolved_early"),
        (lost(status="Đã xử lý xong", finished_at="10/07/2023", received_at="10/07/2023"), [], "resolved_early"),
        (lost(status="Từ chối tiếp nhận"), [], "none"),
        (lost(status="Yêu cầu bổ sung"), [("m8.csv", "paused", None)], "unclassified"),
        (lost(extended_due_at="20/12/2023"), [("m8.csv", "open", None)], "unclassified"),
    ],
    ids=["concluded before the next span", "received and concluded on one day", "never received", "paused", "extended"],
)
def test_which_dossiers_vanish(office: Office, row: Row, found: list[Any], q3: str) -> None:
    monthly(office, [row], [], [])
    with published(office) as con:
        assert vanished(con) == found
        assert outcome(con, "2023-Q3") == q3


def test_a_conclusion_within_the_span_is_missed_but_stays(office: Office) -> None:
    """An export of the whole quarter should still list what was concluded in July; its date is a dated fact."""
    monthly(office, [lost(status="Đã xử lý xong", finished_at="10/07/2023")])
    office.drop("quy.csv", [stays()], titles("15/06/2023", "14/09/2023"))
    with published(office) as con:
        assert vanished(con) == [("quy.csv", "resolved", None)]
        assert outcome(con, "2023-Q3") == "resolved_early"


@pytest.mark.parametrize("extent", ["received_in", "open_at", "delta"])
def test_only_a_full_export_can_miss_a_dossier(office: Office, extent: str) -> None:
    office.source(f'known_at = "exported"\nextent = "{extent}"\n')
    monthly(office, [lost()], [])
    with published(office) as con:
        assert vanished(con) == [] and outcome(con, "2023-M07") in ("open_in_term", "none")


def test_a_file_speaks_for_the_units_and_days_that_it_covers(office: Office) -> None:
    """Not for another unit, not for what was received after its last day."""
    office.drop("an.csv", [stays(), lost(unit="Xã Gio Hải")], JULY)
    office.drop("an_8.csv", [stays()], AUGUST)
    with published(office) as con:
        # both files of the source name several units or one of them: the second speaks for Gio An alone
        assert vanished(con) == []
    office.drop(
        "cu.csv",
        [stays(unit="Xã Gio An", dossier_code=OTHER)],
        titles("15/06/2023", "30/06/2023", "20/09/2023 08:00:00"),
    )
    with published(office) as con:
        assert not [v for v in vanished(con) if v[0] == "cu.csv"]


@pytest.mark.parametrize(
    "rows",
    [
        [lost(unit="Phường Không Có")],
        [lost(due_at="hôm nào")],
        [lost(received_at="03/07/2033")],
        [lost(), lost(due_at="29/12/2023")],
    ],
    ids=["unit", "date not read", "after the export", "conflicting rows"],
)
def test_a_row_that_was_rejected_was_there(office: Office, rows: list[Row]) -> None:
    monthly(office, [lost()], rows)
    with published(office) as con:
        assert vanished(con) == []
        assert outcome(con, "2023-M08") == "open_in_term"
        assert con.execute("SELECT sum(rows) FROM file_account WHERE verdict = 'rejected'").fetchall() == [(len(rows),)]


def test_parts_of_one_export_miss_nothing_of_each_other(office: Office) -> None:
    """A register cut into files of one day that have no dossier in common."""
    span = titles("15/07/2023", "14/08/2023")[:2]
    office.drop("phan_1.csv", [stays()], [*span, "Ngày xuất dữ liệu: 14/08/2023 23:30:00"])
    office.drop("phan_2.csv", [lost()], [*span, "Ngày xuất dữ liệu: 14/08/2023 23:40:00"])
    office.drop("phan_3.csv", [lost(dossier_code=OTHER)], [*span, "Ngày xuất dữ liệu: 14/08/2023 23:50:00"])
    with published(office) as con:
        assert vanished(con) == []


def test_a_second_export_of_the_day_misses_what_it_does_not_list(office: Office) -> None:
    span = titles("15/07/2023", "14/08/2023")[:2]
    office.drop("sang.csv", [stays(), lost()], [*span, "Ngày xuất dữ liệu: 14/08/2023 08:00:00"])
    office.drop("chieu.csv", [stays()], [*span, "Ngày xuất dữ liệu: 14/08/2023 17:00:00"])
    with published(office) as con:
        assert vanished(con) == [("chieu.csv", "open", None)] and outcome(con, "2023-M08") == "unclassified"


def test_the_same_name_exported_anew_without_a_dossier(office: Office) -> None:
    """The title's time is that of the first file: the intake orders them."""
    office.source("")
    office.drop("so.csv", [stays(), lost()], JULY)
    office.night()
    office.drop("so.csv", [stays()], JULY)
    with published(office) as con:
        assert vanished(con) == [("so.csv", "open", None)] and outcome(con, "2023-M07") == "unclassified"


def test_the_same_name_with_as_many_other_rows(office: Office) -> None:
    """Each version of a file has its own account."""
    office.drop("so.csv", [stays(), lost(dossier_code=OTHER)], JULY)
    office.night()
    office.drop("so.csv", [stays(due_at="29/12/2023"), lost(dossier_code=OTHER)], JULY)
    with published(office) as con:
        rows = con.execute("SELECT file_id, reason, rows FROM file_account ORDER BY ALL").fetchall()
        assert rows == [(1, "superseded", 2), (2, None, 2)]


# ---- two registers


def two_registers(office: Office, commune: int | None, district: int | None) -> None:
    """One dossier: the commune's register says it is open, the district's later export that it was resolved late."""
    for key, rank in (("xa", commune), ("huyen", district)):
        office.source('known_at = "exported"\n' + ("" if rank is None else f"precedence = {rank}\n"), key=key)
    office.drop("so.csv", [stays(), lost(due_at="08/07/2023")], JULY, key="xa")
    told = lost(status="Đã xử lý xong", finished_at="20/07/2023", due_at="08/07/2023", unit="Xã Gio Hải")
    office.drop("so.csv", [told], AUGUST, key="huyen")


@pytest.mark.parametrize(
    ("ranks", "standing", "excluded"),
    [
        ((None, None), "resolved_late", ("xa/so.csv", "superseded")),
        ((1, 1), "resolved_late", ("xa/so.csv", "superseded")),
        ((2, 1), "open_overdue", ("huyen/so.csv", "other_register")),
        ((0, 5), "resolved_late", ("xa/so.csv", "other_register")),
        ((None, -1), "open_overdue", ("huyen/so.csv", "other_register")),
    ],
)
def test_the_same_dossier_in_two_registers_counts_once(
    office: Office, ranks: tuple[int | None, int | None], standing: str, excluded: tuple[str, str]
) -> None:
    two_registers(office, *ranks)
    with published(office) as con:
        assert outcome(con, "2023-Q3") == standing
        assert reasons(con)[excluded] == 1
        told = con.execute("SELECT kind, from_source, to_source FROM transfer").fetchall()
        counting = "xa" if standing == "open_overdue" else "huyen"
        assert told == [("two_registers", "huyen" if counting == "xa" else "xa", counting)]
        (found,) = con.execute("SELECT DISTINCT failures FROM finding WHERE \"check\" = 'transfers'").fetchall()
        assert found == (1,)
        covered = {u for (u,) in con.execute("SELECT DISTINCT unit_id FROM coverage WHERE source = 'huyen'").fetchall()}
        assert len(covered) == 1, "a register whose rows do not count still covers its unit"


def test_codes_of_an_offices_own_are_no_dossier_of_another(office: Office) -> None:
    two_registers(office, 1, 2)
    for key in ("xa", "huyen"):
        office.drop("rieng.csv", [lost(dossier_code="HS-17", procedure=key)], JULY, key=key)
    with published(office) as con:
        assert con.execute("SELECT count(DISTINCT dossier_id) FROM dossier").fetchall() == [(4,)]


def test_a_rejected_row_of_the_higher_register_outranks_nothing(office: Office) -> None:
    two_registers(office, 0, 5)
    office.drop("so.csv", [lost(unit="Phường Không Có")], AUGUST, key="huyen")
    office.night()
    office.home.intake_log.unlink()
    with published(office) as con:
        assert outcome(con, "2023-M07") == "open_overdue"
        assert reasons(con)["huyen/so.csv", "unknown_unit"] == 1


# ---- transfers


def test_a_dossier_that_moves_between_units_is_listed(office: Office) -> None:
    monthly(
        office,
        [lost()],
        [lost(unit="Xã Gio Hải")],
        [lost(unit="Xã Gio Hải")],
        also=[stays(unit="Xã Gio Hải", dossier_code=OTHER)],
    )
    with published(office) as con:
        found = con.execute(
            """SELECT a.unit, b.unit, CAST(from_day AS VARCHAR), CAST(to_day AS VARCHAR), t.kind FROM transfer t
               JOIN unit a ON a.unit_id = from_unit_id JOIN unit b ON b.unit_id = to_unit_id"""
        ).fetchall()
        assert found == [("Xã Gio An", "Xã Gio Hải", "2023-07-14", "2023-08-14", "transfer")]
        assert vanished(con) == []


def test_a_unit_under_its_old_and_its_new_name_is_no_transfer(office: Office) -> None:
    """Dossiers of a commune that became part of another one in 2025."""
    row = lost(received_at="02/06/2025")
    old, new = titles("01/06/2025", "30/06/2025"), titles("01/07/2025", "31/07/2025")
    office.drop("cu.csv", [row | {"unit": "Xã Gio Mai"}], old)
    office.drop("moi.csv", [row | {"unit": "Xã Cửa Việt"}], new)
    with published(office) as con:
        units = con.execute("SELECT DISTINCT unit_id FROM coverage ORDER BY 1").fetchall()
        assert len(units) == 2
        assert con.execute("SELECT * FROM transfer").fetchall() == []


# ---- taken back


def test_a_withdrawn_file_stops_counting_and_counts_again(office: Office) -> None:
    monthly(office, [lost()], [lost(status="Đã xử lý xong", finished_at="01/08/2023")])
    with published(office) as con:
        assert outcome(con, "2023-Q3") == "resolved_early"
    withdraw(office.home, "m8.csv", "xuất nhầm")
    with published(office) as con:
        assert outcome(con, "2023-Q3") == "open_in_term"
        account = con.execute(
            "SELECT f.name, f.withdrawn_reason, a.verdict, a.reason, a.rows FROM file f JOIN file_account a USING (file_id) "
            "WHERE withdrawn_at IS NOT NULL"
        ).fetchall()
        assert account == [("m8.csv", "xuất nhầm", "excluded", "withdrawn", 2)]
        assert con.execute("SELECT DISTINCT file_id FROM coverage").fetchall() == [(1,)]
    assert not office.night().changed
    withdraw(office.home, "m8.csv", "đúng rồi", undo=True)
    with published(office) as con:
        assert outcome(con, "2023-Q3") == "resolved_early"


def test_all_files_withdrawn_leave_no_figure_and_every_row_accounted_for(office: Office) -> None:
    monthly(office, [lost()])
    office.night()
    withdraw(office.home, "m7.csv", "xuất nhầm")
    with published(office) as con:
        assert con.execute("SELECT count(*) FROM dossier_period").fetchall() == [(0,)]
        assert reasons(con) == {("so/m7.csv", "withdrawn"): 2}


# ---- whatever the files say

ROWS = st.tuples(
    st.sampled_from([CODE, OTHER, "HS-3"]),
    st.sampled_from(["Xã Gio An", "Xã Gio Hải", "Phường Không Có"]),
    st.sampled_from([("Đang xử lý", ""), ("Đã xử lý xong", "05/07/2023"), ("Từ chối tiếp nhận", ""), ("?", "")]),
    st.sampled_from(["03/07/2023", "hôm qua"]),
)
FILES = st.lists(
    st.tuples(st.sampled_from(["xa", "huyen"]), st.sampled_from(list(MONTHS.values())), st.lists(ROWS, max_size=4)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=5)
@given(FILES, st.integers(0, 2), st.sets(st.integers(1, 4), max_size=2))
def test_every_row_of_every_file_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, files: list[Any], rank: int, back: set[int]
) -> None:
    office = Office(tmp_path_factory.mktemp("sổ"))
    for key, own in (("xa", 1), ("huyen", rank)):
        office.source(f'known_at = "exported"\nprecedence = {own}\n', key=key)
    for n, (key, month, rows) in enumerate(files):
        cells = [
            opened(dossier_code=code, unit=unit, status=status, finished_at=finished, received_at=received)
            for code, unit, (status, finished), received in rows
        ]
        office.drop(f"{n}.csv", [stays(dossier_code=f"H50.466-230703-1{n:03}"), *cells], month, key=key)
    office.night()
    for n in back & set(range(len(files))):
        withdraw(office.home, f"{n}.csv", "thử")
    with published(office) as con:
        assert con.execute("SELECT count(*) FROM file").fetchall() == [(len(files),)]
        still = con.execute(
            """SELECT count(*) FROM dossier_period p JOIN vanished v USING (dossier_id)
               WHERE v.reappeared_on IS NULL AND p.as_of >= v.vanished_on AND p.outcome LIKE 'open%'"""
        ).fetchall()
        assert still == [(0,)], "what vanished is no longer silently open"
