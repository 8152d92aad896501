"""What people do about an operation under way or one that has stopped: give it up, let it go on; how long it takes.

Both doors only write down what is wanted. The next turn asks vCloud, looks before it sends, and tells what came of it.
"""

import statistics
import uuid
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.accounts import audit
from app.accounts.rules import Actor, Permission, can
from app.cloud import operations, outcomes
from app.cloud.operation_models import Operation
from app.cloud.rules import Action, Blocked, allowed_actions
from app.cloud.steps import KINDS
from app.db import db, transaction
from app.errors import AppError, NotFoundError

ENDED_BADLY = ("failed", "needs_attention")
SAMPLE = 20
LEAST_SAMPLE = 3


# ---- giving up -------------------------------------------------------------------------------------------------


def may_cancel(row: Operation) -> bool:
    """Whether it can be given up now: nothing was sent yet, or its present step can be stopped."""
    if not row.is_active or row.error_code is not None or row.cancel_asked_at is not None:
        return False
    return _has_done_nothing(row) or KINDS[row.kind].step(row.step).may_cancel


def cancel(actor: Actor, operation_id: uuid.UUID) -> None:
    """Give an operation up. One that has done nothing ends at once; else its next turn asks vCloud to stop.

    Safe to repeat. It may turn out to be too late: then the operation goes on to its end. Raises AppError
    `not_permitted`, `cancel_too_late`, or NotFoundError for another customer's.
    """
    with transaction():
        row = _own(actor, operation_id)
        if row.cancel_asked_at is not None:
            return
        if not may_cancel(row):
            raise AppError("cancel_too_late")
        row.cancel_asked_at = row.next_at = clock.now()
        outcomes.note(row, "cancel", "asked to be cancelled")
        audit.record(actor, "operation.cancel", object_id=row.id)
        if _has_done_nothing(row):
            # A worker that is about to send finds the row ended when it notes its intent.
            row.error_code = outcomes.CANCELLED
            outcomes.finish(row, outcomes.CANCELLED)
    operations.ring(operation_id)


def _has_done_nothing(row: Operation) -> bool:
    return row.step == KINDS[row.kind].steps[0].name and row.step_sent_at is None and row.task_urn is None


# ---- going on --------------------------------------------------------------------------------------------------


def may_retry(row: Operation) -> bool:
    """Whether it can go on from the step at which it stopped: nothing of it was taken back, and no secret is lost."""
    kind = KINDS[row.kind]
    if row.state not in ENDED_BADLY or may_tidy_up(row):
        return False
    is_whole = row.state == "needs_attention" or not any(step.undoes for step in kind.clean_up)
    return is_whole and not _lacks_secret(row)


def _lacks_secret(row: Operation) -> bool:
    return KINDS[row.kind].has_secret and row.password_sealed is None


def is_too_late(row: Operation) -> bool:
    """Whether it has stopped for so long that the password is erased which it would set, so that it cannot go on."""
    return row.state == "needs_attention" and not may_tidy_up(row) and _lacks_secret(row)


def may_tidy_up(row: Operation) -> bool:
    """Whether tidying up has stopped half way, so that staff can let it go on."""
    return row.state == "needs_attention" and KINDS[row.kind].is_clean_up(row.step)


def retry(actor: Actor, operation_id: uuid.UUID) -> None:
    """Let an operation that has stopped go on from its failed step: the same row, with time of its own again.

    Members do this in their account, staff everywhere, also where tidying up has stopped. One that is at work already
    is left alone. Raises AppError `not_permitted`, `retry_impossible`, `retry_outdated` when something newer was
    asked of the machine, `action_blocked` when the machine's state forbids it, `vm_busy`, or NotFoundError.
    """
    is_staff = can(actor, Permission.STAFF_SEE)
    with transaction():
        row = _any(operation_id) if is_staff else _own(actor, operation_id)
        if row.is_active:
            return
        tidies_up = may_tidy_up(row)
        if not (is_staff if tidies_up else may_retry(row)):
            raise AppError("retry_impossible")
        _require_same_machine(row)
        _reopen(row, tidies_up=tidies_up)
        audit.record(actor, "operation.retry", object_id=row.id, step=row.step)
    operations.ring(operation_id)


def _require_same_machine(row: Operation) -> None:
    """Refuse when the machine is not the one any more that the wish was about."""
    if row.vm is None or row.vm_id is None:
        return
    newer = select(Operation.id).where(Operation.vm_id == row.vm_id, Operation.created_at > row.created_at).limit(1)
    if db.session.scalar(newer) is not None:
        raise AppError("retry_outdated")
    reason = allowed_actions(row.vm.condition)[Action(row.kind)] if row.kind in set(Action) else None
    at_beginning = row.facts.get("failed_step", row.step) == KINDS[row.kind].steps[0].name
    if reason is not None and (at_beginning or reason in (Blocked.GONE, Blocked.PROTECTED)):
        raise AppError("action_blocked", action=row.kind, reason=reason.value, name=row.vm.name)


def _reopen(row: Operation, *, tidies_up: bool) -> None:
    now = clock.now()
    if not tidies_up:
        row.step = row.facts.get("failed_step", row.step)
        row.facts = {name: value for name, value in row.facts.items() if name not in ("failed_step", "stop_asked")}
        row.error_code, row.error_params = None, {}
    minutes = outcomes.CLEAN_UP_MIN if tidies_up else KINDS[row.kind].deadline_min
    row.deadline_at = now + timedelta(minutes=minutes)
    row.finished_at = row.cancel_asked_at = row.step_started_at = None
    row.next_at = row.moved_at = now
    row.polls = row.lost_turns = 0
    outcomes.note(row, "retry", "goes on from here")
    try:
        with db.session.begin_nested():
            row.state = "queued"
    except IntegrityError:  # the machine, or the name of the new vApp, is somebody else's by now
        raise AppError("vm_busy") from None


# ---- doors and figures -----------------------------------------------------------------------------------------


def _own(actor: Actor, operation_id: uuid.UUID) -> Operation:
    row = _any(operation_id)
    if row.account_id != actor.account_id:
        raise NotFoundError
    if not can(actor, Permission.VM_CHANGE):
        raise AppError("not_permitted", 403)
    return row


def _any(operation_id: uuid.UUID) -> Operation:
    row = db.session.scalar(select(Operation).where(Operation.id == operation_id).with_for_update())
    if row is None:
        raise NotFoundError
    return row


def usual_time(kind: str) -> timedelta | None:
    """How long operations of this kind take: the middle one of the last that succeeded; None while few have."""
    last = (
        select(Operation.created_at, Operation.finished_at)
        .where(Operation.kind == kind, Operation.state == "succeeded", Operation.finished_at.is_not(None))
        .order_by(Operation.finished_at.desc())
        .limit(SAMPLE)
    )
    spans = [(ended - begun).total_seconds() for begun, ended in db.session.execute(last) if ended is not None]
    if len(spans) < LEAST_SAMPLE:
        return None
    return timedelta(seconds=statistics.median(spans))
