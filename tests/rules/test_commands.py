"""--rules on every command that prints figures, and explain --compare, as people ask for them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipeline.audit.compare_rules import compare
from pipeline.declare.definitions import figures
from pipeline.declare.figures import measures
from pipeline.declare.forms import form
from pipeline.declare.periods import parse_period
from pipeline.declare.rules import ASPECTS, OURS, PART, rule_set, rule_sets, whys
from pipeline.errors import WrongUse
from pipeline.measure import answers
from pipeline.measure.rules import ask_by
from pipeline.settings import Home
from pipeline.warehouse.release import published
from pipeline.warehouse.sql import statement
from tests.conftest import Said
from tests.rules.cases import ADHOC, CASES, MONTHLY, THANH_HOA, drop
from tests.summaries import forms
from tests.summaries.tables import ii06a
from tests.unit.office import Office, dossier, opened

pytestmark = pytest.mark.usefixtures("in_full")

Q3 = "2023-Q3"
Motcua = Callable[..., Said]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("cách tính"))
    drop(office, CASES)
    assert office.night().release
    return office


def rows_of(said: Said) -> list[dict[str, Any]]:
    assert said.code == 0, said.all
    return json.loads(said.out)


# ---- declared


def test_rule_sets_are_whole() -> None:
    parts = set(PART.findall(statement("measure", "dossier_period"))) - {"live", "main"}
    for r in rule_sets().values():
        assert parts <= set(r.sql), r.name
        assert not any(PART.search(sql) for sql in r.sql.values())
        assert r.label.vi and r.label.en and r.about.vi and r.about.en and r.source and r.mark
        assert (r.base is None) == (r.name == OURS) and re.fullmatch("[a-z-]+", r.name)
        assert r.name == OURS or (r.own and any(r.sql[p] != rule_sets()[str(r.base)].sql.get(p) for p in r.own))
    for why in whys():
        assert why.aspect in ASPECTS and set(why.rules) <= set(rule_sets()) and why.text.vi and why.text.en


def test_ours_stays_in_plain_sql() -> None:
    """What Spark must run too: no casts of date parts, intervals or functions but coalesce and CAST of a null."""
    sql = " ".join(rule_sets()[OURS].sql.values())
    assert set(re.findall(r"(\w+)\(", sql)) <= {"coalesce"} and "::" not in sql and "INTERVAL" not in sql


@pytest.mark.parametrize("words", ["OPENCPS-MONTHLY", " opencps_monthly "])
def test_names_as_people_write_them(words: str) -> None:
    assert rule_set(words).name == MONTHLY


def test_an_unknown_rule_set_is_answered_with_all_there_are(office: Office, motcua: Motcua) -> None:
    with pytest.raises(WrongUse, match="opencps-adhoc"):
        rule_set("opencps-ad-hoc")
    for command in (("stats", "--period", Q3), ("overdue",), ("explain", "total", "--period", Q3, "--compare")):
        said = motcua(office.home, *command, "--rules", "x")
        assert said.code == 2 and not said.out
        assert all(f"{r.name}: {r.label.vi}" in said.err for r in rule_sets().values())


# ---- stats, indicators, overdue, export


def test_rows_and_tables_say_by_which_rules_they_count(office: Office, motcua: Motcua, tmp_path: Path) -> None:
    for command in (("stats", "--period", Q3), ("indicators", "--period", Q3), ("overdue",)):
        ours = motcua(office.home, *command, "--format", "json")
        assert ours.out == motcua(office.home, *command, "--format", "json", "--rules", OURS).out
        assert "rules" not in rows_of(ours)[0]
        theirs = rows_of(motcua(office.home, *command, "--format", "json", "--rules", THANH_HOA))
        assert {r["rules"] for r in theirs} == {THANH_HOA} and theirs[0].keys() - {"rules"} == rows_of(ours)[0].keys()
        table = motcua(office.home, *command, "--rules", THANH_HOA)
        assert table.code == 0 and table.out.startswith("Cách tính: Kiểu Thanh Hóa (thanh-hoa). ")
        assert not motcua(office.home, *command).out.startswith("Cách tính")
        assert motcua(office.home, *command, "--rules", THANH_HOA, "--format", "csv").out.startswith("rules,")
    said = motcua(
        office.home, "export", "--no-pictures", "--period", Q3, "--rules", ADHOC, "--out", str(tmp_path / "ra")
    )
    assert said.code == 0
    assert json.loads((tmp_path / "ra" / "manifest.json").read_text())["rules"] == ADHOC
    unclassified = sum(c.by(ADHOC).endswith("unclassified") for c in CASES)
    made = pl.read_parquet(tmp_path / "ra" / "stats.parquet")
    assert (
        set(made["rules"]) == {ADHOC}
        and made["unclassified"].max() == unclassified
        and not (tmp_path / "ra/finding.csv").exists()
    )
    assert set(pl.read_csv(tmp_path / "ra" / "form_ii06a.csv")["rules"]) == {ADHOC}


def test_on_todays_tree_and_as_known(office: Office, motcua: Motcua) -> None:
    asked = ("stats", "--period", Q3, "--format", "json", "--unit", "Ca 16")
    assert rows_of(motcua(office.home, *asked, "--tree", "new"))[0]["open_overdue"] == 1
    assert rows_of(motcua(office.home, *asked, "--tree", "new", "--rules", MONTHLY))[0]["open_paused"] == 1
    # run on 15/9, before the status of 18/9 is known, today's status is still "in progress"
    assert rows_of(motcua(office.home, *asked, "--rules", MONTHLY))[0]["open_paused"] == 1
    assert rows_of(motcua(office.home, *asked, "--rules", MONTHLY, "--as-known", "2023-09-15"))[0]["open_overdue"] == 1


# ---- explain


def test_explained_by_another_rule_set(office: Office, motcua: Motcua) -> None:
    asked = ("explain", "resolved_early", "--period", Q3, "--rules", ADHOC)
    said = motcua(office.home, *asked)
    count = sum(c.by(ADHOC).endswith("resolved_early") for c in CASES)
    assert said.code == 0 and said.out.startswith("Cách tính: OpenCPS, báo cáo từ ngày đến ngày")
    one = rows_of(motcua(office.home, *asked, "--format", "json"))[0]
    assert (one["value"], one["adds_up"], one["rules"]) == (count, True, ADHOC)
    listed = rows_of(motcua(office.home, *asked, "--list", "--format", "json"))
    assert [row["rules"] for row in listed] == [ADHOC] * count
    pasted = said.out[said.out.index("SET search_path") : said.out.index(";", said.out.index("SELECT\n")) + 1]
    with duckdb.connect(str(published(office.home).database), read_only=True) as plain:
        assert plain.execute(pasted).fetchall() == [(count,)]
    assert (
        "numerator"
        in motcua(office.home, "explain", "on_time_rate", "--period", Q3, "--rules", ADHOC, "--lang", "en").out
    )


def test_side_by_side(office: Office, motcua: Motcua) -> None:
    asked = ("explain", "resolved_early", "--period", Q3, "--compare", "--rules", MONTHLY, "--rules", THANH_HOA)
    ours, monthly, thanh_hoa = rows_of(motcua(office.home, *asked, "--format", "json"))
    assert [r["rules"] for r in (ours, monthly, thanh_hoa)] == [OURS, MONTHLY, THANH_HOA] and ours["dossiers"] == []
    counts = {name: sum(c.by(name).endswith("resolved_early") for c in CASES) for name in (OURS, MONTHLY)}
    assert (ours["value"], monthly["value"]) == (counts[OURS], counts[MONTHLY])
    assert monthly["numerator_difference"] == monthly["value"] - ours["value"]
    first = next(d for d in monthly["dossiers"] if d["unit"] == "Ca 1")
    assert (first["outcome_ours"], first["outcome_theirs"], first["numerator_difference"]) == (
        "resolved_early", "resolved_on_time", -1,
    )  # fmt: skip
    assert first["why"] == "trước hạn là đã trả kết quả trước giờ hẹn" and first["file"] and first["row"]
    flat = list(csv.DictReader(io.StringIO(motcua(office.home, *asked, "--format", "csv").out)))
    assert len(flat) == 1 + len(monthly["dossiers"]) + len(thanh_hoa["dossiers"])
    assert {r["why"] for r in flat if r["rules"] == MONTHLY} == {d["why"] for d in monthly["dossiers"]}
    table = motcua(office.home, *asked)
    assert table.code == 0 and "1 × Đã giải quyết trước hạn → Đang giải quyết quá hạn: mở lại" in table.out
    assert "HS-" not in table.out and "CA-" not in table.out
    assert "CA-20" in motcua(office.home, *asked, "--codes", "--format", "json").out
    english = motcua(office.home, *asked, "--lang", "en").out
    assert "early means handed over before the due time" in english and "Ours → theirs" in english


@pytest.mark.parametrize("code", ["processing_days_median", "processing_days_mean", "on_time_rate_received", "c9"])
def test_every_kind_of_figure_side_by_side(office: Office, motcua: Motcua, code: str) -> None:
    for more in (*(("--format", shape) for shape in ("table", "csv", "json")), ("--unit", "Ca 10")):
        said = motcua(office.home, "explain", code, "--period", Q3, "--compare", *more)
        assert said.code == 0 and said.out, said.err
    none = motcua(office.home, "explain", code, "--period", "2019-Q3", "--compare")
    assert none.code == 0 and "không có số liệu" in none.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--compare", "--list"), "--compare --rules A --rules B"),
        (("--rules", MONTHLY, "--rules", ADHOC), "--compare"),
        (("--codes",), "--list"),
    ],
)
def test_wrong_words(office: Office, motcua: Motcua, words: tuple[str, ...], says: str) -> None:
    said = motcua(office.home, "explain", "total", "--period", Q3, *words)
    assert said.code == 2 and says in said.err and not said.out


# ---- what is sealed, and what summaries alone tell


def test_a_sealed_period_is_counted_anew_by_other_rules(tmp_path: Path, motcua: Motcua) -> None:
    office = Office(tmp_path)
    office.source('name = "Sổ"\nknown_at = "exported"\n')
    rows = [dossier(), opened(due_at="29/09/2023 17:00:00")]
    office.drop("t9.csv", rows)
    assert office.night().release
    assert motcua(office.home, "seal", Q3).code == 0
    titles = ("Từ ngày 15/06/2023 đến ngày 20/09/2023", "Ngày xuất dữ liệu: 20/09/2023 23:00:00")
    office.drop("t9b.csv", [*rows, dossier()], ("SỔ", *titles))
    assert office.night().release
    asked = ("stats", "--period", Q3, "--unit", "Xã Gio An", "--format", "json")
    assert rows_of(motcua(office.home, *asked))[0]["total"] == 2
    assert rows_of(motcua(office.home, *asked, "--live"))[0]["total"] == 3
    said = motcua(office.home, *asked, "--rules", THANH_HOA)
    assert rows_of(said)[0]["total"] == 3 and rows_of(said)[0]["seal"] is None
    assert "2023-Q3 đã chốt theo cách tính của Motcua" in said.err
    compared = motcua(
        office.home, "explain", "total", "--period", Q3, "--unit", "Xã Gio An", "--compare", "--format", "json"
    )
    assert {r["value"] for r in rows_of(compared)} == {3} and "đã chốt" in compared.err
    assert motcua(office.home, *asked[:2], "2023-M09", *asked[3:], "--rules", THANH_HOA).err == ""


def test_units_of_which_summaries_alone_tell_have_no_figures_by_other_rules(tmp_path: Path, motcua: Motcua) -> None:
    office = Office(tmp_path)
    forms.workbook(
        office.home.raw / "bieu" / "q3.xlsx",
        {"Biểu": (forms.II06A, [ii06a("Xã Gio Châu", 10, 20, 5, 8, 6, 4, 12, 5)], forms.TITLES)},
    )
    office.drop("so.csv", [dossier(), dossier(), dossier(status="Công dân rút hồ sơ")])
    assert not office.night().refused
    with office.open() as con:
        ours = {r["unit"]: r for r in answers.stats(con, Q3)}
        assert ours["Xã Gio Châu"]["total"] == 35
        ask_by(con, THANH_HOA)
        theirs = {r["unit"]: r for r in answers.stats(con, Q3)}
        rates = {(r["unit"], r["indicator"]): r for r in answers.indicators(con, Q3)}
    assert theirs.keys() == ours.keys()
    summary = theirs["Xã Gio Châu"]
    assert summary["coverage"] == "no_data" and {summary[m] for m in measures()} == {None}
    assert "chỉ có bảng tổng hợp" in summary["missing"]
    assert rates["Xã Gio Châu", "on_time_rate"]["verdict"] == "no_data"
    total = next(r for r in theirs.values() if r["level"] == "total")
    assert (total["total"], total["coverage"], total["basis"]) == (3, "partial", "dossiers")
    assert "1 đơn vị chỉ có bảng tổng hợp" in total["missing"]
    with office.open() as con:
        for code in ("total", "on_time_rate", *form("ii06a").columns):
            _, found = compare(con, figures()[code], parse_period(Q3))
            for c in found[1:]:
                assert c.adds_up is True
                lacking = [d for d in c.dossiers if d["dossier_id"] is None]
                assert all(d["why"].vi.startswith("chỉ có bảng tổng hợp") and d["file"] == "q3.xlsx" for d in lacking)
                assert lacking or code in ("c8", "c10")
    said = motcua(office.home, "explain", "total", "--period", Q3, "--compare", "--format", "json")
    assert all(any(d["file"] == "q3.xlsx" and d["why"] for d in r["dossiers"]) for r in rows_of(said)[1:])
    alone = motcua(office.home, "explain", "total", "--period", Q3, "--unit", "Xã Gio Châu", "--compare")
    assert alone.code == 0 and "không có số liệu" in alone.out


def test_a_whole_district_of_which_a_summary_alone_tells_is_not_left_out(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.source('name = "Biểu"\n[rules]\nincludes_communes = true\n', "bieu")
    forms.workbook(
        office.home.raw / "bieu" / "q3.xlsx",
        {"Biểu": (forms.II06A, [ii06a("Huyện Gio Linh", 10, 20, 5, 8, 6, 4, 12, 5)], forms.TITLES)},
    )
    assert not office.night().refused
    with office.open() as con:
        ours = {r["unit"]: r for r in answers.stats(con, Q3)}
        assert ours["Huyện Gio Linh"]["total"] == 35
        ask_by(con, MONTHLY)
        row = next(r for r in answers.stats(con, Q3) if r["unit"] == "Huyện Gio Linh")
    assert row["coverage"] == "no_data" and row["total"] is None


def test_the_sample_by_every_rule_set(sample: Home, motcua: Motcua) -> None:
    for name in rule_sets():
        row = rows_of(motcua(sample, "stats", "--period", Q3, "--rules", name, "--format", "json"))[0]
        assert row["total"] == 8134, name
