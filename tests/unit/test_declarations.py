"""Declarations: everything declared is fit for what is done with it, and says the same as the published file."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

import duckdb
import pytest

from pipeline.conform.rows import row_schema
from pipeline.conform.titles import _patterns
from pipeline.declare.columns import CODED, codes, columns, statuses
from pipeline.declare.figures import indicators, labels, measures, thresholds
from pipeline.declare.forms import form, forms
from pipeline.declare.layouts import built_in, column_names
from pipeline.declare.periods import schemes
from pipeline.declare.procedures import CODE, known_fields, known_names, national_code, procedures
from pipeline.declare.reasons import reasons
from pipeline.declare.tables import inner_tables, macros, tables
from pipeline.declare.text import Text, declared, fold
from pipeline.declare.units import FOREVER, successors, units
from pipeline.measure.figures import indicator_terms, measure_counts_sql
from tests.quick import in_full
from tests.unit.office import HEADERS, Office, dossier, opened

DAY = timedelta(days=1)
PREDICATES = (
    {f"measure {m.name}": m.where for m in measures().values()}
    | {f"form {c}": m.where for c, m in form("ii06a").columns.items()}
    | {f"{i.code} numerator": i.numerator for i in indicators().values()}
    | {f"{i.code} denominator": i.denominator for i in indicators().values() if i.denominator}
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("khai báo"))
    office.drop("t9.csv", [dossier(), dossier(component_digitized="Có"), opened()])
    with in_full():
        assert office.night().release
    return office


@pytest.fixture(scope="module")
def con(office: Office) -> duckdb.DuckDBPyConnection:
    return office.open()


# ---- the published file


def test_tables_toml_is_the_published_file(con: duckdb.DuckDBPyConnection) -> None:
    real: dict[str, list[str]] = {}
    for table, column in con.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'main' ORDER BY table_name, ordinal_position"
    ).fetchall():
        real.setdefault(table, []).append(column)
    told = {t.name: list(t.columns) for t in tables().values()}
    assert told.keys() == real.keys()
    for table, names in real.items():
        assert told[table] == names, table


def test_every_table_and_column_has_its_comment(con: duckdb.DuckDBPyConnection) -> None:
    silent = con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL AND NOT internal"
    ).fetchall()
    silent += con.execute(
        "SELECT table_name, '' FROM duckdb_tables() WHERE comment IS NULL AND NOT internal"
    ).fetchall()
    silent += con.execute(
        "SELECT function_name, '' FROM duckdb_functions() WHERE function_type = 'table_macro' AND comment IS NULL AND NOT internal"
    ).fetchall()
    silent += con.execute("SELECT view_name, '' FROM duckdb_views() WHERE comment IS NULL AND NOT internal").fetchall()
    assert silent == []


def test_the_data_dictionary_tells_all_of_it(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute('SELECT "table", "column", type, vi, en FROM data_dictionary').fetchall()
    told = [*tables().values(), *inner_tables().values()]
    assert {(t, c) for t, c, *_ in rows if c} == {(t.place, c) for t in told for c in t.columns}
    assert {t for t, c, *_ in rows if c is None} == {t.place for t in told} | macros().keys()
    assert all(vi and en and (kind or not column) for _, column, kind, vi, en in rows)


# ---- columns and codes


def test_every_canonical_column_is_stored_or_is_the_code() -> None:
    assert list(row_schema()) == ["row", "dossier_id", *[c for c in columns() if c != "dossier_code"]]
    for column in columns().values():
        assert column.unknown in ("reject", "null"), column.name
        assert not (column.required and column.unknown == "null"), f"{column.name}: a row without it could count"
        assert column.label.vi and column.label.en and column.absent
        if column.harmless:
            re.compile(column.harmless)
    assert list(HEADERS) == list(columns()), "the tests know every column"


@pytest.mark.parametrize("kind", [*CODED, "flag"])
def test_a_word_means_one_value(kind: str) -> None:
    seen: dict[str, str] = {}
    for code in codes(kind).values():
        assert code.label.vi and code.label.en
        for word in code.words:
            assert fold(word), f"{word}: nothing that could be compared"
            assert seen.setdefault(fold(word), code.value) == code.value, word


def test_every_status_says_what_it_does() -> None:
    groups = {c.group for c in codes("status").values()}
    assert groups == {"not_counted", "open", "paused", "unknown", "withdrawn", "stopped", "returned", "resolved"}
    assert statuses("not_counted") == ["not_received", "refused_at_intake"]
    assert set(statuses("not_counted")) <= set(reasons()), "why such a row is left out has its words"


def test_layouts_mean_canonical_columns_once() -> None:
    assert len({layout.id for layout in built_in()}) == len(built_in())
    for layout in built_in():
        assert set(layout.columns.values()) <= set(column_names(layout.kind))
        for column, words in layout.values.items():
            kind = columns()[column].kind if column in columns() else column
            assert set(words.values()) <= set(codes(kind))


def test_reasons() -> None:
    for reason in reasons().values():
        assert reason.verdict in ("rejected", "excluded", "notice"), reason.code
        assert (reason.todo is None) == (reason.verdict == "excluded"), f"{reason.code}: what is wrong can be mended"
        assert "{" not in str(reason.about("unit")) + str(reason.about(None))


def test_title_patterns_hold_what_is_read_from_them() -> None:
    assert {p.groups for p in _patterns("span")} == {2}
    assert {p.groups for p in (*_patterns("open_at"), *_patterns("exported_at"))} == {1}


# ---- labels, measures, indicators, the form


@pytest.mark.parametrize("name", PREDICATES)
def test_a_predicate_binds_to_labels_alone(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Counts are made from `period_count`, so a predicate may name nothing but labels; and only values they have."""
    sql = PREDICATES[name]
    for table in ("period_count", "dossier_period"):
        con.execute(f"SELECT count(*) FILTER (WHERE {sql}) FROM {table}").fetchall()
    named = set(re.findall(r"\b[a-z_]+\b", re.sub(r"'[^']*'", "", sql)))
    assert named <= set(labels()), named
    values = set(re.findall(r"'([^']*)'", sql))
    known = {v for label in labels().values() for v in label.values} | set(codes("level"))
    assert values <= known, values - known


