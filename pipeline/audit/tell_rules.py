"""A figure by several rule sets, on the screen and as plain rows. Not here: what it says (compare_rules.py)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from rich.console import Console

from pipeline.audit.compare_rules import Counted
from pipeline.declare.definitions import Figure, value_in_words
from pipeline.declare.periods import Period
from pipeline.declare.reported import label_of
from pipeline.declare.text import Text
from pipeline.report.display import VERDICT, number, percent
from pipeline.report.screen import print_table

Row = dict[str, Any]
SHOWN = 10  # dossiers of each rule set on the screen; all of them go to CSV and JSON
NOT_KNOWN = Text("(không có lý do nào trong bảng khai)", "(no declared reason fits)")


# ---- as data


def as_rows(figure: Figure, period: Period, frame: Row, found: list[Counted], lang: str) -> list[Row]:
    """An object for each rule set, with the list of its differing dossiers."""
    return [
        {
            "figure": figure.code,
            "period": period.key,
            "as_of": frame["as_of"],
            "unit_code": frame["unit_code"],
            "unit": frame["unit"],
            "rules": c.rules.name,
            "label": c.rules.label[lang],
            "about": c.rules.about[lang],
            "mark": c.rules.mark,
            **c.numbers,
            **{f"{part}_difference": n for part, n in c.differences.items()},
            "adds_up": c.adds_up,
            "dossiers": [_plain(row, lang) for row in c.dossiers],
        }
        for c in found
    ]


def as_flat_rows(rows: list[Row]) -> list[Row]:
    """A row for each differing dossier, beside the numbers of its rule set; one without a dossier where none differs."""
    listed = list(dict.fromkeys(name for r in rows for d in r["dossiers"] for name in d))
    flat = []
    for r in rows:
        own = {name: value for name, value in r.items() if name != "dossiers"}
        own = {f"figure_{name}" if name in listed else name: value for name, value in own.items()}
        flat += [own | {name: d.get(name) for name in listed} for d in r["dossiers"] or [{}]]
    return flat


def _plain(row: Row, lang: str) -> Row:
    return {n: v for n, v in row.items() if n != "sha256"} | {"why": row["why"][lang] if row["why"] else None}


# ---- in words


def tell(figure: Figure, period: Period, frame: Row, found: list[Counted], lang: str, screen: Console) -> None:
    screen.print(f"{figure.label[lang]} ({figure.code})", style="bold")
    screen.print(f"{frame['unit']} ({frame['unit_code']}) · {period.label[lang]}")
    screen.print()
    heads = [
        Text("Cách tính", "Rule set"),
        Text("Tử số", "Numerator"),
        Text("Mẫu số", "Denominator"),
        Text("Giá trị", "Value"),
        Text("Hơn, kém", "Difference"),
        Text("Hồ sơ khác", "Dossiers differing"),
    ]
    if figure.kind in ("count", "sum"):
        heads = [heads[0], *heads[3:]]
    table = [{h[lang]: _cell(figure, c, found[0], h.en, lang) for h in heads} for c in found]
    print_table(table, [h[lang] for h in heads], lang, screen)
    for c in found[1:]:
        if c.dossiers:
            screen.print()
            _tell_one(c, lang, screen)
    same = [c.rules.name for c in found[1:] if not c.dossiers and c.numbers["numerator"] is not None]
    if same:
        screen.print()
        screen.print(f"{Text('Không khác hồ sơ nào', 'No dossier differs')[lang]}: {', '.join(same)}")
    for c in found[1:]:
        if c.adds_up is False:
            wrong = Text("CÁC HỒ SƠ KHÔNG CỘNG LẠI BẰNG CHỖ KHÁC", "THE DOSSIERS DO NOT ADD UP TO THE DIFFERENCE")
            screen.print(f"{c.rules.name}: {wrong[lang]}", style="bold red")


def _cell(figure: Figure, c: Counted, ours: Counted, head: str, lang: str) -> Any:
    n = c.numbers
    if head == "Rule set":
        return f"{c.rules.label[lang]} ({c.rules.name})"
    if head == "Dossiers differing":
        return len(c.dossiers) if c is not ours else None
    if n["numerator"] is None and n["value"] is None and n["denominator"] is None:
        return VERDICT["no_data"][lang] if head == "Value" else None
    if head in ("Numerator", "Denominator"):
        return n[head.lower()]
    if head == "Value":
        return _value(figure, n, lang)
    return _difference(figure, c, ours, lang)


def _value(figure: Figure, n: Row, lang: str) -> Any:
    if n["value"] is None:
        return None
    if figure.kind in ("rate", "count_ratio"):
        return percent(n["numerator"] or 0, n["denominator"] or 0, lang)
    if figure.kind in ("count", "sum"):
        return n["value"]
    return number(Decimal(str(n["value"])), lang, 2)


def _difference(figure: Figure, c: Counted, ours: Counted, lang: str) -> str | None:
    """Theirs minus ours: of a rate in points of a percent."""
    mine, theirs = ours.numbers["value"], c.numbers["value"]
    if c is ours or mine is None or theirs is None:
        return None
    by = Decimal(str(theirs)) - Decimal(str(mine))
    sign = "+" if by > 0 else "−" if by < 0 else ""
    if figure.kind in ("rate", "count_ratio"):
        points = Text("điểm %", "points")[lang]
        return f"{sign}{number(abs(by) * 100, lang, 2)} {points}"
    return f"{sign}{number(abs(by), lang, 0 if figure.kind in ('count', 'sum') else 2)}"


def _tell_one(c: Counted, lang: str, screen: Console) -> None:
    screen.print(f"{c.rules.label[lang]} ({c.rules.name}) [{c.rules.mark}]", style="bold")
    screen.print(f"{c.rules.about[lang]}.", style="dim")
    kinds = Counter((_change(r, lang), (r["why"] or NOT_KNOWN)[lang]) for r in c.dossiers)
    for (change, why), times in kinds.most_common():
        screen.print(f"  {times} × {change}: {why}")
    heads = {
        "dossier_code": None,
        "dossier_id": None,
        "unit": None,
        "change": Text("Motcua → cách này", "Ours → theirs")[lang],
        "due": Text("Hạn trả", "Due")[lang],
        "concluded_at": Text("Kết thúc", "Concluded")[lang],
        "file": None,
        "row": None,
    }
    shown = [
        {heads[name] or name: value for name, value in _shown(r, lang).items() if name in heads}
        for r in c.dossiers[:SHOWN]
    ]
    columns = [heads[n] or n for n in heads if any(r.get(heads[n] or n) is not None for r in shown)]
    print_table(shown, columns, lang, screen, spare=("file", "row", heads["concluded_at"] or ""))
    if len(c.dossiers) > SHOWN:
        rest = len(c.dossiers) - SHOWN
        more = Text(f"… còn {rest} hồ sơ nữa; tất cả: --format csv", f"… and {rest} more; all: --format csv")
        screen.print(more[lang], style="dim")


def _change(row: Row, lang: str) -> str:
    """A dossier's labels by ours → by theirs, those that differ."""
    if row["dossier_id"] is None:
        return label_of(row["measure"])[lang] if row["measure"] else Text("bảng tổng hợp", "summary")[lang]
    absent = Text("không có mặt", "not counted")[lang]
    if row["outcome_ours"] is None or row["outcome_theirs"] is None:
        sides = (
            None if row[f"outcome_{side}"] is None
            else f"{value_in_words('origin', row[f'origin_{side}'])[lang]}, {value_in_words('outcome', row[f'outcome_{side}'])[lang]}"
            for side in ("ours", "theirs")
        )  # fmt: skip
        return " → ".join(side or absent for side in sides)
    pairs = [
        " → ".join(value_in_words(name, row[f"{name}_{side}"])[lang] for side in ("ours", "theirs"))
        for name in ("origin", "outcome")
        if row[f"{name}_ours"] != row[f"{name}_theirs"]
    ]
    return "; ".join(pairs) or Text("cùng nhãn", "same labels")[lang]


def _shown(row: Row, lang: str) -> Row:
    due = row.get("effective_due_on_theirs") or row.get("effective_due_on_ours")
    return row | {"change": _change(row, lang), "due": due}
