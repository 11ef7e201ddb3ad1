"""Answers about Decision 766/QĐ-TTg: the points of every sub-score, and of a group where all its sub-scores are there.

Sub-scores are read from `score_766`, exact. Groups are summed when they are asked: the exact sum of a dozen fractions
is a number that no column could hold. Not here: the formulas (declare/scores), making the table (score_table.py).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb

from pipeline.declare.periods import Period, parse_periods, schemes
from pipeline.declare.scores import groups, label, scheme, scores, valid_from
from pipeline.declare.text import Text
from pipeline.measure.answers import choose, decimal_of, frame_of, nodes
from pipeline.warehouse.sql import rows_of

Row = dict[str, Any]
NOT_MADE = Text(
    "bảng điểm của kỳ này: kỳ chốt trước khi có bảng", "the period's scores: it was sealed before there were any"
)
NO_DATA = Text("số liệu của kỳ này", "data of this period")


def score_rows(con: duckdb.DuckDBPyConnection, period: str, unit: str | None = None, lang: str = "vi") -> list[Row]:
    """Per unit and sum of units of a period, or range of periods: a row for each sub-score (part = score), each group
    (group) and all of them (total).

    points: exact as points_p/points_q, and as a decimal of 28 digits; null where something is missing. A group has
    points only where all its sub-scores have (those without points aside), the total only where all groups have; else
    reached_p/reached_q is the sum of what is there, out of reached_max, the maximum of just these parts.
    saturation: the rate from which on all points are given; null: none. unknown: dossiers in neither part; null: how many
    is not known. status: computed | missing | nothing_arisen. lacking: what is missing, in words. note: where the
    period is not one by which the decision scores. Raises WrongUse."""
    return [row for one in parse_periods(period) for row in scores_of(con, one, choose(nodes(con, one), unit), lang)]


def scores_of(con: duckdb.DuckDBPyConnection, period: Period, chosen: dict[str, Row], lang: str) -> list[Row]:
    """The same of one period and of chosen units (unit_id → row as `answers.nodes`)."""
    told = {
        (r["unit_id"], r["score"]): r for r in rows_of(con, "SELECT * FROM score_766 WHERE period = ?", [period.key])
    }
    return [
        row
        for unit_id, unit in chosen.items()
        for row in _of_unit(period, unit, {key: told.get((unit_id, key)) for key in scores()}, lang)
    ]


def note_of(period: Period) -> Text | None:
    """What a period's scores must say beside them: that the decision scores other periods, or was not yet in force."""
    parts = []
    if period.scheme != scheme():
        wanted, used = schemes()[scheme()].label, schemes()[period.scheme].label
        parts.append(
            Text(
                f"QĐ 766 chấm theo kỳ dương lịch; kỳ này theo {used.vi}",
                f"Decision 766 scores by {wanted.en.lower()}; this period is by {used.en}",
            )
        )
    if period.end < valid_from():
        since = valid_from()
        parts.append(
            Text(f"QĐ 766 ban hành ngày {since:%d/%m/%Y}, sau kỳ này", f"Decision 766 is of {since}, after this period")
        )
    return Text("; ".join(t.vi for t in parts), "; ".join(t.en for t in parts)) if parts else None


def _of_unit(period: Period, row: Row, told: dict[str, Row | None], lang: str) -> list[Row]:
    frame = frame_of(period, row, lang)
    note = note_of(period)
    frame |= {"note": note[lang] if note else None}
    unmade = NO_DATA if row["coverage"] == "no_data" else NOT_MADE
    found: list[Row] = []
    for name, group in groups().items():
        mine = [_score_row(key, told[key], unmade, lang) for key, s in scores().items() if s.group == name]
        found += [*mine, _sum_row("group", name, group.label[lang], mine)]
    whole = _sum_row("total", None, label()[lang], [r for r in found if r["part"] == "group"])
    return [frame | r for r in (*found, whole)]


def _score_row(key: str, told: Row | None, unmade: Text, lang: str) -> Row:
    score = scores()[key]
    about = {"part": "score", "score_group": score.group, "score": key, "label": score.label[lang]}
    if told is None:
        nothing = dict.fromkeys(("numerator", "denominator", "unknown"))
        return about | nothing | _saturation(score.saturation) | _points(None, score.max_points) | {
            "status": "missing", "lacking": unmade[lang], "mark": score.mark,
        }  # fmt: skip
    points = None if told["points_p"] is None else Fraction(told["points_p"], told["points_q"])
    saturation = None if told["saturation_p"] is None else Fraction(told["saturation_p"], told["saturation_q"])
    return (
        about
        | {name: told[name] for name in ("numerator", "denominator", "unknown")}
        | _saturation(saturation)
        | _points(points, told["max_points"])
        | {"status": told["status"], "lacking": told[f"missing_{lang}"], "mark": score.mark}
    )


def _sum_row(part: str, group: str | None, words: str, parts: list[Row]) -> Row:
    """The sum of sub-scores, or of groups: points only where every part that gives any has its own."""
    counted = [r for r in parts if r["max_points"]]
    lacking = [r for r in counted if r["points_p"] is None]
    reached = sum((Fraction(r["reached_p"], r["reached_q"]) for r in counted), Fraction(0))
    return (
        {"part": part, "score_group": group, "score": None, "label": words}
        | dict.fromkeys(("numerator", "denominator", "unknown"))
        | _saturation(None)
        | _points(None if lacking else reached, sum(r["max_points"] for r in counted))
        | {"reached_p": reached.numerator, "reached_q": reached.denominator, "reached": decimal_of(reached)}
        | {"reached_max": sum(r["reached_max"] for r in counted)}
        | {"status": "missing" if lacking else "computed", "lacking": "; ".join(r["label"] for r in lacking) or None}
        | {"mark": None}
    )


def _saturation(value: Fraction | None) -> Row:
    return {"saturation": None if value is None else decimal_of(value)}


def _points(points: Fraction | None, most: int) -> Row:
    """Points and their maximum; of a part that is there they are what is reached, else nothing out of nothing."""
    reached = points or Fraction(0)
    there: dict[str, int | Decimal | None] = {"points_p": None, "points_q": None, "points": None}
    if points is not None:
        there = {"points_p": points.numerator, "points_q": points.denominator, "points": decimal_of(points)}
    return there | {
        "max_points": most,
        "reached_p": reached.numerator,
        "reached_q": reached.denominator,
        "reached": decimal_of(reached),
        "reached_max": 0 if points is None else most,
    }
