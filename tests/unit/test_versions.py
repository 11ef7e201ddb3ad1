"""From files to versions: repeats and conflicts, the accounting, what is taken in once, and what a crash leaves."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import night
from pipeline.declare.sources import Source
from pipeline.errors import Busy, InputRefused
from pipeline.read import grids
from pipeline.settings import Home
from pipeline.warehouse import intake, reading, record, repeats, seen, versions
from pipeline.warehouse.lock import one_build
from pipeline.warehouse.record import append_log, read_log
from pipeline.warehouse.sql import hex_sql
from pipeline.warehouse.trial import try_file
from tests.unit.office import QUARTER, Office, Row, conform, dossier, opened, table, write_xlsx

pytestmark = pytest.mark.usefixtures("figures_alone")

ONE, TWO = "H50.466-230703-7001", "H50.466-230703-7002"
TOP = len(QUARTER) + 1


def judged(root: Path, rows: list[Row]) -> tuple[list[int], list[tuple[int, str, str]], versions.FileFacts]:
    """Accepted rows; (row, verdict, reason) of the others; the file's facts. Rows count from 1 below the header."""
    office = Office(root)
    facts, accepted, aside = conform(office.home, office.drop(f"{len(list(root.rglob('*.csv')))}.csv", rows))
    told = [(row - TOP, verdict, reason) for row, verdict, reason in aside.select("row", "verdict", "reason").rows()]
    return [row - TOP for row in accepted["row"]], sorted(told), facts


@pytest.fixture(params=[2, 100_000], ids=["across batches", "in one batch"])
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(grids, "batch_rows", lambda columns: request.param)
    return request.param


# ---- rows of one dossier in one file


def test_the_same_row_again_is_left_out(tmp_path: Path, batch: int) -> None:
    row = dossier(dossier_code=ONE)
    accepted, aside, facts = judged(tmp_path, [row, dossier(), dossier(), row, row | {"unit": " Xã Gio An "}])
    assert accepted == [1, 2, 3]
    assert aside == [(4, "excluded", "duplicate_row"), (5, "excluded", "duplicate_row")]
    assert (facts.rows_in, facts.accepted, facts.excluded, facts.rejected) == (5, 3, {"duplicate_row": 2}, {})


def test_rows_that_contradict_each_other_are_all_rejected(tmp_path: Path, batch: int) -> None:
    row = dossier(dossier_code=ONE)
    rows = [row, dossier(), row, dossier(), row | {"finished_at": "07/07/2023"}, row | {"dossier_code": ONE.lower()}]
    accepted, aside, facts = judged(tmp_path, rows)
    assert accepted == [2, 4]
    assert aside == [(n, "rejected", "conflicting_rows") for n in (1, 3, 5, 6)]
    assert (facts.rows_in, facts.accepted, facts.rejected) == (6, 2, {"conflicting_rows": 4})


def test_across_sheets(tmp_path: Path) -> None:
    row, other = dossier(dossier_code=ONE), dossier(dossier_code=TWO)
    office = Office(tmp_path)
    sheets = {"T8": table([row, other]), "T7": table([row, opened(dossier_code=TWO)])}
    facts, accepted, aside = conform(office.home, write_xlsx(office.home.raw / "so" / "so.xlsx", **sheets))
    assert accepted.select("sheet", "row").rows() == [("T7", TOP + 1)]
    assert aside.select("sheet", "row", "reason").sort("sheet", "row").rows() == [
        ("T7", TOP + 2, "conflicting_rows"), ("T8", TOP + 1, "duplicate_row"), ("T8", TOP + 2, "conflicting_rows"),
    ]  # fmt: skip
    assert facts.rows_in == 4


# ---- the order in which rows are kept

UNORDERED = [
    dossier(finished_at="09/07/2023 15:00:00"),
    opened(),
    dossier(finished_at="05/07/2023 15:00:00"),
    dossier(finished_at="", returned_at="07/07/2023"),  # done, and only the hand-over tells when
    opened(),
    dossier(finished_at="05/07/2023 15:00:00", channel="Trực tiếp"),
    dossier(finished_at="06/07/2023 09:00:00", returned_at="10/07/2023"),
]
BY_END = [3, 6, 7, 4, 1, 2, 5]


