"""The house rules: what lies where, what may import what, what must not be named, how it starts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tree() -> list[str]:
    """The files of the tree as git would commit them; without git, all but what .gitignore names."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        listed = subprocess.run(
            [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=True,
        )  # fmt: skip
        return sorted(n for n in listed.stdout.decode().split("\0") if n and (ROOT / n).is_file())
    ignored = {line.strip().strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()}
    skip = {i for i in ignored if i and "*" not in i and "!" not in i} | {".git"}
    files = (f.relative_to(ROOT) for f in ROOT.rglob("*") if f.is_file())
    return sorted(
        f.as_posix() for f in files
        if not skip & set(f.parts) and f.suffix != ".pyc" and f.parts[:2] != ("data", "warehouse")
    )  # fmt: skip
