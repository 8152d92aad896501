"""The queue of a vApp: vCloud works on one thing of a vApp at a time, and what it says otherwise is BUSY_ENTITY.

An operation that is about to send a command asks `require_turn`. It waits while a neighbour has a task running or a
command on its way, and while an older one waits, so that nobody is overtaken for ever.
"""

import uuid

from sqlalchemy import select

from app import clock
from app.cloud.models import VApp
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.outcomes import SETTLE
from app.cloud.steps import KINDS
from app.db import db


class InQueueError(Exception):
    """Another operation of the same vApp comes first."""


def require_turn(row: Operation) -> None:
    """Raise InQueueError unless this operation may send now; inside the transaction that then notes its intent.

    The vApp's row is locked until that transaction ends, so two workers cannot pass at the same time.
    """
    if row.vapp_urn is None:
        return
    mirror = select(VApp.id).where(VApp.vdc_id == row.vdc_id, VApp.urn == row.vapp_urn)
    db.session.execute(mirror.with_for_update())
    if _must_wait(row):
        raise InQueueError


def must_wait(operation_id: uuid.UUID) -> bool:
    """Whether one that waits already would wait again: a look without a lock, which spares vCloud a question."""
    waits = _must_wait(db.session.get_one(Operation, operation_id))
    db.session.rollback()
    return waits


def _must_wait(row: Operation) -> bool:
    neighbours = db.session.scalars(
        select(Operation).where(
            Operation.vdc_id == row.vdc_id,
            Operation.vapp_urn == row.vapp_urn,
            Operation.state.in_(ACTIVE),
            Operation.id != row.id,
        )
    )
    return any(_is_at_work(other) or _is_ahead(other, row) for other in neighbours)


def _is_at_work(other: Operation) -> bool:
    """A task of it runs, or a command may be on its way: surely registered or surely lost after `SETTLE`."""
    if KINDS[other.kind].step(other.step).shares_vapp:
        return False
    just_sent = other.step_sent_at is not None and other.step_sent_at > clock.now() - SETTLE
    return other.task_urn is not None or just_sent


def _is_ahead(other: Operation, row: Operation) -> bool:
    return other.waiting_for == "queue" and (other.created_at, other.id) < (row.created_at, row.id)
