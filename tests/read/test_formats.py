"""Every format gives the same text cells, and a register in any of them the same dossier rows."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from pipeline.read.grids import Grid, OpenFile, open_file
from tests.read import writers
from tests.unit.office import Office, conform, dossier, opened, table, write_csv, write_xlsx

# Codes with zeros, what looks like a number, commas and quotes, empty cells and a column, a repeated header.
TABLE = [
    ["Mã hồ sơ", "Đơn vị", "Ghi chú", "", "Số", "Ghi chú"],
    ["0012", "Xã Gio An", 'một, hai; ba | "bốn"', "", "1.234", "dòng một\ndòng hai"],
    ["0013", "Xã Gio Hải", "", "", "0050", "=1+2"],
    ["H50.466-230703-0001", "Thị trấn Cửa Việt", "(5) = (6)+(7)", "", "12,50", "15/06/2023 08:15:00"],
]
RECORDS = [[*TABLE[0][:3], "Số"], *[[*row[:3], row[4]] for row in TABLE[1:]]]  # keys are filled and stand once


def text_of(grid: Grid, first_row: int = 1) -> list[list[str]]:
    """All cells, empty ones as "", without empty columns at the right."""
    frames = list(grid.batches(first_row))
    numbers = [n for f in frames for n in f["row"]]
    assert numbers == list(range(first_row, first_row + len(numbers)))
    rows = [[c or "" for c in row] for f in frames for row in f.select(pl.selectors.starts_with("c")).iter_rows()]
    width = max((i + 1 for row in rows for i, cell in enumerate(row) if cell), default=0)
    return [row[:width] for row in rows]


def only(opened_file: OpenFile) -> Grid:
    (grid,) = opened_file.grids
    return grid


def check(path: Path, kind: str, cells: list[list[str]] = TABLE, **facts: Any) -> None:
    read = open_file(path, path.name)
    assert read.format == kind and {f: getattr(read, f) for f in facts} == facts
    grid = next(g for g in read.grids if cells[0] == g.head[0][: len(cells[0])])
    assert text_of(grid, grid.first_row) == cells
    assert text_of(grid, grid.first_row + 2) == cells[2:], "batches begin where they are asked to, again and again"
    assert grid.head == [row + [""] * (len(grid.head[0]) - len(row)) for row in cells]


@pytest.mark.parametrize(("ending", "kind"), [("xlsx", "xlsx"), ("xls", "xls"), ("ods", "ods"), ("html", "html")])
def test_saved_by_libreoffice(by_libreoffice: Callable[..., Path], ending: str, kind: str) -> None:
    path = by_libreoffice([["'" + c if c.startswith("=") else c for c in row] for row in TABLE], ending)
    shown = [["'" + c if c.startswith("=") else c for c in row] for row in TABLE]
    check(path, kind, shown)
    renamed = path.with_suffix(".csv")  # its bytes say what it is
    path.rename(renamed)
    check(renamed, kind, shown)


def test_excel_2003_xml_saved_by_libreoffice(by_libreoffice: Callable[..., Path]) -> None:
    check(by_libreoffice([row[:3] for row in TABLE], "xml"), "spreadsheetml", [row[:3] for row in TABLE])


RECORD_WRITERS = {
    "json": (writers.write_json, "json"),
    "json inside": (writers.write_json_inside, "json"),
    "json by DuckDB": (writers.by_duckdb("FORMAT json, ARRAY true"), "json"),
    "ndjson by DuckDB": (writers.by_duckdb("FORMAT json"), "ndjson"),
    "parquet by DuckDB": (writers.by_duckdb("FORMAT parquet"), "parquet"),
}


@pytest.mark.parametrize("name", RECORD_WRITERS)
def test_records(tmp_path: Path, name: str) -> None:
    write, kind = RECORD_WRITERS[name]
    path = write(tmp_path / "so.bin", RECORDS)
    check(path, kind, RECORDS)
    grid = only(open_file(path, "so"))
    assert grid.first_row == 0 and next(grid.batches(1))["row"][0] == 1, "record 1 is row 1"


TABLE_WRITERS: dict[str, tuple[Callable[[Path, writers.Cells], Path], str, dict[str, Any]]] = {
    "xlsx by openpyxl": (lambda p, c: write_xlsx(p, So=c), "xlsx", {"container": None}),
    "csv": (write_csv, "csv", {"encoding": "utf-8-sig"}),
    "gzip of csv": (writers.write_gzip, "csv", {"container": "gzip"}),
    "html by hand": (lambda p, c: _written(p, writers.html_table(c).encode()), "html", {"encoding": "utf-8"}),
    "html with a mark": (lambda p, c: _written(p, writers.html_table(c).encode("utf-8-sig")), "html", {}),
    "html in UTF-16": (lambda p, c: _written(p, writers.html_table(c).encode("utf-16")), "html", {"encoding": "utf-16"}),
    "xml by hand": (
        lambda p, c: _written(p, writers.spreadsheetml({"So": writers.spreadsheetml_rows(c)}).encode()),
        "spreadsheetml", {},
    ),
    "xml in UTF-16": (
        lambda p, c: _written(p, writers.spreadsheetml({"So": writers.spreadsheetml_rows(c)}).replace("UTF-8", "UTF-16").encode("utf-16")),
        "spreadsheetml", {},
    ),
}  # fmt: skip


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", TABLE_WRITERS)
def test_tables(tmp_path: Path, name: str) -> None:
    write, kind, facts = TABLE_WRITERS[name]
    cells = TABLE if "xlsx" not in name else [[c if c != "=1+2" else "1+2" for c in row] for row in TABLE]
    check(write(tmp_path / "so.bin", cells), kind, cells, **facts)


def test_each_member_of_a_zip_is_read(tmp_path: Path) -> None:
    one = write_xlsx(tmp_path / "một.xlsx", T7=[["a", "b"], ["1", "2"]], T8=[["c", "d"]])
    other = write_csv(tmp_path / "hai.csv", [["e", "f"], ["3", "4"]])
    with zipfile.ZipFile(tmp_path / "so.zip", "w") as packed:
        packed.write(one, "nam 2023/một.xlsx")
        packed.write(other, "hai.csv")
        packed.writestr("__MACOSX/._hai.csv", b"\x00\x05\x16\x07")
        packed.mkdir("trong")
    read = open_file(tmp_path / "so.zip", "so.zip")
    assert read.container == "zip"
    found = {g.sheet: text_of(g) for g in read.grids}
    assert found == {
        "nam 2023/một.xlsx › T7": [["a", "b"], ["1", "2"]],
        "nam 2023/một.xlsx › T8": [["c", "d"]],
        "hai.csv": [["e", "f"], ["3", "4"]],
    }


def test_unpacked_files_go_with_the_grids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    path = writers.write_gzip(tmp_path / "so.gz", TABLE)
    grid = open_file(path, "so.gz").grids[0]
    (folder,) = (tmp_path / "t").iterdir()
    assert folder.stat().st_mode & 0o077 == 0, "nobody else may look into it"
    assert text_of(grid) == text_of(grid) == TABLE
    del grid
    assert not list((tmp_path / "t").iterdir()), "personal data must not linger"


# ---- merged cells, hidden sheets, values

HEADER3 = {  # cell → text, and what it covers: rows, columns
    (0, 0): ("Đơn vị", 3, 1), (0, 1): ("Tiếp nhận", 1, 3), (0, 4): ("Ghi chú", 3, 1),
    (1, 1): ("Tổng", 2, 1), (1, 2): ("Trong đó", 1, 2),
    (2, 2): ("Trực tuyến", 1, 1), (2, 3): ("Trực tiếp", 1, 1),
    (3, 0): ("Xã Gio An", 2, 1), (3, 1): ("5", 1, 1), (3, 2): ("2", 1, 1), (3, 3): ("3", 1, 1), (3, 4): ("x", 1, 1),
    (4, 1): ("7", 1, 1), (4, 2): ("7", 1, 1), (4, 3): ("0", 1, 1),
    (5, 0): ("Cộng cả hai", 1, 2), (5, 2): ("9", 2, 2), (5, 4): ("y", 1, 1),
    (6, 0): ("Hết", 1, 1), (6, 4): ("z", 1, 1),
}  # fmt: skip
MERGED = [
    ["Đơn vị", "Tiếp nhận", "", "", "Ghi chú"],
    ["Đơn vị", "Tổng", "Trong đó", "", "Ghi chú"],
    ["Đơn vị", "Tổng", "Trực tuyến", "Trực tiếp", "Ghi chú"],
    ["Xã Gio An", "5", "2", "3", "x"],
    ["Xã Gio An", "7", "7", "0", ""],
    ["Cộng cả hai", "", "9", "", "y"],
    ["Hết", "", "9", "", "z"],
]


def merged_xlsx(path: Path, left: int = 0) -> Path:
    """By xlsxwriter, beginning `left` columns from the edge."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Báo cáo")
        bold = book.add_format({"bold": True})
        for (row, column), (text, down, across) in HEADER3.items():
            at = column + left
            if (down, across) != (1, 1):
                sheet.merge_range(row, at, row + down - 1, at + across - 1, text, bold)
            else:
                sheet.write_string(row, at, text)
    return path


