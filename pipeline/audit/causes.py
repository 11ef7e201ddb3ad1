"""Why a dossier's labels differ between two sides: which file, version, declaration or code made the difference.

Causes are tried in a fixed order, the surest first. Not here: cells (difference.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.audit.sides import AFTER, BEFORE, common_columns
from pipeline.declare.text import Text
from pipeline.warehouse.sql import rows_of

Row = dict[str, Any]
WHERE_FROM = ("source", "file_id", "sheet", "row", "seal")
OF_PERIOD = ("period", "scheme", "kind", "period_from", "period_to", "as_of", "coverage")

CAUSES = {
    "input_file": Text("tệp gốc trong kho không còn như khi chốt", "the archived file is not what was sealed"),
    "later_file": Text("tệp nhận sau", "a file taken in later"),
    "withdrawn_file": Text("tệp đã rút lại", "a file that was withdrawn"),
    "given_again": Text("tệp được nhận lại sau khi rút", "a file given again after it was withdrawn"),
    "dossier_version": Text("bản khác của hồ sơ", "another version of the dossier"),
    "cut_off": Text("ngày chốt khác", "another cut-off"),
    "later_export": Text(
        "tệp xuất sau cho biết trạng thái khác, hoặc không còn hồ sơ",
        "a later export tells another state, or no longer lists it",
    ),
    "summary": Text("bảng tổng hợp khác", "another summary"),
    "return": Text("biểu thu thập khác", "another return"),
    "declaration": Text("khai báo đã đổi", "a changed declaration"),
    "code": Text("chương trình đã đổi", "changed code"),
    "unknown": Text("chưa rõ", "not known"),
}


@dataclass(frozen=True)
class Context:
    """What is known of why two sides may differ. tampered: file_ids whose bytes are not those sealed. declarations,
    code: names of the program's files that are not the same on both sides."""

    tampered: frozenset[int] = frozenset()
    declarations: tuple[str, ...] = ()
    code: tuple[str, ...] = ()

    @property
    def program(self) -> tuple[str, str | None]:
        """The cause where no data is one: what changed in the program, if anything did."""
        if self.declarations:
            return "declaration", ", ".join(self.declarations)
        return ("code", ", ".join(self.code)) if self.code else ("unknown", None)


def changed_dossiers(con: duckdb.DuckDBPyConnection, period: str) -> None:
    """`changed`: keys of the dossiers whose labels or facts differ in the period; `changed_before`, `changed_after`:
    their rows on either side."""
    left_out = (*WHERE_FROM, *OF_PERIOD, "dossier_id", "episode")
    facts = [c for c in common_columns(con, "dossier_period") if c not in left_out]
    before, after = (", ".join(f'{side}."{c}"' for c in facts) for side in ("b", "a"))
    for name in ("changed_before", "changed_after", "changed"):
        con.execute(f"DROP TABLE IF EXISTS memory.main.{name}")
    con.execute(
        f"""CREATE TABLE memory.main.changed AS
            SELECT dossier_id, episode
            FROM (FROM {BEFORE}.dossier_period WHERE period = '{period}') b
            FULL JOIN (FROM {AFTER}.dossier_period WHERE period = '{period}') a USING (dossier_id, episode)
            WHERE a.period IS NULL OR b.period IS NULL OR row({before}) IS DISTINCT FROM row({after})"""
    )
    for schema in (BEFORE, AFTER):
        con.execute(
            f"CREATE TABLE memory.main.changed_{schema} AS SELECT d.* FROM {schema}.dossier_period d "
            f"SEMI JOIN memory.main.changed USING (dossier_id, episode) WHERE d.period = '{period}'"
        )


def causes_of(con: duckdb.DuckDBPyConnection, period: str, context: Context) -> list[Row]:
    """The changed dossiers of a period, each with both sides' labels, where it stands now, and its cause; because_of:
    the file, or the program's files, that made the difference."""
    rows = rows_of(
        con,
        """SELECT dossier_id, episode, coalesce(a.unit_id, b.unit_id) AS unit_id,
                  b.origin AS origin_before, a.origin AS origin_after,
                  b.outcome AS outcome_before, a.outcome AS outcome_after,
                  b.unit_id AS unit_before, a.unit_id AS unit_after, b.as_of AS as_of_before, a.as_of AS as_of_after,
                  b.file_id AS file_before, a.file_id AS file_after, b."row" AS row_before, a."row" AS row_after,
                  coalesce(a.sheet, b.sheet) AS sheet, coalesce(a."row", b."row") AS "row"
           FROM memory.main.changed
           LEFT JOIN memory.main.changed_before b USING (dossier_id, episode)
           LEFT JOIN memory.main.changed_after a USING (dossier_id, episode)
           ORDER BY ALL""",
    )
    before, after = (_files(con, schema) for schema in (BEFORE, AFTER))
    last = max((f for f in after if f not in before and after[f].counts), default=None)
    found = []
    for r in rows:
        cause, because_of = _cause(r, before, after, last, context)
        own = r["file_after"] if r["file_after"] is not None else r["file_before"]
        place = after.get(own) or before.get(own)
        found.append(
            {k: r[k] for k in ("dossier_id", "episode", "unit_id")}
            | {k: r[k] for k in r if k.startswith(("origin_", "outcome_", "unit_"))}
            | {"file": place.name if place else None, "sheet": r["sheet"], "row": r["row"]}
            | {"cause": cause, "because_of": because_of}
        )
    return found


