"""The model quarter from the command line: every dossier figure of the report of III/2023 comes out of the exports.

The figures stand here and in tests/sample/model_quarter.csv as published (per commune: constructed to agree with every
printed rate). Where the printed report's arithmetic is wrong, the right value stands: late 0.05 %, slips 75.60 %.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pipeline import night
from pipeline.measure import answers
from pipeline.report.display import percent
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.conftest import ROOT, Said

Row = dict[str, Any]

# online, in person, carried over, total, resolved, early + on time + no due, late, open, in term, overdue
BLOCKS = {
    "total": (4910, 2856, 368, 8134, 7614, 7610, 4, 520, 520, 0),
    "group": (4655, 2048, 66, 6769, 6728, 6725, 3, 41, 41, 0),
    "466": (255, 808, 302, 1365, 886, 885, 1, 479, 479, 0),
}
# rates as the report prints them, per unit: components digitized, results digitized, online service
PRINTED = {
    "466": ("40,83", "76,52", "42,2"),
    "19522": ("97,69", "100", "63,1"),
    "19525": ("97,75", "100", "56,9"),
    "19519": ("99,46", "100", "90,6"),
    "19543": ("98,76", "99,47", "42"),
    "19510": ("96,55", "100", "67,2"),
    "19507": ("97,11", "100", "94,1"),
    "19552": ("99,62", "100", "92,3"),
    "19537": ("92,53", "97,65", "42,7"),
    "19531": ("98,53", "100", "91,2"),
    "19549": ("91,36", "98,35", "86,4"),
    "19504": ("98,98", "100", "95,2"),
    "19495": ("99,31", "99,31", "79,3"),
    "19496": ("91,85", "99,81", "95"),
    "19534": ("98,78", "100", "62,3"),
    "19546": ("97,98", "99,49", "46,6"),
    "19498": ("70,27", "100", "29,7"),
    "19501": ("51,04", "100", "0,7"),
}


def command(home: Home, *words: str) -> list[Row]:
    """A command of the command line as a user runs it, its JSON read back."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *words, "--home", str(home.root), "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def stats(sample: Home) -> list[Row]:
    return command(sample, "stats", "--period", "2023-Q3")


@pytest.fixture(scope="module")
def indicators(sample: Home) -> dict[tuple[str, str, str], Row]:
    rows = command(sample, "indicators", "--period", "2023-Q3")
    return {(r["unit_code"], r["level"], r["indicator"]): r for r in rows}


def ten_measures(row: Row) -> tuple[int, ...]:
    in_time = row["resolved_early"] + row["resolved_on_time"] + row["resolved_no_due"]
    return (
        *(row[k] for k in ("online", "in_person", "carried_over", "total", "resolved")),
        in_time,
        *(row[k] for k in ("resolved_late", "open", "open_in_term", "open_overdue")),
    )


def test_three_blocks_on_ten_measures(stats: list[Row]) -> None:
    assert [ten_measures(r) for r in stats if r["level"] == "total"] == [BLOCKS["total"]]
    assert [ten_measures(r) for r in stats if r["level"] == "group"] == [BLOCKS["group"]]
    assert [ten_measures(r) for r in stats if r["level"] == "unit" and r["unit_code"] == "466"] == [BLOCKS["466"]]


def test_every_unit_as_published(stats: list[Row]) -> None:
    units = {r["unit_code"]: r for r in stats if r["level"] == "unit"}
    with (ROOT / "tests/sample/model_quarter.csv").open(encoding="utf-8") as stream:
        expected = list(csv.DictReader(stream))
    assert len(units) == len(expected) == 18
    for want in expected:
        got = units[want["code"]]
        assert got["coverage"] == "full" and got["as_of"] == "2023-09-14"
        for ours, theirs in (("online", "online"), ("in_person", "in_person"), ("carried_over", "carried")):
            assert got[ours] == int(want[theirs]), (want["unit"], ours)
        assert (got["resolved"], got["open"]) == (int(want["resolved"]), int(want["open"])), want["unit"]


def test_rows_have_the_declared_keys(stats: list[Row], indicators: dict[tuple[str, str, str], Row]) -> None:
    frame = ["period", "as_of", "coverage", "unit_code", "unit", "level"]
    counts = [
        *("online", "in_person", "postal", "channel_unknown", "carried_over", "total", "resolved", "resolved_early"),
        *("resolved_on_time", "resolved_late", "resolved_no_due", "withdrawn", "returned", "stopped", "open"),
        *("open_in_term", "open_overdue", "open_paused", "unclassified"),
    ]
    rate = ["indicator", "label", "numerator", "denominator", "unknown", "value", "operator", "threshold"]
    assert set(stats[0]) == {*frame, "period_from", "period_to", "missing", "basis", "seal", *counts}
    assert set(next(iter(indicators.values()))) == {
        *frame,
        "missing",
        "basis",
        "seal",
        *rate,
        "verdict",
        "near",
        "needed",
    }
    for row in stats:
        assert row["total"] == sum(row[k] for k in counts[:5])
        closed = sum(row[k] for k in ("resolved", "withdrawn", "returned", "stopped", "open", "unclassified"))
        assert row["total"] == closed


