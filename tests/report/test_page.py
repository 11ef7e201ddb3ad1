"""The page in a real browser: every figure read back, pickers, languages, keyboard, accessibility, paper, offline."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest
from plotly.offline import get_plotlyjs_version

from pipeline.commands.shared import asked
from pipeline.declare.figures import indicators, measures, thresholds
from pipeline.declare.text import declared
from pipeline.report.book import open_book
from pipeline.report.display import NO_DATA, NOTHING, VERDICT, half_up, indicator_value, number, percent
from pipeline.report.history import open_history
from pipeline.report.page import write_page
from pipeline.report.page.assemble import SCRIPTS, assemble
from pipeline.report.page.payload import payload
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from pipeline.warehouse.sql import rows_of
from tests.conftest import Said
from tests.report.conftest import NOTHING_AROSE
from tests.summaries.tables import ii06a
from tests.summaries.test_nights import SUMMARY
from tests.summaries.test_nights import book as summary_book
from tests.unit.office import Office, dossier, opened

Con = duckdb.DuckDBPyConnection
EVIL = "</script><img src=x onerror=alert(1)>"
PART = files("pipeline.report.page")


@pytest.fixture(scope="module")
def browser(chromium: str, sample: Home, district: Home) -> Iterator[Any]:
    """After the homes: their nights must not run inside the browser's event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@dataclass
class Tab:
    """An open page, what its console said and what it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def choose(self, unit: str | None = None, period: str | None = None) -> None:
        for picker, label in (("#pick-unit", unit), ("#pick-period", period)):
            if label is not None:
                self.page.select_option(picker, label=label)

    def matrix(self) -> dict[str, list[str]]:
        """Unit → what stands in its row of the matrix, without the marks that stand for verdicts."""
        return self.page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll("#matrix tbody tr")].map((row) =>
                 [row.cells[0].textContent, [...row.cells].slice(1).map((cell) => cell.firstChild.textContent)]))"""
        )

    def verdicts(self) -> dict[str, list[str]]:
        return self.page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll("#matrix tbody tr")].map((row) =>
                 [row.cells[0].textContent, [...row.cells].slice(1).map((cell) => cell.classList.contains("met") ? "met"
                   : cell.classList.contains("not_met") ? "not_met" : "")]))"""
        )

    def table(self, place: str) -> dict[str, list[str]]:
        """Name of a row → its other cells, of the table in #place-table."""
        return self.page.evaluate(
            """(id) => Object.fromEntries([...document.querySelectorAll(`#${id}-table tbody tr`)].map((row) =>
                 [row.querySelector("th").textContent, [...row.querySelectorAll("td:not(.bar)")].map((c) => c.textContent)]))""",
            place,
        )

    def cards(self) -> dict[str, list[str]]:
        """Code → value, note, changes of the figures at the head."""
        return self.page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll(".card")].map((card) => [card.dataset.code,
                 [...card.querySelectorAll(".card-value, .card-note, .change")].map((part) => part.textContent)]))"""
        )


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Tab]]:
    """visit(path, fragment): the page in a tab of its own, off the network; at the end it has said and asked nothing."""
    tabs: list[Tab] = []

    def open_tab(path: Path, fragment: str = "", width: int = 1366) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": 768}, offline=True)
        tab = Tab(context.new_page())
        tab.page.set_default_timeout(15_000)
        tab.page.on("console", lambda one: tab.said.append(one.text))
        tab.page.on("pageerror", lambda one: tab.said.append(str(one)))
        tab.page.on("request", lambda one: tab.asked.append(one.url))
        tab.page.on("dialog", lambda one: (tab.said.append(f"dialog {one.message}"), one.dismiss()))
        tab.page.goto(path.as_uri() + fragment)
        tabs.append(tab)
        return tab

    yield open_tab
    for tab in tabs:
        tab.page.context.close()
        assert tab.said == [] and {url.split("#")[0] for url in tab.asked} == {tab.asked[0].split("#")[0]}


def until(page: Any, true: str) -> None:
    """Waits for an expression; the page's own policy forbids the waiting that would evaluate text inside it."""
    for _ in range(100):
        if page.evaluate(true):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {true}")


def made(home: Home, period: str, out: Path, unit: str | None = None) -> Path:
    with open_published(home) as con:
        book = open_book(con, period, unit)
        (path,) = write_page(con, book, open_history(con, book), out)
    return path


