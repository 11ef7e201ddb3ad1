"""A text cell in SQL: without white around it, whether it is filled, the words it may hold.

Not here: which column it stands in and what type that has (rows.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import duckdb
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
MOST_ANSWERED = 20_000  # texts of which an answer is kept, of each question
LONG_RUN = r"\d{9}"  # in codes, whose groups of digits stand between dots


def clean_cells(frame: pl.DataFrame, texts: dict[str, str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Column → SQL of its cell without white around it (no-break spaces and line breaks too), composed where its text is
    kept as it is, null where it only marks emptiness. texts: column → cell of the frame. Most cells are so already: a
    column where all are is taken as it stands. And of those columns that are, and hold few texts: column → its texts."""
    cells = list(dict.fromkeys(texts.values()))
    kinds = frame.head(LOOKED_AT).select(pl.col(cells).n_unique()).row(0, named=True) if cells else {}
    few = [cell for cell in cells if kinds[cell] * 5 < LOOKED_AT]
    once = frame.select(pl.col(few).unique().implode())
    several = {cell: (once, pl.col(cell).explode()) if cell in few else (frame, pl.col(cell)) for cell in cells}
    looks = _of_each(several, _looks)
    written = {cell for column, cell in texts.items() if columns()[column].kind in KEPT_AS_WRITTEN}
    loose = _of_each({cell: several[cell] for cell in written if not looks[cell]["ascii"]}, _loose)
    clean = {column: _clean(cell, loose.get(cell, False), looks[cell]) for column, cell in texts.items()}
    taken = {column: cell for column, cell in texts.items() if cell in few and clean[column] == cell}
    listed = once.select(pl.col(set(taken.values())).list.drop_nulls().list.sort()).to_dict(as_series=False)
    return clean, {column: listed[cell][0] for column, cell in taken.items()}


def _of_each(cells: dict[str, tuple[pl.DataFrame, pl.Expr]], look: Callable[[pl.Expr], pl.Expr]) -> dict[str, Any]:
    """Of each cell what is asked of its values, which are an expression over a frame: asked of all in a frame at once, as
    to put a question takes longer than to answer it of a small file."""
    found = {}
    for frame in {id(frame): frame for frame, _ in cells.values()}.values():
        asked = [look(values).alias(cell) for cell, (its, values) in cells.items() if its is frame]
        found |= frame.select(asked).row(0, named=True)
    return found


def _looks(values: pl.Expr) -> pl.Expr:
    """white: whether one has white around it, or other white than spaces in it. empty: whether one only marks emptiness.
    ascii: whether all are."""
    around = values.str.starts_with(" ").any() | values.str.ends_with(" ").any()
    within = values.str.join("").str.contains_any(list(OTHER_WHITE)).any()  # as one text, which takes half as long
    ascii_alone = values.str.len_bytes().sum() == values.str.len_chars().sum()
    return pl.struct(white=around | within, empty=values.is_in(EMPTY_MARKS).any(), ascii=ascii_alone)


def _loose(values: pl.Expr) -> pl.Expr:
    """Whether one is not composed."""
    return (values.str.normalize("NFC") != values).any()


def _clean(cell: str, loose: bool, looks: dict[str, bool]) -> str:
    """SQL of a cell. loose: whether some text is to be composed."""
    text = f"nfc_normalize({cell})" if loose else cell
    if looks["white"]:
        text = _trim(text)
    if looks["white"] or looks["empty"]:
        marks = ", ".join(map(literal, EMPTY_MARKS))
        return f"CASE WHEN {text} NOT IN ({marks}) THEN {text} END"
    return text


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def own_name(name: str) -> str:
    fits = f"regexp_full_match({name}, '{OWN_WORDS}') AND NOT regexp_matches({name}, '{LONG_NUMBER}')"
    return f"CASE WHEN length({name}) <= {LONGEST_NAME} AND {fits} THEN {name} END"


def own_code(name: str, pattern: str | None) -> str:
    fits = f"regexp_full_match({name}, '{pattern or OWN_CODE}') AND NOT regexp_matches({name}, '{LONG_RUN}')"
    return f"CASE WHEN {fits} THEN {name} END"


def without_unfit(con: duckdb.DuckDBPyConnection, name: str, texts: list[str], fits: Callable[[str], str]) -> str:
    """A column without those of its texts that do not fit. texts: all of them, each asked once, also of several files. fits:
    the SQL of a text as far as it fits."""
    asked = f"({fits('text')}) IS NOT NULL"
    known = _answered(asked)
    told = {}
    if new := [text for text in texts if text not in known]:
        told = dict(con.execute(f"SELECT text, {asked} FROM (SELECT unnest(?::VARCHAR[]) AS text)", [new]).fetchall())
        if len(known) < MOST_ANSWERED:
            known.update(told)
    unfit = [literal(text) for text in texts if not told.get(text, known.get(text))]
    return f"CASE WHEN {name} NOT IN ({', '.join(unfit)}) THEN {name} END" if unfit else name


@cache
def _answered(asked: str) -> dict[str, bool]:
    """Text → whether it fits, of those that were asked before: the files of a night hold much the same units and fields."""
    return {}


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
