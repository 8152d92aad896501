"""Elements of entity documents to values of `types`. Whatever is not as expected raises `xml.MalformedError`."""

import re
from dataclasses import replace

from app.vcloud import xml
from app.vcloud.ids import urn_from_href
from app.vcloud.types import (
    ApiVersion,
    Disk,
    GuestCustomization,
    Nic,
    OrgVdcNetwork,
    Reference,
    StorageProfile,
    Task,
    TaskStatus,
    TemplateLimits,
    TemplateVm,
    VApp,
    VAppNetwork,
    VappTemplate,
    VcloudErrorInfo,
    Vdc,
    Vm,
    VmStatus,
)
from app.vcloud.xml import OVF, RASD, VCLOUD, VERSIONS, VMW, Element, boolean, child, children, integer, moment, text

_CPU, _MEMORY, _DISK = "3", "4", "17"
_UNPLUGGED = "none"
_UNITS = re.compile(r"byte(?:\s*\*\s*(2|10)\s*\^\s*(\d{1,2}))?")
_RELEASED = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,3}")


def versions(root: Element) -> list[ApiVersion]:
    """Read SupportedVersions. Alpha versions and words that are no number are left out."""
    return [
        ApiVersion(number, deprecated=boolean(info.get("deprecated")) or False)
        for info in children(root, "VersionInfo", VERSIONS)
        if _RELEASED.fullmatch(number := text(info, "Version", namespace=VERSIONS) or "")
    ]


def task(element: Element) -> Task:
    """Read a Task, a document of its own or inside its owner's."""
    owner = child(element, "Owner")
    problem = child(element, "Error")
    return Task(
        id=xml.required_urn(element),
        status=TaskStatus(element.get("status", "")),
        operation_name=element.get("operationName", ""),
        operation=element.get("operation", ""),
        progress=integer(text(element, "Progress")),
        error=None if problem is None else error_info(problem),
        owner_id=None if owner is None else xml.urn_of(owner),
        started_at=moment(element.get("startTime")),
        ended_at=moment(element.get("endTime")),
    )


def error_info(element: Element) -> VcloudErrorInfo:
    """Read an Error, which is the body of a refusal or part of a failed task."""
    return VcloudErrorInfo(
        major_code=integer(element.get("majorErrorCode")),
        minor_code=element.get("minorErrorCode"),
        message=element.get("message", ""),
    )


def vapp(element: Element) -> VApp:
    """Read a VApp with all it contains."""
    networks = children(child(element, "NetworkConfigSection"), "NetworkConfig")
    owner = child(element, "Owner", "User")
    urn = xml.required_urn(element)
    return VApp(
        id=urn,
        name=element.get("name", ""),
        description=text(element, "Description") or "",
        status=_status(element),
        deployed=boolean(element.get("deployed")) or False,
        vdc_id=_up(element, "vdc"),
        owner_name=None if owner is None else owner.get("name"),
        networks=tuple(_vapp_network(item) for item in networks if item.get("networkName") != _UNPLUGGED),
        vms=tuple(replace(vm(item), vapp_id=urn) for item in children(child(element, "Children"), "Vm")),
        links=_links(element),
        tasks=_tasks(element),
        created_at=moment(text(element, "DateCreated")),
    )


def vm(element: Element) -> Vm:
    """Read a Vm, a document of its own or inside its vApp's."""
    items = hardware_items(element)
    cpu, memory = items.get(_CPU), items.get(_MEMORY)
    capabilities = child(element, "VmCapabilities")
    return Vm(
        id=xml.required_urn(element),
        name=element.get("name", ""),
        description=text(element, "Description") or "",
        status=_status(element),
        deployed=boolean(element.get("deployed")) or False,
        cpu_count=_quantity(cpu),
        cores_per_socket=integer(text(cpu[0], "CoresPerSocket", namespace=VMW)) if cpu else None,
        memory_mb=_memory_mb(memory),
        disks=tuple(_disk(item) for item in items.get(_DISK, [])),
        nics=_nics(element),
        guest_os=_guest_os(element),
        customization=_customization(element),
        needs_customization=boolean(element.get("needsCustomization")) or False,
        cpu_hot_add=boolean(text(capabilities, "CpuHotAddEnabled")) or False,
        memory_hot_add=boolean(text(capabilities, "MemoryHotAddEnabled")) or False,
        has_snapshot=child(element, "SnapshotSection", "Snapshot") is not None,
        vapp_id=_up(element, "vapp"),
        storage_profile=_reference(child(element, "StorageProfile")),
        links=_links(element),
        tasks=_tasks(element),
        created_at=moment(text(element, "DateCreated")),
    )


