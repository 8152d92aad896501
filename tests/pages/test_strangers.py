"""Every address x another account's object is 404, made from the table of routes, so that no new one is forgotten."""

import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.routing import Rule

from app.accounts.models import AuditEntry
from app.cloud import vms, wishes
from app.cloud.models import Network, Service, Vdc, Vm
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.db import db
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.drift import drifted
from tests.support.engine import drain
from tests.support.page import open_page
from tests.support.wishes import wish
from vcdsim import Simulator

Objects = Mapping[str, object]
NOT_OBJECTS = {"locale", "theme", "filename"}
"""Arguments of addresses that name no object of an account."""
ELSEWHERE = ("/api/", "/staff/")
"""The API has its own test, for it wants tokens; the provider's people see every account, and nobody else gets in."""


@pytest.fixture
def theirs(cast: Cast, cloud: Simulator, clock: Clock) -> Objects:
    """An object of Acme for each argument of an address. A new kind of object needs its line here."""
    done = vms.request_create(cast.owner, wish(), new_token())
    drain(cloud, clock)
    wishes.ask(cast.owner, vm_id("terminal"), Action.SHUT_DOWN, new_token())
    return {
        "vm_id": vm_id("sandbox"),
        "operation_id": done,
        "drift_id": drifted(vm_id("sandbox"), "cpu_count", 1, 3),
        "account_id": cast.owner.account_id,
        "network_id": db.session.scalars(select(Network.id).where(Network.name == "acme-net")).one(),
        "token_id": uuid.UUID(int=1),
    }


def rules(app: Flask) -> list[Rule]:
    """The addresses of pages that name an object."""
    found = [rule for rule in app.url_map.iter_rules() if rule.arguments - NOT_OBJECTS]
    return [rule for rule in found if not rule.rule.startswith(ELSEWHERE)]


def address(app: Flask, rule: Rule, objects: Objects) -> str:
    unknown = rule.arguments - objects.keys() - NOT_OBJECTS
    assert not unknown, f"{rule}: give this test an object of another account for {unknown}"
    values: dict[str, Any] = {name: objects[name] for name in rule.arguments}
    with app.test_request_context():
        return url_for(rule.endpoint, **values)


def csrf(client: FlaskClient) -> str:
    return str(open_page(client, "/").root.cssselect("input[name=csrf_token]")[0].get("value"))


def test_a_stranger_finds_nothing_at_any_address(app: Flask, browser: Browser, cast: Cast, theirs: Objects) -> None:
    stranger = browser(cast.stranger)
    sent, before = {"csrf_token": csrf(stranger)}, traces()
    for rule in rules(app):
        path = address(app, rule, theirs)
        is_post = "POST" in (rule.methods or ())
        answer = stranger.post(path, data=sent) if is_post else stranger.get(path)
        assert answer.status_code == 404, f"{'POST' if is_post else 'GET'} {path}"
    assert traces() == before, "nothing was asked for in the stranger's name"


def traces() -> tuple[int, int]:
    """How many operations and audit entries there are."""
    db.session.rollback()
    counts = [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in (Operation, AuditEntry)]
    return counts[0], counts[1]


def test_its_owner_finds_each_of_them(app: Flask, owner: FlaskClient, theirs: Objects) -> None:
    """Else the test above would also pass for addresses that nobody finds."""
    vm = db.session.get_one(Vm, theirs["vm_id"])
    for rule in rules(app):
        if "GET" in (rule.methods or ()):
            path = address(app, rule, theirs)
            assert owner.get(path, query_string={"disk": vm.disks[0]["instance_id"]}).status_code == 200, path


def test_a_stranger_cannot_name_foreign_objects_inside_a_form(browser: Browser, cast: Cast, theirs: Objects) -> None:
    stranger = browser(cast.stranger)
    own_vm = db.session.scalars(
        select(Vm.id).join(Vm.vdc).join(Vdc.service).where(Service.account_id == cast.stranger.account_id)
    ).first()
    foreign_vdc = db.session.get_one(Vm, theirs["vm_id"]).vdc_id
    foreign_network = db.session.scalars(select(Network.id).where(Network.vdc_id == foreign_vdc)).first()
    token, before = csrf(stranger), traces()
    card = {"cards-0-network_id": str(foreign_network), "cards-0-mode": "POOL"}
    assert stranger.post(f"/vms/{own_vm}/change-network", data={"csrf_token": token, **card}).status_code == 422
    assert stranger.post("/vms/new", data={"csrf_token": token, "vdc_id": str(foreign_vdc)}).status_code == 404
    assert stranger.get("/vms/new", query_string={"vdc": str(foreign_vdc)}).status_code == 404
    assert stranger.get("/vms/new", query_string={"again": str(theirs["operation_id"])}).status_code == 404
    assert traces() == before
