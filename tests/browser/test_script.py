"""What the little script adds: nothing is asked in vain, what is open stays open, a double click makes one server."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WAIT_MS, OpenTab, sign_in
from tests.support.live import LivePanel

pytestmark = pytest.mark.browser
expect.set_options(timeout=WAIT_MS)


def fill(tab: Page, panel: LivePanel, name: str) -> None:
    tab.goto(f"{panel.url}/vms/new")
    tab.locator("#vm_name").fill(name)


def creations(panel: LivePanel) -> int:
    """How many times vCloud was asked to make a vApp."""
    return sum("instantiateVAppTemplate" in path for _, path in panel.simulator.requests)


def asked_during(tab: Page, during_ms: int) -> list[str]:
    """The addresses that the page asks for while its clock runs on."""
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.clock.run_for(during_ms)
    return asked


def test_a_double_click_makes_one_server(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 1280, "height": 900})
    sign_in(tab, panel)
    fill(tab, panel, "twice-1")
    before = creations(panel)
    tab.locator("aside").get_by_role("button", name="Create server").dblclick()
    expect(tab.locator("h1")).to_have_text("twice-1 is ready")
    assert creations(panel) - before == 1


def test_a_hidden_tab_asks_for_nothing_until_it_is_seen_again(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 1280, "height": 900})
    tab.clock.install()
    sign_in(tab, panel)
    fill(tab, panel, "hidden-1")
    tab.locator("aside").get_by_role("button", name="Create server").click()
    expect(tab.locator("h1")).to_have_text("Creating hidden-1")
    with tab.expect_response(re.compile("/live$")):
        pass  # no request is on its way when the tab is hidden
    tab.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    assert asked_during(tab, 20_000) == []
    tab.evaluate("Object.defineProperty(document, 'hidden', { value: false })")
    expect(tab.locator("h1")).to_have_text("hidden-1 is ready")
    expect(tab).to_have_title("hidden-1 is ready · Skiff")
    expect(tab.locator("#bell b")).to_have_count(0)
    assert asked_during(tab, 20_000) == [], "a page on which nothing moves asks for nothing"


def test_an_open_menu_stays_open_while_the_page_refreshes_and_closes_by_escape(
    panel: LivePanel, open_tab: OpenTab
) -> None:
    tab = open_tab(viewport={"width": 1280, "height": 900})
    sign_in(tab, panel)
    tab.goto(f"{panel.url}/vms/new")
    tab.locator("#vm_name").fill("journey-3")
    tab.locator("aside").get_by_role("button", name="Create server").first.click()
    tab.locator(".sk-fold > summary").click()
    menu = tab.locator(".sk-top details")
    menu.locator("summary").click()
    with tab.expect_response(re.compile("/live$")):
        pass
    expect(tab.locator(".sk-fold")).to_have_attribute("open", "")
    expect(menu).to_have_attribute("open", "")
    tab.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(tab.locator("h1")).to_have_text("journey-3 is ready")
    expect(tab.locator(".sk-fold")).to_have_attribute("open", "")


def test_a_click_copies_an_address_and_says_so(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"])
    sign_in(tab, panel)
    tab.goto(f"{panel.url}/vms?q=terminal")
    tab.get_by_role("link", name="terminal").click()
    button = tab.get_by_role("button", name=re.compile(r"^Copy \d")).first
    button.click()
    expect(tab.locator("#voice")).to_have_text("Copied")
    assert tab.evaluate("navigator.clipboard.readText()") == button.get_attribute("data-copy")


def test_sliders_and_numbers_follow_each_other_and_the_template(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 1280, "height": 900})
    sign_in(tab, panel)
    fill(tab, panel, "sizes-1")
    number, slider = tab.locator("#memory_gb"), tab.get_by_role("slider", name="Memory")
    number.fill("8")
    expect(slider).to_have_js_property("value", "8")
    slider.press("ArrowRight")
    expect(number).to_have_value("9")
    tab.get_by_role("radio", name=re.compile("windows-2022")).check()
    expect(number).to_have_value("9")
    expect(tab.locator("#disk_gb")).to_have_value("40")
    expect(tab.locator("aside [data-sum-size]")).to_have_text("windows-2022, 2 CPU, 9 GB, 40 GB")
    number.fill("999")
    expect(number).to_have_value("999")
