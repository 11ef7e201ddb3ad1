"""Commands about sources: what is declared, a dry run of a file, a first declaration from a file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.shared import FORMAT_OPTION, common, console, motcua, print_rows
from pipeline.declare.text import Text
from pipeline.errors import WrongUse

if TYPE_CHECKING:
    from pipeline.declare.sources import Source
    from pipeline.settings import Home

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
COLUMNS = ("source", "name", "files", "layout", "first_day", "last_day", "rows_in", "counted", "excluded", "rejected")


@motcua.command()
@common
@click.option("--try", "tried", type=FILE, help="Đọc thử một tệp, không lưu gì / a dry run of a file.")
@click.option(
    "--new", "made", type=FILE, help="Viết source.toml đầu tiên từ một tệp / a first source.toml from a file."
)
@click.option("--source", "key", default=None, help="Tên nguồn (thư mục trong data/raw) / folder of data/raw.")
@FORMAT_OPTION
def sources(home: Home, lang: str, tried: Path | None, made: Path | None, key: str | None, form: str) -> None:
    """Các nguồn trong data/raw; đọc thử một tệp. / The sources in data/raw; a dry run of a file."""
    if tried and made:
        raise WrongUse(Text("Chọn một trong --try và --new.", "Choose one of --try and --new."))
    if tried:
        _try(home, tried, key, form, lang)
    elif made:
        _make(home, made, key, lang)
    else:
        from pipeline.report.state import source_rows

        print_rows(source_rows(home), list(COLUMNS), lang, form)


def _try(home: Home, path: Path, key: str | None, form: str, lang: str) -> None:
    from pipeline.report.screen import as_json
    from pipeline.report.trial import tell_trial, trial_facts
    from pipeline.warehouse.trial import try_file

    trial = try_file(path, _source(home, path, key))
    if form == "table":
        tell_trial(trial, lang, console())
    else:
        click.echo(as_json([trial_facts(trial, lang)]))
    if trial.refused:
        raise SystemExit(2)
    if trial.facts and trial.facts.rejected:
        raise SystemExit(1)


def _make(home: Home, path: Path, key: str | None, lang: str) -> None:
    from pipeline.declare.sources import Source
    from pipeline.report.new_source import write_declaration
    from pipeline.settings import PROJECT

    name = key or _folder_of(home, path)
    if name is None:
        raise WrongUse(
            Text("Nguồn mới cần một tên.", "A new source needs a name."),
            expected=Text("--source ten_nguon", "--source name_of_the_source"),
        )
    target = write_declaration(path, Source(name, name), home.raw / name)
    then = f"motcua sources --try {shlex.quote(str(path))} --source {name}"
    then += "" if home.root == PROJECT else f" --home {shlex.quote(str(home.root))}"
    click.echo(Text(f"Đã viết {target}; sửa rồi thử:\n{then}", f"Wrote {target}; mend it, then:\n{then}")[lang])


def _source(home: Home, path: Path, key: str | None) -> Source:
    """The source a file is tried with: the named one, else the folder it stands in, else none in particular."""
    from pipeline.declare.sources import Source, read_source

    name = key or _folder_of(home, path)
    return read_source(home.raw / name) if name else Source("<nguồn>", "<nguồn>")


def _folder_of(home: Home, path: Path) -> str | None:
    inside = path.resolve()
    return inside.relative_to(home.raw.resolve()).parts[0] if inside.is_relative_to(home.raw.resolve()) else None
