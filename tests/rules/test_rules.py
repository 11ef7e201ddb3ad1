"""Every rule set against hand-made cases: labels, counts, and `--compare`, which explains each difference."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import duckdb
import pytest

from pipeline.audit.compare_rules import PARTS, compare
from pipeline.declare.definitions import figures
from pipeline.declare.figures import indicators, labels, measures
from pipeline.declare.forms import form
from pipeline.declare.periods import parse_period
from pipeline.declare.rules import OURS, filled, rule_sets
from pipeline.declare.text import declared
from pipeline.measure import answers
from pipeline.measure.rules import ask_by
from pipeline.warehouse.sql import statement
from tests.quick import some
from tests.rules.cases import ADHOC, CASES, MONTHLY, NOT, OPENCPS, Case, drop
from tests.unit.office import Office

pytestmark = pytest.mark.usefixtures("in_full")

Q3 = parse_period("2023-Q3")
OTHERS = [name for name in rule_sets() if name != OURS]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("cách tính"))
    drop(office, CASES)
    result = office.night()
    assert result.release and not result.refused and not result.rejected_rows
    return office


@pytest.fixture(scope="module")
def con(office: Office) -> Iterator[duckdb.DuckDBPyConnection]:
    with office.open() as opened:
        yield opened


@pytest.fixture(scope="module")
def by_rules(con: duckdb.DuckDBPyConnection) -> Callable[[str], tuple[dict[str, Any], dict[str, dict[str, Any]]]]:
    """(rule set) → the counts of the quarter's total as published, and its indicators by code; each asked once."""

    @cache
    def ask(rules: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        ask_by(con, rules)
        rates = {r["indicator"]: r for r in answers.indicators(con, Q3.key) if r["level"] == "total"}
        return answers.stats(con, Q3.key)[0], rates

    return ask


def found_labels(con: duckdb.DuckDBPyConnection, period: str = Q3.key) -> dict[str, str]:
    """unit → "origin outcome" of its one dossier."""
    rows = con.execute(
        "SELECT u.unit, h.origin || ' ' || h.outcome FROM dossier_period h JOIN unit u USING (unit_id) WHERE period = ?",
        [period],
    ).fetchall()
    assert len({unit for unit, _ in rows}) == len(rows), "no dossier twice"
    return dict(rows)


def expected(cases: list[Case], rules: str) -> dict[str, str]:
    return {c.unit: c.by(rules) for c in cases if c.by(rules) != NOT}


@pytest.mark.parametrize("rules", rule_sets())
def test_every_case_has_the_labels_that_the_system_would_give_it(con: duckdb.DuckDBPyConnection, rules: str) -> None:
    ask_by(con, rules)
    assert found_labels(con) == expected(CASES, rules)


@pytest.mark.parametrize("rules", OTHERS)
def test_a_rule_set_differs_from_ours_in_some_case(rules: str) -> None:
    """A table of cases in which nothing differs would test nothing."""
    assert any(c.by(rules) != c.ours for c in CASES)
    for c in CASES:
        for label in c.labels.values():
            origin, _, outcome = label.partition(" ")
            assert label == NOT or (origin in labels()["origin"].values and outcome in labels()["outcome"].values)


# The counters of the 16 vectors, added by hand from the published table of cases.
COUNTERS = {
    MONTHLY: {
        "process": 14, "received": 10, "online": 9, "onegate": 1, "remaining": 4, "release": 7, "betimes": 3, "ontime": 3,
        "overtime": 1, "cancelled": 1, "waiting": 2, "undue": 2, "overdue": 2, "neither": 0,
    },
    ADHOC: {
        "process": 15, "received": 10, "online": 9, "onegate": 1, "remaining": 5, "release": 7, "betimes": 4, "ontime": 2,
        "overtime": 1, "cancelled": 1, "waiting": 2, "undue": 2, "overdue": 2, "neither": 1,
    },
}  # fmt: skip
AS_OURS = {
    "process": "total", "online": "online", "onegate": "in_person", "remaining": "carried_over", "release": "resolved",
    "betimes": "resolved_early", "ontime": "resolved_on_time", "overtime": "resolved_late", "cancelled": "withdrawn",
    "waiting": "open_paused", "undue": "open_in_term", "overdue": "open_overdue", "neither": "unclassified",
}  # fmt: skip


@pytest.mark.parametrize("rules", COUNTERS)
def test_counters_of_the_test_vectors(tmp_path: Any, rules: str) -> None:
    office = Office(tmp_path)
    drop(office, OPENCPS)
    assert office.night().release
    with office.open() as con:
        ask_by(con, rules)
        row = answers.stats(con, Q3.key)[0]
    got = {counter: row[name] for counter, name in AS_OURS.items()}
    got["received"] = row["total"] - row["carried_over"]
    assert got == COUNTERS[rules]
    assert got["process"] == got["received"] + got["remaining"]
    assert got["release"] == got["betimes"] + got["ontime"] + got["overtime"]
    processing = got["undue"] + got["overdue"]
    assert got["process"] == got["release"] + got["cancelled"] + got["waiting"] + processing + got["neither"]


@pytest.mark.parametrize("rules", rule_sets())
def test_every_count_is_that_of_the_table_of_cases(con: duckdb.DuckDBPyConnection, rules: str) -> None:
    """stats, its breakdowns, form II.06a and the trends, all from the labels of the cases."""
    ask_by(con, rules)
    world = duckdb.connect()
    world.execute("CREATE TABLE period_count (origin VARCHAR, outcome VARCHAR, n INTEGER)")
    pairs = Counter(expected(CASES, rules).values())
    world.executemany("INSERT INTO period_count VALUES (?, ?, ?)", [(*p.split(), n) for p, n in pairs.items()])

    def count(where: str) -> int:
        return world.execute(f"SELECT coalesce(sum(n), 0) FROM period_count WHERE {where}").fetchall()[0][0]

    whole = answers.stats(con, Q3.key)[0]
    assert {name: whole[name] for name in measures()} == {name: count(m.where) for name, m in measures().items()}
    for by in ("field", "procedure", "level"):
        assert sum(r["total"] for r in answers.stats(con, Q3.key, by=by)) == whole["total"]
    for name, m in form("ii06a").columns.items():
        sql = f"SELECT sum({name}) FROM form_ii06a WHERE period = ? AND \"by\" = 'unit'"
        assert con.execute(sql, [Q3.key]).fetchall() == [(count(m.where),)], name
    trend = con.execute("SELECT total, unclassified FROM trend_count WHERE period = ? AND unit_id = '*'", [Q3.key])
    assert trend.fetchall() == [(whole["total"], whole["unclassified"])]
    rates = {r["indicator"]: r for r in answers.indicators(con, Q3.key) if r["level"] == "total"}
    on_time = measures()["resolved"].where
    assert rates["on_time_rate"]["denominator"] == count(on_time)
    assert rates["late_rate"]["numerator"] == count("outcome = 'resolved_late'")


@pytest.mark.parametrize("code", some([*measures(), *indicators(), "c9", "c12"], 12))
def test_the_dossiers_listed_are_the_difference_and_each_says_why(
    con: duckdb.DuckDBPyConnection, by_rules: Callable[[str], tuple[dict[str, Any], dict[str, Any]]], code: str
) -> None:
    figure = figures()[code]
    _, found = compare(con, figure, Q3)
    assert [c.rules.name for c in found] == list(rule_sets())
    for c in found[1:]:
        where = (code, c.rules.name)
        assert c.adds_up is True, where
        for part in PARTS:
            if c.differences[part] is not None:
                assert sum(d[f"{part}_difference"] for d in c.dossiers) == c.differences[part], where
        for d in c.dossiers:
            assert d["why"] is not None, (where, d)
        counts, rates = by_rules(c.rules.name)
        if code in measures():
            published = counts[code]
        elif code in indicators():
            row = rates[code]
            for part in PARTS:
                assert row[part] == c.numbers[part] or (part == "numerator" and not row[part]), (where, part)
            continue
        else:
            ask_by(con, c.rules.name)
            sql = f"SELECT sum({code})::BIGINT FROM form_ii06a WHERE period = ? AND \"by\" = 'unit'"
            published = con.execute(sql, [Q3.key]).fetchall()[0][0]
        assert c.numbers["value"] == published, where


@pytest.mark.parametrize("rules", OTHERS)
def test_a_case_is_listed_with_both_its_labels(con: duckdb.DuckDBPyConnection, rules: str) -> None:
    """Of each figure that counts one label, and of the total, the cases that differ in it are listed, and no others."""
    for code in measures():
        _, found = compare(con, figures()[code], Q3, rules=[rules])
        listed = {
            d["unit"]: tuple(
                NOT if d[f"origin_{side}"] is None else f"{d[f'origin_{side}']} {d[f'outcome_{side}']}"
                for side in ("ours", "theirs")
            )
            for d in found[1].dossiers
        }
        for c in CASES:
            if c.unit in listed:
                assert listed[c.unit] == (c.ours, c.by(rules)), (code, c.name)
        if code == "total":
            assert set(listed) == {c.unit for c in CASES if (c.ours == NOT) != (c.by(rules) == NOT)}
        single = {"origin": f"origin = '{code}'", "outcome": f"outcome = '{code}'"}
        for place, label in enumerate(single):
            if measures()[code].where == single[label]:
                wanted = {c.unit for c in CASES if (side(c.ours, place) == code) != (side(c.by(rules), place) == code)}
                assert set(listed) == wanted, code


def side(label: str, place: int) -> str:
    return "" if label == NOT else label.split()[place]


@pytest.mark.parametrize("c", [c for c in CASES if any(v != c.ours for v in c.labels.values())], ids=lambda c: c.name)
def test_why_one_case_differs(con: duckdb.DuckDBPyConnection, c: Case) -> None:
    """Of the case alone: what a rule set adds to each label is explained by that one dossier."""
    for rules in OTHERS:
        if c.by(rules) == c.ours:
            continue
        ours, theirs = c.ours.split(), c.by(rules).split()
        code = next(
            name for name in (*theirs, *ours, "total") if name in measures() and (name in theirs) != (name in ours)
        )
        _, found = compare(con, figures()[code], Q3, unit=c.unit, rules=[rules])
        assert [d["unit"] for d in found[1].dossiers] == [c.unit], (c.name, rules)
        assert found[1].differences["numerator"] in (1, -1) and found[1].adds_up


def test_other_periods_are_labelled_too_and_no_dossier_twice(con: duckdb.DuckDBPyConnection) -> None:
    for rules in OTHERS:
        ask_by(con, rules)
        twice = con.execute(
            "SELECT period, dossier_id FROM dossier_period GROUP BY ALL HAVING count(*) > 1 OR bool_or(origin IS NULL OR outcome IS NULL)"
        ).fetchall()
        assert twice == [], rules


def stated_parts() -> list[tuple[str, str]]:
    return [(name, part) for name, r in rule_sets().items() if name != OURS for part in sorted(r.own)]


@pytest.mark.parametrize(("rules", "part"), stated_parts())
def test_every_part_that_a_rule_set_states_is_decided_by_some_case(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, rules: str, part: str
) -> None:
    """Without it, as its base has it, some case has other labels or another due date: else no case would notice."""
    nodes = copy.deepcopy(declared("rules.toml"))
    del nodes[rules]["sql"][part]
    monkeypatch.setattr("pipeline.declare.rules.declared", lambda _: nodes)
    try:
        parts = rule_sets.__wrapped__()[rules].sql
    except KeyError:
        return  # other parts rest on it
    asked = (
        "SELECT dossier_id, origin, outcome, effective_due_on, due_in_period FROM ({}) WHERE period = ? ORDER BY ALL"
    )
    heart = filled(statement("measure", "dossier_period"), {**parts, "live": "live.", "main": "main."})
    ask_by(con, rules)
    as_declared = con.execute(asked.format("FROM dossier_period"), [Q3.key]).fetchall()
    assert con.execute(asked.format(heart), [Q3.key]).fetchall() != as_declared
