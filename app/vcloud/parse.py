"""Elements of entity documents to values of `types`. Whatever is not as expected raises `xml.MalformedError`."""

import re
from dataclasses import replace

from app.vcloud import entities, machines, xml
from app.vcloud.types import (
    ApiVersion,
    Leases,
    MksTicket,
    OrgVdcNetwork,
    TemplateLimits,
    VApp,
    VAppNetwork,
    VappTemplate,
    Vdc,
)
from app.vcloud.xml import VERSIONS, Element, boolean, child, children, integer, moment, text

_UNITS = {"GHZ": 1000, "GB": 1024, "TB": 1024 * 1024}  # in MHz and MB, which are what nearly all servers count in
_RELEASED = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,3}")


def versions(root: Element) -> list[ApiVersion]:
    """Read SupportedVersions. Alpha versions and words that are no number are left out."""
    return [
        ApiVersion(number, deprecated=boolean(info.get("deprecated")) or False)
        for info in children(root, "VersionInfo", VERSIONS)
        if _RELEASED.fullmatch(number := text(info, "Version", namespace=VERSIONS) or "")
    ]


def vapp(element: Element) -> VApp:
    """Read a VApp with all it contains."""
    networks = children(child(element, "NetworkConfigSection"), "NetworkConfig")
    owner = child(element, "Owner", "User")
    urn = xml.required_urn(element)
    return VApp(
        id=urn,
        name=element.get("name", ""),
        description=text(element, "Description") or "",
        status=entities.status(element),
        deployed=boolean(element.get("deployed")) or False,
        vdc_id=entities.up(element, "vdc"),
        owner_name=None if owner is None else owner.get("name"),
        leases=_leases(child(element, "LeaseSettingsSection")),
        networks=tuple(vapp_network(item) for item in networks if item.get("networkName") != machines.UNPLUGGED),
        vms=tuple(replace(machines.vm(item), vapp_id=urn) for item in children(child(element, "Children"), "Vm")),
        links=entities.links(element),
        tasks=entities.tasks(element),
        created_at=moment(text(element, "DateCreated")),
    )


def template(element: Element, catalog_name: str, limits: TemplateLimits) -> VappTemplate:
    """Read a VAppTemplate; its catalog and its bounds are told elsewhere."""
    return VappTemplate(
        id=xml.required_urn(element),
        name=element.get("name", ""),
        description=text(element, "Description") or "",
        status=entities.status(element),
        catalog_name=catalog_name,
        vms=tuple(machines.template_vm(item) for item in children(child(element, "Children"), "Vm")),
        limits=limits,
    )


def template_limits(metadata: Element) -> TemplateLimits:
    """Read our three keys of a template's Metadata; a value that is no positive number does not limit."""
    found = {text(entry, "Key"): _metadata_number(entry) for entry in children(metadata, "MetadataEntry")}
    disk_gb = found.get("disk_gb_max")
    return TemplateLimits(found.get("cpu_max"), found.get("memory_mb_max"), disk_gb and disk_gb * 1024)


def vdc(element: Element) -> Vdc:
    """Read a Vdc without its storage profiles: their use is not in the document."""
    cpu_limit_mhz, cpu_used_mhz, cpu_reserved_mhz = _capacity(element, "Cpu")
    memory_limit_mb, memory_used_mb, memory_reserved_mb = _capacity(element, "Memory")
    networks = children(child(element, "AvailableNetworks"), "Network")
    return Vdc(
        id=xml.required_urn(element),
        name=element.get("name", ""),
        description=text(element, "Description") or "",
        enabled=boolean(text(element, "IsEnabled")) is not False,
        allocation_model=text(element, "AllocationModel") or "",
        cpu_limit_mhz=cpu_limit_mhz or None,
        cpu_used_mhz=cpu_used_mhz,
        cpu_reserved_mhz=cpu_reserved_mhz,
        memory_limit_mb=memory_limit_mb or None,
        memory_used_mb=memory_used_mb,
        memory_reserved_mb=memory_reserved_mb,
        vm_quota=integer(text(element, "VmQuota")) or None,
        vcpu_mhz=integer(text(element, "VCpuInMhz2")) or None,
        nic_quota=integer(text(element, "NicQuota")) or None,
        storage_profiles=(),
        networks=tuple(found for item in networks if (found := entities.reference(item))),
    )


