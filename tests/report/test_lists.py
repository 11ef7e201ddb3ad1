"""A long list goes from the database to CSV and JSON as its rows would by Python: the same cells, the same order."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.report.screen import as_json, query_as
from pipeline.warehouse.sql import rows_of

TEXTS = st.none() | st.text(st.sampled_from("=+-@\t\r\n\",;'# aậ1\\{}"), max_size=4)
ROWS = st.lists(
    st.tuples(TEXTS, st.none() | st.integers(-(2**62), 2**62), st.none() | st.dates(date(1, 1, 1)), TEXTS), max_size=8
)


def shown(value: object) -> str:
    """A cell of the CSV. An apostrophe before what a spreadsheet would run."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


@given(ROWS)
@example([("=1+1", 0, None, '-"a",\n'), ("", 1, date(2023, 9, 14), None), ("@x", None, None, "\t")])
@settings(max_examples=60, deadline=None)
def test_the_cells_are_those_of_the_rows(rows: list[tuple[str | None, int | None, date | None, str | None]]) -> None:
    with duckdb.connect() as con:
        con.execute('CREATE TABLE t (place INTEGER, name VARCHAR, "row" BIGINT, on_day DATE, file VARCHAR)')
        for place, row in enumerate(rows):
            con.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [place, *row])
        sql = "SELECT * FROM t ORDER BY place DESC"
        told = list(csv.reader(io.StringIO(query_as("csv", con, sql), newline="")))
        assert told[0] == ["place", "name", "row", "on_day", "file"]
        assert told[1:] == [[str(place), *map(shown, row)] for place, row in reversed(list(enumerate(rows)))]
        assert json.loads(query_as("json", con, sql)) == json.loads(as_json(rows_of(con, sql)))


def test_nothing_is_left_lying(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is listed may hold codes of dossiers: no file stays, also where the statement fails."""
    folder = tmp_path_factory.mktemp("it's [here]")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with duckdb.connect() as con:
        assert query_as("csv", con, "SELECT 'x' AS a") == "a\nx\n"
        with pytest.raises(duckdb.Error):
            query_as("csv", con, "SELECT error('no') AS a FROM range(9)")
    assert list(folder.iterdir()) == []