@pytest.mark.parametrize("again", [[], UNORDERED[:1]], ids=["each once", "one of them twice"])
def test_rows_stand_by_when_they_ended(tmp_path: Path, again: list[Row]) -> None:
    """Those of one moment and open ones as in the file; in this order they come to stand among all dossiers."""
    office = Office(tmp_path)
    path = office.drop("a.csv", UNORDERED + again)
    facts, accepted, _ = conform(office.home, path)
    assert [row - TOP for row in accepted["row"]] == BY_END
    office.night()
    with office.open() as con:
        assert [row - TOP for (row,) in con.execute("SELECT row FROM dossier ORDER BY rowid").fetchall()] == BY_END

    other = Office(tmp_path / "other")
    other.home.warehouse.mkdir(parents=True)
    shutil.copytree(office.home.restricted, other.home.restricted)  # the same key
    same, *_ = conform(other.home, path)
    assert (same.folder / "rows.parquet").read_bytes() == (facts.folder / "rows.parquet").read_bytes()


def test_each_key_stays_with_its_row(tmp_path: Path, batch: int) -> None:
    office = Office(tmp_path)
    facts, accepted, _ = conform(office.home, office.drop("a.csv", UNORDERED))
    codes = dict(pl.read_parquet(record.restricted_codes(office.home, facts.sha256)).iter_rows())
    told = {row - TOP: codes[key] for row, key in accepted.select("row", "dossier_id").iter_rows()}
    assert told == {n: row["dossier_code"] for n, row in enumerate(UNORDERED, 1)}


def test_a_trial_shows_the_first_rows_of_the_file(tmp_path: Path) -> None:
    tried = try_file(Office(tmp_path).drop("a.csv", UNORDERED), Source("so", "so"))
    assert [row["row"] - TOP for row in tried.rows] == [1, 2, 3, 4, 5]
    assert [row["dossier_code"] for row in tried.rows] == [row["dossier_code"] for row in UNORDERED[:5]]


def test_a_rejected_row_contradicts_nobody(tmp_path: Path) -> None:
    """Only rows that could count are compared: a row without a date of receipt is no second opinion."""
    rows = [dossier(dossier_code=ONE), dossier(dossier_code=ONE, received_at="hôm qua")]
    assert judged(tmp_path, rows)[:2] == ([1], [(2, "rejected", "not_read")])


CODES, DUES = (ONE, TWO, "HS-3"), ("07/07/2023", "10/07/2023", "không rõ")


@settings(deadline=None, max_examples=8)
@given(st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(DUES)), max_size=8), st.integers(1, 4))
def test_every_row_is_in_one_place(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], size: int
) -> None:
    same = dossier()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grids, "batch_rows", lambda columns: size)
        root = tmp_path_factory.mktemp("one-place")
        accepted, aside, facts = judged(root, [same | {"dossier_code": c, "due_at": due} for c, due in rows])
    readable = [(c, due) for c, due in rows if due != DUES[2]]
    opinions = {c: {due for code, due in readable if code == c} for c in CODES}
    expected = Counter(
        "not_read" if due == DUES[2] else "conflicting_rows" if len(opinions[c]) > 1 else "fine" for c, due in rows
    )
    firsts = sum(len(o) == 1 for o in opinions.values())
    assert len(accepted) == facts.accepted == firsts
    found = Counter(reason for _, _, reason in aside)
    assert found == +Counter(
        not_read=expected["not_read"],
        conflicting_rows=expected["conflicting_rows"],
        duplicate_row=expected["fine"] - firsts,
    )
    assert sorted([*accepted, *(row for row, _, _ in aside)]) == list(range(1, len(rows) + 1))
    assert facts.rows_in == len(rows) == facts.accepted + sum((facts.excluded | facts.rejected).values())


# ---- what is taken in


def names(office: Office) -> list[str]:
    return [e.name for e in read_log(office.home)]