@pytest.fixture(scope="module")
def of_quarter(sample: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's quarter."""
    return made(sample, "2023-Q3", tmp_path_factory.mktemp("quarter"))


@pytest.fixture(scope="module")
def of_province(district: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve quarters of 132 units."""
    return made(district, "2023-Q4", tmp_path_factory.mktemp("province"))


# ---- what must stand there, asked of the release in SQL


def told(con: Con, period: str, names: dict[str, str], lang: str = "vi") -> dict[str, list[str]]:
    """Unit → its indicators as people read them, of the units and the whole that the page has in a period."""
    rows = rows_of(con, "SELECT * FROM indicator_value WHERE period = ?", [period])
    found = {(r["unit_id"], r["indicator"]): r for r in rows}
    answer = {}
    for unit_id, name in names.items():
        cells = []
        for code, one in indicators().items():
            r = found[unit_id, code]
            if r["verdict"] in ("no_data", "nothing_arisen"):
                cells.append(VERDICT[r["verdict"]][lang])
            elif one.kind in ("rate", "count_ratio"):
                cells.append(percent(r["numerator"], r["denominator"], lang))
            elif one.kind == "sum":
                cells.append(number(r["numerator"], lang))
            else:
                cells.append(indicator_value(r | {"value": _days(r)}, lang))
        answer[name] = cells
    return answer


def _days(row: dict[str, Any]) -> Any:
    from decimal import Decimal
    from fractions import Fraction

    if row["indicator_kind"] == "median":
        return Decimal(str(row["value"]))
    return half_up(Fraction(row["numerator"], row["denominator"]), 2)


def shown_names(con: Con, period: str, unit: str | None = None) -> dict[str, str]:
    """unit_id → name of the whole and of the units that are no sums."""
    book = open_book(con, period, unit)
    return {u: book.names[u] for u in (book.top, *book.leaves)}


# ---- every figure is the release's


@pytest.mark.browser
def test_every_unit_of_the_sample_shows_the_releases_figures(
    of_quarter: Path, of_sample: Con, visit: Callable[..., Tab]
) -> None:
    tab = visit(of_quarter)
    book = open_book(of_sample, "2023-Q3")
    assert tab.matrix() == told(of_sample, "2023-Q3", shown_names(of_sample, "2023-Q3"))
    for unit_id in list(book.units)[::3]:
        tab.choose(unit=book.names[unit_id])
        row, cards, flow = book.count(unit_id), tab.cards(), tab.table("flow")
        assert row is not None
        for code in declared("page.toml")["headline"]["counts"]:
            assert cards[code][0] == number(row[code], "vi"), (unit_id, code)
        for code in declared("page.toml")["headline"]["indicators"]:
            one = book.rate(unit_id, code)
            assert one is not None
            assert cards[code][0] == indicator_value(one, "vi"), (unit_id, code)
            assert (
                number(one["numerator" if indicators()[code].kind == "rate" else "denominator"], "vi") in cards[code][1]
            )
        assert all(cards[code][-1] == "không có số liệu" for code in cards), "nothing is known of the periods before"
        received = sum(row[m] for m in ("online", "in_person", "postal", "channel_unknown"))
        assert flow["Tiếp nhận mới"][0] == number(received, "vi") and flow["Tổng số"][0] == number(row["total"], "vi")
        assert flow["Đã giải quyết"][0] == number(row["resolved"], "vi")
        assert f"Quá hạn {number(row['resolved_late'], 'vi')}" in flow["Đã giải quyết"][1]


@pytest.mark.browser
@pytest.mark.slow
def test_a_province_in_every_quarter_shows_the_releases_figures(
    of_province: Path, of_district: Con, visit: Callable[..., Tab]
) -> None:
    tab = visit(of_province)
    for key, label in (("2023-Q4", None), (NOTHING_AROSE, "Quý III/2022"), ("2021-Q1", "Quý I/2021")):
        tab.choose(period=label)
        names = shown_names(of_district, key)
        assert len(names) == 133
        assert tab.matrix() == told(of_district, key, names), key
        judged = of_district.execute(
            "SELECT unit_id, indicator, verdict FROM indicator_value WHERE period = ? AND verdict IN ('met', 'not_met')",
            [key],
        ).fetchall()
        seen = {
            (name, code): verdict
            for name, cells in tab.verdicts().items()
            for code, verdict in zip(indicators(), cells, strict=True)
            if verdict
        }
        assert seen == {(names[u], code): verdict for u, code, verdict in judged if u in names}
        assert bool(judged) == (key == "2023-Q4"), "no threshold was in force before"
    trend = tab.table("trend")
    for key, name in (("2021-Q1", "Quý I/2021"), ("2022-Q3", "Quý III/2022"), ("2023-Q4", "Quý IV/2023")):
        row = open_book(of_district, key).count(open_book(of_district, key).top)
        assert row is not None and trend[name] == [number(row[m], "vi") for m in ("total", "resolved", "open")]
    assert tab.table("rates")["Quý III/2022"] == [NOTHING.vi] * 4, "0/0 is no rate"


@pytest.mark.browser
def test_a_quarter_in_which_nothing_arose_says_so(of_province: Path, visit: Callable[..., Tab]) -> None:
    tab = visit(of_province, "#period=2022-Q3")
    cards = tab.cards()
    assert cards["total"][0] == "0" and cards["on_time_rate"][0] == NOTHING.vi
    assert cards["on_time_rate"][2] == "không so được", "nothing arose now: no change is told"
    assert NOTHING.vi in tab.text("#timeliness-plot") and NOTHING.vi in tab.text("#flow-plot")
    tab.choose(period="Quý IV/2022")
    assert tab.cards()["on_time_rate"][2] == NOTHING.vi, "nothing arose in the quarter before"


@pytest.mark.browser
def test_change_is_the_exact_difference_rounded_once(
    of_province: Path, of_district: Con, visit: Callable[..., Tab]
) -> None:
    tab = visit(of_province)
    book = open_book(of_district, "2023-Q4")
    from pipeline.measure.change import count_change, indicator_change

    for unit_id in list(book.units)[:10:4]:
        tab.choose(unit=book.names[unit_id])
        cards = tab.cards()
        for then, at in ((book.earlier, -2), (book.a_year_earlier, -1)):
            rows = book.count(unit_id), book.count(unit_id, then)
            moved: Any = count_change(*(r and r["total"] for r in rows))
            assert cards["total"][at] == _moved(moved, 0, "")
            for code in ("on_time_rate", "processing_days_mean"):
                points = indicators()[code].kind == "rate"
                moved = indicator_change(book.rate(unit_id, code), book.rate(unit_id, code, then))
                if moved is not None:
                    assert cards[code][at] == _moved(moved * 100 if points else moved, 2, " điểm %" if points else "")


def _moved(change: Any, digits: int, unit: str) -> str:
    if half_up(change, digits) == 0:
        return "không đổi"
    return f"{'tăng' if change > 0 else 'giảm'} {number(half_up(abs(change), digits), 'vi', digits)}{unit}"


@pytest.mark.browser
def test_ranking_orders_exactly_and_judges_nothing_itself(
    of_quarter: Path, of_sample: Con, visit: Callable[..., Tab]
) -> None:
    tab = visit(of_quarter)
    assert tab.page.input_value("#ranking-indicator") == "component_digitization_rate", "the first with a threshold"
    ranked = list(tab.table("ranking").items())
    rows = of_sample.execute(
        """SELECT u.unit, v.numerator, v.denominator, v.verdict, v.near, v.needed FROM indicator_value v JOIN unit u USING (unit_id)
           WHERE v.period = '2023-Q3' AND v.indicator = 'component_digitization_rate' AND u.kind IN ('commune', 'counter')
           ORDER BY v.numerator::DECIMAL(18, 9) / v.denominator DESC"""
    ).fetchall()
    expected = [
        (
            unit,
            [
                str(rank),
                percent(n, d, "vi"),
                number(n, "vi"),
                number(d, "vi"),
                "> 70 %",
                VERDICT[verdict].vi + (", sát ngưỡng" if near else ""),
                number(needed, "vi") if needed else "–",
            ],
        )
        for rank, (unit, n, d, verdict, near, needed) in enumerate(rows, 1)
    ]
    assert ranked == expected and ranked[-1][0] == "UBND huyện Gio Linh"
    tab.page.select_option("#ranking-order", "low")
    assert list(tab.table("ranking")) == [unit for unit, _ in reversed(expected)]
    tab.page.select_option("#ranking-indicator", "on_time_rate")
    ranks = [cells[0] for cells in tab.table("ranking").values()]
    assert ranks.count("1") == 14 and "15" in ranks, "equal units share a rank"


@pytest.mark.browser
def test_where_less_is_better_the_least_comes_first(
    of_quarter: Path, visit: Callable[..., Tab], tmp_path: Path
) -> None:
    text = of_quarter.read_text(encoding="utf-8")
    assert text.count('["> 70 %","> 70 %",70.0,false]') == 1
    turned = tmp_path / "turned.html"
    turned.write_text(text.replace(",70.0,false]", ",70.0,true]"), encoding="utf-8")
    assert next(iter(visit(turned).table("ranking"))) == "UBND huyện Gio Linh"


@pytest.mark.browser
def test_a_wrong_number_would_be_seen(
    of_quarter: Path, of_sample: Con, visit: Callable[..., Tab], tmp_path: Path
) -> None:
    text = of_quarter.read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.html"
    assert text.count("[4,434,1063,") == 1
    wrong.write_text(text.replace("[4,434,1063,", "[4,435,1063,"), encoding="utf-8")
    shown = visit(wrong).matrix()
    right = told(of_sample, "2023-Q3", shown_names(of_sample, "2023-Q3"))
    assert {unit for unit in right if shown[unit] != right[unit]} == {"UBND huyện Gio Linh"}


@pytest.mark.browser
def test_numbers_are_written_as_everywhere_else(browser: Any) -> None:
    """format.js and display.py, over halves that a float would lose."""
    chance = random.Random(5)
    pairs = [(1, 8), (5, 1000), (200001, 400000), (2675, 1000), (0, 7), (-5, 2), (10**17 + 1, 3 * 10**15), (125, 10**5)]
    pairs += [(chance.randrange(-(10**9), 10**9), chance.randrange(1, 10**6)) for _ in range(300)]
    page = browser.new_page()
    page.add_script_tag(
        content=f"{PART.joinpath('format.js').read_text(encoding='utf-8')}\nconst verdictName = () => 'none';"
        "window.write = (n, d, lang) => [number(n, lang, d, 2), number(n, lang), d > 0 && n >= 0 ? percent(n, d, lang) : ''];"
    )
    for at, lang in enumerate(("vi", "en")):
        written = page.evaluate(
            "([pairs, lang]) => pairs.map(([n, d]) => write(BigInt(n), BigInt(d), lang))",
            [[[str(n), str(d)] for n, d in pairs], at],
        )
        from fractions import Fraction

        for (n, d), cells in zip(pairs, written, strict=True):
            mine = [number(half_up(Fraction(n, d), 2), lang, 2), number(n, lang), percent(n, d, lang) if n >= 0 else ""]
            assert cells == mine, (n, d)
    page.close()


# ---- choosing


@pytest.mark.browser
def test_a_district_is_ranked_among_its_own_and_a_unit_is_seen_among_all(
    of_province: Path, of_district: Con, visit: Callable[..., Tab]
) -> None:
    tab = visit(of_province)
    book = open_book(of_district, "2023-Q4", "Huyện Gio Linh")
    tab.choose(unit="Huyện Gio Linh")
    names = shown_names(of_district, "2023-Q4", "Huyện Gio Linh")
    assert tab.matrix() == told(
        of_district, "2023-Q4", names | {open_book(of_district, "2023-Q4").top: "Tỉnh Quảng Trị"}
    )
    assert set(tab.table("timeliness")) == {book.names[u] for u in book.leaves}
    tab.choose(unit="Xã Gio An")
    assert len(tab.table("ranking")) == 132 and tab.text("#ranking tr.chosen th") == "Xã Gio An"
    assert list(tab.table("days")) == [p.label.vi for p in open_history(of_district, book).periods], "over the periods"
    assert tab.text("#live") == "Đang hiện số liệu: Xã Gio An, Quý IV/2023."
    tab.choose(unit="UBND huyện Gio Linh", period="Quý I/2022")
    tab.page.reload()
    shown = tab.text("#span")
    assert shown.startswith("UBND huyện Gio Linh, Quý I/2022"), "the address holds the choice, of two with one code too"


@pytest.mark.browser
def test_english_says_all_its_words_in_english(of_quarter: Path, of_sample: Con, visit: Callable[..., Tab]) -> None:
    tab = visit(of_quarter)
    assert tab.page.get_attribute("html", "lang") == "vi"
    tab.page.click("#lang-en")
    assert (
        tab.page.get_attribute("html", "lang") == "en" and tab.page.get_attribute("#lang-en", "aria-pressed") == "true"
    )
    assert tab.matrix() == told(of_sample, "2023-Q3", shown_names(of_sample, "2023-Q3"), "en")
    heads = tab.page.eval_on_selector_all("#matrix thead th", "all => all.slice(1).map((one) => one.innerText)")
    assert heads == [one.label.en for one in indicators().values()]
    own = {w for name in open_book(of_sample, "2023-Q3").names.values() for w in name.split()} | {"Tiếng", "Việt"}
    foreign = set(re.findall(r"[A-Za-zÀ-ỹ]*[ăâđêôơưạ-ỹĂÂĐÊÔƠƯ][A-Za-zÀ-ỹ]*", tab.text("body"))) - own
    assert foreign == set(), "Vietnamese where English belongs"


# ---- for everybody


@pytest.mark.browser
def test_everything_can_be_done_by_keyboard(of_quarter: Path, visit: Callable[..., Tab]) -> None:
    tab = visit(of_quarter)
    page = tab.page
    focused = "document.activeElement.id || document.activeElement.className"
    page.keyboard.press("Tab")
    assert (
        page.evaluate(focused) == "skip" and page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    )
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == "main"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "asks"
    page.keyboard.press("Enter")
    assert page.is_visible("#definition") and "Tổng số" in tab.text("#definition-name")
    assert "mọi hồ sơ" in tab.text("#definition-text") and "biểu II.06a" in tab.text("#definition-text")
    page.keyboard.press("Escape")
    assert not page.is_visible("#definition") and page.evaluate(focused) == "asks", "back where one was"
    page.keyboard.press("Shift+Tab")
    while page.evaluate(focused) != "pick-unit":
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    assert tab.text("#span").startswith("Các xã") and "Các xã" in tab.text("#live")
    assert page.evaluate(focused) == "pick-unit", "the picker keeps the focus"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(focused) == "sorter":
            break
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == "sorter"
    assert page.get_attribute("#matrix th:nth-child(2)", "aria-sort") == "descending"
    rates = [cells[0] for cells in list(tab.matrix().values())[2:]]
    assert rates == sorted(rates, key=lambda text: -float(text[:-2].replace(",", ".")))


@pytest.mark.browser
@pytest.mark.slow
def test_an_accessibility_checker_finds_nothing_serious(
    of_quarter: Path, of_province: Path, visit: Callable[..., Tab]
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    def serious(tab: Tab, **options: Any) -> list[str]:
        found = Axe().run(tab.page, options={"resultTypes": ["violations"]} | options).response["violations"]
        return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] in ("serious", "critical")]

    tab = visit(of_quarter)
    tab.page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true; })")
    assert serious(tab) == [], "all opened"
    tab.page.click("#lang-en")
    tab.page.click(".asks >> nth=5")
    assert serious(tab) == [], "in English, with a definition"
    phone = visit(of_province, "#unit=466-all&period=2022-Q3", width=390)
    assert serious(phone) == [], "on a phone, where nothing arose"
    phone.page.evaluate("document.querySelector('.tools label').replaceWith(document.getElementById('pick-unit'))")
    assert any(v.startswith("select-name") for v in serious(phone, runOnly=["select-name"])), (
        "a picker without its name"
    )


@pytest.mark.browser
def test_page_fits_a_phone_and_the_paper(of_quarter: Path, visit: Callable[..., Tab]) -> None:
    tab = visit(of_quarter, width=390)
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 390
    tab.page.set_viewport_size({"width": 1366, "height": 768})
    wide = "document.querySelector('#flow-plot .main-svg').width.baseVal.value > 690"
    until(tab.page, wide)
    tab.page.evaluate(
        "addEventListener('beforeprint', () => { window.printed = [...document.querySelectorAll('.plot .main-svg')]"
        ".map((svg) => svg.width.baseVal.value).concat(document.querySelectorAll('#definitions-list details[open]').length); })"
    )
    paper = tab.page.pdf(prefer_css_page_size=True)
    *widths, opened = tab.page.evaluate("window.printed")
    assert max(widths) == 690 and opened == len(indicators()) + len(measures())
    assert paper.startswith(b"%PDF") and 8 <= paper.count(b"/Type /Page\n") <= 14
    until(tab.page, wide)  # as before
    tab.page.emulate_media(media="print")
    assert not tab.page.is_visible(".tools") and tab.page.is_visible("#matrix table")


# ---- offline, guarded, the same


@pytest.mark.browser
def test_names_from_files_are_text(of_sample: Con, visit: Callable[..., Tab], tmp_path: Path) -> None:
    from dataclasses import replace

    book = open_book(of_sample, "2023-Q3")
    history = open_history(of_sample, book)
    unit_id = next(iter(book.leaves))
    path = tmp_path / "evil.html"
    names = history.names | {unit_id: EVIL, book.top: "{{plotly}} & <b>"}
    path.write_text(assemble(payload(of_sample, book, replace(history, names=names)), "vi"), encoding="utf-8")
    tab = visit(path)
    tab.choose(unit=EVIL)
    assert tab.page.locator("img").count() == 0 and EVIL in tab.matrix()
    assert tab.page.title().startswith(EVIL) and tab.text("#whole") == "{{plotly}} & <b>"


@pytest.mark.browser
def test_browser_is_told_to_ask_nobody(of_quarter: Path, browser: Any) -> None:
    text = of_quarter.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy and "default-src 'none'" in policy[1] and policy[1].count("sha256-") == 2
    assert "'unsafe-inline'" not in policy[1].split("style-src")[0] and "http" not in policy[1]
    page = browser.new_page()
    page.goto(of_quarter.as_uri())
    broken = page.evaluate(
        """async () => {
             const broken = [];
             addEventListener("securitypolicyviolation", (one) => broken.push(one.effectiveDirective));
             await fetch("http://127.0.0.1:9/").catch(() => {});
             const script = document.createElement("script");
             script.textContent = "window.ran = true";
             document.body.append(script);
             const picture = new Image();
             picture.src = "http://127.0.0.1:9/x.png";
             await new Promise((done) => setTimeout(done, 200));
             return [broken.sort(), window.ran ?? false];
           }"""
    )
    assert broken == [["connect-src", "img-src", "script-src-elem"], False]
    page.close()


@pytest.mark.browser
@pytest.mark.slow
def test_a_province_of_twelve_quarters_is_there_in_two_seconds(of_province: Path, browser: Any) -> None:
    assert of_province.stat().st_size < 2_300_000
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    took = []
    for _ in range(3):
        page.goto("about:blank")
        page.goto(of_province.as_uri())
        until(page, "document.querySelectorAll('.plot .main-svg').length >= 5")
        took.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
    page.close()
    assert min(took) < 2000, took


def test_same_release_gives_the_same_bytes(sample: Home, of_quarter: Path, tmp_path: Path) -> None:
    assert made(sample, "2023-Q3", tmp_path).read_bytes() == of_quarter.read_bytes()


def test_plotly_bundle_is_of_the_version_of_plotly() -> None:
    head = PART.joinpath("plotly-basic.min.js").read_text(encoding="utf-8")[:200]
    assert f"(basic - minified) v{get_plotlyjs_version()}\n" in head, (
        "plotly was updated: put plotly-basic.min.js of the npm package plotly.js-basic-dist-min of that version here"
    )


def test_scripts_cannot_end_before_their_end() -> None:
    for name in (*(f"{n}.js" for n in SCRIPTS), "plotly-basic.min.js"):
        text = PART.joinpath(name).read_text(encoding="utf-8").lower()
        assert "</script" not in text and "<!--" not in text, name


def test_words_are_declared_and_used() -> None:
    declared_words = set(declared("page.toml")["words"])
    texts = [PART.joinpath(f"{n}.js").read_text(encoding="utf-8") for n in SCRIPTS]
    html = PART.joinpath("template.html").read_text(encoding="utf-8")
    used = set(re.findall(r'data-(?:word|label)="(\w+)"', html))
    used |= {w for text in texts for w in re.findall(r'"(\w+)"', text)} & declared_words
    used |= {"no_script"} | {kind for one in thresholds() for kind in one.kinds}  # by Python; as the release names them
    assert used == declared_words
    figures = declared("page.toml")["headline"]
    assert set(figures["counts"]) <= set(measures()) and set(figures["indicators"]) <= set(indicators())


# ---- partial, sealed, of no data


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A source of its own units; its file reaches to the middle of the quarter, and two of its rows are rejected."""
    office = Office(tmp_path_factory.mktemp("little"))
    office.source('units = "from_file"\nknown_at = "exported"\n')
    rows = [dossier(unit=EVIL), dossier(unit=EVIL), opened(unit="Phòng A"), dossier(unit="Phòng A", channel="")]
    titles = ("SỔ THEO DÕI", "Từ ngày 15/06/2023 đến ngày 31/07/2023", "Ngày xuất dữ liệu: 31/07/2023 23:30:00")
    office.drop("so.csv", rows, titles)
    assert office.night().exit_code == 1
    return office


@pytest.mark.browser
def test_partial_and_sealed_figures_say_so(
    little: Office, browser: Any, visit: Callable[..., Tab], motcua: Callable[..., Said], tmp_path: Path
) -> None:
    def looked(name: str) -> tuple[Tab, dict[str, str]]:
        path = made(little.home, "2023-Q3", tmp_path / name)
        tab = visit(path)
        terms = tab.page.eval_on_selector_all(
            "#about-list dt", "all => all.map((t) => [t.textContent, t.nextSibling.textContent])"
        )
        return tab, dict(terms)

    tab, about = looked("live")
    assert "số liệu một phần" in tab.text("#span") and "chốt ngày 31/07/2023" in tab.text("#span")
    assert "số chưa chốt" in tab.text("#span") and tab.text("#notes").startswith("Còn thiếu: ")
    assert "1 một phần" in tab.text("#coverage-told") and tab.table("accounts")["từ chối"][1] == "2"
    assert "không đạt ở 1 chỗ" in tab.text("#findings-list") and about["Dấu chốt"] == "số chưa chốt"
    assert motcua(little.home, "seal", "2023-Q3").code == 0
    with open_published(little.home) as con:
        ((seal, sha256),) = con.execute("SELECT seal, sha256 FROM seal WHERE counts").fetchall()
        info = dict(con.execute("SELECT key, value FROM release_info").fetchall())
    tab, about = looked("sealed")
    assert f"số đã chốt, dấu {seal}" in tab.text("#span")
    said = motcua(little.home, "export", "--period", "2023-Q3", "--live", "--no-pictures", "--out", str(tmp_path))
    passed_over = f"không phải số đã chốt, dấu {seal}"
    assert said.code == 0 and passed_over in visit(tmp_path / "trang_so_lieu.html").text("#span")
    assert about["Dấu chốt"] == f"{sha256} (lần 1 của 2023-Q3)" and about["Bản công bố"] == info["release"]
    assert about["Mã băm dữ liệu vào"] == info["inputs"] and about["Cách tính"] == "Motcua (motcua)"


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """In one quarter a register of one commune and a summary of two; years later a register of a unit of today."""
    office = Office(tmp_path_factory.mktemp("mixed"))
    office.source('known_at = "exported"\n')
    office.drop("so.csv", [*(dossier(unit="Xã Gio An") for _ in range(7)), opened(unit="Xã Gio An")])
    office.source(SUMMARY, key="bieu")
    rows = [ii06a("Xã Gio Châu", 10, 5, 2, 8, 4, 1, 3, 1), ii06a("Xã Gio An", 5, 4, 0, 5, 2, 0, 1, 1)]
    summary_book(office, "bieu.xlsx", rows)
    titles = ("SỔ THEO DÕI HỒ SƠ", "Từ ngày 15/09/2025 đến ngày 14/12/2025", "Ngày xuất dữ liệu: 14/12/2025 23:30:00")
    days = {"received_at": "03/10/2025 08:00:00", "finished_at": "06/10/2025 08:00:00", "due_at": "07/10/2025 17:00:00"}
    office.source('known_at = "exported"\n', key="moi")
    office.drop("moi.csv", [dossier(unit="Xã Gio Linh", **days) for _ in range(4)], titles, key="moi")
    assert office.night().exit_code == 0
    return office


@pytest.mark.browser
def test_what_a_summary_does_not_tell_is_a_dash(
    mixed: Office, browser: Any, visit: Callable[..., Tab], tmp_path: Path
) -> None:
    tab = visit(made(mixed.home, "2023-Q3", tmp_path))
    tab.choose(unit="Xã Gio Châu")
    flow = tab.table("flow")
    assert flow["Tiếp nhận mới"][0] == "–" and "Bưu chính –" in flow["Tiếp nhận mới"][1]
    assert flow["Đã giải quyết"][0] == "13" and flow["Tổng số"][0] == "17" and "theo bảng tổng hợp" in tab.text("#span")
    assert tab.cards()["component_digitization_rate"][:2] == [NO_DATA.vi, "không rõ 17"]
    assert "Chỗ lệch" not in tab.text("#findings-list")
    tab.choose(unit="Xã Gio An")
    with open_published(mixed.home) as con:
        ((differ,),) = con.execute("SELECT count(*) FROM reconciliation WHERE difference <> 0").fetchall()
    assert f"Chỗ lệch giữa bảng tổng hợp và sổ theo dõi: {differ}." in tab.text("#findings-list") and differ > 0


@pytest.mark.browser
def test_trend_goes_on_over_the_reform_in_counts_alone(
    mixed: Office, browser: Any, visit: Callable[..., Tab], tmp_path: Path
) -> None:
    tab = visit(made(mixed.home, "2025-Q4", tmp_path))
    tab.choose(unit="Tỉnh Quảng Trị")
    with open_published(mixed.home) as con:
        merged = con.execute(
            "SELECT total, resolved, open FROM trend_count WHERE period = '2023-Q3' AND unit_id = '44@2025-07-01'"
        ).fetchall()
    trend = tab.table("trend")
    assert trend["Quý III/2023"] == [number(n, "vi") for n in merged[0]] and trend["Quý IV/2025"] == ["4", "4", "0"]
    assert set(tab.table("rates")["Quý III/2023"]) == {NO_DATA.vi}, "no rate is made of merged counts"
    assert tab.text("#trend-note") == "Số của các đơn vị cũ cộng vào đơn vị hiện nay."
    tab.choose(period="Quý III/2023")
    assert "không có trong danh sách đơn vị của kỳ này" in tab.text("#notes") and tab.cards()["total"][0] == "25"


@pytest.mark.browser
def test_other_rules_and_known_time_are_told(
    sample: Home, browser: Any, visit: Callable[..., Tab], tmp_path: Path
) -> None:
    moment = datetime(2023, 9, 20, 23, 59, 59)
    with asked(sample, "vi", rules="opencps-monthly", period="2023-Q3") as con:
        book = open_book(con, "2023-Q3", rules="opencps-monthly", as_known=moment)
        (path,) = write_page(con, book, open_history(con, book), tmp_path)
    tab = visit(path)
    row = book.count(book.top)
    assert row is not None and tab.cards()["resolved_late"][0] == number(row["resolved_late"], "vi") != "4"
    assert tab.text("#notes") == "Cách tính: OpenCPS, số chạy hằng tháng (opencps-monthly)"
    assert "20/09/2023 23:59:59" in tab.text("#about-list") and "không có phép kiểm tra riêng" in tab.text(
        "#findings-list"
    )


@pytest.mark.browser
def test_a_period_without_data_is_no_zero(sample: Home, visit: Callable[..., Tab], tmp_path: Path) -> None:
    tab = visit(made(sample, "2019-Q1", tmp_path))
    assert {cells[0] for cells in tab.cards().values()} == {NO_DATA.vi}
    assert {cell for cells in tab.matrix().values() for cell in cells} == {NO_DATA.vi}
    assert tab.text("#flow-plot") == NO_DATA.vi and "18 không có số liệu" in tab.text("#coverage-told")
    assert tab.text("#span").endswith(f"; {NO_DATA.vi}.")


def test_payload_holds_no_dossier(of_sample: Con) -> None:
    book = open_book(of_sample, "2023-Q3")
    text = json.dumps(payload(of_sample, book, open_history(of_sample, book)), ensure_ascii=False)
    for column in ("replace(CAST(dossier_id AS VARCHAR), '-', '')", "CAST(dossier_id AS VARCHAR)", "procedure"):
        some = of_sample.execute(
            f"SELECT DISTINCT {column} FROM dossier WHERE {column} IS NOT NULL LIMIT 200"
        ).fetchall()
        assert some and not [v for (v,) in some if v in text]
