"""Counts that go on from a published database are those of a whole count: whatever moved since, dossiers or places.

Not here: whole nights that go on (test_onward), whether a whole count is right (test_counted).
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.measure import moved
from pipeline.measure.counted import count
from pipeline.measure.marks import count_marks
from pipeline.measure.moved import COUNTED, MOVED, WHOLE, counted_in
from pipeline.measure.tally import tally
from pipeline.warehouse.sql import statement
from tests.quick import some
from tests.unit.test_counted import make

pytestmark = pytest.mark.usefixtures("however_few")
# What comes between two nights beside words about dossiers, one kind each.
CAME = {
    "nothing but words about dossiers": "",
    "a cut-off that went on": "UPDATE period_unit SET as_of = as_of + 1, as_of_end = as_of_end + INTERVAL 1 DAY WHERE period IN ('M9', 'Q3') AND unit_id = 'b'",
    "a cut-off that went on far": "UPDATE period_unit SET as_of = as_of + 30, as_of_end = as_of_end + INTERVAL 30 DAY WHERE period IN ('M7', 'M8')",
    "a cut-off that went on to an extended due day": "UPDATE period_unit SET as_of = DATE '2023-08-30', as_of_end = TIMESTAMP '2023-08-30 23:59:59' WHERE as_of = '2023-08-20' AND unit_id = 'b'",
    "a cut-off that went back": "UPDATE period_unit SET as_of = as_of - 20, as_of_end = as_of_end - INTERVAL 20 DAY WHERE period IN ('M7', 'M9', 'Q3')",
    "a period": "INSERT INTO period_unit SELECT * REPLACE ('M6' AS period, period_from - 31 AS period_from, period_to - 31 AS period_to, as_of - 31 AS as_of, as_of_end - INTERVAL 31 DAY AS as_of_end) FROM period_unit WHERE period = 'M7'",
    "a period that is told of no longer": "UPDATE period_unit SET coverage = 'no_data' WHERE period = 'C8' AND unit_id = 'a'",
    "a period that is told of at last": "UPDATE period_unit SET coverage = 'full' WHERE period = 'M8' AND unit_id = 'b'",
    "a unit that counts in another": "UPDATE period_unit SET counted_unit_id = 'a' WHERE period = 'M9'",
    "states of dossiers of which no file tells": "UPDATE dossier_state SET state = 'unclassified' WHERE length(dossier_id) = 4",
    "states too, and a cut-off that went on": "UPDATE dossier_state SET state = 'unclassified' WHERE length(dossier_id) = 4; UPDATE period_unit SET as_of = as_of + 1, as_of_end = as_of_end + INTERVAL 1 DAY WHERE period = 'M9' AND unit_id = 'b'",
    "a unit without any dossier": "UPDATE dossier SET unit_id = 'a'; INSERT INTO touched SELECT DISTINCT dossier_id FROM former.dossier WHERE unit_id = 'b'",
}  # fmt: skip
# What stands near: dossiers with a day between these, which a night looked up with those that files tell of.
NEARBY = {
    "all are near": ("2020-01-01", "2030-01-01"),
    "some are near": ("2023-08-15", "2023-08-25"),
    "it is not known what is near": (None, None),
}
TABLES = ("place_count", "value_count", "period_tally", "quarter_mark", "unit_count", "form_ii06a", "indicator_value")


def night(con: duckdb.DuckDBPyConnection, published: Path | None) -> dict[str, list[tuple]]:
    with counted_in(con, published) as counted:
        assert counted == (MOVED if published else WHOLE)
        count(con, counted)
        tally(con, counted)
        count_marks(con, counted)
    return {name: con.execute(f"FROM {COUNTED}.{name} ORDER BY ALL").fetchall() for name in TABLES}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the night before."""
    path = tmp_path_factory.mktemp("published") / "published.duckdb"
    with duckdb.connect(path) as con:
        make(con, 1)
        con.execute("CREATE SCHEMA live; CREATE VIEW live.period_unit AS FROM main.period_unit")
        night(con, None)
    return path


