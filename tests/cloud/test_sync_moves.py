"""Machines that come, move and change their names in vCloud: which row they are, and what the timeline says of it."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.accounts.models import Account
from app.cloud import deletion, gateway, mirror, naming
from app.cloud.drift_models import Drift
from app.cloud.drift_rules import DriftState
from app.cloud.models import Service, VApp, Vdc, Vm
from app.cloud.rules import Action, VmState
from app.cloud.sync_models import VmEvent
from app.db import db, transaction
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


def test_an_older_document_of_the_vapp_that_a_machine_has_left_does_not_take_it_back(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    left, vdc = vm_named("sandbox").vapp, vdc_of("acme-vdc")
    vdc_id, service_id, urn, left_id = vdc.id, vdc.service_id, left.urn, left.id
    db.session.rollback()
    with gateway.client(service_id) as client:
        old = client.vapp(urn)
    by_hand(cloud, clock, "sandbox", "move_to_vapp", 2)
    with transaction():
        db.session.get_one(VApp, left_id).seen_at = clock.at - timedelta(hours=1)  # the move was seen over there
        mirror.apply_vapp(vdc_id, old, clock.at - timedelta(minutes=10))
    assert vm_named("sandbox").vapp_id != left_id


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


def move_away(stage: Stage, cloud: Simulator) -> tuple[Vm, Vm]:
    """The machine as it was, and what its data centers have of it after its vApp was moved from acme-vdc to acme-dr."""
    before = vm_named("sandbox")
    db.session.expunge_all()
    hands.edit(cloud.world, real_vm(cloud, "sandbox"), "move_to_vdc", 0)
    stage.pass_time(1800)
    stage.read()
    [after] = db.session.scalars(select(Vm).where(Vm.urn == before.urn, Vm.gone_at.is_(None)))
    return before, after


def test_a_machine_moved_to_another_data_center_of_its_account_keeps_its_row_its_protection_and_its_history(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    stage = Stage(app, cast, cloud, clock)
    with straight.instead_of_sockets(stage.send):
        deletion.protect(cast.owner, vm_named("sandbox").id, on=True)
        before, after = move_away(stage, cloud)
        assert (after.id, after.vdc.name, after.vapp.name) == (before.id, "acme-dr", "sandbox")
        assert after.guard is not None
        assert after.guard.is_protected
        [(kind, [moved, *_], who, _)] = events("sandbox")
        assert (kind, who) == ("changed", None)
        assert moved == {"what": "vdc", "before": vdc_of("acme-vdc").urn, "after": after.vdc.urn, "name": "acme-dr"}
        [drift] = db.session.scalars(select(Drift).where(Drift.vm_id == after.id, Drift.what == "vdc"))
        assert (drift.vdc_id, drift.state) == (after.vdc_id, DriftState.OPEN)


def test_a_machine_that_was_moved_and_changed_between_two_readings_has_one_line_of_both(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    stage = Stage(app, cast, cloud, clock)
    with straight.instead_of_sockets(stage.send):
        hands.edit(cloud.world, real_vm(cloud, "sandbox"), "memory", 3)
        stage.pass_time(60)
        _, after = move_away(stage, cloud)
        assert (after.vdc.name, after.memory_mb) == ("acme-dr", 2048)
        [(kind, changes, who, _)] = events("sandbox")
        assert (kind, [change["what"] for change in changes][:2], who) == ("changed", ["vdc", "memory_mb"], None)
        drifts = set(db.session.scalars(select(Drift.what).where(Drift.vm_id == after.id)))
        assert {"vdc", "memory_mb"} <= drifts


def test_a_machine_moved_there_and_back_is_the_same_and_nothing_is_left_to_decide(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    stage = Stage(app, cast, cloud, clock)
    with straight.instead_of_sockets(stage.send):
        move_away(stage, cloud)
        before, after = move_away(stage, cloud)
        assert (after.id, after.vdc.name) == (before.id, "acme-vdc")
        entries = db.session.scalars(select(Drift.state).where(Drift.vm_id == after.id, Drift.what == "vdc"))
        assert list(entries) == [DriftState.SETTLED]


def test_what_the_panel_does_to_a_machine_that_was_moved_meanwhile_is_its_own_doing(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    stage = Stage(app, cast, cloud, clock)
    with straight.instead_of_sockets(stage.send):
        asked = ask(cast, "sandbox", Action.START)
        hands.edit(cloud.world, real_vm(cloud, "sandbox"), "move_to_vdc", 0)
        stage.drain()
        assert operation(asked).state == "succeeded"
        assert (vm_named("sandbox").vdc.name, vm_named("sandbox").state) == ("acme-dr", VmState.ON)
        stage.read()
        drifts = set(db.session.scalars(select(Drift.what).where(Drift.vm_id == vm_named("sandbox").id)))
        assert "vdc" in drifts
        assert "state" not in drifts


def test_a_listing_from_before_a_move_does_not_take_the_machine_back(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    stage = Stage(app, cast, cloud, clock)
    with straight.instead_of_sockets(stage.send):
        hands.edit(cloud.world, real_vm(cloud, "sandbox"), "move_to_vdc", 0)
        stage.pass_time(1800)
        stage.read()
        here, there = vdc_of("acme-vdc").service_id, vdc_of("acme-dr").service_id
        db.session.rollback()

        def go_back_and_be_seen() -> None:
            hands.edit(cloud.world, real_vm(cloud, "sandbox"), "move_to_vdc", 0)
            stage.pass_time(5)
            stage.read_one(here)

        hands.edit(cloud.world, real_vm(cloud, "sandbox"), "rename_vapp", 1)
        stage.pass_time(60)
        with stage.line.interrupted(3, go_back_and_be_seen):
            stage.read_one(there)
        assert vm_named("sandbox").vdc.name == "acme-vdc"
        assert vm_named("sandbox").gone_at is None


def test_a_document_of_a_vapp_that_is_in_another_data_center_by_now_changes_nothing(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    stage = Stage(app, cast, cloud, clock)
    with straight.instead_of_sockets(stage.send):
        _, after = move_away(stage, cloud)
        left = vdc_of("acme-vdc")
        vdc_id, vapp_urn, before = left.id, after.vapp.urn, after.seen_at
        with gateway.client(left.service_id) as client:
            vapp = client.vapp(vapp_urn)
        with transaction():
            mirror.apply_vapps(vdc_id, [mirror.Document(vapp=vapp, at=before + timedelta(minutes=1))])
        assert (vm_named("sandbox").vdc.name, vm_named("sandbox").seen_at) == ("acme-dr", before)


def test_nothing_goes_along_with_a_machine_that_was_moved_to_a_data_center_of_another_account(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    stage = Stage(app, cast, cloud, clock)
    with straight.instead_of_sockets(stage.send):
        with transaction():
            stranger = db.session.scalars(select(Account.id).where(Account.id != cast.owner.account_id)).first()
            theirs = select(Vdc.service_id).where(Vdc.name == "acme-dr").scalar_subquery()
            db.session.execute(update(Service).where(Service.id == theirs).values(account_id=stranger))
        before, after = move_away(stage, cloud)
        assert (after.vdc.name, after.first_seen_at == before.first_seen_at) == ("acme-dr", False)
        assert db.session.get_one(Vm, before.id).state == VmState.GONE
        told = select(VmEvent.changes).where(VmEvent.vm_id == before.id, VmEvent.kind == "gone")
        assert db.session.scalar(told) == [
            {"what": "vdc", "before": vdc_of("acme-vdc").urn, "after": after.vdc.urn},
        ]


def test_a_listing_from_before_a_task_does_not_overwrite_what_its_operation_has_read_since(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    stage = Stage(app, cast, cloud, clock)
    with straight.instead_of_sockets(stage.send):
        asked = ask(cast, "sandbox", Action.START)
        service_id = vdc_of("acme-vdc").service_id
        db.session.rollback()
        with stage.line.interrupted(3, stage.drain):  # the machines are listed, and not yet written
            stage.read_one(service_id)
        assert operation(asked).state == "succeeded"
        assert vm_named("sandbox").state == VmState.ON
        # A document read later would hide it: neither is it told to have been off again in between.
        assert [(kind, who) for kind, _, who, _ in events("sandbox")] == [("changed", asked)]
