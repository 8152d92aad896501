"""The screen of a server in a real browser: drawn by the real WMKS and by noVNC, also through nginx with TLS."""

import io
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Page, Route, expect

from app.vcloud import Client, Login
from tests.browser.conftest import FLAGS, WAIT_MS, OpenTab, sign_in
from tests.support.fronts import NAME, Front
from tests.support.live import LivePanel
from tests.support.waiting import wait_until
from tests.vcloud.simulated import vm_named
from tools.setup import ROOT
from vcdsim.console import LEGACY, MODERN

pytestmark = pytest.mark.browser
expect.set_options(timeout=WAIT_MS)

KEYS = {"A": "Shift+KeyA", "_": "Shift+Minus", "\n": "Enter", "!": "Shift+Digit1"}


class Screen:
    """The window of a console, and the guest behind it."""

    def __init__(self, tab: Page, front: Front, name: str) -> None:
        self.tab = tab
        vm = next(vm for vm in front.simulator.world.vms.values() if vm.name == name)
        self.console, self.vm_id, self.name = front.simulator.console, vm.id, name

    def is_connected(self) -> None:
        """Wait for it; what is explained instead fails at once."""
        expect(self.tab.locator("#status")).to_have_text(re.compile("^(Connected|Not connected)$"))
        assert self.tab.locator("#status").inner_text() == "Connected", self.tab.locator("#main").inner_text()

    def type_keys(self, text: str) -> None:
        """As a person does: WMKS looks at the places of keys, so Shift must be held."""
        for character in text:
            self.tab.keyboard.press(
                KEYS.get(character) or f"{'Digit' if character.isdigit() else 'Key'}{character.upper()}"
            )

    def has_received(self, text: str) -> None:
        """Wait until the guest has received exactly that, since it began."""
        wait_until(lambda: self.received == text, f"the guest has {text!r}, not {self.received!r}", deadline_s=10)

    @property
    def received(self) -> str:
        """What was typed."""
        return self.console.received(self.vm_id)

    def boots(self) -> int:
        """How often the guest began anew while somebody looked."""
        return sum(kind == "boot" for kind, _ in self.console.events(self.vm_id))

    def shows_the_guest(self) -> None:
        """Wait until what the person sees is what the guest shows, pixel by pixel as far as scaling allows."""
        wait_until(self._looks_alike, "the picture is the guest's", deadline_s=10)

    def fits(self) -> bool:
        """Whether the picture is within its place, and not smaller than it need be."""
        place, picture = (self.tab.locator(one).bounding_box() for one in ("#screen", "#screen canvas"))
        assert place is not None
        assert picture is not None
        left, top = picture["x"] - place["x"], picture["y"] - place["y"]
        right, bottom = place["width"] - picture["width"] - left, place["height"] - picture["height"] - top
        is_full = max(left, right) < 2 or max(top, bottom) < 2
        return is_full and min(left, top, right, bottom) > -1

    def _looks_alike(self) -> bool:
        guest = self.console.guests[self.vm_id]
        size = guest.width, guest.height
        shown = Image.new("RGB", size)
        for (left, top, width, height), content in guest.tiles(size):
            shown.paste(content.paint(width, height), (left, top))
        seen = Image.open(io.BytesIO(self.tab.locator("#screen canvas").screenshot())).convert("RGB").resize(size)
        letters = shown.convert("L").point(lambda light: 255 if light > 99 else 0)
        on_letters, all_over = ImageStat.Stat(seen.convert("L"), letters).mean[0], difference(seen, shown)
        return letters.getbbox() is not None and on_letters > 60 and all_over < 5


def is_powered_off(panel: LivePanel, name: str) -> None:
    """In vCloud itself: the panel has no part in it."""
    with Client(f"{panel.simulator_url}/api", Login("acme", "acme-admin", "secret")) as client:
        client.power_off(vm_named(client, name).id)


