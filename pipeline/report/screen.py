"""Rows → a table on the screen, CSV or JSON; long lists straight from the database. Column headings come from the declarations.

Not here: which rows (measure/answers), what a command says around them (cli.py).
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from pipeline.declare.figures import measures
from pipeline.declare.text import Text
from pipeline.report.display import BASIS, COVERAGE, VERDICT, cell, indicator_value, threshold
from pipeline.warehouse.sql import quoted

Row = dict[str, Any]

HEADINGS = {
    "period": Text("Kỳ", "Period"),
    "period_from": Text("Từ ngày", "From"),
    "period_to": Text("Đến ngày", "To"),
    "as_of": Text("Ngày chốt", "As of"),
    "coverage": Text("Số liệu", "Coverage"),
    "missing": Text("Còn thiếu", "Missing"),
    "basis": Text("Từ", "From"),
    "unit_code": Text("Mã", "Code"),
    "unit": Text("Đơn vị", "Unit"),
    "level": Text("Cấp", "Level"),
    "field": Text("Lĩnh vực", "Field"),
    "procedure_code": Text("Mã TTHC", "Procedure"),
    "procedure": Text("Thủ tục", "Procedure name"),
    "service_level": Text("Mức độ DVC", "Service level"),
    "label": Text("Chỉ tiêu", "Indicator"),
    "numerator": Text("Tử số", "Numerator"),
    "denominator": Text("Mẫu số", "Denominator"),
    "unknown": Text("Không rõ", "Unknown"),
    "value": Text("Giá trị", "Value"),
    "threshold": Text("Ngưỡng", "Threshold"),
    "verdict": Text("Kết luận", "Verdict"),
    "needed": Text("Còn thiếu (hồ sơ)", "Needs (dossiers)"),
    "open": Text("Đang giải quyết", "Open"),
    "overdue": Text("Quá hạn", "Overdue"),
    "due_soon": Text("Sắp đến hạn", "Due soon"),
    "paused": Text("Tạm dừng", "Paused"),
    "earliest_due": Text("Hẹn sớm nhất", "Earliest due"),
    "file": Text("Tệp", "File"),
    "sheet": Text("Trang", "Sheet"),
    "row": Text("Dòng", "Row"),
    "column": Text("Cột", "Column"),
    "meaning": Text("Nghĩa", "Meaning"),
    "header": Text("Tiêu đề trong tệp", "Header in the file"),
    "reason": Text("Lý do", "Reason"),
    "expected": Text("Cần có", "Expected"),
    "found": Text("Thấy", "Found"),
    "todo": Text("Cách xử lý", "What to do"),
    "source": Text("Nguồn", "Source"),
    "name": Text("Tên", "Name"),
    "rows": Text("Số dòng", "Rows"),
    "files": Text("Tệp", "Files"),
    "rows_in": Text("Số dòng", "Rows"),
    "counted": Text("Được tính", "Counted"),
    "excluded": Text("Loại", "Excluded"),
    "rejected": Text("Từ chối", "Rejected"),
    "layout": Text("Bố cục", "Layout"),
    "first_day": Text("Từ ngày", "From"),
    "last_day": Text("Đến ngày", "To"),
    "exported_at": Text("Xuất lúc", "Exported"),
    "kind": Text("Loại", "Kind"),
    "valid_from": Text("Từ ngày", "Valid from"),
    "valid_to": Text("Đến ngày", "Valid to"),
    "has_data": Text("Có số liệu", "Has data"),
    "written": Text("Tên như trong tệp", "As written"),
    "first_received_on": Text("Nhận từ", "Received from"),
    "last_received_on": Text("đến", "to"),
    "proposals": Text("Có thể là", "May be"),
    "accept": Text("Để nhận", "To accept"),
    "check": Text("Mục", "Item"),
    "result": Text("Kết quả", "Result"),
    "detail": Text("Chi tiết", "Detail"),
    "seal": Text("Dấu chốt", "Seal"),
    "version": Text("Lần", "Version"),
    "counts": Text("Đang dùng", "In force"),
    "known_at": Text("Biết đến", "As known at"),
    "sealed_at": Text("Chốt lúc", "Sealed at"),
    "note": Text("Ghi chú", "Note"),
    "figure": Text("Số liệu", "Figure"),
    "dossiers": Text("Hồ sơ", "Dossiers"),
    "cause": Text("Vì sao", "Why"),
    "table": Text("Bảng", "Table"),
    "rows_before": Text("Dòng trước", "Rows before"),
    "rows_after": Text("Dòng sau", "Rows after"),
    "only_before": Text("Chỉ có trước", "Only before"),
    "only_after": Text("Chỉ có sau", "Only after"),
    "part": Text("Phần", "Part"),
    "dossier_id": Text("Khóa hồ sơ", "Key of the dossier"),
    "dossier_code": Text("Mã hồ sơ", "Dossier code"),
    "origin": Text("Nguồn hồ sơ", "Origin"),
    "outcome": Text("Kết quả", "Outcome"),
    "measure": Text("Số đo", "Measure"),
    "return": Text("Biểu", "Return"),
    "periods": Text("Kỳ lập", "Periods"),
    "fills": Text("Đơn vị lập", "Handed in by"),
    "section": Text("Mục báo cáo", "Section"),
    "line": Text("Nội dung", "Line"),
    "of": Text("Đơn vị tính", "In"),
    "told": Text("Số liệu", "Figure"),
    "target": Text("Chỉ tiêu", "Target"),
    "cell": Text("Ô", "Cell"),
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that a spreadsheet runs
LEVEL = {"unit": Text("đơn vị", "unit"), "group": Text("nhóm", "group"), "total": Text("tổng", "total")}


def heading(key: str, lang: str) -> str:
    if key in HEADINGS:
        return HEADINGS[key][lang]
    if key in measures():
        return measures()[key].label[lang]
    return key


def as_json(rows: Sequence[Row]) -> str:
    """A list of objects, each in a line of its own (indented JSON Python writes by itself, the other kind in C); days as
    ISO text, exact values as numbers of full double precision."""

    def plain(value: Any) -> Any:
        if isinstance(value, date):
            return str(value)  # 2023-09-14, and 2023-09-14 23:59:59 for a moment
        return float(value) if isinstance(value, Decimal) else str(value)

    written = json.JSONEncoder(ensure_ascii=False, default=plain).encode
    return "[" + ",".join(f"\n{written(row)}" for row in rows) + "\n]"


def as_csv(rows: Sequence[Row]) -> str:
    """CSV with the keys as header; a text that a spreadsheet would run as a formula is defused by an apostrophe."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0])
    columns = zip(*(row.values() for row in rows), strict=True)
    writer.writerows(zip(*map(_defused, columns), strict=True))
    return out.getvalue()


