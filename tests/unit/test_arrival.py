"""What may be read of data/raw, and what waits; files taken back and given again; a file that breaks its reader."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from pipeline.declare.text import Text
from pipeline.errors import InputRefused, WrongUse
from pipeline.warehouse import arrival, intake, reading, record
from pipeline.warehouse.record import Withdrawal, append_log, read_log
from pipeline.warehouse.withdrawal import find, withdraw
from tests.conftest import copy_of
from tests.unit.office import Office, dossier


def names(office: Office) -> list[str]:
    return [e.name for e in read_log(office.home)]


# ---- what waits

HALF = ["a.csv.part", "a.xlsx.crdownload", "A.CSV.TMP", "a.filepart", "a.csv.partial", "~$a.xlsx"]
WHOLE = ["a.csv", "partner.csv", "tmp.csv", "a.part.csv"]


@pytest.mark.parametrize("name", HALF)
def test_a_name_says_that_a_file_is_not_whole(tmp_path: Path, name: str) -> None:
    office = Office(tmp_path)
    whole = office.drop("a.csv", [dossier()])
    (whole.parent / name).write_bytes(whole.read_bytes()[:40])
    said: list[Text] = []
    found = intake.take_in(office.home, said.append)
    assert [e.name for e in found.taken] == ["a.csv"] and found.refused == []
    assert [place for place, _ in found.waiting] == [f"so/{name}"]
    assert any(name in text.vi and name in text.en for text in said), "somebody is told"


@pytest.mark.parametrize("name", WHOLE)
def test_a_name_that_says_nothing(name: str) -> None:
    assert arrival.why_by_name(Path(name)) is None


def test_a_file_that_grows_waits_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_SETTLE_SECONDS", "0.4")
    office = Office(tmp_path)
    office.drop("yên.csv", [dossier()])
    whole = office.drop("dang_chep.csv", [dossier() for _ in range(50)])
    content = whole.read_bytes()
    whole.write_bytes(content[:400])
    stop = threading.Event()

    def copy() -> None:
        with whole.open("ab") as stream:
            for at in range(400, len(content)):
                stream.write(content[at : at + 1])
                stream.flush()
                if stop.wait(0.02):
                    return

    copying = threading.Thread(target=copy)
    copying.start()
    try:
        found = office.take_in()
    finally:
        stop.set()
        copying.join()
    assert [e.name for e in found.taken] == ["yên.csv"] and found.refused == []
    assert found.waiting == [("so/dang_chep.csv", arrival.BY_CHANGE)]
    whole.write_bytes(content)
    later = office.take_in()
    assert [e.name for e in later.taken] == ["dang_chep.csv"] and later.files[-1][1].rows_in == 50


def test_only_a_young_file_costs_a_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_SETTLE_SECONDS", "5")
    slept: list[float] = []
    monkeypatch.setattr(arrival.time, "sleep", slept.append)
    path = Office(tmp_path).drop("a.csv", [dossier()])
    assert arrival.still_written([path]) == set() and 0 < slept[0] <= 5
    monkeypatch.setattr(arrival.time, "time", lambda: path.stat().st_ctime + 6)
    assert arrival.still_written([path]) == set() and len(slept) == 1
    assert arrival.still_written([]) == set() and len(slept) == 1


def test_a_copy_that_brings_an_old_date_along_is_young_all_the_same(tmp_path: Path) -> None:
    path = Office(tmp_path).drop("a.csv", [dossier()])
    os.utime(path, (time.time() - 86_400, time.time() - 86_400))
    if os.name == "posix":
        assert arrival._age(path) < 60


@pytest.mark.parametrize(
    ("words", "seconds"), [("", 2.0), ("0", 0.0), ("0.5", 0.5), ("-1", 2.0), ("x", 2.0), ("nan", 2.0), ("9999", 600.0)]
)
def test_how_long_to_look(monkeypatch: pytest.MonkeyPatch, words: str, seconds: float) -> None:
    monkeypatch.setenv("MOTCUA_SETTLE_SECONDS", words)
    assert arrival.settings.settle_seconds() == seconds


# ---- what breaks a reader


class PanicException(BaseException):
    """As a reader written in Rust ends."""


@pytest.mark.parametrize("fault", [ValueError("Nguyễn Thị Bí Mật"), RecursionError(), PanicException("046199001234")])
def test_whatever_breaks_on_a_file_refuses_that_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [dossier()])
    office.drop("b.csv", [dossier()])
    whole = reading.conform_file

    def breaks(home, path, *rest):
        if path.name == "a.csv":
            raise fault
        return whole(home, path, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "conform_file", breaks)
        found = office.take_in()
    assert names(office) == ["b.csv"] and [e.where for e in found.refused] == ["so/a.csv"]
    assert isinstance(found.refused[0], InputRefused)
    told = found.refused[0].render("vi") + found.refused[0].render("en")
    assert type(fault).__name__ in told and (not str(fault) or str(fault) not in told)
    assert [e.name for e in office.take_in().taken] == ["a.csv"]


def test_a_file_of_the_archive_that_is_read_no_more_is_told_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [dossier()])
    office.drop("b.csv", [dossier()])
    office.take_in()
    shutil.rmtree(office.home.versions)  # rows of another program, which are made anew

    def stricter(home, path, sha256, name, *rest):
        if name == "a.csv":
            raise InputRefused(Text("quá lớn", "too large"), where=name)
        return conform(home, path, sha256, name, *rest)

    conform = reading.conform_file
    monkeypatch.setattr(reading, "conform_file", stricter)
    found = office.take_in()
    assert [e.name for e, _ in found.files] == ["b.csv"] and [e.where for e in found.refused] == ["a.csv"]


# ---- the same name, removed files


def test_the_same_name_with_other_bytes_is_a_new_version(tmp_path: Path) -> None:
    office = Office(tmp_path)
    path = office.drop("a.csv", [dossier()])
    office.take_in()
    office.drop("a.csv", [dossier(), dossier()])
    said: list[str] = []
    found = intake.take_in(office.home, lambda text: said.append(text.en))
    assert names(office) == ["a.csv", "a.csv"] and [e.seq for e, _ in found.files] == [1, 2]
    assert any("new bytes of a file taken in before" in words for words in said)
    path.unlink()
    gone = office.take_in()
    assert gone.files == found.files, "what was removed from data/raw stays in the archive and counts"


def test_files_that_are_read_again_are_told_of(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [dossier()])
    office.drop("b.csv", [dossier(), dossier()])
    office.drop("c.csv", [dossier()], key="khac")
    said: list[str] = []

    def night() -> list[str]:
        said.clear()
        assert len(intake.take_in(office.home, lambda text: said.append(text.en)).files) == 3
        return [words for words in said if "again" in words]

    assert night() == [], "new files are not read again"
    assert night() == []
    office.source('extent = "full"')
    (told,) = night()
    assert told.startswith("Taken in before, read again: 2 "), "those of the source whose declaration changed"
    assert night() == []


def test_a_file_is_on_the_disk_before_the_log_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut leaves the line of a file whose bytes are gone, and nobody misses the original."""
    office, through = Office(tmp_path), list[int]()
    monkeypatch.setattr(os, "fsync", lambda handle: through.append(os.fstat(handle).st_ino))
    office.source('extent = "full"')
    for rows, name in enumerate(("a.csv", "b.csv"), 1):
        office.drop(name, [dossier()] * rows)
    office.take_in()
    log = office.home.intake_log.stat().st_ino
    lines = [place for place, written in enumerate(through) if written == log]
    for e in read_log(office.home):
        for sha256 in (e.sha256, e.source_toml or "none"):
            kept = record.archived(office.home, sha256).stat().st_ino
            assert through.index(kept) < lines[e.seq - 1]


