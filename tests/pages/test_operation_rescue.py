"""The page of an operation that is given up, goes on, waits for others, or came out otherwise than asked."""

import uuid

import pytest
from flask.testing import FlaskClient

from app.cloud import operations, passwords, rescue, vms, wishes
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, drain_late, operation
from tests.support.page import Page, open_page
from tests.support.wishes import wish
from vcdsim import Simulator
from vcdsim.faults import error

REFUSED = error("BAD_REQUEST", "There are insufficient CPU or memory resources to complete the operation.")


def start(cast: Cast) -> uuid.UUID:
    """Ask for a start of a machine that is off."""
    return wishes.ask(cast.owner, vm_id("sandbox"), Action.START, new_token())


def test_an_operation_is_cancelled_from_its_page(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    operations.advance(operation_id)
    path = f"/operations/{operation_id}"
    page = open_page(owner, path)
    assert "vCloud can still stop this step. What was made is removed." in page.text
    answer = page.send(f"{path}/cancel")
    assert (answer.status_code, answer.location) == (303, path)
    page = open_page(owner, path)
    assert page.texts(".sk-head .sk-state") == ["Being cancelled"]
    assert "We ask vCloud to stop it." in page.text
    drain(cloud, clock)
    page = open_page(owner, path)
    assert page.h1 == "Creating web-03: cancelled"
    assert page.texts(".sk-head .sk-state") == ["Cancelled"]
    assert page.texts(".sk-explain h2") == ["Cancelled, as you asked"]
    assert "Cancelled here" in page.text
    assert page.links()["Change and try again"] == f"/vms/new?again={operation_id}"


def test_a_step_that_cannot_be_stopped_has_no_button_and_an_old_page_is_told(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    operation_id = wishes.ask(cast.owner, vm_id("terminal"), Action.POWER_OFF, new_token())
    path = f"/operations/{operation_id}"
    old = open_page(owner, path)
    operations.advance(operation_id)
    assert f"{path}/cancel" not in open_page(owner, path).response.text
    old.send(f"{path}/cancel")
    assert "It is too late to cancel" in open_page(owner, path).response.text


def test_a_wish_to_cancel_that_came_too_late_is_told(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("cancel", error=REFUSED)
    operation_id = start(cast)
    operations.advance(operation_id)
    rescue.cancel(cast.owner, operation_id)
    operations.advance(operation_id)
    path = f"/operations/{operation_id}"
    assert "vCloud was asked to stop and has not done so." in open_page(owner, path).text
    drain(cloud, clock)
    assert "It was too late: vCloud had finished already." in open_page(owner, path).text


def test_a_failed_operation_goes_on_from_its_page(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("powerOn", error=REFUSED)
    operation_id = start(cast)
    drain(cloud, clock)
    path = f"/operations/{operation_id}"
    page = open_page(owner, path)
    assert page.texts(".sk-steps .fail b") == ["Switch on"]
    page.send(f"{path}/retry")
    assert operation(operation_id).is_active
    page = open_page(owner, path)
    assert page.texts(".sk-steps .now b") == ["Switch on"]
    assert not page.root.cssselect(".sk-explain")
    drain(cloud, clock)
    page = open_page(owner, path)
    assert page.h1 == "sandbox is on"
    assert len(page.root.cssselect(".sk-steps .done")) == 2


def test_a_viewer_has_neither_button(browser: Browser, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("powerOn", error=REFUSED)
    operation_id = start(cast)
    viewer, path = browser(cast.viewer), f"/operations/{operation_id}"
    assert "/cancel" not in open_page(viewer, path).response.text
    drain(cloud, clock)
    assert "/retry" not in open_page(viewer, path).response.text


def test_an_operation_that_waits_for_its_neighbour_says_so(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    first, second = (
        wishes.ask(cast.owner, vm_id(name), Action.POWER_OFF, new_token()) for name in ("shop-web-1", "shop-web-2")
    )
    operations.advance(first)
    operations.advance(second)
    page = open_page(owner, f"/operations/{second}")
    assert page.texts(".sk-head .sk-state") == ["Waits for another operation of this vApp."]


def test_the_usual_time_stands_beside_the_elapsed_one(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    for _ in range(3):
        start(cast)
        drain(cloud, clock)
        wishes.ask(cast.owner, vm_id("sandbox"), Action.POWER_OFF, new_token())
        drain(cloud, clock)
    page = open_page(owner, f"/operations/{start(cast)}")
    assert "Usually about 18 s." in page.text


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ({"what": "memory_mb", "asked": 4096, "got": 2048}, ["Memory", "4 GB", "2 GB"]),
        ({"what": "cpu_count", "asked": 4, "got": 2}, ["CPU", "4", "2"]),
        ({"what": "card", "card": 0, "asked": ["net", "POOL", None], "got": None}, ["Card 1", "net, POOL", "none"]),
        (
            {"what": "ip", "card": 1, "asked": "DHCP", "got": "pending"},
            ["Address of card 2", "DHCP", "not given yet"],
        ),
    ],
)
def test_what_came_out_otherwise_is_told_as_asked_and_got(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock, difference: dict[str, object], words: list[str]
) -> None:
    operation_id = start(cast)
    drain(cloud, clock)
    with transaction():
        db.session.get_one(Operation, operation_id).facts = {"differences": [difference]}
    page = open_page(owner, f"/operations/{operation_id}")
    assert page.texts("[aria-labelledby=differences] tbody > tr > *") == words


def test_a_stranger_can_do_neither(browser: Browser, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = start(cast)
    stranger = browser(cast.stranger)
    token = open_page(stranger, "/").root.cssselect("input[name=csrf_token]")[0].get("value")
    for command in ("cancel", "retry"):
        answer = stranger.post(f"/operations/{operation_id}/{command}", data={"csrf_token": token})
        assert Page(stranger, answer).status == 404
    assert operation(operation_id).cancel_asked_at is None


def test_an_operation_whose_password_is_erased_says_so_and_leads_to_a_new_one(
    owner: FlaskClient, browser: Browser, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("reconfigure", stuck_task=True)
    asked = passwords.request_new_password(cast.owner, vm_id("sandbox"), new_token())
    drain_late(cloud, clock, asked)
    path = f"/operations/{asked}"
    page = open_page(owner, path)
    assert "Go on" in page.texts(".sk-explain button")
    assert "erased" not in page.text
    clock.move(passwords.STOPPED_STAYS.total_seconds() + 1)
    passwords.forget_old_passwords()
    page = open_page(browser(cast.owner), path)
    assert "Go on" not in page.texts(".sk-explain button")
    assert "We keep a password for 7 days; it is erased now." in page.text
    assert page.links()["Reset the password…"] == f"/vms/{vm_id('sandbox')}/reset-password"
    staff = open_page(browser(cast.support), f"/staff{path}")
    assert "the password that it would set is erased by now" in staff.text


def test_a_creation_without_a_server_yet_says_that_its_password_is_erased(
    browser: Browser, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("instantiate", stuck_task=True)
    asked = vms.request_create(cast.owner, wish(), new_token())
    drain_late(cloud, clock, asked)
    clock.move(passwords.STOPPED_STAYS.total_seconds() + 1)
    passwords.forget_old_passwords()
    page = open_page(browser(cast.owner), f"/operations/{asked}")
    assert page.texts(".sk-explain li b")[0] == "It cannot go on"
    assert "We keep a password for 7 days; it is erased now." in page.text
