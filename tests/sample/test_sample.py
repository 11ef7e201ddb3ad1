"""The sample is what its generator makes, and a plain count of its files gives the published figures.

Nothing of the pipeline is used here: these figures are what the pipeline is measured against.
"""

import csv
import re
import zipfile
from collections import Counter, defaultdict
from datetime import datetime
from functools import cache
from pathlib import Path

import openpyxl
import pytest

from . import make_sample

ROOT = Path(__file__).parents[2]
RAW = ROOT / "data" / "raw"
LATE = ROOT / "tests" / "data" / "late_corrections"
FIRST, LAST = datetime(2023, 6, 15), datetime(2023, 9, 14)
NO_DOSSIER = {"Mới đăng ký", "Từ chối tiếp nhận"}
RESOLVED = {"Đã xử lý xong", "Đã trả kết quả"}

# header as written in either source -> the word used below
SAME = {
    "Mã số hồ sơ": "Mã hồ sơ",
    "Mã thủ tục": "Mã TTHC",
    "Tên thủ tục": "Tên TTHC",
    "Tên lĩnh vực": "Lĩnh vực",
    "Mức độ dịch vụ công": "Mức độ DVC",
    "Cơ quan tiếp nhận": "Đơn vị tiếp nhận",
    "Hình thức nộp": "Kênh tiếp nhận",
    "Ngày nhận": "Ngày tiếp nhận",
    "Ngày hẹn trả kết quả": "Ngày hẹn trả",
    "Ngày có kết quả": "Ngày kết thúc xử lý",
    "Ngày trả": "Ngày trả kết quả",
    "Trạng thái hồ sơ": "Trạng thái",
    "Số hóa TPHS": "Số hóa thành phần hồ sơ",
    "Số hóa KQ": "Số hóa kết quả",
    "Phiếu đánh giá": "Có phiếu đánh giá",
    "Xin lỗi": "Đã xin lỗi",
    "Chứng thực điện tử": "Số bản chứng thực điện tử",
}


def grid(path: Path) -> list[list]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as f:
            return list(csv.reader(f))
    return [list(cells) for cells in openpyxl.load_workbook(path).active.iter_rows(values_only=True)]


def moment(value) -> datetime | None:
    if value in ("", None) or isinstance(value, datetime):
        return value or None
    return datetime.strptime(value, "%d/%m/%Y %H:%M:%S")


@cache
def read(path: Path) -> tuple[datetime, list[dict]]:
    """When a file was exported, and its rows of dossiers (the footer has a cell in the first column only)."""
    cells = grid(path)
    top = next(i for i, line in enumerate(cells) if line and line[0] == "STT")
    text = " ".join(str(line[0]) for line in cells[:top] if line and line[0])
    exported = moment(re.search(r"Ngày xuất dữ liệu: (\S+ \S+)", text)[1])
    headers = [SAME.get(h, h) for h in cells[top]]
    rows = [dict(zip(headers, line, strict=True)) for line in cells[top + 1 :] if len(line) > 1 and line[1]]
    for r in rows:
        for day in ("Ngày tiếp nhận", "Ngày hẹn trả", "Ngày kết thúc xử lý", "Ngày trả kết quả"):
            r[day] = moment(r[day])
    return exported, rows


def exports(folders: list[Path]) -> list[tuple[datetime, list[dict]]]:
    files = [read(p) for folder in folders for p in folder.iterdir() if p.suffix in (".xlsx", ".csv")]
    return sorted(files, key=lambda file: file[0])


def newest(folders: list[Path]) -> dict[str, dict]:
    """The newest row of every dossier."""
    return {r["Mã hồ sơ"]: r for _, rows in exports(folders) for r in rows if r["Trạng thái"] not in NO_DOSSIER}


def model() -> dict[str, dict]:
    with (ROOT / "tests/sample/model_quarter.csv").open(encoding="utf-8", newline="") as f:
        return {r["prefix"]: r for r in csv.DictReader(f)}


