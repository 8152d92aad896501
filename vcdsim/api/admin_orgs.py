"""/api/admin: the cloud, organizations, users and roles."""

from __future__ import annotations

from lxml import etree

from vcdsim import administration as rules
from vcdsim.api import hrefs, xml
from vcdsim.api.admin_leases import read_leases, write_leases
from vcdsim.api.context import Answer, Context, link
from vcdsim.api.routing import route
from vcdsim.people import Org, Role, User
from vcdsim.provider import visible_provider_vdcs
from vcdsim.refusals import RefusalError, duplicate_name, no_access


@route("GET", "/api/admin", "admin")
def get_cloud(ctx: Context) -> Answer:
    """The organizations and roles an administrator sees."""
    media_type = hrefs.media("admin.vcloud")
    element = ctx.root("VCloud", media_type, {"name": "VMware vCloud Director", "href": f"{ctx.base}/api/admin/"})
    if ctx.world.sees_all(ctx.user):
        link(element, "add", f"{ctx.base}/api/admin/orgs", hrefs.MEDIA["adminorg"])
    box = xml.sub(element, "OrganizationReferences")
    for org in ctx.world.visible_orgs(ctx.user):
        ctx.reference(box, "OrganizationReference", "adminorg", org.id, org.name)
    box = xml.sub(element, "ProviderVdcReferences")
    for one in visible_provider_vdcs(ctx.world, ctx.user):
        ctx.reference(box, "ProviderVdcReference", "providervdc", one.id, one.name)
    box = xml.sub(element, "RoleReferences")
    for role in rules.visible_roles(ctx.world, ctx.user):
        ctx.reference(box, "RoleReference", "role", role.id, role.name)
    return ctx.xml(element, media_type)


@route("POST", "/api/admin/orgs", "createOrg")
def create_org(ctx: Context) -> Answer:
    """201 with the new organization."""
    org = Org(ctx.world.new_id(), "")
    _read_org(ctx.parse("AdminOrg"), org)
    rules.add_org(ctx.world, ctx.user, org)
    location = ctx.href("adminorg", org.id)
    return ctx.xml(write_org(ctx, org), hrefs.MEDIA["adminorg"], status=201, location=location)


@route("GET", "/api/admin/org/{entity_id}", "adminOrg")
def get_org(ctx: Context, entity_id: str) -> Answer:
    """An organization with its settings, users, catalogs, VDCs, networks and roles."""
    return ctx.xml(write_org(ctx, ctx.world.org(entity_id, ctx.user)), hrefs.MEDIA["adminorg"])


@route("PUT", "/api/admin/org/{entity_id}", "updateOrg")
def put_org(ctx: Context, entity_id: str) -> Answer:
    """Change names, description and leases."""
    org, element = ctx.world.org(entity_id, ctx.user), ctx.parse("AdminOrg")
    rules.require_admin(ctx.world, ctx.user, org)
    name = org.name
    _read_org(element, org)
    if not ctx.world.sees_all(ctx.user):
        org.name = name
    ctx.world.changed()
    return ctx.xml(write_org(ctx, org), hrefs.MEDIA["adminorg"])


@route("DELETE", "/api/admin/org/{entity_id}", "deleteOrg")
def delete_org(ctx: Context, entity_id: str) -> Answer:
    """Delete a disabled, empty organization."""
    rules.delete_org(ctx.world, ctx.user, ctx.world.org(entity_id, ctx.user))
    return Answer(204)


@route("POST", "/api/admin/org/{entity_id}/action/enable", "enableOrg")
@route("POST", "/api/admin/org/{entity_id}/action/disable", "enableOrg")
def enable_org(ctx: Context, entity_id: str) -> Answer:
    """Let its users in, or keep them out."""
    org = ctx.world.org(entity_id, ctx.user)
    rules.set_org_enabled(ctx.world, ctx.user, org, is_enabled=ctx.path.endswith("enable"))
    return Answer(204)


