"""Catalogs, catalog items, vApp templates (vApp and VM forms), their OVF."""

from __future__ import annotations

from lxml import etree

from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context, link, moment, write_owner
from vcdsim.api.hardware import write_hardware
from vcdsim.api.networks import write_connections, write_network_config, write_network_section
from vcdsim.api.query_media import item_kind
from vcdsim.api.routing import route
from vcdsim.api.sections import write_customization, write_lease, write_os
from vcdsim.entities import Catalog, Vm


@route("GET", "/api/catalog/{entity_id}", "catalog")
def get_catalog(ctx: Context, entity_id: str) -> Answer:
    """A catalog and its items."""
    catalog = ctx.world.catalog(entity_id, ctx.user)
    element = ctx.entity_root("Catalog", "catalog", catalog.id, catalog.name)
    link(element, "up", ctx.href("org", catalog.org_id), hrefs.MEDIA["org"])
    if catalog.org_id == ctx.user.org_id or ctx.world.sees_all(ctx.user):
        access = f"{ctx.href('org', catalog.org_id)}/catalog/{catalog.id}"
        link(element, "down", f"{access}/controlAccess/", hrefs.media("controlAccess"))
        link(element, "controlAccess", f"{access}/action/controlAccess", hrefs.media("controlAccess"))
    link(element, "down", f"{ctx.href('catalog', catalog.id)}/metadata", hrefs.media("metadata"))
    xml.sub(element, "Description", catalog.description)
    write_catalog_parts(ctx, element, catalog)
    return ctx.xml(element, hrefs.MEDIA["catalog"])


def write_catalog_parts(ctx: Context, element: etree._Element, catalog: Catalog) -> None:
    """What the tenant's form of a catalog and the administrator's have in common."""
    box, items = xml.sub(element, "CatalogItems"), ctx.world.items_of(catalog)
    for one in items:
        item = ctx.reference(box, "CatalogItem", "catalogitem", one.item_id, one.name)
        item.set("id", one.item_id)
    xml.sub(element, "IsPublished", catalog.is_public)
    xml.sub(element, "DateCreated", moment(catalog.created_at))
    xml.sub(element, "VersionNumber", len(items))


@route("GET", "/api/catalogItem/{entity_id}", "catalogItem")
def get_catalog_item(ctx: Context, entity_id: str) -> Answer:
    """A catalog item, which stands for a template or a medium."""
    entity = ctx.world.of_item(entity_id, ctx.user)
    element = ctx.entity_root("CatalogItem", "catalogitem", entity.item_id, entity.name, {"size": "0"})
    link(element, "up", ctx.href("catalog", entity.catalog_id), hrefs.MEDIA["catalog"])
    xml.sub(element, "Description", entity.description)
    ctx.reference(element, "Entity", item_kind(entity), entity.id, entity.name)
    xml.sub(element, "DateCreated", moment(entity.created_at))
    xml.sub(element, "VersionNumber", 1)
    return ctx.xml(element, hrefs.MEDIA["catalogitem"])


@route("GET", "/api/vAppTemplate/vappTemplate-{entity_id}", "template")
def get_template(ctx: Context, entity_id: str) -> Answer:
    """A template with its VMs."""
    template = ctx.world.template(entity_id, ctx.user)
    attributes = {"goldMaster": "false", "ovfDescriptorUploaded": "true", "status": "8"}
    element = ctx.entity_root("VAppTemplate", "vapptemplate", template.id, template.name, attributes)
    address = ctx.href("vapptemplate", template.id)
    link(element, "catalogItem", ctx.href("catalogitem", template.item_id), hrefs.MEDIA["catalogitem"])
    link(element, "ovf", f"{address}/ovf", "text/xml")
    link(element, "down", f"{address}/metadata", hrefs.media("metadata"))
    link(element, "down", f"{address}/owner", hrefs.media("owner"))
    xml.sub(element, "Description", template.description)
    write_owner(ctx, element, template.owner_id)
    box = xml.sub(element, "Children")
    for vm_id in template.vm_ids:
        write_template_vm(ctx, box, ctx.world.template_vms[vm_id])
    write_network_section(ctx, element, template, address)
    write_network_config(ctx, element, template, address)
    write_lease(ctx, element, template, address)
    xml.sub(element, "DateCreated", moment(template.created_at))
    return ctx.xml(element, hrefs.MEDIA["vapptemplate"])


@route("GET", "/api/vAppTemplate/vm-{entity_id}", "template")
def get_template_vm(ctx: Context, entity_id: str) -> Answer:
    """A VM of a template."""
    return ctx.xml(write_template_vm(ctx, None, ctx.world.template_vm(entity_id, ctx.user)), hrefs.MEDIA["vm"])


def write_template_vm(ctx: Context, parent: etree._Element | None, vm: Vm) -> etree._Element:
    """The VM form of a template; below 5.6 the hardware is only in the OVF.

    Its type is that of a template, so as a root it is named so (the schema's `Vm` is another type).
    """
    attributes = ctx.entity_attributes("templatevm", vm.id, vm.name, {"goldMaster": "false", "status": "8"})
    element = xml.element_in(parent, "VAppTemplate" if parent is None else "Vm", ctx.version, attributes)
    address = ctx.href("templatevm", vm.id)
    link(element, "up", ctx.href("vapptemplate", vm.container_id), hrefs.MEDIA["vapptemplate"])
    xml.sub(element, "Description", vm.description)
    write_connections(ctx, element, vm, address)
    write_customization(ctx, element, vm, address)
    if ctx.since(5, 6):
        write_hardware(ctx, element, vm, address)
        write_os(ctx, element, vm, address)
    xml.sub(element, "VAppScopedLocalId", vm.local_id)
    xml.sub(element, "DateCreated", moment(vm.created_at))
    return element


@route("GET", "/api/vAppTemplate/vappTemplate-{entity_id}/ovf", "template")
def get_ovf(ctx: Context, entity_id: str) -> Answer:
    """The OVF descriptor: networks and the hardware of every VM."""
    template = ctx.world.template(entity_id, ctx.user)
    element = xml.root("ovf:Envelope", ctx.version)
    xml.sub(element, "ovf:References")
    networks = xml.sub(element, "ovf:NetworkSection")
    xml.sub(networks, "ovf:Info", "The list of logical networks")
    for network in template.networks:
        xml.sub(networks, "ovf:Network", None, {"ovf:name": network.name})
    system = xml.sub(element, "ovf:VirtualSystemCollection", None, {"ovf:id": template.name})
    xml.sub(system, "ovf:Info", "A collection of virtual machines")
    xml.sub(system, "ovf:Name", template.name)
    for vm_id in template.vm_ids:
        vm = ctx.world.template_vms[vm_id]
        one = xml.sub(system, "ovf:VirtualSystem", None, {"ovf:id": vm.name})
        xml.sub(one, "ovf:Info", "A virtual machine")
        xml.sub(one, "ovf:Name", vm.name)
        write_os(ctx, one, vm, ctx.href("templatevm", vm.id))
        write_hardware(ctx, one, vm, ctx.href("templatevm", vm.id))
    return ctx.xml(element, "text/xml")
