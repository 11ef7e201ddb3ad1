"""`motcua ui` in a real browser: the page after a night, a quarter re-run from it, and a clean end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from assets.launch import run_night
from assets.outputs import OUTPUTS
from assets.page import LOCATION
from pipeline.measure.checks import checks
from pipeline.settings import Home
from pipeline.warehouse.release import current
from tests.conftest import ROOT, copy_of_sample
from tests.orchestration import FIGURES

pytestmark = [pytest.mark.slow, pytest.mark.browser]
START = "import sys; from pipeline.cli import main; sys.argv[0] = 'motcua'; sys.exit(main())"


@dataclass
class Page:
    """A running `motcua ui`."""

    home: Home
    port: int
    process: subprocess.Popen[str]
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ui(home: Home, port: int, log: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START, "ui", "--home", str(home.root), "--port", str(port)]
    with log.open("w") as file:
        return subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def browser(chromium: str, page: Page) -> Iterator[object]:
    """After the page: its night must not run inside the browser's event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def page(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    root = tmp_path_factory.mktemp("ui")
    home = copy_of_sample(root)
    assert run_night(home).changed
    one = Page(home, free_port(), None, root / "ui.log")
    one.process = ui(home, one.port, one.log)
    wait_for(lambda: "Trang: http" in one.log.read_text() or one.process.poll() is not None, 60)
    assert one.process.poll() is None, one.log.read_text()
    yield one
    if one.process.poll() is None:
        one.process.send_signal(signal.SIGTERM)
        one.process.wait(60)


def wait_for(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.3)
    return False


def test_page_shows_the_night_and_reruns_a_quarter(page: Page, browser, tmp_path: Path) -> None:
    tab = browser.new_page(viewport={"width": 1400, "height": 1000})
    tab.set_default_timeout(20_000)

    for group, names in {"night": (*FIGURES, "quarter"), "outputs": tuple(OUTPUTS)}.items():
        tab.goto(f"{page.address}/locations/__repository__@{LOCATION}/asset-groups/{group}")
        for name in names:
            tab.get_by_text(name, exact=True).first.wait_for()
        tab.screenshot(path=tmp_path / f"{group}.png")

    tab.goto(f"{page.address}/automation")
    tab.get_by_text("Scheduled At 01:30 AM GMT+7").wait_for()
    tab.get_by_text("new_files", exact=True).wait_for()
    switches = tab.locator("input[type=checkbox][role=switch], label:has(input[type=checkbox]) input:checked")
    tab.screenshot(path=tmp_path / "automation.png")
    assert switches.count() >= 3, "schedule and sensors are on"

    tab.goto(f"{page.address}/assets/warehouse?view=checks")
    tab.get_by_text("accounting", exact=True).first.wait_for()
    tab.get_by_text("Succeeded", exact=True).first.wait_for()
    tab.screenshot(path=tmp_path / "checks.png")
    assert tab.get_by_text("Succeeded", exact=True).count() == len(checks()) - 1
    assert tab.get_by_text("Failed", exact=True).count() == 1, "only the thresholds, which the sample misses"

    tab.goto(f"{page.address}/assets/release")
    tab.get_by_text("[Show Markdown]").nth(1).click()
    picture = tab.locator("img[src^='data:image/svg']")
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 820, "the picture is really drawn"
    tab.screenshot(path=tmp_path / "picture.png")

    before = current(page.home).id
    tab.goto(f"{page.address}/assets/quarter?view=partitions&partition=2023-Q3")
    tab.get_by_role("button", name="Materialize").first.click()
    tab.get_by_role("button", name="Launch 1 run").click()
    tab.get_by_text("Launched run").wait_for()

    def both_succeeded() -> bool:
        tab.goto(f"{page.address}/runs")
        tab.get_by_text("partition: 2023-Q3").first.wait_for()
        tab.wait_for_timeout(1500)
        return tab.get_by_text("Success", exact=True).count() == 2

    succeeded = wait_for(both_succeeded, 45)
    tab.screenshot(path=tmp_path / "runs.png")
    assert succeeded and current(page.home).id == before
    tab.goto(f"{page.address}/assets/quarter?view=partitions&partition=2023-Q3")
    tab.get_by_text("giống hệt / identical").first.wait_for()
    tab.screenshot(path=tmp_path / "quarter.png")
    tab.close()


def test_second_page_of_the_same_home_is_refused(page: Page, tmp_path: Path) -> None:
    log = tmp_path / "second.log"
    assert ui(page.home, free_port(), log).wait(60) == 3
    assert "đang mở" in log.read_text() and "Traceback" not in log.read_text()


def test_port_that_is_taken_is_told(page: Page, tmp_path: Path) -> None:
    log = tmp_path / "taken.log"
    (tmp_path / "data" / "raw").mkdir(parents=True)
    assert ui(Home(tmp_path), page.port, log).wait(60) == 2
    assert f"--port {page.port + 1}" in log.read_text() and "Traceback" not in log.read_text()


def test_end_is_clean(page: Page) -> None:
    if os.name != "posix":
        pytest.skip("signals are POSIX")
    page.process.send_signal(signal.SIGTERM)
    assert page.process.wait(40) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", page.port)) != 0, "nobody serves the page any more"
    with FileLock(page.home.dagster / "ui.lock").acquire(timeout=0):
        pass
    assert "Traceback" not in page.log.read_text()