def _capacity(vdc: Element, kind: str) -> tuple[int, ...]:
    """Return (limit, used, reserved) of "Cpu" in MHz or of "Memory" in MB, whatever unit the document counts in."""
    found = child(vdc, "ComputeCapacity", kind)
    factor = _UNITS.get((text(found, "Units") or "").upper(), 1)
    return tuple((integer(text(found, name)) or 0) * factor for name in ("Limit", "Used", "Reserved"))


def org_network(element: Element) -> OrgVdcNetwork:
    """Read an OrgVdcNetwork document."""
    configuration = child(element, "Configuration")
    scope = _ip_scope(configuration)
    return OrgVdcNetwork(
        id=xml.required_urn(element),
        name=element.get("name", ""),
        fence_mode=xml.required(text(configuration, "FenceMode"), "FenceMode"),
        gateway=text(scope, "Gateway"),
        netmask=text(scope, "Netmask"),
        dns1=text(scope, "Dns1"),
        dns2=text(scope, "Dns2"),
        is_shared=boolean(text(element, "IsShared")) or False,
    )


def _ip_scope(configuration: Element | None) -> Element | None:
    """Return the first scope; before 5.1 it was the only one and stood alone."""
    if configuration is None:
        return None
    listed = child(configuration, "IpScopes", "IpScope")
    return child(configuration, "IpScope") if listed is None else listed


def mks_ticket(element: Element) -> MksTicket:
    """Read an MksTicket."""
    return MksTicket(
        host=xml.required(text(element, "Host"), "Host in a ticket"),
        vmx=text(element, "Vmx") or "",
        ticket=xml.required(text(element, "Ticket"), "Ticket"),
        port=integer(xml.required(text(element, "Port"), "Port in a ticket")) or 0,
    )


def _leases(section: Element | None) -> Leases:
    """Read a LeaseSettingsSection; 0 seconds are for ever."""
    return Leases(
        deployment_s=integer(text(section, "DeploymentLeaseInSeconds")) or None,
        storage_s=integer(text(section, "StorageLeaseInSeconds")) or None,
        deployment_ends_at=moment(text(section, "DeploymentLeaseExpiration")),
        storage_ends_at=moment(text(section, "StorageLeaseExpiration")),
    )


def vapp_network(element: Element) -> VAppNetwork:
    """Read a NetworkConfig of a vApp or a template."""
    configuration = child(element, "Configuration")
    scope = _ip_scope(configuration)
    addresses = None if scope is None else child(scope, "IpRanges", "IpRange")
    parent = entities.reference(None if configuration is None else child(configuration, "ParentNetwork"))
    return VAppNetwork(
        name=element.get("networkName", ""),
        parent_urn=parent.id if parent else None,
        fence_mode=text(configuration, "FenceMode") or "",
        gateway=text(scope, "Gateway"),
        netmask=text(scope, "Netmask"),
        dns1=text(scope, "Dns1"),
        dns2=text(scope, "Dns2"),
        dns_suffix=text(scope, "DnsSuffix"),
        range_start=text(addresses, "StartAddress"),
        range_end=text(addresses, "EndAddress"),
        router_ip=text(configuration, "RouterInfo", "ExternalIp"),
    )


def _metadata_number(entry: Element) -> int | None:
    value = text(entry, "TypedValue", "Value") or text(entry, "Value")
    return int(value) or None if value and re.fullmatch(r"[0-9]{1,12}", value) else None
