"""Releases: published as a whole, old ones stay for who reads them, everything but the record can be made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline import night
from pipeline.measure import answers
from pipeline.settings import Home
from pipeline.warehouse import keeping
from pipeline.warehouse import release as releases
from tests.unit.office import Office, dossier, opened

Tables = dict[str, list[tuple]]


def tables(con: duckdb.DuckDBPyConnection) -> Tables:
    """Every table and view but the one that names the release; rows in order of their content."""
    names = con.execute(
        "SELECT CASE WHEN table_schema = 'main' THEN table_name ELSE concat('\"', table_schema, '\".', table_name) END "
        "FROM information_schema.tables WHERE table_name <> 'release_info'"
    ).fetchall()
    return {name: rows_of_table(con, name) for (name,) in sorted(names)}


def rows_of_table(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple]:
    """In order of their content."""
    return sorted(con.execute(f"FROM {table}").fetchall(), key=repr)


def total(con: duckdb.DuckDBPyConnection) -> int:
    return next(r["total"] for r in answers.stats(con, "2023-Q3") if r["unit_code"] == "19522")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """In a folder whose name means something to SQL and to patterns (a question mark is beyond DuckDB itself)."""
    office = Office(tmp_path_factory.mktemp("it's [2023] * số liệu"))
    office.drop("t9.csv", [dossier(), dossier(), opened(), dossier(channel="Zalo"), dossier(due_at="hôm qua")])
    first = office.night()
    assert first.release and first.changed and not first.refused
    assert first.rejected_rows == 1 and first.exit_code == 1
    return office


def test_a_second_night_does_nothing(office: Office) -> None:
    before = {p: p.stat().st_mtime_ns for p in office.home.warehouse.rglob("*") if p.is_file()}
    again = office.night()
    assert (again.changed, again.taken, again.release) == (False, [], office.home.pointer.read_text().strip())
    assert again.rejected_rows == 1, "told again: it is still so"
    after = {p: p.stat().st_mtime_ns for p in office.home.warehouse.rglob("*") if p.is_file()}
    changed = {p.name for p in after if before.get(p) != after[p]}
    assert changed <= {"last_run.json", "build.lock"} and before.keys() <= after.keys()


def test_all_but_the_record_is_made_anew(office: Office) -> None:
    with office.open() as con:
        before = tables(con)
    for folder in (office.home.versions, office.home.releases):
        shutil.rmtree(folder)
    assert releases.current(office.home) is None
    assert office.night().changed
    with office.open() as con:
        after = tables(con)
    assert after.keys() == before.keys() and len(before) > 15
    for name, rows in before.items():
        assert after[name] == rows, name
    assert len(before["dossier"]) == 4 and before["finding"]


def test_who_reads_is_never_disturbed(office: Office) -> None:
    reader = office.open()
    assert total(reader) == 4
    office.drop("t9b.csv", [dossier(), dossier()])
    result = office.night()
    assert result.changed and [e.name for e in result.taken] == ["t9b.csv"]
    assert total(reader) == 4, "the release that was opened"
    with office.open() as con:
        assert total(con) == 6
    reader.close()


def test_a_crash_before_the_pointer_leaves_the_last_release(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    standing = releases.published(office.home)
    office.drop("t9c.csv", [dossier()])

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(night, "run_checks", crash)
        office.night()
    assert releases.published(office.home) == standing
    assert not list(office.home.releases.glob("building-*"))
    result = office.night()
    assert result.changed and result.taken == [], "it was taken in; only its figures were missing"
    assert releases.published(office.home).files == standing.files + 1


# ---- which releases stay


def publish(home: Home, release_id: str) -> Path:
    build = releases.new_build(home)
    (build / releases.DATABASE).write_bytes(b"x")
    folder = releases.publish(home, build, release_id, "inputs", []).folder
    keeping.apply(home, [])
    return folder


def kept(home: Home) -> list[str]:
    return sorted(p.name for p in home.releases.iterdir())


def test_old_releases_go_the_newest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_KEEP_RELEASES", "3")
    home = Home(tmp_path)
    for n in range(1, 7):
        publish(home, f"2023091{n}-010000-aaaa")
    assert kept(home) == ["20230914-010000-aaaa", "20230915-010000-aaaa", "20230916-010000-aaaa"]
    assert releases.published(home).id == "20230916-010000-aaaa"


def test_a_clock_set_back_costs_no_release_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_KEEP_RELEASES", "2")
    home = Home(tmp_path)
    for name in ("20300101-010000-aaaa", "20300102-010000-aaaa", "20230914-010000-aaaa"):
        publish(home, name)
    assert releases.published(home).id == "20230914-010000-aaaa" and releases.published(home).database.exists()


def test_one_that_cannot_be_removed_stays_for_another_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows an open file cannot be removed."""
    monkeypatch.setenv("MOTCUA_KEEP_RELEASES", "2")
    home = Home(tmp_path)
    held = publish(home, "20230911-010000-aaaa")
    remove = Path.unlink

    def in_use(path: Path, missing_ok: bool = False) -> None:
        if path.parent == held:
            raise PermissionError(32, "in use", str(path))
        remove(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", in_use)
        for n in (2, 3, 4):
            publish(home, f"2023091{n}-010000-aaaa")
    assert kept(home) == ["20230911-010000-aaaa", "20230913-010000-aaaa", "20230914-010000-aaaa"]
    publish(home, "20230915-010000-aaaa")
    assert kept(home) == ["20230914-010000-aaaa", "20230915-010000-aaaa"]


def test_what_a_killed_build_left_is_cleared(tmp_path: Path) -> None:
    home = Home(tmp_path)
    left = home.releases / "building-99999"
    left.mkdir(parents=True)
    (left / releases.DATABASE).write_bytes(b"half")
    publish(home, "20230914-010000-aaaa")
    assert kept(home) == ["20230914-010000-aaaa"]


def test_release_names_within_a_second(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = releases.new_release_id(home, "ab" * 32)
    publish(home, first)
    assert releases.new_release_id(home, "ab" * 32) != first
