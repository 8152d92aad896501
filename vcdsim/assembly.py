"""From what a request orders to the records of a vApp's networks and VMs, not yet part of the world."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from vcdsim import networks
from vcdsim.entities import (
    NO_NETWORK,
    OFF,
    Customization,
    Disk,
    IpScope,
    Nic,
    OrgNetwork,
    VApp,
    VAppNetwork,
    Vdc,
    Vm,
)
from vcdsim.hardware import VmChange, apply, check_change
from vcdsim.refusals import RefusalError
from vcdsim.world import World


@dataclass
class NetworkOrder:
    """One NetworkConfig of a request; `scope` None means inherited from the parent."""

    name: str
    fence_mode: str
    parent_id: str | None = None
    scope: IpScope | None = None
    description: str = ""
    retain_addresses: bool = False


@dataclass
class VmOrder:
    """What a request says about one VM; None keeps what its source has.

    The source is a VM of a template or of a vApp; compose and recompose also take a whole one.
    """

    source_id: str
    name: str | None = None
    description: str | None = None
    nics: list[Nic] | None = None
    primary_nic: int = 0
    customization: Customization | None = None
    needs_customization: bool | None = None
    cpu_count: int | None = None
    memory_mb: int | None = None
    disk_mb: dict[int, int] = field(default_factory=dict)
    storage_profile_id: str | None = None
    #: Template network name -> vApp network name (NetworkAssignment).
    assignments: dict[str, str] = field(default_factory=dict)
    #: The source goes when the copy is there.
    is_move: bool = False


@dataclass
class VAppOrder:
    """A whole instantiate, compose, recompose or clone request."""

    name: str
    description: str = ""
    networks: list[NetworkOrder] = field(default_factory=list)
    vms: list[VmOrder] = field(default_factory=list)
    #: VMs made from nothing: name and hardware (CreateItem).
    blanks: list[VmChange] = field(default_factory=list)
    is_move: bool = False
    deploy: bool = True
    power_on: bool = True


def make_network(world: World, vdc: Vdc, order: NetworkOrder, *, known: list[VAppNetwork]) -> VAppNetwork:
    """The ordered network; one of the same name in `known` keeps its id and the addresses it gave."""
    parent = _parent(world, vdc, order)
    scope = parent.scope if parent is not None and order.fence_mode == "bridged" else order.scope
    if scope is None:
        raise RefusalError(f'The network "{order.name}" needs an IP scope.')
    old = next((one for one in known if one.name == order.name), None)
    return VAppNetwork(
        id=old.id if old is not None else world.new_id(),
        name=order.name,
        fence_mode=order.fence_mode,
        scope=scope,
        parent_id=order.parent_id,
        description=order.description,
        retain_addresses=order.retain_addresses,
        router_ip=old.router_ip if old is not None else None,
        is_deployed=old is not None and old.is_deployed,
        used=old.used if old is not None else {},
    )


def _parent(world: World, vdc: Vdc, order: NetworkOrder) -> OrgNetwork | None:
    if order.fence_mode not in ("bridged", "isolated", "natRouted"):
        raise RefusalError(f'The fence mode "{order.fence_mode}" is not valid.')
    has = "cannot have" if order.fence_mode == "isolated" else "must have"
    if (order.fence_mode == "isolated") == (order.parent_id is not None):
        raise RefusalError(f'Network with fenced mode "{order.fence_mode}" {has} a parent network.')
    if order.parent_id is None:
        return None
    if order.parent_id not in vdc.network_ids:
        raise RefusalError(f'The network "{order.name}" is not available in VDC "{vdc.name}".')
    return world.networks[order.parent_id]


def make_vm(world: World, vdc: Vdc, vapp: VApp, source: Vm, order: VmOrder | None) -> Vm:
    """A copy of the template's VM as ordered: unresolved, with new ids, without addresses."""
    order = order or VmOrder(source.id)
    profile_id = order.storage_profile_id or world.default_profile(vdc).id
    if profile_id not in vdc.storage_profile_ids:
        raise RefusalError("Cannot find the VDC storage policy.")
    if (order.cpu_count or 1) < 1 or (order.memory_mb or 4) < 4:
        raise RefusalError("The number of CPUs and the memory size must be positive.")
    custom = replace(order.customization or source.customization)
    name = order.name or source.name
    custom.computer_name = custom.computer_name or name
    custom.fill_password()
    return replace(
        source,
        id=world.new_id(),
        name=name,
        description=source.description if order.description is None else order.description,
        container_id=vapp.id,
        vdc_id=vdc.id,
        org_id=vdc.org_id,
        cpu_count=order.cpu_count or source.cpu_count,
        memory_mb=order.memory_mb or source.memory_mb,
        disks=_disks(source.disks, order.disk_mb, profile_id),
        nics=_cards(world, vapp, source, order),
        primary_nic=source.primary_nic if order.nics is None else order.primary_nic,
        storage_profile_id=profile_id,
        local_id=world.new_id(),
        created_at=world.now(),
        customization=custom,
        is_template=False,
        is_resolved=False,
        needs_customization=custom.enabled if order.needs_customization is None else order.needs_customization,
        gc_status="GC_PENDING",
        power=OFF,
        is_deployed=False,
        snapshot=None,
        metadata=dict(source.metadata),
        last_task_id=None,
        customized_count=0,
    )


def make_blank(world: World, vdc: Vdc, vapp: VApp, change: VmChange) -> Vm:
    """A VM without a source: what `change` says, on an otherwise empty machine."""
    vm = Vm(
        id=world.new_id(),
        name=change.name or "",
        container_id=vapp.id,
        vdc_id=vdc.id,
        org_id=vdc.org_id,
        cpu_count=1,
        memory_mb=512,
        disks=[],
        nics=[],
        storage_profile_id=change.storage_profile_id or world.default_profile(vdc).id,
        local_id=world.new_id(),
        created_at=world.now(),
        is_resolved=False,
    )
    if vm.storage_profile_id not in vdc.storage_profile_ids:
        raise RefusalError("Cannot find the VDC storage policy.")
    check_change(world, vapp, vm, change)
    networks.check_cards(world, vapp, change.nics or [])
    nics, change.nics = change.nics, None
    apply(world, vapp, vm, change)
    vm.nics = [replace(nic, mac=nic.mac or world.new_mac()) for nic in nics or []]
    vm.primary_nic = change.primary_nic or 0
    vm.gc_status = "GC_PENDING"
    return vm


def _disks(source: list[Disk], sizes_mb: dict[int, int], profile_id: str) -> list[Disk]:
    disks = []
    for disk in source:
        size_mb = sizes_mb.get(disk.instance_id, disk.size_mb)
        if size_mb < disk.size_mb:
            raise RefusalError(f"The size of disk {disk.instance_id} cannot be less than that of the template.")
        disks.append(replace(disk, size_mb=size_mb, storage_profile_id=profile_id))
    return disks


def _cards(world: World, vapp: VApp, source: Vm, order: VmOrder) -> list[Nic]:
    if order.nics is not None:
        return [replace(nic, mac=nic.mac or world.new_mac()) for nic in order.nics]
    cards = []
    for nic in source.nics:
        wanted = order.assignments.get(nic.network, nic.network)
        if networks.network_named(vapp, wanted) is None:
            place = replace(nic, network=NO_NETWORK, mode="NONE", is_connected=False)
        else:
            place = replace(nic, network=wanted, mode="POOL" if nic.mode == "NONE" else nic.mode, is_connected=True)
        cards.append(replace(place, ip=None, mac=world.new_mac()))
    return cards
