"""What somebody changed in vCloud is on the page after *Refresh*, with its time and with the question what to do."""

import re

import pytest
from playwright.sync_api import expect

from app.vcloud import Client, Login, TaskStatus, VmChange
from tests.browser.conftest import WAIT_MS, OpenTab, sign_in
from tests.support.live import LivePanel
from tests.support.waiting import wait_until
from tests.vcloud.simulated import vm_named

pytestmark = pytest.mark.browser
expect.set_options(timeout=WAIT_MS)


def give_memory(panel: LivePanel, name: str, memory_mb: int) -> None:
    """As another user of the organization, in vCloud itself."""
    with Client(f"{panel.simulator_url}/api", Login("globex", "globex-admin", "secret")) as client:
        task = client.reconfigure(vm_named(client, name).id, VmChange(memory_mb=memory_mb))
        done = (TaskStatus.SUCCESS, TaskStatus.ERROR)
        wait_until(lambda: client.task(task.id).status in done, "vCloud has changed the memory", deadline_s=30)


def may_be_read_again(panel: LivePanel) -> bool:
    """Whether the first readings of the schedule are over, and so long ago that *Refresh* begins a new one."""
    lately = "state IN ('waiting', 'running') OR started_at > datetime('now', '-6 seconds')"
    is_over = not panel.read(f"SELECT why FROM sync_runs WHERE {lately}")
    return is_over and bool(panel.read("SELECT why FROM sync_runs WHERE why = 'schedule'"))


def test_a_change_made_in_vcloud_is_seen_after_refresh(panel: LivePanel, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 1280, "height": 900})
    sign_in(tab, panel, "owner@globex.example")
    tab.goto(f"{panel.url}/vms")
    row = tab.locator("tr", has=tab.get_by_role("link", name="portal-db"))
    expect(row).to_contain_text("8 GB")
    give_memory(panel, "portal-db", 6 * 1024)
    wait_until(lambda: may_be_read_again(panel), "the last reading is some seconds old", deadline_s=60)
    tab.get_by_role("button", name="Refresh").click()
    expect(tab.locator("#servers .sk-banner").first).to_have_text(re.compile(r"^Up to date\. .*1 changed"))
    expect(row).to_contain_text("6 GB")
    expect(tab.locator("#checked")).to_contain_text(" s ago")
    tab.get_by_role("link", name="portal-db").click()
    expect(tab.locator(".sk-sizes b").nth(1)).to_have_text("6 GB")
    line = tab.locator(".sk-time li", has_text="Changed in vCloud: memory 8 GB → 6 GB")
    expect(line.locator("time")).to_have_text(re.compile(r"^\d\d:\d\d$"))
    expect(tab.locator(".sk-banner", has_text="Changed in vCloud, not here.")).to_contain_text("Memory: 8 GB → 6 GB")
    tab.get_by_role("link", name="Decide").click()
    expect(tab.locator("tbody tr")).to_contain_text(["portal-db"])
