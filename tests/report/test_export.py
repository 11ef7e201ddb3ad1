"""An export as a whole: everything is there, all outputs agree to the digit, the same release gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import docx
import duckdb
import openpyxl
import polars as pl
import pytest

from pipeline.declare.figures import indicators
from pipeline.declare.periods import parse_periods
from pipeline.declare.text import LANGUAGES
from pipeline.errors import InputRefused, WrongUse
from pipeline.measure import answers
from pipeline.measure.returns import return_figures
from pipeline.measure.scores import score_rows
from pipeline.report import forms
from pipeline.report.book import open_book
from pipeline.report.display import number, percent
from pipeline.report.export import DRAWN, MANIFEST, NOT_ASKED, clear, export, tables
from pipeline.settings import Home
from pipeline.warehouse.sql import rows_of
from tests.conftest import Said
from tests.report.conftest import NOTHING_AROSE, QUARTERS
from tests.report.reading import form_rows, stored

MODEL = "2023-Q3"
OUTPUTS = {
    *("bieu_ii06a.xlsx", "bieu_ii07b.xlsx", "bieu_so_hoa.xlsx", "bieu_tien_do_766.xlsx"),
    *("so_lieu.xlsx", "bao_cao_muc_I3.docx", "bao_cao_muc_I3.md", "bao_cao_muc_I3.json", "trang_so_lieu.html"),
}
TABLES = ("stats", "stats_by_field", "indicators", "form_ii06a", "returns", "return_indicators", "scores_766")
TABLES += ("coverage", "finding")


COUNTER = "UBND huyện Gio Linh"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def page_data(path: Path) -> dict[str, Any]:
    found = re.search(
        r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', path.read_text(encoding="utf-8"), re.S
    )
    assert found
    return json.loads(found[1])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, sample: Home) -> Path:
    """The model quarter, exported without pictures."""
    out = tmp_path_factory.mktemp("export")
    with duckdb.connect(str(_database(sample)), read_only=True) as con:
        made = export(con, MODEL, out, draw=False)
    assert sorted(made) == sorted(p for p in out.rglob("*") if p.is_file())
    return out


def _database(home: Home) -> Path:
    from pipeline.warehouse.release import published

    return published(home).database


def test_everything_is_there_and_named_in_the_manifest(model: Path) -> None:
    there = bytes_of(model)
    assert there.keys() == OUTPUTS | {f"{t}.{form}" for t in TABLES for form in ("csv", "parquet")} | {MANIFEST}
    told = json.loads(there[MANIFEST])
    assert told["files"] == {name: hashlib.sha256(data).hexdigest() for name, data in there.items() if name != MANIFEST}
    assert (told["period"], told["pictures"], told["seals"]) == (MODEL, NOT_ASKED, {})


def test_the_same_release_gives_the_same_bytes(
    model: Path, of_sample: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing is laid aside: no other period is asked of what is."""
    monkeypatch.setattr("pipeline.report.export.laid_aside", lambda *_: nullcontext())
    export(of_sample, MODEL, tmp_path, draw=False)
    again, before = bytes_of(tmp_path), bytes_of(model)
    assert {name for name in before if again.get(name) != before[name]} == set()


def test_form_workbook_document_page_and_tables_agree_to_the_digit(
    model: Path, of_sample: duckdb.DuckDBPyConnection
) -> None:
    """Each count of II.06a and the on-time rate of every unit, as six different files tell them."""
    stats = {row["unit"]: row for row in answers.stats(of_sample, MODEL)}
    rates = {r["unit"]: r for r in answers.indicators(of_sample, MODEL) if r["indicator"] == "on_time_rate"}
    form = {row.name: row.cells for row in form_rows(stored(model / "bieu_ii06a.xlsx").worksheets[0])}
    sheet = {r.name: r.cells for r in form_rows(_form_sheet(model / "so_lieu.xlsx"))}
    document = {
        _plain(r.cells[0].text): [_plain(c.text) for c in r.cells]
        for t in docx.Document(str(model / "bao_cao_muc_I3.docx")).tables[:2]
        for r in t.rows
    }
    page = page_data(model / "trang_so_lieu.html")
    table = {r["unit"]: r for r in pl.read_parquet(model / "stats.parquet").iter_rows(named=True)}
    told = json.dumps(page, ensure_ascii=False)
    for unit, row in stats.items():
        assert table[unit]["total"] == row["total"] and f'"{unit}"' in told
        if row["level"] == "unit":
            assert form[unit]["(3)"] == sheet[unit]["(3)"] == row["total"]
            assert form[unit]["(10)"] == sheet[unit]["(10)"] == row["resolved_late"]
        written = document[unit]
        assert written[1] == number(row["total"], "vi") and written[5] == number(row["resolved"], "vi")
        rate = rates[unit]
        assert percent(rate["numerator"], rate["denominator"], "vi") in written
    total = next(cells for name, cells in form.items() if name == "Tổng số")
    assert total["(3)"] == stats["Huyện Gio Linh"]["total"] == 8134


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def _form_sheet(path: Path) -> Any:
    """The sheet of the workbook that is form II.06a by unit."""
    found = [
        s for s in stored(path).worksheets if any(c.value == "(13)" for row in s.iter_rows(max_row=14) for c in row)
    ]
    return found[0]


