"""What checks found, which rows of which files do not count and why: counts alone, no row of anybody."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.declare.reasons import reasons
from pipeline.declare.rules import OURS
from pipeline.declare.text import Text
from pipeline.report.book import Book
from pipeline.report.display import VERDICT
from pipeline.report.sheets.styles import Styles
from pipeline.report.sheets.table import HEAD_AT, Cell, Column, table_sheet
from pipeline.warehouse.sql import rows_of

if TYPE_CHECKING:
    from xlsxwriter import Workbook

FINDINGS = Text("Kiểm tra", "Checks"), Text("Kết quả các phép kiểm tra", "What the checks found")
REJECTS = (
    Text("Dòng không tính", "Rows set aside"),
    Text("Dòng không được tính, theo tệp và lý do", "Rows that do not count, by file and reason"),
)
FILES = Text("Tệp nguồn", "Files"), Text("Các tệp của kỳ, mã băm và số dòng", "The period's files, hashes and rows")
SEVERITY = {"blocking": Text("chặn công bố", "blocking"), "warning": Text("cảnh báo", "warning")}
FILE = Column("file", Text("Tệp", "File"), 52)

# what a period (its first day and its last) rests on; on its eve: what is carried over
COVERAGE = "SELECT * FROM coverage WHERE first_day <= $2 AND last_day >= CAST($1 AS DATE) - 1"
# the files on which the period of one of the units rests, and those of which no unit or day is known
_FILES = f"""
    SELECT f.file_id, f.source || '/' || f.name AS file, f.sha256, f.exported_at, f.known_at, f.first_day, f.last_day, f.rows_in
    FROM file f
    WHERE f.withdrawn_at IS NULL AND (
        f.file_id NOT IN (SELECT file_id FROM coverage)
        OR f.file_id IN (
            SELECT c.file_id FROM ({COVERAGE}) c JOIN node_of n USING (unit_id) WHERE n.node = $3
        )
    )
    ORDER BY f.source, f.exported_at, f.name, f.file_id
"""


def findings_sheet(con: duckdb.DuckDBPyConnection, file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """A row per check that found something, in the whole of the release."""
    found = rows_of(
        con,
        "SELECT severity, label_vi, label_en, any_value(failures) AS failures FROM finding GROUP BY ALL ORDER BY severity, label_vi",
    )
    rows: list[dict[str, Cell]] = [
        {"label": r[f"label_{lang}"], "severity": SEVERITY[r["severity"]][lang], "failures": r["failures"]}
        for r in found
    ]
    columns = [
        Column("label", Text("Điều phải đúng", "What should hold"), 90, 80),
        Column("severity", Text("Mức", "Severity"), 18, 16),
        Column("failures", Text("Số dòng không đạt (mọi kỳ)", "Failing rows (all periods)"), 24, 24),
    ]
    sheet = table_sheet(file, styles, FINDINGS[0][lang], FINDINGS[1], book, columns, rows, lang)
    if book.rules != OURS:
        words = Text("Các phép kiểm tra chỉ dùng cho cách tính của Motcua.", "Checks are of our own rules alone.")
        sheet.write_string(HEAD_AT + 2 + len(rows), 0, words[lang], styles("indented", "italic"))
    elif not rows:
        words = Text("Mọi phép kiểm tra đều đạt.", "All checks hold.")
        sheet.write_string(HEAD_AT + 1, 0, words[lang], styles("indented", "italic"))


def rejects_sheet(con: duckdb.DuckDBPyConnection, file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """A row per file and reason: how many rows, and what to do."""
    names = {r["file_id"]: r["file"] for r in _files(con, book)}
    accounts = rows_of(
        con, "SELECT file_id, verdict, reason, rows FROM file_account WHERE reason IS NOT NULL ORDER BY ALL"
    )
    order = list(names)
    told = sorted((r for r in accounts if r["file_id"] in names), key=lambda r: (order.index(r["file_id"]), -r["rows"]))
    rows: list[dict[str, Cell]] = []
    for r in told:
        reason = reasons()[r["reason"]]
        words = {"verdict": VERDICT[r["verdict"]][lang], "reason": reason.about(None)[lang]}
        todo = reason.todo[lang] if reason.todo else None
        rows.append({"file": names[r["file_id"]], **words, "rows": r["rows"], "todo": todo})
    columns = [
        FILE,
        Column("verdict", Text("Kết luận", "Verdict"), 14),
        Column("reason", Text("Lý do", "Reason"), 48),
        Column("rows", Text("Số dòng", "Rows"), 12),
        Column("todo", Text("Cách xử lý", "What to do"), 56),
    ]
    sheet = table_sheet(file, styles, REJECTS[0][lang], REJECTS[1], book, columns, rows, lang)
    if not rows:
        words = Text("Mọi dòng đều được tính.", "Every row counts.")
        sheet.write_string(HEAD_AT + 1, 0, words[lang], styles("indented", "italic"))


def files_sheet(con: duckdb.DuckDBPyConnection, file: Workbook, styles: Styles, book: Book, lang: str) -> None:
    """The files behind the period, each with its hash and what became of its rows."""
    sums: dict[tuple[int, str], int] = Counter()
    for file_id, verdict, rows in con.execute("SELECT file_id, verdict, rows FROM file_account").fetchall():
        sums[file_id, verdict] += rows
    verdicts = ("counted", "excluded", "rejected")
    table: list[dict[str, Cell]] = [
        {k: r[k] for k in ("file", "sha256", "exported_at", "known_at", "first_day", "last_day", "rows_in")}
        | {v: sums[r["file_id"], v] for v in verdicts}
        for r in _files(con, book)
    ]
    columns = [
        FILE,
        Column("first_day", Text("Từ ngày", "From"), 12),
        Column("last_day", Text("Đến ngày", "To"), 12),
        Column("exported_at", Text("Xuất lúc", "Exported"), 18),
        Column("known_at", Text("Biết từ", "Known since"), 18),
        Column("rows_in", Text("Số dòng", "Rows"), 12),
        *(Column(v, Text(VERDICT[v].vi.capitalize(), VERDICT[v].en.capitalize()), 12) for v in verdicts),
        Column("sha256", Text("Mã băm SHA-256", "SHA-256"), 40),
    ]
    table_sheet(file, styles, FILES[0][lang], FILES[1], book, columns, table, lang)


def _files(con: duckdb.DuckDBPyConnection, book: Book) -> list[dict[str, Any]]:
    return rows_of(con, _FILES, [book.period.start, book.period.end, book.top])
