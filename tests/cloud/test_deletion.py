"""Deletion: into the recycle bin, out of it, and for good; never the wrong machine, never twice."""

import uuid

import pytest
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.cloud import deletion, offers, operations, vms, wishes
from app.cloud.models import Vm
from app.cloud.operation_models import Operation
from app.cloud.rules import Action, VmState
from app.db import db, transaction
from app.errors import AppError, NotFoundError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, pass_time, vdc_of
from tests.support.machines import ask, real_vm, vm_named
from tests.support.wishes import wish
from vcdsim import Simulator
from vcdsim.faults import error

DAY_S = 24 * 3600


def vm_by_id(vm_id: uuid.UUID) -> Vm:
    """The mirrored machine as it is now, whatever it is called."""
    db.session.rollback()
    return db.session.get_one(Vm, vm_id)


def delete(cast: Cast, name: str, *, keep_h: int = 24, typed: str | None = None) -> uuid.UUID:
    return deletion.request_delete(
        cast.owner, vm_named(name).id, new_token(), typed_name=name if typed is None else typed, keep_h=keep_h
    )


def recycled(cast: Cast, cloud: Simulator, clock: Clock, name: str, *, keep_h: int = 24) -> Vm:
    """A machine that lies in the recycle bin."""
    vm_id = vm_named(name).id
    asked = delete(cast, name, keep_h=keep_h)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded", operation(asked).error_params
    return vm_by_id(vm_id)


def made_by_us(cast: Cast, cloud: Simulator, clock: Clock) -> str:
    """A machine "web-03" in a vApp "shop-3" that the panel has made; its vApp's id in the simulated vCloud."""
    vms.request_create(cast.owner, wish(), new_token())
    drain(cloud, clock)
    return real_vm(cloud, "web-03").container_id


def names(cloud: Simulator) -> set[str]:
    return {vm.name for vm in cloud.world.vms.values()}


# ---- into the bin --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["terminal", "sandbox", "grafana", "legacy-erp"])  # on, off, partly off, suspended
def test_a_deleted_machine_is_off_renamed_and_in_the_bin(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock, name: str
) -> None:
    vm = recycled(cast, cloud, clock, name)
    assert (vm.state, vm.is_deployed, vm.shown_name) == (VmState.RECYCLED, False, name)
    assert vm.name == f"{name}-deleted-{vm.urn[-8:]}"
    assert vm.guard is not None
    assert vm.guard.recycled_at is not None
    assert vm.guard.erase_at is not None
    assert (vm.guard.erase_at - vm.guard.recycled_at).total_seconds() == DAY_S
    assert (real_vm(cloud, vm.name).is_deployed, name in names(cloud)) == (False, False)


