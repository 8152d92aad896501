"""What each query type answers: its rows, its attributes and since which API version they exist.

A getter of a plain attribute gives a value; one of a reference gives the bare id, which becomes
an href (`records`) or a urn (`idrecords`). Values are made when asked for, row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from vcdsim import networks, tasks
from vcdsim.api.context import moment
from vcdsim.api.query_filter import Value
from vcdsim.api.tasks import operation_text
from vcdsim.api.version import Version
from vcdsim.entities import Catalog, Org, StorageProfile, Task, Template, User, VApp, Vm
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


@dataclass(frozen=True)
class Column:
    """One attribute: `get` is called with (world, row); `kind` makes it a reference."""

    get: Callable[[World, Any], Value]
    since: Version = (1, 5)
    kind: str | Callable[[Any], str] | None = None


@dataclass(frozen=True)
class QueryType:
    """One value of `?type=`. `element` is the record's name without the ending `Record`."""

    element: str
    rows: Callable[[World, User], Iterable[Any]]
    kind: Callable[[Any], str]
    columns: dict[str, Column]
    row_id: Callable[[Any], str] = lambda row: str(row.id)


def _container(world: World, vm: Vm) -> VApp | Template:
    return world.templates[vm.container_id] if vm.is_template else world.vapps[vm.container_id]


def _primary(vm: Vm) -> Any:
    return next((nic for nic in vm.nics if nic.index == vm.primary_nic), None)


def _primary_ip(world: World, vm: Vm) -> Value:
    nic = _primary(vm)
    return nic.ip if nic else None


def _primary_network(world: World, vm: Vm) -> Value:
    nic = _primary(vm)
    return nic.network if nic else None


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


def _visible_vms(world: World, user: User) -> Iterable[Vm]:
    everything = world.sees_all(user)
    for vm in world.vms.values():
        if everything or vm.org_id == user.org_id:
            yield vm
    for template in world.visible_templates(user):
        for vm_id in template.vm_ids:
            yield world.template_vms[vm_id]


def _own(name: str) -> Callable[[World, User], Iterable[Any]]:
    """Rows of one of the world's dictionaries that belong to the user's organization."""

    def rows(world: World, user: User) -> Iterable[Any]:
        everything = world.sees_all(user)
        return (row for row in getattr(world, name).values() if everything or row.org_id == user.org_id)

    return rows


def _profiles(world: World, user: User) -> Iterable[StorageProfile]:
    everything = world.sees_all(user)
    for profile in world.storage_profiles.values():
        if everything or world.vdcs[profile.vdc_id].org_id == user.org_id:
            yield profile


def _vapp_sum(get: Callable[[Vm], int]) -> Callable[[World, VApp], int]:
    return lambda world, vapp: sum(get(vm) for vm in world.vms_of(vapp))


def _disk_mb(vm: Vm) -> int:
    return sum(disk.size_mb for disk in vm.disks)


def _owner_name(world: World, row: Any) -> str:
    return world.users[row.owner_id].name


def _constant(value: Value) -> Callable[[World, Any], Value]:
    return lambda world, row: value


_TASK_COLUMNS = {
    "task": Column(_of_last(lambda task: task.id), kind="task"),
    "taskStatus": Column(_of_last(lambda task: task.status)),
    "taskStatusName": Column(_of_last(lambda task: task.operation_name)),
    "taskDetails": Column(_of_last(lambda task: f"  {task.error.message}" if task.error else " ")),
}

