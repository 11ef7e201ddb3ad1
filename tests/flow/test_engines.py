"""Both engines run the same statements: every cell that DuckDB gives, Spark gives, and so every figure that follows.

One Java serves all: it is started as a night starts it, with the office's own Spark settings (which here add Spark
Connect), and the builds find it running.
"""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import duckdb
import pytest

from pipeline import night
from pipeline.audit.sealing import seal
from pipeline.declare.periods import parse_period
from pipeline.errors import NoSpark
from pipeline.measure import spark
from pipeline.measure.figures import build_figures, plain_selects
from pipeline.measure.moved import COUNTED, PLACES, VALUES
from pipeline.settings import PROJECT, Home
from pipeline.warehouse.build import build, connect
from pipeline.warehouse.intake import recorded, take_in
from pipeline.warehouse.release import published
from pipeline.warehouse.sql import quoted
from tests.oracle import registers
from tests.oracle.oracle import CONCLUDED, OPEN
from tests.unit.office import LATER, Office, dossier, opened

pytestmark = pytest.mark.slow  # Java takes its time to start
ENGINES = ("duckdb", "spark")


# ---- a Spark for all tests


@pytest.fixture(scope="module")
def connect_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def running(pyspark: str, connect_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Spark on one core; what an office writes into spark-defaults.conf holds for it."""
    place = tmp_path_factory.mktemp("cấu hình Spark")
    own = {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": connect_port,
        "spark.sql.shuffle.partitions": 1,
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # for a short life
    }
    words = "".join(f"{name} {value}\n" for name, value in own.items())
    (place / "spark-defaults.conf").write_text(words, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(place))
        patch.setenv("MOTCUA_SPARK", "local[1]")
        with spark.session(place):
            yield


COUNTS = "counted.unit_count"  # of which the order of rows is compared too

# ---- the same figures


def unlike(con: duckdb.DuckDBPyConnection, one: str, other: str) -> int:
    """How many rows of two queries have no equal in the other; all, where their columns or types differ."""
    if con.execute(f"DESCRIBE {one}").fetchall() != con.execute(f"DESCRIBE {other}").fetchall():
        return -1
    both = f"(({one}) EXCEPT ALL ({other})) UNION ALL (({other}) EXCEPT ALL ({one}))"
    return con.execute(f"SELECT count(*) FROM ({both})").fetchall()[0][0]


def differing(*paths: Path) -> set[str]:
    """The tables that are not the same in two databases; of the counts, the order of their rows too."""
    with duckdb.connect() as con:
        for name, path in zip("ab", paths, strict=True):
            con.execute(f"ATTACH {quoted(path)} AS {name} (READ_ONLY)")
        tables = "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name IN ('main', 'counted') AND database_name = "
        ours, theirs = ({t for (t,) in con.execute(f"{tables} '{name}'").fetchall()} for name in "ab")
        # 0/0 may stand as null/null beneath; as published it is the same
        ours, theirs = (t - {"counted.indicator_value"} | {"main.indicator_value"} for t in (ours, theirs))
        ours = ours - {f"{COUNTED}.{t}" for t in (PLACES, VALUES)}  # with Spark the next night counts all again
        shown = {t: "SELECT rowid, * FROM" if t == COUNTS else "SELECT * FROM" for t in ours & theirs}
        return ours ^ theirs | {t for t, rows in shown.items() if unlike(con, f"{rows} a.{t}", f"{rows} b.{t}")}


@pytest.mark.usefixtures("running", "figures_alone")
def test_a_night_of_the_sample(sample: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole database with all checks: every table, also those that are made from the counts."""
    built, asked, make = {}, [], spark.make_table
    monkeypatch.setattr(spark, "make_table", lambda con, table, how: asked.append(table) or make(con, table, how))
    for engine in ENGINES:
        monkeypatch.setenv("MOTCUA_ENGINE", engine)
        built[engine] = night.build_apart(recorded(sample), tmp_path / f"kho {engine} [1]")
        assert [p.name for p in built[engine].parent.iterdir()] == ["warehouse.duckdb"], "nothing is left behind"
    assert asked == ["period_count"], "by Spark, once"
    assert differing(*built.values()) == set()
    with duckdb.connect(str(built["spark"]), read_only=True) as con:
        rows = con.execute("SELECT (SELECT count(*) FROM period_count), (SELECT count(*) FROM indicator_value)")
        assert all(n > 1000 for n in rows.fetchall()[0])


# What registers seldom tell: the cells of every kind that the statements read.
ODD = """
UPDATE dossier SET lateness = 'timestamp' WHERE hash(dossier_id, 1) % 3 = 0;
UPDATE dossier SET certified_copies = CAST(hash(dossier_id, 2) % 5 AS INTEGER) WHERE hash(dossier_id, 3) % 2 = 0;
UPDATE dossier SET fee_due = hash(dossier_id, 4) % 2 = 0, rating = 'x' WHERE hash(dossier_id, 5) % 3 = 0;
UPDATE dossier SET field = NULL WHERE hash(dossier_id, 6) % 7 = 0;
UPDATE dossier SET field = 'Đất đai' WHERE hash(dossier_id, 6) % 7 = 1;
UPDATE dossier SET field = 'đất, "đai"' WHERE hash(dossier_id, 6) % 7 = 2;
UPDATE dossier SET due_at = TIMESTAMP '0202-03-05 00:00:00', due_on = DATE '0202-03-05' WHERE hash(dossier_id, 7) % 50 = 0;
UPDATE dossier SET due_at = TIMESTAMP '9999-12-31 23:59:59.999999', due_on = DATE '9999-12-31' WHERE hash(dossier_id, 7) % 50 = 1;
"""


@pytest.fixture(scope="module")
def random_figures(running: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Engine → the database it makes of two random registers: reopenings, extensions, pauses, moves, corrections,
    dossiers that vanish, and odd cells."""
    home = Home(tmp_path_factory.mktemp("ngẫu nhiên"))
    registers.write_all(home.root, registers.exports(29, 600, months=6, lengths=(91, 181), lost=0.1))
    files = take_in(home).files
    made = {}
    for engine in ENGINES:
        made[engine] = tmp_path_factory.mktemp(engine) / "thử.duckdb"
        with pytest.MonkeyPatch.context() as patch, connect(made[engine]) as con:
            patch.setenv("MOTCUA_ENGINE", engine)
            build(con, files)
            con.execute(ODD)
            build_figures(con)
    return made


def test_random_registers(random_figures: dict[str, Path]) -> None:
    assert differing(*random_figures.values()) == set()
    with duckdb.connect(str(random_figures["spark"]), read_only=True) as con:
        found = con.execute("SELECT DISTINCT outcome FROM period_count").fetchall()
    assert {outcome for (outcome,) in found} == {*CONCLUDED, *OPEN, "unclassified"}


# ---- the heart, row by row


@pytest.fixture
def database(random_figures: dict[str, Path], tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """What DuckDB made, to be changed."""
    copy = tmp_path / "a b" / "kho.duckdb"
    copy.parent.mkdir()
    shutil.copyfile(random_figures["duckdb"], copy)
    with duckdb.connect(str(copy)) as con:
        yield con


PLAIN = plain_selects()
HEART = PLAIN["dossier_period"]
ALL = "SELECT * FROM dossier_period"


def test_the_heart(database: duckdb.DuckDBPyConnection) -> None:
    spark.make_table(database, "heart", {"dossier_period": HEART, "heart": ALL})
    assert database.execute("SELECT count(*) > 10000 FROM heart").fetchall() == [(True,)]
    assert unlike(database, "FROM dossier_period", "FROM heart") == 0


# one sign of the statement, as an engine that differs silently would take it
SLIPS = {
    "due on the last day is overdue": ("coalesce(s.extended_due_on, d.due_on) < p.as_of)", "coalesce(s.extended_due_on, d.due_on) <= p.as_of)"),
    "no due date is late": ("IS NULL THEN 'resolved_no_due'", "IS NULL THEN 'resolved_late'"),
    "times compared by their day": ("d.concluded_at > coalesce(s.extended_due_at, d.due_at)", "d.concluded_on > coalesce(s.extended_due_on, d.due_on)"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_of_one_engine_is_seen(slip: str, database: duckdb.DuckDBPyConnection) -> None:
    right, wrong = SLIPS[slip]
    assert right in HEART
    spark.make_table(database, "heart", {"dossier_period": HEART.replace(right, wrong), "heart": ALL})
    assert unlike(database, "FROM dossier_period", "FROM heart") > 0


@pytest.mark.parametrize(
    "change",
    [
        f"UPDATE {COUNTS} SET total = total + 1 WHERE rowid = 10",
        f"ALTER TABLE {COUNTS} ALTER total TYPE INTEGER",
        f"INSERT INTO {COUNTS} SELECT * FROM {COUNTS} WHERE rowid = 0; DELETE FROM {COUNTS} WHERE rowid = 0",
    ],
)
def test_one_cell_type_or_place_that_differs_is_seen(
    change: str, database: duckdb.DuckDBPyConnection, random_figures: dict[str, Path]
) -> None:
    [(path,)] = database.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchall()
    database.execute(change)
    database.close()
    assert differing(Path(path), random_figures["spark"]) == {COUNTS}


# ---- many provinces

GUIDE = PROJECT / "docs/large.md"


@pytest.fixture
def provinces(tmp_path: Path) -> dict[int, Office]:
    """Code → a province with figures: one whose quarter is sealed, and was told of otherwise since; one with units of its
    own."""
    sealed, other = Office(tmp_path / "tỉnh 45"), Office(tmp_path / "tỉnh 44")
    sealed.source('name = "Huyện mẫu"\nknown_at = "exported"')
    sealed.drop("q3.csv", [dossier(), opened(due_at="01/12/2023")])
    assert sealed.night().exit_code == 0
    seal(sealed.home, parse_period("2023-Q3"))
    sealed.drop("sau.csv", [dossier(received_at="06/08/2023", finished_at="07/08/2023")], LATER)
    other.source('name = "Huyện khác"\nunits = "from_file"', "khac")
    other.drop("q3.csv", [dossier(unit=f"Xã {name}") for name in ("Bình 1", "Bình 2", "Bình 2")], key="khac")
    assert [office.night().exit_code for office in (sealed, other)] == [0, 0]
    return {45: sealed, 44: other}


@pytest.mark.usefixtures("running")
def test_a_ministry_counts_what_its_provinces_do(
    provinces: dict[int, Office], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the guide's own code. Of the sealed quarter a province's live figures; its published ones are others."""
    store = tmp_path / "kho"
    code_blocks = re.compile(r"^ *```python\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
    handing, counting = map(dedent, code_blocks.findall(GUIDE.read_text(encoding="utf-8")))
    with duckdb.connect() as con:
        for code, office in provinces.items():
            monkeypatch.setenv("MOTCUA_HOME", str(office.home.root))
            for table in spark.READ:
                (store / table / f"province={code}").mkdir(parents=True)
            exec(handing.replace("/mnt/kho", store.as_posix()).replace("province=45", f"province={code}"), {})
            con.execute(f"ATTACH {quoted(published(office.home).database)} AS p{code} (READ_ONLY)")
        exec(counting.replace("s3a://kho", store.as_posix()), {"spark": spark.running().newSession()})  # ty: ignore[unresolved-attribute]
        con.execute("CREATE TABLE counted AS SELECT * EXCLUDE (seal) FROM p45.live.period_count LIMIT 0")
        con.execute(
            f"INSERT INTO counted BY NAME FROM read_parquet('{store.as_posix()}/period_count/*/*.parquet', hive_types_autocast = false)"
        )
        live = " UNION ALL ".join(f"SELECT * EXCLUDE (seal) FROM p{code}.live.period_count" for code in provinces)
        assert con.execute("SELECT count(DISTINCT unit_id), count(DISTINCT period) > 3 FROM counted").fetchall() == [
            (3, True)
        ]
        assert unlike(con, live, "FROM counted") == 0
        quarter = "FROM {} SEMI JOIN p45.unit USING (unit_id) WHERE period = '2023-Q3'"
        as_sealed = f"SELECT * EXCLUDE (seal) {quarter.format('p45.period_count')}"
        assert unlike(con, as_sealed, quarter.format("counted")) > 0


# ---- Spark elsewhere


def test_over_spark_connect(
    database: duckdb.DuckDBPyConnection, connect_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same over the network, through a folder that both see; it is left empty."""
    shared = tmp_path / "thư mục chung"
    shared.mkdir()
    monkeypatch.setenv("MOTCUA_SPARK", f"sc://127.0.0.1:{connect_port}")
    monkeypatch.setenv("MOTCUA_SPARK_FOLDER", str(shared))
    spark.make_table(database, "again", {"dossier_period": HEART, "again": PLAIN["period_count"]})
    each = (
        database.execute(f"FROM {name} ORDER BY ALL").fetchall()
        for name in ("again", "(SELECT * EXCLUDE (seal) FROM period_count)")
    )
    assert next(each) == next(each)
    assert not list(shared.iterdir())


def test_nothing_is_left_where_spark_fails(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(NoSpark) as caught:
        spark.make_table(
            database, "again", {"dossier_period": HEART, "again": "SELECT no_such_column FROM dossier_period"}
        )
    words = caught.value.render("vi") + caught.value.render("en")
    assert "no_such_column" in words and "MOTCUA_ENGINE" in words and "\n\tat " not in words
    assert [p.name for p in (tmp_path / "a b").iterdir() if p.suffix != ".wal"] == ["kho.duckdb"]
    assert database.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'again'").fetchall() == [(0,)]