def test_bytes_are_taken_in_once(tmp_path: Path) -> None:
    office = Office(tmp_path)
    path = office.drop("a.csv", [dossier()])
    first = office.take_in()
    (path.parent / "b.csv").write_bytes(path.read_bytes())
    (path.parent / "README.md").write_text("ghi chú")
    (path.parent / "~$a.csv").write_text("Excel đang mở")
    (path.parent / "con").mkdir()
    again = office.take_in()
    assert [e.name for e in first.taken] == ["a.csv"] and again.taken == [] and again.refused == []
    assert first.files == again.files and names(office) == ["a.csv"]
    path.write_bytes(path.read_bytes() + b"\n")
    assert [e.name for e in office.take_in().taken] == ["a.csv"], "new bytes are a new file"
    assert record.archived(office.home, first.taken[0].sha256).exists()


def test_a_refused_file_stops_no_other(tmp_path: Path) -> None:
    office = Office(tmp_path)
    good = office.drop("m.csv", [dossier()])
    (good.parent / "a.csv").write_bytes(b"")
    (good.parent / "z.csv").write_text("a,b\n1,2\n")
    (office.home.raw / "lạc.csv").write_bytes(good.read_bytes())
    found = office.take_in()
    assert [e.name for e in found.taken] == ["m.csv"] == names(office)
    assert [e.where for e in found.refused] == ["lạc.csv", "so/a.csv", "so/z.csv"]
    assert all(isinstance(e, InputRefused) for e in found.refused)


def test_a_file_that_somebody_holds_is_refused_for_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(tmp_path)
    held = office.drop("a.csv", [dossier()])
    office.drop("b.csv", [dossier()])

    def locked(path: Path) -> str:
        if path == held:
            raise PermissionError(13, "sharing violation", str(path))
        return record.sha256_of(path)

    with monkeypatch.context() as patch:
        patch.setattr(seen, "sha256_of", locked)
        found = office.take_in()
    assert names(office) == ["b.csv"] and [e.where for e in found.refused] == ["so/a.csv"]
    assert str(tmp_path) not in found.refused[0].render("vi")
    assert [e.name for e in office.take_in().taken] == ["a.csv"]


@pytest.mark.parametrize("settled", [False, True])
def test_a_file_still_being_written_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settled: bool) -> None:
    """Settled: it had stood there as it was, so that its stamp tells whether it is."""
    if settled:
        clock = seen.time.time_ns
        monkeypatch.setattr(seen.time, "time_ns", lambda: clock() + 60 * 10**9)
    office = Office(tmp_path)
    path = office.drop("a.csv", [dossier()])
    whole = versions.conform_file

    def meanwhile(*args, **kwargs):
        facts = whole(*args, **kwargs)
        path.write_bytes(path.read_bytes() + b"H50.466-230703-8")
        return facts

    with monkeypatch.context() as patch:
        patch.setattr(reading, "conform_file", meanwhile)
        found = intake.take_in(office.home)
    assert (found.taken, found.refused, names(office)) == ([], [], [])
    assert [place for place, _ in found.waiting] == ["so/a.csv"]
    assert not list(office.home.versions.glob("*/file.json")), "what was read had other bytes than its name says"
    assert len(office.take_in().taken) == 1


def test_a_changed_declaration_conforms_anew(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [dossier(channel="Zalo")])
    (_, before) = office.take_in().files[0]
    assert before.notices == 1
    office.source('name = "Xã A"\n[values.channel]\nonline = "Zalo"\n')
    (entry, after) = office.take_in().files[0]
    assert after.notices == 0 and after.source_name == "Xã A" and after.folder != before.folder
    assert pl.read_parquet(after.folder / "rows.parquet")["channel"].to_list() == ["online"]
    assert names(office) == ["a.csv"] and entry.source_toml is None, "the record stays as it was"
    (office.home.raw / "so" / "source.toml").unlink()
    assert office.take_in().files[0][1] == before


