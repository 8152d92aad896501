"""Every page at phone and desktop width, in both themes and languages: readable, pressable, nothing beyond the edge."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab, sign_in
from tests.support.live import LivePanel

pytestmark = pytest.mark.browser
FORMS = ("power-off", "resize", "grow-disk?disk=2000", "change-network", "take-snapshot", "rename", "delete")
STAFF = ("accounts", "operations", "sync", "drift", "errors", "health")
AUDIT = (Path(__file__).parent / "audit.js").read_text("utf-8")


def addresses(tab: Page, panel: LivePanel) -> list[str]:
    """Each kind of page: lists, one server of each state, a form with errors, an operation, an error."""
    tab.goto(f"{panel.url}/vms")
    servers = {link.inner_text(): str(link.get_attribute("href")) for link in tab.locator("tbody th a").all()}
    chosen = [servers[name] for name in ("grafana", "terminal", "sandbox", "legacy-erp")]
    return [
        "/",
        "/vms",
        "/vms?q=nothing",
        *chosen,
        *(f"{servers['terminal']}/{form}" for form in FORMS),
        "/vms/new",
        "/operations",
        "/no",
    ]


def refuse_form(tab: Page, panel: LivePanel) -> None:
    tab.goto(f"{panel.url}/vms/new")
    tab.locator("#disk_gb").fill("x")
    tab.locator("button:visible", has_text=re.compile("Create server|Создать сервер")).first.click()
    expect(tab.locator("[role=alert]")).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_pages_are_readable_and_stay_within_the_edge(
    panel: LivePanel, open_tab: OpenTab, width: int, theme: str
) -> None:
    tab = open_tab(viewport={"width": width, "height": 844}, color_scheme=theme)
    tab.goto(f"{panel.url}/sign-in")
    assert tab.evaluate(AUDIT) == []
    sign_in(tab, panel)
    for address in addresses(tab, panel):
        tab.goto(panel.url + address)
        assert tab.evaluate(AUDIT) == [], address
    refuse_form(tab, panel)
    assert tab.evaluate(AUDIT) == []


def test_pages_of_staff_fit_on_a_phone_that_keeps_some_behind_more(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 320, "height": 844}, color_scheme="dark")
    sign_in(tab, panel, "support@skiff.example")
    for name in STAFF:
        tab.goto(f"{panel.url}/staff/{name}")
        assert tab.evaluate(AUDIT) == [], name
    more = tab.locator(".sk-dock details")
    more.locator("summary").click()
    assert tab.evaluate(AUDIT) == []
    expect(more.get_by_role("link", name="Health")).to_have_attribute("aria-current", "page")


def test_russian_is_longer_and_fits_too(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 320, "height": 844}, locale="ru-RU")
    sign_in(tab, panel, "owner@globex.example")
    tab.locator("header summary").last.click()
    tab.get_by_role("button", name="Русский").click()
    expect(tab.locator("h1")).to_have_text("Обзор")
    for address in ("/", "/vms", "/vms/new", "/operations"):
        tab.goto(panel.url + address)
        assert tab.evaluate(AUDIT) == [], address
    refuse_form(tab, panel)
    assert tab.evaluate(AUDIT) == []
    tab.goto(panel.url)
    tab.locator("header summary").last.click()
    tab.get_by_role("button", name="English").click()  # the choice stays with the person, and others sign in as him
    expect(tab.locator("h1")).to_have_text("Overview")


def test_menus_fit_on_a_phone_and_are_reached_by_keyboard(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 320, "height": 844})
    sign_in(tab, panel)
    tab.goto(f"{panel.url}/vms")
    tab.get_by_role("link", name="sandbox").click()
    for menu in (tab.locator("header summary").last, tab.locator(".sk-acts summary").first):
        menu.focus()
        tab.keyboard.press("Enter")
        box = menu.locator("xpath=following-sibling::div").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        tab.keyboard.press("Escape")
        expect(menu).to_be_focused()


def test_a_console_without_a_screen_fits_on_a_phone(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 320, "height": 844})
    sign_in(tab, panel)
    tab.goto(f"{panel.url}/vms?q=sandbox")
    tab.goto(panel.url + str(tab.locator("tbody th a").first.get_attribute("href")) + "/console")
    expect(tab.locator("main h2")).to_be_visible()  # why there is none
    assert tab.evaluate(AUDIT) == []


def test_the_first_stop_of_the_keyboard_skips_the_navigation(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 1280, "height": 844})
    sign_in(tab, panel)
    tab.keyboard.press("Tab")
    expect(tab.locator(".sk-skip")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.locator("#main")).to_be_focused()
