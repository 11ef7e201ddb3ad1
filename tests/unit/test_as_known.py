"""As known at a moment, case by case: what a moment means, files that come late, go and come back, and the commands.

Not here: all figures of three years as known at every month's end (tests/oracle/test_known.py).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import night
from pipeline.declare.moments import parse_moment
from pipeline.errors import NothingPublished, WrongUse
from pipeline.measure import answers
from pipeline.measure.sealed import live_only
from pipeline.measure.summary import open_database
from pipeline.settings import Home
from pipeline.warehouse import withdrawal
from pipeline.warehouse.record import read_log
from tests.conftest import Said
from tests.unit.office import HERE, QUARTER, Office, clock, dossier, opened

ONE, TWO = "H50.466-230703-0001", "H50.466-230703-0002"
OUTCOMES = (
    "resolved_early", "resolved_on_time", "resolved_late", "open_in_term", "open_overdue", "open_paused", "unclassified",
)  # fmt: skip
NOTHING = "nothing known"
DUE = {"due_at": "01/10/2023 17:00:00"}


def take_in(office: Office, at: str) -> None:
    with clock(at):
        took = office.take_in()
    assert took.taken and not took.refused, took


def outcomes(home: Home, words: str, period: str) -> str:
    """The outcomes that a period's dossiers have by what was known at a moment: "2 open_in_term 1 resolved_early"."""
    try:
        path = night.known_by(home, parse_moment(words))
    except NothingPublished:
        return NOTHING
    with open_database(path) as con:
        live_only(con)
        rows = answers.stats(con, period)
    row = next((r for r in rows if r["level"] == "unit"), None)
    if row is None or row["coverage"] == "no_data":
        return "no data"
    return " ".join(f"{row[o]} {o}" for o in OUTCOMES if row[o])


