"""A whole province for what is handed in: every unit of the old Quảng Trị, twelve quarters, one of them empty."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import duckdb
import pytest

from pipeline.declare.periods import parse_period
from pipeline.declare.units import units
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.unit.office import Office, Row, dossier

QUARTERS = [f"{year}-Q{n}" for year in (2021, 2022, 2023) for n in (1, 2, 3, 4)]
NOTHING_AROSE = "2022-Q3"  # its days are covered, and no dossier was received, open or resolved in it
BEFORE_IT = parse_period(NOTHING_AROSE).start - timedelta(days=1)
FIRST, LAST = parse_period(QUARTERS[0]).start, parse_period(QUARTERS[-1]).end
TITLES = (
    "SỔ THEO DÕI HỒ SƠ",
    f"Từ ngày {FIRST:%d/%m/%Y} đến ngày {LAST:%d/%m/%Y}",
    f"Ngày xuất dữ liệu: {LAST:%d/%m/%Y} 23:30:00",
)
PER_QUARTER = 5
FIELDS = ("Hộ tịch", "Chứng thực", "Đất đai", "Người có công", "Nuôi con nuôi")


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Some 130 units × 12 quarters, published; in one quarter nothing arose, and to the first unit only one quarter brought
    dossiers."""
    office = Office(tmp_path_factory.mktemp("district"))
    office.source('name = "Một cửa tỉnh (mẫu)"\nknown_at = "exported"\n')
    office.drop("so_theo_doi.csv", _register(random.Random(20230914)), TITLES)
    assert office.night().exit_code == 0
    return office.home


@pytest.fixture
def of_district(district: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_published(district) as con:
        yield con


@pytest.fixture
def of_sample(sample: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_published(sample) as con:
        yield con


def _register(chance: random.Random) -> list[Row]:
    reporting = [u for u in units().values() if u.reports and u.valid_from <= FIRST and u.valid_to >= LAST]
    rows = []
    for place, unit in enumerate(reporting):
        above = units()[unit.parent_id or ""]
        district = units()[above.parent_id or ""] if above.kind == "communes" else above
        name = (
            f"{unit.name}, {district.name}" if unit.kind == "commune" else unit.name
        )  # there are two wards “Phường 1”
        for key in QUARTERS if place else QUARTERS[5:6]:
            if key != NOTHING_AROSE:
                rows += [_dossier(chance, name, key, n) for n in range(PER_QUARTER)]
    return rows


def _dossier(chance: random.Random, unit: str, key: str, n: int) -> Row:
    one = parse_period(key)
    received = one.start + timedelta(days=chance.randint(0, (one.end - one.start).days))
    due = received + timedelta(days=chance.randint(1, 30))
    done = max(received, due + timedelta(days=chance.choice((-3, -1, -1, 0, 0, 2))))
    if received <= BEFORE_IT:
        done = min(done, BEFORE_IT)
    is_open = done > LAST or (received > BEFORE_IT and chance.random() < 0.02)
    return dossier(
        unit=unit,
        received_at=_stamp(received),
        status="Đang xử lý" if is_open else "Đã xử lý xong",
        finished_at="" if is_open else _stamp(done),
        due_at=_stamp(due),
        channel=chance.choice(("Trực tuyến", "Trực tuyến", "Trực tiếp", "Bưu chính công ích")),
        field=FIELDS[n % len(FIELDS)],
        component_digitized=chance.choice(("Có", "Có", "Có", "Không")),
        result_digitized="" if is_open else chance.choice(("Có", "Có", "Không")),
        service_level=chance.choice(("Toàn trình", "Một phần", "")),
        rated=chance.choice(("Có", "Không")),
    )


def _stamp(day: date) -> str:
    return f"{datetime.combine(day, time(9, 30)):%d/%m/%Y %H:%M:%S}"
