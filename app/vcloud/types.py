"""What vCloud Director knows, as frozen values. Sizes in MB are MiB, as vCloud counts; times are UTC; ids are urns."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from app.vcloud.statuses import TaskStatus, VmStatus


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """One API version the server offers; a deprecated one will be withdrawn at an upgrade."""

    number: str
    deprecated: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A named pointer to another object."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class VcloudErrorInfo:
    """Why a task failed, in vCloud's words (hostile input: escape before showing)."""

    major_code: int | None
    minor_code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Task:
    """vCloud's asynchronous work on one entity. `progress` is 0..100, may be absent, stick or run backwards."""

    id: str
    status: TaskStatus
    operation_name: str
    operation: str
    progress: int | None
    error: VcloudErrorInfo | None
    owner_id: str | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Disk:
    """A hard disk of a VM. `bus_type` 5 is IDE, 6 SCSI, 20 SATA; `independent` disks outlive their VM."""

    instance_id: str
    name: str
    size_mb: int
    bus_type: int | None
    bus_sub_type: str | None
    bus_instance_id: str | None
    unit_number: int | None
    storage_profile_id: str | None
    independent: bool


@dataclass(frozen=True, slots=True)
class Nic:
    """A network card. `network` is a network of the vApp, None when unplugged; `external_ip` only behind NAT.

    `mode` is POOL, MANUAL, DHCP or NONE. With DHCP `ip` stays None until the guest's tools report it.
    """

    index: int
    network: str | None
    mode: str
    ip: str | None
    external_ip: str | None
    mac: str | None
    connected: bool
    primary: bool


@dataclass(frozen=True, slots=True)
class GuestCustomization:
    """Settings for the guest's first boot. In a change, None leaves what vCloud has.

    `password` is only ever sent: vCloud answers it in clear, and nothing but `Client.admin_passwords` reads it. Giving
    one switches the password on and its generation by vCloud off. `computer_name`: 15 characters at most for Windows,
    else 63.
    """

    enabled: bool | None = None
    computer_name: str | None = None
    password_enabled: bool | None = None
    password_auto: bool | None = None
    password: str | None = field(default=None, repr=False)
    reset_password_required: bool | None = None
    change_sid: bool | None = None


@dataclass(frozen=True, slots=True)
class AdminPassword:
    """The password that vCloud has for the administrator of a VM's guest, which may have changed it since."""

    vm_id: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The snapshot of a VM; there is at most one. `powered_on`: it remembers the memory of a running guest."""

    created_at: datetime | None
    size_mb: int
    powered_on: bool


@dataclass(frozen=True, slots=True)
class Vm:
    """A virtual machine, whole. `links` are the rels that say what is legal now; deployed and on are two facts."""

    id: str
    name: str
    description: str
    status: VmStatus
    deployed: bool
    cpu_count: int | None
    cores_per_socket: int | None
    memory_mb: int | None
    disks: tuple[Disk, ...]
    nics: tuple[Nic, ...]
    guest_os: str
    customization: GuestCustomization
    needs_customization: bool
    cpu_hot_add: bool
    memory_hot_add: bool
    snapshot: Snapshot | None
    vapp_id: str | None
    storage_profile: Reference | None
    links: frozenset[str]
    tasks: tuple[Task, ...]
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class VAppNetwork:
    """A network inside a vApp, by `fence_mode`.

    "bridged" joins `parent_urn` directly and needs nothing more; "natRouted" routes to it from addresses of its own;
    "isolated" has addresses of its own and no parent. `router_ip` is the router's own address in the parent network,
    which vCloud gives it.
    """

    name: str
    parent_urn: str | None
    fence_mode: str
    gateway: str | None = None
    netmask: str | None = None
    dns1: str | None = None
    dns2: str | None = None
    dns_suffix: str | None = None
    range_start: str | None = None
    range_end: str | None = None
    router_ip: str | None = None


@dataclass(frozen=True, slots=True)
class Leases:
    """How long a vApp may run and be kept before vCloud stops or deletes it; None is "for ever" or "not running"."""

    deployment_s: int | None
    storage_s: int | None
    deployment_ends_at: datetime | None
    storage_ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class VApp:
    """A vApp with complete VMs. While it is being created it has status UNRESOLVED, a task and no VMs."""

    id: str
    name: str
    description: str
    status: VmStatus
    deployed: bool
    vdc_id: str | None
    owner_name: str | None
    leases: Leases
    networks: tuple[VAppNetwork, ...]
    vms: tuple[Vm, ...]
    links: frozenset[str]
    tasks: tuple[Task, ...]
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class StorageProfile:
    """A storage profile of a VDC. A limit of None is "no limit"; used is None where vCloud does not tell."""

    id: str
    name: str
    is_default: bool
    limit_mb: int | None
    used_mb: int | None


@dataclass(frozen=True, slots=True)
class Vdc:
    """An organization VDC. A limit or quota of None is "no limit" (vCloud writes 0). A vCPU counts as `vcpu_mhz`."""

    id: str
    name: str
    description: str
    enabled: bool
    allocation_model: str
    cpu_limit_mhz: int | None
    cpu_used_mhz: int
    cpu_reserved_mhz: int
    memory_limit_mb: int | None
    memory_used_mb: int
    memory_reserved_mb: int
    vm_quota: int | None
    vcpu_mhz: int | None
    nic_quota: int | None
    storage_profiles: tuple[StorageProfile, ...]
    networks: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class TemplateVm:
    """A VM of a template. `disk_mb` is its first (system) disk; None where the server's version does not tell."""

    id: str
    name: str
    cpu_count: int | None
    memory_mb: int | None
    disk_mb: int | None
    disks: tuple[Disk, ...]
    guest_os: str
    network_names: tuple[str, ...]
    customization_enabled: bool


