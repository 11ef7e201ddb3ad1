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
from pipeline.conform.titles import DISTRICTS
from pipeline.declare.layouts import Layout
from pipeline.declare.reported import counts, reported
from pipeline.declare.text import LANGUAGES, Text
from pipeline.declare.units import split_name

FINEST = 9  # decimals of a share that a workbook computed: the last digits of a float are noise
PARTS = ("unit", "rejected")  # a rejected row is part of every total, with figures that nobody knows
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
    whole, stretches = Sums(includes_communes), [Sums(includes_communes)]
    for row in rows:
        if row.role in PARTS:
            whole.add(row)
            stretches[-1].add(row)
        else:
            stretches.append(Sums(includes_communes))
    above, nth = Sums(includes_communes), 0
    for row in rows:
        if row.role in PARTS:
            above.add(row)
            continue
        since, after = stretches[nth], stretches[nth + 1]
        nth += 1
        parts = [above, whole, since] if row.role == "total" else [after, since]
        yield from _compare(row, [part.all for part in parts] + [s for part in parts for s in part.kinds])


class Sum:
    """A running sum of figures, in which a figure that one row does not tell is unknown."""

    def __init__(self) -> None:
        self.rows = 0
        self.values: dict[str, Decimal] = {}
        self.told: dict[str, int] = {}

    def add(self, row: Row, sign: int = 1) -> None:
        self.rows += sign
        for name, (value, _) in row.figures.items():
            if value is not None:
                self.values[name] = self.values.get(name, Decimal(0)) + sign * value
                self.told[name] = self.told.get(name, 0) + sign

    def of(self, name: str) -> Decimal | None:
        return self.values[name] if self.told.get(name) == self.rows else None


class Sums:
    """Running sums of rows that hold each dossier once: where a unit has a row of its own, its fields are parts of it.
    kinds: apart those of districts and of the others, where a district's row holds its communes'."""

    def __init__(self, by_kind: bool) -> None:
        self.all = Sum()
        self.kinds = (Sum(), Sum()) if by_kind else ()
        self.whole: set[str | None] = set()
        self.fields: dict[str | None, list[Row]] = {}

    def add(self, row: Row) -> None:
        if row.field is None and row.unit not in self.whole:
            self.whole.add(row.unit)
            for part in self.fields.pop(row.unit, []):
                self._enter(part, -1)
        elif row.field is not None:
            if row.unit in self.whole:
                return
            self.fields.setdefault(row.unit, []).append(row)
        self._enter(row, 1)

    def _enter(self, row: Row, sign: int) -> None:
        self.all.add(row, sign)
        if self.kinds:
            self.kinds[not _is_district(row)].add(row, sign)


def _is_district(row: Row) -> bool:
    return split_name(row.unit or "")[0] in DISTRICTS


def _compare(total: Row, groups: list[Sum]) -> Iterator[Notice]:
    for name in (name for name in counts() if name in total.figures):
        told = _value(total, name)
        sums = [found for group in groups if group.rows and (found := group.of(name)) is not None]
        if told is not None and sums and told not in sums:
            yield total.number, "sum_differs", name, _number(sums[0]), _number(told)
