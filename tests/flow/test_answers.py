"""Answers as people meet them: per unit as of its own last day, no unit before its time, nothing cut off unsaid."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from pipeline import night
from pipeline.commands import nightly
from pipeline.measure import answers
from pipeline.report.screen import print_stats, print_table
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.conftest import ROOT, Said

HEADER = "Mã hồ sơ,Đơn vị tiếp nhận,Ngày tiếp nhận,Ngày hẹn trả,Ngày kết thúc xử lý,Trạng thái,Kênh tiếp nhận"


def drop(home: Home, source: str, span: tuple[str, str], exported: str, rows: list[str], toml: str = "") -> None:
    folder = home.raw / source
    folder.mkdir(parents=True, exist_ok=True)
    title = f"Từ ngày {span[0]} đến ngày {span[1]}\nNgày xuất dữ liệu: {exported}\n"
    (folder / f"{source}.csv").write_text(title + "\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    if toml:
        (folder / "source.toml").write_text(toml, encoding="utf-8")


def shown(width: int, draw: Callable[[Console], None]) -> str:
    out = io.StringIO()
    draw(Console(file=out, width=width, markup=False, highlight=False))
    return out.getvalue()


def test_overdue_judges_each_unit_on_its_own_last_day(home: Home) -> None:
    """Gio An's data end on 14/7, Gio Mỹ's on 14/8: a dossier due on 20/7 is late in Gio Mỹ and in term in Gio An."""
    row = "{},Xã {},20/06/2023,20/07/2023,,Đang xử lý,Trực tiếp"
    drop(home, "a", ("15/06/2023", "14/07/2023"), "14/07/2023 23:00", [row.format("A1", "Gio An")])
    drop(home, "b", ("15/06/2023", "14/08/2023"), "14/08/2023 23:00", [row.format("B1", "Gio Mỹ")])
    night.run(home)
    con = open_published(home)
    found = {
        r["unit"]: (str(r["as_of"]), r["open"], r["overdue"], r["due_soon"]) for r in answers.overdue(con, within=7)
    }
    assert found["Xã Gio An"] == ("2023-07-14", 1, 0, 1)
    assert found["Xã Gio Mỹ"] == ("2023-08-14", 1, 1, 0)
    stats = {r["unit"]: r for r in answers.stats(con, "2023-Q3")}
    assert (stats["Xã Gio An"]["open_overdue"], stats["Xã Gio Mỹ"]["open_overdue"]) == (0, 1)


def test_overdue_after_the_reform_is_the_new_units(home: Home) -> None:
    rows = [
        "A1,Xã Gio Hải,10/06/2025,20/06/2025,,Đang xử lý,Trực tiếp",
        "A2,Xã Gio Mai,20/06/2025,30/12/2025,,Đang xử lý,Trực tiếp",
    ]
    drop(home, "a", ("15/03/2025", "14/09/2025"), "14/09/2025 23:00", rows)
    night.run(home)
    con = open_published(home)
    found = {r["unit"]: (r["open"], r["overdue"]) for r in answers.overdue(con) if r["level"] == "unit"}
    assert found == {"Xã Cửa Việt": (2, 1)}
    before = {r["unit"] for r in answers.stats(con, "2025-Q2")}
    assert "Xã Cửa Việt" not in before and "Xã Gio Hải" in before
    after = {r["unit"]: r["total"] for r in answers.stats(con, "2025-Q3") if r["level"] == "unit"}
    assert after == {"Xã Cửa Việt": 2}


def test_a_group_without_data_in_one_period_of_a_range_is_a_row_without_data(home: Home) -> None:
    shutil.copytree(ROOT / "data/raw", home.raw, dirs_exist_ok=True)
    for month in ("08", "09"):
        (home.raw / "gio_linh_xa" / f"so_theo_doi_xa_2023-{month}.csv").unlink()
    night.run(home)
    con = open_published(home)
    rows = answers.stats(con, "2023-M07..2023-M09", unit="466-xa")
    assert [(r["period"], r["coverage"], r["total"] is None) for r in rows] == [
        ("2023-M07", "full", False),
        ("2023-M08", "no_data", True),
        ("2023-M09", "no_data", True),
    ]
    quarter = answers.stats(con, "2023-Q3")
    told = shown(220, lambda console: print_stats(quarter, "vi", console))
    assert "một phần" in told and "14/07/2023" in told and "14/09/2023" in told  # cut-offs differ: both stand there


def test_a_narrow_screen_says_what_it_leaves_out(sample: Home) -> None:
    rows = answers.stats(open_published(sample), "2023-Q3")
    for width in (80, 100, 120, 150, 200):
        told = shown(width, lambda console: print_stats(rows, "vi", console))
        table, _, note = told.partition("Màn hình hẹp")
        assert "8.134" in table and "7.614" in table and "520" in table
        assert all(len(line) <= width for line in told.splitlines())
        assert ("Trước hạn" in note) != ("5.456" in table), width


def test_brackets_in_names_are_no_markup(home: Home, motcua: Callable[..., Said]) -> None:
    told = shown(80, lambda console: print_table([{"unit": "Sở [/b] Y [values]"}], ["unit"], "vi", console, "[/i] x"))
    assert "Sở [/b] Y [values]" in told and "[/i] x" in told
    drop(
        home,
        "a",
        ("15/06/2023", "14/07/2023"),
        "14/07/2023 23:00",
        ["A1,Xã Gio An,20/06/2023,,,[/a],x"],
        'name = "Sở [/b]"',
    )
    assert night.run(home).exit_code == 0
    assert "Sở [/b]" in motcua(home, "sources").out
    assert "[values]" in motcua(home, "rejects").out


def test_headers_that_were_found_are_said_and_names_are_not(home: Home, motcua: Callable[..., Said]) -> None:
    folder: Path = home.raw / "la"
    folder.mkdir(parents=True)
    (folder / "la.csv").write_text("Số hs,Phòng ban,Ngày hẹn trả,Nguyễn Thị Hoa\n1,x,15/06/2023,y\n", encoding="utf-8")
    said = motcua(home, "run")
    assert said.code == 2 and "Số hs, Phòng ban, Ngày hẹn trả" in said.all and "Hoa" not in said.all
    assert "Chưa có tệp nào" not in said.all


def test_rejects_and_status_tell_the_same_number_of_rows(sample: Home, motcua: Callable[..., Said]) -> None:
    status = json.loads(motcua(sample, "status", "--format", "json").out)[0]["files"]
    told = json.loads(motcua(sample, "rejects", "--format", "json").out)
    for file in status:
        rows = [r for r in told if r["file"] == f"{file['source']}/{file['name']}" and r["verdict"] == "excluded"]
        counted = sum(int(r["found"].split()[0]) if r["code"] == "superseded" else 1 for r in rows)
        assert counted == file["excluded"], file["name"]


def test_a_night_of_many_units_shows_their_sums(
    published_sample: Home, motcua: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing new is published: what is shown is that of the newest quarter all the same."""
    all_of_them = motcua(published_sample, "run").out
    assert "Xã Gio Quang" in all_of_them and "Từng đơn vị" not in all_of_them
    monkeypatch.setattr(nightly, "MOST_ROWS", 5)
    sums = motcua(published_sample, "run").out
    assert "Huyện Gio Linh" in sums and "8.134" in sums and "Từng đơn vị (18)" in sums
    assert "Xã Gio Quang" not in sums


