"""Periods: names, first and last days, ranges; Decree 09/2019 counts from the 15th to the 14th."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.declare.periods import (
    YEARS,
    Period,
    a_year_earlier,
    all_periods,
    earlier,
    parse_period,
    parse_periods,
    period,
    schemes,
)
from pipeline.errors import WrongUse

MONTHS = [f"M{m:02d}" for m in range(1, 13)]
QUARTERS = ["Q1", "Q2", "Q3", "Q4"]
PARTS = [*MONTHS, *QUARTERS, "H1", "H2", "9M", ""]
DAY = timedelta(days=1)

# name as written, kind, first day, last day, name in Vietnamese
CASES = [
    ("2023-M01", "month", "2022-12-15", "2023-01-14", "Tháng 1/2023"),
    ("2023-M03", "month", "2023-02-15", "2023-03-14", "Tháng 3/2023"),
    ("2024-M03", "month", "2024-02-15", "2024-03-14", "Tháng 3/2024"),
    ("2023-M12", "month", "2023-11-15", "2023-12-14", "Tháng 12/2023"),
    ("2023-Q1", "quarter", "2022-12-15", "2023-03-14", "Quý I/2023"),
    ("2023-Q2", "quarter", "2023-03-15", "2023-06-14", "Quý II/2023"),
    ("2023-Q3", "quarter", "2023-06-15", "2023-09-14", "Quý III/2023"),
    ("2023-Q4", "quarter", "2023-09-15", "2023-12-14", "Quý IV/2023"),
    ("2023-H1", "half", "2022-12-15", "2023-06-14", "6 tháng đầu năm 2023"),
    ("2023-H2", "half", "2023-06-15", "2023-12-14", "6 tháng cuối năm 2023"),
    ("2023-9M", "nine_months", "2022-12-15", "2023-09-14", "9 tháng năm 2023"),
    ("2023", "year", "2022-12-15", "2023-12-14", "Năm 2023"),
    ("calendar:2023-M02", "month", "2023-02-01", "2023-02-28", "Tháng 2/2023"),
    ("calendar:2024-M02", "month", "2024-02-01", "2024-02-29", "Tháng 2/2024"),
    ("calendar:2023-Q3", "quarter", "2023-07-01", "2023-09-30", "Quý III/2023"),
    ("calendar:2023-H2", "half", "2023-07-01", "2023-12-31", "6 tháng cuối năm 2023"),
    ("calendar:2023-9M", "nine_months", "2023-01-01", "2023-09-30", "9 tháng năm 2023"),
    ("calendar:2023", "year", "2023-01-01", "2023-12-31", "Năm 2023"),
]


@pytest.mark.parametrize(("name", "kind", "first", "last", "words"), CASES, ids=[c[0] for c in CASES])
def test_first_and_last_day(name: str, kind: str, first: str, last: str, words: str) -> None:
    found = parse_period(name)
    assert (found.kind, str(found.start), str(found.end), found.label.vi) == (kind, first, last, words)
    assert found.key == str(found) == name


@pytest.mark.parametrize("written", ["2023-q3", " 2023-Q3 ", "nd09:2023-Q3", "ND09:2023-q3"])
def test_one_period_written_differently(written: str) -> None:
    assert parse_period(written) == parse_period("2023-Q3")


BAD = [
    *("", "2023-Q5", "2023-Q0", "2023-M13", "2023-M00", "2023-M1", "2023Q3", "Q3-2023", "23-Q3", "2023-3M"),
    *("solar:2023-Q3", "calendar:", "1066-Q3", "2023-Q3-x", "2023-Q3\n..", "quý III"),
]


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_name_says_what_is_expected(bad: str) -> None:
    with pytest.raises(WrongUse) as caught:
        parse_periods(bad)
    for lang in ("vi", "en"):
        words = caught.value.render(lang)
        assert "2023-Q3" in words and "2023-M09" in words and "calendar:2023-Q3" in words
        assert bad.strip()[:5] in words
    assert caught.value.exit_code == 2


def test_ranges() -> None:
    def keys(words: str) -> list[str]:
        return [p.key for p in parse_periods(words)]

    assert keys("2023-Q3") == ["2023-Q3"] == keys("2023-Q3..2023-Q3")
    assert keys("2022-Q3..2023-Q2") == ["2022-Q3", "2022-Q4", "2023-Q1", "2023-Q2"]
    assert keys("2022-M12..2023-M02") == ["2022-M12", "2023-M01", "2023-M02"]
    assert keys("2021..2023") == ["2021", "2022", "2023"]
    assert keys("2021-9M..2023-9M") == ["2021-9M", "2022-9M", "2023-9M"]
    assert keys("calendar:2022-H2..calendar:2023-H1") == ["calendar:2022-H2", "calendar:2023-H1"]


@pytest.mark.parametrize("bad", ["2023-Q3..2023-Q1", "2023-Q1..2023-M05", "2023-Q1..calendar:2023-Q2"])
def test_a_range_of_two_kinds_or_backwards_is_refused(bad: str) -> None:
    with pytest.raises(WrongUse) as caught:
        parse_periods(bad)
    assert "2022-Q1..2023-Q4" in caught.value.render("vi")


@pytest.mark.parametrize("bad", ["2023-Q1..", "..2023-Q1", "2023-Q1..2023-Q9"])
def test_half_a_range_is_refused(bad: str) -> None:
    with pytest.raises(WrongUse):
        parse_periods(bad)


some_scheme = st.sampled_from(sorted(schemes()))
some_year = st.integers(YEARS[1], YEARS[-2])


def tiles(parts: list[Period], whole: Period) -> bool:
    """Whether the parts follow each other without gap or overlap from the whole's first to its last day."""
    ends = [p.end for p in parts]
    starts = [p.start for p in parts]
    return starts == [whole.start, *(e + DAY for e in ends[:-1])] and ends[-1] == whole.end


