"""The state of things, for people: what is published, new, covered, rejected; sources, units, periods; the machine.

Reads the record and the published database. Not here: figures (measure/answers).
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console

from pipeline import settings
from pipeline.declare.layouts import built_in
from pipeline.declare.reasons import reasons
from pipeline.declare.reported import label_of
from pipeline.declare.sources import read_source
from pipeline.declare.text import Text
from pipeline.declare.units import ALWAYS, FOREVER, units
from pipeline.errors import MotcuaError
from pipeline.measure import spark
from pipeline.measure.summary import accounts
from pipeline.report.charts import browser
from pipeline.report.display import day, number
from pipeline.report.kept import kept_of, tell_kept
from pipeline.report.screen import print_table
from pipeline.settings import Home
from pipeline.warehouse.arrival import exports, waiting_by_name
from pipeline.warehouse.intake import new_exports
from pipeline.warehouse.record import read_log
from pipeline.warehouse.release import current, open_published
from pipeline.warehouse.sql import rows_of

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

MOST_DIFFERENCES = 5  # shown of those between summaries and registers
_DIFFERENCES = """
    SELECT p.period, p.label_vi AS period_vi, p.label_en AS period_en, u.unit, r.field, r.measure, r.reported, r.computed,
           f.source || '/' || f.name AS file, r.sheet, r.row
    FROM reconciliation r JOIN period p USING (period) JOIN unit u USING (unit_id) JOIN file f USING (file_id)
    WHERE r.difference <> 0 ORDER BY abs(r.difference) DESC, p.period, u.unit, r.measure
"""
_ACCOUNT = """
    SELECT f.file_id, f.source, f.name, f.layout, f.format, f.extent, f.first_day, f.last_day, f.exported_at, f.withdrawn_at, f.withdrawn_reason, f.rows_in,
           coalesce(sum(a.rows) FILTER (WHERE a.verdict = 'counted'), 0)::BIGINT AS counted,
           coalesce(sum(a.rows) FILTER (WHERE a.verdict = 'excluded'), 0)::BIGINT AS excluded,
           coalesce(sum(a.rows) FILTER (WHERE a.verdict = 'rejected'), 0)::BIGINT AS rejected
    FROM file f LEFT JOIN file_account a USING (file_id) GROUP BY ALL ORDER BY f.source, f.exported_at, f.name
