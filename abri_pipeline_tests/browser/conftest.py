"""Chromium and a shipped platform for it to look at."""

from collections.abc import Iterator
from shutil import which

import pytest
from playwright.sync_api import Browser, sync_playwright

from abri_pipeline.settings import PROJECT_ROOT
from abri_pipeline_tests.browser.screen import Screen
from abri_pipeline_tests.browser.shipped import Platform, platform
from abri_pipeline_tests.requirement import absent

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SIZE = {"width": 1600, "height": 1000}
SHOTS = PROJECT_ROOT / "var" / "screenshots"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    path = which("chromium")
    if path is None:
        absent("browser", "no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shipped(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform of this module's own; asked for after the browser, so that nothing is started in vain."""
    with platform(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def screen(chromium: Browser, shipped: Platform) -> Iterator[Screen]:
    """A fresh page on the platform's UI."""
    page = chromium.new_page(viewport=SIZE)
    yield Screen(page, shipped.ui, SHOTS)
    page.close()
