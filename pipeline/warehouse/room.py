"""How much of the machine a build takes: memory, threads, and the folder where it lays down what does not fit;
and when a run waits for the disk.

DuckDB itself reads what there is, a container's limits included, on every system. Not here: the environment (settings).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipeline import settings
from pipeline.declare.text import Text
from pipeline.errors import NotEnoughRoom
from pipeline.warehouse.sql import quoted

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
# The other half is for the rest of the office's work. More than MOST saves no time with ten million dossiers (measured,
# docs/decisions.md), and leaves room for Python and the reading of files within 3 GB (DESIGN §8).
SHARE, MOST = "50%", 2 * 1024**3
# Of more rows than that allows for: where rows are taken out of a table, each 2,048 of which one goes hold 8 bytes a row in
# memory as long as the file is open, table by table, and joins need some to work in. Tried with a hundred million.
PER_ROW = 40
PER_THREAD = 256 * 1024**2  # DuckDB's guide asks for at least 125 MB a thread


def take_room(con: duckdb.DuckDBPyConnection, spill: Path, rows: int = 0) -> None:
    """Sets memory limit, threads and spill folder of a connection. rows: of the files that are built from. Raises
    WrongUse where MOTCUA_MEMORY_LIMIT is no amount of memory."""
    told = settings.memory_limit()
    try:
        con.execute(f"SET memory_limit = '{(told or SHARE).replace(chr(39), '')}'")
    except duckdb.Error as error:
        raise settings.wrong("MOTCUA_MEMORY_LIMIT", str(told), Text("2GB, 40%", "2GB, 40%")) from error
    limit = _limit(con)
    if not told and limit > (most := max(MOST, PER_ROW * rows)):
        con.execute(f"SET memory_limit = '{most}B'")
        limit = most
    threads = con.execute("SELECT CAST(current_setting('threads') AS INTEGER)").fetchall()[0][0]
    con.execute(f"SET threads = {threads_in(limit, threads)}")
    con.execute(f"SET temp_directory = {quoted(spill)}")


@contextmanager
def in_room() -> Generator[None]:
    """What is computed within the room that was taken. Raises NotEnoughRoom."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise NotEnoughRoom(
            Text(
                "Không đủ bộ nhớ, hoặc không đủ đĩa cho dữ liệu tạm. Số liệu đã công bố không thay đổi.",
                "Not enough memory, or disk for temporary data. Published figures are unchanged.",
            ),
            todo=Text(
                "Chừa chỗ trống trên đĩa; cho phép dùng thêm bộ nhớ: đặt biến MOTCUA_MEMORY_LIMIT, như 4GB.",
                "Free some disk; allow more memory: set the variable MOTCUA_MEMORY_LIMIT, as in 4GB.",
            ),
        ) from error


@contextmanager
def small_statements(con: duckdb.DuckDBPyConnection) -> Generator[None]:
    """For very many statements that do next to nothing: each on one thread and as it is written, which takes half the time
    that sharing it out and looking for a better way does."""
    threads = con.execute("SELECT current_setting('threads')").fetchall()[0][0]
    con.execute("SET threads = 1; PRAGMA disable_optimizer")
    try:
        yield
    finally:
        con.execute(f"SET threads = {threads}; PRAGMA enable_optimizer")


def threads_in(limit: int, cores: int) -> int:
    """How many threads work within a memory limit (bytes): those of the machine, unless they were too many for it."""
    return max(1, min(cores, limit // PER_THREAD))


def bytes_of(words: str) -> int:
    """An amount of memory as DuckDB writes it ("18.8 GiB", "512.0 MiB", "100 bytes") in bytes."""
    number, unit = words.split()
    return int(float(number) * 1024 ** UNITS.index("B" if unit.startswith("byte") else unit))


def _limit(con: duckdb.DuckDBPyConnection) -> int:
    return bytes_of(con.execute("SELECT current_setting('memory_limit')").fetchall()[0][0])


def log_first(con: sqlite3.Connection) -> None:
    """A SQLite file whose answers do not wait for the disk: its log does when it is written back, at the latest when the
    file is closed. A power cut before may take the last words, and leaves the file whole."""
    con.execute("PRAGMA journal_mode = WAL")
    con.execute("PRAGMA synchronous = NORMAL")