def merged_html() -> str:
    rows = []
    for row in range(7):
        cells = [(column, HEADER3[row, column]) for column in range(5) if (row, column) in HEADER3]
        here = dict(cells)
        if row == 4:
            here[4] = ("", 1, 1)
        if row == 6:
            here[1] = ("", 1, 1)
        rows.append("<tr>" + "".join(f"<td rowspan={d} colspan='{a}'>{t}" for _, (t, d, a) in sorted(here.items())))
    return "<table>" + "\n".join(rows) + "</table>"  # a browser closes cells and rows by itself


def merged_xml() -> str:
    rows = []
    for row in range(7):
        cells = [
            f'<Cell ss:Index="{column + 1}" ss:MergeDown="{d - 1}" ss:MergeAcross="{a - 1}"><Data ss:Type="String">{t}</Data></Cell>'
            for (r, column), (t, d, a) in HEADER3.items()
            if r == row
        ]
        rows.append(f'<Row ss:Index="{row + 1}">{"".join(cells)}</Row>')
    return writers.spreadsheetml({"Báo cáo": "".join(rows)})


@pytest.mark.parametrize("left", [0, 1, 3])
def test_merged_cells_of_a_workbook(tmp_path: Path, left: int) -> None:
    assert text_of(only(open_file(merged_xlsx(tmp_path / "a.xlsx", left), "a"))) == MERGED


