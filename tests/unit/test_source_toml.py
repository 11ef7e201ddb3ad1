"""source.toml: what may stand in it, what is said of anything else, and a source known from it alone."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from pipeline.declare.sources import DATE_FORMATS, Source, read_source
from pipeline.errors import DeclarationError
from pipeline.measure import answers
from tests.unit.office import Office, write_csv

EVERYTHING = """
name = "Bộ phận một cửa xã A"
kind = "register"
id = "a"
mark = "đã xem tệp thật"
time_zone = "Asia/Tokyo"
units = "from_file"
procedures = "from_file"
date_formats = ["%d.%m.%Y %H:%M", "%d.%m.%Y"]
exported_at = "so_%Y%m%d.csv"
extent = "received_in"
known_at = "exported"
system = "cổng cũ"
from = 2023-06-15
to = 2023-09-14
precedence = -3
unit = "Xã Gio An"

[columns]
dossier_code = "Ref"
received_at = ["Nhận", "Nhận ngày"]

[values.channel]
online = ["Web", "App"]
in_person = "Desk"

[values.flag]
true = [1, "ja"]

[rules]
lateness = "timestamp"
includes_communes = true
"""


def read(folder: Path, toml: str | bytes) -> Source:
    path = folder / "source.toml"
    path.write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    return read_source(folder, key="xa_a")


def test_nothing_declared(tmp_path: Path) -> None:
    for source in (read_source(tmp_path, key="xa_a"), read(tmp_path, ""), read(tmp_path, "\ufeff# chú thích\n")):
        assert source == Source("xa_a", "xa_a")


def test_everything_declared(tmp_path: Path) -> None:
    source = read(tmp_path, EVERYTHING)
    (one, *_) = source.layouts
    assert one.columns["ref"] == "dossier_code" and one.columns["nhan ngay"] == "received_at"
    assert source.values == {
        "channel": {"web": "online", "app": "online", "desk": "in_person"},
        "flag": {"1": "true", "ja": "true"},
    }
    assert (source.name, source.time_zone, source.units, source.procedures) == (
        "Bộ phận một cửa xã A", "Asia/Tokyo", "from_file", "from_file",
    )  # fmt: skip
    assert (source.extent, source.known_at, source.system, source.lateness) == (
        "received_in", "exported", "cổng cũ", "timestamp",
    )  # fmt: skip
    assert source.exported_at == "so_%Y%m%d.csv" and source.date_formats == ("%d.%m.%Y %H:%M", "%d.%m.%Y")
    assert (source.first_day, source.last_day) == (date(2023, 6, 15), date(2023, 9, 14))
    assert (source.precedence, read(tmp_path, "").precedence) == (-3, 0)
    assert read(tmp_path, 'name = "x"').date_formats == DATE_FORMATS


def test_every_key_is_tried_here() -> None:
    """A key that nobody reads would be a promise that nobody keeps."""
    told = {f.split(" ")[0] for f in EVERYTHING.splitlines() if " = " in f}
    from pipeline.declare import sources

    known = {*sources.CHOICES, *sources.TEXTS, *sources.DAYS, *sources.RULES, "date_formats", "precedence"}
    assert known <= told


# a wrong line, in which line of the file, what is expected
WRONG = {
    "a key that is none": ('name = "x"\nencoding = "utf-8"', 2, "time_zone"),
    "kind": ('kind = "registers"', 1, "register"),
    "units": ('units = "file"', 1, "declared | from_file"),
    "units, not a text": ("units = true", 1, "declared | from_file"),
    "procedures": ('procedures = ["from_file"]', 1, "declared | from_file"),
    "extent": ('\n\nextent = "all"', 3, "full | received_in | open_at | delta"),
    "known_at": ("known_at = 2023-09-14", 1, "intake | exported"),
    "name": ("name = 5", 1, "text in quotes"),
    "system": ('system = ["a"]', 1, "text in quotes"),
    "mark": ("mark = false", 1, "text in quotes"),
    "id": ("id = 1.5", 1, "text in quotes"),
    "time_zone": ('time_zone = "Hà Nội"', 1, "Asia/Ho_Chi_Minh"),
    "time_zone, a number": ("time_zone = 7", 1, "text in quotes"),
    "exported_at without a day": ('exported_at = "so_%Y-%m.csv"', 1, "%Y-%m-%d"),
    "exported_at without a pattern": ('exported_at = "so.csv"', 1, "%Y-%m-%d"),
    "from, a text": ('from = "15/06/2023"', 1, "2023-06-15"),
    "to, with a time": ("to = 2023-06-15T08:00:00", 1, "2023-06-15"),
    "to before from": ("from = 2023-06-15\nto = 2023-06-14", 2, "2023-06-15"),
    "precedence, a text": ('precedence = "1"', 1, "whole number"),
    "precedence, a fraction": ("precedence = 1.5", 1, "whole number"),
    "precedence, yes": ("precedence = true", 1, "whole number"),
    "date_formats": ('date_formats = "%d/%m/%Y"', 1, "%d/%m/%Y"),
    "a date format without a year": ('date_formats = ["%d/%m"]', 1, "%d/%m/%Y"),
    "a date format that is none": ("date_formats = [1]", 1, "%d/%m/%Y"),
    "columns, no table": ('columns = "Ref"', 1, "[columns]"),
    "a column that is none": ('[columns]\nunit = "A"\ncode = "Ref"', 3, "dossier_code"),
    "a header that is no text": ("[columns]\nunit = 5.5", 2, "header as written"),
    "a header without a letter": ('[columns]\nunit = "***"', 2, "header as written"),
    "a header in a list that is no text": ('[columns]\nunit = ["A", {}]', 2, "header as written"),
    "one header for two columns": ('[columns]\nunit = "Nơi nhận"\nfield = "NƠI NHẬN"', 3, "header for one column"),
    "values, no table": ("values = 1", 1, "[values]"),
    "values of a column that has none": ('[values.received_at]\nonline = "x"', 1, "channel"),
    "values of a column, no table": ('[values]\nchannel = "Web"', 2, "[values.channel]"),
    "a value that is none": ('[values.channel]\nonline = "Web"\nfax = "Fax"', 3, "in_person"),
    "a word that is none": ("[values.channel]\nonline = 1.5", 2, "words as written"),
    "a word for two values": ('[values.channel]\nonline = "Web"\npostal = "web"', 3, "word for one value"),
    "a status that is none": ('[values.channel]\nonline = "A"\n[values.status]\nxong = "X"', 4, "handed_over"),
    "rules, no table": ("rules = 1", 1, "[rules]"),
    "a rule that is none": ('[rules]\nholidays = "none"', 2, "lateness = date | timestamp"),
    "lateness": ('name = "a"\n[rules]\nlateness = "hour"', 3, "lateness = date | timestamp"),
    "no TOML": ('name = "x"\nkind = register', 2, None),
    "a table twice": ("[rules]\n[rules]", 2, None),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_line_is_named(tmp_path: Path, name: str) -> None:
    toml, line, expected = WRONG[name]
    with pytest.raises(DeclarationError) as caught:
        read(tmp_path, toml)
    assert caught.value.exit_code == 2
    for lang, todo in (("vi", "Cách xử lý: "), ("en", "What to do: ")):
        words = caught.value.render(lang)
        assert words.startswith(f"xa_a/source.toml:{line}: "), words
        assert todo in words
        assert expected is None or expected in words


def test_a_declaration_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError) as caught:
        read(tmp_path, "name = 'Xã'".encode("utf-16"))
    assert "UTF-8" in caught.value.render("vi") and caught.value.where == "xa_a/source.toml"


def test_every_choice_passes(tmp_path: Path) -> None:
    from pipeline.declare.sources import CHOICES, RULES

    for key, values in CHOICES.items():
        for value in values:
            read(tmp_path, f'{key} = "{value}"')
    for key, values in RULES.items():
        for value in values:
            read(tmp_path, f"[rules]\n{key} = {json.dumps(value)}")


# ---- a source known from its source.toml alone, through the whole night

FOREIGN = """
name = "Văn phòng A và B"
time_zone = "Asia/Tokyo"
units = "from_file"
procedures = "from_file"
exported_at = "export_%Y%m%d_%H%M.tsv"
known_at = "exported"

