"""Points of Decision 766 against a recount in plain Python: over random registers, and over random dossiers of a quarter
with all that sub-scores ask for.

The recount knows the decision's formulas and the documents' rule of what is on time, and nothing of the pipeline's.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.measure.scores import score_rows
from tests.oracle import registers
from tests.oracle.oracle import RESOLVED, Label, Three, marked, new, resolved
from tests.oracle.test_oracle import COMMUNES, GROUP, publish
from tests.unit.office import Office, dossier

# sub-score → the most points, and the rate from which on they are given
WORTH = {
    "TIEN_DO": (20, Fraction(1)),
    "DVTT_C": (6, Fraction(1, 2)),
    "THANH_TOAN_A": (6, Fraction(1)),
    "ORIGINAL_RESULT_AVAILABLE": (6, Fraction(1)),
    "SO_HOA_GIAY_TO_GIAI_QUYET": (4, Fraction(4, 5)),
    "REUSED_DIGITIZED_DATA": (2, Fraction(4, 5)),
}


def points(key: str, three: Three) -> Fraction | None:
    """The formula; None where nothing arose or nothing is known."""
    numerator, denominator, _ = three
    most, enough = WORTH[key]
    if denominator == 0:
        return None
    rate = Fraction(numerator, denominator)
    return Fraction(most) if rate >= enough else most * rate / enough


def both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def on_time(x: Label, as_of: date) -> bool | None:
    """The end of a dossier, or of the period while it is open, held against its due day."""
    if x.effective_due is None or x.outcome == "unclassified":
        return None
    if x.outcome in (*RESOLVED, "withdrawn", "returned", "stopped"):
        return x.ended_on <= x.effective_due
    if as_of <= x.effective_due:
        return True
    return None if x.outcome == "open_paused" else False


def of_labels(labels: Iterable[Label], as_of: date) -> dict[str, Three]:
    rows = list(labels)
    return {
        "TIEN_DO": marked(rows, new, lambda x: on_time(x, as_of)),
        "DVTT_C": marked(rows, new, lambda x: x.origin == "online"),
        "ORIGINAL_RESULT_AVAILABLE": marked(rows, resolved, lambda x: x.newest.result_digitized),
        "SO_HOA_GIAY_TO_GIAI_QUYET": marked(
            rows, resolved, lambda x: both(x.newest.component_digitized, x.newest.result_digitized)
        ),
    }


def differences(where: str, rows: list[dict[str, Any]], wanted: dict[str, Three]) -> list[str]:
    found = {r["score"]: r for r in rows if r["part"] == "score"}
    wrong = []
    for key, three in wanted.items():
        row = found[key]
        told = (row["numerator"], row["denominator"], row["unknown"])
        mine = None if row["points_p"] is None else Fraction(row["points_p"], row["points_q"])
        if told != three or mine != points(key, three):
            wrong.append(f"{where} {key}: {told}, {mine}; oracle {three}, {points(key, three)}")
        if (row["status"] == "missing") != (three[1] == 0 and three[2] > 0):
            wrong.append(f"{where} {key}: {row['status']} of {three}")
    return wrong


def test_points_of_random_registers(tmp_path: Path) -> None:
    """Every unit, sum and period of a register with reopened, vanished, paused, withdrawn and undated dossiers."""
    made = registers.exports(
        23, 260, last=(date(2021, 11, 5), date(2021, 10, 20)), months=3, lengths=(60, 91), lost=0.1
    )
    pair = publish(tmp_path, made)
    wrong, outcomes, cells = [], set(), 0
    for period in pair.oracle.periods():
        want = pair.oracle.ask(period)
        outcomes |= {(x.outcome, on_time(x, a.as_of)) for a in want.values() for x in a.labels if new(x)}
        rows = score_rows(pair.con, period.key)
        for name, level in {(r["unit_code"], r["level"]) for r in rows if r["coverage"] != "no_data"}:
            mine = [r for r in rows if (r["unit_code"], r["level"]) == (name, level)]
            if level == "group" and mine[0]["unit"] != GROUP:
                continue
            units = [name] if level == "unit" else [u for u in want if level == "total" or u in COMMUNES]
            threes = [of_labels(want[u].labels, want[u].as_of) for u in units if u in want]
            if threes:
                summed = {key: tuple(map(sum, zip(*(t[key] for t in threes), strict=True))) for key in threes[0]}
                wrong += differences(f"{period.key} {name} {level}", mine, summed)
                cells += len(summed)
    assert not wrong, "\n".join(wrong[:20])
    assert cells > 1000
    for outcome in ("withdrawn", "returned", "open_paused"):  # else the rule was not tried
        assert {True, None if outcome == "open_paused" else False} <= {t for o, t in outcomes if o == outcome}, outcome


# ---- random dossiers of one quarter, with fees, payments and reuse

FIRST, CUT = date(2023, 6, 15), date(2023, 9, 14)
UNITS = ("Xã Gio An", "Xã Gio Hải", "Xã Trung Sơn")
YES_NO = {True: "Có", False: "Không", None: ""}
PROCEDURES = ("1.001612", "1.000656", "1.001193", "1.004837", "")
MARKS = ("fee_due", "paid_online", "component_digitized", "component_reused", "result_digitized")


def random_dossier(dice: random.Random) -> dict[str, Any]:
    """A dossier received in the quarter and resolved in it or still open: facts, and cells as an office writes them."""
    received = FIRST + timedelta(dice.randrange(80))
    finished = received + timedelta(dice.randrange(20)) if dice.random() < 0.8 else None
    if finished and finished > CUT:
        finished = None
    due = received + timedelta(dice.randrange(1, 40)) if dice.random() < 0.9 else None
    facts = {mark: dice.choice([True, True, False, None]) for mark in MARKS} | {"procedure": dice.choice(PROCEDURES)}
    return facts | {
        "unit": dice.choice(UNITS),
        "online": dice.random() < 0.4,
        "received": received,
        "finished": finished,
        "due": due,
    }


def cells(facts: dict[str, Any]) -> dict[str, Any]:
    def day(value: date | None) -> str:
        return f"{datetime(value.year, value.month, value.day, 10):%d/%m/%Y %H:%M:%S}" if value else ""

    return dossier(
        unit=facts["unit"],
        received_at=day(facts["received"]),
        finished_at=day(facts["finished"]),
        due_at=day(facts["due"]),
        procedure_code=facts["procedure"],
        status="Đã xử lý xong" if facts["finished"] else "Đang xử lý",
        channel="Trực tuyến" if facts["online"] else "Trực tiếp",
        **{mark: YES_NO[facts[mark]] for mark in MARKS},
    )


def of_facts(rows: list[dict[str, Any]]) -> dict[str, Three]:
    def three(marks: list[bool | None]) -> Three:
        return marks.count(True), len(marks) - marks.count(None), marks.count(None)

    done = [f for f in rows if f["finished"]]
    # a dossier of which it is not known whether there is a fee is unknown, whatever is known of its payment
    fees = [f["paid_online"] if f["fee_due"] else None for f in rows if f["fee_due"] is not False]
    return {
        "TIEN_DO": three([None if f["due"] is None else (f["finished"] or CUT) <= f["due"] for f in rows]),
        "DVTT_C": three([f["online"] for f in rows]),
        "THANH_TOAN_A": three(fees),
        "ORIGINAL_RESULT_AVAILABLE": three([f["result_digitized"] for f in done]),
        "SO_HOA_GIAY_TO_GIAI_QUYET": three([both(f["component_digitized"], f["result_digitized"]) for f in done]),
        "REUSED_DIGITIZED_DATA": three([f["component_reused"] for f in rows]),
    }


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> tuple[duckdb.DuckDBPyConnection, list[dict[str, Any]]]:
    dice = random.Random(766)
    facts = [random_dossier(dice) for _ in range(150)]
    office = Office(tmp_path_factory.mktemp("quý"))
    office.drop("quy.csv", [cells(f) for f in facts])
    assert office.night().rejected_rows == 0
    return office.open(), facts


def test_points_of_random_dossiers(quarter: tuple[duckdb.DuckDBPyConnection, list[dict[str, Any]]]) -> None:
    con, facts = quarter
    wrong = []
    for unit in (*UNITS, None):
        mine = [f for f in facts if unit in (None, f["unit"])]
        rows = score_rows(con, "2023-Q3", unit or "466-xa")
        wrong += differences(unit or "all", rows, of_facts(mine))
    assert not wrong, "\n".join(wrong)
    assert all(0 < three[0] < three[1] for three in of_facts(facts).values())


@pytest.mark.parametrize(("key", "hit"), [("DVTT_B", "online"), ("THANH_TOAN_B", "paid_online")])
def test_procedures_of_random_dossiers(
    quarter: tuple[duckdb.DuckDBPyConnection, list[dict[str, Any]]], key: str, hit: str
) -> None:
    """Procedures with such a dossier, of each unit; of the sum those of all units, a procedure once for each."""
    con, facts = quarter
    for unit in (*UNITS, None):
        mine = [f for f in facts if unit in (None, f["unit"])]
        pairs = {(f["unit"], f["procedure"]) for f in mine if f[hit] and f["procedure"]}
        unknown = sum(f[hit] is None or (f[hit] and not f["procedure"]) for f in mine)
        row = next(r for r in score_rows(con, "2023-Q3", unit or "466-xa") if r["score"] == key)
        assert (row["numerator"], row["unknown"], row["status"]) == (len(pairs), unknown, "missing"), unit


def test_the_recount_would_notice(quarter: tuple[duckdb.DuckDBPyConnection, list[dict[str, Any]]]) -> None:
    con, facts = quarter
    rows = score_rows(con, "2023-Q3", "466-xa")
    assert len(differences("some less", rows, of_facts(facts[30:]))) == len(WORTH)
