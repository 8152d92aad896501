"""A real Chromium before a whole panel of real processes. Whatever the browser complains about fails the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.support.fronts import Front
from tests.support.live import LivePanel
from tests.support.servers import RedisServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WAIT_MS = 90_000  # on a busy machine; ends as soon as it is so
OpenTab = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium(chromium_path: Path) -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def panel(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePanel]:
    """One panel for all browser tests of a process; each test makes servers of its own names.

    It has a Redis of its own, because it lives beside the panels of other tests and their bells must not mix.
    """
    redis = RedisServer()
    redis.start()
    folder = tmp_path_factory.mktemp("panel")
    with LivePanel(folder, redis.url, worker=("-m", "tests.support.hasty")) as running:
        yield running
    redis.remove()


@pytest.fixture
def open_tab(chromium: Browser) -> Iterator[OpenTab]:
    """Opens a tab with the options of a browser context; complaints of all tabs are read at the end."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # A refused form is answered with 401, 409 or 422, and Chromium notes that; it is no fault of the page.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(f"{message.page.url if message.page else ''}: {message.text}")

    with ExitStack() as stack:

        def open_one(browser: Browser = chromium, **options: object) -> Page:
            context = browser.new_context(**options)  # type: ignore[arg-type]  # the options of new_context
            stack.callback(context.close)
            tab = context.new_page()
            tab.set_default_timeout(WAIT_MS)
            tab.on("console", listen)
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            return tab

        yield open_one
    assert complaints == []


def sign_in(tab: Page, panel: LivePanel | Front, email: str = "owner@acme.example", password: str = "demo") -> None:
    """Sign in; the demo logins have the same password."""
    tab.goto(f"{panel.url}/sign-in")
    tab.locator("#email").fill(email)
    tab.locator("#password").fill(password)
    tab.locator("main form button").click()
    tab.locator(".sk-app h1").wait_for()
