"""The page of one server and the forms that change it."""

import itertools
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.cloud.models import Vm, VmGuard
from app.cloud.operation_models import Operation
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import drain
from tests.support.machines import vm_named
from tests.support.page import Page, open_page
from tests.support.statements import statements
from vcdsim import Simulator

pytestmark = pytest.mark.one_database

FORMS = [
    "resize",
    "add-disk",
    "grow-disk?disk=2000",
    "change-network",
    "take-snapshot",
    "rename",
    "reset-password",
    "delete",
    "power-off",
    "reset",
]


def path_of(name: str) -> str:
    return f"/vms/{vm_id(name)}"


def asked() -> list[tuple[str, dict[str, object]]]:
    """Kind and wish of every operation."""
    db.session.rollback()
    return [(row.kind, row.params) for row in db.session.scalars(select(Operation).order_by(Operation.created_at))]


def send(owner: FlaskClient, name: str, form: str, **values: str) -> Page:
    """Fill a form of the server and send it; the page that comes after it."""
    path = f"{path_of(name)}/{form}"
    answer = open_page(owner, path).send(path.partition("?")[0], **values)
    return open_page(owner, answer.location) if answer.status_code == 303 else Page(owner, answer)


# ---- The page ------------------------------------------------------------------------------------------------------


def test_it_sends_few_statements_however_many_things_a_server_has(
    owner: FlaskClient, cast: Cast, cloud: Simulator
) -> None:
    path = path_of("terminal")
    open_page(owner, path).send(f"{path}/shut-down")
    for address, most in ((path, 9), (f"{path}/live", 9)):
        with statements() as sent:
            owner.get(address)
        assert len(sent) <= most, "\n".join(sent)


@pytest.mark.parametrize("form", FORMS)
def test_forms_send_few_statements(owner: FlaskClient, cloud: Simulator, form: str) -> None:
    path = f"{path_of('terminal')}/{form}"
    with statements() as sent:
        owner.get(path)
    assert len(sent) <= 10, "\n".join(sent)


def test_a_reason_is_said_once_and_every_blocked_control_names_it(owner: FlaskClient, cloud: Simulator) -> None:
    path = path_of("terminal")
    open_page(owner, path).send(f"{path}/shut-down")
    page = open_page(owner, path)
    assert page.texts(".sk-why") == ["Being shut down since 17:20; wait until it ends."]
    blocked = page.root.cssselect(".sk-stack [aria-disabled=true]")
    assert {element.text_content() for element in blocked} >= {"Change", "Add a disk", "Grow", "Delete terminal…"}
    assert {element.get("aria-describedby") for element in blocked} == {page.root.cssselect(".sk-why")[0].get("id")}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_says_beforehand_what_the_state_forbids(owner: FlaskClient, cloud: Simulator, form: str) -> None:
    path = path_of("terminal")
    open_page(owner, path).send(f"{path}/shut-down")
    page = open_page(owner, f"{path}/{form}")
    assert page.texts(".sk-why") == ["Being shut down since 17:20; wait until it ends."]
    assert page.root.cssselect("main form button[aria-disabled=true]")


@pytest.mark.parametrize("place", ["vCloud", "bin"])
@pytest.mark.parametrize("person", ["owner", "viewer"])
def test_each_state_has_a_page_with_all_its_reasons(
    browser: Browser, cast: Cast, cloud: Simulator, clock: Clock, person: str, place: str
) -> None:
    machine_id, reader = vm_id("sandbox"), browser(getattr(cast, person))
    with transaction():
        at = clock.at if place == "bin" else None
        db.session.add(VmGuard(vm_id=machine_id, is_protected=at is None, recycled_at=at, erase_at=at))
    for status, is_deployed, has_snapshot in itertools.product((-1, 0, 3, 4, 8, 9), (False, True), (False, True)):
        with transaction():
            values = {"status": status, "is_deployed": is_deployed, "has_snapshot": has_snapshot}
            db.session.execute(update(Vm).where(Vm.id == machine_id).values(**values))
        page = open_page(reader, f"/vms/{machine_id}")
        blocked = page.root.cssselect("main [aria-disabled=true]")
        assert all(element.get("aria-describedby") for element in blocked), values


def test_it_leads_to_vcloud_director_itself(app: Flask, owner: FlaskClient, cloud: Simulator) -> None:
    settings = app.extensions["skiff_config"]
    app.extensions["skiff_config"] = replace(settings, demo=False)
    try:
        link = open_page(owner, path_of("terminal")).links()["Open vCloud Director"]
    finally:
        app.extensions["skiff_config"] = settings
    assert link.startswith("http://127.0.0.1:")
    assert link.endswith("/tenant/acme/")


# ---- Size ----------------------------------------------------------------------------------------------------------


