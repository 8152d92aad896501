"""Request sections to values: networks, connections, customization, hardware."""

from __future__ import annotations

from lxml import etree

from vcdsim.api import xml
from vcdsim.api.hardware import IDE, SATA, SCSI
from vcdsim.api.hrefs import id_in
from vcdsim.assembly import NetworkOrder
from vcdsim.entities import NO_NETWORK, Customization, IpRange, IpScope, Nic, Vm
from vcdsim.hardware import DiskOrder, VmChange
from vcdsim.networks import check_scope
from vcdsim.refusals import RefusalError

_MODES = ("POOL", "DHCP", "MANUAL", "NONE")
_CARD, _DISK = 10, 17
#: AdapterType to the bus and its sub-type, as terraform-provider-vcd numbers them; its 7, NVMe, is not simulated.
_ADAPTERS = {
    "1": (IDE, ""),
    "2": (SCSI, "buslogic"),
    "3": (SCSI, "lsilogic"),
    "4": (SCSI, "lsilogicsas"),
    "5": (SCSI, "VirtualSCSI"),
    "6": (SATA, "vmware.sata.ahci"),
}


def network_orders(section: etree._Element) -> list[NetworkOrder]:
    """The networks of a NetworkConfigSection, without the place-holder `none`."""
    configs = xml.children(section, "NetworkConfig")
    return [_network_order(config) for config in configs if config.get("networkName") != NO_NETWORK]


def _network_order(config: etree._Element) -> NetworkOrder:
    configuration = xml.child(config, "Configuration")
    if configuration is None:
        raise xml.bad_body("cvc-complex-type.2.4.b: The content of element 'NetworkConfig' is not complete.")
    parent = xml.child(configuration, "ParentNetwork")
    scopes = xml.child(configuration, "IpScopes")
    return NetworkOrder(
        name=config.get("networkName") or "",
        fence_mode=xml.value(configuration, "FenceMode") or "",
        parent_id=None if parent is None else id_in(parent.get("href")),
        scope=None if scopes is None else _scope(scopes),
        description=xml.value(config, "Description") or "",
        retain_addresses=xml.yes(configuration, "RetainNetInfoAcrossDeployments"),
    )


def _scope(scopes: etree._Element) -> IpScope | None:
    box = xml.child(scopes, "IpScope")
    if box is None or not xml.value(box, "Gateway"):
        return None
    ranges = [
        IpRange(xml.value(one, "StartAddress") or "", xml.value(one, "EndAddress") or "")
        for one in box.iter(xml.tag("IpRange"))
    ]
    scope = IpScope(
        gateway=xml.value(box, "Gateway") or "",
        netmask=xml.value(box, "Netmask") or "255.255.255.0",
        dns1=xml.value(box, "Dns1") or "",
        dns2=xml.value(box, "Dns2") or "",
        dns_suffix=xml.value(box, "DnsSuffix") or "",
        ranges=ranges,
    )
    check_scope(scope)
    return scope


def cards(section: etree._Element) -> tuple[list[Nic], int]:
    """The cards of a NetworkConnectionSection and the index of the primary one."""
    nics = [_card(box) for box in xml.children(section, "NetworkConnection")]
    primary = xml.integer(section, "PrimaryNetworkConnectionIndex")
    return nics, primary if primary is not None else (nics[0].index if nics else 0)


def _card(box: etree._Element) -> Nic:
    mode = xml.value(box, "IpAddressAllocationMode") or ""
    index = xml.integer(box, "NetworkConnectionIndex")
    if mode and mode not in _MODES:
        raise _no_mode(mode)
    if not mode or index is None:
        raise xml.bad_body("cvc-complex-type.2.4.b: The content of element 'NetworkConnection' is not complete.")
    network = box.get("network") or NO_NETWORK
    return Nic(
        index=index,
        network=network,
        mode=mode,
        mac=xml.value(box, "MACAddress") or "",
        ip=(xml.value(box, "IpAddress") or None) if mode == "MANUAL" else None,
        is_connected=xml.yes(box, "IsConnected") and network != NO_NETWORK,
        adapter=xml.value(box, "NetworkAdapterType") or "VMXNET3",
    )


def _no_mode(mode: str) -> RefusalError:
    return xml.bad_body(f"cvc-enumeration-valid: Value '{mode}' is not one of [{', '.join(_MODES)}].")


def card_items(items: list[etree._Element]) -> tuple[list[Nic], int]:
    """The card items of a RasdItemsList and the index of the primary one."""
    nics, primary = [], None
    for item in items:
        if resource_type(item) != _CARD:
            continue
        connection = xml.child(item, "rasd:Connection")
        index = xml.integer(item, "rasd:AddressOnParent")
        if connection is None or index is None:
            raise xml.bad_body("cvc-complex-type.2.4.b: The content of element 'Item' is not complete.")
        mode = connection.get(xml.tag("vcloud:ipAddressingMode")) or "NONE"
        if mode not in _MODES:
            raise _no_mode(mode)
        if xml.boolean(connection.get(xml.tag("vcloud:primaryNetworkConnection"))):
            primary = index
        network = (connection.text or "").strip() or NO_NETWORK
        nic = Nic(
            index=index,
            network=network,
            mode=mode,
            mac=xml.value(item, "rasd:Address") or "",
            ip=connection.get(xml.tag("vcloud:ipAddress")) if mode == "MANUAL" else None,
            is_connected=xml.yes(item, "rasd:AutomaticAllocation") and network != NO_NETWORK,
            adapter=xml.value(item, "rasd:ResourceSubType") or "VMXNET3",
        )
        nics.append(nic)
    return nics, primary if primary is not None else (nics[0].index if nics else 0)


