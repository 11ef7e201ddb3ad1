"""JSON (an array of objects, bare or inside an object) and NDJSON: records as rows, their keys as row 0.

The first record of JSON and the first line of NDJSON are row 1. Objects inside a record become keys with dots, lists
stay as JSON text. NDJSON streams; JSON is held in memory. Not here: what a key means.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.declare.limits import Limits
from pipeline.declare.text import Text
from pipeline.errors import InputRefused
from pipeline.read import grids
from pipeline.read.encodings import LONGEST_LINE, Coding, LineTooLong, bad_encoding
from pipeline.read.grids import Grid, OpenFile, check_limit, damaged, refused
from pipeline.read.values import plain_number

Record = dict[str, str | None]
DEEPEST = 20  # objects inside objects


class Repeated(ValueError):
    """A key stands twice in one object: one of its values would be lost."""


def open_json(path: Path, name: str, coding: Coding, within: Limits) -> OpenFile:
    if _guarded(name, lambda: _by_lines(path, coding)):
        return _open_lines(path, name, coding, within)
    check_limit(name, "held_bytes", path.stat().st_size, within)
    records = _guarded(name, lambda: _records(coding.whole(path), name))
    check_limit(name, "rows", len(records), within)

    def held() -> Iterator[Record]:
        yield from _guarded(name, lambda: [_flat(record) for record in records])

    return OpenFile("json", coding.name, [_grid(held, name, within)])


def _open_lines(path: Path, name: str, coding: Coding, within: Limits) -> OpenFile:
    def lines() -> Iterator[Record]:
        try:
            for number, line in enumerate(coding.lines(path), 1):
                check_limit(name, "rows", number, within)
                record = _guarded(f"{name}:{number}", lambda line=line: _loads(line) if line.strip() else {})
                if not isinstance(record, dict):
                    raise damaged(f"{name}:{number}", type(record).__name__)
                yield _guarded(f"{name}:{number}", lambda record=record: _flat(record))
        except UnicodeError:
            raise bad_encoding(name) from None
        except LineTooLong as error:
            raise damaged(name, error) from None

    return OpenFile("ndjson", coding.name, [_grid(lines, name, within)])


def _grid(records: Callable[[], Iterator[Record]], name: str, within: Limits) -> Grid:
    """The keys of all records make the columns, in the order in which they first appear."""
    keys: dict[str, int] = {}
    for record in records():
        if record.keys() - keys.keys():
            for key in record:
                keys.setdefault(key, len(keys))
            check_limit(name, "columns", len(keys), within)
    if not keys:
        raise refused(name, Text("Tệp JSON không có bản ghi nào.", "The JSON file has no records."))

    def batches(first_row: int) -> Iterator[pl.DataFrame]:
        if first_row < 1:
            yield from grids.numbered(pl.DataFrame({f"c{i}": [key] for key, i in keys.items()}), 0)
        start = max(first_row, 1)
        rest = itertools.islice(records(), start - 1, None)
        while block := list(itertools.islice(rest, grids.batch_rows(len(keys)))):
            columns = {f"c{i}": [record.get(key) for record in block] for key, i in keys.items()}
            yield from grids.numbered(pl.DataFrame(columns, schema={c: pl.String for c in columns}), start)
            start += len(block)

    first = [[record.get(key) or "" for key in keys] for record in itertools.islice(records(), grids.HEAD_ROWS - 1)]
    return Grid(None, [list(keys), *first], batches, first_row=0)


def _guarded(name: str, act: Callable[[], Any]) -> Any:
    try:
        return act()
    except InputRefused:
        raise
    except Repeated:
        what = Text("Một khóa JSON lặp lại trong cùng bản ghi.", "A JSON key stands twice in one record.")
        raise refused(name, what) from None
    except UnicodeError:
        raise bad_encoding(name) from None
    except (ValueError, RecursionError) as error:
        raise damaged(name, error) from None


def _by_lines(path: Path, coding: Coding) -> bool:
    """Whether the first line is an object of its own: NDJSON, unless it is the only line and holds the array."""
    with path.open(encoding=coding.codec, newline="") as stream:
        found = (line for line in iter(partial(stream.readline, LONGEST_LINE), "") if line.strip("\ufeff \t\r\n"))
        first, more = next(found, ""), next(found, None) is not None
    try:
        node = _loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(node, dict) and (more or not _lists(node))


def _lists(node: dict[str, Any]) -> list[list[Any]]:
    """The arrays of objects inside an object, at any depth of objects."""
    found = []
    for value in node.values():
        if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            found.append(value)
        elif isinstance(value, dict):
            found += _lists(value)
    return found


def _loads(text: str) -> Any:
    """Numbers as they are written: a code of digits must not become a rounded number."""
    return json.loads(
        text.lstrip("\ufeff"),
        parse_float=plain_number,
        parse_int=str,
        parse_constant=_no_value,
        object_pairs_hook=_once,
    )


def _no_value(_: str) -> None:
    """NaN and Infinity, which some writers put for "unknown"."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise Repeated
    return made


def _records(text: str, name: str) -> list[dict[str, Any]]:
    node = _loads(text)
    if isinstance(node, dict):
        lists = _lists(node)
        if len(lists) != 1:
            what = Text("Tệp JSON cần đúng một mảng bản ghi.", "The JSON file needs exactly one array of records.")
            raise refused(name, what, str(len(lists)))
        node = lists[0]
    if not isinstance(node, list) or not all(isinstance(record, dict) for record in node):
        what = Text("Tệp JSON không phải mảng các bản ghi.", "The JSON file is no array of records.")
        raise refused(name, what)
    return node


def _flat(record: dict[str, Any], before: str = "", depth: int = 0) -> Record:
    found: Record = {}
    for key, value in record.items():
        if isinstance(value, dict) and value and depth < DEEPEST:
            inner = _flat(value, f"{before}{key}.", depth + 1)
        else:
            inner = {before + key: _text(value)}
        if found.keys() & inner.keys():
            raise Repeated
        found |= inner
    return found


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
