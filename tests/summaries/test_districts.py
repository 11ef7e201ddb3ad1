"""A whole district of which only its own summary tells: its period is filled from it, and no part is counted twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.measure import answers
from pipeline.measure.trends import trends
from tests.summaries.forms import II06A, TITLES, workbook
from tests.unit.office import Office


def district_only(tmp_path: Path, *communes: list[Any]) -> tuple[Office, dict[str, Any], dict[str, Any]]:
    """The figures of a district with its communes in one row; then, where given, a summary of some communes."""
    office = Office(tmp_path)
    folder = office.source("[rules]\nincludes_communes = true\n", "huyen")
    whole = [1, "UBND huyện Gio Linh", 100, 40, 50, 10, 80, 60, 15, 5, 20, 18, 2]
    workbook(folder / "huyen.xlsx", {"Biểu": (II06A, [whole], TITLES)})
    if communes:
        workbook(office.home.raw / "xa" / "xa.xlsx", {"Biểu": (II06A, communes, TITLES)})
    assert not office.night().refused
    with office.open() as con:
        stats = {r["unit"]: r for r in answers.stats(con, "2023-Q3")}
        rates = {(r["unit"], r["indicator"]): r for r in answers.indicators(con, "2023-Q3")}
    return office, stats, rates


def test_a_whole_district_alone_fills_its_period(tmp_path: Path) -> None:
    office, stats, rates = district_only(tmp_path)
    assert set(stats) == {"Huyện Gio Linh", "Tỉnh Quảng Trị"}
    row, above = stats["Huyện Gio Linh"], stats["Tỉnh Quảng Trị"]
    assert (row["level"], row["basis"], row["coverage"], row["total"], row["resolved_late"]) == (
        "unit",
        "reported",
        "full",
        100,
        5,
    )
    assert (above["level"], above["total"], above["coverage"]) == ("total", 100, "partial"), (
        "other districts are silent"
    )
    assert (
        rates["Huyện Gio Linh", "on_time_rate"]["numerator"],
        rates["Huyện Gio Linh", "on_time_rate"]["denominator"],
    ) == (75, 80)
    with office.open() as con:
        assert con.execute("SELECT c3, c13 FROM form_ii06a WHERE unit_id = '466-all'").fetchall()[0] == (100, 2)
        checks = {c for (c,) in con.execute('SELECT DISTINCT "check" FROM finding').fetchall()}
        trend = {r["unit"]: r["total"] for r in trends(con, "2023-Q3") if r["coverage"] != "no_data"}
    assert "reported_unused" not in checks
    assert trend == {"Tất cả đơn vị có số liệu": 100, "Huyện Gio Linh": 100}


def test_a_part_of_it_told_apart_is_not_counted_twice(tmp_path: Path) -> None:
    _, stats, _ = district_only(tmp_path, [1, "Xã Gio An", 10, 4, 5, 1, 8, 6, 1, 1, 2, 2, 0])
    assert stats["Xã Gio An"]["total"] == 10
    assert [r["total"] for r in stats.values() if r["level"] == "total"] == [10], "the whole is not added to its part"
