"""What is handed in, as assets: forms, workbook, report section, page, pictures and tables of the quarters.

Written after each release: the open quarter's, and those of each quarter whose figures changed.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of assets as they stand.

import base64
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from assets import notes
from assets.night import NEWS, NOTHING_NEW, release
from assets.resources import Work
from pipeline.declare.forms import form
from pipeline.measure import answers
from pipeline.report.export import PICTURES
from pipeline.report.standing import standing
from pipeline.warehouse.release import open_published

# asset → which files of a quarter's folder are its own, and what it is called
OUTPUTS = {
    "forms": ("bieu_*.xlsx", "Biểu mẫu chính thức / Official forms"),
    "workbook": ("so_lieu.xlsx", "Sổ số liệu của kỳ / Workbook of the period"),
    "report_section": ("bao_cao_*", "Mục I.3 của báo cáo / Section of the report"),
    "page": ("*.html", "Trang số liệu mở bằng trình duyệt / Page for the screen"),
    "pictures": (f"{PICTURES}/*", "Biểu đồ PNG, SVG / Charts"),
    "tables": ("*.csv", "Bảng số liệu CSV, Parquet / Tidy tables"),
}


class OutputsConfig(dg.Config):
    """pictures: with charts, which takes a browser some seconds; `motcua run` leaves them to the night."""

    pictures: bool = True


@dg.multi_asset(
    specs=[
        dg.AssetSpec(name, deps=[release], group_name="outputs", description=words)
        for name, (_, words) in OUTPUTS.items()
    ]
)
def outputs(config: OutputsConfig, work: dg.ResourceParam[Work]) -> Iterator[dg.MaterializeResult]:
    with work.in_words():
        renewed = work.outputs(config.pictures)
        newest = standing(work.home)
    for name, (pattern, _) in OUTPUTS.items():
        metadata: dict[str, Any] = {NEWS: ", ".join(renewed) or NOTHING_NEW}
        if newest:
            key, folder = newest
            files = sorted(folder.glob(pattern))
            metadata |= {"quý / quarter": key, "nằm ở / path": dg.MetadataValue.path(str(folder))}
            metadata |= {"tệp / files": notes.table({"tệp / file": p.name, "byte": p.stat().st_size} for p in files)}
            with work.in_words():
                shown = _preview(work, name, key, files)
            metadata |= {"xem trước / preview": shown} if shown else {}
        yield dg.MaterializeResult(asset_key=name, metadata=metadata)


def _preview(work: Work, name: str, key: str, files: list[Path]) -> dg.MetadataValue | None:
    """What the output looks like: its text, its picture, or its first figures."""
    if name == "report_section":
        texts = [path.read_text(encoding="utf-8") for path in files if path.suffix == ".md"]
        return dg.MetadataValue.md(texts[0]) if texts else None
    if name == "pictures":
        drawn = [path for path in files if path.suffix == ".png"]
        return dg.MetadataValue.md(_inline(drawn[0])) if drawn else None
    if name == "forms":
        with (files[0].parent / "form_ii06a.csv").open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["by"] == "unit"]
        return notes.table({c: row[c] for c in ("unit", *form("ii06a").columns)} for row in rows)
    with open_published(work.home) as con:
        if name == "workbook":
            rows = [r for r in answers.indicators(con, key) if r["level"] == "total"]
            columns = ("label", "numerator", "denominator", "verdict")
            return notes.table({c: row[c] for c in columns} for row in rows)
        return notes.headline(answers.stats(con, key))


def _inline(path: Path) -> str:
    return f"![{path.stem}](data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()})"
