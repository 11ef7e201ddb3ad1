"""Homes for the runs of these tests; what Dagster reads from the environment is put back after each file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.launch import run_night
from pipeline.settings import Home
from tests.orchestration import history, small_register

OURS = ("DAGSTER_HOME", "MOTCUA_HOME", "MOTCUA_NOTICE")


@pytest.fixture(autouse=True, scope="module")
def environment() -> Iterator[None]:
    before = {key: os.environ.pop(key, None) for key in OURS}
    yield
    for key in OURS:
        os.environ.pop(key, None)
    os.environ.update({key: value for key, value in before.items() if value is not None})


@pytest.fixture(scope="session")
def _before_first_night(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("register"))
    small_register(made)
    with history(made):  # makes the history's tables, once for all tests
        return made


@pytest.fixture(scope="session")
def _after_first_night(tmp_path_factory: pytest.TempPathFactory, _before_first_night: Home) -> Home:
    made = _copy(_before_first_night, tmp_path_factory.mktemp("published"))
    assert run_night(made).changed
    return made


@pytest.fixture
def home(tmp_path: Path, _before_first_night: Home) -> Home:
    """A home with a small register, before its first night."""
    return _copy(_before_first_night, tmp_path)


@pytest.fixture
def published(tmp_path: Path, _after_first_night: Home) -> Home:
    """A home after its first night."""
    return _copy(_after_first_night, tmp_path)


def _copy(home: Home, root: Path) -> Home:
    shutil.copytree(home.root, root, dirs_exist_ok=True)
    return Home(root)
