"""The charts of a period and unit as Plotly figures, with a title and the same told in words for those who cannot see.

Made from a Book and its History; which counts stand where, and in which colour, is declared (declare/charts.toml).
Not here: pictures of them (report/charts.py), the page's own drawing (report/page/).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import Any

import plotly.graph_objects as go

from pipeline.declare.charts import Chart, Step, charts, colours, flow_steps
from pipeline.declare.figures import indicators, measures
from pipeline.declare.periods import Period
from pipeline.declare.text import Text
from pipeline.report.book import Book
from pipeline.report.display import NO_DATA, NOTHING, indicator_value, number, percent, threshold
from pipeline.report.history import History

Row = dict[str, Any]
FONT = "Noto Sans, Segoe UI, Arial, sans-serif"
INK, QUIET, LINE = "#1c2733", "#5b6671", "#dde3e8"
JUDGED = {
    "met": Text("đạt ngưỡng", "threshold met"),
    "not_met": Text("chưa đạt ngưỡng", "threshold not met"),
    "no_target": Text("không có ngưỡng", "no threshold"),
}
WIDTH, LEAST, A_UNIT = 800, 380, 23  # pixels: of a picture, its least height, a unit's row


@dataclass(frozen=True)
class Drawing:
    """title, told: plain text in one language; told says in a few sentences what is drawn. height in pixels."""

    name: str
    title: str
    told: str
    figure: go.Figure
    height: int


def drawings(book: Book, history: History, lang: str = "vi") -> dict[str, Drawing]:
    """Every chart of the book's whole, by name: flow, timeliness, processing_days, ranking_<indicator>, trend,
    rates_over_time. One that would show nothing (no data, nothing arisen) is left out."""
    found = [flow(book, lang), timeliness(book, history, lang), processing_days(book, history, lang)]
    found += [ranking(book, history, code, lang) for code in ranked(book)]
    found += [trend(book, history, lang), rates_over_time(book, history, lang)]
    return {one.name: one for one in found if one is not None}


def ranked(book: Book) -> list[str]:
    """The indicators by which units are ranked: those declared, and those with a threshold in force for some unit."""
    rows = book.rates[book.period.key]
    judged = {code for (unit_id, code), row in rows.items() if unit_id in book.leaves and row["operator"] is not None}
    return [code for code in indicators() if code in judged or code in charts()["ranking"].shows]


# ---- one period


def flow(book: Book, lang: str) -> Drawing | None:
    """Columns that rise with what came in and fall with what left, down to what remains."""
    row = book.count(book.top)
    if row is None or not row["total"]:
        return None
    figure, told, level = go.Figure(), [], 0
    steps = flow_steps()
    names = [_wrapped(step.label[lang], 14) for step in steps]
    for name, step in zip(names, steps, strict=True):
        parts, size = parts_of(row, step)
        height = sum(n for _, n in parts)
        base = {1: level, -1: level - height, 0: 0}[step.sign]
        level += step.sign * height
        for measure, n in parts:
            figure.add_bar(
                x=[name],
                y=[n],
                base=[base],
                name=measures()[measure].label[lang],
                marker_color=colours()[measure],
                text=number(n, lang),
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
            )
            base += n
        figure.add_annotation(x=name, y=max(base, 0), text=f"<b>{number(size, lang)}</b>", showarrow=False, yshift=12)
        told.append(f"{step.label[lang]}: {number(size, lang)}")
    figure.update_layout(barmode="overlay", xaxis_categoryorder="array", xaxis_categoryarray=names)
    figure.update_xaxes(range=[-0.5, len(names) - 0.5], showgrid=False)
    figure.update_yaxes(range=[0, row["total"] * 1.12], tickformat=",d")
    drawn = _drawing(book, charts()["flow"], figure, "; ".join(told) + ".", lang)
    figure.update_layout(uniformtext={"minsize": 11, "mode": "hide"})
    return drawn


def parts_of(row: Row, step: Step) -> tuple[list[tuple[str, int]], int | None]:
    """A column of the flow: its measures that arose, and its size. Where a summary does not tell of all parts, the
    measure of the whole stands for them; the size is null where that is not told either."""
    told = [(name, row[name]) for name in step.counts]
    if all(n is not None for _, n in told):
        return [(name, n) for name, n in told if n], sum(n for _, n in told)
    if step.whole and row[step.whole] is not None:
        return [(step.whole, row[step.whole])], row[step.whole]
    return [(name, n) for name, n in told if n], None


def timeliness(book: Book, history: History, lang: str) -> Drawing | None:
    """Of each unit the shares early, on time, without due date and late among what it resolved; latest units below."""
    chart = charts()["timeliness"]
    rows = [_named(r, u, history) for u in book.leaves if (r := book.count(u)) is not None and r["resolved"]]
    if not rows:
        return None
    rows.sort(key=lambda r: Fraction(r["resolved_late"] or 0, r["resolved"]))
    shown, note = _worst(rows, chart, lang)
    figure = go.Figure()
    units = [_unit(r) for r in shown]
    for name in chart.shows:
        figure.add_bar(
            x=[r[name] for r in shown],
            y=units,
            orientation="h",
            name=measures()[name].label[lang],
            marker_color=colours()[name],
        )
    late = [f"{number(r['resolved_late'], lang)} / {number(r['resolved'], lang)}" for r in shown]
    _beside(figure, units, late, Text("quá hạn / đã giải quyết", "late / resolved")[lang])
    figure.update_layout(barmode="stack", barnorm="percent", yaxis_autorange="reversed")
    figure.update_xaxes(ticksuffix=" %", range=[0, 100])
    known = [r for r in rows if r["resolved_late"] is not None]  # a summary may not tell it
    late = [f"{r['unit']} {number(r['resolved_late'], lang)}" for r in known if r["resolved_late"]]
    told = Text(
        f"{len(late)} trong {len(known)} đơn vị có hồ sơ giải quyết quá hạn",
        f"{len(late)} of {len(known)} units resolved dossiers late",
    )[lang]
    told += f": {'; '.join(late[-5:])}." if late else "."
    return _drawing(book, chart, figure, told, lang, note, len(shown))


def processing_days(book: Book, history: History, lang: str) -> Drawing | None:
    """Of each unit the mean and the median of calendar days, the quickest above."""
    chart = charts()["processing_days"]
    first = chart.shows[0]
    rows = [
        _named(r, u, history) for u in book.leaves if (r := book.rate(u, first)) is not None and r["value"] is not None
    ]
    if not rows:
        return None
    rows.sort(key=lambda r: r["value"])
    shown, note = _worst(rows, chart, lang)
    figure = go.Figure()
    for code in chart.shows:
        each = [book.rate(r["unit_id"], code) for r in shown]
        figure.add_scatter(
            x=[float(r["value"]) if r is not None and r["value"] is not None else None for r in each],
            y=[_unit(r) for r in shown],
            mode="markers",
            name=indicators()[code].label[lang],
            marker={"color": colours()[code], "size": 11, "symbol": "circle" if code == first else "diamond"},
        )
    _beside(
        figure, [_unit(r) for r in shown], [indicator_value(r, lang) for r in shown], Text("bình quân", "mean")[lang]
    )
    figure.update_layout(yaxis_autorange="reversed")
    figure.update_xaxes(
        range=[0, float(max(r["value"] for r in rows)) * 1.05], title_text=Text("ngày lịch", "calendar days")[lang]
    )
    whole = [
        f"{indicators()[c].label[lang]}: {indicator_value(r, lang)}"
        for c in chart.shows
        if (r := book.rate(book.top, c))
    ]
    return _drawing(book, chart, figure, "; ".join(whole) + ".", lang, note, len(shown))


def ranking(book: Book, history: History, code: str, lang: str) -> Drawing | None:
    """Units by the value of one rate, with the threshold in force; the verdict is the release's."""
    chart = charts()["ranking"]
    rows = [
        _named(r, u, history) for u in book.leaves if (r := book.rate(u, code)) is not None and r["value"] is not None
    ]
    if not rows:
        return None
    smaller_is_better = any(r["operator"] in ("<", "<=") for r in rows)
    rows.sort(key=lambda r: Fraction(r["numerator"], r["denominator"]), reverse=not smaller_is_better)
    shown, note = _worst(rows, chart, lang)
    figure = go.Figure()
    units = [_unit(r) for r in shown]
    for verdict, label in JUDGED.items():
        some = [r for r in shown if r["verdict"] == verdict]
        if some:
            figure.add_bar(
                x=[float(r["value"]) * 100 for r in some],
                y=[_unit(r) for r in some],
                orientation="h",
                name=label[lang],
                marker={"color": colours()[verdict], "pattern_shape": "/" if verdict == "not_met" else ""},
            )
    for value, label in sorted({(float(r["threshold"]) * 100, threshold(r, lang)) for r in shown if r["operator"]}):
        figure.add_vline(
            x=value,
            line={"color": INK, "dash": "dash", "width": 1.5},
            annotation={"text": escape(label), "font_size": 13},
            annotation_position="top",
        )
    values = [
        f"{indicator_value(r, lang)}  ({number(r['numerator'], lang)}/{number(r['denominator'], lang)})" for r in shown
    ]
    _beside(figure, units, values, "")
    longest = max(float(r["value"]) * 100 for r in rows)
    figure.update_layout(barmode="overlay", yaxis={"categoryorder": "array", "categoryarray": units[::-1]})
    figure.update_xaxes(ticksuffix=" %", range=[0, max(100, longest)])
    missed = [r for r in rows if r["verdict"] == "not_met"]
    told = Text(
        f"Chưa đạt ngưỡng: {len(missed)} trong {len(rows)} đơn vị" + _listed(missed, "vi"),
        f"Threshold not met: {len(missed)} of {len(rows)} units" + _listed(missed, "en"),
    )
    title = Text(f"{chart.title.vi}: {indicators()[code].label.vi}", f"{chart.title.en}: {indicators()[code].label.en}")
    named = Chart(f"ranking_{code}", title, chart.shows, chart.most)
    return _drawing(book, named, figure, told[lang], lang, note, len(shown))


