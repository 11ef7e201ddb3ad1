"""How much memory and how many threads a build takes: of the machine, of a container, as the office says.

Not here: what the machine has (DuckDB reads it).
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.errors import NotEnoughRoom, WrongUse
from pipeline.warehouse.build import connect
from pipeline.warehouse.room import MOST, bytes_of, in_room, take_room, threads_in

KIB, MIB, GIB = 1024, 1024**2, 1024**3

# as DuckDB writes an amount → bytes
AMOUNTS = {
    "0 bytes": 0,
    "100 bytes": 100,
    "1.0 KiB": KIB,
    "512.0 MiB": 512 * MIB,
    "2.0 GiB": 2 * GIB,
    "1.5 GiB": 1536 * MIB,
    "2.0 TiB": 2048 * GIB,
}

# limit, cores → threads
THREADS = [
    (2 * GIB, 2, 2),
    (2 * GIB, 64, 8),  # a big machine's cores do not fit into 2 GB
    (512 * MIB, 4, 2),
    (100 * MIB, 4, 1),
    (16 * GIB, 64, 64),
]


@pytest.mark.parametrize(("words", "amount"), AMOUNTS.items(), ids=AMOUNTS)
def test_an_amount_as_duckdb_writes_it(words: str, amount: int) -> None:
    assert bytes_of(words) == amount


@pytest.mark.parametrize("words", ["1 byte", "100 bytes", "700.0 KiB", "5.0 MiB", "3.0 GiB"])
def test_duckdb_writes_it_so(words: str) -> None:
    told = duckdb.connect().execute("SELECT format_bytes(?::BIGINT)", [bytes_of(words)]).fetchall()
    assert told == [(words,)]


@pytest.mark.parametrize(("limit", "cores", "threads"), THREADS)
def test_threads_need_memory(limit: int, cores: int, threads: int) -> None:
    assert threads_in(limit, cores) == threads


def room(folder: Path) -> tuple[int, int, str]:
    """Memory limit, threads, spill folder of a build in a folder."""
    con = connect(folder / "built.duckdb")
    try:
        memory, threads, spill = con.execute(
            "SELECT current_setting('memory_limit'), current_setting('threads')::INTEGER, current_setting('temp_directory')"
        ).fetchall()[0]
    finally:
        con.close()
    return bytes_of(memory), threads, spill


def test_half_of_the_machine_and_not_more_than_is_of_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOTCUA_MEMORY_LIMIT", raising=False)
    con = duckdb.connect()
    cores = con.execute("SELECT current_setting('threads')::INTEGER").fetchall()[0][0]
    con.execute("SET memory_limit = '50%'")
    half = bytes_of(con.execute("SELECT current_setting('memory_limit')").fetchall()[0][0])
    memory, threads, spill = room(tmp_path)
    assert memory == min(half, MOST) and 1 <= threads <= cores and Path(spill) == tmp_path / "spill"


# rows of the files → bytes of a machine that has enough
ROWS = [(0, MOST), (10_000_000, MOST), (50_000_000, MOST), (100_000_000, 4_000_000_000)]


@pytest.mark.parametrize(("rows", "most"), ROWS)
def test_a_hundred_million_rows_take_more(rows: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOTCUA_MEMORY_LIMIT", raising=False)
    monkeypatch.setattr("pipeline.warehouse.room.SHARE", "64GB")
    con = duckdb.connect()
    take_room(con, Path("spill"), rows)
    assert con.execute("SELECT current_setting('memory_limit') = format_bytes($1)", [most]).fetchall() == [(True,)]


@pytest.mark.parametrize(("told", "memory"), [("300MiB", 300 * MIB), ("1.5GiB", 1536 * MIB), ("4GiB", 4 * GIB)])
def test_the_office_decides(told: str, memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_MEMORY_LIMIT", told)
    assert room(tmp_path)[0] == memory


@pytest.mark.parametrize("told", ["nhiều", "GB", "2 con mèo", "1'; DROP TABLE x; --"])
def test_what_is_no_amount_is_named(told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_MEMORY_LIMIT", told)
    with pytest.raises(WrongUse, match="MOTCUA_MEMORY_LIMIT"):
        connect(tmp_path / "built.duckdb")


def test_too_little_room_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it needs: a build that ends for lack of memory, whatever statement it was."""
    monkeypatch.setenv("MOTCUA_MEMORY_LIMIT", "20MiB")
    con = connect(tmp_path / "built.duckdb")
    con.execute("SET max_temp_directory_size = '1MB'")
    with pytest.raises(NotEnoughRoom, match="MOTCUA_MEMORY_LIMIT"), in_room():
        con.execute("SELECT i % 9999999, list(i) FROM range(20_000_000) t(i) GROUP BY ALL").fetchall()
