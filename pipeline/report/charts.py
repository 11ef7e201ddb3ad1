"""Pictures of the charts for the document, PNG and SVG, drawn by a browser that is on the machine, started once.

Not here: what the charts show (report/figures.py).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.declare.text import Text
from pipeline.errors import NoPictures

if TYPE_CHECKING:
    from pipeline.report.figures import Drawing

SCALE = 2.5  # a PNG of 2,000 pixels, 300 to the inch across an A4 page's text
SECONDS_A_PICTURE, SECONDS_TO_START = 30, 60


def browser() -> str | None:
    """The browser that would draw: BROWSER_PATH, else the first found of the Chromium family; None: there is none."""
    from choreographer.browsers.chromium import Chromium

    found = Chromium.find_browser(skip_local=False)
    return found if found and Path(found).is_file() else None


def pictures(drawn: dict[str, Drawing], folder: Path) -> dict[str, Path]:
    """Each drawing as <name>.png in `folder`, the same as <name>.svg beside it; returns name → PNG.

    Raises NoPictures where there is no browser or it does not draw: nothing of what was begun stays in the folder.
    """
    if not drawn:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    made = {name: folder / f"{name}.png" for name in drawn}
    wanted: list[dict[str, Any]] = [
        {
            "fig": one.figure.to_plotly_json(),
            "path": made[name].with_suffix(f".{form}"),
            "opts": {
                "format": form,
                "width": one.figure.layout.width,
                "height": one.height,
                "scale": SCALE if form == "png" else 1,
            },
        }
        for name, one in drawn.items()
        for form in ("png", "svg")
    ]
    limit = SECONDS_TO_START + SECONDS_A_PICTURE * len(wanted)
    try:
        # in a thread of its own: whoever asks may stand in an event loop already, as a notebook does
        with ThreadPoolExecutor(1) as apart:
            apart.submit(asyncio.run, asyncio.wait_for(_draw(wanted), limit)).result()
    except NoPictures:
        for picture in wanted:
            picture["path"].unlink(missing_ok=True)
        raise
    return made


async def _draw(wanted: Any) -> None:
    """One browser for all. mathjax: kaleido would fetch it from the network, and no chart has formulas."""
    import kaleido
    from kaleido.errors import (
        BrowserClosedError,
        BrowserFailedError,
        ChromeNotFoundError,
        JavascriptError,
        KaleidoError,
    )

    try:
        async with kaleido.Kaleido(timeout=SECONDS_A_PICTURE, mathjax=False) as browser:
            await browser.write_fig_from_object(wanted, cancel_on_error=True)
    except ChromeNotFoundError as error:
        raise NoPictures(
            Text(
                "Máy này không có trình duyệt để vẽ biểu đồ.", "There is no browser on this machine to draw the charts."
            ),
            expected=Text("Chromium, Chrome hoặc Edge", "Chromium, Chrome or Edge"),
            todo=Text(
                "Văn bản vẫn được xuất, không kèm hình. Muốn có hình: cài một trình duyệt, hoặc đặt biến BROWSER_PATH trỏ "
                "tới trình duyệt có sẵn, rồi xuất lại.",
                "The document goes out without pictures. To have them: install a browser, or set BROWSER_PATH to one "
                "that is there, and export anew.",
            ),
        ) from error
    except (BrowserClosedError, BrowserFailedError, JavascriptError, KaleidoError, TimeoutError, OSError) as error:
        raise NoPictures(
            Text("Trình duyệt trên máy không vẽ được biểu đồ.", "The machine's browser did not draw the charts."),
            found=Text(type(error).__name__, type(error).__name__),
            todo=Text(
                "Văn bản vẫn được xuất, không kèm hình. Muốn có hình: thử lại, hoặc đặt biến BROWSER_PATH trỏ tới một "
                "trình duyệt khác.",
                "The document goes out without pictures. To have them: try again, or set BROWSER_PATH to another browser.",
            ),
        ) from error
