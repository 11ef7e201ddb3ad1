"""`motcua explain`: for every figure of every unit and period, the list behind it has that many rows, or sums to it.

The lists of all cells are made at once, by the same statement with the cell left out; a handful of cells is asked one
by one as people ask. What is expected comes from the published tables and from `stats` and `indicators`.
"""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pytest

from pipeline import night
from pipeline.audit.explain import explain, list_of, listed
from pipeline.audit.rows import TODAY, dossiers_sql
from pipeline.audit.tell import SHOWN
from pipeline.declare.definitions import RATIOS, Figure, figures
from pipeline.declare.figures import indicators, measures
from pipeline.declare.forms import form
from pipeline.declare.periods import default_scheme, parse_period
from pipeline.measure import answers
from pipeline.settings import Home
from pipeline.warehouse.release import open_published, published
from tests.conftest import Said
from tests.oracle import registers
from tests.quick import some

Key = tuple[str, str, str]  # period, unit_id, figure
Q3 = "2023-Q3"


@pytest.fixture(scope="module", params=["sample", "register"])
def con(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The sample, and a random register of three years with all that goes wrong in one."""
    if request.param == "sample":
        home = request.getfixturevalue("sample")
    else:
        home = Home(tmp_path_factory.mktemp("register"))
        registers.write_all(home.root, registers.exports(11, 400, lost=0.1))
        assert night.run(home).changed
    with open_published(home) as opened:
        yield opened


def periods_of(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute("SELECT period FROM period WHERE scheme = ? ORDER BY period_from, period", [default_scheme()])
    return [key for (key,) in rows.fetchall()]


def published_numbers(con: duckdb.DuckDBPyConnection) -> dict[Key, tuple]:
    """(period, unit_id, code) → numerator, denominator, unknown, value as `stats`, `indicators` and the form say."""
    found: dict[Key, tuple] = {}
    for key in periods_of(con):
        known = answers.nodes(con, parse_period(key))
        counted = answers.by_unit(con, parse_period(key), known, "vi")
        for unit_id, row in zip(known, counted, strict=True):
            found |= {(key, unit_id, name): (row[name], None, 0, row[name]) for name in measures()}
        asked = iter(answers.indicators(con, key))
        for unit_id in known:
            for code in indicators():
                row = next(asked)
                assert row["indicator"] == code
                found[key, unit_id, code] = tuple(row[k] for k in ("numerator", "denominator", "unknown", "value"))
    for *key, kind, numerator, denominator, unknown, value in con.execute(
        """SELECT period, unit_id, indicator, indicator_kind, numerator, denominator, unknown, value FROM indicator_value
           WHERE scheme = ?""",
        [default_scheme()],
    ).fetchall():  # sums that are published and not shown
        exact = value if kind == "median" else None
        found.setdefault((key[0], key[1], key[2]), (numerator, denominator, unknown, exact))
    for period, unit_id, key, *parts in con.execute(
        """SELECT period, unit_id, score, numerator, denominator, unknown FROM score_766
           WHERE scheme = ? AND score IN (SELECT score FROM score WHERE parts = 'dossiers')""",
        [default_scheme()],
    ).fetchall():
        found[period, unit_id, f"score:{key.lower()}"] = (*parts, None)
    sums = ", ".join(f"sum({c})::BIGINT" for c in form("ii06a").columns)
    for period, unit_id, *values in con.execute(
        f"SELECT period, node, {sums} FROM form_ii06a JOIN node_of USING (unit_id) WHERE \"by\" = 'unit' GROUP BY ALL"
    ).fetchall():
        found |= {(period, unit_id, f"c{n}"): (v, None, 0, v) for n, v in enumerate(values, 3)}
    return found


def sums_of_lists(con: duckdb.DuckDBPyConnection, figure: Figure, nodes: str = "node_of") -> dict[tuple, tuple]:
    """(period, unit_id) → rows, and the sums of what they add to numerator, denominator, unknown; median of values."""
    rows = con.execute(
        f"""SELECT period, node, count(*), count(*) FILTER (WHERE numerator <> 0), sum(numerator)::BIGINT,
                   sum(denominator)::BIGINT, sum(unknown)::BIGINT, median(value)
            FROM ({dossiers_sql(figure, "TRUE", nodes)}) GROUP BY period, node"""
    ).fetchall()
    return {(row[0], row[1]): row[2:] for row in rows}


@pytest.fixture(scope="module")
def numbers(con: duckdb.DuckDBPyConnection) -> dict[Key, tuple]:
    return published_numbers(con)


def fits(figure: Figure, told: tuple, found: tuple | None) -> bool:
    """Whether a list has as many rows as a figure tells, or sums to it."""
    numerator, denominator, unknown, value = told
    in_all, n, num, den, unk, mid = found or (0, 0, None, None, None, None)
    if figure.kind == "count":
        return in_all == n == (value or 0)
    if figure.kind in RATIOS:
        return (n, den or 0, unk or 0) == (numerator or 0, denominator or 0, unknown or 0)
    if figure.kind == "median" and mid != (None if value is None else float(value)):
        return False
    return (num, den or 0, unk or 0) == (numerator, denominator or 0, unknown or 0)


@pytest.mark.parametrize("code", some([code for code in figures() if "." not in code], 16))
def test_every_list_has_as_many_rows_as_its_figure_says(
    con: duckdb.DuckDBPyConnection, numbers: dict[Key, tuple], code: str
) -> None:
    lists = sums_of_lists(con, figures()[code])
    cells = {key[:2]: told for key, told in numbers.items() if key[2] == code}
    assert cells
    wrong = [
        (key, told, lists.get(key)) for key, told in cells.items() if not fits(figures()[code], told, lists.get(key))
    ]
    assert not wrong, wrong[:5]
    shown = {key[:2] for key in numbers if key[2] == "total"}
    assert not {key for key in lists if key in shown} - set(cells), "a list where no figure stands"


@pytest.mark.parametrize(
    ("code", "told", "good", "bad"),
    [
        ("total", (7, None, 0, 7), (7, 7, 7, None, 0, None), (8, 8, 8, None, 0, None)),
        ("on_time_rate", (7, 9, 1, None), (10, 7, 7, 9, 1, None), (10, 6, 6, 9, 1, None)),
        ("on_time_rate", (7, 9, 1, None), (10, 7, 7, 9, 1, None), (9, 7, 7, 9, 0, None)),
        ("certified_copies", (7, None, 1, 7), (3, 2, 7, None, 1, None), (3, 2, 6, None, 1, None)),
        ("processing_days_median", (None, 3, 0, 2.5), (3, 0, None, 3, 0, 2.5), (3, 0, None, 3, 0, 3.0)),
    ],
)
def test_a_list_that_does_not_fit_is_noticed(code: str, told: tuple, good: tuple, bad: tuple) -> None:
    assert fits(figures()[code], told, good) and not fits(figures()[code], told, bad)


def test_every_cell_of_the_form_by_field(con: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(form("ii06a").columns)
    told = con.execute(f"SELECT period, unit_id, field, {columns} FROM form_ii06a WHERE \"by\" = 'field'").fetchall()
    wanted = {(*row[:3], c): n for row in told for c, n in zip(form("ii06a").columns, row[3:], strict=True)}
    assert wanted
    for code in form("ii06a").columns:
        rows = con.execute(
            f"""SELECT period, unit_id, field, count(*) FROM ({dossiers_sql(figures()[code], "node = unit_id")})
                GROUP BY ALL"""
        ).fetchall()
        assert {(*r[:3], code): r[3] for r in rows} == {k: n for k, n in wanted.items() if k[3] == code and n}


def test_every_cell_of_the_trends(con: duckdb.DuckDBPyConnection) -> None:
    for code in measures():
        wanted = con.execute(f"SELECT period, unit_id, {code} FROM trend_count WHERE {code} > 0").fetchall()
        lists = sums_of_lists(con, figures()[code], TODAY)
        assert {key: row[0] for key, row in lists.items()} == {(p, u): n for p, u, n in wanted}, code


def test_cells_asked_one_by_one(con: duckdb.DuckDBPyConnection, numbers: dict[Key, tuple]) -> None:
    """The SQL as printed, the list and the numbers agree, and so does every part of the list."""
    dice = random.Random(4)
    told_of = sorted(k for k in numbers if k[2] in indicators() or (*k[:2], "total") in numbers)
    for period, unit_id, code in some(dice.sample(told_of, 60), 20):
        figure = figures()[code]
        told = explain(con, figure, parse_period(period), unit_id)
        where = (period, unit_id, code)
        got = tuple(told.numbers[k] for k in ("numerator", "denominator", "unknown"))
        if told.frame["coverage"] == "no_data":
            assert told.sql is None and listed(con, list_of(told)) == ([], 0), where
            continue
        assert got == numbers[where][:3] and told.adds_up is True, where
        asked = con.execute(str(told.sql))
        for name, value in zip([d[0] for d in asked.description], asked.fetchall()[0], strict=True):
            assert value == (None if told.numbers[name] is None else float(told.numbers[name])), (where, name)
        rows, count = listed(con, list_of(told))
        assert count == len(rows) and listed(con, list_of(told), 3) == (rows[:3], count), where
        assert len({(r["dossier_id"], r["episode"]) for r in rows}) == len(rows), "no dossier twice"
        for part in ("numerator", "denominator", "unknown") if figure.kind in RATIOS else ():
            assert listed(con, list_of(told, part))[1] == told.numbers[part] == sum(r[part] for r in rows), (
                where,
                part,
            )
        if figure.kind == "median" and rows:
            assert median(r["value"] for r in rows if r["value"] is not None) == told.numbers["value"]
        if figure.kind == "count":
            assert len(rows) == told.numbers["value"]
        assert sum(f["rows"] for f in told.files) == len(rows), where


def test_labels_add_up(con: duckdb.DuckDBPyConnection) -> None:
    for code, period in (("on_time_rate", Q3), ("online_service_rate", "2023"), ("resolved_late", Q3), ("certified_copies", Q3)):  # fmt: skip
        told = explain(con, figures()[code], parse_period(period))
        total = answers.by_unit(con, parse_period(period), {told.cell.unit_id: told.frame}, "vi")[0]["total"]
        for label in {r["label"] for r in told.labels}:
            rows = [r for r in told.labels if r["label"] == label]
            assert sum(r["dossiers"] for r in rows) == total, (code, label)
            if code != "certified_copies":
                assert sum(r["numerator"] for r in rows) == told.numbers["numerator"], (code, label)
            if told.figure.denominator:
                assert sum(r["denominator"] for r in rows) == told.numbers["denominator"], (code, label)


# ---- the command


def test_an_auditor_asks(sample: Home, motcua: Callable[..., Said]) -> None:
    """Everything the issue names stands in the answer; the printed SQL, pasted, gives the printed figures."""
    asked = ("explain", "component_digitization_rate", "--period", Q3, "--unit", "Xã Trung Hải")
    said = motcua(sample, *asked)
    assert said.code == 0
    one = json.loads(motcua(sample, *asked, "--format", "json").out)[0]
    for words in (
        *(one["label"], one["definition"], one["source"], "[confirmed]", "component_digitized"),
        *("origin <> 'carried_over'", "51,04 %", "tử số 98 / mẫu số 192", "> 70 %: chưa đạt, còn cần 37 hồ sơ"),
        *("Tiếp nhận trực tuyến", one["files"][0]["sha256"], str(published(sample).database), "cộng lại đúng bằng"),
    ):
        assert words in said.out, words
    sql = said.out[said.out.index("SELECT\n") : said.out.index(";", said.out.index("SELECT\n")) + 1]
    with duckdb.connect(str(published(sample).database), read_only=True) as plain:
        assert plain.execute(sql).fetchall() == [(98, 192, 0)]
        assert plain.execute(one["sql"]).fetchall() == [(98, 192, 0)]
    assert (one["numerator"], one["denominator"], one["verdict"], one["adds_up"]) == (98, 192, "not_met", True)
    english = motcua(sample, *asked, "--lang", "en").out
    assert "numerator 98 / denominator 192" in english and "37 more dossiers needed" in english


def test_the_list_leads_to_the_rows_of_the_files(sample: Home, motcua: Callable[..., Said]) -> None:
    """Each dossier of the list is found at its file and row, read with the csv module alone."""
    asked = ("explain", "resolved_late", "--period", Q3, "--list", "--codes", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(motcua(sample, *asked).out)))
    count = json.loads(motcua(sample, "stats", "--period", Q3, "--format", "json").out)[0]["resolved_late"]
    assert len(rows) == count > 0
    checked = 0
    for row in rows:
        path = sample.raw / row["source"] / row["file"]
        if path.suffix == ".csv":
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            assert row["dossier_code"] in lines[int(row["row"]) - 1]
            checked += 1
    assert checked or all(not r["file"].endswith(".csv") for r in rows)
    assert all(row["dossier_code"] for row in rows)


def test_the_screen_shows_the_first_rows_and_says_how_many_there_are(sample: Home, motcua: Callable[..., Said]) -> None:
    asked = ("explain", "total", "--period", Q3, "--list")
    rows = json.loads(motcua(sample, *asked, "--format", "json").out)
    screen = motcua(sample, *asked).out
    assert f"Danh sách: {len(rows)} dòng" in screen and f"còn {len(rows) - SHOWN} dòng nữa" in screen
    shown = [row["dossier_id"] in screen for row in rows]
    assert all(shown[:SHOWN]) and not any(shown[SHOWN:])


def test_codes_come_only_when_asked_for_and_only_from_the_restricted_store(
    published_sample: Home, motcua: Callable[..., Said]
) -> None:
    asked = ("explain", "resolved_late", "--period", Q3, "--list")
    for shape in ("table", "csv", "json"):
        told = motcua(published_sample, *asked, "--format", shape)
        assert told.code == 0 and "so_theo_doi_xa_2023-09.csv" in told.out and "H50." not in told.out
    assert "H50." in motcua(published_sample, *asked, "--codes").out
    (published_sample.restricted / "codes").rename(published_sample.warehouse / "elsewhere")
    refused = motcua(published_sample, *asked, "--codes")
    assert refused.code == 2 and "--codes" in refused.err and not (published_sample.restricted / "codes").exists()
    assert motcua(published_sample, *asked).code == 0
    alone = motcua(published_sample, "explain", "open_overdue", "--period", Q3, "--codes")
    assert alone.code == 2 and "--list" in alone.err


WRONG = [
    (("no_time_rate", "--period", Q3), "on_time_rate"),
    (("c14", "--period", Q3), "c13"),
    (("total", "--period", "2023-Q5"), "2023-Q3"),
    (("total", "--period", "2023-Q1..2023-Q3"), "2023-Q3"),
    (("total", "--period", Q3, "--unit", "Xã Trung Hai Ba"), "Xã Trung Hải"),
    (("c3", "--period", Q3, "--field", "Chung thuc x"), "Chứng thực"),
    (("on_time_rate", "--period", Q3, "--tree", "new"), "--tree new"),
    (("total", "--period", Q3, "--part", "rest"), "--list"),
]


@pytest.mark.parametrize(("words", "says"), WRONG)
def test_wrong_words(sample: Home, motcua: Callable[..., Said], words: tuple[str, ...], says: str) -> None:
    said = motcua(sample, "explain", *words)
    assert said.code == 2 and says in said.err and not said.out


def test_one_field(sample: Home, motcua: Callable[..., Said]) -> None:
    rows = json.loads(motcua(sample, "stats", "--period", Q3, "--by", "field", "--format", "json").out)
    for row in rows[:3]:
        one = ("explain", "resolved", "--period", Q3, "--field", row["field"])
        told = json.loads(motcua(sample, *one, "--format", "json").out)[0]
        assert (told["value"], told["field"], told["adds_up"]) == (row["resolved"], row["field"], True)
        assert len(json.loads(motcua(sample, *one, "--list", "--format", "json").out)) == row["resolved"]
    rate = ("explain", "on_time_rate", "--period", Q3, "--field", rows[0]["field"])
    told = json.loads(motcua(sample, *rate, "--format", "json").out)[0]
    early = rows[0]["resolved_early"] + rows[0]["resolved_on_time"] + rows[0]["resolved_no_due"]
    assert (told["numerator"], told["denominator"]) == (early, rows[0]["resolved"])
    assert told["value"] == pytest.approx(early / rows[0]["resolved"])


def test_no_data_says_what_is_missing(sample: Home, motcua: Callable[..., Said]) -> None:
    said = motcua(sample, "explain", "on_time_rate", "--period", "2021-Q1", "--unit", "Xã Trung Hải")
    assert said.code == 0 and "không có số liệu" in said.out and "motcua run" in said.out and "SELECT" not in said.out
    asked = ("explain", "on_time_rate", "--period", "2021-Q1", "--list", "--format", "json")
    assert json.loads(motcua(sample, *asked).out) == []


def test_a_zero_rests_on_the_files_that_cover_the_unit(sample: Home) -> None:
    with open_published(sample) as opened:
        told = explain(opened, figures()["stopped"], parse_period(Q3), "Xã Trung Hải")
    assert told.numbers["value"] == 0 and told.files and not any(f["rows"] for f in told.files)


def test_it_writes_nothing(sample: Home, motcua: Callable[..., Said]) -> None:
    def tree(root: Path) -> dict[str, Any]:
        return {p.as_posix(): p.stat().st_mtime_ns for p in sorted(root.rglob("*"))}

    before = tree(sample.root)
    motcua(sample, "explain", "total", "--period", Q3, "--list", "--codes")
    assert tree(sample.root) == before


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("late_rate", "UPDATE counted.indicator_value SET numerator = list_transform(numerator, lambda n: n + 1)"),
        (
            "online_service_rate",
            "UPDATE counted.indicator_value SET unknown = list_transform(unknown, lambda n: n + 1)",
        ),
        (
            "certified_copies",
            "UPDATE counted.indicator_value SET numerator = list_transform(numerator, lambda n: n + 1)",
        ),
        ("resolved_late", "UPDATE counted.unit_count SET resolved_late = resolved_late + 1"),
        ("c10", "UPDATE counted.form_ii06a SET c10 = c10 + 1"),
    ],
)
def test_a_published_number_that_was_touched_is_noticed(
    sample: Home, home: Home, motcua: Callable[..., Said], code: str, fault: str
) -> None:
    """The file is changed behind our back: what stands there is shown, and that its dossiers tell otherwise."""
    shutil.copytree(sample.warehouse, home.warehouse, ignore=shutil.ignore_patterns("archive", "versions"))
    asked = ("explain", code, "--period", Q3)
    assert motcua(home, *asked).code == 0
    with duckdb.connect(str(published(home).database)) as touched:
        touched.execute(fault)
    said = motcua(home, *asked)
    assert said.code == 1 and "KHÔNG CỘNG LẠI" in said.out


def test_after_the_reform_on_todays_tree(home: Home) -> None:
    """Dossiers of two communes of then stand behind the count of the commune that took their place."""
    from tests.flow.test_answers import drop

    rows = [
        "A1,Xã Gio Hải,10/06/2023,20/06/2023,,Đang xử lý,Trực tiếp",
        "A2,Xã Gio Mai,20/06/2023,30/12/2023,,Đang xử lý,Trực tiếp",
        "A3,Xã Gio Mai,20/07/2025,30/12/2025,,Đang xử lý,Trực tiếp",
    ]
    drop(home, "a", ("15/06/2023", "14/09/2025"), "14/09/2025 23:00", rows)
    night.run(home)
    with open_published(home) as opened:
        told = explain(opened, figures()["total"], parse_period(Q3), "Xã Cửa Việt", today=True)
        listing, _ = listed(opened, list_of(told))
        assert told.numbers["value"] == 2 and told.adds_up and told.cell.last_day == date(2023, 9, 14)
        assert sorted(r["unit"] for r in listing) == ["Xã Gio Hải", "Xã Gio Mai"]
        assert opened.execute(str(told.sql)).fetchall() == [(2,)]
