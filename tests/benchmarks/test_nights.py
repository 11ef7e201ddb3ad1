"""What a night costs does not follow what was taken in before: counted in reads and lines, not in seconds."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import Home
from pipeline.warehouse import intake, keeping, record
from pipeline.warehouse.record import Entry, Expiry, Withdrawal, append_log, read_log
from tests.benchmarks.country import Country
from tests.benchmarks.nights import (
    MOST_SMALL,
    MOST_YEAR,
    Night,
    Nights,
    Small,
    Year,
    small_table,
    write_small,
    year,
    year_table,
)
from tests.quick import thorough

ENTRY = Entry(1, "2025-01-01T00:00:00+00:00", "2025-01-01 07:00:00", "a" * 64, "so", "a.csv", 1, None)


def test_a_line_is_added_without_reading_those_before_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    append_log(home, ENTRY)
    home.intake_log.write_bytes(home.intake_log.read_bytes() * 20_000)
    read = Counter[str]()

    class Told(io.BufferedRandom):
        def read(self, *words: Any) -> bytes:
            found = super().read(*words)
            read["bytes"] += len(found)
            return found

    monkeypatch.setattr(Path, "open", lambda path, mode: Told(io.FileIO(path, "a+")))
    append_log(home, ENTRY)
    monkeypatch.undo()
    assert read["bytes"] == 1
    assert len(read_log(home)) == 20_001


def test_lines_about_files_do_not_look_at_all_of_them(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many files taken back and expired: twice the work."""
    made = Counter[str]()
    whole = record.replace

    def counted(*words: Any, **changes: Any) -> Any:
        made["entries"] += 1
        return whole(*words, **changes)

    monkeypatch.setattr(record, "replace", counted)
    for seq in range(1, 51):
        append_log(home, whole(ENTRY, seq=seq, sha256=f"{seq:064}"))
        append_log(home, Withdrawal(seq, "2025-01-02T00:00:00+00:00", "sai"))
        append_log(home, Expiry(seq, "2025-01-03T00:00:00+00:00", "30", "rows"))
    found = read_log(home)
    assert made["entries"] == 2 * 50
    assert all(e.expired_rows == "rows" and e.withdrawn_reason == "sai" for e in found)


def test_a_night_reads_the_log_twice_and_each_file_for_itself(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once to see what is new, once to see what may go; whatever the number of files."""
    reads = Counter[str]()
    for room in (intake, keeping):
        monkeypatch.setattr(
            room, "read_log", lambda *words, room=room: (reads.update([room.__name__]), read_log(*words))[1]
        )
    with Nights(home) as here:
        write_small(home.raw, range(3))
        first = here.whole(3)
        assert reads == {"pipeline.warehouse.intake": 1, "pipeline.warehouse.keeping": 1}
        with pytest.raises(SystemExit, match="0 files taken in"):
            here.whole(3)
    assert first.stages["read, conform, archive"] > 0
    assert sum(first.stages.values()) <= first.whole * 1.02


@thorough
@pytest.mark.slow
def test_a_short_year(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six days: the night that is held against the third; what stands on the disk stays."""
    monkeypatch.setenv("MOTCUA_KEEP_RELEASES", "3")
    found = year(
        home, Country(400, units=2, districts=2), days=6, a_day=4, early=3, every=2, window=1, say=lambda _: None
    )
    assert (len(found.early), len(found.late)) == (1, 1)
    early, late = found.stored
    assert (early["files taken in"], late["files taken in"]) == (2 + 2 * 3, 2 + 2 * 6)
    assert late["folders left half done"] == 0
    assert late["databases of earlier knowledge"] == 0
    assert late["quarters' outputs"] <= early["quarters' outputs"] + 1
    assert (early["releases"], late["releases"]) == (3, 3), "of four and six nights"
    assert "| whole night |" in year_table(found)


def test_costs_that_grow_are_told() -> None:
    stages = {name: 1.0 for name in ("read, conform, archive", "build tables", "figures", "checks", "publish")}
    cheap, dear = Night(5, stages), Night(5 * MOST_YEAR + 0.1, stages)
    stored = [{"releases": 14}, {"releases": 14}]
    assert "met)" in year_table(Year(365, [cheap], [cheap], stored))
    assert "not met)" in year_table(Year(365, [cheap], [dear], stored))
    one = Small(1, cheap, cheap)
    few = Small(11, Night(0, {name: 2.0 for name in stages}), cheap)
    for grown, verdict in ((0.9, ": met)"), (1.1, ": not met)")):
        many = Small(101, Night(0, {name: 1 + 10 * MOST_SMALL * grown for name in stages}), cheap)
        assert verdict in small_table(one, few, many)
