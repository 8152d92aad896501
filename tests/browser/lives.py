"""What an owner does with his servers, as stories; all together they ask for everything that can be asked."""

import re

from playwright.sync_api import expect

from tests.browser.owner import Owner, Story
from vcdsim.faults import error

NO_TOOLS = error("INTERNAL_SERVER_ERROR", 'VMware Tools is not running in "mail".')


def has_a_new_server(owner: Owner) -> Story:
    """In a vApp of its own: created, its password read and erased."""
    tab = owner.tab
    owner.begins_to_create("debian-12", "web-3")
    tab.get_by_role("slider", name="Processor").press("ArrowRight")
    owner.presses_create("web-3")
    yield
    expect(tab.locator("h1")).to_have_text("web-3 is ready")
    expect(tab.locator(".sk-steps > .done")).to_have_count(6)
    owner.press("Show the password")
    expect(tab.locator(".sk-fig code")).to_have_text(re.compile(r"^\w{16}$"))
    owner.press("I saved it, erase it")
    owner.follow("Open web-3")
    owner.rests("On")
    expect(tab.locator(".sk-sizes b").first).to_have_text("2 CPU")
    expect(tab.locator("#addresses ~ *").last).to_be_visible()
    expect(tab.locator(".sk-kv dd").first).to_contain_text("203.0.113.")


def adds_servers_to_vapps(owner: Owner) -> Story:
    """To one whose network is there, then to one where the network of the vApp has to be made."""
    for name, vapp, network, address in (
        ("terminal-2", "office", "acme-net", "203.0.113."),
        ("box-2", "accounting", "acme-internal", "10.0.0."),
    ):
        owner.begins_to_create("debian-12", name)
        owner.tab.get_by_label("Network", exact=True).select_option(label=network)
        owner.tab.get_by_text("Existing", exact=True).click()
        owner.tab.get_by_label("Existing vApp").select_option(label=vapp)
        owner.presses_create(name)
        yield
        expect(owner.tab.locator("h1")).to_have_text(f"{name} is ready")
        owner.follow(f"Open {name}")
        owner.rests("On")
        expect(owner.tab.locator(".sk-kv dd").first).to_contain_text(address)
        expect(owner.tab.locator("aside")).to_contain_text(vapp)


def has_three_servers_at_once(owner: Owner) -> Story:
    """Of a template that makes three."""
    owner.begins_to_create("lamp", "crm")
    owner.presses_create("crm")
    yield
    expect(owner.tab.locator("h1")).to_have_text("crm is ready")
    expect(owner.tab.locator("#machines").locator("xpath=../..").locator("li a")).to_have_count(3)


def switches(owner: Owner) -> Story:
    """Every button of the power of a server."""
    owner.open("legacy-erp")
    owner.rests("Suspended")
    owner.press("Resume")
    yield
    owner.rests("On")
    owner.press("Restart")
    yield
    owner.rests("On")
    owner.choose("Reset")
    owner.press("Reset legacy-erp")
    yield
    owner.rests("On")
    owner.choose("Suspend")
    yield
    owner.rests("Suspended")
    owner.press("Resume")
    yield
    owner.rests("On")
    owner.press("Shut down")
    yield
    owner.rests("Off")
    owner.press("Start")
    yield
    owner.rests("On")
    owner.choose("Power off")
    owner.press("Power legacy-erp off")
    yield
    owner.rests("Off")


def changes_size_and_disks(owner: Owner) -> Story:
    """While it is off, then with a restart, then while it runs."""
    tab = owner.tab
    owner.open("sandbox")
    owner.rests("Off")
    owner.changes_size("2", "Change the size")
    yield
    owner.rests("Off")
    expect(tab.locator(".sk-sizes b").first).to_have_text("2 CPU")
    owner.follow("Add a disk")
    tab.locator("#size_gb").fill("0")
    owner.press("Add the disk")
    expect(tab.locator("[role=alert]")).to_be_focused()
    expect(tab.locator("#size_gb")).to_have_value("0")
    tab.locator("#size_gb").fill("7")
    owner.press("Add the disk")
    yield
    owner.rests("Off")
    owner.follow("Grow Hard disk 2")
    tab.locator("#size_gb").fill("8")
    owner.press("Grow the disk")
    yield
    owner.rests("Off")
    expect(tab.locator(".sk-list")).to_contain_text("8 GB")
    owner.follow("Remove Hard disk 2")
    owner.press("Remove Hard disk 2")
    yield
    owner.rests("Off")
    expect(tab.locator(".sk-list li")).to_have_count(1)
    owner.press("Start")
    yield
    owner.rests("On")
    owner.changes_size("1", "Change and restart")
    yield
    owner.rests("On")
    expect(tab.locator(".sk-sizes b").first).to_have_text("1 CPU")


def changes_size_while_it_runs(owner: Owner) -> Story:
    """It gets more while it runs, where the template was made for that."""
    owner.open("wiki")
    owner.rests("On")
    owner.changes_size("3", "Change the size")
    yield
    owner.rests("On")
    expect(owner.tab.locator(".sk-sizes b").first).to_have_text("3 CPU")


def goes_back_to_a_snapshot(owner: Owner) -> Story:
    """One, as vCloud has it."""
    tab = owner.tab
    owner.open("grafana")
    owner.rests("Partly off")
    owner.press("Power off")
    yield
    owner.rests("Off")
    for button in ("Take the snapshot", "Replace the snapshot"):
        owner.follow("Take a snapshot…" if button == "Take the snapshot" else "Replace it…")
        owner.press(button)
        yield
        owner.rests("Off")
    expect(tab.get_by_role("link", name="Grow Hard disk 1")).to_have_attribute("aria-disabled", "true")
    owner.follow("Go back to the snapshot…")
    owner.press("Go back")
    yield
    owner.rests("Off")
    owner.follow("Remove the snapshot…")
    owner.press("Remove the snapshot")
    yield
    owner.rests("Off")
    expect(tab.get_by_role("link", name="Grow Hard disk 1")).not_to_have_attribute("aria-disabled", "true")