def _listed(rows: list[Row], lang: str) -> str:
    """The first units of a list with numerator, denominator and percentage."""
    parts = [
        f"{r['unit']} {percent(r['numerator'], r['denominator'], lang)} "
        f"({number(r['numerator'], lang)}/{number(r['denominator'], lang)})"
        for r in rows[-5:]
    ]
    return f": {'; '.join(parts)}." if parts else "."


# ---- over the periods


def trend(book: Book, history: History, lang: str) -> Drawing | None:
    """All dossiers, those resolved and those still open, period by period; a gap where there is no data."""
    chart = charts()["trend"]
    rows = [history.count(book.top, one) for one in history.periods]
    if not any(r is not None and r["total"] for r in rows):
        return None
    figure = go.Figure()
    names = [_period(one, lang) for one in history.periods]
    for name in chart.shows:
        figure.add_bar(
            x=names,
            y=[None if r is None else r[name] for r in rows],
            name=measures()[name].label[lang],
            marker_color=colours()[name],
            text=["" if r is None or r[name] is None else number(r[name], lang) for r in rows],
            textposition="outside",
            textangle=0 if len(names) <= 6 else -90,
            cliponaxis=False,
        )
    for name, row in zip(names, rows, strict=True):
        if row is None or row["coverage"] == "no_data":
            figure.add_annotation(x=name, y=0, yanchor="bottom", text=NO_DATA[lang], textangle=-90, showarrow=False)
    figure.update_layout(barmode="group", yaxis_rangemode="tozero")
    figure.update_xaxes(range=[-0.5, max(len(names), 4) - 0.5], showgrid=False)
    figure.update_yaxes(tickformat=",d")
    told = "; ".join(
        f"{one.label[lang]}: "
        + (
            NO_DATA[lang]
            if r is None or r["total"] is None
            else f"{measures()['total'].label[lang]} {number(r['total'], lang)}"
            if r["total"]
            else NOTHING[lang]
        )
        for one, r in zip(history.periods, rows, strict=True)
    )
    return _drawing(book, chart, figure, told + ".", lang)