def test_no_output_holds_anything_of_a_dossier(model: Path, of_sample: duckdb.DuckDBPyConnection) -> None:
    keys = [key for (key,) in of_sample.execute("SELECT DISTINCT dossier_id FROM dossier USING SAMPLE 50").fetchall()]
    some = [word for key in keys for word in (str(key), key.hex)]
    texts = [
        data.decode("utf-8", "replace")
        for name, data in bytes_of(model).items()
        if name.endswith(("csv", "md", "json", "html"))
    ]
    for path in sorted(model.glob("*.xlsx")):
        book = openpyxl.load_workbook(path, read_only=True)
        texts.append(
            " ".join(str(v) for s in book for row in s.iter_rows(values_only=True) for v in row if v is not None)
        )
    for text in texts:
        assert not any(one in text for one in some)
        assert not re.search(r"H50\.466?-\d{6}-\d{4}|\d{3}\.\d{2}\.\d{2}\.H50-", text)


def test_one_unit_and_its_figures_alone(of_sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    export(of_sample, MODEL, tmp_path, unit="Xã Trung Hải", draw=False)
    assert json.loads((tmp_path / MANIFEST).read_text(encoding="utf-8"))["unit"] == "Xã Trung Hải"
    for name in ("stats", "indicators", "form_ii06a", "scores_766"):
        assert set(pl.read_parquet(tmp_path / f"{name}.parquet")["unit"]) == {"Xã Trung Hải"}, name
    words = (tmp_path / "bao_cao_muc_I3.md").read_text(encoding="utf-8")
    assert "193 hồ sơ" in words and "8.134" not in words and "Gio An" not in words


def test_the_counter_of_a_district_is_not_the_district(of_sample: duckdb.DuckDBPyConnection) -> None:
    """The two have one code."""
    told = tables(of_sample, MODEL, [open_book(of_sample, MODEL, COUNTER)], unit=COUNTER)
    for name in ("stats", "stats_by_field", "indicators", "form_ii06a", "scores_766"):
        assert {row["unit"] for row in told[name]} == {"UBND huyện Gio Linh"}, name


def test_what_several_outputs_tell_is_asked_once(
    of_sample: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts and indicators of each period, and the rows of each form."""
    asked: Counter[str] = Counter()

    def noting(name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def noted(con: Any, *told: Any) -> Any:
            what = (getattr(one, "key", getattr(one, "name", one)) for one in told if not isinstance(one, dict))
            asked[" ".join([name, *what])] += 1
            return ask(con, *told)

        return noted

    for module, name in ((answers, "by_unit"), (answers, "indicator_rows"), (forms, "lines_of")):
        monkeypatch.setattr(module, name, noting(name, getattr(module, name)))
    export(of_sample, MODEL, tmp_path, draw=False)
    for each in ("by_unit 2023-Q2", "indicator_rows 2022-Q3", "lines_of ii06a 2023-Q3 field"):
        assert any(what.startswith(each) for what in asked), each
    assert {what: times for what, times in asked.items() if times > 1} == {}


def test_tables_have_the_words_of_the_language_asked_for(of_sample: duckdb.DuckDBPyConnection) -> None:
    for lang in LANGUAGES:
        told = tables(of_sample, MODEL, [open_book(of_sample, MODEL, lang=lang)], lang=lang)
        assert {row["label"] for row in told["indicators"]} == {one.label[lang] for one in indicators().values()}
        ours = score_rows(of_sample, MODEL, lang=lang), return_figures(of_sample, MODEL, lang=lang)
        assert (told["scores_766"], told["returns"]) == ours


@pytest.mark.parametrize("period", [MODEL, "2023-M07", "2022-Q4", "2022-Q4..2023-Q2"])
def test_coverage_is_told_of_the_period_and_its_eve(of_sample: duckdb.DuckDBPyConnection, period: str) -> None:
    """On the eve, for what is carried over."""
    periods = parse_periods(period)
    told = tables(of_sample, period, [open_book(of_sample, one.key) for one in periods])["coverage"]
    first, last = periods[0].start - timedelta(days=1), periods[-1].end
    everything = rows_of(of_sample, "SELECT * FROM coverage ORDER BY ALL")
    assert told == [row for row in everything if row["first_day"] <= last and row["last_day"] >= first]
    assert told != everything or period == MODEL


def test_nothing_of_an_earlier_export_is_left_in_the_folder(
    of_sample: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Two forms are not yet in force in the second period; a range before it had folders; a person's file stays."""
    export(of_sample, "2023-Q2..2023-Q3", tmp_path, unit="Xã Trung Hải", draw=False)
    (tmp_path / "2023-Q3" / "ghi_chu.txt").write_text("của tôi", encoding="utf-8")
    for period in (MODEL, "2021-Q1"):
        export(of_sample, period, tmp_path, unit="Xã Trung Hải", draw=False)
    left = bytes_of(tmp_path)
    assert left.keys() - {MANIFEST, "2023-Q3/ghi_chu.txt"} == json.loads(left[MANIFEST])["files"].keys()
    assert "bieu_so_hoa.xlsx" not in left and not (tmp_path / "2023-Q2").exists()


@pytest.mark.parametrize("ours", [True, False])
def test_what_another_manifest_or_a_forged_one_names_is_left_alone(ours: bool, tmp_path: Path) -> None:
    (out := tmp_path / "out").mkdir()
    files = [tmp_path / "outside.txt", out / "theirs.txt"]
    for path in files:
        path.write_text("x", encoding="utf-8")
    told: dict[str, Any] = {"files": {"../outside.txt": None} | ({} if ours else {"theirs.txt": None})}
    told |= {"code_and_declarations": "0"} if ours else {}
    (out / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    clear(out, [])
    (out / MANIFEST).write_text("[no manifest", encoding="utf-8")
    clear(out, [])
    assert all(path.exists() for path in files)


@pytest.mark.parametrize("text", ["{{ noi_dug }}", "Xem {{ noi_dung }}", "{% for x in y %} {{ noi_dung }}"])
def test_a_faulty_template_or_an_unknown_unit_leaves_no_half_of_an_export(
    text: str, of_sample: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    own = docx.Document()
    own.add_paragraph(text)
    own.save(str(tmp_path / "own.docx"))
    with pytest.raises(InputRefused):
        export(of_sample, MODEL, tmp_path / "out", unit="Xã Trung Hải", draw=False, template=tmp_path / "own.docx")
    with pytest.raises(WrongUse):
        export(of_sample, MODEL, tmp_path / "out", unit="Xã Không Có", draw=False)
    assert not (tmp_path / "out").exists()


def test_a_range_has_a_folder_for_each_period(of_sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    export(of_sample, "calendar:2023-Q2..calendar:2023-Q3", tmp_path, draw=False)
    for key in ("calendar-2023-Q2", "calendar-2023-Q3"):
        assert {p.name for p in (tmp_path / key).iterdir()} >= {
            "so_lieu.xlsx",
            "bao_cao_muc_I3.docx",
            "trang_so_lieu.html",
        }
    assert set(pl.read_parquet(tmp_path / "stats.parquet")["period"]) == {"calendar:2023-Q2", "calendar:2023-Q3"}
    assert not (tmp_path / "so_lieu.xlsx").exists()


@pytest.mark.slow
@pytest.mark.parametrize("key", [QUARTERS[-1], NOTHING_AROSE])
def test_a_province_of_132_units_and_a_quarter_in_which_nothing_arose(
    key: str, of_district: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    export(of_district, key, tmp_path, draw=False)
    made = {p.name for p in tmp_path.iterdir()}
    assert made >= OUTPUTS - {"bieu_so_hoa.xlsx"}  # which is in force since 2023
    assert ("bieu_so_hoa.xlsx" in made) is (key != NOTHING_AROSE)
    rows = [r for r in form_rows(stored(tmp_path / "bieu_ii06a.xlsx").worksheets[0]) if r.kind == "row"]
    assert len(rows) == 132
    words = (tmp_path / "bao_cao_muc_I3.md").read_text(encoding="utf-8")
    if key == NOTHING_AROSE:
        compared = re.search(r"^## [\d.]+ So sánh.*?(?=^## )", words, re.S | re.M)
        assert compared, "other periods have rates"
        assert "không phát sinh" in words and not re.search(r"\d+,\d\d %", words.replace(compared[0], ""))
        assert {value for row in rows for value in row.cells.values()} == {0}
    else:
        assert re.search(r"\d+,\d\d %", words) and sum(row.cells["(3)"] for row in rows) > 700


@pytest.mark.browser
@pytest.mark.slow
def test_with_pictures_from_the_command_line(
    sample: Home, tmp_path: Path, motcua: Callable[..., Said], need_tool: Callable[[str | None, str], str]
) -> None:
    import shutil

    need_tool(shutil.which("chromium"), "chromium")
    said = motcua(sample, "export", "--period", MODEL, "--out", str(tmp_path))
    assert said.code == 0 and str(tmp_path / "hinh" / "flow.png") in said.out
    told = json.loads((tmp_path / MANIFEST).read_text(encoding="utf-8"))
    drawn = {name for name, digest in told["files"].items() if digest is None}
    assert told["pictures"] == DRAWN and "bao_cao_muc_I3.docx" in drawn
    assert drawn == {"bao_cao_muc_I3.docx"} | {f"hinh/{p.name}" for p in (tmp_path / "hinh").iterdir()}
    linked = re.findall(
        r"!\[[^]]+\]\((hinh/[a-z_]+\.png)\)", (tmp_path / "bao_cao_muc_I3.md").read_text(encoding="utf-8")
    )
    assert linked and set(linked) <= drawn, "of one period there is no trend to show"
    assert len(docx.Document(str(tmp_path / "bao_cao_muc_I3.docx")).inline_shapes) == len(linked)
