"""Pandera for Polars alone. Wherever pandas or pyspark is installed Pandera imports it as well, with types of its own for
it, and takes four times as long to start; it does without where they are not, and so they are hidden from it meanwhile.

Not here: any schema.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import polars as pl

OTHERS = ("pandas", "pyspark")


class _Hidden(MetaPathFinder):
    """These modules, as if they were not installed."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = fullname.partition(".")[0]
        if name in self.names:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return None


@contextmanager
def hidden(names: Sequence[str]) -> Generator[None]:
    """Meanwhile those of these modules that are not imported yet cannot be."""
    finder = _Hidden([name for name in names if name not in sys.modules])
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with hidden(OTHERS):
    import pandera.polars as pa
    from pandera.api.polars.types import PolarsData

    # the first check that is asked looks once more for what is installed
    pa.DataFrameSchema({"n": pa.Column(pl.Int64, pa.Check.ge(1))}).validate(pl.DataFrame({"n": [1]}))

__all__ = ["PolarsData", "pa"]
