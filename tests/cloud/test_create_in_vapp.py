"""Adding a server to a vApp that exists: exactly one, as asked, and nothing else in the vApp is touched."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.cloud import offers, operations, vms, wishes
from app.cloud.models import VApp
from app.cloud.operation_models import Operation
from app.cloud.rules import Action, Blocked, VmState
from app.db import db, transaction
from app.errors import AppError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, drain_late, operation, pass_time, vdc_of
from tests.support.machines import accepted, real_vm, vm_named
from tests.support.wishes import wish
from vcdsim import Simulator, entities
from vcdsim.faults import error

COMMANDS = ("updateNetworks", "recompose", "reconfigure", "deploy")


def vapp_named(name: str) -> VApp:
    db.session.rollback()
    return db.session.scalars(select(VApp).where(VApp.name == name)).one()


def real_vapp(cloud: Simulator, name: str) -> entities.VApp:
    return next(vapp for vapp in cloud.world.vapps.values() if vapp.name == name)


def names_in(cloud: Simulator, vapp: str) -> list[str]:
    return sorted(cloud.world.vms[vm_id].name for vm_id in real_vapp(cloud, vapp).vm_ids)


def in_vapp(name: str, **changes: Any) -> vms.VmSpec:
    return wish(vapp_id=vapp_named(name).id, vapp_name="", **changes)


def add(cast: Cast, cloud: Simulator, clock: Clock, vapp: str = "shop", **changes: Any) -> Operation:
    """Ask for a server in a vApp and let everything come to rest."""
    operation_id = vms.request_create(cast.owner, in_vapp(vapp, **changes), new_token())
    drain(cloud, clock)
    return operation(operation_id)


@pytest.mark.usefixtures("generation")
def test_the_server_runs_in_the_vapp_with_what_was_asked(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    done = add(cast, cloud, clock)
    assert done.state == "succeeded", (done.step, done.error_code, done.error_params)
    vm = done.vm
    assert vm is not None
    assert (vm.name, vm.vapp.name, vm.state) == ("web-03", "shop", VmState.ON)
    assert (vm.cpu_count, vm.memory_mb, vm.disk_gb) == (2, 2048, 20)
    assert "Debian" in vm.guest_os
    assert vm.inner_ip is not None
    real = real_vm(cloud, "web-03")
    assert (real.power, real.customization.computer_name) == ("on", "web-03")
    assert real.customization.admin_password == done.password


@pytest.mark.usefixtures("generation")
def test_a_vapp_without_that_network_gets_one_with_inner_and_outer_addresses(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    done = add(cast, cloud, clock, vapp="intranet")
    assert done.state == "succeeded", (done.step, done.error_code, done.error_params)
    vm = done.vm
    assert vm is not None
    assert (vm.inner_ip or "").startswith("192.168.100.")
    assert (vm.outer_ip or "").startswith("203.0.113.")
    assert [network.name for network in real_vapp(cloud, "intranet").networks] == ["acme-internal", "acme-net-inner"]


def test_a_network_that_leads_there_already_is_used(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    before = [network.name for network in real_vapp(cloud, "shop").networks]
    done = add(cast, cloud, clock)
    assert done.state == "succeeded"
    assert [network.name for network in real_vapp(cloud, "shop").networks] == before
    assert accepted(cloud, "vdcUpdateVappNetworkSection") == 0


def test_two_servers_at_once_share_the_network_that_is_added(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    for name in ("web-03", "web-04"):
        vms.request_create(cast.owner, in_vapp("intranet", vm_name=name), new_token())
    drain(cloud, clock)
    assert {one.state for one in db.session.scalars(select(Operation))} == {"succeeded"}
    assert names_in(cloud, "intranet") == ["mail", "web-03", "web-04", "wiki"]
    assert accepted(cloud, "vdcUpdateVappNetworkSection") == 1


def test_a_server_without_a_network_changes_no_networks(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = add(cast, cloud, clock, network=None).vm
    assert vm is not None
    assert (vm.inner_ip, vm.outer_ip) == (None, None)
    assert accepted(cloud, "vdcUpdateVappNetworkSection") == 0


@pytest.mark.usefixtures("generation")
@pytest.mark.parametrize("vapp", ["intranet", "sandbox", "legacy"])
def test_neighbours_stay_as_they_are(generation: str, cast: Cast, cloud: Simulator, clock: Clock, vapp: str) -> None:
    def neighbours() -> list[tuple[str, str, bool, int]]:
        found = [cloud.world.vms[vm_id] for vm_id in real_vapp(cloud, vapp).vm_ids]
        return [(vm.name, vm.power, vm.is_deployed, vm.memory_mb) for vm in found if vm.name != "web-03"]

    before = neighbours()
    assert add(cast, cloud, clock, vapp=vapp).state == "succeeded"
    assert neighbours() == before


def test_nothing_can_be_asked_of_a_half_made_server(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = vms.request_create(cast.owner, in_vapp("shop"), new_token())
    while operation(operation_id).step not in {"shape", "customise"}:
        operations.advance(operation_id)
        pass_time(cloud, clock, 10)
    half_made = vm_named("web-03")
    assert half_made.state is VmState.OFF
    with pytest.raises(AppError, match="action_blocked") as refused:
        wishes.ask(cast.owner, half_made.id, Action.START, new_token())
    assert refused.value.params["reason"] == Blocked.BUSY
    drain(cloud, clock)
    assert vm_named("web-03").state is VmState.ON


# ---- What is refused -----------------------------------------------------------------------------------------------


def test_only_vapps_that_are_ready_are_offered(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vms.request_create(cast.owner, wish(vapp_name="monitoring-2"), new_token())
    with transaction():
        of_acme = db.session.scalars(select(VApp).where(VApp.vdc_id == vdc_of("acme-vdc").id))
        found = {vapp.name: vapp for vapp in of_acme}
        found["build"].gone_at = clock.at
        found["legacy"].status = 0
        found["office"].status = -1
        found["sandbox"].name = "monitoring-2"  # what a refresh finds while the creation is at work
    offered = [vapp.name for vapp in offers.vapps(vdc_of("acme-vdc").id)]
    assert offered == ["accounting", "intranet", "monitoring", "shop"]


def test_a_vapp_that_is_not_offered_is_refused(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    spec = in_vapp("legacy")
    with transaction():
        vapp_named("legacy").gone_at = clock.at
    with pytest.raises(AppError, match="vapp_gone") as refused:
        vms.request_create(cast.owner, spec, new_token())
    assert refused.value.field == "vapp_id"


def test_somebody_elses_vapp_is_refused(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="vapp_gone"):
        vms.request_create(cast.owner, in_vapp("portal"), new_token())


def test_a_name_that_the_vapp_has_already_is_refused_at_its_field(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="vm_name_taken") as refused:
        vms.request_create(cast.owner, in_vapp("shop", vm_name="shop-db"), new_token())
    assert refused.value.field == "vm_name"


def test_the_same_name_in_another_vapp_is_free(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    assert add(cast, cloud, clock, vm_name="wiki").state == "succeeded"


def test_two_forms_for_one_name_make_one_server(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vms.request_create(cast.owner, in_vapp("shop"), new_token())
    with pytest.raises(AppError, match="vm_name_taken"):
        vms.request_create(cast.technician, in_vapp("shop"), new_token())


def test_a_template_of_several_goes_into_a_new_vapp_only(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="template_of_many_in_vapp") as refused:
        vms.request_create(cast.owner, in_vapp("shop", template="lamp", size=None), new_token())
    assert refused.value.field == "vapp_id"


def test_what_is_being_added_counts_as_taken_once(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vdc_id = vdc_of("acme-vdc").id
    before = offers.free_of(vdc_id)
    operation_id = vms.request_create(cast.owner, in_vapp("shop"), new_token())
    during = offers.free_of(vdc_id)
    drain(cloud, clock)
    assert operation(operation_id).state == "succeeded"
    after = offers.free_of(vdc_id)
    assert during == after
    assert before.memory_mb is not None
    assert after.memory_mb == before.memory_mb - 2048


# ---- What may happen on the way ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("generation")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_whose_answer_is_lost_has_one_effect(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock, command: str
) -> None:
    cloud.faults.add(command, drop_answer=True)
    done = add(cast, cloud, clock, vapp="intranet")
    assert done.state == "succeeded", (done.step, done.error_code, done.error_params)
    assert names_in(cloud, "intranet") == ["mail", "web-03", "wiki"]
    assert accepted(cloud, "vdcRecomposeVapp") == 1
    assert accepted(cloud, "vdcUpdateVappNetworkSection") == 1


@pytest.mark.usefixtures("generation")
@pytest.mark.parametrize("command", [*COMMANDS, "vapp", "vm", "task"])
def test_a_command_that_does_not_arrive_is_sent_again(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock, command: str
) -> None:
    cloud.faults.add(command, drop_request=True, times=3)
    done = add(cast, cloud, clock, vapp="intranet")
    assert done.state == "succeeded", (done.step, done.error_code, done.error_params)
    assert names_in(cloud, "intranet") == ["mail", "web-03", "wiki"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_busy_vapp_is_waited_for(cast: Cast, cloud: Simulator, clock: Clock, command: str) -> None:
    cloud.faults.add(command, times=2, error=error("BUSY_ENTITY", "The entity is busy completing an operation."))
    assert add(cast, cloud, clock, vapp="intranet").state == "succeeded"
    assert names_in(cloud, "intranet") == ["mail", "web-03", "wiki"]


@pytest.mark.usefixtures("generation")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_task_that_fails_leaves_the_vapp_with_its_own_servers(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock, command: str
) -> None:
    words = "The requested operation will exceed the VDC's storage quota."
    cloud.faults.add(command, task_error=error("VDC_STORAGE_QUOTA", words))
    failed = add(cast, cloud, clock, vapp="intranet")
    assert (failed.state, failed.error_code) == ("failed", "task_failed")
    assert words in failed.error_params["message"]
    assert names_in(cloud, "intranet") == ["mail", "wiki"]
    assert real_vm(cloud, "wiki").power == "on"
    assert (failed.password_sealed, failed.vm_id) == (None, None)
    assert {vm.name for vm in vapp_named("intranet").vms if vm.gone_at is None} == {"mail", "wiki"}


@pytest.mark.usefixtures("generation")
def test_a_name_taken_in_vcloud_meanwhile_fails_and_spares_the_other_server(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    operation_id = vms.request_create(cast.owner, in_vapp("intranet"), new_token())
    real_vm(cloud, "mail").name = "web-03"
    drain(cloud, clock)
    failed = operation(operation_id)
    assert (failed.state, failed.error_code) == ("failed", "vm_name_taken")
    assert names_in(cloud, "intranet") == ["web-03", "wiki"]


def test_a_vapp_deleted_in_vcloud_meanwhile_is_explained(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = vms.request_create(cast.owner, in_vapp("sandbox"), new_token())
    vapp = real_vapp(cloud, "sandbox")
    for vm_id in vapp.vm_ids:
        del cloud.world.vms[vm_id]
    del cloud.world.vapps[vapp.id]
    cloud.world.vdcs[vapp.vdc_id].vapp_ids.remove(vapp.id)
    drain(cloud, clock)
    failed = operation(operation_id)
    assert (failed.state, failed.error_code) == ("failed", "vapp_gone")


def test_the_same_form_sent_twice_adds_one_server(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    token, spec = new_token(), in_vapp("shop")
    first = vms.request_create(cast.owner, spec, token)
    assert vms.request_create(cast.owner, spec, token) == first
    drain(cloud, clock)
    assert vms.request_create(cast.owner, spec, token) == first
    with pytest.raises(AppError, match="form_reused"):
        vms.request_create(cast.owner, replace(spec, vapp_id=vapp_named("office").id), token)
    assert accepted(cloud, "vdcRecomposeVapp") == 1


def test_a_task_that_never_ends_is_brought_to_staff_at_the_deadline(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("recompose", stuck_task=True)
    operation_id = vms.request_create(cast.owner, in_vapp("shop"), new_token())
    drain_late(cloud, clock, operation_id)
    stuck = operation(operation_id)
    assert (stuck.state, stuck.error_code) == ("needs_attention", "deadline")
