"""Points of Decision 766: formulas as exact fractions, what a denominator of 0 gives, and no total from half its parts."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.audit import sealing
from pipeline.declare.figures import indicators
from pipeline.declare.marks import mark_of
from pipeline.declare.periods import parse_period
from pipeline.declare.rules import filled
from pipeline.declare.scores import Score, groups, scores
from pipeline.declare.tables import sealed_tables
from pipeline.measure import score_table
from pipeline.measure.figures import HERE
from pipeline.measure.scores import note_of, score_rows
from pipeline.settings import Home
from pipeline.warehouse.release import open_published, published
from tests.conftest import Said
from tests.unit.office import Office, dossier

Q3 = "2023-Q3"
DAY = date(2023, 9, 14)
DUE = date(2023, 9, 1)


# ---- declarations


def test_groups_are_made_of_their_sub_scores_and_add_up_to_a_hundred() -> None:
    for name, group in groups().items():
        assert sum(s.max_points for s in scores().values() if s.group == name) == group.max_points, name
    assert sum(group.max_points for group in groups().values()) == 100
    assert {s.group for s in scores().values()} == set(groups())


@pytest.mark.parametrize("key", list(scores()))
def test_every_sub_score_is_declared_in_full(key: str) -> None:
    s = scores()[key]
    assert s.label.vi and s.label.en and s.needs.vi and s.needs.en and s.source and mark_of(s.mark).vi
    assert s.nothing in ("full", "zero", "none")
    assert s.saturation is None or 0 < s.saturation < 1
    assert s.indicator is None or s.indicator in indicators()
    assert (
        s.numerator
        and (s.denominator or s.parts == "indicator")
        and (s.indicator is not None) == (s.parts == "indicator")
    )


@pytest.mark.parametrize(
    ("key", "formula"),
    [("DVTT_C", "min(6, 6 × rate / 0.50)"), ("DVTT_A", "min(2, 2 × rate / 0.80)"), ("TIEN_DO", "20 × rate")],
)
def test_formulas_in_words(key: str, formula: str) -> None:
    assert scores()[key].formula == formula


# ---- the statement, over tables of a few rows


def world(found: dict[str, Score], coverage: str = "full", basis: str = "dossiers") -> duckdb.DuckDBPyConnection:
    """A database of one quarter and a unit u0, without dossiers."""
    con = duckdb.connect()
    con.execute(
        f"""CREATE TABLE period_coverage AS SELECT '{Q3}' AS period, 'nd09' AS scheme, 'quarter' AS kind,
                DATE '2023-06-15' AS period_from, DATE '{DAY}' AS period_to, DATE '{DAY}' AS as_of,
                '{coverage}' AS coverage, 'u0' AS unit_id, '{basis}' AS basis,
                NULL::VARCHAR AS missing_vi, NULL::VARCHAR AS missing_en;
            CREATE TABLE node_of (unit_id VARCHAR, node VARCHAR);
            CREATE TABLE indicator_value (period VARCHAR, unit_id VARCHAR, indicator VARCHAR, numerator BIGINT,
                denominator BIGINT, unknown BIGINT);
            CREATE TABLE dossier_period (period VARCHAR, unit_id VARCHAR, coverage VARCHAR, as_of DATE, origin VARCHAR,
                outcome VARCHAR, concluded_on DATE, effective_due_on DATE, fee_due BOOLEAN, paid_online BOOLEAN,
                component_digitized BOOLEAN, component_reused BOOLEAN, result_digitized BOOLEAN,
                procedure_code VARCHAR, procedure VARCHAR);
            CREATE TABLE return_figure (period VARCHAR, unit_id VARCHAR, return_id VARCHAR, measure VARCHAR,
                value DECIMAL(28, 6))"""
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score_table, "scores", lambda: found)
        score_table.score_table(con)
        con.execute(f"CREATE VIEW score_766 AS {filled(score_table.score_select(), HERE)}")
    return con


def told(con: duckdb.DuckDBPyConnection, key: str) -> tuple[str, Fraction | None]:
    sql = "SELECT status, points_p, points_q, missing_vi, missing_en FROM score_766 WHERE score = ? AND unit_id = 'u0'"
    ((status, p, q, vi, en),) = con.execute(sql, [key]).fetchall()
    assert (status == "missing") == bool(vi) == bool(en), "what is missing is said, and only then"
    return status, None if p is None else Fraction(p, q)


def of_indicator(key: str, parts: tuple[int | None, int | None, int | None] | None, **changed: Any) -> tuple:
    """Status and points of a sub-score whose indicator has these parts."""
    score = replace(scores()[key], **changed)
    con = world(scores() | {key: score})
    if parts:
        con.execute(f"INSERT INTO indicator_value VALUES ('{Q3}', 'u0', ?, ?, ?, ?)", [score.indicator, *parts])
    return told(con, key)


FORMULAS = [  # sub-score; numerator, denominator, unknown → status, points
    ("DVTT_C", (1, 4, 0), "computed", "3"),  # min(6, 6 × rate / 0.50)
    ("DVTT_C", (1, 2, 0), "computed", "6"),  # just at saturation
    ("DVTT_C", (499, 1000, 0), "computed", "5.988"),
    ("DVTT_C", (501, 1000, 0), "computed", "6"),  # and no more beyond it
    ("DVTT_C", (7, 7, 0), "computed", "6"),
    ("DVTT_C", (0, 7, 0), "computed", "0"),
    ("DVTT_C", (1, 3, 5), "computed", "4"),  # unknown ones are in neither part
    ("DVTT_C", (0, 0, 0), "nothing_arisen", None),  # 0/0 is not 0 points
    ("DVTT_C", (0, 0, 3), "missing", None),  # nothing known of any
    ("DVTT_C", (0, 0, None), "missing", None),
    ("DVTT_C", None, "missing", None),
    ("DVTT_C", (None, 9, 0), "missing", None),
    ("ORIGINAL_RESULT_AVAILABLE", (1, 3, 0), "computed", "2"),  # 6 × rate
    ("ORIGINAL_RESULT_AVAILABLE", (7381, 7614, 0), "computed", "7381/1269"),
    ("ORIGINAL_RESULT_AVAILABLE", (5, 5, 0), "computed", "6"),
    ("THOI_GIAN_TB", (400, 3, 0), "computed", "0"),  # for information only
]


@pytest.mark.parametrize(("key", "parts", "status", "points"), FORMULAS)
def test_formulas(key: str, parts: Any, status: str, points: str | None) -> None:
    assert of_indicator(key, parts) == (status, None if points is None else Fraction(points))


@pytest.mark.parametrize(("nothing", "points"), [("full", Fraction(6)), ("zero", Fraction(0)), ("none", None)])
def test_a_denominator_of_0_gives_what_is_declared(nothing: str, points: Fraction | None) -> None:
    assert of_indicator("DVTT_C", (0, 0, 0), nothing=nothing) == ("nothing_arisen", points)
    assert of_indicator("DVTT_C", (0, 0, 1), nothing=nothing) == ("missing", None), "what is not known is not nothing"
    assert of_indicator("DVTT_C", (0, 1, 0), nothing=nothing) == ("computed", 0)


@pytest.mark.parametrize("saturation", [None, *map(Fraction, ("0.5", "0.8", "0.9", "0.333"))])
def test_any_fraction_is_exact_and_in_lowest_terms(saturation: Fraction | None) -> None:
    dice = random.Random(766)
    con = world(scores() | {"DVTT_C": replace(scores()["DVTT_C"], max_points=7, saturation=saturation)})
    parts = {f"u{n}": (dice.randrange(d + 1), d) for n in range(1, 60) for d in [dice.choice([9, 10**4, 10**9]) + n]}
    for unit, (part, whole) in parts.items():
        con.execute("INSERT INTO period_coverage SELECT * REPLACE (? AS unit_id) FROM period_coverage LIMIT 1", [unit])
        con.execute(f"INSERT INTO indicator_value VALUES ('{Q3}', ?, 'online_share', ?, ?, 0)", [unit, part, whole])
    found = con.execute("SELECT unit_id, points_p, points_q FROM score_766 WHERE score = 'DVTT_C' AND unit_id <> 'u0'")
    for unit, p, q in found.fetchall():
        part, whole = parts.pop(unit)
        wanted = min(Fraction(7), 7 * Fraction(part, whole) / (saturation or 1))
        assert (p, q) == wanted.as_integer_ratio(), (part, whole)
    assert not parts


# ---- on time or in term, by the document's rule

RULE = [  # outcome, concluded, due → in the numerator; None: not known. Received in the period, cut-off 14/9.
    ("resolved_early", "2023-08-31", DUE, True),
    ("resolved_on_time", "2023-09-01", DUE, True),
    ("resolved_late", "2023-09-02", DUE, False),
    ("resolved_no_due", "2023-09-02", None, None),  # the procedure's time is not told
    ("withdrawn", "2023-09-01", DUE, True),  # ends like a resolved one
    ("withdrawn", "2023-09-02", DUE, False),
    ("returned", "2023-08-20", DUE, True),
    ("stopped", "2023-09-13", DUE, False),
    ("stopped", "2023-09-13", None, None),
    ("open_in_term", None, date(2023, 9, 14), True),
    ("open_in_term", None, None, None),
    ("open_overdue", None, date(2023, 9, 13), False),
    ("open_paused", None, date(2023, 9, 14), True),  # whenever it was asked for, it was before the due day
    ("open_paused", None, date(2023, 9, 13), None),  # the day on which a supplement was asked for is not told
    ("unclassified", None, date(2023, 9, 20), None),
]


def test_on_time_by_the_rule() -> None:
    con = world(scores())
    for outcome, concluded, due, _ in RULE:
        for origin in ("online", "carried_over"):  # those carried over are in neither part
            con.execute(
                f"""INSERT INTO dossier_period BY NAME SELECT '{Q3}' AS period, ? AS unit_id, 'full' AS coverage,
                    DATE '{DAY}' AS as_of, ? AS origin, ? AS outcome, ?::DATE AS concluded_on, ?::DATE AS effective_due_on""",
                [f"{outcome} {concluded} {due}", origin, outcome, concluded, due],
            )
    con.execute("INSERT INTO node_of SELECT DISTINCT unit_id, unit_id FROM dossier_period")
    con.execute("INSERT INTO period_coverage SELECT p.* REPLACE (n.node AS unit_id) FROM period_coverage p, node_of n")
    con.execute("INSERT INTO node_of SELECT unit_id, 'u0' FROM node_of")
    rows = con.execute("SELECT unit_id, numerator, denominator, unknown FROM score_766 WHERE score = 'TIEN_DO'")
    found = {unit: parts for unit, *parts in rows.fetchall()}
    for outcome, concluded, due, on_time in RULE:
        wanted = [0, 0, 1] if on_time is None else [int(on_time), 1, 0]
        assert found[f"{outcome} {concluded} {due}"] == wanted, (outcome, concluded, due)
    known = [case[3] for case in RULE if case[3] is not None]
    assert found["u0"] == [sum(known), len(known), len(RULE) - len(known)]
    assert told(con, "TIEN_DO") == ("computed", 20 * Fraction(sum(known), len(known)))


def test_a_unit_without_dossiers_and_one_without_registers() -> None:
    parts = "SELECT numerator, denominator, unknown FROM score_766 WHERE score = ?"
    assert told(world(scores()), "TIEN_DO") == ("nothing_arisen", None)
    assert world(scores()).execute(parts, ["DVTT_B"]).fetchall() == [(0, None, 0)], "no procedure had a dossier"
    for basis in ("reported", "mixed"):  # summaries tell nothing of it
        con = world(scores(), basis=basis)
        assert told(con, "TIEN_DO") == ("missing", None)
        assert con.execute(parts, ["DVTT_B"]).fetchall() == [(None, None, None)]
    nothing = world(scores(), "no_data").execute("SELECT DISTINCT status, numerator, denominator FROM score_766")
    assert nothing.fetchall() == [("missing", None, None)]


# procedure, paid online; of a unit told of 10 procedures with a fee → numerator, unknown, points of THANH_TOAN_B
PROCEDURES = [
    ([("1", True), ("1", True), ("2", False)], 1, 0, "0.25"),  # one procedure, however many dossiers
    ([("1", True), ("2", True), ("3", None)], 2, 1, "0.5"),
    ([("1", False), (None, True)], 0, 1, "0"),  # paid for a procedure that is not told
    ([("1", None), ("2", None)], None, 2, None),  # no dossier tells
    (
        [("1", True), ("2", True), ("3", True), ("4", True), ("5", True), ("6", True), ("7", True), ("8", True)],
        8,
        0,
        "2",
    ),
    ([], 0, 0, "0"),
]


@pytest.mark.parametrize(("rows", "numerator", "unknown", "points"), PROCEDURES)
def test_procedures_with_such_a_dossier(rows: Any, numerator: int | None, unknown: int, points: str | None) -> None:
    con = world(scores())
    con.execute(f"INSERT INTO return_figure VALUES ('{Q3}', 'u0', 'decision_766', 'with_fee', 10)")
    con.execute("INSERT INTO node_of VALUES ('u0', 'u0')")
    for origin, procedure, paid in [("carried_over", "9", True), *(("online", *row) for row in rows)]:
        con.execute(
            f"""INSERT INTO dossier_period BY NAME SELECT '{Q3}' AS period, 'u0' AS unit_id, 'full' AS coverage,
                ? AS origin, ? AS procedure_code, ? AS paid_online""",
            [origin, procedure, paid],
        )
    found = con.execute("SELECT numerator, denominator, unknown FROM score_766 WHERE score = 'THANH_TOAN_B'").fetchall()
    assert found == [(numerator, 10, unknown)]
    assert told(con, "THANH_TOAN_B")[1] == (None if points is None else Fraction(points))


def test_no_procedures_at_all_is_nothing_whatever_is_unknown() -> None:
    con = world(scores())
    con.execute(f"INSERT INTO return_figure VALUES ('{Q3}', 'u0', 'decision_766', 'with_fee', 0)")
    assert told(con, "THANH_TOAN_B") == ("nothing_arisen", None)


# ---- the sample


def row_of(rows: list[dict[str, Any]], part: str, name: str | None) -> dict[str, Any]:
    key = {"score": "score", "group": "score_group", "total": "score"}[part]
    return next(r for r in rows if r["part"] == part and r[key] == name)


@pytest.fixture(scope="module")
def con(sample: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_published(sample) as opened:
        yield opened


BY_HAND = {  # of the district's 7,766 received and 7,614 resolved
    "TIEN_DO": (7754, 7757, 9, 20 * Fraction(7754, 7757)),  # 3 late, 9 without a due date
    "DVTT_C": (4910, 7766, 0, Fraction(6)),  # 63 % is more than a half
    "ORIGINAL_RESULT_AVAILABLE": (7381, 7614, 0, 6 * Fraction(7381, 7614)),
    "SO_HOA_GIAY_TO_GIAI_QUYET": (6625, 7614, 0, Fraction(4)),  # 87 % is more than 80 %
    "THANH_TOAN_A": (0, 0, 7766, None),  # the register does not tell of fees
    "PUBLISH_ON_TIME": (None, None, None, None),  # nor does a return of the quarter
}


def test_the_sample_quarter_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    rows = score_rows(con, Q3, "Huyện Gio Linh")
    for key, wanted in BY_HAND.items():
        row = row_of(rows, "score", key)
        points = None if row["points_p"] is None else Fraction(row["points_p"], row["points_q"])
        assert (row["numerator"], row["denominator"], row["unknown"], points) == wanted, key
    progress, online, digital = (row_of(rows, "group", name) for name in ("progress", "online", "digitization"))
    assert (progress["points_p"], progress["points_q"], progress["max_points"]) == (155080, 7757, 20)
    assert (online["points"], online["reached_p"], online["reached_max"], online["max_points"]) == (None, 6, 6, 12)
    assert Fraction(digital["reached_p"], digital["reached_q"]) == 4 + 6 * Fraction(7381, 7614)
    assert (digital["points"], digital["reached_max"]) == (None, 10)
    whole = row_of(rows, "total", None)
    assert (whole["points"], whole["reached_max"], whole["status"]) == (None, 36, "missing")
    assert Fraction(whole["reached_p"], whole["reached_q"]) == sum(w[3] or 0 for w in BY_HAND.values())
    assert "Công khai, minh bạch" in whole["lacking"] and "Tiến độ" not in whole["lacking"]


def test_what_is_not_told_is_never_nought(con: duckdb.DuckDBPyConnection) -> None:
    rows = [r for period in (Q3, "calendar:2023-Q3", "2021-Q1") for r in score_rows(con, period)]
    assert {r["status"] for r in rows} == {"computed", "missing"}
    for r in rows:
        assert (r["points"] is None) == (r["status"] == "missing") == bool(r["lacking"])
        assert r["reached_max"] <= r["max_points"] and r["reached"] <= r["reached_max"]
    assert all(r["status"] == "missing" for r in rows if r["period"] == "2021-Q1")


def test_the_note_says_what_the_decision_scores() -> None:
    assert "dương lịch" in str(note_of(parse_period(Q3))) and note_of(parse_period("calendar:2023-Q3")) is None
    assert "23/06/2022" in str(note_of(parse_period("calendar:2022-Q1"))), "a period before the decision"


# ---- no total from half its parts


@pytest.fixture
def planted(sample: Home, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, in which points can be planted."""
    shutil.copy(published(sample).database, tmp_path / "bản.duckdb")
    with duckdb.connect(str(tmp_path / "bản.duckdb")) as opened:
        opened.execute("DROP VIEW score_766; CREATE TABLE score_766 AS FROM live.score_766")
        yield opened


