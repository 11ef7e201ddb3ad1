"""The sample's quarter sealed, corrected late, re-run, revised: as an auditor would, from the command line."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

import pipeline
from pipeline import night
from pipeline.commands.shared import asked
from pipeline.report.book import open_book
from pipeline.report.sheets.heading import standing
from pipeline.settings import Home
from pipeline.warehouse.record import archived, read_log
from pipeline.warehouse.release import current
from pipeline.warehouse.seals import read_seals
from tests.conftest import ROOT, Said, copy_of
from tests.quick import in_full

Motcua = Callable[..., Said]
LATE = ROOT / "tests" / "data" / "late_corrections"
CORRECTED = "dieu_chinh/ho_so_dieu_chinh_2023-10-20.xlsx"
# tests/data/late_corrections/README.md, the counter: measure → (sealed, now)
CHANGED = {
    "total": (1365, 1366),
    "online": (255, 257),
    "in_person": (808, 807),
    "resolved": (886, 888),
    "resolved_early": (615, 618),
    "resolved_on_time": (267, 265),
    "resolved_late": (1, 2),
    "withdrawn": (0, 1),
    "open": (479, 477),
    "open_in_term": (479, 477),
}


def told(said: Said) -> list[dict[str, Any]]:
    assert said.code in (0, 1), said.all
    return json.loads(said.out)


def counter(motcua: Motcua, home: Home, *words: str) -> dict[str, Any]:
    rows = told(motcua(home, "stats", "--period", "2023-Q3", "--format", "json", *words))
    return next(r for r in rows if r["unit_code"] == "466" and r["level"] == "unit")


@pytest.fixture(scope="module")
def sealed_sample(sample: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The sample's quarter sealed as known on 15/9/2023, then the late corrections taken in."""
    from pipeline.audit.sealing import seal
    from pipeline.declare.moments import parse_moment
    from pipeline.declare.periods import parse_period

    home = copy_of(sample, tmp_path_factory.mktemp("sealed"))
    seal(home, parse_period("2023-Q3"), parse_moment("2023-09-15"), note="báo cáo quý III")
    shutil.copytree(LATE, home.raw / "dieu_chinh")
    with in_full():  # sealed tables take them too
        assert night.run(home).changed
    return home


@pytest.fixture
def sealed(sealed_sample: Home, tmp_path: Path) -> Home:
    """A copy of it, to be changed."""
    return copy_of(sealed_sample, tmp_path)


# ---- what a seal does


def test_sealed_figures_stay_and_live_ones_stand_under_their_own_name(sealed_sample: Home, motcua: Motcua) -> None:
    (seal,) = read_seals(sealed_sample)
    shown, live = counter(motcua, sealed_sample), counter(motcua, sealed_sample, "--live")
    assert {m: (shown[m], live[m]) for m in CHANGED} == CHANGED
    assert (shown["seal"], live["seal"]) == (seal.short, None)
    words = motcua(sealed_sample, "stats", "--period", "2023-Q3").out
    assert (
        f"dấu chốt {seal.short}" in words
        and "dấu chốt" not in motcua(sealed_sample, "stats", "--period", "2023-M07").out
    )
    rates = told(motcua(sealed_sample, "indicators", "--period", "2023-Q3", "--unit", "466", "--format", "json"))
    on_time = next(r for r in rates if r["indicator"] == "on_time_rate" and r["level"] == "unit")
    assert (on_time["numerator"], on_time["denominator"], on_time["seal"]) == (885, 886, seal.short)


def test_an_explicit_known_time_overrides_a_seal_and_says_so(sealed_sample: Home, motcua: Motcua) -> None:
    said = motcua(sealed_sample, "stats", "--period", "2023-Q3", "--as-known", "2030-01-01", "--format", "json")
    row = next(r for r in told(said) if r["unit_code"] == "466" and r["level"] == "unit")
    assert {m: row[m] for m in CHANGED} == {m: now for m, (_, now) in CHANGED.items()} and row["seal"] is None
    assert "bỏ qua số đã chốt" in said.err
    then = counter(motcua, sealed_sample, "--as-known", "2023-09-15")
    assert {m: then[m] for m in CHANGED} == {m: before for m, (before, _) in CHANGED.items()}


