"""A table counted by Spark instead of DuckDB: the same statement over the same rows (DESIGN §4.5).

The relations that the statement reads leave the database under construction as Parquet, Spark answers, and what it wrote
comes back as the table: names, types and order of its columns are those that DuckDB gives the statement.
Not here: the statements (figures.py), and which engine counts (settings.engine). pyspark is imported when it is needed.
"""

from __future__ import annotations

import logging
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb

from pipeline import settings
from pipeline.declare.text import Text
from pipeline.errors import NoSpark, WrongUse
from pipeline.warehouse.sql import hex_sql, parquet, quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

READ = ("dossier", "dossier_state", "period_unit")  # what dossier_period is made from
# What a statement's answer depends on, said to every Spark whatever its own settings are: dates and times as they stand,
# and an error where a number does not fit, as in DuckDB.
ANSWERS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}
# A Spark that is started for one question: no page, no catalogue on disk.
STARTED = {"spark.ui.enabled": "false", "spark.sql.catalogImplementation": "in-memory"}
# One on this machine: nobody else on the network sees it.
ALONE = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
SECONDS_TO_ANSWER = 10  # for a Spark Connect server to take a connection
INSTALL = "python -m pip install --require-hashes --no-deps -r requirements-spark.lock"


def make_table(con: duckdb.DuckDBPyConnection, table: str, statements: Mapping[str, str]) -> None:
    """CREATE TABLE … AS SELECT, answered by Spark. statements: name → SELECT, the table's and what it reads, in the order
    in which they rest on each other; they read the relations in READ. Raises NoSpark, WrongUse (a setting)."""
    ready()
    with _exchange(con) as folder:
        for name in READ:
            con.execute(f"COPY ({handed(con, name)}) TO {quoted(folder / f'{name}.parquet')} (FORMAT parquet)")
        with session(folder) as spark:
            answer(spark, folder, statements, table)
        con.execute(f"CREATE TABLE {table} AS {statements[table]} WITH NO DATA")
        parts = sorted((folder / table).glob("part-*.parquet"))  # in the statement's order, one part after the other
        con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM read_parquet({parquet(parts)})")


