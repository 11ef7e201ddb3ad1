"""The commands: words in, calls into the rooms, tables out. No work on data here, and no figure.

What a command needs is imported when it runs, so that `motcua --help` starts at once.
Not here: errors and exit codes (cli.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.declare.text import Text

if TYPE_CHECKING:
    import duckdb
    from rich.console import Console

    from pipeline.night import Result
    from pipeline.settings import Home

LANG_OPTION = click.option("--lang", type=click.Choice(["vi", "en"]), default="vi", help="Ngôn ngữ / language.")
HOME_OPTION = click.option(
    "--home",
    type=click.Path(file_okay=False),
    default=None,
    help="Thư mục chứa data/ (mặc định: dự án này) / folder that holds data/.",
)
FORMAT_OPTION = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    help="Bảng, CSV hay JSON / output format.",
)
PERIOD_OPTION = click.option(
    "--period",
    required=True,
    help="Kỳ: 2023-Q3, 2023-M09, 2023-H1, 2023-9M, 2023, calendar:2023-Q3, 2022-Q1..2023-Q4.",
)
UNIT_OPTION = click.option("--unit", default=None, help="Mã hoặc tên đơn vị / code or name of a unit.")


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """--home and --lang on a command; it is called with the Home."""

    @HOME_OPTION
    @LANG_OPTION
    @wraps(command)
    def with_home(home: str | None, **rest: Any) -> Any:
        from pipeline.settings import find_home

        return command(home=find_home(home), **rest)

    return with_home


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(None, "--version", package_name="motcua", prog_name="motcua", message="%(prog)s %(version)s")
def motcua() -> None:
    """Số liệu giải quyết thủ tục hành chính từ hệ thống Một cửa điện tử.

    Figures on dossiers from the exports of one-stop offices.
    """


# ---- the night


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
    console = _console()
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
    with console.status("…") as status:

        def progress(text: Text) -> None:
            status.update(text[lang])
            console.print(f"· {text[lang]}", style="dim")

        result = run_night(home, progress, periods=keys)
    _tell(result, home, lang, console)
    sys.exit(result.exit_code)


def _tell(result: Result, home: Home, lang: str, console: Console) -> None:
    for error in result.refused:
        console.print(Text("Không nhận được tệp:", "Not taken in:")[lang], style="bold red")
        console.print(error.render(lang))
    if result.rejected_rows:
        text = Text(
            f"{result.rejected_rows} dòng bị từ chối; xem: motcua rejects",
            f"{result.rejected_rows} rows were rejected; see: motcua rejects",
        )
        console.print(text[lang], style="yellow")
    if result.release is None:
        if result.refused:
            return
        text = Text("Chưa có tệp nào trong data/raw/<nguồn>/.", "There are no files in data/raw/<source>/ yet.")
        console.print(text[lang])
        return
    text = (
        Text(f"Đã công bố {result.release}.", f"Published {result.release}.")
        if result.changed
        else Text(
            f"Không có gì mới; số liệu vẫn là {result.release}.",
            f"Nothing new; the figures remain {result.release}.",
        )
    )
    console.print(text[lang], style="green")
    from pipeline.measure.summary import newest_quarter

    for key, cells in result.differing.items():
        again = Text(f"{cells} ô khác bản trước", f"{cells} cells differ") if cells else Text("giống hệt", "identical")
        console.print(f"{key}: {again[lang]}")
    with _published(home) as con:
        for key in result.differing or [newest_quarter(con)]:
            if key:
                _headline(con, key, lang, console)


def _headline(con: duckdb.DuckDBPyConnection, period: str, lang: str, console: Console) -> None:
    """The newest quarter's figures and the thresholds it misses."""
    from pipeline.declare.periods import parse_period
    from pipeline.measure import answers
    from pipeline.report.display import day
    from pipeline.report.screen import print_stats, print_table

    rows = answers.stats(con, period, lang=lang)
    p = parse_period(period)
    cutoffs = {r["as_of"] for r in rows}
    cutoff = day(rows[0]["as_of"], lang) if len(cutoffs) == 1 else None
    title = Text(
        f"{p.label.vi} ({day(p.start, 'vi')} – {day(p.end, 'vi')}), chốt {cutoff or 'từng đơn vị một khác'}",
        f"{p.label.en} ({day(p.start, 'en')} – {day(p.end, 'en')}), as of {cutoff or 'different days'}",
    )
    print_stats(rows, lang, console, title[lang])
    missed = [r for r in answers.indicators(con, period, lang=lang) if r["verdict"] == "not_met"]
    if missed:
        console.print()
        columns = ["unit", "label", "numerator", "denominator", "value", "threshold", "verdict", "needed"]
        print_table(missed, columns, lang, console, Text("Ngưỡng chưa đạt", "Thresholds not met")[lang])


