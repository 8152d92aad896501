"""What a customer sees of changes made in vCloud, and what he can do about them."""

import uuid
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.accounts.models import AuditEntry
from app.cloud.drift_models import Drift
from app.cloud.operation_models import Operation
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support import elsewhere
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.drift import drifted
from tests.support.engine import drain
from tests.support.machines import real_vm, vm_named
from tests.support.page import Page, open_page, open_part
from tests.support.statements import statements
from vcdsim import Simulator, error


def rows(page: Page) -> list[list[str]]:
    """The cells of the table, without the buttons."""
    found = page.root.cssselect("main tbody tr")
    return [[" ".join(" ".join(cell.itertext()).split()) for cell in row[:4]] for row in found]


def counter(page: Page) -> list[str]:
    """What the navigation says."""
    return page.texts(".sk-side a[href='/changes'] .sk-count")


def state_of(drift_id: uuid.UUID) -> str:
    db.session.rollback()
    return db.session.get_one(Drift, drift_id).state


def press(client: FlaskClient, drift_id: uuid.UUID, what: str, **values: str) -> Page:
    """Press a button of an entry, and where that leads."""
    answer = open_page(client, "/changes").send(f"/changes/{drift_id}/{what}", **values)
    assert answer.status_code == 303
    return open_page(client, answer.location)


def test_without_changes_there_is_no_such_place_and_the_page_says_so(owner: FlaskClient, cloud: Simulator) -> None:
    assert not open_page(owner, "/").root.cssselect("a[href='/changes']")
    assert "Panel and vCloud agree" in open_page(owner, "/changes").text


def test_the_numbers_around_an_open_list_change_with_it(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    before = open_page(owner, "/vms")
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.do(cloud, clock, "sandbox", elsewhere.switch_on())
    elsewhere.read(clock)
    part, page = open_part(owner, "/vms/live"), open_page(owner, "/vms")
    assert part.texts("#places .sk-count") == ["12", "1"]
    for numbers in ("#places", "#dock", "#number", "#chips"):
        assert part.texts(numbers) == page.texts(numbers)
    assert part.texts("#places") != before.texts("#places")
    assert part.texts("#chips") != before.texts("#chips")


def test_panel_vcloud_and_last_agreed_stand_side_by_side(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.read(clock)
    page = open_page(owner, "/changes")
    assert rows(page) == [["sandbox Processor", "1 CPU", "3 CPU", "1 CPU"]]
    assert counter(page) == ["1"]


def test_the_page_of_the_server_says_it_and_leads_there(owner: FlaskClient, cloud: Simulator) -> None:
    drifted(vm_id("sandbox"), "memory_mb", 1024, 2048)
    page = open_page(owner, f"/vms/{vm_id('sandbox')}")
    assert "Memory: 1 GB → 2 GB, found 0 s ago" in page.text
    assert page.links()["Decide"] == "/changes"
    assert "Changed in vCloud" not in open_page(owner, f"/vms/{vm_id('terminal')}").text


@pytest.mark.parametrize(
    ("what", "before", "after", "shown"),
    [
        ("name", "sandbox", "other", ["sandbox", "other"]),
        ("disks", {"2000": 10240}, {"2000": 10240, "2001": 512}, ["10 GB", "10 GB 512 MB"]),
        ("disks", {}, {"2000": 512}, ["none", "512 MB"]),
        (
            "nics",
            [{"index": 0, "network": "a", "ip": "10.0.0.1", "mode": "POOL", "is_connected": True}],
            [{"index": 0, "network": None, "ip": None, "mode": "NONE", "is_connected": False}],
            ["a, 10.0.0.1", "not connected"],
        ),
        ("snapshot", False, True, ["none", "there is one"]),
        ("existence", False, True, ["does not exist", "exists"]),
        ("vapp", "shop", "other", ["shop", "other"]),
    ],
)
def test_every_value_has_words(
    owner: FlaskClient, cloud: Simulator, what: str, before: object, after: object, shown: list[str]
) -> None:
    drifted(vm_id("sandbox"), what, before, after)
    assert rows(open_page(owner, "/changes"))[0][1:3] == shown


def test_what_is_accepted_is_off_the_list_and_the_audit_says_who(
    owner: FlaskClient, cast: Cast, cloud: Simulator
) -> None:
    drift_id = drifted(vm_id("sandbox"), "cpu_count", 1, 3)
    assert rows(press(owner, drift_id, "accept")) == []
    row = db.session.get_one(Drift, drift_id)
    assert (row.state, row.decided_by_id) == ("accepted", cast.owner.user_id)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "drift.accept")).one()
    assert (entry.user_id, entry.object_id, entry.details["vcloud"]) == (cast.owner.user_id, drift_id, 3)