# ---- taking back


@pytest.fixture(scope="module")
def _taken_in(tmp_path_factory: pytest.TempPathFactory) -> Office:
    made = Office(tmp_path_factory.mktemp("taken in"))
    made.drop("thang_7.csv", [dossier()], key="huyen")
    made.drop("thang_7.csv", [dossier()], key="xa")
    made.drop("thang_8.csv", [dossier()], key="xa")
    made.take_in()
    made.drop("thang_8.csv", [dossier(), dossier()], key="xa")
    made.take_in()
    return made


@pytest.fixture
def office(_taken_in: Office, tmp_path: Path) -> Office:
    """Files of two sources: two of one name, and one that was replaced."""
    return Office(copy_of(_taken_in.home, tmp_path).root)


def test_a_file_is_named_by_name_place_or_hash(office: Office) -> None:
    log = read_log(office.home)
    assert find(log, "huyen/thang_7.csv").seq == find(log, "data/raw/huyen/thang_7.csv").seq == 1
    for entry in log:
        assert find(log, entry.sha256[:8]) == find(log, entry.sha256) == entry


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("thang_7.csv", ["huyen/thang_7.csv", "xa/thang_7.csv"]),
        ("xa/thang_8.csv", ["xa/thang_8.csv"]),
        ("tháng 9.csv", ["thang_7.csv"]),
        ("xa/thang_.csv", ["xa/thang_7.csv"]),
        ("không có gì giống", []),
        ("", []),
    ],
)
def test_what_names_no_file_or_several_lists_those_it_may_mean(office: Office, words: str, told: list[str]) -> None:
    with pytest.raises(WrongUse) as caught:
        withdraw(office.home, words, "nhầm")
    for lang in ("vi", "en"):
        rendered = caught.value.render(lang)
        assert all(place in rendered for place in told)
    assert all(e.counts for e in read_log(office.home)) and caught.value.exit_code == 2
    if words == "xa/thang_8.csv":
        entries = [e for e in read_log(office.home) if e.place == words]
        assert all(e.sha256[:10] in rendered and e.known_at[:16] in rendered for e in entries)


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_a_reason_is_needed(office: Office, reason: str) -> None:
    with pytest.raises(WrongUse):
        withdraw(office.home, "huyen/thang_7.csv", reason)
    assert all(e.counts for e in read_log(office.home))


