"""Makes the sample's returns: what Gio Linh kept by hand in quarter III/2023, in workbooks that `motcua template` writes.

    python -m tests.returns.make_returns [--out DIR]

The figures are those of the published report (figures.csv). How slips, copies and apologies fall on the units is made
up: the slips and copies as in model_quarter.csv, the nine late dossiers as below. The same bytes every time.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from datetime import date
from pathlib import Path

from pipeline.declare.periods import parse_period
from pipeline.report.return_requests import requested
from pipeline.report.templates import write_template
from pipeline.settings import Home
from tests.returns.fill import Cells, fill, of_returns, told

ROOT = Path(__file__).parents[2]
FOLDER = Path("data/raw/gio_linh_bieu")
DISTRICT, KEY = "Huyện Gio Linh", "466-all"
MADE_ON = date(2023, 9, 14)
BOOKS = {
    "2023-Q3": (
        *("training", "communications", "directives", "yearly_targets", "documents_reviewed", "procedure_review"),
        *(
            "procedures_posted",
            "apologies",
            "slips",
            "petitions",
            "certified_copies",
            "staff",
            "investment",
            "capital_awaited",
        ),
    ),
    "2023-9M": ("budget",),
}
LATE = {"466": 4, "19495": 2, "19510": 1, "19519": 1, "19537": 1}
SOURCE_TOML = """# dữ liệu mẫu: số liệu lấy từ báo cáo đã công bố, phần chia theo đơn vị là dựng; xem data/raw/README.md
# sample data: figures of the published report, the split by unit is made up
name = "Biểu thu thập huyện Gio Linh (mẫu)"
kind = "return"
known_at = "exported"
"""


def per_unit() -> Cells:
    """The returns whose rows are units."""
    found: Cells = {}
    with (ROOT / "tests/sample/model_quarter.csv").open(encoding="utf-8", newline="") as stream:
        for unit in csv.DictReader(stream):
            code = unit["code"]
            figures = {
                "slips": {"slips": unit["rated"], "resolved": unit["resolved"]},
                "certified_copies": {"copies": unit["certified_copies"]},
                "apologies": dict.fromkeys(("late", "apologised"), LATE.get(code, 0)),
                "petitions": dict.fromkeys(("received", "on_conduct", "on_rules", "handled"), 0),
            }
            found |= {(name, code, m): int(n) for name, row in figures.items() for m, n in row.items()}
    return found


def write_returns(root: Path) -> list[Path]:
    """Writes the source below `root` (the project, or a folder that stands for it); gives the paths."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with tempfile.TemporaryDirectory() as place:
        for key, names in BOOKS.items():
            period = parse_period(key)
            template = write_template(Path(place) / "t.xlsx", requested(Home(root), names, period, DISTRICT))
            split = per_unit()  # what the district told of all of them together is how their sum comes out
            whole = {place: v for place, v in told(DISTRICT, key, KEY).items() if place[0] not in {p[0] for p in split}}
            cells = of_returns(whole | split, names)
            written.append(fill(template, folder / f"bieu_{key}.xlsx", cells, MADE_ON))
    path = folder / "source.toml"
    path.write_bytes(SOURCE_TOML.encode("utf-8"))
    return [p.relative_to(root) for p in (*written, path)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Tạo biểu mẫu đã điền. / Make the sample returns.")
    parser.add_argument("--out", type=Path, default=ROOT)
    out = parser.parse_args().out
    for path in write_returns(out):
        print(f"{(out / path).stat().st_size:>9,}  {path.as_posix()}")


if __name__ == "__main__":
    main()