def test_what_moved_since_the_page_was_opened_is_not_accepted(owner: FlaskClient, cloud: Simulator) -> None:
    drift_id = drifted(vm_id("sandbox"), "cpu_count", 1, 3)
    page = open_page(owner, "/changes")
    drifted(vm_id("sandbox"), "cpu_count", 3, 5)
    page.send(f"/changes/{drift_id}/accept")
    assert "changed in vCloud once more" in open_page(owner, "/changes").text
    assert state_of(drift_id) == "open"


def test_what_is_ignored_comes_back_after_its_time(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    drift_id = drifted(vm_id("sandbox"), "cpu_count", 1, 3)
    assert rows(press(owner, drift_id, "ignore", days="7")) == []
    assert "Ignored until 19 Nov" in open_page(owner, "/changes?show=ignored").text
    with transaction():
        db.session.execute(update(Drift).values(ignored_until=clock.at - timedelta(seconds=1)))
    assert len(rows(open_page(owner, "/changes"))) == 1


def test_nobody_ignores_for_ever(owner: FlaskClient, cloud: Simulator) -> None:
    drift_id = drifted(vm_id("sandbox"), "cpu_count", 1, 3)
    assert "Choose for how long" in press(owner, drift_id, "ignore", days="9999").text
    assert state_of(drift_id) == "open"


def test_switching_is_noted_and_asks_for_nothing(owner: FlaskClient, cloud: Simulator) -> None:
    drifted(vm_id("sandbox"), "state", "off", "on")
    assert counter(open_page(owner, "/changes")) == []
    page = open_page(owner, "/changes?show=noted")
    assert rows(page) == [["sandbox State", "Off", "On", "Off"]]
    assert not page.root.cssselect("main tbody form")


@pytest.mark.parametrize(
    ("what", "edit", "warning"),
    [
        ("cpu_count", elsewhere.size(cpu_count=3), "1 CPU"),
        ("memory_mb", elsewhere.size(memory_mb=2048), "1 GB"),
        ("name", elsewhere.rename("other"), "sandbox"),
        ("disks", elsewhere.add_disk(2048), "All its data, 2 GB, are lost at once."),
        ("nics", elsewhere.unplug(), "acme-net"),
        ("snapshot", elsewhere.take_snapshot(), "there is one"),
    ],
)
def test_restoring_is_an_operation_after_which_both_agree(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock, what: str, edit: elsewhere.Edit, warning: str
) -> None:
    elsewhere.do(cloud, clock, "sandbox", edit)
    elsewhere.read(clock)
    drift_id = db.session.scalars(select(Drift.id).where(Drift.what == what)).one()
    path = f"/changes/{drift_id}/restore"
    question = open_page(owner, path)
    assert warning in question.text
    assert question.send(path).status_code == 303
    assert "Being restored" in open_page(owner, "/changes").text
    assert db.session.scalars(select(Operation.user_id)).one() == cast.owner.user_id
    drain(cloud, clock)
    assert state_of(drift_id) == "restored"
    elsewhere.read(clock)
    assert rows(open_page(owner, "/changes")) == []


def test_a_running_server_restarts_for_it_only_if_that_was_said(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    real_vm(cloud, "terminal").cpu_hot_add = True
    elsewhere.do(cloud, clock, "terminal", elsewhere.size(cpu_count=5))
    elsewhere.read(clock)
    drift_id = db.session.scalars(select(Drift.id)).one()
    path = f"/changes/{drift_id}/restore"
    question = open_page(owner, path)
    assert "The server restarts for it." in question.text
    answer = question.send(path, restarts="")
    assert answer.status_code == 422
    assert "Look again whether it will restart" in Page(owner, answer).text
    assert question.send(path).status_code == 303
    drain(cloud, clock)
    assert (vm_named("terminal").cpu_count, vm_named("terminal").state) == (4, "on")


def test_a_restore_that_failed_leaves_the_entry_open(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.rename("other"))
    elsewhere.read(clock)
    drift_id = db.session.scalars(select(Drift.id)).one()
    path = f"/changes/{drift_id}/restore"
    cloud.faults.add("reconfigure", times=None, error=error("BAD_REQUEST", "No."))
    assert open_page(owner, path).send(path).status_code == 303
    drain(cloud, clock)
    assert state_of(drift_id) == "open"
    assert "It could not be restored" in open_page(owner, "/changes").text


@pytest.mark.parametrize(
    ("what", "before", "after", "why"),
    [
        ("existence", True, False, "never made or deleted"),
        ("vdc", "a", "b", "cannot be moved between data centers"),
        ("vapp", "shop", "other", "cannot be moved to another vApp"),
        ("disks", {"2000": 1024}, {"2000": 2048}, "Disks cannot shrink."),
        ("disks", {"2000": 1024, "2001": 1024}, {"2000": 1024}, "gone with its data"),
        ("disks", {"2000": 1024}, {"2000": 1024, "2001": 5, "2002": 5}, "Remove them one by one"),
        ("snapshot", True, False, "cannot be brought back"),
        (
            "nics",
            [{"index": 0, "network": "elsewhere", "ip": None, "mode": "POOL", "is_connected": True}],
            [],
            "cannot be asked for from here",
        ),
    ],
)
def test_what_cannot_be_restored_says_why(
    owner: FlaskClient, cloud: Simulator, what: str, before: object, after: object, why: str
) -> None:
    drift_id = drifted(vm_id("sandbox"), what, before, after)
    page = open_page(owner, "/changes")
    assert why in page.text
    assert f"/changes/{drift_id}/restore" not in page.links().values()
    assert why in open_page(owner, f"/changes/{drift_id}/restore").text


def test_what_the_state_forbids_is_said_before_it_is_asked(owner: FlaskClient, cloud: Simulator) -> None:
    drift_id = drifted(vm_id("terminal"), "disks", {"2000": 81920}, {"2000": 81920, "2001": 1024})
    path = f"/changes/{drift_id}/restore"
    page = open_page(owner, path)
    assert page.texts(".sk-why") == ["The server must be off for this. Shut it down or power it off first."]
    assert page.send(path).status_code == 422


def test_a_viewer_looks_and_decides_nothing(browser: Browser, cast: Cast, cloud: Simulator) -> None:
    drift_id = drifted(vm_id("sandbox"), "cpu_count", 1, 3)
    viewer = browser(cast.viewer)
    page = open_page(viewer, "/changes")
    assert len(rows(page)) == 1
    assert not page.root.cssselect("main form")
    token = page.root.cssselect("input[name=csrf_token]")[0].get("value")
    for what in ("accept", "ignore", "restore"):
        assert viewer.post(f"/changes/{drift_id}/{what}", data={"csrf_token": token}).status_code == 403
    assert state_of(drift_id) == "open"


def test_a_stranger_sees_none_of_it(browser: Browser, cast: Cast, cloud: Simulator) -> None:
    drifted(vm_id("sandbox"), "cpu_count", 1, 3)
    page = open_page(browser(cast.stranger), "/changes")
    assert rows(page) == []
    assert counter(page) == []


def test_many_entries_cost_as_many_statements_as_few(owner: FlaskClient, cloud: Simulator) -> None:
    sent_by = []
    for names in (("sandbox",), ("terminal", "wiki", "mail", "grafana")):
        for name in names:
            drifted(vm_id(name), "cpu_count", 1, 3)
            drifted(vm_id(name), "nics", [], [{"index": 0, "network": None, "ip": None, "mode": "", "is_connected": 0}])
        with statements() as sent:
            owner.get("/changes")
        sent_by.append(len(sent))
    assert sent_by[0] == sent_by[1] <= 13
