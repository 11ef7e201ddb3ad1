"""The review list: names of units that were not understood, as written, with proposals and the way to accept one.

The text stands only in the restricted store of this machine; who may not read that sees its shape. Not here: accepting.
"""

from __future__ import annotations

import re
from typing import Any

import duckdb

from pipeline.settings import Home
from pipeline.warehouse.release import open_published
from pipeline.warehouse.sql import parquet, rows_of

# What may stand in a command that people copy: a name from a file may hold anything.
PLAIN = re.compile(r"\w[\w .,;:()/–-]*")


def review_rows(home: Home) -> list[dict[str, Any]]:
    """Names to decide on, most rows first. written: the text, or its shape; accept: the command that settles it."""
    with open_published(home) as con:
        rows = rows_of(con, "SELECT * FROM unit_review ORDER BY rows DESC, source, unit_hash, found")
    texts = _texts(home)
    found = []
    for row in rows:
        written = "".join(c if c.isprintable() else " " for c in texts.get(row["unit_hash"], row["found"]))
        told = row["unit_hash"] is None or row["unit_hash"] in texts
        nearest = (row["proposals"] or "").split(" ")[0]
        found.append(
            {
                "source": row["source"],
                "written": written,
                "rows": row["rows"],
                "first_received_on": row["first_received_on"],
                "last_received_on": row["last_received_on"],
                "proposals": row["proposals"],
                "accept": f'motcua units --accept "{written}" {nearest}'
                if told and nearest and PLAIN.fullmatch(written)
                else None,
            }
        )
    return found


def _texts(home: Home) -> dict[str, str]:
    """unit_hash → the name as written, from the restricted store."""
    kept = sorted(home.unit_names.glob("*.parquet"))
    if not kept:
        return {}
    return dict(
        duckdb.execute(f"SELECT unit_hash, min(written) FROM read_parquet({parquet(kept)}) GROUP BY 1").fetchall()
    )
