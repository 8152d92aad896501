"""/api/admin: VDCs, and the administrators' forms of catalogs and networks."""

from __future__ import annotations

from lxml import etree

from vcdsim import administration as rules
from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context, link, write_owner
from vcdsim.api.organizations import write_network, write_vdc_parts
from vcdsim.api.routing import route
from vcdsim.api.tasks import task_answer
from vcdsim.api.templates import write_catalog_parts
from vcdsim.entities import StorageProfile, Vdc
from vcdsim.provider import PROVIDER_VDC


@route("POST", "/api/admin/org/{entity_id}/vdcsparams", "createVdc")
def create_vdc(ctx: Context, entity_id: str) -> Answer:
    """201 with the new VDC and its task."""
    org = ctx.world.org(entity_id, ctx.user)
    rules.require_system(ctx.world, ctx.user)
    element = ctx.parse("CreateVdcParams")
    vdc = Vdc(ctx.world.new_id(), element.get("name") or "", org.id)
    vdc.allocation_model = xml.value(element, "AllocationModel") or ""
    vdc.is_enabled = xml.yes(element, "IsEnabled", default=True)
    for key, value in _changes(element).items():
        setattr(vdc, key, value)
    if vdc.allocation_model == "ReservationPool":
        vdc.cpu_guarantee = vdc.memory_guarantee = 1.0
    profiles = [_profile(ctx, vdc, box) for box in xml.children(element, "VdcStorageProfile")]
    vdc.storage_profile_ids = [one.id for one in profiles]
    rules.add_vdc(ctx.world, ctx.user, vdc)
    ctx.world.storage_profiles |= {one.id: one for one in profiles}
    location = ctx.href("adminvdc", vdc.id)
    return ctx.xml(write_vdc(ctx, vdc), hrefs.MEDIA["adminvdc"], status=201, location=location)


def _profile(ctx: Context, vdc: Vdc, box: etree._Element) -> StorageProfile:
    reference = xml.child(box, "ProviderVdcStorageProfile")
    name = (reference.get("name") if reference is not None else None) or "standard"
    limit_mb = xml.integer(box, "Limit") or 0
    return StorageProfile(ctx.world.new_id(), name, vdc.id, limit_mb, is_default=xml.yes(box, "Default"))


def _changes(element: etree._Element) -> dict[str, object]:
    """The fields of a VDC that the body speaks of."""
    changes: dict[str, object] = {}
    if (description := xml.value(element, "Description")) is not None:
        changes["description"] = description
    capacity = xml.child(element, "ComputeCapacity")
    if capacity is not None:
        for name, key in (("Cpu", "cpu_limit_mhz"), ("Memory", "memory_limit_mb")):
            box = xml.child(capacity, name)
            if box is not None:
                changes[key] = xml.integer(box, "Limit") or xml.integer(box, "Allocated") or 0
    for name, key in (("NicQuota", "nic_quota"), ("NetworkQuota", "network_quota"), ("VmQuota", "vm_quota")):
        if (quota := xml.integer(element, name)) is not None:
            changes[key] = quota
    for name, key in (("ResourceGuaranteedMemory", "memory_guarantee"), ("ResourceGuaranteedCpu", "cpu_guarantee")):
        if text := xml.value(element, name):
            changes[key] = _share(text)
    if (mhz := xml.integer(element, "VCpuInMhz")) is not None:
        changes["vcpu_mhz"] = max(1, mhz)
    return changes


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise xml.bad_body(f"cvc-datatype-valid.1.2.1: '{text}' is not a valid value for 'double'.") from None


@route("GET", "/api/admin/vdc/{entity_id}", "adminVdc")
def get_vdc(ctx: Context, entity_id: str) -> Answer:
    """A VDC as administrators see it."""
    return ctx.xml(write_vdc(ctx, ctx.world.vdc(entity_id, ctx.user)), hrefs.MEDIA["adminvdc"])


