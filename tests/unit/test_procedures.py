"""The national list of procedures as a table, and the codes by which registers refer to it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipeline.declare import procedures as declared
from pipeline.declare.procedures import Procedure, national_code, procedures
from pipeline.warehouse.procedures import procedure_table
from tests.unit.office import Office, dossier

# as written, the national code or none
CODES = [
    ("1.001612", "1.001612"),
    (" 1.001612 ", "1.001612"),
    ("1.001612.000.00.00.H48", "1.001612"),
    ("2.000815.000.00.00.G12", "2.000815"),
    ("1.001612.H48", None),
    ("1.1612", None),
    ("TTHC-01", None),
]


@pytest.mark.parametrize(("written", "code"), CODES)
def test_a_local_code_is_a_national_one_with_a_suffix(written: str, code: str | None) -> None:
    assert national_code(written) == code


def test_one_procedure_under_three_codes_is_one(tmp_path: Path) -> None:
    known = next(iter(procedures()))
    office = Office(tmp_path)
    codes = (known, f"{known}.000.00.00.H50", f"{known}.000.00.00.H48")
    office.drop("a.csv", [dossier(procedure_code=code) for code in codes])
    office.night()
    with office.open() as con:
        found = con.execute(
            "SELECT p.procedure_code, p.name, count(*) FROM dossier d JOIN procedure p USING (procedure_code) GROUP BY ALL"
        ).fetchall()
        listed = con.execute(
            "SELECT count(*), count(DISTINCT procedure_code), count(service_level), count(valid_from), min(listed_in) "
            "FROM procedure"
        ).fetchone()
    assert found == [(known, procedures()[known].name, 3)]
    assert listed == (len(procedures()), len(procedures()), 0, 0, 2026), "what the list does not tell is null, not none"


def test_what_a_list_does_tell_is_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        "procedure_code,name,field,levels,service_level,valid_from,valid_to\n"
        "1.000001,Thủ tục mẫu,Lĩnh vực mẫu,commune|province,full,2025-07-01,\n"
    )
    monkeypatch.setattr(declared, "declared_bytes", lambda _: lines.encode())
    procedures.cache_clear()
    try:
        told = procedures()["1.000001"]
        assert told == Procedure(
            "1.000001", "Thủ tục mẫu", "Lĩnh vực mẫu", ("commune", "province"), "full", date(2025, 7, 1), None
        )
        con = duckdb.connect()
        procedure_table(con)
        row = con.execute("SELECT levels, service_level, valid_from, valid_to FROM procedure").fetchone()
    finally:
        procedures.cache_clear()
    assert row == ("commune|province", "full", date(2025, 7, 1), None)
