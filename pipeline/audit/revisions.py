"""What later data changed in a sealed period: its seal beside the live figures of the published file.

Not here: comparing (difference.py).
"""

from __future__ import annotations

from pipeline.audit.difference import Compared, compare
from pipeline.audit.places import place_of
from pipeline.audit.sides import Place, side_by_side
from pipeline.declare.text import Text
from pipeline.settings import Home
from pipeline.warehouse.seals import Seal


def revisions(home: Home, seal: Seal) -> Compared:
    """The figures of a sealed period that are no longer what was sealed, with the dossiers and files that changed them.
    Raises NothingPublished."""
    sealed = Place(Text(f"đã chốt {seal.short}", f"sealed {seal.short}"), seal=seal)
    with side_by_side(sealed, place_of(home, "live")) as con:
        return compare(con, seal.period)
