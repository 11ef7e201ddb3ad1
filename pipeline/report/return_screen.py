"""Figures of returns for the screen: one text for whatever a cell tells.

Not here: which rows (measure/returns).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pipeline.declare.returns import qualifiers
from pipeline.declare.text import Text
from pipeline.report.display import NO_DATA, VERDICT, day, number, percent, threshold

Row = dict[str, Any]
WAITING = Text("còn thiếu {n}/{m} đơn vị", "{n} of {m} units lacking")


def figure(row: Row, lang: str) -> str:
    """`6.000`, `hơn 6.000`, `79.461,612`, `Hoàn thành`, `15/02/2023`; no data where the cell tells nothing."""
    if row["value"] is not None:
        told = number(row["value"], lang, _digits(row["value"]))
        return f"{row['qualifier_label']} {told}" if row["qualifier_label"] else told
    if row["word_label"]:
        return row["word_label"]
    if row["day"]:
        return day(row["day"], lang)
    if row["told"] < row["asked"] and row["asked"] > 1:
        return WAITING[lang].format(n=row["asked"] - row["told"], m=row["asked"])
    return NO_DATA[lang]


def _digits(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def shown_figures(rows: list[Row], lang: str) -> list[Row]:
    """The rows that tell something."""
    return [
        {
            "unit": row["unit"],
            "return": row["return_label"],
            "line": row["line_label"] or "",
            "measure": row["label"],
            "told": figure(row, lang),
            "of": row["of"] or "",
            "cell": row["cell"] or "",
        }
        for row in rows
        if row["told"]
    ] or [{"unit": NO_DATA[lang]}]


def shown_indicators(rows: list[Row], lang: str) -> list[Row]:
    found = []
    for row in rows:
        n, d = row["numerator"], row["denominator"]
        value = row["value"]
        if d is not None and value is not None:
            told = percent(*value_pair(n, d), lang)
        elif value is not None:
            told = number(value, lang, _digits(value))
        else:
            told = VERDICT[row["verdict"]][lang]
        about = qualifiers()[row["qualifier"]].label[lang] + " " if row["qualifier"] else ""
        target = row["threshold"]
        found.append(
            {
                "unit": row["unit"],
                "label": row["label"],
                "line": row["line_label"] or "",
                "numerator": number(n, lang, _digits(n)) if n is not None else "–",
                "denominator": number(d, lang, _digits(d)) if d is not None else "–",
                "told": about + told,
                "target": "" if target is None else threshold(row, lang),
                "verdict": VERDICT[row["verdict"]][lang],
            }
        )
    return found


def value_pair(numerator: Decimal, denominator: Decimal) -> tuple[int, int]:
    """The two as whole numbers of the same ratio, so that the share is rounded once, from an exact fraction."""
    scale = 10 ** max(_digits(numerator), _digits(denominator))
    return int(numerator * scale), int(denominator * scale)
