"""Hundreds of files with spoiled cells, headers, rows and columns: no stack trace, no hang, the accounting adds up."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.settings import Home
from tests.mutations.judge import judge
from tests.quick import some

EACH = 100


@pytest.mark.parametrize("block", some(range(6), 1))
def test_spoiled_cells(home: Home, block: int) -> None:
    found = Counter(judge(home, home.root, n, "cells") for n in range(block * EACH, (block + 1) * EACH))
    assert found["read"] > EACH // 4, "the cases must spoil files, not only make them useless"