@pytest.mark.parametrize("ending", ["xls", "ods", "html"])
def test_merged_cells_saved_by_libreoffice(tmp_path: Path, libreoffice: writers.LibreOffice, ending: str) -> None:
    path = libreoffice.convert(merged_xlsx(tmp_path / "a.xlsx"), ending, tmp_path / "saved")
    assert text_of(only(open_file(path, "a"))) == MERGED


@pytest.mark.parametrize("text", [merged_html(), merged_xml()], ids=["html", "xml"])
def test_merged_cells_of_markup(tmp_path: Path, text: str) -> None:
    assert text_of(only(open_file(_written(tmp_path / "a.xls", text.encode()), "a"))) == MERGED


def test_merged_cells_may_reach_beyond_the_table(tmp_path: Path) -> None:
    page = "<table><tr><td>a<td rowspan=60000>b<td colspan=3>c</tr><tr><td>d</tr></table>"
    assert text_of(only(open_file(_written(tmp_path / "a.xls", page.encode()), "a"))) == [
        ["a", "b", "c"],
        ["d", "b", ""],
    ]
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 900_000, 2, "a")
        sheet.write_string(1, 3, "b")
    assert text_of(only(open_file(tmp_path / "a.xlsx", "a"))) == [["a", "", "", ""], ["a", "", "", "b"]]