def plant(con: duckdb.DuckDBPyConnection, points: dict[str, Fraction | None]) -> None:
    for key, value in points.items():
        p, q = (None, None) if value is None else value.as_integer_ratio()
        con.execute(
            "UPDATE score_766 SET points_p = ?, points_q = ?, status = ? WHERE period = ? AND unit_id = '466' AND score = ?",
            [p, q, "missing" if value is None else "computed", Q3, key],
        )


def test_a_group_has_points_only_with_all_its_sub_scores(planted: duckdb.DuckDBPyConnection) -> None:
    mine = [s for s in scores().values() if s.group == "publication"]
    everything = {s.key: Fraction(s.max_points, 3) for s in mine}
    plant(planted, everything)
    group = row_of(score_rows(planted, Q3, "UBND huyện Gio Linh"), "group", "publication")
    assert (group["points_p"], group["points_q"], group["lacking"]) == (6, 1, None)
    for key in everything:
        plant(planted, everything | {key: None})
        group = row_of(score_rows(planted, Q3, "UBND huyện Gio Linh"), "group", "publication")
        assert group["points"] is None and group["lacking"] == scores()[key].label.vi
        assert group["reached_max"] == 18 - scores()[key].max_points
        assert Fraction(group["reached_p"], group["reached_q"]) == Fraction(group["reached_max"], 3)


