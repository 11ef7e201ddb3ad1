"""Where no dossier was ever in another state, `dossier_period` looks for none; it says the same as if it did.

Not here: what a row of it says (tests/oracle, tests/rules).
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.declare.rules import rule_sets
from pipeline.measure.heart import has_states, heart_select
from tests.unit.office import QUARTER, Office, dossier, opened

LATER = (*QUARTER[:1], "Từ ngày 15/09/2023 đến ngày 14/12/2023", "Ngày xuất dữ liệu: 14/12/2023 23:30:00")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "office")


def looks_for_states(con: duckdb.DuckDBPyConnection) -> bool:
    (plan,) = con.execute("EXPLAIN SELECT count(*) FROM dossier_period WHERE outcome = 'open_paused'").fetchall()
    return "dossier_id" in plan[1]


def test_both_ways_say_the_same_where_there_are_no_states(office: Office) -> None:
    office.drop("so.csv", [dossier(), dossier(due_at=""), dossier(finished_at="20/07/2023 08:00:00"), opened()])
    assert office.night().release
    con = office.open()
    assert not has_states(con)
    for rules in rule_sets():
        ways = [heart_select(rules, "live.", "main.", states=states) for states in (True, False)]
        told = [con.execute(f"FROM ({way}) ORDER BY ALL").fetchall() for way in ways]
        assert ways[0] != ways[1] and told[0] == told[1] != [], rules


@pytest.mark.usefixtures("however_few")
def test_a_night_that_brings_the_first_state_looks_for_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.warehouse.onward.SHARE", 1.0)
    rows = [opened(), dossier()]
    office.drop("t9.csv", rows)
    assert office.night().release
    with office.open() as con:
        assert not looks_for_states(con)
    office.drop("t12.csv", [rows[0] | {"status": "Tạm dừng xử lý"}], LATER)
    assert office.night().release
    con = office.open()
    assert has_states(con) and looks_for_states(con)
    asked = "SELECT outcome FROM dossier_period WHERE period = '2023-Q4'"
    assert con.execute(asked).fetchall() == [("open_paused",)]