@pytest.mark.parametrize("code", PRINTED)
def test_rates_per_unit_round_to_what_is_printed(indicators: dict[tuple[str, str, str], Row], code: str) -> None:
    for name, printed in zip(
        ("component_digitization_rate", "result_digitization_rate", "online_service_rate"), PRINTED[code], strict=True
    ):
        row = indicators[code, "unit", name]
        digits = len(printed.partition(",")[2])
        shown = percent(row["numerator"], row["denominator"], "vi", digits).removesuffix(" %")
        assert shown == printed, (name, row["numerator"], row["denominator"])


def test_online_service_of_the_counter(indicators: dict[tuple[str, str, str], Row]) -> None:
    row = indicators["466", "unit", "online_service_rate"]
    assert (row["numerator"], row["denominator"]) == (255, 604)


def test_full_process_arises_in_one_township_only(indicators: dict[tuple[str, str, str], Row]) -> None:
    for (code, level, name), row in indicators.items():
        if name == "full_process_rate" and level == "unit":
            if code == "19495":
                assert (row["numerator"], row["denominator"], row["value"]) == (2, 2, 1)
            else:
                assert (row["denominator"], row["value"], row["verdict"]) == (0, None, "nothing_arisen"), code


@pytest.mark.parametrize(
    ("name", "numerator", "denominator", "shown"),
    [
        ("late_rate", 4, 7614, "0,05 %"),  # printed as 0,5 %
        ("on_time_rate", 7610, 7614, "99,95 %"),
        ("evaluation_slip_rate", 5756, 7614, "75,60 %"),  # printed as 77,53 %
        ("apology_rate", 4, 4, "100,00 %"),
    ],
)
def test_rates_of_the_district(
    indicators: dict[tuple[str, str, str], Row], name: str, numerator: int, denominator: int, shown: str
) -> None:
    row = indicators["466", "total", name]
    assert (row["numerator"], row["denominator"], row["unknown"]) == (numerator, denominator, 0)
    assert abs(row["value"] - float(Fraction(numerator, denominator))) < 1e-15
    assert percent(row["numerator"], row["denominator"], "vi") == shown


def test_certified_copies(indicators: dict[tuple[str, str, str], Row]) -> None:
    assert indicators["466", "total", "certified_copies"]["numerator"] == 136


def test_lists_stand_under_the_right_headings(indicators: dict[tuple[str, str, str], Row]) -> None:
    def units(indicator: str, verdict: str) -> set[str]:
        return {
            c for (c, lv, name), r in indicators.items() if (lv, name, r["verdict"]) == ("unit", indicator, verdict)
        }

    assert units("component_digitization_rate", "not_met") == {"466", "19501"}
    assert len(units("component_digitization_rate", "met")) == 16
    assert len(units("result_digitization_rate", "met")) == 18
    counter = indicators["466", "unit", "component_digitization_rate"]
    # 70 % of 1,063 is 744.1, so more than 70 % begins at 745: 311 more than 434
    assert (counter["operator"], counter["threshold"], counter["needed"]) == (">", 0.7, 311)
    near = indicators["19498", "unit", "component_digitization_rate"]  # 70.27 %
    assert (near["verdict"], near["near"]) == ("met", True)


@pytest.mark.parametrize(
    ("period", "coverage", "total"),
    [
        ("2023-M08", "full", 2948),
        ("2023-H2", "partial", 8134),
        ("2023", "partial", 8134),
        ("calendar:2023-Q3", "partial", 6720),
        ("2023-Q2", "no_data", None),
        ("2023-Q4", "no_data", None),
        ("2019", "no_data", None),
    ],
)
def test_periods_answer_with_their_coverage(sample: Home, period: str, coverage: str, total: int | None) -> None:
    rows = command(sample, "stats", "--period", period)
    whole = next(r for r in rows if r["level"] == "total")
    assert (whole["coverage"], whole["total"]) == (coverage, total)
    assert all(r["coverage"] == coverage for r in rows) and len(rows) == 20
    if coverage == "partial":
        assert whole["missing"] and whole["as_of"] == "2023-09-14"
    if coverage == "no_data":
        assert all(r["total"] is None and r["open"] is None for r in rows)