def difference(one: Image.Image, other: Image.Image) -> float:
    """How far apart two pictures are, of 255, in the mean of all pixels and colours."""
    apart = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(apart) / len(apart)


@contextmanager
def opened(front: Front, tab: Page, name: str) -> Iterator[Screen]:
    """From the page of the server, by its button, in the window that opens."""
    tab.goto(f"{front.url}/vms?q={name}")
    tab.get_by_role("link", name=name, exact=True).click()
    with tab.expect_popup() as popup:
        tab.get_by_role("link", name="Console").click()
    window = popup.value
    window.set_default_timeout(WAIT_MS)
    screen = Screen(window, front, name)
    screen.is_connected()
    yield screen
    window.close()


def works_as_a_screen(front: Front, tab: Page, name: str) -> None:
    """Picture, keys with Shift, a text that is pasted, Ctrl+Alt+Del."""
    with opened(front, tab, name) as screen:
        screen.shows_the_guest()
        screen.type_keys("Admin_42")
        screen.has_received("Admin_42")
        screen.shows_the_guest()
        screen.tab.get_by_text("Send text").click()
        screen.tab.locator("#text").fill("\n~{Paß|")
        screen.tab.get_by_role("button", name="Type it").click()
        expect(screen.tab.locator("#untyped")).to_have_text(re.compile("ß$"))
        screen.tab.locator("#text").fill('\n~{Pass|"}\n')
        screen.tab.get_by_role("button", name="Type it").click()
        screen.has_received('Admin_42\n~{Pass|"}\n')
        boots = screen.boots()
        screen.tab.get_by_role("button", name="Ctrl + Alt + Del").click()
        wait_until(lambda: screen.boots() == boots + 1, "the guest boots again", deadline_s=10)
        screen.shows_the_guest()


@pytest.mark.parametrize(
    ("client", "generation", "name"),
    [("wmks", LEGACY, "wiki"), ("novnc", LEGACY, "shop-db"), ("novnc", MODERN, "shop-web-2")],
)
def test_a_server_is_seen_and_typed_at(
    panel: LivePanel, open_tab: OpenTab, tmp_path: Path, client: str, generation: str, name: str
) -> None:
    with Front(panel, tmp_path, CONSOLE_CLIENT=client) as front:
        panel.simulator.console.options.generation = generation
        tab = open_tab(viewport={"width": 1280, "height": 900})
        sign_in(tab, front)
        works_as_a_screen(front, tab, name)


@pytest.mark.parametrize(("client", "width"), [("wmks", "1276"), ("novnc", r"\d+")])
def test_a_screen_fits_into_its_window_when_that_gets_smaller(
    panel: LivePanel, open_tab: OpenTab, tmp_path: Path, client: str, width: str
) -> None:
    with Front(panel, tmp_path, CONSOLE_CLIENT=client) as front:
        tab = open_tab(viewport={"width": 1280, "height": 900})
        sign_in(tab, front, "owner@globex.example")
        with opened(front, tab, "portal-web") as screen:
            expect(screen.tab.locator("#size")).to_have_text(re.compile(f"^{width} × "))  # WMKS asks the guest for it
            screen.tab.set_viewport_size({"width": 500, "height": 600})
            wait_until(screen.fits, "all of the picture can be seen", deadline_s=10)
            other = Screen(tab.context.new_page(), front, "portal-web")  # a guest has one size for all who look at it
            other.tab.set_viewport_size({"width": 900, "height": 700})
            other.tab.goto(screen.tab.url)
            other.is_connected()
            other.shows_the_guest()
            other.tab.set_viewport_size({"width": 700, "height": 700})
            for one in (screen, other):
                wait_until(one.fits, "all of the picture can be seen", deadline_s=10)
                one.shows_the_guest()


