"""The published file's macros for what was known at a moment: row by row what a rebuild of the record gives.

Not here: whether a rebuild is right (tests/oracle/test_known.py, test_as_known.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline import night
from pipeline.declare.tables import macros
from pipeline.errors import NothingPublished
from pipeline.measure import as_known
from pipeline.measure.as_known import as_known_macros
from pipeline.settings import Home
from pipeline.warehouse import withdrawal
from pipeline.warehouse.record import read_log
from pipeline.warehouse.release import published
from pipeline.warehouse.sql import question, quoted
from tests.oracle.arrivals import arrivals
from tests.oracle.registers import COMMUNES, COUNTER
from tests.quick import figures_alone, some, thorough
from tests.unit.office import Office, clock, dossier, opened

pytestmark = pytest.mark.usefixtures("in_full")

INSTANT = timedelta(microseconds=1)
# macro → its namesake among the live tables
ALIKE = {
    "dossier_as_known": "main.dossier",
    "dossier_period_as_known": "live.dossier_period",
    "period_count_as_known": "live.period_count",
}


# ---------------------------------------------------------------- an office in which all of it happens


def titles(first: str, last: str, exported: str, *more: str) -> tuple[str, ...]:
    return "SỔ THEO DÕI HỒ SƠ", *more, f"Từ ngày {first} đến ngày {last}", f"Ngày xuất dữ liệu: {exported} 23:30:00"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Late and older files, a register that goes before another, units of a source's own, an empty register of one
    unit, a rejected row, a dossier that vanishes, the reform; some taken back, some given again."""
    office = Office(tmp_path_factory.mktemp("office"))
    office.source('name = "Sổ xã"\nextent = "full"\n', "so")
    office.source('name = "Sổ một cửa"\nextent = "full"\nprecedence = 1\n', "mot_cua")
    office.source('name = "Sổ riêng"\nextent = "full"\nunits = "from_file"\n', "rieng")
    codes = [f"H50.466-230703-{n:04d}" for n in range(1, 9)]
    first = [opened(dossier_code=c, unit=u) for c, u in zip(codes, ("Xã Gio An", "Xã Gio Hải") * 4, strict=True)]
    paused = [*first[:4], opened(dossier_code=codes[4], status="Yêu cầu bổ sung"), *first[5:]]
    ended = [dossier(dossier_code=r["dossier_code"], unit=r["unit"]) for r in first[:5]]
    quarter = titles("15/06/2023", "14/09/2023", "14/09/2023")
    rejected = dossier(dossier_code=codes[6], received_at="không rõ")
    again = opened(dossier_code=codes[0])
    lists = {
        "2023-07-10 08:00:00": ("so", "t7.csv", first, titles("15/06/2023", "09/07/2023", "09/07/2023")),
        # codes[7] is gone, codes[6] rejected
        "2023-09-15 08:00:00": ("so", "quy3.csv", [*ended, first[5], rejected], quarter),
        # exported before the one that is there
        "2023-10-02 09:00:00": ("so", "t8.csv", paused, titles("15/06/2023", "31/07/2023", "31/07/2023")),
        "2023-10-05 09:00:00": (
            *("mot_cua", "uu_tien.csv"),
            [dossier(dossier_code=c, unit="Xã Gio Hải", due_at="04/07/2023 17:00:00") for c in codes[:3]],
            titles("15/06/2023", "30/09/2023", "30/09/2023"),
        ),
        "2023-10-06 09:00:00": (
            *("rieng", "cu.csv"),
            [dossier(unit="Trạm y tế", received_at="02/05/2020 08:00:00"), opened(unit="Trường học")],
            titles("15/03/2020", "30/09/2023", "30/09/2023"),
        ),
        "2023-10-07 09:00:00": ("so", "trong.csv", [], (*quarter[:1], "Đơn vị: Xã Linh Trường", *quarter[1:])),
        "2023-12-15 08:00:00": (
            *("so", "quy4.csv"),
            [again, *first[5:]],  # reopened; what vanished is back
            titles("15/09/2023", "14/12/2023", "14/12/2023"),
        ),
        "2025-09-15 08:00:00": (
            *("so", "2025.csv"),
            [opened(unit="Xã Cửa Việt", received_at="07/07/2025 08:00:00", due_at="30/09/2025"), *first[5:]],
            titles("15/12/2023", "14/09/2025", "14/09/2025"),
        ),
    }
    back = {
        "2023-11-01 10:00:00": ("rieng/cu.csv", False),
        "2023-11-02 10:00:00": ("mot_cua/uu_tien.csv", False),
        "2023-11-20 10:00:00": ("mot_cua/uu_tien.csv", True),
        "2023-11-21 10:00:00": ("so/trong.csv", False),
        "2024-01-10 10:00:00": ("so/quy3.csv", False),
        "2024-02-10 10:00:00": ("so/quy3.csv", True),
        "2024-03-10 10:00:00": ("so/quy3.csv", False),
        "2024-03-11 10:00:00": ("so/quy3.csv", True),
        "2025-10-01 10:00:00": ("so/t8.csv", False),
    }
    headers = {c: office_header for c, office_header in HEADERS_OF_EMPTY.items()}
    for at in sorted(lists | back):
        with clock(at):
            if at in back:
                withdrawal.withdraw(office.home, back[at][0], "nhầm tệp", back[at][1])
                continue
            key, name, rows, title = lists[at]
            office.drop(name, rows, title, key, **({} if rows else {"headers": headers}))
            took = office.take_in()
            assert len(took.taken) == 1 and not took.refused, (name, took.refused)
    assert office.night().release
    return office


