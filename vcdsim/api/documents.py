"""The vApp and VM documents, with the links their state allows."""

from __future__ import annotations

from lxml import etree

from vcdsim.api import hrefs, xml
from vcdsim.api.context import Context, link, moment, write_owner
from vcdsim.api.guarding import prune_links
from vcdsim.api.hardware import write_hardware
from vcdsim.api.networks import write_connections, write_network_config, write_network_section
from vcdsim.api.sections import (
    write_customization,
    write_lease,
    write_os,
    write_runtime,
    write_snapshot,
    write_spec,
    write_startup,
)
from vcdsim.api.tasks import write_tasks_of
from vcdsim.entities import OFF, ON, SUSPENDED, VApp, Vm
from vcdsim.world import vapp_status, vm_status

_POWER_OF_ON = ("powerOff", "reboot", "reset", "shutdown", "suspend")


def write_vapp(ctx: Context, vapp: VApp) -> etree._Element:
    """The vApp; its VMs are absent until it has been made."""
    world, vms = ctx.world, ctx.world.vms_of(vapp)
    attributes = {
        "ovfDescriptorUploaded": "true",
        "deployed": xml.flag(world.is_deployed(vapp)),
        "status": str(vapp_status(vapp, vms)),
    }
    element = ctx.entity_root("VApp", "vapp", vapp.id, vapp.name, attributes)
    address = ctx.href("vapp", vapp.id)
    _vapp_links(ctx, element, vapp, vms, address)
    xml.sub(element, "Description", vapp.description)
    write_tasks_of(ctx, element, vapp.id)
    if vapp.creation == "done":
        write_lease(ctx, element, vapp, address)
        write_startup(ctx, element, vapp, address)
        write_network_section(ctx, element, vapp, address)
        write_network_config(ctx, element, vapp, address)
        write_snapshot(ctx, element, vapp, address)
    xml.sub(element, "DateCreated", moment(vapp.created_at))
    write_owner(ctx, element, vapp.owner_id)
    if ctx.since(30, 0):
        xml.sub(element, "autoNature", vapp.is_auto)
    xml.sub(element, "InMaintenanceMode", False)
    if vapp.creation == "done" and vms:
        box = xml.sub(element, "Children")
        for vm in vms:
            write_vm(ctx, box, vm)
    prune_links(ctx, element, vapp)
    return element


def write_vm(ctx: Context, parent: etree._Element | None, vm: Vm) -> etree._Element:
    """The VM, as a child of a vApp document or as a root."""
    attributes = {
        "needsCustomization": xml.flag(vm.needs_customization),
        "nestedHypervisorEnabled": "false",
        "deployed": xml.flag(vm.is_deployed),
        "status": str(vm_status(vm)),
    }
    attributes = ctx.entity_attributes("vm", vm.id, vm.name, attributes)
    element = xml.element_in(parent, "Vm", ctx.version, attributes)
    address = ctx.href("vm", vm.id)
    _vm_links(ctx, element, vm, address)
    xml.sub(element, "Description", vm.description)
    write_tasks_of(ctx, element, vm.id)
    if ctx.since(29, 0):
        write_spec(ctx, element, vm)
    write_hardware(ctx, element, vm, address)
    write_os(ctx, element, vm, address)
    write_connections(ctx, element, vm, address)
    write_customization(ctx, element, vm, address)
    if vm.power == ON:
        write_runtime(ctx, element, address)
    write_snapshot(ctx, element, vm, address)
    xml.sub(element, "DateCreated", moment(vm.created_at))
    xml.sub(element, "VAppScopedLocalId", vm.local_id)
    write_capabilities(ctx, element, vm)
    profile = ctx.world.storage_profiles[vm.storage_profile_id]
    ctx.reference(element, "StorageProfile", "vdcstorageProfile", profile.id, profile.name)
    if parent is None:
        prune_links(ctx, element, ctx.world.vapps[vm.container_id])
    return element


def write_capabilities(ctx: Context, parent: etree._Element | None, vm: Vm) -> etree._Element:
    """`<VmCapabilities>`: what may grow while the VM runs."""
    address, media_type = ctx.href("vm", vm.id) + "/vmCapabilities/", hrefs.media("vmCapabilitiesSection")
    attributes = {"href": address, "type": media_type}
    element = xml.element_in(parent, "VmCapabilities", ctx.version, attributes)
    link(element, "edit", address, media_type)
    xml.sub(element, "MemoryHotAddEnabled", vm.memory_hot_add)
    xml.sub(element, "CpuHotAddEnabled", vm.cpu_hot_add)
    return element


