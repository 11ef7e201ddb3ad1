"""What no register tells of Decision 766 comes from a return: filled in, it makes every group and the total."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import duckdb
import pytest

from pipeline.declare.periods import parse_period
from pipeline.declare.returns import returns
from pipeline.declare.scores import return_id, scores
from pipeline.measure.scores import score_rows
from pipeline.report.return_requests import requested
from pipeline.report.templates import write_template
from tests.returns.fill import fill
from tests.unit.office import Office, dossier

MONTH = "calendar:2023-M07"
AN, HAI = "19522", "19519"
# of Xã Gio An; Xã Gio Hải tells nothing but that there were no petitions, and no dossiers on the portal
TOLD = {
    "publish_due": 4, "published_on_time": 3, "update_due": 8, "updated_on_time": 8, "public": 200, "public_in_full": 199,
    "sync_due": 7, "synced": 7, "competence": 120, "online_services": 60, "with_fee": 10, "payable_online": 5,
    "storage_due": 6, "stored": 3, "population_dossiers_due": 7, "population_dossiers": 0,
    "population_procedures_due": 10, "population_procedures": 10, "copies_due": 3, "copies": 1,
    "petitions": 0, "petitions_on_time": 0, "petitions_rated": 0, "petitions_satisfied": 0,
    "dossiers": 100, "dossiers_late": 5, "dossiers_disliked": 8,
}  # fmt: skip
NOTHING = {"petitions": 0, "petitions_on_time": 0, "petitions_rated": 0, "petitions_satisfied": 0} | dict.fromkeys(
    ("dossiers", "dossiers_late", "dossiers_disliked"), 0
)
# procedure, channel, fee, paid online: four procedures with online dossiers, three with an online payment
ROWS = [
    ("1.001612", "Trực tuyến", "Có", "Có"), ("1.001612", "Trực tuyến", "Có", "Có"), ("1.000656", "Trực tuyến", "Có", "Có"),
    ("1.001193", "Trực tuyến", "Không", "Không"), ("1.004837", "Trực tuyến", "Có", "Có"),
    ("1.004837", "Trực tiếp", "Có", "Không"), ("1.000419", "Trực tiếp", "Có", "Không"),
]  # fmt: skip
BY_HAND = {  # 7 dossiers, 5 of them online; 6 with a fee, 4 paid online
    "PUBLISH_ON_TIME": "4.5", "PUBLIC_UPDATE_ON_TIME": "4", "PUBLIC_CONTENT_FULL": "1.99", "DOSSIER_SYNC": "6",
    "TIEN_DO": "20",
    "DVTT_A": "1.25",  # 50 % of procedures, full from 80 %
    "DVTT_B": "4/15",  # 4 of 60 online services
    "DVTT_C": "6",
    "THANH_TOAN_A": "4",  # 4 of 6
    "THANH_TOAN_B": "0.75",  # 3 of 10, full from 80 %
    "THANH_TOAN_C": "1.25",
    "ORIGINAL_RESULT_AVAILABLE": "6", "SO_HOA_GIAY_TO_GIAI_QUYET": "4", "REUSED_DIGITIZED_DATA": "0",
    "SYNCED_WITH_DVCQG_PERSONAL_STORAGE": "2", "CITIZEN_DATA_CONNECTED_DOSSIER": "0",
    "CITIZEN_DATA_CONNECTED_FORMALITY": "2", "ELECTRONIC_CERTIFIED_COPY": "2/3",
    "PETITION_PROCESSING_ON_TIME": "6", "PETITION_HANDLING_SATISFACTION": "6",  # no petitions
    "DOSSIER_RECEIVING_SATISFACTION": "5.8",  # 87 %, full from 90 %
}  # fmt: skip


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """Two communes with dossiers, and their return of a calendar month."""
    office = Office(tmp_path_factory.mktemp("766"))
    digital = {"component_digitized": "Có", "result_digitized": "Có", "component_reused": "Không"}
    an = [
        dossier(procedure_code=p, channel=channel, fee_due=fee, paid_online=paid, **digital)
        for p, channel, fee, paid in ROWS
    ]
    office.drop(
        "so.csv", [*an, dossier(unit="Xã Gio Hải", procedure_code="1.001612", fee_due="Có", paid_online="", **digital)]
    )
    office.source('kind = "return"\n', "bieu")
    template = write_template(
        office.home.root / "mau.xlsx", requested(office.home, (return_id(),), parse_period(MONTH), "Huyện Gio Linh")
    )
    cells = {(return_id(), AN, m): n for m, n in TOLD.items()} | {(return_id(), HAI, m): n for m, n in NOTHING.items()}
    fill(template, office.home.raw / "bieu" / "thang7.xlsx", cells)
    result = office.night()
    assert result.exit_code == 0, result
    return office.open()


def rows(con: duckdb.DuckDBPyConnection, unit: str, part: str, period: str = MONTH) -> dict[str, dict[str, Any]]:
    key = {"score": "score", "group": "score_group", "total": "label"}[part]
    return {r[key]: r for r in score_rows(con, period, unit) if r["part"] == part}


def test_the_return_has_what_the_scores_ask() -> None:
    named = " ".join(
        f"{s.numerator if s.parts == 'return' else ''} {s.denominator}"
        for s in scores().values()
        if s.parts in ("return", "procedures")
    )
    assert set(named.replace(" - ", " ").split()) == set(returns()[return_id()].measures) == set(TOLD)


def test_every_sub_score_every_group_and_the_total(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(con, "Xã Gio An", "score")
    mine = {key: Fraction(found[key]["points_p"], found[key]["points_q"]) for key in BY_HAND}
    assert mine == {key: Fraction(points) for key, points in BY_HAND.items()}
    assert {key for key, r in found.items() if r["status"] == "nothing_arisen"} == {
        "PETITION_PROCESSING_ON_TIME", "PETITION_HANDLING_SATISFACTION",
    }  # fmt: skip
    for name, group in rows(con, "Xã Gio An", "group").items():
        wanted = sum(Fraction(p) for key, p in BY_HAND.items() if scores()[key].group == name)
        assert Fraction(group["points_p"], group["points_q"]) == wanted, name
    (whole,) = rows(con, "Xã Gio An", "total").values()
    assert Fraction(whole["points_p"], whole["points_q"]) == sum(map(Fraction, BY_HAND.values()))
    assert (whole["max_points"], whole["reached_max"], whole["lacking"], whole["note"]) == (100, 100, None, None)


def test_what_a_unit_left_blank_is_missing(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(con, "Xã Gio Hải", "score")
    assert found["DVTT_B"]["numerator"] == 1 and found["DVTT_B"]["status"] == "missing"
    assert found["THANH_TOAN_B"]["numerator"] is None, "no dossier tells of payments"
    assert found["PETITION_PROCESSING_ON_TIME"]["points"] == 6 and found["PUBLISH_ON_TIME"]["points"] is None
    nobody = found["DOSSIER_RECEIVING_SATISFACTION"]
    assert (nobody["status"], nobody["points"]) == ("nothing_arisen", 0), "no dossiers: 0, as the document says"
    satisfaction = rows(con, "Xã Gio Hải", "group")["satisfaction"]
    assert satisfaction["points"] == 12


def test_a_sum_stands_only_where_every_unit_told(con: duckdb.DuckDBPyConnection) -> None:
    """The other communes of the district handed in nothing."""
    found = rows(con, "Các xã, thị trấn huyện Gio Linh", "score")
    assert {key for key, r in found.items() if r["points"] is not None and scores()[key].parts == "return"} == set()
    assert found["DVTT_B"]["numerator"] == 5, "procedures of each unit, added up"
    assert found["DVTT_C"]["denominator"] == 8


def test_of_other_periods_the_return_tells_nothing(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "Xã Gio An", "score", "2023-Q3")["PUBLISH_ON_TIME"]["status"] == "missing"
    assert rows(con, "Xã Gio An", "score", "2023-Q3")["TIEN_DO"]["points"] == 20
