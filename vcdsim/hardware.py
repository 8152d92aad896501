"""Changing a VM: processors, memory, disks, cards, customization, name, all in one task.

The request is checked when it comes; the change shows when the task is done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vcdsim import networks
from vcdsim.codec import decode, encode
from vcdsim.entities import ON, Customization, Disk, Nic, Task, VApp, Vm
from vcdsim.people import User
from vcdsim.refusals import RefusalError, compute_quota, duplicate_name, storage_quota
from vcdsim.tasks import effect, require_idle_vm, start
from vcdsim.world import World

MOST_CPUS = 128
#: What the newest hardware version, 19, allows; the hardware versions themselves say so.
MOST_MEMORY_MB = 6 * 2**20
MOST_DISKS = 60
#: Places on a controller by bus type, and controllers; place 7 of a SCSI bus is the controller's own.
_IDE, _SCSI, _SATA = 5, 6, 20
_PLACES = {_IDE: 2, _SCSI: 64, _SATA: 30}
_MOST_BUSES = {_IDE: 2, _SCSI: 4, _SATA: 4}


@dataclass
class DiskOrder:
    """One disk of a wanted list; `instance_id` None asks for a new disk."""

    instance_id: int | None
    size_mb: int
    bus_type: int = 6
    bus_sub_type: str = "lsilogicsas"
    bus_number: int | None = None
    unit_number: int | None = None


@dataclass
class VmChange:
    """What a request wants to be different; None means untouched. Lists replace the whole list."""

    name: str | None = None
    description: str | None = None
    cpu_count: int | None = None
    cores_per_socket: int | None = None
    memory_mb: int | None = None
    disks: list[DiskOrder] | None = None
    nics: list[Nic] | None = None
    primary_nic: int | None = None
    customization: Customization | None = None
    cpu_hot_add: bool | None = None
    memory_hot_add: bool | None = None
    os_type: str | None = None
    guest_os: str | None = None
    storage_profile_id: str | None = None


def reconfigure(world: World, actor: User, vm: Vm, change: VmChange) -> Task:
    """Check the change and start the task that makes it."""
    require_idle_vm(world, vm)
    check_change(world, world.vapps[vm.container_id], vm, change)
    return start(world, actor, vm, "vappUpdateVm", "reconfigure", args={"change": encode(change)})


def check_change(world: World, vapp: VApp, vm: Vm, change: VmChange) -> None:
    """Refuse what the VM's state, its vApp or its VDC does not allow."""
    _check_name(world, vapp, vm, change.name)
    _check_processors(vm, change)
    _check_memory(vm, change)
    _check_room(world, vm, change)
    if change.disks is not None:
        _check_disks(world, vm, change.disks)
    if change.nics is not None:
        _check_cards(world, vapp, vm, change)
    if (change.cpu_hot_add, change.memory_hot_add) != (None, None) and vm.power == ON:
        raise RefusalError("The VM capabilities can only be changed when the VM is powered off.")
    if change.storage_profile_id not in (None, *world.vdcs[vm.vdc_id].storage_profile_ids):
        raise RefusalError("Cannot find the VDC storage policy.")


def _check_name(world: World, vapp: VApp, vm: Vm, name: str | None) -> None:
    if name is None or name == vm.name:
        return
    if not 0 < len(name) <= 128:
        raise RefusalError("The length of the name must be between 1 and 128 characters.")
    if any(other.name == name for other in world.vms_of(vapp) if other.id != vm.id):
        raise duplicate_name(name)


def _check_processors(vm: Vm, change: VmChange) -> None:
    cpus = vm.cpu_count if change.cpu_count is None else change.cpu_count
    cores = vm.cores_per_socket if change.cores_per_socket is None else change.cores_per_socket
    if (cpus, cores) == (vm.cpu_count, vm.cores_per_socket):
        return
    if vm.power == ON and cores != vm.cores_per_socket:
        raise RefusalError("The number of cores per socket can only be changed when the VM is powered off.")
    if not 1 <= cpus <= MOST_CPUS:
        raise RefusalError(f"The number of CPUs ({cpus}) must be between 1 and {MOST_CPUS}.")
    if cores < 1 or cpus % cores:
        raise RefusalError(
            f"The number of CPUs ({cpus}) must be a multiple of the number of cores per socket ({cores})."
        )
    if vm.power == ON and cpus != vm.cpu_count and not (vm.cpu_hot_add and cpus > vm.cpu_count):
        raise RefusalError(
            "The number of CPUs of a running VM can only be increased, and only with CPU hot add enabled."
        )


