"""Layouts that the code has never seen, read from their source.toml alone, through the whole night; counted by hand.

A third one, from another time zone and without a status column, stands in tests/unit/test_source_toml.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.measure import answers
from tests.unit.office import Office, write_xlsx

# ---- a ledger with two header rows and a sheet per month, of one unit that only the declaration names

LEDGER = """
name = "Sổ bộ phận hộ tịch"
unit = "Xã Gio An"
exported_at = "ho_tich_%d-%m-%Y.xlsx"
known_at = "exported"
from = 2023-06-15
to = 2023-09-14

[columns]
dossier_code = "Số vào sổ"
received_at = "Thời gian > Vào"
due_at = "Thời gian > Phải xong"
finished_at = "Thời gian > Xong"
status = "Sổ ghi"
channel = "Đến bằng"

[values.status]
done = "xong"
processing = ["đang làm", "chờ ký"]
withdrawn = "dân rút"

[values.channel]
online = "mạng"
in_person = "quầy"
"""
HEAD = [
    ["Số vào sổ", "Người nộp", "Thời gian", "", "", "Sổ ghi", "Đến bằng"],
    ["", "", "Vào", "Phải xong", "Xong", "", ""],
]
JULY = [
    ["Từ ngày 15/06/2023 đến ngày 14/07/2023"],
    *HEAD,
    ["HT/1", "Người mẫu", "20/06/2023", "27/06/2023", "26/06/2023", "xong", "mạng"],
    ["HT/2", "Người mẫu", "03/07/2023", "10/07/2023", "", "đang làm", "quầy"],
    ["HT/3", "Người mẫu", "05/07/2023", "06/07/2023", "06/07/2023", "dân rút", "quầy"],
    ["Cộng: 3 hồ sơ"],
]
# The second dossier stands in the next sheet again, finished meanwhile: the later sheet speaks.
AUGUST = [
    ["Từ ngày 15/07/2023 đến ngày 14/08/2023"],
    *HEAD,
    ["HT/2", "Người mẫu", "03/07/2023", "10/07/2023", "12/07/2023", "xong", "quầy"],
    ["HT/4", "Người mẫu", "01/08/2023", "", "", "chờ ký", "fax"],
    ["Cộng: 5 hồ sơ"],
]


def test_a_ledger_with_a_sheet_per_month(tmp_path: Path) -> None:
    office = Office(tmp_path)
    folder = office.source(LEDGER, "ho_tich")
    notes = [["Ghi chú của bộ phận"], ["Sổ này do bộ phận hộ tịch giữ"]]
    write_xlsx(folder / "ho_tich_14-08-2023.xlsx", **{"Tháng 7": JULY, "Tháng 8": AUGUST, "Ghi chú": notes})
    result = office.night()
    assert not result.refused and result.rejected_rows == 0
    with office.open() as con:
        (row,) = [r for r in answers.stats(con, "2023-Q3") if r["level"] == "unit"]
        account = dict(con.execute("SELECT coalesce(reason, verdict), rows FROM file_account").fetchall())
        notices = con.execute(
            "SELECT sheet, reason, expected, found FROM set_aside WHERE verdict = 'notice'"
        ).fetchall()
    counts = {
        "total": 4, "online": 1, "in_person": 2, "channel_unknown": 1, "carried_over": 0, "resolved": 2,
        "resolved_early": 1, "resolved_late": 1, "withdrawn": 1, "open": 1, "open_in_term": 1,
    }  # fmt: skip
    assert row["unit"] == "Xã Gio An" and {k: row[k] for k in counts} == counts
    assert account == {"counted": 4, "superseded_in_file": 1, "total_row": 2, "no_table": 2}
    # the word "fax" is in no list; the total below August tells of five, and there are two
    assert notices == [("Tháng 8", "word_not_known", "một chữ đã khai báo / a declared word", "Aaa".lower()),
                       ("Tháng 8", "total_differs", "2", "5")]  # fmt: skip


# ---- a summary whose columns nobody has called so before

SUMMARY = """
name = "Bảng theo dõi của Sở"
kind = "summary"

[groups]
done = ["Xong trong quý", "Đã trả"]