HEADERS_OF_EMPTY = {
    "dossier_code": "Mã hồ sơ",
    "received_at": "Ngày tiếp nhận",
    "status": "Trạng thái",
    "finished_at": "Ngày kết thúc xử lý",
    "due_at": "Ngày hẹn trả",
}


# ---------------------------------------------------------------- comparing


def events(home: Home) -> list[datetime]:
    """The moments at which what is known changes."""
    return sorted({at for entry in read_log(home) for span in entry.known for at in span if at})


def differences(con: duckdb.DuckDBPyConnection, home: Home, moment: datetime) -> list[str]:
    """Rows that a macro has and a rebuild has not, or the other way round; con: the published file."""
    try:
        path = night.known_by(home, moment)
    except NothingPublished:
        asked = {name: con.execute(f"SELECT count(*) FROM {name}(?)", [moment]).fetchall()[0][0] for name in ALIKE}
        return [f"{moment} {name}: {n} rows of nothing" for name, n in asked.items() if n]
    now = path == published(home).database
    if not now:
        con.execute(f"ATTACH {quoted(path)} AS rebuilt (READ_ONLY)")
    wrong = []
    for name, table in ALIKE.items():
        # each once: to plan a macro takes longer than to compare its rows
        con.execute(f"CREATE OR REPLACE TEMP TABLE here AS FROM {name}(TIMESTAMP '{moment}')")
        con.execute(f"CREATE OR REPLACE TEMP TABLE there AS FROM {table if now else f'rebuilt.{table}'}")
        for side, one, other in (("only asked", "here", "there"), ("only rebuilt", "there", "here")):
            rows = con.execute(f"FROM {one} EXCEPT ALL FROM {other}").fetchall()
            wrong += [f"{moment} {name} {side} ({len(rows)}): {row}" for row in rows[:3]]
        shapes = [con.execute(f"DESCRIBE {one}").fetchall() for one in ("here", "there")]
        wrong += [] if shapes[0] == shapes[1] else [f"{name}: other columns than {table}"]
    if not now:
        con.execute("DETACH rebuilt")
    return wrong


def must_agree(home: Home, moments: Iterable[datetime]) -> None:
    with duckdb.connect(str(published(home).database), read_only=True) as con:
        con.execute("SET threads = 1")
        with figures_alone():
            wrong = [line for moment in moments for line in differences(con, home, moment)]
    assert not wrong, "\n".join(wrong[:20])


def test_every_macro_is_tried() -> None:
    assert ALIKE.keys() == macros().keys()


def test_before_anything_was_known_there_are_no_rows(office: Office) -> None:
    must_agree(office.home, [datetime(1999, 1, 1), events(office.home)[0] - INSTANT])