@dataclass(frozen=True, slots=True)
class TemplateLimits:
    """Upper bounds the provider wrote into the template's metadata: cpu_max, memory_mb_max, disk_gb_max."""

    cpu_max: int | None = None
    memory_mb_max: int | None = None
    disk_mb_max: int | None = None


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """One row of the query service about a template in a catalog. Another `key` (32 characters) is another content.

    Bounds in its metadata may change without it.
    """

    id: str
    name: str
    catalog_name: str
    key: str


@dataclass(frozen=True, slots=True)
class VappTemplate:
    """A vApp template in a catalog we may read. Ready to use when `status` is POWERED_OFF (vCloud's 8)."""

    id: str
    name: str
    description: str
    status: VmStatus
    catalog_name: str
    vms: tuple[TemplateVm, ...]
    limits: TemplateLimits


@dataclass(frozen=True, slots=True)
class OrgVdcNetwork:
    """A network of the organization that VMs of the VDC may use. `fence_mode`: bridged, natRouted or isolated."""

    id: str
    name: str
    fence_mode: str
    gateway: str | None
    netmask: str | None
    dns1: str | None
    dns2: str | None
    is_shared: bool


@dataclass(frozen=True, slots=True)
class AllocatedAddress:
    """An address of a network that somebody holds: `vm_id`'s card, its outer side, or (None) the vApp's router.

    Without either it is something that is neither, such as an edge gateway. With a VM, `vapp_id` may be None.
    """

    ip: str
    vapp_id: str | None
    vm_id: str | None


@dataclass(frozen=True, slots=True)
class VAppRecord:
    """One row of the query service about a vApp."""

    id: str
    name: str
    vdc_id: str | None
    status: VmStatus
    deployed: bool
    busy: bool
    owner_name: str | None
    created_at: datetime | None
    task_id: str | None
    expired: bool  # its storage lease is over, and vCloud keeps it: it can only be renewed or deleted


class VmRecord(NamedTuple):
    """One row of the query service about a VM; `ip` is that of the primary NIC. None: this version does not tell.

    A tuple, for listings have 10,000 of them and a frozen dataclass takes six times as long to make.
    """

    id: str
    name: str
    vapp_id: str | None
    vapp_name: str | None
    vdc_id: str | None
    status: VmStatus
    deployed: bool
    busy: bool
    cpu_count: int | None
    memory_mb: int | None
    storage_mb: int | None
    guest_os: str
    ip: str | None
    network_name: str | None
    storage_profile_name: str | None
    task_id: str | None


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """One row of the query service about a task."""

    id: str
    operation_name: str
    status: TaskStatus
    object_id: str | None
    object_name: str
    object_type: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class MksTicket:
    """The way to a VM's screen, good for 30 s. `vmx` is empty from 10.4 on. The ticket is a secret."""

    host: str
    vmx: str
    ticket: str = field(repr=False)
    port: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that is listed of a VDC. `templates` is None if they did not come: they are asked for in every catalog.

    `touched`: the VMs and vApps of the organization on which a task began or ended since a moment, with its last one.
    """

    vdc: Vdc
    vms: list[VmRecord]
    vapps: list[VAppRecord]
    networks: list[OrgVdcNetwork]  # those that VMs can use: its own, and those that the organization shares
    templates: list[TemplateRecord] | None
    touched: dict[str, datetime]
