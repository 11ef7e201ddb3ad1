"""Everything of a period into a folder: tidy tables, forms, workbook, report section, page, pictures, with a manifest.

The same release gives the same bytes; pictures, and the document that holds them, are the browser's and are excepted.
Not here: what stands in a file (each has its module), the outputs that a night keeps ready (standing.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl

from pipeline.declare.periods import parse_periods
from pipeline.declare.rules import OURS
from pipeline.declare.text import Text
from pipeline.errors import NoPictures
from pipeline.measure.aside import laid_aside
from pipeline.measure.returns import return_figures, return_indicators
from pipeline.measure.scores import score_rows
from pipeline.report.book import Book, open_book
from pipeline.report.charts import pictures
from pipeline.report.document import write_section
from pipeline.report.figures import drawings
from pipeline.report.forms import write_forms
from pipeline.report.history import open_history
from pipeline.report.page import write_page
from pipeline.report.screen import as_csv
from pipeline.report.sheets.quality import COVERAGE
from pipeline.report.workbook import write_workbook
from pipeline.warehouse.sql import rows_of

Say = Callable[[Text], None]
Row = dict[str, Any]
MANIFEST = "manifest.json"
PICTURES = "hinh"
DRAWN, NOT_ASKED, NO_BROWSER = "drawn", "not asked for", "no browser"
FORM_COLUMNS = 'period, period_from, period_to, as_of, coverage, unit_id, u.unit_code, u.unit, "by", field, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, seal'


@dataclass
class Made:
    """The files of an export. drawn: those that hold pictures, whose bytes are the browser's. pictures: drawn, not asked
    for, or that nothing on the machine draws them."""

    pictures: str
    files: list[Path] = field(default_factory=list)
    drawn: set[Path] = field(default_factory=set)

    def add(self, files: list[Path], drawn: bool = False) -> None:
        self.files += files
        self.drawn |= set(files) if drawn else set()


def export(
    con: duckdb.DuckDBPyConnection,
    period: str,
    out: Path,
    rules: str = OURS,
    unit: str | None = None,
    lang: str = "vi",
    draw: bool = True,
    say: Say = lambda _: None,
    as_known: datetime | None = None,
    template: Path | None = None,
) -> list[Path]:
    """Writes a period or a range of periods into `out`; returns the files written, the manifest last.

    The tables of a range stand side by side in one file, the other outputs of each of its periods in a folder of its
    own. unit: only this one and its parts. draw: with pictures; where no browser is installed that is said, and the
    document goes out without. as_known: the moment by whose knowledge `con` tells, if any. template: the office's own
    Word template. Every file carries release, known time, seal and, where it is not ours, the rule set.
    Raises WrongUse where period or unit is not known, InputRefused where the template cannot be used; nothing is written
    then.
    """
    periods = parse_periods(period)
    made = Made(DRAWN if draw else NOT_ASKED)
    with laid_aside(con, [one.key for one in periods]):
        books = [open_book(con, one.key, unit, rules, lang, as_known) for one in periods]
        if template is not None and template.exists():
            with TemporaryDirectory() as trial:
                write_section(con, books[0], Path(trial), lang, None, template)
        out.mkdir(parents=True, exist_ok=True)
        made.add(_write_tables(tables(con, period, books, rules, unit, lang), out))
        for book in books:
            name = book.period.key.replace(":", "-")  # Windows knows no colon in names
            folder = out if len(books) == 1 else out / name
            folder.mkdir(exist_ok=True)
            _write_outputs(con, book, folder, lang, made, say, template)
    clear(out, made.files)
    by = ({} if unit is None else {"unit": unit}) | ({} if rules == OURS else {"rules": rules})
    by |= {} if as_known is None else {"as_known": str(as_known)}
    return [*made.files, _write_manifest(con, period, out, by, made)]


def _write_outputs(
    con: duckdb.DuckDBPyConnection, book: Book, out: Path, lang: str, made: Made, say: Say, template: Path | None
) -> None:
    drawn: dict[str, Path] = {}
    history = open_history(con, book, lang)
    if made.pictures == DRAWN:
        try:
            drawn = pictures(drawings(book, history, lang), out / PICTURES)
        except NoPictures as error:
            made.pictures = NO_BROWSER
            say(Text(error.render("vi"), error.render("en")))
    made.add(write_forms(con, book, out, lang))
    made.add(write_workbook(con, book, out, lang))
    for path in write_section(con, book, out, lang, drawn or None, template):
        made.add([path], drawn=bool(drawn) and path.suffix == ".docx")
    made.add(write_page(con, book, history, out, lang))
    made.add([path.with_suffix(form) for path in drawn.values() for form in (".png", ".svg")], drawn=True)


# ---- tidy tables


def tables(
    con: duckdb.DuckDBPyConnection,
    period: str,
    books: Sequence[Book],
    rules: str = OURS,
    unit: str | None = None,
    lang: str = "vi",
) -> dict[str, list[Row]]:
    """File name → rows: counts by unit and by field, indicators, form II.06a, coverage of the periods, returns, scores, and the
    findings (of which there are none by other rules than ours). books: of the periods. unit: rows of the books' units
    alone, which is by code and name (a district has one code with its own counter). lang: as the books', of labels."""
    keys = [book.period.key for book in books]
    found = {
        "stats": [row for book in books for row in book.counts[book.period.key].values()],
        "stats_by_field": [row for book in books for row in book.fields],
        "indicators": [row for book in books for row in book.rates[book.period.key].values()],
        "form_ii06a": rows_of(
            con,
            f"SELECT {FORM_COLUMNS} FROM form_ii06a JOIN unit u USING (unit_id) WHERE list_contains(?, period) "
            'ORDER BY period, "by", u.sort, field',
            [keys],
        ),
    }
    by_rules = {} if rules == OURS else {"rules": rules}
    found = {name: [by_rules | row for row in rows] for name, rows in found.items()}
    # what offices keep by hand is theirs, whatever the rule set
    found["returns"] = return_figures(con, period, lang=lang)
    found["return_indicators"] = return_indicators(con, period, lang=lang)
    found |= {} if by_rules else {"scores_766": score_rows(con, period, lang=lang)}
    if unit is not None:
        told_of = {(row["unit_code"], row["unit"]) for book in books for row in book.units.values()}
        found = {
            name: [row for row in rows if (row["unit_code"], row["unit"]) in told_of] for name, rows in found.items()
        }
    found["coverage"] = rows_of(con, f"{COVERAGE} ORDER BY ALL", [books[0].period.start, books[-1].period.end])
    return found if by_rules else found | {"finding": rows_of(con, "SELECT * FROM finding")}


