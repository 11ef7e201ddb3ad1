"""Which encoding a text file is in, and its characters as proper Unicode.

UTF-8 and UTF-16 are known by their form; for other files the one of Windows-1258, TCVN3 and VNI counts under which the
words are Vietnamese syllables; a file that fits none is refused. Not here: rows and cells.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.declare.text import Text
from pipeline.errors import InputRefused
from pipeline.read.grids import refused
from pipeline.read.legacy import LEGACY, OUTSIDE, legacy_of, likeness, words_to_judge

SAMPLE_BYTES = 262_144
LONGEST_LINE = 20_000_000  # characters
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class LineTooLong(ValueError):
    """A line that no table has: reading on would fill the memory."""


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@dataclass(frozen=True)
class Coding:
    """`name`: what people call the encoding; `codec`: Python's name for the bytes; `turn`: what comes after, or null."""

    name: str
    codec: str
    turn: Callable[[str], str] | None = None

    def lines(self, path: Path) -> Iterator[str]:
        """The lines of a file with their ends, as csv wants them. Raises LineTooLong."""
        turn = self.turn
        with path.open(encoding=self.codec, newline="") as stream:
            for line in iter(partial(stream.readline, LONGEST_LINE), ""):
                if len(line) == LONGEST_LINE:
                    raise LineTooLong
                yield turn(line) if turn else line

    def whole(self, path: Path) -> str:
        text = path.read_bytes().decode(self.codec)
        return self.turn(text) if self.turn else text

    def decode(self, content: bytes) -> str:
        """Text of the beginning of a file; a letter cut in two at its end is left out."""
        text = codecs.getincrementaldecoder(self.codec)("ignore").decode(content)
        return self.turn(text) if self.turn else text


def coding_of(path: Path, name: str, start: bytes) -> Coding:
    """The encoding of a text file. Raises InputRefused where it is none that we know."""
    for bom, codec in BOMS.items():
        if start.startswith(bom):
            return _legacy_inside(Coding(codec, codec), start)
    if b"\x00" in start:
        return _utf16(start, name)
    sample, at_end = _telling(path)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=at_end)
    except UnicodeDecodeError:
        return _eight_bit(sample, name)
    return _legacy_inside(Coding("utf-8", "utf-8"), sample)


def _telling(path: Path) -> tuple[bytes, bool]:
    """The first part of the file that has a byte beyond ASCII, from the beginning of its line on, and whether the file
    ends with it."""
    with path.open("rb") as stream:
        sample = stream.read(SAMPLE_BYTES)
        while sample.isascii() and (more := stream.read(SAMPLE_BYTES)):
            sample = sample[sample.rfind(b"\n") + 1 :][-1000:] + more
        if not sample.isascii():  # its neighbours tell more than a single word
            sample += stream.read(SAMPLE_BYTES)
        return sample, not stream.read(1)


def _utf16(start: bytes, name: str) -> Coding:
    """UTF-16 without a mark: every other byte of its ASCII characters is zero."""
    pairs = len(start) // 2
    for codec, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if zeros.count(0) * 5 >= pairs * 2 and start.count(0) - zeros.count(0) <= pairs // 100:
            text = codecs.getincrementaldecoder(codec)("replace").decode(start)
            if "\ufffd" not in text[:-1] and not re.search("[\x01-\x08\x0e-\x1f]", text):
                return Coding(codec, codec)
    raise refused(
        name, Text("Tệp nhị phân, không phải bảng số liệu.", "The file is binary and no table of any known kind.")
    )


def _legacy_inside(coding: Coding, sample: bytes) -> Coding:
    """TCVN3 or VNI that was saved as Unicode character by character."""
    text = coding.decode(sample)
    if text.isascii() or OUTSIDE.search(text.lstrip("\ufeff")):
        return coding
    code = legacy_of(text.splitlines())
    if not code:
        return coding
    return Coding(code, coding.codec, _turner(code))


def _eight_bit(sample: bytes, name: str) -> Coding:
    """The encoding under which most words are Vietnamese; refused where none is clearly the best."""
    candidates = [Coding("cp1258", "cp1258", _composed)]
    candidates += [Coding(code, "latin-1", _turner(code)) for code in LEGACY]
    judged = sorted(((_judged(c, sample), c) for c in candidates), key=lambda j: -j[0])
    (best, coding), (second, _) = judged[:2]
    if best < 0.7 or best < second + 0.15:
        raise bad_encoding(name)
    return coding


def _turner(code: str) -> Callable[[str], str]:
    return lambda line: _composed(LEGACY[code](line))


def _judged(coding: Coding, sample: bytes) -> float:
    try:
        sample.decode(coding.codec)
    except UnicodeDecodeError:
        return 0.0
    return likeness(words_to_judge(coding.decode(sample).splitlines()))


def bad_encoding(name: str) -> InputRefused:
    return refused(
        name,
        Text(
            "Mã chữ của tệp không phải UTF-8, và không nhận ra là Windows-1258, TCVN3 hay VNI.",
            "The file's encoding is not UTF-8, nor can it be told as Windows-1258, TCVN3 or VNI.",
        ),
    )
