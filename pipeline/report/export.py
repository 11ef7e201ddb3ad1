"""A period's figures as tidy files, CSV and Parquet, with a manifest: the same release gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipeline.declare.periods import parse_periods
from pipeline.declare.rules import OURS
from pipeline.measure import answers
from pipeline.report.screen import as_csv
from pipeline.warehouse.sql import rows_of

FORM_COLUMNS = 'period, period_from, period_to, as_of, coverage, unit_id, u.unit_code, u.unit, "by", field, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, seal'


def tables(con: duckdb.DuckDBPyConnection, period: str, rules: str = OURS) -> dict[str, list[dict[str, Any]]]:
    """File name → rows: counts by unit and by field, indicators, form II.06a, coverage, and the findings (of which there
    are none by other rules than ours)."""
    keys = [p.key for p in parse_periods(period)]
    marks = ", ".join("?" for _ in keys)
    found = {
        "stats": answers.stats(con, period),
        "stats_by_field": answers.stats(con, period, by="field"),
        "indicators": answers.indicators(con, period),
        "form_ii06a": rows_of(
            con,
            f"SELECT {FORM_COLUMNS} FROM form_ii06a JOIN unit u USING (unit_id) WHERE period IN ({marks}) "
            'ORDER BY period, "by", u.sort, field',
            keys,
        ),
        "coverage": rows_of(con, "SELECT * FROM coverage ORDER BY ALL"),
    }
    if rules == OURS:
        return found | {"finding": rows_of(con, "SELECT * FROM finding")}
    return {name: rows if name == "coverage" else [{"rules": rules} | r for r in rows] for name, rows in found.items()}


def export(con: duckdb.DuckDBPyConnection, period: str, out: Path, rules: str = OURS) -> list[Path]:
    """Writes the tables of a period or range of periods into `out`; returns the files written. Every row and the
    manifest carry the seal, where the period is shown as sealed, and the rule set, where it is not ours."""
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for name, rows in tables(con, period, rules).items():
        text, binary = out / f"{name}.csv", out / f"{name}.parquet"
        # with a mark of UTF-8, so that a spreadsheet opens Vietnamese rightly by double click
        text.write_text(as_csv(rows), encoding="utf-8-sig", newline="")
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(binary)
        made += [text, binary]
    info = dict(con.execute("SELECT key, value FROM release_info").fetchall())
    manifest = out / "manifest.json"
    keys = [p.key for p in parse_periods(period)]
    shown = "SELECT DISTINCT period, seal FROM period_coverage WHERE seal IS NOT NULL AND list_contains(?, period) ORDER BY 1"
    by = {} if rules == OURS else {"rules": rules}
    told = {"period": period, **by, "seals": dict(con.execute(shown, [keys]).fetchall()), **info}
    manifest.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return [*made, manifest]
