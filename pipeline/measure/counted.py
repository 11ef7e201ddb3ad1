"""What a night counts of the registers' dossiers, once for all periods: measures, columns of form II.06a and the parts of
indicators, by unit; the parts of indicators also of sums of units. All that is published of units follows from these.

One look at the dossiers that count alike (alike.py), an aggregate for each different predicate; in a night that goes on,
only at those that are not as they were (moved.py). Not here: what is told by field or label, which is counted when it is
asked (`period_count`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import duckdb

from pipeline.declare.figures import QUOTED, WORD, Indicator, asked_labels, indicators, labels, measures
from pipeline.declare.forms import form
from pipeline.measure.alike import SUMMED, alike, places, statics
from pipeline.measure.moved import COUNTED, FORMER, PLACES, VALUES, WHOLE, Part, busy, store_counted, together
from pipeline.measure.reported import form_rows_sql, indicator_rows_sql

PERIOD_COLUMNS = "period, scheme, kind, period_from, period_to, as_of, coverage"
# the places that are as they were in the published database
KEPT = "JOIN place USING (period, unit_id) SEMI JOIN same_place USING (period, unit_id)"
KINDS = "alike"  # what the kinds of dossiers are called (alike.py)
# outcomes that differ by nothing but when a dossier was due
BY_DUE = (
    {"'resolved_early'", "'resolved_on_time'", "'resolved_late'", "'resolved_no_due'"},
    {"'open_in_term'", "'open_overdue'"},
)


def count(con: duckdb.DuckDBPyConnection, counted: Sequence[Part] = WHOLE) -> None:
    """The tables of schema `counted`: place_count (all terms in a list), value_count (of medians), unit_count, form_ii06a
    (its rows by unit, and those that only summaries tell), indicator_value (the parts; `value`: a median). Needs the tables
    of warehouse/build and `reported_wide`. counted: as moved.counted_in gives it."""
    places(con, [part.of for part in counted], busy(counted))
    terms = Terms()
    of_unit = {name: terms.dossiers(m.where) for name, m in measures().items()}
    of_form = {name: terms.dossiers(c.where) for name, c in form("ii06a").columns.items()}
    of_indicator = {code: terms.parts(i) for code, i in indicators().items()}
    _count_places(con, terms, counted)
    _count_values(con, counted)
    store_counted(
        con,
        counted,
        "unit_count",
        f"SELECT {PERIOD_COLUMNS}, unit_id, {_columns(of_unit)} FROM {PLACES} JOIN place USING (place) ORDER BY period, unit_id",
    )
    store_counted(
        con,
        counted,
        "form_ii06a",
        f"""SELECT {PERIOD_COLUMNS}, unit_id, 'unit' AS "by", NULL::VARCHAR AS field, {_columns(of_form)}, 'dossiers' AS basis
            FROM {PLACES} JOIN place USING (place) {reported_forms()} ORDER BY period, "by", unit_id, field""",
    )
    store_counted(con, counted, "indicator_value", _indicator_sql(con, terms, of_indicator))


def _count_places(con: duckdb.DuckDBPyConnection, terms: Terms, counted: Sequence[Part]) -> None:
    """`place_count`: of this connection a row for each place, a column for each term; and for the night that goes on from
    this one."""
    names = terms.names()
    listed = ", ".join(f"counts[{n}] AS {name}" for n, name in enumerate(names, 1))
    kept = f"SELECT place, {listed} FROM {FORMER}.{COUNTED}.{PLACES} {KEPT}"
    asked = together(counted, "place", names, partial(terms.sql, con), kept)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {PLACES} AS {asked}")
    each = (
        f"SELECT period, unit_id, [{', '.join(names)}] AS counts FROM {PLACES} JOIN place USING (place) ORDER BY place"
    )
    store_counted(con, counted, PLACES, each)


def _count_values(con: duckdb.DuckDBPyConnection, counted: Sequence[Part]) -> None:
    """`value_count`: how many dossiers have each value of which a median is told, by place; likewise."""
    asked = [
        f"SELECT '{i.code}' AS indicator, * FROM "
        f"({together(counted, 'place, value', ['n'], partial(_values, con, i), _kept_values(i))})"
        for i in _medians()
    ]
    none = "SELECT NULL::VARCHAR AS indicator, NULL::INTEGER AS place, NULL::BIGINT AS value, NULL::BIGINT AS n LIMIT 0"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {VALUES} AS {' UNION ALL '.join([f'({none})', *asked])}")
    each = f"SELECT period, unit_id, indicator, value, n FROM {VALUES} JOIN place USING (place)"
    store_counted(con, counted, VALUES, f"{each} ORDER BY indicator, place, value")


def _kept_values(median: Indicator) -> str:
    return f"SELECT place, value, n FROM {FORMER}.{COUNTED}.{VALUES} {KEPT} WHERE indicator = '{median.code}'"


def reported_forms() -> str:
    """Rows of form II.06a that only summaries tell, to be put to those of the registers."""
    return " ".join(f"UNION ALL {form_rows_sql(PERIOD_COLUMNS, unit)}" for unit in (True, False))


def _columns(terms: dict[str, str]) -> str:
    return ", ".join(f"{term} AS {name}" for name, term in terms.items())


# ---- the different aggregates


@dataclass
class Terms:
    """Collects what is counted, so that the same is counted once. weights: of dossiers that count alike: name → aggregate.
    keys: labels in which they must be the same. asked: (weight, predicate) → name of the term; the first: all dossiers."""

    weights: dict[str, str] = field(default_factory=lambda: {"n": "count(*)"})
    keys: list[str] = field(default_factory=list)
    asked: dict[tuple[str, str], str] = field(default_factory=lambda: {("n", "TRUE"): "t0"})

    def names(self) -> list[str]:
        """The terms' names, in their order."""
        return list(self.asked.values())

    def sql(self, con: duckdb.DuckDBPyConnection, of: str) -> str:
        """All terms in every place in which some dossier counts: dossiers with the same labels are counted first, and the
        predicates asked of each kind. of: which dossiers, as `alike` takes it."""
        relation = alike(con, of, KINDS, self._weights_of(con, f"{of}dossier"), self.keys)
        changing = [name for name in labels() if name not in statics()]
        # the words as numbers before they are grouped by, which takes half the time
        words = {name: _texts(labels()[name].values) for name in changing if labels()[name].values}
        kinds = ", ".join(f"TRY_CAST({n} AS ENUM({words[n]})) AS {n}" if n in words else n for n in changing)
        has = ", ".join(f"CASE WHEN {c} IS NOT NULL THEN 1 END AS {c}" for c in SUMMED)
        sums = ", ".join(f"{sql} AS {w}" for w, sql in self._sums(con, f"{of}{KINDS}_dossier").items())
        each = ", ".join(
            f"coalesce(sum(CASE WHEN {where} THEN {w} ELSE 0 END), 0)::BIGINT AS {t}"
            for (w, where), t in self.asked.items()
        )
        return f"""
            SELECT place, {each}
            FROM (SELECT place, {", ".join([kinds, *self.keys])}, {has}, {sums} FROM {relation} GROUP BY ALL) GROUP BY place"""

    def _weights_of(self, con: duckdb.DuckDBPyConnection, dossiers: str) -> dict[str, str]:
        """The weights, as they are told of these dossiers: what hangs on columns in which none has a value, one dossier
        answers as all do."""
        columns = [*statics(), *SUMMED]
        (told,) = con.execute(f"SELECT {', '.join(f'count({c}) > 0' for c in columns)} FROM {dossiers}").fetchall()
        silent = {c for c, some in zip(columns, told, strict=True) if not some}
        asked = {w: {*columns} & {*WORD.findall(sql)} for w, sql in self.weights.items()}
        same = [w for w in self.weights if asked[w] and asked[w] <= silent]
        if not same:
            return self.weights
        of_one = f"SELECT {', '.join(self.weights[w] for w in same)} FROM (FROM {dossiers} LIMIT 1)"
        (each,) = con.execute(of_one).fetchall()
        return self.weights | {w: f"{'NULL' if n is None else n} * count(*)" for w, n in zip(same, each, strict=True)}

    def _sums(self, con: duckdb.DuckDBPyConnection, kinds: str) -> dict[str, str]:
        """Weight → what it adds up to. One that is 0 of all kinds of dossiers, as where registers do not tell of it, or
        theirs to the number, is not added up apart."""
        ways = [
            f"CASE WHEN count_if({w} <> 0) = 0 THEN '0' WHEN bool_and({w} IS NOT DISTINCT FROM n) THEN 'sum(n)::BIGINT' "
            f"ELSE 'sum({w})::BIGINT' END"
            for w in self.weights
        ]
        (told,) = con.execute(f"SELECT {', '.join(ways)} FROM {kinds}").fetchall()
        return dict(zip(self.weights, told, strict=True))

    def dossiers(self, where: str, weight: str = "n") -> str:
        """How many dossiers a predicate holds for."""
        self._same(where)
        return self.asked.setdefault((weight, where), f"t{len(self.asked)}")

    def parts(self, i: Indicator) -> tuple[str, str, str]:
        """SQL of (numerator, denominator, unknown) over the terms."""
        if i.column:
            return self._of_column(i)
        if i.kind == "count_ratio":
            return self.dossiers(i.numerator), self.dossiers(i.denominator), "0"
        (now, still), (hit, has) = _split(i.denominator), _split(i.numerator)
        if asked_labels(now, hit) & set(statics()):  # what changes and what does not cannot be told apart
            n, d = f"({i.numerator})", f"({i.denominator})"
            known, unknown = f"{d} AND {n} IS NOT NULL", f"{d} IS NULL OR ({d} AND {n} IS NULL)"
            return self.dossiers(f"{d} AND {n}"), self.dossiers(known), self.dossiers(unknown)
        both = now if hit == "TRUE" else hit if now == "TRUE" else f"({now}) AND ({hit})"
        if still == has == "TRUE":
            return self.dossiers(both), self.dossiers(now), "0"
        if still == "TRUE":
            known = self.dossiers(now, self._weight(f"{has} IS NOT NULL"))
            return self.dossiers(both, self._weight(has)), known, _less(self.dossiers(now), known)
        if has == "TRUE":
            inside, unknown = self._weight(still), self._weight(f"({still}) IS NULL")
            return self.dossiers(both, inside), self.dossiers(now, inside), self.dossiers(now, unknown)
        return (
            self.dossiers(both, self._weight(f"({still}) AND ({has})")),
            self.dossiers(now, self._weight(f"({still}) AND ({has}) IS NOT NULL")),
            self.dossiers(now, self._weight(f"({still}) IS NULL OR (({still}) AND ({has}) IS NULL)")),
        )

    def _of_column(self, i: Indicator) -> tuple[str, str, str]:
        told = f"({i.numerator}) AND {i.column} IS NOT NULL"
        number = self.dossiers(told, self._weight(f"{i.column} IS NOT NULL"))
        unknown = _less(self.dossiers(i.numerator), number)
        if i.kind == "median":
            return "NULL", number, unknown
        total = f"CASE WHEN {number} > 0 THEN {self.dossiers(told, self._weight_of(f'sum({i.column})'))} END"
        return total, "NULL" if i.kind == "sum" else number, unknown

    def _weight(self, where: str) -> str:
        return self._weight_of(f"count(*) FILTER (WHERE {where})")

    def _weight_of(self, aggregate: str) -> str:
        known = {sql: name for name, sql in self.weights.items()}
        return known.get(aggregate) or (self.weights.setdefault(name := f"w{len(self.weights)}", aggregate) and name)

    def _same(self, where: str) -> None:
        self.keys += [name for name in statics() if name in asked_labels(where) and name not in self.keys]


