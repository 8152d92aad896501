"""Tables of the synchronisation: its runs, what happened to machines, who holds which address."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.cloud.models import Network, Service, Vm
from app.cloud.operation_models import Operation
from app.db import Base, Row


def _only_one(state: str) -> Index:
    condition = text(f"state = '{state}'")
    name = f"uq_sync_runs_{state}_service_id"
    return Index(name, "service_id", unique=True, sqlite_where=condition, postgresql_where=condition)


class SyncRun(Row):
    """One reading of a virtual data center: at most one of it waits and one runs, by the database itself.

    `waiting` -> `running` -> `done` or `failed`. A worker holds a running one with a claim, like an operation's.
    """

    __tablename__ = "sync_runs"
    __table_args__ = (
        _only_one("waiting"),
        _only_one("running"),
        Index("ix_sync_runs_service_id_asked_at", "service_id", "asked_at"),
        Index("ix_sync_runs_service_id_listed_at", "service_id", "listed_at"),
    )
    service_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("services.id"))
    state: Mapped[str] = mapped_column(String(20))
    why: Mapped[str] = mapped_column(
        String(20)
    )  # "schedule", "asked" (*Refresh*), "page" (looked at), "screen" (closed), "now" (a command)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))  # who pressed *Refresh*
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    listed_at: Mapped[datetime | None]  # what the mirror says is true at this moment, or was read later
    finished_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    claim_no: Mapped[int]
    lost_parts: Mapped[int] = mapped_column(server_default="0")  # workers in a row that took it and did not let go
    # "templates", "details", "missing", "addresses"; None: the listing
    phase: Mapped[str | None] = mapped_column(String(20))
    vapps_done: Mapped[int]
    vapps_total: Mapped[int]
    counts: Mapped[dict[str, Any]]  # {"new", "changed", "gone", "kept_back"}: machines
    error_code: Mapped[str | None] = mapped_column(String(60))
    error_params: Mapped[dict[str, Any]]
    service: Mapped[Service] = relationship()
    user: Mapped[User | None] = relationship()


_NOT_OURS: dict[str, Any] = {f"{engine}_where": text("operation_id IS NULL") for engine in ("sqlite", "postgresql")}
NOT_OURS = text("vm_events.operation_id IS NULL")
"""What no operation of the panel has done."""


class VmEvent(Base):
    """What happened to a machine, as far as vCloud showed it; append-only.

    `kind`: "appeared", "changed", "gone", "returned". Without an operation it was not the panel's doing.
    """

    __tablename__ = "vm_events"
    __table_args__ = (
        UniqueConstraint("vm_id", "run_id"),
        Index("ix_vm_events_vm_id_at", "vm_id", "at"),
        Index("ix_vm_events_account_id_at", "account_id", "at", **_NOT_OURS),
    )
    id: Mapped[int] = mapped_column(primary_key=True)  # counts up: the order of what happened
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    vm_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("vms.id"))
    at: Mapped[datetime]  # when it was seen
    kind: Mapped[str] = mapped_column(String(20))
    changes: Mapped[list[Any]]  # [{"what", "before", "after"}], see `history`
    operation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("operations.id"), index=True)
    run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("sync_runs.id"), index=True)
    vm: Mapped[Vm] = relationship()
    operation: Mapped[Operation | None] = relationship()


class NetworkAddress(Row):
    """An address of an organization network that somebody holds, as the last complete reading found it."""

    __tablename__ = "network_addresses"
    __table_args__ = (
        UniqueConstraint("network_id", "ip"),
        # A page of the list is read from this in its order.
        Index("ix_network_addresses_network_id_sort_key", "network_id", "sort_key"),
    )
    network_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("networks.id"))
    ip: Mapped[str] = mapped_column(String(45))
    sort_key: Mapped[str] = mapped_column(String(33))  # version and number: addresses in their order
    # The machine with the card, or the vApp whose router has it; None: something that vCloud does not name.
    holder_urn: Mapped[str | None] = mapped_column(String(80))
    network: Mapped[Network] = relationship()