def rates_over_time(book: Book, history: History, lang: str) -> Drawing | None:
    """The declared rates of the whole, period by period; no point where nothing arose or there is no data."""
    chart = charts()["rates_over_time"]
    figure, told = go.Figure(), []
    names = [_period(one, lang) for one in history.periods]
    symbols = ("circle", "square", "diamond", "triangle-up")
    for code, symbol in zip(chart.shows, symbols, strict=True):
        rows = [history.rate(book.top, code, one) for one in history.periods]
        if not any(r is not None and r["value"] is not None for r in rows):
            continue
        figure.add_scatter(
            x=names,
            y=[None if r is None or r["value"] is None else float(r["value"]) * 100 for r in rows],
            mode="lines+markers",
            name=indicators()[code].label[lang],
            line_color=colours()[code],
            marker={"symbol": symbol, "size": 9},
        )
        last = rows[-1]
        told.append(
            f"{indicators()[code].label[lang]}: {NO_DATA[lang] if last is None else indicator_value(last, lang)}"
        )
    if not told:
        return None
    figure.update_yaxes(ticksuffix=" %", range=[0, 104])
    figure.update_xaxes(categoryorder="array", categoryarray=names, range=[-0.5, max(len(names), 4) - 0.5])
    return _drawing(book, chart, figure, "; ".join(told) + ".", lang)


