"""Documents of what stands behind VDCs: edge gateways, the provider VDC, virtual hardware versions."""

from __future__ import annotations

from lxml import etree

from vcdsim import provider as rules
from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context, link
from vcdsim.api.routing import route
from vcdsim.entities import Vdc
from vcdsim.provider import Gateway, ProviderVdc
from vcdsim.refusals import not_found

#: From here on a hardware version belongs to its VDC; before it stood alone.
_WITHIN_VDC = (31, 0)
_HARDWARE_MEDIA = hrefs.media("virtualHardwareVersion")
#: Id, name within vSphere, name on the screen of the operating systems there are.
_SYSTEMS = {
    "Linux": ((96, "debian12_64Guest", "Debian GNU/Linux 12 (64-bit)"), (94, "ubuntu64Guest", "Ubuntu Linux (64-bit)")),
    "Microsoft Windows": ((112, "windows2019srvNext_64Guest", "Microsoft Windows Server 2022 (64-bit)"),),
}
_MOST_CORES = (1, 2, 4, 8, 16, 32, 64)
_MEMORY_GB = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


@route("GET", "/api/admin/edgeGateway/{entity_id}", "edgeGateway")
def get_gateway(ctx: Context, entity_id: str) -> Answer:
    """An edge gateway with its interfaces; its services are not simulated."""
    gateway = rules.gateway(ctx.world, entity_id, ctx.user)
    element = ctx.entity_root("EdgeGateway", "gateway", gateway.id, gateway.name, {"status": "1"})
    link(element, "up", ctx.href("adminvdc", gateway.vdc.id), hrefs.MEDIA["adminvdc"])
    configuration = xml.sub(element, "Configuration")
    xml.sub(configuration, "GatewayBackingConfig", "compact")
    _write_interfaces(ctx, xml.sub(configuration, "GatewayInterfaces"), gateway)
    xml.sub(configuration, "HaEnabled", False)
    xml.sub(configuration, "UseDefaultRouteForDnsRelay", False)
    return ctx.xml(element, hrefs.MEDIA["gateway"])


def _write_interfaces(ctx: Context, parent: etree._Element, gateway: Gateway) -> None:
    for network in gateway.networks:
        inner = (network.scope.gateway, network.scope.netmask, network.scope.gateway)
        _write_interface(ctx, parent, (network.id, network.name), "internal", inner)
    outer = (rules.UPLINK_GATEWAY, rules.UPLINK_NETMASK, rules.uplink_address(ctx.world, gateway))
    _write_interface(ctx, parent, (rules.UPLINK_ID, rules.UPLINK_NAME), "uplink", outer)


def _write_interface(
    ctx: Context, parent: etree._Element, network: tuple[str, str], kind: str, subnet: tuple[str, str, str]
) -> None:
    """`network` is (id, name), `subnet` (gateway, netmask, own address)."""
    box = xml.sub(parent, "GatewayInterface")
    xml.sub(box, "Name", network[1])
    xml.sub(box, "DisplayName", network[1])
    ctx.reference(box, "Network", "adminnetwork", *network)
    xml.sub(box, "InterfaceType", kind)
    participation = xml.sub(box, "SubnetParticipation")
    xml.sub(participation, "Gateway", subnet[0])
    xml.sub(participation, "Netmask", subnet[1])
    xml.sub(participation, "IpAddress", subnet[2])
    xml.sub(box, "ApplyRateLimit", False)
    xml.sub(box, "UseForDefaultRoute", kind == "uplink")


@route("GET", "/api/admin/providervdc/{entity_id}", "providerVdc")
def get_provider_vdc(ctx: Context, entity_id: str) -> Answer:
    """The provider VDC: what there is, what is taken, which VDCs are cut from it."""
    found = rules.provider_vdc(ctx.world, entity_id, ctx.user)
    element = ctx.entity_root("ProviderVdc", "providervdc", found.id, found.name, {"status": "1"})
    _write_capacity(ctx, element, found)
    write_hardware_versions(ctx, element, ctx.href("providervdc", found.id))
    vdcs = xml.sub(element, "Vdcs")
    for vdc in ctx.world.vdcs.values():
        ctx.reference(vdcs, "Vdc", "adminvdc", vdc.id, vdc.name)
    xml.sub(element, "IsEnabled", True)
    return ctx.xml(element, hrefs.MEDIA["providervdc"])


