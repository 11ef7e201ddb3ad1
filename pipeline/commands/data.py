"""Commands about the data behind the figures: status, rejects, sources, units, periods, path."""

from __future__ import annotations

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
@FORMAT_OPTION
def rejects(home: Home, lang: str, file: str | None, form: str) -> None:
    """Từng dòng không được tính và lý do. / Every row that was not counted, and why."""
    from pipeline.report.state import rejected_rows

    rows = rejected_rows(home, file, lang)
    if not rows and form == "table":
        click.echo(Text("Không có dòng nào bị loại hay từ chối.", "No row was excluded or rejected.")[lang])
        return
    print_rows(
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

    print_rows(
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

    print_rows(unit_rows(home), ["unit_code", "unit", "kind", "valid_from", "valid_to", "has_data"], lang, form)


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
