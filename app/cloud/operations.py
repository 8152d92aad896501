"""The operation engine: brings rows forward one small step at a time. It knows no kind of operation.

An operation is a row with a step. `advance()` is one turn: claim the row, look at vCloud, send at most one command
or poll one task, write the result. Whoever claims next goes on from there, so any process may die at any moment.

- *Look before you post*: a step first looks whether its wish is already true; before it sends a command it notes
  `step_sent_at`. A step that finds the note looks again, and sends again only after `SETTLE`, when vCloud has
  surely registered what it accepted.
- *Fence*: each claim has a number, and a result is written only under the number that began the turn. A worker
  that was frozen past its claim writes nothing.
- *Delay and recovery are one query*: `due()` lists rows whose `next_at` has come and that nobody holds.
"""

import hashlib
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from app import clock, vcloud
from app.accounts import audit
from app.accounts.rules import Actor
from app.cloud import gateway
from app.cloud.models import ACTIVE, Operation, OperationEvent
from app.cloud.steps import KINDS, FailedError, Kind, Outcome, Step, Turn, Wait
from app.db import db, transaction
from app.errors import AppError

log = logging.getLogger(__name__)

TURN_S = 60
JOB_TIMEOUT_S = 75
CLAIM = timedelta(seconds=90)
SEND_WITHIN = timedelta(seconds=30)  # an older claim sends nothing: somebody else may be about to
SETTLE = timedelta(seconds=30)
assert 3 * gateway.LIMITS.call_s <= TURN_S < JOB_TIMEOUT_S < CLAIM.total_seconds()  # noqa: S101  the limits hang together
POLLS_S = (2, 3, 5, 8, 10)
RETRY_S = 5
RING_AGAIN = timedelta(seconds=10)


def _silent(_operation_id: uuid.UUID) -> None:
    """No doorbell is connected: the clock finds the row."""


doorbell: Callable[[uuid.UUID], None] = _silent
"""What wakes a worker; `jobs` puts its own here, so that nothing in this room knows RQ."""
must_pass: tuple[type[Exception], ...] = ()
"""Exceptions that end a turn without a verdict on the operation: RQ's time-out, put here by `jobs`."""


class DeadlineError(Exception):
    """The operation has taken longer than its kind allows."""


class LostClaimError(Exception):
    """Another worker holds the operation by now; this turn must not touch anything any more."""


