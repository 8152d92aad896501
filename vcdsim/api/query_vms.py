"""Attributes of VM and vApp records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vcdsim import leases, networks, rights, tasks
from vcdsim.api.query_columns import Column, constant, date, milliseconds, own, owner_name, plain
from vcdsim.api.query_filter import Value
from vcdsim.entities import Nic, Task, Template, VApp, Vm
from vcdsim.people import User
from vcdsim.world import World, vapp_status, vm_status

_STATUS_WORDS = {
    -1: "FAILED_CREATION",
    0: "UNRESOLVED",
    1: "RESOLVED",
    3: "SUSPENDED",
    4: "POWERED_ON",
    8: "POWERED_OFF",
    10: "MIXED",
}


def _container(world: World, vm: Vm) -> VApp | Template:
    return world.templates[vm.container_id] if vm.is_template else world.vapps[vm.container_id]


def _primary(vm: Vm) -> Nic | None:
    for nic in vm.nics:
        if nic.index == vm.primary_nic:
            return nic
    return None


def _primary_ip(vm: Vm) -> Value:
    nic = _primary(vm)
    return nic.ip if nic is not None else None


def _primary_network(vm: Vm) -> Value:
    nic = _primary(vm)
    return nic.network if nic is not None else None


def _network_id(world: World, vm: Vm) -> Value:
    nic = _primary(vm)
    if nic is None or vm.is_template:
        return None
    network = networks.network_named(world.vapps[vm.container_id], nic.network)
    return network.id if network is not None else None


def _catalog_name(world: World, vm: Vm) -> Value:
    return world.catalogs[world.templates[vm.container_id].catalog_id].name if vm.is_template else None


def _last(world: World, owner: Vm | VApp) -> Task | None:
    return world.tasks.get(owner.last_task_id) if owner.last_task_id else None


def _of_last(get: Callable[[Task], Value]) -> Callable[[World, Any], Value]:
    def column(world: World, owner: Vm | VApp) -> Value:
        task = _last(world, owner)
        return get(task) if task is not None else None

    return column


def _is_busy(world: World, vm: Vm) -> bool:
    return not vm.is_template and tasks.is_busy_vm(world, vm)


def visible_vms(world: World, user: User) -> list[Vm]:
    """VMs of the user's vApps, then those of the templates the user may instantiate."""
    org_id = user.org_id
    own = list(world.vms.values()) if world.sees_all(user) else [vm for vm in world.vms.values() if vm.org_id == org_id]
    if rights.is_limited(user):
        own = [vm for vm in own if world.may_see(user, world.vapps[vm.container_id])]
    templates = world.visible_templates(user)
    return own + [world.template_vms[vm_id] for template in templates for vm_id in template.vm_ids]


def _runtime_end(world: World, vapp: VApp) -> Value:
    return milliseconds(leases.runtime_end(world, vapp))


def _vapp_sum(get: Callable[[Vm], int]) -> Callable[[World, VApp], int]:
    return lambda world, vapp: sum(get(vm) for vm in world.vms_of(vapp))


def _disk_mb(vm: Vm) -> int:
    return sum(disk.size_mb for disk in vm.disks)


_TASK_COLUMNS = {
    "task": Column(_of_last(lambda task: task.id), kind="task"),
    "taskStatus": Column(_of_last(lambda task: task.status)),
    "taskStatusName": Column(_of_last(lambda task: task.operation_name)),
    "taskDetails": Column(_of_last(lambda task: f"  {task.error.message}" if task.error else " ")),
}

