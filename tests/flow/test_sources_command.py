"""`motcua sources --try` tells how a file would be read and leaves nothing behind; `--new` writes a first source.toml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.declare.sources import read_source
from pipeline.settings import Home
from tests.unit.office import Office, dossier, table, write_csv, write_xlsx

FOREIGN = [
    ["Office dossier export"],
    ["Ref", "Bureau", "Applicant", "Recorded", "Closed", "Way"],
    ["V-001", "Bureau of Land", "Người mẫu", "2023-07-03 08:10", "2023-07-07 15:00", "Counter"],
    ["V-002", "Bureau of Land", "Người mẫu", "2023-07-03 09:10", "", "Web"],
]


def files_of(home: Home) -> set[Path]:
    return {p for p in home.root.rglob("*") if p.is_file()}


def test_a_register_is_tried(home: Home, motcua: Any, tmp_path: Path) -> None:
    rows = [
        dossier(dossier_code="H50.466-230703-0001", procedure=""),
        dossier(dossier_code="Nguyễn Mẫu 9", unit="Xã Gio Ann"),
        dossier(received_at="31/02/2023"),
    ]
    cells = table(rows)
    cells[3].append("Chủ hồ sơ")
    cells[4].append("Người Mẫu")
    path = write_csv(tmp_path / "so.csv", [*cells, ["Tổng cộng: 3 hồ sơ"]], ";")
    before = files_of(home)
    said = motcua(home, "sources", "--try", str(path))
    assert said.code == 1, "a row would be rejected"
    assert files_of(home) == before
    for words in ("csv", "utf-8", "register_one_stop", "Ngày tiếp nhận", "Chủ hồ sơ", "15/06/2023 – 14/09/2023",
                  "4 dòng: 2 tính được, 1 loại, 1 từ chối", "H50.466-230703-0001", "31/02/2023", "Xã Gio An"):  # fmt: skip
        assert words in said.out, words
    assert "Nguyễn Mẫu" not in said.all and "Người Mẫu" not in said.all
    (told,) = json.loads(motcua(home, "sources", "--try", str(path), "--format", "json").out)
    assert told["rows_in"] == 4 and told["accepted"] == 2 and told["rejected"] == {"not_read": 1}
    assert told["tables"][0]["columns"]["due_at"] == "Ngày hẹn trả" and told["tables"][0]["dropped"] == ["Chủ hồ sơ"]
    assert (
        told["unknown_units"] == {"Xã Gio Ann": ["Xã Gio An", "Xã Cồn Tiên"]} or "Xã Gio Ann" in told["unknown_units"]
    )
    assert [r["dossier_code"] for r in told["rows"]] == ["H50.466-230703-0001", "Aaaaaa Aaa 9"]


def test_what_would_be_refused_says_why(home: Home, motcua: Any, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "la.csv", FOREIGN)
    said = motcua(home, "sources", "--try", str(path))
    assert said.code == 2 and "dossier_code" in said.all and "Người mẫu" not in said.all
    assert motcua(home, "sources", "--try", str(path), "--new", str(path)).code == 2
    assert motcua(home, "sources", "--try", str(tmp_path / "none.csv")).code == 2


def test_a_first_declaration_is_mended_and_works(home: Home, motcua: Any, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "export_2023-09-14.csv", FOREIGN)
    assert motcua(home, "sources", "--new", str(path)).code == 2, "a new source needs a name"
    said = motcua(home, "sources", "--new", str(path), "--source", "land")
    assert said.code == 0 and "source.toml" in said.out
    target = home.raw / "land" / "source.toml"
    text = target.read_text("utf-8")
    assert read_source(target.parent).name == "land", "it can be read as it stands"
    assert '"Recorded"  # ngày tháng / dates' in text and "Người mẫu" not in text and "V-001" not in text
    assert '# exported_at = "export_%Y-%m-%d.csv"' in text
    assert motcua(home, "sources", "--new", str(path), "--source", "land").code == 2, "nothing is overwritten"
    for column, header in {
        "dossier_code": "Ref",
        "unit": "Bureau",
        "received_at": "Recorded",
        "finished_at": "Closed",
    }.items():
        text = text.replace(f'# {column} = "…"', f'{column} = "{header}"')
    text = text.replace('# units = "from_file"', 'units = "from_file"').replace("# exported_at", "exported_at")
    target.write_text(text, "utf-8")
    tried = motcua(home, "sources", "--try", str(path), "--source", "land")
    assert tried.code == 0 and "2 dòng: 2 tính được" in tried.out


def test_what_is_recognised_stands_in_the_first_declaration(tmp_path: Path, motcua: Any) -> None:
    office = Office(tmp_path)
    cells = table([dossier(status="xong rồi"), dossier()])
    cells[3][0] = "Mã hồ sơ TTHC"
    path = write_xlsx(office.home.raw / "so" / "so.xlsx", So=cells)
    assert motcua(office.home, "sources", "--new", str(path)).code == 0, "the folder names the source"
    text = (path.parent / "source.toml").read_text("utf-8")
    assert 'received_at = "Ngày tiếp nhận"' in text and 'dossier_code = "Mã hồ sơ TTHC"  # đoán' in text
    assert "[values.status]" in text and '"xong rồi"' in text
    read_source(path.parent)
    assert motcua(office.home, "sources", "--try", str(path)).code == 0


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_summary_is_tried(home: Home, motcua: Any, tmp_path: Path, form: str) -> None:
    from tests.summaries.forms import II06A, TITLES, workbook

    body = [[1, "Xã Gio An", "1.209", 400, 800, 9, 1200, 1000, 199, 1, 9, 9, "-"], ["", "Tổng số", *[0] * 11]]
    path = workbook(tmp_path / "bieu.xlsx", {"Biểu": (II06A, body, TITLES)})
    said = motcua(home, "sources", "--try", str(path), "--format", form)
    assert said.code == 0 and "summary_ii06a" in said.out and "Số lượng hồ sơ đã giải quyết > Đúng hạn*" in said.out
    if form == "table":
        assert "Xã Gio An: Tổng số nhận giải quyết = 1.209" in said.out and "dòng tổng khác tổng các dòng" in said.out
