"""The table `procedure` in a database under construction: the national list as a dimension.

Not here: which procedure a row of a register means (conform/).
"""

from __future__ import annotations

import duckdb
import polars as pl

from pipeline.declare.procedures import origin, procedures
from pipeline.warehouse.sql import store

SCHEMA = {
    "procedure_code": pl.String,
    "name": pl.String,
    "field": pl.String,
    "levels": pl.String,
    "service_level": pl.String,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
    "source": pl.String,
    "listed_in": pl.Int32,
}


def procedure_table(con: duckdb.DuckDBPyConnection) -> None:
    """`procedure`: one row for each procedure of the list; what the list does not tell is null."""
    told = (origin().source.vi, origin().listed_in)
    rows = [
        (p.code, p.name, p.field, "|".join(p.levels), p.service_level, p.valid_from, p.valid_to, *told)
        for p in procedures().values()
    ]
    store(con, "procedure", pl.DataFrame(rows, schema=SCHEMA, orient="row"))