@given(some_scheme, some_year)
def test_parts_tile_the_year(scheme: str, year: int) -> None:
    whole = period(scheme, year, "")
    months = [period(scheme, year, m) for m in MONTHS]
    quarters = [period(scheme, year, q) for q in QUARTERS]
    halves = [period(scheme, year, h) for h in ("H1", "H2")]
    assert tiles(months, whole) and tiles(quarters, whole) and tiles(halves, whole)
    assert all(tiles(months[3 * n : 3 * n + 3], quarters[n]) for n in range(4))
    assert tiles(quarters[:2], halves[0]) and tiles(quarters[2:], halves[1])
    assert tiles(quarters[:3], period(scheme, year, "9M"))
    assert whole.end + DAY == period(scheme, year + 1, "").start


@given(some_scheme, st.dates(date(1995, 1, 1), date(2090, 12, 31)))
def test_every_day_lies_in_one_period_of_each_kind(scheme: str, day: date) -> None:
    kinds = [p.kind for p in all_periods(day, day, scheme)]
    assert sorted(set(kinds) - {"nine_months"}) == ["half", "month", "quarter", "year"]
    assert all(kinds.count(kind) == 1 for kind in set(kinds))


@given(some_scheme, some_year, st.sampled_from(PARTS))
def test_a_key_reads_back(scheme: str, year: int, part: str) -> None:
    made = period(scheme, year, part)
    assert parse_period(made.key) == made
    assert parse_period(made.key.lower()) == made


@given(st.dates(date(2015, 1, 1), date(2030, 12, 31)), st.integers(0, 400))
def test_all_periods_are_those_that_share_a_day(first: date, length: int) -> None:
    last = first + length * DAY
    found = set(all_periods(first, last))
    nearby = {period(s, y, part) for s in schemes() for y in range(first.year - 2, last.year + 3) for part in PARTS}
    assert found == {p for p in nearby if p.start <= last and p.end >= first}


@given(st.text(max_size=12))
def test_anything_else_is_wrong_use(words: str) -> None:
    try:
        found = parse_period(words)
    except WrongUse:
        return
    assert parse_period(found.key) == found


@pytest.mark.parametrize(
    ("key", "before", "year_before"),
    [
        ("2023-M01", "2022-M12", "2022-M01"),
        ("2023-Q3", "2023-Q2", "2022-Q3"),
        ("2023-Q1", "2022-Q4", "2022-Q1"),
        ("2023-H1", "2022-H2", "2022-H1"),
        ("2023-9M", "2022-9M", "2022-9M"),  # nine months have no neighbour: the comparison is with a year earlier
        ("2023", "2022", "2022"),
        ("calendar:2023-Q1", "calendar:2022-Q4", "calendar:2022-Q1"),
    ],
)
def test_the_period_before_and_the_same_a_year_earlier(key: str, before: str, year_before: str) -> None:
    one = parse_period(key)
    assert (earlier(one).key, a_year_earlier(one).key) == (before, year_before)


@given(some_scheme, some_year, st.sampled_from([p for p in PARTS if p != "9M"]))
def test_the_period_before_ends_the_day_before(scheme: str, year: int, part: str) -> None:
    one = period(scheme, year, part)
    assert earlier(one).end + DAY == one.start
