"""The committed notebook is the one that stands in execute.py, was executed, and gives the same output today."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def made() -> Any:
    """execute.py, imported where it is asked for: what it imports takes a worker three seconds, though it runs other
    tests."""
    from tests.notebooks import execute

    return execute


@pytest.fixture(scope="module")
def kept(made: Any) -> Any:
    return made.nbformat.read(made.NOTEBOOK, as_version=4)


def test_notebook_is_committed_as_declared_and_executed(made: Any, kept: Any) -> None:
    assert [(c.cell_type, c.source) for c in kept.cells] == made.CELLS
    assert all(c.outputs for c in kept.cells if c.cell_type == "code")
    assert any("image/png" in o.get("data", {}) and made.PLOTLY in o["data"] for o in made.outputs(kept))


@pytest.mark.slow
def test_notebook_runs_and_says_the_same(made: Any, kept: Any) -> None:
    def told(notebook: Any) -> list[str]:
        return [o["data"]["text/plain"] for o in made.outputs(notebook) if "text/plain" in o.get("data", {})]

    assert told(made.execute()) == told(kept)
