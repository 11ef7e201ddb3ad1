"""Names of units that no list knows: kept as a hash, put before people with proposals, counted once one is accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipeline.conform.keyed_hash import hash_of
from pipeline.declare.aliases import read_aliases
from pipeline.declare.text import fold
from pipeline.declare.units import units
from pipeline.errors import DeclarationError
from pipeline.settings import Home
from pipeline.warehouse.aliases import log_of, take_aliases
from pipeline.warehouse.record import key
from pipeline.warehouse.release import current
from tests.conftest import Said, copy_of
from tests.unit.office import Office, dossier

pytestmark = pytest.mark.usefixtures("figures_alone")

Command = Callable[..., Said]
ODD = "Xã Gio Hải mới"


def aliases(home: Home, text: str, encoding: str = "utf-8") -> Path:
    path = home.raw / "unit_aliases.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding)
    return path


@pytest.fixture(scope="module")
def _published(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("published"))
    rows = [dossier(unit=ODD), dossier(unit=ODD.upper()), dossier(unit="xa gio hai MOI."), dossier(unit="Xã Gio An")]
    office.drop("a.csv", rows)
    assert office.night().rejected_rows == 3
    return office


@pytest.fixture
def office(_published: Office, tmp_path: Path) -> Office:
    """Three dossiers under a name of nobody's, in two spellings; one under a known name."""
    return Office(copy_of(_published.home, tmp_path).root)


def counted(office: Office) -> dict[str, int]:
    with office.open() as con:
        return dict(con.execute("SELECT unit_id, count(*) FROM dossier GROUP BY 1").fetchall())


# ---- the review list


def test_the_review_list_holds_no_text(office: Office) -> None:
    with office.open() as con:
        rows = con.execute("SELECT source, unit_hash, rows, proposals FROM unit_review").fetchall()
        told = str(con.execute("SELECT * FROM unit_review").fetchall())
    hashed = hash_of(fold(ODD), key(office.home))
    assert {(r[0], r[1]) for r in rows} == {("so", hashed)}, "spellings of one name are one hash"
    assert sum(r[2] for r in rows) == 3 and all("19519 Xã Gio Hải" in r[3] for r in rows)
    assert "mới" not in told.lower() and "moi" not in fold(told)


def test_the_text_is_in_the_restricted_store_alone(office: Office) -> None:
    (kept,) = (office.home.restricted / "units").iterdir()
    frame = pl.read_parquet(kept)
    assert frame.rows() == [(hash_of(fold(ODD), key(office.home)), frame["written"][0])]
    assert fold(frame["written"][0]) == fold(ODD)


def test_the_officer_sees_the_text_and_what_to_do(office: Office, motcua: Command) -> None:
    (row, *_) = json.loads(motcua(office.home, "units", "--review", "--format", "json").out)
    assert fold(row["written"]) == fold(ODD)
    assert row["accept"].startswith("motcua units --accept") and row["accept"].endswith(" 19519")
    said = motcua(office.home, "units", "--review")
    assert said.code == 0 and "19519" in said.out


def test_no_command_is_offered_for_a_text_that_a_shell_might_run(tmp_path: Path, motcua: Command) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [dossier(unit='$(touch x) "Gio Hải"')])
    office.night()
    (row,) = json.loads(motcua(office.home, "units", "--review", "--format", "json").out)
    assert row["accept"] is None and "touch" in row["written"]


def test_nothing_to_review_is_said(tmp_path: Path, motcua: Command) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [dossier()])
    office.night()
    assert "hiểu được" in motcua(office.home, "units", "--review").out


# ---- accepting


def test_an_accepted_name_counts_with_the_next_run_and_nothing_is_conformed_anew(
    office: Office, motcua: Command
) -> None:
    before = {p: p.stat().st_mtime_ns for p in office.home.versions.rglob("*.parquet")}
    said = motcua(office.home, "units", "--accept", ODD, "19519")
    assert said.code == 0 and f"{ODD},19519" in said.out
    result = office.night()
    assert (result.changed, result.rejected_rows, result.refused) == (True, 0, [])
    assert counted(office) == {"19519": 3, "19522": 1}
    assert {p: p.stat().st_mtime_ns for p in office.home.versions.rglob("*.parquet")} == before
    with office.open() as con:
        assert con.execute("SELECT count(*) FROM unit_review").fetchone() == (0,)
    assert not office.night().changed


def test_a_line_taken_out_again_is_a_new_release_too(office: Office) -> None:
    path = aliases(office.home, f"written,unit_id\n{ODD},19519\n")
    office.night()
    path.unlink()
    result = office.night()
    assert (result.changed, result.rejected_rows) == (True, 3)
    assert [json.loads(line)["sha256"] is None for line in log_of(office.home).read_text().splitlines()] == [
        False,
        True,
    ]


def test_the_release_names_the_alias_file_and_the_archive_keeps_it(office: Office) -> None:
    path = aliases(office.home, f"written;unit_id;note\n{ODD};19519;đổi tên\n", "utf-8-sig")
    office.night()
    release = current(office.home)
    assert release is not None
    sha256 = json.loads((release.folder / "manifest.json").read_text(encoding="utf-8"))["unit_aliases"]
    assert (office.home.archive / sha256[:2] / sha256).read_bytes() == path.read_bytes()
    assert counted(office) == {"19519": 3, "19522": 1}