VM = {
    "name": plain("name"),
    "containerName": Column(lambda world, vm: _container(world, vm).name),
    "container": Column(lambda _, vm: vm.container_id, kind=lambda vm: "vapptemplate" if vm.is_template else "vapp"),
    "ownerName": Column(lambda world, vm: owner_name(world, _container(world, vm)), (5, 7)),
    "owner": Column(lambda world, vm: _container(world, vm).owner_id, (5, 7), "user"),
    "vdc": plain("vdc_id", kind="vdc"),
    "isVAppTemplate": plain("is_template"),
    "isDeleted": Column(constant(False)),
    "guestOs": plain("guest_os"),
    "numberOfCpus": plain("cpu_count"),
    "memoryMB": plain("memory_mb"),
    "status": own(lambda vm: _STATUS_WORDS[vm_status(vm)]),
    "networkName": own(_primary_network),
    "network": Column(_network_id, (5, 7), "network"),
    "ipAddress": own(_primary_ip, (5, 7)),
    "isBusy": Column(_is_busy),
    "isDeployed": plain("is_deployed"),
    "isPublished": plain("is_template"),
    "catalogName": Column(_catalog_name),
    "hardwareVersion": plain("hardware_version"),
    "vmToolsStatus": Column(constant("TOOLS_OK"), (29, 0)),
    "isInMaintenanceMode": Column(constant(False)),
    "isAutoNature": Column(lambda world, vm: getattr(_container(world, vm), "is_auto", False), (22, 0)),
    "storageProfileName": Column(lambda world, vm: world.storage_profiles[vm.storage_profile_id].name, (5, 1)),
    "gcStatus": plain("gc_status", (13, 0)),
    "snapshot": own(lambda vm: vm.snapshot is not None, (31, 0)),
    "vappScopedLocalId": plain("local_id", (33, 0)),
    "description": plain("description", (34, 0)),
    "encrypted": Column(constant(False), (34, 0)),
    "dateCreated": date("created_at", (34, 0)),
    "totalStorageAllocatedMb": own(_disk_mb, (34, 0)),
    "isExpired": Column(lambda world, vm: getattr(_container(world, vm), "is_expired", False), (34, 0)),
    "vdcName": Column(lambda world, vm: world.vdcs[vm.vdc_id].name, (35, 0)),
    "detectedGuestOs": plain("guest_os", (36, 2)),
    "numOfSnapshots": own(lambda vm: int(vm.snapshot is not None), (39, 0)),
    "vmToolsVersion": Column(constant(12352)),
    "isVdcEnabled": Column(lambda world, vm: world.vdcs[vm.vdc_id].is_enabled),
    **_TASK_COLUMNS,
}
_NOT_FOR_ADMIN = (
    "owner",
    "ownerName",
    "network",
    "isBusy",
    "isInMaintenanceMode",
    "snapshot",
    "vmToolsStatus",
    "totalStorageAllocatedMb",
    "numOfSnapshots",
)
ADMIN_VM = {
    **{key: column for key, column in VM.items() if key not in _NOT_FOR_ADMIN},
    "ipAddress": own(_primary_ip, (33, 0)),
    "org": plain("org_id", kind="org"),
    "hostName": Column(constant("esx-1.vcdsim")),
    "datastoreName": Column(constant("datastore-1")),
}
VAPP = {
    "name": plain("name"),
    "vdc": plain("vdc_id", kind="vdc"),
    "vdcName": Column(lambda world, vapp: world.vdcs[vapp.vdc_id].name),
    "isPublic": Column(constant(False)),
    "isEnabled": Column(constant(True)),
    "isBusy": Column(tasks.is_busy_vapp),
    "creationDate": date("created_at"),
    "status": Column(lambda world, vapp: _STATUS_WORDS[vapp_status(vapp, world.vms_of(vapp))]),
    "ownerName": Column(owner_name),
    "isDeployed": Column(lambda world, vapp: any(vm.is_deployed for vm in world.vms_of(vapp))),
    "isInMaintenanceMode": Column(constant(False)),
    "isAutoNature": plain("is_auto", (22, 0)),
    "isExpired": plain("is_expired", (5, 1)),
    "autoUndeployDate": Column(_runtime_end),
    "isAutoDeleteNotified": plain("is_expired"),
    "snapshot": Column(lambda world, vapp: any(vm.snapshot for vm in world.vms_of(vapp)), (31, 0)),
    "description": plain("description", (34, 0)),
    "totalStorageAllocatedMb": Column(_vapp_sum(_disk_mb), (34, 0)),
    "numberOfVMs": own(lambda vapp: len(vapp.vm_ids)),
    "numberOfCpus": Column(_vapp_sum(lambda vm: vm.cpu_count)),
    "memoryAllocationMB": Column(_vapp_sum(lambda vm: vm.memory_mb)),
    "storageKB": Column(_vapp_sum(lambda vm: _disk_mb(vm) * 1024)),
    **_TASK_COLUMNS,
}
