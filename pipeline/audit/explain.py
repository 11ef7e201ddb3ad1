"""A figure explained: what it means and rests on, its numbers as published, its SQL, labels and files; and its list.

Reads the published file alone. Not here: printing (tell.py).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from pipeline.audit.rows import REPORTED, Cell, Told, behind_sql, figure_sql, list_sql
from pipeline.audit.told import told_of
from pipeline.declare.definitions import OF_A_COLUMN, SCORE, Figure, labels_of
from pipeline.declare.figures import labels
from pipeline.declare.periods import Period
from pipeline.declare.text import Text, fold
from pipeline.errors import WrongUse
from pipeline.measure import answers
from pipeline.measure.trends import units_of_today
from pipeline.settings import Home
from pipeline.warehouse.sql import hex_sql, parquet, rows_of

Row = dict[str, Any]
NUMBERS = ("numerator", "denominator", "unknown", "value", "operator", "threshold", "verdict", "near", "needed")
NOT_KNOWN = ("", "-", "–", "?")  # how people write the field that is not known


@dataclass(frozen=True)
class Explained:
    """frame: the unit's row (cut-off, coverage, what is missing, basis). numbers: as published. adds_up: whether the
    rows behind the figure give these numbers again; null where there is no data."""

    figure: Figure
    period: Period
    cell: Cell
    frame: Row
    numbers: Row
    threshold: Row | None
    sql: str | None
    labels: list[Row]
    files: list[Row]
    reported: list[Row]
    adds_up: bool | None
    told: list[Told] = field(repr=False)


def explain(
    con: duckdb.DuckDBPyConnection,
    figure: Figure,
    period: Period,
    unit: str | None = None,
    of_field: str | None = None,
    today: bool = False,
) -> Explained:
    """The figure of a unit or sum of units (all of them without `unit`), of one field where one is named.
    today: on today's tree. Raises WrongUse."""
    cell, frame = cell_of(con, figure, period, unit, of_field, today)
    if frame["coverage"] == "no_data":
        numbers = dict.fromkeys(NUMBERS) | {"verdict": "no_data", "near": False}
        return Explained(figure, period, cell, frame, numbers, None, None, [], [], [], None, [])
    told = told_of(con, figure, cell)
    sql = figure_sql(figure, cell, told)
    numbers = dict.fromkeys(NUMBERS) | {"verdict": "no_target", "near": False}
    numbers |= _published(con, figure, period, cell, frame, sql)
    files, sums = _files(con, figure, cell, told)
    shown = reported_behind(con, figure, cell, told)
    return Explained(
        *(figure, period, cell, frame, numbers, _threshold(con, figure, cell), sql),
        *(_labels(con, figure, cell), files, shown, _adds_up(figure, numbers, sums), told),
    )


# ---- which cell


def cell_of(
    con: duckdb.DuckDBPyConnection, figure: Figure, period: Period, unit: str | None, of_field: str | None, today: bool
) -> tuple[Cell, Row]:
    """Where the figure stands that is asked for, and the row of its unit. Raises WrongUse."""
    if today and (figure.table != "stats" or of_field is not None):
        raise WrongUse(
            Text(
                "Theo đơn vị hiện nay chỉ có số của motcua stats.", "On today's tree there are counts of stats alone."
            ),
            expected=Text("--tree new với total, resolved_late …", "--tree new with total, resolved_late …"),
        )
    unit_id, frame = _unit(con, period, unit, today)
    named = () if of_field is None else (_field(con, of_field, period),)
    cell = Cell(period.key, period.start, period.end, unit_id, bool(named), named[0] if named else None, today)
    return cell, frame


def _unit(con: duckdb.DuckDBPyConnection, period: Period, unit: str | None, today: bool) -> tuple[str, Row]:
    found = _today(con, period) if today else answers.nodes(con, period)
    if found and not today:  # sums above the one that holds all units are published too
        found = found | {k: r for k, r in _covered(con, period).items() if k not in found}
    if not found:
        raise WrongUse(Text("Chưa có số liệu của đơn vị nào.", "There are no data of any unit yet."))
    if unit is None:  # the lowest sum that holds all units
        return next(iter(found.items()))
    # a key is one unit, though a code may be that of a district and of its counter
    chosen = {unit: found[unit]} if unit in found else answers.choose(found, unit)
    if len(chosen) > 1:
        names = "; ".join(f"{unit_id} ({row['unit']})" for unit_id, row in chosen.items())
        raise WrongUse(
            Text(f"“{unit[:40]}” chỉ nhiều đơn vị.", f"“{unit[:40]}” means several units."),
            expected=Text(f"một khóa: {names}", f"one key: {names}"),
        )
    return next(iter(chosen.items()))