def test_a_declaration_that_no_longer_reads_a_file_leaves_what_was_read(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.source('[columns]\nreceived_at = "Nhận"\n')
    headers = {"dossier_code": "Mã hồ sơ", "unit": "Đơn vị", "received_at": "Nhận", "status": "Trạng thái"}
    office.drop("a.csv", [dossier()], headers=headers)
    (_, before) = office.take_in().files[0]
    for broken in ('[columns]\nreceived_at = "Ngày nộp"\n', 'extent = "all"\n'):
        office.source(broken)
        found = office.take_in()
        assert found.files[0][1] == before, broken
    assert [e.exit_code for e in found.refused] == [2]


def test_files_may_be_conformed_side_by_side(tmp_path: Path) -> None:
    """As a re-run does it: each file's rows are what they are when it is read alone."""
    odd = [{}, {"status": "lạ"}, {"received_at": "31/02/2023"}, {"unit": "Xã Lạ"}, {"finished_at": "", "status": "?"}]
    office = Office(tmp_path / "alone")
    paths = [office.drop(f"{n}.csv", [dossier(**odd[(n + i) % 5]) for i in range(n + 1)]) for n in range(12)]
    alone = [conform(office.home, path) for path in paths]
    home = Home(tmp_path / "beside")
    record.key(home)
    (home.restricted / "key").write_bytes((office.home.restricted / "key").read_bytes())
    with ThreadPoolExecutor(4) as readers:
        beside = list(readers.map(lambda path: conform(home, path), paths))
    for (facts, *frames), (again, *frames_again) in zip(alone, beside, strict=True):
        assert replace(facts, folder=again.folder) == again
        assert [frame.to_dicts() for frame in frames] == [frame.to_dicts() for frame in frames_again]


def test_files_read_side_by_side_share_the_first_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = record.secrets.token_hex

    def slowly(size: int) -> str:
        time.sleep(0.05)
        return made(size)

    monkeypatch.setattr(record.secrets, "token_hex", slowly)
    with ThreadPoolExecutor(8) as readers:
        keys = list(readers.map(lambda _: record.key(Home(tmp_path)), range(8)))
    assert len(set(keys)) == 1 and keys[0] == record.key(Home(tmp_path))


# ---- crashes


class Crash(BaseException):
    """Not an Exception: as a killed run, nothing catches it."""


def crash(*_: object, **__: object) -> None:
    raise Crash


STEPS = {
    "while conforming": (repeats.Batches, "settle"),
    "before the version is whole": (versions, "write_json"),
    "between conforming and archiving": (intake, "archive"),
    "within archiving": (record.os, "replace"),
    "between archiving and logging": (intake, "append_log"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_leaves_nothing_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [dossier()])
    before = office.take_in()
    office.drop("b.csv", [dossier(), dossier()])
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(*STEPS[step], crash)
        office.take_in()
    assert names(office) == ["a.csv"]
    assert not list(office.home.versions.rglob("codes*")), "dossier codes stand in the restricted store alone"
    assert not [p for p in office.home.versions.iterdir() if not (p / "file.json").exists()]
    after = office.take_in()
    assert [e.name for e in after.taken] == ["b.csv"] and names(office) == ["a.csv", "b.csv"]
    assert after.files[0] == before.files[0] and after.files[1][1].accepted == 2
    for entry in read_log(office.home):
        assert record.sha256_of(record.archived(office.home, entry.sha256)) == entry.sha256


def test_rows_that_kept_the_key_as_text_count_the_same(tmp_path: Path) -> None:
    """Those of an expired file may be of a program before 0.6."""
    office = Office(tmp_path)
    spring = office.drop("a.csv", [opened(dossier_code=ONE), dossier(dossier_code=TWO)])
    office.drop("b.csv", [dossier(dossier_code=ONE, channel="Trực tiếp")])
    asked = (
        "SELECT * EXCLUDE (known_at) FROM dossier ORDER BY ALL",
        "SELECT * EXCLUDE (known_at, known_from) FROM other_word",
    )

    def built() -> list[list[tuple]]:
        office.night()
        with office.open() as con:
            kinds = con.execute("SELECT DISTINCT typeof(dossier_id) FROM dossier_version").fetchall()
            assert kinds == [("UUID",)]
            return [con.execute(sql).fetchall() for sql in asked]

    before = built()
    facts = next(f for _, f in office.take_in().files if f.name == spring.name)
    rows = facts.folder / "rows.parquet"
    as_text = f"SELECT * REPLACE ({hex_sql('dossier_id')} AS dossier_id) FROM '{rows}'"
    duckdb.execute(f"COPY ({as_text}) TO '{facts.folder / 'text'}' (FORMAT parquet)")
    (facts.folder / "text").replace(rows)
    office.drop("c.csv", [])  # so that something is new
    assert built() == before


def test_a_row_without_its_key_is_never_written() -> None:
    with pytest.raises(AssertionError, match="2 dossiers, 16 bytes"):
        repeats._as_kept(pl.DataFrame({"dossier_id": ["00" * 16, None]}))


def test_a_version_without_its_facts_is_none(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [dossier()])
    (_, facts) = office.take_in().files[0]
    (facts.folder / "file.json").unlink()
    assert office.take_in().files[0][1] == facts


@pytest.mark.parametrize("cut", [1, 2, 30, 200])
def test_a_line_of_the_log_cut_off_is_no_entry(tmp_path: Path, cut: int) -> None:
    """Wherever the crash cut, be it within a letter; what comes after stands on a line of its own."""
    office = Office(tmp_path)
    office.drop("a.csv", [dossier()])
    office.take_in()
    office.drop("sổ tháng chín ệ.csv", [dossier()])
    office.take_in()
    whole = office.home.intake_log.read_bytes()
    start = whole.rindex(b"{")
    office.home.intake_log.write_bytes(whole[: max(start + 1, len(whole) - cut)])
    assert names(office) == ["a.csv"]
    assert [e.name for e in office.take_in().taken] == ["sổ tháng chín ệ.csv"]
    assert [e.seq for e in read_log(office.home)] == [1, 2]
    assert all(json.loads(line) for line in office.home.intake_log.read_text("utf-8").splitlines())


def test_a_line_cut_within_a_letter(tmp_path: Path) -> None:
    home = Home(tmp_path)
    entry = record.Entry(1, "2023-09-15T01:00:00+00:00", "2023-09-15 08:00:00", "0" * 64, "so", "sổ.csv", 1, None)
    append_log(home, entry)
    line = home.intake_log.read_bytes()
    home.intake_log.write_bytes(line + line[: line.index("ổ".encode()) + 1])
    assert read_log(home) == [entry]
    append_log(home, entry)
    assert read_log(home) == [entry, entry]


def test_one_build_at_a_time(tmp_path: Path) -> None:
    with one_build(Home(tmp_path)), pytest.raises(Busy) as caught, one_build(Home(tmp_path), wait_seconds=0):
        pass
    assert caught.value.exit_code == 3
    with one_build(Home(tmp_path), wait_seconds=0):
        pass


def test_known_at(tmp_path: Path) -> None:
    """The intake, unless the source is of historical files; never later than the intake."""
    for toml, known in (("", "intake"), ('known_at = "exported"', "2023-09-14 23:30:00")):
        office = Office(tmp_path / known[:6])
        office.source(toml)
        office.drop("a.csv", [dossier()])
        (entry,) = office.take_in().taken
        assert (entry.known_at == known) == (known != "intake")
        assert entry.known_at <= record.now().astimezone().isoformat(sep=" ") or known == "intake"
    assert Source("so", "so").known_at == "intake"


def test_files_in_folders_of_a_source_and_the_same_bytes_again_are_told(home: Home) -> None:
    """A source may keep its files by year; the same bytes elsewhere are counted once, and somebody is told."""
    rows = "Mã hồ sơ,Đơn vị tiếp nhận,Ngày tiếp nhận,Trạng thái\nA1,Xã Gio An,15/06/2023,Đang xử lý\n"
    for place in ("mot_cua/2023/06/so.csv", "mot_cua_khac/so.csv"):
        path = home.raw / place
        path.parent.mkdir(parents=True)
        path.write_text(rows, encoding="utf-8")
    said: list[str] = []
    result = night.run(home, lambda text: said.append(text.en))
    assert [f"{e.source}/{e.name}" for e in result.taken] == ["mot_cua/2023/06/so.csv"]
    assert "mot_cua_khac/so.csv: the same bytes as mot_cua/2023/06/so.csv, counted once" in said
