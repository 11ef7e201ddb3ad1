"""Files that are broken or made to harm are refused, each with its reason, at once; the reader goes on."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import olefile
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.declare.limits import Limits, limits
from pipeline.errors import InputRefused
from pipeline.read import grids, parquet
from pipeline.read.grids import open_file
from tests.read import writers
from tests.unit.office import write_csv, write_xlsx

CELLS = [["Mã hồ sơ", "Đơn vị", "Ghi chú"], *[[f"00{n}", "Xã Gio An", "x"] for n in range(50)]]
Tool = Callable[[str | None, str], str]


def refusal(path: Path, within: Limits | None = None) -> str:
    """The words of the refusal, which name the file and show nothing of this machine."""
    with pytest.raises(InputRefused) as caught:
        for grid in open_file(path, "so/tệp lạ", within).grids:
            for _ in grid.batches(grid.first_row):
                pass
    words = caught.value.render("vi")
    assert words.startswith("so/tệp lạ") and "Cách xử lý" in words
    assert "Traceback" not in words and str(path.parent) not in words and "Error(" not in words
    return words


def rezipped(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A workbook with its parts changed."""
    write_xlsx(path, So=CELLS)
    with zipfile.ZipFile(path) as packed:
        parts = {n: packed.read(n) for n in packed.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">&b;</Workbook>'
)
OUTSIDE = LAUGHS.replace(b'<!ENTITY a "ha">', b'<!ENTITY a SYSTEM "file:///etc/passwd">')