def test_a_range_answers_period_by_period(sample: Home) -> None:
    rows = command(sample, "stats", "--period", "2023-M07..2023-M09")
    assert [r["period"] for r in rows if r["level"] == "total"] == ["2023-M07", "2023-M08", "2023-M09"]
    months = [r for r in rows if r["level"] == "total"]
    assert sum(m["online"] for m in months) == 4910 and sum(m["resolved"] for m in months) == 7614
    assert [m["open"] for m in months][:-1] == [m["carried_over"] for m in months][1:]


def test_fields_and_procedures_add_up(sample: Home) -> None:
    for by in ("field", "procedure", "level"):
        rows = command(sample, "stats", "--period", "2023-Q3", "--by", by)
        assert len(rows) > 1 and sum(r["total"] for r in rows) == 8134
        assert sum(r["resolved_late"] for r in rows) == 4


def test_form_ii06a_of_the_district(sample: Home) -> None:
    con = open_published(sample)
    columns = ", ".join(f"sum(c{n})" for n in range(3, 14))
    for by in ("unit", "field"):
        found = con.execute(
            f"SELECT {columns} FROM form_ii06a WHERE period = '2023-Q3' AND \"by\" = ?", [by]
        ).fetchone()
        assert found == (8134, 4910, 2856, 368, 7614, 5456, 2154, 4, 520, 520, 0)


def test_late_corrections_change_the_quarter_as_described(published_sample: Home) -> None:
    """tests/data/late_corrections/README.md, the figures of the counter and the district."""
    shutil.copytree(ROOT / "tests/data/late_corrections", published_sample.raw / "dieu_chinh")
    second = night.run(published_sample)
    assert second.changed and second.exit_code == 0
    con = open_published(published_sample)
    rows = {(r["unit_code"], r["level"]): r for r in answers.stats(con, "2023-Q3")}
    counter = rows["466", "unit"]
    wanted = {
        "total": 1366, "online": 257, "in_person": 807, "carried_over": 302, "resolved": 888, "resolved_early": 618,
        "resolved_on_time": 265, "resolved_no_due": 3, "resolved_late": 2, "withdrawn": 1, "open": 477,
        "open_in_term": 477, "open_overdue": 0,
    }  # fmt: skip
    assert {k: counter[k] for k in wanted} == wanted
    # corrections tell of their dossiers only: they cover no days of their own
    assert (counter["coverage"], str(counter["as_of"])) == ("full", "2023-09-14")
    whole = rows["466", "total"]
    assert [whole[k] for k in ("total", "online", "in_person", "resolved", "resolved_late", "withdrawn", "open")] == [
        8135, 4912, 2855, 7616, 5, 1, 518,
    ]  # fmt: skip
    rates = {r["indicator"]: r for r in answers.indicators(con, "2023-Q3", unit="466") if r["level"] == "unit"}
    for name, numerator, denominator in (
        ("on_time_rate", 886, 888),
        ("online_share", 257, 1064),
        ("online_service_rate", 257, 605),
        ("component_digitization_rate", 435, 1064),
        ("result_digitization_rate", 679, 888),
        ("evaluation_slip_rate", 666, 888),
        ("apology_rate", 1, 2),
    ):
        assert (rates[name]["numerator"], rates[name]["denominator"]) == (numerator, denominator), name


def test_a_quarter_run_again_says_whether_it_is_the_same(published_sample: Home, motcua: Callable[..., Said]) -> None:
    assert motcua(published_sample, "run").code == 0
    again = motcua(published_sample, "run", "--period", "2023-Q3")
    assert again.code == 0 and "2023-Q3: giống hệt" in again.out and "8.134" in again.out
    shutil.copytree(ROOT / "tests/data/late_corrections", published_sample.raw / "dieu_chinh")
    changed = motcua(published_sample, "run", "--period", "2023-Q3", "--lang", "en")
    assert "cells differ" in changed.out and "8,135" in changed.out
    nothing = motcua(published_sample, "run", "--period", "2021-Q1")
    assert nothing.code == 2 and "2023-Q3" in nothing.err


def test_a_changed_dossier_is_noticed(sample: Home, tmp_path: Path) -> None:
    """The golden figures can fail: one dossier fewer in one export and the blocks no longer agree."""
    shutil.copytree(sample.raw, tmp_path / "data/raw")
    register = tmp_path / "data/raw/gio_linh_xa/so_theo_doi_xa_2023-09.csv"
    lines = register.read_bytes().splitlines(keepends=True)
    register.write_bytes(b"".join(lines[:-1]))
    night.run(Home(tmp_path))
    rows = answers.stats(open_published(Home(tmp_path)), "2023-Q3")
    assert ten_measures(next(r for r in rows if r["level"] == "total")) != BLOCKS["total"]