def test_the_office_at_some_of_its_moments(office: Office) -> None:
    """The register that goes before others withdrawn, all of 2023, today."""
    must_agree(office.home, [datetime(2023, 10, 8), datetime(2023, 11, 5), datetime(2099, 1, 1)])


@pytest.mark.slow
def test_the_office_when_something_changes(office: Office) -> None:
    changes = some(events(office.home), 2)
    must_agree(office.home, [moment for at in changes for moment in (at - INSTANT, at)])


@thorough
@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "last"), [(21, (date(2022, 5, 5), date(2022, 4, 20))), (13, (date(2023, 11, 5), date(2023, 10, 20)))]
)
def test_a_random_register(seed: int, last: tuple[date, date], tmp_path: Path) -> None:
    """As its files came: late, older ones after newer ones, taken back and given again; known by intake and by export."""
    home = Home(tmp_path)
    home.raw.mkdir(parents=True)
    known_at = {COUNTER: "exported", COMMUNES: "intake"}
    arrivals(home, seed, 150, known_at, date(2020, 12, 15), last)
    night.run(home)
    changes = events(home)
    assert any(e.undone for e in read_log(home)) and len(changes) > 20
    must_agree(home, [changes[0] - INSTANT, *some(changes, 4), changes[-1] - INSTANT])


def test_the_sample_before_and_after_its_corrections(sample: Home) -> None:
    with duckdb.connect(str(published(sample).database), read_only=True) as con:
        last = con.execute("SELECT max(known_at) FROM file").fetchall()[0][0]
    must_agree(sample, [last, last - timedelta(days=2000)])


# ---------------------------------------------------------------- ways of asking


def test_a_day_is_its_end_however_it_is_given(office: Office) -> None:
    """A file came on the second of October at nine, and was the first of August's."""
    con = office.open()

    def rows(moment: str) -> list[object]:
        return con.execute(f"SELECT * FROM dossier_period_as_known({moment}) ORDER BY ALL").fetchall()

    end, before = rows("TIMESTAMP '2023-10-02 23:59:59.999999'"), rows("TIMESTAMP '2023-10-02 08:59:59'")
    assert end != before
    for day in ("DATE '2023-10-02'", "'2023-10-02'", "'2023-10-2'", "moment := '2023-10-02'"):
        assert rows(day) == end, day
    for moment in (
        "'2023-10-02 08:59:59'",
        "'2023-10-02T08:59'",
        "TIMESTAMP '2023-10-02 00:00:00'",
        "DATE '2023-10-01'",
    ):
        assert rows(moment) == before, moment
    given = "SELECT * FROM dossier_period_as_known(?) ORDER BY ALL"
    assert con.execute(given, [date(2023, 10, 2)]).fetchall() == con.execute(given, ["2023-10-02"]).fetchall() == end


@pytest.mark.parametrize(
    "moment", ["2023-10-02T08:30:00+07:00", "2023-10-02 08:30Z", "02/10/2023", "hôm qua", "2023-10"]
)
def test_a_moment_that_could_be_misread_is_an_error(office: Office, moment: str) -> None:
    with pytest.raises(duckdb.Error):
        office.open().execute("SELECT count(*) FROM period_count_as_known(?)", [moment])


@pytest.mark.parametrize("way", ["USE kho", "SET search_path = 'memory,kho'"])
def test_a_file_attached_under_another_name_answers_alike(office: Office, way: str) -> None:
    own = office.open()
    with duckdb.connect() as con:
        # one process may hold a file once
        own_rows = {name: own.execute(f"SELECT * FROM {name}('2023-11-05') ORDER BY ALL").fetchall() for name in ALIKE}
        own.close()
        con.execute(f"ATTACH {quoted(published(office.home).database)} AS kho (READ_ONLY)")
        con.execute(way)
        for name, rows in own_rows.items():
            assert rows and con.execute(f"SELECT * FROM kho.{name}('2023-11-05') ORDER BY ALL").fetchall() == rows


# ---------------------------------------------------------------- the table of versions


