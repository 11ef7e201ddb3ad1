"""Conforming: dates, words, names, the keyed hash; and that nothing undeclared ever leaves the row it stands in."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.conform import cells
from pipeline.conform.cells import EMPTY_MARKS
from pipeline.conform.keyed_hash import HEX_DIGITS, hash_of, hashes_of
from pipeline.conform.moments import moment_sql
from pipeline.declare.columns import CODED, codes, columns
from pipeline.declare.procedures import known_names, procedures
from pipeline.declare.sources import Source, read_source
from pipeline.declare.text import fold
from pipeline.read.values import plain_times
from pipeline.settings import Home
from pipeline.warehouse.record import key
from tests.benchmarks.bare import hash_sql
from tests.unit.office import HEADERS, Office, conform, conform_rows, dossier, table, write_csv, write_xlsx

KINDS = {name: column.kind for name, column in columns().items()}

DATES = {
    # day first, always
    "03/07/2023": "2023-07-03 00:00:00",
    "3/7/2023": "2023-07-03 00:00:00",
    "03-07-2023": "2023-07-03 00:00:00",
    "03.07.2023": "2023-07-03 00:00:00",
    "03/07/2023 8:05": "2023-07-03 08:05:00",
    "03/07/2023  08:05:09": "2023-07-03 08:05:09",
    "08:05 03/07/2023": "2023-07-03 08:05:00",
    "08:05:09 03/07/2023": "2023-07-03 08:05:09",
    " 03/07/2023\u00a0": "2023-07-03 00:00:00",
    "2023-07-03": "2023-07-03 00:00:00",
    "2023-07-03 08:05:09": "2023-07-03 08:05:09",
    "2023-07-03 08:05:09.500": "2023-07-03 08:05:09.500000",
    "2023-07-03T08:05:09": "2023-07-03 08:05:09",
    "2023-07-03T08:05:09.123": "2023-07-03 08:05:09.123000",
    "03.07.2023 08:05": "2023-07-03 08:05:00",
    "2023/07/03": "2023-07-03 00:00:00",
    "2023/07/03 08:05:09": "2023-07-03 08:05:09",
    # a twelve-hour clock, in the words of an English and of a Vietnamese Windows
    "03/07/2023 8:05:09 AM": "2023-07-03 08:05:09",
    "03/07/2023 1:05 PM": "2023-07-03 13:05:00",
    "03/07/2023 8:05:09 SA": "2023-07-03 08:05:09",
    "03/07/2023 12:05:09 CH": "2023-07-03 12:05:09",
    "03/07/2023 13:05 CH": None,
    "29/02/2020": "2020-02-29 00:00:00",
    # an Excel day count
    "45110": "2023-07-03 00:00:00",
    "45110.5": "2023-07-03 12:00:00",
    # with an offset: turned to the wall clock here, seven hours ahead of Z
    "2023-07-02T17:30:00Z": "2023-07-03 00:30:00",
    "2023-07-02T17:30:00.250Z": "2023-07-03 00:30:00.250000",
    "2023-07-03T01:30:00+08:00": "2023-07-03 00:30:00",
    "2023-07-03 00:30:00+0700": "2023-07-03 00:30:00",
    "2023-07-02 17:30:00+00": "2023-07-03 00:30:00",
    # no such day, no such time, or not to be understood without guessing
    **dict.fromkeys(
        (
            "07/15/2023", "31/02/2023", "29/02/2023", "00/07/2023", "32/07/2023", "03/07/2023 25:00", "03/07/2023 08:61",
            "03/07", "07/2023", "2023", "3 tháng 7 năm 2023", "hôm qua", "20230703", "1234", "99999", "03/07/2023 SA",
        )
    ),
}  # fmt: skip


def test_dates(tmp_path: Path) -> None:
    rows, aside = conform_rows(tmp_path, *[dossier(finished_at=text) for text in DATES])
    found = dict(zip(rows["row"], map(str, rows["finished_at"]), strict=True))
    bad = {
        row: found
        for row, column, found in aside.select("row", "column", "found").iter_rows()
        if column == "finished_at"
    }
    for n, (text, wanted) in enumerate(DATES.items(), 1):
        assert found.get(n) == wanted, text
        assert (n in bad) == (wanted is None), text
    assert set(aside["reason"]) == {"not_read"} and set(aside["verdict"]) == {"rejected"}


def test_a_year_of_two_digits_is_no_year(tmp_path: Path) -> None:
    rows, aside = conform_rows(tmp_path, dossier(received_at="03/07/23"))
    assert rows.is_empty() and aside["reason"].to_list() == ["out_of_range"]


def test_date_cells_of_a_workbook(tmp_path: Path) -> None:
    office = Office(tmp_path)
    row = dossier(received_at=datetime(2023, 7, 3, 8, 15), finished_at=45113.625, due_at=datetime(2023, 7, 7))
    path = write_xlsx(office.home.raw / "so" / "so.xlsx", so=table([row]))
    (found,) = conform(office.home, path)[1].to_dicts()
    assert (found["received_at"], found["finished_at"]) == (datetime(2023, 7, 3, 8, 15), datetime(2023, 7, 6, 15))
    assert found["due_at"] == datetime(2023, 7, 7) and found["sheet"] == "so"


@pytest.mark.parametrize("due", ["07/07/2023", "2023-07-07 00:00:00", "45114"])
def test_where_the_hour_counts_a_day_runs_to_its_end(tmp_path: Path, due: str) -> None:
    by_the_hour = Source("so", "so", lateness="timestamp")
    rows, _ = conform_rows(tmp_path, dossier(due_at=due), dossier(due_at="07/07/2023 10:30"), source=by_the_hour)
    assert rows["due_at"].to_list() == [datetime(2023, 7, 7, 23, 59, 59), datetime(2023, 7, 7, 10, 30)]


moments = st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)).map(lambda t: t.replace(microsecond=0))


@settings(deadline=None, max_examples=6)
@given(st.lists(moments, min_size=10, max_size=30))
def test_every_moment_reads_back(tmp_path_factory: pytest.TempPathFactory, times: list[datetime]) -> None:
    """As declared, as Excel counts days, as a portal writes it."""
    root = tmp_path_factory.getbasetemp() / "moments"
    serials = [(t - datetime(1899, 12, 30)) / timedelta(days=1) for t in times]
    shapes = [
        [f"{t:%d/%m/%Y %H:%M:%S}" for t in times],
        [f"{t:%Y-%m-%d %H:%M:%S}" for t in times],
        [f"{t - timedelta(hours=7):%Y-%m-%dT%H:%M:%S}Z" for t in times],
        [f"{s:.9f}" for s in serials if s >= 33000],
    ]
    given_times = [t for shape in shapes[:3] for t in times] + [
        t for t, s in zip(times, serials, strict=True) if s >= 33000
    ]
    rows, aside = conform_rows(root, *[dossier(due_at=text) for shape in shapes for text in shape])
    assert rows["due_at"].to_list() == given_times and aside.is_empty()


# ---- words


def words_of(column: str) -> list[tuple[str, str]]:
    return [(word, code.value) for code in codes(KINDS[column]).values() for word in code.words]


@pytest.mark.parametrize("column", [c for c, kind in KINDS.items() if kind in (*CODED, "flag")])
def test_every_declared_word_and_one_that_is_none(tmp_path: Path, column: str) -> None:
    known = words_of(column)
    written = [
        *[word for word, _ in known],
        *[unicodedata.normalize("NFD", word.upper()) for word, _ in known],
        *[f" {word}\u00a0" for word, _ in known],
    ]
    strange = ["Chữ lạ", "0912345678"]
    rows, aside = conform_rows(tmp_path, *[dossier(**{column: text}) for text in [*written, *strange, "", "–"]])
    values = [{"true": True, "false": False}.get(v, v) for _, v in known] * 3
    found = rows[column].to_list()
    unknown = "unknown" if column == "status" else None
    assert found == [*values, unknown, unknown, None, None]
    notices = aside.select("row", "verdict", "reason", "column", "found").rows()
    n = len(written)
    assert notices == [
        (n + 1, "notice", "word_not_known", column, "Aaa aa"),
        (n + 2, "notice", "word_not_known", column, "9999999999"),
    ]


def test_a_sources_own_words(tmp_path: Path) -> None:
    (tmp_path / "source.toml").write_text(
        '[values.channel]\npostal = "Trực tuyến"\n[values.flag]\ntrue = "đủ"\n[values.rated]\nfalse = "đủ"',
        encoding="utf-8",
    )
    rows, aside = conform_rows(
        tmp_path, dossier(channel="TRỰC TUYẾN", rated="Đủ", paid_online="Đủ"), source=read_source(tmp_path, key="so")
    )
    assert rows.select("channel", "rated", "paid_online").rows() == [("postal", False, True)] and aside.is_empty()


def test_empty_marks_are_no_values(tmp_path: Path) -> None:
    marks = [*EMPTY_MARKS, "\u00a0", " \t "]
    rows, aside = conform_rows(tmp_path, *[dossier(due_at=m, channel=m, certified_copies=m) for m in marks])
    assert rows.select("due_at", "channel", "certified_copies").unique().rows() == [(None, None, None)]
    assert aside.is_empty()


COUNTS = {"0": 0, "12": 12, "3.0": 3, "99999": 99_999} | dict.fromkeys(("-1", "1.5", "1e3", "123456", "ba"))


@pytest.mark.parametrize(("text", "value"), COUNTS.items())
def test_counts(tmp_path: Path, text: str, value: int | None) -> None:
    rows, aside = conform_rows(tmp_path, dossier(certified_copies=text))
    assert rows["certified_copies"].to_list() == ([] if value is None else [value])
    assert aside["column"].to_list() == (["certified_copies"] if value is None else [])


# ---- rows


@pytest.mark.parametrize("column", [c.name for c in columns().values() if c.required])
def test_a_row_that_lacks_what_it_must_have(tmp_path: Path, column: str) -> None:
    rows, aside = conform_rows(tmp_path, dossier(**{column: "  "}), dossier())
    assert rows["row"].to_list() == [2]
    assert aside.select("row", "verdict", "reason", "column", "found").rows() == [
        (1, "rejected", "missing", column, None)
    ]


def test_rows_that_are_no_dossiers(tmp_path: Path) -> None:
    office = Office(tmp_path)
    row = dossier()
    (*titles, header, body) = table([row])
    cells = [
        *titles, header,
        [f"({n})" for n in range(1, len(header) + 1)],  # the numbers of a form's columns
        body,
        [],
        ["Tổng cộng: 1 hồ sơ"],
        ["", "", "Người lập biểu"],
        header,  # again, on the next page
    ]  # fmt: skip
    facts, rows, aside = conform(office.home, write_csv(office.home.raw / "so" / "so.csv", cells))
    assert rows["row"].to_list() == [6]
    assert aside.select("row", "reason").rows() == [
        (5, "numbering_row"), (8, "total_row"), (9, "section_row"), (10, "header_row")
    ]  # fmt: skip
    assert facts.rows_in == 5 and facts.accepted == 1 and sum(facts.excluded.values()) == 4


def test_cells_beyond_the_header_make_a_row_doubtful(tmp_path: Path) -> None:
    """A comma that should have been quoted shifts what follows it."""
    office = Office(tmp_path)
    path = office.drop("so.csv", [dossier(rated="Có"), dossier(rated="Không")])
    path.write_text(
        path.read_text("utf-8-sig") + "H50.466-230703-9999,Xã Gio An,03/07/2023,,,,,,Có\n", encoding="utf-8-sig"
    )
    facts, rows, aside = conform(office.home, path)
    assert rows.height == 2 and facts.rejected == {"too_many_cells": 1}
    assert aside.select("row", "column", "found").rows() == [(7, None, None)]


# ---- procedures: the national list

# Two procedures of one name, and one whose name is its own.
SHARED = next(p for p in procedures().values() if fold(p.name) not in known_names())
ALONE = next(p for p in procedures().values() if known_names().get(fold(p.name)) == p.code and p.field)


def procedure_of(tmp_path: Path, own: bool = False, **cells: str) -> tuple[tuple, list[str]]:
    source = Source("so", "so", procedures="from_file" if own else "declared")
    rows, aside = conform_rows(tmp_path, dossier(**cells), source=source)
    return rows.select("procedure_code", "procedure", "field").row(0), aside["column"].to_list()


def test_a_known_code_settles_procedure_and_field(tmp_path: Path) -> None:
    """Several procedures share a name; the code tells which, and which field it is of."""
    wanted = (SHARED.code, SHARED.name, SHARED.field)
    assert procedure_of(tmp_path, procedure_code=SHARED.code, procedure=SHARED.name) == (wanted, [])
    assert procedure_of(tmp_path, procedure_code=SHARED.code) == (wanted, [])
    assert procedure_of(tmp_path, procedure_code=SHARED.code, procedure="Tên cũ", field="Lĩnh vực cũ") == (wanted, [])
    local = f"{SHARED.code}.000.00.00.H50"
    assert procedure_of(tmp_path, procedure_code=local) == (wanted, []), "the suffix of an office is no other procedure"
    assert procedure_of(tmp_path, own=True, procedure_code=local)[0] == (local, SHARED.name, SHARED.field)


def test_a_name_of_its_own_gives_the_code(tmp_path: Path) -> None:
    wanted = ((ALONE.code, ALONE.name, None), [])
    assert procedure_of(tmp_path, procedure=ALONE.name.upper()) == wanted
    assert procedure_of(tmp_path, procedure=ALONE.name, procedure_code="")[0] == wanted[0]


def test_a_name_that_several_share_says_nothing_alone(tmp_path: Path) -> None:
    assert procedure_of(tmp_path, procedure=SHARED.name) == ((None, None, None), ["procedure"])


def test_the_registers_own_field_stands(tmp_path: Path) -> None:
    other = next(p.field for p in procedures().values() if p.field != ALONE.field)
    assert procedure_of(tmp_path, procedure_code=ALONE.code, field=other)[0][2] == other


def test_spellings_of_a_name_give_one_name(tmp_path: Path) -> None:
    spellings = [
        ALONE.name,
        ALONE.name.upper(),
        unicodedata.normalize("NFD", ALONE.name),
        f" {ALONE.name} .",
        ALONE.name.replace(" ", "  "),
    ]
    rows, aside = conform_rows(tmp_path, *[dossier(procedure=s, field=ALONE.field.upper()) for s in spellings])
    assert rows.select("procedure", "field").unique().rows() == [(ALONE.name, ALONE.field)] and aside.is_empty()


def test_unknown_codes_and_names_are_not_kept(tmp_path: Path) -> None:
    found = procedure_of(tmp_path, procedure_code="không có", procedure="Thủ tục của tôi", field="Lĩnh vực của tôi")
    assert found == ((None, None, None), ["procedure_code", "procedure", "field"])


def test_a_sources_own_procedures(tmp_path: Path) -> None:
    cells = {"procedure_code": "0.466001", "procedure": "Cấp giấy (mẫu)", "field": "Mẫu"}
    assert procedure_of(tmp_path, own=True, **cells) == (("0.466001", "Cấp giấy (mẫu)", "Mẫu"), [])
    assert procedure_of(tmp_path, own=True, procedure_code=ALONE.code) == ((ALONE.code, ALONE.name, ALONE.field), [])


# as written: what is kept of it; none of what may hold a person's number, or is no name or code
OWN = {
    "procedure": {"Cấp giấy (mẫu)": True, "Cấp lại; số 2/2023": True, "Gọi 0912 345 678": False, "x" * 301: False, "a <b>": False},
    "field": {"Đất đai": True, "Ông A, 045-201-000-123": False, "Hộ tịch & quốc tịch": True},
    "procedure_code": {"0.466001": True, "2.000815.H48": True, "TT_9": True, "012345678901": False, "mã số": False},
}  # fmt: skip


@pytest.mark.parametrize("looked_at", [0, 20_000], ids=["each cell", "each text once"])
@pytest.mark.parametrize("column", OWN)
def test_what_is_kept_of_a_sources_own_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, looked_at: int
) -> None:
    monkeypatch.setattr(cells, "LOOKED_AT", looked_at)
    told = [*OWN[column], None, *reversed(OWN[column])]
    rows, _ = conform_rows(
        tmp_path, *[dossier(**{column: text or ""}) for text in told], source=Source("so", "so", procedures="from_file")
    )
    assert rows[column].to_list() == [text if text and OWN[column][text] else None for text in told]


# ---- times that are times in their file

moments = st.datetimes(datetime(1985, 1, 1), datetime(2105, 1, 1)) | st.dates(date(2023, 1, 1), date(2023, 12, 31)).map(
    lambda day: datetime(day.year, day.month, day.day)
)
TYPES = {
    **{unit: pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")},
    "of a zone": pa.timestamp("us", "Asia/Ho_Chi_Minh"),
    "days": pa.date32(),
}


def written(values: list[datetime | None], dtype: pa.DataType) -> pa.Array:
    """Times as a column of a type, what is finer than it cut off."""
    known = pl.Series(values, dtype=pl.Datetime("us")).to_arrow().cast(pa.timestamp("us"))
    return known.cast(dtype, safe=False)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.none() | moments, moments, st.none() | moments), min_size=1, max_size=4),
    st.lists(st.sampled_from(sorted(TYPES)), min_size=3, max_size=3),
    st.sampled_from(["date", "timestamp"]),
)
def test_times_give_what_their_text_gives(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[datetime | None, datetime, datetime | None]],
    kinds: list[str],
    lateness: str,
) -> None:
    office = Office(tmp_path_factory.mktemp("giờ"))
    source = Source("so", "so", lateness=lateness)
    names = [HEADERS[name] for name in ("received_at", "due_at", "finished_at")]
    columns_told = zip(names, zip(*rows, strict=True), kinds, strict=True)
    times = {name: written(list(column), TYPES[kind]) for name, column, kind in columns_told}
    words = {name: plain_times(pl.Series(pl.from_arrow(column))).to_arrow() for name, column in times.items()}
    others = {
        HEADERS["dossier_code"]: [f"HS-{n}" for n in range(len(rows))],
        HEADERS["unit"]: ["Xã Gio An"] * len(rows),
    }
    found = []
    for name, columns_of_time in (("times", times), ("words", words)):
        path = office.home.raw / "so" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(others | columns_of_time), path)
        _, accepted, aside = conform(office.home, path, source)
        found.append((accepted.to_dicts(), aside.to_dicts()))
    assert found[0] == found[1]


def test_a_time_that_no_calendar_has_is_that_rows_fault(tmp_path: Path) -> None:
    """A file may hold milliseconds that are in no year."""
    office = Office(tmp_path)
    days = pa.array([datetime(2023, 7, 3)] * 2, pa.timestamp("us"))
    due = pa.array([1_688_947_200_000, 9_300_000_000_000_000], pa.int64()).cast(pa.timestamp("ms"))
    texts = {"dossier_code": ["HS-1", "HS-2"], "unit": ["Xã Gio An"] * 2, "status": ["Đang xử lý"] * 2}
    others = {HEADERS[name]: values for name, values in texts.items()}
    path = office.home.raw / "so" / "xa.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table(others | {HEADERS["received_at"]: days, HEADERS["due_at"]: due}), path)
    _, accepted, aside = conform(office.home, path, Source("so", "so"))
    assert accepted["due_at"].to_list() == [datetime(2023, 7, 10)]
    faults = aside.filter(pl.col("verdict") == "rejected")
    assert faults.select("row", "reason", "column", "found").rows() == [(2, "not_read", "due_at", "9" * 16)]


# ---- the keyed hash


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


@settings(deadline=None, max_examples=25)
@given(st.lists(st.none() | texts, min_size=1, max_size=5), st.binary(max_size=80) | texts.map(str.encode))
def test_the_hash_is_that_of_pythons_hmac(told: list[str | None], secret: bytes) -> None:
    """By a key that is text, as they are made, and by one of an earlier record, which is bytes."""
    found = hashes_of(pl.Series("t", told, dtype=pl.String), secret).to_list()
    assert found == [
        None if t is None else hmac.new(secret, t.encode(), hashlib.sha256).hexdigest()[:HEX_DIGITS] for t in told
    ]


@pytest.mark.parametrize("secret", [b"k" * 32, bytes(range(200, 232))], ids=["text", "bytes"])
def test_the_hash_of_the_bare_programs_is_the_same(secret: bytes) -> None:
    texts = ["HS-1", "Đơn số 2"]
    bare = duckdb.execute(f"SELECT {hash_sql('t', secret)} FROM (SELECT unnest($1) AS t)", [texts]).fetchall()
    assert [h for (h,) in bare] == hashes_of(pl.Series(texts), secret).to_list() == [hash_of(t, secret) for t in texts]


def test_the_same_dossier_has_one_id(tmp_path: Path) -> None:
    """National codes across sources; codes of a system's own only within it."""
    national, local = "H50.466-230703-0001", "HS-1"
    one, other = Source("a", "a"), Source("b", "b")
    shared = Source("c", "c", system="a")

    def ids(source: Source, *codes: str) -> list[bytes]:
        return conform_rows(tmp_path, *[dossier(dossier_code=c) for c in codes], source=source)[0][
            "dossier_id"
        ].to_list()

    assert ids(one, national) == ids(other, national.lower()) == ids(one, f" {national}\u00a0")
    assert ids(one, local) != ids(other, local) and ids(one, local) == ids(shared, local)
    assert ids(one, "hs-1") == ids(one, local)
    secret = key(Office(tmp_path).home)
    plain = hmac.new(secret, f"national\x1f{national}".encode(), hashlib.sha256).digest()[:16]
    assert ids(one, national) == [plain]