def _check_memory(vm: Vm, change: VmChange) -> None:
    memory_mb = change.memory_mb
    if memory_mb is None or memory_mb == vm.memory_mb:
        return
    if not 4 <= memory_mb <= MOST_MEMORY_MB:
        raise RefusalError(
            f"The memory size {memory_mb} MB is not valid: it must be between 4 and {MOST_MEMORY_MB} MB."
        )
    if memory_mb % 4:
        raise RefusalError(f"The memory size {memory_mb} MB is not valid: it must be a multiple of 4 MB.")
    if vm.power == ON and not (vm.memory_hot_add and memory_mb > vm.memory_mb):
        raise RefusalError("The memory of a running VM can only be increased, and only with memory hot add enabled.")


def _check_room(world: World, vm: Vm, change: VmChange) -> None:
    """A running VM that grows needs the room at once."""
    if vm.power != ON:
        return
    vdc = world.vdcs[vm.vdc_id]
    cpu_mhz, memory_mb = world.compute_used(vdc)
    cpu_mhz += ((change.cpu_count or vm.cpu_count) - vm.cpu_count) * vdc.vcpu_mhz
    memory_mb += (change.memory_mb or vm.memory_mb) - vm.memory_mb
    grows = (change.cpu_count or 0) > vm.cpu_count or (change.memory_mb or 0) > vm.memory_mb
    over = (vdc.cpu_limit_mhz and cpu_mhz > vdc.cpu_limit_mhz) or (
        vdc.memory_limit_mb and memory_mb > vdc.memory_limit_mb
    )
    if grows and over:
        raise compute_quota()


def _check_disks(world: World, vm: Vm, orders: list[DiskOrder]) -> None:
    current = {disk.instance_id: disk for disk in vm.disks}
    named = [one.instance_id for one in orders if one.instance_id is not None]
    if len(orders) > MOST_DISKS or len(named) != len(set(named)) or not set(named) <= set(current):
        raise RefusalError("Invalid virtual disk list.", minor_code="VIM_INVALID_DISK_PARAMETERS")
    places = [(one.bus_type, one.bus_number, one.unit_number) for one in orders if one.unit_number is not None]
    if len(places) != len(set(places)):
        raise RefusalError("Two disks have the same bus and unit number.", minor_code="VIM_INVALID_DISK_PARAMETERS")
    for one in orders:
        _check_place(one)
    grown_mb = 0
    for one in orders:
        if one.instance_id is not None and current[one.instance_id].independent_id is not None:
            if one.size_mb != current[one.instance_id].size_mb:
                raise RefusalError("The size of an independent disk cannot be changed with the VM.")
            continue
        old_mb = current[one.instance_id].size_mb if one.instance_id is not None else 0
        if one.size_mb < max(old_mb, 1):
            raise RefusalError(f"The size of the disk cannot be reduced from {old_mb} MB to {one.size_mb} MB.")
        if one.size_mb != old_mb and one.instance_id is not None and vm.snapshot is not None:
            raise RefusalError("A disk of a virtual machine with snapshots cannot be resized.")
        grown_mb += one.size_mb - old_mb
    profile = world.storage_profiles[vm.storage_profile_id]
    if grown_mb and profile.limit_mb and world.storage_used_mb(profile) + grown_mb > profile.limit_mb:
        raise storage_quota()


def _check_place(order: DiskOrder) -> None:
    """Refuse a controller or a place on it that no machine has (INF)."""
    bus, unit = order.bus_number, order.unit_number
    is_there = bus is None or 0 <= bus < _MOST_BUSES[order.bus_type]
    is_free = unit is None or (0 <= unit < _PLACES[order.bus_type] and (order.bus_type, unit) != (_SCSI, 7))
    if not (is_there and is_free):
        raise RefusalError(
            f"The bus number {bus} or the unit number {unit} of a disk is not valid.",
            minor_code="VIM_INVALID_DISK_PARAMETERS",
        )


