"""Fourteen hundred files with spoiled bytes and encodings: no stack trace, no hang, the accounting adds up."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.settings import Home
from tests.mutations.judge import check_accounting, judge

EACH = 100


@pytest.mark.parametrize("block", range(9))
def test_spoiled_bytes(home: Home, block: int) -> None:
    found = Counter(judge(home, home.root, n, "bytes") for n in range(block * EACH, (block + 1) * EACH))
    assert found["refused"] > 5 and found["read"] > 5, "both ends must be met"


@pytest.mark.parametrize("block", range(5))
def test_spoiled_encodings(home: Home, block: int) -> None:
    found = Counter(judge(home, home.root, n, "encoding") for n in range(block * EACH, (block + 1) * EACH))
    assert found["refused"] > 5 and found["read"] > 5, "both ends must be met"


def test_the_judge_can_condemn(home: Home) -> None:
    """An accounting with one row more than the file has is found."""
    from dataclasses import replace

    from tests.unit.office import Office, conform, dossier

    facts, _, _ = conform(home, Office(home.root).drop("so.csv", [dossier(), dossier()]))
    check_accounting(facts, "right")
    with pytest.raises(AssertionError):
        check_accounting(replace(facts, rows_in=3), "wrong")
    with pytest.raises(AssertionError):
        check_accounting(replace(facts, accepted=1, excluded={"duplicate_row": 1}), "moved")
