"""Bad rows are quarantined with reasons and the good ones published; bad files change nothing and say what to do.

All through the command line, as a data officer meets it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline import night
from pipeline.settings import Home
from pipeline.warehouse.release import current
from tests.conftest import Said

Command = Callable[..., Said]
HEADERS = (
    "Mã hồ sơ,Đơn vị tiếp nhận,Ngày tiếp nhận,Ngày hẹn trả,Ngày kết thúc xử lý,Trạng thái,Kênh tiếp nhận,Chủ hồ sơ"
)
TITLE = "Từ ngày 15/06/2023 đến ngày 14/09/2023\nNgày xuất dữ liệu: 14/09/2023 23:59:59\n"
PERSON = "Nguyễn Thị Bí Mật 0912345678"


def good_rows(count: int) -> list[str]:
    return [
        f"H50.466-2306{15 + n % 15}-{n:04},UBND xã Gio An,{15 + n % 15}/06/2023 08:00:00,{20 + n % 8}/07/2023,"
        f"01/07/2023 09:00:00,Đã trả kết quả,Trực tuyến,{PERSON}"
        for n in range(count)
    ]


def drop(home: Home, name: str, lines: list[str], source: str = "mot_cua") -> Path:
    path = home.raw / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def everything_outside_the_archive(home: Home) -> bytes:
    """What is stored but for the raw files and the names in the unit column that somebody must decide on."""
    apart = (home.raw, home.archive, home.restricted / "units")
    kept = (p for p in home.root.rglob("*") if p.is_file() and not any(p.is_relative_to(a) for a in apart))
    return b"\n".join(p.read_bytes() for p in kept)


BAD = {  # what is wrong → row, reason in Vietnamese and English
    "impossible date": (
        "B1,UBND xã Gio An,31/02/2023 08:00:00,20/07/2023,,Đang xử lý,Trực tuyến," + PERSON,
        ("Ngày tiếp nhận không đọc được", "Received at cannot be read"),
    ),
    "letters for a date": (
        "B2,UBND xã Gio An,15/06/2023,hôm nọ,,Đang xử lý,Trực tuyến," + PERSON,
        ("Ngày hẹn trả không đọc được", "Due at cannot be read"),
    ),
    "unknown unit": (
        f"B3,{PERSON},15/06/2023,20/07/2023,,Đang xử lý,Trực tuyến," + PERSON,
        ("Không nhận ra đơn vị", "The unit is not known"),
    ),
    "missing code": (
        ",UBND xã Gio An,15/06/2023,20/07/2023,,Đang xử lý,Trực tuyến," + PERSON,
        ("Thiếu Mã hồ sơ", "Dossier code is missing"),
    ),
    "received after the export": (
        "B5,UBND xã Gio An,15/06/2033,20/07/2033,,Đang xử lý,Trực tuyến," + PERSON,
        ("Ngày tiếp nhận sau thời điểm xuất tệp", "Received at lies after the export"),
    ),
    "conflicting rows": (
        "B6,UBND xã Gio An,15/06/2023,20/07/2023,,Đang xử lý,Trực tuyến,x\n"
        "B6,UBND xã Gio An,16/06/2023,20/07/2023,,Đang xử lý,Trực tuyến,x",
        ("Cùng mã hồ sơ, nội dung khác nhau trong một tệp", "Same dossier code, different content in one file"),
    ),
}


def test_one_percent_bad_rows(home: Home, motcua: Command) -> None:
    rows = good_rows(693)
    bad = [line for lines, _ in BAD.values() for line in lines.split("\n")]
    rows.insert(40, rows[3])  # the same row again: excluded, not rejected
    for line in bad:
        rows.insert(random.Random(7).randrange(len(rows)), line)
    drop(home, "thang.csv", [TITLE + HEADERS, *rows])

    done = motcua(home, "run")
    assert done.code == 1, done.err
    assert "7 dòng bị từ chối" in done.out
    stats = json.loads(motcua(home, "stats", "--period", "2023-Q3", "--unit", "19522", "--format", "json").out)
    assert [(r["total"], r["online"], r["resolved"]) for r in stats] == [(693, 693, 693)]
    for lang, n in (("vi", 0), ("en", 1)):
        told = json.loads(motcua(home, "rejects", "--format", "json", "--lang", lang).out)
        rejected = [r for r in told if r["verdict"] == "rejected"]
        assert {r["reason"] for r in rejected} == {words[n] for _, words in BAD.values()}
        assert len(rejected) == 7 and all(r["todo"] and r["file"] == "mot_cua/thang.csv" for r in rejected)
        lines = (home.raw / "mot_cua" / "thang.csv").read_text(encoding="utf-8").split("\n")
        for r in rejected:  # the row number is the file's own
            assert any(lines[r["row"] - 1] in bad_lines.split("\n") for bad_lines, _ in BAD.values())
        assert [r["code"] for r in told if r["verdict"] == "excluded"] == ["duplicate_row"]
    account = json.loads(motcua(home, "status", "--format", "json").out)[0]["files"][0]
    assert (account["rows_in"], account["counted"], account["excluded"], account["rejected"]) == (701, 693, 1, 7)


def test_header_that_fits_no_layout_changes_nothing(home: Home, motcua: Command) -> None:
    drop(home, "tot.csv", [TITLE + HEADERS, *good_rows(10)])
    assert night.run(home).exit_code == 0
    before = current(home)
    wrong = "Số hs,Phòng ban,Ngày vào sổ,Người nộp"
    drop(home, "la.csv", [wrong, f"1,Gio An,15/06/2023,{PERSON}"], source="so_la")
    for lang, words in (
        ("vi", ("Tiêu đề cột không khớp bố cục nào", "Cần có", "Thấy", "Cách xử lý", "so_la/la.csv", "source.toml")),
        ("en", ("fit no known layout", "Expected", "Found", "What to do", "so_la/la.csv", "source.toml")),
    ):
        done = motcua(home, "run", "--lang", lang)
        assert done.code == 2
        for word in words:
            assert word in done.all, word
        assert PERSON not in done.all
    assert current(home) == before
    status = json.loads(motcua(home, "status", "--format", "json").out)[0]
    assert status["new_files"] == ["so_la/la.csv"] and status["last_run"]["refused"]


def test_planted_personal_values_stand_nowhere_but_in_raw_archive_and_names_to_decide_on(
    home: Home, motcua: Command
) -> None:
    secrets = [PERSON, "Nguyễn Thị Bí Mật", "0912345678", "046199001234", "Thôn Bí Mật"]
    header = HEADERS + ",Số CCCD,Địa chỉ,Ghi chú,Lĩnh vực,Tên TTHC,Mã TTHC"
    rows = [
        f"{row},046199001234,Thôn Bí Mật,{PERSON},{PERSON},{PERSON},046199001234" if n % 3 else
        # personal values that slipped into columns which are read
        f"C{n},{PERSON},{PERSON},0912345678,046199001234,{PERSON},{PERSON},{PERSON},046199001234,Thôn Bí Mật,x,Thôn Bí Mật,Thôn Bí Mật,{PERSON}"
        for n, row in enumerate(good_rows(60))
    ]  # fmt: skip
    drop(home, "so.csv", [TITLE + header, *rows])
    said = [
        motcua(home, "run"),
        motcua(home, "rejects"),
        motcua(home, "rejects", "--format", "json"),
        motcua(home, "status"),
    ]
    assert said[0].code == 1
    kept = everything_outside_the_archive(home)
    for secret in secrets:
        assert secret.encode() not in kept, secret
        assert all(secret not in s.all for s in said), secret
    assert PERSON.encode() in (home.raw / "mot_cua" / "so.csv").read_bytes()
    decide = [duckdb.read_parquet(str(p)).fetchall() for p in (home.restricted / "units").iterdir()]
    assert [{text for _, text in rows} for rows in decide] == [{PERSON}], "of the unit column alone"


# codes of dossiers stand only in the restricted store
def test_dossier_codes_stand_only_in_the_restricted_store(home: Home, motcua: Command) -> None:
    drop(home, "so.csv", [TITLE + HEADERS, *good_rows(5)])
    motcua(home, "run")
    with_code = [
        p.relative_to(home.warehouse).parts[0]
        for p in home.warehouse.rglob("*")
        if p.is_file() and b"H50.466-230615-0000" in p.read_bytes()
    ]
    assert set(with_code) == {"archive", "restricted"}


COMMANDS = (
    "run",
    "status",
    "stats",
    "indicators",
    "overdue",
    "rejects",
    "sources",
    "units",
    "periods",
    "path",
    "export",
    "explain",
    "withdraw",
    "doctor",
)
ARGUMENTS = [
    [],
    ["--period"],
    ["--period", ""],
    ["--period", "2023-Q5"],
    ["--period", "0001"],
    ["--period", "9999-Q1"],
    ["--period", "lịch:2023"],
    ["--period", "2023-Q4..2023-Q1"],
    ["--period", "2023-Q1..2023-M02"],
    ["--period", "2023-Q3", "--unit", "';--"],
    ["--period", "2023-Q3", "--by", "x"],
    ["--period", "2023-Q3", "--unit", ""],
    ["--format", "xml"],
    ["--lang", "fr"],
    ["--home", "/khong/co"],
    ["--within", "-1"],
    ["--file", "không có"],
    ["--out", "/proc/khong-ghi-duoc", "--period", "2023-Q3"],
    ["\x00"],
    ["thừa"],
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("published", [False, True], ids=["nothing published", "published"])
def test_no_stack_trace_from_any_command(
    command: str, published: bool, home: Home, sample: Home, motcua: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every list of arguments ends in an exit code and words."""
    monkeypatch.chdir(home.root)  # some write where they stand
    for arguments in ARGUMENTS:
        if command == "run" and (published or not arguments):
            continue  # what a run does is tested above
        said = motcua(sample if published else home, command, *arguments)
        unwritable = "--out" in arguments and command == "export" and published
        assert said.code in ((3,) if unwritable else (0, 1, 2)), (command, arguments, said.err)
        if said.code >= 2:
            assert said.err.strip(), (command, arguments)
