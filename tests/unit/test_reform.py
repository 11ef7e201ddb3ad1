"""The reform of July 2025 in the figures: every dossier once, in the unit valid at the cut-off; trends on today's tree.

The oracle is a loop over the dossiers in plain Python.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline import night
from pipeline.declare.figures import measures
from pipeline.warehouse.sql import rows_of
from tests.conftest import Said
from tests.unit.office import Office, dossier, opened

DAY = timedelta(days=1)
REFORM = date(2025, 7, 1)
QUARTERS = {
    "2025-Q2": (date(2025, 3, 15), date(2025, 6, 14)),
    "2025-Q3": (date(2025, 6, 15), date(2025, 9, 14)),
    "2025-Q4": (date(2025, 9, 15), date(2025, 12, 14)),
}
# old unit → name until 30/6/2025, unit that took its place, its name in new dossiers
UNITS = {
    "19519": ("Xã Gio Hải", "19496@2025-07-01", "Xã Cửa Việt"),
    "19496": ("Cửa Việt", "19496@2025-07-01", "Cửa Việt"),  # bare, before and after
    "19543": ("xã Gio Mai, huyện Gio Linh", "19496@2025-07-01", "UBND xã Cửa Việt"),
    "19495": ("TT Gio Linh", "19495@2025-07-01", "Gio Linh"),  # bare: before the reform it is two
    "19552": ("Xã Gio Quang", "19495@2025-07-01", "Xã Gio Linh"),
    "466": ("UBND huyện Gio Linh", "466", "UBND huyện Gio Linh"),
}
# what a system that renames makes of the unit of an old dossier
RENAMED = {unit: "Xã Gio Linh" if new == "Gio Linh" else new for unit, (_, _, new) in UNITS.items()}
RENAMED["19496"] = "Xã Cửa Việt"


@dataclass(frozen=True)
class Case:
    code: str
    unit: str
    received: date
    finished: date | None

    def unit_on(self, day: date) -> str:
        return self.unit if day < REFORM else UNITS[self.unit][1]

    def written(self, exported: date, renames: bool) -> str:
        old, _, new = UNITS[self.unit]
        if self.received < REFORM and renames and exported >= REFORM:
            return RENAMED[self.unit]
        return new if self.received >= REFORM else old

    def stands_in(self, first: date, last: date) -> bool:
        return self.received <= last and (self.finished is None or self.finished >= first)


def register(seed: int) -> list[Case]:
    dice, found = random.Random(seed), []
    for number in range(160):
        received = date(2025, 5, 15) + dice.randrange(139) * DAY
        unit = dice.choice(list(UNITS))
        if unit == "466" and received >= REFORM:  # the counter takes in nothing any more
            unit = "19552"
        finished = received + dice.randrange(100) * DAY if dice.random() < 0.8 else None
        if finished and finished > QUARTERS["2025-Q4"][1]:
            finished = None
        found.append(Case(f"H50.466-250515-{number:04}", unit, received, finished))
    return found


def drop(office: Office, cases: list[Case], renames: bool) -> None:
    """An export for each quarter: all that stood in it, as it was on its last day."""
    for quarter, (first, last) in QUARTERS.items():
        span = f"Từ ngày {first:%d/%m/%Y} đến ngày {last:%d/%m/%Y}"
        rows = []
        for case in (c for c in cases if c.stands_in(first, last)):
            done = case.finished is not None and case.finished <= last
            cells = {
                "dossier_code": case.code,
                "unit": case.written(last, renames),
                "received_at": f"{case.received:%d/%m/%Y} 08:00:00",
                "due_at": f"{case.received + 30 * DAY:%d/%m/%Y} 17:00:00",
            }
            end = {"finished_at": f"{case.finished:%d/%m/%Y} 16:00:00"} if done else {}
            rows.append(dossier(**cells, **end) if done else opened(**cells))
        office.drop(f"{quarter}.csv", rows, ("SỔ", span, f"Ngày xuất dữ liệu: {last:%d/%m/%Y} 23:30:00"))


@pytest.fixture(scope="module", params=[(1, True), (2, False)], ids=["renamed", "as_before"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    seed, renames = request.param
    office, cases = Office(tmp_path_factory.mktemp("cải cách")), register(seed)
    drop(office, cases, renames)
    result = office.night()
    assert (result.refused, result.rejected_rows) == ([], 0)
    with office.open() as con:
        yield con, cases


@pytest.mark.parametrize("quarter", QUARTERS)
def test_every_dossier_counts_once_in_the_unit_valid_at_the_cut_off(told: tuple, quarter: str) -> None:
    con, cases = told
    first, last = QUARTERS[quarter]
    found = con.execute("SELECT unit_id, sum(n) FROM period_count WHERE period = ? GROUP BY 1", [quarter]).fetchall()
    expected = Counter(c.unit_on(last) for c in cases if c.stands_in(first, last))
    assert dict(found) == expected and len(expected) > 2
    whole = con.execute(
        "SELECT count(*), count(DISTINCT dossier_id) FROM dossier_period WHERE period = ?", [quarter]
    ).fetchone()
    assert whole == (expected.total(), expected.total())


def test_a_new_name_is_no_transfer(told: tuple) -> None:
    con, _ = told
    assert con.execute("SELECT count(*) FROM transfer").fetchone() == (0,)


def test_what_was_open_is_carried_into_the_unit_that_took_over_by_the_reform(told: tuple) -> None:
    con, cases = told
    rows = con.execute(
        """SELECT period_before, period, unit_id, side, reason, count(*) FROM continuity_break
           WHERE period_before IN ('2025-Q2', '2025-Q3') AND period IN ('2025-Q3', '2025-Q4') GROUP BY ALL"""
    ).fetchall()
    start = QUARTERS["2025-Q3"][0]
    moved = [c for c in cases if c.received < start and (not c.finished or c.finished >= start) and c.unit != "466"]
    out = Counter(("2025-Q2", "2025-Q3", c.unit, "open_not_carried", "reform") for c in moved)
    into = Counter(("2025-Q2", "2025-Q3", UNITS[c.unit][1], "carried_not_open", "reform") for c in moved)
    assert {tuple(r[:5]): r[5] for r in rows} == out + into and moved


def test_months_around_the_reform_hold_every_dossier_once(told: tuple) -> None:
    con, _ = told
    twice = con.execute(
        "SELECT period, dossier_id FROM dossier_period GROUP BY ALL HAVING count(*) > 1 OR count(DISTINCT unit_id) > 1"
    ).fetchall()
    assert twice == []


def test_a_counter_without_a_successor_keeps_its_dossiers_and_is_told(told: tuple) -> None:
    con, cases = told
    first, last = QUARTERS["2025-Q4"]
    left = sum(c.unit == "466" and c.stands_in(first, last) for c in cases)
    found = con.execute("SELECT sum(n) FROM period_count WHERE period = '2025-Q4' AND unit_id = '466'").fetchone()
    assert found == (left,) and left
    findings = con.execute("""SELECT detail FROM finding WHERE "check" = 'unit_not_valid'""").fetchall()
    assert any("2025-Q4" in detail and "466" in detail for (detail,) in findings)


# ---- trends


def test_trends_add_up_to_the_counts_of_every_period(told: tuple) -> None:
    con, _ = told
    for level in ("unit", "total"):
        wrong = con.execute(
            f"""WITH trend AS (SELECT period, sum(total) AS n FROM trend_count WHERE level = '{level}' GROUP BY period),
                     counts AS (SELECT period, sum(n) AS n FROM period_count GROUP BY period)
                SELECT * FROM trend FULL JOIN counts USING (period) WHERE trend.n IS DISTINCT FROM counts.n"""
        ).fetchall()
        assert wrong == [], level
    sums = ", ".join(
        f"sum({m}) FILTER (WHERE level = 'unit') - sum({m}) FILTER (WHERE level = 'total')" for m in measures()
    )
    assert set(con.execute(f"SELECT {sums} FROM trend_count").fetchone()) == {0}


def test_a_trend_follows_the_units_of_today(told: tuple) -> None:
    con, cases = told
    rows = rows_of(con, "SELECT * FROM trend_count WHERE kind = 'quarter' AND scheme = 'nd09' AND level = 'unit'")
    assert {r["unit_id"] for r in rows} == {"19496@2025-07-01", "19495@2025-07-01", "466"}
    first, last = QUARTERS["2025-Q2"]
    town = next(r for r in rows if (r["period"], r["unit_id"]) == ("2025-Q2", "19496@2025-07-01"))
    merged = [c for c in cases if UNITS[c.unit][1] == "19496@2025-07-01" and c.stands_in(first, last)]
    assert town["total"] == len(merged) and town["units"] == 4  # one of the four told nothing
    assert town["coverage"] == "partial"
    after = next(r for r in rows if (r["period"], r["unit_id"]) == ("2025-Q4", "19496@2025-07-01"))
    assert (after["units"], after["coverage"]) == (1, "full")


# ---- what names leave open


def test_a_bare_name_that_is_two_units_waits_for_people(tmp_path: Path) -> None:
    office = Office(tmp_path)
    before, after = "20/06/2025 08:00:00", "02/07/2025 08:00:00"
    rows = [
        opened(unit="Gio Linh", received_at=before, due_at=""),
        opened(unit="Gio Linh", received_at=after, due_at=""),
        opened(unit="Xã Gio An", received_at=after, due_at=""),  # abolished the day before
    ]
    office.drop(
        "a.csv", rows, ("SỔ", "Từ ngày 15/06/2025 đến ngày 14/09/2025", "Ngày xuất dữ liệu: 14/09/2025 23:30:00")
    )
    assert office.night().rejected_rows == 2
    with office.open() as con:
        assert con.execute("SELECT unit_id, count(*) FROM dossier GROUP BY 1").fetchall() == [("19495@2025-07-01", 1)]
        review = con.execute("SELECT found, rows, unit_hash, proposals FROM unit_review ORDER BY found").fetchall()
    assert [r[:3] for r in review] == [("Gio Linh", 1, None), ("Xã Gio An", 1, None)]
    assert {p.split(" ")[0] for p in review[0][3].split("; ")} >= {"19495", "466"}
    assert "19537@2025-07-01 Xã Cồn Tiên" in review[1][3] and "19522 " not in review[1][3]


def test_files_cover_the_units_that_their_words_tell_of(tmp_path: Path) -> None:
    """Also where a name means one unit, another or none on different days of receipt: the file is asked for its words."""
    office = Office(tmp_path)
    drop(office, register(3), renames=False)
    rows = [opened(unit=name, received_at=f"{day} 08:00:00", due_at="") for name, day in MEANT]
    titles = "SỔ", "Từ ngày 15/06/2025 đến ngày 14/09/2025", "Ngày xuất dữ liệu: 14/09/2025 23:30:00"
    office.drop("hai nghĩa.csv", rows, titles)
    intake = office.take_in()
    with night.connect(tmp_path / "apart" / "kho.duckdb", intake.rows) as con:
        night.build_tables(con, intake.files)
        told = con.execute("FROM unit_told ORDER BY ALL").fetchall()
        words = con.execute(
            "SELECT source, file_id, unit_id, CAST(min(received_at) AS DATE) FROM dossier_version GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        meanings = con.execute(
            "SELECT written FROM unit_ref GROUP BY ALL HAVING count(DISTINCT coalesce(unit_id, '')) > 1"
        )
        assert {name for (name,) in meanings.fetchall()} >= {"Cửa Việt", "Gio Linh"}
    assert told == words and len(told) > 10


MEANT = (("Gio Linh", "20/06/2025"), ("Gio Linh", "02/07/2025"), ("Cửa Việt", "20/06/2025"), ("Cửa Việt", "02/07/2025"))


def test_a_quarter_of_2023_stands_on_the_tree_of_2023(tmp_path: Path) -> None:
    """Also when the system has since given its old dossiers the name of today's unit."""
    office = Office(tmp_path)
    row = dossier(unit="Xã Gio Hải")
    office.drop("2023.csv", [row])
    renamed = ("SỔ", "Từ ngày 15/06/2023 đến ngày 14/12/2025", "Ngày xuất dữ liệu: 14/12/2025 23:30:00")
    office.drop("2025.csv", [row | {"unit": "Xã Cửa Việt"}], renamed)
    office.night()
    with office.open() as con:
        found = con.execute("SELECT unit_id, n FROM period_count WHERE period = '2023-Q3'").fetchall()
        trend = con.execute(
            "SELECT unit_id, total FROM trend_count WHERE period = '2023-Q3' AND level = 'unit'"
        ).fetchall()
    assert (found, trend) == ([("19519", 1)], [("19496@2025-07-01", 1)])


def test_the_command_shows_a_trend_on_todays_tree(tmp_path: Path, motcua: Callable[..., Said]) -> None:
    office = Office(tmp_path)
    drop(office, register(3), renames=False)
    office.night()
    said = motcua(office.home, "stats", "--period", "2025-Q1..2025-Q4", "--tree", "new", "--format", "json")
    rows = json.loads(said.out)
    assert {r["unit"] for r in rows if r["level"] == "unit"} == {"Xã Cửa Việt", "Xã Gio Linh", "UBND huyện Gio Linh"}
    for quarter in QUARTERS:
        parts = [r["total"] for r in rows if (r["period"], r["level"]) == (quarter, "unit")]
        assert [sum(parts)] == [r["total"] for r in rows if (r["period"], r["level"]) == (quarter, "total")]
    assert {(r["coverage"], r["total"]) for r in rows if r["period"] == "2025-Q1"} == {("no_data", None)}
    one = motcua(office.home, "stats", "--period", "2025-Q2", "--tree", "new", "--unit", "Xã Cửa Việt")
    assert one.code == 0 and "Cửa Việt" in one.out
    assert motcua(office.home, "stats", "--period", "2025-Q2", "--tree", "new", "--by", "field").code == 2
