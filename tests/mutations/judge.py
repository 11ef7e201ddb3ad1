"""What must hold of any file, however spoiled: an answer in words or an accounting that adds up; nothing personal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from pipeline.declare.sources import Source
from pipeline.errors import InputRefused
from pipeline.settings import Home
from pipeline.warehouse.record import sha256_of
from pipeline.warehouse.versions import FileFacts, conform_file, fingerprint
from tests.mutations.mutate import SECRET, written
from tests.unit.office import TAKEN_AT

SOURCE = Source("so", "so")
HANG_SECONDS = 120  # no file of a few rows takes this long on any machine


@contextmanager
def no_hang() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise AssertionError("it hangs")

    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANG_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judge(home: Home, folder: Path, number: int, way: str) -> str:
    """Conforms the file of a case and checks what came of it: "read" or "refused"."""
    path = written(folder, number, way)
    sha256 = sha256_of(path)
    try:
        with no_hang():
            facts = conform_file(home, path, sha256, path.name, SOURCE, fingerprint(home, b""), TAKEN_AT)
    except InputRefused as error:
        words = error.render("vi") + error.render("en")
        assert error.where and error.exit_code == 2, f"{way} {number}"
        assert SECRET not in words and "Bí Mật" not in words and "001234567890" not in words, f"{way} {number}"
        return "refused"
    finally:
        path.unlink()
    check_accounting(facts, f"{way} {number}")
    return "read"


def check_accounting(facts: FileFacts, case: str) -> None:
    """Every row counted, excluded or rejected, by the numbers and by the rows themselves."""
    told = facts.accepted + facts.reported + sum(facts.excluded.values()) + sum(facts.rejected.values())
    assert facts.rows_in == told, case
    rows = pl.read_parquet(facts.folder / "rows.parquet").select("sheet", "row")
    figures = (
        pl.read_parquet(facts.folder / "reported.parquet")
        .filter(pl.col("role") == "unit")
        .select("sheet", "row")
        .unique()
    )
    aside = pl.read_parquet(facts.folder / "aside.parquet")
    gone = aside.filter(pl.col("verdict") != "notice").select("sheet", "row").unique()
    places = pl.concat([rows, figures, gone])
    assert rows.height == facts.accepted and figures.height == facts.reported, case
    assert places.height == facts.rows_in == places.unique().height, f"{case}: a row in two places, or in none"
    for column in (c for c in aside.columns if aside[c].dtype == pl.String):
        assert not aside[column].str.contains("Bí Mật", literal=True).any(), case
