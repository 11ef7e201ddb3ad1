"""What the nights keep ready: the open quarter's report, forms and page, and those of quarters whose figures changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from assets.launch import run_night
from assets.outputs import OUTPUTS
from pipeline.declare.periods import default_scheme
from pipeline.declare.text import Text
from pipeline.errors import NoPictures
from pipeline.measure.marks import answers_sql, figure_marks
from pipeline.report import export as exporting
from pipeline.report import standing
from pipeline.report.export import MANIFEST
from pipeline.settings import Home
from pipeline.warehouse.release import published as release_of
from tests.orchestration import Q2, Q3, dossiers, export, history, materialized, newest_run

PREVIEW = "xem trước / preview"


def manifest(home: Home, key: str) -> dict[str, object]:
    return json.loads((home.outputs / key / MANIFEST).read_text(encoding="utf-8"))


def kept(home: Home) -> dict[str, bytes]:
    return {p.relative_to(home.outputs).as_posix(): p.read_bytes() for p in home.outputs.rglob("*") if p.is_file()}


def test_the_first_night_writes_the_open_quarter_and_shows_it(published: Home) -> None:
    assert [p.name for p in sorted(published.outputs.iterdir()) if p.is_dir()] == ["2023-Q3"]
    told = manifest(published, "2023-Q3")
    assert told["pictures"] == "not asked for"
    assert set(told["files"]) == {name.removeprefix("2023-Q3/") for name in kept(published)} - {MANIFEST, "marks.json"}
    with history(published) as instance:
        shown = materialized(instance, newest_run(instance))
    assert {name for name in OUTPUTS if PREVIEW in shown[name]} == OUTPUTS.keys() - {"pictures"}
    assert "Quý III/2023" in shown["report_section"][PREVIEW] or "quý III/2023" in shown["report_section"][PREVIEW]
    assert shown["forms"][PREVIEW][0]["c3"] == "4"


def test_nothing_new_writes_nothing_and_late_files_write_the_quarters_they_change(published: Home) -> None:
    before = kept(published)
    assert run_night(published).outputs == [] and kept(published) == before
    export(published, ("bo_sung.csv", *Q2[1:]), dossiers("2305", "04/05/2023", 2, "20/05/2023"))
    assert run_night(published).outputs == ["2023-Q2", "2023-Q3"], "the third quarter compares itself with the second"
    after = kept(published)
    assert after["2023-Q3/stats.csv"] == before["2023-Q3/stats.csv"]
    assert after["2023-Q3/bao_cao_muc_I3.md"] != before["2023-Q3/bao_cao_muc_I3.md"]
    export(published, ("bo_sung_3.csv", *Q3[1:]), dossiers("2308", "01/08/2023", 1, "20/08/2023"))
    assert run_night(published).outputs == ["2023-Q3"]
    assert kept(published)["2023-Q2/bao_cao_muc_I3.md"] == after["2023-Q2/bao_cao_muc_I3.md"]


def test_a_night_that_draws_adds_the_pictures_once(published: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def no_browser(drawn: object, folder: Path) -> dict[str, Path]:
        asked.append(folder)
        raise NoPictures(Text("Không có trình duyệt.", "No browser."))

    monkeypatch.setattr(exporting, "pictures", no_browser)
    said: list[str] = []
    assert run_night(published, lambda text: said.append(text.vi), pictures=True).outputs == ["2023-Q3"]
    assert len(asked) == 1 and any("Không có trình duyệt." in words for words in said)
    assert manifest(published, "2023-Q3")["pictures"] == "no browser"
    assert run_night(published, pictures=True).outputs == [], "it is not asked again every night"


def test_what_somebody_has_open_stays_and_is_renewed_later(published: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = kept(published)
    export(published, ("bo_sung.csv", *Q3[1:]), dossiers("2308", "01/08/2023", 1, "20/08/2023"))
    real = Path.rename

    def held(path: Path, target: Path) -> Path:
        if path.name == "2023-Q3":
            raise PermissionError("held open")
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", held)
        assert run_night(published).outputs == []
    assert {name: data for name, data in kept(published).items() if name.startswith("2023-Q3/")} == {
        name: data for name, data in before.items() if name.startswith("2023-Q3/")
    }
    assert not [p for p in published.outputs.iterdir() if p.name.startswith(".")]
    assert run_night(published).outputs == ["2023-Q3"]


def test_an_update_of_the_program_writes_anew_what_stands(published: Home) -> None:
    path = published.outputs / "2023-Q3" / MANIFEST
    path.write_text(json.dumps(manifest(published, "2023-Q3") | {"code_and_declarations": "khác"}), encoding="utf-8")
    assert list(standing.refresh(published, draw=False)) == ["2023-Q3"]
    assert list(standing.refresh(published, draw=False)) == []


TOLD = ("period_coverage", "reported_figure", "indicator_value", "return_figure")


@pytest.mark.parametrize("table", TOLD)
def test_a_change_of_any_table_of_figures_is_a_change_of_its_quarter(sample: Home, tmp_path: Path, table: str) -> None:
    """Returns among them: a workbook handed in later changes no dossier, and still what is told of the quarter."""
    shutil.copyfile(release_of(sample).database, tmp_path / "kho.duckdb")
    with duckdb.connect(str(tmp_path / "kho.duckdb")) as con:
        before = figure_marks(con)
        rows = con.execute(f"SELECT count(*) FROM {table} WHERE period = '2023-Q3'").fetchall()[0][0]
        con.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM main.{table} WHERE period <> '2023-Q3'")
        after = figure_marks(con)
    assert (before.get("2023-Q3") == after.get("2023-Q3")) is (rows == 0)
    assert rows or table == "reported_figure", "the sample has no summaries"


def test_what_dossiers_answer_is_summed_up_by_night(sample: Home, tmp_path: Path) -> None:
    """The same as is asked of the rows themselves, as of a sealed quarter; and one dossier fewer is seen."""
    shutil.copyfile(release_of(sample).database, tmp_path / "kho.duckdb")
    with duckdb.connect(str(tmp_path / "kho.duckdb")) as con:
        rows = answers_sql(f"FROM dossier_period WHERE kind = 'quarter' AND scheme = '{default_scheme()}'")
        kept = con.execute("FROM counted.quarter_mark ORDER BY ALL").fetchall()
        assert kept == con.execute(f"{rows} ORDER BY ALL").fetchall() and sum(n for _, _, n, _ in kept) > 8000
        before = figure_marks(con)["2023-Q3"]
        con.execute("DELETE FROM dossier WHERE dossier_id = (SELECT min(dossier_id) FROM dossier)")
        con.execute(f"CREATE OR REPLACE TABLE counted.quarter_mark AS {rows}")
        assert figure_marks(con)["2023-Q3"] != before


ONE = "SELECT dossier_id FROM one WHERE {0} ORDER BY dossier_id LIMIT 1"
RESOLVED, OPEN = "outcome LIKE 'resolved%'", "outcome LIKE 'open%'"
OTHER = "IS DISTINCT FROM TRUE"
# what is otherwise of one dossier of the quarter → whether something that is handed in is otherwise
TOLD_OF_ONE = {
    "an open one whose result is digitized": (OPEN, f"result_digitized {OTHER} AS result_digitized", False),
    "a carried over one that is paid online": ("origin = 'carried_over'", f"paid_online {OTHER} AS paid_online", False),
    "a resolved one whose result is digitized": (RESOLVED, f"result_digitized {OTHER} AS result_digitized", True),
    "a new one without a field": ("origin <> 'carried_over' AND field IS NOT NULL", "NULL AS field", True),
    "a new one of another procedure": ("origin <> 'carried_over'", "'khác' AS procedure_code", True),
    "another origin": (OPEN, "'postal' AS origin", True),
    "another outcome": (RESOLVED, "'open_paused' AS outcome", True),
    "another unit": (RESOLVED, "'*' AS unit_id", True),
    "a new one without a due date": ("origin <> 'carried_over' AND effective_due_on IS NOT NULL", "NULL AS effective_due_on", True),
    "another file that tells of it": (RESOLVED, "file_id + 1 AS file_id", False),
}  # fmt: skip


@pytest.fixture(scope="module")
def quarter(sample: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The sample, and `one`: the dossiers of its quarter."""
    copy = shutil.copyfile(release_of(sample).database, tmp_path_factory.mktemp("marks") / "kho.duckdb")
    with duckdb.connect(str(copy)) as con:
        con.execute("CREATE TEMP TABLE one AS SELECT * FROM main.dossier_period WHERE period = '2023-Q3'")
        yield con


@pytest.mark.parametrize("name", TOLD_OF_ONE)
def test_what_is_asked_of_a_dossier_is_its_part_in_the_mark(quarter: duckdb.DuckDBPyConnection, name: str) -> None:
    """An old dossier that is digitized when it is resolved changes no report of the quarters in which it was open."""
    which, told, changes = TOLD_OF_ONE[name]
    quarter.execute(f"CREATE OR REPLACE TEMP TABLE picked AS {ONE.format(which)}")
    assert quarter.execute("SELECT count(*) FROM picked").fetchall() == [(1,)]
    other = (
        f"SELECT * REPLACE ({told}) FROM one SEMI JOIN picked USING (dossier_id) "
        "UNION ALL FROM one ANTI JOIN picked USING (dossier_id)"
    )
    marks = []
    for rows in ("FROM one", other):
        quarter.execute(f"CREATE OR REPLACE TABLE counted.quarter_mark AS {answers_sql(rows)}")
        marks.append(figure_marks(quarter)["2023-Q3"])
    assert (marks[0] != marks[1]) is changes
