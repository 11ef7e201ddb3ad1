"""Rows that do not count, and why, in words; and the workbook of faults that is sent back to the office.

A row is named by its own file, sheet and row number, so that the office finds it. What was found stands here only as
far as it is harmless (else its shape), as in the database. Not here: deciding on rows (conform/, validate/).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.declare.reasons import column_label, reasons
from pipeline.declare.text import Text
from pipeline.errors import WrongUse
from pipeline.report.screen import as_csv, as_json, heading
from pipeline.report.sheets.styles import page
from pipeline.report.sheets.table import write_text
from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from pipeline.warehouse.sql import rows_of

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
SHOWN = ("file", "sheet", "row", "verdict", "reason", "expected", "found", "todo")
SENT = ("file", "sheet", "row", "column", "reason", "expected", "found", "todo")
WIDEST = 60
FAULTS, SUMS = Text("Cần sửa", "To mend"), Text("Tổng hợp", "Summary")

_SET_ASIDE = """
    SELECT f.source || '/' || f.name AS file, s.sheet, s.row, s.verdict, s.reason, s."column", s.expected, s.found
    FROM set_aside s JOIN file f USING (file_id) WHERE f.source || '/' || f.name IN (SELECT unnest($1))
    ORDER BY CASE s.verdict WHEN 'rejected' THEN 0 WHEN 'notice' THEN 1 ELSE 2 END, f.source, f.name, f.file_id, s.sheet, s.row
"""
# Reasons that concern most of a file are not listed row by row.
_IN_SUM = """
    SELECT f.source || '/' || f.name AS file, a.verdict, a.reason, a.rows
    FROM file_account a JOIN file f USING (file_id) WHERE f.source || '/' || f.name IN (SELECT unnest($1))
    ORDER BY f.source, f.name, f.file_id, a.verdict, a.reason
"""
IN_SUM_ONLY = ("superseded", "other_register", "withdrawn")


def rejected_rows(home: Home, file: str | None, lang: str) -> list[Row]:
    """Every row set aside, rejected ones first, with the reason and what to do in words."""
    with open_published(home) as con:
        files = _files(con, file)
        found = rows_of(con, _SET_ASIDE, [files])
        sums = [r for r in rows_of(con, _IN_SUM, [files]) if r["reason"] in IN_SUM_ONLY]
    nowhere = dict.fromkeys(("sheet", "row", "column", "expected"))
    many = Text("{} dòng", "{} rows")[lang]
    found += [
        {"file": r["file"], "verdict": r["verdict"], "reason": r["reason"], "found": many.format(r["rows"])} | nowhere
        for r in sums
    ]
    return [_in_words(r, lang) for r in found]


def account_rows(home: Home, file: str | None, lang: str) -> list[Row]:
    """Rows of each file by verdict and reason; those of a file add up to its rows."""
    with open_published(home) as con:
        sums = rows_of(con, _IN_SUM, [_files(con, file)])
    return [
        r | {"code": r["reason"], "reason": reasons()[r["reason"]].about(None)[lang] if r["reason"] else None}
        for r in sums
    ]


def write_rejects(home: Home, file: str | None, lang: str, form: str, out: Path) -> tuple[Path, int]:
    """Writes the rejects to a file; for a workbook only what is to be mended. Returns the path and how many rows."""
    rows = rejected_rows(home, file, lang)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    if form == "xlsx":
        rows = [r for r in rows if r["verdict"] in ("rejected", "notice")]
        write_workbook(part, rows, account_rows(home, file, lang), lang)
    else:
        # a spreadsheet knows by the mark that the file is UTF-8
        part.write_text(as_csv(rows) if form == "csv" else as_json(rows), "utf-8-sig" if form == "csv" else "utf-8")
    part.replace(out)
    return out, len(rows)


def write_workbook(path: Path, faults: list[Row], sums: list[Row], lang: str) -> None:
    """A sheet with a row for each fault, and one with the sums of each file."""
    import xlsxwriter

    faults = [r | {"column": column_label(r["column"])[lang] if r["column"] else None} for r in faults]
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False}) as book:
        _sheet(book, FAULTS[lang], faults, SENT, lang)
        _sheet(book, SUMS[lang], sums, ("file", "verdict", "reason", "rows"), lang)


def _sheet(book: Any, name: str, rows: list[Row], shown: tuple[str, ...], lang: str) -> None:
    from pipeline.report.display import VERDICT

    head = book.add_format({"bold": True, "bg_color": "#DDEBF7", "text_wrap": True, "valign": "top"})
    cell = book.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(name)
    rows = [r | {"verdict": VERDICT[r["verdict"]][lang] if r["verdict"] in VERDICT else r["verdict"]} for r in rows]
    for c, key in enumerate(shown):
        longest = max((len(str(r[key])) for r in rows if r[key] is not None), default=0)
        sheet.set_column(c, c, min(WIDEST, max(longest, len(heading(key, lang))) + 2))
    sheet.freeze_panes(1, 0)
    page(sheet, (0, 0), len(shown), lang)
    sheet.autofilter(0, 0, max(len(rows), 1), len(shown) - 1)
    for c, key in enumerate(shown):
        sheet.write_string(0, c, heading(key, lang), head)
    for r, row in enumerate(rows, 1):
        for c, key in enumerate(shown):
            if isinstance(row[key], int):
                sheet.write_number(r, c, row[key], cell)
            elif row[key] is not None:
                write_text(sheet, r, c, str(row[key]), cell)  # as text: what begins with = is no formula


def _files(con: duckdb.DuckDBPyConnection, file: str | None) -> list[str]:
    """The files that the words name (source/name, or name), all without words."""
    known = con.execute("SELECT source || '/' || name, name FROM file ORDER BY 1").fetchall()
    found = sorted({place for place, name in known if file in (None, place, name, name.rpartition("/")[2])})
    if file is not None and not found:
        names = "; ".join(sorted({place for place, _ in known})[:10])
        raise WrongUse(
            Text(f"Không có tệp “{file[:80]}” trong số liệu.", f"No file “{file[:80]}” in the data."),
            expected=Text(names, names),
        )
    return found


def _in_words(row: Row, lang: str) -> Row:
    reason = reasons()[row["reason"]]
    expected = (row["expected"] or "").split(" / ")
    return row | {
        "code": row["reason"],
        "reason": reason.about(row["column"])[lang],
        "expected": (expected[-1] if lang == "en" else expected[0]) or None,
        "todo": reason.todo[lang] if reason.todo else None,
    }