def _read_org(element: etree._Element, org: Org) -> None:
    org.name = element.get("name") or ""
    org.full_name = xml.value(element, "FullName") or ""
    org.description = xml.value(element, "Description") or ""
    org.is_enabled = xml.yes(element, "IsEnabled", default=org.is_enabled)
    settings = xml.child(element, "Settings")
    general = None if settings is None else xml.child(settings, "OrgGeneralSettings")
    if general is not None:
        org.deployed_vm_quota = xml.integer(general, "DeployedVMQuota") or 0
        org.stored_vm_quota = xml.integer(general, "StoredVmQuota") or 0
    leases = None if settings is None else xml.child(settings, "VAppLeaseSettings")
    if leases is not None:
        read_leases(leases, org)


def write_org(ctx: Context, org: Org) -> etree._Element:
    """`<AdminOrg>`."""
    world, address = ctx.world, ctx.href("adminorg", org.id)
    element = ctx.entity_root("AdminOrg", "adminorg", org.id, org.name)
    link(element, "down", f"{address}/metadata", hrefs.media("metadata"))
    link(element, "add", f"{address}/users", hrefs.MEDIA["user"])
    link(element, "add", f"{address}/vdcsparams", hrefs.media("admin.createVdcParams"))
    link(element, "alternate", ctx.href("org", org.id), hrefs.MEDIA["org"])
    xml.sub(element, "Description", org.description)
    xml.sub(element, "FullName", org.full_name)
    xml.sub(element, "IsEnabled", org.is_enabled)
    _write_settings(ctx, element, org)
    parts = (
        ("Users", "UserReference", "user", [one for one in world.users.values() if not one.is_deleted]),
        ("Catalogs", "CatalogReference", "admincatalog", list(world.catalogs.values())),
        ("Vdcs", "Vdc", "adminvdc", list(world.vdcs.values())),
        ("Networks", "Network", "adminnetwork", list(world.networks.values())),
    )
    for box_name, tag, kind, entities in parts:
        box = xml.sub(element, box_name)
        for one in entities:
            if one.org_id == org.id:
                ctx.reference(box, tag, kind, one.id, one.name)
    if ctx.since(30, 0):
        box = xml.sub(element, "RoleReferences")
        for role in rules.visible_roles(world, ctx.user):
            ctx.reference(box, "RoleReference", "role", role.id, role.name)
    return element


def _write_settings(ctx: Context, element: etree._Element, org: Org) -> None:
    settings = xml.sub(element, "Settings")
    general = xml.sub(settings, "OrgGeneralSettings")
    xml.sub(general, "CanPublishCatalogs", False)
    xml.sub(general, "DeployedVMQuota", org.deployed_vm_quota)
    xml.sub(general, "StoredVmQuota", org.stored_vm_quota)
    xml.sub(general, "UseServerBootSequence", False)
    xml.sub(general, "DelayAfterPowerOnSeconds", 0)
    write_leases(ctx, settings, org)


@route("POST", "/api/admin/org/{entity_id}/users", "createUser")
def create_user(ctx: Context, entity_id: str) -> Answer:
    """201 with the new user."""
    org = ctx.world.org(entity_id, ctx.user)
    _require_password_login(ctx)
    user = User(ctx.world.new_id(), "", org.id, "", role="vApp User")
    _read_user(ctx, ctx.parse("User"), user)
    rules.add_user(ctx.world, ctx.user, user)
    return ctx.xml(write_user(ctx, user), hrefs.MEDIA["user"], status=201, location=ctx.href("user", user.id))


@route("GET", "/api/admin/user/{entity_id}", "user")
def get_user(ctx: Context, entity_id: str) -> Answer:
    """A user, never the password."""
    return ctx.xml(write_user(ctx, ctx.world.user(entity_id, ctx.user)), hrefs.MEDIA["user"])


@route("PUT", "/api/admin/user/{entity_id}", "updateUser")
def put_user(ctx: Context, entity_id: str) -> Answer:
    """Change a user; without a password the old one stays."""
    user, element = ctx.world.user(entity_id, ctx.user), ctx.parse("User")
    rules.require_admin(ctx.world, ctx.user, ctx.world.orgs[user.org_id])
    _require_password_login(ctx)
    _read_user(ctx, element, user)
    rules.keep_out(ctx.world, user)
    ctx.world.changed()
    return ctx.xml(write_user(ctx, user), hrefs.MEDIA["user"])


