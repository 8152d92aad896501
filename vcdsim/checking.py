"""Whether a world read from outside hangs together, so that no later request trips over it.

Types are the matter of `codec`; here it is ids that point to nothing, words vCloud does not know,
numbers no machine has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vcdsim import networks, tasks
from vcdsim.entities import OFF, ON, SUSPENDED, Task, VApp, Vm
from vcdsim.refusals import RefusalError
from vcdsim.rights import LEVELS
from vcdsim.world import World

_OWNED = {"org_id": "orgs", "owner_id": "users"}
_PLACED = {"vdc_id": "vdcs", **_OWNED}
#: Collection of the world, field of its records (an id, a list of ids or None), collection it points to.
_REFERENCES: dict[str, dict[str, str]] = {
    "users": {"org_id": "orgs"},
    "vdcs": {
        "org_id": "orgs",
        "storage_profile_ids": "storage_profiles",
        "network_ids": "networks",
        "vapp_ids": "vapps",
        "template_ids": "templates",
    },
    "storage_profiles": {"vdc_id": "vdcs"},
    "networks": {"vdc_id": "vdcs", "org_id": "orgs"},
    "catalogs": {**_OWNED, "template_ids": "templates"},
    "templates": {**_PLACED, "catalog_id": "catalogs", "vm_ids": "template_vms"},
    "media": {**_PLACED, "catalog_id": "catalogs", "vm_ids": "vms"},
    "vapps": {**_PLACED, "vm_ids": "vms"},
    "vms": {"vdc_id": "vdcs", "org_id": "orgs", "container_id": "vapps", "storage_profile_id": "storage_profiles"},
    "template_vms": {"vdc_id": "vdcs", "org_id": "orgs", "container_id": "templates"},
    "disks": {**_PLACED, "storage_profile_id": "storage_profiles", "vm_id": "vms"},
    "api_tokens": {"user_id": "users"},
    "tasks": {"org_id": "orgs", "user_id": "users"},
}
_POWERS = (OFF, ON, SUSPENDED)
_FENCES = ("bridged", "isolated", "natRouted")
_MODES = ("POOL", "DHCP", "MANUAL", "NONE")
_STATUSES = ("queued", "preRunning", "running", "success", "error", "canceled", "aborted")
#: Until the year 5138: what a date can still be written of.
_LAST_MOMENT_S = 1e11


def check_world(world: World) -> None:
    """ValueError with the first thing that is wrong."""
    for collection, wrong in _faults(world):
        raise ValueError(f"{collection}: {wrong}")


def _faults(world: World) -> Iterator[tuple[str, str]]:
    for collection, references in _REFERENCES.items():
        for key, record in getattr(world, collection).items():
            if key != record.id:
                yield collection, f"{record.id} stands under {key}"
            for field, target in references.items():
                for missing in _dangling(getattr(record, field), getattr(world, target)):
                    yield collection, f"{field} of {key} names {missing}, which is not among the {target}"
            for name in ("created_at", "runs_at", "ends_at"):
                if not 0 <= getattr(record, name, 0) < _LAST_MOMENT_S:
                    yield collection, f"{name} of {key} is no moment"
    for vdc in world.vdcs.values():
        if not vdc.storage_profile_ids:
            yield "vdcs", f"{vdc.id} has no storage profile"
    yield from (("vms", wrong) for vm in world.vms.values() for wrong in _vm_faults(world, vm))
    yield from (("template_vms", wrong) for vm in world.template_vms.values() for wrong in _machine_faults(vm))
    yield from (("vapps", wrong) for vapp in world.vapps.values() for wrong in _vapp_faults(world, vapp))
    yield from (("tasks", wrong) for task in world.tasks.values() for wrong in _task_faults(world, task))
    for owner in (*world.networks.values(), *(one for vapp in world.vapps.values() for one in vapp.networks)):
        yield from (("networks", wrong) for wrong in _network_faults(owner))


def _dangling(value: Any, target: dict[str, Any]) -> list[str]:
    ids = value if isinstance(value, list) else [] if value is None else [value]
    return [one for one in ids if one not in target]


def _vm_faults(world: World, vm: Vm) -> Iterator[str]:
    yield from _machine_faults(vm)
    if vm.id not in world.vapps[vm.container_id].vm_ids:
        yield f"{vm.id} is not among the VMs of its vApp"
    for disk in vm.disks:
        if disk.storage_profile_id not in world.storage_profiles:
            yield f"a disk of {vm.id} is on a storage profile that is not there"
        if disk.independent_id is not None and disk.independent_id not in world.disks:
            yield f"a disk of {vm.id} is an independent disk that is not there"


def _machine_faults(vm: Vm) -> Iterator[str]:
    yield from _unknown(vm.id, "power", vm.power, _POWERS)
    if min(vm.cpu_count, vm.cores_per_socket, vm.memory_mb) < 1:
        yield f"{vm.id} has no processor, no core or no memory"
    for nic in vm.nics:
        yield from _unknown(vm.id, "mode", nic.mode, _MODES)
    for disk in vm.disks:
        yield from _unknown(vm.id, "bus_type", str(disk.bus_type), ("5", "6", "20"))


def _vapp_faults(world: World, vapp: VApp) -> Iterator[str]:
    yield from _unknown(vapp.id, "creation", vapp.creation, ("creating", "done", "failed"))
    for network in vapp.networks:
        for missing in _dangling(network.parent_id, world.networks):
            yield f"a network of {vapp.id} has the parent {missing}, which is not there"
    if vapp.access is not None:
        for level in (vapp.access.everyone, *vapp.access.users.values()):
            yield from _unknown(vapp.id, "access", level, (None, *LEVELS))


def _network_faults(network: Any) -> Iterator[str]:
    yield from _unknown(network.id, "fence_mode", network.fence_mode, _FENCES)
    try:
        networks.check_scope(network.scope)
    except RefusalError as refusal:
        yield f"{network.id}: {refusal.message}"


def _task_faults(world: World, task: Task) -> Iterator[str]:
    yield from _unknown(task.id, "status", task.status, _STATUSES)
    if not task.is_final and not tasks.is_workable(world, task):
        yield f"{task.id} is not finished, and there is nothing it could work on"


def _unknown(entity_id: str, field: str, value: object, known: tuple[object, ...]) -> Iterator[str]:
    if value not in known:
        yield f"{field} of {entity_id} is {value!r}"
