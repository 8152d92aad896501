"""Sections of VM and vApp documents that are not hardware or networks."""

from __future__ import annotations

from lxml import etree

from vcdsim import leases, startup
from vcdsim.api import hrefs, xml
from vcdsim.api.context import Context, link, moment
from vcdsim.api.hardware import IDE, SATA
from vcdsim.api.networks import section_element
from vcdsim.api.provider import hardware_address
from vcdsim.entities import Customization, Template, VApp, Vm

_ADAPTERS = {"lsilogicsas": "4", "VirtualSCSI": "5", "lsilogic": "3", "buslogic": "2"}


def write_os(ctx: Context, parent: etree._Element | None, vm: Vm, address: str) -> etree._Element:
    """`<ovf:OperatingSystemSection>`."""
    href, media_type = f"{address}/operatingSystemSection/", hrefs.media("operatingSystemSection")
    section = xml.ovf_section(ctx.version, parent, "ovf:OperatingSystemSection", href, media_type)
    section.set(xml.tag("ovf:id"), str(vm.os_id))
    section.set(xml.tag("vmw:osType"), vm.os_type)
    xml.sub(section, "ovf:Info", "Specifies the operating system installed")
    xml.sub(section, "ovf:Description", vm.guest_os)
    if not vm.is_template:
        link(section, "edit", href, media_type)
    return section


def write_customization(ctx: Context, parent: etree._Element | None, vm: Vm, address: str) -> etree._Element:
    """`<GuestCustomizationSection>`; the password is answered in clear, as vCD does."""
    href, media_type = f"{address}/guestCustomizationSection/", hrefs.media("guestCustomizationSection")
    section = section_element(ctx, parent, "GuestCustomizationSection", href, media_type)
    custom = vm.customization
    xml.sub(section, "ovf:Info", "Specifies Guest OS Customization Settings")
    xml.sub(section, "Enabled", custom.enabled)
    xml.sub(section, "ChangeSid", custom.change_sid)
    xml.sub(section, "VirtualMachineId", vm.id)
    xml.sub(section, "JoinDomainEnabled", custom.join_domain)
    xml.sub(section, "UseOrgSettings", custom.use_org_settings)
    _write_texts(section, _domain_texts(custom))
    xml.sub(section, "AdminPasswordEnabled", custom.admin_password_enabled)
    xml.sub(section, "AdminPasswordAuto", custom.admin_password_auto)
    _write_texts(section, {"AdminPassword": custom.admin_password})
    xml.sub(section, "AdminAutoLogonEnabled", custom.auto_logon)
    xml.sub(section, "AdminAutoLogonCount", custom.auto_logon_count)
    xml.sub(section, "ResetPasswordRequired", custom.reset_password)
    _write_texts(section, {"CustomizationScript": custom.script, "ComputerName": custom.computer_name})
    if not vm.is_template:
        link(section, "edit", href, media_type)
    return section


def write_runtime(ctx: Context, parent: etree._Element | None, address: str) -> etree._Element:
    """`<RuntimeInfoSection>`: the tools are always there. Its attributes are prefixed."""
    if parent is None:
        section = xml.root("RuntimeInfoSection", ctx.version)
    else:
        section = etree.SubElement(parent, xml.tag("RuntimeInfoSection"), nsmap={"ns10": xml.VCLOUD})
    section.set(xml.tag("vcloud:href"), f"{address}/runtimeInfoSection")
    section.set(xml.tag("vcloud:type"), hrefs.media("virtualHardwareSection"))
    xml.sub(section, "ovf:Info", "Specifies Runtime info")
    xml.sub(section, "VMWareTools", None, {"version": "12352"})
    return section


def write_snapshot(ctx: Context, parent: etree._Element | None, owner: Vm | VApp, address: str) -> etree._Element:
    """`<SnapshotSection>`; that of a vApp sums up its VMs."""
    href, media_type = f"{address}/snapshotSection", hrefs.media("snapshotSection")
    section = section_element(ctx, parent, "SnapshotSection", href, media_type)
    xml.sub(section, "ovf:Info", "Snapshot information section")
    vms = [owner] if isinstance(owner, Vm) else ctx.world.vms_of(owner)
    snapshots = [vm.snapshot for vm in vms if vm.snapshot is not None]
    if snapshots:
        facts = {
            "created": moment(max(one.created_at for one in snapshots)),
            "poweredOn": xml.flag(any(one.is_powered_on for one in snapshots)),
            "size": str(sum(one.size_bytes for one in snapshots)),
        }
        xml.sub(section, "Snapshot", None, facts)
    return section


