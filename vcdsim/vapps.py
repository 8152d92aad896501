"""Making, changing and deleting vApps.

The VMs of a new vApp exist from the moment the request is accepted (so names, addresses and
storage are reserved), but stay unresolved and hidden from `Children` until the task is done.
"""

from __future__ import annotations

from dataclasses import replace

from vcdsim import networks, power
from vcdsim.assembly import NetworkOrder, VAppOrder, make_network, make_vm
from vcdsim.entities import (
    NO_NETWORK,
    SUSPENDED,
    Task,
    Template,
    User,
    VApp,
    Vdc,
    Vm,
)
from vcdsim.refusals import RefusalError, duplicate_name, still_running, storage_quota
from vcdsim.tasks import effect, require_idle_vapp, require_idle_vm, rollback, start
from vcdsim.world import World

#: A template's VM, its disks and the network of a clone take this much longer per GB.
COPY_S_PER_GB = 0.5
LONGEST_COPY_S = 60.0
NAME_LENGTH = 128


def instantiate(world: World, actor: User, vdc: Vdc, template: Template, order: VAppOrder) -> tuple[VApp, Task]:
    """Accept a new vApp made from a template; it is usable when the task is done."""
    vapp = _new_vapp(world, actor, vdc, order)
    wanted = {one.template_vm_id: one for one in order.vms}
    if unknown := set(wanted) - set(template.vm_ids):
        raise RefusalError(f"The VM {unknown.pop()} is not part of vApp template {template.name}.")
    if not vapp.networks:
        vapp.networks = [replace(one, id=world.new_id(), used={}) for one in template.networks]
    vms = [make_vm(world, vdc, vapp, world.template_vms[vm_id], wanted.get(vm_id)) for vm_id in template.vm_ids]
    _check_names([vm.name for vm in vms])
    _check_storage(world, vms)
    for vm in vms:
        networks.check_cards(world, vapp, vm.nics)
    _register(world, vdc, vapp, vms)
    copied_gb = sum(disk.size_mb for vm in vms for disk in vm.disks) / 1024
    task = start(
        world,
        actor,
        vapp,
        "vdcInstantiateVapp",
        "instantiate",
        args={"deploy": order.deploy, "power_on": order.deploy and order.power_on},
        extra_s=min(LONGEST_COPY_S, copied_gb * COPY_S_PER_GB),
    )
    return vapp, task


def compose(world: World, actor: User, vdc: Vdc, order: VAppOrder) -> tuple[VApp, Task]:
    """Accept a new, empty vApp."""
    vapp = _new_vapp(world, actor, vdc, order)
    _register(world, vdc, vapp, [])
    return vapp, start(world, actor, vapp, "vdcComposeVapp", "compose")


def delete_vapp(world: World, actor: User, vapp: VApp) -> Task:
    """Delete an undeployed vApp with its VMs."""
    require_idle_vapp(world, vapp)
    if any(_runs(vm) for vm in world.vms_of(vapp)):
        raise still_running("vApp", vapp.name)
    return start(world, actor, vapp, "vdcDeleteVapp", "delete")


def delete_vm(world: World, actor: User, vm: Vm) -> Task:
    """Delete an undeployed VM; its vApp stays, empty if it was the last one."""
    require_idle_vm(world, vm)
    if _runs(vm):
        raise still_running("VM", vm.name)
    return start(world, actor, vm, "vdcDeleteVapp", "delete")


def _runs(vm: Vm) -> bool:
    """Deployed, even if off; something suspended may go, as its recorded `remove` link says."""
    return vm.is_deployed and vm.power != SUSPENDED


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
    if not 0 < len(name) <= NAME_LENGTH:
        raise RefusalError(f"The length of the name must be between 1 and {NAME_LENGTH} characters.")
    if any(world.vapps[one].name == name for one in vdc.vapp_ids):
        raise duplicate_name(name)


def _new_vapp(world: World, actor: User, vdc: Vdc, order: VAppOrder) -> VApp:
    if not vdc.is_enabled:
        raise RefusalError(f'The VDC "{vdc.name}" is disabled.')
    check_vapp_name(world, vdc, order.name)
    return VApp(
        id=world.new_id(),
        name=order.name,
        description=order.description,
        vdc_id=vdc.id,
        org_id=vdc.org_id,
        owner_id=actor.id,
        created_at=world.now(),
        creation="creating",
        networks=[make_network(world, vdc, one, known=[]) for one in order.networks],
    )


def _check_names(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise duplicate_name(name)
        if not 0 < len(name) <= NAME_LENGTH:
            raise RefusalError(f"The length of the name must be between 1 and {NAME_LENGTH} characters.")


def _check_storage(world: World, vms: list[Vm]) -> None:
    for profile_id in {disk.storage_profile_id for vm in vms for disk in vm.disks}:
        profile = world.storage_profiles[profile_id]
        asked = sum(disk.size_mb for vm in vms for disk in vm.disks if disk.storage_profile_id == profile_id)
        if profile.limit_mb and world.storage_used_mb(profile) + asked > profile.limit_mb:
            raise storage_quota()


def _register(world: World, vdc: Vdc, vapp: VApp, vms: list[Vm]) -> None:
    world.vapps[vapp.id] = vapp
    vdc.vapp_ids.append(vapp.id)
    for vm in vms:
        world.vms[vm.id] = vm
        vapp.vm_ids.append(vm.id)
    try:
        for vm in vms:
            networks.connect(world, vapp, vm)
    except RefusalError:
        remove(world, vapp)
        raise


def remove(world: World, vapp: VApp) -> None:
    """Take the vApp and its VMs out of the world and give their addresses back."""
    for vm in world.vms_of(vapp):
        remove_vm(world, vapp, vm)
    world.vdcs[vapp.vdc_id].vapp_ids.remove(vapp.id)
    del world.vapps[vapp.id]


def remove_vm(world: World, vapp: VApp, vm: Vm) -> None:
    """Take one VM out of the world."""
    networks.release(world, vapp, vm)
    vapp.vm_ids.remove(vm.id)
    del world.vms[vm.id]


@effect("instantiate")
def _instantiated(world: World, task: Task) -> None:
    vapp = world.vapps[task.owner_id]
    for vm in world.vms_of(vapp):
        vm.is_resolved = True
    vapp.creation = "done"
    if task.args["deploy"]:
        power.deploy_all(world, vapp, power_on=bool(task.args["power_on"]), force_customization=False)


@rollback("instantiate")
@rollback("compose")
def _creation_failed(world: World, task: Task) -> None:
    vapp = world.vapps.get(task.owner_id)
    if vapp is not None and vapp.creation == "creating":
        vapp.creation = "failed"
        for vm in world.vms_of(vapp):
            remove_vm(world, vapp, vm)


@effect("compose")
def _composed(world: World, task: Task) -> None:
    world.vapps[task.owner_id].creation = "done"


@effect("delete")
def _deleted(world: World, task: Task) -> None:
    if task.owner_kind == "vapp":
        remove(world, world.vapps[task.owner_id])
        return
    vm = world.vms[task.owner_id]
    remove_vm(world, world.vapps[vm.container_id], vm)


@effect("update_vapp")
def _updated(world: World, task: Task) -> None:
    vapp = world.vapps[task.owner_id]
    vapp.name = task.args.get("name", vapp.name)
    vapp.description = task.args.get("description", vapp.description)
    for vm in world.vms_of(vapp):
        networks.connect(world, vapp, vm)
