"""The journey of a customer through the changes of a server: size, disk, snapshot, deletion and the way back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WAIT_MS, OpenTab, sign_in
from tests.support.live import LivePanel

pytestmark = pytest.mark.browser
expect.set_options(timeout=WAIT_MS)


def rests(tab: Page, state: str = "Off") -> None:
    """Wait until the last change is over and the page stands still."""
    expect(tab.locator(".sk-head .sk-state")).to_have_text(state)
    expect(tab.locator(".sk-live")).to_have_count(0)


def test_a_customer_changes_a_server_deletes_it_and_takes_it_back(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 1280, "height": 900})
    sign_in(tab, panel)
    tab.goto(f"{panel.url}/vms?q=sandbox")
    tab.locator("tbody th a").first.click()
    rests(tab)

    tab.get_by_role("link", name="Change CPU and memory").click()
    tab.get_by_role("slider", name="Processor").press("ArrowRight")
    expect(tab.locator("#cpu_count")).to_have_value("2")
    tab.get_by_role("button", name="Change the size").click()
    rests(tab)
    expect(tab.locator(".sk-sizes b").first).to_have_text("2 CPU")

    tab.get_by_role("link", name="Add a disk").click()
    tab.locator("#size_gb").fill("0")
    tab.get_by_role("button", name="Add the disk").click()
    expect(tab.locator("[role=alert]")).to_be_focused()
    expect(tab.locator("#size_gb")).to_have_value("0")
    tab.locator("#size_gb").fill("7")
    tab.get_by_role("button", name="Add the disk").click()
    rests(tab)
    expect(tab.locator(".sk-list")).to_contain_text("7 GB")

    tab.get_by_role("link", name="Take a snapshot").click()
    tab.get_by_role("button", name="Take the snapshot").click()
    rests(tab)
    expect(tab.get_by_role("link", name="Grow Hard disk 1")).to_have_attribute("aria-disabled", "true")
    tab.get_by_role("link", name="Remove the snapshot").click()
    tab.get_by_role("button", name="Remove the snapshot").click()
    rests(tab)

    tab.get_by_role("link", name="Delete sandbox").click()
    tab.get_by_label("Type the name of the server").fill("sandbox")
    tab.get_by_role("button", name="Delete sandbox").click()
    rests(tab, "In the recycle bin")
    expect(tab.locator("h1")).to_have_text("sandbox")
    tab.get_by_role("button", name="Restore").first.click()
    rests(tab)
    expect(tab.locator(".sk-time")).to_contain_text(re.compile("sandbox is restored"))
    done = {kind for kind, state in panel.operations() if state == "succeeded"}
    assert done >= {"resize", "add_disk", "take_snapshot", "remove_snapshot", "delete", "restore"}
