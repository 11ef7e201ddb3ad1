"""The night and the re-run of quarters as Dagster's job, in this process: what happens and what the page can show."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.execution.plan import active
from dagster._core.storage.event_log import SqliteEventLogStorage

from assets import resources
from assets.history import STORAGES, held_open, work_is_going_on
from assets.launch import run_night
from assets.outputs import OUTPUTS
from pipeline import night
from pipeline.errors import Busy, WrongUse
from pipeline.measure import answers
from pipeline.measure.checks import Outcome, checks
from pipeline.settings import Home
from pipeline.warehouse.lock import one_build
from pipeline.warehouse.release import current, open_published
from tests.orchestration import (
    CODE,
    FIGURES,
    NAME,
    Q3,
    dossiers,
    evaluations,
    events,
    export,
    history,
    materialized,
    newest_run,
    plain,
    refused_file,
)

NEWS = "có gì mới / news"


@pytest.fixture
def steps(home: Home, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The night's steps as they come, each seen to be under the build lock."""
    seen: list[str] = []

    def watched(step: str, real: Callable[..., object]) -> Callable[..., object]:
        def watch(*words: object, **more: object) -> object:
            with pytest.raises(Busy), one_build(home, 0):
                pass
            seen.append(step)
            return real(*words, **more)

        return watch

    for step in ("take_in", "build", "publish", "settle"):
        monkeypatch.setattr(night, step, watched(step, getattr(night, step)))
    return seen


