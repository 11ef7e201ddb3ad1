"""XML and HTML as events, read piece by piece: no entities, nothing from the network, no tree in memory.

Not here: what the elements mean.
"""

from __future__ import annotations

from typing import IO, Any

from lxml import etree  # ty: ignore[import-not-found]  # compiled, without stubs

from pipeline.declare.text import Text
from pipeline.read.grids import damaged, refused

PIECE = 1 << 20


def local(tag: str) -> str:
    """The name of an element without its namespace."""
    return tag.rpartition("}")[2]


def attributes(given: dict[str, str]) -> dict[str, str]:
    """Attributes by their names without namespaces."""
    return {local(key): value for key, value in given.items()}


class Events:
    """What a reader of XML overrides. A document type is refused: entities are the one use of it here."""

    def __init__(self, name: str) -> None:
        self.name = name

    def doctype(self, *_: Any) -> None:
        what = Text("Tệp XML có khai báo DOCTYPE: không được nhận.", "The XML file declares a DOCTYPE: not accepted.")
        raise refused(self.name, what)

    def start(self, tag: str, attrib: dict[str, str]) -> None: ...

    def end(self, tag: str) -> None: ...

    def data(self, text: str) -> None: ...

    def close(self) -> None: ...


def parse_xml(stream: IO[bytes], events: Events) -> None:
    parser = etree.XMLParser(target=events, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        while piece := stream.read(PIECE):
            parser.feed(piece)
        parser.close()
    except etree.LxmlError as error:
        raise damaged(events.name, error) from None


def parse_html(pieces: Any, events: Any) -> None:
    """HTML as browsers read it, from pieces of text."""
    parser = etree.HTMLParser(target=events, no_network=True, huge_tree=True, encoding="utf-8")
    try:
        for piece in pieces:
            parser.feed(piece.encode("utf-8", "replace"))
        parser.close()
    except etree.LxmlError as error:
        raise damaged(events.name, error) from None
