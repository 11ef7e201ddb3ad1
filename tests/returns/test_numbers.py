"""Numbers as offices write them, and how exact they are: what is written comes back, whatever the file's own way."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conform.return_cells import (
    NOTHING,
    Figure,
    Numbers,
    Unread,
    numbers_of,
    parse_number,
    read_cell,
    read_qualifier,
    split_qualifier,
)
from pipeline.declare.returns import Measure, qualifiers, returns
from pipeline.declare.text import Text

TYPED, VIETNAMESE, ENGLISH = Numbers(".", typed=True), Numbers(","), Numbers(".")
UNKNOWN = Numbers(None)
COUNT = returns()["communications"].measures["count"]
MONEY = returns()["investment"].measures["disbursed"]


@pytest.mark.parametrize(
    ("probe", "way"),
    [
        ("1234.5", TYPED),
        ("1.234,5", VIETNAMESE),
        ("1.234,50", VIETNAMESE),
        ("1234,5", VIETNAMESE),
        ("1 234,5", VIETNAMESE),
        ("1\u00a0234,5", VIETNAMESE),
        ("1,234.5", ENGLISH),
        ("", UNKNOWN),
        ("1.234.5", UNKNOWN),
        ("1235", UNKNOWN),
    ],
)
def test_a_known_number_tells_how_the_file_writes_them(probe: str, way: Numbers) -> None:
    assert numbers_of(["", probe]) == way


@pytest.mark.parametrize(
    ("probe", "written", "day"),
    [
        ("31/12/2000", "08/09/2023", date(2023, 9, 8)),
        ("12/31/2000", "08/09/2023", date(2023, 8, 9)),
        ("2000-12-31 00:00:00", "2023-08-09", date(2023, 8, 9)),
        ("", "08/09/2023", date(2023, 9, 8)),
        ("12/31/2000", "31/08/2023", None),
        ("31/12/2000", "08/31/2023", None),
    ],
)
def test_a_known_day_tells_which_comes_first(probe: str, written: str, day: date | None) -> None:
    found = read_cell(written, returns()["investment"].measures["as_of"], numbers_of([probe, "1.234,5"]))
    assert isinstance(found, Unread) if day is None else found == Figure(day=day)


@pytest.mark.parametrize(
    ("written", "digits", "way", "number"),
    [
        ("33.351", 3, TYPED, "33.351"),  # a number cell of a workbook
        ("33.351", 3, VIETNAMESE, "33351"),
        ("33.351", 3, ENGLISH, "33.351"),
        ("33.351", 3, UNKNOWN, None),  # may be either
        ("33,351", 3, TYPED, "33.351"),  # no number cell has a comma: somebody's text
        ("33,351", 3, VIETNAMESE, "33.351"),
        ("33,351", 3, ENGLISH, "33351"),
        ("79.461,612", 3, TYPED, "79461.612"),
        ("79.461,612", 3, VIETNAMESE, "79461.612"),
        ("79.461,612", 3, UNKNOWN, "79461.612"),
        ("79,461.612", 3, UNKNOWN, "79461.612"),
        ("79,461.612", 3, VIETNAMESE, None),
        ("1.234.567", 3, TYPED, "1234567"),
        ("8.134", 0, TYPED, "8134"),
        ("8,134", 0, VIETNAMESE, "8134"),
        ("8.134", 0, UNKNOWN, "8134"),
        ("79.5", 0, TYPED, "79.5"),
        ("1e3", 0, TYPED, "1000"),
        ("04", 0, VIETNAMESE, "4"),
        ("12.34.567", 3, VIETNAMESE, None),
        ("1,2,3", 3, VIETNAMESE, None),
        ("", 3, TYPED, None),
        ("-5", 0, TYPED, None),
        ("năm", 0, VIETNAMESE, None),
    ],
)
def test_numbers_as_written(written: str, digits: int, way: Numbers, number: str | None) -> None:
    assert parse_number(written, way, digits) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("written", "figure"),
    [
        ("500", Figure(Decimal(500))),
        ("khoảng 500", Figure(Decimal(500), qualifier="about")),
        ("Khoảng  500", Figure(Decimal(500), qualifier="about")),
        ("~500", Figure(Decimal(500), qualifier="about")),
        ("hơn 6.000", Figure(Decimal(6000), qualifier="at_least")),
        ("trên 6000", Figure(Decimal(6000), qualifier="at_least")),
        ("≥ 70", Figure(Decimal(70), qualifier="at_least")),
        ("70+", Figure(Decimal(70), qualifier="at_least")),
        ("gần 80", Figure(Decimal(80), qualifier="at_most")),
        ("chưa đến 80", Figure(Decimal(80), qualifier="at_most")),
        ("đúng 80", Figure(Decimal(80))),
        ("", NOTHING),
        ("-", NOTHING),
        ("khoảng", Unread(Text("", ""), "")),
        ("tầm 500", Unread(Text("", ""), "")),
        ("500 phút", Unread(Text("", ""), "")),
        ("123456789", Unread(Text("", ""), "")),  # longer than a count: it may be somebody's
        ("00000012", Figure(Decimal(12))),
        ("000000012", Unread(Text("", ""), "")),
    ],
)
def test_counts_and_how_exact_they_are(written: str, figure: Figure | Unread) -> None:
    found = read_cell(written, COUNT, TYPED)
    assert isinstance(found, Unread) if isinstance(figure, Unread) else found == figure


def test_a_figure_that_must_be_exact_takes_no_such_word() -> None:
    assert isinstance(read_cell("khoảng 500", MONEY, TYPED), Unread)
    assert [read_qualifier(text) for text in ("", "đúng", "khoảng", "GẦN", "Hơn")] == [
        None,
        None,
        "about",
        "at_most",
        "at_least",
    ]
    assert isinstance(read_qualifier("nhiều"), Unread)


def written_as(number: Decimal, way: Numbers, grouped: bool) -> str:
    text = f"{number:,f}" if grouped and not way.typed else f"{number:f}"
    return text.translate(str.maketrans(",.", ".,")) if way.decimal == "," else text


ways = st.sampled_from([TYPED, VIETNAMESE, ENGLISH])
amounts = st.builds(lambda n, places: Decimal(n).scaleb(-places), st.integers(0, 10**11), st.integers(0, 3))


@given(amounts, ways, st.booleans())
def test_an_amount_comes_back_as_it_was(amount: Decimal, way: Numbers, grouped: bool) -> None:
    assert read_cell(written_as(amount, way, grouped), MONEY, way) == Figure(amount)


@given(st.integers(0, 10**8 - 1), ways, st.booleans(), st.sampled_from(sorted(qualifiers())), st.data())
def test_a_count_comes_back_with_its_word(
    n: int, way: Numbers, grouped: bool, qualifier: str, data: st.DataObject
) -> None:
    word = data.draw(st.sampled_from(sorted(qualifiers()[qualifier].words)))
    kept = None if qualifier == "exact" else qualifier
    assert read_cell(f"{word} {written_as(Decimal(n), way, grouped)}", COUNT, way) == Figure(Decimal(n), qualifier=kept)


@given(st.text(max_size=12))
def test_no_text_breaks_the_reader_and_only_numbers_pass(text: str) -> None:
    found = read_cell(text, COUNT, VIETNAMESE)
    if isinstance(found, Figure) and found.told:
        _, rest = split_qualifier(text)
        assert any(c.isdigit() for c in rest) and found.number is not None


def test_words_of_two_qualifiers_never_meet() -> None:
    words = [word for q in qualifiers().values() for word in q.words]
    assert len(words) == len(set(words))
    assert isinstance(COUNT, Measure)