def _vm_links(ctx: Context, element: etree._Element, vm: Vm, address: str) -> None:
    """Links by state: a VM that is off but deployed has no `remove`."""
    if vm.is_resolved:
        _power_links(element, address, {vm.power})
        if vm.is_deployed:
            link(element, "undeploy", f"{address}/action/undeploy", hrefs.media("undeployVAppParams"))
        else:
            link(element, "deploy", f"{address}/action/deploy", hrefs.media("deployVAppParams"))
        link(element, "edit", address, hrefs.MEDIA["vm"])
        if not vm.is_deployed or vm.power == SUSPENDED:
            link(element, "remove", address)
    if vm.power == ON:
        link(element, "screen:thumbnail", f"{address}/screen")
        link(element, "screen:acquireTicket", f"{address}/screen/action/acquireTicket")
        link(element, "screen:acquireMksTicket", f"{address}/screen/action/acquireMksTicket", hrefs.media("mksTicket"))
    if vm.is_resolved:
        if vm.power == OFF:
            link(element, "customizeAtNextPowerOn", f"{address}/action/customizeAtNextPowerOn")
        _snapshot_links(element, address, has_snapshot=vm.snapshot is not None)
        params = hrefs.media("mediaInsertOrEjectParams")
        link(element, "media:insertMedia", f"{address}/media/action/insertMedia", params)
        link(element, "media:ejectMedia", f"{address}/media/action/ejectMedia", params)
        params = hrefs.media("diskAttachOrDetachParams")
        link(element, "disk:attach", f"{address}/disk/action/attach", params)
        link(element, "disk:detach", f"{address}/disk/action/detach", params)
        link(element, "reconfigureVm", f"{address}/action/reconfigureVm", hrefs.MEDIA["vm"], vm.name)
    link(element, "down", f"{address}/metadata", hrefs.media("metadata"))
    link(element, "down", f"{address}/productSections", hrefs.media("productSections"))
    link(element, "up", ctx.href("vapp", vm.container_id), hrefs.MEDIA["vapp"])


def _vapp_links(ctx: Context, element: etree._Element, vapp: VApp, vms: list[Vm], address: str) -> None:
    is_done = vapp.creation == "done" and not vapp.is_expired
    if is_done and vms:
        _power_links(element, address, {vm.power for vm in vms})
        link(element, "deploy", f"{address}/action/deploy", hrefs.media("deployVAppParams"))
        if any(vm.is_deployed for vm in vms):
            link(element, "undeploy", f"{address}/action/undeploy", hrefs.media("undeployVAppParams"))
    if vapp.creation == "done":
        for network in vapp.networks:
            link(element, "down", ctx.href("network", network.id), hrefs.media("vAppNetwork"), network.name)
        link(element, "edit", address, hrefs.MEDIA["vapp"])
    if is_done:
        link(element, "recompose", f"{address}/action/recomposeVApp", hrefs.media("recomposeVAppParams"))
    if vapp.creation != "creating" and all(not vm.is_deployed or vm.power == SUSPENDED for vm in vms):
        link(element, "remove", address)
    if is_done and vms:
        _snapshot_links(element, address, has_snapshot=any(vm.snapshot for vm in vms))
    link(element, "down", f"{address}/owner", hrefs.media("owner"))
    link(element, "down", f"{address}/metadata", hrefs.media("metadata"))
    link(element, "down", f"{address}/productSections", hrefs.media("productSections"))
    if is_done:
        link(element, "down", f"{address}/controlAccess/", hrefs.media("controlAccess"))
        link(element, "controlAccess", f"{address}/action/controlAccess", hrefs.media("controlAccess"))
    link(element, "up", ctx.href("vdc", vapp.vdc_id), hrefs.MEDIA["vdc"])


def _power_links(element: etree._Element, address: str, powers: set[str]) -> None:
    if OFF in powers or SUSPENDED in powers:
        link(element, "power:powerOn", f"{address}/power/action/powerOn")
    if ON in powers:
        for action in _POWER_OF_ON:
            link(element, f"power:{action}", f"{address}/power/action/{action}")
    if SUSPENDED in powers:
        if ON not in powers:
            link(element, "power:suspend", f"{address}/power/action/suspend")  # recorded so, though it can only fail
        link(element, "discardState", f"{address}/action/discardSuspendedState")


def _snapshot_links(element: etree._Element, address: str, *, has_snapshot: bool) -> None:
    link(element, "snapshot:create", f"{address}/action/createSnapshot", hrefs.media("createSnapshotParams"))
    if has_snapshot:
        link(element, "snapshot:revertToCurrent", f"{address}/action/revertToCurrentSnapshot")
        link(element, "snapshot:removeAll", f"{address}/action/removeAllSnapshots")
