"""Dagster over the pipeline: a small register, and what the history keeps of a run."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg

from assets.page import prepare
from pipeline.settings import Home

HEADERS = ("Mã hồ sơ", "Cơ quan tiếp nhận", "Lĩnh vực", "Hình thức nộp", "Ngày nhận", "Ngày hẹn trả", "Ngày có kết quả")
HEADERS += ("Trạng thái", "Chủ hồ sơ")
NAME = "Nguyễn Văn Bí Mật"  # stands for the person whose name must go nowhere
CODE = "H50.19.22-{}-{:04d}"
Q2 = ("quy2.csv", date(2023, 3, 15), date(2023, 6, 14))
Q3 = ("quy3.csv", date(2023, 6, 15), date(2023, 9, 14))
FIGURES = ["dossier_versions", "release", "warehouse"]


def dossiers(year_month: str, day: str, n: int, done: str | None = None) -> list[tuple[str, ...]]:
    """n dossiers of one commune received on a day (d/m/Y), due a month later, resolved on `done` or open."""
    d, m, y = day.split("/")
    due = f"{d}/{int(m) + 1:02d}/{y} 17:00:00"
    status = "Đã trả kết quả" if done else "Đang xử lý"
    finished = f"{done} 10:00:00" if done else ""
    return [
        (
            CODE.format(year_month, i),
            "Xã Gio An",
            "Đất đai",
            "Trực tuyến",
            f"{day} 08:00:00",
            due,
            finished,
            status,
            NAME,
        )
        for i in range(n)
    ]


def export(
    home: Home, quarter: tuple[str, date, date], rows: Sequence[tuple[str, ...]], source: str = "gio_an"
) -> Path:
    """A register with its title rows, as one-stop systems write them, exported on the quarter's last evening."""
    name, first, last = quarter
    folder = home.raw / source
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.toml").write_text(
        'name = "Xã Gio An"\nextent = "full"\nknown_at = "exported"\n', encoding="utf-8"
    )
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["SỔ THEO DÕI HỒ SƠ"])
        writer.writerow([f"Từ ngày {first:%d/%m/%Y} đến ngày {last:%d/%m/%Y}"])
        writer.writerow([f"Ngày xuất dữ liệu: {last:%d/%m/%Y} 23:59:59"])
        writer.writerow(HEADERS)
        writer.writerows(rows)
    return folder / name


def small_register(home: Home) -> None:
    """Two quarters of one commune: 3 received and resolved; 4 received of which 1 stays open."""
    export(home, Q2, dossiers("2304", "03/04/2023", 3, "10/04/2023"))
    export(home, Q3, dossiers("2307", "03/07/2023", 3, "20/08/2023") + dossiers("2309", "01/09/2023", 1))


def refused_file(home: Home) -> Path:
    """A file that is no register at all."""
    path = home.raw / "gio_an" / "ghi_chep.csv"
    path.write_text("một,hai\nba,bốn\n", encoding="utf-8")
    return path


@contextmanager
def history(home: Home) -> Iterator[dg.DagsterInstance]:
    """The home's run history, as the page reads it."""
    prepare(home)
    with dg.DagsterInstance.get() as instance:
        yield instance


def newest_run(instance: dg.DagsterInstance) -> dg.DagsterRun:
    return instance.get_runs(limit=1)[0]


def materialized(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dict[str, dict[str, object]]:
    """asset (or asset|partition) → its metadata, of what a run materialized."""
    found = {}
    for event in events(instance, run, dg.DagsterEventType.ASSET_MATERIALIZATION):
        one = event.step_materialization_data.materialization
        name = one.asset_key.to_user_string() + (f"|{one.partition}" if one.partition else "")
        found[name] = {key: plain(value) for key, value in one.metadata.items()}
    return found


def plain(value: dg.MetadataValue) -> object:
    """A metadata value as Python has it; a table as a list of its rows."""
    return [dict(record.data) for record in value.records] if isinstance(value, dg.TableMetadataValue) else value.value


def evaluations(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dict[str, dg.AssetCheckEvaluation]:
    """check → what a run found."""
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    return {e.event_specific_data.check_name: e.event_specific_data for e in events(instance, run, kind)}


def events(instance: dg.DagsterInstance, run: dg.DagsterRun, kind: dg.DagsterEventType) -> list[dg.DagsterEvent]:
    return [e.dagster_event for e in instance.all_logs(run.run_id, of_type=kind) if e.dagster_event]
