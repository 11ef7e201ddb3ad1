"""The Pandera contract: every check of the derived schema refuses what it is there to refuse, and nothing else."""

from __future__ import annotations

import importlib
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline.conform.rows import SET_ASIDE_SCHEMA, row_schema
from pipeline.declare.columns import CODED, codes, columns
from pipeline.declare.reasons import reasons
from pipeline.validate.pandera_alone import hidden
from pipeline.validate.schema import CLOCK_SLACK, EARLIEST, HAPPENED, LATEST, MOST, accept, dossier_schema
from tests.conftest import ROOT

EXPORTED = datetime(2023, 9, 14, 23, 30)
SECOND = timedelta(seconds=1)
KINDS = {name: column.kind for name, column in columns().items()}


def good(name: str) -> Any:
    kind = KINDS.get(name, name)
    if kind in CODED:
        return next(iter(codes(kind)))
    usual = {"row": 5, "dossier_id": "0" * 32, "timestamp": datetime(2023, 7, 3, 8, 15), "flag": True, "count": 3}
    return usual.get(kind, "Xã Gio An")


def frame(*changes: dict[str, Any]) -> pl.DataFrame:
    """A row per dict of changes; the rest as it should be."""
    rows = [{name: good(name) for name in row_schema()} | change for change in changes]
    return pl.DataFrame(rows, schema=row_schema())


def faults(name: str, reason: str) -> list[Any]:
    """Values that the check of a column with that reason must refuse. A new kind of check needs a line here."""
    kind = KINDS.get(name, name)
    return {
        ("row", "out_of_range"): [0, -7],
        ("dossier_id", "missing"): ["", "0" * 31, "0" * 33],
        ("timestamp", "out_of_range"): [EARLIEST - SECOND, datetime(23, 7, 3), LATEST + SECOND],
        ("timestamp", "after_export"): [EXPORTED + CLOCK_SLACK + SECOND, datetime(2032, 7, 3)],
        ("coded", "not_read"): ["", "fax", "ONLINE", "Trực tuyến"],
        ("count", "out_of_range"): [-1, MOST + 1],
        ("text", "too_long"): ["", "x" * 301],
    }["coded" if kind in CODED else kind if kind in ("row", "dossier_id", "timestamp", "count") else "text", reason]


CHECKS = [
    (name, str(check.error)) for name, column in dossier_schema(EXPORTED).columns.items() for check in column.checks
] + [(name, "null") for name, column in dossier_schema(EXPORTED).columns.items() if not column.nullable]


@pytest.mark.parametrize(("name", "reason"), CHECKS)
def test_every_check_refuses_its_fault_and_lets_the_others_pass(name: str, reason: str) -> None:
    bad = [None] if reason == "null" else faults(name, reason)
    rows = frame({}, *[{name: value} for value in bad], {}).with_columns(
        row=pl.int_range(1, len(bad) + 3) if name != "row" else pl.col("row")
    )
    accepted, aside = accept(rows, "T9", EXPORTED)
    assert accepted.equals(rows[[0, -1]])
    assert aside.schema == pl.Schema(SET_ASIDE_SCHEMA)
    assert aside["row"].to_list() == rows["row"].to_list()[1:-1]
    assert set(aside["reason"]) == {"missing" if reason == "null" else reason}
    assert aside.select("sheet", "verdict", "column").unique().rows() == [("T9", "rejected", name)]


ALONE = """
import sys
from tests.unit.test_schema import CHECKS, test_every_check_refuses_its_fault_and_lets_the_others_pass as refuses
for name, reason in CHECKS:
    refuses(name, reason)
print(len(CHECKS), *({"pandas", "pyspark"} & set(sys.modules)))
"""


def test_pandera_does_without_what_it_would_start_with() -> None:
    """In a process of its own, as at night: in this one some test may have imported pandas before."""
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, encoding="utf-8", cwd=ROOT)
    assert (done.returncode, done.stdout.split()) == (0, [str(len(CHECKS))]), done.stderr