def test_a_score_for_information_holds_up_no_group(planted: duckdb.DuckDBPyConnection) -> None:
    plant(planted, {"TIEN_DO": Fraction(19), "THOI_GIAN_TB": None})
    assert row_of(score_rows(planted, Q3, "UBND huyện Gio Linh"), "group", "progress")["points"] == 19


QUANG_TRI = {  # as published for the province, 2nd nationwide: 77.65; payment stands in none of the five
    "publication": "15.40", "progress": "19.35", "online": "9.03", "payment": "0", "digitization": "16.05",
    "satisfaction": "17.82",
}  # fmt: skip


def test_the_published_total_is_the_sum_of_its_groups(planted: duckdb.DuckDBPyConnection) -> None:
    assert all(Fraction(points) <= groups()[name].max_points for name, points in QUANG_TRI.items())
    points = {
        s.key: Fraction(QUANG_TRI[s.group]) * Fraction(s.max_points, groups()[s.group].max_points)
        for s in scores().values()
    }
    plant(planted, points)
    rows = score_rows(planted, Q3, "UBND huyện Gio Linh")
    for name, wanted in QUANG_TRI.items():
        assert Fraction(row_of(rows, "group", name)["points"]) == Fraction(wanted), name
    assert Fraction(row_of(rows, "total", None)["points"]) == Fraction("77.65")
    for lacking in groups():  # with five groups there is no total
        plant(planted, {s.key: None if s.group == lacking else points[s.key] for s in scores().values()})
        whole = row_of(score_rows(planted, Q3, "UBND huyện Gio Linh"), "total", None)
        assert whole["points"] is None and whole["lacking"] == groups()[lacking].label.vi
        assert whole["reached_max"] == 100 - groups()[lacking].max_points


