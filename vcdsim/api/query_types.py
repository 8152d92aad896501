"""The query types and the attributes of all records but those of VMs and vApps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from vcdsim import networks, tasks
from vcdsim.administration import visible_roles
from vcdsim.api.query_admin import ADMIN_USER, ADMIN_VAPP, EVENT, ORG_NETWORK, USER, living_users
from vcdsim.api.query_columns import Column, QueryType, constant, date, owner_name, plain
from vcdsim.api.query_disks import ADMIN_DISK, DISK, RELATION, attached_disks
from vcdsim.api.query_media import ADMIN_MEDIA, MEDIA, item_kind
from vcdsim.api.query_networks import RELATION as NETWORK_RELATION
from vcdsim.api.query_networks import VAPP_NETWORK, connected, inner_networks
from vcdsim.api.query_provider import GATEWAY, PROVIDER_VDC
from vcdsim.api.query_vms import ADMIN_VM, VAPP, VM, visible_vms
from vcdsim.api.tasks import operation_text
from vcdsim.entities import StorageProfile, Vm
from vcdsim.people import User
from vcdsim.provider import visible_gateways, visible_provider_vdcs
from vcdsim.world import World


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


_TEMPLATE = {
    "ownerName": Column(owner_name),
    "catalogName": Column(lambda world, one: world.catalogs[one.catalog_id].name),
    "isPublished": Column(lambda world, one: world.catalogs[one.catalog_id].is_public),
    "name": plain("name"),
    "description": plain("description", (5, 7)),
    "vdc": plain("vdc_id", kind="vdc"),
    "vdcName": Column(lambda world, one: world.vdcs[one.vdc_id].name),
    "org": plain("org_id", kind="org"),
    "creationDate": date("created_at"),
    "isBusy": Column(constant(False)),
    "isGoldMaster": Column(constant(False)),
    "isEnabled": Column(constant(True)),
    "status": Column(constant("RESOLVED")),
    "isDeployed": Column(constant(False)),
    "isExpired": Column(constant(False), (5, 1)),
    "storageProfileName": Column(lambda world, one: world.default_profile(world.vdcs[one.vdc_id]).name, (5, 1)),
    "version": Column(constant(1), (30, 0)),
    "catalog": plain("catalog_id", (37, 1), "catalog"),
}
_CATALOG = {
    "name": plain("name"),
    "description": plain("description", (30, 0)),
    "isPublished": plain("is_public"),
    "isShared": plain("is_public"),
    "creationDate": date("created_at"),
    "orgName": Column(lambda world, one: world.orgs[one.org_id].name),
    "ownerName": Column(owner_name),
    "numberOfVAppTemplates": Column(lambda _, one: len(one.template_ids)),
    "numberOfMedia": Column(lambda world, one: len(world.items_of(one)) - len(one.template_ids)),
    "owner": plain("owner_id", kind="user"),
    "version": Column(lambda world, one: len(world.items_of(one)), (30, 0)),
    "status": Column(constant("READY"), (30, 0)),
    "isLocal": Column(constant(True), (35, 0)),
}
_CATALOG_ITEM = {
    "entity": Column(lambda _, one: one.id, kind=item_kind),
    "entityName": plain("name"),
    "entityType": Column(lambda _, one: item_kind(one)),
    "catalog": plain("catalog_id", kind="catalog"),
    "catalogName": Column(lambda world, one: world.catalogs[one.catalog_id].name),
    "ownerName": Column(owner_name),
    "owner": plain("owner_id", kind="user"),
    "isPublished": Column(lambda world, one: world.catalogs[one.catalog_id].is_public),
    "vdc": plain("vdc_id", kind="vdc"),
    "vdcName": Column(lambda world, one: world.vdcs[one.vdc_id].name),
    "isVdcEnabled": Column(constant(True)),
    "creationDate": date("created_at"),
    "isExpired": Column(constant(False)),
    "status": Column(constant("RESOLVED")),
    "name": plain("name"),
}
_VDC = {
    "name": plain("name"),
    "description": plain("description", (29, 0)),
    "isEnabled": plain("is_enabled"),
    "cpuAllocationMhz": plain("cpu_limit_mhz"),
    "cpuLimitMhz": plain("cpu_limit_mhz"),
    "cpuUsedMhz": Column(lambda world, vdc: world.compute_used(vdc)[0]),
    "cpuReservedMhz": Column(lambda _, vdc: vdc.cpu_limit_mhz // 2, (30, 0)),
    "memoryAllocationMB": plain("memory_limit_mb"),
    "memoryLimitMB": plain("memory_limit_mb"),
    "memoryUsedMB": Column(lambda world, vdc: world.compute_used(vdc)[1]),
    "memoryReservedMB": Column(lambda _, vdc: vdc.memory_limit_mb // 2, (30, 0)),
    "storageLimitMB": Column(lambda world, vdc: world.default_profile(vdc).limit_mb),
    "storageUsedMB": Column(lambda world, vdc: world.storage_used_mb(world.default_profile(vdc))),
    "orgName": Column(lambda world, vdc: world.orgs[vdc.org_id].name),
    "numberOfVApps": Column(lambda _, vdc: len(vdc.vapp_ids)),
    "numberOfMedia": Column(lambda world, vdc: sum(one.vdc_id == vdc.id for one in world.media.values())),
    "numberOfDisks": Column(lambda world, vdc: sum(one.vdc_id == vdc.id for one in world.disks.values()), (5, 1)),
    "numberOfVAppTemplates": Column(lambda _, vdc: len(vdc.template_ids)),
    "isBusy": Column(constant(False)),
    "status": Column(constant("READY")),
    "numberOfStorageProfiles": Column(lambda _, vdc: len(vdc.storage_profile_ids), (5, 1)),
    "numberOfVMs": Column(lambda world, vdc: len(world.vdc_vms(vdc)), (30, 0)),
}
_NETWORK = {
    "name": plain("name"),
    "defaultGateway": Column(lambda _, one: one.scope.gateway),
    "netmask": Column(lambda _, one: one.scope.netmask),
    "dns1": Column(lambda _, one: one.scope.dns1 or None),
    "dns2": Column(lambda _, one: one.scope.dns2 or None),
    "dnsSuffix": Column(lambda _, one: one.scope.dns_suffix or None),
    "linkType": Column(lambda _, one: {"bridged": 0, "natRouted": 1, "isolated": 2}[one.fence_mode]),
    "vdc": plain("vdc_id", kind="vdc"),
    "isBusy": Column(constant(False)),
    "isShared": plain("is_shared"),
    "vdcName": Column(lambda world, one: world.vdcs[one.vdc_id].name),
    "isIpScopeInherited": Column(constant(False)),
    "usedIpCount": Column(lambda _, one: len(one.used), (29, 0)),
    "totalIpCount": Column(lambda _, one: networks.pool_size(one.scope), (29, 0)),
}
_PROFILE = {
    "name": plain("name"),
    "isEnabled": Column(constant(True)),
    "isDefaultStorageProfile": plain("is_default"),
    "storageUsedMB": Column(lambda world, one: world.storage_used_mb(one)),
    "storageLimitMB": plain("limit_mb"),
    "numberOfConditions": Column(constant(0)),
    "vdc": plain("vdc_id", kind="vdc"),
    "vdcName": Column(lambda world, one: world.vdcs[one.vdc_id].name),
    "isVdcBusy": Column(constant(False)),
}
_TASK = {
    "org": plain("org_id", kind="org"),
    "orgName": Column(lambda world, task: world.orgs[task.org_id].name),
    "name": plain("operation_name"),
    "startDate": date("created_at"),
    "endDate": date("finished_at"),
    "status": plain("status"),
    "progress": Column(lambda world, task: tasks.progress(task, world.now()), (9, 0)),
    "ownerName": Column(lambda world, task: world.users[task.user_id].name),
    "object": Column(lambda _, task: task.owner_id, kind=lambda task: str(task.owner_kind)),
    "objectType": plain("owner_kind"),
    "objectName": plain("owner_name"),
    "serviceNamespace": Column(constant("com.vmware.vcloud"), (5, 1)),
    "operationFull": Column(lambda _, task: operation_text(task), (30, 0)),
    "message": Column(lambda _, task: task.error.message if task.error else None, (32, 0)),
}
_ORG = {
    "name": plain("name"),
    "isEnabled": plain("is_enabled"),
    "isReadOnly": Column(constant(False)),
    "displayName": plain("full_name"),
}


#: All roles are the provider's own, so no tenant may change one.
_ROLE = {"name": plain("name"), "isReadOnly": Column(constant(True))}
_GROUP = {"name": plain("name"), "roleName": plain("role")}
_ADMIN_PROFILE = {**_PROFILE, "org": Column(lambda world, one: world.vdcs[one.vdc_id].org_id, kind="org")}
_ADMIN_VDC = {**_VDC, "org": plain("org_id", kind="org")}
_ADMIN_TASK = {key: column for key, column in _TASK.items() if key != "message"}
_IN_ADMIN_CATALOG = (
    "name",
    "isPublished",
    "isShared",
    "creationDate",
    "orgName",
    "ownerName",
    "numberOfMedia",
    "owner",
)
_ADMIN_CATALOG = {
    **{key: _CATALOG[key] for key in _IN_ADMIN_CATALOG},
    "org": plain("org_id", kind="org"),
    "numberOfTemplates": Column(lambda _, one: len(one.template_ids)),
}


def _vm_kind(vm: Vm) -> str:
    return "templatevm" if vm.is_template else "vm"


TYPES = {
    "vm": QueryType("VM", visible_vms, _vm_kind, VM),
    "adminVM": QueryType("AdminVM", visible_vms, _vm_kind, ADMIN_VM, has_references=False),
    "vApp": QueryType("VApp", World.visible_vapps, "vapp", VAPP),
    "vAppTemplate": QueryType("VAppTemplate", World.visible_templates, "vapptemplate", _TEMPLATE),
    "catalog": QueryType("Catalog", World.visible_catalogs, "catalog", _CATALOG),
    "catalogItem": QueryType("CatalogItem", World.visible_items, "catalogitem", _CATALOG_ITEM, attrgetter("item_id")),
    "media": QueryType("Media", World.visible_media, "media", MEDIA),
    "adminMedia": QueryType("AdminMedia", World.visible_media, "media", ADMIN_MEDIA, has_references=False),
    "orgVdc": QueryType("OrgVdc", _own("vdcs"), "vdc", _VDC),
    "orgVdcNetwork": QueryType("OrgVdcNetwork", _own("networks"), "network", _NETWORK),
    "edgeGateway": QueryType("EdgeGateway", visible_gateways, "gateway", GATEWAY),
    "providerVdc": QueryType("VMWProviderVdc", visible_provider_vdcs, "providervdc", PROVIDER_VDC),
    "orgVdcStorageProfile": QueryType("OrgVdcStorageProfile", _profiles, "vdcstorageProfile", _PROFILE),
    "disk": QueryType("Disk", _own("disks"), "disk", DISK),
    "adminDisk": QueryType("AdminDisk", _own("disks"), "disk", ADMIN_DISK, has_references=False),
    "vmDiskRelation": QueryType("VmDiskRelation", attached_disks, "disk", RELATION, has_references=False),
    "task": QueryType("Task", _own("tasks"), "task", _TASK),
    "adminTask": QueryType("AdminTask", _own("tasks"), "task", _ADMIN_TASK, has_references=False),
    "event": QueryType("Event", _own("tasks"), "task", EVENT, has_references=False),
    "adminVApp": QueryType("AdminVApp", World.visible_vapps, "vapp", ADMIN_VAPP, has_references=False),
    "adminOrgVdc": QueryType("AdminVdc", _own("vdcs"), "adminvdc", _ADMIN_VDC, has_references=False),
    "adminCatalog": QueryType(
        "AdminCatalog", World.visible_catalogs, "admincatalog", _ADMIN_CATALOG, has_references=False
    ),
    "orgNetwork": QueryType(
        "OrgNetwork", _own("networks"), "network", ORG_NETWORK, has_references=False, until=(29, 0)
    ),
    "vAppNetwork": QueryType("VAppNetwork", inner_networks, "network", VAPP_NETWORK, has_references=False),
    "vAppOrgVdcNetworkRelation": QueryType(
        "VAppOrgVdcNetworkRelation", connected, "vapp", NETWORK_RELATION, attrgetter("vapp.id"), has_references=False
    ),
    "adminOrgVdcStorageProfile": QueryType(
        "AdminOrgVdcStorageProfile", _profiles, "vdcstorageProfile", _ADMIN_PROFILE, has_references=False
    ),
    "role": QueryType("Role", visible_roles, "role", _ROLE, has_references=False),
    "group": QueryType("Group", lambda _world, _user: (), "user", _GROUP, has_references=False),
    "user": QueryType("User", living_users, "user", USER),
    "adminUser": QueryType("AdminUser", living_users, "user", ADMIN_USER, has_references=False),
    "organization": QueryType("Org", World.visible_orgs, "org", _ORG),
}