def test_a_program_of_the_operator_is_loaded_as_a_script_of_the_old_kind(
    panel: LivePanel, open_tab: OpenTab, tmp_path: Path
) -> None:
    npm_build = (ROOT / "app/static/wmks/wmks.js").read_text("utf-8")
    stand_in = f"(() => {{ {npm_build.replace('export { WMKS$1 as default };', 'window.WMKS = WMKS$1;')} }})();"
    panel.simulator.console.options.generation = LEGACY

    def name_it(route: Route) -> None:
        if route.request.method == "GET":  # the window itself must come from the panel, or it may open no socket there
            return route.continue_()
        answer = route.fetch()
        return route.fulfill(response=answer, body=answer.text().replace("wmks/wmks.js", "wmks/wmks.min.js"))

    with Front(panel, tmp_path) as front:
        tab = open_tab(viewport={"width": 1280, "height": 900})
        tab.context.route("**/console", name_it)
        script = "text/javascript; charset=utf-8"
        tab.context.route("**/wmks.min.js", lambda route: route.fulfill(body=stand_in, content_type=script))
        sign_in(tab, front)
        with opened(front, tab, "ci-runner-1") as screen:
            screen.type_keys("Admin_42")
            screen.has_received("Admin_42")


@pytest.fixture
def over_tls(panel: LivePanel, nginx: Path, tmp_path: Path) -> Iterator[Front]:
    """The panel as in production: https, behind nginx, and so are the consoles."""
    panel.simulator.console.options.generation = MODERN
    with Front(panel, tmp_path, proxy=nginx) as front:
        yield front


def test_a_server_is_seen_and_typed_at_through_nginx_with_tls(
    over_tls: Front, chromium: Browser, chromium_path: Path, open_tab: OpenTab
) -> None:
    rule = f"--host-resolver-rules=MAP {NAME}:443 127.0.0.1:{over_tls.https_port}"
    with closing(chromium.browser_type.launch(executable_path=chromium_path, args=[*FLAGS, rule])) as browser:
        tab = open_tab(browser, viewport={"width": 390, "height": 844}, ignore_https_errors=True)
        sign_in(tab, over_tls)
        works_as_a_screen(over_tls, tab, "shop-web-1")
        tab.context.close()


def test_a_screen_opens_when_its_server_is_on_comes_back_when_cut_and_says_that_the_server_went_off(
    panel: LivePanel, open_tab: OpenTab, tmp_path: Path
) -> None:
    with Front(panel, tmp_path) as front:
        tab = open_tab(viewport={"width": 1280, "height": 900})
        sign_in(tab, front)
        tab.goto(f"{front.url}/vms?q=accounting")
        tab.get_by_role("link", name="accounting", exact=True).click()
        with tab.expect_popup() as popup:
            tab.get_by_role("link", name="Console").click()
        window = popup.value
        window.set_default_timeout(WAIT_MS)
        expect(window.locator("h2")).to_have_text("accounting is off")
        window.get_by_role("button", name="Start and open").click()
        expect(window.locator("h2")).to_have_text("accounting is starting")
        status, screen = window.locator("#status"), Screen(window, front, "accounting")
        expect(status).to_have_text("Connected")
        window.keyboard.press("Control+Alt+F10")
        expect(window.get_by_role("link", name="Back to accounting")).to_be_focused()
        screen.console.close(screen.vm_id, 1001)
        expect(status).to_have_text(re.compile(r"^The connection was lost\. Trying again in \d s\.$"))
        expect(status).to_have_text("Connected")
        screen.console.close(screen.vm_id, 1000)
        expect(window.locator("h2")).to_have_text("The screen was closed")
        window.get_by_role("button", name="Open again").click()
        expect(status).to_have_text("Connected")
        window.reload()
        screen.is_connected()
        is_powered_off(panel, "accounting")
        expect(window.locator("h2")).to_have_text("accounting is off")
        window.get_by_role("button", name="Start and open").click()
        expect(status).to_have_text("Connected")
    expect(status).to_have_text(re.compile("Trying again"))  # the gateway is gone, and the panel too
