"""Homes for the runs of these tests; what Dagster reads from the environment is put back after each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.launch import run_night
from pipeline.settings import Home
from tests.orchestration import small_register


@pytest.fixture(autouse=True, scope="module")
def environment() -> Iterator[None]:
    before = {key: os.environ.get(key) for key in ("DAGSTER_HOME", "MOTCUA_HOME", "MOTCUA_NOTICE")}
    os.environ.pop("MOTCUA_NOTICE", None)
    yield
    for key, value in before.items():
        os.environ.pop(key, None) if value is None else os.environ.__setitem__(key, value)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a small register, before its first night."""
    small_register(Home(tmp_path))
    return Home(tmp_path)


@pytest.fixture
def published(home: Home) -> Home:
    """A home after its first night."""
    assert run_night(home).changed
    return home
