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
from pipeline.declare.text import LANGUAGES, Text
from pipeline.declare.units import split_name

FINEST = 9  # decimals of a share that a workbook computed: the last digits of a float are noise
Notice = tuple[int, str, str | None, str, str]  # row, reason, measure, expected, found


def check(table: Summary, layout: Layout, sheet: str | None, includes_communes: bool = False) -> None:
    """Sets a notice aside for everything in a table that does not agree with itself. includes_communes: a district's
    row holds those of its communes."""
    for row, reason, column, expected, found in notices(table.rows, layout, includes_communes):
        table.set_aside(sheet, row, "notice", reason, column, expected, found)


def notices(rows: list[Row], layout: Layout, includes_communes: bool = False) -> list[Notice]:
    found: list[Notice] = []
    for row in rows:
        if row.role == "unit":  # a total is held against the sum of its rows
            found += _identities(row, layout)
        found += _percentages(row)
    return found + list(_sums(rows, includes_communes))


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
            yield row.number, "identity_fails", None, _in_words(rule), f"{_number(left)} ≠ {_number(right)}"


def _in_words(rule: str) -> str:
    """A rule with the labels of its figures."""
    vi, en = (
        "".join(counts()[part].label[lang] if part in counts() else part for part in re.split(r"([a-z_]+)", rule))
        for lang in LANGUAGES
    )
    return str(Text(vi, en))


def _percentages(row: Row) -> Iterator[Notice]:
    """A printed percentage must be that of its counts, rounded; a workbook may hold it as a share of 1."""
    for name, figure in reported().items():
        value, decimals = row.figures.get(name, (None, None))
        numerator, denominator = _value(row, figure.numerator), _value(row, figure.denominator)
        if figure.kind != "percent" or value is None or numerator is None or not denominator:
            continue
        exact = Fraction(numerator) * 100 / Fraction(denominator)
        half = Fraction(1, 2 * 10 ** min(decimals or 0, FINEST))
        as_share = value <= 1 and abs(exact - Fraction(value) * 100) <= min(half * 100, Fraction(1, 2))
        if abs(exact - Fraction(value)) > half and not as_share:
            percent = f"{float(exact):.2f} %".replace(".", ",")
            expected = f"{_number(numerator)}/{_number(denominator)} = {percent}"
            yield row.number, "percent_differs", name, expected, f"{value.normalize():f} %".replace(".", ",")


def _sums(rows: list[Row], includes_communes: bool) -> Iterator[Notice]:
    """A total must be the sum of all rows that count, those above it, or those since the last total; a subtotal that
    of the rows below it (up to the next), or above."""
    last = -1
    for n, row in enumerate(rows):
        if row.role == "unit":
            continue
        below = next((i for i, r in enumerate(rows[n + 1 :], n + 1) if r.role != "unit"), len(rows))
        since, after = rows[last + 1 : n], rows[n + 1 : below]
        parts = [rows[:n], rows, since] if row.role == "total" else [after, since]
        groups = [_leaves([r for r in part if r.role == "unit"]) for part in parts]
        if includes_communes:
            groups += [[r for r in group if _is_district(r) is it] for group in groups for it in (True, False)]
        yield from _compare(row, [group for group in groups if group])
        last = n


def _is_district(row: Row) -> bool:
    return split_name(row.unit or "")[0] in ("huyen", "thi xa", "thanh pho")


def _leaves(rows: list[Row]) -> list[Row]:
    """Rows that hold each dossier once: where a unit has a row of its own, its fields are parts of it."""
    whole = {row.unit for row in rows if row.field is None}
    return [row for row in rows if row.field is None or row.unit not in whole]


def _compare(total: Row, groups: list[list[Row]]) -> Iterator[Notice]:
    for name in counts():
        told = _value(total, name)
        sums = []
        for group in groups:
            values = [_value(row, name) for row in group]
            if None not in values:
                sums.append(sum(v for v in values if v is not None))
        if told is not None and sums and told not in sums:
            yield total.number, "sum_differs", name, _number(sums[0]), _number(told)
