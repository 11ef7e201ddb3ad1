"""Seals of a small office: the chain, what may be sealed, what a seal shows, crashes, summaries, and touched records."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline import night
from pipeline.audit.difference import compare
from pipeline.audit.places import place_of
from pipeline.audit.rerun import rerun, seal_of
from pipeline.audit.sealing import seal
from pipeline.audit.sides import side_by_side
from pipeline.audit.verify import verify
from pipeline.declare.moments import parse_moment
from pipeline.declare.periods import parse_period
from pipeline.declare.tables import sealed_tables, tables
from pipeline.errors import CheckFailed, NothingPublished, WrongUse
from pipeline.measure import answers
from pipeline.warehouse import seals as record
from pipeline.warehouse.release import current, published
from tests.conftest import copy_of
from tests.summaries import forms
from tests.summaries.tables import ii06a
from tests.unit.office import LATER, Office, dossier, opened

HISTORY = 'name = "Huyện mẫu"\nknown_at = "exported"\n'
SPRING = ("SỔ THEO DÕI HỒ SƠ", "Từ ngày 15/03/2023 đến ngày 14/06/2023", "Ngày xuất dữ liệu: 14/06/2023 23:30:00")


@pytest.fixture(scope="module")
def _published(tmp_path_factory: pytest.TempPathFactory) -> Office:
    one = Office(tmp_path_factory.mktemp("published"))
    one.source(HISTORY)
    one.drop("q3.csv", [dossier(), dossier(channel="Trực tiếp"), opened(due_at="01/12/2023")])
    assert one.night().exit_code == 0
    return one


@pytest.fixture(scope="module")
def _sealed(_published: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    one = Office(copy_of(_published.home, tmp_path_factory.mktemp("sealed")).root)
    sealed(one)
    return one


@pytest.fixture(scope="module")
def _three_seals(_sealed: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    one = Office(copy_of(_sealed.home, tmp_path_factory.mktemp("three seals")).root)
    for period in ("2023-M08", "2023-M09"):
        sealed(one, period)
    return one


@pytest.fixture
def office(_published: Office, tmp_path: Path) -> Office:
    """A quarter of one commune: three dossiers, one of them open at its end."""
    return Office(copy_of(_published.home, tmp_path / "cơ quan").root)


@pytest.fixture
def office_with_seal(_sealed: Office, tmp_path: Path) -> tuple[Office, record.Seal]:
    """The same with its quarter sealed."""
    office = Office(copy_of(_sealed.home, tmp_path / "cơ quan").root)
    (made,) = record.read_seals(office.home)
    return office, made


def sealed(office: Office, period: str = "2023-Q3", known: str | None = None, **how: Any) -> record.Seal:
    return seal(office.home, parse_period(period), parse_moment(known) if known else None, **how)


def total(office: Office, period: str = "2023-Q3") -> tuple[int | None, str | None]:
    with office.open() as con:
        row = answers.stats(con, period)[0]
        return row["total"], row["seal"]


# ---- the chain


def test_each_seal_holds_the_hash_of_the_one_before(office: Office) -> None:
    first, second, third = sealed(office), sealed(office, "2023-M08"), sealed(office, "calendar:2023-M08")
    assert [s.previous for s in (first, second, third)] == [record.FIRST, first.sha256, second.sha256]
    assert [s.number for s in record.read_seals(office.home)] == [1, 2, 3]
    assert verify(office.home) == []
    assert all(":" not in s.folder.name for s in (first, second, third)), "a folder's name must do on Windows too"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_chain_that_was_cut_or_sewn_is_told(_three_seals: Office, tmp_path: Path, place: int) -> None:
    office = Office(copy_of(_three_seals.home, tmp_path).root)
    path = record.chain_of(office.home)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(lines[:place] + lines[place + 1 :]) + "\n", encoding="utf-8")
    assert any("chain.jsonl" in fault.where for fault in verify(office.home)), "the release knows what it shows"
    before = current(office.home)
    office.drop("sau.csv", [dossier(received_at="20/09/2023")], LATER)
    with pytest.raises(CheckFailed, match="seal"):
        office.night()
    assert current(office.home) == before, "the last good figures stay"


def test_a_night_never_shows_a_seal_that_was_touched(office_with_seal: tuple[Office, record.Seal]) -> None:
    office, made = office_with_seal
    before = current(office.home)
    for name in ("period_count.parquet", record.MANIFEST):
        kept = (made.folder / name).read_bytes()
        (made.folder / name).write_bytes(kept[:-3] + b"abc")
        office.drop("sau.csv", [dossier(received_at="20/09/2023")], LATER)
        with pytest.raises(CheckFailed) as failed:
            office.night()
        assert failed.value.where == f"seals/{made.folder.name}/{name}" and failed.value.exit_code == 1
        (made.folder / name).write_bytes(kept)
    assert current(office.home) == before and total(office) == (3, made.short)
    assert office.night().changed and total(office) == (3, made.short), "mended, it goes on"


def test_a_seal_put_in_anothers_place_is_told(office_with_seal: tuple[Office, record.Seal]) -> None:
    office, first = office_with_seal
    second = sealed(office, "2023-M08")
    shutil.copy(second.folder / record.MANIFEST, first.folder / record.MANIFEST)
    assert [f.seal for f in verify(office.home)] == [first.short]


def test_a_crash_before_the_line_of_the_chain_leaves_no_seal(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", crash)
        with pytest.raises(KeyboardInterrupt):
            sealed(office)
    path = record.chain_of(office.home)
    path.write_bytes(path.read_bytes()[:-5])  # as if the line had not got whole to the disk
    assert record.read_seals(office.home) == [] and total(office) == (3, None)
    again = sealed(office)
    assert (again.number, verify(office.home)) == (1, [])
    assert len([p for p in office.home.seals.iterdir() if p.is_dir()]) == 1, "what the crash left is gone"


# ---- what may be sealed


def test_what_cannot_be_sealed_is_refused_and_nothing_is(office: Office) -> None:
    cases = [
        ({"period": "2019-Q1"}, WrongUse),
        ({"known": "2020-01-01"}, NothingPublished),
        ({"revise": True, "reason": "x"}, WrongUse),
    ]
    for how, error in cases:
        with pytest.raises(error):
            sealed(office, **how)
    sealed(office)
    for how in ({}, {"revise": True}, {"revise": True, "reason": "  "}):
        with pytest.raises(WrongUse):
            sealed(office, **how)
    assert len(record.read_seals(office.home)) == 1


def test_a_seal_is_found_by_period_version_and_hash(office_with_seal: tuple[Office, record.Seal]) -> None:
    office, first = office_with_seal
    second = sealed(office, revise=True, reason="thử")
    home = office.home
    assert seal_of(home, "2023-Q3").sha256 == second.sha256 == seal_of(home, "2023-q3@2").sha256
    assert seal_of(home, "2023-Q3@1").sha256 == first.sha256 == seal_of(home, first.short[:6]).sha256
    for words in ("2023-Q2", "2023-Q3@3", "abc", ""):
        with pytest.raises(WrongUse, match=second.short):
            seal_of(home, words)


# ---- what it shows


def test_sealing_publishes_at_once_and_the_next_night_finds_nothing_new(office: Office) -> None:
    before = current(office.home)
    made = sealed(office)
    assert before is not None and current(office.home) != before and total(office) == (3, made.short)
    assert not office.night().changed


def test_the_quick_way_to_publish_a_seal_gives_the_file_that_a_rebuild_gives(
    office_with_seal: tuple[Office, record.Seal],
) -> None:
    office, _ = office_with_seal
    office.drop("sau.csv", [dossier(received_at="01/08/2023", finished_at="02/08/2023")], LATER)
    office.night()
    sealed(office, "2023-M08")
    quick = published(office.home).database
    slow = night.build(office.home, office.take_in(), rebuild=True)
    assert slow is not None
    con = duckdb.connect()
    con.execute(
        f"ATTACH '{quick}' AS quick (READ_ONLY); ATTACH '{slow.folder / 'warehouse.duckdb'}' AS slow (READ_ONLY)"
    )
    for name in tables():
        if name == "release_info":
            continue
        for schema in ("main", "live") if name in sealed_tables() else ("main",):
            one, other = (f"SELECT * FROM {side}.{schema}.{name}" for side in ("quick", "slow"))
            found = con.execute(
                f"SELECT count(*) FROM (({one} EXCEPT ALL {other}) UNION ALL ({other} EXCEPT ALL {one}))"
            )
            assert found.fetchall() == [(0,)], (schema, name)


def test_a_dossier_that_comes_to_light_later_stands_in_live_figures_only(
    office_with_seal: tuple[Office, record.Seal],
) -> None:
    """Never told of before, received in the sealed quarter: the blocking check that everything stands in its period of
    receipt is asked of live figures, or the night would never publish again."""
    office, made = office_with_seal
    office.drop("sau.csv", [opened(received_at="01/08/2023", due_at="01/12/2023")], LATER)
    result = office.night()
    assert result.changed and total(office) == (3, made.short)
    with office.open() as con:
        con.execute("SET search_path = 'live,main'")
        assert answers.stats(con, "2023-Q3")[0]["total"] == 4
        assert con.execute("SELECT count(*) FROM continuity_break WHERE reason = 'not_explained'").fetchall() == [(0,)]


def test_a_sealed_quarter_known_early_keeps_its_cut_off_and_what_is_missing(office: Office) -> None:
    half = ("SỔ THEO DÕI HỒ SƠ", "Từ ngày 15/09/2023 đến ngày 20/10/2023", "Ngày xuất dữ liệu: 20/10/2023 23:30:00")
    whole = ("SỔ THEO DÕI HỒ SƠ", "Từ ngày 15/09/2023 đến ngày 14/12/2023", "Ngày xuất dữ liệu: 14/12/2023 23:30:00")
    office.drop("nửa.csv", [opened(received_at="20/09/2023")], half)
    office.drop("cả quý.csv", [opened(received_at="20/09/2023"), opened(received_at="20/11/2023")], whole)
    office.night()
    sealed(office, "2023-Q4", "2023-11-01")
    with office.open() as con:
        row = answers.stats(con, "2023-Q4")[0]
        assert (str(row["as_of"]), row["coverage"]) == ("2023-10-20", "partial")
    told = rerun(office.home, seal_of(office.home, "2023-Q4"))
    assert told.identical and told.exit_code == 0


# ---- summaries


def test_a_quarter_that_only_a_summary_tells_of_is_sealed_with_it(tmp_path: Path, motcua: Callable[..., Any]) -> None:
    office = Office(tmp_path / "tổng hợp")
    titles = (*forms.TITLES, "Ngày xuất dữ liệu: {}")

    def drop(name: str, exported: str, early: int) -> None:
        row = ii06a("Xã Gio Châu", 10, 5, 0, early, 12 - early, 1, 1, 1)
        told = [t.format(exported) for t in titles]
        forms.workbook(office.home.raw / "bieu" / name, {"Biểu": (forms.II06A, [row], told)})

    office.source('kind = "summary"\nknown_at = "exported"\n', "bieu")
    drop("lần 1.xlsx", "15/09/2023", 9)
    assert office.night().exit_code == 0
    made = sealed(office)
    drop("lần 2.xlsx", "01/10/2023", 7)
    assert office.night().exit_code == 0
    asked = ("--period", "2023-Q3", "--unit", "Xã Gio Châu", "--format", "json")
    for words, early in (((), 9), (("--live",), 7)):
        (row,) = json.loads(motcua(office.home, "stats", *asked, *words).out)
        (told,) = json.loads(motcua(office.home, "explain", "resolved_early", *asked, *words).out)
        assert (row["resolved_early"], row["basis"], told["value"], told["adds_up"]) == (early, "reported", early, True)
    assert rerun(office.home, made).exit_code == 0
    cells = json.loads(motcua(office.home, "revisions", "2023-Q3", "--format", "json").out)
    (cell,) = [c for c in cells if c["figure"] == "resolved_early" and c["unit"] == "Xã Gio Châu"]
    assert (cell["sealed"], cell["now"]) == (9, 7)
    assert [(c["cause"], c["because_of"]) for c in cell["causes"]] == [("summary", "bieu/lần 2.xlsx")]


# ---- records that were touched


def test_another_key_is_told_and_does_not_hide_equal_figures(office_with_seal: tuple[Office, record.Seal]) -> None:
    office, made = office_with_seal
    (office.home.restricted / "key").write_bytes(b"k" * 32)
    (fault,) = [f for f in verify(office.home) if "key" in f.where]
    told = rerun(office.home, made)
    assert not fault.harmless and told.compared is not None and told.compared.cells == []
    assert len(told.compared.changed) == 6, "three dossiers under other hashes"


def test_a_line_of_the_log_that_was_rewritten_is_told(office_with_seal: tuple[Office, record.Seal]) -> None:
    office, _ = office_with_seal
    log = office.home.intake_log
    node = json.loads(log.read_text(encoding="utf-8").splitlines()[0])
    log.write_text(json.dumps(node | {"known_at": "2023-01-01 00:00:00"}) + "\n", encoding="utf-8")
    assert [f.where for f in verify(office.home)] == ["intake.jsonl (so/q3.csv)"]


def test_after_an_update_of_the_program_changed_code_is_worth_knowing_and_no_fault(
    office_with_seal: tuple[Office, record.Seal], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.audit import verify as module

    office, made = office_with_seal
    monkeypatch.setattr(module, "program_files", lambda: made.program["files"] | {"pipeline/measure/new.py": "0"})
    (same_version,) = verify(office.home)
    assert not same_version.harmless and same_version.where == "pipeline/measure/new.py"
    monkeypatch.setattr(module, "__version__", "99.0")
    (updated,) = verify(office.home)
    assert updated.harmless and "99.0" in updated.what.vi
    assert rerun(office.home, made).exit_code == 0


def test_causes_name_what_made_the_difference(office: Office) -> None:
    """A withdrawn file, a later file, the export of another day: each is the cause of its own dossiers."""
    from pipeline.warehouse.withdrawal import withdraw

    office.drop(
        "thêm.csv",
        [dossier(received_at="05/08/2023")],
        ("SỔ", "Từ ngày 15/06/2023 đến ngày 14/09/2023", "Ngày xuất dữ liệu: 15/09/2023 08:00:00"),
    )
    office.source(HISTORY + 'extent = "received_in"\n')
    office.night()
    made = sealed(office)
    withdraw(office.home, "q3.csv", "xuất nhầm")
    office.drop("sau.csv", [dossier(received_at="06/08/2023")], LATER)
    office.night()
    with side_by_side(place_of(office.home, made.short), place_of(office.home, "live")) as con:
        found = compare(con, "2023-Q3")
    causes = {(r["cause"], r["because_of"]) for r in found.changed}
    assert causes == {("withdrawn_file", "so/q3.csv"), ("later_file", "so/sau.csv")}


def test_a_moment_is_no_release_and_words_are_neither(office: Office) -> None:
    assert place_of(office.home, "2023-09-15").live and place_of(office.home, "current").database
    assert place_of(office.home, published(office.home).id[:12]).label.en.startswith("release")
    with pytest.raises(WrongUse, match="no release, seal or moment"):
        place_of(office.home, "hôm qua")


def test_known_time_of_a_seal_is_now_unless_told(office: Office) -> None:
    made = sealed(office)
    assert abs((datetime.now() - made.known_at).total_seconds()) < 8 * 3600
    assert sealed(office, "2023-M08", "2023-09-15 08:00").known_at == datetime(2023, 9, 15, 8)