def _write_capacity(ctx: Context, element: etree._Element, found: ProviderVdc) -> None:
    capacity = xml.sub(element, "ComputeCapacity")
    mhz, mb = rules.compute_used(ctx.world)
    for name, units, total, used in (("Cpu", "MHz", found.cpu_mhz, mhz), ("Memory", "MB", found.memory_mb, mb)):
        box = xml.sub(capacity, name)
        xml.sub(box, "Units", units)
        xml.sub(box, "Total", total)
        xml.sub(box, "Used", used)
    xml.sub(capacity, "IsElastic", False)
    xml.sub(capacity, "IsHA", False)


def write_hardware_versions(ctx: Context, parent: etree._Element, owner: str) -> None:
    """`<Capabilities>`: names, from 29.0 with the address of each under that of its `owner`."""
    box = xml.sub(xml.sub(parent, "Capabilities"), "SupportedHardwareVersions")
    for name in rules.HARDWARE_VERSIONS:
        one = xml.sub(box, "SupportedHardwareVersion", name)
        if ctx.since(29, 0):
            one.set("name", name)
            one.set("href", hardware_address(ctx, owner, name))
            one.set("default", xml.flag(name == rules.HARDWARE_VERSIONS[-1]))
            one.set("type", _HARDWARE_MEDIA)


def hardware_address(ctx: Context, owner: str, name: str) -> str:
    """Where the hardware version is described; `owner` is the address of the VDC or the provider VDC."""
    return f"{owner if ctx.since(*_WITHIN_VDC) else f'{ctx.base}/api'}/hwv/{name}"


@route("GET", "/api/hwv/{name}", "hardwareVersion", since=(29, 0), until=(30, 0))
def get_hardware_alone(ctx: Context, name: str) -> Answer:
    """A hardware version of no VDC."""
    return _hardware_answer(ctx, name, None)


@route("GET", "/api/vdc/{entity_id}/hwv/{name}", "hardwareVersion", since=_WITHIN_VDC)
def get_hardware(ctx: Context, entity_id: str, name: str) -> Answer:
    """A hardware version as a VDC has it."""
    return _hardware_answer(ctx, name, ctx.world.vdc(entity_id, ctx.user))


@route("GET", "/api/admin/providervdc/{entity_id}/hwv/{name}", "hardwareVersion", since=_WITHIN_VDC)
def get_provider_hardware(ctx: Context, entity_id: str, name: str) -> Answer:
    """A hardware version as the provider VDC has it."""
    rules.provider_vdc(ctx.world, entity_id, ctx.user)
    return _hardware_answer(ctx, name, None)


def _hardware_answer(ctx: Context, name: str, vdc: Vdc | None) -> Answer:
    if name not in rules.HARDWARE_VERSIONS:
        raise not_found()
    element = ctx.root("VirtualHardwareVersion", _HARDWARE_MEDIA, {"href": ctx.base + ctx.path})
    if vdc is not None:
        link(element, "up", ctx.href("vdc", vdc.id), hrefs.MEDIA["vdc"])
    xml.sub(element, "name", name)
    xml.sub(element, "maxCoresPerSocket", 64)
    _write_systems(xml.sub(element, "supportedOperatingSystems"))
    for fact, most in (("maxMemorySizeMb", 6 * 2**20), ("maxCPUs", 128), ("maxNICs", 10)):
        xml.sub(element, fact, most)
    for fact in ("supportsNestedHV", "supportsHotPlugPCI", "supportsHotAdd"):
        xml.sub(element, fact, True)
    for size_gb in _MEMORY_GB:
        xml.sub(element, "supportedMemorySizeGb", size_gb)
    for cores in _MOST_CORES:
        xml.sub(element, "supportedCoresPerSocket", cores)
    return ctx.xml(element, _HARDWARE_MEDIA)


def _write_systems(parent: etree._Element) -> None:
    for number, (family, systems) in enumerate(_SYSTEMS.items(), 1):
        box = xml.sub(parent, "OperatingSystemFamilyInfo")
        xml.sub(box, "Name", family)
        xml.sub(box, "OperatingSystemFamilyId", number)
        for os_id, internal_name, name in systems:
            one = xml.sub(box, "OperatingSystem")
            xml.sub(one, "OperatingSystemId", os_id)
            xml.sub(one, "Name", name)
            xml.sub(one, "InternalName", internal_name)
            xml.sub(one, "Supported", True)
            xml.sub(one, "x64", True)
            xml.sub(one, "cimOsId", os_id)
