"""Making vApps and VMs: instantiate, compose, recompose, clone, VMs on their own.

New VMs exist from the moment the request is accepted (so names, addresses and storage are
reserved), but stay unresolved until the task is done; those of a new vApp are also hidden from
its `Children`.
"""

from __future__ import annotations

from dataclasses import replace

from vcdsim import networks, power, quotas
from vcdsim.assembly import VAppOrder, VmOrder, make_blank, make_network, make_vm
from vcdsim.codec import decode, encode
from vcdsim.entities import ON, Task, Template, VApp, VAppNetwork, Vdc, Vm
from vcdsim.hardware import VmChange, apply, check_change
from vcdsim.people import User
from vcdsim.refusals import RefusalError, duplicate_name, expired, still_running, storage_quota
from vcdsim.tasks import effect, require_idle_vapp, rollback, start
from vcdsim.vapps import check_length, check_vapp_name, remove, remove_vm, require_no_disks, runs
from vcdsim.world import World

#: A template's VM, its disks and the network of a clone take this much longer per GB.
COPY_S_PER_GB = 0.5
LONGEST_COPY_S = 60.0

Sources = list[tuple[Vm, VmOrder | None]]


def instantiate(world: World, actor: User, vdc: Vdc, template: Template, order: VAppOrder) -> VApp:
    """Accept a new vApp made from a template; it is usable when its task is done."""
    vapp = _new_vapp(world, actor, vdc, order)
    wanted = {one.source_id: one for one in order.vms}
    if unknown := set(wanted) - set(template.vm_ids):
        raise RefusalError(f"The VM {unknown.pop()} is not part of vApp template {template.name}.")
    if not vapp.networks:
        vapp.networks = [replace(one, id=world.new_id(), used={}) for one in template.networks]
    sources: Sources = [(world.template_vms[vm_id], wanted.get(vm_id)) for vm_id in template.vm_ids]
    vms = _made(world, vdc, vapp, sources, order)
    _register(world, vdc, vapp, vms)
    _start(world, actor, vapp, vms, order, "vdcInstantiateVapp", "instantiate")
    return vapp


def compose(world: World, actor: User, vdc: Vdc, order: VAppOrder) -> VApp:
    """Accept a new vApp of VMs from anywhere, or an empty one."""
    vapp = _new_vapp(world, actor, vdc, order)
    sources = _sources(world, actor, order)
    vms = _made(world, vdc, vapp, sources, order)
    _register(world, vdc, vapp, vms)
    _start(world, actor, vapp, vms, order, "vdcComposeVapp", "compose", moved=_moved(sources))
    return vapp


def clone(world: World, actor: User, vdc: Vdc, source: VApp, order: VAppOrder) -> VApp:
    """Accept a copy of a vApp that is not on; with `is_move` the original goes afterwards."""
    require_idle_vapp(world, source)
    if any(vm.power == ON for vm in world.vms_of(source)) or (order.is_move and any(map(runs, world.vms_of(source)))):
        raise still_running("vApp", source.name)
    require_no_disks(world.vms_of(source))
    vapp = _new_vapp(world, actor, vdc, order)
    if not order.networks:
        vapp.networks = [
            replace(one, id=world.new_id(), used={}, router_ip=None, is_deployed=False)
            for one in source.networks
            if one.parent_id is None or one.parent_id in vdc.network_ids
        ]
    wanted = {one.source_id: one for one in order.vms}
    vms = _made(world, vdc, vapp, [(vm, wanted.get(vm.id)) for vm in world.vms_of(source)], order)
    _register(world, vdc, vapp, vms)
    moved = [source.id] if order.is_move else []
    _start(world, actor, vapp, vms, order, "vdcCopyVapp", "clone", moved=moved)
    return vapp


def recompose(
    world: World, actor: User, vapp: VApp, order: VAppOrder, delete_ids: list[str], *, changes: dict[str, VmChange]
) -> Task:
    """Add VMs to a vApp, change and delete some, rename it, all in one task.

    Networks named are added or replaced; `changes` are by VM.
    """
    require_idle_vapp(world, vapp)
    if vapp.is_expired:
        raise expired(vapp.name)
    vdc = world.vdcs[vapp.vdc_id]
    if order.name and order.name != vapp.name:
        check_vapp_name(world, vdc, order.name)
    _check_deletable(world, vapp, delete_ids)
    sources = _sources(world, actor, order)
    before = vapp.networks
    fresh = [make_network(world, vdc, one, known=before) for one in order.networks]
    vapp.networks = [one for one in before if one.name not in {new.name for new in fresh}] + fresh
    try:
        for vm_id, change in changes.items():
            check_change(world, vapp, world.vms[vm_id], change)
        vms = _made(world, vdc, vapp, sources, order, leaving=set(delete_ids))
        _join(world, vapp, vms)
    except RefusalError:
        vapp.networks = before
        raise
    about = {"name": order.name or vapp.name, "description": order.description or vapp.description}
    return _start(
        world,
        actor,
        vapp,
        vms,
        order,
        "vdcRecomposeVapp",
        "recompose",
        moved=_moved(sources),
        about={**about, "deleted": delete_ids, "changed": encode(changes)},
    )


