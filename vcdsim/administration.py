"""What administrators do: organizations, users, roles, VDCs of every allocation model."""

from __future__ import annotations

from vcdsim.entities import Task, Vdc
from vcdsim.people import Org, Role, User
from vcdsim.refusals import RefusalError, duplicate_name, lease_invalid
from vcdsim.tasks import effect, require_idle, rollback, start
from vcdsim.vapps import check_length
from vcdsim.world import SYSTEM_ORG, World

ALLOCATION_MODELS = ("AllocationVApp", "AllocationPool", "ReservationPool", "Flex")
ORG_ADMINISTRATOR, SYSTEM_ADMINISTRATOR = "Organization Administrator", "System Administrator"


def denied() -> RefusalError:
    """What somebody without the right is told."""
    return RefusalError("This operation is denied.", minor_code="ACCESS_TO_RESOURCE_IS_FORBIDDEN", status=403)


def require_system(world: World, actor: User) -> None:
    """Refuse everybody but users of the org System."""
    if not world.sees_all(actor):
        raise denied()


def require_admin(world: World, actor: User, org: Org) -> None:
    """Refuse everybody but administrators of the organization and of the system."""
    if not world.sees_all(actor) and (actor.org_id != org.id or actor.role != ORG_ADMINISTRATOR):
        raise denied()


def visible_roles(world: World, user: User) -> list[Role]:
    """The roles somebody may read and give: that of the provider is not for tenants (INF)."""
    everything = world.sees_all(user)
    return [one for one in world.roles.values() if everything or one.name != SYSTEM_ADMINISTRATOR]


def checked_lease(seconds: int) -> int:
    """The length of a lease if it fits the schema's xs:int, else a refusal; 0 means for ever."""
    if not 0 <= seconds < 2**31:
        raise lease_invalid(seconds)
    return seconds


def add_org(world: World, actor: User, org: Org) -> None:
    """A new organization, usable at once."""
    require_system(world, actor)
    check_length(org.name)
    if any(one.name.lower() == org.name.lower() for one in world.orgs.values()):
        raise duplicate_name(org.name)
    world.orgs[org.id] = org
    world.changed()


def delete_org(world: World, actor: User, org: Org) -> None:
    """Delete a disabled organization without VDCs and catalogs, with its users, tasks and sessions."""
    require_system(world, actor)
    owners = {one.org_id for one in world.vdcs.values()} | {one.org_id for one in world.catalogs.values()}
    if org.is_enabled or org.id in owners or org.name == SYSTEM_ORG:
        raise RefusalError(f'The organization "{org.name}" cannot be deleted: it is enabled or not empty.')
    for user in [one for one in world.users.values() if one.org_id == org.id]:
        _forget_user(world, user)
        del world.users[user.id]
    for task in [one for one in world.tasks.values() if one.org_id == org.id]:
        del world.tasks[task.id]
    del world.orgs[org.id]
    world.changed()


def set_org_enabled(world: World, actor: User, org: Org, *, is_enabled: bool) -> None:
    """Let the users of an organization in, or keep them out from now on."""
    require_system(world, actor)
    org.is_enabled = is_enabled
    if not is_enabled:
        _end_sessions(world, {user.id for user in world.users.values() if user.org_id == org.id})
    world.changed()


def add_user(world: World, actor: User, user: User) -> None:
    """A new user of an organization."""
    require_admin(world, actor, world.orgs[user.org_id])
    check_length(user.name)
    if world.user_named(world.orgs[user.org_id].name, user.name) is not None:
        raise duplicate_name(user.name)
    if not user.password:
        raise RefusalError("The password of the user is missing.")
    world.users[user.id] = user
    world.changed()


def delete_user(world: World, actor: User, user: User) -> None:
    """Delete a disabled user who owns nothing; tasks go on naming who started them."""
    require_admin(world, actor, world.orgs[user.org_id])
    owners = {one.owner_id for one in world.vapps.values()} | {one.owner_id for one in world.disks.values()}
    owners |= {one.owner_id for one in world.catalogs.values()} | {one.owner_id for one in world.templates.values()}
    if user.is_enabled or user.id in owners:
        raise RefusalError(f'The user "{user.name}" cannot be deleted: the user is enabled or owns something.')
    user.is_deleted = True
    _forget_user(world, user)
    world.changed()


def keep_out(world: World, user: User) -> None:
    """End the sessions of somebody who may no longer log in."""
    if not user.is_enabled:
        _end_sessions(world, {user.id})


def add_vdc(world: World, actor: User, vdc: Vdc) -> Task:
    """Accept a new VDC; its storage profiles are already part of the world."""
    require_system(world, actor)
    check_length(vdc.name)
    if any(one.name == vdc.name and one.org_id == vdc.org_id for one in world.vdcs.values()):
        raise duplicate_name(vdc.name)
    if vdc.allocation_model not in ALLOCATION_MODELS:
        raise RefusalError(f'The allocation model "{vdc.allocation_model}" is not valid.')
    if not (0 <= vdc.cpu_guarantee <= 1 and 0 <= vdc.memory_guarantee <= 1):
        raise RefusalError("The guaranteed share of resources must be between 0 and 1.")
    world.vdcs[vdc.id] = vdc
    return start(world, actor, vdc, "orgCreateVdc", "create_vdc")


def update_vdc(world: World, actor: User, vdc: Vdc, changes: dict[str, object]) -> Task:
    """Change the fields named of a VDC."""
    require_system(world, actor)
    require_idle(world, vdc)
    return start(world, actor, vdc, "vdcUpdateVdc", "update_vdc", args={"changes": changes})


def delete_vdc(world: World, actor: User, vdc: Vdc) -> Task:
    """Delete a disabled VDC with nothing in it."""
    require_system(world, actor)
    require_idle(world, vdc)
    is_used = vdc.vapp_ids or vdc.template_ids or vdc.network_ids
    has_disks = any(one.vdc_id == vdc.id for one in world.disks.values())
    has_media = any(one.vdc_id == vdc.id for one in world.media.values())
    if vdc.is_enabled or is_used or has_disks or has_media:
        raise RefusalError(f'The VDC "{vdc.name}" cannot be deleted: it is enabled or not empty.')
    return start(world, actor, vdc, "vdcDeleteVdc", "delete_vdc")


def set_vdc_enabled(world: World, actor: User, vdc: Vdc, *, is_enabled: bool) -> None:
    """Allow or forbid new things in a VDC."""
    require_system(world, actor)
    vdc.is_enabled = is_enabled
    world.changed()


def _forget_user(world: World, user: User) -> None:
    _end_sessions(world, {user.id})
    for token in [one for one in world.api_tokens.values() if one.user_id == user.id]:
        del world.api_tokens[token.id]


def _end_sessions(world: World, user_ids: set[str]) -> None:
    for session in [one for one in world.sessions.values() if one.user_id in user_ids]:
        del world.sessions[session.token]


@effect("create_vdc")
def _created(_world: World, _task: Task) -> None:
    """It was all there from the beginning."""


@effect("update_vdc")
def _updated(world: World, task: Task) -> None:
    for key, value in task.args["changes"].items():
        setattr(world.vdcs[task.owner_id], key, value)


@rollback("create_vdc")
@effect("delete_vdc")
def _deleted(world: World, task: Task) -> None:
    vdc = world.vdcs.pop(task.owner_id, None)
    for profile_id in vdc.storage_profile_ids if vdc is not None else []:
        del world.storage_profiles[profile_id]
