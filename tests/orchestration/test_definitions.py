"""What Dagster is told there is: assets, checks, jobs, schedule, sensors, settings."""

from __future__ import annotations

import dagster as dg
import pytest

from assets.checks import freshness_result
from assets.definitions import build_defs, defs
from assets.outputs import OUTPUTS
from assets.partitions import quarters_of, runs_of
from pipeline.errors import WrongUse
from pipeline.measure.checks import checks
from pipeline.settings import PROJECT, Home
from tests.orchestration import history


def test_definitions_load_and_agree() -> None:
    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    parents = {
        key.to_user_string(): {p.to_user_string() for p in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert parents == {
        "dossier_versions": set(),
        "warehouse": {"dossier_versions"},
        "release": {"warehouse"},
        "quarter": {"release"},
        **{name: {"release"} for name in OUTPUTS},
    }
    for key in graph.get_all_asset_keys():
        description = graph.get(key).description or ""
        assert " / " in description, f"{key}: Vietnamese, then English"


def test_every_declared_check_is_an_asset_check_of_its_severity() -> None:
    graph = defs.resolve_asset_graph()
    found = {key.name: graph.get_check_spec(key) for key in graph.asset_check_keys}
    declared = {check.code: check for check in checks()}
    assert found.keys() == declared.keys() | {"refused_files", "freshness"}
    for code, check in declared.items():
        assert (found[code].asset_key, found[code].blocking) == (dg.AssetKey("warehouse"), check.blocking)
        assert found[code].description == str(check.label)
    assert {c for c, check in declared.items() if check.blocking} >= {"accounting", "identities"}


def test_jobs_run_in_one_process() -> None:
    night = defs.resolve_job_def("night")
    assert night.executor_def.name == "in_process"
    assert {node.name for node in night.nodes} == {
        "dossier_versions",
        "warehouse",
        "release",
        "release_freshness",
        "outputs",
    }
    rerun = defs.resolve_job_def("rerun")
    assert rerun.executor_def.name == "in_process"
    assert isinstance(rerun.partitions_def, dg.DynamicPartitionsDefinition) and rerun.partitions_def.name == "period"
    policy = defs.resolve_asset_graph().get(dg.AssetKey("quarter")).backfill_policy
    assert policy == dg.BackfillPolicy.single_run()


def test_schedule_and_sensors_are_on_by_default() -> None:
    schedule = defs.resolve_schedule_def("nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 1 * * *", "Asia/Ho_Chi_Minh")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING and schedule.job_name == "night"
    for name, seconds in (("new_files", 60), ("failure_notice", 30)):
        sensor = defs.resolve_sensor_def(name)
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
        assert sensor.minimum_interval_seconds == seconds


def test_settings_that_the_home_gets(tmp_path) -> None:
    home = Home(tmp_path)
    home.dagster.mkdir()
    (home.dagster / "dagster.yaml").write_text("telemetry:\n  enabled: true\n")
    with history(home) as instance:
        assert (home.dagster / "dagster.yaml").read_bytes() == (PROJECT / "dagster.yaml").read_bytes()
        assert not instance.telemetry_enabled and not instance.nux_enabled
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
        assert instance.run_retries_enabled and instance.run_retries_max_retries == 1
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert instance.get_tick_retention_settings(dg._core.definitions.run_request.InstigatorType.SENSOR)
        assert instance.root_directory == str(home.dagster)
    assert not list(tmp_path.glob(".telemetry")) and not (home.dagster / ".telemetry").exists()


def test_no_environment_is_read_when_definitions_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_HOME", "/nowhere/at/all")
    assert build_defs().resolve_job_def("night")


def test_quarters_of_what_was_asked() -> None:
    known = ["2022-Q4", "2023-Q1", "2023-Q2", "2023-Q3"]
    assert quarters_of(["2023-Q3"], known) == ["2023-Q3"]
    assert quarters_of(["2023-H1", "2023-Q1"], known) == ["2023-Q1", "2023-Q2"]
    assert quarters_of(["2022-Q4..2023-Q2"], known) == known[:3]
    with pytest.raises(WrongUse, match="2023-Q3"):
        quarters_of(["2024-Q1"], known)
    assert runs_of(["2023-Q3", "2022-Q4", "2023-Q2"], known) == [("2022-Q4", "2022-Q4"), ("2023-Q2", "2023-Q3")]


def test_freshness_without_any_source_is_a_warning() -> None:
    result = freshness_result([])
    assert not result.passed and result.severity == dg.AssetCheckSeverity.WARN
