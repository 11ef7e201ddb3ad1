"""What is counted when it is asked, counted once for as long as the same periods are asked for again and again.

Not here: the tables (figures.py).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import duckdb

from pipeline.declare.rules import filled
from pipeline.measure.figures import LIVE, live_select, period_count_of

COUNT, FORM, SCORES = "period_count", "form_ii06a", "score_766"
COUNTED_WHEN_ASKED = (COUNT, FORM, SCORES)
PLACES = {"heart": f"{LIVE}.", "own": "temp.", "live": f"{LIVE}.", "main": "main."}


@contextmanager
def laid_aside(con: duckdb.DuckDBPyConnection, periods: Sequence[str]) -> Generator[None]:
    """Meanwhile this connection finds the rows of these periods ready, and none of any other period, in the tables that are
    counted from the dossiers each time they are asked. periods: keys, as Period has them."""
    live = _live_by_ours(con, periods)
    try:
        for name in COUNTED_WHEN_ASKED:
            # one by one: of several periods at once the filter does not reach the dossiers, which takes minutes
            each = [f"(SELECT * FROM {_source(name, period, live)} WHERE period = '{period}')" for period in periods]
            con.execute(f"CREATE TEMP TABLE {name} AS {' UNION ALL '.join(each)}")
        yield
    finally:
        for name in COUNTED_WHEN_ASKED:
            con.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _source(name: str, period: str, live: Sequence[str]) -> str:
    """What is asked for the rows of a period. Of a live one the form follows from period_count, which is laid aside before
    it."""
    if period not in live or name == SCORES:
        return name
    return f"({filled(period_count_of(period) if name == COUNT else live_select(name), PLACES)})"


def _live_by_ours(con: duckdb.DuckDBPyConnection, periods: Sequence[str]) -> list[str]:
    """Those of the periods whose figures are live and by our rules, as this connection asks. Of sealed ones all is stored,
    and other rules have statements of their own (rules.py)."""
    (schema,) = con.execute("SELECT current_schema()").fetchall()[0]
    if schema == LIVE:
        return list(periods)
    sealed = con.execute("SELECT period FROM seal WHERE counts").fetchall()
    return [period for period in periods if (period,) not in sealed] if schema == "main" else []
