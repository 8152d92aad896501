"""Somebody at work in vCloud itself, past the panel: every kind of edit, through the rules of the simulator.

Each edit takes the machine and a number that decides whatever else is to be decided. It returns the task that does it;
None: it has happened at once, as a guest does it, or a provider.
"""

from collections.abc import Callable
from dataclasses import replace

from vcdsim import composing, hardware, leases, networks, power, snapshots, vapps
from vcdsim.assembly import VAppOrder, VmOrder
from vcdsim.entities import NO_NETWORK, OFF, ON, Nic, Task, VApp, Vm
from vcdsim.hardware import DiskOrder, VmChange
from vcdsim.people import User
from vcdsim.refusals import RefusalError
from vcdsim.tasks import require_idle_vapp
from vcdsim.world import World

Edit = Callable[[World, User, Vm, int], Task | None]


def person(world: World, vm: Vm) -> User:
    """The administrator of the machine's organization."""
    return next(user for user in world.users.values() if user.org_id == vm.org_id)


def _change(world: World, who: User, vm: Vm, **what: object) -> Task:
    return hardware.reconfigure(world, who, vm, VmChange(**what))  # type: ignore[arg-type]


def _disks(vm: Vm) -> list[DiskOrder]:
    return [
        DiskOrder(one.instance_id, one.size_mb, one.bus_type, one.bus_sub_type, one.bus_number, one.unit_number)
        for one in vm.disks
    ]


def grow_disk(world: World, who: User, vm: Vm, number: int) -> Task:
    """The first disk larger."""
    first, *others = _disks(vm)
    return _change(world, who, vm, disks=[replace(first, size_mb=first.size_mb + 1024 * (number % 5 + 1)), *others])


def add_disk(world: World, who: User, vm: Vm, number: int) -> Task:
    """One disk more."""
    return _change(world, who, vm, disks=[*_disks(vm), DiskOrder(None, 1024 * (number % 5 + 1))])


def remove_disk(world: World, who: User, vm: Vm, _number: int) -> Task:
    """The last of several disks away."""
    if len(vm.disks) < 2:
        raise RefusalError("The first disk stays.")
    return _change(world, who, vm, disks=_disks(vm)[:-1])


def wire(world: World, who: User, vm: Vm, number: int) -> Task:
    """The first card elsewhere, or nowhere."""
    names = [one.name for one in world.vapps[vm.container_id].networks]
    first = vm.nics[0]
    if number % 3 == 0 or not names:
        card = replace(first, network=NO_NETWORK, mode="NONE", ip=None, is_connected=False)
    else:
        mode = "POOL" if number % 3 == 1 else "DHCP"
        card = replace(first, network=names[number % len(names)], mode=mode, ip=None, is_connected=True)
    return _change(world, who, vm, nics=[card, *vm.nics[1:]])


def add_card(world: World, who: User, vm: Vm, _number: int) -> Task:
    """One card more, not connected."""
    return _change(world, who, vm, nics=[*vm.nics, Nic(max(nic.index for nic in vm.nics) + 1, mac=world.new_mac())])


def other_profile(world: World, who: User, vm: Vm, number: int) -> Task:
    """The machine on another storage profile of its data center."""
    profiles = world.vdcs[vm.vdc_id].storage_profile_ids
    return _change(world, who, vm, storage_profile_id=profiles[number % len(profiles)])


def rename_vapp(world: World, who: User, vm: Vm, number: int) -> Task:
    """Another name of the vApp."""
    return vapps.update_vapp(world, who, world.vapps[vm.container_id], name=f"theirs-{number}", description=None)


def delete_vapp(world: World, who: User, vm: Vm, _number: int) -> Task:
    """The whole vApp away."""
    return vapps.delete_vapp(world, who, world.vapps[vm.container_id])


def create(world: World, who: User, vm: Vm, number: int) -> Task | None:
    """A new vApp from a template, beside that of the machine."""
    template = next(one for one in world.templates.values() if one.name == "debian-12")
    order = VAppOrder(name=f"by-hand-{number}", power_on=number % 2 == 0)
    composing.instantiate(world, who, world.vdcs[vm.vdc_id], template, order)
    return None


def add_machine(world: World, who: User, vm: Vm, number: int) -> Task:
    """A new machine in the vApp of this one."""
    source = next(one for one in world.template_vms.values() if one.name == "debian-12")
    order = VAppOrder(name="", vms=[VmOrder(source.id, f"theirs-{number}")], deploy=False)
    return composing.recompose(world, who, world.vapps[vm.container_id], order, [], changes={})