def count(rows) -> Counter:
    """The figures of the quarter, as of its last day."""
    c = Counter()
    for r in rows:
        received, due, finished = r["Ngày tiếp nhận"], r["Ngày hẹn trả"], r["Ngày kết thúc xử lý"]
        new, online = received >= FIRST, r["Kênh tiếp nhận"] in ("Trực tuyến", "Nộp trực tuyến")
        assert online or r["Kênh tiếp nhận"] in ("Trực tiếp", "Nộp trực tiếp")
        assert received.date() <= LAST.date() and (finished is None or finished >= FIRST)
        c["total"] += 1
        if new:
            c["new"] += 1
            c["online" if online else "in_person"] += 1
            offered = r["Mức độ DVC"] != "Cung cấp thông tin"
            assert offered or not online
            c["eligible_online"] += offered
            c["full_process"] += "toàn trình" in r["Mức độ DVC"].lower()
            c["full_process_online"] += "toàn trình" in r["Mức độ DVC"].lower() and online
            c["components_digitized"] += r["Số hóa thành phần hồ sơ"] in ("Có", "Đã số hóa")
        else:
            c["carried"] += 1
        if finished and finished.date() <= LAST.date() and r["Trạng thái"] == "Công dân rút hồ sơ":
            c["withdrawn"] += 1
        elif finished and finished.date() <= LAST.date():
            assert r["Trạng thái"] in RESOLVED
            c["resolved"] += 1
            if due is None:
                c["resolved_no_due"] += 1
            elif finished.date() > due.date():
                c["resolved_late"] += 1
            else:
                c["resolved_early" if finished.date() < due.date() else "resolved_on_time"] += 1
                c["on_time_after_the_hour"] += finished > due
            c["results_digitized"] += r["Số hóa kết quả"] in ("Có", "Đã số hóa")
            c["rated"] += r["Có phiếu đánh giá"] == "Có"
            assert bool(r["Mức đánh giá" if "Mức đánh giá" in r else "Mức độ hài lòng"]) == (
                r["Có phiếu đánh giá"] == "Có"
            )
            c["apology"] += r["Đã xin lỗi"] == "Có"
            c["certified_copies"] += int(r["Số bản chứng thực điện tử"] or 0)
        else:
            c["open"] += 1
            c["open_carried"] += not new
            c["open_no_due"] += due is None
            c["open_overdue"] += due is not None and due.date() < LAST.date()
            c["open_due_last_day"] += due is not None and due.date() == LAST.date()
    return c


@pytest.fixture(scope="module")
def counter() -> Counter:
    return count(newest([RAW / "gio_linh_huyen"]).values())


@pytest.fixture(scope="module")
def communes() -> Counter:
    return count(newest([RAW / "gio_linh_xa"]).values())


def content(path: Path):
    # A workbook is compared by what is in its zip: how well it is packed differs between builds of zlib.
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as book:
        return [(info.filename, info.date_time, book.read(info)) for info in book.infolist()]


def test_making_it_again_gives_the_same(tmp_path):
    made = make_sample.write_sample(tmp_path / "once")
    again = make_sample.write_sample(tmp_path / "twice")
    assert made == again and len(made) == 12
    for path in made:
        assert (tmp_path / "once" / path).read_bytes() == (tmp_path / "twice" / path).read_bytes(), path
        assert content(ROOT / path) == content(tmp_path / "once" / path), f"{path} is not what the generator makes"
    for folder in ("data/raw/gio_linh_huyen", "data/raw/gio_linh_xa"):
        assert {p.name for p in (ROOT / folder).iterdir()} == {p.name for p in made if p.parent == Path(folder)}
    assert sum((ROOT / path).stat().st_size for path in made) < 4_000_000


def test_the_published_figures(counter, communes):
    def figures(c, *keys):
        return tuple(c[k] for k in keys)

    origin = ("total", "online", "in_person", "carried")
    assert figures(counter, *origin) == (1365, 255, 808, 302)
    assert figures(communes, *origin) == (6769, 4655, 2048, 66)
    outcome = ("resolved", "resolved_late", "open", "open_overdue")
    assert figures(counter, *outcome) == (886, 1, 479, 0)
    assert figures(communes, *outcome) == (6728, 3, 41, 0)
    district = counter + communes
    assert figures(district, *origin, "resolved", "resolved_late", "open") == (
        8134,
        4910,
        2856,
        368,
        7614,
        4,
        520,
    )
    assert sum(figures(district, "resolved_early", "resolved_on_time", "resolved_no_due")) == 7610
    assert figures(district, "resolved_early", "resolved_on_time", "resolved_no_due") == (5456, 2145, 9)
    assert figures(counter, "eligible_online", "components_digitized", "results_digitized") == (604, 434, 678)
    assert figures(district, "rated", "apology", "certified_copies") == (5756, 4, 136)
    assert figures(district, "full_process", "full_process_online") == (2, 2)
    assert district["withdrawn"] == 0


def test_every_unit():
    units, by_unit = model(), defaultdict(list)
    for code, r in newest([RAW / "gio_linh_huyen", RAW / "gio_linh_xa"]).items():
        prefix, day, _ = re.fullmatch(r"(H50\.466(?:\.\d\d)?)-(\d{6})-(\d{4})", code).groups()
        assert day == f"{r['Ngày tiếp nhận']:%y%m%d}"
        written = {units[prefix]["written"]} | ({"UBND xã Gio Hai"} if prefix == "H50.466.08" else set())
        assert r["Đơn vị tiếp nhận"] in written
        by_unit[prefix].append(r)
    assert len(units) == 18 and by_unit.keys() == units.keys()
    late = 0
    for prefix, unit in units.items():
        c = count(by_unit[prefix])
        declared = {k: int(v) for k, v in unit.items() if k not in ("code", "unit", "written", "prefix")}
        assert {k: c[k] for k in declared} == declared, unit["unit"]
        assert c["full_process"] == (2 if unit["code"] == "19495" else 0)
        late += c["resolved_late"] > 0
    assert late == 4  # one at the counter and three in three different communes


