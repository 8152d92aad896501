"""Attributes of administrators' records: users, and the wider forms of VDCs, vApps, tasks, catalogs."""

from __future__ import annotations

from collections.abc import Iterable

from vcdsim import quotas
from vcdsim.api.query_columns import Column, constant, milliseconds, own, plain
from vcdsim.api.query_vms import VAPP
from vcdsim.people import User
from vcdsim.world import World

_ORG = plain("org_id", kind="org")

USER = {
    "name": plain("name"),
    "fullName": plain("full_name"),
    "isEnabled": plain("is_enabled"),
    "numberOfDeployedVMs": Column(lambda world, user: _vms_of(world, user, is_deployed=True)),
    "deployedVMQuota": plain("deployed_vm_quota"),
    "numberOfStoredVMs": Column(lambda world, user: _vms_of(world, user, is_deployed=False)),
    "storedVMQuota": plain("stored_vm_quota"),
    "isLdapUser": Column(constant(False)),
    "identityProviderType": Column(constant("INTEGRATED"), (5, 1)),
}
ADMIN_USER = {**USER, "org": _ORG}
_NOT_FOR_ADMIN = ("isPublic", "snapshot", "numberOfCpus")
ADMIN_VAPP = {**{key: column for key, column in VAPP.items() if key not in _NOT_FOR_ADMIN}, "org": _ORG}
EVENT = {
    "eventType": Column(lambda _, task: f"com/vmware/vcloud/event/task/{_event(task.status)}"),
    "timeStamp": own(lambda task: milliseconds(task.finished_at or task.created_at)),
    "eventStatus": Column(lambda _, task: int(task.status != "error")),
    "userName": Column(lambda world, task: world.users[task.user_id].name),
    "orgName": Column(lambda world, task: world.orgs[task.org_id].name),
    "entityType": Column(constant("task")),
    "entityName": plain("operation_name"),
    "entity": plain("id", kind="task"),
    "serviceNamespace": Column(constant("com.vmware.vcloud"), (5, 1)),
}
ORG_NETWORK = {
    "name": plain("name"),
    "org": _ORG,
    "isIpScopeInherited": Column(constant(False)),
    "gateway": Column(lambda _, one: one.scope.gateway),
    "netmask": Column(lambda _, one: one.scope.netmask),
    "dns1": Column(lambda _, one: one.scope.dns1 or None),
    "dns2": Column(lambda _, one: one.scope.dns2 or None),
    "dnsSuffix": Column(lambda _, one: one.scope.dns_suffix or None),
    "isBusy": Column(constant(False)),
}


def living_users(world: World, user: User) -> Iterable[User]:
    """Users of the organization, or of all."""
    everything = world.sees_all(user)
    for one in world.users.values():
        if not one.is_deleted and (everything or one.org_id == user.org_id):
            yield one


def _vms_of(world: World, user: User, *, is_deployed: bool) -> int:
    return sum(vm.is_deployed or not is_deployed for vm in quotas.vms_of(world, user))


def _event(status: str) -> str:
    return {"success": "complete", "error": "fail", "canceled": "abort", "aborted": "abort"}.get(status, "start")
