"""The nightly command: run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipeline.commands.shared import (
    common,
    console,
    motcua,
    published,
)
from pipeline.declare.text import Text

if TYPE_CHECKING:
    import duckdb
    from rich.console import Console

    from pipeline.night import Result
    from pipeline.settings import Home


MOST_ROWS = 60  # of a night's figures on the screen; of more units only the sums are shown


@motcua.command()
@common
@click.option(
    "--period",
    "periods",
    multiple=True,
    help="Tính lại quý này từ hồ sơ gốc / re-run this quarter from the record.",
)
def run(home: Home, lang: str, periods: tuple[str, ...]) -> None:
    """Nhận tệp mới, kiểm tra, lưu, tính, công bố (việc hằng đêm). / Take in what is new, publish figures."""
    screen = console()
    from assets.launch import run_night
    from pipeline.declare.periods import default_scheme, parse_period
    from pipeline.errors import WrongUse

    keys = []
    for words in periods:
        period = parse_period(words)
        if period.scheme != default_scheme():
            raise WrongUse(
                Text(
                    f"Chỉ chạy lại được các quý của {default_scheme()}.",
                    f"Only quarters of {default_scheme()} are re-run.",
                ),
                found=Text(words, words),
                expected=Text("ví dụ 2023-Q3", "e.g. 2023-Q3"),
            )
        keys.append(period.key)
    with screen.status("…") as status:

        def progress(text: Text) -> None:
            status.update(text[lang])
            screen.print(f"· {text[lang]}", style="dim")

        result = run_night(home, progress, periods=keys)
    _tell(result, home, lang, screen)
    sys.exit(result.exit_code)


def _tell(result: Result, home: Home, lang: str, screen: Console) -> None:
    for error in result.refused:
        screen.print(Text("Không nhận được tệp:", "Not taken in:")[lang], style="bold red")
        screen.print(error.render(lang))
    for place, why in result.waiting:
        waits = Text(f"Chờ lần chạy sau: {place} ({why.vi})", f"Waits for the next run: {place} ({why.en})")
        screen.print(waits[lang])
    if result.rejected_rows:
        text = Text(
            f"{result.rejected_rows} dòng bị từ chối; xem: motcua rejects",
            f"{result.rejected_rows} rows were rejected; see: motcua rejects",
        )
        screen.print(text[lang], style="yellow")
    if result.release is None:
        if result.refused or result.waiting:
            return
        text = Text("Chưa có tệp nào trong data/raw/<nguồn>/.", "There are no files in data/raw/<source>/ yet.")
        screen.print(text[lang])
        return
    text = (
        Text(f"Đã công bố {result.release}.", f"Published {result.release}.")
        if result.changed
        else Text(
            f"Không có gì mới; số liệu vẫn là {result.release}.",
            f"Nothing new; the figures remain {result.release}.",
        )
    )
    screen.print(text[lang], style="green")
    from pipeline.measure.summary import newest_quarter

    for key, cells in result.differing.items():
        again = Text(f"{cells} ô khác bản trước", f"{cells} cells differ") if cells else Text("giống hệt", "identical")
        screen.print(f"{key}: {again[lang]}")
        for where in result.touched.get(key, []):
            told = Text(f"không còn như khi chốt: {where}", f"not as it was sealed: {where}")
            screen.print(f"! {told[lang]}", style="red")
    for key in result.outputs:
        where = (home.outputs / key).relative_to(home.root).as_posix()
        screen.print(Text(f"Báo cáo, biểu, trang: {where}", f"Report, forms, page: {where}")[lang])
    with published(home) as con:
        for key in result.differing or [newest_quarter(con)]:
            if key:
                _headline(con, key, lang, screen)
        _returns(con, lang, screen)


def _returns(con: duckdb.DuckDBPyConnection, lang: str, screen: Console) -> None:
    """The newest periods of which returns tell, and where they are shown."""
    from pipeline.measure.returns import handed_in

    for row in handed_in(con):
        text = Text(
            f"Biểu thu thập {row['period']}: {row['returns']} biểu của {row['units']} đơn vị; xem: motcua returns --period {row['period']}",
            f"Returns of {row['period']}: {row['returns']}, of {row['units']} units; see: motcua returns --period {row['period']}",
        )
        screen.print(text[lang], highlight=False)


def _headline(con: duckdb.DuckDBPyConnection, period: str, lang: str, screen: Console) -> None:
    """The newest quarter's figures and the thresholds it misses; of many units those of their sums alone."""
    from pipeline.declare.periods import parse_period
    from pipeline.measure import answers
    from pipeline.report.display import day
    from pipeline.report.screen import print_stats, print_table

    rows = answers.stats(con, period, lang=lang)
    many = len(rows) > MOST_ROWS
    shown = [r for r in rows if not many or r["level"] != "unit"]
    p = parse_period(period)
    cutoffs = {r["as_of"] for r in rows}
    cutoff = day(rows[0]["as_of"], lang) if len(cutoffs) == 1 else None
    title = Text(
        f"{p.label.vi} ({day(p.start, 'vi')} – {day(p.end, 'vi')}), chốt {cutoff or 'từng đơn vị một khác'}",
        f"{p.label.en} ({day(p.start, 'en')} – {day(p.end, 'en')}), as of {cutoff or 'different days'}",
    )
    print_stats(shown, lang, screen, title[lang])
    rates = [r for r in answers.indicators(con, period, lang=lang) if not many or r["level"] != "unit"]
    missed = [r for r in rates if r["verdict"] == "not_met"]
    if missed:
        screen.print()
        columns = ["unit", "label", "numerator", "denominator", "value", "threshold", "verdict", "needed"]
        print_table(missed, columns, lang, screen, Text("Ngưỡng chưa đạt", "Thresholds not met")[lang])
    if many:
        more = Text(
            f"Từng đơn vị ({len(rows) - len(shown)}): motcua stats, motcua indicators --period {period}",
            f"Unit by unit ({len(rows) - len(shown)}): motcua stats, motcua indicators --period {period}",
        )
        screen.print(more[lang], style="dim")