# ---- figures


@motcua.command()
@common
@PERIOD_OPTION
@click.option(
    "--by",
    type=click.Choice(["unit", "field", "procedure", "level"]),
    default=None,
    help="Chia theo / broken down by.",
)
@UNIT_OPTION
@FORMAT_OPTION
def stats(home: Home, lang: str, period: str, by: str | None, unit: str | None, form: str) -> None:
    """Số hồ sơ của một kỳ theo đơn vị. / Counts of dossiers of a period, by unit."""
    from pipeline.measure import answers
    from pipeline.report.screen import print_stats

    with _published(home) as con:
        rows = answers.stats(con, period, by=by, unit=unit, lang=lang)
    if form == "table":
        print_stats(rows, lang, _console())
    else:
        _print(rows, [], lang, form)


@motcua.command()
@common
@PERIOD_OPTION
@UNIT_OPTION
@FORMAT_OPTION
def indicators(home: Home, lang: str, period: str, unit: str | None, form: str) -> None:
    """Tỷ lệ: tử số, mẫu số, ngưỡng, kết luận. / Rates: numerator, denominator, threshold, verdict."""
    from pipeline.measure import answers

    with _published(home) as con:
        rows = answers.indicators(con, period, unit=unit, lang=lang)
    columns = ["unit", "label", "numerator", "denominator", "unknown", "value", "threshold", "verdict", "needed"]
    spare = ("unknown", "threshold", "denominator", "numerator")
    _print(rows, columns if ".." not in period else ["period", *columns], lang, form, spare)


@motcua.command()
@common
@UNIT_OPTION
@click.option(
    "--within",
    type=click.IntRange(0, 365),
    default=5,
    show_default=True,
    help="Sắp đến hạn trong số ngày này / due within days.",
)
@FORMAT_OPTION
def overdue(home: Home, lang: str, unit: str | None, within: int, form: str) -> None:
    """Hồ sơ đang giải quyết đã quá hạn hoặc sắp đến hạn. / Open dossiers past due or soon due."""
    from pipeline.measure import answers

    with _published(home) as con:
        rows = answers.overdue(con, unit=unit, within=within)
    _print(
        rows, ["unit", "open", "overdue", "due_soon", "paused", "earliest_due", "as_of"], lang, form, ("earliest_due",)
    )


# ---- the data behind them


@motcua.command()
@common
@FORMAT_OPTION
def status(home: Home, lang: str, form: str) -> None:
    """Đã công bố gì, có gì mới, đủ đến đâu, loại và từ chối gì. / What is published, new, covered, rejected."""
    from pipeline.report.state import status_of, tell_status

    found = status_of(home)
    if form == "table":
        tell_status(found, lang, _console())
    else:
        _print(found["files"] if form == "csv" else [found], [], lang, form)


