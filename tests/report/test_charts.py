"""Charts of a book: what is drawn is what the release says; pictures, and what is said where none can be drawn."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from pipeline.declare.charts import charts, colours, flow_steps
from pipeline.declare.figures import indicators, measures
from pipeline.errors import NoPictures
from pipeline.report.book import Book, open_book
from pipeline.report.charts import browser, pictures
from pipeline.report.display import number
from pipeline.report.figures import Drawing, drawings, parts_of
from pipeline.report.history import History, open_history

Con = duckdb.DuckDBPyConnection
PERIOD = "2023-Q3"


@pytest.fixture
def told(of_sample: Con) -> tuple[Book, History]:
    book = open_book(of_sample, PERIOD)
    return book, open_history(of_sample, book)


def test_charts_name_what_is_declared_and_give_each_a_colour() -> None:
    known = {*measures(), *indicators()}
    for chart in charts().values():
        assert set(chart.shows) <= known, chart.name
    drawn = {c for s in flow_steps() for c in (*s.counts, s.whole) if c}
    drawn |= {c for name, chart in charts().items() if name != "ranking" for c in chart.shows}
    assert drawn <= set(colours()) and set(colours()) <= known | {"met", "not_met", "no_target"}


def test_flow_rises_to_the_total_and_falls_to_what_is_open(told: tuple[Book, History]) -> None:
    book, _ = told
    rows = [r for r in (book.count(u) for u in book.units) if r is not None]
    assert len(rows) == 20
    for row in rows:
        size = {step.sign: 0 for step in flow_steps()}
        for step in flow_steps():
            size[step.sign] += parts_of(row, step)[1] or 0
        assert size[1] == row["total"] and size[1] - size[-1] == size[0] == row["open"], row["unit"]


def test_a_summary_that_tells_no_parts_is_drawn_as_a_whole() -> None:
    resolved = next(s for s in flow_steps() if s.whole == "resolved")
    row = dict.fromkeys(measures(), None) | {"resolved": 12, "resolved_late": 3}
    assert parts_of(row, resolved) == ([("resolved", 12)], 12)
    received = next(s for s in flow_steps() if "online" in s.counts)
    assert parts_of(row | {"online": 5}, received) == ([("online", 5)], None), "what is not told is no zero"


def test_bars_are_the_releases_figures(told: tuple[Book, History], of_sample: Con) -> None:
    drawn = drawings(*told)
    for code in ("on_time_rate", "component_digitization_rate", "result_digitization_rate"):
        found = of_sample.execute(
            """SELECT u.unit, v.numerator, v.denominator, v.verdict FROM indicator_value v JOIN unit u USING (unit_id)
               WHERE v.period = ? AND v.indicator = ? AND u.kind IN ('commune', 'counter') AND v.value IS NOT NULL""",
            [PERIOD, code],
        ).fetchall()
        one = drawn[f"ranking_{code}"]
        words = {"đạt ngưỡng": "met", "chưa đạt ngưỡng": "not_met", "không có ngưỡng": "no_target"}
        bars = {
            (unit, words[trace.name]): value
            for trace in one.figure.data
            for unit, value in zip(trace.y, trace.x, strict=True)
        }
        assert bars == {(unit, verdict): pytest.approx(100 * n / d) for unit, n, d, verdict in found}
        ranked = [unit for unit, _, _, _ in sorted(found, key=lambda r: -Fraction(r[1], r[2]))]
        assert len(ranked) == 18
        values = {unit: Fraction(n, d) for unit, n, d, _ in found}
        shown = list(one.figure.layout.yaxis.categoryarray)[::-1]
        assert [values[u] for u in shown] == [values[u] for u in ranked], "best first"
    flow = drawn["flow"]
    counts = {trace.name: trace.y[0] for trace in flow.figure.data}
    row = told[0].count(told[0].top)
    assert row is not None
    assert counts == {measures()[m].label.vi: row[m] for s in flow_steps() for m in s.counts if row[m]}
    assert "Đã giải quyết: 7.614" in flow.told and flow.title.endswith("Huyện Gio Linh, Quý III/2023")


def test_late_units_are_told_with_their_numbers(told: tuple[Book, History]) -> None:
    one = drawings(*told)["timeliness"]
    assert one.told.startswith("4 trong 18 đơn vị") and "Xã Gio Mai 1" in one.told
    beside = [note.text for note in one.figure.layout.annotations]
    assert beside.count("1 / 886") == 1 and "quá hạn / đã giải quyết" in beside[-1]


def test_a_units_name_is_text_and_not_a_tag(told: tuple[Book, History]) -> None:
    book, history = told
    unit_id = next(iter(book.leaves))
    evil = "<a href='javascript:alert(1)'>Xã</a> & <b>"
    named = replace(history, names=history.names | {unit_id: evil})
    for one in drawings(book, named).values():
        text = one.figure.to_json()
        assert "<a href" not in text.replace("\\u003c", "<"), one.name
    assert any("&lt;a href" in str(trace.y) for trace in drawings(book, named)["ranking_on_time_rate"].figure.data)


def test_province_units_of_one_name_keep_their_rows_and_the_last_thirty_are_shown(of_district: Con) -> None:
    book = open_book(of_district, "2023-Q4")
    history = open_history(of_district, book)
    leaves = [history.names[u] for u in book.leaves]
    assert len(leaves) == len(set(leaves)) > 120 and "Phường 1, Thị xã Quảng Trị" in leaves
    assert history.periods[0].key == "2021-Q1" and len(history.periods) == 12
    drawn = drawings(book, history)
    one = drawn["ranking_component_digitization_rate"]
    assert sum(len(trace.y) for trace in one.figure.data) == charts()["ranking"].most
    assert f"(30 đơn vị cuối trong {len(leaves) - 1})" in one.title, "to the first unit nothing came"
    empty = [trace.y[6] for trace in drawn["trend"].figure.data]
    assert empty == [0, 0, 0] and "Quý III/2022: không phát sinh" in drawn["trend"].told
    assert all(trace.y[6] is None for trace in drawn["rates_over_time"].figure.data), "0/0 is no point"


def test_a_quarter_in_which_nothing_arose_has_no_chart_of_its_own(of_district: Con) -> None:
    book = open_book(of_district, "2022-Q3")
    assert set(drawings(book, open_history(of_district, book))) == {"trend", "rates_over_time"}


def test_a_year_without_data_has_no_chart_at_all(of_sample: Con, tmp_path: Path) -> None:
    book = open_book(of_sample, "2019-Q1")
    drawn = drawings(book, open_history(of_sample, book))
    assert drawn == {} and pictures(drawn, tmp_path / "none") == {}


# ---- pictures


@pytest.mark.browser
@pytest.mark.slow
def test_pictures_are_drawn_as_png_and_svg(
    told: tuple[Book, History], tmp_path: Path, chromium: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER_PATH", chromium)
    assert browser() == chromium
    drawn = {name: one for name, one in drawings(*told).items() if name in ("flow", "timeliness")}
    made = pictures(drawn, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"flow.png", "flow.svg", "timeliness.png", "timeliness.svg"}
    for name, path in made.items():
        head = path.read_bytes()[:24]
        assert head.startswith(b"\x89PNG") and int.from_bytes(head[16:20]) == 2000
        text = path.with_suffix(".svg").read_text(encoding="utf-8")
        assert charts()[name].title.vi in text and "Huyện Gio Linh" in text
    row = told[0].count(told[0].top)
    assert row is not None
    assert number(row["resolved_early"], "vi") in made["flow"].with_suffix(".svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        (True, ("không có trình duyệt", "There is no browser")),
        (False, ("không vẽ được biểu đồ", "did not draw")),
    ],
)
def test_without_a_browser_it_is_said_and_nothing_stays_behind(
    told: tuple[Book, History],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: bool,
    says: tuple[str, str],
) -> None:
    path = tmp_path / "browser"
    if not missing:
        path.write_text("#!/bin/sh\nexit 7\n")
        path.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(path))
    assert browser() == (None if missing else str(path)), "motcua doctor tells"
    one: dict[str, Drawing] = {"flow": drawings(*told)["flow"]}
    with pytest.raises(NoPictures) as raised:
        pictures(one, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    for lang, words in zip(("vi", "en"), says, strict=True):
        text = raised.value.render(lang)
        assert words in text and "BROWSER_PATH" in text
        assert ("không kèm hình" if lang == "vi" else "without pictures") in text
