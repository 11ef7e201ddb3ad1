"""What the tests leave out: of a night what takes time and tells no figure (`in_full` puts it back), and of long
histories some of their moments (`MOTCUA_THOROUGH=1 python3 -m pipeline test` asks about all of them).

Not here: what Dagster's page and commands in processes of their own do; they run as in an office.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import duckdb
import pytest
from sqlalchemy import Engine, event

from pipeline import night
from pipeline.measure import sealed
from pipeline.warehouse import release
from tests.connection import Connection

Case = TypeVar("Case")
# beside the figures of a night, and made from them: comments and dictionary, macros, other rule sets' views
BESIDE = {
    (module, name): getattr(module, name)
    for module, name in ((release, "describe"), (night, "as_known_macros"), (sealed, "rule_views"))
}
THOROUGH = os.environ.get("MOTCUA_THOROUGH") == "1"
# what .ci/run does itself each time, and what takes long beside a shorter test of the same
thorough = pytest.mark.skipif(not THOROUGH, reason="only with MOTCUA_THOROUGH=1")


def some(cases: Sequence[Case], most: int) -> list[Case]:
    """So many of the cases, from the first to the last at even steps (one: the first); all of them with
    MOTCUA_THOROUGH=1."""
    last = len(cases) - 1
    if THOROUGH or most > last:
        return list(cases)
    return [cases[round(n * last / max(1, most - 1))] for n in range(most)]


connect = duckdb.connect
statements: dict[str, Any] = {}  # as DuckDB understood them
MOST_STATEMENTS = 1000


class _Understood(Connection):
    """A connection that takes a statement apart once in a process. Nights say the same each time, and to take it apart is
    a seventh of a small one."""

    def __enter__(self) -> _Understood:
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()

    def execute(self, sql: str, *values: Any) -> duckdb.DuckDBPyConnection:
        if sql not in statements:
            if len(statements) == MOST_STATEMENTS:
                statements.clear()
            parts = self._con.extract_statements(sql)
            statements[sql] = parts[0] if len(parts) == 1 else sql
        return self._con.execute(statements[sql], *values)


def _quick_connect(*named: Any, **how: Any) -> Any:
    """As many workers as cores ask: sharing small questions out among threads is a tenth of what the tests take."""
    con = connect(*named, **how)
    con.execute("SET threads = 1")
    return _Understood(con)


class _WithoutComments(Connection):
    """A connection that does all but write comments on tables and columns."""

    def execute(self, sql: str, *values: Any) -> Any:
        return None if sql.startswith("COMMENT ON ") else self._con.execute(sql, *values)


def leave_out() -> None:
    """For all tests of this process: what stands beside the figures, but for the dictionary, and waiting for the disk."""
    describe = BESIDE[release, "describe"]
    release.describe = lambda con, *told: describe(_WithoutComments(con), *told)
    night.as_known_macros = sealed.rule_views = lambda *_: None
    if not THOROUGH:
        duckdb.connect = _quick_connect
    # What a test wrote need not survive a power cut: waiting for the disk is most of what small files and runs cost.
    os.fsync = lambda _: None
    event.listen(Engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))


@contextmanager
def in_full() -> Iterator[None]:
    """Databases made meanwhile are as those of an office: with comments on all tables and columns, macros, and the views of
    other rule sets.

    They are the same in every database and take a third of a small night: the sample has them, and what asks for them."""
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), made in BESIDE.items():
            patch.setattr(module, name, made)
        yield


@contextmanager
def figures_alone() -> Iterator[None]:
    """Databases made meanwhile have nothing beside their figures, no dictionary either, without which no command reads
    them: where nobody asks but for figures."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in BESIDE:
            patch.setattr(module, name, lambda *_: None)
        yield


def lay_aside(con: duckdb.DuckDBPyConnection, schema: str) -> None:
    """The views that answers ask for each period, as tables of this connection, which its questions find first. To plan
    a view takes longer than to ask it: for many periods that is a third of what the answers cost."""
    for name in ("period_coverage", "unit_count", "reported_figure", "indicator_value"):
        con.execute(f"CREATE TEMP TABLE {name} AS FROM {schema}.{name}")
