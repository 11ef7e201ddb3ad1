"""The report's section I.3 as data: what is said, of which units, with which figures, and where these are read from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.declare import report_section as plan
from pipeline.declare.figures import indicators, measures
from pipeline.measure import answers
from pipeline.report.book import Book, open_book
from pipeline.report.section.as_text import as_markdown
from pipeline.report.section.build import section
from pipeline.report.section.model import Cell, Figure, Heading, Paragraph, Section, Table
from pipeline.report.section.scope import Scope, inline_name
from pipeline.report.section.tell import OPTIONAL, PLACEHOLDER, fill
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.report.books import COMPONENTS, Told, book
from tests.report.conftest import NOTHING_AROSE

GOLDEN = Path(__file__).parent / "golden" / "2023-Q3.md"
WHOLE, COUNTER, COMMUNES = "466-all", "466", "466-xa"


@pytest.fixture(scope="module")
def model(sample: Home) -> Iterator[tuple[duckdb.DuckDBPyConnection, Book]]:
    with open_published(sample) as con:
        yield con, open_book(con, "2023-Q3")


@pytest.fixture(scope="module")
def told(model: tuple[duckdb.DuckDBPyConnection, Book]) -> Section:
    return section(model[1])


def sentences(of: Section) -> dict[tuple[str, str], str]:
    """(sentence, unit_id) → its text."""
    found = (s for p in of.pieces if isinstance(p, Paragraph) for s in p.sentences)
    return {(s.id, s.unit_id or ""): s.text for s in found}


def words(of: Section) -> str:
    return "\n".join(p.text for p in of.pieces if isinstance(p, Paragraph))


def figures(of: Section) -> list[Figure]:
    """Every figure of the section, in sentences, captions and tables."""
    found = []
    for piece in of.pieces:
        if isinstance(piece, Paragraph):
            found += [f for s in piece.sentences for f in s.figures]
        elif isinstance(piece, Table):
            found += [*piece.caption.figures, *(f for line in piece.lines for f in (line.label, *line.cells))]
    return found


# ---- the model quarter


@pytest.mark.parametrize(
    ("sentence", "unit", "says"),
    [
        ("scope.span", WHOLE, "từ ngày 15/06/2023 đến hết ngày 14/09/2023"),  # the printed report does not tell its period
        ("scope.full", WHOLE, "cả 18 đơn vị"),
        ("handled.received", WHOLE, "8.134 hồ sơ, gồm 368 hồ sơ kỳ trước chuyển sang, 4.910 hồ sơ nộp trực tuyến, 2.856"),
        ("handled.received", COUNTER, "1.365 hồ sơ, gồm 302 hồ sơ kỳ trước chuyển sang, 255 hồ sơ nộp trực tuyến, 808"),
        ("handled.received", COMMUNES, "6.769 hồ sơ, gồm 66 hồ sơ kỳ trước chuyển sang, 4.655 hồ sơ nộp trực tuyến, 2.048"),
        # printed: "0,5%", which with 99,95 % makes more than 100 %
        ("handled.resolved", WHOLE, "7.614 hồ sơ: trước và đúng hạn 7.610 hồ sơ, đạt 99,95 %; quá hạn 4 hồ sơ, chiếm 0,05 %"),
        ("handled.resolved", COUNTER, "886 hồ sơ: trước và đúng hạn 885 hồ sơ, đạt 99,89 %; quá hạn 1 hồ sơ, chiếm 0,11 %"),
        ("handled.resolved", COMMUNES, "6.728 hồ sơ: trước và đúng hạn 6.725 hồ sơ, đạt 99,96 %; quá hạn 3 hồ sơ, chiếm 0,04 %"),
        ("handled.in_time", WHOLE, "5.456 hồ sơ trước hạn, 2.145 hồ sơ đúng hạn, 9 hồ sơ không quy định thời hạn"),
        ("handled.open", WHOLE, "520 hồ sơ: trong hạn 520 hồ sơ, quá hạn 0 hồ sơ"),
        # printed: both lists under "chưa đạt", one with > and one with <
        (f"digitization.{COMPONENTS}.not_met", WHOLE, "xã Trung Hải (51,04 %, còn thiếu 37 hồ sơ); UBND huyện Gio Linh (40,83 %, còn thiếu 311 hồ sơ)"),
        (f"digitization.{COMPONENTS}.met", WHOLE, "Đạt ngưỡng (> 70 %): 16 đơn vị"),
        (f"digitization.{COMPONENTS}.met", WHOLE, "xã Gio Hải (99,46 %)"),  # printed: "Gio Hai"
        ("digitization.result_digitization_rate.met", WHOLE, "18 đơn vị"),
        ("digitization.result_digitization_rate.none_not_met", WHOLE, "Không có đơn vị nào chưa đạt"),
        # printed: 42,2 % of an undefined denominator, in an order that 90,6 % before 91,2 % breaks
        ("online.online_service_rate.told", WHOLE, "xã Gio Việt (91,20 %); xã Gio Hải (90,61 %)"),
        ("online.online_service_rate.told", WHOLE, "UBND huyện Gio Linh (42,22 %)"),
        ("online_share.online_share.rate", COUNTER, "255/1.063"),
        ("full_process.full_process_rate.told_with_counts", WHOLE, "thị trấn Gio Linh (2/2, đạt 100,00 %)"),
        ("full_process.full_process_rate.nothing_arisen", WHOLE, "17 đơn vị"),  # printed: 0 %, for 0 of 0
        ("service.copies", WHOLE, "136 bản"),
        ("service.apologies", WHOLE, "4/4 hồ sơ trễ hạn của kỳ"),  # printed: 9/9, of which period is not said
        ("service.slips", WHOLE, "5.756 phiếu trên 7.614 hồ sơ đã giải quyết, đạt 75,60 %"),  # printed: 77,53 %
        ("service.slips", WHOLE, "không phải tỷ lệ hài lòng"),
        ("service.days", WHOLE, "bình quân 4,42 ngày, trung vị 2,00 ngày"),
        ("compared.earlier.then_unknown", WHOLE, "So với quý II/2023: không có số liệu để so sánh."),
        ("compared.a_year_earlier.then_unknown", WHOLE, "So với quý III/2022: không có số liệu để so sánh."),
        ("missed.missed", WHOLE, "Còn 2 trường hợp"),
    ],
)  # fmt: skip
def test_the_model_quarter_is_told_rightly(told: Section, sentence: str, unit: str, says: str) -> None:
    assert says in sentences(told)[sentence, unit]


@pytest.mark.parametrize("wrong", ["0,50 %", "0,5 %", "77,53", "9/9", "Gio Hai ", "<70", "< 70", "mức độ 3"])
def test_what_the_printed_report_said_wrongly_is_not_said(told: Section, wrong: str) -> None:
    assert wrong not in words(told)


def test_every_figure_is_the_releases(model: tuple[duckdb.DuckDBPyConnection, Book], told: Section) -> None:
    con, one = model
    found = [f for f in figures(told) if f.cells and "verdict" not in f.name]
    assert len(found) > 300
    for figure in found:
        assert figure.display == shown(con, figure.cells[0]), figure
    # a count planted into the book is another than the release's
    counts = {k: {u: dict(r) for u, r in rows.items()} for k, rows in one.counts.items()}
    counts["2023-Q3"][COUNTER]["total"] += 1
    planted = section(replace(one, counts=counts))
    assert [f.cells[0].unit_id for f in figures(planted) if f.cells and "verdict" not in f.name
            and f.display != shown(con, f.cells[0])] == [COUNTER] * 3  # sentence, table of levels, table of units  # fmt: skip


def shown(con: duckdb.DuckDBPyConnection, cell: Cell) -> str:
    """A figure as the release has it, by SQL, written by this test's own hand."""
    if cell.figure in measures():
        return grouped(counted(con, cell.period)[cell.unit_id][cell.figure])
    [(n, d, unknown, median, p, q, operator, needed)] = con.execute(
        "SELECT numerator, denominator, unknown, value, threshold_p, threshold_q, operator, needed FROM indicator_value "
        "WHERE (period, unit_id, indicator) = (?, ?, ?)",
        [cell.period, cell.unit_id, cell.figure],
    ).fetchall()
    match cell.part:
        case "threshold":
            return f"{operator} {Decimal(p * 100) / q:f} %".replace(".", ",")
        case str(part):
            return grouped({"numerator": n, "denominator": d, "unknown": unknown, "needed": needed}[part])
    kind = indicators()[cell.figure].kind
    if kind == "sum":
        return grouped(n)
    if d == 0:
        return "không phát sinh"
    exact = Decimal(str(median)) if kind == "median" else Decimal(n) / d * (1 if kind == "mean" else 100)
    value = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{value}".replace(".", ",") + ("" if kind in ("mean", "median") else " %")


