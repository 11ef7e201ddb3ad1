"""Nights that go on from the published database: after each, every table is what building it all gives, row by row.

Not here: whether a whole build is right (tests/oracle).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from pipeline import night
from pipeline.audit import sealing
from pipeline.declare.periods import parse_period
from pipeline.declare.tables import COUNTED
from pipeline.measure import spark
from pipeline.measure.moved import PLACES, VALUES
from pipeline.settings import Home
from pipeline.warehouse import onward
from pipeline.warehouse.intake import recorded
from pipeline.warehouse.record import read_log
from pipeline.warehouse.release import current
from pipeline.warehouse.sql import quoted
from tests.conftest import copy_of
from tests.oracle.arrivals import arrivals
from tests.oracle.registers import COMMUNES, COUNTER
from tests.quick import some, thorough
from tests.unit.office import Office, dossier, opened
from tests.unit.test_as_known_sql import office as office

pytestmark = pytest.mark.usefixtures("however_few")
KNOWN = {COUNTER: "intake", COMMUNES: "intake"}


def events(home: Home) -> list[datetime]:
    """The moments at which what is known changes."""
    return sorted({at for entry in read_log(home) for span in entry.known for at in span if at})


def differing(ours: Path, whole: Path) -> list[str]:
    """Relations of two databases whose rows, columns or types differ; but what names the build."""
    with duckdb.connect() as con:
        for name, path in (("ours", ours), ("whole", whole)):
            con.execute(f"ATTACH {quoted(path)} AS {name} (READ_ONLY)")
        names = [
            set(
                con.execute(
                    "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $1 "
                    "UNION SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = $1 AND NOT internal",
                    [name],
                ).fetchall()
            )
            for name in ("ours", "whole")
        ]
        found = [f"{schema}.{name} is missing" for schema, name in names[0] ^ names[1] if name not in BUILD]
        for schema, name in sorted(names[0] & names[1]):
            if name in BUILD or (schema, name) in HEARTS:
                continue
            a, b = f'ours."{schema}"."{name}"', f'whole."{schema}"."{name}"'
            if con.execute(f"DESCRIBE {a}").fetchall() != con.execute(f"DESCRIBE {b}").fetchall():
                found.append(f"{schema}.{name}: columns")
            # each row of ours once more, of theirs once less, in groups of equal ones: a view is asked once, not twice
            elif con.execute(
                f"""SELECT count(*) FROM (
                        SELECT * EXCLUDE (more) FROM (SELECT *, 1 AS more FROM {a} UNION ALL SELECT *, -1 FROM {b})
                        GROUP BY ALL HAVING sum(more) <> 0)"""
            ).fetchall() != [(0,)]:
                found.append(f"{schema}.{name}")
        return found


BUILD = ("release_info", "data_dictionary")
# views over the tables that are compared; another file's cannot be asked under their names
HEARTS = {("main", "dossier_period"), ("live", "dossier_period")}


def nights(home: Home, apart: Path, moments: list[datetime]) -> tuple[list[str], int]:
    """Publishes what was known at one moment after the other; what differs from whole builds, at some of them, and how many
    nights went on from the one before."""
    found, went_on, looked_at = [], 0, some(moments, 2)
    for n, moment in enumerate(moments):
        intake = recorded(home, moment)
        built = night.build(home, intake)
        if built is None:
            continue
        release = night.publish(home, built)
        if not release.nights:
            continue
        went_on += 1
        if moment not in looked_at:
            continue
        whole = night.build_apart(intake, apart / str(n))
        found += [f"{moment} {name}" for name in differing(release.database, whole)]
    return found, went_on


@pytest.mark.slow
@pytest.mark.usefixtures("figures_alone")
def test_an_office_with_everything(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late files, a register that goes before another, own units, a rejected row, what vanishes, reopens, is taken back."""
    monkeypatch.setattr(onward, "SHARE", 1.0)
    home = Home(Path(shutil.copytree(office.home.root, tmp_path / "home")))
    home.pointer.unlink()
    found, went_on = nights(home, tmp_path / "apart", events(home))
    assert found == [] and went_on >= 5


@thorough
@pytest.mark.slow
@pytest.mark.usefixtures("figures_alone")
def test_random_arrivals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onward, "SHARE", 1.0)
    home = Home(tmp_path / "home")
    home.raw.mkdir(parents=True)
    arrivals(home, 1, 30, KNOWN, date(2022, 12, 15), (date(2023, 12, 14), date(2023, 12, 14)))
    found, went_on = nights(home, tmp_path / "apart", events(home)[-7:])
    assert found == [] and went_on >= 3


