"""What is kept and for how long: what goes when it is due, what a seal needs and stays, and that figures never change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipeline import night
from pipeline.audit.rerun import rerun
from pipeline.audit.sealing import seal
from pipeline.declare.periods import parse_period
from pipeline.declare.retention import by_default, law, read_retention
from pipeline.errors import DeclarationError
from pipeline.measure.summary import accounts
from pipeline.report.kept import kept_of
from pipeline.settings import Home
from pipeline.warehouse import keeping, record, versions
from pipeline.warehouse import release as releases
from pipeline.warehouse.intake import recorded, take_in
from pipeline.warehouse.record import Entry, archived, read_log, sha256_of
from pipeline.warehouse.release import standing
from pipeline.warehouse.seals import Seal, chain_of, read_seals
from pipeline.warehouse.withdrawal import withdraw
from tests.conftest import Said, copy_of
from tests.unit.office import Office, dossier, opened
from tests.unit.test_releases import Tables, rows_of_table, tables

pytestmark = pytest.mark.usefixtures("figures_alone")

LATER = 400  # days after the intake
Clock = Callable[[int], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """clock(days): keeping takes it to be so many days later."""
    return lambda days: monkeypatch.setattr(keeping, "now", lambda: record.now() + timedelta(days=days))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Office(tmp_path_factory.mktemp("office"))
    made.source('name = "Sổ"\n')
    made.drop(
        "quy_3.csv",
        [
            dossier(),
            opened(),
            dossier(due_at="hôm qua"),
            dossier(unit="UBND Gioan"),
            *[dossier(dossier_code="H50.1")] * 2,
        ],
    )
    made.drop("sai.csv", [dossier(), dossier()])
    assert made.night().changed
    return made.home.root


@pytest.fixture
def office(template: Path, tmp_path: Path) -> Office:
    """Two files: rows counted, open, rejected, of a unit nobody knows, repeated; and a second one."""
    shutil.copytree(template, tmp_path / "nhà [1]")
    return Office(tmp_path / "nhà [1]")


@pytest.fixture(scope="module")
def _sealed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = copy_of(Home(template), tmp_path_factory.mktemp("sealed"))
    seal(home, parse_period("2023-Q3"))
    return home.root


@pytest.fixture
def sealed(_sealed: Path, tmp_path: Path) -> tuple[Office, Seal]:
    """The same with its quarter sealed."""
    office = Office(copy_of(Home(_sealed), tmp_path / "nhà [1]").root)
    (made,) = read_seals(office.home)
    return office, made


def rules(office: Office, text: str) -> None:
    office.home.raw.joinpath("retention.toml").write_text(text, encoding="utf-8")


def published(office: Office) -> Tables:
    with office.open() as con:
        return tables(con)


def published_rows(office: Office, table: str) -> list[tuple]:
    """Of one table: to ask for all of them takes as long as half a night."""
    with office.open() as con:
        return rows_of_table(con, table)


def entry_of(office: Office, name: str) -> Entry:
    return next(e for e in read_log(office.home) if e.name == name)


def told(office: Office) -> dict[str, Any]:
    """What status says is kept."""
    found = kept_of(office.home)
    assert found is not None
    return found


def raw_of(office: Office, name: str) -> Path:
    return archived(office.home, entry_of(office, name).sha256)


def expire_all(office: Office, clock: Clock) -> night.Result:
    rules(office, 'raw_files_days = 365\nreason = "Quyết định 12/QĐ-UBND"\n')
    clock(LATER)
    return office.night()


def seal_of(office: Office, period: str) -> Seal:
    return seal(office.home, parse_period(period))


# ---- the rules


def test_nothing_of_the_record_goes_by_default(office: Office, clock: Clock) -> None:
    usual = by_default()
    assert (usual.releases, usual.raw_files_days, usual.dossier_codes_days, usual.unit_names_days) == (
        14,
        None,
        None,
        None,
    )
    before = {p: p.read_bytes() for p in office.home.warehouse.rglob("*") if p.is_file()}
    clock(40_000)
    office.night()
    gone = {p.relative_to(office.home.warehouse).as_posix() for p in before if not p.exists()}
    assert not gone
    assert {mark for _, mark in law()} <= {"C", "I", "M"} and law()


def test_an_office_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "retention.toml"
    assert read_retention(path) == by_default()
    path.write_text(
        '\ufeffreleases = 3\nraw_files_days = 365\nunit_names_days = "forever"\nreason = " a\t b "', "utf-8"
    )
    found = read_retention(path)
    assert (found.releases, found.raw_files_days, found.unit_names_days, found.reason) == (3, 365, None, "a b")
    assert found.versions_days == by_default().versions_days
    assert found.by_office == {"releases", "raw_files_days", "unit_names_days"}


@pytest.mark.parametrize(
    ("text", "line", "names"),
    [
        ("raw_files_days = 1", 1, "raw_files_days"),
        ("\nraw_files_days = 0", 2, "raw_files_days"),
        ("# x\n\nraw_files_days = -5", 3, "raw_files_days"),
        ("raw_files_days = true", 1, "raw_files_days"),
        ("raw_files_days = 365.5", 1, "raw_files_days"),
        ('raw_files_days = "mãi mãi"', 1, "forever"),
        ("releases = 1", 1, "releases"),
        ('releases = "forever"', 1, "releases"),
        ("releases = 3\nraw_file_days = 365", 2, "raw_files_days"),
        ("[raw_files_days]\nvalue = 3", 1, "raw_files_days"),
        ("reason = 12", 1, "reason"),
        (f'reason = "{"x" * 400}"', 1, "reason"),
        ("releases = 3\nreleases = 4", 2, ""),
        ("releases", 1, ""),
    ],
)
def test_broken_rules_are_told_by_line_and_key(tmp_path: Path, text: str, line: int, names: str) -> None:
    path = tmp_path / "retention.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        read_retention(path)
    assert caught.value.where == f"retention.toml:{line}" and names in caught.value.render("vi")


def test_broken_rules_remove_nothing(office: Office, clock: Clock) -> None:
    rules(office, "raw_files_days = 365\nversion_days = 10")
    clock(LATER)
    result = office.night()
    assert result.exit_code == 2 and [e.where for e in result.refused] == ["retention.toml:2"]
    assert all(archived(office.home, e.sha256).exists() and not e.expired_at for e in read_log(office.home))
    assert told(office)["broken"]


def test_a_good_file_of_rules_is_no_stray_export(office: Office) -> None:
    rules(office, "releases = 3")
    assert not office.night().refused


# ---- a raw file that expires


def test_figures_stay_when_raw_files_expire(office: Office, clock: Clock) -> None:
    """The next night has nothing to do; with all but the record deleted, every table comes out the same."""
    withdraw(office.home, "sai.csv", "nhầm")
    office.night()
    before, inputs = published(office), releases.published(office.home).inputs
    moment = record.local(record.now().isoformat())
    assert not expire_all(office, clock).changed
    for entry in read_log(office.home):
        assert not archived(office.home, entry.sha256).exists()
        assert entry.expired_at and entry.expired_why == "raw_files_days = 365: Quyết định 12/QĐ-UBND"
        assert keeping.expired(office.home, entry.sha256) == entry.expired_at
        assert keeping.kept_rows(office.home, entry.sha256, entry.expired_rows or "")
    assert releases.published(office.home).inputs == inputs
    assert not office.night().changed
    shutil.rmtree(office.home.raw / "so")
    office.source('name = "Sổ"\n')
    for folder in (office.home.versions, office.home.releases):
        shutil.rmtree(folder)
    assert office.night().changed
    after = published(office)
    assert after.keys() == before.keys() and len(before["dossier"]) == 3
    for name, rows in before.items():
        assert after[name] == rows, name
    with duckdb.connect(str(night.known_by(office.home, moment)), read_only=True) as con:
        assert rows_of_table(con, "dossier") == before["dossier"]
    with office.open() as con:
        assert all(a.adds_up for a in accounts(con)) and len(accounts(con)) == 2


def test_other_declarations_do_not_reach_what_expired(office: Office, clock: Clock) -> None:
    """One that would not read the file at all, too; a file that did not expire is conformed anew."""
    before = published_rows(office, "dossier")
    expire_all(office, clock)
    rules(office, "")
    office.source('name = "Khác"\n[columns]\ndossier_code = "Không có cột này"\nunit = "Cũng không"\n')
    result = office.night()
    assert [e.render("vi") for e in result.refused] == []
    assert published_rows(office, "dossier") == before


def test_the_same_bytes_again_are_known_and_a_wrong_file_can_be_taken_back(office: Office, clock: Clock) -> None:
    expire_all(office, clock)
    shutil.copy(office.home.raw / "so" / "quy_3.csv", office.home.raw / "so" / "lai.csv")
    assert office.night().taken == []
    withdraw(office.home, "quy_3.csv", "nhầm")
    assert office.night().changed
    with office.open() as con:
        assert con.execute("SELECT count(*) FROM dossier").fetchall() == [(2,)]
        assert all(a.adds_up for a in accounts(con))
    again = next(e for e in read_log(office.home) if e.name == "quy_3.csv")
    assert again.withdrawn_at and again.expired_at


def test_what_is_not_due_stays(office: Office, clock: Clock) -> None:
    """By the days since the intake: a historical file that was known years ago came yesterday."""
    rules(office, "raw_files_days = 365")
    office.source('name = "Cũ"\nknown_at = "exported"\n', key="cu")
    office.drop("cu.csv", [dossier()], key="cu")
    clock(364)
    office.night()
    assert entry_of(office, "cu.csv").known_at.startswith("2023")
    assert all(archived(office.home, e.sha256).exists() and not e.expired_at for e in read_log(office.home))
    clock(366)
    office.night()
    assert all(e.expired_at for e in read_log(office.home))


def test_declarations_in_the_archive_stay(office: Office, clock: Clock) -> None:
    office.home.raw.joinpath("unit_aliases.csv").write_text("written,unit_id\nUBND Gioan,19522\n", encoding="utf-8")
    office.night()
    seal_of(office, "2023-Q3")
    expire_all(office, clock)
    kept = {p.name for p in office.home.archive.rglob("*") if p.is_file() and len(p.name) == 64}
    assert kept == keeping.needs(office.home).declarations and len(kept) == 2


@pytest.mark.parametrize("how", ["gone", "broken", "of another program", "without its facts"])
def test_a_file_whose_rows_cannot_be_read_is_refused_by_name(office: Office, clock: Clock, how: str) -> None:
    expire_all(office, clock)
    entry = entry_of(office, "quy_3.csv")
    folder = keeping.kept_rows(office.home, entry.sha256, entry.expired_rows or "")
    assert folder
    rows = folder / "rows.parquet"
    if how == "gone":
        shutil.rmtree(folder)
    elif how == "broken":
        rows.write_bytes(b"PAR1")
    elif how == "without its facts":
        (folder / "file.json").write_text("{}")
    else:
        pl.read_parquet(rows.read_bytes()).drop("channel").write_parquet(rows)
    result = office.night()
    (error,) = result.refused
    assert result.changed, "of the other file"
    assert error.where == "so/quy_3.csv" and "hết hạn" in error.what.vi


def test_a_cleared_folder_changes_nothing(office: Office) -> None:
    """Neither with the declaration left in it, nor without; the record goes on to say what the files mean."""
    office.source('name = "Đổi tên"\n')
    office.night()
    before = published_rows(office, "file")
    for path in (office.home.raw / "so").glob("*.csv"):
        path.unlink()
    assert not office.night().changed
    shutil.rmtree(office.home.versions)
    office.night()
    assert published_rows(office, "file") == before
    (office.home.raw / "so" / "source.toml").unlink()
    taken_in = take_in(office.home)
    assert {facts.source_name for _, facts in taken_in.all_files} == {"Sổ"}
    assert taken_in.all_files == recorded(office.home).all_files


# ---- what a seal needs


def test_rows_of_a_seal_are_kept_beside_todays(sealed: tuple[Office, Seal], clock: Clock) -> None:
    """Under the name that the seal has for them, unchanged, although another declaration conforms the file today."""
    office, seal = sealed
    office.source('name = "Sổ"\n[rules]\nlateness = "timestamp"\n')
    office.night()
    today = {facts.folder.name for _, facts in recorded(office.home).all_files}
    expire_all(office, clock)
    shutil.rmtree(office.home.versions)
    for file in seal.files:
        folder = keeping.kept_rows(office.home, file.sha256, file.conformed)
        assert folder and file.conformed not in today
        assert {path.name: sha256_of(path) for path in folder.glob("*.parquet")} == file.rows_sha256
        assert entry_of(office, file.name).expired_rows in today
    assert {facts.folder.name for _, facts in recorded(office.home).all_files} == today


def test_a_seal_is_run_again_from_the_kept_rows(sealed: tuple[Office, Seal], clock: Clock) -> None:
    """Whatever became of versions/ and of the declaration."""
    office, made = sealed
    assert rerun(office.home, made).from_rows == []
    office.source('name = "Khác"\n[rules]\nlateness = "timestamp"\n')
    expire_all(office, clock)
    shutil.rmtree(office.home.versions)
    again = rerun(office.home, made)
    assert again.identical and sorted(again.from_rows) == ["so/quy_3.csv", "so/sai.csv"]
    assert again.exit_code == 0, [f.where for f in again.faults]


def test_bytes_that_were_changed_stay_as_evidence(office: Office, clock: Clock) -> None:
    raw = raw_of(office, "quy_3.csv")
    raw.write_bytes(b"khac")
    expire_all(office, clock)
    assert raw.exists() and not entry_of(office, "quy_3.csv").expired_at and not raw_of(office, "sai.csv").exists()


@pytest.mark.parametrize("how", ["gone", "changed", "without facts"])
def test_a_raw_file_stays_while_the_rows_of_its_seal_are_not_safe(
    sealed: tuple[Office, Seal], clock: Clock, how: str
) -> None:
    office, seal = sealed
    office.source('name = "Sổ"\n[rules]\nlateness = "timestamp"\n')
    office.night()
    folder = office.home.versions / next(f for f in seal.files if f.name == "quy_3.csv").conformed
    if how == "gone":
        shutil.rmtree(folder)
    elif how == "changed":
        pl.read_parquet((folder / "rows.parquet").read_bytes()).head(1).write_parquet(folder / "rows.parquet")
    else:
        (folder / "file.json").unlink()
    expire_all(office, clock)
    assert raw_of(office, "quy_3.csv").exists() and not entry_of(office, "quy_3.csv").expired_at
    assert not raw_of(office, "sai.csv").exists()
    raw = told(office)["raw_files"]
    (held,) = (f for f in raw["files"] if f["held"])
    assert held["file"] == "so/quy_3.csv" and "2023-Q3 (1)" in held["vi"] and raw["held"] == 1


def test_rows_that_a_seal_names_outlive_old_programs(
    office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsealed = office.home.versions / "unused"
    unsealed.mkdir()
    seal = seal_of(office, "2023-Q3")
    monkeypatch.setattr(versions, "_room_fingerprint", lambda: "another program")
    clock(10_000)
    office.night()
    assert not unsealed.exists()
    assert all((office.home.versions / file.conformed / "file.json").exists() for file in seal.files)


@pytest.mark.parametrize("how", ["broken", "emptied", "chain broken", "chain cut"])
def test_nothing_expires_while_a_seal_is_not_as_it_was_sealed(
    sealed: tuple[Office, Seal], clock: Clock, how: str
) -> None:
    """The night stops before it comes to this; whoever calls it, it holds by itself."""
    office, made = sealed
    manifest = made.folder / "seal.json"
    if how == "broken":
        manifest.write_bytes(b"{")
    elif how == "emptied":
        manifest.write_text(json.dumps(json.loads(manifest.read_bytes()) | {"files": []}), encoding="utf-8")
    else:
        chain_of(office.home).write_bytes(b"{}\n" if how == "chain broken" else b"")
    rules(office, "raw_files_days = 365\n")
    clock(LATER)
    done = keeping.apply(office.home, recorded(office.home).all_files)
    assert not done.expired and set(done.held) == {e.sha256 for e in read_log(office.home)}
    assert all(archived(office.home, e.sha256).exists() and not e.expired_at for e in read_log(office.home))
    assert told(office)["seals"]["unread"] and told(office)["raw_files"]["held"] == 2


def test_a_seal_made_after_the_expiry_finds_its_rows(office: Office, clock: Clock) -> None:
    expire_all(office, clock)
    seal = seal_of(office, "2023-Q3")
    office.night()
    assert all(keeping.kept_rows(office.home, file.sha256, file.conformed) for file in seal.files)


# ---- killed, in use


@pytest.mark.parametrize("step", ["_copy", "append_log", "unlink"])
@pytest.mark.parametrize("then", ["goes on", "rules changed"])
def test_killed_in_between_it_is_finished_or_undone(
    sealed: tuple[Office, Seal], clock: Clock, monkeypatch: pytest.MonkeyPatch, step: str, then: str
) -> None:
    office, seal = sealed
    before = published_rows(office, "dossier")
    rules(office, "raw_files_days = 365")
    clock(LATER)
    real = Path.unlink

    def killed(*given: Any, **how: Any) -> None:
        if step != "unlink" or len(given[0].name) == 64:
            raise KeyboardInterrupt
        real(*given, **how)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(*((Path, step, killed) if step == "unlink" else (keeping, step, killed)))
        office.night()
    entry = read_log(office.home)[0]
    assert archived(office.home, entry.sha256).exists() and bool(entry.expired_at) == (step == "unlink")
    if then == "rules changed":
        rules(office, "")
    office.night()
    first, second = read_log(office.home)
    if then == "goes on":
        assert first.expired_at and second.expired_at
    else:
        assert bool(first.expired_at) == (step == "unlink") and not second.expired_at
    for e in (first, second):
        raw = archived(office.home, e.sha256)
        assert raw.exists() != bool(e.expired_at), "either the bytes or the rows"
        assert raw.with_suffix(".rows").exists() == bool(e.expired_at)
    assert not list(office.home.archive.rglob("*.part"))
    shutil.rmtree(office.home.versions)
    shutil.rmtree(office.home.releases)
    office.night()
    assert published_rows(office, "dossier") == before and seal.files


def test_a_file_in_use_stays_for_another_time(office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    held, remove = raw_of(office, "quy_3.csv"), Path.unlink

    def in_use(path: Path, missing_ok: bool = False) -> None:
        if path == held:
            raise PermissionError(32, "in use", str(path))
        remove(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", in_use)
        expire_all(office, clock)
    assert held.exists() and entry_of(office, "quy_3.csv").expired_at, "its rows count already"
    assert not raw_of(office, "sai.csv").exists()
    office.night()
    assert not held.exists()


def test_bytes_are_not_removed_when_the_rows_in_their_place_are_gone(
    office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = raw_of(office, "quy_3.csv")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError()))
        expire_all(office, clock)
    shutil.rmtree(held.with_suffix(".rows"))
    office.night()
    assert held.exists()


def test_a_full_disk_leaves_everything_as_it_was(office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "_copy", full)
        assert not expire_all(office, clock).refused
    assert not any(e.expired_at for e in read_log(office.home)) and raw_of(office, "sai.csv").exists()
    assert not list(office.home.archive.glob("??/*.rows"))


# ---- versions, restricted store, releases


def test_rows_by_old_declarations_go_in_time(office: Office, clock: Clock) -> None:
    """By the days since they were last used, not since they were made."""
    rules(office, "versions_days = 10")
    old = {p.name for p in office.home.versions.iterdir()}
    clock(50)
    office.night()
    assert {p.name for p in office.home.versions.iterdir()} == old, "in use"
    office.source('name = "Sổ"\n[rules]\nlateness = "timestamp"\n')
    clock(55)
    office.night()
    assert old <= {p.name for p in office.home.versions.iterdir()}, "unused since five days"
    clock(70)
    office.night()
    left = {p.name for p in office.home.versions.iterdir()}
    assert len(left) == 4 and old < left, "with these the files were taken in: they are fallen back upon"


def test_rows_by_old_code_go_in_time(office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    rules(office, "versions_days = 10")
    old = {p.name for p in office.home.versions.iterdir()}
    clock(50)
    office.night()
    monkeypatch.setattr(versions, "_room_fingerprint", lambda: "another program")
    clock(59)
    office.night()
    new = {p.name for p in office.home.versions.iterdir()} - old
    assert len(new) == 2 and len(list(office.home.versions.iterdir())) == 4
    clock(61)
    office.night()
    assert {p.name for p in office.home.versions.iterdir()} == new


def test_codes_and_names_go_the_key_never(office: Office, clock: Clock) -> None:
    before = published_rows(office, "dossier")
    key = (office.home.restricted / "key").read_bytes()
    assert len(list(office.home.codes.iterdir())) == 2 and len(list(office.home.unit_names.iterdir())) == 1
    rules(office, "dossier_codes_days = 30\nunit_names_days = 60")
    clock(31)
    office.night()
    assert not list(office.home.codes.iterdir()) and list(office.home.unit_names.iterdir())
    clock(61)
    office.night()
    assert not list(office.home.unit_names.iterdir())
    assert (office.home.restricted / "key").read_bytes() == key
    shutil.rmtree(office.home.versions)
    shutil.rmtree(office.home.releases)
    office.night()  # conforms anew, which writes codes, and lets them go again
    assert published_rows(office, "dossier") == before
    assert not list(office.home.codes.iterdir())


def releases_before(office: Office, count: int) -> None:
    """So many older releases, like today's."""
    newest = releases.published(office.home).folder
    for n in range(count):
        shutil.copytree(newest, newest.with_name(f"20200101-00000{n}-abcdefgh"))
    assert len(standing(office.home)) > count


