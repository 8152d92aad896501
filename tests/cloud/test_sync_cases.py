"""What somebody does in vCloud behind the panel's back, case by case."""

import pytest
from sqlalchemy import select

from app.cloud.models import Vm
from app.cloud.rules import Action, VmState
from app.cloud.sync_models import VmEvent
from app.db import db
from tests.support import elsewhere
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import drain, operation
from tests.support.machines import ask, real_vm, vm_named
from vcdsim import Simulator

pytestmark = pytest.mark.one_database


def kinds(name: str) -> list[str]:
    """What happened to a machine, in order."""
    return list(db.session.scalars(select(VmEvent.kind).where(VmEvent.vm_id == vm_named(name).id).order_by(VmEvent.at)))


def test_a_machine_deleted_in_vcloud_before_its_resize_fails_it_with_a_reason(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    asked = ask(cast, "sandbox", Action.RESIZE, cpu_count=2, memory_mb=2048, restart=False)
    elsewhere.do(cloud, clock, "sandbox", elsewhere.delete())
    drain(cloud, clock)
    row = operation(asked)
    assert (row.state, bool(row.error_code)) == ("failed", True)
    elsewhere.read(clock)
    assert vm_named("sandbox").state == VmState.GONE


def test_a_machine_that_comes_back_is_the_same_row(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    real, before = real_vm(cloud, "sandbox"), vm_named("sandbox").id
    vapp = next(vapp for vapp in cloud.world.vapps.values() if real.id in vapp.vm_ids)
    del cloud.world.vms[real.id]
    vapp.vm_ids.remove(real.id)
    elsewhere.read(clock)
    assert vm_named("sandbox").state == VmState.GONE
    cloud.world.vms[real.id] = real
    vapp.vm_ids.append(real.id)
    elsewhere.read(clock)
    assert (vm_named("sandbox").id, vm_named("sandbox").gone_at) == (before, None)
    assert kinds("sandbox") == ["gone", "returned"]


def test_two_machines_of_one_name_stay_two(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    first, second = vm_named("sandbox").id, vm_named("accounting").id
    elsewhere.do(cloud, clock, "accounting", elsewhere.rename("sandbox"))
    elsewhere.read(clock)
    assert set(db.session.scalars(select(Vm.id).where(Vm.name == "sandbox"))) == {first, second}
