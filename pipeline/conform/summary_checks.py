"""What a summary says of itself: its identities, its totals against its rows, its percentages against its counts.

An office's figures stand as they are; what does not add up is told as a notice with both numbers. Not here: what the
registers say (measure/reported).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from pipeline.conform.summaries import Row, Summary
from pipeline.declare.layouts import Layout
from pipeline.declare.reported import counts, reported

Notice = tuple[int, str, str | None, str, str]  # row, reason, measure, expected, found


def check(table: Summary, layout: Layout, sheet: str | None) -> None:
    """Sets a notice aside for everything in a table that does not agree with itself."""
    for row, reason, column, expected, found in notices(table.rows, layout):
        table.set_aside(sheet, row, "notice", reason, column, expected, found)


def notices(rows: list[Row], layout: Layout) -> list[Notice]:
    found: list[Notice] = []
    for row in rows:
        if row.role == "unit":  # a total is held against the sum of its rows
            found += _identities(row, layout)
        found += _percentages(row)
    return found + list(_sums(rows))


def _value(row: Row, name: str) -> Decimal | None:
    return row.figures.get(name, (None, None))[0]


def _number(value: Decimal | int) -> str:
    return f"{int(value):,}".replace(",", ".")


def _identities(row: Row, layout: Layout) -> Iterator[Notice]:
    """Each declared identity whose figures are all there must hold."""
    for rule in layout.identities.values():
        names = re.findall(r"[a-z_]+", rule)
        values = {name: _value(row, name) for name in names}
        if any(value is None for value in values.values()):
            continue
        left, right = (
            sum(value for name in re.findall(r"[a-z_]+", side) if (value := values[name]) is not None)
            for side in rule.split("=")
        )
        if left != right:
            yield row.number, "identity_fails", None, rule, f"{_number(left)} ≠ {_number(right)}"


def _percentages(row: Row) -> Iterator[Notice]:
    """A printed percentage must be that of its counts, rounded; a workbook may hold it as a share of 1."""
    for name, figure in reported().items():
        value, decimals = row.figures.get(name, (None, None))
        numerator, denominator = _value(row, figure.numerator), _value(row, figure.denominator)
        if figure.kind != "percent" or value is None or numerator is None or not denominator:
            continue
        exact = Fraction(numerator) * 100 / Fraction(denominator)
        half = Fraction(1, 2 * 10 ** (decimals or 0))
        if not any(abs(exact - Fraction(value) * scale) <= half * scale for scale in (1, 100)):
            expected = f"{_number(numerator)}/{_number(denominator)} = {float(exact):.2f} %".replace(".", ",")
            yield row.number, "percent_differs", name, expected, f"{value.normalize():f} %".replace(".", ",")


def _sums(rows: list[Row]) -> Iterator[Notice]:
    """A total must be the sum of the rows that count; a subtotal that of those below it (up to the next), or above."""
    last = None
    for n, row in enumerate(rows):
        if row.role == "total":
            yield from _compare(row, [_leaves([r for r in rows[:n] if r.role == "unit"])])
        elif row.role == "subtotal":
            below = next((i for i, r in enumerate(rows[n + 1 :], n + 1) if r.role != "unit"), len(rows))
            above = rows[(last + 1) if last is not None else 0 : n]
            groups = [_leaves(rows[n + 1 : below]), _leaves([r for r in above if r.role == "unit"])]
            yield from _compare(row, [g for g in groups if g])
            last = n


def _leaves(rows: list[Row]) -> list[Row]:
    """Rows that hold each dossier once: where a unit has a row of its own, its fields are parts of it."""
    whole = {row.unit for row in rows if row.field is None}
    return [row for row in rows if row.field is None or row.unit not in whole]


def _compare(total: Row, groups: list[list[Row]]) -> Iterator[Notice]:
    for name in counts():
        told = _value(total, name)
        if told is None or not any(groups):
            continue
        sums = []
        for group in groups:
            values = [_value(row, name) for row in group]
            if group and None not in values:
                sums.append(sum(v for v in values if v is not None))
        if sums and told not in sums:
            yield total.number, "sum_differs", name, _number(sums[0]), _number(told)