def test_outputs_say_whether_their_figures_are_the_sealed_ones(
    sealed_sample: Home, motcua: Motcua, tmp_path: Path
) -> None:
    (seal,) = read_seals(sealed_sample)
    passed = f"không phải số đã chốt, dấu {seal.short}"
    for options, words in (
        ({}, f"dấu chốt {seal.short}"),
        ({"live": True}, passed),
        ({"rules": "by-timestamp"}, passed),
    ):
        with asked(sealed_sample, "vi", **options) as con:
            said = standing(open_book(con, "2023-Q3", rules=options.get("rules", "motcua")), "vi")
        assert words in said and (words == passed) == (passed in said)
    motcua(sealed_sample, *f"export --period 2023-Q3 --no-pictures --as-known 2023-09-15 --out {tmp_path}".split())
    said = openpyxl.load_workbook(tmp_path / "bieu_ii06a.xlsx").worksheets[0]["A4"].value
    assert "theo những gì biết đến 15/09/2023 23:59; bản công bố as-known-" in said
    assert f"dấu chốt {seal.short}" not in said
    assert json.loads((tmp_path / "manifest.json").read_text("utf-8"))["as_known"].startswith("2023-09-15 23:59")


def test_the_published_file_shows_sealed_and_live_rows_side_by_side(sealed_sample: Home) -> None:
    (seal,) = read_seals(sealed_sample)
    with pipeline.open_published(sealed_sample.root) as con:
        for table in ("period_count", "dossier_period"):
            n = "sum(n)" if table == "period_count" else "count(*)"
            found = [
                con.execute(f"SELECT {n}, min(seal) FROM {schema}.{table} WHERE period = '2023-Q3'").fetchall()[0]
                for schema in ("main", "live")
            ]
            assert found == [(8134, seal.short), (8135, None)], table
        assert con.execute(
            "SELECT sum(c3) FROM form_ii06a WHERE period = '2023-Q3' AND \"by\" = 'unit'"
        ).fetchall() == [(8134,)]
        marks = "SELECT count(*) FILTER (WHERE seal IS NULL), count(*) FROM {} WHERE period {} '2023-Q3'"
        for table in ("indicator_value", "period_coverage", "form_ii06a"):
            assert con.execute(marks.format(table, "=")).fetchall()[0][0] == 0
            assert len(set(con.execute(marks.format(table, "<>")).fetchall()[0])) == 1, "others are live"
        history = con.execute(
            "SELECT seal, version, numerator FROM revision WHERE unit_id = '466' AND figure = 'resolved_late' ORDER BY version"
        ).fetchall()
        assert history == [(seal.short, 1, 1), (None, None, 2)]
        told = con.execute("SELECT seal, period, version, counts, note FROM seal").fetchall()
        assert told == [(seal.short, "2023-Q3", 1, True, "báo cáo quý III")]


def test_what_is_explained_of_a_sealed_quarter_is_what_was_sealed(sealed_sample: Home, motcua: Motcua) -> None:
    (seal,) = read_seals(sealed_sample)
    for figure, value in (("resolved_late", 1), ("withdrawn", 0), ("total", 1365)):
        words = ("explain", figure, "--period", "2023-Q3", "--unit", "466", "--format", "json")
        (one,) = told(motcua(sealed_sample, *words))
        assert (one["value"], one["adds_up"], one["seal"]) == (value, True, seal.short)
        assert len(told(motcua(sealed_sample, *words, "--list"))) == value
        database = pipeline.open_published(sealed_sample.root)
        assert database.execute(one["sql"]).fetchall() == [(value,)], "the SQL gives the sealed figure"


def test_exports_carry_the_seal(sealed_sample: Home, motcua: Motcua, tmp_path: Path) -> None:
    (seal,) = read_seals(sealed_sample)
    assert motcua(sealed_sample, "export", "--no-pictures", "--period", "2023-Q3", "--out", str(tmp_path)).code == 0
    for name in ("form_ii06a", "stats", "indicators"):
        rows = list(csv.DictReader(io.StringIO((tmp_path / f"{name}.csv").read_text(encoding="utf-8-sig"))))
        assert rows and {r["seal"] for r in rows} == {seal.short}, name
    assert json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["seals"] == {"2023-Q3": seal.short}


# ---- revisions


def test_revisions_name_the_cells_the_dossiers_and_the_file(sealed_sample: Home, motcua: Motcua) -> None:
    cells = told(motcua(sealed_sample, "revisions", "2023-Q3", "--format", "json"))
    found = {c["figure"]: c for c in cells if c["unit_id"] == "466" and not c["field"] and not c["part"]}
    assert {m: (c["sealed"], c["now"]) for m, c in found.items()} == CHANGED
    assert all(c["causes"] and {x["because_of"] for x in c["causes"]} == {CORRECTED} for c in found.values())
    late = found["resolved_late"]["dossiers"]
    assert [(d["outcome_before"], d["outcome_after"]) for d in late] == [("resolved_on_time", "resolved_late")]
    with pipeline.open_published(sealed_sample.root) as con:
        rows = con.execute(
            "SELECT dossier_id, \"row\" FROM live.dossier_period JOIN file USING (file_id) WHERE period = '2023-Q3' AND name LIKE 'ho_so_dieu%'"
        ).fetchall()
    places = {d["dossier_id"]: d["row"] for c in found.values() for d in c["dossiers"]}
    assert places.items() <= {key.hex: row for key, row in rows}.items(), "each dossier with its row of the file"
    by_field = [c for c in cells if c["field"] and c["figure"] == "resolved_late"]
    assert sum(c["now"] - (c["sealed"] or 0) for c in by_field) == 1
    assert not [c for c in cells if c["unit_id"].startswith("195")], "communes are unchanged"
    words = motcua(sealed_sample, "revisions", "2023-Q3").out
    assert CORRECTED in words and "11 hồ sơ khác" in words and "motcua seal 2023-Q3 --revise" in words


