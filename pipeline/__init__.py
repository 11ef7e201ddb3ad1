"""Motcua: from the exports of one-stop offices to the figures of the report.

Map of the package; imports run from left to right only, and nothing here imports Dagster:
`declare ← read ← conform ← validate ← warehouse ← measure ← report ← night ← cli`.
This module itself needs the standard library alone, so that the bootstrap can run before anything is installed.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

__version__ = "0.6.15"

# Spark's client warns of a pandas that is not used with it here.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)


def open_published(home: str | Path | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the published database, for notebooks.

    `home` is the folder that holds `data/`; default the current project. Holding the connection open disturbs
    no run: a published file is never written again. Raises `NothingPublished` before the first release.
    """
    from pipeline.settings import find_home
    from pipeline.warehouse.release import open_published as _open

    return _open(find_home(home))
