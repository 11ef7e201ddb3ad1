"""Reading large files: `python -m tests.benchmarks.read` [--rows N] [--csv-rows N].

A workbook of 200,000 rows and 20 columns against the bare reader in the same run, and a CSV of ten million rows
streamed; peak memory of a process of its own. Not here: conforming and all that follows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 20
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
PARTS = {
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets><sheet name="So" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>'
    f'<Relationship Id="r3" Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>',
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>',
}
# Each runs in a process of its own and prints seconds of CPU, rows and its peak memory in MB.
TIMED = """
import json, resource, sys, time
from pathlib import Path

def peak():
    # of this program alone: what the system keeps for the process goes on counting that of the one which started it
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

import fastexcel, polars
import pipeline.read.files
from pipeline.read.grids import open_file
path = Path(sys.argv[1])
if len(sys.argv) > 2:  # what is loaded at the first workbook is no part of reading this one
    large, path = path, Path(sys.argv[2])
    {act}
    path = large
before = peak()
begun = time.process_time()
{act}
print(json.dumps({{
    "seconds": time.process_time() - begun, "rows": rows,
    "peak": peak(), "before": before,
}}))
"""
BARE = "rows = fastexcel.read_excel(path).load_sheet(0).to_polars().height + 1"
OURS = "rows = sum(b.height for b in open_file(path, 'so').grids[0].batches(1))"


def write_workbook(path: Path, rows: int) -> Path:
    """By hand: writers of workbooks take ten times as long."""
    shared: dict[str, int] = {}

    def text(words: str) -> str:
        return f't="s"><v>{shared.setdefault(words, len(shared))}</v></c>'

    def cell(row: int, column: int) -> str:
        start = f'<c r="{chr(65 + column)}{row}" '
        if row == 1:
            return start + text(f"Cột {column}")
        if column == 0:
            return start + text(f"H50.466-230703-{row:06}")
        if column in (4, 5, 6):
            return f'{start}s="1"><v>{45092 + row % 300}.354166666664</v></c>'
        if column in (7, 8, 9):
            return f"{start}><v>{row / 8 if column == 9 else row}</v></c>"
        return start + text(f"Xã Gio An, thôn {row * 7 % (column * 100)}")

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as parts:
        for name, content in PARTS.items():
            parts.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + content)
        with parts.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as stream:
            stream.write(f'<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for first in range(1, rows + 1, 2000):
                numbers = range(first, min(first + 2000, rows + 1))
                each = (f'<row r="{r}">{"".join(cell(r, c) for c in range(COLUMNS))}</row>' for r in numbers)
                stream.write("".join(each).encode())
            stream.write(b"</sheetData></worksheet>")
        strings = "".join(f"<si><t>{words}</t></si>" for words in shared)
        parts.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{strings}</sst>')
    return path


def write_register(path: Path, rows: int) -> Path:
    """A CSV of fifteen columns."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write("Mã hồ sơ,Đơn vị," + ",".join(f"Cột {n}" for n in range(13)) + "\n")
        for first in range(0, rows, 10_000):
            stream.writelines(
                f'H50.466-230703-{n:08},"Xã Gio An",03/07/2023 08:15:00,06/07/2023 15:00:00,07/07/2023 17:00:00,'
                f"Đã xử lý xong,Trực tuyến,1.004746,Đất đai,1,0,{n % 7},,x,có\n"
                for n in range(first, min(first + 10_000, rows))
            )
    return path


def measured(act: str, *paths: Path) -> dict[str, float]:
    """paths: the file, and where there is one a small one that is read before."""
    words = [sys.executable, "-c", TIMED.format(act=act), *map(str, paths)]
    return json.loads(subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=True).stdout)


def workbook(folder: Path, rows: int, times: int = 3, most: float | None = None) -> dict[str, float]:
    """The best of some runs of each, in turn, so that a busy moment strikes both. most: while the ratio is beyond it there
    are more of them, up to four times as many: the best of more runs come nearer to what both take on an idle machine."""
    paths = write_workbook(folder / "so.xlsx", rows), write_workbook(folder / "nho.xlsx", 2)
    bare: list[dict[str, float]] = []
    ours: list[dict[str, float]] = []

    def ratio() -> float:
        return min(run["seconds"] for run in ours) / min(run["seconds"] for run in bare)

    while len(ours) < times or (most and ratio() > most and len(ours) < 4 * times):
        bare.append(measured(BARE, *paths))
        ours.append(measured(OURS, *paths))
    assert {run["rows"] for run in (*bare, *ours)} == {rows}
    best = {name: min(run["seconds"] for run in runs) for name, runs in (("bare", bare), ("ours", ours))}
    return best | {"ratio": ratio(), "peak": max(run["peak"] for run in ours)}


def register(folder: Path, rows: int) -> dict[str, float]:
    path = write_register(folder / "so.csv", rows)
    found = measured(OURS, path)
    assert found["rows"] == rows + 1
    path.unlink()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the workbook")
    parser.add_argument("--csv-rows", type=int, default=10_000_000, help="rows of the CSV")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        book = workbook(Path(folder), given.rows)
        print(
            f"workbook {given.rows:,} x {COLUMNS}: {book['ours']:.2f} s, bare reader {book['bare']:.2f} s, "
            f"ratio {book['ratio']:.2f}, peak {book['peak']:.0f} MB"
        )
        csv = register(Path(folder), given.csv_rows)
        print(f"CSV {given.csv_rows:,} x 15: {csv['seconds']:.1f} s, peak {csv['peak']:.0f} MB")


if __name__ == "__main__":
    main()