# ---- seals, other rules, the command


def test_a_quarter_sealed_before_there_were_scores_shows_none_as_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path)
    office.drop("t9.csv", [dossier(), dossier(channel="Trực tiếp")])
    assert office.night().release
    with monkeypatch.context() as before:
        before.setattr(sealing, "sealed_tables", lambda: [name for name in sealed_tables() if name != "score_766"])
        sealing.seal(office.home, parse_period(Q3))
    with office.open() as con:
        rows = score_rows(con, Q3, "Xã Gio An")
        assert {r["points"] for r in rows} == {None} and "chốt trước" in rows[0]["lacking"]
        con.execute("SET search_path = 'live,main'")
        assert row_of(score_rows(con, Q3, "Xã Gio An"), "group", "progress")["points"] == 20
    sealing.seal(office.home, parse_period(Q3), reason="có bảng điểm", revise=True)
    with office.open() as con:
        row = row_of(score_rows(con, Q3, "Xã Gio An"), "score", "DVTT_C")
        assert row["seal"] and row["points"] == 6


def test_the_command(sample: Home, motcua: Callable[..., Said]) -> None:
    said = motcua(sample, "scores", "--period", Q3)
    for words in (
        *("QĐ 766 chấm theo kỳ dương lịch", "19,99 / 20", "7.754", "7.757", "6,00 / 6", "80 %", "không chấm điểm"),
        *("đã tính được 6,00 / 6 điểm", "đã tính được 35,81 / 36 điểm", "cột “Có nghĩa vụ tài chính”", "Xã Trung Hải"),
    ):
        assert words in said.out, words
    assert said.code == 0 and "/ 100" not in said.out, "no grand total where groups lack"
    english = motcua(sample, "scores", "--period", "calendar:2023-Q3", "--unit", "Xã Gio An", "--lang", "en").out
    assert "computed so far: 36.00 of 36" in english and "Decision 766 scores by" not in english
    rows = json.loads(motcua(sample, "scores", "--period", Q3, "--unit", "19501", "--format", "json").out)
    assert len(rows) == len(scores()) + len(groups()) + 1
    online = next(r for r in rows if r["score"] == "DVTT_C")
    assert online["points"] == online["points_p"] / online["points_q"] == 6 * (online["numerator"] / 192) * 2
    assert motcua(sample, "scores", "--period", Q3, "--unit", "Xã Gio Ann").code == 2


