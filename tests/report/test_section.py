"""The report's section I.3 as data: what is said, of which units, with which figures, and where these are read from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import duckdb
import pytest

from pipeline.declare.figures import indicators, measures
from pipeline.declare.periods import parse_period
from pipeline.declare.returns import returns
from pipeline.measure import answers
from pipeline.report.book import Book, open_book
from pipeline.report.section.as_text import as_markdown
from pipeline.report.section.build import section
from pipeline.report.section.model import Cell, Figure, Heading, Paragraph, Section, Table
from pipeline.report.section.returned import Returned, named, returned
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from tests.report.books import COMPONENTS
from tests.report.conftest import NOTHING_AROSE

GOLDEN = Path(__file__).parent / "golden" / "2023-Q3.md"
WHOLE, COUNTER, COMMUNES = "466-all", "466", "466-xa"


@pytest.fixture(scope="module")
def model(sample: Home) -> Iterator[tuple[duckdb.DuckDBPyConnection, Book]]:
    with open_published(sample) as con:
        yield con, open_book(con, "2023-Q3")


@pytest.fixture(scope="module")
def told(model: tuple[duckdb.DuckDBPyConnection, Book]) -> Section:
    return section(model[1], "vi", returned(*model, "vi"))


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
        ("returned.posted_by_district", WHOLE, "272/272 thủ tục hành chính thuộc thẩm quyền giải quyết của cấp huyện"),
        ("returned.posted_by_communes", WHOLE, "124/124 thủ tục hành chính thuộc thẩm quyền giải quyết của cấp xã"),
        ("returned.reviewed_nothing", WHOLE, "không phát sinh thủ tục phải rà soát"),  # printed: 100 %, for 0 of 0
        ("returned.petitions_nothing", WHOLE, "không phát sinh"),
        ("returned.told_apologies", WHOLE, "theo báo cáo của đơn vị: 9/9 hồ sơ, đạt 100,00 %"),
        ("returned.told_apologies_differ", WHOLE, "khác số tính từ sổ theo dõi hồ sơ của cùng kỳ, cùng đơn vị (4 hồ sơ)"),
        ("returned.told_slips_agree", WHOLE, "khớp với sổ"),
        ("returned.told_copies_agree", WHOLE, "khớp với sổ"),
    ],
)  # fmt: skip
def test_the_model_quarter_is_told_rightly(told: Section, sentence: str, unit: str, says: str) -> None:
    assert says in sentences(told)[sentence, unit]


@pytest.mark.parametrize(
    "wrong", ["0,50 %", "0,5 %", "77,53", "9/9 hồ sơ trễ hạn", "Gio Hai ", "<70", "< 70", "mức độ 3"]
)
def test_what_the_printed_report_said_wrongly_is_not_said(told: Section, wrong: str) -> None:
    assert wrong not in words(told)


def test_every_figure_is_the_releases(model: tuple[duckdb.DuckDBPyConnection, Book], told: Section) -> None:
    con, one = model
    found = [f for f in figures(told) if f.cells and "verdict" not in f.name]
    assert len(found) > 300 and sum(f.cells[0].of_return is not None for f in found) > 100
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
    if cell.of_return:
        return shown_of_return(con, cell)
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


def shown_of_return(con: duckdb.DuckDBPyConnection, cell: Cell) -> str:
    """A figure of a return likewise; numbers without needless noughts."""
    return_id, *line, what = cell.figure.split(".")
    key = [cell.period, cell.unit_id, return_id, "".join(line), what]
    if cell.of_return == "indicators":
        [(n, d)] = con.execute(
            "SELECT numerator, denominator FROM return_indicator WHERE (period, unit_id, return_id, line, indicator) = (?, ?, ?, ?, ?)",
            key,
        ).fetchall()
        if d is None:
            return grouped(int(n))
        return (
            "không phát sinh"
            if d == 0
            else f"{(n * 100 / d).quantize(Decimal('0.01'), ROUND_HALF_UP)} %".replace(".", ",")
        )
    [(value, word, day, how, of)] = con.execute(
        "SELECT value, word, day, qualifier, of_vi FROM return_figure JOIN return_measure USING (return_id, line, measure) "
        "WHERE (period, unit_id, return_id, line, measure) = (?, ?, ?, ?, ?)",
        key,
    ).fetchall()
    if value is None:
        measure = returns()[return_id].measures[what]
        return f"{day:%d/%m/%Y}" if day else measure.words[word].label.vi if word in measure.words else word
    whole, _, rest = f"{value.normalize():f}".partition(".")
    told = grouped(int(whole)) + (f",{rest}" if rest else "")
    mixed = (
        len(
            {
                r
                for (r,) in con.execute(
                    "SELECT DISTINCT of_vi FROM return_measure WHERE (return_id, measure) = (?, ?)", [return_id, what]
                ).fetchall()
            }
        )
        > 1
    )
    return (
        {"at_most": "gần ", "at_least": "hơn ", "about": "khoảng "}.get(how, "")
        + told
        + (f" {of}" if mixed and of else "")
    )


@cache
def counted(con: duckdb.DuckDBPyConnection, period: str) -> dict[str, dict[str, int]]:
    """unit_id → the counts of `motcua stats`."""
    return dict(zip(answers.nodes(con, parse_period(period)), answers.stats(con, period), strict=True))


def shown_change(con: duckdb.DuckDBPyConnection, now: Cell, then: Cell) -> str:
    """How far a figure moved, from the release's whole numbers."""
    if now.figure in measures():
        more, words = (
            Fraction(counted(con, now.period)["45"][now.figure] - counted(con, then.period)["45"][then.figure]),
            "hồ sơ",
        )
    else:
        values = [
            con.execute(
                "SELECT numerator, denominator, value FROM indicator_value WHERE (period, unit_id, indicator) = (?, ?, ?)",
                [cell.period, cell.unit_id, cell.figure],
            ).fetchall()[0]
            for cell in (now, then)
        ]
        kind = indicators()[now.figure].kind
        scale, words = (1, "ngày") if kind in ("mean", "median") else (100, "điểm phần trăm")
        exact = [Fraction(v) if kind == "median" else Fraction(n, d) * scale for n, d, v in values]
        more = exact[0] - exact[1]
    digits = 0 if words == "hồ sơ" else 2
    size = (Decimal(abs(more).numerator) / abs(more).denominator).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{'tăng' if more > 0 else 'giảm'} {size} {words}".replace(".", ",") if size else "không đổi"


