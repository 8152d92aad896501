"""What the frame and most pages read of the account on the screen, each at most once in a request."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, case, select

from app.blueprints import web
from app.cloud import vm_search
from app.cloud.models import IS_ACTIVE, Handler, Operation, Service, Vdc
from app.db import db


@dataclass(frozen=True, kw_only=True)
class VdcLine:
    """A virtual data center of the account, with the health of its vCloud; one not read yet has no id and no name."""

    id: uuid.UUID | None
    name: str | None
    answered_at: datetime | None
    silent_since: datetime | None


# Every page asks these two, so they are built once.
_VDCS = (
    select(Vdc.id, Vdc.name, Handler.answered_at, Handler.silent_since)
    .select_from(Service)
    .join(Service.handler)
    .outerjoin(Service.vdc)
    .where(Service.account_id == bindparam("account_id"))
    .order_by(Vdc.name)
)
# At work are few in the whole installation, of one account there may be a long past: the CASE keeps SQLite from
# looking through that.
_AT_WORK = select(Operation).where(IS_ACTIVE, case((Operation.account_id == bindparam("account_id"), 1)) == 1)


@web.once
def vdcs() -> list[VdcLine]:
    """All of them, by name."""
    rows = db.session.execute(_VDCS, {"account_id": web.actor().account_id})
    return [VdcLine(id=i, name=name, answered_at=answered, silent_since=silent) for i, name, answered, silent in rows]


def vdc_ids() -> list[uuid.UUID]:
    """Where the account's machines are."""
    return [vdc.id for vdc in vdcs() if vdc.id is not None]


@web.once
def active_operations() -> list[Operation]:
    """Everything at work in the account, the oldest first."""
    found = db.session.scalars(_AT_WORK, {"account_id": web.actor().account_id})
    return sorted(found, key=lambda operation: operation.created_at)


@web.once
def vm_counts() -> dict[str, int]:
    """How many machines the account has, by state: see `vm_search.counts`."""
    return vm_search.counts(vdc_ids())
