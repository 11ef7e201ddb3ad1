"""A build for the figures of one period, as a re-run makes it: what it tells of the period is what building it all tells,
row by row, and of every file the same account.

Not here: whether a whole build is right (tests/oracle), comparing with a seal (test_seals.py).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline import night
from pipeline.audit.sides import AFTER, BEFORE, Place, common_columns, side_by_side
from pipeline.declare.tables import sealed_tables
from pipeline.declare.text import Text
from pipeline.settings import Home
from pipeline.warehouse import build
from pipeline.warehouse.intake import Intake, recorded
from tests.oracle.arrivals import arrivals
from tests.oracle.registers import COMMUNES, COUNTER
from tests.quick import some, thorough
from tests.unit.office import Office
from tests.unit.test_as_known_sql import office as office

pytestmark = pytest.mark.usefixtures("figures_alone")
LABEL = Text("", "")
ACCOUNTS = ("file_account", "set_aside", "coverage", "transfer", "dossier_state", "vanished")


def differing(intake: Intake, folder: Path, whole: Path, period: str) -> list[str]:
    """What a build for one period tells otherwise than a whole one: the relations."""
    one = night.build_apart(intake, folder / period.replace(":", "-"), only=period)
    found = []
    with side_by_side(Place(LABEL, whole, live=True), Place(LABEL, one, live=True)) as con:
        for name in (*sealed_tables(), *ACCOUNTS):
            where = f"WHERE period = '{period}'" if "period" in common_columns(con, name) else ""
            a, b = (f"(SELECT * FROM {side}.{name} {where})" for side in (BEFORE, AFTER))
            n = con.execute(
                f"SELECT count(*) FROM ((FROM {a} EXCEPT ALL FROM {b}) UNION ALL (FROM {b} EXCEPT ALL FROM {a}))"
            )
            if n.fetchall() != [(0,)]:
                found.append(f"{period} {name}")
    return found


def periods_of(whole: Path, scheme: str, kind: str) -> list[str]:
    with side_by_side(Place(LABEL, whole, live=True), Place(LABEL, whole, live=True)) as con:
        asked = f"SELECT period FROM {AFTER}.period WHERE scheme = $1 AND kind = $2 ORDER BY period_from"
        return [key for (key,) in con.execute(asked, [scheme, kind]).fetchall()]


@pytest.fixture(scope="module")
def whole(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return night.build_apart(recorded(office.home), tmp_path_factory.mktemp("kho") / "whole")


def test_an_office_with_everything(office: Office, whole: Path, tmp_path: Path) -> None:
    """Late files, a register that goes before another, own units, a rejected row, what vanishes, reopens, is taken back."""
    intake, quarters = recorded(office.home), periods_of(whole, "nd09", "quarter")[::2]
    assert len(quarters) >= 3
    assert [line for key in some(quarters, 2) for line in differing(intake, tmp_path, whole, key)] == []


@thorough
@pytest.mark.slow
def test_random_arrivals(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.raw.mkdir(parents=True)
    known = {COUNTER: "intake", COMMUNES: "exported"}
    arrivals(home, 1, 40, known, date(2022, 12, 15), (date(2023, 12, 14), date(2023, 12, 14)))
    intake = recorded(home)
    whole = night.build_apart(intake, tmp_path / "whole")
    asked = [*periods_of(whole, "nd09", "quarter"), *periods_of(whole, "calendar", "month")[::6]]
    assert len(asked) >= 5
    assert [line for key in some(asked, 2) for line in differing(intake, tmp_path, whole, key)] == []


def test_a_dossier_that_is_left_out_is_seen(
    office: Office, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the comparison can fail: a limit that forgets what is carried over."""
    monkeypatch.setattr(build, "_may_stand", lambda period: f"WHERE v.received_at >= DATE '{period.start}'")
    found = (differing(recorded(office.home), tmp_path, whole, key) for key in periods_of(whole, "nd09", "quarter"))
    assert any("dossier_period" in line for lines in found for line in lines)
