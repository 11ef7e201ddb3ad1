"""Asset checks: one per declared check of pipeline.measure, one for refused files, one for freshness.

A blocking check fails before anything is published; the others warn. Metadata says what failed and where, in
counts, periods and unit names: never in the words of a dossier.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from assets.notes import table
from assets.resources import Work
from pipeline.declare.sources import HOME_ZONE
from pipeline.errors import MotcuaError
from pipeline.measure.checks import Outcome, checks
from pipeline.measure.summary import Freshness, freshness
from pipeline.warehouse.release import current, open_published

# Exports come at least monthly (a reporting month ends on the 14th); six weeks without one is too long.
LONGEST_SILENCE_DAYS = 45

DECLARED = [
    dg.AssetCheckSpec(
        check.code,
        asset="warehouse",
        blocking=check.blocking,
        description=str(check.label),
        metadata={"mức / severity": "bắt buộc / blocking" if check.blocking else "cảnh báo / warning"},
    )
    for check in checks()
]
REFUSED = dg.AssetCheckSpec(
    "refused_files", asset="dossier_versions", description="Không có tệp nào bị từ chối / No file was refused"
)


def declared_results(outcomes: list[Outcome]) -> Iterator[dg.AssetCheckResult]:
    """What Dagster is told of outcomes; every declared check gets its result."""
    found = {outcome.check.code: outcome for outcome in outcomes}
    for check in checks():
        outcome = found.get(check.code)
        metadata: dict[str, Any] = {"không đạt / failures": outcome.failures if outcome else 0}
        if outcome is None:
            metadata["ghi chú / note"] = "chưa có số liệu / no data yet"
        elif outcome.sample:
            metadata["ở đâu / where"] = table(outcome.sample)
        yield dg.AssetCheckResult(
            check_name=check.code,
            asset_key="warehouse",
            passed=outcome is None or outcome.passed,
            severity=dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN,
            description=str(check.label),
            metadata=metadata,
        )


def refused_result(refused: list[MotcuaError]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=REFUSED.name,
        asset_key="dossier_versions",
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        description=REFUSED.description,
        metadata={"tệp bị từ chối / refused": len(refused)} | refusals(refused),
    )


def refusals(refused: list[MotcuaError]) -> dict[str, dg.MetadataValue]:
    """Each refusal in words, as the command line says them."""
    if not refused:
        return {}
    words = "\n\n".join(f"```\n{error.render('vi')}\n\n{error.render('en')}\n```" for error in refused[:50])
    return {"vì sao / why": dg.MetadataValue.md(words)}


def freshness_result(found: list[Freshness]) -> dg.AssetCheckResult:
    """Warns of a source whose newest export is older than its rhythm allows (see summary.freshness)."""
    late = [one for one in found if one.age_days > LONGEST_SILENCE_DAYS]
    rows = [
        {
            "nguồn / source": one.source,
            "tên / name": one.name,
            "tệp / files": one.exports,
            "xuất mới nhất / newest export": one.exported_on,
            "số liệu đến / data to": one.last_day,
            "so với / against": one.waits_for,
            "tuổi, ngày / age, days": one.age_days,
            "kiểu / kind": "hằng ngày / live" if one.live else "lịch sử / historical",
            "trễ / late": one in late,
        }
        for one in found
    ]
    return dg.AssetCheckResult(
        passed=bool(found) and not late,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "nguồn trễ / sources late": len(late),
            "lâu nhất, ngày / longest silence, days": LONGEST_SILENCE_DAYS,
            "nguồn / sources": table(rows),
        },
    )


@dg.asset_check(
    asset="release",
    name="freshness",
    description="Nguồn nào cũng có tệp xuất gần đây / Every source has a recent export",
)
def freshness_check(work: dg.ResourceParam[Work]) -> dg.AssetCheckResult:
    if current(work.home) is None:
        return freshness_result([])
    with work.in_words(), open_published(work.home) as con:
        return freshness_result(freshness(con, work.home, today()))


def today() -> date:
    return datetime.now(ZoneInfo(HOME_ZONE)).date()