def customization(section: etree._Element) -> Customization:
    """A GuestCustomizationSection, which replaces what was remembered."""
    return Customization(
        enabled=xml.yes(section, "Enabled"),
        change_sid=xml.yes(section, "ChangeSid"),
        join_domain=xml.yes(section, "JoinDomainEnabled"),
        use_org_settings=xml.yes(section, "UseOrgSettings"),
        domain_name=xml.value(section, "DomainName") or "",
        domain_user=xml.value(section, "DomainUserName") or "",
        domain_password=xml.value(section, "DomainUserPassword") or "",
        machine_ou=xml.value(section, "MachineObjectOU") or "",
        admin_password_enabled=xml.yes(section, "AdminPasswordEnabled"),
        admin_password_auto=xml.yes(section, "AdminPasswordAuto"),
        admin_password=xml.value(section, "AdminPassword") or "",
        auto_logon=xml.yes(section, "AdminAutoLogonEnabled"),
        auto_logon_count=xml.integer(section, "AdminAutoLogonCount") or 0,
        reset_password=xml.yes(section, "ResetPasswordRequired"),
        script=xml.value(section, "CustomizationScript") or "",
        computer_name=xml.value(section, "ComputerName") or "",
    )


def resource_type(item: etree._Element) -> int | None:
    """3 processors, 4 memory, 5/6/20 controllers, 10 card, 17 disk."""
    return xml.integer(item, "rasd:ResourceType")


def hardware(items: list[etree._Element], vm: Vm | None) -> VmChange:
    """OVF items to a change. Without disk items the disks stay; with them the list is replaced."""
    change = VmChange()
    for item in items:
        kind = resource_type(item)
        if kind == 3:
            change.cpu_count = xml.integer(item, "rasd:VirtualQuantity")
            change.cores_per_socket = xml.integer(item, "vmw:CoresPerSocket")
        elif kind == 4:
            change.memory_mb = xml.integer(item, "rasd:VirtualQuantity")
    if any(resource_type(item) == _DISK for item in items):
        change.disks = disks(items, vm)
    return change


def disks(items: list[etree._Element], vm: Vm | None) -> list[DiskOrder]:
    """The disk items; an InstanceID the VM does not have asks for a new disk."""
    known = {disk.instance_id for disk in vm.disks} if vm is not None else set()
    buses: dict[str | None, tuple[int, int]] = {
        xml.value(item, "rasd:InstanceID"): (kind, xml.integer(item, "rasd:Address") or 0)
        for item in items
        if (kind := resource_type(item)) in (IDE, SCSI, SATA)
    }
    return [_disk(item, known, buses, vm) for item in items if resource_type(item) == _DISK]


def _disk(item: etree._Element, known: set[int], buses: dict[str | None, tuple[int, int]], vm: Vm | None) -> DiskOrder:
    host = xml.child(item, "rasd:HostResource")
    capacity = None if host is None else xml.number(host.get(xml.tag("vcloud:capacity")), "capacity")
    if capacity is None:
        quantity = xml.integer(item, "rasd:VirtualQuantity")
        if quantity is None:
            raise RefusalError("A disk without a capacity.", minor_code="VIM_INVALID_DISK_PARAMETERS")
        capacity = quantity // 2**20
    instance_id = xml.integer(item, "rasd:InstanceID")
    bus_type, bus_number = buses.get(xml.value(item, "rasd:Parent"), (SCSI, 0))
    sub_type = None if host is None else host.get(xml.tag("vcloud:busSubType"))
    is_known = instance_id in known or vm is None
    return DiskOrder(
        instance_id=instance_id if is_known else None,
        size_mb=capacity,
        bus_type=bus_type,
        bus_sub_type=sub_type or "lsilogicsas",
        bus_number=bus_number,
        unit_number=xml.integer(item, "rasd:AddressOnParent"),
    )


def spec(section: etree._Element, vm: Vm | None) -> VmChange:
    """A VmSpecSection with `Modified="true"` (29.0 and later); without the mark it is read and ignored."""
    change = VmChange()
    is_meant = vm is None or xml.boolean(section.get("Modified"))
    change.os_type = xml.value(section, "OsType") or None
    change.cpu_count = xml.integer(section, "NumCpus")
    change.cores_per_socket = xml.integer(section, "NumCoresPerSocket")
    memory = xml.child(section, "MemoryResourceMb")
    if memory is not None:
        change.memory_mb = xml.integer(memory, "Configured")
        if change.memory_mb is None:
            raise xml.bad_body("cvc-datatype-valid.1.2.1: '' is not a valid value for 'integer'.")
    disk_section = xml.child(section, "DiskSection")
    if disk_section is not None:
        known = {disk.instance_id for disk in vm.disks} if vm is not None else set()
        change.disks = [_disk_settings(one, known) for one in xml.children(disk_section, "DiskSettings")]
    return change if is_meant else VmChange()


def _disk_settings(settings: etree._Element, known: set[int]) -> DiskOrder:
    instance_id = xml.integer(settings, "DiskId")
    size_mb = xml.integer(settings, "SizeMb")
    if size_mb is None:
        raise xml.bad_body("cvc-complex-type.2.4.b: The content of element 'DiskSettings' is not complete.")
    adapter = xml.value(settings, "AdapterType") or ""
    if adapter not in _ADAPTERS:
        raise RefusalError(
            f'The adapter type "{adapter}" of a disk is not valid.', minor_code="VIM_INVALID_DISK_PARAMETERS"
        )
    return DiskOrder(
        instance_id=instance_id if instance_id in known else None,
        size_mb=size_mb,
        bus_type=_ADAPTERS[adapter][0],
        bus_sub_type=_ADAPTERS[adapter][1],
        bus_number=xml.integer(settings, "BusNumber"),
        unit_number=xml.integer(settings, "UnitNumber"),
    )
