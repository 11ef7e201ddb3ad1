"""Bytes of data/raw are read once, and a file that changed is never taken for what it was."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.settings import Home
from pipeline.warehouse import intake, reading, record, seen
from pipeline.warehouse.seen import Seen
from tests.unit.office import Office, dossier

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows tells no time of change that can be trusted")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose bytes were read."""
    names: list[str] = []

    def told(path: Path) -> str:
        names.append(path.name)
        return record.sha256_of(path)

    monkeypatch.setattr(seen, "sha256_of", told)
    return names


@pytest.fixture
def long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on the disk was written more than a moment ago."""
    now = seen.time.time_ns
    monkeypatch.setattr(seen.time, "time_ns", lambda: now() + 60 * 10**9)


def look(home: Home) -> str:
    """What a night sees of the one file."""
    memory = Seen(home)
    found = memory.sha256_of(home.raw / "so" / "a.csv")
    memory.keep()
    return found


def write(home: Home, text: str, name: str = "a.csv") -> Path:
    path = home.raw / "so" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_that_stays_is_read_once(home: Home, read: list[str], long_ago: None) -> None:
    write(home, "một")
    assert look(home) == look(home) == look(home)
    assert read == ["a.csv"]


def _written_over(home: Home) -> None:
    write(home, "hai")


def _replaced(home: Home) -> None:
    os.replace(write(home, "hai", "b.csv"), home.raw / "so" / "a.csv")


def _moved_under_it(home: Home) -> None:
    (home.raw / "so" / "a.csv").unlink()
    write(home, "hai", "b.csv").rename(home.raw / "so" / "a.csv")


@pytest.mark.parametrize("change", [_written_over, _replaced, _moved_under_it])
def test_a_change_that_keeps_size_and_time_is_seen(home: Home, change: Callable[[Home], None], long_ago: None) -> None:
    path = write(home, "một")
    write(home, "hai", "c.csv")
    size, at = 3, (10**18, 10**18)
    path.write_bytes(b"mot")
    os.utime(path, ns=at)
    before = look(home)
    change(home)
    os.utime(path, ns=at)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (size, at[1])
    assert look(home) == record.sha256_of(path) != before


def test_a_file_written_a_moment_ago_is_read_again(home: Home, read: list[str]) -> None:
    """A second change within one tick of the clock would leave its stamp as it is."""
    write(home, "một")
    look(home)
    look(home)
    assert read == ["a.csv", "a.csv"]
    assert not home.seen.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"so/a.csv": 1}', '{"so/a.csv": [["x"], "0"]}', "\xff"])
def test_a_broken_memory_is_none(home: Home, read: list[str], long_ago: None, text: str) -> None:
    path = write(home, "một")
    home.warehouse.mkdir(parents=True)
    home.seen.write_text(text, encoding="latin-1")
    assert look(home) == record.sha256_of(path)
    assert look(home) == record.sha256_of(path)
    assert read == ["a.csv"]


def test_what_is_gone_is_forgotten(home: Home, long_ago: None) -> None:
    write(home, "một")
    look(home)
    assert "a.csv" in home.seen.read_text(encoding="utf-8")
    Seen(home).keep()
    assert "a.csv" not in home.seen.read_text(encoding="utf-8")


def test_a_look_with_nothing_new_reads_no_file(
    tmp_path: Path, read: list[str], long_ago: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "sha256_of", seen.sha256_of)  # nor is one hashed again after it was conformed
    office = Office(tmp_path)
    for n in range(3):
        office.drop(f"{n}.csv", [dossier()])
    assert len(office.take_in().taken) == 3
    assert sorted(read) == ["0.csv", "1.csv", "2.csv"]
    assert office.take_in().taken == [] == intake.new_exports(office.home)
    assert len(read) == 3
    office.drop("1.csv", [dossier(), dossier()])
    assert intake.new_exports(office.home) == [office.home.raw / "so" / "1.csv"]
    assert [entry.name for entry in office.take_in().taken] == ["1.csv"]
