"""The drift desk: what somebody changes in vCloud is listed, all of it, and goes when it is settled."""

import uuid
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from app import vcloud
from app.cloud import drift, drift_writing, gateway, mirror, resize, sync_runs
from app.cloud.drift_models import Drift
from app.cloud.drift_rules import KEEP_SETTLED, Told, changes_of
from app.cloud.models import VApp, Vm
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.cloud.sync_models import SyncRun, VmEvent
from app.db import db, transaction
from tests.support import elsewhere
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, vdc_of
from tests.support.machines import ask, real_vm, vm_named
from tests.support.statements import statements
from vcdsim import Simulator

OFF = ("accounting", "ci-runner-2", "sandbox")
"""Machines of Acme that are off, so that everything of them can be changed."""
ORDER = ("name", "cpu_count", "memory_mb", "disks", "nics", "snapshot", "state")
"""In this order vCloud takes all of them for one machine."""


def desk() -> dict[tuple[str, str], str]:
    """The state of each entry, by name of the machine (as the panel knows it) and what."""
    db.session.rollback()
    rows = db.session.scalars(select(Drift).order_by(Drift.found_at))
    return {(row.vm.name, row.what): row.state for row in rows}


def entry(what: str) -> Drift:
    """The one entry about this."""
    db.session.rollback()
    return db.session.scalars(select(Drift).where(Drift.what == what)).one()


def values(what: str) -> tuple[Any, Any, Any]:
    """What stands in the three columns."""
    row = entry(what)
    return row.panel, row.vcloud, row.agreed


@pytest.mark.parametrize("seed", range(4))
def test_of_random_edits_in_vcloud_each_is_listed_after_one_reading_and_none_is_lost(
    cast: Cast, cloud: Simulator, clock: Clock, seed: int
) -> None:
    random, made = Random(seed), {}
    for name in OFF:
        urn = vm_named(name).urn
        for what in sorted(random.sample(ORDER, 5), key=ORDER.index):
            elsewhere.do(cloud, clock, name, elsewhere.any_edit(random, what))
            made[urn, what] = "noted" if what == "state" else "open"
    elsewhere.read(clock)
    listed = {(row.vm.urn, row.what): row.state for row in db.session.scalars(select(Drift))}
    assert listed == made


def test_the_first_reading_finds_nothing_to_settle(cast: Cast, cloud: Simulator) -> None:
    assert db.session.scalars(select(Vm)).first() is not None
    assert desk() == {}


def test_both_sides_and_what_they_had_stand_beside_each_other(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.read(clock)
    assert values("cpu_count") == (1, 3, 1)
    assert (entry("cpu_count").found_at, entry("cpu_count").run_id is None) == (clock.at, False)


def test_another_edit_of_the_same_thing_moves_the_entry_and_keeps_what_was_agreed(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.read(clock)
    found_at = entry("cpu_count").found_at
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=5))
    elsewhere.read(clock)
    assert values("cpu_count") == (1, 5, 1)
    assert (entry("cpu_count").found_at, entry("cpu_count").last_seen_at) == (found_at, clock.at)


def test_what_is_taken_back_in_vcloud_settles_itself(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    for cpu_count in (3, 1):
        elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=cpu_count))
        elsewhere.read(clock)
    assert desk() == {("sandbox", "cpu_count"): "settled"}


def test_what_is_ignored_is_open_again_when_it_moves(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.read(clock)
    with transaction():
        db.session.execute(update(Drift).values(state="ignored", ignored_until=clock.at + timedelta(days=7)))
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=5))
    elsewhere.read(clock)
    assert (entry("cpu_count").state, entry("cpu_count").ignored_until) == ("open", None)


