"""A cell of a return → a typed value: a number with how exact it is, a word, a day, a document's number.

Numbers and days are read by the way in which the file writes those that are known (the probes), because "33.351" is a
decimal in a workbook's own cells and a count of thousands in a Vietnamese text, and a CSV may have the month first. Free
text never passes.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from pipeline.conform.cells import LONG_NUMBER
from pipeline.declare.return_sheet import DAY_PROBE, PROBE
from pipeline.declare.returns import Measure, document_example, document_pattern, qualifiers
from pipeline.declare.sources import DATE_FORMATS
from pipeline.declare.text import Text, fold, shape

MONTH_FIRST = tuple(pattern.replace("%d/%m", "%m/%d") for pattern in DATE_FORMATS)
EMPTY = ("", "-", "–", "—", "null", "n/a")
HARMLESS = re.compile(r"[-+]?[\d.,\s]{1,20}%?")
MOST_DIGITS = 8  # of a count: a longer number may be somebody's
MOST_WHOLE = 12  # digits before the decimal mark
NOISE = Decimal("0.000001")  # what a workbook's sums are off by
PLAIN = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
BOUNDS = {"<": "at_most", "≤": "at_most", ">": "at_least", "≥": "at_least", "~": "about", "≈": "about", "+": "at_least"}


@dataclass(frozen=True)
class Figure:
    """number, word, day: at most one is told. qualifier: of a number that is not exact."""

    number: Decimal | None = None
    word: str | None = None
    day: date | None = None
    qualifier: str | None = None

    @property
    def told(self) -> bool:
        return self != NOTHING


NOTHING = Figure()


@dataclass(frozen=True)
class Unread:
    """expected: what may stand in the cell. found: the text where it is harmless, else its shape."""

    expected: Text
    found: str


@dataclass(frozen=True)
class Numbers:
    """How a file writes numbers and days. decimal: its mark; None: not known, what has one mark and three digits is
    unread. typed: they come from number cells, so that a comma can only be somebody's text. month_first: of days."""

    decimal: str | None
    typed: bool = False
    month_first: bool = False


def numbers_of(probes: list[str]) -> Numbers:
    """By the texts of the cells that held PROBE and DAY_PROBE."""
    known = Numbers(None)
    for probe in (re.sub(r"[\s\u00a0\u202f]", "", text) for text in probes):
        found = re.fullmatch(r"1([.,' ]?)234([.,])50*", probe)
        if probe == str(PROBE):
            known = replace(known, decimal=".", typed=True)
        elif found and found[1] != found[2]:
            known = replace(known, decimal=found[2])
        elif probe == f"{DAY_PROBE:%m/%d/%Y}":
            known = replace(known, month_first=True)
    return known


def read_cell(text: str, measure: Measure, numbers: Numbers) -> Figure | Unread:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if text.lower() in EMPTY:
        return NOTHING
    if measure.is_number:
        return _number(text, measure, numbers)
    if measure.words:
        word = next((w.value for w in measure.words.values() if fold(text) in w.words | {fold(w.label.vi), fold(w.label.en)}), None)  # fmt: skip
        return Figure(word=word) if word else Unread(_words(measure), shape(text))
    if measure.kind == "date":
        day = read_day(text, numbers)
        return Figure(day=day) if day else Unread(Text("ngày, ví dụ 31/08/2023", "a day, e.g. 31/08/2023"), shape(text))
    if re.fullmatch(document_pattern(), text):
        return Figure(word=text)
    example = document_example()
    return Unread(Text(f"số văn bản, ví dụ {example}", f"a document's number, e.g. {example}"), shape(text))


def read_qualifier(text: str) -> str | Unread | None:
    """The word beside a figure: null where it is exact or nothing is said."""
    if text.strip().lower() in EMPTY:
        return None
    found = next((q.value for q in qualifiers().values() if fold(text) in q.words), None)
    if found is None:
        words = ", ".join(q.label.vi for q in qualifiers().values())
        return Unread(Text(words, ", ".join(q.label.en for q in qualifiers().values())), shape(text))
    return None if found == "exact" else found


