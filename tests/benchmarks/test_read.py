"""Reading holds what DESIGN §8 promises of workbooks three times as large: as a ratio to the bare reader, and in bounded memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.read import register, workbook


@pytest.mark.slow
def test_a_large_workbook_takes_little_longer_than_the_bare_reader(tmp_path: Path) -> None:
    found = workbook(tmp_path, 66_000, most=1.5)
    assert found["ratio"] <= 1.5, found
    assert found["peak"] < 1_000, found


@pytest.mark.slow
def test_a_long_csv_is_streamed(tmp_path: Path) -> None:
    """Five times as many rows take no more memory."""
    short, long = register(tmp_path, 200_000), register(tmp_path, 1_000_000)
    assert long["peak"] < short["peak"] * 1.25 + 20, (short, long)
    assert long["peak"] < 600
