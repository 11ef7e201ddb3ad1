"""Files of every format by independent writers: LibreOffice, openpyxl, iconv, gzip, zip, DuckDB, PyArrow, or by hand.

Not here: what should be read from them.
"""

from __future__ import annotations

import html
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb
import openpyxl

from tests.unit.office import write_csv, write_xlsx

Cells = Sequence[Sequence[str]]


@dataclass(frozen=True)
class LibreOffice:
    """LibreOffice without a window, with settings of its own."""

    program: str
    profile: Path

    def convert(self, path: Path, kind: str, into: Path, reading: str | None = None) -> Path:
        """`kind`: the ending wanted, with a filter after a colon; `reading`: the filter to read with."""
        into.mkdir(parents=True, exist_ok=True)
        words = [self.program, f"-env:UserInstallation={self.profile.as_uri()}", "--headless"]
        words += [f"--infilter={reading}"] if reading else []
        done = subprocess.run(
            [*words, "--convert-to", kind, "--outdir", str(into), str(path)], capture_output=True, timeout=120
        )
        made = into / f"{path.stem}.{kind.split(':')[0]}"
        assert made.exists(), done.stderr.decode()
        return made


def iconv(text: str, encoding: str) -> bytes:
    program = shutil.which("iconv") or "iconv"
    done = subprocess.run([program, "-f", "UTF-8", "-t", encoding], input=text.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def html_table(cells: Cells, head: str = "") -> str:
    """A page as a browser-made register has it: no charset, cells escaped, line breaks as <br>."""
    rows = [
        "<tr>" + "".join(f"<td>{html.escape(cell).replace(chr(10), '<br>')}</td>" for cell in row) + "</tr>"
        for row in cells
    ]
    return f"<html><head>{head}</head><body><table border=1>\n" + "\n".join(rows) + "\n</table></body></html>"


def spreadsheetml(sheets: dict[str, str], hidden: Sequence[str] = ()) -> str:
    """A workbook as Excel 2003 writes it, its sheets given as rows of XML."""
    ns = "urn:schemas-microsoft-com:office:spreadsheet"
    parts = []
    for name, rows in sheets.items():
        state = "<Visible>SheetHidden</Visible>" if name in hidden else ""
        options = f'<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel">{state}</WorksheetOptions>'
        parts.append(f'<Worksheet ss:Name="{escape(name)}"><Table>{rows}</Table>{options}</Worksheet>')
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        f'<Workbook xmlns="{ns}" xmlns:ss="{ns}">{"".join(parts)}</Workbook>'
    )


def spreadsheetml_rows(cells: Cells) -> str:
    rows = []
    for row in cells:
        each = [f'<Cell><Data ss:Type="String">{escape(cell)}</Data></Cell>' if cell else "<Cell/>" for cell in row]
        rows.append(f"<Row>{''.join(each)}</Row>")
    return "".join(rows)


def records(cells: Cells) -> list[dict[str, str | None]]:
    """The table below its header as records; empty cells null."""
    return [{k: v or None for k, v in zip(cells[0], row, strict=True)} for row in cells[1:]]


def write_json(path: Path, cells: Cells) -> Path:
    path.write_text(json.dumps(records(cells), ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def write_json_inside(path: Path, cells: Cells) -> Path:
    node = {"status": 200, "data": {"total": len(cells) - 1, "rows": records(cells)}}
    path.write_text(json.dumps(node), encoding="utf-8")
    return path


def by_duckdb(options: str) -> Callable[[Path, Cells], Path]:
    """A writer that lets DuckDB copy the table into the file."""

    def write(path: Path, cells: Cells) -> Path:
        con = duckdb.connect()
        names = ", ".join('"' + name.replace('"', '""') + '" VARCHAR' for name in cells[0])
        con.execute(f"CREATE TABLE t ({names})")
        con.executemany(
            f"INSERT INTO t VALUES ({', '.join('?' * len(cells[0]))})", [[c or None for c in r] for r in cells[1:]]
        )
        con.execute(f"COPY t TO '{path}' ({options})")
        return path

    return write


def write_gzip(path: Path, cells: Cells) -> Path:
    plain = write_csv(path.with_suffix(".plain"), cells)
    path.write_bytes(subprocess.run([shutil.which("gzip") or "gzip", "-c", str(plain)], capture_output=True).stdout)
    return path


def write_zip(path: Path, cells: Cells) -> Path:
    plain = write_xlsx(path.with_suffix(".xlsx"), So=cells)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(plain, "thang 7/so.xlsx")
    return path


def write_encoded(encoding: str) -> Callable[[Path, Cells], Path]:
    """CSV in an encoding of iconv."""

    def write(path: Path, cells: Cells) -> Path:
        text = write_csv(path.with_suffix(".utf8"), cells, ",", "utf-8").read_bytes().decode("utf-8")
        path.write_bytes(iconv(text, encoding))
        return path

    return write


def write_mojibake(path: Path, cells: Cells) -> Path:
    """A Unicode workbook typed in the font .VnTime: every cell holds the bytes of TCVN3 as Latin-1 characters."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in cells:
        sheet.append([iconv(cell, "TCVN").decode("latin-1") for cell in row])
    book.save(path)
    return path
