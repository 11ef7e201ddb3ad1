"""Answers from returns: their figures and indicators, of a period and unit. Reads what was computed.

Not here: computing it (return_tables.py), printing.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb

from pipeline.declare.periods import Period, parse_periods
from pipeline.declare.returns import qualifiers, returns
from pipeline.measure.answers import choose
from pipeline.measure.exact import decimal_of
from pipeline.warehouse.sql import rows_of

Row = dict[str, Any]


def handed_in(con: duckdb.DuckDBPyConnection, most: int = 3) -> list[Row]:
    """The newest periods of which returns tell: period, how many returns, of how many units."""
    return rows_of(
        con,
        """SELECT period, count(DISTINCT return_id) AS returns, count(DISTINCT unit_id) AS units FROM return_value
           GROUP BY period, period_from, period_to ORDER BY period_to DESC, period_from DESC LIMIT ?""",
        [most],
    )


def return_figures(con: duckdb.DuckDBPyConnection, period: str, unit: str | None = None, lang: str = "vi") -> list[Row]:
    """Every figure that returns tell of a period (or a range), of one unit or all, sums included.

    Keys: period, period_from, period_to, seal, unit_id, unit_code, unit, return_id, return_label, section, line,
    line_label, measure, label, of, kind, digits, value (Decimal; null: not told), word, word_label, day, qualifier,
    qualifier_label, told, asked, file, sheet, cell (null for sums). Raises WrongUse for a unit that told nothing."""
    found: list[Row] = []
    for one in parse_periods(period):
        rows = rows_of(
            con,
            f"""SELECT f.period, f.period_from, f.period_to, f.seal, f.unit_id, u.unit_code, u.unit, f.return_id,
                      m.return_{lang} AS return_label, m.section, f.line, m.line_{lang} AS line_label, f.measure,
                      m.label_{lang} AS label, m.of_{lang} AS "of", m.kind, m.digits, f.value, f.word, f.day, f.qualifier,
                      f.told, f.asked, t.source || '/' || t.name AS file, v.sheet, v.cell
               FROM return_figure f
               JOIN return_measure m USING (return_id, line, measure)
               JOIN unit u USING (unit_id)
               LEFT JOIN return_value v ON v.period = f.period AND v.unit_id = f.unit_id AND v.return_id = f.return_id
                    AND v.line = f.line AND v.measure = f.measure
               LEFT JOIN file t USING (file_id)
               WHERE f.period = ? ORDER BY u.sort, m.sort""",
            [one.key],
        )
        found += _of_unit(rows, unit, one)
    return [row | _in_words(row, lang) for row in found]


def return_indicators(
    con: duckdb.DuckDBPyConnection, period: str, unit: str | None = None, lang: str = "vi"
) -> list[Row]:
    """What follows from the figures of returns: shares with numerator, denominator, threshold and verdict.

    Keys: period, seal, unit_id, unit_code, unit, return_id, line, line_label, indicator, label, numerator, denominator
    (Decimal), value (Decimal to 28 digits; null where nothing arose or is told), qualifier, operator, threshold, verdict,
    near, needed, basis, mark. A verdict may be `undecided`: the figure is not exact enough."""
    found: list[Row] = []
    for one in parse_periods(period):
        rows = rows_of(
            con,
            f"""SELECT i.period, i.seal, i.unit_id, u.unit_code, u.unit, i.return_id, i.line, l.line_{lang} AS line_label,
                      i.indicator, i.label_{lang} AS label, i.numerator, i.denominator, i.qualifier, i.operator,
                      i.threshold_p, i.threshold_q, i.verdict, i.near, i.needed, i.basis_{lang} AS basis, i.mark
               FROM return_indicator i
               JOIN unit u USING (unit_id)
               LEFT JOIN (SELECT return_id, line, line_vi, line_en, min(sort) AS sort FROM return_measure GROUP BY ALL) l
                    USING (return_id, line)
               WHERE i.period = ? ORDER BY u.sort, i.return_id, i.indicator, l.sort""",
            [one.key],
        )
        found += _of_unit(rows, unit, one)
    return [_rate(row) for row in found]


def returning_units(con: duckdb.DuckDBPyConnection, period: Period) -> dict[str, Row]:
    """unit_id → the row (as `answers.nodes`) of every unit that returns tell of in a period, as one without dossiers, and
    whether it handed one in itself (told) or is a sum of others."""
    rows = rows_of(
        con,
        """SELECT DISTINCT ON (u.sort) u.unit_id, u.unit_code, u.unit, u.kind, NULL AS as_of, 'no_data' AS coverage,
                  NULL AS missing_vi, NULL AS missing_en, NULL AS basis, NULL AS seal,
                  CASE WHEN u.kind IN ('commune', 'counter') THEN 'unit' ELSE 'group' END AS level,
                  EXISTS (FROM return_value v WHERE v.period = f.period AND v.unit_id = f.unit_id) AS told
           FROM return_figure f JOIN unit u USING (unit_id) WHERE f.period = ? ORDER BY u.sort""",
        [period.key],
    )
    return {row.pop("unit_id"): row for row in rows}


def _of_unit(rows: list[Row], unit: str | None, period: Period) -> list[Row]:
    """The rows of a unit, as its code, key or name is written; of all where none is named."""
    if unit is None or not rows:
        return rows
    told = {r["unit_id"]: {k: r[k] for k in ("unit_id", "unit_code", "unit")} | {"level": "unit"} for r in rows}
    chosen = choose(told, unit)
    return [r for r in rows if r["unit_id"] in chosen]


def _rate(row: Row) -> Row:
    n, d = row["numerator"], row["denominator"]
    p, q = row.pop("threshold_p"), row.pop("threshold_q")
    counts = row["verdict"] not in ("nothing_arisen", "no_data")
    value = None if not counts else Decimal(n) if d is None else decimal_of(Fraction(n) / Fraction(d))
    return row | {"value": value, "threshold": None if p is None else decimal_of(Fraction(p, q))}


def _in_words(row: Row, lang: str) -> Row:
    words = returns()[row["return_id"]].measures[row["measure"]].words
    word = words[row["word"]].label[lang] if row["word"] in words else row["word"]
    how = qualifiers()[row["qualifier"]].label[lang] if row["qualifier"] else None
    return {"word_label": word, "qualifier_label": how}