def _today(con: duckdb.DuckDBPyConnection, period: Period) -> dict[str, Row]:
    told = {r["unit_id"]: r for r in rows_of(con, "SELECT * FROM trend_count WHERE period = ?", [period.key])}
    nothing = {"as_of": None, "coverage": "no_data", "basis": None}
    return {
        r["unit_id"]: r
        | {k: told.get(r["unit_id"], nothing)[k] for k in nothing}
        | {"missing_vi": None, "missing_en": None, "seal": None}
        for r in units_of_today(con)
    }


def _covered(con: duckdb.DuckDBPyConnection, period: Period) -> dict[str, Row]:
    rows = rows_of(
        con,
        """SELECT u.unit_id, u.unit_code, u.unit, u.kind, p.as_of, p.coverage, p.missing_vi, p.missing_en, p.basis, p.seal, 'group' AS level
           FROM period_coverage p JOIN unit u USING (unit_id) WHERE p.period = ? ORDER BY u.sort""",
        [period.key],
    )
    return {r["unit_id"]: r for r in rows}


def _field(con: duckdb.DuckDBPyConnection, words: str, period: Period) -> str | None:
    if words.strip() in NOT_KNOWN:
        return None
    rows = con.execute(
        "SELECT field FROM dossier UNION SELECT field FROM form_ii06a WHERE period = ? ORDER BY 1", [period.key]
    ).fetchall()
    known = {fold(name): name for (name,) in rows if name is not None}
    if fold(words) in known:
        return known[fold(words)]
    near = difflib.get_close_matches(fold(words), known, n=3, cutoff=0.4) or list(known)[:3]
    names = "; ".join(known[n] for n in near) or "–"
    raise WrongUse(
        Text(f"Không có lĩnh vực “{words[:40]}” trong số liệu.", f"No field “{words[:40]}” in the data."),
        expected=Text(f"ví dụ: {names}; không rõ lĩnh vực: --field -", f"e.g. {names}; field not known: --field -"),
    )


# ---- its numbers


def _published(con: duckdb.DuckDBPyConnection, figure: Figure, period: Period, cell: Cell, frame: Row, sql: str) -> Row:
    """Numbers from the published tables. Of one field only the form's are published, and of what summaries report only
    what one does report: others are asked of the SQL."""
    if cell.today:
        found = rows_of(
            con,
            f"SELECT {figure.code} AS value FROM trend_count WHERE period = ? AND unit_id = ?",
            [cell.period, cell.unit_id],
        )[0]["value"]
    elif figure.table == "ii06a":
        found = con.execute(
            f"""SELECT CASE WHEN count({figure.code}) = count(*) THEN coalesce(sum({figure.code}), 0)::BIGINT END
                FROM form_ii06a JOIN node_of USING (unit_id) WHERE "by" = ? AND {cell.where}""",
            ["field" if cell.of_field else "unit"],
        ).fetchall()[0][0]
    elif cell.of_field or figure.table == "reconciliation":
        numbers = {"numerator": None, "denominator": None, "unknown": 0} | rows_of(con, sql)[0]
        exact = _ratio(numbers) if numbers["denominator"] is not None else numbers["numerator"]
        return {"value": exact} | numbers
    elif figure.table == "stats":
        found = answers.by_unit(con, period, {cell.unit_id: frame}, "vi")[0][figure.code]
    elif figure.table == "scores":
        numbers = _of_score(con, figure, cell)
        return {"value": _ratio(numbers)} | numbers
    else:
        values = rows_of(
            con,
            "SELECT * FROM indicator_value WHERE period = ? AND unit_id = ? AND indicator = ?",
            [cell.period, cell.unit_id, figure.code],
        )
        row = answers.indicator_row(period, frame, figure.code, "vi", values[0] if values else None)
        return {name: row[name] for name in NUMBERS}
    return {"numerator": found, "unknown": 0, "value": found}


