"""Organizations, VDCs, storage profiles and organization networks."""

from __future__ import annotations

from urllib.parse import quote

from lxml import etree

from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context, link
from vcdsim.api.networks import write_scopes, write_vapp_network
from vcdsim.api.provider import write_hardware_versions
from vcdsim.api.routing import route
from vcdsim.api.tasks import write_tasks_of
from vcdsim.entities import OrgNetwork, Vdc
from vcdsim.people import Org
from vcdsim.provider import gateway_of

_ADDABLE = (
    ("instantiateOvf", "instantiateOvfParams"),
    ("instantiateVAppTemplate", "instantiateVAppTemplateParams"),
    ("cloneVApp", "cloneVAppParams"),
    ("captureVApp", "captureVAppParams"),
    ("composeVApp", "composeVAppParams"),
)


@route("GET", "/api/org", "orgs")
def list_orgs(ctx: Context) -> Answer:
    """Organizations the user sees."""
    element = ctx.root("OrgList", hrefs.media("orgList"), {"href": f"{ctx.base}/api/org/"})
    for org in ctx.world.visible_orgs(ctx.user):
        ctx.reference(element, "Org", "org", org.id, org.name)
    return ctx.xml(element, hrefs.media("orgList"))


@route("GET", "/api/org/{entity_id}", "org")
def get_org(ctx: Context, entity_id: str) -> Answer:
    """An organization; from 33.0 its parts are found by query links instead of one link each."""
    org = ctx.world.org(entity_id, ctx.user)
    element = ctx.entity_root("Org", "org", org.id, org.name)
    (_query_links if ctx.since(33, 0) else _object_links)(ctx, element, org)
    link(element, "down", f"{ctx.base}/api/tasksList/{org.id}", hrefs.media("tasksList"))
    link(element, "down", f"{ctx.href('org', org.id)}/metadata", hrefs.media("metadata"))
    xml.sub(element, "Description", org.description)
    xml.sub(element, "FullName", org.full_name)
    if ctx.since(30, 0):
        xml.sub(element, "IsEnabled", org.is_enabled)
    return ctx.xml(element, hrefs.MEDIA["org"])


def _object_links(ctx: Context, element: etree._Element, org: Org) -> None:
    for vdc in ctx.world.vdcs.values():
        if vdc.org_id == org.id:
            link(element, "down", ctx.href("vdc", vdc.id), hrefs.MEDIA["vdc"], vdc.name)
    for catalog in ctx.world.visible_catalogs(ctx.user):
        link(element, "down", ctx.href("catalog", catalog.id), hrefs.MEDIA["catalog"], catalog.name)
    for network in ctx.world.networks.values():
        if network.org_id == org.id:
            link(element, "down", ctx.href("network", network.id), hrefs.media("orgNetwork"), network.name)


def _query_links(ctx: Context, element: etree._Element, org: Org) -> None:
    """One link per kind; orgVdc comes first because clients take the first href that fits."""
    for kind in ("orgVdc", "catalog", "orgVdcNetwork"):
        query = f"{ctx.base}/api/query?type={kind}&format=records"
        if kind == "orgVdc":
            query += f"&filter=orgName=={quote(org.name)}"
        link(element, "down", query, hrefs.media("query.records"))


@route("GET", "/api/vdc/{entity_id}", "vdc")
def get_vdc(ctx: Context, entity_id: str) -> Answer:
    """A VDC with its capacity, contents, networks and storage profiles."""
    vdc = ctx.world.vdc(entity_id, ctx.user)
    element = ctx.entity_root("Vdc", "vdc", vdc.id, vdc.name, {"status": "1"})
    _vdc_links(ctx, element, vdc)
    write_vdc_parts(ctx, element, vdc)
    return ctx.xml(element, hrefs.MEDIA["vdc"])


def write_vdc_parts(ctx: Context, element: etree._Element, vdc: Vdc) -> None:
    """What the tenant's form of a VDC and the administrator's have in common."""
    xml.sub(element, "Description", vdc.description)
    write_tasks_of(ctx, element, vdc.id)
    xml.sub(element, "AllocationModel", vdc.allocation_model)
    capacity = xml.sub(element, "ComputeCapacity")
    cpu_mhz, memory_mb = ctx.world.compute_used(vdc)
    _capacity(ctx, capacity, "Cpu", vdc.cpu_limit_mhz, vdc.cpu_guarantee, cpu_mhz)
    _capacity(ctx, capacity, "Memory", vdc.memory_limit_mb, vdc.memory_guarantee, memory_mb)
    _contents(ctx, element, vdc)
    available = xml.sub(element, "AvailableNetworks")
    for network_id in vdc.network_ids:
        network = ctx.world.networks[network_id]
        one = ctx.reference(available, "Network", "network", network.id, network.name)
        one.set("type", hrefs.media("network"))
    write_hardware_versions(ctx, element, ctx.href("vdc", vdc.id))
    xml.sub(element, "NicQuota", vdc.nic_quota)
    xml.sub(element, "NetworkQuota", vdc.network_quota)
    xml.sub(element, "UsedNetworkCount", len(vdc.network_ids))
    xml.sub(element, "VmQuota", vdc.vm_quota)
    xml.sub(element, "IsEnabled", vdc.is_enabled)
    profiles = xml.sub(element, "VdcStorageProfiles")
    for profile_id in vdc.storage_profile_ids:
        profile = ctx.world.storage_profiles[profile_id]
        ctx.reference(profiles, "VdcStorageProfile", "vdcstorageProfile", profile.id, profile.name)
    if ctx.since(5, 7):
        xml.sub(element, "VCpuInMhz2", vdc.vcpu_mhz)