def template(element: Element, catalog_name: str, limits: TemplateLimits) -> VappTemplate:
    """Read a VAppTemplate; its catalog and its bounds are told elsewhere."""
    return VappTemplate(
        id=xml.required_urn(element),
        name=element.get("name", ""),
        description=text(element, "Description") or "",
        status=_status(element),
        catalog_name=catalog_name,
        vms=tuple(template_vm(item) for item in children(child(element, "Children"), "Vm")),
        limits=limits,
    )


def template_vm(element: Element) -> TemplateVm:
    """Read a Vm inside a VAppTemplate; without hardware on old servers."""
    items = hardware_items(element)
    disks = tuple(_disk(item) for item in items.get(_DISK, []))
    section = child(element, "NetworkConnectionSection")
    names = [item.get("network") or _UNPLUGGED for item in children(section, "NetworkConnection")]
    return TemplateVm(
        id=xml.required_urn(element),
        name=element.get("name", ""),
        cpu_count=_quantity(items.get(_CPU)),
        memory_mb=_memory_mb(items.get(_MEMORY)),
        disk_mb=disks[0].size_mb if disks else None,
        disks=disks,
        guest_os=_guest_os(element),
        network_names=tuple(dict.fromkeys(name for name in names if name != _UNPLUGGED)),
        customization_enabled=_customization(element).enabled or False,
    )


def template_limits(metadata: Element) -> TemplateLimits:
    """Read our three keys of a template's Metadata; a value that is no positive number does not limit."""
    found = {text(entry, "Key"): _metadata_number(entry) for entry in children(metadata, "MetadataEntry")}
    disk_gb = found.get("disk_gb_max")
    return TemplateLimits(found.get("cpu_max"), found.get("memory_mb_max"), disk_gb and disk_gb * 1024)


def vdc(element: Element, profiles: tuple[StorageProfile, ...]) -> Vdc:
    """Read a Vdc; the use of its storage profiles is not in the document and comes from a query."""
    capacity = child(element, "ComputeCapacity")
    cpu = None if capacity is None else child(capacity, "Cpu")
    memory = None if capacity is None else child(capacity, "Memory")
    networks = children(child(element, "AvailableNetworks"), "Network")
    return Vdc(
        id=xml.required_urn(element),
        name=element.get("name", ""),
        description=text(element, "Description") or "",
        enabled=boolean(text(element, "IsEnabled")) is not False,
        allocation_model=text(element, "AllocationModel") or "",
        cpu_limit_mhz=integer(text(cpu, "Limit")) or None,
        cpu_used_mhz=integer(text(cpu, "Used")) or 0,
        cpu_reserved_mhz=integer(text(cpu, "Reserved")) or 0,
        memory_limit_mb=integer(text(memory, "Limit")) or None,
        memory_used_mb=integer(text(memory, "Used")) or 0,
        memory_reserved_mb=integer(text(memory, "Reserved")) or 0,
        vm_quota=integer(text(element, "VmQuota")) or None,
        vcpu_mhz=integer(text(element, "VCpuInMhz2")) or None,
        nic_quota=integer(text(element, "NicQuota")) or None,
        storage_profiles=profiles,
        networks=tuple(found for item in networks if (found := _reference(item))),
    )


def org_network(element: Element) -> OrgVdcNetwork:
    """Read an OrgVdcNetwork document."""
    configuration = child(element, "Configuration")
    scope = None if configuration is None else child(configuration, "IpScopes", "IpScope")
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


def hardware_items(element: Element) -> dict[str, list[Element]]:
    """Return the hardware items of a VM by ResourceType, in the order of the document."""
    section = child(element, "VirtualHardwareSection", namespace=OVF)
    found: dict[str, list[Element]] = {}
    for item in children(section, "Item", OVF):
        found.setdefault(text(item, "ResourceType", namespace=RASD) or "", []).append(item)
    return found


def _status(element: Element) -> VmStatus:
    status = integer(element.get("status"))
    return VmStatus.UNKNOWN if status is None else VmStatus(status)


def _links(element: Element) -> frozenset[str]:
    return frozenset(link.get("rel", "") for link in children(element, "Link"))


