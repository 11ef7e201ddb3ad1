"""Makes the sample: the register exports of Gio Linh for the third quarter of 2023 (15/06 to 14/09/2023).

    python -m tests.sample.make_sample [--out DIR]

The figures per unit come from model_quarter.csv, procedures from procedures.csv. Every dossier is made up.
Dossiers are made first, whole (dossiers.py); an export then shows what was known of them at its moment
(exports.py). No clock and no unseeded chance: the same bytes every time.
"""

import argparse
import csv
import io
from datetime import datetime
from pathlib import Path

import xlsxwriter

from .dossiers import all_dossiers
from .exports import HEADERS, LATE_EXPORT, OFFICE, exports, late_rows, row, stamp

ROOT = Path(__file__).parents[2]


def write_xlsx(path: Path, office: str, titles: list[str], rows: list[list]) -> None:
    plain = {"strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(path), plain)
    book.set_properties({"created": datetime(2023, 10, 1), "title": "Dữ liệu mẫu / made sample"})
    sheet = book.add_worksheet("Sổ theo dõi")
    bold = book.add_format({"bold": True})
    head = book.add_format({"bold": True, "border": 1, "text_wrap": True})
    day = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    headers = HEADERS[office]
    for i, text in enumerate(titles):
        sheet.merge_range(i, 0, i, len(headers) - 1, text, bold)
    top = len(titles) + 1
    sheet.write_row(top, 0, headers, head)
    sheet.set_column(1, len(headers) - 1, 18)
    for i, cells in enumerate(rows, top + 1):
        for j, cell in enumerate(cells):
            if isinstance(cell, datetime):
                sheet.write_datetime(i, j, cell, day)
            elif cell not in ("", None):
                sheet.write(i, j, cell)
    sheet.write_string(top + len(rows) + 2, 0, f"Tổng số hồ sơ: {len(rows)}", bold)
    book.close()


def write_csv(path: Path, office: str, titles: list[str], rows: list[list]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")  # as Excel saves it
    writer.writerows([title] for title in titles)
    writer.writerow([])
    writer.writerow(HEADERS[office])
    writer.writerows([stamp(c) if isinstance(c, datetime) else c for c in cells] for cells in rows)
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode("utf-8"))


SOURCE_TOML = """# {comment}
name = "{name}"
kind = "register"
extent = "{extent}"
known_at = "{known_at}"
"""
OWN_PROCEDURES = """# thủ tục cấp huyện là minh họa / the procedures of the district are made up
procedures = "from_file"
"""
SAMPLE = "dữ liệu mẫu, không có thật; xem data/raw/README.md / made sample data"
LATER = "dữ liệu mẫu, đến sau; xem README.md / made sample data that arrives later"
DECLARED = {
    "gio_linh_huyen": (SAMPLE, "Một cửa huyện Gio Linh (mẫu)", "full", "exported", OWN_PROCEDURES),
    "gio_linh_xa": (SAMPLE, "Một cửa các xã, thị trấn huyện Gio Linh (mẫu)", "full", "exported", ""),
    "late_corrections": (
        LATER,
        "Một cửa huyện Gio Linh, điều chỉnh (mẫu)",
        "delta",
        "intake",
        OWN_PROCEDURES,
    ),
}


def write_source(folder: Path) -> Path:
    comment, name, extent, known_at, more = DECLARED[folder.name]
    text = SOURCE_TOML.format(comment=comment, name=name, extent=extent, known_at=known_at) + more
    path = folder / "source.toml"
    path.write_bytes(text.encode("utf-8"))
    return path


def write_sample(root: Path) -> list[Path]:
    """Write all files below `root` (the project, or a folder standing for it); gives their paths."""
    raw, late = root / "data" / "raw", root / "tests" / "data" / "late_corrections"
    folders = {"district": raw / "gio_linh_huyen", "commune": raw / "gio_linh_xa"}
    for folder in (*folders.values(), late):
        folder.mkdir(parents=True, exist_ok=True)
    dossiers = all_dossiers()
    written = []
    for office, folder in folders.items():
        for name, titles, rows in exports(dossiers[office], office):
            path = folder / (name + (".xlsx" if office == "district" else ".csv"))
            (write_xlsx if office == "district" else write_csv)(path, office, titles, rows)
            written.append(path)

    rows = [row(i, d, LATE_EXPORT, "district") for i, d in enumerate(late_rows(dossiers["district"]), 1)]
    titles = [OFFICE["district"], "DANH SÁCH HỒ SƠ ĐIỀU CHỈNH", f"Ngày xuất dữ liệu: {stamp(LATE_EXPORT)}"]
    path = late / f"ho_so_dieu_chinh_{LATE_EXPORT:%Y-%m-%d}.xlsx"
    write_xlsx(path, "district", titles, rows)
    written += [path, *(write_source(folder) for folder in (*folders.values(), late))]
    return [p.relative_to(root) for p in written]


def main() -> None:
    parser = argparse.ArgumentParser(description="Tạo dữ liệu mẫu. / Make the sample data.")
    where = "thư mục thay cho thư mục dự án / folder that stands for the project"
    parser.add_argument("--out", type=Path, default=ROOT, help=where)
    out = parser.parse_args().out
    for path in write_sample(out):
        print(f"{(out / path).stat().st_size:>9,}  {path.as_posix()}")


if __name__ == "__main__":
    main()
