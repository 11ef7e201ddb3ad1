"""The whole section I.3 of a book, part by part as declared, numbered as it comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipeline.declare import report_section as plan
from pipeline.declare.report_section import Block, Part
from pipeline.report.book import Book
from pipeline.report.section.model import Heading, Paragraph, Picture, Piece, Section, Sentence, Table
from pipeline.report.section.returned import Returned, tables
from pipeline.report.section.scope import Scope
from pipeline.report.section.table import levels, table
from pipeline.report.section.tell import fill, holds, say


def section(book: Book, lang: str = "vi", told: Returned | None = None) -> Section:
    """Every heading has something below it; tables are numbered through. told: what returns tell of the whole."""
    whole = Scope(book, lang, book.top, returned=told)
    pieces: list[Piece] = []
    numbers = {"part": 0, "table": 0}
    for part in plan.parts():
        found = list(_pieces(part, whole, numbers)) if holds(whole, part.when) else []
        if part.heading and not any(isinstance(piece, Paragraph | Table) for piece in found):
            continue
        if part.heading:
            numbers["part"] += 1
            pieces.append(Heading(f"{plan.number()}.{numbers['part']}", part.heading[lang]))
        pieces += found
    subtitle, foot = (
        Sentence(name, told.text, book.top, told.figures)
        for name, told in (("subtitle", fill(plan.subtitle()[lang], whole)), ("foot", fill(plan.foot()[lang], whole)))
    )
    return Section(lang, plan.number(), plan.title()[lang], subtitle, foot, tuple(pieces))


def facts(book: Book, section: Section, lang: str = "vi") -> dict[str, str]:
    """What a template's placeholders stand for, but for the content; empty where there is nothing to tell."""
    whole = Scope(book, lang, book.top)
    told = {
        "ky": "period",
        "tu_ngay": "from",
        "den_ngay": "to",
        "ngay_chot": "as_of",
        "don_vi": "Unit",
        "dau_chot": "seal",
        "ban_phat_hanh": "release",
        "biet_den": "known_at",
    }
    found = {name: figure.display if (figure := whole.get(fact)) else "" for name, fact in told.items()}
    own = {"so_muc": section.number, "tieu_de": section.title, "phu_de": section.subtitle.text}
    said = section.sentences
    sentences = {name: said.get(key, "") for name, key in plan.sentence_names().items()}
    return sentences | found | own | {"chan_trang": section.foot.text}


def _pieces(part: Part, whole: Scope, numbers: dict[str, int]) -> Iterator[Piece]:
    book = whole.book
    told: list[tuple[str, Scope]] = [(part.id, whole)]
    if part.of:
        told = [(f"{part.id}.{code}", replace(whole, of=code)) for code in part.of]
    if part.against:
        periods = {getattr(book, name): name for name in reversed(part.against)}  # of a year both are the same
        told = [(f"{part.id}.{periods[p]}", replace(whole, then=p)) for p in reversed(list(periods))]
    for prefix, scope in told:
        for block in part.blocks:
            yield from _block(block, scope, prefix, numbers)


def _block(block: Block, scope: Scope, prefix: str, numbers: dict[str, int]) -> Iterator[Piece]:
    if not holds(scope, block.when):
        return
    if block.table == "returns":
        for made in tables(scope.returned or Returned({}, {}), numbers["table"] + 1, prefix, scope.lang):
            numbers["table"] += 1
            yield made
        return
    if block.table:
        made = table(plan.grids()[block.table], scope, numbers["table"] + 1, f"{prefix}.{block.table}")
        if made:
            numbers["table"] += 1
            yield made
        return
    if block.picture:
        yield Picture(block.picture.format(it=scope.of))
        return
    units = levels(scope.book) if block.each == "levels" else [scope.book.top]
    if len(units) > plan.most_levels():
        units = [scope.book.top]
    for unit_id in units:
        about = scope.about(unit_id)
        found = [one for name in block.say for one in say(plan.sentences()[name], about, prefix)]
        if found:
            yield Paragraph(block.style, tuple(found))
