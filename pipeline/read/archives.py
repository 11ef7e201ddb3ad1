"""gzip and zip: their members unpacked into a folder of their own, within the limits, and read like any file.

Members are never written under their own names; the folder goes with the last grid that reads from it. An archive in
an archive is refused. Not here: workbooks, which are zip files by their own rules (package.py).
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO

import polars as pl

from pipeline.declare.limits import Limits
from pipeline.declare.text import Text
from pipeline.read.grids import Grid, OpenFile, check_limit, damaged, refused

PIECE = 1 << 20
ENCRYPTED = 0x1
# What systems put into archives beside the files: notes of their own, never data.
LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
Batches = Callable[[int], Iterator[pl.DataFrame]]
Opener = Callable[[Path, str, Limits], OpenFile]
OTHER_PACKAGES = {
    "word/": Text("Đây là tài liệu Word.", "This is a Word document."),
    "ppt/": Text("Đây là bài trình chiếu PowerPoint.", "This is a PowerPoint presentation."),
}


def open_gzip(path: Path, name: str, within: Limits, opener: Opener) -> OpenFile:
    folder = Folder()
    inner = folder.path / "0"
    try:
        with path.open("rb") as packed, inner.open("wb") as plain:
            for piece in counted(_gunzipped(packed), path.stat().st_size, name, within):
                plain.write(piece)
    except (zlib.error, EOFError) as error:
        raise damaged(name, error) from None
    opened = _open_inner(inner, name, within, opener)
    return replace(opened, container="gzip", grids=[_keeping(grid, folder, None) for grid in opened.grids])


def _gunzipped(packed: IO[bytes]) -> Iterator[bytes]:
    """All members of a gzip file, never more than a piece at a time: a bomb must not open inside one call."""
    unpacker = zlib.decompressobj(wbits=31)
    begun = False
    while content := packed.read(PIECE):
        while content:
            begun = True
            yield unpacker.decompress(content, PIECE)
            content = unpacker.unconsumed_tail
            if unpacker.eof:
                content, unpacker, begun = unpacker.unused_data.lstrip(b"\x00"), zlib.decompressobj(wbits=31), False
    while begun and not unpacker.eof:
        if not (piece := unpacker.decompress(b"", PIECE)):
            raise EOFError
        yield piece


def counted(
    pieces: Iterator[bytes], packed: int, name: str, within: Limits, limit: str = "unpacked_bytes"
) -> Iterator[bytes]:
    """The pieces as they are, refusing where they grow beyond the limits."""
    total = 0
    for piece in pieces:
        total += len(piece)
        check_limit(name, limit, total, within)
        if total > within.ratio_from_bytes:
            check_limit(name, "ratio", total // max(packed, 1), within)
        yield piece


def kind_of(path: Path, name: str, within: Limits) -> str:
    """xlsx | ods | zip; other packages are refused by their kind."""
    try:
        with zipfile.ZipFile(path) as parts:
            check_limit(name, "members", len(parts.infolist()), within)
            names = parts.namelist()
            mimetype = parts.read("mimetype")[:200] if names[:1] == ["mimetype"] else b""
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise damaged(name, error) from None
    lower = [n.lower() for n in names]
    if "xl/workbook.xml" in lower:
        return "xlsx"
    if "xl/workbook.bin" in lower:
        raise refused(name, Text("Sổ tính dạng XLSB không được nhận.", "XLSB workbooks are not accepted."))
    if b"opendocument" in mimetype:
        if b"spreadsheet" in mimetype and "content.xml" in names:
            return "ods"
        raise refused(
            name, Text("Tệp OpenDocument này không phải bảng tính.", "This OpenDocument file is no spreadsheet.")
        )
    for folder, what in OTHER_PACKAGES.items():
        if "[content_types].xml" in lower and any(n.startswith(folder) for n in lower):
            raise refused(name, what)
    return "zip"


def checked_parts(parts: zipfile.ZipFile, name: str, within: Limits) -> None:
    """Refuses an archive with passwords, doubled names or declared sizes beyond the limits."""
    infos = parts.infolist()
    check_limit(name, "members", len(infos), within)
    if any(info.flag_bits & ENCRYPTED for info in infos):
        raise refused(name, Text("Tệp nén có mật khẩu.", "The archive is protected by a password."))
    if len({info.filename for info in infos}) < len(infos):
        raise damaged(name, "zip")
    check_limit(name, "unpacked_bytes", sum(info.file_size for info in infos), within)
    for info in infos:
        if info.file_size > within.ratio_from_bytes:
            check_limit(name, "ratio", info.file_size // max(info.compress_size, 1), within)


def open_zip(path: Path, name: str, within: Limits, opener: Opener) -> OpenFile:
    folder = Folder()
    opened: list[tuple[str, OpenFile]] = []
    try:
        with zipfile.ZipFile(path) as parts:
            checked_parts(parts, name, within)
            left = within.unpacked_bytes
            for number, info in enumerate(i for i in parts.infolist() if not i.is_dir() and not _litter(i.filename)):
                _check_path(info.filename, name)
                inner = folder.path / str(number)
                left -= _unpack(parts, info, inner, name, replace(within, unpacked_bytes=left))
                member = _named(" ".join(info.filename.split()), {known for known, _ in opened})
                opened.append((member, _open_inner(inner, f"{name} › {member}", within, opener)))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise damaged(name, error) from None
    if not opened:
        raise refused(name, Text("Tệp nén không có tệp nào bên trong.", "The archive holds no files."))
    first = opened[0][1]
    members = [_keeping(grid, folder, member) for member, one in opened for grid in one.grids]
    return OpenFile(first.format, first.encoding, members, "zip")


def _unpack(parts: zipfile.ZipFile, info: zipfile.ZipInfo, inner: Path, name: str, within: Limits) -> int:
    with parts.open(info) as packed, inner.open("wb") as plain:
        for piece in counted(iter(lambda: packed.read(PIECE), b""), info.compress_size, name, within):
            plain.write(piece)
    return inner.stat().st_size


def _named(member: str, taken: set[str]) -> str:
    """A name of its own for each member: rows are told apart by it."""
    return next(n for n in (member, *(f"{member} ({i})" for i in range(2, len(taken) + 3))) if n not in taken)


def _litter(member: str) -> bool:
    return member.startswith(LITTER[0]) or member.rpartition("/")[2] in LITTER[1:]


def _check_path(member: str, name: str) -> None:
    """A name that leads out of the archive is a trap; we never write under it, and take nothing from who set it."""
    parts = member.replace("\\", "/").split("/")
    if ".." in parts or member.startswith(("/", "\\")) or member[1:2] == ":":
        what = Text("Tệp nén có đường dẫn trỏ ra ngoài.", "The archive holds a path that leads out of it.")
        raise refused(name, what)


def _open_inner(inner: Path, name: str, within: Limits, opener: Opener) -> OpenFile:
    with inner.open("rb") as stream:
        start = stream.read(4)
    if start.startswith(b"\x1f\x8b") or (start.startswith(b"PK") and kind_of(inner, name, within) == "zip"):
        what = Text("Tệp nén lồng trong tệp nén: không được nhận.", "An archive inside an archive is not accepted.")
        raise refused(name, what)
    return opener(inner, name, within)


class Folder:
    """A folder that only we may enter, removed when nothing reads from it any more: files hold personal data."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="motcua-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def _keeping(grid: Grid, folder: Folder, member: str | None) -> Grid:
    """The grid, named with its member, and holding the folder as long as it lives."""
    sheet = grid.sheet if member is None else f"{member} › {grid.sheet}" if grid.sheet is not None else member
    return replace(grid, sheet=sheet, batches=partial(_read_from, folder, grid.batches))


def _read_from(_: Folder, batches: Batches, first_row: int) -> Iterator[pl.DataFrame]:
    yield from batches(first_row)