def go_on(
    con: duckdb.DuckDBPyConnection,
    published: Path,
    came: str,
    told: str = "row % 10 = 3",
    near: tuple[str | None, str | None] = NEARBY["all are near"],
) -> None:
    """The night after: some dossiers (told: which; one in ten) are as a file tells them now (or gone), some are new, and
    what came beside them."""
    make(con, 1)
    con.execute(f"ATTACH '{published.as_posix()}' AS former (READ_ONLY)")
    con.execute(f"CREATE TEMP TABLE touched AS SELECT DISTINCT dossier_id FROM dossier WHERE {told}")
    con.execute(f"DELETE FROM dossier WHERE {told}")
    con.execute(
        "INSERT INTO dossier SELECT * REPLACE (CASE WHEN row % 20 = 3 THEN dossier_id ELSE dossier_id || 'n' END AS dossier_id, "
        "CASE channel WHEN 'online' THEN 'postal' ELSE 'online' END AS channel, coalesce(due_on, DATE '2023-08-20') AS concluded_on, "
        "coalesce(conclusion, 'resolved') AS conclusion, received_on + 30 AS received_on, "
        f"greatest(coalesce(due_on, DATE '2023-08-20'), received_on + 30) AS counts_until) FROM former.dossier WHERE ({told}) AND row % 3 > 0"
    )
    con.execute("INSERT INTO touched SELECT DISTINCT dossier_id FROM dossier WHERE dossier_id LIKE '%n'")
    con.execute(came)
    con.execute("CREATE TEMP TABLE telling_dossier AS FROM dossier SEMI JOIN touched USING (dossier_id)")
    con.execute("CREATE TEMP TABLE before_dossier AS FROM former.dossier SEMI JOIN touched USING (dossier_id)")
    for name, day in zip(("near_since", "near_until"), near, strict=True):
        con.execute(f"SET VARIABLE {name} = $1::DATE", [day])
    con.execute(
        f"CREATE TEMP TABLE looked_up AS FROM former.dossier WHERE {moved.DAYS['near']} OR dossier_id IN (FROM touched)"
    )
    con.execute(f"CREATE SCHEMA {COUNTED}")
    for name in TABLES:  # as they stand in a copy of the published database
        con.execute(f"CREATE TABLE {COUNTED}.{name} AS FROM former.{COUNTED}.{name}")
    con.execute("DETACH former")


@pytest.mark.parametrize("near", NEARBY)
@pytest.mark.parametrize("came", some(list(CAME), 5))
def test_counts_go_on(published: Path, came: str, near: str) -> None:
    with duckdb.connect() as con:
        go_on(con, published, CAME[came], near=NEARBY[near])
        ours = night(con, published)
        whole = night(con, None)
    with duckdb.connect(published, read_only=True) as con:
        before = {name: con.execute(f"FROM {COUNTED}.{name} ORDER BY ALL").fetchall() for name in TABLES}
    for name in TABLES:
        assert ours[name] == whole[name] and ours[name] != before[name] and whole[name], name


QUIET = {
    "files tell of late dossiers": ("", ["C8", "M7", "M8"]),
    "and a period is told of at last": (CAME["a period that is told of at last"], ["C8", "M7"]),
    "and a cut-off went on, past days of old dossiers": (CAME["a cut-off that went on"], []),
    "and summaries tell of some unit": ("INSERT INTO reported_node VALUES ('M7', 'a')", []),
    "and units are summed otherwise": ("INSERT INTO node_of VALUES ('a', 'huyện')", []),
}
LATE = "received_on > DATE '2023-08-14'"


@pytest.mark.parametrize("came", QUIET)
def test_periods_in_which_nothing_moved_are_taken_over(published: Path, came: str) -> None:
    more, quiet = QUIET[came]
    with duckdb.connect() as con:
        go_on(con, published, more, LATE)
        ours = night(con, published)
        assert con.execute("SELECT list(period ORDER BY period) FROM quiet").fetchall() == [(quiet or None,)]
        assert ours == night(con, None)


