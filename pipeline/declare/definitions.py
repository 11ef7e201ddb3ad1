"""The figures that can be explained, by the code people type: what each counts, in words and as predicates.

Everything comes from the declarations. Not here: a figure's value, or the dossiers behind it.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache

from pipeline.declare.columns import codes
from pipeline.declare.figures import Measure, indicators, labels, measures
from pipeline.declare.forms import form
from pipeline.declare.reported import counts
from pipeline.declare.scores import scores, three_valued
from pipeline.declare.tables import tables
from pipeline.declare.text import Text, fold
from pipeline.errors import WrongUse

RATIOS = ("rate", "count_ratio")
OF_A_COLUMN = ("sum", "mean", "median")
OWN = "own definition"
SCORE = "score:"  # before the key of a sub-score of Decision 766
TERM = re.compile(r"(?P<not>NOT )?(?P<label>\w+)(?: (?P<sign>=|<>|IN|NOT IN) (?P<values>\(.+\)|'\w+'))?")
DAYS = re.compile(r"(?P<day>\w+) (?:(?P<sign><=|<) (?P<other>\w+)|IS NULL)")


@dataclass(frozen=True)
class Figure:
    """kind: count, or an indicator's. table: where it is published: stats, ii06a, indicators, reconciliation, scores. A
    count's predicate is its numerator; column: what a sum, mean or median is of; unknown: of which dossiers a rate's
    numerator cannot be told, where the labels do not say it by being null."""

    code: str
    kind: str
    table: str
    label: Text
    numerator: str
    denominator: str
    column: str | None
    source: Text
    mark: str
    unknown: str = ""

    @property
    def judged(self) -> str:
        """The numerator's predicate, null where it cannot be told."""
        return three_valued(self.numerator, self.unknown)


@cache
def figures() -> dict[str, Figure]:
    """Every figure by its code: indicators, the measures of `stats`, the columns of form II.06a, and what summaries
    report as the registers count it (reported.NAME, as in the reconciliation), and the sub-scores of Decision 766 that
    are a rate of dossiers of their own (score:KEY); those that are an indicator's rate are explained as the indicator."""
    ii06a = form("ii06a")
    told = Text(f"Biểu {ii06a.id}: {ii06a.source}", f"Form {ii06a.id}: {ii06a.source}")
    found = {
        i.code: Figure(
            *(i.code, i.kind, "indicators", i.label, i.numerator, i.denominator, i.column),
            *(Text(i.source, i.source), i.mark),
        )
        for i in indicators().values()
    }
    for m in measures().values():
        found[m.name] = Figure(m.name, "count", "stats", m.label, m.where, "", None, *_place_in_form(m))
    for m in ii06a.columns.values():
        found[m.name] = Figure(m.name, "count", "ii06a", m.label, m.where, "", None, told, ii06a.mark)
    beside = Text("Đối chiếu với bảng tổng hợp (bảng reconciliation)", "Reconciliation with summaries")
    for name, r in counts().items():
        if r.where:
            code = f"reported.{name}"
            found[code] = Figure(code, "count", "reconciliation", r.label, r.where, "", None, beside, OWN)
    for s in scores().values():
        if s.parts == "dossiers":
            code = f"{SCORE}{s.key.lower()}"
            found[code] = Figure(
                *(code, "rate", "scores", s.label, s.numerator, s.denominator, None),
                *(Text(s.source, s.source), s.mark, s.unknown),
            )
    return found


def _of_score(code: str) -> str:
    """The code by which a sub-score is explained: that of its indicator, where it is one."""
    found = next((s for s in scores().values() if code == f"{SCORE}{s.key.lower()}"), None)
    return found.indicator if found and found.indicator else code


def figure(words: str) -> Figure:
    """The figure of that code. Raises WrongUse with the nearest codes."""
    code = _of_score(words.strip().lower().replace("-", "_"))
    if code in figures():
        return figures()[code]
    named = [f.code for f in figures().values() if fold(words) in (fold(f.label.vi), fold(f.label.en))]
    near = named or difflib.get_close_matches(code, figures(), n=3, cutoff=0.5) or ["on_time_rate", "total", "c7"]
    raise WrongUse(
        Text(f"Không có số liệu nào mang mã “{words[:40]}”.", f"No figure has the code “{words[:40]}”."),
        expected=Text("ví dụ: " + ", ".join(near), "e.g. " + ", ".join(near)),
        todo=Text(
            "Mã là chỉ tiêu của motcua indicators, cột của motcua stats, cột c3 đến c13 của biểu II.06a, hoặc chỉ số của motcua scores:\n  "
            + ", ".join(code for code in figures() if "." not in code),
            "A code is an indicator of motcua indicators, a column of motcua stats, c3 to c13 of form II.06a, or a sub-score of motcua scores:\n  "
            + ", ".join(code for code in figures() if "." not in code),
        ),
    )


def _place_in_form(measure: Measure) -> tuple[Text, str]:
    """Source and mark of a measure: the column of the form that counts the same, else the one it is a part of."""
    ii06a = form("ii06a")
    wanted = _values(measure.where)
    wider = [
        (len(_values(m.where)), name)
        for name, m in ii06a.columns.items()
        if m.where.split(" ")[0] == measure.where.split(" ")[0] and _values(m.where) >= wanted
    ]
    size, name = min(wider)
    same = size == len(wanted)
    vi = f"{'bằng' if same else 'một phần của'} cột ({name[1:]}) biểu {ii06a.id}"
    en = f"{'equals' if same else 'a part of'} column ({name[1:]}) of form {ii06a.id}"
    return Text(f"{vi}: {ii06a.source}", f"{en}: {ii06a.source}"), ii06a.mark if same else OWN


