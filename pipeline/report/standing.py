"""The outputs that stand ready in data/warehouse/outputs: a folder for each quarter, renewed when its figures change.

A folder is written apart and put in place whole; the quarter that is open now is always there. Not here: what is in it
(export.py).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb

from pipeline.declare.periods import parse_period
from pipeline.declare.text import Text
from pipeline.measure.marks import figure_marks
from pipeline.measure.summary import newest_quarter
from pipeline.report.export import MANIFEST, NOT_ASKED, Say, export
from pipeline.settings import Home
from pipeline.warehouse.record import write_json
from pipeline.warehouse.release import open_published

MARKS = "marks.json"


def refresh(home: Home, say: Say = lambda _: None, draw: bool = True) -> dict[str, list[Path]]:
    """Renews the newest quarter's outputs, and those of each quarter whose figures are not what they were at the last
    refresh; returns quarter → the files written, none where all stands as it should. After an update of the program the
    folders that are there are written anew, and with `draw` those that were written without being asked for pictures.
    Call under the build lock."""
    with open_published(home) as con:
        info = dict(con.execute("SELECT key, value FROM release_info").fetchall())
        program = info["code_and_declarations"]
        home.outputs.mkdir(parents=True, exist_ok=True)
        last = _read(home.outputs / MARKS)
        before = last.get("marks", {})
        marks = before.copy() if last.get("release") == info["release"] else figure_marks(con)
        newest = newest_quarter(con)
        made, release = {}, info["release"]
        for key, mark in marks.items():
            kept = _read(home.outputs / key / MANIFEST)
            stale = kept and (kept["code_and_declarations"] != program or (draw and kept["pictures"] == NOT_ASKED))
            changed = before and before.get(key) != mark
            if changed or stale or (key == newest and not kept):
                say(Text(f"Viết báo cáo, biểu, trang {key}", f"Writing report, forms and page of {key}"))
                if files := _renew(con, home, key, say, draw):
                    made[key] = files
                else:
                    marks[key], release = before.get(key, ""), None  # tried again by the next night
    write_json(home.outputs / MARKS, {"release": release, "marks": marks})
    return made


def standing(home: Home) -> tuple[str, Path] | None:
    """The newest quarter whose outputs stand ready, and their folder; None where there are none."""
    ready = [path.parent for path in home.outputs.glob(f"[0-9]*/{MANIFEST}")]
    newest = max(ready, key=lambda folder: parse_period(folder.name), default=None)
    return (newest.name, newest) if newest else None


def _renew(con: duckdb.DuckDBPyConnection, home: Home, key: str, say: Say, draw: bool) -> list[Path]:
    """The files of a quarter, written apart and put in the place of the old ones; none where those are in use."""
    folder, part, old = (home.outputs / f"{name}{key}" for name in ("", ".part-", ".old-"))
    for leftover in (part, old):
        shutil.rmtree(leftover, ignore_errors=True)
    files = export(con, key, part, draw=draw, say=say, template=home.section_template)
    try:
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    except OSError:  # on Windows a document that somebody has open keeps its folder in place
        if not folder.exists():
            old.rename(folder)
        shutil.rmtree(part, ignore_errors=True)
        where = folder.relative_to(home.root).as_posix()
        say(Text(f"{where} đang có người mở; đêm sau làm mới", f"{where} is open somewhere; renewed the next night"))
        return []
    shutil.rmtree(old, ignore_errors=True)
    return [folder / path.relative_to(part) for path in files]


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
