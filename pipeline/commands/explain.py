"""The auditor's command: explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.shared import (
    AS_KNOWN_OPTION,
    FORMAT_OPTION,
    LIVE_OPTION,
    RULES_HELP,
    UNIT_OPTION,
    asked,
    common,
    console,
    marked,
    motcua,
    print_query,
    print_rows,
    say_rules,
)
from pipeline.declare.text import Text
from pipeline.errors import WrongUse

if TYPE_CHECKING:
    from pipeline.audit.compare_rules import Counted
    from pipeline.declare.definitions import Figure
    from pipeline.declare.periods import Period
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
@click.option("--rules", multiple=True, metavar="CÁCH", help=f"{RULES_HELP} Cùng --compare: một hay nhiều cách.")
@click.option(
    "--compare", is_flag=True, help="Theo các cách tính khác, và những hồ sơ làm nên chỗ khác / by other rule sets."
)
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
    rules: tuple[str, ...],
    compare: bool,
    as_known: str | None,
    live: bool,
    form: str,
) -> None:
    """Một số liệu nghĩa là gì, dựa vào đâu, từ hồ sơ, tệp, dòng nào. / What a figure means, and what is behind it.

    FIGURE: mã chỉ tiêu (on_time_rate), cột của stats (total, resolved_late) hay cột biểu II.06a (c3 … c13).
    """
    from dataclasses import replace

    from pipeline.audit import explain as audit
    from pipeline.audit.tell import SHOWN, facts, print_list, tell
    from pipeline.declare.definitions import figure as find
    from pipeline.declare.periods import parse_period
    from pipeline.declare.rules import OTHER, OURS, rule_set

    if (part and not wants_list) or (codes and not (wants_list or compare)):
        raise WrongUse(
            Text("--codes và --part chỉ dùng cùng --list.", "--codes and --part go with --list."),
            expected=Text("motcua explain … --list --codes", "motcua explain … --list --codes"),
        )
    if (compare and wants_list) or (len(rules) > 1 and not compare):
        raise WrongUse(
            Text(
                "Nhiều cách tính thì dùng --compare, là danh sách riêng của nó.",
                "Several rule sets go with --compare, which has a list of its own.",
            ),
            expected=Text(
                "motcua explain … --compare --rules A --rules B", "motcua explain … --compare --rules A --rules B"
            ),
        )
    by_rules = [rule_set(words).name for words in rules]
    wanted = find(figure), parse_period(period)
    today = tree == "new"
    if compare:
        from pipeline.audit import compare_rules

        with asked(home, lang, as_known, live, OTHER, period) as con:
            frame, found = compare_rules.compare(con, *wanted, unit, of_field, today, by_rules)
            if codes:
                found = compare_rules.with_codes(found, home)
        _print_compared(*wanted, frame, found, lang, form)
        return
    by = by_rules[0] if by_rules else OURS
    with asked(home, lang, as_known, live, by, period) as con:
        told = audit.explain(con, *wanted, unit, of_field, today=today)
        database = con.execute("SELECT path FROM duckdb_databases() WHERE path IS NOT NULL").fetchall()[0][0]
        behind = audit.list_of(told, part, home if codes else None) if wants_list else None
        if wants_list and form != "table":
            print_query(con, behind, by, lang, form)
        rows, count = audit.listed(con, behind, SHOWN) if form == "table" else ([], 0)
    if by != OURS and told.sql:  # so that what is pasted is counted by these rules
        from pipeline.measure.rules import search_path

        told = replace(told, sql=f"SET search_path = '{search_path(by)}';\n{told.sql}")
    if form == "table":
        say_rules(by, lang)
        screen = console()
        tell(told, database, lang, screen)
        if wants_list:
            screen.print()
            title = Text(f"Danh sách: {count} dòng", f"The list: {count} rows")[lang]
            print_list(rows, lang, screen, title, count)
    elif not wants_list:
        one = facts(told, lang)
        if form == "csv":  # a cell holds no table
            one = {name: value for name, value in one.items() if not isinstance(value, list)}
        print_rows(marked([one], by), [], lang, form)
    if told.adds_up is False:
        raise SystemExit(1)


def _print_compared(
    figure: Figure, period: Period, frame: dict[str, Any], found: list[Counted], lang: str, form: str
) -> None:
    """Exit code 1 where the dossiers listed do not account for a difference."""
    from pipeline.audit import tell_rules

    if form == "table":
        tell_rules.tell(figure, period, frame, found, lang, console())
    else:
        rows = tell_rules.as_rows(figure, period, frame, found, lang)
        print_rows(tell_rules.as_flat_rows(rows) if form == "csv" else rows, [], lang, form)
    if any(c.adds_up is False for c in found):
        raise SystemExit(1)
