"""The first command in a fresh clone (pipeline/__main__.py): what it makes, leaves alone and says.

The fast tests put a small fake in place of the environment's Python: it says which Python it is, and plays
pip from a script of the test. The slow one installs for real.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import __main__ as bootstrap
from tests.conventions import ROOT, tree
from tests.quick import thorough

BASE = getattr(sys, "_base_executable", None) or sys.executable
posix = pytest.mark.skipif(os.name != "posix", reason="the fake Python is a POSIX script")

# Stands for .venv/bin/python: says which Python it is; notes calls of pip; adds a package; may fail or hang.
FAKE = """#!{python}
import json, pathlib, sys, sysconfig, time
root = pathlib.Path({root!r})
if sys.argv[1] == "-c":
    print("%d.%d" % sys.version_info[:2], sysconfig.get_platform())
    raise SystemExit
with (root / "calls").open("a") as calls:
    calls.write(" ".join(sys.argv[4:]) + "\\n")
plan = json.loads((root / "plan").read_text())
if plan["install"]:
    (root / ".venv/lib/python3/site-packages" / plan["install"]).mkdir(exist_ok=True)
print(plan["say"], flush=True)
time.sleep(plan["sleep"])
raise SystemExit(plan["code"] if plan["of"] in sys.argv[-1] else 0)
"""


class Clone:
    """A folder that looks like a clone, with a faked `venv` and pip."""

    def __init__(self, root: Path) -> None:
        self.root, self.made = root, 0
        for name in (bootstrap.RUN_LOCK, bootstrap.DEV_LOCK, "pyproject.toml"):
            (root / name).write_text(f"# {name}\nclick==8.1.0\n")
        self.plan()

    def plan(self, say: str = "", code: int = 0, install: str = "click", sleep: float = 0, of: str = "") -> None:
        """of: the call (by its last word) that ends with this code; the others end well."""
        words = {"say": say, "code": code, "install": install, "sleep": sleep, "of": of}
        (self.root / "plan").write_text(json.dumps(words))

    def ensure(self, lock: str = bootstrap.RUN_LOCK) -> None:
        bootstrap.Environment(self.root).ensure(lock)

    def step(self, lock: str = bootstrap.RUN_LOCK) -> str:
        return bootstrap.Environment(self.root).step(lock)

    def calls(self) -> list[str]:
        file = self.root / "calls"
        words = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return words

    def make_venv(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.made += 1
        folder = Path(command[-1])
        (folder / "bin").mkdir()
        (folder / "lib" / "python3" / "site-packages").mkdir(parents=True)
        (folder / "pyvenv.cfg").write_text(f"home = {Path(BASE).parent}\n")
        python = folder / "bin" / "python"
        python.write_text(FAKE.format(python=BASE, root=str(self.root)))
        python.chmod(0o755)
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clone]:
    made = Clone(tmp_path)
    run = subprocess.run

    def maybe_venv(command: list[str], **words: object) -> subprocess.CompletedProcess[str]:
        return made.make_venv(command) if command[1:3] == ["-m", "venv"] else run(command, **words)

    monkeypatch.setattr(bootstrap.subprocess, "run", maybe_venv)
    yield made


# ---- what is installed, and when


@posix
def test_first_call_makes_the_environment_and_the_second_nothing(clone: Clone) -> None:
    assert clone.step() == "all"
    clone.ensure()
    pip, lock, project = clone.calls()
    assert "--require-hashes" in pip and pip.endswith("-r requirements-pip.lock")
    assert "--require-hashes" in lock and lock.endswith("-r requirements.lock")
    assert "--no-build-isolation" in project and project.endswith("-e .")
    clone.ensure()
    assert clone.calls() == [] and clone.made == 1


@posix
def test_changed_lock_reinstalls_and_line_ends_do_not(clone: Clone) -> None:
    clone.ensure()
    clone.calls()
    lock = clone.root / bootstrap.RUN_LOCK
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    assert clone.step() == "nothing"
    lock.write_text("click==8.2.0\n")
    assert clone.step() == "packages"
    clone.ensure()
    assert len(clone.calls()) == 2 and clone.made == 1 and clone.step() == "nothing"


@posix
def test_tests_need_their_own_lock_and_it_serves_for_running_too(clone: Clone) -> None:
    clone.ensure()
    assert clone.step(bootstrap.DEV_LOCK) == "packages"
    clone.ensure(bootstrap.DEV_LOCK)
    assert clone.step(bootstrap.DEV_LOCK) == clone.step() == "nothing"


@posix
def test_changed_project_file_reinstalls_only_the_project(clone: Clone) -> None:
    clone.ensure()
    clone.calls()
    (clone.root / "pyproject.toml").write_text("[project]\n")
    clone.ensure()
    (only,) = clone.calls()
    assert only.endswith("-e .")


@posix
@pytest.mark.parametrize("key", ["python", "root"])
def test_other_python_or_moved_folder_makes_it_anew(clone: Clone, key: str) -> None:
    clone.ensure()
    stamp = clone.root / ".venv" / "motcua-stamp.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {key: "3.9 elsewhere"}))
    clone.ensure()
    assert clone.made == 2 and clone.step() == "nothing"


@posix
def test_environment_of_another_tool_is_completed_not_thrown_away(clone: Clone) -> None:
    (clone.root / ".venv").mkdir()
    clone.make_venv([str(clone.root / ".venv")])
    assert clone.step() == "packages"
    clone.ensure()
    assert clone.made == 1 and clone.step() == "nothing"


@posix
def test_removed_base_python_makes_it_anew(clone: Clone) -> None:
    clone.ensure()
    (clone.root / ".venv" / "pyvenv.cfg").write_text(f"home = {clone.root / 'gone'}\n")
    assert clone.step() == "all"


def test_folder_that_is_no_environment_is_not_touched(clone: Clone) -> None:
    precious = clone.root / ".venv" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work")
    with pytest.raises(bootstrap.Failure, match="not a Python environment"):
        clone.ensure()
    assert precious.exists() and clone.made == 0


# ---- what fails


@posix
def test_failed_download_leaves_the_old_environment_ready(clone: Clone) -> None:
    clone.ensure()
    lock = clone.root / bootstrap.RUN_LOCK
    old = lock.read_text()
    lock.write_text("click==9.9.9\n")
    clone.plan("ERROR: No matching distribution found for click==9.9.9", 1)
    with pytest.raises(bootstrap.Failure):
        clone.ensure()
    assert clone.step() == "packages"
    lock.write_text(old)
    assert clone.step() == "nothing", "going back to the old lock must not need a network"


@posix
def test_install_that_broke_half_way_is_made_anew(clone: Clone) -> None:
    clone.plan("ERROR: Could not install packages due to an OSError: No space left on device", 1, install="half")
    with pytest.raises(bootstrap.Failure):
        clone.ensure()
    assert clone.step() == "all"
    clone.plan()
    clone.ensure()
    assert clone.made == 2 and clone.step() == "nothing"
    assert not list(clone.root.glob(".venv/lib/python3/site-packages/half"))


@posix
def test_where_a_newer_pip_is_not_to_be_had_the_one_there_is_installs(clone: Clone) -> None:
    clone.plan("ERROR: No matching distribution found for pip", 1, install="", of=bootstrap.PIP_LOCK)
    clone.ensure()
    assert len(clone.calls()) == 3 and clone.made == 1 and clone.step() == "nothing"


@posix
def test_a_pip_that_broke_half_way_is_made_anew(clone: Clone) -> None:
    clone.plan("ERROR: No space left on device", 1, install="pip", of=bootstrap.PIP_LOCK)
    with pytest.raises(bootstrap.Failure):
        clone.ensure()
    assert clone.step() == "all"


@posix
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_stopped_install_is_mended_by_the_next_call(clone: Clone, stop: signal.Signals) -> None:
    """The whole process group is stopped while pip works, as a closed terminal or Ctrl-C does it."""
    (clone.root / ".venv").mkdir()
    clone.make_venv([str(clone.root / ".venv")])
    clone.plan(sleep=60)
    code = (
        "from pathlib import Path; from pipeline import __main__ as b\n"
        f"b.begin = lambda args: b.Environment(Path({str(clone.root)!r})).ensure(b.RUN_LOCK)\n"
        "raise SystemExit(b.main([]))"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    give_up = time.monotonic() + 30
    while not (clone.root / "calls").exists() and time.monotonic() < give_up:
        time.sleep(0.02)
    while not list(clone.root.glob(".venv/lib/python3/site-packages/click")) and time.monotonic() < give_up:
        time.sleep(0.02)
    os.killpg(first.pid, stop)
    words = first.communicate(timeout=30)[1]
    if stop == signal.SIGINT:
        assert first.returncode == bootstrap.INTERRUPTED and "Stopped." in words and "Traceback" not in words
    assert clone.step() == "all"
    clone.plan()
    clone.ensure()
    assert clone.step() == "nothing"


@posix
def test_second_process_waits_for_the_first(clone: Clone) -> None:
    (clone.root / ".venv").mkdir()
    with bootstrap.locked(clone.root / ".venv" / "motcua-lock"):
        code = (
            "from pathlib import Path; from pipeline import __main__ as b\n"
            f"h = Path({str(clone.root / '.venv' / 'motcua-lock')!r}).open('ab')\n"
            "raise SystemExit(b.try_lock(h))"
        )
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0, "locked twice"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 1


def test_folder_that_cannot_be_written(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(bootstrap.Failure) as failed:
        clone.ensure()
    assert "permissions" in "\n".join(failed.value.lines)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("ERROR: Could not find a version that satisfies the requirement click==8", "PIP_FIND_LINKS"),
        (
            "WARNING: Retrying\nNewConnectionError: Temporary failure in name resolution\nERROR: x",
            "PIP_INDEX_URL",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\nERROR: No matching distribution",
            "does not have the hash",
        ),
        ("SSLError CERTIFICATE_VERIFY_FAILED\nERROR: Could not find a version that satisfies", "PIP_CERT"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: 'x'",
            "permissions",
        ),
        ("error: subprocess-exited-with-error\nERROR: Failed building wheel for duckdb", "3.11 to 3.13"),
        ("ERROR: something nobody has seen", "PIP_INDEX_URL"),
        ("", "PIP_INDEX_URL"),
    ],
)
def test_words_of_pip_become_words_for_people(words: str, says: str) -> None:
    lines = "\n".join(bootstrap.failure_of("Không cài được x", "Could not install x", words).lines)
    assert says in lines
    assert lines.startswith("LỖI: Không cài được x") and "ERROR: Could not install x" in lines


def test_missing_venv_module_is_told() -> None:
    for words in ("ensurepip is not available", f"{BASE}: No module named venv"):
        assert "python3-venv" in bootstrap.no_venv(words).lines[2]
    assert "disk is full" in bootstrap.no_venv("OSError: No space left on device").lines[-1]


def test_failure_has_exit_code_3_and_no_stack_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: list[str]) -> int:
        raise bootstrap.failure_of("Hỏng", "Broken", "ERROR: x")

    monkeypatch.setattr(bootstrap, "begin", fail)
    assert bootstrap.main([]) == bootstrap.FAILED == 3
    shown = capsys.readouterr()
    assert "LỖI: Hỏng" in shown.err and "Traceback" not in shown.err and shown.out == ""


# ---- which Python, and what is run


def test_old_python_gets_words() -> None:
    for file in ("__main__.py", "__init__.py"):
        ast.parse((ROOT / "pipeline" / file).read_text(encoding="utf-8"), feature_version=(3, 8))
    told = bootstrap.too_old((3, 10, 2))
    assert told and "Python 3.10.2" in told.lines[1] and "python3.11" in told.lines[2]
    assert bootstrap.too_old((3, 11, 0)) is None and bootstrap.too_old((4, 0, 0)) is None


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    commands: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "hand_over", lambda command: commands.append(command) or 7)
    monkeypatch.setattr(bootstrap.Environment, "ensure", lambda self, lock: commands.append(["ensure", lock]))
    monkeypatch.chdir(ROOT)
    return commands


def test_environment_with_motcua_is_used_as_it_is(handed: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "installed", lambda: True)
    assert bootstrap.main(["test", "-k", "x"]) == 7
    assert bootstrap.main(["stats", "--period", "2023-Q3"]) == 7
    assert handed[0] == [sys.executable, "-m", "pytest", "-k", "x"]
    assert handed[1] == [sys.executable, "-c", bootstrap.START, "stats", "--period", "2023-Q3"]


def test_otherwise_its_own_is_made(handed: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "installed", lambda: False)
    assert bootstrap.main(["test"]) == bootstrap.main(["run"]) == bootstrap.main([]) == 7
    own = str(bootstrap.Environment().python)
    assert handed[0::2] == [["ensure", bootstrap.DEV_LOCK], *[["ensure", bootstrap.RUN_LOCK]] * 2]
    assert handed[1::2] == [
        [own, "-m", "pytest"],
        [own, "-c", bootstrap.START, "run"],
        [own, "-c", bootstrap.START],
    ]


def test_environment_without_test_tools_is_told(
    handed: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "installed", lambda: True)
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    assert bootstrap.main(["test"]) == 3 and not handed
    assert bootstrap.DEV_LOCK in capsys.readouterr().err


@posix
def test_exit_code_of_the_command_is_passed_through() -> None:
    code = "import sys; from pipeline.__main__ import hand_over; hand_over([sys.executable, '-c', 'exit(2)'])"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 2


# ---- for real


def test_the_lock_holds_all_that_its_packages_need() -> None:
    """As far as the environment of the tests is made from it."""
    check = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout


@thorough
@pytest.mark.slow
def test_fresh_clone(tmp_path: Path) -> None:
    """What git would commit, in an empty folder, with a Python that has nothing installed."""
    has_motcua = "import importlib.metadata as m; raise SystemExit(any(True for _ in m.distributions(name='motcua')))"
    if subprocess.run([BASE, "-c", has_motcua], cwd=tmp_path).returncode:
        pytest.skip("the base Python of this machine has motcua itself")
    clone = tmp_path / "clone"
    for name in tree():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, clone / name)
    plain = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")}
    plain["PIP_COMPILE"] = "0"  # eight thousand modules, of which the commands here import few

    def call(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BASE, "-m", "pipeline", *args], cwd=clone, env=plain, capture_output=True, text=True, timeout=800
        )

    first = call("--help")
    if first.returncode == 3 and bootstrap.MIRROR[1] in first.stderr:
        assert os.environ.get("MOTCUA_REQUIRE_TOOLS") != "1", first.stderr
        pytest.skip("no network and no folder of wheels: nothing to install from")
    assert first.returncode == 0, first.stderr
    assert "stats" in first.stdout and "Traceback" not in first.stderr
    again = call("--help")
    assert again.stdout == first.stdout and again.stderr == "", "the second start installs nothing"
    python = str(bootstrap.Environment(clone).python)
    check = subprocess.run([python, "-m", "pip", "check"], cwd=clone, capture_output=True, text=True)
    assert check.returncode == 0, f"the lock is not complete:\n{check.stdout}"
