"""What stands above every sheet: of which unit and period it is, how far its data reach, sealed or as known when, by
which rules, of which release.
"""

from __future__ import annotations

from datetime import datetime

from pipeline.declare.rules import OURS, rule_sets
from pipeline.declare.text import Text
from pipeline.report.book import Book
from pipeline.report.display import BASIS, COVERAGE, day


def span(book: Book, lang: str) -> str:
    """`Quý III/2023 (Từ ngày 15/06/2023 đến ngày 14/09/2023)`"""
    start, end = day(book.period.start, lang), day(book.period.end, lang)
    return f"{book.period.label[lang]} ({Text(f'Từ ngày {start} đến ngày {end}', f'{start} to {end}')[lang]})"


def standing(book: Book, lang: str) -> str:
    """One line: coverage, cut-off, seal or known time, rules other than ours, release."""
    whole = book.whole
    told = [f"{Text('Mức đủ số liệu', 'Coverage')[lang]}: {COVERAGE[whole['coverage']][lang]}"]
    if whole[f"missing_{lang}"]:
        told[0] += f" ({whole[f'missing_{lang}']})"
    if whole["as_of"]:
        told.append(f"{Text('ngày chốt', 'as of')[lang]} {day(whole['as_of'], lang)}")
    if whole["basis"] in BASIS:
        told.append(BASIS[whole["basis"]][lang])
    if whole["seal"]:
        told.append(f"{Text('dấu chốt', 'seal')[lang]} {whole['seal']}")
    if book.passed_over:
        told.append(f"{Text('không phải số đã chốt, dấu', 'not the sealed figures, seal')[lang]} {book.passed_over}")
    if book.as_known:
        told.append(f"{Text('theo những gì biết đến', 'as known at')[lang]} {day(book.as_known, lang)}")
    else:
        known = day(datetime.fromisoformat(book.info["known_at"]), lang)
        told.append(f"{Text('biết đến', 'known until')[lang]} {known}")
    if book.rules != OURS:
        told.append(f"{Text('cách tính', 'rules')[lang]}: {rule_sets()[book.rules].label[lang]} ({book.rules})")
    told.append(f"{Text('bản công bố', 'release')[lang]} {book.info['release']}")
    return "; ".join(told)
