"""Which units each file covers: held against the rule's words in plain Python, and how much is looked at where files are
many."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.warehouse.sql import statement, store

Named = dict[int, tuple[str, Set[str]]]  # file → its source, the units it names
SCHEMA = {"file_id": pl.Int32, "source": pl.String, "unit_id": pl.String, "withdrawn": pl.Boolean}
# some units are named by rows, some by titles, some by both
TABLES = """
    CREATE TABLE file AS SELECT DISTINCT file_id, source, DATE '2024-01-31' AS exported_at,
        CASE WHEN withdrawn THEN exported_at END AS withdrawn_at FROM named;
    CREATE TABLE file_span AS SELECT file_id, 'delta' AS extent, exported_at AS first_day, exported_at AS last_day FROM file;
    CREATE TABLE unit_told AS SELECT file_id, unit_id FROM named WHERE unit_id < 'd';
    CREATE TABLE file_unit AS SELECT file_id, unit_id FROM named WHERE unit_id >= 'c'"""


@contextmanager
def tables(named: Named, withdrawn: Set[int]) -> Iterator[duckdb.DuckDBPyConnection]:
    rows = [(f, source, unit, f in withdrawn) for f, (source, units) in named.items() for unit in sorted(units)]
    with duckdb.connect() as con:
        store(con, "named", pl.DataFrame(rows, schema=SCHEMA, orient="row"))
        con.execute(TABLES)
        yield con


def covered(named: Named, withdrawn: Set[int] = frozenset()) -> set[tuple[int, str]]:
    """(file, unit), by the statement."""
    with tables(named, withdrawn) as con:
        con.execute(statement("warehouse", "coverage"))
        rows = con.execute("SELECT file_id, unit_id FROM coverage").fetchall()
    assert len(rows) == len(set(rows))
    return set(rows)


def by_words(named: Named, withdrawn: Set[int]) -> set[tuple[int, str]]:
    """A file covers the units it names; one that names several, those that stand in another such file of its source
    together with one of them."""
    there = {f: told for f, told in named.items() if f not in withdrawn}
    return {
        (f, unit)
        for f, (source, mine) in there.items()
        for g, (other, theirs) in there.items()
        for unit in theirs
        if f == g or (source == other and len(mine) > 1 and len(theirs) > 1 and mine & theirs)
    }


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        pytest.param(["ab", "bc"], ["abc", "abc"], id="what stands together with one of them in another file"),
        pytest.param(["ab", "bc", "cd"], ["abc", "abcd", "bcd"], id="not what stands a file further away"),
        pytest.param(["ab", "cd"], ["ab", "cd"], id="nothing in common"),
        pytest.param(["a", "ab"], ["a", "ab"], id="a file of one unit speaks for that unit alone"),
        pytest.param(["a", "ab", "ac"], ["a", "abc", "abc"], id="and stands beside those of several"),
    ],
)
def test_what_a_file_covers(named: list[str], expected: list[str]) -> None:
    told = {n: ("huyen", set(units)) for n, units in enumerate(named)}
    assert covered(told) == {(n, unit) for n, units in enumerate(expected) for unit in units}


def test_a_source_says_nothing_of_anothers_files() -> None:
    told: Named = {0: ("huyen_1", {"a", "b"}), 1: ("huyen_2", {"b", "c"})}
    assert covered(told) == {(0, "a"), (0, "b"), (1, "b"), (1, "c")}


FILES = st.dictionaries(
    st.integers(0, 15), st.tuples(st.sampled_from("xy"), st.sets(st.sampled_from("abcdefgh"), min_size=1)), min_size=1
)


@given(FILES, st.sets(st.integers(0, 15), max_size=4))
def test_as_the_words_say(named: Named, withdrawn: set[int]) -> None:
    assert covered(named, withdrawn) == by_words(named, withdrawn)


def test_a_years_lists_are_not_looked_at_in_pairs() -> None:
    """Rows that pass between the steps of the statement, for each row that names a unit: as many with ten times the files."""
    few, many = (_looked_at(days) / (days * 5) for days in (40, 400))
    assert 1 < many < 1.2 * few


def _looked_at(days: int) -> int:
    """With a list of five of ten communes each day."""
    lists: Named = {n: ("huyen", {"abcdefghij"[(n + k * (1 + n % 3)) % 10] for k in range(5)}) for n in range(days)}
    with tables(lists, frozenset()) as con:
        (told,) = con.execute(f"EXPLAIN (ANALYZE, FORMAT json) {statement('warehouse', 'coverage')}").fetchall()
    return sum(_passed_on(json.loads(told[1])["operator"]))


def _passed_on(steps: list[dict[str, Any]]) -> Iterator[int]:
    for step in steps:
        yield step["intermediate_rows"]
        yield from _passed_on(step.get("children", []))
