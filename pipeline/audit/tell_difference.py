"""Differences, re-runs and faults of the record in words on the screen, and as rows for CSV and JSON.

Not here: finding them (difference.py, rerun.py, verify.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console

from pipeline.audit.causes import CAUSES
from pipeline.audit.difference import PARTS, Cells, Compared, Difference
from pipeline.audit.rerun import Rerun
from pipeline.audit.verify import Fault
from pipeline.declare.definitions import figures, value_in_words
from pipeline.declare.figures import measures
from pipeline.declare.returns import figure_label
from pipeline.declare.text import Text
from pipeline.report.display import COVERAGE, VERDICT, day, number
from pipeline.report.screen import print_table

Row = dict[str, Any]
SHOWN = 60
OTHER = {"as_of": Text("Ngày chốt", "Cut-off"), "coverage": Text("Mức đủ số liệu", "Coverage")}


# ---- as data


def rows_of_cells(compared: Compared, lang: str, names: tuple[str, str] = ("before", "after")) -> list[Row]:
    """A row per differing cell: what it is, both values, the causes, and the dossiers with both sides' labels."""
    changed = {(r["dossier_id"], r["episode"]): r for r in compared.changed}
    found = []
    for cell in compared.cells:
        mine = [changed[key] for key in cell.dossiers if key in changed]
        told = {name: getattr(cell, name) for name in ("period", "unit_id", "unit", "field", "figure", "part")}
        values = dict(zip(names, (cell.before, cell.after), strict=True))
        found.append(
            told
            | {"label": _label(cell, lang)}
            | values
            | {"causes": _causes(mine) or _because(cell), "dossiers": mine}
        )
    return found


def _causes(dossiers: Iterable[Row]) -> list[Row]:
    counted: dict[tuple[str, str | None], int] = {}
    for r in dossiers:
        key = (r["cause"], r["because_of"])
        counted[key] = counted.get(key, 0) + 1
    return [{"cause": cause, "because_of": of, "dossiers": n} for (cause, of), n in counted.items()]


def _because(cell: Difference) -> list[Row]:
    return [{"cause": cell.because[0], "because_of": cell.because[1], "dossiers": 0}] if cell.because else []


def flat(rows: Iterable[Row]) -> list[Row]:
    """The same rows for CSV, where a cell holds no table: causes as words, dossiers as their number."""
    return [
        r
        | {"causes": "; ".join(f"{c['cause']} {c['because_of'] or ''} ({c['dossiers']})" for c in r["causes"])}
        | {"dossiers": len(r["dossiers"])}
        for r in rows
    ]


def _label(cell: Difference, lang: str) -> str:
    known = figures().get(cell.figure)
    return known.label[lang] if known else (OTHER.get(cell.figure) or figure_label(cell.figure))[lang]


# ---- in words


def tell_compared(compared: Compared, lang: str, screen: Console, heads: tuple[Text, Text]) -> None:
    """The figures that differ, a line each, and the dossiers behind them. heads: what the two sides are called."""
    lines = _lines(compared)
    few = [key for key in lines if not key[1]] or list(lines)
    one, other = (head[lang] for head in heads)
    rows = [
        {
            "unit": lines[key][0].unit,
            "field": key[1] or None,
            "figure": _label(lines[key][0], lang),
            one: _value(compared.before, key, lang),
            other: _value(compared.after, key, lang),
            "dossiers": max(len(cell.dossiers) for cell in lines[key]) or None,
        }
        for key in few[:SHOWN]
    ]
    title = Text(f"{len(lines)} số liệu khác", f"{len(lines)} figures differ")
    columns = ["unit", *(["field"] if few[0][1] else []), "figure", one, other, "dossiers"]
    print_table(rows, columns, lang, screen, title[lang])
    if rest := len(lines) - len(rows):
        more = Text(
            f"… còn {rest} số liệu (cả từng lĩnh vực); tất cả: --format csv hoặc json",
            f"… and {rest} more (fields too); all: --format csv or json",
        )
        screen.print(more[lang], style="dim")
    for cause in {cell.because: cause for cell in compared.cells for cause in _because(cell)}.values():
        screen.print(f"{CAUSES[cause['cause']][lang]}: {cause['because_of'] or '–'}", highlight=False)
    screen.print()
    tell_dossiers(compared.changed, lang, screen)


def _lines(compared: Compared) -> dict[tuple[str, str, str], list[Difference]]:
    """(unit, field, figure) → the cells of it that differ: sums first, figures in their declared order. Of sums that
    differ alike (a province of which only one district has data) the lowest."""
    alike: dict[tuple[tuple[Any, ...], ...], str] = {}
    for unit_id in sorted({c.unit_id for c in compared.cells}, key=lambda u: -compared.members.get(u, 0)):
        told = tuple((c.field, c.figure, c.part, c.before, c.after) for c in compared.cells if c.unit_id == unit_id)
        alike[tuple(t for t in told if not t[0]) or told] = unit_id
    shown = set(alike.values())
    order = {code: n for n, code in enumerate(dict.fromkeys((*OTHER, *measures(), *figures())))}
    found: dict[tuple[str, str, str], list[Difference]] = {}
    for cell in sorted(
        (c for c in compared.cells if c.unit_id in shown),
        key=lambda c: (
            bool(c.field),
            -compared.members.get(c.unit_id, 0),
            c.unit_id,
            c.field,
            order.get(c.figure, len(order)),
            c.figure,
        ),
    ):
        found.setdefault((cell.unit_id, cell.field, cell.figure), []).append(cell)
    return found