# ---- what all have in common


def _worst(rows: list[Row], chart: Chart, lang: str) -> tuple[list[Row], str]:
    """The last `most` of rows sorted best first, and a note where there are more."""
    if chart.most is None or len(rows) <= chart.most:
        return rows, ""
    told = Text(f"{chart.most} đơn vị cuối trong {len(rows)}", f"the last {chart.most} of {len(rows)} units")
    return rows[-chart.most :], f" ({told[lang]})"


def _beside(figure: go.Figure, units: list[str], values: list[str], heading: str) -> None:
    """A column of figures to the right of the units' rows, where no bar covers them."""
    beside = {"x": 1.01, "xref": "paper", "xanchor": "left", "showarrow": False}
    for unit, value in zip(units, values, strict=True):
        figure.add_annotation(beside, y=unit, text=value, font_size=13)
    figure.add_annotation(beside, y=1, yref="paper", yanchor="bottom", text=f"<i>{heading}</i>", font_size=12)
    figure.update_layout(margin_r=160)
    figure.update_yaxes(showgrid=False)


def _named(row: Row, unit_id: str, history: History) -> Row:
    """A row with its unit's key, and a name that no other unit bears."""
    return row | {"unit_id": unit_id, "unit": history.names[unit_id]}


def _unit(row: Row) -> str:
    """A unit's name as Plotly shows it: what looks like a tag is text."""
    return escape(row["unit"], quote=False)


def _period(one: Period, lang: str) -> str:
    return _wrapped(one.label[lang], 8)


def _wrapped(words: str, width: int) -> str:
    lines: list[str] = []
    for word in words.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "<br>".join(lines)


def _drawing(
    book: Book, chart: Chart, figure: go.Figure, told: str, lang: str, note: str = "", units: int = 0
) -> Drawing:
    where = f"{book.whole['unit']}, {book.period.label[lang]}"
    title = f"{chart.title[lang]}{note}"
    height = max(LEAST, 150 + A_UNIT * units)
    figure.update_layout(
        template="plotly_white",
        font={"family": FONT, "size": 14, "color": INK},
        separators=",." if lang == "vi" else ".,",
        title={
            "text": f"<b>{escape(title, quote=False)}</b><br><span style='font-size:13px'>{escape(where, quote=False)}</span>",
            "font_size": 17,
            "x": 0.01,
            "xanchor": "left",
            "y": 1 - 26 / height,
            "yref": "container",
            "yanchor": "top",
        },
        width=WIDTH,
        height=height,
        bargap=0.25,
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "traceorder": "normal"},
        showlegend=True,
        margin={"l": 10, "t": 80, "b": 74} | ({} if figure.layout.margin.r else {"r": 20}),
        uniformtext={"minsize": 11, "mode": "show"},
    )
    figure.update_xaxes(automargin=True, gridcolor=LINE, linecolor=LINE, zeroline=False, title_font_size=13)
    figure.update_yaxes(automargin=True, gridcolor=LINE, linecolor=LINE, zeroline=False)
    return Drawing(chart.name, f"{title}, {where}", told, figure, height)
