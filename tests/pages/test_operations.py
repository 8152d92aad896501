"""Activity and the page of one operation."""

import uuid
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from app.cloud import operations, resize, vms, wishes
from app.cloud.operation_models import Operation
from app.cloud.passwords import PASSWORD_STAYS
from app.cloud.rules import Action
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, pass_time
from tests.support.page import Page, open_page, open_part
from tests.support.wishes import wish
from vcdsim import Simulator
from vcdsim.faults import error

BAD_DISK = error("VIM_INVALID_DISK_PARAMETERS", "Invalid hard disk parameters")


def create(cast: Cast) -> uuid.UUID:
    return vms.request_create(cast.owner, wish(), new_token())


def test_nothing_yet_says_where_to_begin(owner: FlaskClient, cloud: Simulator) -> None:
    assert open_page(owner, "/operations").links() == {"Servers": "/vms"}


def test_running_ones_are_strips_and_ended_ones_a_timeline(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    create(cast)
    drain(cloud, clock)
    wishes.ask(cast.owner, vm_id("sandbox"), Action.START, new_token())
    page = open_page(owner, "/operations")
    assert page.texts(".sk-live .sk-name") == ["Starting sandbox"]
    assert page.texts(".sk-time .sk-name") == ["web-03 is ready"]
    assert page.texts(".sk-time-day") == ["Thursday, 12 November"]


def test_steps_show_what_is_done_what_runs_and_what_comes(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    operation_id = create(cast)
    operations.advance(operation_id)
    page = open_page(owner, f"/operations/{operation_id}")
    assert page.texts(".sk-steps .done b") == ["Ask vCloud to build the server"]
    assert page.texts(".sk-steps .now b") == ["Copy the template"]
    assert len(page.root.cssselect(".sk-steps .todo")) == 4
    assert page.root.cssselect("[aria-current=step]")
    assert page.root.cssselect("noscript meta[http-equiv=refresh][content='5']")


def test_the_page_stops_polling_when_the_work_is_done(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    path = f"/operations/{create(cast)}"
    assert open_part(owner, f"{path}/live").root.cssselect("#operation[hx-get][hx-trigger='every 2s']")
    pass_time(cloud, clock, 61)
    assert open_part(owner, f"{path}/live").root.cssselect("#operation[hx-trigger='every 5s']")
    drain(cloud, clock)
    done = open_part(owner, f"{path}/live")
    assert not done.root.cssselect("[hx-get]")
    assert done.texts("title") == ["web-03 is ready · Skiff"]
    assert not open_page(owner, path).root.cssselect("noscript meta")


def test_a_silent_vcloud_is_waited_for_in_words(owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = create(cast)
    cloud.faults.add(operation="*", times=3, http_status=503)
    operations.advance(operation_id)
    page = open_page(owner, f"/operations/{operation_id}")
    assert "vCloud does not answer. We go on trying." in page.text


def test_the_password_is_shown_to_the_person_who_asked_until_it_is_saved(
    owner: FlaskClient, browser: Browser, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    path = f"/operations/{create(cast)}"
    drain(cloud, clock)
    assert "Show the password" not in open_page(browser(cast.technician), path).text
    page = open_page(owner, path)
    shown = Page(owner, page.send(f"{path}/password"))
    assert shown.h1 == "Password of web-03"
    assert shown.response.headers["Cache-Control"] == "no-store"
    assert len(shown.texts(".sk-fig code")[0]) == 16
    assert shown.texts("p > code")[-1].startswith("ssh root@203.0.113.")
    assert shown.send("/theme/dark").location == "/", "the page with the password cannot be opened again"
    assert Page(owner, page.send(f"{path}/password")).text == shown.text, "a lost answer can be asked for again"
    answer = shown.send(f"{path}/password-saved")
    assert (answer.status_code, answer.location) == (303, path)
    assert page.send(f"{path}/password").status_code == 409
    assert "Show the password" not in open_page(owner, path).text


def test_the_password_page_says_until_when_it_can_be_opened(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    path = f"/operations/{create(cast)}"
    drain(cloud, clock)
    page, begin = open_page(owner, path), clock.at.astimezone(ZoneInfo("Europe/Moscow"))
    until = f"You can open it until {begin + PASSWORD_STAYS:%H:%M}, then we erase it."
    assert "Once you have opened it, we keep it for 10 minutes at most." in page.text
    assert until in Page(owner, page.send(f"{path}/password")).text
    assert until in open_page(owner, path).text
    clock.move(PASSWORD_STAYS.total_seconds() + 1)
    assert "Show the password" not in open_page(owner, path).text
    assert page.send(f"{path}/password").status_code == 409


def test_a_technician_cannot_take_the_password_of_another(
    browser: Browser, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    path = f"/operations/{create(cast)}"
    drain(cloud, clock)
    technician = browser(cast.technician)
    token = open_page(technician, path).root.cssselect("input[name=csrf_token]")[0].get("value")
    for command in ("password", "password-saved"):
        assert technician.post(f"{path}/{command}", data={"csrf_token": token}).status_code == 404


def test_a_refusal_of_vcloud_is_explained_with_the_next_step(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add(
        operation="instantiate", times=1, error=error("VIM_INVALID_DISK_PARAMETERS", "Invalid hard disk parameters")
    )
    operation_id = create(cast)
    drain(cloud, clock)
    page = open_page(owner, f"/operations/{operation_id}")
    assert page.h1 == "Creation of web-03 stopped"
    assert page.texts(".sk-head .sk-state") == ["Failed at step 1 of 6"]
    assert page.texts(".sk-explain h2") == ["vCloud refused it"]
    assert "does not accept this disk" in page.texts(".sk-explain p")[0]
    assert "Invalid hard disk parameters" in page.texts("#log pre")[0]
    assert f"/vms/new?again={operation_id}" in page.links().values()
    assert page.texts(".sk-steps .fail b") == ["Ask vCloud to build the server"]
    assert "Creation of web-03 stopped" in open_page(owner, "/").text


POWER_OFF, RESET = ("Power off…", "power-off"), ("Reset the server…", "reset")


@pytest.mark.parametrize(
    ("action", "code", "way"),
    [
        (Action.SHUT_DOWN, "guest_silent", POWER_OFF),
        (Action.SHUT_DOWN, "no_guest_tools", POWER_OFF),
        (Action.RESTART, "no_guest_tools", RESET),
    ],
)
def test_a_guest_that_does_not_do_it_is_not_asked_by_the_first_way_out(
    owner: FlaskClient,
    cast: Cast,
    cloud: Simulator,
    clock: Clock,
    action: Action,
    code: str,
    way: tuple[str, str],
) -> None:
    machine_id = vm_id("terminal")
    operation_id = wishes.ask(cast.owner, machine_id, action, new_token())
    with transaction():
        row = db.session.get_one(Operation, operation_id)
        row.state, row.error_code, row.finished_at = "failed", code, clock.at
    page = open_page(owner, f"/operations/{operation_id}")
    button, address = way
    assert page.texts(".sk-explain .btn-primary") == [button]
    assert page.links()[button] == f"/vms/{machine_id}/{address}"


def test_the_page_says_what_was_asked_for(owner: FlaskClient, cast: Cast, cloud: Simulator) -> None:
    token = new_token()
    operation_id = resize.request_resize(
        cast.owner, vm_id("sandbox"), token, cpu_count=2, memory_mb=3072, restart=False
    )
    page = open_page(owner, f"/operations/{operation_id}")
    assert page.texts("aside .sk-kv dd") == ["sandbox", "2 CPU · 3 GB"]


def test_an_operation_that_nobody_understands_names_support(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    operation_id = create(cast)
    with transaction():
        row = db.session.get_one(Operation, operation_id)
        row.state, row.error_code, row.finished_at = "needs_attention", "internal", clock.at
    page = open_page(owner, f"/operations/{operation_id}")
    assert page.texts(".sk-head .sk-state") == ["Needs attention"]
    assert "Let support look at it" in page.text
    assert str(operation_id) in page.text


def test_the_log_has_no_password(owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    spec = wish(password="Sehr-geheim-123")
    path = f"/operations/{vms.request_create(cast.owner, spec, new_token())}"
    drain(cloud, clock)
    page = open_page(owner, path)
    assert page.texts(".sk-log")
    assert "Sehr-geheim-123" not in page.response.text


def test_a_replaced_operation_is_called_given_up(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    first = wishes.ask(cast.owner, vm_id("terminal"), Action.SHUT_DOWN, new_token())
    pass_time(cloud, clock, 61)
    wishes.ask(cast.owner, vm_id("terminal"), Action.POWER_OFF, new_token())
    page = open_page(owner, f"/operations/{first}")
    assert page.texts(".sk-head .sk-state") == ["Given up"]