# ---- one story: a quarter's export, an older one that comes late, a correction that is taken back and given again
CAME, LATE, MENDED = "2023-09-15 08:00:00", "2023-10-02 09:30:00", "2023-10-20 14:00:00"
BACK, AGAIN = "2023-11-05 10:00:00", "2023-12-01 10:00:00"
OLDER = ("SỔ THEO DÕI HỒ SƠ", "Từ ngày 15/06/2023 đến ngày 31/07/2023", "Ngày xuất dữ liệu: 31/07/2023 23:00:00")
CORRECTION = ("HỒ SƠ ĐƯỢC ĐIỀU CHỈNH", "Ngày xuất dữ liệu: 20/10/2023 13:00:00")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Two open dossiers; by the older export one of them waited in July; by the correction it was done in September."""
    office = Office(tmp_path_factory.mktemp("story"))
    office.drop("quy3.csv", [opened(dossier_code=ONE, **DUE), opened(dossier_code=TWO, **DUE)])
    take_in(office, CAME)
    waits = opened(dossier_code=ONE, status="Yêu cầu bổ sung", **DUE)
    office.drop("thang7.csv", [waits, opened(dossier_code=TWO, **DUE)], OLDER)
    take_in(office, LATE)
    office.source('extent = "delta"\n', "dinh_chinh")
    office.drop(
        "sua.csv", [dossier(dossier_code=ONE, finished_at="10/09/2023 15:00:00", **DUE)], CORRECTION, "dinh_chinh"
    )
    take_in(office, MENDED)
    for at, undo in ((BACK, False), (AGAIN, True)):
        with clock(at):
            withdrawal.withdraw(office.home, "sua.csv", "nhầm tệp", undo)
    assert office.night().exit_code == 0
    return office


OPEN, DONE, WAITS = "2 open_in_term", "1 resolved_early 1 open_in_term", "1 open_in_term 1 open_paused"
MOMENTS = [
    # moment as written, then quarter III and month 8 (to 14/08) by what was known
    ("2023-09-14", NOTHING, NOTHING),
    ("2023-09-15 07:59:59", NOTHING, NOTHING),
    ("2023-09-15 08:00:00", OPEN, OPEN),  # the very second of its intake
    ("2023-09-15 08:00", OPEN, OPEN),
    ("2023-09-15T08", OPEN, OPEN),
    ("2023-09-15", OPEN, OPEN),  # a day means its end
    ("15/09/2023", OPEN, OPEN),
    ("20230915", OPEN, OPEN),
    ("2023-W37-5", OPEN, OPEN),
    ("2023-09-15T00:59:59Z", NOTHING, NOTHING),
    ("2023-09-15T01:00:00Z", OPEN, OPEN),
    ("2023-09-14T20:00:00-05:00", OPEN, OPEN),
    ("2023-09-15T08:00:00+07:00", OPEN, OPEN),
    ("2023-09-15T08:00:00+08:00", NOTHING, NOTHING),
    # the older export: month 8 learns of July; the quarter, of which a newer one tells, stays
    ("2023-10-01", OPEN, OPEN),
    ("2023-10-02 09:29:59", OPEN, OPEN),
    ("2023-10-02 09:30:00", OPEN, WAITS),
    # the correction of a quarter that is over
    ("2023-10-20 13:59:59.999999", OPEN, WAITS),
    ("2023-10-20 14:00", DONE, WAITS),
    # taken back, given again
    ("2023-11-05 09:59:59", DONE, WAITS),
    ("2023-11-05 10:00:00", OPEN, WAITS),
    ("2023-11-30", OPEN, WAITS),
    ("2023-12-01 09:59:59", OPEN, WAITS),
    ("2023-12-01 10:00:00", DONE, WAITS),
    ("2030-01-01", DONE, WAITS),
]


@pytest.mark.parametrize(("words", "quarter", "month"), MOMENTS, ids=[m[0] for m in MOMENTS])
def test_what_was_known(story: Office, words: str, quarter: str, month: str) -> None:
    found = outcomes(story.home, words, "2023-Q3"), outcomes(story.home, words, "2023-M08")
    assert tuple(" ".join(sorted(f.split())) for f in found) == tuple(
        " ".join(sorted(f.split())) for f in (quarter, month)
    )


def test_what_is_known_today_is_what_is_published(story: Office) -> None:
    """No second database of the same is built, and asking for earlier ones changes nothing that is published."""
    before = story.home.pointer.read_text(encoding="utf-8")
    released = night.known_by(story.home, parse_moment("2030-01-01"))
    assert story.home.releases in released.parents
    assert night.known_by(story.home, parse_moment("2023-09-20")) != released
    assert story.home.pointer.read_text(encoding="utf-8") == before


def test_an_undone_withdrawal_is_what_it_was_before(story: Office) -> None:
    asked = [night.known_by(story.home, parse_moment(words)) for words in ("2023-10-31", "2023-11-30", "2023-10-31")]
    assert asked[0] == asked[2] != asked[1]


# ---- when a file is known


def known(root: Path, toml: str, taken: str, titles: tuple[str, ...] = QUARTER) -> str:
    office = Office(root)
    office.source(toml)
    office.drop("so.csv", [dossier()], titles)
    take_in(office, taken)
    return read_log(office.home)[0].known_at


LATER = "2026-01-05 06:30:00"
UTC_ZONE, EXPORTED = 'time_zone = "UTC"\n', 'known_at = "exported"\n'
NO_TIME = QUARTER[:2]


@pytest.mark.parametrize(
    ("toml", "titles", "expected"),
    [
        pytest.param("", QUARTER, LATER, id="when it is taken in"),
        pytest.param(EXPORTED, QUARTER, "2023-09-14 23:30:00", id="when it was exported, if so declared"),
        pytest.param(EXPORTED, NO_TIME, LATER, id="when taken in, where nothing says when it was exported"),
        pytest.param(UTC_ZONE, QUARTER, LATER, id="on the offices' clock, whatever the source's"),
        pytest.param(UTC_ZONE + EXPORTED, QUARTER, "2023-09-15 06:30:00", id="exported, on the offices' clock"),
        pytest.param(EXPORTED, (*NO_TIME, "Ngày xuất dữ liệu: 05/01/2026 09:00"), LATER, id="never before it came"),
        pytest.param(
            UTC_ZONE + EXPORTED, (*NO_TIME, "Ngày xuất dữ liệu: 05/01/2026 00:00"), LATER, id="nor by another clock"
        ),
    ],
)
def test_a_file_is_known(tmp_path: Path, toml: str, titles: tuple[str, ...], expected: str) -> None:
    assert known(tmp_path, toml, LATER, titles) == expected


def test_known_time_is_fixed_at_intake(tmp_path: Path) -> None:
    """What source.toml says later of the known time moves no file that is there."""
    assert known(tmp_path, EXPORTED, LATER).startswith("2023-09-14")
    office = Office(tmp_path)
    office.source('known_at = "intake"\n')
    assert outcomes(office.home, "2023-09-30", "2023-Q3") == "1 resolved_early"


def test_historical_files_are_known_from_their_export_in_whatever_order_they_came(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.source(EXPORTED)
    office.drop("quy3.csv", [opened(dossier_code=ONE, **DUE), opened(dossier_code=TWO, **DUE)])
    take_in(office, "2026-01-05 08:00:00")
    waits = opened(dossier_code=ONE, status="Yêu cầu bổ sung", **DUE)
    office.drop("thang7.csv", [waits, opened(dossier_code=TWO, **DUE)], OLDER)
    take_in(office, "2026-01-06 08:00:00")
    assert outcomes(office.home, "2023-07-31 22:59:59", "2023-M08") == NOTHING
    assert outcomes(office.home, "2023-07-31", "2023-M08") == "1 open_in_term 1 open_paused"
    assert outcomes(office.home, "2023-07-31", "2023-Q3") == "1 open_in_term 1 open_paused"
    assert outcomes(office.home, "2023-09-14", "2023-Q3") == OPEN


def test_the_same_bytes_under_another_name_are_known_from_the_first_day(tmp_path: Path) -> None:
    office = Office(tmp_path)
    path = office.drop("a.csv", [opened(**DUE)])
    take_in(office, CAME)
    path.with_name("b.csv").write_bytes(path.read_bytes())
    with clock(LATE):
        assert not office.take_in().taken
    assert outcomes(office.home, "2023-09-15", "2023-Q3") == "1 open_in_term"


def test_a_file_that_was_taken_back_alone_leaves_no_figures(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [opened(**DUE)])
    take_in(office, CAME)
    with clock(BACK):
        withdrawal.withdraw(office.home, "a.csv", "nhầm")
    told = [outcomes(office.home, at, "2023-Q3") for at in ("2023-11-05 09:59:59", "2023-11-05 10:00:00")]
    assert told == ["1 open_in_term", "no data"]


# ---- the commands

Motcua = Callable[..., Said]


def total(rows: list[dict[str, object]]) -> dict[str, object]:
    return next(r for r in rows if r["level"] == "unit")


@pytest.mark.parametrize(("words", "resolved"), [("2023-10-19", 0), ("2023-10-20", 1), ("2023-11-05", 0)])
def test_commands_as_known(story: Office, motcua: Motcua, tmp_path: Path, words: str, resolved: int) -> None:
    asked = ("--period", "2023-Q3", "--as-known", words)
    stats = motcua(story.home, "stats", *asked, "--format", "json")
    row = total(json.loads(stats.out))  # the note stands beside the answer, not in it
    assert (stats.code, row["resolved"], row["open"], row["coverage"]) == (0, resolved, 2 - resolved, "full")
    assert f"{words[8:]}/{words[5:7]}/2023 23:59" in stats.err

    rates = json.loads(motcua(story.home, "indicators", *asked, "--format", "json").out)
    rate = next(r for r in rates if r["indicator"] == "resolution_rate" and r["level"] == "unit")
    assert (rate["numerator"], rate["denominator"]) == (resolved, 2)

    why = motcua(story.home, "explain", "resolved", *asked, "--unit", "Xã Gio An", "--list", "--format", "json")
    assert why.code == 0 and len(json.loads(why.out)) == resolved

    made = motcua(story.home, "export", "--no-pictures", *asked, "--out", str(tmp_path / "ra"))
    assert made.code == 0
    with (tmp_path / "ra" / "stats.csv").open(encoding="utf-8-sig", newline="") as file:
        assert total(list(csv.DictReader(file)))["resolved"] == str(resolved)


def test_without_a_moment_todays_figures_are_told(story: Office, motcua: Motcua) -> None:
    said = motcua(story.home, "stats", "--period", "2023-Q3", "--format", "json")
    assert (said.code, said.err, total(json.loads(said.out))["resolved"]) == (0, "", 1)


COMMANDS = [("stats",), ("indicators",), ("export", "--no-pictures", "--out", "ra"), ("explain", "total")]


@pytest.mark.parametrize("command", COMMANDS, ids=[c[0] for c in COMMANDS])
def test_nothing_known_yet_is_said_in_words(story: Office, motcua: Motcua, command: tuple[str, ...]) -> None:
    asked = (*command, "--period", "2023-Q3", "--as-known", "2023-09-14")
    vietnamese, english = motcua(story.home, *asked), motcua(story.home, *asked, "--lang", "en")
    assert (vietnamese.code, vietnamese.out) == (english.code, english.out) == (2, "")
    assert "Đến 14/09/2023 23:59 chưa biết số liệu nào." in vietnamese.err and "2023-09-15 08:00" in vietnamese.err
    assert "Nothing was known by 14/09/2023 23:59." in english.err


def test_nothing_was_ever_known_in_an_empty_home(home: Home, motcua: Motcua) -> None:
    said = motcua(home, "stats", "--period", "2023-Q3", "--as-known", "2023-09-14")
    assert said.code == 2 and "chưa biết số liệu nào" in said.err


NO_MOMENTS = [
    "hôm qua", "", " ", "2023", "2023-13-01", "31/02/2023", "2023-02-29", "15/9", "2023-09-15 25:00", "2023-09-15T",
    "2023-Q3", "1694764800", "2023-09-15 08:30 sáng", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-12:00",
]  # fmt: skip


@pytest.mark.parametrize("words", NO_MOMENTS)
def test_words_that_are_no_moment_are_refused(story: Office, motcua: Motcua, words: str) -> None:
    said = motcua(story.home, "stats", "--period", "2023-Q3", "--as-known", words)
    assert said.code == 2 and said.out == ""
    assert f"“{words[:40]}”" in said.err and "2023-09-15" in said.err


# ---- moments in general

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))
SECONDS = st.datetimes(datetime(1900, 1, 2), datetime(2200, 12, 30)).map(lambda m: m.replace(microsecond=0))
OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(DAYS, st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", " %Y-%m-%d ", "%Y%m%d", "%G-W%V-%u"]))
def test_a_day_means_its_last_instant(day: date, form: str) -> None:
    found = parse_moment(day.strftime(form))
    assert found == datetime.combine(day, time.max)
    assert found < datetime.combine(day + timedelta(days=1), time.min)


@given(SECONDS, st.sampled_from([" ", "T", "   "]))
def test_a_moment_without_zone_is_local(moment: datetime, between: str) -> None:
    assert parse_moment(moment.isoformat(sep=" ").replace(" ", between)) == moment


@given(SECONDS, OFFSETS)
def test_a_moment_with_a_zone_is_the_same_instant_here(moment: datetime, zone: timezone) -> None:
    there = moment.replace(tzinfo=zone)
    found = parse_moment(there.isoformat())
    assert found.tzinfo is None
    assert found.replace(tzinfo=HERE) == there or found.replace(tzinfo=HERE, fold=1) == there


@given(SECONDS, SECONDS)
def test_moments_stay_in_their_order(one: datetime, other: datetime) -> None:
    assert (parse_moment(str(one)) <= parse_moment(str(other))) == (one <= other)


@given(st.text(max_size=60) | st.from_regex(r"[0-9TZ:+/ .W-]{1,30}", fullmatch=True))
def test_any_words_are_a_moment_or_refused(words: str) -> None:
    try:
        assert parse_moment(words).tzinfo is None
    except WrongUse as refused:
        assert refused.exit_code == 2 and words[:40] in refused.render("vi")