def _value(cells: Cells, key: tuple[str, str, str], lang: str) -> str:
    """A figure of one side in a few words: a count, or an indicator's parts and its verdict where it has a target."""
    if (*key, "") in cells:
        value = cells[(*key, "")]
        if key[2] == "coverage":
            return COVERAGE[value][lang]
        if "." in key[2]:
            return value or "–"
        return day(value, lang) if key[2] == "as_of" else number(value, lang)
    parts = {part: cells.get((*key, part)) for part in PARTS}
    if parts["verdict"] is None:
        return "–"
    if parts["verdict"] in ("nothing_arisen", "no_data"):
        return VERDICT[parts["verdict"]][lang]
    shown = [number(parts[name], lang) for name in ("numerator", "denominator") if parts[name] is not None]
    unknown = f" ({Text('không rõ', 'unknown')[lang]}: {number(parts['unknown'], lang)})" if parts["unknown"] else ""
    verdict = "" if parts["verdict"] == "no_target" else f", {VERDICT[parts['verdict']][lang]}"
    return "/".join(shown) + unknown + verdict


def tell_dossiers(changed: list[Row], lang: str, screen: Console) -> None:
    """The dossiers whose labels or facts differ, and why."""
    sums = ", ".join(_cause_words(c, lang) for c in _causes(changed))
    title = Text(f"{len(changed)} hồ sơ khác: {sums}", f"{len(changed)} dossiers differ: {sums}")
    rows = [
        {
            "dossier_id": r["dossier_id"],
            "outcome": _step(r, "outcome", lang),
            "origin": _step(r, "origin", lang),
            "file": r["file"],
            "sheet": r["sheet"],
            "row": r["row"],
            "cause": CAUSES[r["cause"]][lang],
        }
        for r in changed[:SHOWN]
    ]
    if not rows:
        return
    columns = ["dossier_id", "outcome", "origin", "file", "sheet", "row", "cause"]
    print_table(rows, columns, lang, screen, title[lang], spare=("sheet", "origin", "cause"))
    if len(changed) > SHOWN:
        more = Text(
            f"… còn {len(changed) - SHOWN} hồ sơ: --format json", f"… and {len(changed) - SHOWN} more: --format json"
        )
        screen.print(more[lang], style="dim")


def _cause_words(cause: Row, lang: str) -> str:
    of = f" {cause['because_of']}" if cause["because_of"] else ""
    return f"{CAUSES[cause['cause']][lang]}{of} ({cause['dossiers']})"


def _step(row: Row, label: str, lang: str) -> str:
    before, after = (
        value_in_words(label, row[f"{label}_{side}"])[lang] if row[f"unit_{side}"] else "–"
        for side in ("before", "after")
    )
    return before if before == after else f"{before} → {after}"


def tell_faults(faults: list[Fault], lang: str, screen: Console) -> None:
    for fault in faults:
        style = "dim" if fault.harmless else "red"
        screen.print(
            f"! {fault.where}: {fault.what[lang]} [{fault.seal}]", style=style, highlight=False, soft_wrap=True
        )


def tell_rerun(told: Rerun, lang: str, screen: Console) -> None:
    """What a re-run found: identical, or the cells that differ; and what is not as it was sealed."""
    seal = told.seal
    head = f"{seal.period}@{seal.version} [{seal.short}]"
    for place in told.from_rows:
        words = Text("tệp gốc đã hết hạn lưu; tính từ dòng đã đọc", "the raw file has expired; from its conformed rows")
        screen.print(f"· {place}: {words[lang]}", style="yellow", highlight=False)
    for place, what in told.lost:
        words = Text("không đọc lại được", "cannot be read again")
        screen.print(f"! {place}: {words[lang]}: {what[lang]}", style="red", highlight=False)
    tell_faults(told.faults, lang, screen)
    if told.identical:
        screen.print(f"{head}: {Text('giống hệt', 'identical')[lang]}", style="green", highlight=False)
    elif told.compared is None:
        screen.print(f"{head}: {Text('không có tệp nào để tính lại', 'no file to compute from')[lang]}", style="red")
    else:
        screen.print(f"{head}: {Text('KHÁC', 'DIFFERS')[lang]}", style="bold red", highlight=False)
        tell_compared(told.compared, lang, screen, (Text("Đã chốt", "Sealed"), Text("Chạy lại", "Re-run")))


def rerun_facts(told: Rerun, lang: str) -> Row:
    """A re-run as one object."""
    return {
        "period": told.seal.period,
        "version": told.seal.version,
        "seal": told.seal.short,
        "identical": told.identical,
        "from_rows": told.from_rows,
        "lost": [{"file": place, "what": what[lang]} for place, what in told.lost],
        "faults": [fault_row(fault, lang) for fault in told.faults],
        "cells": rows_of_cells(told.compared, lang, ("sealed", "rerun")) if told.compared else [],
        "dossiers": told.compared.changed if told.compared else [],
    }


def fault_row(fault: Fault, lang: str) -> Row:
    return {"seal": fault.seal, "where": fault.where, "what": fault.what[lang], "harmless": fault.harmless}