@motcua.command()
@common
@click.option("--file", "file", default=None, help="Chỉ tệp này (tên hoặc nguồn/tên) / only this file.")
@FORMAT_OPTION
def rejects(home: Home, lang: str, file: str | None, form: str) -> None:
    """Từng dòng không được tính và lý do. / Every row that was not counted, and why."""
    from pipeline.report.state import rejected_rows

    rows = rejected_rows(home, file, lang)
    if not rows and form == "table":
        click.echo(Text("Không có dòng nào bị loại hay từ chối.", "No row was excluded or rejected.")[lang])
        return
    _print(
        rows,
        ["file", "sheet", "row", "verdict", "reason", "expected", "found", "todo"],
        lang,
        form,
        ("expected", "sheet", "todo"),
    )


@motcua.command()
@common
@FORMAT_OPTION
def sources(home: Home, lang: str, form: str) -> None:
    """Các nguồn trong data/raw: khai báo, bố cục, số dòng. / The sources in data/raw."""
    from pipeline.report.state import source_rows

    _print(
        source_rows(home),
        [
            "source",
            "name",
            "files",
            "layout",
            "first_day",
            "last_day",
            "rows_in",
            "counted",
            "excluded",
            "rejected",
        ],
        lang,
        form,
    )


@motcua.command()
@common
@FORMAT_OPTION
def units(home: Home, lang: str, form: str) -> None:
    """Các đơn vị đã khai báo, thời gian hiệu lực. / The declared units and when they are valid."""
    from pipeline.report.state import unit_rows

    _print(unit_rows(home), ["unit_code", "unit", "kind", "valid_from", "valid_to", "has_data"], lang, form)


@motcua.command()
@common
@FORMAT_OPTION
def periods(home: Home, lang: str, form: str) -> None:
    """Các kỳ báo cáo và mức đủ số liệu. / The reporting periods and how far they are covered."""
    from pipeline.report.state import period_rows

    _print(
        period_rows(home, lang),
        ["period", "name", "period_from", "period_to", "as_of", "coverage", "missing"],
        lang,
        form,
    )


@motcua.command()
@common
def path(home: Home, lang: str) -> None:
    """Đường dẫn cơ sở dữ liệu đang công bố. / Where the published database is."""
    from pipeline.warehouse.release import published

    click.echo(str(published(home).database))


@motcua.command()
@common
@PERIOD_OPTION
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("export"),
    show_default=True,
    help="Thư mục ghi ra / folder to write.",
)
def export(home: Home, lang: str, period: str, out: Path) -> None:
    """Ghi số liệu của kỳ ra CSV và Parquet. / Write a period's figures as CSV and Parquet."""
    from pipeline.report.export import export as write

    with _published(home) as con:
        for made in write(con, period, out):
            click.echo(str(made))


@motcua.command()
@common
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def ui(home: Home, lang: str, port: int) -> None:
    """Mở trang Dagster và bộ lập lịch hằng đêm. / Dagster's page and the nightly schedule."""
    from assets.launch import serve

    sys.exit(serve(home, port))


@motcua.command()
@common
@FORMAT_OPTION
def doctor(home: Home, lang: str, form: str) -> None:
    """Máy này còn thiếu gì. / What this machine lacks."""
    from pipeline.report.state import doctor_rows

    rows = doctor_rows(home, lang)
    _print(rows, ["check", "result", "detail"], lang, form)
    sys.exit(3 if any(r["ok"] is False for r in rows) else 0)


# ---- shared


def _published(home: Home) -> duckdb.DuckDBPyConnection:
    from pipeline.warehouse.release import open_published

    return open_published(home)


def _console() -> Console:
    from rich.console import Console

    # A file or pipe has no width of its own: nothing must fold there. Brackets in names and texts are no markup.
    return Console(width=None if sys.stdout.isatty() else 1000, markup=False)


def _print(rows: list[dict[str, Any]], columns: list[str], lang: str, form: str, spare: tuple[str, ...] = ()) -> None:
    from pipeline.report.screen import as_csv, as_json, print_table

    if form == "json":
        click.echo(as_json(rows))
    elif form == "csv":
        click.echo(as_csv(rows), nl=False)
    else:
        print_table(rows, columns, lang, _console(), spare=spare)
