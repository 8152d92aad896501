"""Tables of operations: what somebody asked for, and what became of it. What vCloud has is in `models`."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.cloud.models import Vdc, Vm
from app.db import Base, Row
from app.sealing import Sealed

ACTIVE = ("queued", "running")
_WHILE_ACTIVE: dict[str, Any] = {
    f"{engine}_where": text("state IN ('queued', 'running')") for engine in ("sqlite", "postgresql")
}


class Operation(Row):
    """What somebody asked for: a row with a step, brought forward by whichever worker has claimed it."""

    __tablename__ = "operations"
    __table_args__ = (
        # One active operation per machine, by the database itself: two workers, two tabs, two people cannot pass.
        Index(
            "uq_operations_active_vm",
            "vm_id",
            unique=True,
            **_WHILE_ACTIVE,
        ),
        # Likewise one creation per name of a new vApp.
        Index(
            "uq_operations_active_name",
            "vdc_id",
            "claims_name",
            unique=True,
            **_WHILE_ACTIVE,
        ),
        Index("ix_operations_state_next_at", "state", "next_at"),
        Index(
            "ix_operations_active_account_id",
            "account_id",
            **_WHILE_ACTIVE,
        ),
        Index("ix_operations_account_id_created_at", "account_id", "created_at"),
        Index("ix_operations_kind_state_finished_at", "kind", "state", "finished_at"),  # the usual time of a kind
    )
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))
    step: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    vdc_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("vdcs.id"))
    vm_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("vms.id"))
    vapp_urn: Mapped[str | None] = mapped_column(
        String(80), index=True
    )  # vCloud works on one thing of a vApp at a time
    claims_name: Mapped[str | None] = mapped_column(String(128))
    form_token: Mapped[str] = mapped_column(String(64), unique=True)
    form_hash: Mapped[str] = mapped_column(String(64))
    params: Mapped[dict[str, Any]]  # what was asked, never a secret
    facts: Mapped[dict[str, Any]]  # what the steps learnt: urns
    password_sealed: Mapped[str | None] = mapped_column(Text)
    password_shown_at: Mapped[datetime | None]
    task_urn: Mapped[str | None] = mapped_column(String(80))
    progress: Mapped[int | None]
    step_sent_at: Mapped[datetime | None]  # a command of this step may have been accepted since then
    step_started_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    claim_no: Mapped[int]
    lost_turns: Mapped[int] = mapped_column(server_default="0")  # turns in a row that ended without a word
    next_at: Mapped[datetime]
    polls: Mapped[int]  # turns of this step that had to wait; decides the next delay
    deadline_at: Mapped[datetime]
    cancel_asked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    moved_at: Mapped[datetime]  # the last sign of work
    finished_at: Mapped[datetime | None]
    error_code: Mapped[str | None] = mapped_column(String(60))
    error_params: Mapped[dict[str, Any]]
    waiting_for: Mapped[str | None] = mapped_column(String(20))  # "unavailable", "busy", "queue": why it waits
    user: Mapped[User] = relationship()
    vdc: Mapped[Vdc] = relationship()
    vm: Mapped[Vm | None] = relationship()
    events: Mapped[list["OperationEvent"]] = relationship(order_by="OperationEvent.id", back_populates="operation")
    password = Sealed()  # of the new machine, until the person who asked has seen it

    @property
    def is_active(self) -> bool:
        """Whether workers still bring it forward."""
        return self.state in ACTIVE


IS_ACTIVE = text("operations.state IN ('queued', 'running')")
"""`Operation.state.in_(ACTIVE)` written out: with parameters, SQLite could not use the index of the active ones."""


class OperationEvent(Base):
    """One line of what happened in an operation; append-only, without secrets."""

    __tablename__ = "operation_events"
    id: Mapped[int] = mapped_column(primary_key=True)  # counts up: the order of the lines
    operation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("operations.id"), index=True)
    at: Mapped[datetime]
    step: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))  # begin, sent, task, wait, done, skip, error
    text: Mapped[str] = mapped_column(Text)  # vCloud's words, in English
    operation: Mapped[Operation] = relationship(back_populates="events")


class UnexplainedError(Row):
    """A text of vCloud that no rule explains yet, with how often it came; staff write rules from these."""

    __tablename__ = "unexplained_errors"
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)  # of code and text without ids and numbers
    minor_code: Mapped[str | None] = mapped_column(String(80))
    message: Mapped[str] = mapped_column(Text)  # as it came the last time
    times: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    operation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("operations.id"))  # the last one
