"""Whether programs say the same, in every cell: counts row by row, and tables of dossiers, of which there may be a hundred
million, by the sums of what each cell hashes to beside its dossier.

Not here: what is compared (night.py, record.py).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pipeline.settings import Home
from pipeline.warehouse.release import current
from tests.benchmarks.run import measured

# Programs of their own: the memory of the one that starts another counts as that one's, too.
ASK = """
import sys, json, duckdb
path, sql, out = sys.argv[1:4]
con = duckdb.connect(path, read_only=True)
json.dump(con.execute(sql).fetchall(), open(out, "w", encoding="utf-8"), default=str)
"""
CELLS = """
import sys, json, duckdb
path, select, out = sys.argv[1:4]
con = duckdb.connect(path, read_only=True)
names = con.sql(f"SELECT * FROM ({select}) LIMIT 0").columns
sums = ", ".join(f'sum(hash(dossier_id, "{name}"))' for name in names)
found = con.execute(f"SELECT {sums}, count(*) FROM ({select})").fetchone()
json.dump(dict(zip([*names, "rows"], found)), open(out, "w", encoding="utf-8"))
"""


def asked(database: Path, sql: str) -> list[list[Any]]:
    """The rows of a SELECT; days and times as text."""
    return _told(ASK, database, sql)


def cells(database: Path, select: str) -> dict[str, int]:
    """Column → what its cells add up to, each hashed with the dossier that it stands by; and `rows`: how many there are.
    select: dossier_id and all columns that are compared, of the same types on both sides."""
    return _told(CELLS, database, select)


def same_rows(name: str, theirs: Sequence[Sequence[Any]], ours: Sequence[Sequence[Any]], keys: int = 2) -> int:
    """How many cells were compared. keys: how many columns, the first, say where a row stands. Raises SystemExit where one
    differs, or there is none."""
    rows = zip_longest(map(tuple, theirs), map(tuple, ours))
    first = next(((a, b) for a, b in rows if a != b), None)
    if first or not ours:
        raise SystemExit(f"{name}: {len(theirs)} and {len(ours)} rows; first difference {first}")
    return sum(len(row) - keys for row in ours)


def same_cells(name: str, theirs: dict[str, int], ours: dict[str, int]) -> int:
    """As `same_rows`, of what `cells` gives."""
    if theirs != ours or not ours["rows"]:
        other = [column for column in ours if theirs.get(column) != ours[column]]
        raise SystemExit(f"{name}: {theirs['rows']} and {ours['rows']} dossiers; not the same: {', '.join(other)}")
    return ours["rows"] * (len(ours) - 1)


def published(home: Home) -> Path:
    """The published database. Raises SystemExit where there is none."""
    release = current(home)
    if release is None:
        raise SystemExit(f"{home.root}: nothing is published")
    return release.database


def give_key(home: Home, key: bytes) -> None:
    """A new home hashes with this key, so that its dossiers are known again among those of a program beside it."""
    home.restricted.mkdir(parents=True, exist_ok=True)
    (home.restricted / "key").write_bytes(key)


def _told(program: str, database: Path, sql: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "told.json"
        measured(program, str(database), sql, str(out))
        return json.loads(out.read_text(encoding="utf-8"))
