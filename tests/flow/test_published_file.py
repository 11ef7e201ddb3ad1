"""The published file: opens in older DuckDB clients, describes itself, and holds nobody up."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import pipeline
from pipeline import night
from pipeline.declare.tables import SCHEMA_VERSION
from pipeline.settings import Home
from pipeline.warehouse.release import current, open_published, published
from tests.conftest import REQUIRE_TOOLS, ROOT

OLDER = "1.5.5"  # supported by its makers until March 2027


@pytest.mark.slow
def test_an_older_client_opens_it(sample: Home, tmp_path: Path) -> None:
    """A client of the generation before reads tables, the view, comments and what was known at a moment alike."""
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path), f"duckdb=={OLDER}"]
    if subprocess.run(install, capture_output=True, check=False).returncode != 0:
        message = f"duckdb {OLDER} cannot be installed here"
        pytest.fail(message) if REQUIRE_TOOLS else pytest.skip(message)
    asked = (
        "import duckdb, sys; con = duckdb.connect(sys.argv[1], read_only=True); print(duckdb.__version__, con.execute("
        "\"SELECT count(*) FROM dossier_period WHERE period = '2023-Q3'\").fetchone()[0], con.execute("
        "\"SELECT sum(n) FROM period_count WHERE period = '2023-Q3'\").fetchone()[0], con.execute("
        "\"SELECT sum(n) FROM period_count_as_known('2100-01-01') WHERE period = '2023-Q3'\").fetchone()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked, str(published(sample).database)],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout.split() == [OLDER, "8134", "8134", "8134"], done.stderr


def test_it_describes_itself(sample: Home) -> None:
    con = open_published(sample)
    info = dict(con.execute("SELECT key, value FROM release_info").fetchall())
    assert info["schema_version"] == str(SCHEMA_VERSION) and info["release"] == published(sample).id
    tables = con.execute(
        "SELECT table_name, comment FROM duckdb_tables() UNION ALL SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"
    ).fetchall()
    assert len(tables) > 15 and all(comment for _, comment in tables)
    silent = con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND database_name NOT IN ('system', 'temp') "
        "GROUP BY ALL HAVING count(comment) = 0"
    ).fetchall()
    assert silent == []
    explained = {
        (t.removeprefix("counted."), c)
        for t, c in con.execute('SELECT "table", "column" FROM data_dictionary').fetchall()
    }
    columns = con.execute(
        "SELECT DISTINCT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND database_name NOT IN ('system', 'temp')"
    ).fetchall()
    assert set(columns) <= explained


def test_a_reader_disturbs_no_run_and_keeps_its_figures(published_sample: Home) -> None:
    """A notebook left open over night: the night publishes, the notebook still sees what it opened."""
    first = current(published_sample)
    notebook = pipeline.open_published(published_sample.root)
    question = "SELECT sum(n) FROM period_count WHERE period = '2023-Q3'"
    assert notebook.execute(question).fetchall() == [(8134,)]
    shutil.copytree(ROOT / "tests/data/late_corrections", published_sample.raw / "dieu_chinh")
    result = night.run(published_sample)
    assert result.changed and first is not None and current(published_sample) != first
    assert notebook.execute(question).fetchall() == [(8134,)]
    notebook.close()
    assert pipeline.open_published(published_sample.root).execute(question).fetchall() == [(8135,)]


def test_a_second_night_changes_nothing_and_says_so(sample: Home) -> None:
    before = current(sample)
    result = night.run(sample)
    assert (result.changed, result.taken, current(sample)) == (False, [], before)


def test_the_published_file_cannot_be_written(sample: Home) -> None:
    with pytest.raises(duckdb.InvalidInputException):
        open_published(sample).execute("DELETE FROM dossier")