def plant(right: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = statement("measure", "moved")
    for part, told in {"place": moved.PLACE, **moved.DAYS}.items():
        text = text.replace(f"{{{part}}}", told)
    assert right in text
    monkeypatch.setattr(moved, "statement", lambda *_: text.replace(right, wrong))


QUIET_FAULTS = {
    "dossiers that moved are not looked for": ("counts_until >= period_from\n", "counts_until < period_from\n", "files tell of late dossiers"),
    "nor whether there is data": (", as_of, coverage FROM", ", as_of FROM", "and a period is told of at last"),
    "nor what summaries tell": ("NOT EXISTS (FROM reported_node)", "TRUE", "and summaries tell of some unit"),
    "nor how units are summed": ("(FROM node_of EXCEPT FROM former.node_of)", "(FROM node_of LIMIT 0)", "and units are summed otherwise"),
}  # fmt: skip


@pytest.mark.parametrize("fault", QUIET_FAULTS)
def test_a_period_that_is_wrongly_quiet_is_seen(published: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong, came = QUIET_FAULTS[fault]
    plant(right, wrong, monkeypatch)
    more, quiet = QUIET[came]
    with duckdb.connect() as con:
        go_on(con, published, more, LATE)
        ours = night(con, published)
        found = con.execute("SELECT list(period ORDER BY period) FROM quiet").fetchall()
        assert found != [(quiet or None,)] and (ours != night(con, None) or "summaries" in fault)


FAULTS = {
    "states of other dossiers are not looked at": ("dossier_id IN (FROM other_state) OR", "", "states too, and a cut-off that went on"),
    "whether there is data is not looked at": ("coverage = 'no_data' AS silent", "FALSE AS silent", "a period that is told of at last"),
    "due days between cut-offs are not looked at": ("due_on BETWEEN getvariable('since') AND getvariable('until') OR", "FALSE OR", "a cut-off that went on"),
    "nor the day of the cut-off itself": ("due_on BETWEEN getvariable('since') AND", "due_on BETWEEN getvariable('since') + 1 AND", "a cut-off that went on"),
    "nor states that begin": ("from_day BETWEEN since AND until OR", "", "a cut-off that went on far"),
    "nor extended due days": (" OR extended_due_on BETWEEN since AND until", "", "a cut-off that went on to an extended due day"),
    "nor the whole of that day": ("extended_due_on BETWEEN", "extended_due_at BETWEEN", "a cut-off that went on to an extended due day"),
    "nor days of export": (" OR (first_exported_on > getvariable('since') AND first_exported_on <= getvariable('until'))", "", "a cut-off that went on far"),
    "what dossiers were is not taken off": ("FROM before_dossier UNION ALL", "FROM before_dossier WHERE FALSE UNION ALL", "nothing but words about dossiers"),
    "those that stand near are taken for all": ("coalesce(getvariable('near_since')", "coalesce(TRUE OR getvariable('near_since')", "a cut-off that went on far"),
    "those beyond are not looked for": ("WHERE NOT getvariable('covered') AND", "WHERE FALSE AND", "a cut-off that went on far"),
    "nor are their states": ("WHERE NOT getvariable('covered') OR", "WHERE FALSE AND", "states of dossiers of which no file tells"),
    "dossiers of a place that came after": ("d.received_on <= s.until", "d.received_on < s.since", "a period"),
}  # fmt: skip
# the others wherever it is
SEEN_WHERE = {
    "states of other dossiers are not looked at": ["all are near"],
    "those that stand near are taken for all": ["some are near", "it is not known what is near"],
    "those beyond are not looked for": ["some are near", "it is not known what is near"],
}


@pytest.mark.parametrize("fault", some(list(FAULTS), 6))
def test_a_planted_fault_is_seen(published: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong, came = FAULTS[fault]
    plant(right, wrong, monkeypatch)
    seen = []
    for near, days in NEARBY.items():
        with duckdb.connect() as con:
            go_on(con, published, CAME[came], near=days)
            seen += [near] if night(con, published) != night(con, None) else []
    assert seen == SEEN_WHERE.get(fault, list(NEARBY))
