"""Snapshots: a VM has at most one; a new one replaces it; a vApp's snapshot is that of its VMs."""

from __future__ import annotations

from dataclasses import replace

from vcdsim.entities import OFF, ON, Snapshot, Task, VApp, Vm
from vcdsim.people import User
from vcdsim.refusals import RefusalError
from vcdsim.tasks import effect, require_idle_vapp, require_idle_vm, start
from vcdsim.world import World

_OPERATIONS = {
    "create": "vappCreateSnapshot",
    "revert": "vappRevertToCurrentSnapshot",
    "remove": "vappRemoveAllSnapshots",
}


def request(world: World, actor: User, owner: Vm | VApp, verb: str, *, memory: bool = False) -> Task:
    """Start `create` (with what running guests have in memory, if wanted), `revert` or `remove`."""
    vms = [owner] if isinstance(owner, Vm) else world.vms_of(owner)
    if isinstance(owner, Vm):
        require_idle_vm(world, owner)
    else:
        require_idle_vapp(world, owner)
    if verb == "revert" and not any(vm.snapshot for vm in vms):
        label = "VM" if isinstance(owner, Vm) else "vApp"
        raise RefusalError(f'{label} "{owner.name}" does not have a snapshot.')
    return start(world, actor, owner, _OPERATIONS[verb], "snapshot", args={"verb": verb, "memory": memory})


def _create(world: World, vm: Vm, *, memory: bool) -> None:
    vm.snapshot = Snapshot(
        created_at=world.now(),
        is_powered_on=vm.power == ON,
        size_bytes=sum(disk.size_mb for disk in vm.disks) * 2**20,
        cpu_count=vm.cpu_count,
        memory_mb=vm.memory_mb,
        disks=[replace(disk) for disk in vm.disks],
        has_memory=memory and vm.power == ON,
    )


def _revert(vm: Vm) -> None:
    if vm.snapshot is not None:
        vm.cpu_count, vm.memory_mb = vm.snapshot.cpu_count, vm.snapshot.memory_mb
        vm.disks = [replace(disk) for disk in vm.snapshot.disks]
        vm.power = ON if vm.snapshot.has_memory else OFF


@effect("snapshot")
def _done(world: World, task: Task) -> None:
    vms = [world.vms[task.owner_id]] if task.owner_kind == "vm" else world.vms_of(world.vapps[task.owner_id])
    for vm in vms:
        if task.args["verb"] == "create":
            _create(world, vm, memory=task.args["memory"])
        elif task.args["verb"] == "revert":
            _revert(vm)
        else:
            vm.snapshot = None
