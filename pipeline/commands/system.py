"""Commands about the machine and its services: ui, doctor."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipeline.commands.shared import (
    FORMAT_OPTION,
    common,
    motcua,
    print_rows,
)

if TYPE_CHECKING:
    from pipeline.settings import Home


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
    print_rows(rows, ["check", "result", "detail"], lang, form)
    sys.exit(3 if any(r["ok"] is False for r in rows) else 0)
