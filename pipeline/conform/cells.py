"""A text cell in SQL: without white around it, whether it is filled, the words it may hold.

Not here: which column it stands in and what type that has (rows.py).
"""

from __future__ import annotations

import duckdb

from pipeline.declare.columns import columns

EMPTY_MARKS = "('', '-', '–', '—', 'null', 'NULL', 'N/A')"
OTHER_WHITE = (160, 9, 10, 13)  # no-break space, tab, line ends
# Names an office brings itself. Its length is checked apart: RE2 unrolls a counted class, at 50 times the cost.
OWN_WORDS = r"[\p{L}\p{M}\d ,.;:()&/_–+-]+"
LONGEST_NAME = 300
LONG_NUMBER = r"(\d[ .-]?){9}"  # of a person: identity card, telephone, account
OWN_CODE = r"[A-Za-z0-9._-]{1,40}"
LONG_RUN = r"\d{9}"  # in codes, whose groups of digits stand between dots


def trimmed_cells(con: duckdb.DuckDBPyConnection, texts: dict[str, str]) -> dict[str, str]:
    """Column → its cell in `raw_cells` without white around it (no-break spaces and line breaks too), composed where its
    text is kept as it is. texts: column → cell. Most cells are so already: a column where all are is taken as it stands."""
    composed = {c: cell for c, cell in texts.items() if columns()[c].kind in ("code", "unit", "procedure", "field")}
    asked = [f"coalesce(bool_or({_white(cell)}), FALSE)" for cell in texts.values()]
    asked += [
        f"EXISTS (FROM (SELECT DISTINCT {cell} AS cell FROM raw_cells) WHERE cell <> nfc_normalize(cell))"
        for cell in composed.values()
    ]
    found = con.execute(f"SELECT {', '.join(asked)} FROM raw_cells").fetchall()[0]
    white, loose = dict(zip(texts, found, strict=False)), dict(zip(composed, found[len(texts) :], strict=True))
    made = {}
    for column, cell in texts.items():
        text = f"nfc_normalize({cell})" if loose.get(column) else cell
        made[column] = _trim(text) if white[column] else text
    return made


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def own_name(name: str) -> str:
    fits = f"regexp_full_match({name}, '{OWN_WORDS}') AND NOT regexp_matches({name}, '{LONG_NUMBER}')"
    return f"CASE WHEN length({name}) <= {LONGEST_NAME} AND {fits} THEN {name} END"


def own_code(name: str, pattern: str | None) -> str:
    fits = f"regexp_full_match({name}, '{pattern or OWN_CODE}') AND NOT regexp_matches({name}, '{LONG_RUN}')"
    return f"CASE WHEN {fits} THEN {name} END"


def _white(cell: str) -> str:
    """Whether a cell has white around it, or other white than spaces in it."""
    inside = " OR ".join(f"contains({cell}, chr({white}))" for white in OTHER_WHITE)
    return f"{inside} OR starts_with({cell}, ' ') OR ends_with({cell}, ' ')"


def _trim(text: str) -> str:
    for white in OTHER_WHITE:  # cheaper than trim() with a set of characters
        text = f"replace({text}, chr({white}), ' ')"
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