def _write_tables(found: dict[str, list[Row]], out: Path) -> list[Path]:
    made = []
    for name, rows in found.items():
        text, binary = out / f"{name}.csv", out / f"{name}.parquet"
        # with a mark of UTF-8, so that a spreadsheet opens Vietnamese rightly by double click
        text.write_text(as_csv(rows), encoding="utf-8-sig", newline="")
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(binary)
        made += [text, binary]
    return made


# ---- the manifest


def clear(out: Path, made: list[Path]) -> None:
    """Removes what an earlier export into this folder wrote and this one did not: a form or a picture of another period
    must not lie among these. Files that no manifest of ours names are left alone, and so is what lies outside."""
    try:
        before = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if not isinstance(before, dict) or "code_and_declarations" not in before:
        return
    for path in {out / name for name in before["files"]} - set(made):
        if path.resolve().is_relative_to(out.resolve()):
            path.unlink(missing_ok=True)
        if path.parent != out and path.parent.exists() and not any(path.parent.iterdir()):
            path.parent.rmdir()


def _write_manifest(con: duckdb.DuckDBPyConnection, period: str, out: Path, by: dict[str, str], made: Made) -> Path:
    """What the folder holds and what it was made from: unit, rules, known time (by) where they were asked for; release,
    seals, hashes of the files; those that hold pictures are named without a hash, for their bytes are the browser's."""
    info = dict(con.execute("SELECT key, value FROM release_info").fetchall())
    keys = [p.key for p in parse_periods(period)]
    shown = "SELECT DISTINCT period, seal FROM period_coverage WHERE seal IS NOT NULL AND list_contains(?, period) ORDER BY 1"
    told: dict[str, Any] = {"period": period, **by}
    told |= {"seals": dict(con.execute(shown, [keys]).fetchall()), **info, "pictures": made.pictures}
    told["files"] = {
        path.relative_to(out).as_posix(): None if path in made.drawn else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in made.files
    }
    manifest = out / MANIFEST
    manifest.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return manifest