def test_first_night_publishes_and_tells(home: Home, steps: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    result = run_night(home, lambda text: told.append(text.en))
    assert result.changed and result.release == current(home).id and len(result.taken) == 2 and result.exit_code == 0
    assert steps == ["take_in", "build", "publish", "settle"] and not work_is_going_on(home)
    assert told[0].startswith("Reading") and told[-2].startswith("Publishing") and told[-1].startswith("Writing report")
    with history(home) as instance:
        run = newest_run(instance)
        assert (run.job_name, run.status) == ("night", dg.DagsterRunStatus.SUCCESS)
        assert run.tags[".dagster/repository"] == "__repository__@assets.definitions"
        shown = materialized(instance, run)
        assert shown.keys() == {*FIGURES, *OUTPUTS, "quarter|2023-Q2", "quarter|2023-Q3"}
        assert instance.get_dynamic_partitions("period") == ["2023-Q2", "2023-Q3"]
        versions, warehouse, release = shown["dossier_versions"], shown["warehouse"], shown["release"]
        assert versions["dagster/row_count"] == 7 and versions["tệp mới / files taken in"] == 2
        files = versions["các tệp / the files"]
        assert [f["tệp / file"] for f in files] == ["gio_an/quy2.csv", "gio_an/quy3.csv"] and files[0]["mới / new"]
        assert (warehouse["dagster/row_count"], warehouse["đơn vị / units"]) == (7, 1)
        assert {"bảng / table": "dossier", "dòng / rows": 7} in warehouse["bảng / tables"]
        assert release[NEWS] == result.release and release["quý / quarter"] == "2023-Q3"
        assert "| Xã Gio An | 4 | 0 | 4 | 3 |" in release["số liệu / figures"]
        assert "data:image/svg+xml;base64," in release["biểu đồ / picture"]
        found = evaluations(instance, run)
        assert found.keys() == {c.code for c in checks()} | {"refused_files", "freshness"}
        assert {code for code, one in found.items() if not one.passed} <= {"thresholds", "completeness"}
        assert all(found[c.code].severity == dg.AssetCheckSeverity.ERROR for c in checks() if c.blocking)
    out, err = capfd.readouterr()
    assert not out and not err, "the console belongs to the command line"


def test_history_holds_nothing_of_a_dossier(published: Home) -> None:
    before = _figures(published)
    refused_file(published)
    assert run_night(published, rebuild=True).changed
    assert _figures(published) == before, "built anew from the record: the same figures"
    kept = b"".join(path.read_bytes() for path in published.dagster.rglob("*") if path.is_file())
    assert "Xã Gio An".encode() in kept or b"X\\u00e3 Gio An" in kept, "else this test reads the wrong files"
    for secret in (NAME, NAME.split()[-1], CODE.format("2307", 1)):
        for written in (secret.encode(), secret.encode("unicode_escape"), secret.encode("utf-16-le")):
            assert written not in kept


def test_the_files_of_the_history_stay_open_while_a_run_writes_to_them(published: Home) -> None:
    with held_open(published), history(published) as instance:
        store = instance.event_log_storage
        assert isinstance(store, SqliteEventLogStorage)
        for _ in range(2):  # as a new one, and as one that is there
            for write in (store.index_connection(), store.run_connection("một-lần")):
                with write as con:
                    assert con.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
                    assert con.exec_driver_sql("PRAGMA synchronous").scalar() == 1, "normal: no wait for each answer"
        logs = [Path(store.path_for_shard(of) + "-wal") for of in ("index", "một-lần")]
        assert all(log.exists() for log in logs), "nobody has written them back"
    assert not any(published.dagster.rglob("*-wal")), "all of it is in the files"
    for storage in STORAGES:
        assert storage.create_engine is sa.create_engine, "the page and the daemon open them their own way"


def test_second_night_has_nothing_new_and_says_so(published: Home) -> None:
    before = current(published).id
    result = run_night(published)
    assert not result.changed and result.release == before and not result.taken
    with history(published) as instance:
        shown = materialized(instance, newest_run(instance))
        assert shown.keys() == {*FIGURES, *OUTPUTS}, "quarters that were shown before are not shown again"
        assert {shown[name][NEWS] for name in shown} == {"không có gì mới / nothing new"}
        assert len(evaluations(instance, newest_run(instance))) == len(checks()) + 2
        for run in instance.get_runs():
            instance.delete_run(run.run_id)
    run_night(published)
    with history(published) as instance:
        shown = materialized(instance, newest_run(instance))
        assert {"quarter|2023-Q2", "quarter|2023-Q3"} <= shown.keys(), "what the history lost is shown again"


def test_empty_home_succeeds_and_warns(tmp_path: Path) -> None:
    result = run_night(Home(tmp_path))
    assert result.release is None and not result.changed and result.exit_code == 0
    with history(Home(tmp_path)) as instance:
        assert newest_run(instance).is_success
        assert {code for code, one in evaluations(instance, newest_run(instance)).items() if not one.passed} == {
            "freshness"
        }


# ---- quarters again


def test_rerun_of_a_quarter_is_identical_and_publishes_nothing(published: Home) -> None:
    before = current(published).id
    result = run_night(published, periods=["2023-Q3"])
    assert not result.changed and result.release == before and current(published).id == before
    assert [p.name for p in published.releases.iterdir()] == [before], "the build that was compared is gone"
    with history(published) as instance:
        run = newest_run(instance)
        assert (run.job_name, run.status) == ("rerun", dg.DagsterRunStatus.SUCCESS)
        shown = materialized(instance, run)
        assert shown["quarter|2023-Q3"]["so sánh / comparison"] == "giống hệt / identical"


def test_rerun_of_several_is_one_run_one_release_and_lists_what_differs(published: Home) -> None:
    before = current(published).id
    export(published, ("bo_sung.csv", *Q3[1:]), dossiers("2308", "01/08/2023", 2, "20/08/2023"))
    result = run_night(published, periods=["2023-Q2..2023-Q3"])
    assert result.changed and result.release != before and [e.name for e in result.taken] == ["bo_sung.csv"]
    with history(published) as instance:
        assert instance.get_runs_count() == 2
        shown = materialized(instance, newest_run(instance))
        assert shown["quarter|2023-Q2"]["so sánh / comparison"] == "giống hệt / identical"
        third = shown["quarter|2023-Q3"]
        assert "khác" in third["so sánh / comparison"] and third["bản công bố / release"] == result.release
        cells = third["các ô khác / differing cells"]
        total = next(c for c in cells if c["số liệu / figure"] == "total" and c["đơn vị / unit"] == "Xã Gio An")
        assert (total["trước / before"], total["nay / now"]) == (4, 6)
    assert not run_night(published).changed, "what the re-run published is what the night would have"


def test_rerun_of_a_quarter_without_figures_is_wrong_use(published: Home) -> None:
    with pytest.raises(WrongUse):
        run_night(published, periods=["2019-Q1"])


# ---- what goes wrong


def test_failed_blocking_check_keeps_the_old_release_and_shows_where(
    published: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = current(published).id
    accounting = next(check for check in checks() if check.code == "accounting")
    bad = Outcome(accounting, 1, [{"file": "gio_an/quy3.csv", "rows_in": 4, "rows_told": 3}])
    real = night.run_checks
    monkeypatch.setattr(night, "run_checks", lambda con, counted: [bad, *real(con, counted)[1:]])
    with pytest.raises(night.NotPublished, match=r"Every row of every file"):
        run_night(published, rebuild=True)
    assert current(published).id == before
    with history(published) as instance:
        run = newest_run(instance)
        assert run.status == dg.DagsterRunStatus.FAILURE
        assert set(materialized(instance, run)) == {"dossier_versions"}, "no warehouse, no release"
        failed = evaluations(instance, run)["accounting"]
        assert not failed.passed and failed.severity == dg.AssetCheckSeverity.ERROR and failed.blocking
        assert failed.metadata["không đạt / failures"].value == 1
        assert plain(failed.metadata["ở đâu / where"])[0]["file"] == "gio_an/quy3.csv"
        assert evaluations(instance, run)["identities"].passed
        (step,) = events(instance, run, dg.DagsterEventType.STEP_FAILURE)
        assert step.step_failure_data.user_failure_data.description.startswith("Kiểm tra bắt buộc không đạt")
        assert not events(instance, run, dg.DagsterEventType.STEP_UP_FOR_RETRY)
    assert not work_is_going_on(published) and [p.name for p in published.releases.iterdir()] == [before]


def test_refused_file_warns_and_the_others_count(home: Home) -> None:
    refused_file(home)
    result = run_night(home)
    assert result.changed and result.exit_code == 2 and len(result.refused) == 1
    with history(home) as instance:
        run = newest_run(instance)
        assert run.is_success
        found = evaluations(instance, run)["refused_files"]
        assert not found.passed and found.severity == dg.AssetCheckSeverity.WARN
        assert "gio_an/ghi_chep.csv" in found.metadata["vì sao / why"].value
        shown = materialized(instance, run)["dossier_versions"]
        assert shown["tệp bị từ chối / files refused"] == 1 and "Cách xử lý" in shown["vì sao / why"]
    with open_published(home) as con:
        assert answers.stats(con, "2023-Q3", unit="Xã Gio An")[0]["total"] == 4


def test_lock_held_elsewhere_is_busy_without_trying_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources.Work, "lock_wait_seconds", 0.1)
    with one_build(home), pytest.raises(Busy):
        run_night(home)
    with history(home) as instance:
        run = newest_run(instance)
        assert not events(instance, run, dg.DagsterEventType.STEP_UP_FOR_RETRY)
        assert len(events(instance, run, dg.DagsterEventType.STEP_FAILURE)) == 1


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def time(self) -> float:
        return 1e9 + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.mark.parametrize(
    ("faults", "slept", "raised"),
    [
        ([OSError(5, "Input/output error")], [30], None),
        ([OSError(5, "Input/output error")] * 3, [30, 60], OSError),
        ([KeyError(NAME)], [], KeyError),
    ],
    ids=["away for a moment", "away for good", "a bug"],
)
def test_only_what_may_pass_is_tried_again(
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    faults: list[Exception],
    slept: list[int],
    raised: type[Exception] | None,
) -> None:
    clock, real, left = Clock(), night.take_in, list(faults)
    monkeypatch.setattr(active, "time", SimpleNamespace(time=clock.time, sleep=clock.sleep))
    monkeypatch.setattr(night, "build", lambda *_: None)

    def flaky(*words: object) -> object:
        if left:
            raise left.pop(0)
        return real(*words)

    monkeypatch.setattr(night, "take_in", flaky)
    with pytest.raises(raised) if raised else nullcontext():
        run_night(home)
    assert [round(s) for s in clock.slept] == slept
    with history(home) as instance:
        failures = events(instance, newest_run(instance), dg.DagsterEventType.STEP_FAILURE)
        words = [one.step_failure_data.user_failure_data.description for one in failures]
        assert len(words) == (1 if raised else 0) and NAME not in "".join(words)
        assert not raised or raised.__name__ in words[0]


def test_ctrl_c_ends_the_run_and_frees_the_lock(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night, "build", lambda *_: os.kill(os.getpid(), signal.SIGINT) or time.sleep(5))
    with pytest.raises(KeyboardInterrupt):
        run_night(home)
    assert not work_is_going_on(home)
    with history(home) as instance:
        assert newest_run(instance).is_finished and not newest_run(instance).is_success


def test_one_asset_alone_does_what_comes_before_it(home: Home) -> None:
    """As when somebody presses Materialize on `release` alone."""
    from assets.definitions import build_defs

    with history(home) as instance:
        job = build_defs(home).resolve_job_def("night")
        assert job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("release")]).success
        before = current(home).id
        selection = [dg.AssetKey("warehouse")]
        config = {"ops": {"warehouse": {"config": {"rebuild": True}}}}
        assert job.execute_in_process(instance=instance, asset_selection=selection, run_config=config).success
    assert current(home).id == before and [p.name for p in home.releases.iterdir()] == [before], (
        "built, checked, dropped"
    )


def _figures(home: Home) -> list[dict[str, object]]:
    with open_published(home) as con:
        return answers.stats(con, "2023-Q2..2023-Q3") + answers.indicators(con, "2023-Q2..2023-Q3")
