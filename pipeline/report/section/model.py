"""What the section consists of: headings, paragraphs of sentences, tables, pictures; each figure with its cells.

Not here: making it from a book (tell, table), writing it (as_text, word).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cell:
    """Where a figure stands in the release: figure is a count of `motcua stats` or an indicator; part: numerator,
    denominator, unknown, threshold, needed, verdict (None: the figure itself).

    of_return: the figure is of a return (RETURN[.LINE].MEASURE), among its figures or its indicators; where: file,
    sheet and cell in which it was told (None: a sum, or it follows from others).
    """

    period: str
    unit_id: str
    figure: str
    part: str | None = None
    of_return: str | None = None
    where: str | None = None

    @property
    def explain(self) -> str:
        """The command that explains it, or shows it."""
        at = f"--period {self.period} --unit {shlex.quote(self.unit_id)}"
        if self.of_return is None:
            return f"motcua explain {self.figure} {at}"
        return f"motcua returns {at}" + (" --indicators" if self.of_return == "indicators" else "")

    def told(self) -> dict[str, Any]:
        told = {"period": self.period, "unit_id": self.unit_id, "figure": self.figure, "part": self.part}
        told |= {"of_return": self.of_return, "where": self.where}
        return {key: value for key, value in told.items() if value is not None} | {"explain": self.explain}


@dataclass(frozen=True)
class Figure:
    """A figure, or another fact, as it is shown.

    name: the placeholder. value: exact, a whole number or a decimal text; None where it is not known, nothing arose, or
    it is no number. cells: what it is read from (two where it is a change; none where it is a fact of the release: a
    day, a name, the number of units listed).
    """

    name: str
    display: str
    value: int | str | None = None
    numerator: int | None = None
    denominator: int | None = None
    cells: tuple[Cell, ...] = ()

    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = {"name": self.name, "display": self.display}
        if self.cells:
            told |= {"value": self.value}
        if self.denominator is not None:
            told |= {"numerator": self.numerator, "denominator": self.denominator}
        return told | ({"cells": [cell.told() for cell in self.cells]} if self.cells else {})


@dataclass(frozen=True)
class Sentence:
    """unit_id: of which unit or sum it speaks (None: a table's caption). figures: in the order in which they stand in the
    text; what is not of them is the declared wording."""

    id: str
    text: str
    unit_id: str | None
    figures: tuple[Figure, ...]

    def told(self) -> dict[str, Any]:
        figures = [f.told() for f in self.figures]
        return {"id": self.id, "unit_id": self.unit_id, "text": self.text, "figures": figures}


@dataclass(frozen=True)
class Heading:
    number: str
    text: str

    def told(self) -> dict[str, Any]:
        return {"kind": "heading", "number": self.number, "text": self.text}


@dataclass(frozen=True)
class Paragraph:
    """style: body, item (after a dash), sub (a line above others)."""

    style: str
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        return " ".join(s.text for s in self.sentences)

    def told(self) -> dict[str, Any]:
        return {"kind": "paragraph", "style": self.style, "sentences": [s.told() for s in self.sentences]}


@dataclass(frozen=True)
class Head:
    """A column's heading; group: what stands above it and its neighbours. width: mm."""

    text: str
    group: str | None
    width: int


@dataclass(frozen=True)
class Line:
    """A row of a table. sum: whether it adds up others."""

    label: Figure
    cells: tuple[Figure, ...]
    sum: bool

    def told(self) -> dict[str, Any]:
        return {"label": self.label.told(), "sum": self.sum, "cells": [c.told() for c in self.cells]}


@dataclass(frozen=True)
class Table:
    """title: number and caption. heads: the first is that of the labels. note: a line below it."""

    id: str
    number: int
    title: str
    caption: Sentence
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    note: str | None

    def told(self) -> dict[str, Any]:
        heads = [{"group": h.group, "text": h.text} for h in self.heads]
        told: dict[str, Any] = {"kind": "table", "id": self.id, "number": self.number, "title": self.title}
        told |= {"caption": self.caption.told(), "heads": heads}
        return told | {"lines": [line.told() for line in self.lines], "note": self.note}


@dataclass(frozen=True)
class Picture:
    name: str

    def told(self) -> dict[str, Any]:
        return {"kind": "picture", "name": self.name}


Piece = Heading | Paragraph | Table | Picture


@dataclass(frozen=True)
class Section:
    """foot: the line about the release."""

    lang: str
    number: str
    title: str
    subtitle: Sentence
    foot: Sentence
    pieces: tuple[Piece, ...]

    @property
    def sentences(self) -> dict[str, str]:
        """Text by id; of sentences that are said several times, of all levels say, one after the other."""
        told: dict[str, str] = {}
        for piece in self.pieces:
            for sentence in piece.sentences if isinstance(piece, Paragraph) else ():
                told[sentence.id] = f"{told[sentence.id]} {sentence.text}" if sentence.id in told else sentence.text
        return told

    def told(self) -> dict[str, Any]:
        head = {"number": self.number, "title": self.title, "subtitle": self.subtitle.told()}
        return head | {"foot": self.foot.told(), "pieces": [piece.told() for piece in self.pieces]}
