"""Changing and deleting vApps; how they are made is in `composing`."""

from __future__ import annotations

from vcdsim import networks
from vcdsim.assembly import NetworkOrder, make_network
from vcdsim.entities import NO_NETWORK, SUSPENDED, Task, VApp, Vdc, Vm
from vcdsim.people import User
from vcdsim.refusals import RefusalError, duplicate_name, still_running
from vcdsim.tasks import effect, require_idle_vapp, require_idle_vm, start
from vcdsim.world import World

NAME_LENGTH = 128


def delete_vapp(world: World, actor: User, vapp: VApp, *, force: bool = False) -> Task:
    """Delete an undeployed vApp with its VMs; with `force` one that runs is powered off first."""
    require_idle_vapp(world, vapp)
    if not force and any(runs(vm) for vm in world.vms_of(vapp)):
        raise still_running("vApp", vapp.name)
    require_no_disks(world.vms_of(vapp))
    return start(world, actor, vapp, "vdcDeleteVapp", "delete")


def delete_vm(world: World, actor: User, vm: Vm, *, force: bool) -> Task:
    """Delete an undeployed VM, or with `force` any; its vApp stays, empty if it was the last one."""
    require_idle_vm(world, vm)
    if not force and runs(vm):
        raise still_running("VM", vm.name)
    require_no_disks([vm])
    return start(world, actor, vm, "vdcDeleteVapp", "delete")


def runs(vm: Vm) -> bool:
    """Deployed, even if off; something suspended may go, as its recorded `remove` link says."""
    return vm.is_deployed and vm.power != SUSPENDED


def require_no_disks(vms: list[Vm]) -> None:
    """Refuse while an independent disk is attached: it would go too (INF)."""
    for vm in vms:
        if any(disk.independent_id is not None for disk in vm.disks):
            raise RefusalError(
                f'The requested operation could not be executed on VM "{vm.name}" because it has an independent disk '
                "attached. Detach the disk and try again."
            )


def update_vapp(world: World, actor: User, vapp: VApp, *, name: str, description: str | None) -> Task:
    """Rename a vApp or change its description."""
    require_idle_vapp(world, vapp)
    if name != vapp.name:
        check_vapp_name(world, world.vdcs[vapp.vdc_id], name)
    args = {"name": name, "description": vapp.description if description is None else description}
    return start(world, actor, vapp, "vdcUpdateVapp", "update_vapp", args=args)


def replace_networks(world: World, actor: User, vapp: VApp, orders: list[NetworkOrder]) -> Task:
    """Put a whole new list of networks in place; one still in use cannot go."""
    require_idle_vapp(world, vapp)
    kept = {one.name for one in orders}
    for vm in world.vms_of(vapp):
        for nic in vm.nics:
            if nic.network != NO_NETWORK and nic.network not in kept:
                raise RefusalError(
                    f'The network "{nic.network}" cannot be removed because it is in use by VM "{vm.name}".'
                )
    wanted = [make_network(world, world.vdcs[vapp.vdc_id], one, known=vapp.networks) for one in orders]
    task = start(world, actor, vapp, "vdcUpdateVappNetworkSection", "update_vapp")
    vapp.networks = wanted
    return task


def check_vapp_name(world: World, vdc: Vdc, name: str) -> None:
    """Refuse an empty, too long or taken name."""
    check_length(name)
    if any(world.vapps[one].name == name for one in vdc.vapp_ids):
        raise duplicate_name(name)


def check_length(name: str) -> None:
    """Refuse a name that is empty or too long."""
    if not 0 < len(name) <= NAME_LENGTH:
        raise RefusalError(f"The length of the name must be between 1 and {NAME_LENGTH} characters.")


def remove(world: World, vapp: VApp) -> None:
    """Take the vApp and its VMs out of the world and give their addresses back."""
    for vm in world.vms_of(vapp):
        remove_vm(world, vapp, vm)
    world.vdcs[vapp.vdc_id].vapp_ids.remove(vapp.id)
    del world.vapps[vapp.id]


def remove_vm(world: World, vapp: VApp, vm: Vm) -> None:
    """Take one VM out of the world."""
    networks.release(world, vapp, vm)
    world.empty_drive(vm.id)
    vapp.vm_ids.remove(vm.id)
    del world.vms[vm.id]


@effect("delete")
def _deleted(world: World, task: Task) -> None:
    if task.owner_kind == "vapp":
        remove(world, world.vapps[task.owner_id])
        return
    vm = world.vms[task.owner_id]
    vapp = world.vapps[vm.container_id]
    remove_vm(world, vapp, vm)
    if vapp.is_auto and not vapp.vm_ids:
        remove(world, vapp)


@effect("update_vapp")
def _updated(world: World, task: Task) -> None:
    vapp = world.vapps[task.owner_id]
    vapp.name = task.args.get("name", vapp.name)
    vapp.description = task.args.get("description", vapp.description)
    for vm in world.vms_of(vapp):
        networks.connect(world, vapp, vm)
