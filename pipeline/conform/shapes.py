"""What a row below a header is, when it is no dossier and no unit: total, section, note, column numbers, header again.

Such rows are excluded with that reason, never counted; totals are kept to verify the sums. Not here: reading values.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

import polars as pl

from pipeline.declare.text import fold
from pipeline.declare.units import known_spelling, split_name

# the row of column numbers below the header of a form, with formulas or without: (1) | A | (5) = (6)+(7) | 3=4+5
NUMBERING = r"[(\[]?(?:\d{1,2}|[A-Za-zĐđ])[)\]]?\*{0,3}(?:\s*=\s*[\d()+*/., -]+)?"
# folded text of a row that begins with a number or not; "cong" is "cộng" only before these words, else it may be
# "công", and "tong" a total only before these: "Tổng cục …", "Tổng công ty …" are offices
OF = r"don|don vi|cap|so|toan|cac|theo|nhom|phan|muc|trang|khoi|ho so|xa|huyen|[a-d]|[ivx]+|\d+"
SUM = rf"cong(?: (?:{OF})(?: .*|$)|$)"
ALL = rf"tong(?: (?:so|hop|tinh|tat ca|linh vuc|ubnd|{OF})(?: .*|$)|$)|tong cong(?: (?:[^t ]|t[^y]|ty[^ ]).*|$)"
TOTAL = rf"(?:[ivx]+ |\d+ )?(?:{ALL}|(?:luy ke|toan (?:huyen|tinh|xa|thanh pho))(?: .*|$)|{SUM})"
WORKS = re.compile(r"(?:[\W\d_]*|[ivx]+\W+)công\s+\w")  # written out before another word, "công" is no "cộng"
LONGEST_COUNT = 8  # digits: a longer number counts no dossiers, it may be a telephone
COUNT = re.compile(r"\d{1,3}(?:[.,\u00a0 ]\d{3})+|\d+(?:[.,]0+)?")
PERCENT = re.compile(r"(\d+(?:[.,]\d+)?)\s*%?")


def folded_sql(text_sql: str) -> str:
    """`declare.text.fold` in SQL, near enough for words of the Latin alphabet."""
    plain = f"translate(lower(strip_accents(nfc_normalize({text_sql}))), 'đ', 'd')"
    return f"trim(regexp_replace({plain}, '[^a-z0-9]+', ' ', 'g'))"


def is_total(words: str) -> bool:
    written = unicodedata.normalize("NFC", words).lower()
    return re.fullmatch(TOTAL, fold(words)) is not None and not WORKS.match(written)


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


SECTION_UNIT = "section_unit"
BESIDE_SECTION = re.compile(r"(?:[IVXLC]+|[A-ZĐ]|\d{1,6})[.)]?")
FULLEST_SECTION = 3  # filled cells of a section row: its number, its name, a count


def with_section_units(frame: pl.DataFrame, unit: str | None) -> tuple[pl.DataFrame, str | None, bool]:
    """A register's rows with the unit that the section row above them names ("I | UBND xã Gio An"), before the first
    one the given unit; the unit that holds at the end; whether a section named one. No unit at all: no column."""
    cells = [c for c in frame.columns if c not in ("row", "surplus")]
    filled = pl.sum_horizontal(pl.col(cells).fill_null("").str.strip_chars() != "")
    named = [(row[0], name) for row in frame.filter(filled.is_between(1, FULLEST_SECTION)).select("row", *cells).iter_rows()
             if (name := section_unit([c for c in row[1:] if c]))]  # fmt: skip
    if not named and unit is None:
        return frame, None, False
    sections = pl.DataFrame(named, schema={"row": pl.Int64, SECTION_UNIT: pl.String}, orient="row")
    joined = frame.join(sections, on="row", how="left", maintain_order="left")
    above = pl.col(SECTION_UNIT).forward_fill().fill_null(pl.lit(unit, pl.String))
    return joined.with_columns(above), named[-1][1] if named else unit, bool(named)


def section_unit(cells: list[str]) -> str | None:
    """The unit that a row of few cells names, written with its kind; None where it names none, or several."""
    known = {c.strip() for c in cells if known_spelling(c) and split_name(c)[0]}
    rest = [c.strip() for c in cells if c.strip() not in known]
    # anything else beside it (a code, a day) makes it a row of its own: somebody's address is no section
    return next(iter(known)) if len(known) == 1 and all(BESIDE_SECTION.fullmatch(c) for c in rest) else None


def told_count(cells: list[str]) -> int | None:
    """The one count in a total row of a register: "Tổng cộng: 1.234 hồ sơ"; None where there is none, or several."""
    found = {int(re.sub(r"\D", "", n)) for c in cells for n in re.findall(r"\d{1,3}(?:\.\d{3})+|\d+", c)}
    told = next(iter(found)) if len(found) == 1 else None
    return told if told is not None and told < 10**LONGEST_COUNT else None