@cache
def counted(con: duckdb.DuckDBPyConnection, period: str) -> dict[str, dict[str, int]]:
    """unit_id → the counts of `motcua stats`."""
    ids = dict(con.execute("SELECT unit, unit_id FROM unit").fetchall())
    return {ids[row["unit"]]: row for row in answers.stats(con, period)}


def grouped(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def test_each_cell_names_the_command_that_explains_it(told: Section) -> None:
    explained = {c.explain for f in figures(told) for c in f.cells}
    assert "motcua explain late_rate --period 2023-Q3 --unit 466-all" in explained
    assert len({(c.unit_id, c.figure) for f in figures(told) for c in f.cells}) == len(explained)


def test_the_golden_markdown(model: tuple[duckdb.DuckDBPyConnection, Book], told: Section) -> None:
    one = model[1]
    golden = GOLDEN.read_text(encoding="utf-8")
    assert as_markdown(section(replace(one, info=one.info | {"release": "…"})), {}) == golden
    # one dossier more resolved late, and it is another text
    rates = {k: {c: dict(r) for c, r in rows.items()} for k, rows in one.rates.items()}
    rates["2023-Q3"][WHOLE, "late_rate"]["numerator"] += 1
    planted = as_markdown(section(replace(one, rates=rates, info=one.info | {"release": "…"})), {})
    assert planted != golden
    assert golden.replace("chiếm 0,05 %", "chiếm 0,07 %") == planted


# ---- other periods and units


def test_a_commune_is_told_of_alone(model: tuple[duckdb.DuckDBPyConnection, Book]) -> None:
    one = section(open_book(model[0], "2023-Q3", "19501"))
    text = words(one)
    assert "Đối chiếu ngưỡng > 70 %: chưa đạt, còn thiếu 37 hồ sơ." in text
    assert (
        "Đã giải quyết 193 hồ sơ, trước và đúng hạn 193 hồ sơ, đạt 100,00 %; không có hồ sơ giải quyết quá hạn." in text
    )
    assert "Đến cuối kỳ không còn hồ sơ đang giải quyết." in text
    assert "Xin lỗi khi trễ hạn: không phát sinh hồ sơ trễ hạn." in text
    assert " đơn vị" not in text
    assert [p.id for p in one.pieces if isinstance(p, Table)] == ["missed.missed"]


def test_a_quarter_in_which_nothing_arose(of_district: duckdb.DuckDBPyConnection) -> None:
    one = section(open_book(of_district, NOTHING_AROSE))
    text = words(one)
    assert "Tỉnh Quảng Trị: không phát sinh hồ sơ trong kỳ." in text
    assert sentences(one)["service.apologies_nothing", "45"] == "Xin lỗi khi trễ hạn: không phát sinh hồ sơ trễ hạn."
    assert "không có số liệu" not in text and "%" not in re.sub(r"\(kỳ đó [^)]*\)|> 70 %", "", text)
    assert not [p for p in one.pieces if isinstance(p, Table) and p.id != "compared_table.compared"]


def test_a_province_is_compared_and_its_long_lists_stand_in_tables(of_district: duckdb.DuckDBPyConnection) -> None:
    one = section(open_book(of_district, "2023-Q4"))
    said = sentences(one)
    now, then = (answers.stats(of_district, p, unit="45")[0]["total"] for p in ("2023-Q4", "2023-Q3"))
    assert (
        f"tổng số hồ sơ phải giải quyết tăng {now - then} hồ sơ (kỳ đó {then} hồ sơ)"
        in said["compared.earlier.then_counts", "45"]
    )
    assert re.search(r"(tăng|giảm) \d+,\d\d điểm phần trăm", said["compared.a_year_earlier.then_on_time", "45"])
    assert said["online.online_service_rate.told_many", "45"] == "Có phát sinh ở 131 đơn vị, xem bảng dưới đây."
    assert [unit for key, unit in said if key == "handled.received"] == ["45"]  # the sums stand in the table
    tables = {p.id: p for p in one.pieces if isinstance(p, Table)}
    assert len(tables["handled.units"].lines) == 132
    names = [line.label.display for line in tables["handled.units"].lines]
    assert len(set(names)) == 132 and "Phường 1, Thành phố Đông Hà" in names


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_period_without_data_says_so_and_nothing_else(
    model: tuple[duckdb.DuckDBPyConnection, Book], lang: str
) -> None:
    one = section(open_book(model[0], "2023-Q2", lang=lang), lang)
    assert [p.number for p in one.pieces if isinstance(p, Heading)] == ["3.1"]
    assert {"vi": "Kỳ này không có số liệu: thiếu số liệu", "en": "There is no data of this period"}[lang] in words(one)


def test_a_period_that_the_data_covers_in_part(model: tuple[duckdb.DuckDBPyConnection, Book]) -> None:
    said = sentences(section(open_book(model[0], "2023")))
    assert said["scope.partial_units", WHOLE].startswith(
        "Số liệu chưa đủ của 18 đơn vị (thiếu số liệu 15/12/2022–14/06/2023"
    )
    # of a year the period before is the same year earlier: told once
    assert [key for key, _ in said if key.startswith("compared.")] == ["compared.earlier.then_unknown"]


WHOLE_OF_TWO = Told({"total": 30, "resolved": 20, "resolved_late": 1, "open": 10, "open_in_term": 10},
                    {"on_time_rate": (19, 20), "late_rate": (1, 20), COMPONENTS: (9, 20)}, "Huyện Mẫu", "district", "total")  # fmt: skip


@pytest.mark.parametrize(
    ("change", "others", "says", "says_not"),
    [
        (Told(seal="2023-Q3@1 0a1b2c3d"), {}, "Số liệu đã chốt, dấu chốt 2023-Q3@1 0a1b2c3d.", "chưa chốt"),
        (Told(), {}, "Số liệu chưa chốt", "đã chốt"),
        (Told(coverage="partial", missing="thiếu số liệu 01/09/2023–14/09/2023"), {}, "Số liệu của kỳ chưa đủ: thiếu số liệu 01/09/2023–14/09/2023.", "đủ số liệu"),
        (Told(basis="reported"), {}, "theo bảng tổng hợp do đơn vị gửi", "Không lấy"),
        (Told({"withdrawn": 3, "returned": 2, "stopped": 1}), {}, "Người nộp rút 3 hồ sơ. Trả lại sau khi tiếp nhận 2 hồ sơ. Dừng giải quyết 1 hồ sơ.", "phân loại"),
        (Told({"open_paused": 4}), {}, "tạm dừng chờ bổ sung hoặc chờ thực hiện nghĩa vụ tài chính 4 hồ sơ", "rút"),
        (Told(), {}, "trong hạn 10 hồ sơ, quá hạn 0 hồ sơ.", "tạm dừng"),
        (Told({"postal": 5}), {}, "5 hồ sơ qua dịch vụ bưu chính công ích", "không rõ cách nộp"),
        (Told({"open_in_term": None, "open_overdue": None}), {}, "Đang giải quyết 10 hồ sơ.", "trong hạn"),
        (Told({"resolved_no_due": None}), {}, "quá hạn 1 hồ sơ, chiếm 5,00 %.", "Trong số trước và đúng hạn"),
        (Told(), {"earlier": Told({"total": 30, "resolved": 25}, {"on_time_rate": (25, 25)})}, "tổng số hồ sơ phải giải quyết không đổi (kỳ đó 30 hồ sơ); hồ sơ đã giải quyết giảm 5 hồ sơ (kỳ đó 25 hồ sơ); hồ sơ quá hạn tăng 1 hồ sơ (kỳ đó 0 hồ sơ). Tỷ lệ giải quyết trước và đúng hạn giảm 5,00 điểm phần trăm (kỳ đó 100,00 %).", "So với quý II/2023: không có"),
        (Told(), {"earlier": Told({"total": 30}, coverage="partial", missing="thiếu số liệu tháng 5")}, "Số liệu quý II/2023 chưa đủ (thiếu số liệu tháng 5)", "So với quý II/2023: không có"),
        (Told(), {"earlier": Told({"total": 0})}, "hồ sơ đã giải quyết tăng 20 hồ sơ (kỳ đó 0 hồ sơ)", "điểm phần trăm"),
        (Told(coverage="no_data"), {"earlier": Told({"total": 30})}, "Kỳ này không có số liệu", "30"),
    ],
)  # fmt: skip
def test_what_a_unit_and_its_periods_are_like(change: Told, others: dict[str, Told], says: str, says_not: str) -> None:
    usual = WHOLE_OF_TWO
    now = replace(change, counts={**(usual.counts or {}), **(change.counts or {})}, rates=usual.rates, level="unit")
    text = words(section(book({"1": now}, **{name: {"1": one} for name, one in others.items()})))
    assert says in text and says_not not in text, text


def test_the_changes_are_exact_and_rounded_once() -> None:
    now, then = (
        Told({"total": 1, "resolved": 1}, {"on_time_rate": (2, 3)}),
        Told({"total": 1}, {"on_time_rate": (199, 300)}),
    )
    said = sentences(section(book({"1": now}, earlier={"1": then})))
    # 66,67 - 66,33 would be 0,34; two thirds less 199/300 is a third of a point
    assert "tăng 0,33 điểm phần trăm (kỳ đó 66,33 %)" in said["compared.earlier.then_on_time", "1"]


def test_in_english_no_vietnamese_word_is_left(model: tuple[duckdb.DuckDBPyConnection, Book]) -> None:
    one = section(open_book(model[0], "2023-Q3", lang="en"), "en")
    assert "late 4 (0.05 %)" in words(one) and "8,134 dossiers" in words(one)
    names = {row["unit"] for row in model[1].units.values()}
    for piece in one.pieces:
        text = f"{piece.title} {' '.join(h.text for h in piece.heads)} {piece.note}" if isinstance(piece, Table) else (
            piece.text if isinstance(piece, Paragraph | Heading) else "")  # fmt: skip
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, "")
        assert not {c for c in unicodedata.normalize("NFD", text) if unicodedata.combining(c)} | ({"đ"} & set(text)), (
            text
        )


