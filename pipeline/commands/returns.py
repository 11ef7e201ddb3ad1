"""Commands about returns, the figures that are kept by hand: template, returns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.shared import (
    AS_KNOWN_OPTION,
    FORMAT_OPTION,
    LIVE_OPTION,
    PERIOD_OPTION,
    UNIT_OPTION,
    asked,
    common,
    console,
    motcua,
    print_rows,
)
from pipeline.declare.text import Text
from pipeline.errors import WrongUse

if TYPE_CHECKING:
    from pipeline.settings import Home


@motcua.command()
@common
@click.argument("names", nargs=-1, metavar="[RETURN]…")
@click.option("--period", default=None, help="Kỳ của biểu: 2023-Q4, 2023-H1, 2023-9M, 2023 / the return's period.")
@UNIT_OPTION
@click.option(
    "--source",
    default=None,
    metavar="NGUỒN",
    help='Nguồn có đơn vị riêng (units = "from_file"): tên ở --unit giữ như viết / source with units of its own.',
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Tệp ghi ra (.xlsx) / file to write.",
)
@click.option("--force", is_flag=True, help="Ghi đè tệp đã có / replace a file that exists.")
@FORMAT_OPTION
def template(
    home: Home,
    lang: str,
    names: tuple[str, ...],
    period: str | None,
    unit: str | None,
    source: str | None,
    out: Path | None,
    force: bool,
    form: str,
) -> None:
    """Mẫu để điền các số liệu không có trong sổ; không kèm tên: danh sách. / A workbook to fill in; the list."""
    from pipeline.report.return_requests import requested, return_rows

    if not names:
        print_rows(
            return_rows(lang), ["return", "name", "periods", "fills", "section"], lang, form, ("fills", "section")
        )
        return
    if period is None:
        raise WrongUse(
            Text("Thiếu kỳ của biểu.", "The return's period is missing."),
            expected=Text("--period 2023-Q4 (2023-H1, 2023-9M, 2023)", "--period 2023-Q4 (2023-H1, 2023-9M, 2023)"),
        )
    from pipeline.declare.periods import parse_period
    from pipeline.report.templates import write_template

    one = parse_period(period)
    sheets = requested(home, names, one, unit, source)
    path = out or Path(f"{'_'.join(dict.fromkeys(names))}_{one.key.replace(':', '-')}.xlsx")
    if path.exists() and not force:
        raise WrongUse(
            Text("Tệp đã có, có thể đã điền.", "The file is there already, and may be filled in."),
            where=str(path),
            todo=Text(
                "Chọn tên khác (--out), hoặc ghi đè: --force", "Choose another name (--out), or replace it: --force"
            ),
        )
    made = write_template(path, sheets)
    click.echo(
        Text(
            f"{made}: {len(sheets)} trang. Điền ô vàng, lưu, đặt vào data/raw/<nguồn>/ rồi chạy: motcua run",
            f"{made}: {len(sheets)} sheets. Fill the yellow cells, save, put it into data/raw/<source>/ and run: motcua run",
        )[lang]
    )


@motcua.command()
@common
@PERIOD_OPTION
@UNIT_OPTION
@click.option("--indicators", "rates", is_flag=True, help="Tỷ lệ, chỉ tiêu và kết luận / shares, targets, verdicts.")
@AS_KNOWN_OPTION
@LIVE_OPTION
@FORMAT_OPTION
def returns(
    home: Home, lang: str, period: str, unit: str | None, rates: bool, as_known: str | None, live: bool, form: str
) -> None:
    """Số liệu của các biểu thu thập trong kỳ. / Figures of a period that returns tell."""
    from pipeline.measure.returns import return_figures, return_indicators
    from pipeline.report.return_screen import shown_figures, shown_indicators

    with asked(home, lang, as_known, live, period=period) as con:
        rows = (return_indicators if rates else return_figures)(con, period, unit, lang)
    if form == "table" and not rows:
        click.echo(Text("Không có biểu nào của kỳ này.", "There is no return of this period.")[lang])
    elif form == "table":
        shown = (shown_indicators if rates else shown_figures)(rows, lang)
        print_rows(shown, list(shown[0]), lang, form, ("cell", "section"))
    else:
        print_rows(rows, [], lang, form)
    if form == "table":
        console().print()
