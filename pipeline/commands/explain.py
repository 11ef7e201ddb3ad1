"""The auditor's command: explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.commands.shared import (
    AS_KNOWN_OPTION,
    FORMAT_OPTION,
    LIVE_OPTION,
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
@click.argument("figure")
@click.option("--period", required=True, help="Kỳ: 2023-Q3, 2023-M09, 2023-H1, 2023-9M, 2023, calendar:2023-Q3.")
@UNIT_OPTION
@click.option("--field", "of_field", default=None, help="Một lĩnh vực; không rõ: - / one field; not known: -")
@click.option(
    "--tree",
    type=click.Choice(["valid", "new"]),
    default="valid",
    show_default=True,
    help="Đơn vị của kỳ ấy, hay đơn vị hiện nay / units valid then, or today's.",
)
@click.option("--list", "wants_list", is_flag=True, help="Từng hồ sơ phía sau số liệu / the dossiers behind it.")
@click.option(
    "--part",
    type=click.Choice(["numerator", "denominator", "rest", "unknown"]),
    default=None,
    help="Cùng --list: chỉ tử số, mẫu số, mẫu số mà không phải tử số, không rõ / one part of the list.",
)
@click.option("--codes", is_flag=True, help="Cùng --list: thêm mã hồ sơ từ kho hạn chế / with dossier codes.")
@AS_KNOWN_OPTION
@LIVE_OPTION
@FORMAT_OPTION
def explain(
    home: Home,
    lang: str,
    figure: str,
    period: str,
    unit: str | None,
    of_field: str | None,
    tree: str,
    wants_list: bool,
    part: str | None,
    codes: bool,
    as_known: str | None,
    live: bool,
    form: str,
) -> None:
    """Một số liệu nghĩa là gì, dựa vào đâu, từ hồ sơ, tệp, dòng nào. / What a figure means, and what is behind it.

    FIGURE: mã chỉ tiêu (on_time_rate), cột của stats (total, resolved_late) hay cột biểu II.06a (c3 … c13).
    """
    from pipeline.audit import explain as audit
    from pipeline.audit.figures import figure as find
    from pipeline.audit.tell import facts, print_list, tell
    from pipeline.declare.periods import parse_period

    if (codes or part) and not wants_list:
        raise WrongUse(
            Text("--codes và --part chỉ dùng cùng --list.", "--codes and --part go with --list."),
            expected=Text("motcua explain … --list --codes", "motcua explain … --list --codes"),
        )
    wanted = find(figure), parse_period(period)
    with asked(home, lang, as_known, live) as con:
        told = audit.explain(con, *wanted, unit, of_field, today=tree == "new")
        database = con.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchall()[0][0]
        rows = audit.listed(con, told, part, home if codes else None) if wants_list else []
    if form == "table":
        screen = console()
        tell(told, database, lang, screen)
        if wants_list:
            screen.print()
            print_list(rows, lang, screen, Text(f"Danh sách: {len(rows)} dòng", f"The list: {len(rows)} rows")[lang])
    else:
        one = facts(told, lang)
        if form == "csv":  # a cell holds no table
            one = {name: value for name, value in one.items() if not isinstance(value, list)}
        print_rows(rows if wants_list else [one], [], lang, form)
    if told.adds_up is False:
        raise SystemExit(1)
