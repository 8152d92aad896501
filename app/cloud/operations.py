"""The operation engine: brings rows forward one small step at a time. It knows no kind of operation.

An operation is a row with a step. `add()` writes the wish, `advance()` gives it a turn (see `turns`). Delay and
recovery are one query: `due()` lists rows whose `next_at` has come and that nobody holds.
"""

import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from app import clock
from app.accounts import audit
from app.accounts.rules import Actor
from app.cloud import outcomes, turns
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.steps import Kind
from app.db import db, transaction
from app.errors import AppError

log = logging.getLogger(__name__)

RING_AGAIN = timedelta(seconds=10)


def _silent(_operation_id: uuid.UUID) -> None:
    """No doorbell is connected: the clock finds the row."""


doorbell: Callable[[uuid.UUID], None] = _silent
"""What wakes a worker; `jobs` puts its own here, so that nothing in this room knows RQ."""


def add(  # noqa: PLR0913  the columns of a wish
    kind: Kind,
    actor: Actor,
    *,
    account_id: uuid.UUID,
    vdc_id: uuid.UUID,
    form_token: str,
    params: dict[str, Any],
    vm_id: uuid.UUID | None = None,
    vapp_urn: str | None = None,
    claims_name: str | None = None,
    password: str | None = None,
) -> uuid.UUID:
    """Write the wish down, inside the caller's transaction, together with its audit entry; returns the id.

    The same `form_token` with the same content answers the first operation and adds nothing. Raises AppError
    `form_reused` for another content, `vm_busy` when the machine has an active operation, `vapp_name_taken` when
    another creation of that name is under way.
    """
    # The password is not compared: a made one differs each time, and no trace of a typed one may stay.
    content = json.dumps([kind.name, str(account_id), str(vm_id), params], sort_keys=True)
    form_hash = hashlib.sha256(content.encode()).hexdigest()
    first = find(form_token)
    if first is not None:
        return _same_form(first, form_hash)
    now = clock.now()
    operation = Operation(
        kind=kind.name,
        state="queued",
        step=kind.steps[0].name,
        account_id=account_id,
        user_id=actor.user_id,
        vdc_id=vdc_id,
        vm_id=vm_id,
        vapp_urn=vapp_urn,
        claims_name=claims_name,
        form_token=form_token,
        form_hash=form_hash,
        params=params,
        facts={},
        claim_no=0,
        next_at=now,
        polls=0,
        deadline_at=now + timedelta(minutes=kind.deadline_min),
        created_at=now,
        moved_at=now,
        error_params={},
    )
    operation.password = password
    try:
        with db.session.begin_nested():
            db.session.add(operation)
    except IntegrityError:  # somebody was faster with the same form, the same machine or the same name
        first = find(form_token)
        if first is not None:
            return _same_form(first, form_hash)
        if vm_id:
            raise AppError("vm_busy") from None
        raise AppError("vapp_name_taken", field="vapp_name", name=claims_name) from None
    audit.record(actor, f"operation.{kind.name}", object_id=operation.id, vm_id=str(vm_id) if vm_id else None)
    return operation.id


def find(form_token: str) -> Operation | None:
    """The operation that a form has already made, if any."""
    return db.session.scalar(select(Operation).where(Operation.form_token == form_token))


def _same_form(first: Operation, form_hash: str) -> uuid.UUID:
    if first.form_hash != form_hash:
        raise AppError("form_reused")
    return first.id


def replace_running(running: Operation) -> None:
    """End an operation that another one takes the place of, inside the caller's transaction.

    A worker that is at it writes nothing any more: the fence asks for an active row.
    """
    outcomes.finish(running, outcomes.CANCELLED)
    db.session.flush()


def ring(operation_id: uuid.UUID) -> None:
    """Wake a worker; call it after the commit."""
    doorbell(operation_id)


def due(limit: int = 100) -> list[uuid.UUID]:
    """Operations that should have a turn now; each is listed again only after `RING_AGAIN`."""
    now = clock.now()
    unheld = or_(Operation.claimed_until.is_(None), Operation.claimed_until < now)
    waiting = select(Operation.id).where(Operation.state.in_(ACTIVE), Operation.next_at <= now, unheld)
    ids = list(db.session.scalars(waiting.order_by(Operation.next_at).limit(limit)))
    db.session.rollback()
    if ids:
        with transaction():
            db.session.execute(update(Operation).where(Operation.id.in_(ids)).values(next_at=now + RING_AGAIN))
    return ids


def advance(operation_id: uuid.UUID) -> None:
    """One turn. Callable at any time, any number of times, from any process."""
    turn = turns.claim(operation_id)
    if turn is None:
        return
    try:
        due_at_once = turns.take(turn)
    except outcomes.LostClaimError:
        log.warning("operation %s: turn %s came too late and is discarded", turn.operation_id, turn.claim_no)
        return
    if due_at_once:
        ring(operation_id)