def create_vm(world: World, actor: User, vdc: Vdc, order: VAppOrder) -> Task:
    """Accept one VM on its own, in a vApp that vCD makes for it; the task belongs to the VM."""
    (name,) = [one.name for one in order.vms] or [one.name for one in order.blanks]
    check_length(name or "")
    vapp_id = world.new_id()
    vapp = _new_vapp(world, actor, vdc, replace(order, name=f"{(name or '')[:90]}-{vapp_id}"))
    vapp.id, vapp.is_auto = vapp_id, True
    vapp.networks = _direct_networks(world, vdc, order)
    vms = _made(world, vdc, vapp, _sources(world, actor, order), order)
    _register(world, vdc, vapp, vms)
    return _start(world, actor, vms[0], vms, order, "vdcCreateVm", "create_vm")


def _direct_networks(world: World, vdc: Vdc, order: VAppOrder) -> list[VAppNetwork]:
    """The networks of the VDC that the cards name, bridged into the new vApp."""
    cards = [*(one.nics for one in order.vms), *(one.nics for one in order.blanks)]
    names = {nic.network for nics in cards for nic in nics or []}
    found = [world.networks[one] for one in vdc.network_ids if world.networks[one].name in names]
    return [VAppNetwork(world.new_id(), one.name, "bridged", one.scope, one.id) for one in found]


def _new_vapp(world: World, actor: User, vdc: Vdc, order: VAppOrder) -> VApp:
    if not vdc.is_enabled:
        raise RefusalError(f'The VDC "{vdc.name}" is disabled.')
    check_vapp_name(world, vdc, order.name)
    org = world.orgs[vdc.org_id]
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
        deployment_lease_s=org.deployment_lease_s,
        storage_lease_s=org.storage_lease_s,
    )


def _sources(world: World, actor: User, order: VAppOrder) -> Sources:
    """The VMs that the orders' sources stand for; a whole template or vApp stands for all of its."""
    sources: Sources = []
    for one in order.vms:
        if one.source_id in world.template_vms:
            sources.append((world.template_vm(one.source_id, actor), one))
        elif one.source_id in world.templates:
            template = world.template(one.source_id, actor)
            sources += [(world.template_vms[vm_id], replace(one, name=None)) for vm_id in template.vm_ids]
        elif one.source_id in world.vapps:
            vms = world.vms_of(world.vapp(one.source_id, actor))
            sources += [(vm, replace(one, name=None)) for vm in vms]
        else:
            sources.append((world.vm(one.source_id, actor), one))
    for vm, _ in sources:
        if vm.power == ON:
            raise still_running("VM", vm.name)
        require_no_disks([vm])
    return sources


def _moved(sources: Sources) -> list[str]:
    return [vm.id for vm, order in sources if order is not None and order.is_move and not vm.is_template]


def _made(
    world: World, vdc: Vdc, vapp: VApp, sources: Sources, order: VAppOrder, *, leaving: set[str] | None = None
) -> list[Vm]:
    """The VMs ordered, checked, not yet part of the world."""
    vms = [make_vm(world, vdc, vapp, source, one) for source, one in sources]
    vms += [make_blank(world, vdc, vapp, one) for one in order.blanks]
    staying = [vm.name for vm in world.vms_of(vapp) if vm.id not in (leaving or set())]
    names = [*staying, *(vm.name for vm in vms)]
    for vm in vms:
        check_length(vm.name)
        if names.count(vm.name) > 1:
            raise duplicate_name(vm.name)
        networks.check_cards(world, vapp, vm.nics)
    quotas.check_stored(world, world.users[vapp.owner_id], len(vms))
    _check_quota(world, vdc, vms)
    return vms


def _check_quota(world: World, vdc: Vdc, vms: list[Vm]) -> None:
    if vdc.vm_quota and len(world.vdc_vms(vdc)) + len(vms) > vdc.vm_quota:
        raise RefusalError(f'The requested operation will exceed the VM quota of VDC "{vdc.name}".')
    for profile_id in {disk.storage_profile_id for vm in vms for disk in vm.disks}:
        profile = world.storage_profiles[profile_id]
        asked = sum(disk.size_mb for vm in vms for disk in vm.disks if disk.storage_profile_id == profile_id)
        if profile.limit_mb and world.storage_used_mb(profile) + asked > profile.limit_mb:
            raise storage_quota()


