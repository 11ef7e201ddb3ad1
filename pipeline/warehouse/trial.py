"""A dry run of one file: what it is, how it would be read, what would become of its rows. Leaves nothing behind.

Runs the very rooms of the night in a private folder that is removed afterwards. Not here: words for people
(report/trial).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.conform.headers import Header
from pipeline.conform.return_rows import ReturnSheet
from pipeline.conform.titles import Title
from pipeline.declare.columns import columns
from pipeline.declare.periods import Period
from pipeline.declare.returns import Return
from pipeline.declare.sources import Source
from pipeline.declare.text import shape
from pipeline.declare.units import propose, resolve
from pipeline.errors import InputRefused
from pipeline.read.grids import open_file
from pipeline.settings import Home
from pipeline.warehouse.reading import conformed
from pipeline.warehouse.record import now, restricted_codes, restricted_units, sha256_of
from pipeline.warehouse.versions import FileFacts, fingerprint, sheets_of

SHOWN_ROWS = 5
SHOWN_FAULTS = 20


@dataclass(frozen=True)
class TriedTable:
    """A table of the file. others: how many columns each other layout recognises, most first."""

    sheet: str | None
    header: Header
    title: Title
    others: dict[str, int]


@dataclass(frozen=True)
class TriedReturn:
    """A sheet that is a return. area: unit_id of its mark, or "". cells: the first that tell something, as read."""

    sheet: str | None
    declared: Return
    period: Period
    area: str
    cells: list[dict[str, Any]]


@dataclass(frozen=True)
class Trial:
    """What a file would give. facts: null where it would be refused, and then why. rows: the first ones as they would
    be read (dossier codes only where they are harmless). unknown_units: name as written → units that look like it."""

    path: Path
    source: Source
    format: str
    encoding: str | None
    container: str | None
    tables: list[TriedTable]
    facts: FileFacts | None = None
    refused: InputRefused | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    returns: list[TriedReturn] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    unknown_units: dict[str, list[str]] = field(default_factory=dict)


def try_file(path: Path, source: Source) -> Trial:
    """Reads a file as the night would. Raises InputRefused where it cannot even be opened."""
    opened = open_file(path, path.name)
    about = (path, source, opened.format, opened.encoding, opened.container)
    try:
        sheets = sheets_of(opened, source, path.name, path.name)
    except InputRefused as error:
        return Trial(*about, tables=[], refused=error)
    tried = [TriedTable(t.grid.sheet, t.header, t.title, _others(t.header, source)) for t in sheets.tables]
    with tempfile.TemporaryDirectory(prefix="motcua-try-") as folder:
        home = Home(Path(folder))
        home.warehouse.mkdir(parents=True)
        sha256 = sha256_of(path)
        try:
            facts = conformed(home, path, sha256, path.name, source, fingerprint(home, b""), now())
        except InputRefused as error:
            return Trial(*about, tables=tried, refused=error)
        return Trial(
            *about,
            tables=tried,
            facts=facts,
            rows=_first_rows(home, facts),
            figures=_first_figures(facts),
            returns=_first_cells(facts, sheets.returns),
            faults=_faults(facts),
            unknown_units=_unknown_units(home, facts),
        )


def _others(header: Header, source: Source) -> dict[str, int]:
    """How many columns of this header the other layouts recognise."""
    counted = Counter({layout.id: len(layout.matches(header.names)) for layout in source.layouts})
    del counted[header.layout.id]
    return {name: n for name, n in counted.most_common(3) if n}


def _first_rows(home: Home, facts: FileFacts) -> list[dict[str, Any]]:
    rows = pl.scan_parquet(facts.folder / "rows.parquet", glob=False).sort("sheet", "row").head(SHOWN_ROWS).collect()
    codes = dict(pl.read_parquet(restricted_codes(home, facts.sha256)).iter_rows())
    code = columns()["dossier_code"]
    found = []
    for row in rows.to_dicts():
        written = codes[row.pop("dossier_id")]
        unit = row["unit"]
        known = None if unit.startswith("#") else resolve(unit, row["received_at"].date(), facts.exported_at.date())
        shown = {"unit": _told(unit), "unit_id": known and known.unit_id}
        found.append(
            {"row": row["row"], "dossier_code": written if code.shows(written) else shape(written)} | row | shown
        )
    return found


def _first_figures(facts: FileFacts) -> list[dict[str, Any]]:
    figures = pl.read_parquet(facts.folder / "reported.parquet").filter(pl.col("role") == "unit")
    rows = figures.select("sheet", "row").unique(maintain_order=True).head(SHOWN_ROWS)
    shown = figures.join(rows, on=["sheet", "row"], nulls_equal=True, maintain_order="left")
    return [f | {"unit": _told(f["unit"]), "field": _told(f["field"])} for f in shown.to_dicts()]


def _first_cells(facts: FileFacts, sheets: list[ReturnSheet]) -> list[TriedReturn]:
    if not sheets:
        return []
    figures = pl.read_parquet(facts.folder / "returns.parquet")
    told = figures.filter(pl.any_horizontal(pl.col("value", "word", "day").is_not_null()))
    found = []
    for s in sheets:
        own = told.filter(pl.col("sheet").eq_missing(pl.lit(s.grid.sheet)), pl.col("return_id") == s.declared.id)
        found.append(
            TriedReturn(s.grid.sheet, s.declared, s.period, s.mark.area, own.head(SHOWN_ROWS).drop("unit").to_dicts())
        )
    return found


def _told(kept: str | None) -> str | None:
    """A name as it is kept, without the hash of one that nobody declared: its shape."""
    return kept.partition(" ")[2] if kept and kept.startswith("#") else kept


def _faults(facts: FileFacts) -> list[dict[str, Any]]:
    aside = pl.read_parquet(facts.folder / "aside.parquet").filter(pl.col("verdict") != "excluded")
    return aside.sort("verdict", "sheet", "row", descending=[True, False, False]).head(SHOWN_FAULTS).to_dicts()


def _unknown_units(home: Home, facts: FileFacts) -> dict[str, list[str]]:
    """Names that no declared unit has, as written: shown to the one who holds the file, kept nowhere."""
    kept = restricted_units(home, facts.sha256)
    names = pl.read_parquet(kept)["written"].to_list() if kept.exists() else []
    return {name: [unit.name for unit in propose(name)] for name in names[:SHOWN_FAULTS]}
