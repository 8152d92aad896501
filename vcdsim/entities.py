"""The nouns of a simulated vCloud Director, as plain mutable records.

No rule and no XML lives here. Sizes carry their unit in the name; moments are seconds since
the epoch (float). Every record is JSON-serialisable through `vcdsim.codec`, so a world can be
saved and loaded. They have slots because a query looks at 10,000 of them: it is twice as fast.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

#: Power of a VM: `off`, `on` or `suspended`. `is_deployed` is a second, independent fact.
OFF, ON, SUSPENDED = "off", "on", "suspended"

#: vCloud's name for "not connected to any network".
NO_NETWORK = "none"


@dataclass(slots=True)
class StorageProfile:
    """A storage policy of one VDC; `limit_mb` 0 means unlimited."""

    id: str
    name: str
    vdc_id: str
    limit_mb: int = 0
    is_default: bool = True


@dataclass(slots=True)
class Vdc:
    """An organization virtual data center. Limits of 0 mean unlimited."""

    id: str
    name: str
    org_id: str
    description: str = ""
    allocation_model: str = "AllocationPool"
    cpu_limit_mhz: int = 0
    memory_limit_mb: int = 0
    vcpu_mhz: int = 1000
    cpu_guarantee: float = 0.5
    memory_guarantee: float = 0.5
    vm_quota: int = 0
    nic_quota: int = 0
    network_quota: int = 1000
    is_enabled: bool = True
    storage_profile_ids: list[str] = field(default_factory=list)
    network_ids: list[str] = field(default_factory=list)
    vapp_ids: list[str] = field(default_factory=list)
    template_ids: list[str] = field(default_factory=list)
    metadata: dict[str, Metadata] = field(default_factory=dict)
    access: Access | None = None
    last_task_id: str | None = None


@dataclass(slots=True)
class Access:
    """Who else may use something: everyone at a level, or users at theirs."""

    everyone: str | None = None
    users: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class IpRange:
    """An inclusive static pool, two dotted addresses."""

    start: str
    end: str


@dataclass(slots=True)
class IpScope:
    """One subnet with its static pool."""

    gateway: str
    netmask: str
    dns1: str = ""
    dns2: str = ""
    dns_suffix: str = ""
    ranges: list[IpRange] = field(default_factory=list)


@dataclass(slots=True)
class OrgNetwork:
    """An organization VDC network. `used` maps an address to the id of what holds it."""

    id: str
    name: str
    org_id: str
    vdc_id: str
    fence_mode: str
    scope: IpScope
    description: str = ""
    is_shared: bool = False
    used: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Metadata] = field(default_factory=dict)
    last_task_id: str | None = None


@dataclass(slots=True)
class VAppNetwork:
    """A network inside a vApp: bridged to its parent, isolated, or NAT-routed to its parent."""

    id: str
    name: str
    fence_mode: str
    scope: IpScope
    parent_id: str | None = None
    description: str = ""
    retain_addresses: bool = False
    router_ip: str | None = None
    is_deployed: bool = False
    used: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Disk:
    """A virtual disk. `bus_type` is the CIM number: 5 IDE, 6 SCSI, 20 SATA."""

    instance_id: int
    size_mb: int
    storage_profile_id: str
    bus_type: int = 6
    bus_sub_type: str = "lsilogicsas"
    bus_number: int = 0
    unit_number: int = 0
    #: The independent disk this is, None for a disk of the VM's own.
    independent_id: str | None = None


@dataclass(slots=True)
class Nic:
    """A network card; `mode` is POOL, DHCP, MANUAL or NONE."""

    index: int
    network: str = NO_NETWORK
    mode: str = "NONE"
    mac: str = ""
    ip: str | None = None
    external_ip: str | None = None
    is_connected: bool = False
    adapter: str = "VMXNET3"


@dataclass(slots=True)
class Customization:
    """Guest customization as remembered; the password is kept because vCD answers it in clear."""

    enabled: bool = False
    change_sid: bool = False
    join_domain: bool = False
    use_org_settings: bool = False
    domain_name: str = ""
    domain_user: str = ""
    domain_password: str = field(default="", repr=False)
    machine_ou: str = ""
    admin_password_enabled: bool = False
    admin_password_auto: bool = False
    admin_password: str = field(default="", repr=False)
    auto_logon: bool = False
    auto_logon_count: int = 0
    reset_password: bool = False
    script: str = ""
    computer_name: str = ""

    def fill_password(self) -> None:
        """VCD makes up the password itself when asked to, and shows it in the section."""
        if self.enabled and self.admin_password_enabled and self.admin_password_auto and not self.admin_password:
            self.admin_password = secrets.token_urlsafe(9)


@dataclass(slots=True)
class Snapshot:
    """The one snapshot of a VM and what it returns to."""

    created_at: float
    is_powered_on: bool
    size_bytes: int
    cpu_count: int
    memory_mb: int
    disks: list[Disk]
    #: It keeps what the guest had in memory, so that it goes on running; without, it comes back off.
    has_memory: bool = False


@dataclass(slots=True)
class Vm:
    """A virtual machine of a vApp, or of a template when `is_template` is set."""

    id: str
    name: str
    container_id: str
    vdc_id: str
    org_id: str
    cpu_count: int
    memory_mb: int
    disks: list[Disk]
    nics: list[Nic]
    storage_profile_id: str
    local_id: str
    created_at: float
    description: str = ""
    cores_per_socket: int = 1
    primary_nic: int = 0
    os_id: int = 96
    os_type: str = "debian12_64Guest"
    guest_os: str = "Debian GNU/Linux 12 (64-bit)"
    customization: Customization = field(default_factory=Customization)
    power: str = OFF
    is_deployed: bool = False
    is_template: bool = False
    is_resolved: bool = True
    needs_customization: bool = False
    gc_status: str = "GC_PENDING"
    customized_count: int = 0
    #: When the guest last began to boot; 0 for one that has run since it was made.
    booted_at: float = 0.0
    hardware_version: int = 19
    cpu_hot_add: bool = False
    memory_hot_add: bool = False
    snapshot: Snapshot | None = None
    metadata: dict[str, Metadata] = field(default_factory=dict)
    product_sections: list[str] = field(default_factory=list)
    last_task_id: str | None = None


@dataclass(slots=True)
class VApp:
    """A vApp. `creation` is `creating` until its task is done, then `done` or `failed`."""

    id: str
    name: str
    vdc_id: str
    org_id: str
    owner_id: str
    created_at: float
    description: str = ""
    creation: str = "done"
    vm_ids: list[str] = field(default_factory=list)
    networks: list[VAppNetwork] = field(default_factory=list)
    deployment_lease_s: int = 0
    storage_lease_s: int = 0
    #: When the leases began; 0 before the vApp was made.
    leased_from: float = 0.0
    #: What it was when they began: deployed or not.
    was_deployed: bool = False
    #: Its storage lease ended: it can only be renewed or deleted.
    is_expired: bool = False
    startup: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Made by vCD for a VM on its own, and gone with it.
    is_auto: bool = False
    access: Access | None = None
    product_sections: list[str] = field(default_factory=list)
    metadata: dict[str, Metadata] = field(default_factory=dict)
    last_task_id: str | None = None


@dataclass(slots=True)
class Metadata:
    """One typed metadata value: `kind` is String, Number, Boolean or DateTime.

    Entries of the domain SYSTEM are the provider's; tenants see them unless they are PRIVATE.
    """

    kind: str
    value: str
    domain: str = "GENERAL"
    visibility: str = "READWRITE"


@dataclass(slots=True)
class IndependentDisk:
    """A disk with a life of its own; attached, it is also among the disks of `vm_id`."""

    id: str
    name: str
    vdc_id: str
    org_id: str
    owner_id: str
    created_at: float
    size_mb: int
    storage_profile_id: str
    description: str = ""
    bus_type: str = "6"
    bus_sub_type: str = "lsilogic"
    is_resolved: bool = False
    vm_id: str | None = None
    metadata: dict[str, Metadata] = field(default_factory=dict)
    last_task_id: str | None = None


@dataclass(slots=True)
class Template:
    """A vApp template; `item_id` is the id of its catalog item."""

    id: str
    name: str
    vdc_id: str
    org_id: str
    owner_id: str
    catalog_id: str
    item_id: str
    created_at: float
    description: str = ""
    vm_ids: list[str] = field(default_factory=list)
    networks: list[VAppNetwork] = field(default_factory=list)
    metadata: dict[str, Metadata] = field(default_factory=dict)
    last_task_id: str | None = None


@dataclass(slots=True)
class Catalog:
    """A catalog; `is_public` makes it visible in every organization."""

    id: str
    name: str
    org_id: str
    owner_id: str
    created_at: float
    description: str = ""
    is_public: bool = False
    template_ids: list[str] = field(default_factory=list)
    metadata: dict[str, Metadata] = field(default_factory=dict)
    access: Access | None = None
    last_task_id: str | None = None


@dataclass(slots=True)
class TaskError:
    """Why a task ended in `error`, in vCloud's words."""

    minor_code: str
    message: str
    major_code: int = 400


@dataclass(slots=True)
class Task:
    """An asynchronous task. `effect` names the function that ends it, `args` is its JSON input.

    `status` holds queued, preRunning, running, success, error, canceled or aborted; the world moves it on its clock.
    """

    id: str
    operation_name: str
    effect: str
    owner_kind: str
    owner_id: str
    owner_name: str
    org_id: str
    user_id: str
    created_at: float
    runs_at: float
    ends_at: float
    args: dict[str, Any] = field(default_factory=dict)
    status: str = "queued"
    finished_at: float | None = None
    cancel_requested: bool = False
    is_stuck: bool = False
    #: It waits in `preRunning` until somebody lets it on.
    is_blocked: bool = False
    is_to_abort: bool = False
    fails_with: TaskError | None = None
    error: TaskError | None = None

    @property
    def is_final(self) -> bool:
        """True once the task can no longer change."""
        return self.status in ("success", "error", "canceled", "aborted")