def test_what_the_panel_does_is_no_drift(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    ask(cast, "sandbox", Action.RESIZE, cpu_count=2, memory_mb=2048, restart=False)
    ask(cast, "accounting", Action.START)
    drain(cloud, clock)
    elsewhere.read(clock)
    assert vm_named("sandbox").cpu_count == 2
    assert desk() == {}


def test_a_later_change_by_the_panel_settles_the_entry(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.read(clock)
    resize.request_resize(cast.owner, vm_named("sandbox").id, new_token(), cpu_count=3, memory_mb=2048, restart=False)
    drain(cloud, clock)
    assert desk() == {("sandbox", "cpu_count"): "settled"}, "three processors were asked for together with the memory"


def test_an_edit_while_the_panel_changes_something_else_is_told_apart(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.rename("other"))
    ask(cast, "sandbox", Action.RESIZE, cpu_count=2, memory_mb=2048, restart=False)
    drain(cloud, clock)
    assert desk() == {("other", "name"): "open"}
    assert vm_named("other").cpu_count == 2


def test_what_the_panel_asked_and_did_not_get_stands_in_its_column(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done = ask(cast, "sandbox", Action.RESIZE, cpu_count=4, memory_mb=1024, restart=False)
    drain(cloud, clock)
    with transaction():  # as if vCloud had given two
        other = {"differences": [{"what": "cpu_count", "asked": 4, "got": 2}]}
        db.session.execute(update(Operation).where(Operation.id == done).values(facts=other))
        db.session.execute(update(Vm).where(Vm.name == "sandbox").values(cpu_count=2))
    real_vm(cloud, "sandbox").cpu_count = 2
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.read(clock)
    assert values("cpu_count") == (4, 3, 2)
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=4))
    elsewhere.read(clock)
    assert entry("cpu_count").state == "settled"


def test_a_machine_deleted_in_vcloud_is_listed_as_gone(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.delete())
    elsewhere.read(clock)
    assert values("existence") == (True, False, True)


def test_a_machine_made_in_vcloud_is_listed(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vdc = vdc_of("acme-vdc")
    service_id, vdc_urn = vdc.service_id, vdc.urn
    db.session.rollback()
    with gateway.client(service_id) as client:
        template = next(t for r in client.template_records() if (t := client.template(r)) and t.name == "debian-12")
        client.instantiate(vdc_urn, vcloud.NewVApp(name="shadow", description="", template_urn=template.id))
    for _ in range(20):
        cloud.advance(60)
    elsewhere.read(clock)
    made = db.session.scalars(select(Vm).join(VApp).where(VApp.name == "shadow")).all()
    assert [(row.vm_id, row.panel, row.vcloud) for row in db.session.scalars(select(Drift))] == [
        (vm.id, False, True) for vm in made
    ]
    assert made


def test_a_machine_that_comes_back_settles_its_entry() -> None:
    assert changes_of("returned", []) == [{"what": "existence", "before": False, "after": True}]


def test_a_reading_without_changes_asks_nothing_about_drift(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.read(clock)
    elsewhere.read(clock)
    with statements() as sent:
        elsewhere.read(clock)
    assert not [statement for statement in sent if "drifts" in statement]


def test_thousands_of_changes_cost_as_many_statements_as_one(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    """Told of twice, so that entries are made and then moved."""
    ids = _machines(2500, clock)
    for cpu_count in (2, 3):
        told = [
            Told(
                vm_id=vm_id,
                at=clock.at,
                changes=[{"what": "cpu_count", "before": cpu_count - 1, "after": cpu_count}],
                operation_id=None,
                own=frozenset(),
            )
            for vm_id in ids
        ]
        with statements() as sent, transaction():
            drift_writing.write(vdc_of("acme-vdc").id, told, None)
        assert len(sent) <= 5, sent
    assert set(desk().values()) == {"open"}
    assert {row.vcloud for row in db.session.scalars(select(Drift))} == {3}


def test_documents_of_many_changed_machines_cost_as_many_statements_as_that_of_one(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vdc_id, run_id = vdc_of("acme-vdc").id, db.session.scalars(select(SyncRun.id)).first()
    with gateway.client(vdc_of("acme-vdc").service_id) as client:
        urns = list(db.session.scalars(select(VApp.urn).where(VApp.vdc_id == vdc_id).order_by(VApp.name)))
        read = list(client.whole_vapps(urns))
    sent = list[list[str]]()
    for some, cpu_count in ((read[:1], 11), (read, 12)):
        clock.move(1)
        changed = [replace(vapp, vms=tuple(replace(vm, cpu_count=cpu_count) for vm in vapp.vms)) for vapp in some]
        with statements() as seen, transaction():
            mirror.apply_vapps(vdc_id, [mirror.Document(vapp=vapp, at=clock.at) for vapp in changed], run_id=run_id)
        sent.append(seen)
    assert len(sent[1]) <= len(sent[0]) + 5, sent[1]  # updates of several columns, of what the first one has written
    told = select(func.count(VmEvent.id)).join(VmEvent.vm).where(Vm.vdc_id == vdc_id, VmEvent.run_id == run_id)
    assert db.session.scalar(told) == sum(len(vapp.vms) for vapp in read) > 3


def _machines(count: int, clock: Clock) -> list[uuid.UUID]:
    """So many machines more, in the mirror alone."""
    vm = vm_named("sandbox")
    plain = {"status": 8, "is_deployed": False, "cpu_count": 1, "memory_mb": 512, "guest_os": "", "disks": []}
    plain |= {"disk_mb": 0, "nics": [], "first_seen_at": clock.at, "seen_at": clock.at, "name": "x"}
    plain |= {"vdc_id": vm.vdc_id, "vapp_id": vm.vapp_id}
    rows = [{"id": uuid.uuid4(), "urn": f"urn:vcloud:vm:{number}", **plain} for number in range(count)]
    with transaction():
        db.session.execute(insert(Vm), rows)
    return list(db.session.scalars(select(Vm.id).where(Vm.name == "x")))


def test_old_runs_are_forgotten_and_their_entries_stay(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.read(clock)
    clock.move(8 * 24 * 3600)
    elsewhere.read(clock)
    sync_runs.forget_old()
    assert (entry("cpu_count").state, entry("cpu_count").run_id) == ("open", None)
    assert db.session.scalars(select(VmEvent.id)).first() is not None


def test_what_was_settled_long_ago_is_forgotten_and_what_is_open_stays(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3, memory_mb=3072))
    elsewhere.read(clock)
    drift.accept(cast.owner, entry("cpu_count").id, entry("cpu_count").seen_key)
    clock.move(KEEP_SETTLED.total_seconds())
    drift.forget_settled()
    assert desk() == {("sandbox", "cpu_count"): "accepted", ("sandbox", "memory_mb"): "open"}
    clock.move(1)
    drift.forget_settled()
    assert desk() == {("sandbox", "memory_mb"): "open"}


def test_what_was_decided_lately_stays_however_long_ago_it_moved(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.read(clock)
    clock.move(KEEP_SETTLED.total_seconds() + 1)
    drift.accept(cast.owner, entry("cpu_count").id, entry("cpu_count").seen_key)
    drift.forget_settled()
    assert desk() == {("sandbox", "cpu_count"): "accepted"}
