"""LibreOffice, started with settings of its own, and the files it makes, once a session."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from tests.read.writers import LibreOffice

Tool = Callable[[str | None, str], str]


@pytest.fixture(scope="session")
def libreoffice(need_tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> LibreOffice:
    program = need_tool(shutil.which("soffice"), "LibreOffice")
    return LibreOffice(program, tmp_path_factory.mktemp("libreoffice"))


@pytest.fixture(scope="session")
def by_libreoffice(
    libreoffice: LibreOffice, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[list[list[str]], str], Path]:
    """(cells, ending) → a file of these cells, saved by LibreOffice."""

    def make(cells: list[list[str]], kind: str) -> Path:
        folder = tmp_path_factory.mktemp("saved")
        if kind == "xml":  # its writer of Excel 2003 XML works from CSV only
            source = folder / "so.csv"
            with source.open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(cells)
            return libreoffice.convert(source, "xml:MS Excel 2003 XML", folder, "CSV:44,34,76,1,,0,true")
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "So"
        for row in cells:
            sheet.append(row)
        book.save(folder / "so.xlsx")
        return libreoffice.convert(folder / "so.xlsx", kind, folder / "saved")

    return make
