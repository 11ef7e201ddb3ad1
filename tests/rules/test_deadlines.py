"""The ledger of deadlines: what exports told of a due date, its changes, extensions and pauses, and of reopenings."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import Home
from tests.conftest import Said
from tests.rules.cases import DONE, EXPORTS, RUNNING, SUPPLEMENT
from tests.unit.office import Office, Row

pytestmark = pytest.mark.usefixtures("in_full")

JULY, END, LATER = "2023-07-31 23:00:00", "2023-09-14 23:30:00", "2023-09-20 23:00:00"
DUE, NEW_DUE, EXTENDED = "2023-07-20 17:00:00", "2023-08-25 17:00:00", "2023-09-29 17:00:00"
START = {
    "received_at": "03/07/2023 08:15:00",
    "due_at": "20/07/2023 17:00:00",
    "status": RUNNING,
    "channel": "Trực tuyến",
}

# name → (export → what changes of the row with it), and the ledger: kind, due, due before, from, until, days, told on
LEDGERS: dict[str, tuple[dict[str, Row], list[tuple[Any, ...]]]] = {
    "một hạn, một bản": ({"end": {}}, [("original", DUE, None, None, None, None, "2023-09-14")]),
    "một hạn, ba bản": (
        {"july": {}, "end": {}, "later": {}},
        [("original", DUE, None, None, None, None, "2023-07-31")],
    ),
    "không có hạn": ({"end": {"due_at": ""}}, []),
    "hạn được ghi sau": (
        {"july": {"due_at": ""}, "end": {"due_at": "20/07/2023 17:00:00"}},
        [("original", DUE, None, None, None, None, "2023-09-14")],
    ),
    "hạn bị sửa, rồi không ghi, rồi ghi lại": (
        {"july": {}, "end": {"due_at": "25/08/2023 17:00:00"}, "later": {"due_at": ""}},
        [
            ("original", DUE, None, None, None, None, "2023-07-31"),
            ("changed", NEW_DUE, DUE, None, None, None, "2023-09-14"),
        ],
    ),
    "gia hạn ngay bản đầu": (
        {"end": {"extended_due_at": "29/09/2023 17:00:00"}},
        [
            ("original", DUE, None, None, None, None, "2023-09-14"),
            ("extended", EXTENDED, DUE, None, None, None, "2023-09-14"),
        ],
    ),
    "gia hạn, đổi, rồi không còn ghi": (
        {
            "july": {"extended_due_at": "25/08/2023 17:00:00"},
            "end": {"extended_due_at": "29/09/2023 17:00:00"},
            "later": {"extended_due_at": ""},
        },
        [
            ("original", DUE, None, None, None, None, "2023-07-31"),
            ("extended", NEW_DUE, DUE, None, None, None, "2023-07-31"),
            ("extended", EXTENDED, NEW_DUE, None, None, None, "2023-09-14"),
            ("extended", None, EXTENDED, None, None, None, "2023-09-20"),
        ],
    ),
    "tạm dừng có ngày, rồi làm tiếp": (
        {
            "july": {"status": SUPPLEMENT, "supplement_requested_at": "10/07/2023 09:00:00"},
            "end": {"status": RUNNING, "paused_days": "12"},
        },
        [
            ("original", DUE, None, None, None, None, "2023-07-31"),
            ("paused", None, None, "2023-07-10 09:00:00", END, 12, "2023-07-31"),
        ],
    ),
    "tạm dừng không ghi ngày, vẫn dừng": (
        {"july": {}, "end": {"status": SUPPLEMENT}, "later": {}},
        [
            ("original", DUE, None, None, None, None, "2023-07-31"),
            ("paused", None, None, END, None, None, "2023-09-14"),
        ],
    ),
    "ngày yêu cầu chỉ ghi sau khi đã tạm dừng": (
        {
            "july": {"status": SUPPLEMENT},
            "end": {"supplement_requested_at": "11/07/2023"},
            "later": {"status": RUNNING},
        },
        [
            ("original", DUE, None, None, None, None, "2023-07-31"),
            ("paused", None, None, "2023-07-11 00:00:00", LATER, None, "2023-07-31"),
        ],
    ),
    "hai lần tạm dừng": (
        {
            "july": {"status": SUPPLEMENT, "supplement_requested_at": "10/07/2023"},
            "end": {"status": RUNNING},
            "later": {"status": SUPPLEMENT, "supplement_requested_at": "18/09/2023"},
        },
        [
            ("original", DUE, None, None, None, None, "2023-07-31"),
            ("paused", None, None, "2023-07-10 00:00:00", END, None, "2023-07-31"),
            ("paused", None, None, "2023-09-18 00:00:00", None, None, "2023-09-20"),
        ],
    ),
    "yêu cầu bổ sung lần hai trong lúc dừng": (
        {
            "july": {"status": SUPPLEMENT, "supplement_requested_at": "10/07/2023"},
            "end": {"supplement_requested_at": "01/09/2023"},
        },
        [
            ("original", DUE, None, None, None, None, "2023-07-31"),
            ("paused", None, None, "2023-07-10 00:00:00", "2023-09-01 00:00:00", None, "2023-07-31"),
            ("paused", None, None, "2023-09-01 00:00:00", None, None, "2023-09-14"),
        ],
    ),
    "đã xong, còn ghi ngày yêu cầu": (
        {
            "end": {
                "status": DONE,
                "finished_at": "18/07/2023",
                "supplement_requested_at": "10/07/2023",
                "paused_days": "3",
            }
        },
        [
            ("original", DUE, None, None, None, None, "2023-09-14"),
            ("paused", None, None, "2023-07-10 00:00:00", END, 3, "2023-09-14"),
        ],
    ),
    "chỉ ghi số ngày tạm dừng": (
        {"end": {"paused_days": "5"}},
        [
            ("original", DUE, None, None, None, None, "2023-09-14"),
            ("paused", None, None, None, None, 5, "2023-09-14"),
        ],
    ),
    "xong, mở lại, xong": (
        {
            "july": {"status": DONE, "finished_at": "18/07/2023 09:00:00"},
            "end": {"status": RUNNING, "finished_at": ""},
            "later": {"status": DONE, "finished_at": "19/09/2023 09:00:00"},
        },
        [
            ("original", DUE, None, None, None, None, "2023-07-31"),
            ("reopened", None, None, "2023-07-18 09:00:00", END, None, "2023-09-14"),
        ],
    ),
    "không được tiếp nhận": ({"end": {"status": "Không được tiếp nhận"}}, []),
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("hạn trả"))
    office.source('name = "Sổ"\nunits = "from_file"\nknown_at = "exported"\n')
    empty = dict.fromkeys(("finished_at", "extended_due_at", "supplement_requested_at", "paused_days"), "")
    known: dict[str, Row] = {}
    for export, titles in EXPORTS.items():
        for number, (name, (told, _)) in enumerate(LEDGERS.items()):
            if export in told:
                start = START | empty | {"dossier_code": f"HS-{number}", "unit": name}
                known[name] = known.get(name, start) | told[export]
        if known:
            office.drop(f"{export}.csv", list(known.values()), ("SỔ THEO DÕI HỒ SƠ", *titles))
    result = office.night()
    assert result.release and not result.refused and not result.rejected_rows
    return office


@pytest.mark.parametrize("name", LEDGERS)
def test_the_ledger_of_a_dossier(office: Office, name: str) -> None:
    with office.open() as con:
        rows = con.execute(
            """SELECT l.kind, l.due_at, l.due_before_at, l.from_at, l.until_at, l.days, l.told_on, l.step, f.name, l.row
               FROM deadline l JOIN file f USING (file_id) JOIN dossier d USING (dossier_id) JOIN unit u USING (unit_id)
               WHERE u.unit = ? AND d.episode = 1 ORDER BY l.step""",
            [name],
        ).fetchall()
    got = [tuple(str(v) if isinstance(v, date) else v for v in row[:7]) for row in rows]
    assert got == LEDGERS[name][1]
    assert [row[7] for row in rows] == list(range(1, len(rows) + 1))
    day = {f"{export}.csv": titles[1][-19:-9] for export, titles in EXPORTS.items()}
    for row in rows:  # the row that tells of it is one of its day's file
        assert f"{row[6]:%d/%m/%Y}" == day[row[8]] and row[9] > 4


def test_every_first_due_date_is_in_the_ledger(office: Office, sample: Home) -> None:
    """Also those that the view takes from the dossiers themselves."""
    from pipeline.warehouse.release import open_published

    for con in (office.open(), open_published(sample)):
        with con:
            assert con.execute(
                """SELECT count(*) FROM (SELECT dossier_id, first_due_at FROM dossier WHERE episode = 1 AND first_due_at IS NOT NULL) d
                   FULL JOIN (SELECT dossier_id, due_at FROM deadline WHERE kind = 'original') l USING (dossier_id)
                   WHERE d.first_due_at IS DISTINCT FROM l.due_at"""
            ).fetchall() == [(0,)]
            twice = "SELECT dossier_id, step FROM deadline GROUP BY ALL HAVING count(*) > 1"
            assert con.execute(twice).fetchall() == []


REOPENED = "xong, mở lại, xong"


@pytest.mark.parametrize(
    ("known", "period", "label"),
    [
        (None, "2023-Q3", "resolved_early"),
        ("2023-08-01", "2023-Q3", "resolved_early"),  # before the reopening is known
        ("2023-09-15", "2023-Q3", "resolved_early"),  # known to be open again: the first resolution stays in its period
        ("2023-09-30", "2023-Q3", "resolved_early"),
        ("2023-09-15", "2023-M09", "open_overdue"),  # open again, from the day of the export that told of it
        (None, "2023-Q4", "resolved_late"),
    ],
)
def test_a_first_resolution_stays_in_its_period_at_every_known_time(
    office: Office, motcua: Callable[..., Said], known: str | None, period: str, label: str
) -> None:
    asked = (
        "stats",
        "--period",
        period,
        "--unit",
        REOPENED,
        "--format",
        "json",
        *(("--as-known", known) if known else ()),
    )
    row = json.loads(motcua(office.home, *asked).out)[0]
    assert (row["total"], row[label]) == (1, 1), row


def test_lateness_with_and_without(tmp_path: Path, motcua: Callable[..., Said]) -> None:
    """The same dossiers by the effective due date, the first one, and with pauses added."""
    office = Office(tmp_path)
    late = {"status": DONE, "finished_at": "01/08/2023", "due_at": "20/07/2023"}
    usual = {"received_at": "03/07/2023", "unit": "Xã Gio An", "extended_due_at": "", "paused_days": "", **late}
    rows = [
        usual | {"dossier_code": "A-1"},
        usual | {"dossier_code": "A-2", "extended_due_at": "05/08/2023"},
        usual | {"dossier_code": "A-3", "paused_days": "11"},
        usual | {"dossier_code": "A-4", "paused_days": "12"},
        usual | {"dossier_code": "A-5", "paused_days": "13"},
    ]
    office.drop("t9.csv", rows)
    assert office.night().release
    told = {}
    for rules in ("motcua", "original-due", "with-pauses"):
        said = motcua(
            office.home, "stats", "--period", "2023-Q3", "--unit", "Xã Gio An", "--rules", rules, "--format", "json"
        )
        told[rules] = json.loads(said.out)[0]
    counts = {k: tuple(r[f"resolved_{x}"] for x in ("early", "on_time", "late")) for k, r in told.items()}
    assert counts == {"motcua": (1, 0, 4), "original-due": (0, 0, 5), "with-pauses": (2, 1, 2)}
    assert "rules" not in told["motcua"] and told["with-pauses"]["rules"] == "with-pauses"
