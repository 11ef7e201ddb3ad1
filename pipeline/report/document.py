"""The report's section I.3 of a period and unit as a Word document, as Markdown and as JSON, all of the same sentences.

Made from a Book alone. Not here: the words (declare/report_sentences.toml), which of them are said (section/).
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import duckdb

from pipeline.declare import report_section as plan
from pipeline.declare.charts import charts
from pipeline.declare.figures import indicators
from pipeline.declare.rules import OURS
from pipeline.declare.text import Text
from pipeline.report.book import Book
from pipeline.report.section.as_text import as_json, as_markdown, link
from pipeline.report.section.build import facts, section
from pipeline.report.section.model import Picture
from pipeline.report.section.returned import returned
from pipeline.report.section.scope import known_at
from pipeline.report.section.template import filled

NAME = "bao_cao_muc_I3"


def write_section(
    con: duckdb.DuckDBPyConnection,
    book: Book,
    out: Path,
    lang: str = "vi",
    pictures: dict[str, Path] | None = None,
    template: Path | None = None,
) -> list[Path]:
    """Writes bao_cao_muc_I3.docx, .md and .json into `out`; returns them. con: as the book was opened, for the figures of
    returns. pictures: as charts.pictures gives them; without them the document has none. template: the office's own Word
    template (settings.Home.section_template); where there is no such file, the built-in one. Without pictures the same release
    gives the same bytes. Raises InputRefused where the template cannot be used; nothing is written then."""
    told = section(book, lang, returned(con, book, lang))
    others = [Picture(name) for name in pictures or {} if name not in plan.pictures()]
    told = replace(told, pieces=(*told.pieces, *others))
    drawn = {name: (_caption(name)[lang], path) for name, path in (pictures or {}).items()}
    own = template if template is not None and template.exists() else None
    word = filled(told, facts(book, told, lang), drawn, own, known_at(book))
    linked = {name: (caption, link(path, out)) for name, (caption, path) in drawn.items()}
    frame = {
        "document": NAME,
        "lang": lang,
        "period": book.period.key,
        "period_from": str(book.period.start),
        "period_to": str(book.period.end),
        "as_of": str(book.whole["as_of"]) if book.whole["as_of"] else None,
        "coverage": book.whole["coverage"],
        "unit_id": book.top,
        "unit": book.whole["unit"],
        "rules": book.rules,
        "explain_with": _asked(book),
        "seal": book.whole["seal"],
        "release": book.info["release"],
        "known_at": known_at(book).isoformat(" ", "seconds"),
    }
    out.mkdir(parents=True, exist_ok=True)
    made = [out / f"{NAME}.{form}" for form in ("docx", "md", "json")]
    made[0].write_bytes(word)
    made[1].write_text(as_markdown(told, linked), encoding="utf-8", newline="\n")
    made[2].write_text(as_json(told, frame), encoding="utf-8", newline="\n")
    return made


def _asked(book: Book) -> str:
    """What the commands beside the figures need besides, where the book is not of what is known and counted by us."""
    asked = [] if book.rules == OURS else ["--rules", book.rules]
    if book.as_known:
        asked += ["--as-known", book.as_known.isoformat(" ", "seconds")]
    elif book.passed_over and not asked:
        asked = ["--live"]
    return shlex.join(asked)


def _caption(name: str) -> Text:
    if name in charts():
        return charts()[name].title
    chart, _, code = name.partition("_")  # ranking_<indicator>
    title, label = charts()[chart].title, indicators()[code].label
    return Text(f"{title.vi}: {label.vi}", f"{title.en}: {label.en}")
