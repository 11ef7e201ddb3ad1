"""What is exported for units of which returns alone tell: their figures, and of dossiers that there is no data."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import WrongUse
from pipeline.report.export import export
from tests.report.reading import stored

WORDS = {  # unit, period → figures of its returns, as the section tells them
    ("Huyện Vĩnh Linh", "2023"): ("79", "48", "91"),
    ("Thị trấn Như Quỳnh", "2024-H1"): ("khoảng 500",),
}


@pytest.mark.parametrize(("unit", "key"), WORDS)
@pytest.mark.parametrize("named", [True, False])
def test_returns_alone_are_exported(
    unit: str, key: str, named: bool, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    export(con, key, tmp_path, unit=unit if named else None, draw=False)
    words = (tmp_path / "bao_cao_muc_I3.md").read_text(encoding="utf-8")
    assert all(figure in words for figure in WORDS[unit, key])
    assert "không có số liệu" in words and "100,00 %" not in words.split("##")[1]
    section = json.loads((tmp_path / "bao_cao_muc_I3.json").read_text(encoding="utf-8"))
    assert (section["unit"], section["coverage"], section["as_of"]) == (unit, "no_data", None)
    book = stored(tmp_path / "so_lieu.xlsx")
    told = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    assert unit in told or any(isinstance(value, str) and unit in value for value in told)
    page = (tmp_path / "trang_so_lieu.html").read_text(encoding="utf-8")
    assert unit in page


def test_of_several_one_must_be_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="There is no data of any unit"):
        export(con, "2019-Q1", tmp_path, draw=False)
    with pytest.raises(WrongUse, match="No unit"):
        export(con, "2023", tmp_path, unit="Xã Gio An", draw=False)


def test_a_period_told_by_several_units(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="of several units") as wrong:
        export(con, "2023-Q3", tmp_path / "a", draw=False)
    assert "Huyện Gio Linh" in wrong.value.render("vi") and not (tmp_path / "a").exists()
    export(con, "2023-Q3", tmp_path / "b", unit="Huyện Gio Linh", draw=False)
    assert "272" in (tmp_path / "b" / "bao_cao_muc_I3.md").read_text(encoding="utf-8")