def test_all_of_them_bind_together(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"SELECT {measure_counts_sql()} FROM period_count").fetchall()
    terms = ", ".join(term for i in indicators().values() for term in indicator_terms(i))
    con.execute(f"SELECT {terms} FROM period_count").fetchall()


def test_every_origin_and_outcome_is_counted_once() -> None:
    """The two sums of `motcua stats` and the identities of the form, for every pair that can be."""
    con = duckdb.connect()
    pairs = list(itertools.product(labels()["origin"].values, labels()["outcome"].values))
    con.execute("CREATE TABLE period_count (origin VARCHAR, outcome VARCHAR, n INTEGER)")
    con.executemany("INSERT INTO period_count VALUES (?, ?, 1)", pairs)
    columns_of_form = ", ".join(f"sum(n) FILTER (WHERE {m.where}) AS {c}" for c, m in form("ii06a").columns.items())
    for origin, outcome in pairs:
        where = f"FROM period_count WHERE origin = '{origin}' AND outcome = '{outcome}'"
        row = dict(zip(measures(), con.execute(f"SELECT {measure_counts_sql()} {where}").fetchone() or (), strict=True))
        assert row["total"] == 1
        assert row["online"] + row["in_person"] + row["postal"] + row["channel_unknown"] + row["carried_over"] == 1
        assert sum(row[k] for k in ("resolved", "withdrawn", "returned", "stopped", "open", "unclassified")) == 1
        assert row["resolved"] == sum(row[f"resolved_{k}"] for k in ("early", "on_time", "late", "no_due"))
        assert row["open"] == sum(row[f"open_{k}"] for k in ("in_term", "overdue", "paused"))
        counts = ", ".join(f"coalesce({c}, 0) AS {c}" for c in form("ii06a").columns)
        told = f"SELECT {{}} FROM (SELECT {counts} FROM (SELECT {columns_of_form} {where}))"
        for name, rule in form("ii06a").identities.items():
            assert con.execute(told.format(rule)).fetchone() == (True,), (name, origin, outcome)


def test_labels_are_those_of_the_heart(con: duckdb.DuckDBPyConnection) -> None:
    """Origin and outcome can have no value without words, and no declared value is out of reach."""
    sql = con.execute(
        "SELECT sql FROM duckdb_views() WHERE view_name = 'dossier_period' AND schema_name = 'live'"
    ).fetchone()
    said = set(re.findall(r"'([a-z_]+)'", sql[0] if sql else ""))
    outcomes = set(labels()["outcome"].values)
    assert outcomes <= said | {"withdrawn", "returned", "stopped"}, "those three are conclusions as they stand"
    assert set(labels()["origin"].values) == {*codes("channel"), "channel_unknown", "carried_over"}
    assert {x for x in said if x.startswith(("resolved_", "open_"))} == {
        o for o in outcomes if o.startswith(("resolved_", "open_"))
    }
    for label in labels().values():
        assert label.text.vi and label.text.en and all(t.vi and t.en for t in label.values.values())


