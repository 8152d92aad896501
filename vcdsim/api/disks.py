"""Independent disks: create, read, change, delete, attach, detach."""

from __future__ import annotations

from lxml import etree

from vcdsim import disks as rules
from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context, link, write_owner
from vcdsim.api.routing import route
from vcdsim.api.tasks import task_answer, write_tasks_of
from vcdsim.entities import IndependentDisk, Vdc

#: From here the size is in MB and called so.
_SIZE_IN_MB = (33, 0)


@route("POST", "/api/vdc/{entity_id}/disk", "createDisk")
def create(ctx: Context, entity_id: str) -> Answer:
    """201 with the new disk and its task."""
    vdc = ctx.world.vdc(entity_id, ctx.user)
    (element,) = xml.children(ctx.parse("DiskCreateParams"), "Disk")
    disk = _ordered(ctx, vdc, element)
    rules.create(ctx.world, ctx.user, vdc, disk)
    return ctx.xml(write_disk(ctx, disk), hrefs.MEDIA["disk"], status=201, location=ctx.href("disk", disk.id))


def _ordered(ctx: Context, vdc: Vdc, element: etree._Element) -> IndependentDisk:
    profile = xml.child(element, "StorageProfile")
    size_mb = _size_mb(ctx, element)
    if size_mb is None:
        name = "sizeMb" if ctx.since(*_SIZE_IN_MB) else "size"
        raise xml.bad_body(f"cvc-complex-type.4: Attribute '{name}' must appear on element 'Disk'.")
    return IndependentDisk(
        id=ctx.world.new_id(),
        name=element.get("name") or "",
        vdc_id=vdc.id,
        org_id=vdc.org_id,
        owner_id=ctx.user.id,
        created_at=ctx.world.now(),
        size_mb=size_mb,
        storage_profile_id=ctx.world.default_profile(vdc).id if profile is None else hrefs.id_in(profile.get("href")),
        description=xml.value(element, "Description") or "",
        bus_type=element.get("busType") or "6",
        bus_sub_type=element.get("busSubType") or "lsilogic",
    )


def _size_mb(ctx: Context, element: etree._Element) -> int | None:
    if ctx.since(*_SIZE_IN_MB):
        return xml.number(element.get("sizeMb"), "sizeMb")
    size = xml.number(element.get("size"), "size")
    return None if size is None else size // 2**20


@route("GET", "/api/disk/{entity_id}", "disk")
def get_disk(ctx: Context, entity_id: str) -> Answer:
    """An independent disk."""
    return ctx.xml(write_disk(ctx, ctx.world.disk(entity_id, ctx.user)), hrefs.MEDIA["disk"])


@route("PUT", "/api/disk/{entity_id}", "updateDisk")
def put_disk(ctx: Context, entity_id: str) -> Answer:
    """Rename, describe, grow."""
    disk = ctx.world.disk(entity_id, ctx.user)
    element = ctx.parse("Disk")
    description, size_mb = xml.value(element, "Description"), _size_mb(ctx, element)
    task = rules.update(
        ctx.world,
        ctx.user,
        disk,
        name=element.get("name") or disk.name,
        description=disk.description if description is None else description,
        size_mb=disk.size_mb if size_mb is None else size_mb,
    )
    return task_answer(ctx, task)


@route("DELETE", "/api/disk/{entity_id}", "deleteDisk")
def delete_disk(ctx: Context, entity_id: str) -> Answer:
    """Delete a disk that is attached to nothing."""
    return task_answer(ctx, rules.delete(ctx.world, ctx.user, ctx.world.disk(entity_id, ctx.user)))


@route("GET", "/api/disk/{entity_id}/attachedVms", "disk")
def get_attached(ctx: Context, entity_id: str) -> Answer:
    """The VM that has the disk, if any."""
    disk = ctx.world.disk(entity_id, ctx.user)
    address = f"{ctx.href('disk', disk.id)}/attachedVms"
    element = ctx.root("Vms", hrefs.media("vms"), {"href": address})
    link(element, "up", ctx.href("disk", disk.id), hrefs.MEDIA["disk"])
    for vm in rules.attached_vms(ctx.world, disk):
        ctx.reference(element, "VmReference", "vm", vm.id, vm.name)
    return ctx.xml(element, hrefs.media("vms"))


@route("POST", "/api/vApp/vm-{entity_id}/disk/action/attach", "attachDisk")
def attach(ctx: Context, entity_id: str) -> Answer:
    """Attach a disk to the VM."""
    vm = ctx.world.vm(entity_id, ctx.user)
    element = ctx.parse("DiskAttachOrDetachParams")
    disk, bus, unit = _named(ctx, element), xml.integer(element, "BusNumber"), xml.integer(element, "UnitNumber")
    return task_answer(ctx, rules.attach(ctx.world, ctx.user, vm, disk, bus=bus, unit=unit))


@route("POST", "/api/vApp/vm-{entity_id}/disk/action/detach", "detachDisk")
def detach(ctx: Context, entity_id: str) -> Answer:
    """Take a disk off the VM."""
    vm = ctx.world.vm(entity_id, ctx.user)
    disk = _named(ctx, ctx.parse("DiskAttachOrDetachParams"))
    return task_answer(ctx, rules.detach(ctx.world, ctx.user, vm, disk))


def _named(ctx: Context, element: etree._Element) -> IndependentDisk:
    (reference,) = xml.children(element, "Disk")
    return ctx.world.disk(hrefs.id_in(reference.get("href")), ctx.user)


def write_disk(ctx: Context, disk: IndependentDisk) -> etree._Element:
    """`<Disk>`; what may be done with it depends on whether it is attached."""
    size = {"sizeMb": str(disk.size_mb)} if ctx.since(*_SIZE_IN_MB) else {"size": str(disk.size_mb * 2**20)}
    attributes = {
        **size,
        "busType": disk.bus_type,
        "busSubType": disk.bus_sub_type,
        "status": "1" if disk.is_resolved else "0",
    }
    element = ctx.entity_root("Disk", "disk", disk.id, disk.name, attributes)
    address = ctx.href("disk", disk.id)
    link(element, "up", ctx.href("vdc", disk.vdc_id), hrefs.MEDIA["vdc"])
    if disk.is_resolved and disk.vm_id is None:
        link(element, "remove", address)
        link(element, "edit", address, hrefs.MEDIA["disk"])
    link(element, "down", f"{address}/owner", hrefs.media("owner"))
    link(element, "down", f"{address}/metadata", hrefs.media("metadata"))
    link(element, "down", f"{address}/attachedVms", hrefs.media("vms"))
    xml.sub(element, "Description", disk.description)
    write_tasks_of(ctx, element, disk.id)
    profile = ctx.world.storage_profiles[disk.storage_profile_id]
    ctx.reference(element, "StorageProfile", "vdcstorageProfile", profile.id, profile.name)
    write_owner(ctx, element, disk.owner_id)
    return element
