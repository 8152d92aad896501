"""Tables of machines: the mirror (Vdc, VApp, Vm, ...) holds only what vCloud said, each row with when it was read.

What somebody asked for is in `operation_models`. Neither is ever written by the other's code.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Computed,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    column,
    false,
    func,
    select,
    table,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship, validates

from app.accounts.models import Account
from app.cloud.console_rules import ConsoleMode
from app.cloud.rules import Condition, VmState, vm_state
from app.db import Row, UtcDateTime
from app.sealing import Sealed


class Handler(Row):
    """A configured processing module: one vCloud Director and how to reach it."""

    __tablename__ = "handlers"
    name: Mapped[str] = mapped_column(String(120), unique=True)
    module: Mapped[str] = mapped_column(String(40))
    api_url: Mapped[str] = mapped_column(String(255))
    verify_tls: Mapped[bool]
    ca_file: Mapped[str | None] = mapped_column(String(255))
    proxy: Mapped[str | None] = mapped_column(String(255))  # address of the HTTP proxy on the way there
    # The provider's own login, if given: a user with his password, or an API token instead of both.
    username: Mapped[str] = mapped_column(String(128), server_default="")
    password_sealed: Mapped[str | None] = mapped_column(Text)
    api_token_sealed: Mapped[str | None] = mapped_column(Text)
    api_version: Mapped[str | None] = mapped_column(String(20))  # what it was last asked with
    is_api_deprecated: Mapped[bool] = mapped_column(server_default=false())  # vCloud says that this version will go
    answered_at: Mapped[datetime | None]
    silent_since: Mapped[datetime | None]  # set while vCloud does not answer
    console_mode: Mapped[ConsoleMode] = mapped_column(String(10), server_default=ConsoleMode.GATEWAY)
    console_hosts: Mapped[list[Any]] = mapped_column(server_default="[]")  # ["host[:port]"], beside that of the API
    password = Sealed()
    api_token = Sealed()


class Service(Row):
    """A virtual data center sold to an account: where it lives and the credentials that work on it."""

    __tablename__ = "services"
    __table_args__ = (UniqueConstraint("handler_id", "vdc_urn"),)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    handler_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handlers.id"))
    org_name: Mapped[str] = mapped_column(String(128))
    vdc_urn: Mapped[str] = mapped_column(String(80))
    username: Mapped[str] = mapped_column(String(128))  # empty: an API token is the login
    password_sealed: Mapped[str | None] = mapped_column(Text)
    api_token_sealed: Mapped[str | None] = mapped_column(Text)
    session_sealed: Mapped[str | None] = mapped_column(Text)
    loss_confirmed_at: Mapped[datetime | None]  # when staff last confirmed that most of its machines are gone
    created_at: Mapped[datetime]
    account: Mapped[Account] = relationship()
    handler: Mapped[Handler] = relationship()
    vdc: Mapped["Vdc | None"] = relationship(back_populates="service")
    password = Sealed()
    api_token = Sealed()
    session = Sealed()  # the vCloud session, shared by all workers


_RUNS = table("sync_runs", column("service_id", Uuid), column("listed_at", UtcDateTime))


class Vdc(Row):
    """Mirror of an organization virtual data center. A limit of None means that there is none."""

    __tablename__ = "vdcs"
    service_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("services.id"), unique=True)
    urn: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(128))
    is_enabled: Mapped[bool]
    cpu_limit_mhz: Mapped[int | None] = mapped_column(BigInteger)
    vcpu_mhz: Mapped[int | None]  # what one processor of a machine reserves
    memory_limit_mb: Mapped[int | None] = mapped_column(BigInteger)
    storage_limit_mb: Mapped[int | None] = mapped_column(BigInteger)
    vm_quota: Mapped[int | None]
    nic_quota: Mapped[int | None]
    cpu_used_mhz: Mapped[int | None] = mapped_column(BigInteger)  # by all that runs, as vCloud counts it
    memory_used_mb: Mapped[int | None] = mapped_column(BigInteger)
    storage_profiles: Mapped[list[Any]] = mapped_column(
        server_default="[]"
    )  # [{"name", "is_default", "limit_mb", "used_mb"}]
    # What the mirror says of it was so at this moment, or was read later: it comes from the runs of the sync.
    seen_at: Mapped[datetime | None] = column_property(
        select(func.max(_RUNS.c.listed_at)).where(_RUNS.c.service_id == service_id).scalar_subquery()
    )
    service: Mapped[Service] = relationship(back_populates="vdc")


class _Mirrored(Row):
    """What every object of a virtual data center has in the mirror."""

    __abstract__ = True
    vdc_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("vdcs.id"), index=True)
    urn: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(128))
    seen_at: Mapped[datetime]  # when vCloud said so; the last run found it unchanged since, see `Vdc.seen_at`
    gone_at: Mapped[datetime | None]  # when it was found missing


class Network(_Mirrored):
    """Mirror of an organization network."""

    __tablename__ = "networks"
    __table_args__ = (UniqueConstraint("vdc_id", "urn"),)
    fence_mode: Mapped[str] = mapped_column(String(20))
    gateway: Mapped[str | None] = mapped_column(String(45))
    netmask: Mapped[str | None] = mapped_column(String(45))
    addresses_at: Mapped[datetime | None]  # when its addresses were last read, all of them; None: never
    addresses_due_at: Mapped[datetime | None]  # when they are to be read again; None: at once


class VappTemplate(_Mirrored):
    """Mirror of a template. System and sizes are those of its first machine."""

    __tablename__ = "vapp_templates"
    __table_args__ = (UniqueConstraint("vdc_id", "urn"),)
    description: Mapped[str] = mapped_column(Text)
    catalog_name: Mapped[str] = mapped_column(String(128))
    guest_os: Mapped[str] = mapped_column(String(255))
    vms: Mapped[list[Any]]  # [{"urn", "name", "guest_os", "cpu_count", "memory_mb", "disk_mb"}]
    cpu_count: Mapped[int]
    memory_mb: Mapped[int]
    disk_gb: Mapped[int]
    cpu_most: Mapped[int | None]  # the template's own upper limits, if it states any
    memory_mb_most: Mapped[int | None]
    disk_gb_most: Mapped[int | None]
    record_key: Mapped[str | None] = mapped_column(String(32))  # what the listing said of it when it was read
    read_at: Mapped[datetime | None]  # when it was last read whole

    @property
    def is_windows(self) -> bool:
        """Whether the guest is a Windows."""
        return "windows" in self.guest_os.lower()


HAS_LEASE = text("(runtime_ends_at IS NOT NULL OR storage_ends_at IS NOT NULL)")


class VApp(_Mirrored):
    """Mirror of a vApp."""

    __tablename__ = "vapps"
    __table_args__ = (
        UniqueConstraint("vdc_id", "urn"),
        Index("ix_vapps_with_lease", "vdc_id", sqlite_where=HAS_LEASE, postgresql_where=HAS_LEASE),
    )
    status: Mapped[int]
    is_deployed: Mapped[bool]
    # [{"name", "parent_urn", "fence_mode", "gateway", "netmask", "router_ip"}]; an organization network is the parent
    networks: Mapped[list[Any]] = mapped_column(server_default="[]")
    record_key: Mapped[str | None] = mapped_column(String(32))  # fingerprint of what the last listing said of it
    read_key: Mapped[str | None] = mapped_column(String(32))  # fingerprint with which its document was read
    read_at: Mapped[datetime | None]  # when it was last read whole
    runtime_ends_at: Mapped[datetime | None]  # when its lease lets vCloud stop it; None: never, or it does not run
    storage_ends_at: Mapped[datetime | None]  # when its lease lets vCloud delete or lock it if it is stopped then
    is_expired: Mapped[bool] = mapped_column(server_default=false())  # that has come, and vCloud has locked it
    vms: Mapped[list["Vm"]] = relationship(back_populates="vapp")


_PRESENT: dict[str, Any] = {f"{engine}_where": text("gone_at IS NULL") for engine in ("sqlite", "postgresql")}
_RECYCLED: dict[str, Any] = {f"{engine}_where": text("recycled_at IS NOT NULL") for engine in ("sqlite", "postgresql")}
_GONE: dict[str, Any] = {f"{engine}_where": text("gone_at IS NOT NULL") for engine in ("sqlite", "postgresql")}


def card_lines(nics: list[Any], *keys: str) -> str:
    """What network cards have in these keys, each on a line, with a line break in front as well."""
    return "".join(f"\n{nic[key]}" for nic in nics for key in keys if nic[key])


class Vm(_Mirrored):
    """Mirror of a machine."""

    __tablename__ = "vms"
    __table_args__ = (
        UniqueConstraint("vdc_id", "urn"),
        # A page of the list is read from these in its order, so it costs the same for 100 machines and for 10,000.
        Index("ix_vms_vdc_id_state_rank", "vdc_id", "state_rank", "name", "id", **_PRESENT),
        Index("ix_vms_vdc_id_name", "vdc_id", "name", "id", **_PRESENT),
        Index("ix_vms_vdc_id_size", "vdc_id", "cpu_count", "memory_mb", "disk_mb", "name", "id", **_PRESENT),
        # Every page counts the machines by state: from this one, the smallest that can tell.
        Index("ix_vms_counted", "vdc_id", "state_rank", **_PRESENT),
        Index("ix_vms_vdc_id_gone_at", "vdc_id", "gone_at", **_GONE),
    )
    __mapper_args__ = {"eager_defaults": False}  # nothing that is written needs its rank back
    vapp_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("vapps.id"), index=True)
    status: Mapped[int]
    is_deployed: Mapped[bool]
    # The order of states in lists: 0 needs attention, 1 being built, 2 on, 3 suspended, 4 off; the database makes it.
    state_rank: Mapped[int] = mapped_column(
        Computed(
            "CASE WHEN status = 4 THEN 2 WHEN status = 3 THEN 3 WHEN status = 0 THEN 1 WHEN status <> 8 THEN 0 "
            "WHEN is_deployed THEN 0 ELSE 4 END"
        ),
        deferred=True,
    )
    state_since: Mapped[datetime | None]  # when we saw the present state begin; None: it was so when first seen
    cpu_count: Mapped[int]
    memory_mb: Mapped[int]
    cores_per_socket: Mapped[int | None]
    cpu_hot_add: Mapped[bool] = mapped_column(server_default=false())  # may grow while the machine is on
    memory_hot_add: Mapped[bool] = mapped_column(server_default=false())
    has_snapshot: Mapped[bool] = mapped_column(server_default=false())
    snapshot_at: Mapped[datetime | None]
    storage_profile: Mapped[str | None] = mapped_column(String(128))
    guest_os: Mapped[str] = mapped_column(String(255))
    disks: Mapped[list[Any]]  # [{"instance_id", "name", "size_mb", "independent"}]
    disk_mb: Mapped[int] = mapped_column(BigInteger)
    nics: Mapped[list[Any]]  # [{"index", "network", "ip", "external_ip", "mac", "mode", "is_connected", "primary"}]
    # Of the cards, one a line: what a filter looks at, because taking `nics` apart for each machine would be slow.
    network_names: Mapped[str] = mapped_column(Text, server_default="")
    addresses: Mapped[str] = mapped_column(Text, server_default="")
    inner_ip: Mapped[str | None] = mapped_column(String(45))
    outer_ip: Mapped[str | None] = mapped_column(String(45))
    first_seen_at: Mapped[datetime]
    read_at: Mapped[datetime | None]  # when it was last read whole; None: disks and cards are not known yet
    missing_since: Mapped[datetime | None]  # not in vCloud's listing since then; whether it is gone is being looked at
    vapp: Mapped[VApp] = relationship(back_populates="vms")
    vdc: Mapped[Vdc] = relationship()
    guard: Mapped["VmGuard | None"] = relationship(back_populates="vm", lazy="joined")

    @validates("nics")
    def _note_cards(self, _name: str, nics: list[Any]) -> list[Any]:
        self.network_names = card_lines(nics, "network")
        self.addresses = card_lines(nics, "ip", "external_ip")
        return nics

    @property
    def state(self) -> VmState:
        """What a person is told."""
        return vm_state(
            status=self.status,
            deployed=self.is_deployed,
            gone=self.gone_at is not None,
            recycled=self.guard is not None and self.guard.recycled_at is not None,
        )

    @property
    def checked_at(self) -> datetime:
        """When all this was last found to be so."""
        listed_at = self.vdc.seen_at if self.missing_since is None and self.gone_at is None else None
        return max(self.seen_at, listed_at) if listed_at else self.seen_at

    @property
    def shown_name(self) -> str:
        """What a person calls it: in the recycle bin it has another name in vCloud."""
        return (self.guard and self.guard.name_before) or self.name

    @property
    def condition(self) -> Condition:
        """What decides about the actions on it."""
        return Condition(
            state=self.state,
            has_snapshot=self.has_snapshot,
            is_protected=self.guard is not None and self.guard.is_protected,
        )

    @property
    def is_windows(self) -> bool:
        """Whether the guest is a Windows."""
        return "windows" in self.guest_os.lower()

    @property
    def disk_gb(self) -> int:
        """All disks together, rounded up to whole GB."""
        return -(-self.disk_mb // 1024)


class VmGuard(Row):
    """What the panel itself keeps about a machine: protection against deletion, and its time in the recycle bin."""

    __tablename__ = "vm_guards"
    __table_args__ = (Index("ix_vm_guards_recycled_vm_id", "vm_id", **_RECYCLED),)
    vm_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("vms.id"), unique=True)
    is_protected: Mapped[bool] = mapped_column(default=False)
    recycled_at: Mapped[datetime | None]
    erase_at: Mapped[datetime | None] = mapped_column(index=True)  # when it is deleted in vCloud for good
    name_before: Mapped[str | None] = mapped_column(String(128))  # its name before the recycle bin
    vm: Mapped[Vm] = relationship(back_populates="guard")


def guard_of(vm: Vm) -> VmGuard:
    """The guard of a machine, made if there is none yet; inside the caller's transaction."""
    if vm.guard is None:
        vm.guard = VmGuard(vm_id=vm.id, is_protected=False)
    return vm.guard


class ScheduleSlot(Row):
    """One due run of periodic work; the unique key makes a second clock harmless."""

    __tablename__ = "schedule_slots"
    __table_args__ = (UniqueConstraint("name", "slot_at"),)
    name: Mapped[str] = mapped_column(String(40))
    slot_at: Mapped[datetime]