def test_what_is_hidden_from_it_can_be_imported_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with hidden(["colorsys", "json"]):
        assert importlib.import_module("json").dumps(1) == "1"  # it was imported before
        with pytest.raises(ModuleNotFoundError, match="No module named 'colorsys'"):
            importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_every_column_is_under_the_contract() -> None:
    """What each column must have; a new one cannot go by without."""
    schema = dossier_schema(EXPORTED)
    assert list(schema.columns) == list(row_schema()) and schema.strict and schema.ordered and not schema.coerce
    told = {name: {str(c.error) for c in column.checks} for name, column in schema.columns.items()}
    for name, column in columns().items():
        if column.kind == "code":
            assert name not in told, "the code itself never gets so far"
            continue
        dated = {"out_of_range", "after_export"} if name in HAPPENED else {"out_of_range"}
        wanted = {"timestamp": dated, "count": {"out_of_range"}, "flag": set()} | {kind: {"not_read"} for kind in CODED}
        assert told[name] == wanted.get(column.kind, {"too_long"}), name
        assert schema.columns[name].nullable != column.required
        assert schema.columns[name].dtype.type == row_schema()[name]


def test_what_lies_on_the_border_is_accepted() -> None:
    edges = [
        *[{name: EXPORTED + CLOCK_SLACK} for name in HAPPENED],
        *[{name: edge} for name, kind in KINDS.items() if kind == "timestamp" and name not in HAPPENED for edge in (EARLIEST, LATEST)],
        *[{name: edge} for name, kind in KINDS.items() if kind == "count" for edge in (0, MOST)],
        *[{name: value} for name, kind in KINDS.items() if kind in CODED for value in codes(kind)],
        *[{name: None} for name, column in columns().items() if not column.required],
        {"due_at": datetime(2023, 7, 1)},  # due, or finished, before it was received: odd, and the office's own
        {"finished_at": datetime(2023, 7, 1)},
        {"unit": "x" * 300, "row": 1},
    ]  # fmt: skip
    rows = frame(*edges)
    accepted, aside = accept(rows, None, EXPORTED)
    assert accepted.equals(rows) and aside.is_empty()


def test_an_empty_frame() -> None:
    accepted, aside = accept(frame(), None, EXPORTED)
    assert accepted.is_empty() and accepted.schema == pl.Schema(row_schema())
    assert aside.is_empty() and aside.schema == pl.Schema(SET_ASIDE_SCHEMA)


def test_several_faults_of_one_row_are_all_told() -> None:
    late = EXPORTED + timedelta(days=30)
    accepted, aside = accept(frame({"finished_at": late, "paused_days": -1, "channel": "fax"}), None, EXPORTED)
    assert accepted.is_empty()
    assert dict(aside.select("column", "reason").iter_rows()) == {
        "finished_at": "after_export", "paused_days": "out_of_range", "channel": "not_read",
    }  # fmt: skip
    assert dict(aside.select("column", "found").iter_rows()) == {
        "finished_at": "14/10/2023 23:30:00", "paused_days": "-1", "channel": None,
    }  # fmt: skip
    assert dict(aside.select("column", "expected").iter_rows()) == {
        "finished_at": "≤ 14/09/2023 23:30", "paused_days": "0 – 99.999", "channel": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        frame({}).drop("unit"),
        frame({}).with_columns(owner=pl.lit("x")),
        frame({}).with_columns(pl.col("received_at").cast(pl.String)),
        frame({}).select(reversed(frame({}).columns)),
    ],
    ids=["a column missing", "one too many", "a wrong type", "another order"],
)
def test_a_frame_that_is_not_ours_is_our_mistake(wrong: pl.DataFrame) -> None:
    """No row of an office is to blame, so none is rejected: the run stops."""
    with pytest.raises(AssertionError, match="does not fit"):
        accept(wrong, None, EXPORTED)


def test_every_reason_has_its_words() -> None:
    for _, reason in CHECKS:
        told = reasons()["missing" if reason == "null" else reason]
        assert told.verdict == "rejected" and told.todo is not None
        for name in columns():
            assert "{" not in told.about(name).vi + told.about(name).en
