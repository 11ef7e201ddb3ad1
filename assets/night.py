"""The assets: what the night takes in, builds and publishes, and the quarters that can be run again."""

# No `from __future__ import annotations`: Dagster reads the annotations of assets as they stand.

import warnings
from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets import notes
from assets.checks import DECLARED, REFUSED, declared_results, refusals, refused_result
from assets.history import forget_old_runs
from assets.partitions import PERIOD, tell_quarters
from assets.resources import Work
from pipeline.audit.rerun import Rerun
from pipeline.measure import answers, summary
from pipeline.night import NotPublished
from pipeline.warehouse.release import open_published

# Several quarters in one run are worth a feature that Dagster calls beta; the command line need not say so each time.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)

NOTHING_NEW = "không có gì mới / nothing new"
NEWS = "có gì mới / news"


class BuildConfig(dg.Config):
    """rebuild: build anew from the record, also when nothing changed."""

    rebuild: bool = False


@dg.asset(
    group_name="night",
    check_specs=[REFUSED],
    description="Tệp trong data/raw: đã đọc, kiểm tra, lưu / Files of data/raw: read, checked, kept",
)
def dossier_versions(work: dg.ResourceParam[Work]) -> dg.MaterializeResult:
    with work.in_words():
        intake = work.intake()
    facts = [facts for _, facts in intake.files]
    metadata: dict[str, Any] = {
        NEWS: f"{len(intake.taken)} tệp / files" if intake.taken else NOTHING_NEW,
        "tệp mới / files taken in": len(intake.taken),
        "tệp bị từ chối / files refused": len(intake.refused),
        "tệp đang chờ / files waiting": ", ".join(f"{place} ({why})" for place, why in intake.waiting) or "–",
        "tệp đã rút / files withdrawn": ", ".join(entry.place for entry, _ in intake.withdrawn) or "–",
        "tệp / files": len(facts),
        "dagster/row_count": sum(one.rows_in for one in facts),
        "dòng nhận / rows accepted": sum(one.accepted for one in facts),
        "dòng loại / rows excluded": sum(sum(one.excluded.values()) for one in facts),
        "dòng từ chối / rows rejected": sum(sum(one.rejected.values()) for one in facts),
        "các tệp / the files": notes.files(facts, [entry.sha256 for entry in intake.taken]),
    }
    return dg.MaterializeResult(
        metadata=metadata | refusals(intake.refused), check_results=[refused_result(intake.refused)]
    )


