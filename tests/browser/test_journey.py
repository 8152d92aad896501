"""The journey of a customer: log in, create a server, watch its steps, it runs, shut it down, it is off."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WAIT_MS, OpenTab, sign_in
from tests.support.live import LivePanel

pytestmark = pytest.mark.browser
expect.set_options(timeout=WAIT_MS)


def asked_during(tab: Page, during_ms: int) -> list[str]:
    """The addresses that the page asks for while its clock runs on."""
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.clock.run_for(during_ms)
    return asked


def test_a_customer_creates_a_server_and_shuts_it_down(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 1280, "height": 900})
    tab.clock.install()
    sign_in(tab, panel)
    tab.locator(".sk-side").get_by_role("link", name="Servers").click()
    tab.get_by_role("link", name="Create server").click()

    tab.get_by_role("radio", name=re.compile("ubuntu-24.04")).check()
    tab.get_by_role("textbox", name="Name", exact=True).fill("journey-1")
    tab.get_by_role("slider", name="Processor").press("ArrowRight")
    expect(tab.locator("#cpu_count")).to_have_value("2")
    expect(tab.locator("aside [data-sum-name]").first).to_have_text("journey-1")
    tab.locator("aside").get_by_role("button", name="Create server").first.click()

    expect(tab.locator("h1")).to_have_text("Creating journey-1")
    expect(tab.locator(".sk-steps > li")).to_have_count(6)
    expect(tab.locator("h1")).to_have_text("journey-1 is ready")
    expect(tab).to_have_title("journey-1 is ready · Skiff")
    expect(tab.locator(".sk-steps > .done")).to_have_count(6)
    expect(tab.locator("#bell b")).to_have_count(0)
    assert asked_during(tab, 20_000) == [], "a page on which nothing moves asks for nothing"

    tab.get_by_role("button", name="Show the password").click()
    expect(tab.locator("h1")).to_have_text("Password of journey-1")
    expect(tab.locator(".sk-fig code")).to_have_text(re.compile(r"^\w{16}$"))
    tab.get_by_role("button", name="I saved it").click()

    tab.get_by_role("link", name="Open journey-1").click()
    state = tab.locator(".sk-head .sk-state")
    expect(state).to_have_text("On")
    expect(tab.locator(".sk-kv dd").first).to_contain_text("203.0.113.")

    tab.get_by_role("button", name="Shut down").first.click()
    expect(state).to_have_text("Asked to shut down")
    expect(state).to_have_text("Off")
    expect(tab.get_by_role("button", name="Start")).to_be_visible()
    assert ("create", "succeeded") in panel.operations()
    assert ("shut_down", "succeeded") in panel.operations()
    assert panel.simulator.world is not None


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
