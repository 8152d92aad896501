"""How many VMs a user may have, and may have deployed.

The user's own quota counts, or else that of the organization (OrgGeneralSettings in the schema: "by a
member of this organization"); 0 is no limit. What counts are the VMs of the vApps the user owns.
"""

from __future__ import annotations

from collections.abc import Iterator

from vcdsim.entities import VApp, Vm
from vcdsim.people import User
from vcdsim.refusals import user_quota
from vcdsim.world import World


def check_stored(world: World, owner: User, more: int) -> None:
    """Refuse `more` new VMs that the owner may not have."""
    quota = owner.stored_vm_quota or world.orgs[owner.org_id].stored_vm_quota
    if quota > 0 and sum(1 for _ in vms_of(world, owner)) + more > quota:
        raise user_quota("stored", owner.name)


def check_deployed(world: World, vapp: VApp) -> None:
    """Refuse one more deployed VM in the vApp that its owner may not have."""
    owner = world.users[vapp.owner_id]
    quota = owner.deployed_vm_quota or world.orgs[owner.org_id].deployed_vm_quota
    if quota > 0 and sum(vm.is_deployed for vm in vms_of(world, owner)) >= quota:
        raise user_quota("deployed", owner.name)


def vms_of(world: World, owner: User) -> Iterator[Vm]:
    """The VMs of the vApps the user owns."""
    for vapp in world.vapps.values():
        if vapp.owner_id == owner.id:
            yield from world.vms_of(vapp)
