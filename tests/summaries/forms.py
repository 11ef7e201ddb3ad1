"""Summaries as systems print them, as workbooks with merged header rows, numbers of columns, sections, totals, signatures.

The headers are those of domain knowledge (forms of running systems), written here a second time on purpose: what the
layouts declare must fit them. Not here: what should come of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Alignment

TITLES = (
    "TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT TTHC TẠI CƠ QUAN, ĐƠN VỊ TRỰC TIẾP GIẢI QUYẾT TTHC",
    "Kỳ báo cáo: Quý III năm 2023 (Từ ngày 15/06/2023 đến ngày 14/09/2023)",
    "Đơn vị tính: Số hồ sơ TTHC",
)
SIGNATURES = (
    ["* Bao gồm cả hồ sơ chờ bổ sung và trả lại/xin rút"],
    [],
    ["", "NGƯỜI LẬP BIỂU", "", "", "", "", "", "", "THỦ TRƯỞNG ĐƠN VỊ"],
    ["", "(Ký, ghi rõ họ tên)"],
)
# Header as nested groups: a text, or (group, [what stands below it]).
Heads = Sequence[Any]
II06A: Heads = (
    "TT",
    "Đơn vị",
    (
        "Số hồ sơ nhận giải quyết",
        ["Tổng số", ("Trong kỳ", ["Trực tuyến", "Trực tiếp, dịch vụ bưu chính"]), "Từ kỳ trước"],
    ),
    ("Số lượng hồ sơ đã giải quyết", ["Tổng số", "Trước hạn", "Đúng hạn*", "Quá hạn"]),
    ("Số lượng hồ sơ đang giải quyết", ["Tổng số", "Trong hạn**", "Quá hạn"]),
)
II06A_FIELDS: Heads = ("TT", "Lĩnh vực, công việc giải quyết theo cấp", *II06A[2:])
OLD_07A: Heads = (
    "STT", "Đơn vị", "Tổng số", "Kỳ trước chuyển qua", "Mới tiếp nhận",
    ("Đã giải quyết", ["Tổng số", "Trả đúng thời hạn", "Trả quá hạn"]),
    ("Đang giải quyết", ["Tổng số", "Chưa đến hạn", "Quá hạn"]), "Bổ sung", "Trả lại",
)  # fmt: skip
EGOV: Heads = (
    "STT", "Cơ quan", "Tổng", "Tiếp nhận", "Kỳ trước chuyển qua",
    ("Hồ sơ đã giải quyết", ["Số hồ sơ", "Sớm", "Đúng", "Trễ"]),
    ("Hồ sơ đang giải quyết", ["Số hồ sơ", "Chưa đến hạn", "Đã quá hạn"]), "CD rút hồ sơ", "Hồ sơ trả lại", "Tồn cuối",
)  # fmt: skip
DIGITIZATION: Heads = (
    "STT", "Đơn vị", "Tiếp nhận",
    ("Số hóa hồ sơ TTHC khi tiếp nhận", [
        "Chưa số hóa TPHS", "Có số hóa TPHS", "Có tái sử dụng thành phần", "Có tái sử dụng thành phần từ cổng DVC quốc gia",
    ]),
    "Đã giải quyết", ("Số hóa kết quả", ["Chưa số hóa", "Đã số hóa"]),
)  # fmt: skip
DECISION_766: Heads = (
    "STT", "Mã định danh", "Tên đơn vị", "Tỷ lệ giải quyết của Đơn vị (%)", "Số mới tiếp nhận trực tuyến",
    "Số kỳ trước chuyển qua", "Số mới tiếp nhận trực tiếp", "Số mới tiếp nhận qua BCCI",
    ("HS Đã xử lý", ["Đúng hạn", "Quá hạn"]), ("HS Đang xử lý", ["Đúng hạn", "Quá hạn"]),
    "Tổng hồ sơ Phải đồng bộ", "Đã đồng bộ", "Tổng HS có nghĩa vụ tài chính", "Số HS đã TTTT cổng DVC QG",
)  # fmt: skip
LAND: Heads = (
    "TT", "Đơn vị", "Kỳ trước chuyển sang", ("Tiếp nhận trong kỳ", ["Trực tiếp", "Trực tuyến"]), "Cộng",
    ("Đã giải quyết", ["Tổng số", "Trước và trong hạn", "Trễ hạn", "Tỷ lệ trễ hạn %"]),
    ("Đang giải quyết", ["Tổng số", "Trong hạn", "Quá hạn", "Tỷ lệ %"]),
)  # fmt: skip


def depth(heads: Heads) -> int:
    return max(1 + depth(head[1]) if isinstance(head, tuple) else 1 for head in heads)


def header_rows(heads: Heads) -> tuple[list[list[str]], list[tuple[int, int, int, int]]]:
    """Rows of texts, each in the first cell of what it covers; and what is merged: row, column, height, width."""
    deep = depth(heads)
    rows: list[list[str]] = [[] for _ in range(deep)]
    merged = []

    def place(head: Any, row: int) -> None:
        column = len(rows[row])
        if isinstance(head, tuple):
            for below in head[1]:
                place(below, row + 1)
            width = len(rows[row + 1]) - column
            rows[row] += [head[0], *[""] * (width - 1)]
            merged.append((row, column, 1, width))
        else:
            rows[row].append(head)
            for below in rows[row + 1 :]:
                below.append("")
            merged.append((row, column, deep - row, 1))

    for head in heads:
        place(head, 0)
    return rows, [m for m in merged if m[2] > 1 or m[3] > 1]


def numbering(width: int) -> list[str]:
    """The row of column numbers, with the formulas that forms print."""
    return [f"({n})" if n != 3 else "(3) = (4)+(5)+(6)" for n in range(1, width + 1)]


def table(heads: Heads, body: Sequence[Sequence[Any]], titles: Sequence[str] = TITLES) -> list[list[Any]]:
    """The whole sheet as rows of cells, merged cells written once."""
    head, _ = header_rows(heads)
    return [*([t] for t in titles), *head, numbering(len(head[0])), *map(list, body), *map(list, SIGNATURES)]


def workbook(path: Path, sheets: dict[str, tuple[Heads, Sequence[Sequence[Any]], Sequence[str]]]) -> Path:
    """A workbook with real merged cells: name of the sheet → (header, body, titles)."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, (heads, body, titles) in sheets.items():
        sheet = book.create_sheet(name)
        for row in table(heads, body, titles):
            sheet.append(row)
        for row, column, height, width in header_rows(heads)[1]:
            top = len(titles) + row + 1
            sheet.merge_cells(
                start_row=top, start_column=column + 1, end_row=top + height - 1, end_column=column + width
            )
            sheet.cell(top, column + 1).alignment = Alignment(horizontal="center", vertical="center")
        for n in range(1, len(titles) + 1):
            sheet.merge_cells(start_row=n, start_column=1, end_row=n, end_column=len(header_rows(heads)[0][0]))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path
