"""The committed notebook is the one that stands in execute.py, was executed, and gives the same output today."""

from __future__ import annotations

import nbformat
import pytest

from tests.notebooks.execute import CELLS, NOTEBOOK, PLOTLY, execute, outputs


def test_notebook_is_committed_as_declared_and_executed() -> None:
    kept = nbformat.read(NOTEBOOK, as_version=4)
    assert [(c.cell_type, c.source) for c in kept.cells] == CELLS
    assert all(c.outputs for c in kept.cells if c.cell_type == "code")
    assert any("image/png" in o.get("data", {}) and PLOTLY in o["data"] for o in outputs(kept))


@pytest.mark.slow
def test_notebook_runs_and_says_the_same() -> None:
    def told(notebook: nbformat.NotebookNode) -> list[str]:
        return [o["data"]["text/plain"] for o in outputs(notebook) if "text/plain" in o.get("data", {})]

    assert told(execute()) == told(nbformat.read(NOTEBOOK, as_version=4))