def _vdc_links(ctx: Context, element: etree._Element, vdc: Vdc) -> None:
    address = ctx.href("vdc", vdc.id)
    link(element, "up", ctx.href("org", vdc.org_id), hrefs.MEDIA["org"])
    if vdc.is_enabled:
        for action, params in _ADDABLE:
            link(element, "add", f"{address}/action/{action}", hrefs.media(params))
        link(element, "add", f"{address}/disk", hrefs.media("diskCreateParams"))
    link(element, "down", f"{address}/metadata", hrefs.media("metadata"))
    for rel, kind in (("edgeGateways", "edgeGateway"), ("orgVdcNetworks", "orgVdcNetwork")):
        query = f"{ctx.base}/api/query?type={kind}&format=records&filter=vdc=={quote(address, safe='')}"
        link(element, rel, query, hrefs.media("query.records"))


def _capacity(ctx: Context, parent: etree._Element, name: str, limit: int, share: float, used: int) -> None:
    box = xml.sub(parent, name)
    xml.sub(box, "Units", "MHz" if name == "Cpu" else "MB")
    xml.sub(box, "Allocated", limit)
    xml.sub(box, "Limit", limit)
    xml.sub(box, "Reserved", int(limit * share))
    xml.sub(box, "Used", used)
    if not ctx.since(29, 0):
        xml.sub(box, "Overhead", 0)


def _contents(ctx: Context, element: etree._Element, vdc: Vdc) -> None:
    """Templates and vApps, never single VMs."""
    box = xml.sub(element, "ResourceEntities")
    for template_id in vdc.template_ids:
        template = ctx.world.templates[template_id]
        ctx.reference(box, "ResourceEntity", "vapptemplate", template.id, template.name)
    for medium in ctx.world.media.values():
        if medium.vdc_id == vdc.id:
            ctx.reference(box, "ResourceEntity", "media", medium.id, medium.name)
    for vapp in (ctx.world.vapps[one] for one in vdc.vapp_ids):
        if ctx.world.may_see(ctx.user, vapp):
            ctx.reference(box, "ResourceEntity", "vapp", vapp.id, vapp.name)
    for disk in ctx.world.disks.values():
        if disk.vdc_id == vdc.id:
            ctx.reference(box, "ResourceEntity", "disk", disk.id, disk.name)


@route("GET", "/api/vdcStorageProfile/{entity_id}", "storageProfile")
def get_storage_profile(ctx: Context, entity_id: str) -> Answer:
    """A storage profile: limit and, from 9.0, what is used."""
    profile = ctx.world.storage_profile(entity_id, ctx.user)
    element = ctx.entity_root("VdcStorageProfile", "vdcstorageProfile", profile.id, profile.name)
    link(element, "up", ctx.href("vdc", profile.vdc_id), hrefs.MEDIA["vdc"])
    xml.sub(element, "Enabled", True)
    xml.sub(element, "Units", "MB")
    xml.sub(element, "Limit", profile.limit_mb)
    xml.sub(element, "Default", profile.is_default)
    if ctx.since(9, 0):
        xml.sub(element, "StorageUsedMB", ctx.world.storage_used_mb(profile))
    return ctx.xml(element, hrefs.MEDIA["vdcstorageProfile"])


@route("GET", "/api/network/{entity_id}", "network")
def get_network(ctx: Context, entity_id: str) -> Answer:
    """An organization network, or a network of a vApp."""
    inner = ctx.world.vapp_network(entity_id, ctx.user)
    if inner is not None:
        return ctx.xml(write_vapp_network(ctx, *inner), hrefs.media("vAppNetwork"))
    return ctx.xml(write_network(ctx, ctx.world.network(entity_id, ctx.user)), hrefs.MEDIA["network"])


def write_network(ctx: Context, network: OrgNetwork) -> etree._Element:
    """`<OrgVdcNetwork>`."""
    element = ctx.entity_root("OrgVdcNetwork", "network", network.id, network.name, {"status": "1"})
    link(element, "up", ctx.href("vdc", network.vdc_id), hrefs.MEDIA["vdc"])
    allocated = hrefs.media("allocatedNetworkAddress")
    link(element, "down", f"{ctx.href('network', network.id)}/allocatedAddresses/", allocated)
    link(element, "down", f"{ctx.href('network', network.id)}/metadata", hrefs.media("metadata"))
    xml.sub(element, "Description", network.description)
    configuration = xml.sub(element, "Configuration")
    write_scopes(configuration, network.scope, is_inherited=False)
    xml.sub(configuration, "FenceMode", network.fence_mode)
    xml.sub(configuration, "RetainNetInfoAcrossDeployments", False)
    gateway = gateway_of(ctx.world, ctx.world.vdcs[network.vdc_id])
    if gateway is not None and network in gateway.networks:
        ctx.reference(element, "EdgeGateway", "gateway", gateway.id, gateway.name)
    xml.sub(element, "IsShared", network.is_shared)
    return element
