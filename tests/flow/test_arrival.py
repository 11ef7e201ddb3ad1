"""From the command line: a wrong file is taken back and given again, files that still arrive wait, rejects are sent
back to the office as a workbook that another program reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipeline.declare.reasons import reasons
from pipeline.report import rejects
from pipeline.settings import Home
from pipeline.warehouse.record import archived, read_log
from tests.conftest import Said, copy_of
from tests.unit.office import QUARTER, Office, dossier, opened

Command = Callable[..., Said]
JULY = ("SỔ THEO DÕI", "Từ ngày 15/06/2023 đến ngày 14/07/2023", "Ngày xuất dữ liệu: 14/07/2023 23:30:00")
FAULTY = [
    dossier(due_at="=2+3"),
    dossier(unit="Phường Nguyễn Thị Bí Mật"),
    dossier(received_at="31/02/2023"),
    dossier(channel="bồ câu"),
    dossier(),
]


@pytest.fixture(scope="module")
def _published(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Office(tmp_path_factory.mktemp("published"))
    made.drop("thang_7.csv", [opened(dossier_code="H50.466-230703-0001")], JULY)
    made.drop("quy_3.csv", [dossier(dossier_code="H50.466-230703-0001"), dossier()])
    assert made.night().exit_code == 0
    return made.home


@pytest.fixture
def office(_published: Home, tmp_path: Path) -> Office:
    """After its first night."""
    return Office(copy_of(_published, tmp_path).root)


def stats(home: Home, motcua: Command) -> dict[str, Any]:
    (row,) = json.loads(motcua(home, "stats", "--period", "2023-Q3", "--unit", "Xã Gio An", "--format", "json").out)
    return row


def status(home: Home, motcua: Command) -> dict[str, Any]:
    return json.loads(motcua(home, "status", "--format", "json").out)[0]


# ---- taken back


def test_a_wrong_file_is_taken_back_and_given_again(office: Office, motcua: Command) -> None:
    home = office.home
    assert (stats(home, motcua)["total"], stats(home, motcua)["resolved"]) == (2, 2)

    done = motcua(home, "withdraw", "quy_3.csv", "--reason", "xuất nhầm đơn vị")
    assert done.code == 0 and "so/quy_3.csv" in done.out and "motcua run" in done.out
    assert stats(home, motcua)["total"] == 2, "recorded; the figures change at the next run"
    (told,) = status(home, motcua)["withdrawn"]
    assert (told["file"], told["reason"]) == ("so/quy_3.csv", "xuất nhầm đơn vị")
    assert "xuất nhầm đơn vị" in motcua(home, "status").out

    ran = motcua(home, "run", "--lang", "en")
    assert ran.code == 0 and "the bytes of so/quy_3.csv, withdrawn on" in ran.all
    after = stats(home, motcua)
    assert (after["total"], after["open"]) == (1, 1)
    (file,) = [f for f in status(home, motcua)["files"] if f["name"] == "quy_3.csv"]
    assert (file["reasons"], file["counted"], file["excluded"], file["adds_up"]) == ({"withdrawn": 2}, 0, 2, True)
    assert "Tệp đã được rút lại" in motcua(home, "rejects", "--file", "quy_3.csv").out
    entry = next(e for e in read_log(home) if e.name == "quy_3.csv")
    assert archived(home, entry.sha256).read_bytes() == (home.raw / "so" / "quy_3.csv").read_bytes()

    assert motcua(home, "withdraw", entry.sha256[:10], "--undo", "--reason", "vẫn đúng").code == 0
    assert office.night().exit_code == 0
    assert stats(home, motcua)["total"] == 2 and status(home, motcua)["withdrawn"] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["quy_3.csv"], "--reason"),
        (["quý 3.csv", "--reason", "x"], "quy_3.csv"),
        (["thang_7.csv", "--reason", "x", "--undo"], "không đang bị rút"),
        ([], "FILE"),
    ],
)
def test_a_withdrawal_that_cannot_be(office: Office, motcua: Command, words: list[str], told: str) -> None:
    said = motcua(office.home, "withdraw", *words)
    assert said.code == 2 and (told in said.err or not words)
    assert all(e.counts for e in read_log(office.home))


# ---- what waits


def test_a_file_that_still_arrives_is_told_and_is_no_error(office: Office, motcua: Command) -> None:
    home = office.home
    (home.raw / "so" / "quy_4.xlsx.part").write_bytes(b"PK")
    for lang, words in (("vi", "Chờ lần chạy sau: so/quy_4.xlsx.part"), ("en", "Waits for the next run")):
        ran = motcua(home, "run", "--lang", lang)
        assert ran.code == 0 and words in ran.all
    found = status(home, motcua)
    assert [w["file"] for w in found["waiting"]] == ["so/quy_4.xlsx.part"] and found["new_files"] == []
    assert [w["file"] for w in found["last_run"]["waiting"]] == ["so/quy_4.xlsx.part"]
    assert "so/quy_4.xlsx.part" in motcua(home, "status").out


def test_nothing_but_a_file_that_waits(home: Home, motcua: Command) -> None:
    (home.raw / "so").mkdir()
    (home.raw / "so" / "a.csv.tmp").write_text("Mã")
    assert motcua(home, "run").code == 0


def test_a_removed_file_still_counts(office: Office, motcua: Command) -> None:
    (office.home.raw / "so" / "quy_3.csv").unlink()
    assert office.night().exit_code == 0
    assert stats(office.home, motcua)["total"] == 2


# ---- what is sent back


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """To be read."""
    office = Office(tmp_path_factory.mktemp("faulty"))
    office.drop("=cmd|' /C calc'!A1.csv", FAULTY, key="xa")
    office.drop("tot.csv", [dossier()], key="xa")
    assert office.night().exit_code == 1
    return office.home


def sheet(path: Path, name: str) -> list[dict[str, Any]]:
    book = openpyxl.load_workbook(path)
    head, *rows = book[name].iter_rows()
    assert all(c.data_type in ("s", "n") for row in rows for c in row), "no cell is a formula"
    assert book[name].freeze_panes == "A2"
    widths = [book[name].column_dimensions[c.column_letter].width for c in head]
    assert all(w > 4 for w in widths) and len(set(widths)) > 1
    return [{h.value: c.value for h, c in zip(head, row, strict=True)} for row in rows]


def test_a_workbook_that_an_office_can_be_sent(faulty: Home, motcua: Command, tmp_path: Path) -> None:
    out = tmp_path / "gửi lại" / "sai.xlsx"
    said = motcua(faulty, "rejects", "--out", str(out))
    assert said.code == 0 and str(out) in said.out
    rows = sheet(out, "Cần sửa")
    lines = (faulty.raw / "xa" / "=cmd|' /C calc'!A1.csv").read_text("utf-8-sig").splitlines()
    assert len(rows) == 4 and [r["Dòng"] for r in rows] == [5, 6, 7, 8]
    for row in rows:
        assert row["Tệp"] == "xa/=cmd|' /C calc'!A1.csv" and row["Lý do"] and row["Cách xử lý"] and row["Cột"]
        assert lines[row["Dòng"] - 1].split(",")[0].startswith("H50.466"), "the row number is the file's own"
    assert rows[0]["Lý do"] == "Ngày hẹn trả không đọc được"
    every = " ".join(str(v) for r in rows for v in r.values())
    assert "Bí Mật" not in every and "bồ câu" not in every and "=2+3" not in every, "shapes, not values"
    sums = sheet(out, "Tổng hợp")
    account = {f["name"]: f for f in status(faulty, motcua)["files"]}
    for place in {r["Tệp"] for r in sums}:
        assert sum(r["Số dòng"] for r in sums if r["Tệp"] == place) == account[place.removeprefix("xa/")]["rows_in"]


def test_one_file_in_english_and_other_formats(faulty: Home, motcua: Command, tmp_path: Path) -> None:
    book = tmp_path / "a.xlsx"
    assert motcua(faulty, "rejects", "--file", "tot.csv", "--lang", "en", "--out", str(book)).code == 0
    assert sheet_rows(book, "To mend") == 1, "a header alone"
    lines = tmp_path / "a.csv"
    assert motcua(faulty, "rejects", "--out", str(lines)).code == 0
    with lines.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4 and not any(v.startswith("=") for r in rows for v in r.values())
    told = json.loads(motcua(faulty, "rejects", "--format", "json").out)
    assert {r["code"] for r in told} <= set(reasons()) and len(told) == 4
    asked = motcua(faulty, "rejects", "--format", "xlsx")
    assert asked.code == 2 and "--out" in asked.err


def sheet_rows(path: Path, name: str) -> int:
    return openpyxl.load_workbook(path)[name].max_row


def test_a_long_list_is_cut_on_the_screen_and_says_so(
    faulty: Home, motcua: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "còn" not in motcua(faulty, "rejects").out
    monkeypatch.setattr("pipeline.commands.data.MOST_ON_SCREEN", 3)
    said = motcua(faulty, "rejects")
    assert "còn 1 dòng nữa" in said.out and "--out" in said.out


def test_what_begins_like_a_formula_is_written_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    risky = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "http://a.b", "'x"]
    rows = [
        {"file": "a", "sheet": text, "row": 7, "column": None, "reason": text, "expected": None, "found": text,
         "todo": None, "verdict": "rejected"}
        for text in risky
    ]  # fmt: skip
    rejects.write_workbook(path, rows, [], "vi")
    (_, *read) = openpyxl.load_workbook(path)["Cần sửa"].iter_rows()
    assert [(r[1].value, r[6].value, r[1].data_type, r[2].value) for r in read] == [(t, t, "s", 7) for t in risky]


def test_status_says_that_every_row_is_accounted_for(faulty: Home, motcua: Command) -> None:
    for lang, words in (("vi", "cộng lại đúng bằng số dòng"), ("en", "add up to the rows of each file")):
        told = " ".join(motcua(faulty, "status", "--lang", lang).out.split())
        assert words in told
    for file in status(faulty, motcua)["files"]:
        assert file["adds_up"] and sum(file["reasons"].values()) == file["excluded"] + file["rejected"]
    assert QUARTER[0] not in told
