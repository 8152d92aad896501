"""Metadata of vApps, VMs, templates, disks, media, VDCs, catalogs, networks and organizations."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, unquote

from lxml import etree

from vcdsim import metadata as rules
from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context, link
from vcdsim.api.naming import named
from vcdsim.api.routing import route
from vcdsim.api.tasks import task_answer
from vcdsim.entities import Metadata
from vcdsim.metadata import GENERAL, Carrier, stored_key
from vcdsim.refusals import RefusalError

_XSI_TYPE = {f"Metadata{kind}Value": kind for kind in rules.KINDS}


_TREE = "/api/(?P<tree>vApp|vAppTemplate|disk|media|(?:admin/)?(?:vdc|org|catalog|network))/{ref}/metadata"
#: A tenant reads the metadata of these; only the path of administrators writes them.
_READ_ONLY = ("vdc", "org", "catalog", "network")


@route("GET", _TREE, "metadata")
def get_metadata(ctx: Context, tree: str, ref: str) -> Answer:
    """All entries the user may see."""
    carrier, owner = named(ctx, tree, ref)
    entries = rules.visible(ctx.world, ctx.user, carrier)
    element = write_metadata(ctx, None, owner, entries, is_writable=_may_write(ctx, tree, carrier))
    return ctx.xml(element, hrefs.media("metadata"))


@route("POST", _TREE, "updateMetadata")
def post_metadata(ctx: Context, tree: str, ref: str) -> Answer:
    """Merge entries in."""
    carrier, _ = _writable(ctx, tree, ref)
    entries = {}
    for box in xml.children(ctx.parse("Metadata"), "MetadataEntry"):
        entry = _entry(box)
        entries[stored_key(entry.domain, xml.value(box, "Key") or "")] = entry
    return task_answer(ctx, rules.change(ctx.world, ctx.user, carrier, entries))


@route("GET", _TREE + "/{key}", "metadata")
@route("GET", _TREE + "/(?P<domain>GENERAL|SYSTEM)/{key}", "metadata")
def get_value(ctx: Context, tree: str, ref: str, key: str, domain: str = GENERAL) -> Answer:
    """One value."""
    carrier, owner = named(ctx, tree, ref)
    stored = stored_key(domain, unquote(key))
    entry = _known(stored, rules.visible(ctx.world, ctx.user, carrier))
    media_type = hrefs.media("metadata.value")
    address = f"{owner}/metadata/{quote(stored)}"
    element = ctx.root("MetadataValue", media_type, {"href": address})
    _write_value_links(element, f"{owner}/metadata", address, is_writable=_may_write(ctx, tree, carrier))
    xml.sub(element, "Domain", entry.domain, {"visibility": entry.visibility})
    _write_value(element, entry)
    return ctx.xml(element, media_type)


@route("PUT", _TREE + "/{key}", "updateMetadata")
@route("PUT", _TREE + "/(?P<domain>GENERAL|SYSTEM)/{key}", "updateMetadata")
def put_value(ctx: Context, tree: str, ref: str, key: str, domain: str = GENERAL) -> Answer:
    """Set one value."""
    carrier, _ = _writable(ctx, tree, ref)
    entry = _entry(ctx.parse("MetadataValue"))
    if domain != GENERAL and entry.domain == GENERAL:
        entry.domain = domain
    return task_answer(ctx, rules.change(ctx.world, ctx.user, carrier, {stored_key(domain, unquote(key)): entry}))


@route("DELETE", _TREE + "/{key}", "deleteMetadata")
@route("DELETE", _TREE + "/(?P<domain>GENERAL|SYSTEM)/{key}", "deleteMetadata")
def delete_value(ctx: Context, tree: str, ref: str, key: str, domain: str = GENERAL) -> Answer:
    """Take one value out."""
    carrier, _ = _writable(ctx, tree, ref)
    stored = stored_key(domain, unquote(key))
    _known(stored, rules.visible(ctx.world, ctx.user, carrier))
    return task_answer(ctx, rules.delete(ctx.world, ctx.user, carrier, stored))


def _writable(ctx: Context, tree: str, ref: str) -> tuple[Carrier, str]:
    carrier, owner = named(ctx, tree, ref)
    if tree in _READ_ONLY:
        raise RefusalError("The method is not allowed.", minor_code="METHOD_NOT_ALLOWED", status=405)
    if not _may_write(ctx, tree, carrier):
        raise RefusalError("This operation is denied.", minor_code="ACCESS_TO_RESOURCE_IS_FORBIDDEN", status=403)
    return carrier, owner


def _may_write(ctx: Context, tree: str, carrier: Carrier) -> bool:
    return tree not in _READ_ONLY and (carrier.org_id == ctx.user.org_id or ctx.world.sees_all(ctx.user))


def _known(key: str, entries: Mapping[str, Metadata]) -> Metadata:
    if key not in entries:
        raise RefusalError(
            f'The metadata entry with key "{key}" does not exist.', minor_code="RESOURCE_NOT_FOUND", status=404
        )
    return entries[key]


def _entry(box: etree._Element) -> Metadata:
    domain, typed = xml.child(box, "Domain"), xml.child(box, "TypedValue")
    entry = Metadata("String", xml.value(box, "Value") or "")
    if typed is not None:
        name = (typed.get(xml.tag("xsi:type")) or "").rpartition(":")[2]
        if name not in _XSI_TYPE:
            raise xml.bad_body(f"cvc-elt.4.2: Cannot resolve '{name}' to a type definition for element 'TypedValue'.")
        entry = Metadata(_XSI_TYPE[name], xml.value(typed, "Value") or "")
    if domain is not None:
        entry.domain = (domain.text or "").strip()
        entry.visibility = domain.get("visibility") or ""
    return entry


def write_metadata(
    ctx: Context,
    parent: etree._Element | None,
    owner: str,
    entries: Mapping[str, Metadata],
    *,
    is_writable: bool = False,
) -> etree._Element:
    """`<Metadata>` with typed values, as a root or within a record; links say whether it may be changed."""
    address, media_type = f"{owner}/metadata", hrefs.media("metadata")
    element = xml.element_in(parent, "Metadata", ctx.version, {"href": address, "type": media_type})
    link(element, "up", owner)
    if is_writable:
        link(element, "add", address, media_type)
    for stored, entry in entries.items():
        own = f"{address}/{quote(stored)}"
        box = xml.sub(element, "MetadataEntry", None, {"href": own, "type": hrefs.media("metadata.value")})
        _write_value_links(box, address, own, is_writable=is_writable)
        xml.sub(box, "Domain", entry.domain, {"visibility": entry.visibility})
        xml.sub(box, "Key", stored.removeprefix(f"{rules.SYSTEM}/") if entry.domain == rules.SYSTEM else stored)
        _write_value(box, entry)
    return element


def _write_value_links(element: etree._Element, metadata: str, address: str, *, is_writable: bool) -> None:
    link(element, "up", metadata, hrefs.media("metadata"))
    if is_writable:
        link(element, "edit", address, hrefs.media("metadata.value"))
        link(element, "remove", address)


def _write_value(parent: etree._Element, entry: Metadata) -> None:
    box = xml.sub(parent, "TypedValue", None, {"xsi:type": f"Metadata{entry.kind}Value"})
    xml.sub(box, "Value", entry.value)
