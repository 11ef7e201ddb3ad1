"""Cross-checks: each can fail. A fault is planted in a built database, and exactly that check sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import duckdb
import pytest

from pipeline import night
from pipeline.errors import CheckFailed
from pipeline.measure.checks import checks, relations_looked_at, run_checks
from pipeline.measure.figures import VIEWS, build_figures
from pipeline.measure.moved import Part
from pipeline.warehouse.build import build, connect
from tests.unit.office import QUARTER, Office, dossier, opened

SPRING = ("Từ ngày 15/03/2023 đến ngày 14/06/2023", "Ngày xuất dữ liệu: 14/06/2023 23:30:00")
FIGURES = (
    *("trend_count", "indicator", "threshold", "reconciliation", "reported_figure", "reported_wide", "score"),
    *("return_measure", "return_figure", "return_indicator"),
)
ANY = "(SELECT min(dossier_id) FROM dossier WHERE unit_id = 'so:xa-a')"


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Two quarters of an office with two units of its own, in which nothing is odd; still open for building."""
    office = Office(tmp_path_factory.mktemp("kiểm tra"))
    office.source('name = "Huyện mẫu"\nunits = "from_file"\nknown_at = "exported"\n')
    waiting = opened(unit="Xã A", received_at="05/06/2023", due_at="20/12/2023")
    spring = [
        waiting,
        dossier(unit="Xã A", received_at="20/03/2023", finished_at="21/03/2023", due_at="22/03/2023"),
        dossier(unit="Xã B", received_at="20/03/2023", finished_at="21/03/2023", due_at="22/03/2023"),
    ]
    again = dossier(unit="Xã B")
    summer = [waiting, dossier(unit="Xã A"), again, again, opened(unit="Xã B", due_at="20/12/2023")]
    office.drop("q2.csv", spring, SPRING)
    office.drop("q3.csv", summer, QUARTER)
    con = connect(office.home.warehouse / "thử.duckdb")
    build(con, office.take_in().files)
    build_figures(con)
    con.execute("USE built")
    yield con
    con.close()


def failing(con: duckdb.DuckDBPyConnection) -> set[str]:
    con.execute("DROP TABLE IF EXISTS continuity_break")
    relations_looked_at(con)
    return {check.code for check in checks() if con.execute(check.sql).fetchall()}


def derive(con: duckdb.DuckDBPyConnection) -> None:
    """The figures anew, from whatever the tables below them now say."""
    for view in VIEWS:
        con.execute(f"DROP VIEW IF EXISTS {view}")
    for table in FIGURES:
        con.execute(f"DROP TABLE {table}")
    build_figures(con)


# check → what is planted; and whether the figures are derived from it
PLANTED = {
    "accounting": ("UPDATE file SET rows_in = rows_in + 1 WHERE name = 'q3.csv'", False),
    "one_label": (f"INSERT INTO dossier SELECT * FROM dossier WHERE dossier_id = {ANY}", False),
    "received_once": ("UPDATE dossier SET opened_on = DATE '2030-01-01' WHERE unit_id = 'so:xa-a' AND received_on = DATE '2023-07-03'", True),
    "identities": ("UPDATE counted.form_ii06a SET c8 = c8 + 1 WHERE period = '2023-Q3' AND \"by\" = 'unit'", False),
    "as_days_tell": ("UPDATE counted.unit_count SET online = online - 1, carried_over = carried_over + 1 WHERE period = '2023-Q3' AND unit_id = 'so:xa-a'", False),
    "continuity": ("DELETE FROM period_unit WHERE period = '2023-Q3' AND unit_id = 'so:xa-a'", True),
    "completeness": ("UPDATE period_coverage SET units_full = 1 WHERE period = '2023-Q3' AND unit_id = 'so:*'", False),
    "state_at_cutoff_unknown": ("UPDATE dossier SET first_exported_on = DATE '2023-12-31' WHERE concluded_on IS NULL", False),
    "status_and_date": ("UPDATE dossier SET status = 'received' WHERE finished_at IS NOT NULL", False),
    "unit_not_valid": ("UPDATE unit SET valid_to = DATE '2023-01-01' WHERE unit_id = 'so:xa-a'", False),
    "reopened": (f"UPDATE dossier SET episode = 2 WHERE dossier_id = {ANY}", False),
    "quiet_end": ("UPDATE file SET last_day = DATE '2024-12-31' WHERE name = 'q3.csv'", False),
    "odd_dates": ("UPDATE dossier SET due_on = received_on - 1 WHERE due_on IS NOT NULL", False),
    "vanished": ("INSERT INTO vanished SELECT dossier_id, unit_id, source, 1, 2, DATE '2023-09-14', 'open', NULL FROM dossier LIMIT 1", False),
    "transfers": ("INSERT INTO transfer SELECT dossier_id, unit_id, unit_id, source, source, exported_at, exported_at, 'transfer' FROM dossier LIMIT 1", False),
    "words_not_known": ("INSERT INTO set_aside VALUES (1, NULL, 9, 'notice', 'word_not_known', 'channel', '', 'Aa')", False),
    "columns_absent": ("INSERT INTO set_aside VALUES (1, NULL, 4, 'notice', 'column_absent', 'due_at', NULL, 'Ghi chú')", False),
    "declared_headers": ("INSERT INTO set_aside VALUES (1, NULL, 4, 'notice', 'header_not_found', 'channel', 'so/source.toml:3: Kenh', NULL)", False),
    "summaries": ("INSERT INTO set_aside VALUES (1, NULL, 9, 'notice', 'identity_fails', NULL, 'total = online', '2 ≠ 1')", False),
    "return_rows": ("INSERT INTO set_aside VALUES (1, NULL, 7, 'notice', 'return_row_missing', 'A7 budget', 'Thu ngân sách', NULL)", False),
    "reconciliation": ("INSERT INTO reconciliation VALUES ('2023-Q3', 'so:xa-a', NULL, 'total', 9, 1, 8, 'full', 1, NULL, 5)", False),
    "reported_periods": ("INSERT INTO reported (file_id, row, role, unit_id, first_day, last_day, measure, value, counts) VALUES (1, 5, 'unit', 'so:xa-a', DATE '2023-01-02', DATE '2023-02-03', 'total', 5, TRUE)", False),
    "reported_unused": ("INSERT INTO reported (file_id, row, role, unit_id, first_day, last_day, measure, value, counts) VALUES (1, 5, 'unit', 'so:*', DATE '2023-06-15', DATE '2023-09-14', 'total', 5, TRUE)", False),
    "rejected_rows": ("UPDATE file_account SET verdict = 'rejected', reason = 'missing' WHERE reason = 'duplicate_row'", False),
    "thresholds": ("UPDATE threshold SET within = NULL; UPDATE counted.indicator_value SET numerator = list_transform(numerator, lambda n: 0), denominator = list_transform(denominator, lambda n: 9) WHERE period = '2023-Q3'", False),
}  # fmt: skip


