"""Homes for the tests: empty ones, and one that holds the published sample, built once a worker.

A night takes a second, a copy nothing: what several tests begin with is built once and handed out as copies (`copy_of`).
What a night leaves out here: quick.py.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from pipeline import night
from pipeline.measure import moved
from pipeline.settings import Home, java
from tests import quick

# A busy office machine is no fault: what is tested is what comes out, not how fast one example ran.
settings.register_profile("motcua", deadline=None)
settings.load_profile("motcua")

# The tests' files are whole when they are written; only the test of a file that still grows waits for one.
os.environ["MOTCUA_SETTLE_SECONDS"] = "0"

quick.leave_out()

# .ci/run gives the tests an allocator of its own; what they start has the one that an office has.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.pop("LD_PRELOAD", None)

ROOT = Path(__file__).resolve().parent.parent
REQUIRE_TOOLS = os.environ.get("MOTCUA_REQUIRE_TOOLS") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a slow test first: a worker that begins one last has the other one wait for it."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: to look through it for garbage again and again was a fourteenth
    of what the tests took."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()  # else libraries take it for leaks


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    (tmp_path / "data" / "raw").mkdir(parents=True)
    return Home(tmp_path)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The sample's exports, taken in and published once. Read it; a test that changes it takes `fresh_sample`."""
    made = copy_of_sample(tmp_path_factory.mktemp("sample"))
    with quick.in_full():
        assert night.run(made).exit_code == 0
    return made


@pytest.fixture
def published_sample(sample: Home, tmp_path: Path) -> Home:
    """A copy of the published sample, to be changed."""
    return copy_of(sample, tmp_path)


@pytest.fixture
def fresh_sample(tmp_path: Path) -> Home:
    """The sample's exports in a home of their own, nothing taken in yet."""
    return copy_of_sample(tmp_path)


def copy_of(home: Home, root: Path) -> Home:
    """A home like another one, to be changed."""
    shutil.copytree(home.root, root, dirs_exist_ok=True)
    return Home(root)


def copy_of_sample(root: Path) -> Home:
    shutil.copytree(ROOT / "data" / "raw", root / "data" / "raw")
    return Home(root)


@pytest.fixture
def figures_alone() -> Iterator[None]:
    """For tests that ask databases for figures and nothing else."""
    with quick.figures_alone():
        yield


@pytest.fixture(scope="module")
def in_full() -> Iterator[None]:
    """For tests that ask databases for macros, comments, or figures by other rules."""
    with quick.in_full():
        yield


@pytest.fixture
def however_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts go on too, which few dossiers do not need."""
    monkeypatch.setattr(moved, "MANY", 0)


@pytest.fixture(scope="session")
def need_tool() -> Callable[[str | None, str], str]:
    """need_tool(found, name): what was found; skips by name where the tool is absent, fails where tools are required."""

    def need(found: str | None, name: str) -> str:
        if found:
            return found
        if REQUIRE_TOOLS:
            pytest.fail(f"{name} is required here (MOTCUA_REQUIRE_TOOLS=1) and was not found")
        pytest.skip(f"{name} is not on this machine")

    return need


@pytest.fixture(scope="session")
def chromium(need_tool: Callable[[str | None, str], str]) -> str:
    """The path of a browser of the Chromium family."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
    return need_tool(next((found for name in names if (found := shutil.which(name))), None), "Chromium")


@pytest.fixture(scope="session")
def pyspark(need_tool: Callable[[str | None, str], str]) -> str:
    """pyspark, on a machine with Java: where there is none, nobody requires it."""
    if java() is None:
        pytest.skip("Java is not on this machine")
    return need_tool("pyspark" if find_spec("pyspark") else None, "pyspark (requirements-spark.lock)")


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


@pytest.fixture
def motcua(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """motcua(home, words…): a command of the command line, in this process; it must never end in an exception."""
    from pipeline.cli import main

    for name in ("MOTCUA_HOME", "DAGSTER_HOME"):  # a run sets them; they must not outlive the test
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    def run(home: Home, *words: str) -> Said:
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main([*words, "--home", str(home.root)] if "--home" not in words else list(words))
            raise SystemExit(0)
        said = Said(end.value.code if isinstance(end.value.code, int) else 0, *capfd.readouterr())
        assert "Traceback" not in said.all, said.err
        return said

    return run
