"""A first source.toml made from a file: what is recognised stands in it, what is not is offered as comments to edit.

Not here: what the keys mean (declare/sources).
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pipeline.conform.headers import Header, closest, fullest_row, lacking, nearest, shown
from pipeline.declare.columns import CODED, columns
from pipeline.declare.layouts import column_names
from pipeline.declare.sources import Source
from pipeline.declare.text import Text, fold
from pipeline.errors import InputRefused
from pipeline.read.grids import Grid, open_file

DATE_IN_NAME = (
    (r"\d{4}-\d\d-\d\d", "%Y-%m-%d"),
    (r"\d{4}_\d\d_\d\d", "%Y_%m_%d"),
    (r"20\d{6}", "%Y%m%d"),
    (r"\d\d-\d\d-\d{4}", "%d-%m-%Y"),
)
A_DATE = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}.*|\d{4}-\d\d-\d\d.*|[34]\d{4}(?:\.\d+)?")
A_WORD = re.compile(r"[^\W\d_][^\d_]{0,38}")  # of a coded column: what may be shown in a file that people edit
MOST_WORDS = 15


def first_declaration(path: Path, source: Source) -> str:
    """The text of a source.toml for files like this one. Raises InputRefused where the file cannot be opened."""
    opened = open_file(path, path.name)
    grids = [grid for grid in opened.grids if not grid.hidden] or opened.grids
    near = closest(grids, source)
    header = near and near[1]
    kind = header.layout.kind if header else "register"
    lines = [
        f"# Khai báo nguồn, viết từ tệp {path.name}; sửa lại rồi xóa các dòng không cần.",
        f"# Made from {path.name}; mend it, and delete what is not needed.",
        f"name = {_quoted(source.key)}",
        f'kind = "{kind}"  # register: mỗi hồ sơ một dòng / summary: mỗi đơn vị một dòng',
        '# time_zone = "Asia/Ho_Chi_Minh"',
        '# units = "from_file"       # nguồn có đơn vị riêng, không theo danh mục / units of its own',
        '# procedures = "from_file"  # thủ tục riêng / procedures of its own',
        '# extent = "full"           # full | received_in | open_at | delta: tệp bao quát gì / what a file covers',
        '# unit = "Xã …"             # mọi tệp là của một đơn vị / all files are of one unit',
        *_exported_at(path),
        "",
        "[columns]",
    ]
    grid, row = (near[0], near[1].row - near[0].first_row) if near else fullest_row(grids) or (None, 0)
    written = list(header.headings) if header else [" ".join(c.split()) for c in (grid.head[row] if grid else [])]
    places = header.places if header else {}
    lines += [f"{column} = {_quoted(written[i])}" for column, i in places.items()]
    missing = (
        lacking(header.layout, places, has_unit=False)
        if header
        else ["dossier_code", "unit", "received_at", "status", "finished_at"]
    )
    layout = header.layout if header else source.layouts[0]
    guesses = dict(nearest(missing, [w for i, w in enumerate(written) if w and i not in places.values()], layout))
    for column in missing:
        label = column_names(kind)[column]
        guess = f"{column} = {_quoted(guesses[column])}  # đoán / a guess" if column in guesses else f'# {column} = "…"'
        lines.append(f"{guess}  # {label.vi} / {label.en}: cần có / needed")
    rest = [(i, w) for i, w in enumerate(written) if w and i not in places.values() and w not in guesses.values()]
    if rest:
        lines += ["", "# Các tiêu đề khác trong tệp / other headers:"]
        lines += [
            f"#   {_quoted(words)}{_content(grid, row + 1, i)}"
            for (i, _), words in zip(rest, shown([w for _, w in rest]), strict=True)
        ]
    others = [c for c in column_names(kind) if c not in places and c not in missing]
    lines += ["# Các cột còn khai báo được / columns that may be declared:", f"#   {', '.join(others)}"]
    if near and kind == "register":
        lines += _unknown_words(*near)
    return "\n".join(lines) + "\n"


def write_declaration(path: Path, source: Source, folder: Path) -> Path:
    """Writes the source.toml into its folder. Raises InputRefused where one stands there: nothing is overwritten."""
    target = folder / "source.toml"
    if target.exists():
        raise InputRefused(
            Text("Nguồn này đã có khai báo.", "The source has a declaration already."),
            where=str(target),
            todo=Text(
                "Sửa tệp ấy, hoặc chọn tên nguồn khác với --source.",
                "Mend that file, or choose another name with --source.",
            ),
        )
    text = first_declaration(path, source)
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return target


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)


def _exported_at(path: Path) -> list[str]:
    for pattern, form in DATE_IN_NAME:
        if found := re.search(pattern, path.name):
            name = path.name.replace("%", "%%").replace(found[0], form)
            return [f"# exported_at = {_quoted(name)}  # ngày xuất trong tên tệp / the export's day in the file's name"]
    return ["# exported_at = \"so_%Y-%m-%d.xlsx\"  # ngày xuất trong tên tệp / the export's day in the file's name"]


def _below(grid: Grid, row: int, column: int) -> list[str]:
    return [cells[column].strip() for cells in grid.head[row:] if column < len(cells) and cells[column].strip()]


def _content(grid: Grid | None, row: int, column: int) -> str:
    """What stands below a header that nobody knows, in a word; never a value."""
    found = _below(grid, row, column) if grid else []
    if not found:
        return "  # trống / empty"
    if sum(1 for text in found if A_DATE.fullmatch(text)) * 5 >= len(found) * 4:
        return "  # ngày tháng / dates"
    if len(found) > 5 and len({fold(text) for text in found}) <= max(2, len(found) // 5):
        return "  # ít giá trị khác nhau / few different values"
    return ""


def _unknown_words(grid: Grid, header: Header) -> list[str]:
    """For each coded column the words of the file's first rows that no list knows, to be declared under [values]."""
    lines = []
    for column, i in header.places.items():
        if columns()[column].kind not in (*CODED, "flag"):
            continue
        known = header.layout.words(column)
        texts = dict.fromkeys(_below(grid, header.row - grid.first_row + 1, i))
        unknown = [text for text in texts if fold(text) not in known and A_WORD.fullmatch(text)]
        if unknown and len(texts) <= MOST_WORDS:
            values = ", ".join(dict.fromkeys(known.values()))
            lines += ["", f"[values.{column}]  # giá trị có thể khai báo / values: {values}"]
            lines += [f"# … = [{_quoted(text)}]" for text in unknown]
    return lines