def test_neighbours_in_the_vapp_go_on(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    recycled(cast, cloud, clock, "shop-web-1")
    assert vm_named("shop-web-2").state is VmState.ON
    assert vm_named("shop-web-2").vapp.name == "shop"


def test_the_name_must_be_typed(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="name_not_typed") as refused:
        delete(cast, "sandbox", typed="Sandbox")
    assert refused.value.field == "typed_name"


def test_a_long_name_is_cut_so_that_it_fits(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    long = "a" * 63
    real_vm(cloud, "sandbox").name = long
    with transaction():
        db.session.scalars(select(Vm).where(Vm.name == "sandbox")).one().name = long
    vm = recycled(cast, cloud, clock, long)
    assert len(vm.name) == 63
    assert (vm.name.endswith(f"a-deleted-{vm.urn[-8:]}"), vm.shown_name) == (True, long)
    ask(cast, vm.name, Action.RESTORE)
    drain(cloud, clock)
    assert vm_by_id(vm.id).name == long


def test_the_name_of_a_vapp_of_ours_is_free_at_once(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vapp_id = made_by_us(cast, cloud, clock)
    recycled(cast, cloud, clock, "web-03")
    assert cloud.world.vapps[vapp_id].name.startswith("shop-3-deleted-")
    assert made_by_us(cast, cloud, clock) != vapp_id


def test_a_vapp_in_the_bin_is_not_offered_for_another_machine(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    made_by_us(cast, cloud, clock)
    before = len(offers.vapps(vdc_of("acme-vdc").id))
    recycled(cast, cloud, clock, "web-03")
    assert len(offers.vapps(vdc_of("acme-vdc").id)) == before - 1


def test_a_vapp_whose_name_leaves_no_room_keeps_it(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vapp_id, long = made_by_us(cast, cloud, clock), "v" * 128
    cloud.world.vapps[vapp_id].name = long
    assert recycled(cast, cloud, clock, "web-03").vapp.name == long


def test_a_vapp_keeps_its_name_while_another_machine_is_in_it(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vapp = cloud.world.vapps[real_vm(cloud, "shop-db").container_id]
    vapp.description = "skiff:1"
    assert recycled(cast, cloud, clock, "shop-db").vapp.name == "shop"
    for name in ("shop-web-1", "shop-web-2"):
        recycled(cast, cloud, clock, name)
    assert vapp.name.startswith("shop-deleted-")


def test_the_vapp_of_somebody_else_keeps_its_name(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    assert recycled(cast, cloud, clock, "sandbox").vapp.name == "sandbox"


def test_a_recycled_machine_holds_its_disks_and_nothing_else(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    before = offers.free_of(vdc_of("acme-vdc").id)
    vm = recycled(cast, cloud, clock, "terminal")
    after = offers.free_of(vdc_of("acme-vdc").id)
    assert before.memory_mb is not None
    assert before.cpu_count is not None
    assert (after.cpu_count, after.memory_mb) == (before.cpu_count + vm.cpu_count, before.memory_mb + vm.memory_mb)
    assert (after.disk_gb, after.vm_count) == (before.disk_gb, before.vm_count)


def test_a_machine_that_is_gone_in_vcloud_is_told_to_be_gone(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm_id, asked = vm_named("sandbox").id, delete(cast, "sandbox")
    lose(cloud, "sandbox")
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert vm_by_id(vm_id).state is VmState.GONE


def lose(cloud: Simulator, name: str) -> None:
    """Somebody deletes a machine in vCloud."""
    vm = real_vm(cloud, name)
    cloud.world.vapps[vm.container_id].vm_ids.remove(vm.id)
    del cloud.world.vms[vm.id]


def test_a_refused_renaming_is_told_and_the_machine_shown_as_it_is(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("reconfigure", error=error("BAD_REQUEST", "No."))
    asked = delete(cast, "terminal")
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "refused")
    assert vm_named("terminal").state is VmState.OFF


# ---- protection ----------------------------------------------------------------------------------------------------


def test_a_protected_machine_is_not_deleted_until_the_protection_is_off(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vm_id = vm_named("sandbox").id
    deletion.protect(cast.owner, vm_id, on=True)
    with pytest.raises(AppError, match="action_blocked") as refused:
        delete(cast, "sandbox")
    assert refused.value.params["reason"] == "protected"
    deletion.protect(cast.owner, vm_id, on=False)
    assert recycled(cast, cloud, clock, "sandbox").state is VmState.RECYCLED


def test_protection_is_written_into_the_audit_once(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    for on in (True, True, False):
        deletion.protect(cast.technician, vm_named("sandbox").id, on=on)
        clock.move(1)
    entries = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.at))
    assert [action for action in entries if action.startswith("vm.")] == ["vm.protected", "vm.unprotected"]


def test_protection_is_for_those_who_may_change_the_machine(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="not_permitted"):
        deletion.protect(cast.viewer, vm_named("sandbox").id, on=True)
    with pytest.raises(NotFoundError):
        deletion.protect(cast.stranger, vm_named("sandbox").id, on=True)


def test_protection_comes_too_late_for_a_machine_that_is_being_deleted(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vm_id = vm_named("sandbox").id
    delete(cast, "sandbox")
    with pytest.raises(AppError, match="vm_busy"):
        deletion.protect(cast.owner, vm_id, on=True)
    drain(cloud, clock)
    with pytest.raises(AppError, match="action_blocked"):
        deletion.protect(cast.owner, vm_id, on=True)


# ---- out of the bin ------------------------------------------------------------------------------------------------


def test_a_restored_machine_has_its_name_and_stays_off(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vm = recycled(cast, cloud, clock, "terminal")
    asked = ask(cast, vm.name, Action.RESTORE)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded", operation(asked).error_params
    assert (vm_by_id(vm.id).name, vm_by_id(vm.id).state, vm_by_id(vm.id).guard) == ("terminal", VmState.OFF, None)
    assert "differences" not in operation(asked).facts
    assert operation(asked).params["vm_name"] == "terminal"


def test_a_vapp_of_ours_gets_its_name_back_too(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vapp_id = made_by_us(cast, cloud, clock)
    ask(cast, recycled(cast, cloud, clock, "web-03").name, Action.RESTORE)
    drain(cloud, clock)
    assert cloud.world.vapps[vapp_id].name == vm_named("web-03").vapp.name == "shop-3"


def test_names_that_were_taken_meanwhile_get_a_number_and_it_is_told(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    made_by_us(cast, cloud, clock)
    vm = recycled(cast, cloud, clock, "web-03")
    made_by_us(cast, cloud, clock)
    ask(cast, vm.name, Action.RESTORE)
    drain(cloud, clock)
    assert (vm_by_id(vm.id).name, vm_by_id(vm.id).vapp.name) == ("web-03", "shop-3-2")

    vm = recycled(cast, cloud, clock, "shop-web-1")
    real_vm(cloud, "shop-web-2").name = "shop-web-1"
    asked = ask(cast, vm.name, Action.RESTORE)
    drain(cloud, clock)
    assert vm_by_id(vm.id).name == "shop-web-1-2"
    told = {"what": "name", "asked": "shop-web-1", "got": "shop-web-1-2"}
    assert operation(asked).facts["differences"] == [told]


def test_the_same_click_on_restore_twice_is_one_operation(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm, token = recycled(cast, cloud, clock, "sandbox"), new_token()
    first = wishes.ask(cast.owner, vm.id, Action.RESTORE, token)
    drain(cloud, clock)
    assert wishes.ask(cast.owner, vm.id, Action.RESTORE, token) == first


def test_a_machine_can_be_deleted_again_after_it_was_restored(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = recycled(cast, cloud, clock, "sandbox")
    ask(cast, vm.name, Action.RESTORE)
    drain(cloud, clock)
    pass_time(cloud, clock, DAY_S)
    recycled(cast, cloud, clock, "sandbox")
    deletion.erase_due()
    assert erasures() == 0
    pass_time(cloud, clock, DAY_S)
    deletion.erase_due()
    drain(cloud, clock)
    assert vm_by_id(vm.id).state is VmState.GONE


# ---- for good ------------------------------------------------------------------------------------------------------


def erasures() -> int:
    """How often an erasure was asked for."""
    return db.session.scalar(select(func.count(Operation.id)).where(Operation.kind == "erase")) or 0


def test_an_erased_machine_is_gone_from_vcloud_and_from_the_mirror(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vm = recycled(cast, cloud, clock, "shop-db")
    asked = ask(cast, vm.name, Action.ERASE)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded", operation(asked).error_params
    assert vm_by_id(vm.id).state is VmState.GONE
    assert vm.name not in names(cloud)
    assert {"shop-web-1", "shop-web-2"} <= names(cloud)


def test_our_vapp_goes_with_its_last_machine(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vapp_id = made_by_us(cast, cloud, clock)
    vm = recycled(cast, cloud, clock, "web-03")
    ask(cast, vm.name, Action.ERASE)
    drain(cloud, clock)
    assert vapp_id not in cloud.world.vapps
    assert vm_by_id(vm.id).vapp.gone_at == vm_by_id(vm.id).gone_at


def test_the_empty_vapp_of_somebody_else_stays(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = recycled(cast, cloud, clock, "sandbox")
    ask(cast, vm.name, Action.ERASE)
    drain(cloud, clock)
    assert [vapp.vm_ids for vapp in cloud.world.vapps.values() if vapp.name == "sandbox"] == [[]]
    assert vm_by_id(vm.id).vapp.gone_at is None


def test_our_empty_vapp_stays_while_somebody_wants_to_put_a_machine_into_it(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vapp_id = made_by_us(cast, cloud, clock)
    vm = recycled(cast, cloud, clock, "web-03")
    asked, waiting = ask(cast, vm.name, Action.ERASE), ask(cast, "sandbox", Action.START)
    with transaction():
        other = db.session.get_one(Operation, waiting)
        other.vapp_urn, other.next_at = f"urn:vcloud:vapp:{vapp_id}", clock.at.replace(year=2030)
    while operation(asked).is_active:
        operations.advance(asked)
        pass_time(cloud, clock, 10)
    assert operation(asked).state == "succeeded"
    assert vapp_id in cloud.world.vapps


def test_what_is_gone_in_vcloud_already_is_erased(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = recycled(cast, cloud, clock, "sandbox")
    lose(cloud, vm.name)
    asked = ask(cast, vm.name, Action.ERASE)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert vm_by_id(vm.id).state is VmState.GONE


def test_one_that_vcloud_forbids_to_delete_is_not_said_to_be_gone(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = recycled(cast, cloud, clock, "sandbox")
    words = "No access to entity"
    cloud.faults.add("delete", error=error("ACCESS_TO_RESOURCE_IS_FORBIDDEN", words, 403))
    asked = ask(cast, vm.name, Action.ERASE)
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "refused")
    assert vm_by_id(vm.id).state is VmState.RECYCLED


def test_one_that_was_switched_on_in_vcloud_is_erased_all_the_same(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = recycled(cast, cloud, clock, "sandbox")
    real_vm(cloud, vm.name).power, real_vm(cloud, vm.name).is_deployed = "on", True
    ask(cast, vm.name, Action.ERASE)
    drain(cloud, clock)
    assert vm_by_id(vm.id).state is VmState.GONE


def test_a_machine_that_is_not_in_the_bin_is_not_erased(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="action_blocked") as refused:
        ask(cast, "sandbox", Action.ERASE)
    assert refused.value.params["reason"] == "not_recycled"


def test_it_is_erased_when_its_time_is_over_once_and_in_the_name_of_whoever_deleted_it(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vm_id = vm_named("sandbox").id
    deletion.request_delete(cast.technician, vm_id, new_token(), typed_name="sandbox", keep_h=24)
    drain(cloud, clock)
    pass_time(cloud, clock, DAY_S - 60)
    deletion.erase_due()
    assert erasures() == 0
    pass_time(cloud, clock, 120)
    deletion.erase_due()
    deletion.erase_due()
    assert erasures() == 1
    drain(cloud, clock)
    deletion.erase_due()
    erasure = db.session.scalars(select(Operation).where(Operation.kind == "erase")).one()
    assert (erasure.state, erasure.user_id) == ("succeeded", cast.technician.user_id)
    assert vm_by_id(vm_id).state is VmState.GONE


def test_one_that_is_being_restored_is_not_erased(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = recycled(cast, cloud, clock, "sandbox")
    pass_time(cloud, clock, DAY_S)
    ask(cast, vm.name, Action.RESTORE)
    deletion.erase_due()
    drain(cloud, clock)
    deletion.erase_due()
    assert (erasures(), vm_by_id(vm.id).state) == (0, VmState.OFF)


def test_without_a_time_in_the_bin_it_is_erased_by_the_next_minute(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = recycled(cast, cloud, clock, "sandbox", keep_h=0)
    deletion.erase_due()
    drain(cloud, clock)
    assert vm_by_id(vm.id).state is VmState.GONE