[columns]
dossier_code = "Ref"
unit = "Office"
received_at = "In"
finished_at = "Out"
due_at = "Deadline"
channel = "Way"
procedure = "Matter"
result_digitized = "Scan"

[values.channel]
online = ["Web", "App"]
in_person = "Desk"

[values.result_digitized]
true = "ja"
false = "nein"

[rules]
lateness = "timestamp"
"""
# The wall clock of Tokyo is nine hours ahead of Z, two of Hanoi.
ROWS = [
    ["Ref", "Office", "In", "Out", "Deadline", "Way", "Matter", "Scan", "Person"],
    # received half past midnight on the first day of the quarter; a second late
    ["R-1", "Amt A", "2023-06-14T15:30:00Z", "2023-07-10T06:00:01Z", "2023-07-10T06:00:00Z", "Web", "Pass", "ja", "Người mẫu"],
    # received a second before the quarter; on the second
    ["R-2", "Amt A", "2023-06-14T14:59:59Z", "2023-07-10 15:00:00+09:00", "2023-07-10 15:00:00+0900", "Desk", "Pass", "nein", "Người mẫu"],
    # a due date without a time runs to the end of its day
    ["R-3", "Amt A", "2023-07-01", "2023-07-10 23:00:00", "2023-07-10", "App", "Pass", "", "Người mẫu"],
    ["R-4", "Amt A", "2023-07-01", "2023-07-09 23:00:00", "2023-07-10 12:00:00", "Web", "Haus", "ja", "Người mẫu"],
    # due on the last day: in term without a time, overdue where the hour has passed
    ["R-5", "Amt B", "2023-07-02", "", "2023-09-14", "Desk", "Haus", "", "Người mẫu"],
    ["R-6", "Amt B", "2023-07-02", "", "2023-09-14 10:00:00", "Web", "Haus", "", "Người mẫu"],
    ["R-7", "Amt B", "2023-07-02", "2023-07-09", "", "", "Haus", "nein", "Người mẫu"],
]  # fmt: skip


def test_a_source_known_from_its_declaration_alone(tmp_path: Path) -> None:
    office = Office(tmp_path)
    folder = office.source(FOREIGN, "amt")
    write_csv(folder / "export_20230914_2359.tsv", ROWS, "\t", "utf-16")
    result = office.night()
    assert result.release and not result.refused and result.rejected_rows == 0
    with office.open() as con:
        stats = {r["unit"]: r for r in answers.stats(con, "2023-Q3")}
        file = con.execute("SELECT exported_at, known_at, lateness, rows_in, layout FROM file").fetchone()
        rates = {
            (r["unit"], r["indicator"]): (r["numerator"], r["denominator"], r["unknown"])
            for r in answers.indicators(con, "2023-Q3")
        }
        procedures = dict(con.execute("SELECT procedure, count(*) FROM dossier GROUP BY 1").fetchall())
    # exported by Tokyo's clock, known by Hanoi's: moments of knowledge are those of the offices
    assert [str(f) for f in file] == ["2023-09-14 23:59:00", "2023-09-14 21:59:00", "timestamp", "7", "source:amt"]
    by_hand = {
        "Amt A": {
            "total": 4, "online": 3, "carried_over": 1, "in_person": 0,
            "resolved": 4, "resolved_late": 1, "resolved_on_time": 2, "resolved_early": 1, "open": 0,
        },
        "Amt B": {
            "total": 3, "online": 1, "in_person": 1, "channel_unknown": 1,
            "resolved": 1, "resolved_no_due": 1, "open": 2, "open_in_term": 1, "open_overdue": 1,
        },
        "Văn phòng A và B": {"total": 7, "online": 4, "carried_over": 1, "resolved": 5, "resolved_late": 1, "open": 2},
    }  # fmt: skip
    assert stats.keys() == by_hand.keys()
    for unit, counts in by_hand.items():
        row = stats[unit]
        assert {k: row[k] for k in counts} == counts, unit
        assert row["coverage"] == "full" and row["as_of"] == date(2023, 9, 14)
    assert stats["Văn phòng A và B"]["level"] == "total"
    assert rates["Amt A", "result_digitization_rate"] == (2, 3, 1)
    assert rates["Amt B", "result_digitization_rate"] == (0, 1, 0)
    assert rates["Amt A", "on_time_rate"] == (3, 4, 0)
    assert procedures == {"Pass": 3, "Haus": 4}


def test_a_broken_declaration_stops_its_source_alone(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.source('extent = "all"', "hong")
    office.drop("a.csv", [], key="hong")
    from tests.unit.office import dossier

    office.drop("b.csv", [dossier()], key="tot")
    intake = office.take_in()
    assert [e.name for e in intake.taken] == ["b.csv"]
    assert [type(e) for e in intake.refused] == [DeclarationError]
