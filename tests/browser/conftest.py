"""The app in this process, one Chromium, a page that must end without an error or a foreign request."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"
# One thread a column: on shared cores two would wait for each other.
os.environ["CPU_CORES"] = "1"

# Two shared cores and software rendering: what takes a second on a free machine may take a minute here.
PATIENCE = 60_000


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, served as a user would have it, with a home of its own for the runs."""
    os.environ["WORKBENCH_HOME"] = str(tmp_path_factory.mktemp("runs"))
    from workbench.ui.backend import warm_up

    warm_up()
    from workbench.ui import runs_home
    from workbench.ui.app import build_app
    from workbench.ui.server import QUEUE, launch_settings

    demo = build_app().queue(**QUEUE)
    _, url, _ = demo.launch(**launch_settings("127.0.0.1"), prevent_thread_lock=True, quiet=True)
    yield url
    demo.close()
    runs_home.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; Playwright's own is not fetched."""
    found = shutil.which("chromium")
    if found is None:
        pytest.fail("The browser tests need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
        )
        yield browser
        browser.close()


@dataclass
class Visit:
    """A visitor's page and what must not happen on it."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Write down every script error and every request to another origin."""
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.foreign.append(url)

    def open(self, query: str = "") -> Page:
        """Go to the page and wait until its first comparison has ended."""
        self.page.goto(self.url + query)
        self.done()
        return self.page

    def done(self) -> None:
        """Wait until a comparison has ended: the line of progress then tells the seconds."""
        self.page.wait_for_function(
            r"() => /\d s$|\d초$/.test("
            "document.querySelector('#wb-progress .wb-progress')?.innerText.trim() || '')",
            timeout=PATIENCE,
        )

    def run(self, press: Callable[[], Any]) -> None:
        """Do what starts a comparison, and wait until that one has ended."""
        before = self.page.locator("#wb-progress .wb-progress").inner_text()
        press()
        self.page.wait_for_function(
            "before => document.querySelector('#wb-progress .wb-progress').innerText !== before",
            arg=before,
            timeout=PATIENCE,
        )
        self.done()


@pytest.fixture(scope="session")
def settled(chromium: Browser, app_url: str) -> Iterator[Visit]:
    """One visitor whose first comparison has ended, for the tests that only read."""
    page = chromium.new_context(locale="en-US", viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    visitor = Visit(page, app_url)
    visitor.watch()
    page.add_init_script(_RECORD_ORDER)
    visitor.open()
    yield visitor
    page.context.close()
    assert visitor.errors == []
    assert visitor.foreign == []


# Which heatmaps were there when, by label.
_RECORD_ORDER = """
  window.__order = [];
  new MutationObserver(() => {
    for (const figure of document.querySelectorAll('#wb-board figure.hm')) {
      const label = figure.dataset.label;
      if (figure.querySelector('.hm-grid') && !window.__order.includes(label)) window.__order.push(label);
    }
  }).observe(document, { childList: true, subtree: true, attributes: true });
"""


@pytest.fixture
def visit(chromium: Browser, app_url: str) -> Iterator[Callable[..., Visit]]:
    """Make visitors: ``visit(locale="ko-KR", viewport={...})``; at the end none may have met an error."""
    visits: list[Visit] = []

    def make(**context: Any) -> Visit:
        context = {"locale": "en-US", "viewport": {"width": 1280, "height": 900}, **context}
        page = chromium.new_context(**context).new_page()
        page.set_default_timeout(PATIENCE)
        made = Visit(page, app_url)
        made.watch()
        visits.append(made)
        return made

    expect.set_options(timeout=PATIENCE)
    yield make
    for one in visits:
        one.page.context.close()
    assert [error for one in visits for error in one.errors] == []
    assert [url for one in visits for url in one.foreign] == []
