"""Which sheets a request for returns asks for: returns, a period, units. Refused in words where it cannot be asked.

Not here: writing the workbook (templates.py).
"""

from __future__ import annotations

import difflib
import re

from pipeline.conform.cells import LONG_NUMBER
from pipeline.conform.returns import expected_units
from pipeline.conform.summaries import OWN_NAME
from pipeline.declare.periods import Period
from pipeline.declare.returns import OF_LINES, Return, returns
from pipeline.declare.sources import read_source
from pipeline.declare.text import Text, fold
from pipeline.declare.units import Unit, split_name, units, units_above
from pipeline.errors import NothingPublished, WrongUse
from pipeline.report.templates import Sheet
from pipeline.settings import Home
from pipeline.warehouse.release import open_published

PERIOD_KINDS = {
    "month": Text("tháng", "month"),
    "quarter": Text("quý", "quarter"),
    "half": Text("6 tháng", "half-year"),
    "nine_months": Text("9 tháng", "nine months"),
    "year": Text("năm", "year"),
}
KINDS = {
    "district": Text("huyện", "districts"),
    "counter": Text("bộ phận một cửa cấp huyện", "district counters"),
    "commune": Text("xã, phường, thị trấn", "communes"),
}
NAMED = Text('--unit "Huyện Gio Linh"', '--unit "Huyện Gio Linh"')


def return_rows(lang: str) -> list[dict[str, str]]:
    """The declared returns: id, name, for which periods, who hands it in, the section it feeds."""
    return [
        {
            "return": r.id,
            "name": r.label[lang],
            "periods": ", ".join(PERIOD_KINDS[kind][lang] for kind in r.periods),
            "fills": _kinds(r)[lang],
            "section": r.section,
        }
        for r in returns().values()
    ]


def requested(
    home: Home, names: tuple[str, ...], period: Period, unit: str | None = None, source: str | None = None
) -> list[Sheet]:
    """The sheets of the returns, for a unit (or those below it that hand them in); without one, for all units whose data
    is published. source: of data/raw that brings its units itself: the unit's name stands as it is written.

    Raises WrongUse for a return or unit that is not known, and a kind of period for which a return is not asked."""
    asked = [_return(name, period) for name in dict.fromkeys(names)]
    if source and unit and read_source(home.raw / source).units == "from_file":
        name = _own_name(unit)
        return [Sheet(r, period, "", name, () if r.rows == OF_LINES else (("", name),)) for r in asked]
    area = _unit(unit, period) if unit else _published_area(home, period)
    return [sheet for r in asked for sheet in _sheets(r, period, area)]


def _return(name: str, period: Period) -> Return:
    declared = returns().get(name)
    if declared is None:
        near = difflib.get_close_matches(name, returns(), n=3, cutoff=0.4) or list(returns())
        raise WrongUse(
            Text(f"Không có biểu “{name[:40]}”.", f"There is no return “{name[:40]}”."),
            expected=Text(", ".join(near), ", ".join(near)),
            todo=Text("Xem các biểu: motcua template", "See the returns: motcua template"),
        )
    if period.kind not in declared.periods:
        kinds = [PERIOD_KINDS[kind] for kind in declared.periods]
        raise WrongUse(
            Text(
                f"Biểu “{declared.label.vi}” không lập theo kỳ {period.label.vi}.",
                f"The return “{declared.label.en}” is not asked for {period.label.en}.",
            ),
            expected=Text("kỳ: " + ", ".join(k.vi for k in kinds), "periods: " + ", ".join(k.en for k in kinds)),
            todo=Text("Ví dụ: --period 2023-H1, 2023-9M, 2023", "For example: --period 2023-H1, 2023-9M, 2023"),
        )
    return declared


def _sheets(declared: Return, period: Period, area: Unit) -> list[Sheet]:
    units_asked = expected_units(area.unit_id, declared, period.end)
    above = units().get(area.parent_id or "")
    if not units_asked and above and above.kind in declared.fills:  # its counter was named, the district hands it in
        area, units_asked = above, {above.unit_id: above}
    if not units_asked:
        raise WrongUse(
            Text(
                f"“{area.name}” không lập biểu “{declared.label.vi}”.",
                f"“{area.name}” does not hand in “{declared.label.en}”.",
            ),
            expected=Text("đơn vị lập biểu này: " + _kinds(declared).vi, "units that do: " + _kinds(declared).en),
        )
    if declared.rows == OF_LINES:
        return [Sheet(declared, period, u.unit_id, u.name, kind=u.kind) for u in units_asked.values()]
    rows = tuple((u.unit_id, u.name) for u in units_asked.values())
    return [Sheet(declared, period, area.unit_id, area.name, rows)]


def _kinds(declared: Return) -> Text:
    labels = [KINDS[kind] for kind in declared.fills]
    return Text("; ".join(t.vi for t in labels), "; ".join(t.en for t in labels))


def _unit(words: str, period: Period) -> Unit:
    """A declared unit valid in the period: by its key, its code, or its name. Raises WrongUse with the nearest names."""
    valid = {u.unit_id: u for u in units().values() if u.valid_on(period.end)}
    wanted = fold(words)
    ways = (
        [u for u in valid.values() if u.unit_id == words.strip()],
        [u for u in valid.values() if u.code == words.strip() or fold(u.name) == wanted],
        [u for u in valid.values() if u.reports and split_name(u.name) == split_name(words)],
        [u for u in valid.values() if u.kind == "commune" and split_name(u.name)[1] == wanted],
    )
    for found in ways:
        if len(found) == 1:
            return found[0]
        if found:
            break
    else:
        names = {fold(u.name): u for u in valid.values()}
        found = [names[n] for n in difflib.get_close_matches(wanted, names, n=4, cutoff=0.6)]
    listed = "; ".join(f"{u.unit_id} {u.name}" for u in found[:6])
    raise WrongUse(
        Text(f"Không rõ đơn vị “{words[:40]}”.", f"Which unit “{words[:40]}” is, is not clear."),
        expected=Text(listed, listed) if listed else NAMED,
        todo=Text(
            "Xem danh sách: motcua units; nguồn có đơn vị riêng: thêm --source NGUỒN",
            "See the list: motcua units; for a source with units of its own add --source NAME",
        ),
    )


def _own_name(words: str) -> str:
    name = " ".join(words.split())
    if not re.fullmatch(OWN_NAME, name) or re.search(LONG_NUMBER, name) or not fold(name):
        raise WrongUse(
            Text("Tên đơn vị không hợp lệ.", "This cannot be a unit's name."),
            expected=Text("chữ và dấu cách, ví dụ Thị trấn Như Quỳnh", "words, e.g. Thị trấn Như Quỳnh"),
        )
    return name


def _published_area(home: Home, period: Period) -> Unit:
    """The lowest sum of units that holds all whose dossiers are published."""
    try:
        con = open_published(home)
    except NothingPublished:
        covered: list[str] = []
    else:
        with con:
            covered = [u for (u,) in con.execute("SELECT DISTINCT unit_id FROM coverage").fetchall()]
    chains = [[u, *units_above(units()[u])] for u in covered if u in units()]
    shared = [node for node in chains[0] if all(node in chain for chain in chains)] if chains else []
    valid = [units()[node] for node in shared if units()[node].valid_on(period.end)]
    if not valid:
        raise WrongUse(
            Text("Chưa biết biểu của đơn vị nào.", "Nothing says whose return it is."),
            expected=NAMED,
            todo=Text("Xem danh sách: motcua units", "See the list: motcua units"),
        )
    return valid[0]
