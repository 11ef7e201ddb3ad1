"""Whatever way a block of delimited text is read, the cells are those of the csv module."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipeline.declare.limits import limits
from pipeline.errors import InputRefused
from pipeline.read import delimited, grids
from pipeline.read.encodings import Coding

WORDS = [
    "",
    "",
    "a",
    " ",
    "\u00a0",
    "Xã Gio An",
    "03/07/2023 08:15:00",
    "1.5",
    "\u2028",
    "\x0b",
    "tab\tđây",
    "😀",
    "-",
    "'",
]
QUOTED = ['"a,b"', '"hai\ndòng"', '"nói ""to"" lên"', '""', 'giữa"chừng']
ENDS = ["\n", "\n", "\r\n", "\r"]
CODINGS = ["utf-8", "utf-8-sig", "utf-16"]


def text_of(dice: random.Random, quotes: bool) -> str:
    """A header of five cells and up to forty rows of four to eight; empty lines too."""
    end = dice.choice(ENDS)
    lines = ["a,b,c,d,e"]
    for _ in range(dice.randrange(40)):
        words = WORDS + (QUOTED if quotes else [])
        lines.append(",".join(dice.choice(words) for _ in range(dice.choice([0, 1, 4, 5, 5, 5, 5, 6, 8]))))
    return end.join(lines) + dice.choice([end, "", end * 2])


def frame_of(path: Path, coding: str, first_row: int = 2) -> pl.DataFrame:
    grid = delimited._cut(path, "sổ.csv", Coding(coding, coding), ",", limits())
    found = list(grid.batches(first_row))
    assert all(frame.height <= grids.batch_rows(5) for frame in found)
    return pl.concat(found) if found else pl.DataFrame()


def by_the_csv_module(text: str, width: int = 5) -> Iterator[dict[str, object]]:
    for number, row in enumerate(csv.reader(io.StringIO(text, newline="")), 1):
        if number > 1:
            cells = {f"c{i}": (row[i] if i < len(row) else "") or None for i in range(width)}
            yield {"row": number, **cells, "surplus": any(cell.strip() for cell in row[width:])}


@pytest.mark.parametrize("block", [1, 30, 4_000_000])
@pytest.mark.parametrize("quotes", [False, True])
def test_the_cells_are_those_of_the_csv_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, quotes: bool
) -> None:
    monkeypatch.setattr(delimited, "BLOCK", block)
    monkeypatch.setattr(grids, "batch_rows", lambda columns: 9)
    path, compared = tmp_path / "sổ.csv", 0
    for case in range(60):
        dice = random.Random(case)
        text, coding = text_of(dice, quotes), dice.choice(CODINGS)
        path.write_bytes(text.encode(coding))
        try:
            expected = list(by_the_csv_module(text))
            found = frame_of(path, coding)
        except InputRefused:  # a quote in the midst of a cell may swallow lines: refused, not read otherwise
            assert quotes
            continue
        assert found.select(sorted(found.columns)).to_dicts() == [dict(sorted(row.items())) for row in expected], text
        compared += 1
    assert compared > 30


def test_only_odd_quotes_are_read_cell_by_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the comparison above would compare one way with itself."""
    path = tmp_path / "sổ.csv"
    taken: list[int] = []
    cut = delimited._cut_records
    monkeypatch.setattr(delimited, "_cut_records", lambda block, *a: taken.append(block.count(b"\n")) or cut(block, *a))
    monkeypatch.setattr(delimited, "BLOCK", 12)
    path.write_text('a,b\n1,2\n3,4\n5,6\n"x"y,8\n9,10\n11,12\n13,14\n', encoding="utf-8", newline="")
    frame = delimited._cut(path, "sổ.csv", Coding("utf-8", "utf-8"), ",", limits())
    assert [row["c1"] for block in frame.batches(2) for row in block.to_dicts()] == [
        "2",
        "4",
        "6",
        "8",
        "10",
        "12",
        "14",
    ]
    assert taken == [4, 1]  # those of the first block and of the last


@pytest.mark.parametrize(
    "odd", ["x" * 1_000_001 + "\n", "ab\x00c\n", 'a,b"c"\n', 'a,"b\r\nc"\n', "a" + "," * 60 + "\n"], ids=["a long line", "a zero byte", "a quote", "a line end", "many cells"]
)  # fmt: skip
def test_odd_blocks_are_read_cell_by_cell(odd: str) -> None:
    block = "a,b\n" * 300 + odd + "a,b\n" * 300
    assert delimited._cells(block.encode(), ",", 2) is None


@pytest.mark.parametrize(
    ("text", "well"),
    [
        ('"a",b\n', True),
        ('a,"b"', True),  # at the end
        ('"a,b\n,c"\n', True),
        ('"",""\n', True),
        ('"""",b\n', True),  # a cell of one quote
        ('"""a"" b","""c"""\n', True),
        ('"a""b",c\r\n"d"\r"e"', True),
        ('"a"b,c\n', False),  # goes on after its end
        ('a"b",c\n', False),  # begins in the midst
        ('"a" ,b\n', False),
        ('"a,b\n', False),  # not closed
        ('"a""",""b\n', False),
        ('"a\r\nb",c\n', False),
        ('"a ""b""\rc",d\r\n', False),
        ('"a""b" "c""d"\n', False),
    ],
)
def test_what_is_quoted_well(text: str, well: bool) -> None:
    assert delimited._well_quoted(text.encode(), ",") is well


def test_quoted_cells() -> None:
    found = delimited._cells('a,b\n"x, y","hai\ndòng"\n"","nói ""to"""\r\n\n"c"'.encode(), ",", 2)
    assert found is not None
    told = [("a", "b"), ("x, y", "hai\ndòng"), (None, 'nói "to"'), (None, None), ("c", None)]
    assert found.rows() == [(*cells, False) for cells in told]


def test_ends_of_lines() -> None:
    found = delimited._cells(b"a,b\r\nc\rd,e\n\n,,f\n", ",", 2)
    assert found is not None
    assert found.rows() == [
        ("a", "b", False),
        ("c", None, False),
        ("d", "e", False),
        (None, None, False),
        (None, None, True),
    ]


def test_lines_of_an_old_mac_are_not_cut_between_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK", 10)
    monkeypatch.setattr(delimited, "LONGEST_LINE", 25)
    path = tmp_path / "sổ.csv"
    path.write_bytes(b"a,b\r" + b"".join(b"%d,x\r" % n for n in range(1000)))
    blocks = list(delimited._blocks(path, Coding("utf-8", "utf-8"), ",", 2))
    assert len(blocks) > 100
    assert pl.concat(blocks)["c0"].to_list() == ["a", *map(str, range(1000))]
