"""Summaries as files: every way in which a form reaches us, and how it is known whose and of which period it is."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import InputRefused
from tests.summaries import forms
from tests.summaries.tables import ii06a
from tests.unit.office import Office, conform, write_csv, write_xlsx

BODY = [ii06a("Xã Gio An", 40, 30, 10, 50, 10, 5, 12, 3), ii06a("Xã Gio Châu", 1200, 34, 0, 1000, 134, 20, 70, 10)]
COLUMNS = [
    "total", "online", "in_person_or_postal", "carried_over", "resolved_folded", "resolved_early",
    "resolved_on_time_folded", "resolved_late", "open", "open_in_term_folded", "open_overdue",
]  # fmt: skip


def as_html(path: Path) -> Path:
    """The on-screen table of a system under the name .xls, cells spanning rows and columns."""
    head, merged = forms.header_rows(forms.II06A)
    spans = {(row, column): (height, width) for row, column, height, width in merged}
    covered = {
        (r, c)
        for (row, column), (height, width) in spans.items()
        for r in range(row, row + height)
        for c in range(column, column + width)
        if (r, c) != (row, column)
    }
    lines = [f'<tr><td colspan="13">{title}</td></tr>' for title in forms.TITLES]
    for r, row in enumerate(head):
        cells = [(c, text, *spans.get((r, c), (1, 1))) for c, text in enumerate(row) if (r, c) not in covered]
        lines.append(
            "<tr>" + "".join(f'<th rowspan="{h}" colspan="{w}">{html.escape(t)}</th>' for _, t, h, w in cells) + "</tr>"
        )
    for row in [forms.numbering(13), *BODY, *forms.SIGNATURES]:
        lines.append("<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>")
    path.write_text(f"<table>{''.join(lines)}</table>", encoding="utf-8")
    return path


WAYS: dict[str, Callable[[Path], Path]] = {
    "b.xlsx": lambda path: forms.workbook(path, {"Biểu": (forms.II06A, BODY, forms.TITLES)}),
    "b.csv": lambda path: write_csv(path, forms.table(forms.II06A, BODY)),
    "b2.csv": lambda path: write_csv(path, forms.table(forms.II06A, BODY), ";", "utf-16"),
    "b.xls": as_html,
    "nfd.csv": lambda path: write_csv(path, [[unicodedata.normalize("NFD", str(c)) for c in row] for row in forms.table(forms.II06A, BODY)]),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_the_same_figures_from_every_kind_of_file(tmp_path: Path, name: str) -> None:
    office = Office(tmp_path)
    (office.home.raw / "so").mkdir(parents=True)
    facts, dossiers, aside = conform(office.home, WAYS[name](office.home.raw / "so" / name))
    assert (facts.layout, facts.reported, facts.notices, dossiers.height) == ("summary_ii06a", 2, 0, 0)
    assert facts.rows_in == facts.reported + sum(facts.excluded.values()) + sum(facts.rejected.values())
    assert facts.rejected == {} and facts.excluded["numbering_row"] == 1
    found = pl.read_parquet(facts.folder / "reported.parquet").filter(role="unit")
    for row in BODY:
        name_of = unicodedata.normalize("NFC", row[1])
        mine = {
            m: int(v)
            for u, m, v in found.select("unit", "measure", "value").iter_rows()
            if unicodedata.normalize("NFC", u) == name_of
        }
        assert mine == {column: int(cell) for column, cell in zip(COLUMNS, row[2:], strict=True)}
    assert aside.filter(pl.col("verdict") == "rejected").is_empty()


# ---- of which period

Q3 = ("2023-06-15", "2023-09-14")
PERIODS = {
    "days in the title": (["Từ ngày 15/06/2023 đến ngày 14/09/2023"], "b", "", Q3),
    "days of no period of ours": (["Từ ngày 20/06/2023 đến ngày 14/09/2023"], "b", "", ("2023-06-20", "2023-09-14")),
    "its name": (["BÁO CÁO QUÝ III/2023"], "b", "", Q3),
    "its name in words": (["Quý 3 năm 2023"], "b", "", Q3),
    "its name, decomposed": ([unicodedata.normalize("NFD", "Kỳ báo cáo: Quý III năm 2023")], "b", "", Q3),
    "a month": (["Tháng 9/2023"], "b", "", ("2023-08-15", "2023-09-14")),
    "half a year": (["06 tháng đầu năm 2023"], "b", "", ("2022-12-15", "2023-06-14")),
    "nine months": (["9 tháng năm 2023"], "b", "", ("2022-12-15", "2023-09-14")),
    "a year": (["NĂM 2023"], "b", "", ("2022-12-15", "2023-12-14")),
    "a title and the day it was signed": (["Quý III/2023", "Gio Linh, ngày 15 tháng 12 năm 2023"], "b", "", Q3),
    "the file's name": ([], "bieu_2023-Q3", "", Q3),
    "the file's name with more behind it": ([], "bieu_2023-q3_sua lan 2", "", Q3),
    "a title and a file's name that agree": (["Quý III/2023"], "bieu_2023-Q3", "", Q3),
    "a span before the file's name": (["Từ ngày 01/07/2023 đến ngày 30/09/2023"], "bieu_2023-Q3", "", ("2023-07-01", "2023-09-30")),
    "declared days": ([], "b", "from = 2023-06-15\nto = 2023-09-14", Q3),
    "the file's name before declared days": ([], "2023-Q3", "from = 2023-01-01\nto = 2023-12-31", Q3),
}  # fmt: skip


@pytest.mark.parametrize("case", PERIODS)
def test_of_which_period_a_summary_is(tmp_path: Path, case: str) -> None:
    titles, name, toml, days = PERIODS[case]
    office = Office(tmp_path)
    office.source(toml)
    facts, *_ = conform(
        office.home, write_csv(office.home.raw / "so" / f"{name}.csv", forms.table(forms.II06A, BODY, titles))
    )
    assert (str(facts.first_day), str(facts.last_day)) == days


def test_a_title_and_a_files_name_of_two_periods_are_refused(tmp_path: Path) -> None:
    office = Office(tmp_path)
    with pytest.raises(InputRefused) as caught:
        conform(
            office.home,
            write_csv(office.home.raw / "so" / "2023-Q3.csv", forms.table(forms.II06A, BODY, ["Quý II/2023"])),
        )
    assert "Quý II/2023" in caught.value.render("vi") and "Quý III/2023" in caught.value.render("vi")


@pytest.mark.parametrize(
    ("titles", "name"), [([], "b"), ([], "bieu_2023-Q5"), (["Quý 5/2023"], "b"), (["Ngày 15 tháng 9 năm 2023"], "20230915")]
)  # fmt: skip
def test_a_summary_of_no_known_period_is_refused(tmp_path: Path, titles: list[str], name: str) -> None:
    office = Office(tmp_path)
    with pytest.raises(InputRefused) as caught:
        conform(office.home, write_csv(office.home.raw / "so" / f"{name}.csv", forms.table(forms.II06A, BODY, titles)))
    for lang in ("vi", "en"):
        words = caught.value.render(lang)
        assert f"so/{name}.csv" in words and "2023-Q3" in words and "source.toml" in words


# ---- whose


def fields(path: Path, *titles: str) -> Path:
    body = [["1", "Đất đai", *BODY[0][2:]], ["2", "Hộ tịch", *BODY[1][2:]]]
    return write_csv(path, forms.table(forms.II06A_FIELDS, body, [forms.TITLES[1], *titles]))


def test_a_table_by_field_without_a_unit_anywhere_is_refused(tmp_path: Path) -> None:
    office = Office(tmp_path)
    with pytest.raises(InputRefused) as caught:
        conform(office.home, fields(office.home.raw / "so" / "b.csv"))
    assert "unit" in caught.value.render("en") and "Đơn vị" in caught.value.render("vi")


def test_the_declared_unit_goes_before_that_of_the_title(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.source('unit = "Xã Gio Châu"')
    for n, titles in enumerate([(), ("Đơn vị báo cáo: UBND xã Gio An",)]):
        facts, *_ = conform(office.home, fields(office.home.raw / "so" / f"{n}.csv", *titles))
        found = pl.read_parquet(facts.folder / "reported.parquet")
        assert set(found["unit"]) == {"Xã Gio Châu"} and set(found["field"]) == {"Đất đai", "Hộ tịch"}


def test_columns_and_identities_of_its_own(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.source(
        """
        kind = "summary"
        from = 2023-06-15
        to = 2023-09-14
        [columns]
        unit = "Phòng"
        total = "Phải làm"
        resolved_folded = "Xong > Cộng"
        resolved_late = "Xong > Trễ"
        open = "Còn"
        [identities]
        flow = "total = resolved_folded + open"
        """
    )
    heads: forms.Heads = ("Phòng", "Phải làm", ("Xong", ["Cộng", "Trễ"]), "Còn")
    cells = [*forms.header_rows(heads)[0], ["Xã Gio An", "10", "8", "1", "2"], ["Xã Gio Châu", "10", "8", "1", "3"]]
    facts, _, aside = conform(office.home, write_xlsx(office.home.raw / "so" / "b.xlsx", S=cells))
    assert (facts.reported, facts.notices) == (2, 1)
    assert aside.select("row", "reason", "found").rows() == [(4, "identity_fails", "10 ≠ 11")]
    found = pl.read_parquet(facts.folder / "reported.parquet").filter(pl.col("row") == 3)
    assert dict(found.select("measure", "value").rows()) == {
        "total": 10,
        "resolved_folded": 8,
        "resolved_late": 1,
        "open": 2,
    }