"""


# ---- status


def status_of(home: Home) -> dict[str, Any]:
    """Release, files with their accounting, what was refused last, what is new, coverage, open overdue."""
    release = current(home)
    found: dict[str, Any] = {
        "release": release.id if release else None,
        "built_at": release.built_at if release else None,
        "database": str(release.database) if release else None,
        "new_files": [p.relative_to(home.raw).as_posix() for p in new_exports(home)],
        "waiting": [
            {"file": p.relative_to(home.raw).as_posix(), "vi": why.vi, "en": why.en} for p, why in waiting_by_name(home)
        ],
        "withdrawn": [
            {"file": e.place, "sha256": e.sha256, "withdrawn_at": e.withdrawn_at, "reason": e.withdrawn_reason}
            for e in read_log(home)
            if not e.counts
        ],
        "last_run": json.loads(home.last_run.read_text(encoding="utf-8")) if home.last_run.exists() else None,
        "files": [],
        "coverage": [],
        "findings": [],
        "differences": [],
    }
    found["kept"] = kept_of(home)
    if release:
        with open_published(home) as con:
            found["files"] = _with_reasons(con, rows_of(con, _ACCOUNT))
            found["coverage"] = rows_of(
                con,
                """SELECT source, count(DISTINCT unit_id) AS units, min(first_day) AS first_day, max(last_day) AS last_day
                   FROM coverage GROUP BY source ORDER BY source""",
            )
            found["findings"] = rows_of(
                con, 'SELECT DISTINCT "check", severity, label_vi, label_en, failures FROM finding'
            )
            found["differences"] = rows_of(con, _DIFFERENCES)
    return found


def _tell_differences(found: list[Row], lang: str, console: Console) -> None:
    """The largest differences between what was reported and what the registers give, with both numbers."""
    for row in found[:MOST_DIFFERENCES]:
        what = ", ".join(
            filter(None, (row["unit"], row[f"period_{lang}"], row["field"], label_of(row["measure"])[lang]))
        )
        reported, computed = number(row["reported"], lang), number(row["computed"], lang)
        told = Text(f"báo cáo {reported}, sổ {computed}", f"reported {reported}, registers {computed}")
        place = Text(f"{row['file']}, dòng {row['row']}", f"{row['file']}, row {row['row']}")
        console.print(f"  {what}: {told[lang]} ({place[lang]})", highlight=False, markup=False)
    if (more := len(found) - MOST_DIFFERENCES) > 0:
        text = Text(
            f"… và {more} chỗ nữa: motcua status --format json, bảng reconciliation",
            f"… and {more} more: motcua status --format json, table reconciliation",
        )
        console.print(f"  {text[lang]}")


def _with_reasons(con: duckdb.DuckDBPyConnection, files: list[Row]) -> list[Row]:
    """Each file with its rows by reason, and whether all of them add up."""
    found = {a.file_id: a for a in accounts(con)}
    return [f | {"reasons": found[f["file_id"]].reasons, "adds_up": found[f["file_id"]].adds_up} for f in files]


def tell_status(found: dict[str, Any], lang: str, console: Console) -> None:
    """The status in words and tables."""
    if found["release"] is None:
        console.print(Text("Chưa công bố số liệu nào.", "Nothing has been published yet.")[lang])
    else:
        console.print(f"{Text('Đang công bố', 'Published')[lang]}: {found['release']}")
        console.print(f"  {found['database']}", style="dim", soft_wrap=True)
        columns = [
            "source",
            "name",
            "first_day",
            "last_day",
            "exported_at",
            "rows_in",
            "counted",
            "excluded",
            "rejected",
        ]
        print_table(found["files"], columns, lang, console, spare=("first_day", "exported_at", "last_day"))
        _tell_account(found["files"], lang, console)
        for c in found["coverage"]:
            text = Text(
                f"Nguồn {c['source']}: {c['units']} đơn vị, {day(c['first_day'], 'vi')} – {day(c['last_day'], 'vi')}",
                f"Source {c['source']}: {c['units']} units, {day(c['first_day'], 'en')} – {day(c['last_day'], 'en')}",
            )
            console.print(text[lang])
        for f in found["findings"]:
            told = Text(
                f"{f['label_vi']}: {number(f['failures'], 'vi')} chỗ không đạt",
                f"{f['label_en']}: fails {number(f['failures'], 'en')} times",
            )
            console.print(f"! {told[lang]}", style="yellow")
            if f["check"] == "reconciliation":
                _tell_differences(found["differences"], lang, console)
    if found["new_files"]:
        console.print(
            f"{Text('Tệp mới chưa nhận', 'New files, not taken in')[lang]}: {', '.join(found['new_files'])}",
            highlight=False,
        )
    for one in found["waiting"]:
        text = Text("Chờ", "Waiting")
        console.print(f"{text[lang]}: {one['file']} ({one[lang]})", highlight=False)
    for one in found["withdrawn"]:
        text = Text("Đã rút", "Withdrawn")
        console.print(
            f"{text[lang]}: {one['file']} [{one['sha256'][:10]}], {one['withdrawn_at'][:10]}: {one['reason']}",
            highlight=False,
        )
    tell_kept(found["kept"], lang, console)
    for refused in (found["last_run"] or {}).get("refused", []):
        console.print(refused[lang], style="red")


def _tell_account(files: list[Row], lang: str, console: Console) -> None:
    """Why rows do not count, all files together, and whether every row is accounted for."""
    sums: dict[str, int] = {}
    for file in files:
        for code, rows in file["reasons"].items():
            sums[code] = sums.get(code, 0) + rows
    for verdict, label in (
        ("rejected", Text("Dòng bị từ chối", "Rejected rows")),
        ("excluded", Text("Dòng bị loại", "Excluded rows")),
    ):
        parts = [
            f"{number(rows, lang)} {reasons()[code].about(None)[lang].strip()}"
            for code, rows in sums.items()
            if reasons()[code].verdict == verdict
        ]
        if parts:
            console.print(f"{label[lang]}: {'; '.join(parts)}", highlight=False)
    wrong = [f["name"] for f in files if not f["adds_up"]]
    whole = Text(
        "Mỗi dòng đều được tính, loại hoặc từ chối: cộng lại đúng bằng số dòng của từng tệp.",
        "Every row is counted, excluded or rejected: they add up to the rows of each file.",
    )
    broken = Text(f"Không cộng lại bằng số dòng: {', '.join(wrong)}", f"Does not add up: {', '.join(wrong)}")
    console.print((broken if wrong else whole)[lang], style="red" if wrong else "dim")


# ---- sources, units, periods


def source_rows(home: Home) -> list[Row]:
    """Every folder of data/raw and every source ever taken in, with its files and rows."""
    folders = sorted({folder for folder, _ in exports(home)})
    kept = current(home)
    account: dict[str, list[Row]] = {}
    if kept:
        with open_published(home) as con:
            for row in rows_of(con, _ACCOUNT):
                account.setdefault(row["source"], []).append(row)
    rows = []
    for key in sorted({f.name for f in folders} | set(account) | {e.source for e in read_log(home)}):
        folder = home.raw / key
        files = account.get(key, [])
        try:
            name = read_source(folder).name
        except MotcuaError as error:
            name = error.render("vi").splitlines()[0]
        rows.append(
            {
                "source": key,
                "name": name,
                "files": len(files),
                "layout": ", ".join(sorted({f["layout"] for f in files})) or None,
                "first_day": min((f["first_day"] for f in files if f["first_day"]), default=None),
                "last_day": max((f["last_day"] for f in files if f["last_day"]), default=None),
                **{k: sum(f[k] for f in files) for k in ("rows_in", "counted", "excluded", "rejected")},
            }
        )
    return rows


def unit_rows(home: Home) -> list[Row]:
    """The declared units, and those that sources brought themselves; has_data: whether dossiers or reported figures count in them."""
    with_data: set[str] = set()
    rows = [
        {
            "unit_id": u.unit_id,
            "unit_code": u.code,
            "unit": u.name,
            "kind": u.kind,
            "valid_from": None if u.valid_from == ALWAYS else u.valid_from,
            "valid_to": None if u.valid_to == FOREVER else u.valid_to,
        }
        for u in units().values()
    ]
    if current(home):
        with open_published(home) as con:
            told = "SELECT unit_id FROM coverage UNION SELECT unit_id FROM reported WHERE counts"
            with_data = {r[0] for r in con.execute(told).fetchall()}
            rows = rows_of(
                con,
                "SELECT unit_id, unit_code, unit, kind, valid_from, valid_to FROM unit WHERE kind <> 'all' ORDER BY sort",
            )
    return [r | {"has_data": r["unit_id"] in with_data} for r in rows]


def period_rows(home: Home, lang: str) -> list[Row]:
    """Periods that the data touches with the coverage of all units together, newest last."""
    with open_published(home) as con:
        return rows_of(
            con,
            f"""SELECT p.period, p.label_{lang} AS name, p.scheme, p.kind, p.period_from, p.period_to, c.as_of, c.coverage, c.missing_{lang} AS missing
                FROM period p JOIN period_coverage c USING (period) WHERE c.unit_id = '*' AND c.coverage <> 'no_data'
                ORDER BY p.scheme DESC, (p.period_to - p.period_from) // 40, p.period_from""",
        )