ALL_FORMATS = Source("so", "so").date_formats
MOMENTS = [datetime(2023, 2, 1, 4, 5, 6), datetime(2023, 12, 11, 10, 9), datetime(2023, 1, 31), datetime(1999, 12, 31, 23)]  # fmt: skip


@pytest.mark.parametrize("formats", [ALL_FORMATS, ("%m/%d/%Y", "%d/%m/%Y"), ("%Y%d%m", "%Y%m%d")], ids=["ours", "american", "odd"])  # fmt: skip
def test_the_text_looked_at_first_changes_no_moment(formats: tuple[str, ...]) -> None:
    """It only says which format to try first; where an earlier one reads such a text otherwise, that one goes on first."""
    source = Source("so", "so", date_formats=formats)
    texts = [f"{moment:{form}}" for moment in MOMENTS for form in formats]
    texts += ["", "x", "45000", "45000.5", "2023-02-01T04:05:06Z", "01/02/2023 04:05:06 CH", "31/02/2023"]
    con = duckdb.connect()
    con.execute("CREATE TABLE cells AS SELECT unnest($1) AS due_at", [texts])
    plain = con.execute(f"SELECT due_at, {moment_sql('due_at', source, None)} FROM cells").fetchall()
    assert sum(moment is not None for _, moment in plain) > len(formats)
    for told in texts:
        assert con.execute(f"SELECT due_at, {moment_sql('due_at', source, told)} FROM cells").fetchall() == plain


