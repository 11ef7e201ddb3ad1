"""The section as Markdown and as JSON. Not here: Word (word)."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

from pipeline.report.section.model import Figure, Heading, Paragraph, Picture, Section, Table


def as_json(section: Section, told: dict[str, object]) -> str:
    """Pieces with sentences, figures and the cells they are read from, each on a line of its own. told: of the release, in
    front."""
    dump = partial(json.dumps, ensure_ascii=False)
    rest = section.told()
    pieces = ",\n  ".join(dump(piece) for piece in rest.pop("pieces"))
    head = "".join(f" {dump(name)}: {dump(value)},\n" for name, value in (told | rest).items())
    return f'{{\n{head} "pieces": [\n  {pieces}\n ]\n}}\n'


def as_markdown(section: Section, pictures: dict[str, tuple[str, str]]) -> str:
    """pictures: name → caption, path as it is to be linked."""
    lines = [f"# {section.number}. {section.title}", "", f"*{_safe(section.subtitle.text)}*", ""]
    for piece in section.pieces:
        match piece:
            case Heading():
                lines += [f"## {piece.number}. {_safe(piece.text)}", ""]
            case Paragraph():
                before, after = {"item": ("- ", ""), "sub": ("### ", "")}.get(piece.style, ("", ""))
                lines += [f"{before}{_safe(piece.text)}{after}", ""]
            case Table():
                lines += [*_table(piece), ""]
            case Picture() if piece.name in pictures:
                caption, path = pictures[piece.name]
                lines += [f"![{_safe(caption)}]({path})", ""]
    return "\n".join([*lines, "---", "", _safe(section.foot.text), ""])


def _table(table: Table) -> list[str]:
    heads = [f"{h.group}: {h.text[0].lower()}{h.text[1:]}" if h.group else h.text for h in table.heads]
    lines = [f"**{_safe(table.title)}**", "", _row(heads), _row(["---", *["---:"] * (len(heads) - 1)])]
    for line in table.lines:
        cells = [_cell(line.label), *(_cell(cell) for cell in line.cells)]
        lines.append(_row([f"**{cell}**" if cell and line.sum else cell for cell in cells]))
    return [*lines, "", f"*{_safe(table.note)}*"] if table.note else lines


def _cell(figure: Figure) -> str:
    return _safe(figure.display)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    """Text as text: what Markdown would take for a mark of its own is escaped."""
    return re.sub(r"([\\`*_|<\[\]#])", r"\\\1", text)


def link(path: Path, folder: Path) -> str:
    """A picture's path beside the Markdown file, else as it stands."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
