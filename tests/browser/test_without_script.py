"""The journey of a customer whose browser runs no script."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import WAIT_MS, OpenTab, sign_in
from tests.support.live import LivePanel

pytestmark = pytest.mark.browser
expect.set_options(timeout=WAIT_MS)


def test_everything_works_without_script(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(java_script_enabled=False, viewport={"width": 390, "height": 844})
    sign_in(tab, panel)
    tab.goto(f"{panel.url}/vms/new")
    tab.locator("#vm_name").fill("no script")
    tab.locator(".sk-buy button").click()
    expect(tab.locator("#vm_name-error")).to_contain_text("letters, digits and hyphens")
    tab.locator("#vm_name").fill("journey-2")
    tab.locator(".sk-buy button").click()
    # The page refreshes itself every five seconds until the work is done.
    expect(tab.locator("h1")).to_have_text("journey-2 is ready")
    tab.get_by_role("link", name="Open journey-2").click()
    tab.get_by_role("button", name="Shut down").first.click()
    expect(tab.locator(".sk-head .sk-state")).to_have_text(re.compile("Asked to shut down|Off"))
