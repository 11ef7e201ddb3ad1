"""measure/summary.py: the words of a run about a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from assets import notes
from pipeline import night
from pipeline.measure import summary
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.orchestration import Q3, dossiers, export


def test_quarters_and_contents(published: Home) -> None:
    with open_published(published) as con:
        assert summary.quarters(con) == ["2023-Q2", "2023-Q3"]
        assert summary.newest_quarter(con) == "2023-Q3"
        assert summary.contents(con) == {"dossiers": 7, "units": 1, "quarters": 2}


def test_differences_name_the_cells(published: Home) -> None:
    with open_published(published) as before:
        assert summary.differences(before, before, ["2023-Q2", "2023-Q3"]) == []
        everything = summary.differences(None, before, ["2023-Q3"])
        assert everything and all(one.before is None for one in everything)
        export(published, ("bo_sung.csv", *Q3[1:]), dossiers("2308", "01/08/2023", 2, "20/08/2023"))
        night.run(published)
        with open_published(published) as after:
            found = summary.differences(before, after, ["2023-Q2", "2023-Q3"])
    assert {one.period for one in found} == {"2023-Q3"}
    cells = {(one.unit, one.field, one.figure): (one.before, one.after) for one in found}
    assert cells["Xã Gio An", "Đất đai", "total"] == (4, 6)
    assert cells["Xã Gio An", "Đất đai", "resolved"] == (3, 5)
    assert cells["Xã Gio An", "", "resolution_rate: numerator"] == (3, 5)


def test_kept_outcomes_are_those_of_the_build(home: Home) -> None:
    built = night.run(home).outcomes
    with open_published(home) as con:
        kept = summary.kept_outcomes(con)
    assert [(one.check.code, one.failures) for one in kept] == [(one.check.code, one.failures) for one in built]
    assert any(not one.passed and one.sample for one in kept), "one commune of seventeen: completeness warns"
    assert [[sorted(row) for row in one.sample] for one in kept] == [
        [sorted(row) for row in one.sample] for one in built
    ], "the sample is kept with its keys"


def test_the_page_shows_what_became_of_every_row(home: Home) -> None:
    night.run(home)
    with open_published(home) as con:
        found = summary.accounts(con)
        files = dict(con.execute("SELECT source || '/' || name, rows_in FROM file").fetchall())
    assert {one.file: one.rows_in for one in found} == files and all(one.adds_up for one in found)
    shown = [record.data for record in notes.accounts(found).records]
    assert [row["tệp / file"] for row in shown] == [one.file for one in found]
    assert any("Đã có bản mới hơn của cùng hồ sơ" in str(row["vì sao / why"]) for row in shown) == any(
        "superseded" in one.reasons for one in found
    )
    wrong = replace(found[0], counted=found[0].counted + 1)
    assert not wrong.adds_up and notes.accounts([wrong]).records[0].data["đủ / adds up"] is False


@pytest.mark.parametrize(("known_at", "live", "age"), [("exported", False, 0), ("intake", True, 47)])
def test_freshness_of_live_and_historical_sources(home: Home, known_at: str, live: bool, age: int) -> None:
    toml = home.raw / "gio_an" / "source.toml"
    toml.write_text(f'name = "Xã Gio An"\nextent = "full"\nknown_at = "{known_at}"\n', encoding="utf-8")
    night.run(home)
    with open_published(home) as con:
        (one,) = summary.freshness(con, home, date(2023, 10, 31))
    assert (one.live, one.age_days, one.exports, one.exported_on) == (live, age, 2, date(2023, 9, 14))


def test_freshness_of_a_source_that_fell_behind_the_others(home: Home) -> None:
    for name in ("gio_an", "cu"):
        quarter = ("quy2.csv", date(2023, 3, 15), date(2023, 6, 14))
        export(home, quarter, dossiers("2304" if name == "cu" else "2305", "03/04/2023", 1), source=name)
    night.run(home)
    with open_published(home) as con:
        ages = {one.source: one.age_days for one in summary.freshness(con, home, date(2026, 1, 1))}
    assert ages == {"gio_an": 0, "cu": 92}
    (home.raw / "cu" / "source.toml").write_text("nonsense = [", encoding="utf-8")
    with open_published(home) as con:
        found = {one.source: one for one in summary.freshness(con, home, date(2026, 1, 1))}
    assert found["cu"].live, "a broken declaration is no excuse"
    for path in (home.raw / "cu").iterdir():
        path.unlink()
    (home.raw / "cu").rmdir()
    with open_published(home) as con:
        assert [one.source for one in summary.freshness(con, home, date(2026, 1, 1))] == ["gio_an"], "given up"
