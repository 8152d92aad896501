"""Owners, and whom something is shared with (control access)."""

from __future__ import annotations

from lxml import etree

from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context, link
from vcdsim.api.naming import named
from vcdsim.api.routing import route
from vcdsim.entities import Access, Catalog, IndependentDisk, Template, VApp
from vcdsim.estate import Media
from vcdsim.refusals import RefusalError, not_found
from vcdsim.rights import LEVELS

_OWNED = {VApp: "vapp", Template: "vapptemplate", IndependentDisk: "disk", Media: "media"}


@route("GET", "/api/(?P<tree>vApp|vAppTemplate|disk|media)/{ref}/owner", "owner")
def get_owner(ctx: Context, tree: str, ref: str) -> Answer:
    """The owner of a vApp, a template, a disk or a medium."""
    entity, address = named(ctx, tree, ref)
    if not isinstance(entity, VApp | Template | IndependentDisk | Media):
        raise not_found()
    element = ctx.root("Owner", hrefs.media("owner"), {"href": f"{address}/owner"})
    link(element, "up", address, hrefs.MEDIA[_OWNED[type(entity)]])
    ctx.reference(element, "User", "user", entity.owner_id, ctx.world.users[entity.owner_id].name)
    return ctx.xml(element, hrefs.media("owner"))


@route("PUT", "/api/vApp/vapp-{entity_id}/owner", "changeOwner")
def put_vapp_owner(ctx: Context, entity_id: str) -> Answer:
    """Give a vApp to another user of its organization."""
    return _give(ctx, ctx.world.vapp(entity_id, ctx.user))


@route("PUT", "/api/disk/{entity_id}/owner", "changeOwner")
def put_disk_owner(ctx: Context, entity_id: str) -> Answer:
    """Give a disk to another user of its organization."""
    return _give(ctx, ctx.world.disk(entity_id, ctx.user))


def _give(ctx: Context, entity: VApp | IndependentDisk) -> Answer:
    (reference,) = xml.children(ctx.parse("Owner"), "User")
    user = ctx.world.user(hrefs.id_in(reference.get("href")), ctx.user)
    if user.org_id != entity.org_id:
        raise RefusalError(f'The user "{user.name}" is not a user of the organization.')
    entity.owner_id = user.id
    ctx.world.changed()
    return Answer(204)


@route("GET", "/api/vApp/vapp-{entity_id}/controlAccess", "controlAccess")
def get_vapp_access(ctx: Context, entity_id: str) -> Answer:
    """Whom a vApp is shared with."""
    return _access_answer(ctx, ctx.world.vapp(entity_id, ctx.user))


@route("POST", "/api/vApp/vapp-{entity_id}/action/controlAccess", "changeAccess")
def post_vapp_access(ctx: Context, entity_id: str) -> Answer:
    """Share a vApp, replacing what was said before."""
    return _share(ctx, ctx.world.vapp(entity_id, ctx.user))


@route("GET", "/api/org/{org_id}/catalog/{entity_id}/controlAccess", "controlAccess")
def get_catalog_access(ctx: Context, org_id: str, entity_id: str) -> Answer:
    """Whom a catalog is shared with."""
    ctx.world.org(org_id, ctx.user)
    return _access_answer(ctx, ctx.world.catalog(entity_id, ctx.user))


@route("POST", "/api/org/{org_id}/catalog/{entity_id}/action/controlAccess", "changeAccess")
def post_catalog_access(ctx: Context, org_id: str, entity_id: str) -> Answer:
    """Share a catalog of the organization."""
    org, catalog = ctx.world.org(org_id, ctx.user), ctx.world.catalog(entity_id, ctx.user)
    if catalog.org_id != org.id:
        raise RefusalError("This operation is denied.", minor_code="ACCESS_TO_RESOURCE_IS_FORBIDDEN", status=403)
    return _share(ctx, catalog)


def _share(ctx: Context, entity: VApp | Catalog) -> Answer:
    element = ctx.parse("ControlAccessParams")
    everyone = xml.value(element, "EveryoneAccessLevel") or "ReadOnly"
    access = Access(everyone if xml.yes(element, "IsSharedToEveryone") else None)
    for setting in element.iter(xml.tag("AccessSetting")):
        subject, level = xml.child(setting, "Subject"), xml.value(setting, "AccessLevel") or ""
        user = ctx.world.user(hrefs.id_in(None if subject is None else subject.get("href")), ctx.user)
        access.users[user.id] = level
    for level in (everyone, *access.users.values()):
        if level not in LEVELS:
            raise RefusalError(f'The access level "{level}" is not valid.')
    entity.access = access
    ctx.world.changed()
    return _access_answer(ctx, entity)


def _access_answer(ctx: Context, entity: VApp | Catalog) -> Answer:
    element: etree._Element = xml.root("ControlAccessParams", ctx.version)
    access = entity.access or Access()
    xml.sub(element, "IsSharedToEveryone", access.everyone is not None)
    if access.everyone is not None:
        xml.sub(element, "EveryoneAccessLevel", access.everyone)
    if access.users:
        box = xml.sub(element, "AccessSettings")
        for user_id, level in access.users.items():
            setting = xml.sub(box, "AccessSetting")
            ctx.reference(setting, "Subject", "user", user_id, ctx.world.users[user_id].name)
            xml.sub(setting, "AccessLevel", level)
    return ctx.xml(element, hrefs.media("controlAccess"))
