"""What the page shows of a run: tables, words, a picture. Counts, units and files; nothing of a dossier."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import dagster as dg

from pipeline.declare.reasons import reasons
from pipeline.measure.summary import Account
from pipeline.report.display import number
from pipeline.warehouse.versions import FileFacts

MOST_ROWS = 200
HEADLINE = {
    "received": "tiếp nhận / received",
    "carried_over": "kỳ trước / carried over",
    "total": "tổng / total",
    "resolved": "đã giải quyết / resolved",
    "resolved_late": "trễ / late",
    "open": "đang giải quyết / open",
    "open_overdue": "quá hạn / overdue",
}
# How a unit's dossiers stand: what to add up, colour, words.
STANDS = (
    (("resolved_early", "resolved_on_time", "resolved_no_due"), "#2a9d8f", "đúng hạn / on time"),
    (("resolved_late",), "#e76f51", "trễ / late"),
    (("open_in_term", "open_paused"), "#a8c5da", "trong hạn / open in term"),
    (("open_overdue",), "#9b2226", "quá hạn / overdue"),
    (("withdrawn", "returned", "stopped", "unclassified"), "#b7b7a4", "khác / other"),
)


def table(rows: Iterable[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """Rows as a table of the page; the columns are those of the first row."""
    shown = [{key: _plain(value) for key, value in row.items()} for row in rows][:MOST_ROWS]
    columns = [dg.TableColumn(key) for key in (shown[0] if shown else {})]
    return dg.MetadataValue.table([dg.TableRecord(row) for row in shown], schema=dg.TableSchema(columns))


def _plain(value: Any) -> str | int | float | bool:
    if isinstance(value, bool | int | float):
        return value
    return "–" if value is None else str(value)


def files(facts: Iterable[FileFacts], new: Iterable[str]) -> dg.TableMetadataValue:
    """The files that count, with what became of their rows; new: sha256 of those taken in by this run."""
    fresh = set(new)
    return table(
        {
            "tệp / file": f"{one.source}/{one.name}",
            "mới / new": one.sha256 in fresh,
            "từ / from": one.first_day,
            "đến / to": one.last_day,
            "dòng / rows": one.rows_in,
            "nhận / accepted": one.accepted,
            "loại / excluded": sum(one.excluded.values()),
            "từ chối / rejected": sum(one.rejected.values()),
            "vì sao / why": why(one.excluded | one.rejected),
        }
        for one in facts
    )


def accounts(rows: Iterable[Account]) -> dg.TableMetadataValue:
    """What became of every row of every file, and whether it adds up."""
    return table(
        {
            "tệp / file": one.file,
            "dòng / rows": one.rows_in,
            "được tính / counted": one.counted,
            "loại / excluded": one.excluded,
            "từ chối / rejected": one.rejected,
            "đủ / adds up": one.adds_up,
            "vì sao / why": why(one.reasons),
        }
        for one in rows
    )


def why(by_reason: Mapping[str, int]) -> str:
    """Reasons with their rows, in words."""
    words = (f"{number(n, 'vi')} {str(reasons()[code].about(None)).strip()}" for code, n in by_reason.items())
    return "; ".join(words) or "–"


def headline(rows: Sequence[dict[str, Any]]) -> dg.MarkdownMetadataValue:
    """The counts of a quarter per unit, as a table in markdown."""
    lines = ["| đơn vị / unit | " + " | ".join(HEADLINE.values()) + " |", "|---|" + "---:|" * len(HEADLINE)]
    for row in rows:
        name = str(row["unit"]).replace("|", "/")
        name = f"**{name}**" if row["level"] != "unit" else name
        counts = row | {"received": _received(row)}
        lines.append(f"| {name} | " + " | ".join(number(counts[key], "vi") for key in HEADLINE) + " |")
    return dg.MetadataValue.md("\n".join(lines))


def _received(row: Mapping[str, Any]) -> int | None:
    known = row["total"] is not None and row["carried_over"] is not None  # a summary may tell one without the other
    return row["total"] - row["carried_over"] if known else None


def picture(rows: Sequence[Mapping[str, Any]]) -> dg.MarkdownMetadataValue:
    """A bar per unit: how its dossiers stand. An SVG inside markdown, so that nothing is fetched."""
    units = [row for row in rows if row["level"] == "unit" and row["total"]]
    most = max((row["total"] for row in units), default=1)
    height, left, width = 22, 230, 480
    parts = []
    for n, (_, colour, words) in enumerate(STANDS):
        parts.append(f'<rect x="{10 + n * 160}" y="6" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{26 + n * 160}" y="16">{escape(words)}</text>')
    for n, row in enumerate(units):
        y, x = 30 + n * height, float(left)
        parts.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(str(row["unit"]))}</text>')
        for columns, colour, _ in STANDS:
            wide = sum(row[c] or 0 for c in columns) / most * width
            size = f'width="{wide:.1f}" height="{height - 6}"'
            parts.append(f'<rect x="{x:.1f}" y="{y}" {size} fill="{colour}"/>')
            x += wide
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 13}">{number(row["total"], "vi")}</text>')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="{40 + height * len(units)}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(parts)}</svg>"
    )
    data = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![hồ sơ theo đơn vị / dossiers by unit](data:image/svg+xml;base64,{data})")