VALUES = {  # as a person types them into a typed cell → as we read them
    "0012": "0012",
    45092: "45092",
    1.5: "1.5",
    0.1 + 0.2: "0.30000000000000004",
    1e21: "1000000000000000000000",
    1e-7: "0.0000001",
    123456789012: "123456789012",
    -3.0: "-3",
    True: "true",
    datetime(2023, 6, 15, 8, 30): "2023-06-15 08:30:00",
    time(8, 30): "08:30:00",
    "#N/A": "#N/A",
    "1.234": "1.234",
    "(5) = (6)+(7)": "(5) = (6)+(7)",
}
PLAIN_VALUES = {0.1 + 0.2: 0.3}  # LibreOffice keeps fifteen digits


@pytest.mark.parametrize("ending", ["xlsx", "xls", "ods"])
def test_typed_cells_as_text(tmp_path: Path, libreoffice: writers.LibreOffice, ending: str) -> None:
    values = [PLAIN_VALUES.get(v, v) for v in VALUES]
    path = write_xlsx(tmp_path / "a.xlsx", So=[*[["x", value] for value in values], ["x", "=1+2"]])
    read = text_of(only(open_file(libreoffice.convert(path, ending, tmp_path / "saved"), "a")))
    shown = VALUES | ({True: "1"} if ending == "ods" else {})  # LibreOffice makes a number of it there
    assert [row[1] for row in read] == [shown.get(value, str(value)) for value in values] + ["3"]


def test_a_day_is_a_day_in_every_format(tmp_path: Path) -> None:
    values = {
        "ngày": [date(2023, 6, 16)],
        "số": [2.50],
        "mã": ["007"],
        "cờ": [True],
        "giờ": [datetime(2023, 6, 16, 8, 30)],
    }
    pq.write_table(pa.table(values), tmp_path / "a.parquet")
    assert text_of(only(open_file(tmp_path / "a.parquet", "a")), 1) == [
        ["2023-06-16", "2.5", "007", "true", "2023-06-16 08:30:00"]
    ]
    rows = '<Row><Cell><Data ss:Type="DateTime">2023-06-16T08:30:00.000</Data></Cell><Cell><Data ss:Type="Number">1.5E3</Data></Cell><Cell><Data ss:Type="Boolean">1</Data></Cell></Row>'
    path = _written(tmp_path / "a.xml", writers.spreadsheetml({"S": rows}).encode())
    assert text_of(only(open_file(path, "a"))) == [["2023-06-16 08:30:00", "1500", "true"]]


def test_json_values(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        '{"ma": 12345678901234567890, "so": 1.50e3, "co": true, "trong": null, "donVi": {"ma": "01", "ten": "Gio An"}}\n\n'
        '{"ma": "007", "them": [1, "b"]}\n',
        encoding="utf-8",
    )
    grid = only(open_file(path, "a"))
    assert text_of(grid, 0) == [
        ["ma", "so", "co", "trong", "donVi.ma", "donVi.ten", "them"],
        ["12345678901234567890", "1500", "true", "", "01", "Gio An", ""],
        [""] * 7,
        ["007", "", "", "", "", "", '["1", "b"]'],
    ]


