"""What the frame and most pages read of the account on the screen, each at most once in a request."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, case, func, select, text
from sqlalchemy.orm import aliased

from app import clock
from app.blueprints import web
from app.cloud import drift, vm_search
from app.cloud.models import Handler, Service, Vdc
from app.cloud.operation_models import IS_ACTIVE, Operation
from app.cloud.sync_models import SyncRun
from app.db import db


@dataclass(frozen=True, kw_only=True)
class VdcLine:
    """A virtual data center of the account, with the health of its vCloud; one not read yet has no id and no name.

    `run` is the one to tell people about: the one at work, else the last one that was asked for.
    """

    service_id: uuid.UUID
    id: uuid.UUID | None
    name: str | None
    answered_at: datetime | None
    silent_since: datetime | None
    seen_at: datetime | None  # how old all is that we show of it; None: never read
    drift_count: int  # what was changed in vCloud there and wants a decision
    run: "RunLine | None"


class RunLine(NamedTuple):
    """What is told of a run of the sync; see `SyncRun`."""

    state: str
    why: str
    phase: str | None
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    vapps_done: int
    vapps_total: int
    counts: dict[str, int]
    error_code: str | None


_at_work, _last = aliased(SyncRun, name="at_work"), aliased(SyncRun, name="last_run")
# Written out like `IS_ACTIVE`, for the same reason.
_AT_WORK_ID = select(_at_work.id).where(_at_work.service_id == Service.id, text("at_work.state = 'running'"))
_LAST_ID = select(_last.id).where(_last.service_id == Service.id).order_by(_last.asked_at.desc()).limit(1)
# Every page asks these two, so they are built once.
_VDCS = (
    select(
        Service.id,
        Vdc.id,
        Vdc.name,
        Handler.answered_at,
        Handler.silent_since,
        Vdc.seen_at,
        drift.number_open(bindparam("now")),
        *(getattr(SyncRun, name) for name in RunLine._fields),
    )
    .select_from(Service)
    .join(Service.handler)
    .outerjoin(Service.vdc)
    .outerjoin(SyncRun, SyncRun.id == func.coalesce(_AT_WORK_ID.scalar_subquery(), _LAST_ID.scalar_subquery()))
    .where(Service.account_id == bindparam("account_id"))
    .order_by(Vdc.name)
)
# At work are few in the whole installation, of one account there may be a long past: the CASE keeps SQLite from
# looking through that.
_AT_WORK = select(Operation).where(IS_ACTIVE, case((Operation.account_id == bindparam("account_id"), 1)) == 1)


@web.once
def vdcs() -> list[VdcLine]:
    """All of them, by name."""
    rows = db.session.execute(_VDCS, {"account_id": web.actor().account_id, "now": clock.now()})
    return [
        VdcLine(
            service_id=service_id,
            id=vdc_id,
            name=name,
            answered_at=answered_at,
            silent_since=silent_since,
            seen_at=seen_at,
            drift_count=drift_count,
            run=RunLine(*run) if run[0] else None,
        )
        for service_id, vdc_id, name, answered_at, silent_since, seen_at, drift_count, *run in rows
    ]


def vdc_ids() -> list[uuid.UUID]:
    """Where the account's machines are."""
    return [vdc.id for vdc in vdcs() if vdc.id is not None]


def drift_count() -> int:
    """How much was changed in vCloud that wants a decision."""
    return sum(vdc.drift_count for vdc in vdcs())


@web.once
def active_operations() -> list[Operation]:
    """Everything at work in the account, the oldest first."""
    found = db.session.scalars(_AT_WORK, {"account_id": web.actor().account_id})
    return sorted(found, key=lambda operation: operation.created_at)


@web.once
def vm_counts() -> dict[str, int]:
    """How many machines the account has, by state: see `vm_search.counts`."""
    return vm_search.counts(vdc_ids())
