"""What a dry run of a file found, in words and tables; and the same as one dictionary.

Not here: reading the file (warehouse/trial).
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from rich.console import Console

from pipeline.conform.headers import shown
from pipeline.declare.layouts import column_names
from pipeline.declare.reasons import reasons
from pipeline.declare.reported import label_of
from pipeline.declare.text import Text
from pipeline.declare.units import units
from pipeline.report.display import cell, day, number
from pipeline.report.screen import print_table
from pipeline.warehouse.trial import Trial, TriedReturn, TriedTable

Row = dict[str, Any]


def trial_facts(trial: Trial, lang: str) -> Row:
    """The whole trial as one dictionary of plain values."""
    facts = trial.facts
    return {
        "file": str(trial.path),
        "source": trial.source.key,
        "format": trial.format,
        "encoding": trial.encoding,
        "container": trial.container,
        "refused": trial.refused.render(lang) if trial.refused else None,
        "tables": [_table(t) for t in trial.tables],
        "extent": facts.extent if facts else None,
        "first_day": facts.first_day if facts else None,
        "last_day": facts.last_day if facts else None,
        "exported_at": facts.exported_at if facts else None,
        "rows_in": facts.rows_in if facts else None,
        "accepted": facts.accepted if facts else None,
        "reported": facts.reported if facts else None,
        "returned": facts.returned if facts else None,
        "excluded": facts.excluded if facts else None,
        "rejected": facts.rejected if facts else None,
        "rows": trial.rows,
        "figures": trial.figures,
        "returns": [
            {"sheet": r.sheet, "return": r.declared.id, "period": r.period.key, "area": r.area, "cells": r.cells}
            for r in trial.returns
        ],
        "faults": trial.faults,
        "unknown_units": trial.unknown_units,
    }


def _table(table: TriedTable) -> Row:
    header = table.header
    return {
        "sheet": table.sheet,
        "layout": header.layout.id,
        "kind": header.layout.kind,
        "header_rows": [header.top, header.row],
        "recognised": len(header.places),
        "other_layouts": table.others,
        "columns": {column: header.headings[i] for column, i in header.places.items()},
        "dropped": shown(header.dropped),
        "unit": table.title.unit,
    }


def tell_trial(trial: Trial, lang: str, console: Console) -> None:
    """What people need to see before they drop the file into a source's folder."""
    inside = f" ({trial.container})" if trial.container else ""
    coded = f", {trial.encoding}" if trial.encoding else ""
    console.print(f"{trial.path.name}: {trial.format}{inside}{coded}", style="bold", highlight=False)
    for table in trial.tables:
        _tell_table(table, lang, console)
    for one in trial.returns:
        _tell_return(one, lang, console)
    if trial.refused:
        console.print(Text("Tệp này sẽ không được nhận:", "This file would not be taken in:")[lang], style="bold red")
        console.print(trial.refused.render(lang), highlight=False)
        return
    _tell_facts(trial, lang, console)
    if trial.rows:
        title = Text("Các dòng đầu như sẽ được đọc", "The first rows as they would be read")
        keys = [k for k in trial.rows[0] if any(r[k] is not None for r in trial.rows)]
        console.print(f"\n{title[lang]}", style="bold")
        for row in trial.rows:
            told = "; ".join(f"{k} = {cell(row[k], lang)}" for k in keys if k != "row")
            console.print(f"  {row['row']}: {told}", highlight=False)
    if trial.figures:
        console.print(
            "\n" + Text("Các số đầu như sẽ được đọc", "The first figures as they would be read")[lang], style="bold"
        )
        for row, figures in groupby(trial.figures, key=lambda f: (f["sheet"], f["row"])):
            told = list(figures)
            about = " · ".join(v for v in (told[0]["unit"], told[0]["field"]) if v) or "–"
            said = (f"{label_of(f['measure'])[lang]} = {_figure(f, lang)}" for f in told if f["measure"])
            console.print(f"  {row[1]}: {about}: {'; '.join(said)}", highlight=False)
    _tell_problems(trial, lang, console)


def _figure(figure: Row, lang: str) -> str:
    if figure["value"] is None:
        return "–"
    return number(figure["value"], lang, figure["decimals"] or 0) + (" %" if figure["decimals"] is not None else "")


