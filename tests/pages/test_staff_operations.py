"""What staff sees of operations that need somebody."""

import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.cloud import operations, vms, wishes
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, drain_late, operation
from tests.support.page import open_page
from tests.support.wishes import wish
from vcdsim import Simulator
from vcdsim.faults import error


@pytest.fixture
def support(browser: Browser, cast: Cast) -> FlaskClient:
    """The browser of support."""
    return browser(cast.support)


@pytest.fixture
def stopped(cast: Cast, cloud: Simulator, clock: Clock) -> uuid.UUID:
    """A creation that vCloud never finished."""
    cloud.faults.add("instantiate", stuck_task=True)
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    drain_late(cloud, clock, operation_id)
    return operation_id


def rows(support: FlaskClient) -> list[list[str]]:
    """The cells of the list."""
    page = open_page(support, "/staff/operations")
    return [
        [" ".join(cell.text_content().split()) for cell in row.cssselect("th, td")]
        for row in page.root.cssselect("tbody tr")
    ]


def test_nothing_to_do_is_said(support: FlaskClient, cloud: Simulator) -> None:
    assert "Everything goes on by itself" in open_page(support, "/staff/operations").text


def test_what_has_stopped_comes_first_with_who_what_and_the_last_words(
    support: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock, stopped: uuid.UUID
) -> None:
    cloud.faults.add("*", times=None, http_status=503)
    operations.advance(wishes.ask(cast.technician, vm_id("sandbox"), Action.START, new_token()))
    first, second = rows(support)
    assert first[:3] == ["Creation of web-03 stopped", "Needs attention", "AcmeOwner Berg"]
    assert second[:3] == ["Starting sandbox", "vCloud does not answer. We go on trying.", "AcmeTechnician Berg"]
    assert first[4] == "deadline"
    assert "503" in second[4]


def test_an_operation_of_which_nothing_is_heard_is_named(
    support: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    wishes.ask(cast.owner, vm_id("sandbox"), Action.START, new_token())
    assert rows(support) == []
    clock.move(181)
    assert rows(support)[0][1] == "Nothing is heard of it"


def test_staff_runs_it_again_from_its_step_and_the_audit_says_who(
    support: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock, stopped: uuid.UUID
) -> None:
    path = f"/staff/operations/{stopped}"
    page = open_page(support, path)
    assert "Run again from: Copy the template" in page.text
    answer = page.send(f"{path}/retry")
    assert (answer.status_code, answer.location) == (303, path)
    assert operation(stopped).is_active
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "operation.retry")).one()
    assert (entry.user_id, entry.object_id) == (cast.support.user_id, stopped)


def test_what_ended_the_same_way_stands_below(support: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    failed = []
    for _ in range(2):
        cloud.faults.add("powerOn", error=error("BAD_REQUEST", "There are insufficient CPU or memory resources."))
        failed.append(wishes.ask(cast.owner, vm_id("sandbox"), Action.START, new_token()))
        drain(cloud, clock)
    page = open_page(support, f"/staff/operations/{failed[0]}")
    assert len(page.root.cssselect("[aria-labelledby=similar] li")) == 1
    assert "insufficient CPU" in page.texts("[aria-labelledby=similar] li")[0]


def test_a_clean_up_that_has_stopped_is_run_again(
    support: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("deploy", error=error("BAD_REQUEST", "No."))
    cloud.faults.add("delete", error=error("BAD_REQUEST", "Not that either."))
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    drain(cloud, clock)
    path = f"/staff/operations/{operation_id}"
    open_page(support, path).send(f"{path}/retry")
    drain(cloud, clock)
    assert operation(operation_id).state == "failed"
    assert "Run again" not in open_page(support, path).text


def test_customers_have_no_such_pages(browser: Browser, cast: Cast, stopped: uuid.UUID) -> None:
    for path in ("/staff/operations", f"/staff/operations/{stopped}"):
        assert browser(cast.owner).get(path).status_code == 404


def test_the_words_of_vcloud_are_no_markup(
    support: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock, stopped: uuid.UUID
) -> None:
    with transaction():
        db.session.get_one(Operation, stopped).events[-1].text = "<img src=x>"
    assert "<img src=x>" not in open_page(support, "/staff/operations").response.text
