"""Returns as declared: names that exist, words that differ, rules that can be read, marks that can be read again."""

from __future__ import annotations

import itertools
import re

import pytest

from pipeline.declare.periods import parse_period
from pipeline.declare.return_sheet import Mark, letters, mark_in
from pipeline.declare.returns import KINDS, WEEKS, Return, cell_label, document_pattern, returns
from pipeline.declare.text import declared, fold

EACH = pytest.mark.parametrize("r", returns().values(), ids=returns())
PERIODS = {kind["name"] for kind in declared("periods.toml")["kind"]}
UNITS = {"district", "counter", "commune"}


@EACH
def test_a_return_says_all_of_itself(r: Return) -> None:
    assert r.label.vi and r.label.en and r.section.startswith("I.") and r.source and r.mark
    assert set(r.periods) <= PERIODS and r.periods and set(r.fills) <= UNITS and r.fills
    assert (r.rows == "lines") == bool(r.lines) and r.rows in ("lines", "units")
    assert r.measures and all(m.kind in KINDS for m in r.measures.values())
    assert all((m.digits > 0) == (m.kind == "decimal") for m in r.measures.values())
    assert all(bool(m.words) == (m.kind in ("yes_no", "choice")) for m in r.measures.values())
    assert len(r.sheet) <= 31 and len({m.label.vi for m in r.measures.values()}) == len(r.measures)
    assert len({line.label.vi for line in r.lines.values()}) == len(r.lines)


@EACH
def test_rules_and_indicators_speak_of_what_there_is(r: Return) -> None:
    for identity in r.identities:
        names = {identity.left, *identity.right}
        assert names <= (r.lines.keys() if identity.across_lines else {m.name for m in r.numbers}), identity.name
        assert not identity.across_lines or not any(r.lines[n].kinds for n in names), "every unit has all its lines"
    for i in r.indicators.values():
        assert i.over in ("each", "all", "lines")
        for factor in (*i.numerator, *i.denominator):
            assert factor.measure == WEEKS or factor.measure in r.measures, i.code
            assert (factor.line is not None) == (i.over == "lines" and factor.measure != WEEKS)
            assert factor.line is None or factor.line in r.lines
            words = r.measures[factor.measure].words if factor.measure != WEEKS else {}
            assert factor.word in (None, "*", *words)
        assert i.target is None or (i.target.basis.vi and i.target.mark and i.denominator)


def test_codes_of_indicators_are_one_each_and_sheets_have_names_of_their_own() -> None:
    codes = [code for r in returns().values() for code in r.indicators]
    assert len(codes) == len(set(codes))
    assert len({r.sheet for r in returns().values()}) == len(returns())


def test_a_word_means_one_thing() -> None:
    for measure in (m for r in returns().values() for m in r.measures.values()):
        for a, b in itertools.combinations(measure.words.values(), 2):
            assert not (a.words | {fold(a.label.vi)}) & (b.words | {fold(b.label.vi)}), (measure.name, a.value, b.value)


def test_columns_of_faults_are_called_by_their_cells() -> None:
    label = cell_label("D7 investment.planned")
    assert label and (label.vi, label.en) == ("ô D7 (Kế hoạch vốn)", "cell D7 (Plan)")
    assert cell_label("due_at") is None and cell_label("D7 nothing.planned") is None


@pytest.mark.parametrize("key", ["2023-Q3", "2023-M09", "2023-H1", "2023-9M", "2023", "calendar:2023-Q3"])
@pytest.mark.parametrize("area", ["466-all", "19363@2025-07-01", "24", ""])
def test_a_mark_is_read_as_it_was_written(key: str, area: str) -> None:
    mark = Mark("investment", parse_period(key).key, area)
    assert mark_in(f" {mark.text} ") == mark and mark_in(mark.text + "/x") is None and mark_in("Đơn vị: motcua") is None


def test_letters_of_columns() -> None:
    assert [letters(n) for n in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        *((t, True) for t in ("37/KH-UBND", "12/2019/QĐ-UBND", "997/UBND-NV", "109/ĐA-CĐS", "81/HD-VHTT")),
        *((t, False) for t in ("37/KH", "Kế hoạch 37/KH-UBND", "0912345678", "37/kh-ubnd", "37/KH-UBND của bà Lan")),
    ],
)
def test_a_documents_number_names_nobody(text: str, fits: bool) -> None:
    assert bool(re.fullmatch(document_pattern(), text)) == fits
