"""How figures are written for people: rounded once, half-up, here; Vietnamese `8.134` and `99,95 %`."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from pipeline.declare.figures import indicators
from pipeline.declare.text import Text

NOTHING = Text("không phát sinh", "nothing arisen")
NO_DATA = Text("không có số liệu", "no data")
COVERAGE = {
    "full": Text("đủ", "full"),
    "partial": Text("một phần", "partial"),
    "no_data": Text("không có số liệu", "no data"),
}
BASIS = {  # figures of registers need no word
    "reported": Text("theo bảng tổng hợp", "as reported"),
    "mixed": Text("có cả bảng tổng hợp", "with summaries"),
}
VERDICT = {
    "met": Text("đạt", "met"),
    "not_met": Text("chưa đạt", "not met"),
    "undecided": Text("số ước lượng, chưa kết luận được", "not exact enough to tell"),
    "no_target": Text("không có chỉ tiêu", "no target"),
    "nothing_arisen": NOTHING,
    "no_data": NO_DATA,
    "rejected": Text("từ chối", "rejected"),
    "excluded": Text("loại", "excluded"),
    "notice": Text("lưu ý", "notice"),
    "counted": Text("được tính", "counted"),
}
OPERATOR = {">": ">", ">=": "≥", "<": "<", "<=": "≤"}


def half_up(value: Decimal | Fraction | int, digits: int) -> Decimal:
    """Rounded half-up to that many decimals; a fraction is rounded exactly, never by way of a float."""
    if isinstance(value, Fraction):
        scaled = value * 10**digits
        whole, rest = divmod(abs(scaled.numerator), scaled.denominator)
        whole += 1 if rest * 2 >= scaled.denominator else 0
        return Decimal(whole if scaled >= 0 else -whole).scaleb(-digits)
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def number(value: int | Decimal | None, lang: str, digits: int = 0) -> str:
    """`8.134` or `4,42` (vi), `8,134` or `4.42` (en); a dash where there is no number."""
    if value is None:
        return "–"
    text = f"{half_up(value, digits):,.{digits}f}"
    return text if lang == "en" else text.translate(str.maketrans(",.", ".,"))


def percent(numerator: int, denominator: int, lang: str, digits: int = 2) -> str:
    """`99,95 %`; nothing arisen where the denominator is 0."""
    if denominator == 0:
        return NOTHING[lang]
    text = f"{half_up(Fraction(numerator * 100, denominator), digits):.{digits}f}"
    return f"{text} %" if lang == "en" else f"{text.replace('.', ',')} %"


def threshold(row: dict[str, Any], lang: str) -> str:
    """`> 70 %`, `≥ 99,5 %`: of a row of `motcua indicators`, to as many decimals as it was declared with; a dash where
    none is in force."""
    if row["threshold"] is None:
        return "–"
    value = (Decimal(row["threshold"]) * 100).normalize()
    return f"{OPERATOR[row['operator']]} {number(value, lang, max(0, -int(value.as_tuple().exponent)))} %"


def indicator_value(row: dict[str, Any], lang: str) -> str:
    """The value of a row of `motcua indicators`: a percentage, a number of days to two decimals, a whole sum."""
    kind = indicators()[row["indicator"]].kind
    if row["verdict"] in ("nothing_arisen", "no_data"):
        return VERDICT[row["verdict"]][lang]
    if kind in ("rate", "count_ratio"):
        return percent(row["numerator"], row["denominator"], lang)
    return number(row["value"], lang, 0 if kind == "sum" else 2)


def day(value: date | None, lang: str) -> str:
    """`14/09/2023` (vi), `2023-09-14` (en)."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%d/%m/%Y %H:%M}" if lang == "vi" else f"{value:%Y-%m-%d %H:%M}"
    return f"{value:%d/%m/%Y}" if lang == "vi" else value.isoformat()


def cell(value: Any, lang: str) -> str:
    """Any value of a row, for a table on the screen."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return ("có" if value else "không") if lang == "vi" else ("yes" if value else "no")
    if isinstance(value, int):
        return number(value, lang)
    if isinstance(value, date):
        return day(value, lang)
    if isinstance(value, Decimal):
        return number(value, lang, 2)
    return str(value)