def test_releases_by_the_office_unless_the_environment_says(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    rules(office, "releases = 2")
    releases_before(office, 4)
    night.run(office.home, rebuild=True)
    assert len(standing(office.home)) == 2
    monkeypatch.setenv("MOTCUA_KEEP_RELEASES", "3")
    releases_before(office, 4)
    night.run(office.home, rebuild=True)
    assert len(standing(office.home)) == 3
    found = told(office)["policy"]["releases"]
    assert (found["value"], found["by"]) == (3, "MOTCUA_KEEP_RELEASES")


# ---- told


def test_status_says_what_is_kept_and_why(office: Office, clock: Clock, motcua: Callable[..., Said]) -> None:
    home: Home = office.home
    seal_of(office, "2023-Q3")
    kept = json.loads(motcua(home, "status", "--format", "json").out)[0]["kept"]
    assert kept["releases"]["count"] == 2 and kept["releases"]["oldest"] == standing(home)[0].name
    raw = kept["raw_files"]
    assert (raw["count"], raw["needed_by_seals"], raw["expired"], raw["missing"]) == (2, 2, 0, 0)
    assert raw["bytes"] == sum(archived(home, e.sha256).stat().st_size for e in read_log(home))
    assert {(f["vi"], f["en"]) for f in raw["files"]} == {("giữ mãi", "kept for ever")}
    assert kept["restricted"] | {"bytes": 0} == {
        "key": True,
        "files_with_codes": 2,
        "files_with_unit_names": 1,
        "bytes": 0,
    }
    assert kept["seals"]["count"] == 1 and kept["versions"]["named_by_seals"] == 2
    said = motcua(home, "status").out
    assert "Đang giữ gì và vì sao" in said and "2023-Q3 (1)" in said and "[đã xác nhận]" in said and "[suy ra]" in said

    expire_all(office, clock)
    raw = json.loads(motcua(home, "status", "--format", "json").out)[0]["kept"]["raw_files"]
    assert (raw["count"], raw["expired"], raw["missing"]) == (0, 2, 0)
    assert all(f["rows_kept"] and f["in_data_raw"] and f["expired_why"] for f in raw["files"])
    said = motcua(home, "status", "--lang", "en").out
    assert "2 have expired" in said and "so/quy_3.csv: expired on" in said and "Quyết định 12" in said

    shutil.rmtree(raw_of(office, "sai.csv").with_suffix(".rows"))
    clock(0)
    office.drop("moi.csv", [dossier()])
    office.night()
    raw_of(office, "moi.csv").unlink()
    assert "THIẾU" in motcua(home, "status").out and "MISSING" in motcua(home, "status", "--lang", "en").out
