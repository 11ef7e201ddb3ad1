"""The jobs: the night, and the re-run of quarters. One process per run: one per step costs seconds each."""

from __future__ import annotations

import dagster as dg

from assets.night import dossier_versions, quarter, release, warehouse
from assets.outputs import outputs

NIGHT = dg.define_asset_job(
    "night",
    selection=dg.AssetSelection.assets(dossier_versions, warehouse, release, outputs),
    executor_def=dg.in_process_executor,
    description="Việc hằng đêm: nhận tệp mới, kiểm tra, dựng, công bố, viết báo cáo / The nightly job",
)
RERUN = dg.define_asset_job(
    "rerun",
    selection=dg.AssetSelection.assets(quarter),
    executor_def=dg.in_process_executor,
    description="Tính lại quý đã chọn từ hồ sơ gốc / Re-runs the chosen quarters from the record",
)
