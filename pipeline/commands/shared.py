"""What all commands share: the group, the options, opening what is published, printing rows.

Not here: a command.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from pipeline.declare.text import Text

if TYPE_CHECKING:
    import duckdb
    from rich.console import Console

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


AS_KNOWN_OPTION = click.option(
    "--as-known",
    default=None,
    metavar="NGÀY",
    help="Theo những gì biết đến hết ngày ấy (2023-09-15, hoặc kèm giờ) / by what was known then.",
)
LIVE_OPTION = click.option(
    "--live", is_flag=True, help="Kỳ đã chốt: số tính tới nay, không phải số đã chốt / live figures of sealed periods."
)
RULES_HELP = (
    "Cách tính: motcua (mặc định), opencps-monthly, opencps-adhoc, thanh-hoa …; tên khác thì in ra hết / rule set."
)
RULES_OPTION = click.option("--rules", default="motcua", metavar="CÁCH", help=RULES_HELP)


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


# ---- for the commands


def published(home: Home) -> duckdb.DuckDBPyConnection:
    """The published database, for a command that asks for figures. Raises NothingPublished, also where it was built by
    a version of the program with other tables."""
    from pipeline.declare.tables import SCHEMA_VERSION
    from pipeline.errors import NothingPublished
    from pipeline.warehouse.release import open_published

    con = open_published(home)
    told = con.execute("SELECT value FROM release_info WHERE key = 'schema_version'").fetchall()
    if told != [(str(SCHEMA_VERSION),)]:
        con.close()
        raise NothingPublished(
            Text(
                "Bản đang công bố do phiên bản khác của chương trình dựng.",
                "What is published was built by another version of the program.",
            ),
            where=str(home.warehouse),
            todo=Text("Dựng lại bằng phiên bản này: motcua run", "Build it anew with this version: motcua run"),
        )
    return con


@contextmanager
def asked(
    home: Home,
    lang: str,
    as_known: str | None = None,
    live: bool = False,
    rules: str = "motcua",
    period: str | None = None,
) -> Generator[duckdb.DuckDBPyConnection]:
    """The database that answers a question about figures: what is published (sealed periods as sealed); with `live`,
    as computed now; with `as_known`, by what was known then, whatever is sealed. By other `rules` than ours nothing is
    sealed: that is told where a seal of `period` is passed over. Raises WrongUse, NothingPublished."""
    from pipeline.declare.rules import OURS

    if as_known is None:
        with published(home) as con:
            if rules != OURS and not live:
                _seals_passed_over(con, lang, period)
            if live or rules != OURS:  # a usual question needs nothing of it
                from pipeline.measure.rules import ask_by

                ask_by(con, rules)
            yield con
        return
    from pipeline.declare.moments import parse_moment
    from pipeline.measure.rules import ask_by
    from pipeline.measure.summary import open_database
    from pipeline.night import known_by
    from pipeline.warehouse.seals import in_force

    moment = parse_moment(as_known)
    with open_database(known_by(home, moment)) as con:
        ask_by(con, rules)
        note = Text(f"Theo những gì biết đến {moment:%d/%m/%Y %H:%M}", f"As known at {moment:%d/%m/%Y %H:%M}")
        if in_force(home):
            note = Text(f"{note.vi}; bỏ qua số đã chốt.", f"{note.en}; seals are passed over.")
        click.echo(note[lang], err=True)
        yield con


def _seals_passed_over(con: duckdb.DuckDBPyConnection, lang: str, period: str | None) -> None:
    from pipeline.declare.periods import parse_periods

    keys = [p.key for p in parse_periods(period)] if period else []
    sealed = con.execute(
        "SELECT period FROM seal WHERE counts AND list_contains(?, period) ORDER BY 1", [keys]
    ).fetchall()
    if sealed:
        names = ", ".join(key for (key,) in sealed)
        note = Text(
            f"{names} đã chốt theo cách tính của Motcua; theo cách khác thì tính trên số liệu tới nay.",
            f"{names}: sealed by our rules; by others, what is known now is counted.",
        )
        click.echo(note[lang], err=True)


def marked(rows: list[dict[str, Any]], rules: str) -> list[dict[str, Any]]:
    """Rows that say by which rule set they are counted, where it is not ours."""
    from pipeline.declare.rules import OURS

    return rows if rules == OURS else [{"rules": rules} | row for row in rows]


def print_query(con: duckdb.DuckDBPyConnection, sql: str | None, rules: str, lang: str, form: str) -> None:
    """What a statement finds, which may be a long list, as CSV or JSON, marked as `marked` does. Null: no rows."""
    from pipeline.declare.rules import OURS
    from pipeline.report.screen import query_as

    if sql is None:
        print_rows([], [], lang, form)
        return
    by = "" if rules == OURS else f"'{rules}' AS rules, "
    click.echo(query_as(form, con, f"SELECT {by}* FROM ({sql})"), nl=False)


def say_rules(rules: str, lang: str) -> None:
    """Above a table: by which rule set it is counted, where it is not ours."""
    from pipeline.declare.rules import OURS, rule_sets

    if rules != OURS:
        r = rule_sets()[rules]
        click.echo(f"{Text('Cách tính', 'Counted by')[lang]}: {r.label[lang]} ({r.name}). {r.about[lang]}.")


def console() -> Console:
    from rich.console import Console

    # A file or pipe has no width of its own: nothing must fold there. Brackets in names and texts are no markup.
    return Console(width=None if sys.stdout.isatty() else 1000, markup=False)


def print_rows(
    rows: list[dict[str, Any]], columns: list[str], lang: str, form: str, spare: tuple[str, ...] = ()
) -> None:
    from pipeline.report.screen import as_csv, as_json, print_table

    if form == "json":
        click.echo(as_json(rows))
    elif form == "csv":
        click.echo(as_csv(rows), nl=False)
    else:
        print_table(rows, columns, lang, console(), spare=spare)
