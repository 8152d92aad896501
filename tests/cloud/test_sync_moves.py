"""Machines that come, move and change their names in vCloud: which row they are, and what the timeline says of it."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.cloud import naming
from app.cloud.models import Vm
from app.cloud.rules import Action, VmState
from app.cloud.sync_models import VmEvent
from app.db import db
from tests.support import elsewhere, hands, straight
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, vdc_of
from tests.support.machines import ask, real_vm, vm_named
from tests.support.walk import Stage
from vcdsim import Simulator

pytestmark = pytest.mark.one_database


def by_hand(cloud: Simulator, clock: Clock, name: str, what: str, number: int = 0) -> None:
    """An edit in vCloud, and half an hour later a reading."""
    hands.edit(cloud.world, real_vm(cloud, name), what, number)
    cloud.advance(1800)
    elsewhere.read(clock)


def events(name: str) -> list[tuple[str, list[Any], object, object]]:
    """What the timeline has: kind, changes, operation, moment."""
    told = select(VmEvent).where(VmEvent.vm_id == vm_named(name).id).order_by(VmEvent.id)
    return [(one.kind, one.changes, one.operation_id, one.at) for one in db.session.scalars(told)]


def test_a_machine_made_in_vcloud_appears_with_its_time_and_is_nobodys_operation(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    by_hand(cloud, clock, "sandbox", "add_machine", 7)
    assert events("theirs-7") == [("appeared", [], None, clock.at)]
    assert (vm_named("theirs-7").first_seen_at, vm_named("theirs-7").vapp.name) == (clock.at, "sandbox")


def test_a_machine_moved_to_another_vapp_keeps_its_row(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    before = vm_named("sandbox").id
    by_hand(cloud, clock, "sandbox", "move_to_vapp", 2)
    vm = vm_named("sandbox")
    assert (vm.id, vm.gone_at) == (before, None)
    [(kind, changes, operation_id, at)] = events("sandbox")
    assert (kind, operation_id, at) == ("changed", None, clock.at)
    assert {"what": "vapp", "before": "sandbox", "after": vm.vapp.name} in changes
    assert vm.vapp.name != "sandbox"


def test_a_machine_renamed_in_vcloud_keeps_its_row_and_frees_its_old_name(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    before = vm_named("ci-runner-2").id
    by_hand(cloud, clock, "ci-runner-2", "rename", 9)
    assert vm_named("theirs-9").id == before
    renamed = {"what": "name", "before": "ci-runner-2", "after": "theirs-9"}
    assert events("theirs-9") == [("changed", [renamed], None, clock.at)]
    asked = naming.request_rename(cast.owner, vm_named("ci-runner-1").id, new_token(), name="ci-runner-2")
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"


def test_a_machine_moved_to_another_data_center_is_gone_from_the_first_and_there_once(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    stage = Stage(app, cast, cloud, clock)
    with straight.instead_of_sockets(stage.send):
        hands.edit(cloud.world, real_vm(cloud, "sandbox"), "move_to_vdc", 0)
        stage.pass_time(1800)
        stage.read()
        rows = {vm.vdc.name: vm for vm in db.session.scalars(select(Vm).where(Vm.name == "sandbox"))}
        assert (rows["acme-vdc"].state, rows["acme-dr"].state) == (VmState.GONE, VmState.OFF)
        told = select(VmEvent.changes).where(VmEvent.vm_id == rows["acme-vdc"].id, VmEvent.kind == "gone")
        assert db.session.scalar(told) == [
            {"what": "vdc", "before": rows["acme-vdc"].vdc.urn, "after": rows["acme-dr"].vdc.urn}
        ]


def test_a_listing_from_before_a_task_does_not_overwrite_what_its_operation_has_read_since(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    stage = Stage(app, cast, cloud, clock)
    with straight.instead_of_sockets(stage.send):
        asked = ask(cast, "sandbox", Action.START)
        service_id = vdc_of("acme-vdc").service_id
        db.session.rollback()
        with stage.interrupted(3, stage.drain):  # the machines are listed, and not yet written
            stage.read_one(service_id)
        assert operation(asked).state == "succeeded"
        assert vm_named("sandbox").state == VmState.ON
        # A document read later would hide it: neither is it told to have been off again in between.
        assert [(kind, who) for kind, _, who, _ in events("sandbox")] == [("changed", asked)]
