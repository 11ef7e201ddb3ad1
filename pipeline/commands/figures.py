"""Commands that print figures: stats, indicators, overdue, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.shared import (
    AS_KNOWN_OPTION,
    FORMAT_OPTION,
    LIVE_OPTION,
    PERIOD_OPTION,
    RULES_OPTION,
    UNIT_OPTION,
    asked,
    common,
    console,
    marked,
    motcua,
    print_rows,
    say_rules,
)
from pipeline.declare.text import Text
from pipeline.errors import WrongUse

if TYPE_CHECKING:
    from pipeline.settings import Home


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
@click.option(
    "--tree",
    type=click.Choice(["valid", "new"]),
    default="valid",
    show_default=True,
    help="Đơn vị của kỳ ấy, hay đơn vị hiện nay / units valid then, or today's.",
)
@RULES_OPTION
@AS_KNOWN_OPTION
@LIVE_OPTION
@FORMAT_OPTION
def stats(
    home: Home,
    lang: str,
    period: str,
    by: str | None,
    unit: str | None,
    tree: str,
    rules: str,
    as_known: str | None,
    live: bool,
    form: str,
) -> None:
    """Số hồ sơ của một kỳ theo đơn vị. / Counts of dossiers of a period, by unit."""
    from pipeline.declare.rules import rule_set
    from pipeline.measure import answers
    from pipeline.measure.trends import trends
    from pipeline.report.screen import print_stats

    if tree == "new" and by not in (None, "unit"):
        raise WrongUse(
            Text("Theo đơn vị hiện nay chỉ có số theo đơn vị.", "On today's tree there are counts by unit alone."),
            expected=Text("--tree new không kèm --by", "--tree new without --by"),
        )
    by_rules = rule_set(rules).name
    with asked(home, lang, as_known, live, by_rules, period) as con:
        rows = trends(con, period, unit) if tree == "new" else answers.stats(con, period, by, unit, lang)
    if form == "table" and not rows:
        click.echo(Text("Không có số liệu của kỳ này.", "There is no data of this period.")[lang])
    elif form == "table":
        say_rules(by_rules, lang)
        print_stats(rows, lang, console())
    else:
        print_rows(marked(rows, by_rules), [], lang, form)


@motcua.command()
@common
@PERIOD_OPTION
@UNIT_OPTION
@RULES_OPTION
@AS_KNOWN_OPTION
@LIVE_OPTION
@FORMAT_OPTION
def indicators(
    home: Home, lang: str, period: str, unit: str | None, rules: str, as_known: str | None, live: bool, form: str
) -> None:
    """Tỷ lệ: tử số, mẫu số, ngưỡng, kết luận. / Rates: numerator, denominator, threshold, verdict."""
    from pipeline.declare.rules import rule_set
    from pipeline.measure import answers

    by_rules = rule_set(rules).name
    with asked(home, lang, as_known, live, by_rules, period) as con:
        rows = answers.indicators(con, period, unit=unit, lang=lang)
    columns = ["unit", "label", "numerator", "denominator", "unknown", "value", "threshold", "verdict", "needed"]
    spare = ("unknown", "threshold", "denominator", "numerator")
    if form == "table":
        say_rules(by_rules, lang)
    print_rows(marked(rows, by_rules), columns if ".." not in period else ["period", *columns], lang, form, spare)


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
@RULES_OPTION
@FORMAT_OPTION
def overdue(home: Home, lang: str, unit: str | None, within: int, rules: str, form: str) -> None:
    """Hồ sơ đang giải quyết đã quá hạn hoặc sắp đến hạn. / Open dossiers past due or soon due."""
    from pipeline.declare.rules import rule_set
    from pipeline.measure import answers

    by_rules = rule_set(rules).name
    with asked(home, lang, rules=by_rules) as con:
        rows = marked(answers.overdue(con, unit=unit, within=within), by_rules)
    if form == "table":
        say_rules(by_rules, lang)
    print_rows(
        rows, ["unit", "open", "overdue", "due_soon", "paused", "earliest_due", "as_of"], lang, form, ("earliest_due",)
    )


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
@UNIT_OPTION
@click.option(
    "--pictures/--no-pictures",
    default=True,
    help="Kèm biểu đồ PNG, SVG / with charts (cần trình duyệt / they need a browser).",
)
@RULES_OPTION
@AS_KNOWN_OPTION
@LIVE_OPTION
def export(
    home: Home,
    lang: str,
    period: str,
    out: Path,
    unit: str | None,
    pictures: bool,
    rules: str,
    as_known: str | None,
    live: bool,
) -> None:
    """Ghi biểu, sổ số liệu, báo cáo, trang, bảng của kỳ. / Write a period's forms, workbook, report, page, tables."""
    from pipeline.declare.moments import parse_moment
    from pipeline.declare.rules import rule_set
    from pipeline.report.export import export as write

    by_rules, moment = rule_set(rules).name, parse_moment(as_known) if as_known else None
    with asked(home, lang, as_known, live, by_rules, period) as con:
        files = write(
            con,
            period,
            out,
            by_rules,
            unit,
            lang,
            draw=pictures,
            say=lambda text: click.echo(text[lang], err=True),
            as_known=moment,
            template=home.section_template,
        )
    for made in files:
        click.echo(str(made))
