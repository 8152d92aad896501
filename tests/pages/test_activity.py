"""Activity and overview tell what was done in vCloud beside what was asked here, of one's own servers only."""

import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from app.cloud.models import Service, Vdc, Vm
from app.cloud.rules import Action
from app.cloud.sync_models import VmEvent
from app.db import db, transaction
from tests.pages.conftest import vm_id
from tests.support import elsewhere
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import drain
from tests.support.machines import ask
from tests.support.page import open_page
from tests.support.statements import statements
from vcdsim import Simulator

LINES = ".sk-time li:not(.sk-time-day) > span"


def told(vm_name: str, clock: Clock, *, count: int = 1, operation_id: uuid.UUID | None = None) -> None:
    """Have so many things happen to a machine in vCloud, a second apart."""
    with transaction():
        vm = db.session.get_one(Vm, vm_id(vm_name))
        account_id = db.session.get_one(Service, vm.vdc.service_id).account_id
        for _ in range(count):
            changes = [{"what": "memory_mb", "before": 1024, "after": 2048}]
            event = VmEvent(vm_id=vm.id, account_id=account_id, at=clock.at, kind="changed", changes=changes)
            event.operation_id = operation_id
            db.session.add(event)
            clock.move(1)


@pytest.mark.parametrize("path", ["/operations", "/"])
def test_what_was_done_in_vcloud_stands_between_what_was_asked_here(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock, path: str
) -> None:
    with transaction():
        db.session.execute(delete(VmEvent))
    ask(cast, "accounting", Action.START)
    drain(cloud, clock)
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(memory_mb=4096))
    elsewhere.read(clock)
    ask(cast, "accounting", Action.SHUT_DOWN)
    drain(cloud, clock)
    lines = open_page(owner, path).texts(LINES)
    assert [lines[0][:17], lines[2][:16]] == ["accounting is off", "accounting is on"]
    assert lines[1].startswith("Changed in vCloud: memory ")
    assert lines[1].endswith("→ 4 GBsandbox")
    assert len(lines) == 3


def test_neither_what_happens_to_others_nor_what_operations_explain_is_told_again(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    with transaction():
        db.session.execute(delete(VmEvent))
    operation_id = ask(cast, "accounting", Action.START)
    drain(cloud, clock)
    told("accounting", clock, operation_id=operation_id)
    other = db.session.scalars(select(Vm.name).join(Vm.vdc).where(Vdc.name != "acme-vdc").limit(1)).one()
    told(other, clock)
    assert len(open_page(owner, "/operations").texts(LINES)) == 1
    assert len(open_page(owner, "/").texts(LINES)) == 1


def test_pages_of_both_together_hold_each_once_and_cost_the_same(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    with transaction():
        db.session.execute(delete(VmEvent))
    told("sandbox", clock, count=3)
    ask(cast, "accounting", Action.START)
    drain(cloud, clock)
    with statements() as few:
        assert len(open_page(owner, "/operations").texts(LINES)) == 4
    told("sandbox", clock, count=60)
    open_page(owner, "/operations")  # notes once that the person is there
    with statements() as many:
        assert len(open_page(owner, "/operations").texts(LINES)) == 50
    assert len(many) <= len(few)
    assert len(open_page(owner, "/operations?page=2").texts(LINES)) == 14
    assert len(open_page(owner, "/").texts(LINES)) == 8