@route("PUT", "/api/admin/vdc/{entity_id}", "updateVdc")
def put_vdc(ctx: Context, entity_id: str) -> Answer:
    """Change capacity, quotas, guarantees, name and description."""
    vdc, element = ctx.world.vdc(entity_id, ctx.user), ctx.parse("AdminVdc")
    changes = {**_changes(element), "name": element.get("name") or vdc.name}
    return task_answer(ctx, rules.update_vdc(ctx.world, ctx.user, vdc, changes))


@route("DELETE", "/api/admin/vdc/{entity_id}", "deleteVdc")
def delete_vdc(ctx: Context, entity_id: str) -> Answer:
    """Delete a disabled, empty VDC."""
    return task_answer(ctx, rules.delete_vdc(ctx.world, ctx.user, ctx.world.vdc(entity_id, ctx.user)))


@route("POST", "/api/admin/vdc/{entity_id}/action/enable", "enableVdc")
@route("POST", "/api/admin/vdc/{entity_id}/action/disable", "enableVdc")
def enable_vdc(ctx: Context, entity_id: str) -> Answer:
    """Allow or forbid new things in it."""
    vdc = ctx.world.vdc(entity_id, ctx.user)
    rules.set_vdc_enabled(ctx.world, ctx.user, vdc, is_enabled=ctx.path.endswith("enable"))
    return Answer(204)


def write_vdc(ctx: Context, vdc: Vdc) -> etree._Element:
    """`<AdminVdc>`: what the tenant sees, and what was bought."""
    is_made = ctx.world.active_task(vdc.id) is None
    element = ctx.entity_root("AdminVdc", "adminvdc", vdc.id, vdc.name, {"status": "1" if is_made else "0"})
    address = ctx.href("adminvdc", vdc.id)
    link(element, "up", ctx.href("adminorg", vdc.org_id), hrefs.MEDIA["adminorg"])
    if ctx.world.sees_all(ctx.user):
        link(element, "edit", address, hrefs.MEDIA["adminvdc"])
        verb = "disable" if vdc.is_enabled else "enable"
        link(element, verb, f"{address}/action/{verb}")
        if not vdc.is_enabled:
            link(element, "remove", address)
    link(element, "down", f"{address}/metadata", hrefs.media("metadata"))
    link(element, "alternate", ctx.href("vdc", vdc.id), hrefs.MEDIA["vdc"])
    write_vdc_parts(ctx, element, vdc)
    xml.sub(element, "ResourceGuaranteedMemory", str(vdc.memory_guarantee))
    xml.sub(element, "ResourceGuaranteedCpu", str(vdc.cpu_guarantee))
    xml.sub(element, "VCpuInMhz", vdc.vcpu_mhz)
    xml.sub(element, "IsThinProvision", True)
    if ctx.world.sees_all(ctx.user):
        ctx.reference(element, "ProviderVdcReference", "providervdc", PROVIDER_VDC.id, PROVIDER_VDC.name)
    xml.sub(element, "UsesFastProvisioning", False)
    return element


@route("GET", "/api/admin/network/{entity_id}", "network")
def get_network(ctx: Context, entity_id: str) -> Answer:
    """An organization network."""
    return ctx.xml(write_network(ctx, ctx.world.network(entity_id, ctx.user)), hrefs.MEDIA["network"])


@route("GET", "/api/admin/catalog/{entity_id}", "catalog")
def get_catalog(ctx: Context, entity_id: str) -> Answer:
    """A catalog as administrators see it."""
    catalog = ctx.world.catalog(entity_id, ctx.user)
    element = ctx.entity_root("AdminCatalog", "admincatalog", catalog.id, catalog.name)
    link(element, "alternate", ctx.href("catalog", catalog.id), hrefs.MEDIA["catalog"])
    link(element, "down", f"{ctx.href('admincatalog', catalog.id)}/metadata", hrefs.media("metadata"))
    xml.sub(element, "Description", catalog.description)
    write_owner(ctx, element, catalog.owner_id)
    write_catalog_parts(ctx, element, catalog)
    return ctx.xml(element, hrefs.MEDIA["admincatalog"])