def handed(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """SELECT of a table as Spark can read it, which has no type for the 128 bits of a key."""
    columns = {name for name, *_ in con.execute(f"DESCRIBE {table}").fetchall()}
    keys = f" REPLACE ({hex_sql('dossier_id')} AS dossier_id)" if "dossier_id" in columns else ""
    return f"SELECT *{keys} FROM {table}"


def ready() -> None:
    """Raises what can be told before any Spark is asked: WrongUse where a setting is wrong, NoSpark where this machine
    lacks something."""
    master = settings.spark_master()
    if settings.spark_folder() is None and not _here(master):
        raise WrongUse(
            Text("Spark chạy trên máy khác cần một thư mục chung.", "A Spark on other machines needs a shared folder."),
            expected=Text(
                "MOTCUA_SPARK_FOLDER: thư mục mà máy này và các máy của Spark cùng thấy dưới một đường dẫn",
                "MOTCUA_SPARK_FOLDER: a folder that this machine and those of Spark see under one path",
            ),
        )
    if find_spec("pyspark") is None:
        raise _not_installed("pyspark")
    if not master.startswith("sc://") and settings.java() is None:
        raise NoSpark(
            Text("Spark cần Java, máy này không có.", "Spark needs Java, which this machine lacks."),
            todo=Text(
                "Cài Java 17 hoặc 21 (Debian: apt install openjdk-17-jre-headless) hoặc đặt JAVA_HOME; hoặc bỏ MOTCUA_ENGINE để DuckDB tính.",
                "Install Java 17 or 21 (Debian: apt install openjdk-17-jre-headless) or set JAVA_HOME; or remove MOTCUA_ENGINE to let DuckDB count.",
            ),
        )


def answer(spark: SparkSession, folder: Path, statements: Mapping[str, str], asked: str) -> None:
    """Gives Spark the relations in the folder and the statements as views, and has it write the one asked for into
    folder/<asked>."""
    for name, value in ANSWERS.items():
        spark.conf.set(name, value)
    for name in READ:
        spark.read.parquet(_place(folder / f"{name}.parquet")).createOrReplaceTempView(name)
    for name, select in statements.items():
        spark.sql(select).createOrReplaceTempView(name)
    spark.table(asked).write.parquet((folder / asked).as_posix())


def _place(path: Path) -> str:
    """A path that Spark does not take for a pattern."""
    return re.sub(r"[][{}*?]", r"\\\g<0>", path.as_posix())


# ---- where rows are handed over


@contextmanager
def _exchange(con: duckdb.DuckDBPyConnection) -> Generator[Path]:
    """A folder for one question, gone afterwards: in the one that is declared, else beside the database."""
    shared = settings.spark_folder()
    if shared:
        folder = shared / f"motcua-{uuid4().hex}"  # whoever runs Spark must be able to write in it: the usual rights
        folder.mkdir()
    else:
        [(file,)] = con.execute(
            "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
        ).fetchall()
        folder = Path(tempfile.mkdtemp(prefix="spark-", dir=Path(file).parent if file else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _here(master: str) -> bool:
    return master.startswith("local")


# ---- sessions


@contextmanager
def session(folder: Path) -> Generator[SparkSession]:
    """A session by the settings: over Spark Connect; of the Spark that this process has already; else of one started for
    this and ended with it, which keeps what it must keep in the folder. Raises NoSpark, WrongUse (a setting)."""
    master = settings.spark_master()
    with _told():
        if master.startswith("sc://"):
            from pyspark.sql.connect.session import SparkSession as Client

            _reach(master)
            client: Any = Client.builder.remote(master).create()
            try:
                yield client
            finally:
                client.stop()
            return
        if found := running():
            yield found.newSession()
        else:
            with _started(master, folder) as own:
                yield own


def running() -> SparkSession | None:
    """The session of the Spark that this process has started already, if there is one."""
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession()


def _reach(address: str) -> None:
    """Whether a Spark Connect server is there: the client itself would try for many minutes."""
    import grpc
    from pyspark.sql.connect.client import DefaultChannelBuilder

    place = DefaultChannelBuilder(address)
    with place.toChannel() as channel:
        try:
            grpc.channel_ready_future(channel).result(SECONDS_TO_ANSWER)
        except grpc.FutureTimeoutError:
            raise NoSpark(
                Text("Không kết nối được máy chủ Spark Connect.", "Cannot reach the Spark Connect server."),
                where=place.endpoint,
                todo=Text("Kiểm tra MOTCUA_SPARK và máy chủ.", "Look at MOTCUA_SPARK and at the server."),
            ) from None


@contextmanager
def _started(master: str, folder: Path) -> Generator[SparkSession]:
    """A Spark of our own with its Java, which both end; what they say goes to a file that goes with the folder."""
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    said = STARTED | ANSWERS | (ALONE | {"spark.local.dir": str(folder)} if _here(master) else {})
    conf = SparkConf(loadDefaults=False).setMaster(master).setAppName("motcua").setAll(list(said.items()))
    if not _here(master):
        settings.free_spark_address()
    interrupt = signal.getsignal(signal.SIGINT)
    with (folder / "spark.log").open("wb") as log:
        try:
            gateway: Any = launch_gateway(conf, {"stdout": log, "stderr": subprocess.STDOUT})
        except PySparkException:
            raise _failed((folder / "spark.log").read_text(encoding="utf-8", errors="replace")) from None
        try:
            with _told():  # a Java that is no more could not say what went wrong
                own = SparkSession(SparkContext(conf=conf, gateway=gateway))
                try:
                    yield own
                finally:
                    own.stop()
        finally:
            gateway.shutdown()
            if gateway.proc:
                gateway.proc.stdin.close()
                gateway.proc.wait()
            SparkContext._gateway = SparkContext._jvm = None  # the next one starts a Java of its own
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, interrupt)  # pyspark's asks a context that is no more


@contextmanager
def _told() -> Generator[None]:
    """Whatever Spark raises meanwhile as an error for people; by itself it says nothing."""
    chatter = logging.getLogger("SQLQueryContextLogger")
    level = chatter.level
    chatter.setLevel(logging.CRITICAL + 1)
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            yield
        except (PySparkException, Py4JError) as error:
            if isinstance(error, ImportError):
                raise
            raise _failed(str(error)) from None
    except ImportError as error:
        raise _not_installed(str(error)[:200]) from None
    finally:
        chatter.setLevel(level)


def _not_installed(what: str) -> NoSpark:
    return NoSpark(
        Text("Chưa cài phần Spark.", "The part for Spark is not installed."),
        found=Text(what, what),
        todo=Text(f"Cài: {INSTALL}", f"Install it: {INSTALL}"),
    )


def _failed(words: str) -> NoSpark:
    """With the line that matters of what Spark says: what it is given holds no personal data (DESIGN §4.15)."""
    if words.startswith("An error occurred while calling"):  # py4j's own first line, the name of a Java object
        words = words.partition("\n: ")[2]
    said = next((line.strip() for line in words.splitlines() if line.strip()), "?")[:300]
    return NoSpark(
        Text("Spark không tính được; số liệu cũ vẫn được giữ.", "Spark could not count; the last figures stay."),
        found=Text(said, said),
        todo=Text(
            "Kiểm tra Java (17 trở lên), bộ nhớ, MOTCUA_SPARK; hoặc bỏ MOTCUA_ENGINE để DuckDB tính.",
            "Look at Java (17 or newer), memory, MOTCUA_SPARK; or remove MOTCUA_ENGINE to let DuckDB count.",
        ),
    )
