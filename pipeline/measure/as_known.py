"""Table macros of the published file that give what was known by any moment, from `dossier_version` alone.

Each macro is one statement: the very statements that build the tables, asked of the words known then. Under the names of
today's tables stand, as CTEs, those of then; so no relation can be had from two definitions. What the words mean (units,
aliases, procedures) is as it is today, as it is for --as-known. Summaries are not in it.
Not here: the command line's way, which builds a database (night.known_by).
"""

from __future__ import annotations

import duckdb

from pipeline.measure.figures import view_sql
from pipeline.warehouse.sql import question, statement

# A day, however it is written, means its end. What is known is kept on the offices' wall clock: a text with a zone would
# be read as UTC, hours off, and is refused.
MOMENT = """
    SELECT CASE
        WHEN typeof(moment) = 'VARCHAR' AND regexp_matches(CAST(moment AS VARCHAR), ':.*([zZ]|[+-][0-9:]+)\\s*$')
        THEN error('giờ Việt Nam, không ghi múi giờ / Vietnamese time, without a zone: ' || CAST(moment AS VARCHAR))
        ELSE CAST(moment AS TIMESTAMP) + CASE WHEN contains(CAST(moment AS VARCHAR), ':') THEN INTERVAL 0 SECONDS
                                              ELSE INTERVAL '23:59:59.999999' END
    END AS by_then
"""
KNOWN = "known_from <= (SELECT by_then FROM asked) AND (known_to IS NULL OR known_to > (SELECT by_then FROM asked))"
# what was known then, under the names that the statements read; withdrawn since then is nothing
THEN = {
    "asked": MOMENT,
    "file": f"SELECT f.* REPLACE (CAST(NULL AS TIMESTAMP) AS withdrawn_at) FROM file f JOIN file_known USING (file_id) WHERE {KNOWN}",
    "told": "SELECT v.* EXCLUDE (nth, versions, next_file_id) REPLACE (CAST(NULL AS TIMESTAMP) AS known_to), k.position "
    "FROM dossier_version v JOIN (SELECT file_id, known_from, position FROM file_known) k USING (file_id, known_from) "
    f"WHERE {KNOWN}",
}
DOSSIER = ("several", "preferred", "history", "placed", "dossier_unit", "dossier")
PERIODS = (
    "dossier_version",
    "version",
    "dossier_days",
    "unit_told",
    "coverage",
    "gone",
    "dossier_state",
    "period",
    "period_unit",
)
# nothing is stored, and which names files write is told of all of them
AGAIN = {
    "dossier_version": "SELECT * EXCLUDE (position, first_exported_at, first_due_at) FROM placed",
    "unit_told": "SELECT DISTINCT file_id, unit_id FROM dossier_version",
}


def as_known_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Makes them in a database whose tables are there."""
    for name, select in _selects().items():
        con.execute(f"CREATE OR REPLACE MACRO {name}_as_known(moment) AS TABLE {select}")


def _selects() -> dict[str, str]:
    made = {name: question(statement("warehouse", name)) for name in DOSSIER + PERIODS} | AGAIN
    period = {name: question(view_sql(name)) for name in ("dossier_period", "period_count")}
    dossiers = THEN | {name: made[name] for name in DOSSIER}
    periods = dossiers | {name: made[name] for name in PERIODS} | {"dossier_period": period["dossier_period"]}
    counts = periods | {"period_count": period["period_count"]}
    return {
        "dossier": _with(dossiers, "FROM dossier"),
        "dossier_period": _with(periods, "FROM dossier_period"),
        "period_count": _with(counts, "FROM period_count"),
    }


def _with(ctes: dict[str, str], select: str) -> str:
    return "WITH " + ", ".join(f"{name} AS ({sql})" for name, sql in ctes.items()) + " " + select