def test_a_revision_is_a_new_version_beside_the_old_one(sealed: Home, motcua: Motcua) -> None:
    assert "đã chốt" in motcua(sealed, "seal", "2023-Q3").err
    assert "cần lý do" in motcua(sealed, "seal", "2023-Q3", "--revise").err
    said = motcua(sealed, "seal", "2023-Q3", "--revise", "--reason", "bổ sung hồ sơ nộp muộn")
    assert said.code == 0 and "lần 2" in said.out and "ô khác lần chốt trước" in said.out
    first, second = read_seals(sealed)
    assert (second.version, second.previous, second.reason) == (2, first.sha256, "bổ sung hồ sơ nộp muộn")
    shown = counter(motcua, sealed)
    assert {m: shown[m] for m in CHANGED} == {m: now for m, (_, now) in CHANGED.items()} and shown[
        "seal"
    ] == second.short
    assert told(motcua(sealed, "revisions", "2023-Q3", "--format", "json")) == []
    old = told(motcua(sealed, "revisions", "2023-Q3@1", "--format", "json"))
    assert len([c for c in old if c["unit_id"] == "466" and not c["field"] and not c["part"]]) == len(CHANGED)
    for version in ("2023-Q3@1", second.short):
        assert motcua(sealed, "rerun", version).code == 0
    (two,) = told(motcua(sealed, "diff", "2023-Q3@1", "2023-Q3@2", "--format", "json"))
    assert {
        (c["figure"], c["before"], c["after"])
        for c in two["cells"]
        if c["figure"] == "withdrawn" and c["unit_id"] == "466" and not c["field"]
    } == {("withdrawn", 0, 1)}
    with pipeline.open_published(sealed.root) as con:
        rows = con.execute("SELECT version, counts FROM seal ORDER BY version").fetchall()
        assert rows == [(1, False), (2, True)]


# ---- re-run


def test_a_rerun_is_identical_after_later_data_without_the_warehouse(sealed: Home, motcua: Motcua) -> None:
    said = motcua(sealed, "rerun", "2023-Q3")
    assert (said.code, "giống hệt" in said.out) == (0, True)
    kept = {"intake.jsonl", "unit_aliases.jsonl", "archive", "restricted", "seals"}
    for path in sealed.warehouse.iterdir():
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(sealed.raw)
    (one,) = told(motcua(sealed, "rerun", "2023-Q3", "--format", "json"))
    assert (one["identical"], one["cells"], one["faults"], one["lost"]) == (True, [], [], [])
    assert {p.name for p in sealed.warehouse.iterdir()} <= kept | {"build.lock"}, "a re-run leaves nothing behind"
    assert motcua(sealed, "seal", "--verify").code == 0


def test_a_backup_restored_elsewhere_reruns_identical(sealed: Home, motcua: Motcua, tmp_path_factory: Any) -> None:
    elsewhere = Home(tmp_path_factory.mktemp("elsewhere"))
    saved = elsewhere.root / "motcua.backup"
    assert motcua(sealed, "backup", str(saved)).code == 0
    assert motcua(elsewhere, "restore", str(saved)).code == 0
    assert motcua(elsewhere, "seal", "--verify").code == 0
    said = motcua(elsewhere, "rerun", "2023-Q3")
    assert said.code == 0 and "giống hệt" in said.out
    (elsewhere.raw).mkdir(parents=True, exist_ok=True)
    assert night.run(elsewhere).exit_code == night.run(sealed).exit_code
    assert counter(motcua, elsewhere) == counter(motcua, sealed)
    assert counter(motcua, elsewhere, "--live") == counter(motcua, sealed, "--live")


def change_a_byte(path: Path, place: int = -20) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(content))