def put(content: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


def sheet_with(change: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        return rezipped(path, lambda parts: parts.update({SHEET: change(parts[SHEET])}))

    return write


def zipped(**members: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in members.items():
                packed.writestr(name, content)
        return path

    return write


def ods(content: bytes) -> Callable[[Path], Path]:
    return zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet", **{"content.xml": content})


TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
MANY = (
    f'<x xmlns:t="{TABLE}" xmlns:p="{TEXT}"><t:table t:name="S"><t:table-row t:number-rows-repeated="1000000">'
    '<t:table-cell t:number-columns-repeated="900"><p:p>x</p:p></t:table-cell></t:table-row></t:table></x>'
).encode()
SS = '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
FAR_XML = f'{SS}<Worksheet ss:Name="S"><Table><Row ss:Index="900000000"><Cell ss:Index="2"/></Row></Table></Worksheet></Workbook>'

HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "PDF": (put(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "PDF"),
    "PNG": (put(b"\x89PNG\r\n\x1a\n" + b"\0" * 100), "ảnh"),
    "Word": (zipped(**{"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "Word"),
    "a sheet cut short": (sheet_with(lambda xml: xml[: len(xml) // 2]), "cắt cụt"),
    "a sheet with crossed tags": (sheet_with(lambda xml: xml.replace(b"</c>", b"</row>", 1)), "hỏng"),
    "a cell in the farthest corner": (sheet_with(lambda xml: xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')), "số cột"),
    "a far cell in other quotes": (sheet_with(lambda xml: xml.replace(b"</sheetData>", b"<row><c\tr\n= 'xfd1048576'><v>1</v></c></row></sheetData>")), "số cột"),
    "a tall and wide sheet": (sheet_with(lambda xml: xml.replace(b"</sheetData>", b'<row r="1048576"><c r="ZZ1048576"><v>1</v></c></row></sheetData>')), "số ô"),
    "a document type in a sheet": (sheet_with(lambda xml: b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + xml), "DOCTYPE"),
    "a document type in the workbook": (lambda p: rezipped(p, lambda parts: parts.update({"xl/workbook.xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + parts["xl/workbook.xml"]})), "DOCTYPE"),
    "a workbook without its sheet": (lambda p: rezipped(p, lambda parts: parts.pop(SHEET) and None), "hỏng"),
    "entities": (put(LAUGHS), "DOCTYPE"),
    "entities from outside": (put(OUTSIDE), "DOCTYPE"),
    "entities in an ODS": (ods(b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), "DOCTYPE"),
    "a row far below": (put(FAR_XML.encode()), "quá lớn"),
    "XML cut short": (put(writers.spreadsheetml({"S": writers.spreadsheetml_rows(CELLS)}).encode()[:-200]), "cắt cụt"),
    "HTML cut short": (put(writers.html_table(CELLS).encode()[:-500]), "cắt cụt"),
    "HTML without a table": (put(b"<html><body>Phi\xc3\xaan</body></html>"), "không có bảng"),
    "JSON cut short": (put(json.dumps(writers.records(CELLS)).encode()[:-40]), "cắt cụt"),
    "JSON of two arrays": (put(b'{"a": [{"x": 1}], "b": [{"x": 2}]}'), "đúng một mảng"),
    "JSON too deep": (put(b'[{"a":' + b"[" * 100_000), "hỏng"),
    "a key twice": (put(b'[{"a": 1, "a": 2}]'), "lặp lại"),
    "NDJSON with a broken line": (put(b'{"a": 1}\n{"a": 2\n'), "hỏng"),
    "Parquet cut short": (put(b"PAR1" + b"\0" * 300), "hỏng"),
    "gzip cut short": (put(gzip.compress(b"a,b,c\n" * 10_000)[:-20]), "cắt cụt"),
    "gzip in gzip": (put(gzip.compress(gzip.compress(b"a,b\n"))), "lồng"),
    "zip in zip": (zipped(**{"a.zip": b"PK\x05\x06" + b"\0" * 18}), "lồng"),
    "a path that climbs": (zipped(**{"../x.csv": b"a,b\n1,2\n"}), "trỏ ra ngoài"),
    "an absolute path": (zipped(**{"/etc/x.csv": b"a,b\n1,2\n"}), "trỏ ra ngoài"),
    "a picture in a zip": (zipped(**{"a.csv": b"a,b\n1,2\n", "b.png": b"\x89PNG\r\n"}), "ảnh"),
    "zip without its end": (put(b"PK\x03\x04" + b"\0" * 200), "hỏng"),
    "OLE noise": (put(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 8), "hỏng"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    make, reason = HOSTILE[name]
    assert reason in refusal(make(tmp_path / "so.bin"))


def test_repeated_cells_are_not_written_out_without_end(tmp_path: Path) -> None:
    """Counted against a lower limit than ours, which is reached after half a minute."""
    assert "quá lớn" in refusal(ods(MANY)(tmp_path / "so.ods"), replace(limits(), cells=1_000_000))


def bomb(path: Path, kind: str) -> Path:
    zeros = b"0," * 30_000_000
    if kind == "gzip":
        path.write_bytes(gzip.compress(zeros, 9))
        return path
    return zipped(**{"a.csv": zeros})(path)


@pytest.mark.parametrize("kind", ["gzip", "zip"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, kind: str) -> None:
    path = bomb(tmp_path / "so.bin", kind)
    assert "tỷ lệ nén" in refusal(path, replace(limits(), ratio=200))
    assert "giải nén" in refusal(path, replace(limits(), ratio=10**6, unpacked_bytes=1_000_000))


def test_a_zip_that_lies_about_its_sizes(tmp_path: Path) -> None:
    path = zipped(**{"a.csv": b"a,b\n" * 100_000})(tmp_path / "so.zip")
    content = path.read_bytes()
    size = struct.pack("<I", 400_000)
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, struct.pack("<I", 10)))
    refusal(path)


SMALL = {
    "file_bytes": (lambda p: write_csv(p, CELLS), 100),
    "held_bytes": (lambda p: write_xlsx(p, So=CELLS), 100),
    "part_bytes": (lambda p: write_xlsx(p, So=CELLS), 100),
    "cells": (lambda p: write_xlsx(p, So=CELLS), 20),
    "rows": (lambda p: write_csv(p, CELLS), 20),
    "columns": (lambda p: write_csv(p, CELLS), 2),
    "members": (zipped(**{f"{n}.csv": b"a,b\n" for n in range(5)}), 4),
}


@pytest.mark.parametrize("limit", SMALL)
def test_declared_limits_hold(tmp_path: Path, limit: str) -> None:
    make, value = SMALL[limit]
    assert str(value) in refusal(make(tmp_path / "so.bin"), replace(limits(), **{limit: value}))


# ---- passwords


def test_a_zip_with_a_password(tmp_path: Path, need_tool: Tool) -> None:
    program = need_tool(shutil.which("zip"), "zip")
    write_csv(tmp_path / "so.csv", CELLS)
    subprocess.run([program, "-q", "-P", "bimat", "so.zip", "so.csv"], cwd=tmp_path, check=True)
    assert "mật khẩu" in refusal(tmp_path / "so.zip")


def saved_as_xls(tmp_path: Path, libreoffice: writers.LibreOffice) -> Path:
    return libreoffice.convert(write_xlsx(tmp_path / "so.xlsx", So=CELLS), "xls", tmp_path / "saved")


def test_an_old_workbook_with_a_password(tmp_path: Path, libreoffice: writers.LibreOffice) -> None:
    """The record that announces a password, put in place of the second one."""
    path = saved_as_xls(tmp_path, libreoffice)
    with olefile.OleFileIO(path, write_mode=True) as ole:
        stream = bytearray(ole.openstream("Workbook").read())
        second = 4 + struct.unpack_from("<H", stream, 2)[0]
        struct.pack_into("<H", stream, second, 0x2F)
        ole.write_stream("Workbook", bytes(stream))
    assert "mật khẩu" in refusal(path)


def test_a_new_workbook_with_a_password(tmp_path: Path, libreoffice: writers.LibreOffice) -> None:
    """Excel puts the encrypted package into a compound file, as a stream of that name."""
    path = saved_as_xls(tmp_path, libreoffice)
    name = "EncryptedPackage".encode("utf-16-le")
    content = path.read_bytes()
    entry = content.index("Workbook".encode("utf-16-le") + b"\0\0")
    path.write_bytes(content[:entry] + name.ljust(64, b"\0") + struct.pack("<H", len(name) + 2) + content[entry + 66 :])
    assert "mật khẩu" in refusal(path)


def test_a_ring_of_sectors_is_no_endless_loop(tmp_path: Path, libreoffice: writers.LibreOffice) -> None:
    path = saved_as_xls(tmp_path, libreoffice)
    content = bytearray(path.read_bytes())
    table = 512 + 512 * struct.unpack_from("<I", content, 76)[0]  # the first sector of the allocation table
    followed = next(at for at in range(table, table + 512, 4) if 0 < struct.unpack_from("<I", content, at)[0] < 100)
    struct.pack_into("<I", content, followed, (followed - table) // 4)
    path.write_bytes(content)
    assert "hỏng" in refusal(path)


BROKEN = pa.array([b"X\xc3\xa3 Gio An", b"X\xce", None]).view(pa.string())


@pytest.mark.parametrize(
    "texts",
    [BROKEN, BROKEN.dictionary_encode(), pa.array([[text] for text in BROKEN])],
    ids=["plain", "codes", "nested"],
)
def test_a_text_in_parquet_that_is_not_utf8(tmp_path: Path, texts: pa.Array, capfd: pytest.CaptureFixture[str]) -> None:
    """Programs write such files, and Arrow reads them; what reads on would end in a panic that quotes the text."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"Mã hồ sơ": ["001", "002", "003"], "Đơn vị": texts}), path)
    assert "cột “Đơn vị”, dòng 2" in refusal(path)
    assert capfd.readouterr() == ("", "")


def test_a_column_of_parquet_that_is_broken_otherwise(tmp_path: Path) -> None:
    """A day that is no whole day, whose row nobody looks for."""
    days = pa.array([0, 1], pa.int64()).view(pa.date64())
    with pytest.raises(InputRefused) as caught:
        parquet._check(pa.record_batch({"Ngày tiếp nhận": days}), "so/a.parquet", 0)
    assert "Thấy: cột “Ngày tiếp nhận”\n" in caught.value.render("vi")


def test_rows_of_earlier_batches_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "BATCH_CELLS", 2)
    pq.write_table(
        pa.table({"Đơn vị": pa.concat_arrays([pa.array(["Xã Gio An"] * 7), BROKEN])}), tmp_path / "a.parquet"
    )
    assert "cột “Đơn vị”, dòng 9" in refusal(tmp_path / "a.parquet")


def test_a_column_of_parquet_whose_name_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"donvi": ["Xã Gio An"]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"donvi", b"don\xcei"))
    assert "hỏng" in refusal(path)


# ---- anything at all


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A good file of each format that needs no office suite."""
    folder = tmp_path_factory.mktemp("samples")
    made = [
        write_xlsx(folder / "a.xlsx", So=CELLS[:5]),
        write_csv(folder / "a.csv", CELLS[:5]),
        writers.write_json(folder / "a.json", CELLS[:5]),
        writers.by_duckdb("FORMAT parquet")(folder / "a.parquet", CELLS[:5]),
        writers.write_gzip(folder / "a.gz", CELLS[:5]),
        writers.write_zip(folder / "a.zip", CELLS[:5]),
    ]
    texts = [writers.html_table(CELLS[:5]), writers.spreadsheetml({"S": writers.spreadsheetml_rows(CELLS[:5])})]
    return [p.read_bytes() for p in made] + [t.encode() for t in texts]


@settings(max_examples=300)
@given(data=st.data())
def test_damage_anywhere_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, samples: list[bytes], data: st.DataObject
) -> None:
    """Never any other exception: bytes flipped, cut out, put in."""
    content = bytearray(data.draw(st.sampled_from(samples)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1)) if content else 0
        piece = data.draw(st.binary(max_size=6))
        content[at : at + data.draw(st.integers(0, 40))] = piece
    path = tmp_path_factory.getbasetemp() / "damaged.bin"
    path.write_bytes(content)
    try:
        for grid in open_file(path, "so").grids:
            for _ in grid.batches(grid.first_row):
                pass
    except InputRefused as error:
        assert not re.search(r"Gio An", error.render("vi")), "a cell has got into the message"