def test_a_later_format_is_tried_first() -> None:
    """Else the test above would compare one statement with itself."""
    source = Source("so", "so")
    assert "try_strptime(due_at, '%Y-%m-%d %H:%M:%S')" in moment_sql("due_at", source, "2023-02-01 04:05:06")
    assert moment_sql("due_at", source, "01/02/2023 04:05:06") == moment_sql("due_at", source, None)


def test_rows_of_white_are_no_rows(tmp_path: Path) -> None:
    """Also where a column that is not read is filled with white in each, and the title names the unit of all."""
    rows = [dossier(), dossier()]
    titles, (header, *body) = ["UBND xã Gio Mỹ"], [[*cells, " "] for cells in table(rows, titles=())]
    header[-1] = "Ghi chú riêng"
    place = header.index(HEADERS["unit"])
    empty = [""] * (len(header) - 1) + [" "]
    lines = [[c for n, c in enumerate(line) if n != place] for line in (header, body[0], empty, body[1])]
    facts, kept, _ = conform(Home(tmp_path), write_csv(tmp_path / "so.csv", [titles, *lines]))
    assert (facts.rows_in, facts.accepted, kept["row"].to_list(), facts.excluded) == (2, 2, [3, 5], {})
    assert kept["unit"].unique().to_list() == ["UBND xã Gio Mỹ"]
