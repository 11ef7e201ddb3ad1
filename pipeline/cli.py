"""The command line's way in and out: every error that a person can meet ends here as words and an exit code.

Exit codes: 0 done, 1 done with rejects or failed checks, 2 wrong use or input not taken, 3 failed (DESIGN §6).
Not here: the commands (commands.py).
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
import traceback
from pathlib import Path

import click

from pipeline import settings
from pipeline.commands import motcua
from pipeline.declare.text import Text
from pipeline.errors import MotcuaError


def _wrong_use(error: click.UsageError) -> Text:
    """What is wrong with the words of a command; click says it in English only."""
    english = error.format_message()
    if isinstance(error, click.NoSuchOption):
        return Text(f"không có tùy chọn {error.option_name}", english)
    if isinstance(error, click.MissingParameter):
        return Text(f"thiếu {'/'.join(error.param.opts) if error.param else ''}", english)
    if isinstance(error, click.BadParameter):
        return Text(
            f"giá trị không hợp lệ cho {'/'.join(error.param.opts) if error.param else ''} ({error.message})",
            english,
        )
    return Text(english.replace("No such command", "không có lệnh").replace("Missing command", "thiếu lệnh"), english)


def main(arguments: list[str] | None = None) -> None:
    """Runs a command; ends with an exit code and, where something is wrong, with words in the language asked for.
    arguments: those of a command within a process that goes on."""
    if arguments is not None:
        _run(arguments)
        return
    code: list[object] = []
    atexit.register(_end, code)
    try:
        _run(sys.argv[1:])
        code.append(0)
    except SystemExit as end:
        code.append(end.code)
        raise


def _end(code: list[object]) -> None:
    """Ends the process once all that was registered since its start is done: Python would look through all its objects
    for cycles, again and again, before the memory goes back, which is a tenth of the sample's night."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads, the disk is full: Python's own end tells of it
        return
    for known in code:
        if isinstance(known, int):
            os._exit(known)


def _run(words: list[str]) -> None:
    # A command makes many objects and ends; looking for cycles every 700 of them is 7 % of a night (measured).
    gc.set_threshold(100_000, 50, 50)
    settings.no_idle_threads()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    lang = "en" if "--lang en" in " ".join(words).replace("--lang=", "--lang ") else "vi"
    try:
        motcua.main(args=words, prog_name="motcua", standalone_mode=False)
    except click.UsageError as error:
        hint = Text("Xem: motcua --help", "See: motcua --help")[lang]
        click.echo(f"{Text('Lệnh không đúng', 'Wrong use')[lang]}: {_wrong_use(error)[lang]}\n  {hint}", err=True)
        sys.exit(2)
    except MotcuaError as error:
        click.echo(error.render(lang), err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo(Text("Đã dừng.", "Stopped.")[lang], err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        place = f"{error.filename or ''}: {error.strerror or type(error).__name__}"
        text = Text(
            f"Không đọc hoặc ghi được {place}. Kiểm tra quyền thư mục và chỗ trống trên đĩa.",
            f"Cannot read or write {place}. Check the folder's permissions and the free disk space.",
        )
        click.echo(text[lang], err=True)
        sys.exit(3)
    except Exception as error:
        # Where it broke, never with what: a message may hold a value from somebody's file.
        frames = traceback.extract_tb(error.__traceback__)
        place = next((f for f in reversed(frames) if "pipeline" in f.filename or "assets" in f.filename), frames[-1])
        where = f"{type(error).__name__}, {Path(place.filename).name}:{place.lineno}"
        text = Text(
            f"Lỗi ngoài dự kiến ({where}). Số liệu đã công bố không thay đổi. Hãy báo dòng này cho người phát triển.",
            f"Unexpected fault ({where}). Published figures are unchanged. Please tell the developers this line.",
        )
        click.echo(text[lang], err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