def _defused(column: Sequence[Any]) -> Sequence[Any]:
    """The values of a column, texts that begin like a formula made harmless for spreadsheets. Most columns have none."""
    odd = {value for value in column if isinstance(value, str) and value.startswith(FORMULA)}
    return [f"'{value}" if isinstance(value, str) and value in odd else value for value in column] if odd else column


def query_as(form: str, con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """What a statement finds, as `as_csv` and `as_json` would write it ("csv" also with the header where it finds
    nothing), by DuckDB: of a hundred thousand rows Python's objects alone take a second. In between it lies in a folder
    that only we may enter."""
    if form == "csv":
        columns = con.execute(f"DESCRIBE {sql}").fetchall()
        sql = f"SELECT {', '.join(_defused_sql(name, kind) for name, kind, *_ in columns)} FROM ({sql})"
    with tempfile.TemporaryDirectory(prefix="motcua-") as folder:
        path = Path(folder) / "list"
        con.execute(f"COPY ({sql}) TO {quoted(path)} ({'FORMAT csv' if form == 'csv' else 'FORMAT json, ARRAY true'})")
        return path.read_bytes().decode()


def _defused_sql(name: str, kind: str) -> str:
    """A column as `_defused` makes it."""
    column = f'"{name}"'
    if kind != "VARCHAR":
        return column
    marks = ", ".join(f"'{mark}'" for mark in FORMULA)
    return f"CASE WHEN {column}[1] IN ({marks}) THEN chr(39) || {column} ELSE {column} END AS {column}"


def print_table(
    rows: Sequence[Row],
    columns: Sequence[str],
    lang: str,
    console: Console,
    title: str | None = None,
    spare: Sequence[str] = (),
) -> None:
    """Rows as a readable table; number columns to the right, sums in bold. On a screen too narrow for all columns
    those of `spare` are left out, first to last, and a line below says so; numbers and days are never broken."""
    kept, left_out = list(columns), []
    for key in spare:
        if _width(rows, kept, lang) <= console.width:
            break
        if key in kept:
            kept.remove(key)
            left_out.append(heading(key, lang))
    table = Table(title=title, title_justify="left", header_style="bold", show_edge=False, pad_edge=False)
    natural = sum(3 + max(_cells(rows, key, lang), len(heading(key, lang))) for key in kept)
    for key in kept:
        numeric = any(isinstance(r.get(key), int | Decimal) and not isinstance(r.get(key), bool) for r in rows)
        # where room is short, headings fold before numbers and names do
        whole = _least(rows, key, lang) if natural > console.width and _is_short(rows, key) else None
        table.add_column(heading(key, lang), justify="right" if numeric else "left", overflow="fold", width=whole)
    for row in rows:
        style = "bold" if row.get("level") in ("total", "group") else None
        table.add_row(*(_shown(row, key, lang) for key in kept), style=style)
    console.print(table)
    if left_out:
        note = Text(
            f"Màn hình hẹp, không hiện: {', '.join(left_out)} (mở rộng cửa sổ, hoặc --format csv)",
            f"Narrow screen, not shown: {', '.join(left_out)} (widen the window, or --format csv)",
        )
        console.print(note[lang], style="dim")
    if "seal" not in columns and (seals := sorted({r["seal"] for r in rows if r.get("seal")})):
        told = Text(
            f"Số đã chốt, dấu chốt {', '.join(seals)} (số tính tới nay: --live)",
            f"Sealed figures, seal {', '.join(seals)} (live figures: --live)",
        )
        console.print(told[lang], style="bold")


def _is_short(rows: Sequence[Row], key: str) -> bool:
    """Whether a column holds numbers or days, which must not be broken."""
    return all(r.get(key) is None or isinstance(r[key], int | Decimal | date) for r in rows)


def _cells(rows: Sequence[Row], key: str, lang: str) -> int:
    return max((len(_shown(r, key, lang)) for r in rows), default=1)


def _least(rows: Sequence[Row], key: str, lang: str) -> int:
    """The least width at which a column reads well: numbers and days whole, names within reason, headings by words."""
    cells = _cells(rows, key, lang)
    words = max(len(word) for word in heading(key, lang).split())
    return max(cells if _is_short(rows, key) else min(cells, 26), words)


def _width(rows: Sequence[Row], columns: Sequence[str], lang: str) -> int:
    """The least width of a table: its columns and the lines between them."""
    return sum(3 + _least(rows, key, lang) for key in columns)


def _shown(row: Row, key: str, lang: str) -> str:
    value = row.get(key)
    if key == "row":  # a row number is a place, not a quantity
        return "–" if value is None else str(value)
    if key == "coverage" and value in COVERAGE:
        told = COVERAGE[value][lang]
        return f"{told}, {BASIS[row['basis']][lang]}" if row.get("basis") in BASIS else told
    if key == "verdict" and value in VERDICT:
        return VERDICT[value][lang]
    if key == "level" and value in LEVEL:
        return LEVEL[value][lang]
    if key == "threshold" and value is not None:
        return threshold(row, lang)
    if key == "value" and "indicator" in row:
        return indicator_value(row, lang)
    return cell(value, lang)


# The measures of a stats table that a narrow screen leaves out, first to last.
LEFT_OUT_FIRST = (
    *("resolved_no_due", "open_in_term", "resolved_on_time", "resolved_early", "postal", "channel_unknown"),
    *("stopped", "returned", "withdrawn", "open_paused", "unclassified", "in_person", "online", "carried_over"),
)


def print_stats(rows: Sequence[Row], lang: str, console: Console, title: str | None = None) -> None:
    """A stats table that fits the screen."""
    print_table(rows, stats_columns(rows), lang, console, title, spare=LEFT_OUT_FIRST)


def stats_columns(rows: Sequence[Row]) -> list[str]:
    """The columns of a stats table: the form's measures always, others where something arose; coverage where it is
    not full or not of registers alone, cut-offs where they differ."""
    first = [k for k in ("field", "procedure_code", "procedure", "service_level") if rows and k in rows[0]]
    start = ["unit", *first] if len({r["period"] for r in rows}) == 1 else ["period", "unit", *first]
    main = ("online", "in_person", "carried_over", "total", "resolved", "resolved_late", "open", "open_overdue")
    counts = [m for m in measures() if m in main or any(r.get(m) for r in rows)]
    partial = ["coverage"] if any(r["coverage"] != "full" or r.get("basis") in BASIS for r in rows) else []
    cutoffs = ["as_of"] if len({(r["period"], r["as_of"]) for r in rows}) > len({r["period"] for r in rows}) else []
    return start + counts + cutoffs + partial
