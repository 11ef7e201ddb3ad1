"""Making a seal: a period's figures as known at a moment, with all that they were made from, fixed for good.

Not here: the chain of seals and where they stand (warehouse/seals), judging them later (verify.py, rerun.py).
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from pipeline import __version__, night
from pipeline.audit.sides import LOOKUPS
from pipeline.declare.periods import Period
from pipeline.declare.tables import SCHEMA_VERSION, sealed_tables
from pipeline.declare.text import Text
from pipeline.errors import InputRefused, WrongUse
from pipeline.measure import answers
from pipeline.measure.sealed import live_only, slice_where
from pipeline.measure.summary import open_database
from pipeline.report.screen import as_csv
from pipeline.settings import Home
from pipeline.warehouse.intake import Intake, recorded
from pipeline.warehouse.lock import one_build
from pipeline.warehouse.record import Entry, archive, archived, key_mark, local, now, sha256_of
from pipeline.warehouse.release import code_fingerprint, program_files
from pipeline.warehouse.seals import Seal, SealedFile, keep_seal, sound_seals
from pipeline.warehouse.sql import quoted
from pipeline.warehouse.versions import FileFacts, fingerprint, version_folder

RULES = "motcua"
LONGEST_NOTE = 300


def seal(
    home: Home,
    period: Period,
    known_at: datetime | None = None,
    note: str | None = None,
    reason: str | None = None,
    revise: bool = False,
    progress: night.Progress = night.SILENT,
) -> Seal:
    """Seals a period by what was known by a moment (local time; null: by all that the record holds now), and publishes
    it. revise: a new version of a period that is sealed, which needs a reason. Raises WrongUse, NothingPublished,
    InputRefused, CheckFailed, Busy; then nothing is sealed."""
    why, about = (" ".join((words or "").split())[:LONGEST_NOTE] or None for words in (reason, note))
    moment = known_at or local(now().isoformat())
    with one_build(home):
        before = _before(home, period, why, revise)
        intake = recorded(home, moment)
        if intake.refused:
            raise _unreadable(intake)
        database = night.database_of(home, intake, moment, progress)
        made = home.seals / "making"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        try:
            with open_database(database) as con:
                live_only(con)
                _refuse_empty(con, period, moment)
                tables = _write(con, period, made)
            manifest = {
                "period": period.key,
                "period_from": period.start,
                "period_to": period.end,
                "version": before.version + 1 if before else 1,
                "revises": before.sha256 if before else None,
                "known_at": moment.isoformat(sep=" "),
                "note": about,
                "reason": why,
                "rules": RULES,
                "program": {
                    "motcua": __version__,
                    "schema_version": SCHEMA_VERSION,
                    "fingerprint": code_fingerprint(),
                    "files": program_files(),
                },
                "key_mark": key_mark(home),
                "unit_aliases": intake.aliases.sha256,
                "files": [asdict(_sealed_file(home, *one)) for one in intake.all_files],
                "tables": tables,
            }
            made_seal = keep_seal(home, made, manifest)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        night.publish_record(home, progress)
    return made_seal


def _before(home: Home, period: Period, reason: str | None, revise: bool) -> Seal | None:
    """The seal in force of the period. Raises WrongUse where the wish does not fit it."""
    before = {s.period: s for s in sound_seals(home)}.get(period.key)
    if before and not revise:
        raise WrongUse(
            Text(
                f"{period.label.vi} đã chốt (lần {before.version}, {before.short}).",
                f"{period.label.en} is sealed (version {before.version}, {before.short}).",
            ),
            todo=Text(
                f'Xem số thay đổi: motcua revisions {period.key}; chốt lại: motcua seal {period.key} --revise --reason "…"',
                f'See what changed: motcua revisions {period.key}; to seal anew: motcua seal {period.key} --revise --reason "…"',
            ),
        )
    if revise and not before:
        raise WrongUse(
            Text(f"{period.label.vi} chưa chốt lần nào.", f"{period.label.en} was never sealed."),
            todo=Text(f"Chốt lần đầu: motcua seal {period.key}", f"The first time: motcua seal {period.key}"),
        )
    if revise and not reason:
        raise WrongUse(
            Text("Chốt lại cần lý do.", "A revision needs a reason."),
            expected=Text('--reason "bổ sung hồ sơ nộp muộn"', '--reason "late dossiers were added"'),
        )
    return before


def _unreadable(intake: Intake) -> InputRefused:
    one = intake.refused[0]
    return InputRefused(
        Text(
            "Có tệp trong kho không đọc lại được; chưa chốt.",
            "A file in the archive cannot be read; nothing is sealed.",
        ),
        where=one.where,
        found=one.what,
        todo=Text("Kiểm tra: motcua seal --verify", "See: motcua seal --verify"),
    )


def _refuse_empty(con: duckdb.DuckDBPyConnection, period: Period, moment: datetime) -> None:
    told = con.execute(
        "SELECT count(*) FROM period_coverage WHERE period = ? AND coverage <> 'no_data'", [period.key]
    ).fetchall()
    if not told[0][0]:
        raise WrongUse(
            Text(
                f"{period.label.vi}: đến {moment:%d/%m/%Y %H:%M} chưa có số liệu để chốt.",
                f"{period.label.en}: no data to seal by {moment:%d/%m/%Y %H:%M}.",
            ),
            todo=Text("Xem các kỳ có số liệu: motcua periods", "See the periods with data: motcua periods"),
        )


# ---- what a seal holds


def _write(con: duckdb.DuckDBPyConnection, period: Period, made: Path) -> dict[str, dict[str, Any]]:
    """Writes the period's slices, what their keys mean, and the figures as people read them; name → rows and hash."""
    span = period.key, period.start, period.end
    pieces = {name: f"SELECT * EXCLUDE (seal) FROM {name} WHERE {slice_where(name, *span)}" for name in sealed_tables()}
    pieces |= {name: f"SELECT * FROM {name}" for name in LOOKUPS}
    pieces["period"] += f" WHERE period = '{period.key}'"
    found = {}
    for name, sql in pieces.items():
        path = made / f"{name}.parquet"
        order = "unit_id, dossier_id, episode" if name == "dossier_period" else "ALL"
        con.execute(f"COPY ({sql} ORDER BY {order}) TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd)")
        rows = con.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchall()[0][0]
        found[path.name] = {"rows": rows, "sha256": sha256_of(path)}
    for name, rows in (
        ("stats", answers.stats(con, period.key)),
        ("indicators", answers.indicators(con, period.key)),
    ):
        path = made / f"{name}.csv"
        path.write_text(as_csv(rows), encoding="utf-8-sig", newline="")
        found[path.name] = {"rows": len(rows), "sha256": sha256_of(path)}
    return found