@pytest.mark.parametrize("ending", ["xlsx", "xls", "ods"])
def test_hidden_sheets_are_read_and_told(tmp_path: Path, libreoffice: writers.LibreOffice, ending: str) -> None:
    book = openpyxl.Workbook()
    for number, state in enumerate(("visible", "hidden", "veryHidden")):
        sheet = book.create_sheet(state)
        sheet["A1"], sheet.sheet_state = f"{number}", state
    book.remove(book.worksheets[0])
    book.save(tmp_path / "a.xlsx")
    path = tmp_path / "a.xlsx"
    if ending != "xlsx":
        path = libreoffice.convert(path, ending, tmp_path / "saved")
    found = {g.sheet: (g.hidden, text_of(g)) for g in open_file(path, "a").grids}
    assert found == {"visible": (False, [["0"]]), "hidden": (True, [["1"]]), "veryHidden": (True, [["2"]])}


def test_hidden_sheets_of_excel_2003_xml(tmp_path: Path) -> None:
    rows = writers.spreadsheetml_rows([["a"]])
    path = _written(tmp_path / "a.xml", writers.spreadsheetml({"S": rows, "Ẩn": rows}, hidden=["Ẩn"]).encode())
    assert [(g.sheet, g.hidden) for g in open_file(path, "a").grids] == [("S", False), ("Ẩn", True)]


