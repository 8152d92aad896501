"""Attributes of the records of independent disks and of what they are attached to."""

from __future__ import annotations

from collections.abc import Iterable

from vcdsim.api.query_columns import Column, constant, owner_name, plain
from vcdsim.entities import IndependentDisk
from vcdsim.people import User
from vcdsim.world import World

_BUS_NAMES = {"5": "IDE", "6": "SCSI", "20": "SATA"}

DISK = {
    "name": plain("name"),
    "vdc": plain("vdc_id", kind="vdc"),
    "sizeB": Column(lambda _, disk: disk.size_mb * 2**20),
    "sizeMb": plain("size_mb", (33, 0)),
    "datastoreName": Column(constant("datastore-1")),
    "ownerName": Column(owner_name),
    "vdcName": Column(lambda world, disk: world.vdcs[disk.vdc_id].name),
    "task": Column(lambda world, disk: disk.last_task_id if disk.last_task_id in world.tasks else None, kind="task"),
    "storageProfile": plain("storage_profile_id", kind="vdcstorageProfile"),
    "storageProfileName": Column(lambda world, disk: world.storage_profiles[disk.storage_profile_id].name),
    "status": Column(lambda _, disk: "RESOLVED" if disk.is_resolved else "UNRESOLVED"),
    "busType": plain("bus_type"),
    "busTypeDesc": Column(lambda _, disk: _BUS_NAMES[disk.bus_type]),
    "busSubType": plain("bus_sub_type"),
    "isAttached": Column(lambda _, disk: disk.vm_id is not None),
    "description": plain("description", (31, 0)),
    "attachedVmCount": Column(lambda _, disk: int(disk.vm_id is not None), (31, 0)),
    "isShareable": Column(constant(False), (35, 0)),
    "sharingType": Column(constant("None"), (35, 0)),
    "uuid": plain("id", (36, 0)),
}
ADMIN_DISK = {
    **{key: column for key, column in DISK.items() if column.since == (1, 5)},
    "org": plain("org_id", kind="org"),
}
RELATION = {
    "vdc": plain("vdc_id", kind="vdc"),
    "disk": plain("id", kind="disk"),
    "vm": plain("vm_id", kind="vm"),
}


def attached_disks(world: World, user: User) -> Iterable[IndependentDisk]:
    """One row for each disk that is attached: it has one VM at most."""
    everything = world.sees_all(user)
    for disk in world.disks.values():
        if disk.vm_id is not None and (everything or disk.org_id == user.org_id):
            yield disk
