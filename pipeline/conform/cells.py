"""A text cell in SQL: without white around it, whether it is filled, the words it may hold.

Not here: which column it stands in and what type that has (rows.py).
"""

from __future__ import annotations

import polars as pl

from pipeline.declare.columns import columns

EMPTY_MARKS = ("", "-", "–", "—", "null", "NULL", "N/A")
OTHER_WHITE = "\u00a0\t\n\r"
KEPT_AS_WRITTEN = ("code", "unit", "procedure", "field")
LOOKED_AT = 20_000  # cells of a column, to see whether it has few texts: an office has some thousand procedures
# Names an office brings itself. Its length is checked apart: RE2 unrolls a counted class, at 50 times the cost.
OWN_WORDS = r"[\p{L}\p{M}\d ,.;:()&/_–+-]+"
LONGEST_NAME = 300
LONG_NUMBER = r"(\d[ .-]?){9}"  # of a person: identity card, telephone, account
OWN_CODE = r"[A-Za-z0-9._-]{1,40}"
LONG_RUN = r"\d{9}"  # in codes, whose groups of digits stand between dots


def clean_cells(frame: pl.DataFrame, texts: dict[str, str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Column → SQL of its cell without white around it (no-break spaces and line breaks too), composed where its text is
    kept as it is, null where it only marks emptiness. texts: column → cell of the frame. Most cells are so already: a
    column where all are is taken as it stands. And of those columns that are, and hold few texts: column → its texts."""
    clean, few = {}, {}
    for column, cell in texts.items():
        cells = frame[cell]
        once = cells.unique() if cells.head(LOOKED_AT).n_unique() * 5 < LOOKED_AT else None
        clean[column] = _clean(cell, column, cells if once is None else once)
        if once is not None and clean[column] == cell:
            few[column] = once.drop_nulls().sort().to_list()
    return clean, few


def _clean(cell: str, column: str, values: pl.Series) -> str:
    text, white = cell, _some_white(values)
    if columns()[column].kind in KEPT_AS_WRITTEN and not _composed(values):
        text = f"nfc_normalize({text})"
    if white:
        text = _trim(text)
    if white or values.is_in(EMPTY_MARKS).any():
        marks = ", ".join(map(literal, EMPTY_MARKS))
        return f"CASE WHEN {text} NOT IN ({marks}) THEN {text} END"
    return text


def _some_white(values: pl.Series) -> bool:
    """Whether one has white around it, or other white than spaces in it."""
    if values.str.starts_with(" ").any() or values.str.ends_with(" ").any():
        return True
    all_of_them = values.str.join("").item() or ""  # to look through one text takes half as long as through each
    return any(white in all_of_them for white in OTHER_WHITE)


def _composed(values: pl.Series) -> bool:
    plain = values.str.len_bytes().sum() == values.str.len_chars().sum()  # ASCII
    return plain or not bool((values.str.normalize("NFC") != values).any())


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def own_name(name: str) -> str:
    fits = f"regexp_full_match({name}, '{OWN_WORDS}') AND NOT regexp_matches({name}, '{LONG_NUMBER}')"
    return f"CASE WHEN length({name}) <= {LONGEST_NAME} AND {fits} THEN {name} END"


def own_code(name: str, pattern: str | None) -> str:
    fits = f"regexp_full_match({name}, '{pattern or OWN_CODE}') AND NOT regexp_matches({name}, '{LONG_RUN}')"
    return f"CASE WHEN {fits} THEN {name} END"


def _trim(text: str) -> str:
    for white in OTHER_WHITE:  # cheaper than trim() with a set of characters
        text = f"replace({text}, chr({ord(white)}), ' ')"
    return f"trim({text})"


def filled(cells: list[str]) -> str:
    """Whether some cell of a row is filled. What begins with a letter or digit is, which tells it of nearly all rows
    cheaply; only what begins with white has to be looked at."""
    return " OR ".join([f"{c} >= '!'" for c in cells] + [f"trim({c}) <> ''" for c in cells])


def case(name: str, words: dict[str, str], flag: bool = False) -> str:
    if not words:
        return "CAST(NULL AS BOOLEAN)" if flag else "CAST(NULL AS VARCHAR)"
    arms = " ".join(f"WHEN {literal(w)} THEN {v if flag else literal(v)}" for w, v in sorted(words.items()))
    return f"CASE {name} {arms} END"
