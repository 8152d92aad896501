"""Media documents, and the drive of a VM."""

from __future__ import annotations

from lxml import etree

from vcdsim import media as rules
from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context, link, write_owner
from vcdsim.api.routing import route
from vcdsim.api.tasks import task_answer, write_tasks_of
from vcdsim.estate import Media


@route("GET", "/api/media/{entity_id}", "media")
def get_media(ctx: Context, entity_id: str) -> Answer:
    """A medium: what it is and where it is kept."""
    medium = ctx.world.medium(entity_id, ctx.user)
    attributes = {"imageType": "iso", "size": str(medium.size_bytes), "status": "1"}
    element = ctx.entity_root("Media", "media", medium.id, medium.name, attributes)
    _write_links(ctx, element, medium)
    xml.sub(element, "Description", medium.description)
    write_tasks_of(ctx, element, medium.id)
    write_owner(ctx, element, medium.owner_id)
    profile = ctx.world.storage_profiles[medium.storage_profile_id]
    ctx.reference(element, "VdcStorageProfile", "vdcstorageProfile", profile.id, profile.name)
    return ctx.xml(element, hrefs.MEDIA["media"])


def _write_links(ctx: Context, element: etree._Element, medium: Media) -> None:
    address = ctx.href("media", medium.id)
    link(element, "catalogItem", ctx.href("catalogitem", medium.item_id), hrefs.MEDIA["catalogitem"])
    if medium.org_id == ctx.user.org_id or ctx.world.sees_all(ctx.user):
        link(element, "up", ctx.href("vdc", medium.vdc_id), hrefs.MEDIA["vdc"])
        link(element, "remove", address)
    link(element, "down", f"{address}/owner", hrefs.media("owner"))
    link(element, "down", f"{address}/metadata", hrefs.media("metadata"))


@route("DELETE", "/api/media/{entity_id}", "deleteMedia")
def delete_media(ctx: Context, entity_id: str) -> Answer:
    """Delete a medium that is inserted nowhere."""
    return task_answer(ctx, rules.delete(ctx.world, ctx.user, ctx.world.medium(entity_id, ctx.user)))


@route("POST", "/api/vApp/vm-{entity_id}/media/action/insertMedia", "insertMedia")
def insert(ctx: Context, entity_id: str) -> Answer:
    """Put the medium into the VM's drive."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return task_answer(ctx, rules.insert(ctx.world, ctx.user, vm, _named(ctx)))


@route("POST", "/api/vApp/vm-{entity_id}/media/action/ejectMedia", "ejectMedia")
def eject(ctx: Context, entity_id: str) -> Answer:
    """Take the medium out."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return task_answer(ctx, rules.eject(ctx.world, ctx.user, vm, _named(ctx)))


def _named(ctx: Context) -> Media:
    reference = xml.child(ctx.parse("MediaInsertOrEjectParams"), "Media")
    return ctx.world.medium(hrefs.id_in(None if reference is None else reference.get("href")), ctx.user)