def _sealed_file(home: Home, entry: Entry, facts: FileFacts) -> SealedFile:
    return SealedFile(
        seq=entry.seq,
        sha256=entry.sha256,
        source=entry.source,
        name=entry.name,
        taken_at=entry.taken_at,
        known_at=entry.known_at,
        withdrawn_at=entry.withdrawn_at,
        withdrawn_reason=entry.withdrawn_reason,
        size=entry.size,
        source_toml=_declaration(home, entry, facts),
        conformed=facts.folder.name,
        rows_sha256=hashes_of(facts.folder),
    )


def hashes_of(folder: Path) -> dict[str, str]:
    """Name → hash of each table of conformed rows."""
    return {path.name: sha256_of(path) for path in sorted(folder.glob("*.parquet"))}


def _declaration(home: Home, entry: Entry, facts: FileFacts) -> str | None:
    """Hash of the source's declaration that conformed a file, which is put into the archive: today's in data/raw, or the
    one it was taken in with. Null: it has none, or its conformed rows are all that is left of the file."""
    today = home.raw / entry.source / "source.toml"
    kept = archived(home, entry.source_toml) if entry.source_toml else None
    for path in (today, kept):
        if path is not None and path.exists():
            declared = fingerprint(home, path.read_bytes())
            if version_folder(home, entry.sha256, declared).name == facts.folder.name:
                sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
                archive(home, path, sha256)
                return sha256
    return None