[columns]
unit = "Nơi làm"
carried_over = "Tồn cũ"
received = "Vào mới"
resolved_folded = "{done} > Cả thảy"
resolved_late = "{done} > Chậm"
open = "Còn lại"

[identities]
flow = "carried_over + received = resolved_folded + open"
"""
ROWS = [
    ["Nơi làm", "Tồn cũ", "Vào mới", "Đã trả", "", "Còn lại"],
    ["", "", "", "Cả thảy", "Chậm", ""],
    ["Xã Gio An", "4", "1.000", "1.001", "1", "3"],
    ["xã Gio Mỹ", "2", "50", "50", "-", "3"],  # 52 ≠ 53
    ["Tổng cộng", "6", "1.050", "1.051", "1", "6"],
]


def test_a_summary_of_its_own(tmp_path: Path) -> None:
    office = Office(tmp_path)
    folder = office.source(SUMMARY, "theo_doi")
    write_xlsx(folder / "theo_doi_2023-Q3.xlsx", Sheet1=ROWS)
    result = office.night()
    assert not result.refused and result.rejected_rows == 0
    with office.open() as con:
        stats = {r["unit_code"]: r for r in answers.stats(con, "2023-Q3") if r["level"] == "unit"}
        rates = {(r["unit_code"], r["indicator"]): r for r in answers.indicators(con, "2023-Q3")}
        told = con.execute("SELECT row, reason, expected, found FROM set_aside WHERE verdict = 'notice'").fetchall()
    an, my = stats["19522"], stats["19510"]
    assert {k: an[k] for k in ("basis", "total", "carried_over", "resolved", "resolved_late", "open")} == {
        "basis": "reported", "total": 1004, "carried_over": 4, "resolved": 1001, "resolved_late": 1, "open": 3,
    }  # fmt: skip
    assert an["online"] is None and my["resolved_late"] is None, "what is not told is not zero"
    rate = rates["19522", "late_rate"]
    assert (rate["numerator"], rate["denominator"]) == (1, 1001)
    assert rates["19510", "late_rate"]["verdict"] == "no_data"
    ((row, reason, rule, numbers),) = told
    assert (row, reason, numbers) == (4, "identity_fails", "52 ≠ 53")
    assert rule.startswith("Tồn kỳ trước + Mới tiếp nhận trong kỳ = Đã giải quyết"), "in words, not in keys"


# ---- records with the keys of some program, day and time apart from each other's zone

RECORDS = """
name = "Hệ thống cũ"
units = "from_file"
extent = "delta"
from = 2023-06-15
to = 2023-09-14
exported_at = "dump_%Y%m%d.ndjson"

[columns]
dossier_code = "id"
unit = "office.name"
received_at = "times.in"
finished_at = "times.out"
due_at = "times.due"
channel = "via"

[values.channel]
online = 2
postal = 3
"""


def record(number: int, office: str, via: int, **times: str) -> dict[str, Any]:
    return {"id": f"A{number:05}", "office": {"name": office, "head": "Người mẫu"}, "via": via, "times": times}


def test_records_of_a_program(tmp_path: Path) -> None:
    office = Office(tmp_path)
    folder = office.source(RECORDS, "cu")
    records = [
        record(1, "Trạm 1", 2, **{"in": "2023-07-01T01:00:00Z", "due": "2023-07-05", "out": "2023-07-04T20:00:00Z"}),
        record(2, "Trạm 1", 3, **{"in": "2023-07-01", "due": "2023-07-05"}),
        record(3, "Trạm 2", 2, **{"in": "2023-08-01"}),
    ]
    (folder / "dump_20230914.ndjson").write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in records), "utf-8")
    result = office.night()
    assert not result.refused and result.rejected_rows == 0
    with office.open() as con:
        stats = {r["unit"]: r for r in answers.stats(con, "2023-Q3")}
    # three in the morning of the fifth in Hà Nội: on the day it was due
    one = stats["Trạm 1"]
    assert (one["total"], one["online"], one["postal"], one["resolved_on_time"], one["open_overdue"]) == (2, 1, 1, 1, 1)
    assert stats["Trạm 2"]["open_in_term"] == 1 and stats["Hệ thống cũ"]["total"] == 3
