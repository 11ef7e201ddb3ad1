"""OLE compound files (old .xls): whether one is an unprotected, undamaged workbook, before a reader opens it.

Not here: the cells (workbooks.py).
"""

from __future__ import annotations

import struct
from pathlib import Path

import olefile

from pipeline.declare.text import Text
from pipeline.read.grids import damaged, refused

FILEPASS, BOF = 0x2F, 0x0809
BIFF8 = 0x0600
FIRST_RECORDS = 10  # a password stands right behind the beginning of the stream
LAST_SECTOR = 0xFFFFFFF8  # from here on: marks, no sectors
OTHERS = {
    "WordDocument": Text("Đây là tài liệu Word.", "This is a Word document."),
    "PowerPoint Document": Text("Đây là bài trình chiếu PowerPoint.", "This is a PowerPoint presentation."),
}
PASSWORD = Text("Tệp có mật khẩu.", "The file is protected by a password.")


def check_workbook(path: Path, name: str) -> None:
    """Refuses what is not an open workbook of Excel 97 to 2003."""
    try:
        with olefile.OleFileIO(path, raise_defects=olefile.DEFECT_INCORRECT) as ole:
            _no_rings(list(ole.fat), name)
            if ole.exists("EncryptedPackage") or ole.exists("EncryptionInfo"):
                raise refused(name, PASSWORD)
            for stream, what in OTHERS.items():
                if ole.exists(stream):
                    raise refused(name, what)
            if not ole.exists("Workbook"):
                if ole.exists("Book"):
                    raise refused(name, Text("Sổ tính Excel 95 trở về trước.", "A workbook of Excel 95 or before."))
                raise refused(name, Text("Tệp OLE này không phải sổ tính.", "This OLE file is no workbook."))
            _no_password(ole.openstream("Workbook").read(), name)
    except (OSError, IndexError, struct.error, ValueError, TypeError, AttributeError) as error:
        raise damaged(name, error) from None


def _no_rings(table: list[int], name: str) -> None:
    """A chain of sectors that bites its tail would keep a reader busy for ever: no sector follows two others."""
    followed = [n for n in table if n < LAST_SECTOR]
    if len(set(followed)) < len(followed) or any(n == at for at, n in enumerate(table)):
        raise damaged(name, "OLE")


def _no_password(stream: bytes, name: str) -> None:
    at = 0
    for number in range(FIRST_RECORDS):
        if at + 4 > len(stream):
            break
        kind, length = struct.unpack_from("<HH", stream, at)
        if number == 0 and kind != BOF:
            raise damaged(name, "BIFF")
        if kind == FILEPASS:
            raise refused(name, PASSWORD)
        at += 4 + length