def changes_the_network(owner: Owner) -> Story:
    """An address of its own, one by DHCP, one from the pool of another network; unplugged."""
    tab = owner.tab
    owner.open("ci-runner-2")
    for network, mode, shown in (
        ("acme-internal", "the one that I write", "10.0.0.99"),
        ("acme-internal", "by DHCP", "comes from DHCP soon after the start"),
        ("acme-net", "from the pool of the network", "192.168."),
        ("Not connected", None, "not connected"),
    ):
        owner.rests("Off")
        owner.follow("Change the network")
        card = tab.locator("fieldset").first
        card.get_by_label("Network").select_option(label=network)
        if mode:
            card.get_by_label("Address", exact=True).select_option(label=mode)
        if mode == "the one that I write":
            card.get_by_label("IP address").fill(shown)
        owner.press("Change the network")
        yield
        owner.rests("Off")
        expect(tab.locator("section:has(#addresses)")).to_contain_text(shown)


def gives_it_a_name_and_a_password(owner: Owner) -> Story:
    """The new password is that of the system after the start."""
    tab = owner.tab
    owner.open("accounting")
    owner.rests("Off")
    owner.choose("Rename")
    tab.get_by_label("Name", exact=True).fill("books")
    owner.press("Rename")
    yield
    owner.rests("Off")
    expect(tab.locator("h1")).to_have_text("books")
    owner.follow("Reset the password")
    tab.get_by_text("Mine", exact=True).click()
    tab.get_by_label("Your password").fill("Own-Password-1")
    owner.press("Reset and start")
    yield
    expect(tab.locator("h1")).to_have_text("books has a new password")
    owner.press("Show the password")
    expect(tab.locator(".sk-fig code")).to_have_text("Own-Password-1")


def deletes(owner: Owner) -> Story:
    """Not while it is protected; it comes back, and goes for good."""
    tab = owner.tab
    owner.open("ci-runner-1")
    owner.press("Protect it")
    expect(tab.get_by_role("link", name="Delete ci-runner-1…")).to_have_attribute("aria-disabled", "true")
    owner.press("Take the protection off")
    for _ in range(2):
        owner.follow("Delete ci-runner-1…")
        tab.get_by_label("Type the name of the server").fill("ci-runner-1")
        owner.press("Delete ci-runner-1")
        yield
        owner.rests("In the recycle bin")
        expect(tab.locator("h1")).to_have_text("ci-runner-1")
        if _ == 0:
            owner.press("Restore")
            yield
            owner.rests("Off")
    owner.follow("Delete for good…")
    owner.press("Delete for good")
    yield
    owner.rests("Gone from vCloud")


def asks_several(owner: Owner) -> Story:
    """Shut down and started together; one that is off already says so."""
    tab = owner.tab
    for button, state in (("Shut down", "Off"), ("Start", "On")):
        tab.goto(f"{owner.url}/vms?q=shop-web")
        for box in tab.locator("tbody [name=vm]").all():
            box.check()
        tab.locator(".sk-picked").get_by_role("button", name=button).click()
        expect(tab.locator("[role=status]").first).to_contain_text("2 servers were asked.")
        yield
        for name in ("shop-web-1", "shop-web-2"):
            owner.open(name)
            owner.rests(state)


def gives_up_and_goes_on(owner: Owner) -> Story:
    """A start that hangs is cancelled; one that fails goes on from there."""
    tab = owner.tab
    owner.open("legacy-erp")
    owner.simulator.faults.add("powerOn", stuck_task=True)
    owner.press("Start")
    tab.locator(".sk-live a").click()
    expect(tab.locator(".sk-steps progress")).to_be_visible()  # vCloud has it
    owner.press("Cancel it")
    expect(tab.locator("h1")).to_have_text("Starting legacy-erp: cancelled")
    owner.follow("Open legacy-erp")
    owner.rests("Off")
    owner.simulator.faults.add("powerOn", task_error=error("INTERNAL_SERVER_ERROR", "Cannot power on the host."))
    owner.press("Start")
    yield
    owner.rests("Off")
    owner.follow("legacy-erp did not start")
    owner.press("Go on")
    expect(tab.locator("h1")).to_have_text("legacy-erp is on")


def powers_a_guest_off_that_cannot_be_asked(owner: Owner) -> Story:
    """A system without VMware Tools cannot shut down; the page says what can be done instead."""
    owner.open("terminal")
    owner.simulator.faults.add("shutdown", task_error=NO_TOOLS)
    owner.press("Shut down")
    yield
    owner.rests("On")
    owner.follow("terminal did not shut down")
    owner.follow("Power off…")
    owner.press("Power terminal off")
    yield
    owner.rests("Off")


SIDE_BY_SIDE = (
    has_a_new_server,
    has_three_servers_at_once,
    adds_servers_to_vapps,
    switches,
    changes_size_and_disks,
    changes_size_while_it_runs,
    goes_back_to_a_snapshot,
    changes_the_network,
    gives_it_a_name_and_a_password,
    deletes,
    asks_several,
)
ONE_BY_ONE = (gives_up_and_goes_on, powers_a_guest_off_that_cannot_be_asked)