def test_states_follow_one_another():
    """A dossier reappears while it is open and no longer; nothing is known before it happens."""
    for source in ("gio_linh_huyen", "gio_linh_xa"):
        files = exports([RAW / source])
        assert [f"{at:%d/%m}" for at, _ in files] == ["14/06", "14/07", "14/08", "14/09"]
        codes, expected, not_dossiers, repeated = set(), set(), set(), []
        for at, rows in files:
            shown = {r["Mã hồ sơ"]: r for r in rows}
            repeated += [r for r in rows if r is not shown[r["Mã hồ sơ"]]]
            assert all(r == shown[r["Mã hồ sơ"]] for r in rows)
            assert expected <= shown.keys() and not (shown.keys() - expected) & codes
            for r in rows:
                done = r["Trạng thái"] in RESOLVED
                assert r["Ngày tiếp nhận"] <= at
                assert done == bool(r["Ngày kết thúc xử lý"]) == bool(r["Số hóa kết quả"])
                assert not done or r["Ngày tiếp nhận"] < r["Ngày kết thúc xử lý"] <= at
                assert (r["Trạng thái"] == "Đã trả kết quả") == bool(r["Ngày trả kết quả"])
                assert not r["Ngày trả kết quả"] or r["Ngày kết thúc xử lý"] < r["Ngày trả kết quả"] <= at
            no_dossier = {r["Mã hồ sơ"] for r in rows if r["Trạng thái"] in NO_DOSSIER}
            not_dossiers |= no_dossier
            expected = {r["Mã hồ sơ"] for r in rows if not r["Ngày kết thúc xử lý"]} - no_dossier
            codes |= shown.keys()
        assert len(repeated) == 1 and len(not_dossiers) == 5
        assert not not_dossiers & newest([RAW / source]).keys()


def test_boundaries():
    rows = newest([RAW / "gio_linh_huyen", RAW / "gio_linh_xa"]).values()
    received = {r["Ngày tiếp nhận"]: r for r in rows}
    assert datetime(2023, 6, 15) in received
    assert received[datetime(2023, 9, 14, 23, 59)]["Ngày kết thúc xử lý"] is None
    late = [r for r in rows if r["Ngày kết thúc xử lý"] and r["Ngày hẹn trả"]]
    late = [r for r in late if r["Ngày kết thúc xử lý"].date() > r["Ngày hẹn trả"].date()]
    days = {(f"{r['Ngày hẹn trả']:%d/%m}", f"{r['Ngày kết thúc xử lý']:%d/%m}") for r in late}
    assert days == {("12/07", "18/07"), ("14/08", "15/08"), ("20/06", "22/06"), ("08/09", "11/09")}


def test_procedures():
    """A procedure has one level; those of communes are national, those of the counter made and marked."""
    with (ROOT / "pipeline/declare/procedures.csv").open(encoding="utf-8", newline="") as f:
        national = {r["procedure_code"]: (r["name"], r["field"]) for r in csv.DictReader(f)}
    fields = {field for _, field in national.values()}
    named = Counter(name for name, _ in national.values())
    for source in ("gio_linh_huyen", "gio_linh_xa"):
        rows = newest([RAW / source]).values()
        levels = {(r["Mã TTHC"], r["Tên TTHC"], r["Lĩnh vực"], r["Mức độ DVC"]) for r in rows}
        assert len(levels) == len({code for code, *_ in levels}) >= 35
        assert len({field for _, _, field, _ in levels}) >= 8
        for code, name, field, _ in levels:
            if source == "gio_linh_xa":
                assert national[code] == (name, field) and named[name] == 1
            else:
                assert name.startswith("(Minh họa) ") and code.startswith("0.466") and field in fields


def test_people_are_made_up():
    for path in [*RAW.glob("gio_linh_[hx]*/*.[cx]*"), LATE / "ho_so_dieu_chinh_2023-10-20.xlsx"]:
        for r in read(path)[1]:
            n = int(r["Số CCCD"])
            assert n < 10_000 and len(r["Số CCCD"]) == 12
            assert r["Chủ hồ sơ"] == f"Người nộp mẫu {n:05d}" and r["Địa chỉ"] == f"Địa chỉ mẫu {n}"
            assert r["Số điện thoại"] == f"{n:010d}" and (r["Ghi chú"] or "") in ("", f"Ghi chú mẫu {n}")


def test_late_corrections(counter):
    """What tests/data/late_corrections/README.md says of the counter's quarter."""
    before, rows = newest([RAW / "gio_linh_huyen"]), read(LATE / "ho_so_dieu_chinh_2023-10-20.xlsx")[1]
    assert len(rows) == 12 and len([r for r in rows if r["Mã hồ sơ"] not in before]) == 1
    after = count(newest([RAW / "gio_linh_huyen", LATE]).values())
    change = {k: after[k] - counter[k] for k in after | counter if after[k] != counter[k]}
    assert change == {
        "total": 1,
        "new": 1,
        "online": 2,
        "in_person": -1,
        "eligible_online": 1,
        "components_digitized": 1,
        "resolved": 2,
        "resolved_early": 3,
        "resolved_on_time": -2,
        "resolved_late": 1,
        "results_digitized": 1,
        "rated": 1,
        "withdrawn": 1,
        "open": -2,
    }
    assert (after["total"], after["resolved"], after["withdrawn"], after["open"]) == (1366, 888, 1, 477)
