"""What a row below a header is, when it is no dossier and no unit: total, section, note, column numbers, header again.

Such rows are excluded with that reason, never counted; totals are kept to verify the sums. Not here: reading values.
"""

from __future__ import annotations

import re
from fractions import Fraction

from pipeline.declare.text import fold

# the row of column numbers below the header of a form, with formulas or without: (1) | A | (5) = (6)+(7) | 3=4+5
NUMBERING = r"[(\[]?(?:\d{1,2}|[A-Za-zĐđ])[)\]]?\*{0,3}(?:\s*=\s*[\d()+*/., -]+)?"
# folded text of a row that begins with a number or not; "cong" is "cộng" only before these words, else it may be
# "công": a field, an office
SUM = r"cong(?: (?:don|cap|so|toan|cac|theo|nhom|phan|muc|trang|khoi|ho so|xa|huyen|[a-d]|[ivx]+|\d+)(?: .*|$)|$)"
TOTAL = rf"(?:[ivx]+ |\d+ )?(?:(?:tong(?: so| cong| hop)?|luy ke|toan (?:huyen|tinh|xa|thanh pho))(?: .*|$)|{SUM})"
COUNT = re.compile(r"\d{1,3}(?:[.,\u00a0 ]\d{3})+|\d+(?:[.,]0+)?")
PERCENT = re.compile(r"(\d+(?:[.,]\d+)?)\s*%?")


def folded_sql(text_sql: str) -> str:
    """`declare.text.fold` in SQL, near enough for words of the Latin alphabet."""
    plain = f"translate(lower(strip_accents(nfc_normalize({text_sql}))), 'đ', 'd')"
    return f"trim(regexp_replace({plain}, '[^a-z0-9]+', ' ', 'g'))"


def is_total(words: str) -> bool:
    return re.fullmatch(TOTAL, fold(words)) is not None


def is_numbering(cells: list[str]) -> bool:
    """Whether the filled cells of a row are column numbers: three or more, rising one by one where they are numbers."""
    filled = [c.strip() for c in cells if c.strip()]
    if len(filled) < 3 or not all(re.fullmatch(NUMBERING, c) for c in filled):
        return False
    numbers = [int(found[0]) for c in filled if (found := re.match(r"\d{1,2}", c.lstrip("([")))]
    return len(numbers) >= 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def count_of(text: str) -> int | None:
    """A count as offices write it: "1.234", "1,234", "04", "5.0" from a workbook; None where it is none."""
    text = text.strip()
    if not COUNT.fullmatch(text):
        return None
    if re.fullmatch(r"\d{1,3}(?:[.,\u00a0 ]\d{3})+", text):
        return int(re.sub(r"\D", "", text))
    return int(re.split("[.,]", text)[0])


def percent_of(text: str) -> tuple[Fraction, int] | None:
    """A percentage as (value in percent, printed decimals): "99,95%", "77,53 %", "100"; None where it is none."""
    found = PERCENT.fullmatch(text.strip())
    if not found:
        return None
    number = found[1].replace(",", ".")
    return Fraction(number), len(number.partition(".")[2])


def told_count(cells: list[str]) -> int | None:
    """The one count in a total row of a register: "Tổng cộng: 1.234 hồ sơ"; None where there is none, or several."""
    found = {int(re.sub(r"\D", "", n)) for c in cells for n in re.findall(r"\d{1,3}(?:\.\d{3})+|\d+", c)}
    return next(iter(found)) if len(found) == 1 else None