def lone_machine(world: World, who: User, vm: Vm, number: int) -> Task:
    """A new machine on its own, in a vApp that vCloud makes for it."""
    source = next(one for one in world.template_vms.values() if one.name == "debian-12")
    order = VAppOrder(name="", vms=[VmOrder(source.id, f"alone-{number}")])
    return composing.create_vm(world, who, world.vdcs[vm.vdc_id], order)


def guest_stops(_world: World, _who: User, vm: Vm, _number: int) -> None:
    """The guest shuts itself down."""
    if vm.power != ON:
        raise RefusalError("It does not run.")
    vm.power = OFF


def move_to_vapp(world: World, _who: User, vm: Vm, number: int) -> None:
    """The machine to another vApp of its data center; its cards stay behind unplugged. vCloud keeps its id."""
    others = [one for one in world.vdcs[vm.vdc_id].vapp_ids if one != vm.container_id]
    if not others:
        raise RefusalError("There is no other.")
    here, there = world.vapps[vm.container_id], world.vapps[others[number % len(others)]]
    for vapp in (here, there):
        require_idle_vapp(world, vapp)
    if vm.is_deployed or vm.name in {one.name for one in world.vms_of(there)} or there.creation != "done":
        raise RefusalError("It cannot go there.")
    _unplug(world, here, vm)
    here.vm_ids.remove(vm.id)
    there.vm_ids.append(vm.id)
    vm.container_id = there.id


def move_to_vdc(world: World, _who: User, vm: Vm, _number: int) -> None:
    """The whole vApp to the other data center of its organization; ids stay."""
    vapp = world.vapps[vm.container_id]
    require_idle_vapp(world, vapp)
    others = [vdc for vdc in world.vdcs.values() if vdc.org_id == vm.org_id and vdc.id != vm.vdc_id]
    taken = {world.vapps[one].name for vdc in others for one in vdc.vapp_ids}
    if not others or world.is_deployed(vapp) or vapp.name in taken or vapp.creation != "done":
        raise RefusalError("It cannot go there.")
    [there] = others
    world.vdcs[vapp.vdc_id].vapp_ids.remove(vapp.id)
    there.vapp_ids.append(vapp.id)
    for one in world.vms_of(vapp):
        _unplug(world, vapp, one)
        one.vdc_id, one.storage_profile_id = there.id, there.storage_profile_ids[0]
        for disk in one.disks:
            disk.storage_profile_id = one.storage_profile_id
    vapp.vdc_id, vapp.networks = there.id, []


def _unplug(world: World, vapp: VApp, vm: Vm) -> None:
    networks.release(world, vapp, vm)
    for nic in vm.nics:
        nic.network, nic.mode, nic.is_connected = NO_NETWORK, "NONE", False


EDITS: dict[str, Edit] = {
    "cpu": lambda world, who, vm, number: _change(world, who, vm, cpu_count=number % 7 + 1),
    "memory": lambda world, who, vm, number: _change(world, who, vm, memory_mb=512 * (number % 15 + 1)),
    "description": lambda world, who, vm, number: _change(world, who, vm, description=f"theirs {number}"),
    "rename": lambda world, who, vm, number: _change(world, who, vm, name=f"theirs-{number}"),
    "grow_disk": grow_disk,
    "add_disk": add_disk,
    "remove_disk": remove_disk,
    "wire": wire,
    "add_card": add_card,
    "other_profile": other_profile,
    "switch_on": lambda world, who, vm, _: power.deploy(world, who, vm, power_on=True, force_customization=False),
    "power_off": lambda world, who, vm, _: power.act(world, who, vm, "powerOff"),
    "suspend": lambda world, who, vm, _: power.act(world, who, vm, "suspend"),
    "undeploy": lambda world, who, vm, _: power.undeploy(world, who, vm, "powerOff"),
    "guest_stops": guest_stops,
    "take_snapshot": lambda world, who, vm, _: snapshots.request(world, who, vm, "create"),
    "revert_snapshot": lambda world, who, vm, _: snapshots.request(world, who, vm, "revert"),
    "remove_snapshot": lambda world, who, vm, _: snapshots.request(world, who, vm, "remove"),
    "delete": lambda world, who, vm, _: vapps.delete_vm(world, who, vm, force=False),
    "rename_vapp": rename_vapp,
    "delete_vapp": delete_vapp,
    "create": create,
    "add_machine": add_machine,
    "lone_machine": lone_machine,
    "move_to_vapp": move_to_vapp,
    "move_to_vdc": move_to_vdc,
}
"""Every edit by its name."""


def edit(world: World, vm: Vm, what: str, number: int) -> Task | None:
    """Have it done to a machine; RefusalError where vCloud does not let it."""
    leases.tick(world)
    task = EDITS[what](world, person(world, vm), vm, number)
    world.changed()
    return task