def test_every_version_stands_with_the_time_in_which_it_was_known(office: Office) -> None:
    con = office.open()
    spans = con.execute(
        """SELECT DISTINCT f.name, v.known_from, v.known_to FROM dossier_version v JOIN file f USING (file_id)
           WHERE f.name IN ('uu_tien.csv', 'cu.csv', 't8.csv') ORDER BY ALL"""
    ).fetchall()
    at = datetime.fromisoformat
    assert spans == [
        ("cu.csv", at("2023-10-06 09:00:00"), at("2023-11-01 10:00:00")),
        ("t8.csv", at("2023-10-02 09:00:00"), at("2025-10-01 10:00:00")),
        ("uu_tien.csv", at("2023-10-05 09:00:00"), at("2023-11-02 10:00:00")),
        ("uu_tien.csv", at("2023-11-20 10:00:00"), None),
    ]
    assert con.execute(
        "SELECT count(*) FROM dossier_version WHERE nth IS NOT NULL AND known_to IS NOT NULL"
    ).fetchall() == [(0,)]
    newest = "SELECT dossier_id, file_id, sheet, row FROM {} ORDER BY ALL"
    assert (
        con.execute(newest.format("dossier_version WHERE nth = versions AND status_group <> 'not_counted'")).fetchall()
        == con.execute(newest.format("dossier WHERE episode = episodes")).fetchall()
    )


def test_what_only_a_withdrawn_file_names_is_no_unit_and_no_period_of_today(office: Office) -> None:
    con = office.open()
    assert con.execute("SELECT count(*) FROM unit WHERE unit_id LIKE 'rieng:%'").fetchall() == [(0,)]
    assert con.execute("SELECT count(*) FROM period WHERE period = '2020-Q2'").fetchall() == [(0,)]
    counted = "SELECT sum(n) FROM period_count_as_known('2023-10-20') WHERE period = '2020-Q2'"
    assert con.execute(counted).fetchall() == [(1,)]


# ---------------------------------------------------------------- planted faults

FAULTS = {
    "a withdrawal is not seen": ("known_to > (SELECT by_then FROM asked)", "TRUE"),
    "a withdrawal of today counts": ("known_to IS NULL OR known_to > (SELECT by_then FROM asked)", "known_to IS NULL"),
    "known before the moment, not by it": ("known_from <= ", "known_from < "),
    "today's register goes before others": (
        "t.precedence >= coalesce(p.precedence, t.precedence)",
        "t.precedence = (SELECT max(precedence) FROM file)",
    ),
    "what is known last speaks": ("counts ORDER BY position", "counts ORDER BY file_id"),
    "what vanished is open": ("SELECT * FROM lost\n", "SELECT * FROM lost WHERE FALSE\n"),
    "days of today's files are covered": ("coverage AS (", "coverage_then AS ("),
    "periods of today": ("FROM known_period k", "FROM (SELECT *, 0 AS sort FROM main.period) k"),
}


@pytest.mark.parametrize("name", some(list(FAULTS), 4))
def test_a_planted_fault_is_seen(office: Office, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = FAULTS[name]
    make = as_known._with

    def faulty(ctes: dict[str, str], select: str) -> str:
        return make(ctes, select).replace(right, wrong)

    assert right in "".join(as_known._selects().values())
    monkeypatch.setattr(as_known, "_with", faulty)
    copy = tmp_path / "faulty.duckdb"
    shutil.copyfile(published(office.home).database, copy)
    with duckdb.connect(str(copy)) as con:
        as_known_macros(con)
        moments = [datetime(2023, 10, 2, 9), datetime(2023, 10, 8), datetime(2023, 10, 20), datetime(2023, 11, 5)]
        assert any(differences(con, office.home, moment) for moment in moments)


def test_the_question_of_a_statement() -> None:
    assert question("-- why\n-- more\nCREATE TEMP TABLE a AS\nSELECT 1\nORDER BY ALL\n") == "SELECT 1"
    assert question("CREATE VIEW live.a AS SELECT row_number() OVER (\nORDER BY b) FROM c") == (
        "SELECT row_number() OVER (\nORDER BY b) FROM c"
    )