def read_day(text: str, numbers: Numbers) -> date | None:
    """Day first, unless the file is known to write the month first."""
    for pattern in MONTH_FIRST if numbers.month_first else DATE_FORMATS:
        try:
            return datetime.strptime(text.strip(), pattern).date()
        except ValueError:
            continue
    return None


def split_qualifier(text: str) -> tuple[str | None, str]:
    """ "hơn 6.000" → ("at_least", "6.000"); a text without such a word → (None, text)."""
    text = text.strip()
    if text[:1] in BOUNDS:
        return BOUNDS[text[0]], text[1:].strip()
    if text[-1:] == "+":
        return "at_least", text[:-1].strip()
    digits = re.search(r"\d", text)
    if digits is None or digits.start() == 0:
        return None, text
    words = fold(text[: digits.start()])
    found = next((q.value for q in qualifiers().values() if words in q.words), None)
    return (found, text[digits.start() :]) if found else (None, text)


def parse_number(text: str, numbers: Numbers, digits: int) -> Decimal | None:
    """A number as written; None where it is none, or where two readings are possible. digits: the most it may have
    behind the decimal mark, as far as that decides how "8.134" is meant."""
    text = re.sub(r"[\s\u00a0\u202f]", "", text)
    if numbers.typed and PLAIN.fullmatch(text) and (digits or not re.fullmatch(r"\d{1,3}\.\d{3}", text)):
        return _decimal(text)
    mark = "," if numbers.typed else numbers.decimal
    grouped = re.fullmatch(r"\d{1,3}(?:([.,])\d{3})+(?:([.,])\d+)?", text)
    if digits == 0 and grouped and grouped[2] is None and len(set(re.findall("[.,]", text))) == 1:
        return _decimal(re.sub("[.,]", "", text))  # a count has no decimals: any mark stands between thousands
    if mark is None:
        if re.fullmatch(r"\d+", text):
            return _decimal(text)
        both = re.fullmatch(r"\d{1,3}(?:([.,])\d{3})*([.,])\d+", text)
        last = both and both[2]
        if not both or both[1] == last or (both[1] is None and re.fullmatch(r"\d{1,3}[.,]\d{3}", text)):
            return None
        mark = last
    between = "." if mark == "," else ","
    if not re.fullmatch(rf"(?:\d+|\d{{1,3}}(?:\{between}\d{{3}})+)(?:\{mark}\d+)?", text):
        return None
    return _decimal(text.replace(between, "").replace(str(mark), "."))


def _decimal(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _number(text: str, measure: Measure, numbers: Numbers) -> Figure | Unread:
    qualifier, rest = split_qualifier(text) if measure.approx else (None, text)
    found = parse_number(rest, numbers, measure.digits)
    rounded = (
        found.quantize(Decimal(1).scaleb(-measure.digits)) if found is not None and found < 10**MOST_WHOLE else None
    )
    fits = found is not None and rounded is not None and abs(found - rounded) < NOISE
    digits = re.sub(r"\D", "", rest)
    if not fits or (measure.kind == "count" and (rounded >= 10**MOST_DIGITS or (digits[:1] == "0" and len(digits) > MOST_DIGITS))):  # fmt: skip
        return Unread(_number_words(measure), text if harmless(text) else shape(text))
    return Figure(number=rounded, qualifier=None if qualifier == "exact" else qualifier)


def harmless(text: str) -> bool:
    """Whether a text may be shown: a number that cannot be a person's."""
    return HARMLESS.fullmatch(text) is not None and not re.search(LONG_NUMBER, text)


def _words(measure: Measure) -> Text:
    labels = [w.label for w in measure.words.values()]
    return Text("; ".join(t.vi for t in labels), "; ".join(t.en for t in labels))


def _number_words(measure: Measure) -> Text:
    if measure.kind == "count":
        return Text("số nguyên không âm, ví dụ 1234", "a whole number, 0 or more, e.g. 1234")
    example = "1.234," + "567890"[: measure.digits]
    return Text(
        f"số không âm, nhiều nhất {measure.digits} chữ số thập phân, ví dụ {example}",
        f"a number, 0 or more, at most {measure.digits} decimals, e.g. {example}",
    )