def _check_deletable(world: World, vapp: VApp, delete_ids: list[str]) -> None:
    for vm_id in delete_ids:
        if vm_id not in vapp.vm_ids:
            raise RefusalError(f'The VM {vm_id} is not part of vApp "{vapp.name}".')
        if runs(world.vms[vm_id]):
            raise still_running("VM", world.vms[vm_id].name)
        require_no_disks([world.vms[vm_id]])


def _register(world: World, vdc: Vdc, vapp: VApp, vms: list[Vm]) -> None:
    world.vapps[vapp.id] = vapp
    vdc.vapp_ids.append(vapp.id)
    try:
        _join(world, vapp, vms)
    except RefusalError:
        remove(world, vapp)
        raise


def _join(world: World, vapp: VApp, vms: list[Vm]) -> None:
    """Make the VMs part of the vApp and give them their addresses, all or none."""
    for vm in vms:
        world.vms[vm.id] = vm
        vapp.vm_ids.append(vm.id)
    try:
        for vm in vms:
            networks.connect(world, vapp, vm)
    except RefusalError:
        for vm in vms:
            remove_vm(world, vapp, vm)
        raise


def _start(  # noqa: PLR0913  one call for five ways to make VMs
    world: World,
    actor: User,
    owner: VApp | Vm,
    vms: list[Vm],
    order: VAppOrder,
    operation_name: str,
    effect_name: str,
    *,
    moved: list[str] | None = None,
    about: dict[str, object] | None = None,
) -> Task:
    copied_gb = sum(disk.size_mb for vm in vms for disk in vm.disks) / 1024
    args = {
        "added": [vm.id for vm in vms],
        "moved": moved or [],
        "deploy": order.deploy and bool(vms),
        "power_on": order.deploy and order.power_on,
        **(about or {}),
    }
    extra_s = min(LONGEST_COPY_S, copied_gb * COPY_S_PER_GB)
    return start(world, actor, owner, operation_name, effect_name, args=args, extra_s=extra_s)


@effect("instantiate")
@effect("compose")
@effect("clone")
@effect("create_vm")
def _created(world: World, task: Task) -> None:
    vapp = _vapp_of(world, task)
    vapp.creation = "done"
    _settle_in(world, task, vapp)


@effect("recompose")
def _recomposed(world: World, task: Task) -> None:
    vapp = world.vapps[task.owner_id]
    vapp.name, vapp.description = task.args["name"], task.args["description"]
    for vm_id in task.args["deleted"]:
        remove_vm(world, vapp, world.vms[vm_id])
    for vm_id, change in decode(dict[str, VmChange], task.args["changed"]).items():
        if vm_id in world.vms:
            apply(world, vapp, world.vms[vm_id], change)
    _settle_in(world, task, vapp)


def _settle_in(world: World, task: Task, vapp: VApp) -> None:
    added = [world.vms[vm_id] for vm_id in task.args["added"]]
    for vm in added:
        vm.is_resolved = True
    _remove_moved(world, task.args["moved"])
    if task.args["deploy"]:
        power.deploy_vms(world, vapp, added, power_on=bool(task.args["power_on"]), force_customization=False)


def _remove_moved(world: World, ids: list[str]) -> None:
    for one in ids:
        if one in world.vapps:
            remove(world, world.vapps[one])
        elif one in world.vms:
            remove_vm(world, world.vapps[world.vms[one].container_id], world.vms[one])


def _vapp_of(world: World, task: Task) -> VApp:
    return world.vapps[world.vms[task.owner_id].container_id if task.owner_kind == "vm" else task.owner_id]


@rollback("instantiate")
@rollback("compose")
@rollback("clone")
@rollback("create_vm")
def _creation_failed(world: World, task: Task) -> None:
    if task.owner_kind == "vm":
        remove(world, _vapp_of(world, task))
        return
    vapp = world.vapps.get(task.owner_id)
    if vapp is not None and vapp.creation == "creating":
        vapp.creation = "failed"
        for vm in world.vms_of(vapp):
            remove_vm(world, vapp, vm)


@rollback("recompose")
def _recompose_failed(world: World, task: Task) -> None:
    vapp = world.vapps[task.owner_id]
    for vm_id in task.args["added"]:
        if vm_id in world.vms and not world.vms[vm_id].is_resolved:
            remove_vm(world, vapp, world.vms[vm_id])