def test_a_server_that_is_off_changes_its_size(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    page = send(owner, "sandbox", "resize", cpu_count="2", memory_gb="1.5")
    assert page.texts(".sk-head .sk-state") == ["Changing size"]
    drain(cloud, clock)
    assert open_page(owner, path_of("sandbox")).texts(".sk-sizes b")[:2] == ["2 CPU", "1.5 GB"]


def test_a_running_server_is_asked_about_before_it_restarts(owner: FlaskClient, cloud: Simulator) -> None:
    with transaction():
        db.session.execute(update(Vm).where(Vm.name == "terminal").values(cpu_hot_add=True, memory_hot_add=False))
    page = send(owner, "terminal", "resize", cpu_count="4", memory_gb="16")
    assert page.status == 200
    assert "Will restart, about 1 minute. 8 GB → 16 GB." in page.text
    assert asked() == []
    assert page.send(f"{path_of('terminal')}/resize").status_code == 303
    [(kind, wish)] = asked()
    assert (kind, wish["memory_mb"], wish["restart"]) == ("resize", 16 * 1024, True)


def test_what_grows_while_it_runs_is_not_asked_about(owner: FlaskClient, cloud: Simulator) -> None:
    with transaction():
        hot = {"cpu_hot_add": True, "memory_hot_add": True, "cores_per_socket": 1}
        db.session.execute(update(Vm).where(Vm.name == "terminal").values(**hot))
    assert "while it runs" in open_page(owner, f"{path_of('terminal')}/resize").text
    send(owner, "terminal", "resize", cpu_count="6", memory_gb="16")
    assert [wish["restart"] for _, wish in asked()] == [False]


def test_wrong_sizes_are_said_at_their_fields_and_stay_as_typed(owner: FlaskClient, cloud: Simulator) -> None:
    page = send(owner, "sandbox", "resize", cpu_count="x", memory_gb="lots")
    assert page.status == 422
    assert page.title.startswith("Problem: ")
    assert page.errors == ["Write a whole number.", "Write a number."]
    assert page.form(f"{path_of('sandbox')}/resize").fields["memory_gb"] == "lots"


def test_a_size_beyond_the_limits_is_refused_at_its_field(owner: FlaskClient, cloud: Simulator) -> None:
    page = send(owner, "sandbox", "resize", cpu_count="1", memory_gb="5000")
    assert page.status == 422
    assert page.errors[0].startswith("5,000 GB of memory do not fit")
    assert asked() == []


# ---- Disks ---------------------------------------------------------------------------------------------------------


def test_a_disk_grows_and_another_one_comes_and_goes(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    send(owner, "sandbox", "grow-disk?disk=2000", size_gb="15")
    drain(cloud, clock)
    send(owner, "sandbox", "add-disk", size_gb="5")
    drain(cloud, clock)
    page = open_page(owner, path_of("sandbox"))
    assert page.texts(".sk-list > li > div:first-child p") == ["15 GB, the system starts from it", "5 GB"]
    [link] = page.root.cssselect("a[aria-label^='Remove']")
    question = open_page(owner, str(link.get("href")))
    assert "All its data, 5 GB, are lost" in question.text
    question.send(f"{path_of('sandbox')}/remove-disk")
    drain(cloud, clock)
    assert len(vm_named("sandbox").disks) == 1


def test_a_disk_does_not_shrink(owner: FlaskClient, cloud: Simulator) -> None:
    page = send(owner, "sandbox", "grow-disk?disk=2000", size_gb="5")
    assert (page.status, page.errors) == (
        422,
        ["The disk has 10 GB already, and disks only grow. Take more than that."],
    )


def test_a_snapshot_in_the_way_of_the_disks_is_named(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    send(owner, "sandbox", "take-snapshot")
    drain(cloud, clock)
    whys = open_page(owner, path_of("sandbox")).texts(".sk-why")
    assert whys == ["vCloud does not change disks of a server that has a snapshot. Remove the snapshot first."]


# ---- Snapshot ------------------------------------------------------------------------------------------------------


def test_a_snapshot_is_taken_replaced_gone_back_to_and_removed(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    path = path_of("sandbox")
    send(owner, "sandbox", "take-snapshot")
    drain(cloud, clock)
    assert "It replaces the snapshot of " in open_page(owner, f"{path}/take-snapshot").text
    send(owner, "sandbox", "take-snapshot")
    drain(cloud, clock)
    for action in ("revert-snapshot", "remove-snapshot"):
        open_page(owner, f"{path}/{action}").send(f"{path}/{action}")
        drain(cloud, clock)
    assert [kind for kind, _ in asked()] == ["take_snapshot", "take_snapshot", "revert_snapshot", "remove_snapshot"]
    assert not vm_named("sandbox").has_snapshot


# ---- Network -------------------------------------------------------------------------------------------------------


def test_a_card_gets_an_address_of_its_own(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    page = send(owner, "sandbox", "change-network", **{"cards-0-mode": "MANUAL", "cards-0-ip": "10.9.9.9"})
    assert page.status == 422
    assert [link.get("href") for link in page.root.cssselect("[role=alert] a")] == ["#cards-0-ip"]
    send(owner, "sandbox", "change-network", **{"cards-0-mode": "MANUAL", "cards-0-ip": "203.0.113.77"})
    drain(cloud, clock)
    assert "203.0.113.77" in open_page(owner, path_of("sandbox")).text


def test_only_cards_that_differ_are_asked_for(owner: FlaskClient, cloud: Simulator) -> None:
    page = send(owner, "sandbox", "change-network")
    assert page.status == 422
    send(owner, "sandbox", "change-network", **{"cards-1-network_id": "none"})
    [(_, wish)] = asked()
    assert [card["index"] for card in wish["cards"]] == [1]  # type: ignore[attr-defined]


def test_a_card_is_taken_out(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    send(owner, "sandbox", "change-network", **{"cards-0-is_removed": "y"})
    drain(cloud, clock)
    assert "none: the server has no network" in open_page(owner, path_of("sandbox")).text


# ---- Name, password, deletion --------------------------------------------------------------------------------------


def test_a_server_is_renamed(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    path = path_of("sandbox")
    assert send(owner, "sandbox", "rename", vm_name="two words").status == 422
    send(owner, "sandbox", "rename", vm_name="playground")
    drain(cloud, clock)
    assert open_page(owner, path).h1 == "playground"


def test_a_new_password_is_shown_once_on_the_page_of_its_operation(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    page = send(owner, "sandbox", "reset-password", password_choice="own", password="Own-pass-123")
    address = page.response.request.path
    assert address.startswith("/operations/")
    drain(cloud, clock)
    assert "Show the password" in open_page(owner, f"/vms/{vm_id('sandbox')}").text
    shown = Page(owner, open_page(owner, address).send(f"{address}/password"))
    assert shown.texts(".sk-fig code") == ["Own-pass-123"]


def test_whose_password_it_shall_be_is_not_guessed(owner: FlaskClient, cloud: Simulator) -> None:
    page = send(owner, "sandbox", "reset-password", password_choice="nonsense")
    assert (page.status, page.errors) == (422, ["Choose whether we make the password or you write it."])
    token = page.root.cssselect("input[name=csrf_token]")[0].get("value")
    assert owner.post(f"{path_of('sandbox')}/reset-password", data={"csrf_token": token}).status_code == 422
    assert asked() == []


def test_a_server_is_deleted_by_its_name_and_restored(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    path = path_of("sandbox")
    page = send(owner, "sandbox", "delete", typed_name="sand")
    assert (page.status, page.errors) == (422, ["This is not the name of the server. Type sandbox to delete it."])
    assert "kept in the recycle bin for 24 hours" in page.text
    send(owner, "sandbox", "delete", typed_name="sandbox")
    drain(cloud, clock)
    page = open_page(owner, path)
    assert page.h1 == "sandbox"
    assert page.texts(".sk-banner b")[-1].startswith("In the recycle bin until Friday 13 November 2026, 17:2")
    page.send(f"{path}/restore")
    drain(cloud, clock)
    assert open_page(owner, path).texts(".sk-head .sk-state") == ["Off"]


def test_out_of_the_bin_a_server_is_deleted_for_good_after_a_question(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    path = path_of("sandbox")
    send(owner, "sandbox", "delete", typed_name="sandbox")
    drain(cloud, clock)
    question = open_page(owner, open_page(owner, path).links()["Delete for good…"])
    assert "Nobody can bring it back." in question.text
    question.send(f"{path}/erase")
    drain(cloud, clock)
    assert open_page(owner, path).texts(".sk-head .sk-state") == ["Gone from vCloud"]


def test_a_protected_server_is_not_deleted(owner: FlaskClient, cloud: Simulator) -> None:
    path = path_of("sandbox")
    open_page(owner, path).send(f"{path}/protection")
    page = open_page(owner, path)
    assert page.texts(".sk-why") == ["The server is protected against deletion. Take the protection off first."]
    assert send(owner, "sandbox", "delete", typed_name="sandbox").status == 422
    page.send(f"{path}/protection")
    assert open_page(owner, path).texts(".sk-why") == []


def test_sending_a_form_twice_asks_once(owner: FlaskClient, cloud: Simulator) -> None:
    path = f"{path_of('sandbox')}/add-disk"
    page = open_page(owner, path)
    for _ in range(2):
        assert page.send(path, size_gb="5").status_code == 303
    assert len(asked()) == 1
