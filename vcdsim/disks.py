"""Independent disks: made, grown and deleted on their own, attached to one VM at a time."""

from __future__ import annotations

from vcdsim.entities import Disk, IndependentDisk, Task, Vdc, Vm
from vcdsim.people import User
from vcdsim.refusals import RefusalError, storage_quota
from vcdsim.tasks import effect, require_idle, rollback, start
from vcdsim.vapps import check_length
from vcdsim.world import World

MOST_MB = 64 * 2**20
_BUS_TYPES = {"5": 5, "6": 6, "20": 20}


def create(world: World, actor: User, vdc: Vdc, disk: IndependentDisk) -> Task:
    """Accept a new disk; it takes its space at once and is usable when the task is done."""
    if not vdc.is_enabled:
        raise RefusalError(f'The VDC "{vdc.name}" is disabled.')
    check_length(disk.name)
    if disk.storage_profile_id not in vdc.storage_profile_ids:
        raise RefusalError("Cannot find the VDC storage policy.")
    if disk.bus_type not in _BUS_TYPES:
        raise RefusalError(f'The bus type "{disk.bus_type}" is not valid.')
    _check_size(world, disk, 0, disk.size_mb)
    world.disks[disk.id] = disk
    return start(world, actor, disk, "vdcCreateDisk", "create_disk")


def update(world: World, actor: User, disk: IndependentDisk, *, name: str, description: str, size_mb: int) -> Task:
    """Rename, describe, grow; only while it is attached to nothing."""
    require_idle(world, disk)
    _require_detached(world, disk)
    check_length(name)
    if size_mb < disk.size_mb:
        raise RefusalError(f"The size of the disk cannot be reduced from {disk.size_mb} MB to {size_mb} MB.")
    _check_size(world, disk, disk.size_mb, size_mb)
    args = {"name": name, "description": description, "size_mb": size_mb}
    return start(world, actor, disk, "vdcUpdateDisk", "update_disk", args=args)


def delete(world: World, actor: User, disk: IndependentDisk) -> Task:
    """Delete a disk that is attached to nothing."""
    require_idle(world, disk)
    _require_detached(world, disk)
    return start(world, actor, disk, "vdcDeleteDisk", "delete_disk")


def attach(world: World, actor: User, vm: Vm, disk: IndependentDisk, *, bus: int | None, unit: int | None) -> Task:
    """Attach the disk to a VM of its VDC, at a free place unless one is named."""
    require_idle(world, vm)
    require_idle(world, disk)
    _require_detached(world, disk)
    if disk.vdc_id != vm.vdc_id:
        raise RefusalError(f'The disk "{disk.name}" is not in the VDC of VM "{vm.name}".')
    if vm.snapshot is not None:
        raise RefusalError(f'A disk cannot be attached to VM "{vm.name}" because it has a snapshot.')
    taken = {(one.bus_number, one.unit_number) for one in vm.disks if one.bus_type == _BUS_TYPES[disk.bus_type]}
    bus = bus or 0
    free = next((number for number in range(64) if number != 7 and (bus, number) not in taken), None)
    unit = free if unit is None else unit
    if unit is None or (bus, unit) in taken or not 0 <= bus <= 3 or not 0 <= unit <= 63:
        raise RefusalError("The bus and unit number are in use or not valid.", minor_code="VIM_INVALID_DISK_PARAMETERS")
    args = {"disk": disk.id, "bus": bus, "unit": unit}
    return start(world, actor, vm, "vappAttachDisk", "attach_disk", args=args)


def detach(world: World, actor: User, vm: Vm, disk: IndependentDisk) -> Task:
    """Take the disk off the VM."""
    require_idle(world, vm)
    if disk.vm_id != vm.id:
        raise RefusalError(f'The disk "{disk.name}" is not attached to VM "{vm.name}".')
    return start(world, actor, vm, "vappDetachDisk", "detach_disk", args={"disk": disk.id})


def attached_vms(world: World, disk: IndependentDisk) -> list[Vm]:
    """The VM that has it, if any."""
    return [world.vms[disk.vm_id]] if disk.vm_id is not None else []


def _require_detached(world: World, disk: IndependentDisk) -> None:
    for vm in attached_vms(world, disk):
        raise RefusalError(
            f'The requested operation could not be executed on disk "{disk.name}" because it is attached to VM '
            f'"{vm.name}".'
        )


def _check_size(world: World, disk: IndependentDisk, before_mb: int, size_mb: int) -> None:
    if not 1 <= size_mb <= MOST_MB:
        raise RefusalError("The size of the disk is not valid.", minor_code="VIM_INVALID_DISK_PARAMETERS")
    profile = world.storage_profiles[disk.storage_profile_id]
    if profile.limit_mb and world.storage_used_mb(profile) + size_mb - before_mb > profile.limit_mb:
        raise storage_quota()


@effect("create_disk")
def _created(world: World, task: Task) -> None:
    world.disks[task.owner_id].is_resolved = True


@rollback("create_disk")
@effect("delete_disk")
def _deleted(world: World, task: Task) -> None:
    world.disks.pop(task.owner_id, None)


@effect("update_disk")
def _updated(world: World, task: Task) -> None:
    disk = world.disks[task.owner_id]
    disk.name, disk.description, disk.size_mb = (task.args[key] for key in ("name", "description", "size_mb"))


@effect("attach_disk")
def _attached(world: World, task: Task) -> None:
    vm, disk = world.vms[task.owner_id], world.disks[task.args["disk"]]
    _require_detached(world, disk)
    vm.disks.append(
        Disk(
            instance_id=1 + max([1999, *(one.instance_id for one in vm.disks)]),
            size_mb=disk.size_mb,
            storage_profile_id=disk.storage_profile_id,
            bus_type=_BUS_TYPES[disk.bus_type],
            bus_sub_type=disk.bus_sub_type,
            bus_number=task.args["bus"],
            unit_number=task.args["unit"],
            independent_id=disk.id,
        )
    )
    disk.vm_id = vm.id


@effect("detach_disk")
def _detached(world: World, task: Task) -> None:
    vm, disk = world.vms[task.owner_id], world.disks[task.args["disk"]]
    vm.disks = [one for one in vm.disks if one.independent_id != disk.id]
    disk.vm_id = None
