"""Reading: what a file is, its bytes say; every cell as text with the row number a person sees."""

from __future__ import annotations

import gzip
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputRefused
from pipeline.read import grids
from pipeline.read.grids import Grid, open_file
from tests.unit.office import write_csv, write_xlsx

CELLS = [
    ["SỔ THEO DÕI"],
    [],
    ["Mã hồ sơ", "Đơn vị", "Ghi chú"],
    ["0012", "Xã Gio An", "một, hai; ba"],
    ["0013", "Xã Gio Hải", "dòng một\ndòng hai"],
    ["0014", "", 'nói "có"'],
]


def rows(grid: Grid, first_row: int) -> dict[int, list[str | None]]:
    """Row number → cells."""
    frames = list(grid.batches(first_row))
    if not frames:
        return {}
    frame = pl.concat(frames)
    cells = [c for c in frame.columns if c.startswith("c")]
    return dict(zip(frame["row"], map(list, frame.select(cells).iter_rows()), strict=True))


def right(path: Path) -> Grid:
    """The grid in which the header is cut into its columns."""
    return next(
        g for g in open_file(path, path.name).grids if ["Mã hồ sơ", "Đơn vị", "Ghi chú"] in [r[:3] for r in g.head]
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_delimited_text(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = write_csv(tmp_path / "so.csv", CELLS, delimiter, "utf-8")
    if encoding.endswith("-bom"):
        plain = encoding.removesuffix("-bom")
        bom = b"\xff\xfe" if plain.endswith("le") else b"\xfe\xff"
        path.write_bytes(bom + path.read_text("utf-8").encode(plain))
    else:
        path.write_bytes(path.read_bytes().decode("utf-8").encode(encoding))
    grid = right(path)
    assert grid.head[0][0] == "SỔ THEO DÕI" and grid.head[2] == CELLS[2]
    assert rows(grid, 4) == {
        4: ["0012", "Xã Gio An", "một, hai; ba"],
        5: ["0013", "Xã Gio Hải", "dòng một\ndòng hai"],
        6: ["0014", None, 'nói "có"'],
    }


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "so.csv"
    path.write_text(ending.join(["Mã hồ sơ,Đơn vị,Ghi chú", "1,a,", "2,b,x", ""]), encoding="utf-8", newline="")
    assert rows(right(path), 2) == {2: ["1", "a", None], 3: ["2", "b", "x"]}


def test_commas_in_every_quoted_cell_do_not_cut_a_semicolon_file(tmp_path: Path) -> None:
    body = [[f"00{n}", "Xã Gio An, huyện Gio Linh, tỉnh Quảng Trị, Việt Nam", "a, b, c, d, e, f, g"] for n in range(50)]
    path = write_csv(tmp_path / "so.csv", [["Bảng 1, 2, 3, 4, 5, 6, 7, 8, 9"], CELLS[2], *body], ";")
    assert rows(right(path), 3)[3] == body[0]
    assert len(rows(right(path), 3)) == 50


def test_ragged_rows_and_trailing_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "so.csv"
    lines = ["Mã hồ sơ,Đơn vị,Ghi chú", "1", "2,b", "3,c,x,", "4,d,x,,  ,", "5,e,x,thừa", "", ",,", ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    (frame,) = right(path).batches(2)
    told = dict(zip(frame["row"], frame["surplus"], strict=True))
    assert told == {2: False, 3: False, 4: False, 5: False, 6: True, 7: False, 8: False}
    found = rows(right(path), 2)
    assert found[2] == ["1", None, None] and found[3] == ["2", "b", None] and found[6] == ["5", "e", "x"]
    assert found[7] == [None, None, None] == found[8]


def test_a_table_may_be_longer_than_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "batch_rows", lambda columns: 7)
    body = [[f"{n:04}", "Xã Gio An", f"ghi {n}"] for n in range(40)]
    for path in (
        write_csv(tmp_path / "so.csv", [CELLS[2], *body]),
        write_xlsx(tmp_path / "so.xlsx", so=[CELLS[2], *body]),
    ):
        frames = list(right(path).batches(2))
        assert [f.height for f in frames] == [7] * 5 + [5]
        assert rows(right(path), 2) == dict(enumerate(body, 2))


def test_workbook_rows_keep_the_numbers_of_the_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["B4"], sheet["C4"], sheet["D4"] = "Mã hồ sơ", "Đơn vị", "Ghi chú"
    sheet["B5"], sheet["C5"] = "0012", "Xã Gio An"
    sheet["B8"] = "0013"
    book.save(tmp_path / "so.xlsx")
    grid = right(tmp_path / "so.xlsx")
    assert grid.head[3] == ["Mã hồ sơ", "Đơn vị", "Ghi chú"]
    assert rows(grid, 5) == {
        5: ["0012", "Xã Gio An", None],
        6: [None, None, None],
        7: [None, None, None],
        8: ["0013", None, None],
    }


def test_workbook_cells_as_text(tmp_path: Path) -> None:
    """Dates as written in ISO, numbers without a made-up fraction, codes with their zeros."""
    cells = {
        "0012": "0012",
        45092: "45092",
        1.5: "1.5",
        True: "true",
        datetime(2023, 6, 15, 8, 30): "2023-06-15 08:30:00",
        date(2023, 6, 16): "2023-06-16 00:00:00",
        "15/06/2023": "15/06/2023",
        "": None,
    }
    path = write_xlsx(tmp_path / "so.xlsx", so=[["Mã hồ sơ", "Đơn vị", "Ghi chú"], *[["x", c, "y"] for c in cells]])
    assert [r[1] for r in rows(right(path), 2).values()] == list(cells.values())


def test_all_sheets_are_read_hidden_ones_too(tmp_path: Path) -> None:
    """What is hidden is in the file all the same: rows are never left out in silence."""
    header = CELLS[2]
    path = write_xlsx(
        tmp_path / "so.xlsx",
        T7=[header, ["1", "a", "x"]],
        Trống=[],
        Trắng=[[""], [" "]],
        T8=[header, ["2", "b", "y"]],
        Ẩn=[header, ["3", "c", "z"]],
        Đầu=[header],
    )
    book = openpyxl.load_workbook(path)
    book["Ẩn"].sheet_state = "hidden"
    book.save(path)
    found = {g.sheet: g for g in open_file(path, "so.xlsx").grids}
    assert {"T7", "T8", "Ẩn", "Đầu"} <= set(found) and "Trống" not in found
    assert [rows(found[s], 2) for s in ("T7", "T8", "Ẩn", "Đầu")] == [
        {2: ["1", "a", "x"]}, {2: ["2", "b", "y"]}, {2: ["3", "c", "z"]}, {},
    ]  # fmt: skip
    assert all(not r[0] or not r[0].strip() for r in found["Trắng"].head)


def test_a_chart_sheet_keeps_no_workbook_out(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "so.xlsx", so=[CELLS[2], ["1", "a", "x"]])
    book = openpyxl.load_workbook(path)
    book.create_chartsheet("Biểu đồ")
    book.save(path)
    assert rows(right(path), 2) == {2: ["1", "a", "x"]}


# ---- what is refused


def zipped(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as z:
        for name, content in members.items():
            z.writestr(name, content)


def truncated(path: Path) -> None:
    write_xlsx(path, so=[CELLS[2], *[["1", "a", "x"]] * 200])
    path.write_bytes(path.read_bytes()[:-2000])


def broken_sheet(path: Path) -> None:
    write_xlsx(path, so=[CELLS[2], ["1", "a", "x"]])
    with zipfile.ZipFile(path) as z:
        parts = {n: z.read(n) for n in z.namelist()}
    parts["xl/worksheets/sheet1.xml"] = b"<worksheet><sheetData><row><c"
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"][:40]
    zipped(path, **parts)


REFUSED = {
    "nothing": lambda p: p.write_bytes(b""),
    "white": lambda p: p.write_bytes(b"\xef\xbb\xbf \r\n\r\n\t \r\n"),
    "a byte-order mark alone": lambda p: p.write_bytes(b"\xff\xfe"),
    "UTF-16 white": lambda p: p.write_text(" \n \n", encoding="utf-16"),
    "binary": lambda p: p.write_bytes(bytes(range(256)) * 40),
    "PDF": lambda p: p.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"),
    "old Excel": lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600),
    "gzip of gzip": lambda p: p.write_bytes(gzip.compress(gzip.compress(b"a,b\n1,2\n"))),
    "HTML": lambda p: p.write_text("<!DOCTYPE html><html><body>Hết phiên đăng nhập</body></html>", encoding="utf-8"),
    "an HTML head": lambda p: p.write_text('<meta charset="utf-8"><p>Hết phiên</p>', encoding="utf-8"),
    "XML": lambda p: p.write_text('<?xml version="1.0"?><Workbook/>', encoding="utf-8"),
    "a zip of nothing": lambda p: zipped(p),
    "an open text document": lambda p: zipped(p, **{"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}),
    "a truncated workbook": truncated,
    "a broken workbook": broken_sheet,
    "letters of no encoding we know": lambda p: p.write_bytes(b"M\xe3 h\xf2 s\xf5,\xd0\xf2n v\xf2\n"),
    "UTF-8 cut in a letter": lambda p: p.write_bytes("Mã hồ sơ,Đơn v".encode() + "ị".encode()[:1]),
}  # fmt: skip


def refusal(path: Path) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        for grid in open_file(path, f"so/{path.name}").grids:
            list(grid.batches(1))
    return caught.value


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_cannot_be_read_is_refused_in_plain_words(tmp_path: Path, name: str, ending: str) -> None:
    path = tmp_path / f"tệp lạ.{ending}"
    REFUSED[name](path)
    error = refusal(path)
    assert error.exit_code == 2
    for lang, todo in (("vi", "Cách xử lý"), ("en", "What to do")):
        words = error.render(lang)
        assert words.startswith(f"so/tệp lạ.{ending}: "), words
        assert f"{todo}: " in words and "XLSX" in words and "UTF-8" in words, words
        assert "Traceback" not in words and str(tmp_path) not in words
    assert error.what.vi != error.what.en


def test_wrong_encoding_is_found_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "so.csv"
    path.write_bytes("Mã hồ sơ,Đơn vị\n".encode() + b"1,a\n" * 100_000 + b"2,\xe3\xc3 b\n")
    assert "UTF-8" in refusal(path).what.vi


@pytest.mark.parametrize(
    "lines",
    [
        ['1,"a', "2,b", "3,c"],  # never closed: would swallow the rest
        ['1,"a', '2,"b"', "3,c"],  # closed by a later cell: would swallow the rows between
        ['1,"a', *["9,z"] * 300_000],  # longer than any cell
    ],
    ids=["open to the end", "closed by the next", "very long"],
)
def test_a_stray_quote_never_swallows_rows(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "so.csv"
    path.write_text("\n".join(["Mã hồ sơ,Đơn vị", *lines]) + "\n", encoding="utf-8")
    words = refusal(path).render("vi")
    assert "ngoặc kép" in words


def test_quotes_inside_one_line_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "so.csv"
    path.write_text('Mã hồ sơ,Đơn vị,Ghi chú\n1,Xã "Gio" An,x\n2,"b ""c""",y\n', encoding="utf-8")
    assert rows(right(path), 2) == {2: ["1", 'Xã "Gio" An', "x"], 3: ["2", 'b "c"', "y"]}


text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6)


@given(st.lists(st.tuples(text, text), max_size=5))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, body: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.getbasetemp() / "so.csv"
    write_csv(path, [["Mã hồ sơ", "Đơn vị", "Ghi chú"], *[["x", *cells] for cells in body]])
    assert list(rows(right(path), 2).values()) == [["x", a or None, b or None] for a, b in body]
