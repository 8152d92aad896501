"""What is asked of vCloud, as frozen values: new vApps and VMs, and changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.vcloud.types import GuestCustomization, VAppNetwork


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a network card shall be wired: into which network of the vApp, None for unplugged.

    `mode` is POOL, DHCP or MANUAL, the last one with an `ip`.
    """

    network: str | None = None
    mode: str = "POOL"
    ip: str | None = None
    connected: bool = True


@dataclass(frozen=True, slots=True)
class NewVm:
    """A VM to be made from a VM of a template, with a card for each wiring, or with one that is unplugged.

    Put the caller's mark into `description`; below API 5.6 it is not kept. None leaves customization as the template
    has it and the storage profile to the VDC.
    """

    template_vm_urn: str
    name: str
    description: str = ""
    cards: tuple[Wiring, ...] = ()
    customization: GuestCustomization | None = None
    storage_profile_urn: str | None = None


@dataclass(frozen=True, slots=True)
class VmChange:
    """What shall be different about a VM; what is left out stays as it is.

    `disk_mb`: new size by the disk's instance id, and disks only grow. `new_disks_mb`: sizes of disks to add, on the
    controller of the first. `removed_disks`: instance ids of disks to delete with their data. `cards`: wiring by
    index; None removes the card, an index the VM does not have adds one.
    """

    name: str | None = None
    description: str | None = None
    cpu_count: int | None = None
    memory_mb: int | None = None
    disk_mb: Mapping[str, int] = field(default_factory=dict)
    new_disks_mb: tuple[int, ...] = ()
    removed_disks: frozenset[str] = frozenset()
    cards: Mapping[int, Wiring | None] = field(default_factory=dict)
    customization: GuestCustomization | None = None


@dataclass(frozen=True, slots=True)
class NewVApp:
    """A vApp to be made from a template. Put the caller's mark into `description`: it survives and can be found."""

    name: str
    description: str
    template_urn: str
    vms: tuple[NewVm, ...] = ()
    network: VAppNetwork | None = None
