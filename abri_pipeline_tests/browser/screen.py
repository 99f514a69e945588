"""Dagster's pages as a person uses them: by what is written on them. No sleeps; every wait has a deadline."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, Response, expect

SECONDS = 1_000
LOADED = 30 * SECONDS
# The daemon looks every 30 s: a launch starts within one look, and its end is seen within another.
BACKFILL = 180 * SECONDS
ZOOMS = 40
ENDED = re.compile("^(Succeeded|Success|Failed|Failure|Canceled)$")


class Screen:
    """One browser page on a platform's UI, with what the browser complained about."""

    def __init__(self, page: Page, ui: str, shots: Path) -> None:
        self.page, self.ui, self.shots = page, ui, shots
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("response", self._response)

    def open(self, path: str) -> None:
        """A page of the UI, by its path."""
        self.page.goto(f"{self.ui}{path}")

    def shot(self, name: str) -> None:
        """A picture of the page as it stands, for people to look at."""
        self.shots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.shots / f"{name}.png", animations="disabled")

    def reads(self, *texts: str) -> None:
        """Wait until each text is on the page."""
        for text in texts:
            expect(self.page.get_by_text(text).first).to_be_visible(timeout=LOADED)

    def lineage(self, *names: str) -> None:
        """The lineage with all groups unfolded, zoomed out until the named assets are all in view."""
        self.open("/asset-groups")
        expect(self.page.get_by_role("button", name="Materialize all")).to_be_enabled(timeout=LOADED)
        # The graph's own menu: on its empty ground, just under the search box.
        box = self.page.get_by_text("Search and filter assets").bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"], box["y"] + 100, button="right")
        self.page.get_by_role("menuitem", name="Expand all groups").click()
        nodes = [self.page.get_by_text(_shortened(name)).last for name in names]
        expect(self.page.get_by_text("completeness", exact=True).last).to_be_visible(timeout=LOADED)
        for _ in range(ZOOMS):
            if all(self._in_view(node) for node in nodes):
                return
            self.page.get_by_role("button", name="zoom_out").click()
        pytest.fail(f"not in view: {[n for n, node in zip(names, nodes, strict=True) if not self._in_view(node)]}")

    @contextmanager
    def dialog(self) -> Iterator[Locator]:
        """The launch dialog of the page; it is gone when the block ends."""
        self.page.get_by_role("button", name="Materialize all").click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_be_visible(timeout=LOADED)
        yield dialog
        expect(dialog).to_be_hidden(timeout=LOADED)

    def launch(self, first: str, last: str, weeks: int, shot: str) -> str:
        """Launch every asset over weeks, by clicks, and go to what was launched; returns its id.

        Several weeks are a backfill, which the daemon starts; a single one is a run, started at once.
        """
        self.open("/asset-groups")
        with self.dialog() as dialog:
            dialog.get_by_role("button", name="Show all partitions").click()
            box = dialog.get_by_placeholder(re.compile("2018-01-01"))
            box.fill(f"[{first}...{last}]" if first != last else first)
            box.press("Enter")
            expect(dialog.get_by_text(re.compile(rf"^{weeks} partitions?$"))).to_be_visible(timeout=LOADED)
            self.shot(shot)
            dialog.get_by_role("button", name=re.compile("^Launch")).click()
        self.page.get_by_text("View", exact=True).click(timeout=LOADED)  # in the note that it was launched
        self.page.wait_for_url(re.compile("/runs/"), timeout=LOADED)
        return self.page.url.partition("?")[0].rpartition("/")[2]

    def finished(self) -> str:
        """Wait on the page of a backfill or run for its end; returns the status that it shows."""
        # A backfill's table has columns of the same words; only its status is a tag.
        ended = self.page.locator("[data-tooltip-style]").filter(has_text=ENDED).first
        expect(ended).to_be_visible(timeout=BACKFILL)
        return ended.inner_text().strip()

    def _in_view(self, node: Locator) -> bool:
        """Whether the whole of a node is on the screen; the graph leaves out what is far off it."""
        box = node.bounding_box() if node.count() else None
        size = self.page.viewport_size
        return bool(box and size and box["y"] > 120 and box["y"] + box["height"] < size["height"] - 40)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")


def _shortened(name: str) -> re.Pattern[str]:
    """A name as the graph writes it: far out, a long one loses its middle."""
    return re.compile(rf"^({name}|{name[:4]}\S*…\S*{name[-4:]})$")