def test_a_macro_workbook_is_a_workbook(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", S=TABLE[:1])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old, zipfile.ZipFile(tmp_path / "a.xlsm", "w") as new:
        for part in old.namelist():
            content = old.read(part).replace(b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main")
            new.writestr(part, content.replace(b"openxmlformats-officedocument.ms-excel", b"ms-excel"))
        new.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")
    check(tmp_path / "a.xlsm", "xlsx", TABLE[:1])


def test_a_page_of_several_tables(tmp_path: Path) -> None:
    """Titles stand in rows of one cell; a narrow table is layout; each wide table is a grid with its own rows."""
    page = """<html><body><h3>SỔ THEO DÕI</h3><p>Từ ngày 15/06/2023
    đến ngày 14/09/2023</p><script>var x = "<tr>";</script>
    <table><tr><td>Đơn vị:</td><td>Gio An</td></tr></table>
    <table><thead><tr><th>a</th><th>b</th><th>c</th></tr></thead><tbody><tr><td>1<td>2<td>&nbsp;3<br>4&nbsp;</tbody></table>
    <table><tr><td>d</td><td>e</td><td>f</td></tr><tr><td><table><tr><td>5</td><td>6</td></tr></table></td></tr></table>
    <p>Người lập</p></body></html>"""
    first, second = open_file(_written(tmp_path / "a.xls", page.encode()), "a").grids
    assert text_of(first) == [
        ["SỔ THEO DÕI", "", ""],
        ["Từ ngày 15/06/2023 đến ngày 14/09/2023", "", ""],
        ["Đơn vị:", "Gio An", ""],
        ["a", "b", "c"],
        ["1", "2", "3\n4"],
    ]
    assert second.first_row == 6 and text_of(second, 6) == [["d", "e", "f"], ["5 6", "", ""], ["Người lập", "", ""]]


# ---- one register, every format: the same dossiers

REGISTER = [
    dossier(dossier_code="H50.466-230703-9001", unit="Xã Gio An"),
    dossier(dossier_code="H50.466-230703-9002", unit="Xã Gio Hải", channel="Trực tiếp"),
    opened(dossier_code="H50.466-230703-9003", unit="Xã Gio An", due_at="07/09/2023 17:00:00"),
]
TITLES = ("Sổ theo dõi hồ sơ", "Từ ngày 15/06/2023 đến ngày 14/09/2023", "Ngày xuất dữ liệu: 14/09/2023 23:30:00")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Office, pl.DataFrame]:
    office = Office(tmp_path_factory.mktemp("office"))
    return office, dossiers(office, office.drop("so.csv", REGISTER, TITLES))


def dossiers(office: Office, path: Path) -> pl.DataFrame:
    folder = office.home.raw / "so"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{path.parent.name}-{path.name}"
    target.write_bytes(path.read_bytes())
    facts, accepted, aside = conform(office.home, target)
    assert facts.accepted == len(REGISTER) and aside.is_empty(), aside
    return accepted.drop("row", "sheet").sort("dossier_id")


# typed by hand: the words of the register as a VNI font shows them to a program that knows of none
VNI = {
    "Mã hồ sơ": "Maõ hoà sô", "Đơn vị tiếp nhận": "Ñôn vò tieáp nhaän", "Ngày tiếp nhận": "Ngaøy tieáp nhaän",
    "Trạng thái": "Traïng thaùi", "Ngày kết thúc xử lý": "Ngaøy keát thuùc xöû lyù", "Hình thức nộp": "Hình thöùc noäp",
    "Ngày hẹn trả": "Ngaøy heïn traû", "Xã Gio An": "Xaõ Gio An", "Xã Gio Hải": "Xaõ Gio Haûi",
    "Đã xử lý xong": "Ñaõ xöû lyù xong", "Đang xử lý": "Ñang xöû lyù", "Trực tuyến": "Tröïc tuyeán",
    "Trực tiếp": "Tröïc tieáp", "Sổ theo dõi hồ sơ": "Soå theo doõi hoà sô",
    "Từ ngày 15/06/2023 đến ngày 14/09/2023": "Töø ngaøy 15/06/2023 ñeán ngaøy 14/09/2023",
    "Ngày xuất dữ liệu: 14/09/2023 23:30:00": "Ngaøy xuaát döõ lieäu: 14/09/2023 23:30:00",
}  # fmt: skip


def in_vni(cells: writers.Cells) -> list[list[str]]:
    typed = [[VNI.get(cell, cell) for cell in row] for row in cells]
    assert all(cell.isascii() or cell in VNI.values() for row in typed for cell in row), "a word is missing above"
    return typed


def below_titles(write: Callable[[Path, writers.Cells], Path]) -> Callable[[Path, writers.Cells], Path]:
    """Records have no rows above their keys."""
    return lambda path, cells: write(path, cells[len(TITLES) :])


SAME: dict[str, Callable[[Path, writers.Cells], Path]] = {
    "xlsx": lambda p, c: write_xlsx(p, So=c),
    "xlsx in .VnTime": writers.write_mojibake,
    "zip": writers.write_zip,
    "gzip": writers.write_gzip,
    "html": lambda p, c: _written(p, writers.html_table(c).encode()),
    "html in TCVN3": lambda p, c: _written(p, writers.iconv(writers.html_table(c), "TCVN")),
    "xml": lambda p, c: _written(p, writers.spreadsheetml({"So": writers.spreadsheetml_rows(c)}).encode()),
    "windows-1258": writers.write_encoded("CP1258"),
    "TCVN3": writers.write_encoded("TCVN"),
    "UTF-16LE": writers.write_encoded("UTF-16LE"),
    "UTF-16BE": writers.write_encoded("UTF-16BE"),
    "semicolons": lambda p, c: write_csv(p, c, ";"),
    "tabs, without BOM": lambda p, c: write_csv(p, c, "\t", "utf-8"),
    "VNI": lambda p, c: write_csv(p, in_vni(c), ",", "latin-1"),
    "xlsx in VNI-Times": lambda p, c: write_xlsx(p, So=in_vni(c)),
    **{name: below_titles(write) for name, (write, _) in RECORD_WRITERS.items()},
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_register_gives_the_same_dossiers(
    tmp_path: Path, expected: tuple[Office, pl.DataFrame], name: str
) -> None:
    office, rows = expected
    assert dossiers(office, SAME[name](tmp_path / "so.bin", table(REGISTER, TITLES))).equals(rows)


@pytest.mark.parametrize("ending", ["xls", "ods", "html", "xml"])
def test_the_same_register_saved_by_libreoffice(
    expected: tuple[Office, pl.DataFrame], by_libreoffice: Callable[..., Path], ending: str
) -> None:
    office, rows = expected
    assert dossiers(office, by_libreoffice(table(REGISTER, TITLES), ending)).equals(rows)
