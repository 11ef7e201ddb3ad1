"""The night's run in three steps: take in, build and check, publish. The command line and the Dagster assets call it.

Not here: any work on data; each step is a call into the rooms.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from pipeline.declare.text import Text
from pipeline.errors import CheckFailed, MotcuaError
from pipeline.measure.as_known import as_known_macros
from pipeline.measure.checks import Outcome, run_checks
from pipeline.measure.figures import build_figures
from pipeline.measure.marks import count_marks
from pipeline.measure.moved import counted_in
from pipeline.measure.sealed import apply_seals
from pipeline.measure.summary import kept_outcomes
from pipeline.settings import Home
from pipeline.warehouse import keeping, onward
from pipeline.warehouse import release as releases
from pipeline.warehouse.build import build as build_tables
from pipeline.warehouse.build import connect
from pipeline.warehouse.intake import Intake, recorded, take_in
from pipeline.warehouse.lock import one_build
from pipeline.warehouse.record import Entry, copy_file, now, write_json
from pipeline.warehouse.release import Release
from pipeline.warehouse.room import in_room
from pipeline.warehouse.seals import sound_seals

Progress = Callable[[Text], None]
KEPT_AS_KNOWN = 5  # databases of earlier knowledge, the last ones asked for
SILENT: Progress = lambda _: None  # noqa: E731


@dataclass(frozen=True)
class Build:
    """A finished private build, not yet published. tables: rows per table. rejected_rows: of all files that count. nights:
    since the tables of dossiers were built whole."""

    folder: Path
    release_id: str
    inputs: str
    intake: Intake
    outcomes: list[Outcome]
    tables: dict[str, int]
    rejected_rows: int
    seals: str | None = None
    nights: int = 0


class NotPublished(CheckFailed):
    """CheckFailed with the outcomes of all checks, so that a page can show which failed and where."""

    outcomes: list[Outcome]


@dataclass
class Result:
    """What a night did. changed: whether something new was published. rejected_rows: of all files that count.
    waiting: files that still arrive, and what shows it. differing: quarters that were run again → how many of their cells
    differ from what was published before, or sealed. touched: sealed quarters → what is not as it was sealed. outputs:
    quarters of which report, forms and page were written anew."""

    release: str | None = None
    changed: bool = False
    taken: list[Entry] = field(default_factory=list)
    refused: list[MotcuaError] = field(default_factory=list)
    waiting: list[tuple[str, Text]] = field(default_factory=list)
    rejected_rows: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    differing: dict[str, int] = field(default_factory=dict)
    touched: dict[str, list[str]] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 done; 1 done with rejected rows, or a sealed quarter that does not come out again; 2 some input could not be
        taken (DESIGN §6)."""
        again = any(self.differing.get(key) or found for key, found in self.touched.items())
        return 2 if self.refused else 1 if self.rejected_rows or again else 0


def run(home: Home, progress: Progress = SILENT, rebuild: bool = False) -> Result:
    """The whole night, one at a time. Raises CheckFailed (nothing published) or Busy."""
    with one_build(home):
        intake = take_in(home, progress)
        built = build(home, intake, progress, rebuild)
        release = publish(home, built, progress) if built else None
        return settle(home, intake, built, release)


def build(home: Home, intake: Intake, progress: Progress = SILENT, rebuild: bool = False) -> Build | None:
    """Builds privately and checks. None when nothing changed since the published release, or there is nothing.

    Raises CheckFailed when a blocking check fails, or a seal is not as it was sealed; the published release stays.
    """
    if not intake.all_files:
        return None
    inputs = releases.inputs_fingerprint(intake.all_files, intake.aliases.sha256)
    known = releases.current(home)
    seals = sound_seals(home, known.seals if known else None)
    shown = seals[-1].sha256 if seals else None
    same = known is not None and known.inputs == inputs and known.database.exists() and not rebuild
    if known and same and known.seals == shown:
        return None
    folder = releases.new_build(home)
    release_id = releases.new_release_id(home, inputs)
    base = None if same or rebuild else onward.base(known, intake.all_files, intake.aliases)
    nights = base.nights if base else known.nights if known and same else 0
    try:
        if known and (same or base):  # same: nothing changed but what is sealed
            copy_file(known.database, folder / releases.DATABASE)
        con = connect(folder / releases.DATABASE, intake.rows)
        try:
            outcomes = kept_outcomes(con) if same else _compute(con, intake, progress, base=base)
            apply_seals(con, seals)
            releases.describe(con, release_id, inputs)
            counts = con.execute(
                "SELECT table_name, estimated_size FROM duckdb_tables() WHERE database_name = 'built' AND schema_name = 'main' ORDER BY 1"
            ).fetchall()
            rejected = _rejected_rows(con)
            con.execute("CHECKPOINT built")
        finally:
            con.close()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Build(folder, release_id, inputs, intake, outcomes, dict(counts), rejected, shown, nights)


