"""What is wrong with a declaration, told with its file, line and key. For the files that an office writes itself."""

from __future__ import annotations

import re

from pipeline.declare.text import Text
from pipeline.errors import DeclarationError


def line_of(text: str, *keys: str) -> str:
    """Where a key stands in the file, for the error: as a key or table heading, below those that hold it."""
    lines = text.splitlines()
    at = 0
    for key in keys:
        word = rf"(?<![\w-]){re.escape(key)}(?![\w-])"
        for form in (rf"\s*(?:\[[^\]]*{word}[^\]]*\]|[\"']?{word}[\"']?\s*=)", rf".*{word}"):
            found = next((n for n, line in enumerate(lines[at:], at) if re.match(form, line)), None)
            if found is not None:
                at = found
                break
        else:
            return ""
    return f":{at + 1}"


def wrong(where: str, text: str, key: str, expected: str, found: object) -> DeclarationError:
    """`key` as a path: values.channel.online."""
    return DeclarationError(
        Text(f"Khai báo “{key}” không dùng được.", f"The declaration of “{key}” cannot be used."),
        where=where + line_of(text, *key.split(".")),
        expected=Text(expected, expected),
        found=Text(str(found)[:80], str(found)[:80]),
        todo=Text("Sửa dòng này rồi chạy lại.", "Mend this line and run again."),
    )
