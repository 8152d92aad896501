"""An owner before the pages of his servers: what he clicks, and what he waits to see."""

import re
from collections.abc import Callable, Iterator

from playwright.sync_api import Page, expect

from tests.browser.conftest import WAIT_MS
from vcdsim import Simulator

Story = Iterator[None]
"""Something that an owner does, in parts. Between two of them he looks after other servers, and comes back."""

# The page asks twice as often what is new.
HASTE = """
for (const name of ["setTimeout", "setInterval"]) {
  const real = window[name];
  window[name] = (what, ms, ...rest) => real(what, ms / 2, ...rest);
}
"""
expect.set_options(timeout=WAIT_MS)


class Owner:
    """Works in one tab, signed in."""

    def __init__(self, tab: Page, url: str, simulator: Simulator) -> None:
        self.tab, self.url, self.simulator = tab, url, simulator
        self._pages: dict[str, str] = {}
        tab.add_init_script(HASTE)

    def open(self, name: str) -> None:
        """The page of a server, the first time through the list."""
        if name not in self._pages:
            self.tab.goto(f"{self.url}/vms?q={name}")
            self.tab.get_by_role("link", name=name, exact=True).click()
            expect(self.tab.locator("h1")).to_have_text(name)
            self._pages[name] = self.tab.url
        elif self.tab.url != self._pages[name]:
            self.tab.goto(self._pages[name])

    def press(self, name: str) -> None:
        """A button."""
        self.tab.get_by_role("button", name=name, exact=True).first.click()

    def follow(self, name: str) -> None:
        """A link."""
        self.tab.get_by_role("link", name=name, exact=True).first.click()

    def choose(self, name: str) -> None:
        """A line of the menu of a server; those that lose something are links to a question."""
        self.tab.get_by_label("More actions").click()
        self.tab.locator(".sk-acts details").get_by_text(name, exact=True).click()

    def begins_to_create(self, template: str, name: str) -> None:
        """The form, with a template and a name."""
        self.tab.goto(f"{self.url}/vms/new")
        self.tab.get_by_role("radio", name=re.compile(template)).check()
        self.tab.get_by_role("textbox", name="Name", exact=True).fill(name)

    def presses_create(self, name: str) -> None:
        """The form is sent; the page of the operation comes."""
        self.tab.locator("aside").get_by_role("button", name="Create server").click()
        expect(self.tab.locator("h1")).to_have_text(re.compile(f"^(Creating {name}|{name} is ready)$"))

    def changes_size(self, cpu_count: str, button: str) -> None:
        """So many processors; the button says whether it restarts."""
        self.follow("Change CPU and memory")
        self.tab.locator("#cpu_count").fill(cpu_count)
        if button == "Change and restart" and not self.tab.get_by_role("button", name=button).count():
            self.press("Change the size")
        self.press(button)

    def rests(self, state: str) -> None:
        """Wait until nothing is under way, and the server is in this state."""
        expect(self.tab.locator(".sk-live")).to_have_count(0)
        expect(self.tab.locator(".sk-head .sk-state")).to_have_text(state)

    def tell(self, *stories: Callable[["Owner"], Story]) -> None:
        """All stories to their ends, a part of each in turn: what vCloud works on needs no looking at."""
        running = [(story(self), "") for story in stories]
        while running:
            again = []
            for story, place in running:
                if place:
                    self.tab.goto(place)
                if next(story, story) is None:
                    again.append((story, self.tab.url))
            running = again