def test_only_quarters_of_the_default_scheme_are_run_again(sample: Home, motcua: Callable[..., Said]) -> None:
    said = motcua(sample, "run", "--period", "calendar:2023-Q3")
    assert said.code == 2 and "2023-Q3" in said.err


def test_a_register_without_titles_shows_the_quarter_in_which_something_arose(
    home: Home, motcua: Callable[..., Said]
) -> None:
    """It says nowhere when it was exported, and had been silent for years when it was taken in: those are no zeros."""
    folder = home.raw / "so_cu"
    folder.mkdir(parents=True)
    rows = [
        f"A{n},Xã Gio An,{n:02}/02/2024 08:00,28/02/2024,20/02/2024,Đã trả kết quả,Trực tuyến" for n in range(1, 10)
    ]
    (folder / "so.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    said = motcua(home, "run")
    assert said.code == 0 and "Quý I/2024" in said.out
    assert "một phần" in motcua(home, "stats", "--period", "2024-Q1").out, "nobody knows of the days after the last"
    later = motcua(home, "stats", "--period", "2025-Q1")
    assert "không có số liệu" in later.out and not re.search(r"│\s+0 │", later.out)


def test_a_release_of_another_version_is_said_not_broken(published_sample: Home, motcua: Callable[..., Said]) -> None:
    """Its tables may be others: the next run builds them anew, from the record."""
    from pipeline.warehouse.release import published

    con = duckdb.connect(str(published(published_sample).database))
    con.execute("UPDATE release_info SET value = '1' WHERE key = 'schema_version'")
    con.close()
    said = motcua(published_sample, "stats", "--period", "2023-Q3")
    assert said.code == 2 and "motcua run" in said.all