def test_what_was_accepted_stays_and_the_file_keeps_its_form(office: Office) -> None:
    from pipeline.warehouse.aliases import accept

    path = aliases(office.home, "unit_id;written;source\n19522;Gio An cũ;so\n")
    accept(office.home, "Gio Hải, mới; hai", "19519", "so")
    found = {(a.written, a.unit_id, a.source) for a in read_aliases(path)}
    assert found == {("gio an cu", "19522", "so"), ("gio hai moi hai", "19519", "so")}
    assert path.read_bytes().startswith(b"\xef\xbb\xbfunit_id;written;source")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("Gio Hai", "195190"), "19519"),
        (("Gio Hai", "466-all"), "466"),
        (("Gio Hai", "Xã Gio Hải"), "19519"),
        (("...", "19519"), "unit_aliases.csv"),
        (("Tên cũ", "19522"), "unit_aliases.csv:2"),
    ],
)
def test_what_cannot_be_accepted_changes_nothing(home: Home, motcua: Command, words: tuple, says: str) -> None:
    path = aliases(home, "written,unit_id\nTên cũ,19519\n")
    before = path.read_bytes()
    said = motcua(home, "units", "--accept", *words)
    assert said.code == 2 and says in said.err
    assert path.read_bytes() == before and [p.name for p in home.raw.iterdir()] == ["unit_aliases.csv"]


# ---- what a line may say


def test_an_alias_holds_for_its_source_and_its_days(tmp_path: Path) -> None:
    office = Office(tmp_path)
    early, late = (
        dossier(unit="Bộ phận A"),
        dossier(unit="Bộ phận A", received_at="04/08/2023", finished_at="", due_at=""),
    )
    office.drop("a.csv", [early, late], key="so")
    office.drop("b.csv", [dossier(unit="Bộ phận A")], key="khac")
    aliases(
        office.home,
        "written,unit_id,source,from,to,note\nBộ phận A,19519,so,,31/07/2023,\nbo phan a,19522,so,2023-08-01,,\n"
        "Bộ phận A,19543,,,,mọi nguồn khác\n",
    )
    assert office.night().rejected_rows == 0
    assert counted(office) == {"19519": 1, "19522": 1, "19543": 1}


def test_a_declared_name_is_never_overruled(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [dossier(unit="Xã Gio An"), dossier(unit="Gio Linh")])
    aliases(office.home, "written,unit_id\nXã Gio An,19519\nGio Linh,466\n")
    assert office.night().rejected_rows == 0
    assert counted(office) == {"19522": 1, "466": 1}, "the first means one unit by itself, the second two"


def test_an_alias_of_a_unit_that_does_not_exist_then_does_not_help(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.drop("a.csv", [dossier(unit="Bộ phận A")])
    aliases(office.home, "written,unit_id\nBộ phận A,19537@2025-07-01\n")
    assert office.night().rejected_rows == 1


BROKEN = [
    ("written,unit_id\nBộ phận A,195190\n", "unit_aliases.csv:2", "unit_id"),
    ("written,unit_id\n\nBộ phận A,466-xa\n", "unit_aliases.csv:3", "unit_id"),
    ("written,unit_id\n ,19519\n", "unit_aliases.csv:2", "written"),
    ("written,unit_id,from\nA,19519,2023-13-01\n", "unit_aliases.csv:2", "from"),
    ("written,unit_id,from,to\nA,19519,2023-02-01,2023-01-01\n", "unit_aliases.csv:2", "to"),
    ("written,unit_id\nBộ phận A,19519\nbo phan a,19522\n", "unit_aliases.csv:3", "unit_id"),
    ("written,unit_id\nBộ phận A,19519,so\n", "unit_aliases.csv:2", "written"),
    ("name,unit_id\nA,19519\n", "unit_aliases.csv:1", "written"),
    ("", "unit_aliases.csv:1", "written"),
]


@pytest.mark.parametrize(("text", "where", "what"), BROKEN)
def test_an_error_names_file_line_and_key(home: Home, text: str, where: str, what: str) -> None:
    with pytest.raises(DeclarationError) as error:
        read_aliases(aliases(home, text))
    for lang in ("vi", "en"):
        assert where in error.value.render(lang) and what in error.value.render(lang)
    if "195190" in text:
        assert "19519" in error.value.render("vi"), "the nearest unit"


def test_other_encodings_are_told(home: Home) -> None:
    with pytest.raises(DeclarationError, match="UTF-8"):
        read_aliases(aliases(home, "written,unit_id\nXã Gio Hải,19519\n", "utf-16"))


def test_a_broken_alias_file_leaves_the_last_good_one(office: Office) -> None:
    path = aliases(office.home, f"written,unit_id\n{ODD},19519\n")
    office.night()
    path.write_text(f"written,unit_id\n{ODD},1951\n", encoding="utf-8")
    result = office.night()
    assert result.exit_code == 2 and "unit_aliases.csv:2" in result.refused[0].render("vi")
    assert not result.changed and counted(office) == {"19519": 3, "19522": 1}
    assert take_aliases(office.home)[0].sha256


def test_the_alias_file_is_no_export(office: Office) -> None:
    aliases(office.home, "written,unit_id\n")
    assert office.night().refused == []


def test_built_in_spellings_mean_declared_units() -> None:
    import csv

    from pipeline.declare.text import declared_bytes

    rows = list(csv.DictReader(declared_bytes("unit_aliases.csv").decode().splitlines()))
    assert rows
    for row in rows:
        assert row["unit_id"] in units() and row["source"] and fold(row["written"])