def _of_score(con: duckdb.DuckDBPyConnection, figure: Figure, cell: Cell) -> Row:
    """The parts of a sub-score; null where the period was sealed before there were any."""
    found = rows_of(
        con,
        "SELECT numerator, denominator, unknown FROM score_766 WHERE period = ? AND unit_id = ? AND lower(score) = ?",
        [cell.period, cell.unit_id, figure.code.removeprefix(SCORE)],
    )
    return found[0] if found else dict.fromkeys(("numerator", "denominator", "unknown"))


def _ratio(numbers: Row) -> Decimal | None:
    if not numbers["denominator"] or numbers["numerator"] is None:
        return None
    return Decimal(numbers["numerator"]) / Decimal(numbers["denominator"])


def _threshold(con: duckdb.DuckDBPyConnection, figure: Figure, cell: Cell) -> Row | None:
    """The threshold in force for the cell: its basis, mark and dates. Thresholds are of units, not of fields."""
    if figure.table != "indicators" or cell.of_field:
        return None
    found = rows_of(
        con,
        """SELECT t.operator, t.value_p, t.value_q, t.basis_vi, t.basis_en, t.mark, t.valid_from, t.valid_to
           FROM threshold t JOIN unit u ON u.unit_id = $1 AND u.kind = t.unit_kind
           WHERE t.indicator = $2 AND t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to >= $3)
             AND (t.within IS NULL OR EXISTS (SELECT 1 FROM node_of n WHERE n.unit_id = $1 AND n.node = t.within))""",
        [cell.unit_id, figure.code, cell.last_day],
    )
    return found[0] if found else None


# ---- labels, files


def _labels(con: duckdb.DuckDBPyConnection, figure: Figure, cell: Cell) -> list[Row]:
    """The cell's dossiers by the values of each label that bears on the figure, and how many of them are in it."""
    n, d = f"({figure.judged})", f"({figure.denominator})"
    inside, below = {
        "rate": (f"{d} AND {n}", f"{d} AND {n} IS NOT NULL"),
        "count_ratio": (n, d),
    }.get(figure.kind, (n, None))
    counted = figure.column if figure.kind in OF_A_COLUMN else "*"
    denominator = f"count(*) FILTER (WHERE {below})" if below else "NULL"
    pieces = " UNION ALL ".join(
        f"SELECT '{name}' AS label, CAST({name} AS VARCHAR) AS value, count(*) AS dossiers, "
        f"count({counted}) FILTER (WHERE {inside}) AS numerator, {denominator}::BIGINT AS denominator "
        f"FROM of_cell GROUP BY {name}"
        for name in labels_of(figure)
    )
    # not of period_count: what is asked of a unit is not asked below its sums, so that all units would be counted
    rows = rows_of(
        con,
        f"WITH of_cell AS (SELECT * FROM dossier_period JOIN {cell.nodes} USING (unit_id) "
        f"WHERE {cell.where} AND coverage <> 'no_data') {pieces}",
    )
    order = {
        (name, value): place
        for name, label in labels().items()
        for place, value in enumerate([*label.values, "full", "partial", "none", "true", "false", None])
    }
    names = list(labels())
    return sorted(rows, key=lambda r: (names.index(r["label"]), order[r["label"], r["value"]]))


def _files(con: duckdb.DuckDBPyConnection, figure: Figure, cell: Cell, told: list[Told]) -> tuple[list[Row], list[Row]]:
    """The files with rows behind the figure, and those that cover the unit in the period without one (a zero rests on
    them); and per file what its rows add."""
    sums = rows_of(
        con,
        f"""SELECT file_id, count(*) AS rows, sum(numerator) AS numerator, sum(denominator) AS denominator,
                   sum(unknown) AS unknown, count(numerator) = count(*) AS told, count(unknown) = count(*) AS told_unknown
            FROM ({behind_sql(figure, cell, told)}) GROUP BY file_id""",
    )
    behind = {r["file_id"]: r["rows"] for r in sums}
    covering = con.execute(
        f"""SELECT DISTINCT file_id FROM (
                SELECT p.counted_unit_id AS unit_id, c.file_id FROM coverage c
                JOIN period_unit p ON p.unit_id = c.unit_id AND p.period = $1
                WHERE c.first_day <= p.period_to AND c.last_day >= p.period_from
            ) JOIN {cell.nodes} USING (unit_id) WHERE node = $2""",
        [cell.period, cell.unit_id],
    ).fetchall()
    files = rows_of(
        con,
        "SELECT file_id, source, name AS file, sha256, exported_at, known_at FROM file "
        "WHERE list_contains($1, file_id) ORDER BY source, exported_at, name, file_id",
        [[*behind, *(file_id for (file_id,) in covering)]],
    )
    return [r | {"rows": behind.get(r.pop("file_id"), 0)} for r in files], sums