def test_a_changed_archived_file_is_found_named_and_is_the_cause(sealed: Home, motcua: Motcua) -> None:
    entry = next(e for e in read_log(sealed) if e.name == "so_theo_doi_xa_2023-08.csv")
    path = archived(sealed, entry.sha256)
    path.write_bytes(path.read_bytes().replace("Nộp trực tuyến".encode(), "Nộp trực tiếp".encode(), 40))
    verified = motcua(sealed, "seal", "--verify")
    assert verified.code == 1 and "so_theo_doi_xa_2023-08.csv" in verified.out and "tệp gốc bị sửa" in verified.out
    (one,) = told(motcua(sealed, "rerun", "2023-Q3", "--format", "json"))
    assert not one["identical"] and 0 < len(one["dossiers"]) <= 40
    assert {d["cause"] for d in one["dossiers"]} == {"input_file"}
    assert {d["because_of"] for d in one["dossiers"]} == {"gio_linh_xa/so_theo_doi_xa_2023-08.csv"}
    online = next(c for c in one["cells"] if (c["unit_id"], c["figure"], c["field"]) == ("*", "online", ""))
    assert online["sealed"] - online["rerun"] == len(online["dossiers"]) == len(one["dossiers"])


def test_a_broken_archived_file_is_named_and_what_it_told_is_missing(sealed: Home, motcua: Motcua) -> None:
    entry = next(e for e in read_log(sealed) if e.name == "so_theo_doi_2023-08.xlsx")
    archived(sealed, entry.sha256).write_bytes(b"not a workbook any more")
    (one,) = told(motcua(sealed, "rerun", "2023-Q3", "--format", "json"))
    assert [lost["file"] for lost in one["lost"]] == [entry.place] and not one["identical"]
    assert any(entry.place in fault["where"] for fault in one["faults"])


def test_a_changed_seal_is_found_and_named(sealed: Home, motcua: Motcua) -> None:
    (seal,) = read_seals(sealed)
    for name in ("seal.json", "stats.csv", "dossier_period.parquet", "indicator_value.parquet"):
        kept = (seal.folder / name).read_bytes()
        change_a_byte(seal.folder / name)
        said = motcua(sealed, "seal", "--verify")
        assert said.code == 1 and f"{seal.folder.name}/{name}" in said.out, name
        (seal.folder / name).write_bytes(kept)
    assert motcua(sealed, "seal", "--verify").code == 0


def test_a_changed_declaration_of_a_source_is_found_and_named(sealed: Home, motcua: Motcua) -> None:
    (seal,) = read_seals(sealed)
    toml = next(f.source_toml for f in seal.files if f.source == "gio_linh_xa")
    assert toml is not None
    change_a_byte(archived(sealed, toml), 3)
    said = motcua(sealed, "seal", "--verify")
    assert said.code == 1 and "gio_linh_xa/source.toml" in said.out


def test_a_changed_declaration_of_the_program_is_found_and_is_the_cause(
    sealed: Home, motcua: Motcua, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if somebody had edited thresholds.toml and indicators.toml in the program's folder."""
    from pipeline.audit import verify
    from pipeline.declare import figures
    from pipeline.warehouse import release

    touched = dict(release.program_files()) | {"pipeline/declare/indicators.toml": "0" * 64}
    monkeypatch.setattr(verify, "program_files", lambda: touched)
    known = dict(figures.indicators())
    known["on_time_rate"] = known["late_rate"].__class__(
        **{**known["on_time_rate"].__dict__, "numerator": "outcome = 'resolved_early'"}
    )
    for module in ("pipeline.measure.figures", "pipeline.measure.counted", "pipeline.declare.definitions"):
        monkeypatch.setattr(f"{module}.indicators", lambda: known)
    said = motcua(sealed, "seal", "--verify")
    assert said.code == 1 and "pipeline/declare/indicators.toml" in said.out
    (one,) = told(motcua(sealed, "rerun", "2023-Q3", "--format", "json"))
    assert not one["identical"] and one["cells"] and {c["figure"] for c in one["cells"]} == {"on_time_rate"}
    assert one["dossiers"] == [] and any("indicators.toml" in f["where"] for f in one["faults"])


def test_the_warehouse_rows_changed_behind_our_back_are_named(sealed: Home, motcua: Motcua) -> None:
    (seal,) = read_seals(sealed)
    file = next(f for f in seal.files if f.name == "so_theo_doi_xa_2023-09.csv")
    rows = sealed.versions / file.conformed / "rows.parquet"
    rows.write_bytes((duckdb.read_parquet(str(rows)).limit(10).arrow() and b"PAR1") or b"")
    said = motcua(sealed, "seal", "--verify")
    assert said.code == 1 and file.place in said.out
    assert motcua(sealed, "rerun", "2023-Q3", "--format", "json").code == 1, "identical, and something was touched"


# ---- from Dagster


def test_dagster_reruns_a_sealed_quarter_against_its_seal(sealed: Home) -> None:
    from assets.launch import run_night

    run_night(sealed)
    before = current(sealed)
    result = run_night(sealed, periods=["2023-Q3"])
    assert (result.differing, result.touched, result.changed) == ({"2023-Q3": 0}, {"2023-Q3": []}, False)
    assert current(sealed) == before, "a sealed key compares instead of changing"