# ---- lists


rate = st.integers(0, 200).flatmap(lambda d: st.tuples(st.integers(0, d), st.just(d)))
units = st.lists(
    st.tuples(rate, st.sampled_from(["full", "full", "full", "no_data"]), st.booleans()), min_size=2, max_size=12
)


@settings(max_examples=60)
@given(units)
def test_every_unit_stands_under_its_one_right_heading(told: list[tuple[tuple[int, int], str, bool]]) -> None:
    given_units = {
        f"u{i:02}": Told(
            {"total": r[1]}, {COMPONENTS: r}, f"Xã Số {i:02}", coverage=coverage, target=70 if judged else None
        )
        for i, (r, coverage, judged) in enumerate(told)
    }
    n, d = (sum(r[i] for r, coverage, _ in told if coverage == "full") for i in (0, 1))
    whole = Told({"total": d}, {COMPONENTS: (n, d)}, "Huyện Mẫu", "district", "total")
    said = sentences(section(book({"w": whole} | given_units)))
    listed = {
        head: re.findall(r"xã Số (\d\d)(?: \(([\d,]+) %)?", said.get((f"digitization.{COMPONENTS}.{head}", "w"), ""))
        for head in ("met", "not_met", "nothing_arisen", "no_data")
    }
    for i, ((n, d), coverage, judged) in enumerate(told):
        right = (
            "no_data"
            if coverage == "no_data"
            else "nothing_arisen"
            if not d
            else "met"
            if n * 10 > d * 7
            else "not_met"
        )
        heads = [head for head, found in listed.items() if f"{i:02}" in (name for name, _ in found)]
        anything = any(c == "full" and r[1] for r, c, _ in told) or right == "no_data"  # else the whole says it
        assert heads == ([right] if (judged or right in ("nothing_arisen", "no_data")) and anything else []), (i, said)
    for head in ("met", "not_met"):
        values = [Decimal(value.replace(",", ".")) for _, value in listed[head]]
        assert values == sorted(values, reverse=True)