def test_back_and_forth(office: Office) -> None:
    before = office.home.intake_log.read_bytes()
    withdraw(office.home, "huyen/thang_7.csv", "xuất nhầm\nđơn vị")
    (first, *others) = read_log(office.home)
    assert first.withdrawn_reason == "xuất nhầm đơn vị" and first.withdrawn_at and all(e.counts for e in others)
    assert office.home.intake_log.read_bytes().startswith(before), "the log only grows"
    with pytest.raises(WrongUse) as caught:
        withdraw(office.home, "huyen/thang_7.csv", "lần nữa")
    assert "đã được rút" in caught.value.render("vi")
    withdraw(office.home, "huyen/thang_7.csv", "vẫn đúng", undo=True)
    assert read_log(office.home)[0].counts
    with pytest.raises(WrongUse):
        withdraw(office.home, "huyen/thang_7.csv", "lần nữa", undo=True)
    lines = [json.loads(line) for line in office.home.intake_log.read_text("utf-8").splitlines()]
    assert [line["undo"] for line in lines if "withdrawn" in line] == [False, True]
    assert "withdrawn_at" not in lines[0], "the entry's own line never changes"


def test_a_withdrawn_file_keeps_its_bytes_and_is_not_taken_in_again(office: Office) -> None:
    entry = withdraw(office.home, "huyen/thang_7.csv", "nhầm")
    other = office.home.raw / "xa" / "chep_lai.csv"
    other.write_bytes((office.home.raw / "huyen" / "thang_7.csv").read_bytes())
    said: list[str] = []
    found = intake.take_in(office.home, lambda text: said.append(text.en))
    assert found.taken == [] and found.refused == []
    assert [e.seq for e, _ in found.withdrawn] == [1] and [e.seq for e, _ in found.files] == [2, 3, 4]
    for place in ("huyen/thang_7.csv", "xa/chep_lai.csv"):
        assert any(words.startswith(f"{place}: the bytes of huyen/thang_7.csv, withdrawn on") for words in said)
    assert record.sha256_of(record.archived(office.home, entry.sha256)) == entry.sha256


def test_a_withdrawal_cut_off_by_a_crash_is_none(office: Office) -> None:
    withdraw(office.home, "huyen/thang_7.csv", "nhầm")
    whole = office.home.intake_log.read_bytes()
    office.home.intake_log.write_bytes(whole[:-5])
    assert all(e.counts for e in read_log(office.home))
    append_log(office.home, Withdrawal(2, "2023-09-15T01:00:00+00:00", "nhầm"))
    assert [e.seq for e in read_log(office.home) if not e.counts] == [2]
