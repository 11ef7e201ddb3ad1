"""Files of every format, and ways to spoil them. A case is a number: the same number gives the same file again.

Not here: what must hold of a spoiled file (test_*.py).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl

from tests.summaries.forms import II06A
from tests.summaries.forms import table as summary
from tests.unit.office import HEADERS, dossier, opened, table

Cells = list[list[Any]]
Dice = random.Random
SECRET = "Nguyễn Thị Bí Mật 001234567890"  # stands in a column that nobody declared: must never come out


def register(dice: Dice) -> Cells:
    """A register of a few dossiers with a column of names that nobody declared."""
    names = (
        "dossier_code",
        "unit",
        "received_at",
        "status",
        "finished_at",
        "due_at",
        "channel",
        "result_digitized",
        "rating",
    )
    rows = [
        dice.choice([dossier, opened])(unit=dice.choice(["Xã Gio An", "TT Cửa Việt", "UBND huyện Gio Linh"]))
        for _ in range(8)
    ]
    cells = table(rows, headers={c: HEADERS[c] for c in names})
    for n, row in enumerate(cells[3:]):
        row.append(SECRET if n else "Chủ hồ sơ")
    return cells


def report(dice: Dice) -> Cells:
    body: Cells = []
    for n, unit in enumerate(("Xã Gio An", "Xã Gio Mỹ", "Thị trấn Cửa Việt"), 1):
        body.append([n, unit, *(dice.randrange(2000) for _ in range(11))])
    return summary(II06A, [["I", "Xã, phường, thị trấn"], *body, ["", "Tổng số", *[""] * 11]])


# ---- writers


def as_csv(cells: Cells, delimiter: str = ",", encoding: str = "utf-8-sig") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(cells)
    return text.getvalue().encode(encoding, "replace")


def as_xlsx(cells: Cells) -> bytes:
    book = openpyxl.Workbook()
    for row in cells:
        book.active.append(
            [None if c == "" else "".join(x for x in c if x >= " ") if isinstance(c, str) else c for c in row]
        )
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def as_html(cells: Cells) -> bytes:
    rows = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in cells)
    return f"<table border=1>{rows}</table>".encode()


def as_spreadsheetml(cells: Cells) -> bytes:
    rows = "".join(
        "<Row>"
        + "".join(
            f'<Cell><Data ss:Type="String">{str(c).replace("&", "&amp;").replace("<", "&lt;")}</Data></Cell>'
            for c in row
        )
        + "</Row>"
        for row in cells
    )
    return (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="So"><Table>{rows}</Table></Worksheet></Workbook>'
    ).encode()


def _records(cells: Cells) -> list[dict[str, str]]:
    """Rows below the fullest one as records, keys made different."""
    head = max(range(len(cells)), key=lambda n: sum(1 for c in cells[n] if c != ""))
    keys = [f"{k or 'cột'}{'' if cells[head].index(k) == i else i}" for i, k in enumerate(cells[head])]
    return [dict(zip(keys, map(str, row), strict=False)) for row in cells[head + 1 :]]


def as_json(cells: Cells) -> bytes:
    return json.dumps(_records(cells), ensure_ascii=False).encode()


def as_ndjson(cells: Cells) -> bytes:
    return "\n".join(json.dumps(r, ensure_ascii=False) for r in _records(cells)).encode()


def as_parquet(cells: Cells) -> bytes:
    stream = io.BytesIO()
    pl.DataFrame(_records(cells) or [{"a": "b"}], infer_schema_length=None).write_parquet(stream)
    return stream.getvalue()


def as_zip(cells: Cells) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("so.csv", as_csv(cells))
    return stream.getvalue()


WRITERS: tuple[Callable[[Cells], bytes], ...] = (
    as_csv,
    lambda cells: as_csv(cells, ";", "utf-8"),
    lambda cells: as_csv(cells, "\t", "utf-16"),
    as_xlsx,
    as_html,
    as_spreadsheetml,
    as_json,
    as_ndjson,
    as_parquet,
    as_zip,
    lambda cells: gzip.compress(as_csv(cells)),
)

# ---- ways to spoil

ODD = (
    "", " ", "-", "\u00a0", "0", "-1", "1e309", "99999999999999999999", "31/02/2023", "00/00/0000", "2023-13-45", "45000.5", "1.234,5",
    "=1+1", "@SUM(A1)", "'; DROP TABLE dossier; --", "\\", '"', "<b>", "{}", "%s%n", "\u202e", "Gio An" * 200, "n\u0303", "①②③", "NULL",
    "Tổng cộng", "(1)", "Xã Không Có", "đ", "Ngày tiếp nhận", "01/01/0001", "31/12/9999", "2023-07-03T24:00:00+99:99",
)  # fmt: skip


def spoil_cells(cells: Cells, dice: Dice) -> Cells:
    """One to four changes of cells, headers, rows or columns."""
    made = [list(row) for row in cells]
    for _ in range(dice.randint(1, 4)):
        filled = [row for row in made if row] or [[""]]
        row = dice.choice(filled)
        way = dice.randrange(10)
        if way <= 3:
            row[dice.randrange(len(row))] = dice.choice(ODD)
        elif way == 4:
            made.insert(dice.randrange(len(made) + 1), [dice.choice(ODD) for _ in range(dice.randint(0, 30))])
        elif way == 5:
            made.remove(dice.choice(made))
        elif way == 6:
            made.insert(dice.randrange(len(made) + 1), list(dice.choice(made)))
        elif way == 7:
            i = dice.randrange(max(map(len, made)) or 1)
            made = [r[:i] + r[i + 1 :] for r in made]
        elif way == 8:
            dice.shuffle(made)
        else:
            row += [dice.choice(ODD)] * dice.randint(1, 3)
        made = made or [[""]]
    return made


def spoil_bytes(data: bytes, dice: Dice) -> bytes:
    """One to three changes of bytes: flips, cuts, what does not belong there."""
    made = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(made) or 1)
        way = dice.randrange(6)
        if way == 0 and made:
            made[at] = dice.randrange(256)
        elif way == 1:
            made = made[:at]
        elif way == 2:
            made[at : at + dice.randrange(200)] = b""
        elif way == 3:
            made[at:at] = dice.randbytes(dice.randrange(64))
        elif way == 4:
            made[at:at] = made[at : at + dice.randrange(400)]
        else:
            made = (
                bytearray(
                    dice.choice(
                        [b"PK\x03\x04", b"\x1f\x8b", b"<html>", b"\xff\xfe", b"{", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
                    )
                )
                + made
            )
    return bytes(made)


def spoil_encoding(cells: Cells, dice: Dice) -> bytes:
    """Text in one encoding that is taken for another, or several in one file."""
    codecs = ("utf-8", "utf-16-le", "utf-16-be", "utf-16", "utf-32", "cp1258", "latin-1", "cp932")
    rows = [as_csv([row], encoding=dice.choice(codecs) if dice.random() < 0.2 else "utf-8") for row in cells]
    whole = as_csv(cells, encoding=dice.choice(codecs))
    return dice.choice([whole, b"".join(rows), whole.decode("latin-1").encode("utf-8")])


def case(number: int, way: str) -> bytes:
    """The file of a case. way: cells | bytes | encoding."""
    dice = random.Random(f"{way} {number}")
    cells = dice.choice([register, register, report])(dice)
    if way == "cells":
        return dice.choice(WRITERS)(spoil_cells(cells, dice))
    if way == "bytes":
        return spoil_bytes(dice.choice(WRITERS)(cells), dice)
    return spoil_encoding(cells, dice)


def written(folder: Path, number: int, way: str) -> Path:
    path = folder / f"{way}{number}.dat"
    path.write_bytes(case(number, way))
    return path