def test_units_with_other_thresholds_are_told_apart() -> None:
    two = {f"u{t}": Told({"total": 10}, {COMPONENTS: (9, 10)}, f"Xã {t}", target=t) for t in (70, 80)}
    whole = Told({"total": 20}, {COMPONENTS: (18, 20)}, "Huyện Mẫu", "district", "total")
    text = words(section(book({"w": whole} | two)))
    assert "Đạt ngưỡng (> 70 %): 1 đơn vị, gồm xã 70 (90,00 %)." in text
    assert "Đạt ngưỡng (> 80 %): 1 đơn vị, gồm xã 80 (90,00 %)." in text


@pytest.mark.parametrize(
    ("name", "inline"),
    [("Xã Gio An", "xã Gio An"), ("Thị trấn Cửa Việt", "thị trấn Cửa Việt"), ("UBND huyện Gio Linh", "UBND huyện Gio Linh"),
     ("Gio Linh", "Gio Linh"), ("Các xã, thị trấn huyện Gio Linh", "các xã, thị trấn huyện Gio Linh"), ("Phường 1", "phường 1")],
)  # fmt: skip
def test_a_name_within_a_sentence(name: str, inline: str) -> None:
    assert inline_name(name) == inline


# ---- the declaration


def test_brackets_go_with_what_is_not_known() -> None:
    scope = Scope(book({"1": Told({"total": 5, "open": None, "postal": 0})}), "vi", "1")
    assert (
        fill("{total}[, mở {open}][>0, bưu chính {postal}][, trực tiếp {in_person}].", scope).text == "5, trực tiếp 0."
    )
    assert [f.name for f in fill("{total}[, mở {open}]", scope).figures] == ["total"]


