"""The command that prints the points of Decision 766: scores."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from pipeline.settings import Home


@motcua.command()
@common
@PERIOD_OPTION
@UNIT_OPTION
@RULES_OPTION
@AS_KNOWN_OPTION
@LIVE_OPTION
@FORMAT_OPTION
def scores(
    home: Home, lang: str, period: str, unit: str | None, rules: str, as_known: str | None, live: bool, form: str
) -> None:
    """Điểm QĐ 766: chỉ số nào tính được, từ đâu, còn thiếu gì. / Points of Decision 766, and what is lacking."""
    from pipeline.declare.rules import rule_set
    from pipeline.measure.scores import score_rows
    from pipeline.report.scores import print_scores

    by_rules = rule_set(rules).name
    with asked(home, lang, as_known, live, by_rules, period) as con:
        rows = score_rows(con, period, unit, lang)
    if form != "table":
        print_rows(marked(rows, by_rules), [], lang, form)
    elif not rows:
        click.echo(Text("Không có số liệu của kỳ này.", "There is no data of this period.")[lang])
    else:
        say_rules(by_rules, lang)
        print_scores(rows, lang, console())
