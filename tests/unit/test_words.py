"""The words of the registers, stored once: `dossier` and `other_word` put together are every row that was told.

Not here: what was known at a moment (test_as_known_sql.py), and what a dossier's newest word is (test_versions.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipeline.warehouse import withdrawal
from pipeline.warehouse.build import build, connect
from pipeline.warehouse.intake import recorded
from tests.unit.office import Office, clock, dossier, opened

TOLD = "SELECT * EXCLUDE (position, first_exported_at, first_due_at) FROM placed"
CODES = [f"H50.466-250603-{n:04d}" for n in range(1, 9)]


def titles(exported: str) -> tuple[str, ...]:
    return "SỔ", f"Từ ngày 15/05/2025 đến ngày {exported}", f"Ngày xuất dữ liệu: {exported} 23:30:00"


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Words of every kind: told once and more than once, reopened, of a status that does not count, of a unit that got
    a new name, told by two registers, in a file that was taken back, and in one given again."""
    office = Office(tmp_path_factory.mktemp("office"))
    office.source('name = "Sổ xã"\nextent = "full"\n', "so")
    office.source('name = "Sổ một cửa"\nextent = "full"\nprecedence = 1\n', "mot_cua")
    day = {"received_at": "03/06/2025 08:00:00", "due_at": "20/07/2025 17:00:00", "unit": "Xã Gio Hải", "channel": ""}
    done = dict(day, finished_at="20/06/2025 09:00:00")
    none = dict(day, status="Mới đăng ký")
    first = [
        *(opened(dossier_code=code, **day) for code in (*CODES[:3], CODES[4])),
        dossier(dossier_code=CODES[3], **done),
        opened(dossier_code=CODES[5], **none),
        opened(dossier_code=CODES[7], **day | {"channel": "Trực tuyến"}),
    ]
    renamed = day | {"unit": "Xã Cửa Việt"}
    second = [
        *(opened(dossier_code=CODES[n], **renamed) for n in (0, 2, 3)),
        opened(dossier_code=CODES[4], **none),
        dossier(dossier_code=CODES[1], **done | {"unit": "Xã Cửa Việt", "finished_at": "02/07/2025 09:00:00"}),
    ]
    files = {
        "2025-07-01 08:00:00": ("so", "t6.csv", first, titles("30/06/2025")),
        "2025-08-01 08:00:00": ("so", "t7.csv", second, titles("31/07/2025")),
        "2025-08-02 08:00:00": ("mot_cua", "t7.csv", [opened(dossier_code=CODES[2], **renamed)], titles("30/07/2025")),
        "2025-09-01 08:00:00": (
            "so",
            "t8.csv",
            [*second[:2], opened(dossier_code=CODES[6], **renamed)],
            titles("31/08/2025"),
        ),
        "2025-10-01 08:00:00": ("so", "t9.csv", [opened(dossier_code=CODES[0], **renamed)], titles("30/09/2025")),
    }
    for at, (key, name, rows, title) in files.items():
        with clock(at):
            office.drop(name, rows, title, key)
            assert office.take_in().taken
    back = {
        "2025-10-02 08:00:00": ("so/t8.csv", False),
        "2025-10-03 08:00:00": ("so/t9.csv", False),
        "2025-10-04 08:00:00": ("so/t9.csv", True),
    }
    for at, (name, undo) in back.items():
        with clock(at):
            withdrawal.withdraw(office.home, name, "nhầm tệp", undo)
    intake = recorded(office.home)
    con = connect(tmp_path_factory.mktemp("built") / "built.duckdb")
    build(con, intake.files, intake.withdrawn, intake.aliases)
    yield con
    con.close()


# kind of word → where it stands
KINDS = {
    "told once": "dossier_version WHERE versions = 1 AND status_group <> 'not_counted'",
    "superseded": "dossier_version WHERE nth < versions",
    "reopened": "dossier WHERE episodes > 1",
    "never counted": "dossier_version WHERE versions = 1 AND status_group = 'not_counted'",
    "counts no more": "dossier_version WHERE versions > 1 AND nth = versions AND status_group = 'not_counted'",
    "of the old unit": "dossier WHERE unit_id <> told_unit_id",
    "outranked": "dossier_version WHERE nth IS NULL AND known_to IS NULL",
    "taken back": "dossier_version WHERE known_to IS NOT NULL",
    "given again": "dossier d JOIN file_known k ON k.file_id = d.file_id AND k.known_to IS NOT NULL",
    "channel told": "dossier_version WHERE channel = 'online'",
    "channel not told": "dossier_version WHERE channel IS NULL",
}


def differing(con: duckdb.DuckDBPyConnection) -> int:
    """Rows that only one side has."""
    words = "FROM dossier_version"
    return con.execute(
        f"SELECT count(*) FROM (({words} EXCEPT ALL {TOLD}) UNION ALL ({TOLD} EXCEPT ALL {words}))"
    ).fetchall()[0][0]


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_words_of_the_kind(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    assert con.execute(f"SELECT count(*) > 0 FROM {KINDS[kind]}").fetchall() == [(True,)]


def test_put_together_they_are_what_was_told(con: duckdb.DuckDBPyConnection) -> None:
    names = [[row[0] for row in con.execute(f"DESCRIBE {what}").fetchall()] for what in ("FROM dossier_version", TOLD)]
    types = [[row[1] for row in con.execute(f"DESCRIBE {what}").fetchall()] for what in ("FROM dossier_version", TOLD)]
    assert names[0] == names[1] and types[0] == types[1]
    assert differing(con) == 0


def test_no_word_is_stored_twice(con: duckdb.DuckDBPyConnection) -> None:
    told, newest, others = con.execute(
        """SELECT (SELECT count(*) FROM told), (SELECT count(*) FROM dossier WHERE episode = episodes),
                  (SELECT count(*) FROM other_word)"""
    ).fetchall()[0]
    assert told == newest + others and newest and others


FAULTS = {
    "the unit in which it counts for the one told": "UPDATE dossier SET told_unit_id = unit_id",
    "a channel that nobody told": "UPDATE dossier SET channel = 'in_person' WHERE channel = 'channel_unknown'",
    "a word lost": "DELETE FROM other_word WHERE nth = 1",
    "an episode taken for a word": "UPDATE dossier SET episodes = episode",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(con: duckdb.DuckDBPyConnection, fault: str) -> None:
    con.execute("BEGIN")
    try:
        con.execute(FAULTS[fault])
        assert differing(con) > 0
    finally:
        con.execute("ROLLBACK")
