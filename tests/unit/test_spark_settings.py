"""Spark as an engine: settings that are wrong, and what a machine lacks, are told in words of two languages.

Not here: that it counts the same (tests/flow/test_engines.py).
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline import settings
from pipeline.errors import MotcuaError, WrongUse
from pipeline.measure import spark
from pipeline.settings import Home
from tests.unit.office import Office, dossier


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOTCUA_ENGINE", "MOTCUA_SPARK", "MOTCUA_SPARK_FOLDER"):
        monkeypatch.delenv(name, raising=False)


def fails(con: duckdb.DuckDBPyConnection) -> str:
    """What is said in both languages, from a database without dossiers."""
    for name in spark.READ:
        con.execute(f"CREATE TABLE {name} AS SELECT 1 AS a")
    with pytest.raises(MotcuaError) as caught:
        spark.make_table(con, "b", {"b": "SELECT a FROM dossier"})
    return caught.value.render("vi") + "\n" + caught.value.render("en")


@pytest.mark.parametrize(
    ("name", "value", "asked"),
    [
        ("MOTCUA_ENGINE", "polars", settings.engine),
        ("MOTCUA_ENGINE", "Spark", settings.engine),
        ("MOTCUA_SPARK", "local[0]", settings.spark_master),
        ("MOTCUA_SPARK", "may-chu:7077", settings.spark_master),
        ("MOTCUA_SPARK_FOLDER", "/no/such/folder", settings.spark_folder),
    ],
)
def test_a_wrong_setting_is_named(
    name: str, value: str, asked: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongUse) as caught:
        asked()
    assert all(name in caught.value.render(lang) and value in caught.value.render(lang) for lang in ("vi", "en"))


def test_settings_that_are_right(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (settings.engine(), settings.spark_master(), settings.spark_folder()) == ("duckdb", "local[*]", None)
    for master in (
        "local",
        "local[4]",
        "yarn",
        "spark://may:7077",
        "k8s://https://may:6443",
        "sc://may:15002/;token=x",
    ):
        monkeypatch.setenv("MOTCUA_SPARK", master)
        assert settings.spark_master() == master
    monkeypatch.setenv("MOTCUA_SPARK_FOLDER", str(tmp_path))
    assert settings.spark_folder() == tmp_path


def test_a_spark_elsewhere_needs_a_shared_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_SPARK", "spark://may-chu:7077")
    assert "MOTCUA_SPARK_FOLDER" in fails(duckdb.connect())


def test_without_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pyspark: str) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "openjdk-17" in fails(duckdb.connect())


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for Java")
def test_with_a_java_that_is_too_old(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pyspark: str) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'UnsupportedClassVersionError: class file version 61.0' >&2\nexit 1\n")
    java.chmod(java.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr(spark, "running", lambda: None)
    said = fails(duckdb.connect())
    assert "class file version 61.0" in said and "Java (17" in said


def test_without_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] in ("pyspark", "py4j")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    assert "requirements-spark.lock" in fails(duckdb.connect())


def test_a_spark_connect_server_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pyspark: str
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, and nobody listens
        monkeypatch.setenv("MOTCUA_SPARK", f"sc://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.setenv("MOTCUA_SPARK_FOLDER", str(tmp_path))
        monkeypatch.setattr(spark, "SECONDS_TO_ANSWER", 0.5)
        assert str(closed.getsockname()[1]) in fails(duckdb.connect())
    assert not list(tmp_path.iterdir())


def test_motcua_run_tells_it(motcua: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends with words and publishes nothing; without the setting the same files are published."""
    office = Office(tmp_path)
    office.drop("a.csv", [dossier()])
    monkeypatch.setenv("MOTCUA_ENGINE", "sparkk")
    said = motcua(office.home, "run")
    assert said.code == 2 and "MOTCUA_ENGINE" in said.all and "sparkk" in said.all
    assert not office.home.pointer.exists() and not list(office.home.releases.glob("building-*"))
    monkeypatch.setenv("MOTCUA_ENGINE", "duckdb")
    assert office.night().changed


def test_doctor_tells_which_engine_counts_and_what_it_lacks(
    motcua: Callable[..., Any], home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.raw.mkdir(parents=True, exist_ok=True)
    assert "duckdb" in engine_row(motcua(home, "doctor", "--format", "json").out)
    monkeypatch.setenv("MOTCUA_ENGINE", "spark")
    monkeypatch.setenv("MOTCUA_SPARK", "sc://may-chu")
    said = motcua(home, "doctor", "--format", "json")
    assert said.code == 3 and "MOTCUA_SPARK_FOLDER" in engine_row(said.out)


def engine_row(out: str) -> str:
    [row] = [row for row in json.loads(out) if row["check"] == "Bộ máy tính số liệu"]
    return row["detail"]