def test_by_other_rules_and_as_known(sample: Home, motcua: Callable[..., Said]) -> None:
    """Another way of counting gives other points, from its own labels; what is known now is what was published."""

    def progress(*more: str) -> tuple[int, int]:
        words = ("scores", "--period", Q3, "--unit", "466-all", "--format", "json", *more)
        row = next(r for r in json.loads(motcua(sample, *words).out) if r["score"] == "TIEN_DO")
        return row["numerator"], row["denominator"]

    assert progress() == progress("--as-known", "2100-01-01") == (7754, 7757)
    assert progress("--rules", "opencps-adhoc") == (7734, 7756)


def test_a_sub_score_is_explained(sample: Home, motcua: Callable[..., Said]) -> None:
    said = motcua(sample, "explain", "score:TIEN_DO", "--period", Q3, "--unit", "466-all")
    for words in ("tử số 7.754 / mẫu số 7.757; không rõ: 9", "không sau “Ngày hẹn trả", "cộng lại đúng bằng"):
        assert words in said.out, words
    asked = ("explain", "score:TIEN_DO", "--period", Q3, "--list", "--part", "rest", "--format", "json")
    assert [r["outcome"] for r in json.loads(motcua(sample, *asked).out)] == ["resolved_late"] * 3
    assert "(online_share)" in motcua(sample, "explain", "score:DVTT_C", "--period", Q3).out
    assert "không có số liệu: tử số 0" in motcua(sample, "explain", "score:thanh_toan_a", "--period", Q3).out