def _check_cards(world: World, vapp: VApp, vm: Vm, change: VmChange) -> None:
    nics = change.nics or []
    indexes = [nic.index for nic in nics]
    if len(indexes) != len(set(indexes)):
        raise RefusalError("Two network connections have the same index.")
    if nics and change.primary_nic is not None and change.primary_nic not in indexes:
        raise RefusalError(f"The primary network connection index {change.primary_nic} does not exist.")
    networks.check_cards(world, vapp, nics, vm_id=vm.id)


def _new_disks(vm: Vm, orders: list[DiskOrder]) -> list[Disk]:
    current = {disk.instance_id: disk for disk in vm.disks}
    named = {one.instance_id for one in orders}
    disks = [disk for disk in vm.disks if disk.independent_id is not None and disk.instance_id not in named]
    for one in orders:
        if one.instance_id is not None:
            disks.append(replace(current[one.instance_id], size_mb=one.size_mb))
            continue
        taken = {(disk.bus_number, disk.unit_number) for disk in (*disks, *vm.disks)}
        bus_number = one.bus_number or 0
        free_unit = next(unit for unit in range(64) if unit != 7 and (bus_number, unit) not in taken)
        disks.append(
            Disk(
                instance_id=1 + max([1999, *(disk.instance_id for disk in (*disks, *vm.disks))]),
                size_mb=one.size_mb,
                storage_profile_id=vm.storage_profile_id,
                bus_type=one.bus_type,
                bus_sub_type=one.bus_sub_type,
                bus_number=bus_number,
                unit_number=free_unit if one.unit_number is None else one.unit_number,
            )
        )
    return disks


def _swap_cards(world: World, vapp: VApp, vm: Vm, change: VmChange) -> None:
    """Put the new list in place: a card keeps MAC and address when it stays on its network."""
    old = {nic.index: nic for nic in vm.nics}
    networks.release_inner(world, vapp, vm)
    fresh = []
    for wanted in change.nics or []:
        before = old.get(wanted.index)
        same = before is not None and (before.network, before.mode) == (wanted.network, wanted.mode)
        mac = wanted.mac or (before.mac if before is not None else "") or world.new_mac()
        ip = before.ip if before is not None and same and wanted.mode in ("POOL", "DHCP") else wanted.ip
        external = before.external_ip if before is not None and same else None
        fresh.append(replace(wanted, mac=mac, ip=ip, external_ip=external))
    vm.nics = fresh
    if change.primary_nic is not None:
        vm.primary_nic = change.primary_nic
    networks.connect(world, vapp, vm)
    if vm.is_deployed:
        networks.deploy(world, vapp, vm)


def _move_disks(vm: Vm, profile_id: str) -> None:
    """Put the VM on another storage profile, with the disks that were on its own."""
    for disk in vm.disks:
        if disk.storage_profile_id == vm.storage_profile_id and disk.independent_id is None:
            disk.storage_profile_id = profile_id
    vm.storage_profile_id = profile_id


@effect("reconfigure")
def _reconfigured(world: World, task: Task) -> None:
    change: VmChange = decode(VmChange, task.args["change"])
    vm = world.vms[task.owner_id]
    apply(world, world.vapps[vm.container_id], vm, change)


def apply(world: World, vapp: VApp, vm: Vm, change: VmChange) -> None:
    """Make a checked change."""
    if change.nics is not None:
        _swap_cards(world, vapp, vm, change)
    if change.disks is not None:
        vm.disks = _new_disks(vm, change.disks)
    if change.name is not None and vm.name in vapp.startup:
        vapp.startup[change.name] = vapp.startup.pop(vm.name)
    for key in ("name", "description", "cpu_count", "cores_per_socket", "memory_mb", "cpu_hot_add", "memory_hot_add"):
        value = getattr(change, key)
        if value is not None:
            setattr(vm, key, value)
    if change.storage_profile_id is not None:
        _move_disks(vm, change.storage_profile_id)
    if change.os_type is not None:
        vm.os_type, vm.guest_os = change.os_type, change.guest_os or vm.guest_os
    if change.customization is not None:
        vm.customization = change.customization
        vm.customization.fill_password()
        # Settings that come before the first boot are applied by it; later ones wait for `forceCustomization`.
        vm.needs_customization = vm.customization.enabled and vm.customized_count == 0