def _compute(
    con: duckdb.DuckDBPyConnection,
    intake: Intake,
    progress: Progress,
    only: str | None = None,
    base: onward.Base | None = None,
) -> list[Outcome]:
    """All tables of what an intake holds, and what the checks say of them. only: the one period whose figures are wanted.
    base: the published database, of which this is a copy to go on from. Raises CheckFailed, NotEnoughRoom."""
    with in_room():
        progress(Text(f"Dựng kho từ {len(intake.files)} tệp", f"Building the warehouse from {len(intake.files)} files"))
        new = base.new if base else None
        build_tables(con, intake.files, intake.withdrawn, intake.aliases, only, new)
        with counted_in(con, base.database if base else None) as counted:
            progress(Text("Tính số liệu các kỳ", "Computing the figures of all periods"))
            build_figures(con, counted)
            if not only:
                count_marks(con, counted)
                as_known_macros(con)
            progress(Text("Kiểm tra chéo", "Cross-checking"))
            outcomes = run_checks(con, counted)
    if failed := [o for o in outcomes if o.check.blocking and not o.passed]:
        raise _not_published(failed, outcomes)
    return outcomes


def build_apart(
    intake: Intake, folder: Path, progress: Progress = SILENT, inputs: str | None = None, only: str | None = None
) -> Path:
    """The database of what an intake holds, without seals and not published; where it stands. inputs: what it was made
    from, for one that people will read and that describes itself. only: the one period whose figures are wanted. Raises
    CheckFailed, NotEnoughRoom."""
    con = connect(folder / releases.DATABASE, intake.rows)
    try:
        _compute(con, intake, progress, only)
        apply_seals(con, [])
        if inputs:
            releases.describe(con, f"as-known-{inputs[:12]}", inputs)  # the same whenever it is built anew
        con.execute("CHECKPOINT built")
    finally:
        con.close()
    shutil.rmtree(folder / "spill", ignore_errors=True)
    return folder / releases.DATABASE


def known_by(home: Home, moment: datetime, progress: Progress = SILENT) -> Path:
    """The database of what was known by a moment (local time), built from the record; at once where the published one
    or one built before is made from the same. Read it with `live_only`. Raises NothingPublished, CheckFailed, Busy."""
    with one_build(home):
        return database_of(home, recorded(home, moment), moment, progress)


def database_of(home: Home, intake: Intake, moment: datetime, progress: Progress = SILENT) -> Path:
    """As `known_by`, of what the record held then (`recorded`). Call under the build lock."""
    if not intake.all_files:
        raise releases.nothing_known(home, moment)
    inputs = releases.inputs_fingerprint(intake.all_files, intake.aliases.sha256)
    current = releases.current(home)
    if current and current.inputs == inputs and current.database.exists():
        return current.database
    folder = home.as_known / inputs[:32]
    if (folder / releases.DATABASE).exists():
        os.utime(folder)
        return folder / releases.DATABASE
    part = folder.with_name(f"building-{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    try:
        build_apart(intake, part, progress, inputs)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    kept = sorted(home.as_known.iterdir(), key=lambda place: place.stat().st_mtime)
    for old in kept[:-KEPT_AS_KNOWN]:
        shutil.rmtree(old, ignore_errors=True)  # one that somebody has open stays for another time
    return folder / releases.DATABASE


def publish_record(home: Home, progress: Progress = SILENT) -> Release | None:
    """Publishes what the record holds, data/raw left alone: after a seal was made, or a record restored. None where it
    is published already. Call under the build lock."""
    built = build(home, recorded(home), progress)
    return publish(home, built, progress) if built else None


def publish(home: Home, built: Build, progress: Progress = SILENT) -> Release:
    """Publishes a finished build."""
    progress(Text(f"Công bố {built.release_id}", f"Publishing {built.release_id}"))
    intake = built.intake
    told = intake.all_files, intake.aliases.sha256, built.seals, built.nights
    return releases.publish(home, built.folder, built.release_id, built.inputs, *told)


def settle(home: Home, intake: Intake, built: Build | None, release: Release | None) -> Result:
    """The night's result, kept for `motcua status`."""
    known = release or releases.current(home)
    result = Result(known.id if known else None, release is not None, intake.taken, intake.refused, intake.waiting)
    if built and release:
        result.rejected_rows = built.rejected_rows
    elif known:
        with releases.open_published(home) as con:
            result.rejected_rows = _rejected_rows(con)
    result.outcomes = built.outcomes if built else []
    keeping.apply(home, intake.all_files)
    write_json(home.last_run, _told(result))
    return result


def _rejected_rows(con: duckdb.DuckDBPyConnection) -> int:
    asked = "SELECT coalesce(sum(rows), 0)::BIGINT FROM file_account WHERE verdict = 'rejected'"
    return int(con.execute(asked).fetchall()[0][0])


def _told(result: Result) -> dict[str, Any]:
    return {
        "at": now().isoformat(),
        "release": result.release,
        "changed": result.changed,
        "taken": [f"{e.source}/{e.name}" for e in result.taken],
        "refused": [{"vi": e.render("vi"), "en": e.render("en")} for e in result.refused],
        "waiting": [{"file": place, "vi": why.vi, "en": why.en} for place, why in result.waiting],
        "rejected_rows": result.rejected_rows,
    }


def _not_published(failed: list[Outcome], outcomes: list[Outcome]) -> NotPublished:
    names = "; ".join(f"{o.check.label.vi} ({o.failures})" for o in failed)
    english = "; ".join(f"{o.check.label.en} ({o.failures})" for o in failed)
    error = NotPublished(
        Text(
            "Kiểm tra bắt buộc không đạt; số liệu cũ vẫn được giữ.",
            "A blocking check failed; the last figures stay.",
        ),
        found=Text(names, english),
        todo=Text(
            "Xem bảng chi tiết trong trang Dagster; báo người phát triển.",
            "See the details in Dagster's page; tell the developers.",
        ),
    )
    error.outcomes = outcomes
    return error