def _values(predicate: str) -> set[str]:
    return set(re.findall(r"'(\w+)'", predicate))


# ---- in words


def definition(figure: Figure) -> Text:
    """What the figure is, in a sentence or two."""
    numerator, denominator = in_words(figure.numerator), in_words(figure.denominator)
    if figure.kind == "count":
        return Text(f"Đếm trong kỳ: {numerator.vi}.", f"Counted in the period: {numerator.en}.")
    if figure.kind == "rate":
        which = in_words(figure.unknown) if figure.unknown else None
        vi, en = (f" ({which.vi})", f" ({which.en})") if which else ("", "")
        return Text(
            f"Mẫu số, trong kỳ: {denominator.vi}. Tử số, trong mẫu số: {numerator.vi}. "
            f"Hồ sơ không rõ{vi} thì không nằm trong tử số, không nằm trong mẫu số.",
            f"Denominator, in the period: {denominator.en}. Numerator, among these: {numerator.en}. "
            f"Dossiers of which it is not known{en} are in neither.",
        )
    if figure.kind == "count_ratio":
        return Text(
            f"Tử số, trong kỳ: {numerator.vi}. Mẫu số, trong kỳ: {denominator.vi}. "
            "Tử số không nhất thiết nằm trong mẫu số.",
            f"Numerator, in the period: {numerator.en}. Denominator, in the period: {denominator.en}. "
            "The numerator need not be part of the denominator.",
        )
    what = tables()["dossier_period"].columns[str(figure.column)]
    way = {
        "sum": Text("Tổng", "Sum of"),
        "mean": Text("Bình quân", "Mean of"),
        "median": Text("Trung vị", "Median of"),
    }[figure.kind]
    return Text(
        f"{way.vi} “{what.vi}”, trong kỳ: {numerator.vi}. Hồ sơ không ghi thì là không rõ.",
        f"{way.en} “{what.en}”, in the period: {numerator.en}. Dossiers without it are not known.",
    )


def in_words(predicate: str) -> Text:
    """The dossiers for which a predicate over labels holds, as words."""
    if predicate in ("TRUE", ""):
        return Text("mọi hồ sơ", "every dossier")
    ways = [[_term(term) for term in way.split(" AND ")] for way in predicate.split(" OR ")]
    return Text(
        "hồ sơ có " + "; hoặc có ".join(" và ".join(p.vi for p in parts) for parts in ways),
        "dossiers with " + "; or with ".join(" and ".join(p.en for p in parts) for parts in ways),
    )


def _term(term: str) -> Text:
    if fits := DAYS.fullmatch(term):
        return _days(fits)
    fits = TERM.fullmatch(term)
    if fits is None:
        raise ValueError(f"no words for the predicate {term}")
    label = labels()[fits["label"]]
    vi, en = (words[0].lower() + words[1:] for words in (label.text.vi, label.text.en))
    if not fits["sign"]:
        no = fits["not"] is not None
        return Text(f"“{label.text.vi}”: {'không' if no else 'có'}", f"“{label.text.en}”: {'no' if no else 'yes'}")
    values = [value_in_words(label.name, v) for v in re.findall(r"'(\w+)'", fits["values"])]
    but = fits["sign"] in ("<>", "NOT IN")
    return Text(
        f"{vi} {'không phải' if but else 'là'} " + " hoặc ".join(f"“{v.vi}”" for v in values),
        f"{en} {'not' if but else ''} ".replace("  ", " ") + " or ".join(f"“{v.en}”" for v in values),
    )


def _days(fits: re.Match[str]) -> Text:
    """A day of `dossier_period` beside another, or that is not there."""
    day = _column_name(fits["day"])
    if fits["other"] is None:
        return Text(f"“{day.vi}” trống", f"no “{day.en}”")
    other = _column_name(fits["other"])
    vi, en = ("không sau", "not after") if fits["sign"] == "<=" else ("trước", "before")
    return Text(f"“{day.vi}” {vi} “{other.vi}”", f"“{day.en}” {en} “{other.en}”")


def _column_name(column: str) -> Text:
    """What a column is called, without what its words go on to say."""
    words = tables()["dossier_period"].columns[column]
    return Text(re.split("[;:]", words.vi)[0], re.split("[;:]", words.en)[0])


def value_in_words(label: str, value: str | None) -> Text:
    """A label's value as words; null is not known."""
    if value is None:
        return Text("không rõ", "not known")
    if value in ("true", "false"):
        return Text("có", "yes") if value == "true" else Text("không", "no")
    if label == "service_level":
        return codes("level")[value].label
    return labels()[label].values[value]


def labels_of(figure: Figure) -> list[str]:
    """The labels that a figure hangs on; origin and outcome always."""
    words = set(re.findall(r"\w+", f"{figure.numerator} {figure.denominator} {figure.unknown}"))
    return [name for name in labels() if name in ("origin", "outcome") or name in words]
