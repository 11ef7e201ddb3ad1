"""Commands start at once because they import what they need: `--help` no library of data, `stats` none of a night's; and
they end at once.

On modules, never on times: half a second and a second are the aim (issue 6), and a busy machine is no fault.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.settings import Home
from tests.conftest import ROOT

RUN = """
import sys
from pipeline.cli import main
try:
    main(sys.argv[1:])
finally:
    print("IMPORTED", *sorted({name.partition(".")[0] for name in sys.modules}))
"""
OF_A_NIGHT = {
    "assets",
    "dagster",
    "docx",
    "fastexcel",
    "kaleido",
    "lxml",
    "pandas",
    "pandera",
    "plotly",
    "pyarrow",
    "xlsxwriter",
}


def imported(*words: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    done = subprocess.run([sys.executable, "-c", RUN, *words], capture_output=True, encoding="utf-8", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("IMPORTED ")[2].split())


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("stats", "--help"), ("--version",)])
def test_help_needs_no_library_but_that_of_the_command_line(words: tuple[str, ...]) -> None:
    found = imported(*words)
    assert "click" in found
    assert found & {*OF_A_NIGHT, "duckdb", "polars", "rich", "numpy"} == set()


@pytest.mark.parametrize("words", [("stats",), ("indicators",), ("explain", "total", "--list")])
def test_figures_are_read_with_duckdb_alone(sample: Home, words: tuple[str, ...]) -> None:
    found = imported(*words, "--period", "2023-Q3", "--format", "csv", "--home", str(sample.root))
    assert "duckdb" in found
    assert found & {*OF_A_NIGHT, "polars"} == set()


END = """
import atexit
from pipeline import cli

class Left:
    def __del__(self):
        print("TAKEN APART")

left, run = Left(), cli._run

def with_something_to_close(words):
    atexit.register(print, "CLOSED")
    run(words)

cli._run = with_something_to_close
cli.main()
"""


@pytest.mark.parametrize(("words", "code", "said"), [("--version", 0, "motcua"), ("--no-such-option", 2, "CLOSED")])
def test_a_process_ends_with_its_command(words: str, code: int, said: str) -> None:
    """With its exit code, all it printed and closed; its objects are not taken apart first."""
    done = subprocess.run([sys.executable, "-c", END, words], capture_output=True, encoding="utf-8", cwd=ROOT)
    assert done.returncode == code
    assert said in done.stdout and "CLOSED" in done.stdout and "TAKEN APART" not in done.stdout
    assert bool(done.stderr) == bool(code)
