"""The table of the drift desk."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.cloud.drift_rules import ALARM_AFTER, DriftState, key_of
from app.cloud.models import Vdc, Vm
from app.cloud.operation_models import Operation
from app.db import Row

IS_LIVE = text("drifts.state IN ('open', 'noted', 'ignored')")
"""`Drift.state.in_(LIVE)` written out: with parameters, SQLite could not use the indexes of the live ones."""
_LIVE: dict[str, Any] = {
    f"{engine}_where": text("state IN ('open', 'noted', 'ignored')") for engine in ("sqlite", "postgresql")
}


class Drift(Row):
    """One thing of a machine that vCloud has otherwise than both sides last had it; see `drift_rules`."""

    __tablename__ = "drifts"
    __table_args__ = (
        Index("uq_drifts_live_vm_id_what", "vm_id", "what", unique=True, **_LIVE),
        # The counter of every page is read from this.
        Index("ix_drifts_live_vdc_id", "vdc_id", "state", "found_at", **_LIVE),
    )
    vdc_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("vdcs.id"))
    vm_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("vms.id"), index=True)
    what: Mapped[str] = mapped_column(String(20))
    agreed: Mapped[Any] = mapped_column(JSON)  # the last value that both sides had
    panel: Mapped[Any] = mapped_column(JSON)  # what the panel last asked for; mostly the same
    vcloud: Mapped[Any] = mapped_column(JSON)  # what vCloud has now
    state: Mapped[str] = mapped_column(String(20))
    found_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]  # when vCloud's value was last seen to move
    run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("sync_runs.id"), index=True)
    ignored_until: Mapped[datetime | None]
    decided_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    operation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("operations.id"), index=True)  # to restore it
    vm: Mapped[Vm] = relationship()
    vdc: Mapped[Vdc] = relationship()
    decided_by: Mapped[User | None] = relationship()
    operation: Mapped[Operation | None] = relationship()

    @property
    def seen_key(self) -> str:
        """A name of what vCloud has now: decisions bring the one that their person has seen."""
        return key_of(self.vcloud)

    def wants_decision(self, now: datetime) -> bool:
        """Whether somebody has to decide about it now."""
        if self.state == DriftState.IGNORED:
            return self.ignored_until is not None and self.ignored_until <= now
        return self.state == DriftState.OPEN

    def is_alarming(self, now: datetime) -> bool:
        """Whether it waits too long."""
        return self.wants_decision(now) and self.found_at < now - ALARM_AFTER