def grouped(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def test_each_cell_names_the_command_that_explains_it(told: Section) -> None:
    cells = {c for f in figures(told) for c in f.cells}
    explained = {c.explain for c in cells}
    assert "motcua explain late_rate --period 2023-Q3 --unit 466-all" in explained
    assert "motcua returns --period 2023-Q3 --unit 466-all --indicators" in explained
    registers = {(c.unit_id, c.figure) for c in cells if not c.of_return}
    assert len(registers) == sum(e.startswith("motcua explain") for e in explained)
    [posted] = {c.where for c in cells if c.figure == "procedures_posted.district_level.posted"}
    assert posted and re.fullmatch(r"gio_linh_bieu/\S+\.xlsx, Niêm yết TTHC, [A-Z]\d+", posted)


def test_the_golden_markdown(model: tuple[duckdb.DuckDBPyConnection, Book], told: Section) -> None:
    one, by_hand = model[1], section_i3_alone(returned(*model, "vi"))
    golden = GOLDEN.read_text(encoding="utf-8")
    assert as_markdown(section(replace(one, info=one.info | {"release": "…"}), "vi", by_hand), {}) == golden
    # one dossier more resolved late, and it is another text
    rates = {k: {c: dict(r) for c, r in rows.items()} for k, rows in one.rates.items()}
    rates["2023-Q3"][WHOLE, "late_rate"]["numerator"] += 1
    planted = as_markdown(section(replace(one, rates=rates, info=one.info | {"release": "…"}), "vi", by_hand), {})
    assert planted != golden
    assert golden.replace("chiếm 0,05 %", "chiếm 0,07 %") == planted


def section_i3_alone(told: Returned) -> Returned:
    """Without the returns of other sections, which have tables of their own."""
    return Returned(*({k: r for k, r in rows.items() if k[0] in named()} for rows in (told.figures, told.rates)))


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
    changes = [f for f in figures(one) if len(f.cells) == 2]
    assert len(changes) > 25
    for figure in changes:
        assert figure.display == shown_change(of_district, *figure.cells), figure
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


def test_in_english_no_vietnamese_word_is_left(model: tuple[duckdb.DuckDBPyConnection, Book]) -> None:
    book_en = open_book(model[0], "2023-Q3", lang="en")
    one = section(book_en, "en", returned(model[0], book_en, "en"))
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
