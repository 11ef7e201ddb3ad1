"""The commands: words in, calls into the rooms, tables out. No work on data here, and no figure.

What a command needs is imported when it runs, so that `motcua --help` starts at once.
Not here: errors and exit codes (cli.py).
"""

from pipeline.commands import data, explain, figures, keeping, nightly, record, returns, scores, sources, system
from pipeline.commands.shared import motcua

__all__ = [
    "data",
    "explain",
    "figures",
    "keeping",
    "motcua",
    "nightly",
    "record",
    "returns",
    "scores",
    "sources",
    "system",
]