def test_indicators_and_thresholds() -> None:
    for i in indicators().values():
        assert i.kind in ("rate", "count_ratio", "sum", "mean", "median"), i.code
        assert bool(i.denominator) == (i.kind in ("rate", "count_ratio")), i.code
        assert bool(i.column) == (i.kind in ("sum", "mean", "median")), i.code
        assert i.section and i.source and i.mark
    reporting = {u.kind for u in units().values() if u.reports}
    for t in thresholds():
        assert t.indicator in indicators() and t.operator in (">", ">=", "<", "<=")
        assert set(t.kinds) <= reporting and (t.within is None or t.within in units())
        assert t.near >= 0 and t.valid_from <= (t.valid_to or FOREVER) and t.basis.vi and t.basis.en and t.mark
    for a, b in itertools.combinations(thresholds(), 2):
        overlap = a.valid_from <= (b.valid_to or FOREVER) and b.valid_from <= (a.valid_to or FOREVER)
        same = (
            a.indicator == b.indicator
            and set(a.kinds) & set(b.kinds)
            and (a.within == b.within or not (a.within and b.within))
        )
        assert not (overlap and same), (
            f"two thresholds in force at once for {a.indicator}: a figure would have two verdicts"
        )


def test_the_indicators_of_the_design_are_there() -> None:
    named = {
        "on_time_rate", "late_rate", "on_time_rate_handled", "on_time_rate_due", "on_time_rate_received",
        "on_time_rate_766", "resolution_rate", "online_share", "online_service_rate", "full_process_rate",
        "component_digitization_rate", "result_digitization_rate", "evaluation_slip_rate", "apology_rate",
    }  # fmt: skip
    assert named <= set(indicators())


def test_schemes_and_forms_say_where_they_are_from() -> None:
    assert {"nd09", "calendar"} <= set(schemes())
    for scheme in schemes().values():
        assert 1 <= scheme.first_day <= 28 and scheme.source, "a month must have that day"
    assert form("ii06a").source and form("ii06a").mark and set(form("ii06a").identities)


# ---- units


def test_the_tree_of_units_is_sound() -> None:
    known = units()
    for unit in known.values():
        assert unit.valid_from <= unit.valid_to and unit.name.strip() == unit.name
        above = known.get(unit.parent_id or "")
        assert (unit.parent_id is None) == (unit.kind == "province") and (above or unit.kind == "province"), (
            unit.unit_id
        )
        if above:
            assert above.valid_from <= unit.valid_from and unit.valid_to <= above.valid_to, (
                f"{unit.unit_id} outlives its parent"
            )
            assert not above.reports, f"{unit.unit_id} lies below a unit that has dossiers of its own"
        assert unit.kind in ("province", "district", "counter", "communes", "commune")
        seen = set()
        while above:
            assert above.unit_id not in seen, "a circle"
            seen.add(above.unit_id)
            above = known.get(above.parent_id or "")


def test_a_code_has_one_unit_on_any_day() -> None:
    by_code: dict[str, list] = {}
    for unit in units().values():
        if unit.reports:
            by_code.setdefault(unit.code, []).append(unit)
    for same in by_code.values():
        for a, b in itertools.combinations(same, 2):
            assert a.valid_to < b.valid_from or b.valid_to < a.valid_from, a.unit_id
    assert any(len(same) == 2 for same in by_code.values()), "codes are used again in 2025"


def test_successors_exist_and_leave_nobody_behind() -> None:
    known = units()
    for old, (day, new) in successors().items():
        assert known[old].valid_to + DAY == day <= known[new].valid_from <= day
        assert known[old].reports and known[new].reports and new not in successors()
    ended = {u.unit_id for u in known.values() if u.kind == "commune" and u.valid_to != FOREVER}
    assert ended == {old for old in successors() if known[old].kind == "commune"}


# ---- procedures


def test_procedures() -> None:
    for code, p in procedures().items():
        assert CODE.match(code) and national_code(f"{code}.000.00.00.H50") == code
        assert p.name and p.field and p.levels
        assert fold(p.name) and known_fields()[fold(p.field)] == p.field, "one spelling of each field"
    assert all(fold(procedures()[code].name) == name for name, code in known_names().items())
    for written in ("", "1.00161", "x1.001612", "1.001612.H50", "1.001612.000.00.00.X50"):
        assert national_code(written) is None


def test_every_declared_text_has_both_languages() -> None:
    def texts(node: object):
        if isinstance(node, Text):
            yield node
        elif isinstance(node, dict):
            for value in node.values():
                yield from texts(value)
        elif hasattr(node, "__dataclass_fields__"):
            for name in node.__dataclass_fields__:
                yield from texts(getattr(node, name))

    things = (columns(), labels(), measures(), indicators(), tables(), reasons(), *forms(), *thresholds())
    found = [text for thing in things for text in texts(thing)]
    assert len(found) > 300 and all(t.vi.strip() and t.en.strip() for t in found)
    assert declared("columns.toml"), "read as it stands"