def _tell_table(table: TriedTable, lang: str, console: Console) -> None:
    header = table.header
    sheet = f"{Text('Trang', 'Sheet')[lang]} “{table.sheet}”: " if table.sheet else ""
    rows = str(header.row) if header.top == header.row else f"{header.top}–{header.row}"
    others = ", ".join(f"{name} {n}" for name, n in table.others.items())
    compared = Text(f"; bố cục khác: {others}", f"; others: {others}")[lang] if others else ""
    told = Text(
        f"tiêu đề ở dòng {rows}, bố cục {header.layout.id} ({header.layout.name}): nhận ra {len(header.places)} cột",
        f"header in row {rows}, layout {header.layout.id}: {len(header.places)} columns recognised",
    )
    console.print(f"{sheet}{told[lang]}{compared}", highlight=False)
    names = column_names(header.layout.kind)
    rows = [{"column": c, "meaning": names[c][lang], "header": header.headings[i]} for c, i in header.places.items()]
    print_table(rows, ["column", "meaning", "header"], lang, console)
    if header.dropped:
        dropped = ", ".join(shown(header.dropped))
        console.print(Text(f"Bỏ qua, không đọc: {dropped}", f"Left out, not read: {dropped}")[lang], highlight=False)


def _tell_return(one: TriedReturn, lang: str, console: Console) -> None:
    sheet = f"{Text('Trang', 'Sheet')[lang]} “{one.sheet}”: " if one.sheet else ""
    unit = units().get(one.area)
    whose = f", {unit.name}" if unit else ""
    told = Text(
        f"biểu {one.declared.id} ({one.declared.label.vi}), {one.period.label.vi}{whose}",
        f"return {one.declared.id} ({one.declared.label.en}), {one.period.label.en}{whose}",
    )
    console.print(f"{sheet}{told[lang]}", highlight=False)
    for found in one.cells:
        measure = one.declared.measures[found["measure"]]
        about = one.declared.lines[found["line"]].label if found["line"] else _unit_label(found["unit_key"])
        value = found["value"] if found["value"] is None else number(found["value"], lang, measure.digits)
        word = measure.words[found["word"]].label[lang] if found["word"] in measure.words else found["word"]
        said = value or word or day(found["day"], lang)
        console.print(f"  {found['cell']}: {about[lang]}, {measure.label[lang]} = {said}", highlight=False)


def _unit_label(key: str | None) -> Text:
    unit = units().get(key or "")
    return Text(unit.name, unit.name) if unit else Text("–", "–")


def _tell_facts(trial: Trial, lang: str, console: Console) -> None:
    facts = trial.facts
    if facts is None:
        return
    covers = (
        f"{day(facts.first_day, lang)} – {day(facts.last_day, lang)}"
        if facts.first_day and facts.last_day
        else Text("không bao quát ngày nào", "covers no days")[lang]
    )
    exported = f"{facts.exported_at:%d/%m/%Y %H:%M}"
    console.print(
        Text(
            f"Phạm vi: {facts.extent}, {covers}; xuất lúc {exported}",
            f"Covers: {facts.extent}, {covers}; exported {exported}",
        )[lang],
        highlight=False,
    )
    excluded, rejected = sum(facts.excluded.values()), sum(facts.rejected.values())
    counts = {
        "rows_in": facts.rows_in,
        "counted": facts.accepted + facts.reported + facts.returned,
        "excluded": excluded,
        "rejected": rejected,
    }
    said = {k: number(n, lang) for k, n in counts.items()}
    console.print(
        Text(
            f"{said['rows_in']} dòng: {said['counted']} tính được, {said['excluded']} loại, {said['rejected']} từ chối",
            f"{said['rows_in']} rows: {said['counted']} count, {said['excluded']} excluded, {said['rejected']} rejected",
        )[lang],
        highlight=False,
    )
    for verdict in (facts.excluded, facts.rejected):
        for code, n in verdict.items():
            console.print(f"  {reasons()[code].about(None)[lang].strip()}: {number(n, lang)}", highlight=False)


def _tell_problems(trial: Trial, lang: str, console: Console) -> None:
    if trial.unknown_units:
        console.print("\n" + Text("Đơn vị chưa nhận ra", "Units that are not known")[lang], style="bold yellow")
        for name, near in trial.unknown_units.items():
            hint = "; ".join(near) or Text("không có tên gần giống", "nothing like it")[lang]
            console.print(f"  “{name}” → {hint}", highlight=False)
    if trial.faults:
        console.print("\n" + Text("Vấn đề", "Problems")[lang], style="bold yellow")
        for fault in trial.faults:
            words = reasons()[fault["reason"]].about(fault["column"])[lang]
            found = f" – {fault['found']}" if fault["found"] else ""
            place = f"{fault['sheet']} " if fault["sheet"] else ""
            console.print(f"  {place}{fault['row']}: {words}{found}", highlight=False)