def add(  # noqa: PLR0913  the columns of a wish
    kind: Kind,
    actor: Actor,
    *,
    account_id: uuid.UUID,
    vdc_id: uuid.UUID,
    form_token: str,
    params: dict[str, Any],
    vm_id: uuid.UUID | None = None,
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
        raise AppError("vm_busy" if vm_id else "vapp_name_taken", field=None if vm_id else "vapp_name") from None
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
    _finish(running, "cancelled")
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
    turn = _claim(operation_id)
    if turn is None:
        return  # finished, or somebody else has it
    try:
        _take(turn, KINDS[turn.kind])
    except LostClaimError:
        log.warning("operation %s: turn %s came too late and is discarded", turn.operation_id, turn.claim_no)


def _take(turn: Turn, kind: Kind) -> None:
    try:
        _settle(turn, kind, _act(kind.step(turn.step), turn))
    except LostClaimError:
        raise
    except must_pass:
        raise
    except DeadlineError:
        _end_by_deadline(turn, kind)
    except FailedError as verdict:
        _fail(turn, kind, verdict)
    except (vcloud.Busy, vcloud.Unavailable, vcloud.SessionExpired) as error:
        _retry(turn, error)
    except vcloud.VcloudError as error:  # Refused, and NotFound where the step has no answer to it
        _fail(turn, kind, FailedError("refused", **_words(error)))
    except Exception:
        log.exception("operation %s: turn %s broke at step %s", turn.operation_id, turn.claim_no, turn.step)
        _stop(turn, "internal", {})


def _claim(operation_id: uuid.UUID) -> Turn | None:
    now = clock.now()
    with transaction():
        unheld = or_(Operation.claimed_until.is_(None), Operation.claimed_until < now)
        claimed = db.session.execute(
            update(Operation)
            .where(Operation.id == operation_id, Operation.state.in_(ACTIVE), unheld)
            .values(claimed_until=now + CLAIM, claim_no=Operation.claim_no + 1, state="running")
            .returning(Operation.id),
            execution_options={"synchronize_session": False},
        ).first()
        if claimed is None:
            return None
        row = db.session.get_one(Operation, operation_id)
        row.started_at = row.started_at or now
        if row.step_started_at is None:
            row.step_started_at = now
            _note(row, "begin", "")
        return Turn(
            operation_id=row.id,
            claim_no=row.claim_no,
            claimed_at=now,
            kind=row.kind,
            step=row.step,
            vdc_urn=row.vdc.urn,
            vm_urn=row.vm.urn if row.vm else None,
            params=dict(row.params),
            facts=dict(row.facts),
            password=row.password,
            task_urn=row.task_urn,
            sent_at=row.step_sent_at,
            service_id=row.vdc.service_id,
            deadline_at=row.deadline_at,
            is_failing=row.error_code is not None,
        )


def _act(step: Step, turn: Turn) -> Outcome:
    """The slow part, outside of any transaction: at most one poll, one look and one command."""
    if clock.now() > turn.deadline_at:
        raise DeadlineError
    with gateway.client(turn.service_id) as client:
        turn = replace(turn, client=client)
        if turn.task_urn is not None:
            still_running = _poll(client, turn.task_urn)
            if still_running is not None:
                return still_running
        outcome = step.look(turn)
        if outcome is not None:
            return outcome
        if step.send is None:
            return Wait()
        settled_at = turn.sent_at + SETTLE if turn.sent_at else None
        if settled_at is not None and clock.now() < settled_at:
            return Wait(delay_s=(settled_at - clock.now()).total_seconds())
        _note_intent(turn)
        return _send(step, step.send, turn)


def _send(step: Step, send: Callable[[Turn], Outcome], turn: Turn) -> Outcome:
    try:
        return send(turn)
    except vcloud.Refused:
        # Somebody may have done the same meanwhile, in vCloud itself: what is already so is a success.
        outcome = step.look(turn)
        if outcome is None:
            raise
        return outcome


def _poll(client: vcloud.Client, task_urn: str) -> Wait | None:
    """Wait while the task runs; None when it has ended well or is forgotten, so that the step looks for itself."""
    try:
        task = client.task(task_urn)
    except vcloud.NotFound:
        return None
    if not task.status.final:
        return Wait(task_urn=task_urn, progress=task.progress, text=task.operation)
    if task.status is vcloud.TaskStatus.SUCCESS:
        return None
    words = {"minor_code": task.error.minor_code, "message": task.error.message} if task.error else {}
    raise FailedError("task_failed" if task.status is vcloud.TaskStatus.ERROR else "task_canceled", **words)


def _note_intent(turn: Turn) -> None:
    """Write down that a command may be on its way; LostClaimError when it may not be sent any more."""
    now = clock.now()
    if now - turn.claimed_at > SEND_WITHIN:
        raise LostClaimError
    with _fenced(turn, release=False) as row:
        row.step_sent_at = now


@contextmanager
def _fenced(turn: Turn, *, release: bool = True) -> Iterator[Operation]:
    """A transaction on the row, provided that this turn still holds it; LostClaimError if not."""
    with transaction():
        row = db.session.scalar(
            select(Operation)
            .where(Operation.id == turn.operation_id, Operation.claim_no == turn.claim_no, Operation.state.in_(ACTIVE))
            .with_for_update()
        )
        if row is None:
            raise LostClaimError
        yield row
        if release:
            row.claimed_until = None
            row.moved_at = clock.now()


def _settle(turn: Turn, kind: Kind, outcome: Outcome) -> None:
    """Write what the turn brought, and wake the next one if it is due at once."""
    with _fenced(turn) as row:
        row.facts = {**row.facts, **outcome.facts}
        row.task_urn = outcome.task_urn
        row.waiting_for = None
        if isinstance(outcome, Wait):
            _wait(row, outcome)
        else:
            if outcome.apply is not None:
                outcome.apply(row)
            _note(row, "done", outcome.text)
            _go_on(row, kind)
        at_once = row.is_active and row.next_at <= clock.now()
    if at_once:
        ring(turn.operation_id)


def _wait(row: Operation, outcome: Wait) -> None:
    delay_s = outcome.delay_s if outcome.delay_s is not None else POLLS_S[min(row.polls, len(POLLS_S) - 1)]
    if outcome.text and (outcome.progress != row.progress or row.polls == 0):
        _note(row, "task", f"{outcome.text} {outcome.progress} %" if outcome.progress is not None else outcome.text)
    row.progress = outcome.progress
    row.polls += 1
    row.next_at = clock.now() + timedelta(seconds=delay_s)


def _go_on(row: Operation, kind: Kind) -> None:
    following = kind.after(row.step)
    row.step_sent_at = row.step_started_at = row.progress = None
    row.polls = 0
    row.next_at = clock.now()
    if following is not None:
        row.step = following.name
    else:
        _finish(row, "failed" if row.error_code else "succeeded")


def _retry(turn: Turn, error: vcloud.VcloudError) -> None:
    """Same step later. A command that may have been accepted keeps its note, so the next turn looks and waits."""
    log.warning("operation %s at %s: %s, trying again", turn.operation_id, turn.step, error)
    with _fenced(turn) as row:
        if not error.sent and turn.sent_at is None:
            row.step_sent_at = None
        waiting_for = "busy" if isinstance(error, vcloud.Busy) else "unavailable"
        if row.waiting_for != waiting_for:
            _note(row, "wait", str(error))
        row.waiting_for = waiting_for
        row.next_at = clock.now() + (SETTLE if error.sent else timedelta(seconds=RETRY_S))


def _fail(turn: Turn, kind: Kind, verdict: FailedError) -> None:
    """The wish cannot be fulfilled: tidy up if the kind knows how, then it has failed."""
    if turn.is_failing:
        _stop(turn, "clean_up_failed", verdict.params)
        return
    with _fenced(turn) as row:
        row.error_code, row.error_params = verdict.code, verdict.params
        row.task_urn = row.step_sent_at = row.step_started_at = row.waiting_for = row.progress = None
        _note(row, "error", str(verdict.params.get("message") or verdict.code))
        row.next_at, row.polls = clock.now(), 0
        row.facts = {**row.facts, "failed_step": row.step}
        if kind.clean_up:
            row.step = kind.clean_up[0].name
        else:
            _finish(row, "failed")
        again = row.is_active
    if again:
        ring(turn.operation_id)


def _end_by_deadline(turn: Turn, kind: Kind) -> None:
    if kind.deadline_verdict is None:
        _stop(turn, "deadline", {})
    else:
        _fail(turn, kind, FailedError(kind.deadline_verdict))


def _stop(turn: Turn, code: str, params: dict[str, Any]) -> None:
    """Nobody knows how to go on: staff must look. What failed first stays the reason on the page."""
    with _fenced(turn) as row:
        if row.error_code is None:
            row.error_code, row.error_params = code, params
        _note(row, "error", str(params.get("message") or code))
        _finish(row, "needs_attention")


def _finish(row: Operation, state: str) -> None:
    row.state = state
    row.finished_at = row.moved_at = clock.now()
    row.task_urn = row.progress = row.waiting_for = row.claimed_until = None
    if state != "succeeded":
        row.password = None


def _note(row: Operation, kind: str, text: str) -> None:
    db.session.add(OperationEvent(operation_id=row.id, at=clock.now(), step=row.step, kind=kind, text=text[:2000]))


def _words(error: vcloud.VcloudError) -> dict[str, Any]:
    return {"minor_code": error.minor_code, "message": error.message, "request_id": error.request_id}
