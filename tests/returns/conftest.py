"""One home in which the returns of the four documents are handed in, and nothing else: no register, no summary."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipeline.declare.periods import parse_period
from pipeline.report.return_requests import requested
from pipeline.report.templates import write_template
from pipeline.warehouse.release import open_published
from tests.returns.fill import fill, table, told
from tests.returns.make_returns import write_returns
from tests.unit.office import Office

OWN = 'name = "{}"\nkind = "return"\nunits = "from_file"\nknown_at = "exported"\n'
HANDED = (  # source, unit, period, day on which it was made, whether the source brings its units itself
    ("vinh_linh", "Huyện Vĩnh Linh", "2023", date(2023, 11, 30), False),
    ("ky_anh", "Huyện Kỳ Anh", "2024", date(2024, 12, 20), True),
    ("nhu_quynh", "Thị trấn Như Quỳnh", "2024-H1", date(2024, 6, 10), True),
)


def names_of(unit: str, period: str) -> tuple[str, ...]:
    rows = [*table("figures.csv"), *table("made.csv")]
    return tuple(dict.fromkeys(r["return"] for r in rows if (r["unit"], r["period"]) == (unit, period)))


@pytest.fixture(scope="session")
def handed(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Read it: a test that changes something takes an office of its own."""
    office = Office(tmp_path_factory.mktemp("biểu"))
    write_returns(office.home.root)
    for source, unit, key, made_on, own in HANDED:
        office.source(OWN.format(unit) if own else 'kind = "return"\nknown_at = "exported"\n', source)
        asked = requested(office.home, names_of(unit, key), parse_period(key), unit, source if own else None)
        template = write_template(office.home.root / "mẫu" / f"{source}.xlsx", asked)
        cells = told(unit, key, "464-all" if source == "vinh_linh" else None)
        fill(template, office.home.raw / source / f"bieu_{key}.xlsx", cells, made_on)
    assert office.night().exit_code == 0
    return office


@pytest.fixture(scope="session")
def con(handed: Office) -> duckdb.DuckDBPyConnection:
    return open_published(handed.home)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.source('kind = "return"\n', "bieu")
    return made