def test_every_sentence_is_used_and_says_the_same_in_both_languages() -> None:
    used = {said for part in plan.parts() for block in part.blocks for said in block.say}
    assert used == set(plan.sentences())
    for said in plan.sentences().values():
        names = [sorted(PLACEHOLDER.findall(text)) for text in (said.words.vi, said.words.en)]
        assert names[0] == names[1], said.id
        brackets = [
            sorted(len(PLACEHOLDER.findall(b)) for _, b in OPTIONAL.findall(t)) for t in (said.words.vi, said.words.en)
        ]
        assert brackets[0] == brackets[1] and 0 not in brackets[0], said.id


def test_no_figure_is_written_in_the_words() -> None:
    for said in plan.sentences().values():
        for text in (said.words, said.item):
            for lang in ("vi", "en"):
                assert not re.search(r"\d", OPTIONAL.sub(r"\2", text[lang])), said.id


def test_every_placeholder_condition_and_column_means_something() -> None:
    scope = Scope(book({"1": Told()}), "vi", "1", COMPONENTS, book({"1": Told()}).earlier)
    for said in plan.sentences().values():
        for name in PLACEHOLDER.findall(said.words.vi + said.item.vi):
            if name not in ("n", "units", "n_missed"):
                scope.get(name)
    with pytest.raises(KeyError):
        scope.get("no_such_figure")
    for grid in plan.grids().values():
        for name in (*(c.figure for c in grid.columns), *grid.figures):
            scope.get(name)
