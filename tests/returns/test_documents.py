"""Every figure of the four documents has a home: loaded from returns, it comes out of the published release.

figures.csv: what the documents tell, as an office fills it in. derived.csv: what follows from it, with what is printed;
for 002, a plan, the targets are the figures, and what was reached is made up (made.csv).
"""

from __future__ import annotations

import zipfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from pipeline.declare.returns import NO_LINE, returns
from pipeline.measure.returns import return_figures, return_indicators
from pipeline.report.return_screen import figure, shown_indicators
from tests.returns.fill import table
from tests.returns.make_returns import FOLDER, ROOT
from tests.unit.office import Office

FIGURES, DERIVED = table("figures.csv"), table("derived.csv")
WRONG = {("003", "slips_rate"), ("003", "procedures_reviewed_rate")}  # what the documents print wrongly


@pytest.fixture(scope="module")
def told(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, ...], dict]:
    keys = ("unit", "period", "return_id", "line", "measure")
    periods = {row["period"] for row in FIGURES}
    return {tuple(r[k] for k in keys): r for period in periods for r in return_figures(con, period)}


@pytest.fixture(scope="module")
def rates(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, ...], dict]:
    keys = ("unit", "period", "indicator", "line")
    periods = {row["period"] for row in DERIVED}
    return {tuple(r[k] for k in keys): r for period in periods for r in return_indicators(con, period)}


def test_making_the_sample_again_gives_the_same(handed: Office) -> None:
    """The office's files were made just now; those in the repository are theirs, byte by byte inside."""
    for name in ("bieu_2023-Q3.xlsx", "bieu_2023-9M.xlsx", "source.toml"):
        made, kept = handed.home.root / FOLDER / name, ROOT / FOLDER / name
        assert content(made) == content(kept), f"{name} is not what make_returns makes"
    assert {p.name for p in (ROOT / FOLDER).iterdir()} == {p.name for p in (handed.home.root / FOLDER).iterdir()}


def content(path: Path) -> object:
    """A workbook by what is in its zip: how well it is packed differs between builds of zlib."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist()}


def test_all_four_documents_are_here() -> None:
    assert {row["document"] for row in FIGURES} == {row["document"] for row in DERIVED} == {"000", "002", "003", "004"}
    assert len(FIGURES) > 200


@pytest.mark.parametrize("document", ["000", "002", "003", "004"])
def test_every_figure_told_comes_out(told: dict[tuple[str, ...], dict], document: str) -> None:
    wrong = []
    for row in (r for r in FIGURES if r["document"] == document):
        found = told.get(tuple(row[k] for k in ("unit", "period", "return", "line", "measure")))
        kind = returns()[row["return"]].measures[row["measure"]].kind
        shown = found and {
            "count": found["value"],
            "decimal": found["value"],
            "date": found["day"] and found["day"].isoformat(),
            "document": found["word"],
        }.get(kind, found["word_label"])
        expected = Decimal(row["told"]) if kind in ("count", "decimal") else row["told"]
        if found is None or shown != expected or (found["qualifier_label"] or "") != row["about"]:
            wrong.append((row, found and (shown, found["qualifier"])))
    assert not wrong


@pytest.mark.parametrize("row", DERIVED, ids=lambda r: f"{r['document']} {r['indicator']} {r['line']}")
def test_what_follows_from_them(rates: dict[tuple[str, ...], dict], row: dict[str, str]) -> None:
    found = rates[tuple(row[k] for k in ("unit", "period", "indicator", "line"))]
    denominator = Decimal(row["denominator"]) if row["denominator"] else None
    assert (found["numerator"], found["denominator"]) == (Decimal(row["numerator"]), denominator)
    assert found["verdict"] == row["verdict"]
    (shown,) = shown_indicators([found], "vi")
    assert shown["told"] == row["shown"]


def test_where_a_document_is_wrong_ours_is_right() -> None:
    """What is printed is ours, rounded to its own digits; but for the two that the document has wrong."""
    for row in DERIVED:
        printed = row["printed"].strip("%").strip().replace(",", ".")
        if not row["printed"].endswith("%") or row["printed"].startswith("target"):
            continue
        n, d = Fraction(row["numerator"]), Fraction(row["denominator"])
        digits = len(printed.partition(".")[2])
        right = d != 0 and abs(n / d * 100 - Fraction(printed)) <= Fraction(1, 2 * 10**digits)
        assert right != ((row["document"], row["indicator"]) in WRONG), row


def test_sources_of_money_add_up_exactly(con: duckdb.DuckDBPyConnection) -> None:
    sums = con.execute(
        """SELECT measure, sum(value) FILTER (WHERE line NOT IN ('total', 'forecast')), sum(value) FILTER (WHERE line = 'total')
           FROM return_value WHERE return_id = 'investment' AND value IS NOT NULL GROUP BY measure ORDER BY measure"""
    ).fetchall()
    assert sums == [
        ("disbursed", Decimal("79461.612"), Decimal("79461.612")),
        ("planned", Decimal("242322.798"), Decimal("242322.798")),
    ]


def test_a_sum_of_units_has_no_cell_and_a_cell_has_an_address(told: dict[tuple[str, ...], dict]) -> None:
    late = told["Huyện Gio Linh", "2023-Q3", "apologies", NO_LINE, "late"]
    assert (late["value"], late["told"], late["asked"], late["cell"]) == (9, 18, 18, None)
    one = told["UBND huyện Gio Linh", "2023-Q3", "apologies", NO_LINE, "late"]
    assert (one["value"], one["sheet"], one["cell"]) == (4, "Xin lỗi", "D8")
    assert one["file"] == "gio_linh_bieu/bieu_2023-Q3.xlsx"


def test_as_people_read_them(told: dict[tuple[str, ...], dict]) -> None:
    shown = {
        ("Huyện Vĩnh Linh", "2023", "communications", "dialogue_participants", "count"): "hơn 6.000",
        ("Thị trấn Như Quỳnh", "2024-H1", "communications", "air_minutes", "count"): "khoảng 500",
        ("Huyện Gio Linh", "2023-Q3", "investment", "total", "disbursed"): "79.461,612",
        ("Huyện Gio Linh", "2023-Q3", "investment", "total", "as_of"): "31/08/2023",
        ("Huyện Gio Linh", "2023-Q3", "petitions", NO_LINE, "received"): "0",
        ("Huyện Vĩnh Linh", "2023", "communications", "social_posts", "count"): "không có số liệu",
        ("Huyện Vĩnh Linh", "2023", "communications_plan", "plan_issued", "result"): "Hoàn thành",
        ("Huyện Vĩnh Linh", "2023", "communications_plan", "plan_issued", "document"): "37/KH-UBND",
    }
    assert {key: figure(told[key], "vi") for key in shown} == shown


def test_every_row_of_every_file_is_accounted_for(handed: Office, con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        """SELECT f.name, f.rows_in, sum(a.rows), sum(a.rows) FILTER (WHERE a.verdict = 'rejected')
           FROM file f JOIN file_account a USING (file_id) GROUP BY ALL"""
    ).fetchall()
    assert len(rows) == 5 and all(read == accounted and rejected is None for _, read, accounted, rejected in rows)
    # sheets without a register give no dossiers, and no period of dossiers
    assert con.execute("SELECT count(*) FROM dossier").fetchall() == [(0,)]
