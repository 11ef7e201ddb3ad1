"""The section's sentences, from a book and the declared words: which are said, and with which figures.

Not here: what a placeholder means (scope), tables (table), the order of the whole (build).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipeline.declare import report_section as plan
from pipeline.declare.report_section import Chosen, Said
from pipeline.declare.rules import OURS
from pipeline.report.book import Book
from pipeline.report.section.model import Figure, Sentence
from pipeline.report.section.returned import named
from pipeline.report.section.scope import Scope, whole_number

OPTIONAL = re.compile(r"\[(>0)?([^\[\]]*)\]")
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
OF_UNITS = ("{it.threshold}", "{it.basis}", "{missing}")  # told of units in a list, not of the whole
JUDGED = ("met", "not_met")


class NotKnown(Exception):
    """A figure in the words is not known."""


def fill(words: str, scope: Scope, more: dict[str, tuple[str, tuple[Figure, ...]]] | None = None) -> Sentence:
    """The words with their figures; brackets go where a figure in them is not known (or is 0). `more`: placeholders that
    the caller tells. Raises NotKnown for one outside of brackets."""

    def put(piece: str) -> tuple[str, list[Figure]]:
        found: list[Figure] = []

        def one(match: re.Match[str]) -> str:
            if match[1] in (more or {}):
                text, figures = (more or {})[match[1]]
                found.extend(figures)
                return text
            figure = scope.get(match[1])
            if figure is None:
                raise NotKnown(match[1])
            found.append(figure)
            return figure.display

        return PLACEHOLDER.sub(one, piece), found

    text, figures, at = "", [], 0
    for match in [*OPTIONAL.finditer(words), None]:
        told, found = put(words[at : match.start() if match else None])
        text, figures = text + told, figures + found
        if match is None:
            break
        at = match.end()
        try:
            told, found = put(match[2])
        except NotKnown:
            continue
        if not (match[1] and all(figure.value == 0 for figure in found)):
            text, figures = text + told, figures + found
    return Sentence("", text, None, tuple(figures))


# ---- which units a sentence is about


def choose(scope: Scope, chosen: Chosen) -> list[Scope]:
    """The units that fit: highest rate first where an indicator is spoken of, then in their order."""
    book = scope.book
    found = []
    for unit_id, row in (book.leaves or {book.top: book.whole}).items():
        one = scope.about(unit_id)
        count = book.count(unit_id) or {}
        if (
            (not chosen.verdict or one.verdict() in chosen.verdict)
            and (not chosen.coverage or row["coverage"] in chosen.coverage)
            and (not chosen.basis or row["basis"] in chosen.basis)
            and (chosen.no is None or count.get(chosen.no) == 0)
        ):
            found.append(one)
    if not scope.of:
        return found
    rows = {one.unit_id: book.rate(one.unit_id, scope.of) or {"value": None} for one in found}
    values = {unit_id: Decimal(-1) if r["value"] is None else r["value"] for unit_id, r in rows.items()}
    return sorted(found, key=lambda one: values[one.unit_id], reverse=True)  # equal rates stay in the order of units


def missed(book: Book, lang: str) -> list[Scope]:
    """Every unit and indicator below its threshold, by indicator as declared, lowest rate last."""
    found = []
    for indicator in dict.fromkeys(indicator for _, indicator in book.rates[book.period.key]):
        found += choose(Scope(book, lang, book.top, indicator), Chosen(verdict=("not_met",)))
    return found


# ---- what is said


def holds(scope: Scope, when: tuple[str, ...]) -> bool:
    """Whether all conditions hold (their words: report_sentences.toml)."""
    return all(_holds(scope, *condition.split(" ")) for condition in when)


def _holds(scope: Scope, word: str, name: str, other: str = "") -> bool:
    if word in ("differ", "agree"):
        both = scope.get(name), scope.get(other)
        known = [figure.value for figure in both if figure is not None]
        return len(known) == 2 and (known[0] == known[1]) == (word == "agree")
    if word in ("is", "not"):
        return _flag(scope, name) == (word == "is")
    if word in ("nothing", "missing"):
        return scope.verdict(name) == {"nothing": "nothing_arisen", "missing": "no_data"}[word]
    figure = scope.get(name)
    if word in ("known", "unknown"):
        return (figure is not None) == (word == "known")
    return figure is not None and (figure.value in (0, None)) == (word == "no")


def _flag(scope: Scope, name: str) -> bool:
    book, row = scope.book, scope.row
    match name:
        case "parts":
            return len(book.leaves) > 1
        case "full" | "partial" | "no_data":
            return row["coverage"] == name
        case "reported":
            return row["basis"] == name
        case "sealed":
            return row["seal"] is not None
        case "passed_over":
            return book.passed_over is not None
        case "other_rules":
            return book.rules != OURS
        case "as_known":
            return book.as_known is not None
        case "then_partial":
            then = book.count(scope.unit_id, scope.then)
            return then is not None and then["coverage"] == "partial"
        case "target":
            return bool(choose(scope, Chosen(verdict=JUDGED)))
        case "any_target":
            return any(r["verdict"] in JUDGED for r in book.rates[book.period.key].values())
        case "returned":
            told = scope.returned.figures if scope.returned else {}
            return any(row["told"] for key, row in told.items() if key[0] in named())
        case "compared":
            before = (book.count(scope.unit_id, period) for period in (book.earlier, book.a_year_earlier))
            return any(then is not None and then["total"] is not None for then in before)
        case "missed":
            return bool(missed(book, scope.lang))
    raise KeyError(name)


def say(said: Said, scope: Scope, prefix: str) -> Iterator[Sentence]:
    """The sentence where it holds: once, or, where it names the threshold of the units that it lists or what they lack,
    once for those that have the same."""
    if not holds(scope, said.when):
        return
    words = said.words[scope.lang]
    name = f"{prefix}.{said.id}"
    if said.units is None:
        lists: list[list[Scope] | None] = [None]
    else:
        units = choose(scope, said.units)
        if bool(units) == said.units.none:
            return
        lists = list(_alike(units, words))
    for units in lists:
        if said.units and not _fits(said.units, units or []):
            continue
        try:
            filled = _with_units(said, words, scope, units)
        except NotKnown:
            continue
        yield Sentence(name, filled.text, scope.unit_id, filled.figures)


def _fits(chosen: Chosen, units: list[Scope]) -> bool:
    """Whether a sentence for few, or for many, units is for so many."""
    many = len(units) > plan.longest_list()
    return not (chosen.few and many) and not (chosen.many and not many)


def _with_units(said: Said, words: str, scope: Scope, units: list[Scope] | None) -> Sentence:
    if not units:
        told = len(missed(scope.book, scope.lang)) if "{n_missed}" in words else 0
        figure = whole_number("n_missed", told, scope.lang)
        return fill(words, scope, {"n_missed": (figure.display, (figure,))})
    items = [fill(said.item[scope.lang], one) for one in units] if "{units}" in words else []
    n = whole_number("n", len(units), scope.lang)
    more: dict[str, Any] = {
        "n": (n.display, (n,)),
        "units": ("; ".join(i.text for i in items), tuple(f for i in items for f in i.figures)),
    }
    # threshold and lack are those of the units told of, not of the whole
    speaker = units[0] if any(name in words for name in OF_UNITS) else scope
    return fill(words, speaker, more)


def _alike(units: list[Scope], words: str) -> Iterator[list[Scope]]:
    """The units by what the words say of all of them; in one list where they say nothing of the kind."""
    groups: dict[tuple[str, ...], list[Scope]] = {}
    for one in units:
        told = [one.get(name.strip("{}")) for name in OF_UNITS if name in words]
        groups.setdefault(tuple(figure.display if figure else "" for figure in told), []).append(one)
    yield from groups.values() or [[]]