def _texts(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _less(whole: str, part: str) -> str:
    return f"{whole} - {part}"


def _split(predicate: str) -> tuple[str, str]:
    """What a predicate asks of labels that change from period to period, and what of those that are the dossier's own."""
    if " OR " in predicate or " BETWEEN " in predicate:
        return predicate, "TRUE"
    parts = predicate.split(" AND ")
    still = [part for part in parts if asked_labels(part) and asked_labels(part) <= set(statics())]
    now = [part for part in parts if part not in still]
    return " AND ".join(now) or "TRUE", " AND ".join(still) or "TRUE"


# ---- indicators


def _medians() -> list[Indicator]:
    return [i for i in indicators().values() if i.kind == "median"]


def _values(con: duckdb.DuckDBPyConnection, median: Indicator, of: str) -> str:
    """How many dossiers have each value of the indicator's column, by place."""
    asked = asked_labels(median.numerator)
    keys = [str(median.column), *(name for name in statics() if name in asked)]
    due = not _whenever_due(median.numerator)
    relation = alike(con, of, median.code, {"n": "count(*)"}, keys, median.column, "origin" in asked, due)
    return f"""SELECT place, CAST({median.column} AS BIGINT) AS value, CAST(sum(n) AS BIGINT) AS n FROM {relation}
               WHERE ({median.numerator}) AND {median.column} IS NOT NULL GROUP BY place, {median.column}"""


def _median_sql(median: Indicator) -> str:
    """node_place and the median there: from the number of dossiers with each value, as a dossier counts in several periods
    and sums."""
    return f"""
        WITH of_node AS (
            SELECT node_place, value, CAST(sum(n) AS BIGINT) AS n FROM {VALUES} JOIN node_place USING (place)
            WHERE indicator = '{median.code}' GROUP BY node_place, value
        ),
        running AS (
            SELECT node_place, value, sum(n) OVER (PARTITION BY node_place ORDER BY value) AS upto, sum(n) OVER (PARTITION BY node_place) AS told
            FROM of_node
        )
        SELECT node_place, (min(value) FILTER (WHERE upto > (told - 1) // 2) + min(value) FILTER (WHERE upto > told // 2)) / 2 AS median
        FROM running GROUP BY node_place"""


def _whenever_due(predicate: str) -> bool:
    """Whether a predicate asks the same of a dossier whenever it was due."""
    told = set(QUOTED.findall(predicate))
    return "due_in_period" not in predicate and all(told >= alike_but or not told & alike_but for alike_but in BY_DUE)


def _indicator_sql(con: duckdb.DuckDBPyConnection, terms: Terms, parts: dict[str, tuple[str, str, str]]) -> str:
    """period, unit_id (also of sums of units), and a list for all indicators, in their order, of each of numerator,
    denominator, unknown, value (a median): a row where something tells of the unit in the period, dossiers or a summary."""
    sums = ", ".join(f"sum({term}) AS {term}" for term in terms.names())
    lists = part_lists(parts, {i.code: f"{i.code}.median" for i in _medians()})
    joined = " ".join(f"LEFT JOIN ({_median_sql(i)}) {i.code} USING (node_place)" for i in _medians())
    counts = f"""
        SELECT period, unit_id, {lists}
        FROM (SELECT node_place, {sums} FROM {PLACES} JOIN node_place USING (place) GROUP BY node_place)
        JOIN (SELECT DISTINCT node_place, period, node AS unit_id FROM node_place) USING (node_place) {joined}
        ORDER BY node_place"""
    return with_summaries(con, counts)


def with_summaries(con: duckdb.DuckDBPyConnection, counts: str) -> str:
    """The parts of indicators from registers (a SELECT), and what `reported_wide` tells put to them."""
    if con.execute("SELECT count(*) FROM reported_wide").fetchall() == [(0,)]:
        return counts
    codes = f"[{_texts(indicators())}]"
    names = ("numerator", "denominator", "unknown", "value")
    each = ", ".join(f"unnest({name}) AS {name}" for name in names)
    return f"""
        WITH counts AS ({counts}),
        told AS (
            SELECT period, unit_id, unnest({codes}) AS indicator, {each} FROM counts
            UNION ALL
            SELECT r.period, n.node, r.indicator, r.numerator, r.denominator, r.unknown, NULL
            FROM ({indicator_rows_sql()}) r JOIN node_of n USING (unit_id)
        ),
        summed AS (
            SELECT period, unit_id, list_position({codes}, indicator) AS nth, CAST(sum(numerator) AS BIGINT) AS numerator,
                   CAST(sum(denominator) AS BIGINT) AS denominator,
                   CASE WHEN count(unknown) = count(*) THEN CAST(sum(unknown) AS BIGINT) END AS unknown, max(value) AS value
            FROM told GROUP BY period, unit_id, indicator
        )
        SELECT period, unit_id, {", ".join(f"list({name} ORDER BY nth) AS {name}" for name in names)}
        FROM summed GROUP BY period, unit_id ORDER BY period, unit_id"""


def part_lists(parts: dict[str, tuple[str, str, str]], medians: dict[str, str]) -> str:
    """Select list of the parts of all indicators, a list each. parts: SQL of (numerator, denominator, unknown); medians: of
    a median: by the indicator's code."""
    columns = {
        "numerator": [f"({n})::BIGINT" for n, _, _ in parts.values()],
        "denominator": [f"({d})::BIGINT" for _, d, _ in parts.values()],
        "unknown": [f"coalesce({u}, 0)::BIGINT" for _, _, u in parts.values()],
        "value": [medians.get(code, "NULL::DOUBLE") for code in parts],
    }
    return ", ".join(f"[{', '.join(values)}] AS {name}" for name, values in columns.items())
