"""The rows of a printed form: of each unit or field, of each section, of all; summed in SQL from the published tables.

A form with a table of its own is read from it; the others are counted from `period_count` by their columns' predicates,
and for units of which summaries alone tell they follow from form II.06a and `reported_figure`. Not here: writing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.declare.forms import Column, Form, Section, sections_on
from pipeline.declare.periods import Period
from pipeline.measure.sums import counts_sql
from pipeline.warehouse.sql import rows_of

Row = dict[str, Any]
Figure = int | tuple[int, int] | None  # a count; numerator and denominator of a rate; not known


@dataclass(frozen=True)
class Line:
    """A row of a form. kind: total | section | unit | field | undivided (what a summary does not tell by field). field:
    null where it is not known. figures: column → figure, all null where there is no data."""

    kind: str
    section: Section | None
    unit_id: str | None
    field: str | None
    has_data: bool
    figures: dict[str, Figure]


def lines_of(
    con: duckdb.DuckDBPyConnection, form: Form, period: Period, leaves: dict[str, Row], by: str, top: str
) -> list[Line]:
    """The rows of a form as printed: each section with its units or fields, and the total last.

    leaves: unit_id → row (kind, coverage) of the units of the form, none of them a sum of others. by: unit | field.
    top: unit_id of the whole, of which hand-kept figures are told; all others are summed over the leaves.
    """
    sections = sections_on(period.end)
    place = {u: next(n for n, s in enumerate(sections) if r["kind"] in s.kinds) for u, r in leaves.items()}
    held = {u: place[u] for u, r in leaves.items() if r["coverage"] != "no_data" or form.by_hand}
    sums = _told(con, form, period, held, top) if form.by_hand else _sums(con, form, period, held)
    lines = []
    for n, section in enumerate(sections):
        units = [u for u in leaves if place[u] == n]
        told = [u for u in units if u in held]
        if not units:
            continue
        lines.append(_line(form, "section", section, sums.get((n, None)), bool(told)))
        if by == "unit":
            lines += [_line(form, "unit", section, sums.get((n, u)), u in held, unit_id=u) for u in units]
        else:
            fields = _fields(con, form, period, told)
            lines += [
                _line(form, "undivided" if r["undivided"] else "field", section, r, True, field=r["field"])
                for r in fields
            ]
    return [*lines, _line(form, "total", None, sums.get((None, None)), bool(held))]


def _line(
    form: Form,
    kind: str,
    section: Section | None,
    row: Row | None,
    has_data: bool,
    unit_id: str | None = None,
    field: str | None = None,
) -> Line:
    """Where units are covered and nothing arose, no row tells of them: what registers count is 0."""
    nothing: dict[str, Figure] = {
        name: (0, 0) if column.rate else 0 if column.where else None for name, column in form.columns.items()
    }
    figures = {c: row[c] for c in form.columns} if row else nothing
    return Line(kind, section, unit_id, field, has_data, figures if has_data else dict.fromkeys(form.columns))


def _sums(
    con: duckdb.DuckDBPyConnection, form: Form, period: Period, section_of: dict[str, int]
) -> dict[tuple[int | None, str | None], Row]:
    """(section, unit_id) → figures; of a section without unit, of all without either."""
    asked = "(SELECT unnest($2::VARCHAR[]) AS unit_id, unnest($3::INTEGER[]) AS section)"
    sets = "GROUP BY GROUPING SETS ((section, unit_id), (section), ())"
    values = [period.key, [*section_of], [*section_of.values()]]
    rows = rows_of(
        con,
        f"SELECT section, unit_id, {_summed(form)} FROM ({_own_sql(form)}) JOIN {asked} USING (unit_id) "
        f"WHERE \"by\" = 'unit' {sets}",
        values,
    )
    found = {(r["section"], r["unit_id"]): r for r in rows}
    for name, column in form.columns.items():
        if column.rate:
            ratios = con.execute(
                f"""SELECT section, unit_id, coalesce(sum(numerator), 0)::BIGINT, coalesce(sum(denominator), 0)::BIGINT,
                           count(unknown) < count(*) OR sum(unknown) > 0
                    FROM indicator_value JOIN {asked} USING (unit_id) WHERE period = $1 AND indicator = $4 {sets}""",
                [*values, column.rate],
            ).fetchall()
            # nothing to divide by, and not because nothing arose: then it is not known
            told = {(section, unit_id): None if d == 0 and some else (n, d) for section, unit_id, n, d, some in ratios}
            found = {key: row | {name: told.get(key, (0, 0))} for key, row in found.items()}
    return found


def _told(
    con: duckdb.DuckDBPyConnection, form: Form, period: Period, section_of: dict[str, int], top: str
) -> dict[tuple[int | None, str | None], Row]:
    """(section, unit_id) → hand-kept figures, of the whole without either."""
    columns = ", ".join(_hand_kept(column) for column in form.columns.values())
    rows = rows_of(
        con,
        f"SELECT unit_id, {columns} FROM return_figure WHERE period = $1 AND list_contains($2, unit_id) GROUP BY unit_id",
        [period.key, [top, *section_of]],
    )
    found: dict[tuple[int | None, str | None], Row] = {}
    for row in rows:
        if row["unit_id"] in section_of:
            found[section_of[row["unit_id"]], row["unit_id"]] = row
        if row["unit_id"] == top:
            found[None, None] = row
    return found


def _hand_kept(column: Column) -> str:
    if not column.told:
        return f"NULL::BIGINT AS {column.name}"
    return_id, line, measure = column.told
    where = f"return_id = '{return_id}' AND line = '{line}' AND measure = '{measure}'"
    return f"max(value) FILTER (WHERE {where})::BIGINT AS {column.name}"


def _fields(con: duckdb.DuckDBPyConnection, form: Form, period: Period, units: list[str]) -> list[Row]:
    """A row per field, the largest first; and one of the units of which no field is told."""
    first = next(iter(form.columns))
    return rows_of(
        con,
        f"""WITH own AS (SELECT * FROM ({_own_sql(form)}) WHERE list_contains($2, unit_id)),
                 divided AS (SELECT unit_id FROM own WHERE "by" = 'field')
            SELECT field, undivided, {_summed(form)} FROM (
                SELECT *, FALSE AS undivided FROM own WHERE "by" = 'field' UNION ALL
                SELECT *, TRUE FROM own WHERE "by" = 'unit' AND unit_id NOT IN (SELECT unit_id FROM divided)
            ) GROUP BY field, undivided ORDER BY undivided, field IS NULL, {first} DESC NULLS LAST, field""",
        [period.key, units],
    )


def _summed(form: Form) -> str:
    """Sums over rows; what is unknown in one of them is unknown in sum."""
    return ", ".join(
        f"CASE WHEN count({c}) = count(*) THEN coalesce(sum({c}), 0)::BIGINT END AS {c}" for c in _counts(form)
    )


def _counts(form: Form) -> list[str]:
    return [name for name, column in form.columns.items() if not column.rate]


def _own_sql(form: Form) -> str:
    """unit_id, by, field and the counts of a period ($1), a row per unit and a row per unit and field."""
    names = _counts(form)
    if form.table:
        return f'SELECT unit_id, "by", field, {", ".join(names)} FROM {form.table} WHERE period = $1'
    registers = ", ".join(_counted(form.columns[c]) for c in names)
    told = ", ".join(f"{_filled(form.columns[c].fill)}::BIGINT AS {c}" for c in names)
    return f"""
        SELECT unit_id, 'unit' AS "by", NULL::VARCHAR AS field, {registers}
        FROM period_count WHERE period = $1 GROUP BY unit_id
        UNION ALL
        SELECT unit_id, 'field', field, {registers} FROM period_count WHERE period = $1 GROUP BY unit_id, field
        UNION ALL
        SELECT unit_id, 'unit', NULL, {told} FROM (SELECT * FROM reported_figure WHERE period = $1)
        JOIN (SELECT * FROM form_ii06a WHERE period = $1 AND "by" = 'unit') ii06a USING (unit_id)"""


def _counted(column: Column) -> str:
    """The count of one column; where exports may not tell of a dossier, null if they tell of none."""
    if not column.where:
        return f"NULL::BIGINT AS {column.name}"
    if not column.of:
        return counts_sql({column.name: column.where})
    among = f"sum(n) FILTER (WHERE {column.of}"
    return (
        f"CASE WHEN coalesce({among}), 0) = 0 OR {among} AND ({column.where}) IS NOT NULL) > 0 "
        f"THEN coalesce({among} AND {column.where}), 0)::BIGINT END AS {column.name}"
    )


def _filled(ways: tuple[str, ...]) -> str:
    return f"coalesce({', '.join(ways)})" if ways else "NULL"
