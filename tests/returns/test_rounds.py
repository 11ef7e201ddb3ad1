"""Returns through whole nights: handed in again, mended, taken back; what is not told is null; a wrong one changes nothing.

A template is asked for, filled in with a second library, dropped into the source, and a night is run.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.audit.sealing import seal
from pipeline.declare.periods import parse_period
from pipeline.declare.returns import returns
from pipeline.measure import return_tables
from pipeline.measure.returns import return_figures, return_indicators
from pipeline.night import known_by, run
from pipeline.report.rejects import rejected_rows
from pipeline.report.return_requests import requested
from pipeline.report.templates import write_template
from pipeline.warehouse import keeping
from pipeline.warehouse.record import archived, now, read_log
from pipeline.warehouse.withdrawal import withdraw
from tests.conftest import Said
from tests.returns.fill import Cells, fill, of_returns, told
from tests.unit.office import Office, clock, dossier

pytestmark = pytest.mark.usefixtures("figures_alone")

GL, KEY = "Huyện Gio Linh", "466-all"


def hand_in(office: Office, name: str, asked: str | tuple[str, ...], cells: Cells, made_on: date | None = None, **how: Any) -> Path:  # fmt: skip
    """Fills a template and drops it; how: period, unit."""
    names = (asked,) if isinstance(asked, str) else asked
    period, unit = how.get("period", "2023-Q3"), how.get("unit", GL)
    template = write_template(office.home.root / "t.xlsx", requested(office.home, names, parse_period(period), unit))
    return fill(template, office.home.raw / "bieu" / name, cells, made_on)


def figures(con: duckdb.DuckDBPyConnection, period: str = "2023-Q3") -> dict[tuple[str, str, str], Decimal | None]:
    """(unit, line, measure) → number."""
    return {(r["unit"], r["line"], r["measure"]): r["value"] for r in return_figures(con, period)}


def test_the_newest_return_counts_and_what_it_leaves_out_is_null(office: Office) -> None:
    one = {("staff", "streamlined", "people"): 4, ("staff", "recruited_teachers", "people"): 41}
    hand_in(office, "a.xlsx", "staff", one, date(2023, 9, 14))
    two = {("staff", "recruited_teachers", "people"): 40, ("staff", "disciplined", "people"): 0}
    hand_in(office, "b.xlsx", "staff", two, date(2023, 9, 20))
    hand_in(office, "c.xlsx", "staff", one, date(2023, 9, 10))  # comes last, and was made before both
    assert office.night().exit_code == 0
    with office.open() as con:
        found = figures(con)
        accounts = con.execute("SELECT file_id, verdict, reason, rows FROM file_account ORDER BY ALL").fetchall()
    assert found[GL, "recruited_teachers", "people"] == 40
    assert found[GL, "disciplined", "people"] == 0, "told as nothing"
    assert found[GL, "streamlined", "people"] is None, "not told by the newest: not known, and not 0"
    assert sum(rows for _, verdict, _, rows in accounts if verdict == "counted") == 7
    assert (1, "excluded", "superseded", 7) in accounts and (3, "excluded", "superseded", 7) in accounts


def test_a_wrong_return_changes_nothing_until_it_is_mended(office: Office) -> None:
    money = of_returns(told(GL, "2023-Q3"), ["investment"])
    hand_in(office, "a.xlsx", "investment", money, date(2023, 9, 14))
    office.night()
    wrong = money | {("investment", "total", "disbursed"): 79461.613, ("investment", "forecast", "disbursed"): 120000.0}
    hand_in(office, "b.xlsx", "investment", wrong, date(2023, 9, 15))
    assert office.night().exit_code == 1, "rejected rows are told"
    with office.open() as con:
        found = figures(con)
    assert found[GL, "total", "disbursed"] == Decimal("79461.612"), "the last good total, with its own parts"
    assert found[GL, "forecast", "disbursed"] == 120000, "a row that is no part of the sum counts"
    (fault,) = [r for r in rejected_rows(office.home, None, "vi") if r["code"] == "return_total"]
    assert fault["reason"] == "Ô E8 (Đã giải ngân) không bằng tổng các phần" and fault["found"] == "79461,613"
    assert fault["expected"].startswith("= 79461,612") and "nộp lại tệp" in fault["todo"]
    hand_in(office, "c.xlsx", "investment", money | {("investment", "poverty", "disbursed"): 8424.444, ("investment", "total", "disbursed"): 79461.613}, date(2023, 9, 16))  # fmt: skip
    office.night()
    with office.open() as con:
        assert figures(con)[GL, "total", "disbursed"] == Decimal("79461.613")


def test_a_total_left_empty_is_the_sum_of_its_parts_and_unknown_where_one_is(office: Office) -> None:
    money = {k: v for k, v in of_returns(told(GL, "2023-Q3"), ["investment"]).items() if k[1] != "total"}
    hand_in(office, "a.xlsx", "investment", money)
    office.night()
    with office.open() as con:
        assert figures(con)[GL, "total", "planned"] == Decimal("242322.798")
    del money["investment", "ethnic", "planned"]
    hand_in(office, "b.xlsx", "investment", money)
    office.night()
    with office.open() as con:
        assert figures(con)[GL, "total", "planned"] is None


def test_a_sum_of_units_waits_for_all_of_them(office: Office) -> None:
    units = [u for u, _ in requested(office.home, ("slips",), parse_period("2023-Q3"), "466-xa")[0].rows]
    cells = {("slips", u, m): n for u in units[:-1] for m, n in (("slips", 2), ("resolved", 3))}
    hand_in(office, "a.xlsx", "slips", cells, unit="466-xa")
    office.night()
    communes = "Các xã, thị trấn huyện Gio Linh"
    with office.open() as con:
        (row,) = [r for r in return_figures(con, "2023-Q3", communes) if r["measure"] == "slips"]
        assert (row["value"], row["told"], row["asked"]) == (None, 16, 17)
        assert [r["verdict"] for r in return_indicators(con, "2023-Q3", communes)] == ["no_data"]
    # the last commune hands in its own, and its row of the district's sheet stays blank in the next one
    hand_in(
        office,
        "b.xlsx",
        "slips",
        {("slips", units[-1], m): n for m, n in (("slips", 1), ("resolved", 3))},
        unit=units[-1],
    )
    hand_in(office, "c.xlsx", "slips", cells | {("slips", units[0], "slips"): 3}, unit="466-xa")
    office.night()
    with office.open() as con:
        (row,) = [r for r in return_figures(con, "2023-Q3", communes) if r["measure"] == "slips"]
        assert (row["value"], row["told"], row["asked"]) == (34, 17, 17)
        (rate,) = return_indicators(con, "2023-Q3", communes)
        assert (rate["numerator"], rate["denominator"]) == (34, 51)


def test_known_then_and_taken_back(office: Office) -> None:
    with clock("2023-09-20 10:00:00"):
        hand_in(office, "a.xlsx", "staff", {("staff", "streamlined", "people"): 4})
        office.night()
    with clock("2023-09-25 10:00:00"):
        hand_in(office, "b.xlsx", "staff", {("staff", "streamlined", "people"): 5})
        office.night()
    place = (GL, "streamlined", "people")
    with duckdb.connect(str(known_by(office.home, datetime(2023, 9, 21))), read_only=True) as con:
        assert figures(con)[place] == 4
    with office.open() as con:
        assert figures(con)[place] == 5
    withdraw(office.home, "bieu/b.xlsx", "nhầm")
    office.night()
    with office.open() as con:
        assert figures(con)[place] == 4
    withdraw(office.home, "bieu/a.xlsx", "nhầm")
    office.night()
    with office.open() as con:
        assert figures(con) == {} and con.execute("SELECT count(*) FROM return_indicator").fetchall() == [(0,)]


def test_figures_stay_when_the_files_expire(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(office, "a.xlsx", "staff", {("staff", "streamlined", "people"): 4})
    office.night()
    (office.home.raw / "retention.toml").write_text(
        'raw_files_days = 365\nreason = "Quyết định 12"\n', encoding="utf-8"
    )
    monkeypatch.setattr(keeping, "now", lambda: now() + timedelta(days=400))
    office.night()
    (entry,) = read_log(office.home)
    assert entry.expired_rows and not archived(office.home, entry.sha256).exists()
    (office.home.raw / "bieu" / "a.xlsx").unlink(missing_ok=True)
    assert run(office.home, rebuild=True).changed
    with office.open() as con:
        assert figures(con)[GL, "streamlined", "people"] == 4
    fewer = {name: declared for name, declared in returns().items() if name != "staff"}
    monkeypatch.setattr(return_tables, "returns", lambda: fewer)
    run(office.home, rebuild=True)
    with office.open() as con:
        assert figures(con) == {} and con.execute("SELECT count(*) > 0 FROM return_value").fetchall() == [(True,)]


def test_a_name_without_its_key_is_understood_and_an_unknown_one_answered_with_its_cell(office: Office) -> None:
    path = hand_in(office, "a.xlsx", "slips", {("slips", "19522", m): 1 for m in ("slips", "resolved")}, unit="19522")
    fill(path, path, {("slips", "A8", None): None})  # ty: ignore[invalid-argument-type]
    other = office.home.raw / "bieu" / "b.xlsx"
    fill(path, other, {("slips", "C8", None): "Xã Lạ Hoắc"})  # ty: ignore[invalid-argument-type]
    assert office.night().exit_code == 1
    with office.open() as con:
        assert figures(con)["Xã Gio An", "", "slips"] == 1
    (fault,) = [r for r in rejected_rows(office.home, None, "vi") if r["verdict"] == "rejected"]
    assert (fault["code"], fault["column"], fault["found"]) == ("unknown_unit", "C8 slips", "Aa Aa Aaaa")


def test_a_seal_holds_the_returns_of_its_period_and_what_came_later_is_told(
    office: Office, motcua: Callable[..., Said]
) -> None:
    office.drop("t9.csv", [dossier()])
    cells: Cells = {("staff", "streamlined", "people"): 4, ("staff", "staffing_adjusted", "places"): 13}
    hand_in(office, "a.xlsx", "staff", cells, date(2023, 9, 15))
    office.night()
    made = seal(office.home, parse_period("2023-Q3"))
    assert "giống hệt" in motcua(office.home, "rerun", "2023-Q3").out
    hand_in(office, "b.xlsx", "staff", cells | {("staff", "streamlined", "people"): 9}, date(2023, 9, 16))
    office.night()
    place = (GL, "streamlined", "people")
    with office.open() as con:
        assert figures(con)[place] == 4, "as sealed"
        assert {r["seal"] for r in return_figures(con, "2023-Q3")} == {made.short}
        con.execute("SET search_path = 'live,main'")
        assert figures(con)[place] == 9
        assert {r["seal"] for r in return_figures(con, "2023-Q3")} == {None}
    told_later = motcua(office.home, "revisions", "2023-Q3").out
    assert "Tinh giản biên chế: Số người" in told_later and "13" not in told_later
    assert "biểu thu thập khác: bieu/b.xlsx" in told_later


# ---- the commands


def test_the_command_shows_figures_and_shares(handed: Office, motcua: Callable[..., Said]) -> None:
    said = motcua(handed.home, "returns", "--period", "2023-Q3", "--unit", GL)
    assert said.code == 0 and "79.461,612" in said.out and "gần 80" in said.out and "1033/UBND-NC" in said.out
    said = motcua(handed.home, "returns", "--period", "2023-Q3", "--unit", GL, "--indicators")
    assert "75,60 %" in said.out and "không phát sinh" in said.out and "≥ 100 %" in said.out
    said = motcua(handed.home, "returns", "--period", "2024-H1", "--indicators", "--format", "csv")
    assert "undecided" in said.out and "broadcast_schedule" in said.out
    assert "Không có biểu" in motcua(handed.home, "returns", "--period", "2022-Q1").out
    unknown = motcua(handed.home, "returns", "--period", "2023-Q3", "--unit", "Xã Không Có")
    assert unknown.code == 2


def test_a_run_says_which_returns_there_are(handed: Office, motcua: Callable[..., Said]) -> None:
    said = motcua(handed.home, "run")
    assert said.code == 0 and "Biểu thu thập 2024: 2 biểu của 1 đơn vị" in said.out, said.out
    assert "Biểu thu thập 2023-Q3" not in said.out, "the newest three"


# ---- saved by another program


@pytest.mark.slow
@pytest.mark.parametrize("form", ["xlsx", "ods", "csv:Text - txt - csv (StarCalc):44,34,76"])
def test_a_template_saved_by_libreoffice_is_read_alike(
    office: Office, tmp_path: Path, need_tool: Callable[[str | None, str], str], form: str
) -> None:
    soffice = need_tool(shutil.which("soffice"), "LibreOffice (soffice)")
    money = {k: v for k, v in of_returns(told(GL, "2023-Q3"), ["investment"]).items() if k[1] != "total"}
    path = hand_in(office, "a.xlsx", "investment", money, date(2023, 9, 14))
    out = tmp_path / "lưu"
    subprocess.run(
        [soffice, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--convert-to", form, "--outdir", str(out), str(path)],
        check=True,
        capture_output=True,
        timeout=180,
    )  # fmt: skip
    path.unlink()
    form = form.partition(":")[0]
    shutil.copy(out / f"a.{form}", office.home.raw / "bieu" / f"a.{form}")
    assert office.night().exit_code == 0
    with office.open() as con:
        found = figures(con)
        (source,) = con.execute("SELECT format, exported_at::DATE::VARCHAR FROM file").fetchall()
    expected = {(GL, line, m): Decimal(str(v)) for (_, line, m), v in money.items() if m != "as_of"}
    assert {k: found[k] for k in expected} == expected
    assert found[GL, "total", "disbursed"] == Decimal("79461.612"), "its formula, or the sum of its parts"
    assert source == (form, "2023-09-14")