def _up(element: Element, kind: str) -> str | None:
    urns = (urn_from_href(link.get("href", "")) for link in children(element, "Link") if link.get("rel") == "up")
    return next((urn for urn in urns if urn and urn.startswith(f"urn:vcloud:{kind}:")), None)


def _tasks(element: Element) -> tuple[Task, ...]:
    return tuple(task(item) for item in children(child(element, "Tasks"), "Task"))


def _reference(element: Element | None) -> Reference | None:
    urn = None if element is None else xml.urn_of(element)
    return None if element is None or urn is None else Reference(urn, element.get("name", ""))


def _quantity(items: list[Element] | None) -> int | None:
    return integer(text(items[0], "VirtualQuantity", namespace=RASD)) if items else None


def _memory_mb(items: list[Element] | None) -> int | None:
    quantity = _quantity(items)
    if not items or quantity is None:
        return None
    return quantity * _unit_bytes(text(items[0], "AllocationUnits", namespace=RASD), default=2**20) // 2**20


def _unit_bytes(unit: str | None, *, default: int) -> int:
    found = _UNITS.fullmatch((unit or "").lower().replace("bytes", "byte"))
    if not found:
        return default
    return int(found.group(1)) ** int(found.group(2)) if found.group(1) else 1


def _disk(item: Element) -> Disk:
    host = child(item, "HostResource", namespace=RASD)
    said = {} if host is None else {name.removeprefix(f"{{{VCLOUD}}}"): value for name, value in host.attrib.items()}
    size_mb = integer(said.get("capacity"))
    if size_mb is None:
        unit = _unit_bytes(text(item, "VirtualQuantityUnits", namespace=RASD), default=1)
        size_mb = (_quantity([item]) or 0) * unit // 2**20
    return Disk(
        instance_id=xml.required(text(item, "InstanceID", namespace=RASD), "InstanceID of a disk"),
        name=text(item, "ElementName", namespace=RASD) or "",
        size_mb=size_mb,
        bus_type=integer(said.get("busType")),
        bus_sub_type=said.get("busSubType"),
        bus_instance_id=text(item, "Parent", namespace=RASD),
        unit_number=integer(text(item, "AddressOnParent", namespace=RASD)),
        storage_profile_id=urn_from_href(said.get("storageProfileHref", "")),
        independent=bool(said.get("disk")),
    )


def _nics(element: Element) -> tuple[Nic, ...]:
    section = child(element, "NetworkConnectionSection")
    primary = integer(text(section, "PrimaryNetworkConnectionIndex"))
    return tuple(_nic(item, primary) for item in children(section, "NetworkConnection"))


def _nic(item: Element, primary: int | None) -> Nic:
    index = integer(text(item, "NetworkConnectionIndex")) or 0
    network = item.get("network") or _UNPLUGGED
    return Nic(
        index=index,
        network=None if network == _UNPLUGGED else network,
        mode=text(item, "IpAddressAllocationMode") or "NONE",
        ip=text(item, "IpAddress"),
        external_ip=text(item, "ExternalIpAddress"),
        mac=text(item, "MACAddress"),
        connected=boolean(text(item, "IsConnected")) or False,
        primary=index == primary,
    )


def _guest_os(element: Element) -> str:
    section = child(element, "OperatingSystemSection", namespace=OVF)
    return text(section, "Description", namespace=OVF) or ""


def _customization(element: Element) -> GuestCustomization:
    section = child(element, "GuestCustomizationSection")
    return GuestCustomization(
        enabled=boolean(text(section, "Enabled")),
        computer_name=text(section, "ComputerName"),
        password_enabled=boolean(text(section, "AdminPasswordEnabled")),
        password_auto=boolean(text(section, "AdminPasswordAuto")),
        reset_password_required=boolean(text(section, "ResetPasswordRequired")),
        change_sid=boolean(text(section, "ChangeSid")),
    )


def _vapp_network(element: Element) -> VAppNetwork:
    configuration = child(element, "Configuration")
    scope = None if configuration is None else child(configuration, "IpScopes", "IpScope")
    addresses = None if scope is None else child(scope, "IpRanges", "IpRange")
    parent = _reference(None if configuration is None else child(configuration, "ParentNetwork"))
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
    )


def _metadata_number(entry: Element) -> int | None:
    value = text(entry, "TypedValue", "Value") or text(entry, "Value")
    return int(value) or None if value and re.fullmatch(r"[0-9]{1,12}", value) else None
