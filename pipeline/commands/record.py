"""The auditor's commands about what was said when: seal, rerun, revisions, diff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.commands.shared import FORMAT_OPTION, common, console, motcua, print_rows
from pipeline.declare.text import Text
from pipeline.errors import WrongUse

if TYPE_CHECKING:
    from pipeline.settings import Home

SEALS = ["seal", "period", "version", "counts", "known_at", "sealed_at", "note", "reason"]


@motcua.command()
@common
@click.argument("period", required=False)
@click.option(
    "--as-known", default=None, metavar="NGÀY", help="Chốt theo những gì biết đến khi ấy / by what was known then."
)
@click.option("--note", default=None, help="Ghi chú / a note.")
@click.option("--revise", is_flag=True, help="Chốt lại: bản mới bên cạnh bản cũ / a new version beside the old one.")
@click.option("--reason", default=None, help="Cùng --revise: vì sao / why.")
@click.option("--verify", "checks", is_flag=True, help="Kiểm tra các lần chốt có bị sửa không / was any seal touched?")
@FORMAT_OPTION
def seal(
    home: Home,
    lang: str,
    period: str | None,
    as_known: str | None,
    note: str | None,
    revise: bool,
    reason: str | None,
    checks: bool,
    form: str,
) -> None:
    """Chốt số liệu một kỳ; không có kỳ: các lần đã chốt. / Seal a period; without one: the seals there are."""
    if checks:
        _verify(home, lang, period, form)
        return
    if period is None:
        if as_known or note or revise or reason:
            raise WrongUse(
                Text("Chốt kỳ nào?", "Which period?"), expected=Text("motcua seal 2023-Q3", "motcua seal 2023-Q3")
            )
        _list(home, lang, form)
        return
    from pipeline.audit.sealing import seal as make
    from pipeline.declare.moments import parse_moment
    from pipeline.declare.periods import parse_period

    moment = parse_moment(as_known) if as_known else None
    made = make(home, parse_period(period), moment, note, reason, revise)
    if form != "table":
        print_rows([r for r in _rows(home) if r["seal"] == made.short], SEALS, lang, form)
        return
    told = Text(
        f"Đã chốt {made.period}, lần {made.version}, theo những gì biết đến {made.known_at:%d/%m/%Y %H:%M}. Dấu chốt: {made.short}",
        f"Sealed {made.period}, version {made.version}, as known at {made.known_at:%d/%m/%Y %H:%M}. Seal: {made.short}",
    )
    click.echo(told[lang])
    if made.version > 1:
        from pipeline.audit.difference import compare
        from pipeline.audit.places import place_of
        from pipeline.audit.sides import side_by_side

        sides = (place_of(home, f"{made.period}@{v}") for v in (made.version - 1, made.version))
        with side_by_side(*sides) as con:
            cells = compare(con, made.period).cells
        click.echo(
            Text(f"{len(cells)} ô khác lần chốt trước.", f"{len(cells)} cells differ from the version before.")[lang]
        )


def _rows(home: Home) -> list[dict]:
    from pipeline.warehouse.record import local
    from pipeline.warehouse.seals import in_force, read_seals

    now = in_force(home)
    return [
        {
            "seal": s.short,
            "period": s.period,
            "version": s.version,
            "counts": now[s.period].number == s.number,
            "known_at": s.known_at,
            "sealed_at": local(s.sealed_at),
            "note": s.note,
            "reason": s.reason,
            "rules": s.rules,
            "files": len(s.files),
            "sha256": s.sha256,
            "previous": s.previous,
        }
        for s in read_seals(home)
    ]


def _list(home: Home, lang: str, form: str) -> None:
    rows = _rows(home)
    if not rows and form == "table":
        click.echo(
            Text("Chưa chốt kỳ nào. Chốt: motcua seal 2023-Q3", "No period is sealed. To seal: motcua seal 2023-Q3")[
                lang
            ]
        )
        return
    print_rows(rows, SEALS, lang, form)


def _verify(home: Home, lang: str, period: str | None, form: str) -> None:
    from pipeline.audit.rerun import seal_of
    from pipeline.audit.tell_difference import fault_row, tell_faults
    from pipeline.audit.verify import verify
    from pipeline.warehouse.seals import read_chain

    faults = verify(home, [seal_of(home, period)] if period else None)
    if form != "table":
        print_rows([fault_row(f, lang) for f in faults], [], lang, form)
    else:
        tell_faults(faults, lang, console())
        count = len(read_chain(home))
        if not [f for f in faults if not f.harmless]:
            whole = Text(f"{count} lần chốt: không có gì bị sửa.", f"{count} seals: nothing was touched.")
            click.echo(whole[lang])
    if any(not f.harmless for f in faults):
        raise SystemExit(1)


@motcua.command()
@common
@click.argument("periods", nargs=-1, required=True)
@FORMAT_OPTION
def rerun(home: Home, lang: str, periods: tuple[str, ...], form: str) -> None:
    """Tính lại kỳ đã chốt từ tệp gốc và so từng ô. / Compute sealed periods again from the raw files, cell by cell.

    PERIODS: 2023-Q3, 2023-Q3@1, một dấu chốt, hay khoảng 2022-Q1..2023-Q4.
    """
    from pipeline.audit.rerun import rerun as again
    from pipeline.audit.tell_difference import rerun_facts, tell_rerun

    screen, found = console(), []
    with screen.status("…") as status:
        for one in _seals(home, periods):
            found.append(again(home, one, lambda text: status.update(text[lang])))
            if form == "table":
                tell_rerun(found[-1], lang, screen)
    if form != "table":
        rows = [rerun_facts(told, lang) for told in found]
        if form == "csv":
            rows = [{k: len(v) if isinstance(v, list) else v for k, v in r.items()} for r in rows]
        print_rows(rows, [], lang, form)
    raise SystemExit(max(told.exit_code for told in found))


def _seals(home: Home, words: tuple[str, ...]) -> list:
    from pipeline.audit.rerun import seal_of
    from pipeline.declare.periods import parse_periods
    from pipeline.warehouse.seals import in_force

    found = []
    for one in words:
        if ".." not in one:
            found.append(seal_of(home, one))
            continue
        sealed = in_force(home)
        inside = [sealed[p.key] for p in parse_periods(one) if p.key in sealed]
        found += inside or [seal_of(home, one)]
    return found


@motcua.command()
@common
@click.argument("period")
@FORMAT_OPTION
def revisions(home: Home, lang: str, period: str, form: str) -> None:
    """Số đã chốt mà dữ liệu đến sau làm khác đi, vì hồ sơ và tệp nào. / What later data changed in a sealed period."""
    from pipeline.audit.rerun import seal_of
    from pipeline.audit.revisions import revisions as find
    from pipeline.audit.tell_difference import flat, rows_of_cells, tell_compared

    sealed = seal_of(home, period)
    found = find(home, sealed)
    if form != "table":
        rows = rows_of_cells(found, lang, ("sealed", "now"))
        print_rows(flat(rows) if form == "csv" else rows, [], lang, form)
        return
    if found.identical:
        same = Text(
            f"{sealed.period}@{sealed.version} [{sealed.short}]: không có gì thay đổi từ khi chốt.",
            f"{sealed.period}@{sealed.version} [{sealed.short}]: nothing changed since it was sealed.",
        )
        click.echo(same[lang])
        return
    tell_compared(found, lang, console(), (Text("Đã chốt", "Sealed"), Text("Hiện nay", "Now")))
    again = Text(
        f'Chốt lại: motcua seal {sealed.period} --revise --reason "…"',
        f'To seal anew: motcua seal {sealed.period} --revise --reason "…"',
    )
    click.echo(again[lang])


@motcua.command()
@common
@click.argument("a")
@click.argument("b")
@click.option("--period", default=None, help="Chỉ kỳ này / only this period.")
@FORMAT_OPTION
def diff(home: Home, lang: str, a: str, b: str, period: str | None, form: str) -> None:
    """Hai bản số liệu khác nhau ở đâu và vì sao. / Where two sets of figures differ, and why.

    A, B: một bản công bố, một lần chốt (2023-Q3, 2023-Q3@1, mã băm), một ngày (2023-09-15: theo những gì biết khi ấy),
    current (đang công bố) hay live (số tính tới nay).
    """
    from pipeline.audit.diff import diff as find
    from pipeline.audit.tell_difference import flat, rows_of_cells, tell_compared
    from pipeline.declare.periods import parse_periods
    from pipeline.report.screen import print_table

    keys = [p.key for p in parse_periods(period)] if period else None
    found = find(home, a, b, keys)
    if form != "table":
        rows = [r for one in found.periods for r in rows_of_cells(one, lang)]
        print_rows(flat(rows) if form == "csv" else [found.facts(lang) | {"cells": rows}], [], lang, form)
        return
    screen = console()
    screen.print(f"{found.before.label[lang]}  ↔  {found.after.label[lang]}", style="bold", highlight=False)
    if found.identical:
        click.echo(Text("giống hệt", "identical")[lang])
        return
    if found.tables:
        columns = ["table", "rows_before", "rows_after", "only_before", "only_after"]
        title = Text("Các bảng khác nhau (số dòng)", "Tables that differ (rows)")
        print_table(found.tables, columns, lang, screen, title[lang])
    for one in found.periods:
        screen.print()
        screen.print(one.period, style="bold")
        tell_compared(one, lang, screen, (found.before.label, found.after.label))
