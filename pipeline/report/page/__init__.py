"""The page for the screen: one self-contained HTML file of a period, its parts and the periods before.

Not here: computing a figure (measure/).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline.report.book import Book
from pipeline.report.history import History
from pipeline.report.page.assemble import assemble
from pipeline.report.page.payload import payload

NAME = "trang_so_lieu.html"


def write_page(con: duckdb.DuckDBPyConnection, book: Book, history: History, out: Path, lang: str = "vi") -> list[Path]:
    """Writes trang_so_lieu.html into `out`; returns it. con: as the book was opened. history: the book's. lang: in which it
    opens; both are in it. The same release gives the same bytes."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / NAME
    path.write_text(assemble(payload(con, book, history), lang), encoding="utf-8", newline="\n")
    return [path]
