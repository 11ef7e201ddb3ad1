"""What is counted when it is asked, counted once for as long as the same periods are asked for again and again.

Not here: the tables (figures.py).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import duckdb

COUNTED_WHEN_ASKED = ("period_count", "form_ii06a", "score_766")


@contextmanager
def laid_aside(con: duckdb.DuckDBPyConnection, periods: Sequence[str]) -> Generator[None]:
    """Meanwhile this connection finds the rows of these periods ready, and none of any other period, in the tables that are
    counted from the dossiers each time they are asked. periods: keys, as Period has them."""
    try:
        for name in COUNTED_WHEN_ASKED:
            # one by one: of several periods at once the filter does not reach the dossiers, which takes minutes
            each = " UNION ALL ".join(f"SELECT * FROM {name} WHERE period = '{period}'" for period in periods)
            con.execute(f"CREATE TEMP TABLE {name} AS {each}")
        yield
    finally:
        for name in COUNTED_WHEN_ASKED:
            con.execute(f"DROP TABLE IF EXISTS temp.{name}")
