"""The benchmarks compare every cell, and see one that differs; they delete nothing that is not their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import duckdb
import pytest

from pipeline.declare.periods import parse_periods
from tests.benchmarks import record
from tests.benchmarks.bare import count_sql
from tests.benchmarks.equal import asked, cells, same_cells, same_rows
from tests.benchmarks.run import Cost, own

DOSSIERS = """
SELECT uuid() AS dossier_id, 'Xã ' || i % 3 AS unit, DATE '2024-01-01' + i AS received,
       CASE WHEN i % 4 > 0 THEN DATE '2024-01-09' + i END AS finished FROM (SELECT CAST(unnest(range(50)) AS INTEGER) AS i)
"""
ONE = "WHERE received = DATE '2024-01-02'"
CHANGES = {
    "a word": (f"unit = 'Xã 7' {ONE}", "unit"),
    "a day": (f"received = received + 1 {ONE}", "received"),
    "a day that is told no more": (f"finished = NULL {ONE}", "finished"),
    "two cells": (f"unit = NULL, finished = DATE '2025-01-01' {ONE}", "unit, finished"),
    "all values of a column, but at other dossiers": (
        "received = DATE '2024-01-01' + CAST(DATE '2024-02-19' - received AS INTEGER)",
        "received",
    ),
}


def _stored(path: Path, *statements: str) -> Path:
    with duckdb.connect(path) as con:
        for statement in statements:
            con.execute(statement)
    return path


def test_tables_of_the_same_dossiers_in_another_order_are_the_same(tmp_path: Path) -> None:
    table = _stored(tmp_path / "one.duckdb", f"CREATE TABLE dossier AS {DOSSIERS}")
    other = _stored(
        tmp_path / "other.duckdb",
        f"ATTACH '{table}' AS one (READ_ONLY)",
        "CREATE TABLE dossier AS FROM one.dossier ORDER BY unit",
    )
    select = "FROM dossier"
    assert same_cells("other", cells(other, select), cells(table, select)) == 50 * 4


@pytest.mark.parametrize("change", CHANGES)
def test_a_cell_that_differs_is_named_by_its_column(tmp_path: Path, change: str) -> None:
    makes, columns = CHANGES[change]
    table = _stored(tmp_path / "one.duckdb", f"CREATE TABLE dossier AS {DOSSIERS}")
    before = cells(table, "FROM dossier")
    _stored(table, f"UPDATE dossier SET {makes}")
    with pytest.raises(SystemExit, match=f"^changed: 50 and 50 dossiers; not the same: {columns}$"):
        same_cells("changed", cells(table, "FROM dossier"), before)


def test_nothing_is_not_the_same_as_nothing(tmp_path: Path) -> None:
    table = _stored(tmp_path / "none.duckdb", f"CREATE TABLE dossier AS FROM ({DOSSIERS}) LIMIT 0")
    none = cells(table, "FROM dossier")
    with pytest.raises(SystemExit, match="0 and 0 dossiers"):
        same_cells("none", none, none)
    with pytest.raises(SystemExit, match="0 and 0 rows"):
        same_rows("none", [], [])


def test_rows_are_compared_one_by_one(tmp_path: Path) -> None:
    table = _stored(tmp_path / "one.duckdb", f"CREATE TABLE dossier AS {DOSSIERS}")
    rows = asked(table, "SELECT unit, count(*), count(finished) FROM dossier GROUP BY unit ORDER BY unit")
    assert same_rows("rows", [tuple(row) for row in rows], rows, keys=1) == 3 * 2
    with pytest.raises(
        SystemExit, match=r"rows: 3 and 3 rows; first difference \(\('Xã 1', 17, 14\), \('Xã 1', 17, 13\)\)"
    ):
        same_rows("rows", [[unit, n, told + (unit == "Xã 1")] for unit, n, told in rows], rows)
    with pytest.raises(SystemExit, match="rows: 2 and 3 rows"):
        same_rows("rows", rows[:2], rows)


def test_a_home_that_no_benchmark_made_is_left_alone(tmp_path: Path) -> None:
    key = tmp_path / "data" / "warehouse" / "restricted" / "key"
    key.parent.mkdir(parents=True)
    key.write_text("of an office")
    with pytest.raises(SystemExit, match="no benchmark made"):
        own(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [key]


def test_a_benchmarks_own_home_is_used_again(tmp_path: Path) -> None:
    home = own(tmp_path / "home")
    (home / "data").mkdir()
    assert own(home) == home


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[record.Run]:
    """The record's benchmark after its first night, over fifteen months instead of sixty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "MONTHS", 15)
        patch.setattr(record, "QUARTERS", parse_periods("2019-Q1..2020-Q2"))
        patch.setattr(record, "QUARTER", "2019-Q3")
        run = record.Run(own(tmp_path_factory.mktemp("record")), ROWS)
        record.write_registers(run.raw, run.ended, ROWS)
        run.night()
        yield run


ROWS = 1_500


@pytest.mark.slow
def test_the_bare_scripts_beside_the_record_count_as_the_night_does(run: record.Run, tmp_path: Path) -> None:
    run.baselines(tmp_path)
    every, one = 6 * 7 * 7, 7 * 7  # quarters, units, counts
    assert run.cells == every + 3 * one + 2 * ROWS * 10


@pytest.mark.slow
def test_a_count_of_the_record_that_differs_is_found(
    run: record.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "counts", [[*row[:-1], row[-1] + (n == 5)] for n, row in enumerate(run.counts)])
    with pytest.raises(SystemExit, match="same outputs: 42 and 42 rows; first difference"):
        run.baselines(tmp_path)


@pytest.mark.slow
def test_a_quarter_that_a_bare_script_leaves_out_is_found(
    run: record.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "count_sql", lambda table, periods: count_sql(table, periods[1:]))
    with pytest.raises(SystemExit, match="same outputs: 35 and 42 rows; first difference"):
        run.baselines(tmp_path)


def test_of_several_rounds_of_the_record_the_median_is_told_and_the_spread(tmp_path: Path) -> None:
    rounds = []
    for night, script in ((3.0, 2.0), (2.0, 2.0), (5.0, 2.0)):
        rounds.append(run := record.Run(tmp_path, 1_000))
        run.found = dict.fromkeys({*record.HELD_AGAINST, *chain(*record.HELD_AGAINST.values())}, Cost(1, 1))
        run.found |= {"night": Cost(9, night), "same outputs": Cost(9, script)}
    assert "night                 1.5 (1–2.5) × same outputs\n" in record.ratios(rounds)
    assert "night                   1 × same outputs\n" in record.ratios(rounds[1:2])
