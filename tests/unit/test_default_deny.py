"""Personal data: what is planted in any cell of an export stands nowhere but in the archive and the restricted store.

Parquet and the database are packed, so they are read as tables too, not only as bytes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline.declare.columns import columns
from pipeline.declare.text import fold
from tests.unit.office import HEADERS, QUARTER, Office, dossier, write_csv, write_xlsx

# Each would name a person. Scripts without case hide from patterns made for Latin letters.
NAME, LAO, CARD, PHONE, MAIL = "Bà Trần Thị Kín", "ທ້າວ ສົມຊາຍ", "045199912345", "0912 345 678", "kin@thu.vn"
SECRETS = (NAME, LAO, CARD, PHONE, MAIL)
TELLTALE = ("tran thi kin", "ສ", CARD, CARD[2:], "345 678", "0912 3", "091234", "kin thu", "kin@")
FREE_TEXT = ["Chủ hồ sơ", "Số CCCD", "Địa chỉ", "Số điện thoại", "Ghi chú", "Lý do"]


def planted(own_words: bool) -> list[list[str]]:
    """Titles, header, and rows with a secret in every column in turn, alone and behind a value that is known."""
    names = [*HEADERS.values(), *FREE_TEXT]
    cells = [[t] for t in QUARTER] + [[f"Người lập: {s}"] for s in SECRETS] + [names]
    for column, header in HEADERS.items():
        for secret in SECRETS:
            plain = dossier(procedure_code="1.000656", procedure="Thủ tục", field="Hộ tịch")
            known = str(plain.get(column, "Có"))
            named = column in ("unit", "procedure", "field") and own_words
            for text in (secret, f"{known} {secret}", f"{secret} {known}"):
                if column in ("dossier_code",) or (named and secret in (NAME, LAO)):
                    continue  # a code is kept by its hash alone; declared names of an office's own are its words
                row = plain | {column: text}
                row["dossier_code"] = dossier()["dossier_code"]
                cells.append([row.get(c, "") for c in HEADERS] + [SECRETS[n % 5] for n in range(len(FREE_TEXT))])
        assert header in names
    cells.append([NAME])  # below the table
    cells.append(["", "", NAME, CARD])
    return cells


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """(file, everything that can be read in it), of all that is stored but the archive and the restricted store."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        where = path.relative_to(folder).as_posix()
        if where.split("/")[0] in ("archive", "restricted"):
            continue
        yield where, path.read_bytes().decode("utf-8", "ignore")
        if path.suffix == ".parquet":
            yield where, "\n".join(map(str, pl.read_parquet(path).rows()))
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as con:
                named = "SELECT concat('\"', table_schema, '\".', table_name) FROM information_schema.tables"
                for (table,) in con.execute(named).fetchall():
                    yield f"{where}:{table}", "\n".join(map(str, con.execute(f"FROM {table}").fetchall()))


def leaks(folder: Path, *more: str) -> list[str]:
    found = []
    for where, text in texts(folder):
        # the bytes of a packed file are no words: folded, any run of them may look like a telephone
        packed = where.endswith((".parquet", ".duckdb")) and "\0" in text
        spaced = "" if packed else " ".join(fold(line) for line in text.splitlines())
        found += [f"{where}: {t}" for t in (*TELLTALE, *more) if t in text or t in spaced]
    return found


@pytest.fixture(scope="module", params=["declared", "from_file"])
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("kín"))
    own = request.param == "from_file"
    folder = office.source(f'units = "{request.param}"\nprocedures = "{request.param}"\n')
    write_csv(folder / "so.csv", planted(own))
    write_xlsx(folder / "so_2.xlsx", so=planted(own)[: len(QUARTER) + len(SECRETS) + 20])
    write_csv(folder / "khong_tieu_de.csv", [[NAME, CARD, PHONE, LAO]] * 3)
    write_csv(folder / "thieu_cot.csv", [["Mã hồ sơ", "Ngày tiếp nhận", "Trạng thái"], [NAME, CARD, PHONE]])
    office.result = office.night()
    return office


def test_nothing_planted_is_stored(office: Office) -> None:
    assert office.result.release, office.result
    assert not leaks(office.home.warehouse)


def test_the_rows_were_really_there(office: Office) -> None:
    """The test can fail: the same scan finds what was planted in the archive, and every column was tried."""
    with office.open() as con:
        tried = {c for (c,) in con.execute('SELECT DISTINCT "column" FROM set_aside').fetchall()}
        counted = con.execute("SELECT count(*) FROM dossier").fetchone()
    assert counted and counted[0] > 50
    settled = {"procedure", "field"}  # by the procedure's code, so that nothing is left to notice
    assert tried >= set(columns()) - {"dossier_code"} - settled, "every column had a planted value that was not read"
    raw = "".join(p.read_bytes().decode("utf-8", "ignore") for p in office.home.archive.rglob("*") if p.is_file())
    assert all(secret in raw for secret in SECRETS)


def test_messages_name_nobody(office: Office) -> None:
    assert len(office.result.refused) == 2
    for error in office.result.refused:
        for lang in ("vi", "en"):
            assert not [t for t in TELLTALE if t in error.render(lang) or t in fold(error.render(lang))]


def test_dossier_codes_are_in_the_restricted_store_alone(office: Office) -> None:
    stored = [p for p in (office.home.restricted / "codes").iterdir()]
    codes = pl.concat([pl.read_parquet(p) for p in stored])["dossier_code"]
    assert codes.len() > 50 and codes.str.starts_with("H50.466-").all()
    assert not leaks(office.home.warehouse, "H50.466-230703", "h50 466 230703")
    assert {p.suffix for p in stored} == {".parquet"}, "nothing half-written stays"


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_archive_and_restricted_store_are_the_owners_alone(office: Office) -> None:
    for folder in (office.home.archive, office.home.restricted):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((office.home.restricted / "key").stat().st_mode) == 0o600


def test_the_scan_can_fail(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    pl.DataFrame({"a": [f"x {NAME.upper()} y"]}).write_parquet(tmp_path / "x" / "rows.parquet")
    with duckdb.connect(str(tmp_path / "w.duckdb")) as con:
        con.execute("CREATE TABLE t AS SELECT ? AS a", [CARD])
    assert {f.split(":")[0] for f in leaks(tmp_path)} == {"x/rows.parquet", "w.duckdb"}