# ---- the machine


def doctor_rows(home: Home, lang: str) -> list[Row]:
    """What this machine has and lacks. ok: true, false (must be mended) or null (worth knowing)."""

    def row(check: Text, ok: bool | None, detail: Text | str) -> Row:
        result = {True: Text("tốt", "good"), False: Text("thiếu", "lacking"), None: Text("lưu ý", "note")}[ok]
        return {
            "check": check[lang],
            "result": result[lang],
            "detail": detail if isinstance(detail, str) else detail[lang],
            "ok": ok,
        }

    free = shutil.disk_usage(home.root).free
    rows = [
        row(Text("Python", "Python"), sys.version_info >= (3, 11), platform.python_version()),
        row(
            Text("Hệ điều hành", "Operating system"),
            True if sys.platform == "linux" else None,
            platform.platform(),
        ),
        *(row(Text(p, p), True, importlib.metadata.version(p)) for p in ("duckdb", "polars", "pandera", "dagster")),
        row(Text("Thư mục dữ liệu", "Data folder"), home.raw.is_dir(), str(home.raw)),
        row(Text("Ghi được vào kho", "Warehouse writable"), *_writable(home)),
        row(Text("Đĩa còn trống", "Free disk"), free > 1_000_000_000, f"{number(free // 1_000_000, lang)} MB"),
        row(Text("Bố cục có sẵn", "Built-in layouts"), True, ", ".join(layout.id for layout in built_in())),
    ]
    found = browser()
    lacking = Text(
        "không có: xuất không kèm hình (BROWSER_PATH chỉ tới Chromium, Chrome hoặc Edge)",
        "none: exports go out without pictures (BROWSER_PATH names Chromium, Chrome or Edge)",
    )
    rows.append(
        row(Text("Trình duyệt vẽ biểu đồ", "Browser that draws charts"), True if found else None, found or lacking)
    )
    rows.append(row(Text("Bộ máy tính số liệu", "Engine that counts"), *_engine()))
    release = current(home)
    rows.append(
        row(
            Text("Đang công bố", "Published"),
            True if release else None,
            release.id if release else Text("chưa có", "nothing yet"),
        )
    )
    return rows


def _engine() -> tuple[bool, Text | str]:
    """What counts by the settings, and whether it can."""
    try:
        if settings.engine() == "spark":
            spark.ready()
            return True, f"spark {importlib.metadata.version('pyspark')}, {settings.spark_master().partition(';')[0]}"
    except MotcuaError as error:
        return False, Text(error.render("vi"), error.render("en"))
    return True, settings.engine()


def _writable(home: Home) -> tuple[bool, str]:
    probe = home.warehouse / ".doctor"
    try:
        home.warehouse.mkdir(parents=True, exist_ok=True)
        probe.write_text("", encoding="utf-8")
        probe.unlink()
    except OSError as error:
        return False, type(error).__name__
    return True, str(home.warehouse)