@route("DELETE", "/api/admin/user/{entity_id}", "deleteUser")
def delete_user(ctx: Context, entity_id: str) -> Answer:
    """Delete a disabled user who owns nothing."""
    _require_password_login(ctx)
    rules.delete_user(ctx.world, ctx.user, ctx.world.user(entity_id, ctx.user))
    return Answer(204)


def _require_password_login(ctx: Context) -> None:
    if ctx.session.is_of_token:
        raise rules.denied()


def _read_user(ctx: Context, element: etree._Element, user: User) -> None:
    user.name = user.name or element.get("name") or ""
    user.full_name = xml.value(element, "FullName") or ""
    user.email = xml.value(element, "EmailAddress") or ""
    user.telephone = xml.value(element, "Telephone") or ""
    user.description = xml.value(element, "Description") or ""
    user.is_enabled = xml.yes(element, "IsEnabled", default=user.is_enabled)
    user.stored_vm_quota = xml.integer(element, "StoredVmQuota") or 0
    user.deployed_vm_quota = xml.integer(element, "DeployedVmQuota") or 0
    user.password = xml.value(element, "Password") or user.password
    reference = xml.child(element, "Role")
    if reference is not None:
        user.role = _role(ctx, hrefs.id_in(reference.get("href"))).name


def write_user(ctx: Context, user: User) -> etree._Element:
    """`<User>`."""
    element = ctx.entity_root("User", "user", user.id, user.name)
    link(element, "edit", ctx.href("user", user.id), hrefs.MEDIA["user"])
    link(element, "up", ctx.href("adminorg", user.org_id), hrefs.MEDIA["adminorg"])
    xml.sub(element, "Description", user.description)
    xml.sub(element, "FullName", user.full_name)
    xml.sub(element, "EmailAddress", user.email)
    xml.sub(element, "Telephone", user.telephone)
    xml.sub(element, "IsEnabled", user.is_enabled)
    xml.sub(element, "IsLocked", False)
    xml.sub(element, "IsExternal", False)
    xml.sub(element, "StoredVmQuota", user.stored_vm_quota)
    xml.sub(element, "DeployedVmQuota", user.deployed_vm_quota)
    role = next((one for one in ctx.world.roles.values() if one.name == user.role), None)
    if role is not None:
        ctx.reference(element, "Role", "role", role.id, role.name)
    return element


@route("POST", "/api/admin/roles", "createRole")
@route("POST", "/api/admin/org/{org_id}/roles", "createRole")
def create_role(ctx: Context, org_id: str = "") -> Answer:
    """201 with the new role."""
    if org_id:
        rules.require_admin(ctx.world, ctx.user, ctx.world.org(org_id, ctx.user))
    else:
        rules.require_system(ctx.world, ctx.user)
    element = ctx.parse("Role")
    role = Role(ctx.world.new_id(), element.get("name") or "", xml.value(element, "Description") or "")
    if not role.name or any(one.name == role.name for one in ctx.world.roles.values()):
        raise duplicate_name(role.name)
    ctx.world.roles[role.id] = role
    ctx.world.changed()
    return ctx.xml(_write_role(ctx, role), hrefs.MEDIA["role"], status=201, location=ctx.href("role", role.id))


@route("GET", "/api/admin/role/{entity_id}", "role")
def get_role(ctx: Context, entity_id: str) -> Answer:
    """A role."""
    return ctx.xml(_write_role(ctx, _role(ctx, entity_id)), hrefs.MEDIA["role"])


@route("DELETE", "/api/admin/role/{entity_id}", "deleteRole")
def delete_role(ctx: Context, entity_id: str) -> Answer:
    """Delete a role that nobody has."""
    rules.require_system(ctx.world, ctx.user)
    role = _role(ctx, entity_id)
    if any(user.role == role.name for user in ctx.world.users.values()):
        raise RefusalError(f'The role "{role.name}" is in use.')
    del ctx.world.roles[role.id]
    ctx.world.changed()
    return Answer(204)


def _role(ctx: Context, role_id: str) -> Role:
    for role in rules.visible_roles(ctx.world, ctx.user):
        if role.id == role_id:
            return role
    raise no_access("role", role_id)


def _write_role(ctx: Context, role: Role) -> etree._Element:
    element = ctx.entity_root("Role", "role", role.id, role.name)
    xml.sub(element, "Description", role.description)
    xml.sub(element, "RightReferences")
    return element