def write_lease(ctx: Context, parent: etree._Element | None, owner: VApp | Template, address: str) -> etree._Element:
    """`<LeaseSettingsSection>`; 0 seconds means for ever."""
    href, media_type = f"{address}/leaseSettingsSection/", hrefs.media("leaseSettingsSection")
    section = section_element(ctx, parent, "LeaseSettingsSection", href, media_type)
    xml.sub(section, "ovf:Info", "Lease settings section")
    if isinstance(owner, VApp):
        link(section, "edit", href, media_type)
        xml.sub(section, "DeploymentLeaseInSeconds", owner.deployment_lease_s)
        xml.sub(section, "StorageLeaseInSeconds", owner.storage_lease_s)
        _write_moment(section, "DeploymentLeaseExpiration", leases.runtime_end(ctx.world, owner))
        _write_moment(section, "StorageLeaseExpiration", leases.storage_end(ctx.world, owner))
    else:
        xml.sub(section, "StorageLeaseInSeconds", 0)
    return section


def _write_moment(section: etree._Element, name: str, seconds: float | None) -> None:
    if seconds is not None:
        xml.sub(section, name, moment(seconds))


def write_startup(ctx: Context, parent: etree._Element | None, vapp: VApp, address: str) -> etree._Element:
    """`<ovf:StartupSection>`: order and delay of each VM."""
    href, media_type = f"{address}/startupSection/", hrefs.media("startupSection")
    section = xml.ovf_section(ctx.version, parent, "ovf:StartupSection", href, media_type)
    xml.sub(section, "ovf:Info", "VApp startup section")
    for vm in ctx.world.vms_of(vapp):
        facts = {**startup.item(vapp, vm), "id": vm.name}
        xml.sub(section, "ovf:Item", None, {f"ovf:{key}": text for key, text in facts.items()})
    link(section, "edit", href, media_type)
    return section


def write_spec(ctx: Context, parent: etree._Element, vm: Vm) -> None:
    """`<VmSpecSection>` (29.0 and later): the hardware in vCloud's own words."""
    section = xml.sub(parent, "VmSpecSection", None, {"Modified": "false"})
    xml.sub(section, "ovf:Info", "Virtual Machine specification")
    xml.sub(section, "OsType", vm.os_type)
    xml.sub(section, "NumCpus", vm.cpu_count)
    xml.sub(section, "NumCoresPerSocket", vm.cores_per_socket)
    cpu_mhz = vm.cpu_count * ctx.world.vdcs[vm.vdc_id].vcpu_mhz
    xml.sub(xml.sub(section, "CpuResourceMhz"), "Configured", cpu_mhz)
    xml.sub(xml.sub(section, "MemoryResourceMb"), "Configured", vm.memory_mb)
    disks = xml.sub(section, "DiskSection")
    for disk in vm.disks:
        settings = xml.sub(disks, "DiskSettings")
        xml.sub(settings, "DiskId", disk.instance_id)
        xml.sub(settings, "SizeMb", disk.size_mb)
        xml.sub(settings, "UnitNumber", disk.unit_number)
        xml.sub(settings, "BusNumber", disk.bus_number)
        by_bus = {IDE: "1", SATA: "6"}.get(disk.bus_type)
        xml.sub(settings, "AdapterType", by_bus or _ADAPTERS.get(disk.bus_sub_type, "4"))
        xml.sub(settings, "ThinProvisioned", True)
        if disk.independent_id is not None:
            name = ctx.world.disks[disk.independent_id].name
            ctx.reference(settings, "Disk", "disk", disk.independent_id, name)
        profile = ctx.world.storage_profiles[disk.storage_profile_id]
        ctx.reference(settings, "StorageProfile", "vdcstorageProfile", profile.id, profile.name)
        xml.sub(settings, "overrideVmDefault", False)
        xml.sub(settings, "VirtualQuantityUnit", "byte")
        xml.sub(settings, "VirtualQuantity", disk.size_mb * 2**20)
    version = f"vmx-{vm.hardware_version:02}"
    attributes = {
        "href": hardware_address(ctx, ctx.href("vdc", vm.vdc_id), version),
        "type": hrefs.media("virtualHardwareVersion"),
    }
    xml.sub(section, "HardwareVersion", version, attributes)
    xml.sub(section, "VmToolsVersion", "12352")
    xml.sub(section, "VirtualCpuType", "VM64")
    xml.sub(section, "TimeSyncWithHost", False)


def _domain_texts(custom: Customization) -> dict[str, str]:
    return {
        "DomainName": custom.domain_name,
        "DomainUserName": custom.domain_user,
        "DomainUserPassword": custom.domain_password,
        "MachineObjectOU": custom.machine_ou,
    }


def _write_texts(section: etree._Element, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        if text:
            xml.sub(section, name, text)
