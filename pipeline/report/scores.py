"""Scores of Decision 766 as people read them: points out of the most there can be, and what is lacking.

Points are rounded here, once, to the two decimals that the decision's description prescribes. A group of which a part is
lacking shows only what was reached out of the parts that are there. Not here: the points (measure/scores).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rich.console import Console

from pipeline.declare.periods import parse_period
from pipeline.declare.scores import groups, label, return_id, scores
from pipeline.declare.text import Text
from pipeline.report.display import NOTHING, half_up, number
from pipeline.report.screen import print_table

Row = dict[str, Any]
DIGITS = 2
FROM_RETURN = ("return", "procedures")
COUNTS = ("numerator", "denominator", "unknown")
LABEL = Text("Nhóm, chỉ số", "Group, sub-score")
POINTS = Text("Điểm", "Points")
FULL_FROM = Text("Đủ điểm từ", "Full from")
LACKING = Text("Còn thiếu", "Lacking")


def points_of(row: Row, lang: str) -> str:
    """`19,99 / 20`; of a group with something lacking `đã tính được 6,00 / 6 điểm`; of what nothing can be said of –."""
    most = row["max_points"]
    if row["part"] == "score" and not most:
        return Text("không chấm điểm", "no points")[lang]
    if row["points_p"] is not None:
        shown = f"{_points(row['points_p'], row['points_q'], lang)} / {most}"
        return f"{shown} ({NOTHING[lang]})" if row["status"] == "nothing_arisen" else shown
    if row["status"] == "nothing_arisen":
        return NOTHING[lang]
    if row["reached_max"]:
        reached = _points(row["reached_p"], row["reached_q"], lang)
        return Text(
            f"đã tính được {reached} / {row['reached_max']} điểm", f"computed so far: {reached} of {row['reached_max']}"
        )[lang]
    return f"– / {most}"


def _points(p: int, q: int, lang: str) -> str:
    return number(half_up(Fraction(p, q), DIGITS), lang, DIGITS)


def print_scores(rows: Sequence[Row], lang: str, screen: Console) -> None:
    """The first unit in full, each sub-score under its group; of the others a line each."""
    units: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        units.setdefault((row["period"], row["unit_code"] + row["unit"]), []).append(row)
    first, *others = units.values()
    _print_unit(first, lang, screen)
    if others:
        screen.print()
        _print_units([first, *others], lang, screen)


def _print_unit(rows: Sequence[Row], lang: str, screen: Console) -> None:
    head = rows[0]
    period = f"{parse_period(head['period']).label[lang]} ({head['period']})"
    screen.print(f"{label()[lang]}: {head['unit']}, {period}", style="bold", highlight=False)
    for words in (head["note"], head["missing"]):
        if words:
            screen.print(f"{words[0].upper()}{words[1:]}.", highlight=False)
    of_group = {r["score_group"]: r for r in rows if r["part"] == "group"}
    shown: list[Row] = []
    for name, group in of_group.items():
        shown.append(_group(group, lang))
        shown += [_score(r, lang) for r in rows if r["part"] == "score" and r["score_group"] == name]
    shown.append(_group(next(r for r in rows if r["part"] == "total"), lang))
    print_table(shown, [key for key in shown[0] if key != "level"], lang, screen, spare=(FULL_FROM[lang], "unknown"))
    if any(
        r["status"] == "missing" and scores()[r["score"]].parts in FROM_RETURN for r in rows if r["part"] == "score"
    ):
        how = f"motcua template {return_id()} --period {head['period']}"
        screen.print(
            Text(f"Số liệu không có trong sổ: {how}", f"What no register holds: {how}")[lang],
            style="dim",
            highlight=False,
        )


def _group(row: Row, lang: str) -> Row:
    lacking = None if row["lacking"] is None else Text("chưa có tổng của nhóm", "no total of the group")[lang]
    if row["part"] == "total":
        lacking = lacking and Text("chưa có tổng điểm", "no total")[lang]
    return _line(row["label"], points_of(row, lang), dict.fromkeys(COUNTS, ""), "", lacking, lang, "group")


def _score(row: Row, lang: str) -> Row:
    full = "" if row["saturation"] is None else f"{number(row['saturation'] * 100, lang)} %"
    return _line(f"  {row['label']}", points_of(row, lang), row, full, row["lacking"], lang, "unit")


def _line(words: str, points: str, counts: Row, full: str, lacking: str | None, lang: str, level: str) -> Row:
    return (
        {LABEL[lang]: words, POINTS[lang]: points}
        | {name: counts[name] for name in COUNTS}
        | {FULL_FROM[lang]: full, LACKING[lang]: lacking or "", "level": level}
    )


def _print_units(units: Sequence[Sequence[Row]], lang: str, screen: Console) -> None:
    several = len({rows[0]["period"] for rows in units}) > 1
    lines = [
        ({"period": rows[0]["period"]} if several else {})
        | {"unit": rows[0]["unit"], "level": rows[0]["level"]}
        | {groups()[r["score_group"]].label[lang]: points_of(r, lang) for r in rows if r["part"] == "group"}
        | {POINTS[lang]: points_of(next(r for r in rows if r["part"] == "total"), lang)}
        for rows in units
    ]
    columns = [key for key in lines[0] if key != "level"]
    print_table(lines, columns, lang, screen, spare=[group.label[lang] for group in groups().values()])