@dg.asset(
    group_name="night",
    deps=[dossier_versions],
    check_specs=DECLARED,
    description="Kho dựng riêng và kiểm tra chéo / The warehouse, built apart and cross-checked",
)
def warehouse(
    config: BuildConfig, work: dg.ResourceParam[Work]
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
    try:
        with work.in_words():
            built = work.build(config.rebuild)
            outcomes = built.outcomes if built else work.kept_outcomes()
            size = work.contents()
            accounts = work.accounts()
    except dg.Failure as failure:
        if isinstance(failure.__cause__, NotPublished):  # the page shows what failed, and where
            yield from declared_results(failure.__cause__.outcomes)
        raise
    yield from declared_results(outcomes)
    tables = built.tables if built else {}
    rows = [{"bảng / table": name, "dòng / rows": count} for name, count in tables.items()]
    metadata: dict[str, Any] = {
        NEWS: built.release_id if built else NOTHING_NEW,
        "dagster/row_count": size["dossiers"],
        "đơn vị / units": size["units"],
        "quý / quarters": size["quarters"],
        "từng tệp / each file": notes.accounts(accounts),
    }
    yield dg.MaterializeResult(metadata=metadata | ({"bảng / tables": notes.table(rows)} if rows else {}))


@dg.asset(
    group_name="night",
    deps=[warehouse],
    description="Bản công bố mà người dùng đọc / The published release that everybody reads",
)
def release(context: dg.AssetExecutionContext, work: dg.ResourceParam[Work]) -> Iterator[dg.MaterializeResult]:
    with work.in_words():
        result = work.publish()
        metadata: dict[str, Any] = {NEWS: str(result.release) if result.changed else NOTHING_NEW}
        if result.release:
            metadata |= {
                "bản công bố / release": result.release,
                "nằm ở / path": dg.MetadataValue.path(str(work.database())),
                "dòng từ chối / rows rejected": result.rejected_rows,
            } | _newest_figures(work)
    yield dg.MaterializeResult(metadata=metadata)
    with work.in_words():
        tell_quarters(context, work, anew=result.changed)
    try:
        forget_old_runs(context.instance)
    except Exception as error:  # what is published stays published, whatever becomes of the history
        context.log.warning(f"không dọn được lịch sử / old runs were not deleted: {type(error).__name__}")


@dg.asset(
    group_name="night",
    deps=[release],
    partitions_def=PERIOD,
    backfill_policy=dg.BackfillPolicy.single_run(),
    description="Số liệu một quý. Chạy lại: tính từ hồ sơ gốc, so với bản đang công bố, chỉ công bố nếu khác; quý đã "
    "chốt chỉ so với số đã chốt / A quarter's figures. Re-run: computed from the record, compared, published only if "
    "something differs; a sealed quarter is compared with its seal and never changed",
)
def quarter(context: dg.AssetExecutionContext, work: dg.ResourceParam[Work]) -> None:
    keys = sorted(context.partition_keys)
    with work.in_words():
        sealed = work.rerun(keys)
        open_keys = [key for key in keys if key not in sealed]
        found = work.compare(open_keys) if open_keys else []
        result = work.publish() if found or work.inputs_differ() else work.settle()
        for key in open_keys:
            cells = [one for one in found if one.period == key]
            result.differing[key] = len(cells)
            context.add_asset_metadata(_comparison(cells, str(result.release)), partition_key=key)
        for key, told in sealed.items():
            result.differing[key] = len(told.compared.cells) if told.compared else 1
            result.touched |= {key: [fault.where for fault in told.faults if not fault.harmless]}
            context.add_asset_metadata(_rerun(told), partition_key=key)
        if result.changed:
            tell_quarters(context, work, anew=True, but=keys)


def _newest_figures(work: Work) -> dict[str, Any]:
    """Counts of the newest quarter, as a table and as a picture."""
    with open_published(work.home) as con:
        key = summary.newest_quarter(con)
        rows = answers.stats(con, key) if key else []
    if not rows:
        return {}
    return {
        "quý / quarter": str(key),
        "chốt / as of": str(rows[0]["as_of"]),
        "số liệu / figures": notes.headline(rows),
        "biểu đồ / picture": notes.picture(rows),
    }


def _rerun(told: Rerun) -> dict[str, Any]:
    """What the re-run of a sealed quarter found."""
    cells = told.compared.cells if told.compared else []
    words = "giống hệt / identical" if told.identical else f"{len(cells)} ô khác / cells differ"
    rows = [
        {
            "đơn vị / unit": one.unit,
            "lĩnh vực / field": one.field,
            "số liệu / figure": " ".join(filter(None, (one.figure, one.part))),
            "đã chốt / sealed": str(one.before),
            "chạy lại / re-run": str(one.after),
            "hồ sơ / dossiers": len(one.dossiers),
        }
        for one in cells
    ]
    faults = [{"ở đâu / where": fault.where, "gì / what": str(fault.what)} for fault in told.faults]
    metadata: dict[str, Any] = {"so sánh / comparison": words, "dấu chốt / seal": told.seal.short}
    metadata |= {"từ dòng đã đọc / from conformed rows": ", ".join(told.from_rows)} if told.from_rows else {}
    metadata |= {"không còn như khi chốt / not as sealed": notes.table(faults)} if faults else {}
    return metadata | ({"các ô khác / differing cells": notes.table(rows)} if rows else {})


def _comparison(cells: list[summary.Difference], release_id: str) -> dict[str, Any]:
    words = f"{len(cells)} ô khác / cells differ" if cells else "giống hệt / identical"
    rows = [
        {
            "đơn vị / unit": one.unit,
            "lĩnh vực / field": one.field,
            "số liệu / figure": one.figure,
            "trước / before": one.before,
            "nay / now": one.after,
        }
        for one in cells
    ]
    told: dict[str, Any] = {"so sánh / comparison": words, "bản công bố / release": release_id}
    return told | ({"các ô khác / differing cells": notes.table(rows)} if rows else {})