_VM = {
    "name": Column(lambda world, vm: vm.name),
    "containerName": Column(lambda world, vm: _container(world, vm).name),
    "container": Column(
        lambda world, vm: vm.container_id, kind=lambda vm: "vapptemplate" if vm.is_template else "vapp"
    ),
    "ownerName": Column(lambda world, vm: _owner_name(world, _container(world, vm)), (5, 7)),
    "owner": Column(lambda world, vm: _container(world, vm).owner_id, (5, 7), "user"),
    "vdc": Column(lambda world, vm: vm.vdc_id, kind="vdc"),
    "isVAppTemplate": Column(lambda world, vm: vm.is_template),
    "isDeleted": Column(_constant(False)),
    "guestOs": Column(lambda world, vm: vm.guest_os),
    "numberOfCpus": Column(lambda world, vm: vm.cpu_count),
    "memoryMB": Column(lambda world, vm: vm.memory_mb),
    "status": Column(lambda world, vm: _STATUS_WORDS[vm_status(vm)]),
    "networkName": Column(_primary_network),
    "network": Column(_network_id, (5, 7), "network"),
    "ipAddress": Column(_primary_ip, (5, 7)),
    "isBusy": Column(_is_busy),
    "isDeployed": Column(lambda world, vm: vm.is_deployed),
    "isPublished": Column(lambda world, vm: vm.is_template),
    "catalogName": Column(_catalog_name),
    "hardwareVersion": Column(lambda world, vm: vm.hardware_version),
    "vmToolsStatus": Column(_constant("TOOLS_OK"), (29, 0)),
    "isInMaintenanceMode": Column(_constant(False)),
    "isAutoNature": Column(_constant(False), (22, 0)),
    "storageProfileName": Column(lambda world, vm: world.storage_profiles[vm.storage_profile_id].name, (5, 1)),
    "gcStatus": Column(lambda world, vm: vm.gc_status, (13, 0)),
    "snapshot": Column(lambda world, vm: vm.snapshot is not None, (31, 0)),
    "vappScopedLocalId": Column(lambda world, vm: vm.local_id, (33, 0)),
    "description": Column(lambda world, vm: vm.description, (34, 0)),
    "encrypted": Column(_constant(False), (34, 0)),
    "dateCreated": Column(lambda world, vm: moment(vm.created_at), (34, 0)),
    "totalStorageAllocatedMb": Column(lambda world, vm: _disk_mb(vm), (34, 0)),
    "isExpired": Column(_constant(False), (34, 0)),
    "vdcName": Column(lambda world, vm: world.vdcs[vm.vdc_id].name, (35, 0)),
    "detectedGuestOs": Column(lambda world, vm: vm.guest_os, (36, 2)),
    "numOfSnapshots": Column(lambda world, vm: int(vm.snapshot is not None), (39, 0)),
    "vmToolsVersion": Column(_constant(12352)),
    "isVdcEnabled": Column(lambda world, vm: world.vdcs[vm.vdc_id].is_enabled),
    **_TASK_COLUMNS,
}
_NOT_FOR_ADMIN = ("owner", "ownerName", "network", "isBusy", "isInMaintenanceMode", "snapshot", "vmToolsStatus")
_ADMIN_VM = {
    **{key: column for key, column in _VM.items() if key not in _NOT_FOR_ADMIN},
    "ipAddress": Column(_primary_ip, (33, 0)),
    "org": Column(lambda world, vm: vm.org_id, kind="org"),
    "hostName": Column(_constant("esx-1.vcdsim")),
    "datastoreName": Column(_constant("datastore-1")),
}
_VAPP = {
    "name": Column(lambda world, vapp: vapp.name),
    "vdc": Column(lambda world, vapp: vapp.vdc_id, kind="vdc"),
    "vdcName": Column(lambda world, vapp: world.vdcs[vapp.vdc_id].name),
    "isPublic": Column(_constant(False)),
    "isEnabled": Column(_constant(True)),
    "isBusy": Column(lambda world, vapp: tasks.is_busy_vapp(world, vapp)),
    "creationDate": Column(lambda world, vapp: moment(vapp.created_at)),
    "status": Column(lambda world, vapp: _STATUS_WORDS[vapp_status(vapp, world.vms_of(vapp))]),
    "ownerName": Column(_owner_name),
    "isDeployed": Column(lambda world, vapp: any(vm.is_deployed for vm in world.vms_of(vapp))),
    "isInMaintenanceMode": Column(_constant(False)),
    "isAutoNature": Column(_constant(False), (22, 0)),
    "isExpired": Column(_constant(False), (5, 1)),
    "snapshot": Column(lambda world, vapp: any(vm.snapshot for vm in world.vms_of(vapp)), (31, 0)),
    "description": Column(lambda world, vapp: vapp.description, (34, 0)),
    "totalStorageAllocatedMb": Column(_vapp_sum(_disk_mb), (34, 0)),
    "numberOfVMs": Column(lambda world, vapp: len(vapp.vm_ids)),
    "numberOfCpus": Column(_vapp_sum(lambda vm: vm.cpu_count)),
    "memoryAllocationMB": Column(_vapp_sum(lambda vm: vm.memory_mb)),
    "storageKB": Column(_vapp_sum(lambda vm: _disk_mb(vm) * 1024)),
    **_TASK_COLUMNS,
}
_TEMPLATE = {
    "ownerName": Column(_owner_name),
    "catalogName": Column(lambda world, one: world.catalogs[one.catalog_id].name),
    "isPublished": Column(lambda world, one: world.catalogs[one.catalog_id].is_public),
    "name": Column(lambda world, one: one.name),
    "description": Column(lambda world, one: one.description, (5, 7)),
    "vdc": Column(lambda world, one: one.vdc_id, kind="vdc"),
    "vdcName": Column(lambda world, one: world.vdcs[one.vdc_id].name),
    "org": Column(lambda world, one: one.org_id, kind="org"),
    "creationDate": Column(lambda world, one: moment(one.created_at)),
    "isBusy": Column(_constant(False)),
    "isGoldMaster": Column(_constant(False)),
    "isEnabled": Column(_constant(True)),
    "status": Column(_constant("RESOLVED")),
    "isDeployed": Column(_constant(False)),
    "isExpired": Column(_constant(False), (5, 1)),
    "storageProfileName": Column(lambda world, one: world.default_profile(world.vdcs[one.vdc_id]).name, (5, 1)),
    "version": Column(_constant(1), (30, 0)),
    "catalog": Column(lambda world, one: one.catalog_id, (37, 1), "catalog"),
}
_CATALOG = {
    "name": Column(lambda world, one: one.name),
    "description": Column(lambda world, one: one.description, (30, 0)),
    "isPublished": Column(lambda world, one: one.is_public),
    "isShared": Column(lambda world, one: one.is_public),
    "creationDate": Column(lambda world, one: moment(one.created_at)),
    "orgName": Column(lambda world, one: world.orgs[one.org_id].name),
    "ownerName": Column(_owner_name),
    "numberOfVAppTemplates": Column(lambda world, one: len(one.template_ids)),
    "numberOfMedia": Column(_constant(0)),
    "owner": Column(lambda world, one: one.owner_id, kind="user"),
    "version": Column(lambda world, one: len(one.template_ids), (30, 0)),
    "status": Column(_constant("READY"), (30, 0)),
    "isLocal": Column(_constant(True), (35, 0)),
}
_CATALOG_ITEM = {
    "entity": Column(lambda world, one: one.id, kind="vapptemplate"),
    "entityName": Column(lambda world, one: one.name),
    "entityType": Column(_constant("vapptemplate")),
    "catalog": Column(lambda world, one: one.catalog_id, kind="catalog"),
    "catalogName": Column(lambda world, one: world.catalogs[one.catalog_id].name),
    "ownerName": Column(_owner_name),
    "owner": Column(lambda world, one: one.owner_id, kind="user"),
    "isPublished": Column(lambda world, one: world.catalogs[one.catalog_id].is_public),
    "vdc": Column(lambda world, one: one.vdc_id, kind="vdc"),
    "vdcName": Column(lambda world, one: world.vdcs[one.vdc_id].name),
    "isVdcEnabled": Column(_constant(True)),
    "creationDate": Column(lambda world, one: moment(one.created_at)),
    "isExpired": Column(_constant(False)),
    "status": Column(_constant("RESOLVED")),
    "name": Column(lambda world, one: one.name),
}
_VDC = {
    "name": Column(lambda world, vdc: vdc.name),
    "description": Column(lambda world, vdc: vdc.description, (29, 0)),
    "isEnabled": Column(lambda world, vdc: vdc.is_enabled),
    "cpuAllocationMhz": Column(lambda world, vdc: vdc.cpu_limit_mhz),
    "cpuLimitMhz": Column(lambda world, vdc: vdc.cpu_limit_mhz),
    "cpuUsedMhz": Column(lambda world, vdc: world.compute_used(vdc)[0]),
    "cpuReservedMhz": Column(lambda world, vdc: vdc.cpu_limit_mhz // 2, (30, 0)),
    "memoryAllocationMB": Column(lambda world, vdc: vdc.memory_limit_mb),
    "memoryLimitMB": Column(lambda world, vdc: vdc.memory_limit_mb),
    "memoryUsedMB": Column(lambda world, vdc: world.compute_used(vdc)[1]),
    "memoryReservedMB": Column(lambda world, vdc: vdc.memory_limit_mb // 2, (30, 0)),
    "storageLimitMB": Column(lambda world, vdc: world.default_profile(vdc).limit_mb),
    "storageUsedMB": Column(lambda world, vdc: world.storage_used_mb(world.default_profile(vdc))),
    "orgName": Column(lambda world, vdc: world.orgs[vdc.org_id].name),
    "numberOfVApps": Column(lambda world, vdc: len(vdc.vapp_ids)),
    "numberOfMedia": Column(_constant(0)),
    "numberOfDisks": Column(_constant(0), (5, 1)),
    "numberOfVAppTemplates": Column(lambda world, vdc: len(vdc.template_ids)),
    "isBusy": Column(_constant(False)),
    "status": Column(_constant("READY")),
    "numberOfStorageProfiles": Column(lambda world, vdc: len(vdc.storage_profile_ids), (5, 1)),
    "numberOfVMs": Column(lambda world, vdc: len(world.vdc_vms(vdc)), (30, 0)),
}
_NETWORK = {
    "name": Column(lambda world, one: one.name),
    "defaultGateway": Column(lambda world, one: one.scope.gateway),
    "netmask": Column(lambda world, one: one.scope.netmask),
    "dns1": Column(lambda world, one: one.scope.dns1 or None),
    "dns2": Column(lambda world, one: one.scope.dns2 or None),
    "dnsSuffix": Column(lambda world, one: one.scope.dns_suffix or None),
    "linkType": Column(lambda world, one: {"bridged": 0, "natRouted": 1, "isolated": 2}[one.fence_mode]),
    "vdc": Column(lambda world, one: one.vdc_id, kind="vdc"),
    "isBusy": Column(_constant(False)),
    "isShared": Column(lambda world, one: one.is_shared),
    "vdcName": Column(lambda world, one: world.vdcs[one.vdc_id].name),
    "isIpScopeInherited": Column(_constant(False)),
    "usedIpCount": Column(lambda world, one: len(one.used), (29, 0)),
    "totalIpCount": Column(lambda world, one: networks.pool_size(one.scope), (29, 0)),
}
_PROFILE = {
    "name": Column(lambda world, one: one.name),
    "isEnabled": Column(_constant(True)),
    "isDefaultStorageProfile": Column(lambda world, one: one.is_default),
    "storageUsedMB": Column(lambda world, one: world.storage_used_mb(one)),
    "storageLimitMB": Column(lambda world, one: one.limit_mb),
    "numberOfConditions": Column(_constant(0)),
    "vdc": Column(lambda world, one: one.vdc_id, kind="vdc"),
    "vdcName": Column(lambda world, one: world.vdcs[one.vdc_id].name),
    "isVdcBusy": Column(_constant(False)),
}
_TASK = {
    "org": Column(lambda world, task: task.org_id, kind="org"),
    "orgName": Column(lambda world, task: world.orgs[task.org_id].name),
    "name": Column(lambda world, task: task.operation_name),
    "startDate": Column(lambda world, task: moment(task.created_at)),
    "endDate": Column(lambda world, task: None if task.finished_at is None else moment(task.finished_at)),
    "status": Column(lambda world, task: task.status),
    "progress": Column(lambda world, task: tasks.progress(task, world.now()), (9, 0)),
    "ownerName": Column(lambda world, task: world.users[task.user_id].name),
    "object": Column(lambda world, task: task.owner_id, kind=lambda task: str(task.owner_kind)),
    "objectType": Column(lambda world, task: task.owner_kind),
    "objectName": Column(lambda world, task: task.owner_name),
    "serviceNamespace": Column(_constant("com.vmware.vcloud"), (5, 1)),
    "operationFull": Column(lambda world, task: operation_text(task), (30, 0)),
    "message": Column(lambda world, task: task.error.message if task.error else None, (32, 0)),
}
_ORG = {
    "name": Column(lambda world, org: org.name),
    "isEnabled": Column(lambda world, org: org.is_enabled),
    "isReadOnly": Column(_constant(False)),
    "displayName": Column(lambda world, org: org.full_name),
}


def _catalogs(world: World, user: User) -> Iterable[Catalog]:
    return world.visible_catalogs(user)


def _templates(world: World, user: User) -> Iterable[Template]:
    return world.visible_templates(user)


def _orgs(world: World, user: User) -> Iterable[Org]:
    return world.visible_orgs(user)


def _vm_kind(vm: Vm) -> str:
    return "templatevm" if vm.is_template else "vm"


TYPES = {
    "vm": QueryType("VM", _visible_vms, _vm_kind, _VM),
    "adminVM": QueryType("AdminVM", _visible_vms, _vm_kind, _ADMIN_VM),
    "vApp": QueryType("VApp", _own("vapps"), lambda row: "vapp", _VAPP),
    "vAppTemplate": QueryType("VAppTemplate", _templates, lambda row: "vapptemplate", _TEMPLATE),
    "catalog": QueryType("Catalog", _catalogs, lambda row: "catalog", _CATALOG),
    "catalogItem": QueryType(
        "CatalogItem", _templates, lambda row: "catalogitem", _CATALOG_ITEM, lambda row: str(row.item_id)
    ),
    "orgVdc": QueryType("OrgVdc", _own("vdcs"), lambda row: "vdc", _VDC),
    "orgVdcNetwork": QueryType("OrgVdcNetwork", _own("networks"), lambda row: "network", _NETWORK),
    "orgVdcStorageProfile": QueryType("OrgVdcStorageProfile", _profiles, lambda row: "vdcstorageProfile", _PROFILE),
    "task": QueryType("Task", _own("tasks"), lambda row: "task", _TASK),
    "organization": QueryType("Org", _orgs, lambda row: "org", _ORG),
}