@thorough
@pytest.mark.slow
@pytest.mark.usefixtures("figures_alone")
def test_another_engine_counts_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was counted before it stands in the file no longer: the night after counts all."""
    monkeypatch.setattr(onward, "SHARE", 1.0)

    def plainly(con: duckdb.DuckDBPyConnection, table: str, selects: dict[str, str]) -> None:
        con.execute(f"CREATE TABLE {table} AS {selects[table]}")

    monkeypatch.setattr(spark, "make_table", plainly)
    home = Home(tmp_path / "home")
    home.raw.mkdir(parents=True)
    arrivals(home, 1, 30, KNOWN, date(2022, 12, 15), (date(2023, 12, 14), date(2023, 12, 14)))
    engines = ("duckdb", "duckdb", "spark", "duckdb", "duckdb")
    counted = []
    for engine, moment in zip(engines, events(home)[-len(engines) :], strict=True):
        monkeypatch.setenv("MOTCUA_ENGINE", engine)
        found, _ = nights(home, tmp_path / f"apart {moment:%H%M%S%f}", [moment])
        assert found == []
        release = current(home)
        assert release
        with duckdb.connect(str(release.database), read_only=True) as con:
            told = con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = $1", [COUNTED]).fetchall()
        counted.append({PLACES, VALUES} <= {name for (name,) in told})
    assert counted == [engine == "duckdb" for engine in engines]


# ---------------------------------------------------------------- faults, and when all is built


def after_touching(wrong: str) -> Callable[[duckdb.DuckDBPyConnection, str], None]:
    def touch(con: duckdb.DuckDBPyConnection, rows: str) -> None:
        onward.touch(con, rows)
        con.execute(wrong)

    return touch


FAULTS = {
    "new rows are left out": after_touching("CREATE OR REPLACE TEMP VIEW telling AS FROM row_of_file LIMIT 0"),
    "old rows stay": after_touching("INSERT INTO dossier FROM before_dossier"),
    "what older files tell is left out": after_touching("DELETE FROM before_dossier"),
}


def titles(month: int) -> tuple[str, ...]:
    day = f"14/{month:02}/2023"
    return "SỔ", f"Từ ngày 15/{month - 1:02}/2023 đến ngày {day}", f"Ngày xuất dữ liệu: {day} 23:30:00"


@pytest.fixture(scope="module")
def _two_months(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("two months"))
    rows = [opened(received_at="20/06/2023 08:00:00") for _ in range(20)]
    office.drop("t7.csv", rows, titles(7))
    assert office.night().release
    ended = dossier(
        dossier_code=rows[0]["dossier_code"], received_at="20/06/2023 08:00:00", finished_at="01/08/2023 08:00:00"
    )
    office.drop("t8.csv", [ended], titles(8))
    return office


@pytest.fixture
def two_months(_two_months: Office, tmp_path: Path) -> Office:
    """July published; August, in which one of twenty dossiers is concluded, lies there."""
    return Office(copy_of(_two_months.home, tmp_path / "office").root)


def test_a_night_goes_on_and_says_so(two_months: Office, tmp_path: Path) -> None:
    assert two_months.night().changed
    release = current(two_months.home)
    assert release and release.nights == 1
    whole = night.build_apart(recorded(two_months.home), tmp_path / "apart")
    assert differing(release.database, whole) == []


def test_a_night_goes_on_beside_a_seal(two_months: Office, tmp_path: Path) -> None:
    """What was published of the sealed quarter is what was sealed; what is counted goes on from what was counted."""
    sealing.seal(two_months.home, parse_period("2023-Q3"))
    assert two_months.night().changed
    release = current(two_months.home)
    assert release and release.nights == 1 and release.seals
    found = differing(release.database, night.build_apart(recorded(two_months.home), tmp_path / "apart"))
    assert "main.period_unit" in found and not [name for name in found if name.startswith(("counted.", "live."))]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(
    two_months: Office, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = two_months.take_in()
    whole = night.build_apart(intake, tmp_path / "apart")
    monkeypatch.setattr("pipeline.warehouse.build.touch", FAULTS[fault])
    known = current(two_months.home)
    assert known
    ours = tmp_path / "ours.duckdb"
    shutil.copyfile(known.database, ours)
    base = onward.base(known, intake.all_files, intake.aliases)
    con = night.connect(ours)
    night.build_tables(con, intake.files, intake.withdrawn, intake.aliases, new=base.new if base else None)
    con.close()
    assert "main.dossier" in differing(ours, whole)


def test_all_is_built_where_much_came(two_months: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onward, "SHARE", 0.01)
    two_months.night()
    assert nights_of(two_months) == 0


def test_all_is_built_at_times(two_months: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onward, "NIGHTS", 0)
    two_months.night()
    assert nights_of(two_months) == 0


def test_all_is_built_where_it_is_asked_for(two_months: Office) -> None:
    night.run(two_months.home, rebuild=True)
    assert nights_of(two_months) == 0


def test_all_is_built_by_another_program(two_months: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.warehouse.release.code_fingerprint", lambda: "another")
    two_months.night()
    assert nights_of(two_months) == 0


def test_all_is_built_by_another_duckdb(two_months: Office) -> None:
    path = two_months.home.releases / two_months.home.pointer.read_text().strip() / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"duckdb": "1.0.0"}), encoding="utf-8")
    two_months.night()
    assert nights_of(two_months) == 0


def nights_of(office: Office) -> int:
    release = current(office.home)
    assert release and release.files == 2
    return release.nights