def cause_without_dossiers(
    con: duckdb.DuckDBPyConnection, period: str, unit_id: str, reach: bool, context: Context
) -> tuple[str, str | None]:
    """Why a cell of a unit differs behind which no dossier does: how far the data reaches (reach: it is a cell that says
    so), what summaries tell, or the program."""
    if reach:
        return "cut_off", _new_file(con)
    told = con.execute(
        f"""WITH asked AS (SELECT unit_id FROM {AFTER}.node_of WHERE node = $2),
                 days AS (SELECT period_from, period_to FROM {AFTER}.period WHERE period = $1),
                 b AS (SELECT file_id, unit_id, measure, field, value FROM {BEFORE}.reported, days
                       WHERE counts AND first_day = period_from AND last_day = period_to AND unit_id IN (FROM asked)),
                 a AS (SELECT file_id, unit_id, measure, field, value FROM {AFTER}.reported, days
                       WHERE counts AND first_day = period_from AND last_day = period_to AND unit_id IN (FROM asked))
            SELECT DISTINCT file_id FROM ((FROM a EXCEPT FROM b) UNION (FROM b EXCEPT FROM a)) ORDER BY file_id DESC""",
        [period, unit_id],
    ).fetchall()
    if told:
        files = _files(con, AFTER) | _files(con, BEFORE)
        return "summary", files[told[0][0]].name
    return context.program


def cause_of_return(
    con: duckdb.DuckDBPyConnection, period: str, unit_id: str, return_id: str, context: Context
) -> tuple[str, str | None]:
    """Why what a return tells of a unit or sum differs: the newest file that tells it on one side alone, or the program."""
    columns = "file_id, unit_id, line, measure, value, word, day, qualifier"
    asked = f"period = $1 AND return_id = $3 AND unit_id IN (SELECT unit_id FROM {AFTER}.node_of WHERE node = $2)"
    a, b = (f"SELECT {columns} FROM {schema}.return_value WHERE {asked}" for schema in (AFTER, BEFORE))
    told = con.execute(
        f"SELECT DISTINCT file_id FROM (({a} EXCEPT {b}) UNION ({b} EXCEPT {a})) ORDER BY file_id DESC",
        [period, unit_id, return_id],
    ).fetchall()
    if told:
        files = _files(con, AFTER) | _files(con, BEFORE)
        return "return", files[told[0][0]].name
    return context.program


def _new_file(con: duckdb.DuckDBPyConnection) -> str | None:
    """The newest file that one side knows and the other does not."""
    before, after = (_files(con, schema) for schema in (BEFORE, AFTER))
    new = before.keys() ^ after.keys()
    return (before | after)[max(new)].name if new else None


@dataclass(frozen=True)
class _File:
    name: str
    counts: bool


def _files(con: duckdb.DuckDBPyConnection, schema: str) -> dict[int, _File]:
    rows = con.execute(f"SELECT file_id, source || '/' || name, withdrawn_at IS NULL FROM {schema}.file")
    return {file_id: _File(name, counts) for file_id, name, counts in rows.fetchall()}


def _cause(
    r: Row, before: dict[int, _File], after: dict[int, _File], last: int | None, context: Context
) -> tuple[str, str | None]:
    was, now = r["file_before"], r["file_after"]
    for one in (now, was):
        if one in context.tampered:
            return "input_file", (after.get(one) or before[one]).name
    if now is not None and now not in before:
        return "later_file", after[now].name
    if was is not None and was in after and not after[was].counts and before[was].counts:
        return "withdrawn_file", after[was].name
    if now is not None and now in before and after[now].counts and not before[now].counts:
        return "given_again", after[now].name
    if was is not None and was not in after:  # the other side knows less: read the other way round
        return "later_file", before[was].name
    if was is not None and now is not None and (was, r["row_before"]) != (now, r["row_after"]):
        return "dossier_version", after[now].name
    if r["as_of_before"] != r["as_of_after"] and None not in (was, now):
        return "cut_off", after[last].name if last is not None else None
    if last is not None:
        return "later_export", after[last].name
    return context.program