def _adds_up(figure: Figure, numbers: Row, sums: list[Row]) -> bool | None:
    """Whether the rows behind a figure give the published numbers; null of a sub-score that has none."""
    if figure.table == "scores" and numbers["denominator"] is None:
        return None

    def added(part: str) -> int | None:
        known = [r[part] for r in sums if r[part] is not None]
        return sum(known) if known else None

    unknown = (added("unknown") or 0) if all(r["told_unknown"] for r in sums) else None
    if figure.kind == "count":
        numerator = (added("numerator") or 0) if all(r["told"] for r in sums) else None
        return numerator == numbers["numerator"]
    numerator, denominator = added("numerator"), added("denominator")
    if figure.kind in ("rate", "count_ratio"):
        numerator = numerator or 0
    if figure.kind != "sum":
        denominator = denominator or 0
    return (numerator, denominator, unknown) == tuple(numbers[k] for k in ("numerator", "denominator", "unknown"))


# ---- the list


def reported_behind(con: duckdb.DuckDBPyConnection, figure: Figure, cell: Cell, told: list[Told]) -> list[Row]:
    """The rows of summaries behind a figure; none where dossiers alone tell."""
    return rows_of(con, list_sql(figure, cell, told, REPORTED)) if told else []


def list_of(told: Explained, part: str | None = None, codes_of: Home | None = None) -> str | None:
    """The statement for the rows behind a figure, each with its file, sheet and row: dossiers by their keys, with their
    codes where `codes_of` gives the restricted store; and rows of summaries. Null where there is no data.
    Raises WrongUse where that store cannot be read."""
    if told.frame["coverage"] == "no_data":
        return None
    behind = {file["sha256"] for file in told.files if file["rows"]}
    codes = None if codes_of is None else code_files(codes_of, behind)
    return list_sql(told.figure, told.cell, told.told, part, codes)


def listed(con: duckdb.DuckDBPyConnection, sql: str | None, most: int | None = None) -> tuple[list[Row], int]:
    """The rows of that statement, at most so many of them, and how many it has; none where there is none."""
    if sql is None:
        return [], 0
    rows = rows_of(con, sql if most is None else f"{sql} LIMIT {most}")
    return rows, con.execute(f"SELECT count(*) FROM ({sql})").fetchall()[0][0]


def codes_in(home: Home, files: set[str]) -> dict[str, str]:
    """dossier_id → dossier_code, from the restricted store, of the files in question. Raises WrongUse where it cannot be
    read."""
    if not (kept := code_files(home, files)):
        return {}
    every = f"SELECT {hex_sql('dossier_id')}, dossier_code FROM read_parquet({parquet(kept)})"
    return dict(duckdb.execute(every).fetchall())


def code_files(home: Home, files: set[str]) -> list[Path]:
    """Where the restricted store keeps the codes of these files. Raises WrongUse where it cannot be read."""
    folder: Path = home.codes
    try:
        kept = [path for path in sorted(folder.iterdir()) if path.stem in files]
        for path in kept:
            path.open("rb").close()
    except OSError:
        raise WrongUse(
            Text("Máy này không đọc được kho mã hồ sơ.", "The store of dossier codes cannot be read here."),
            where=str(folder),
            todo=Text(
                "Bỏ --codes (danh sách theo khóa băm), hoặc hỏi người giữ kho hạn chế.",
                "Leave out --codes (the list has keys), or ask those who hold the restricted store.",
            ),
        ) from None
    return kept