def test_every_check_has_its_fault() -> None:
    assert set(PLANTED) == {check.code for check in checks()}


def test_nothing_is_wrong_before(con: duckdb.DuckDBPyConnection) -> None:
    assert failing(con) == set()
    assert con.execute("SELECT count(*), count(DISTINCT unit_id) FROM dossier").fetchone() == (6, 2)
    assert con.execute(
        "SELECT coverage FROM period_coverage WHERE period = '2023-Q3' AND unit_id = 'so:*'"
    ).fetchone() == ("full",)
    accounting = next(check for check in checks() if check.code == "accounting")
    assert con.execute(accounting.sql).fetchall() == []


@pytest.mark.parametrize("code", PLANTED)
def test_a_planted_fault_is_seen_by_its_check_alone(con: duckdb.DuckDBPyConnection, code: str) -> None:
    sql, derived = PLANTED[code]
    con.execute("BEGIN")
    try:
        con.execute(sql)
        if derived:
            derive(con)
        assert failing(con) == {code}
    finally:
        con.execute("ROLLBACK")
    assert failing(con) == set()


def test_what_was_found_is_kept_with_a_sample(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("BEGIN")
    try:
        con.execute(PLANTED["odd_dates"][0])
        con.execute("DROP TABLE IF EXISTS continuity_break")
        outcomes = {o.check.code: o for o in run_checks(con)}
        kept = con.execute('SELECT DISTINCT "check", severity, failures FROM finding').fetchall()
        details = [json.loads(detail) for (detail,) in con.execute("SELECT detail FROM finding").fetchall()]
    finally:
        con.execute("ROLLBACK")
    odd = outcomes.pop("odd_dates")
    assert not odd.passed and odd.failures == 2 and odd.sample[0]["kind"] == "due_before_received"
    assert all(o.passed for o in outcomes.values())
    assert kept == [("odd_dates", "warning", 2)]
    assert details == odd.sample, "an analyst reads the rows as JSON, with the keys of the check"


BLOCKING = [check.code for check in checks() if check.blocking]


def test_checks_that_keep_from_publishing() -> None:
    assert BLOCKING == ["accounting", "one_label", "received_once", "identities", "as_days_tell"]
    assert all(check.label.vi and check.label.en for check in checks())


def test_a_blocking_fault_is_not_published(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last figures stay, and the next night without the fault goes on."""
    office = Office(tmp_path)
    office.drop("a.csv", [dossier()])
    standing = office.night()
    office.drop("b.csv", [dossier()])
    derived = night.build_figures

    def faulty(con: duckdb.DuckDBPyConnection, counted: Sequence[Part]) -> None:
        derived(con, counted)
        con.execute(PLANTED["identities"][0])

    with monkeypatch.context() as patch, pytest.raises(CheckFailed) as caught:
        patch.setattr(night, "build_figures", faulty)
        office.night()
    assert (
        caught.value.exit_code == 1 and "II.06a" in caught.value.render("vi") and "II.06a" in caught.value.render("en")
    )
    assert office.home.pointer.read_text().strip() == standing.release
    assert not list(office.home.releases.glob("building-*"))
    assert office.night().changed
