"""The errors that people see: what was read, what was expected, what was found, what to do. In two languages.

Not here: catching them (cli.py, assets/) or anything that knows a file format.
"""

from __future__ import annotations

from pipeline.declare.text import Text


class MotcuaError(Exception):
    """Base of all errors meant for people. `exit_code` is the command's (DESIGN §6)."""

    exit_code = 3

    def __init__(
        self,
        what: Text,
        *,
        where: str | None = None,
        expected: Text | None = None,
        found: Text | None = None,
        todo: Text | None = None,
    ) -> None:
        self.what, self.where, self.expected, self.found, self.todo = what, where, expected, found, todo
        super().__init__(self.render("en"))

    def render(self, lang: str = "vi") -> str:
        """The message as lines: what (and where), expected, found, to do."""
        lines = [f"{self.where}: {self.what[lang]}" if self.where else self.what[lang]]
        for head, text in (
            (Text("Cần có", "Expected"), self.expected),
            (Text("Thấy", "Found"), self.found),
            (Text("Cách xử lý", "What to do"), self.todo),
        ):
            if text is not None:
                lines.append(f"  {head[lang]}: {text[lang]}")
        return "\n".join(lines)


class WrongUse(MotcuaError):
    """The command was given something it cannot use (a period, a unit, a folder)."""

    exit_code = 2


class InputRefused(MotcuaError):
    """A file could not be taken in; nothing of it counts and nothing published changed."""

    exit_code = 2


class DeclarationError(MotcuaError):
    """A declaration (built in or a source.toml) is wrong."""

    exit_code = 2


class NothingPublished(MotcuaError):
    """There is no release yet."""

    exit_code = 2


class Busy(MotcuaError):
    """Another run is building."""


class CheckFailed(MotcuaError):
    """A blocking check failed: the build is not published, the last good figures stay."""

    exit_code = 1


class NotEnoughRoom(MotcuaError):
    """A build needs more memory, or more disk to lay down what does not fit into it, than it may take."""


class NoSpark(MotcuaError):
    """Spark was asked to count and could not: lacking on this machine, out of reach, or it gave up."""


class NoPictures(MotcuaError):
    """The charts could not be drawn: no browser, or one that does not work. All else goes out without them."""

    exit_code = 0
