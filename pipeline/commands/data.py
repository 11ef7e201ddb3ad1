"""Commands about the data behind the figures: status, rejects, withdraw, sources, units, periods, path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.shared import (
    FORMAT_OPTION,
    common,
    console,
    motcua,
    print_rows,
)
from pipeline.declare.text import Text
from pipeline.errors import WrongUse

MOST_ON_SCREEN = 200

if TYPE_CHECKING:
    from pipeline.settings import Home


@motcua.command()
@common
@FORMAT_OPTION
def status(home: Home, lang: str, form: str) -> None:
    """Đã công bố gì, có gì mới, đủ đến đâu, loại và từ chối gì. / What is published, new, covered, rejected."""
    from pipeline.report.state import status_of, tell_status

    found = status_of(home)
    if form == "table":
        tell_status(found, lang, console())
    else:
        print_rows(found["files"] if form == "csv" else [found], [], lang, form)


@motcua.command()
@common
@click.option("--file", "file", default=None, help="Chỉ tệp này (tên hoặc nguồn/tên) / only this file.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "xlsx"]),
    default=None,
    help="Bảng, CSV, JSON, hay XLSX để gửi lại đơn vị / XLSX: to send back to the office.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Tệp ghi ra (.xlsx, .csv, .json) / file to write.",
)
def rejects(home: Home, lang: str, file: str | None, form: str | None, out: Path | None) -> None:
    """Từng dòng không được tính và lý do. / Every row that was not counted, and why."""
    from pipeline.report.rejects import SHOWN, rejected_rows, write_rejects

    by_name = out.suffix.lower().removeprefix(".") if out else ""
    form = form or (by_name if by_name in ("csv", "json", "xlsx") else "xlsx" if out else "table")
    if out is not None:
        made, count = write_rejects(home, file, lang, "csv" if form == "table" else form, out)
        click.echo(Text(f"{made}: {count} dòng", f"{made}: {count} rows")[lang])
        return
    if form == "xlsx":
        raise WrongUse(
            Text("XLSX cần tên tệp để ghi ra.", "XLSX needs a file to write."),
            expected=Text("--out tra_lai.xlsx", "--out send_back.xlsx"),
        )
    rows = rejected_rows(home, file, lang)
    if form != "table":
        print_rows(rows, [], lang, form)
        return
    if not rows:
        click.echo(Text("Không có dòng nào bị loại hay từ chối.", "No row was excluded or rejected.")[lang])
        return
    print_rows(rows[:MOST_ON_SCREEN], list(SHOWN), lang, form, ("expected", "sheet", "todo"))
    if len(rows) > MOST_ON_SCREEN:
        rest = len(rows) - MOST_ON_SCREEN
        more = Text(
            f"… còn {rest} dòng nữa; tất cả: motcua rejects --out tra_lai.xlsx (hoặc --format csv)",
            f"… and {rest} more rows; all of them: motcua rejects --out send_back.xlsx (or --format csv)",
        )
        click.echo(more[lang])


@motcua.command()
@common
@click.argument("file")
@click.option("--reason", default="", help="Lý do, được ghi lại / why; it is recorded.")
@click.option("--undo", is_flag=True, help="Nhận lại tệp đã rút / count a withdrawn file again.")
def withdraw(home: Home, lang: str, file: str, reason: str, undo: bool) -> None:
    """Rút lại một tệp nhận nhầm: các dòng của nó thôi được tính. / Take a wrong file back."""
    from pipeline.warehouse.withdrawal import withdraw as take_back

    entry = take_back(home, file, reason, undo)
    done = (
        Text(f"Đã ghi: nhận lại {entry.place}.", f"Recorded: {entry.place} counts again.")
        if undo
        else Text(f"Đã ghi: rút {entry.place}.", f"Recorded: {entry.place} is withdrawn.")
    )
    then = Text("Số liệu thay đổi ở lần chạy sau: motcua run", "The figures change at the next run: motcua run")
    click.echo(f"{done[lang]}\n{then[lang]}")


@motcua.command()
@common
@click.option("--review", is_flag=True, help="Tên đơn vị chưa hiểu được, kèm gợi ý / names not understood.")
@click.option(
    "--accept",
    nargs=2,
    default=None,
    metavar="TÊN UNIT_ID",
    help="Thêm một dòng vào data/raw/unit_aliases.csv / add a line to the alias file.",
)
@click.option("--source", default=None, help="Cùng --accept: chỉ cho nguồn này / for this source alone.")
@FORMAT_OPTION
def units(home: Home, lang: str, review: bool, accept: tuple[str, str] | None, source: str | None, form: str) -> None:
    """Các đơn vị đã khai báo, thời gian hiệu lực. / The declared units and when they are valid."""
    from pipeline.report.state import unit_rows

    if accept:
        _accept(home, lang, *accept, source)
        return
    if review:
        _review(home, lang, form)
        return
    print_rows(unit_rows(home), ["unit_code", "unit", "kind", "valid_from", "valid_to", "has_data"], lang, form)


def _accept(home: Home, lang: str, written: str, unit_id: str, source: str | None) -> None:
    from pipeline.declare.units import units as known
    from pipeline.warehouse.aliases import accept

    line = accept(home, written, unit_id, source)
    name = known()[unit_id].name
    click.echo(
        Text(
            f"Đã ghi vào data/raw/unit_aliases.csv: {line}\n“{written}” là {name}. Lần chạy sau (motcua run) sẽ tính.",
            f"Written to data/raw/unit_aliases.csv: {line}\n“{written}” is {name}. The next run (motcua run) counts it.",
        )[lang]
    )


def _review(home: Home, lang: str, form: str) -> None:
    from pipeline.report.unit_review import review_rows

    rows = review_rows(home)
    if not rows and form == "table":
        click.echo(Text("Không có tên đơn vị nào chưa hiểu được.", "Every name of a unit was understood.")[lang])
        return
    columns = ["written", "source", "rows", "first_received_on", "last_received_on", "proposals", "accept"]
    print_rows(rows, columns, lang, form, ("last_received_on", "first_received_on", "source"))


@motcua.command()
@common
@FORMAT_OPTION
def periods(home: Home, lang: str, form: str) -> None:
    """Các kỳ báo cáo và mức đủ số liệu. / The reporting periods and how far they are covered."""
    from pipeline.report.state import period_rows

    print_rows(
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
