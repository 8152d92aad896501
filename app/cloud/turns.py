"""One turn of an operation: claim the row, look at vCloud, send at most one command; `outcomes` writes back.

Whoever claims next goes on from what is written, so any process may die at any moment.

- *Look before you post*: a step first looks whether its wish is already true; before it sends a command it notes
  `step_sent_at`. A step that finds the note looks again, and sends again only after `SETTLE`, when vCloud has
  surely registered what it accepted.
- *Fence*: each claim has a number, and a result is written only under the number that began the turn. A worker
  that was frozen past its claim writes nothing. It sends nothing either: the age of the claim is asked once more right
  before a command leaves. What remains are the microseconds from there to the socket; vCloud itself stands behind them
  where a command states a wish or names what it makes.
"""

import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import or_, select, update

from app import clock, vcloud
from app.cloud import gateway, vapp_queue
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.outcomes import (
    CANCELLED,
    SETTLE,
    LostClaimError,
    end_by_deadline,
    fail,
    fenced,
    note,
    queue_up,
    retry,
    settle,
    stop,
)
from app.cloud.steps import KINDS, FailedError, Outcome, Step, Turn, Wait
from app.db import db, transaction

log = logging.getLogger(__name__)

TURN_S = 60
JOB_TIMEOUT_S = 75
CLAIM = timedelta(seconds=90)
NOTE_WITHIN = timedelta(seconds=30)  # an older claim begins no command
SEND_WITHIN = CLAIM - SETTLE  # nor does one leave: whoever claims next must find it registered, if it was sent
_LONGEST_S = TURN_S + gateway.PROBE_LIMITS.call_s  # who gets no answer asks once more whether anybody is there
assert 3 * gateway.LIMITS.call_s <= TURN_S  # noqa: S101  the limits hang together
assert _LONGEST_S < JOB_TIMEOUT_S < CLAIM.total_seconds()  # noqa: S101
MOST_LOST_TURNS = 5
"""So many turns in a row that ended without a word (a worker that dies at it each time) are not tried again."""

must_pass: tuple[type[Exception], ...] = ()
"""Exceptions that end a turn without a verdict on the operation: RQ's time-out, put here by `jobs`."""


class DeadlineError(Exception):
    """The operation, or its step, has taken longer than its kind allows."""


def claim(operation_id: uuid.UUID) -> Turn | None:
    """Take the row for `CLAIM`; None when it has ended or somebody else holds it."""
    now = clock.now()
    with transaction():
        unheld = or_(Operation.claimed_until.is_(None), Operation.claimed_until < now)
        claimed = db.session.execute(
            update(Operation)
            .where(Operation.id == operation_id, Operation.state.in_(ACTIVE), unheld)
            .values(
                claimed_until=now + CLAIM,
                claim_no=Operation.claim_no + 1,
                lost_turns=Operation.lost_turns + 1,  # until it writes something back
                state="running",
            )
            .returning(Operation.id),
            execution_options={"synchronize_session": False},
        ).first()
        if claimed is None:
            return None
        row = db.session.get_one(Operation, operation_id)
        row.started_at = row.started_at or now
        if row.step_started_at is None:
            row.step_started_at = now
            note(row, "begin", "")
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
            step_started_at=row.step_started_at,
            cancel_asked=row.cancel_asked_at is not None,
            is_failing=row.error_code is not None,
            is_in_queue=row.waiting_for == "queue",
        )


def take(turn: Turn) -> bool:
    """Carry a claimed turn out; True when the next one is due at once. LostClaimError when it came too late."""
    kind = KINDS[turn.kind]
    try:
        return settle(turn, kind, _act(kind.step(turn.step), turn))
    except LostClaimError:
        raise
    except must_pass:
        raise
    except vapp_queue.InQueueError:
        return queue_up(turn, kind)
    except DeadlineError:
        return end_by_deadline(turn, kind)
    except FailedError as verdict:
        return fail(turn, kind, verdict)
    except (vcloud.Busy, vcloud.Unavailable, vcloud.SessionExpired) as error:
        return retry(turn, error)
    except vcloud.VcloudError as error:  # Refused, and NotFound where the step has no answer to it
        words = {"minor_code": error.minor_code, "message": error.message, "request_id": error.request_id}
        return fail(turn, kind, FailedError("refused", **words))
    except Exception:
        log.exception("operation %s: turn %s broke at step %s", turn.operation_id, turn.claim_no, turn.step)
        return stop(turn, "internal", {})


def _act(step: Step, turn: Turn) -> Outcome:
    """The slow part, outside of any transaction: at most one poll, one look and one command."""
    may_give_up = turn.cancel_asked and step.may_cancel and not turn.is_failing
    if turn.is_in_queue and not may_give_up and vapp_queue.must_wait(turn.operation_id):
        raise vapp_queue.InQueueError
    if clock.now() > _until(step, turn):
        raise DeadlineError
    with gateway.client(turn.service_id, before_command=partial(_require_young, turn, SEND_WITHIN)) as client:
        turn = replace(turn, client=client)
        if turn.task_urn is not None:
            running = _poll(turn, turn.task_urn)
            if running is not None:
                return _ask_to_stop(turn, turn.task_urn, running) if may_give_up else running
        outcome = step.look(turn)
        if outcome is None and turn.sent_at is not None and clock.now() < turn.sent_at + SETTLE:
            return Wait(delay_s=(turn.sent_at + SETTLE - clock.now()).total_seconds())
        # Here nothing of this step is under way in vCloud: it only waits, or would send something now.
        only_waits = isinstance(outcome, Wait) and outcome.task_urn is None
        if may_give_up and (outcome is None or only_waits):
            raise FailedError(CANCELLED)
        if outcome is None and step.send is not None:
            _note_intent(turn)
            outcome = _send(step, step.send, turn)
        return outcome or Wait()


def _until(step: Step, turn: Turn) -> datetime:
    if step.deadline_min is None:
        return turn.deadline_at
    return min(turn.deadline_at, turn.step_started_at + timedelta(minutes=step.deadline_min))


def _send(step: Step, send: Callable[[Turn], Outcome], turn: Turn) -> Outcome:
    try:
        return send(turn)
    except vcloud.Refused:
        # Somebody may have done the same meanwhile, in vCloud itself: what is already so is a success.
        outcome = step.look(turn)
        if outcome is None:
            raise
        return outcome


def _poll(turn: Turn, task_urn: str) -> Wait | None:
    """Wait while the task runs; None when it has ended well or is forgotten, so that the step looks for itself."""
    try:
        task = turn.client.task(task_urn)
    except vcloud.NotFound:
        return None
    if not task.status.final:
        return Wait(task_urn=task_urn, progress=task.progress, text=task.operation)
    if task.status is vcloud.TaskStatus.SUCCESS:
        return None
    if task.status is vcloud.TaskStatus.CANCELED and turn.cancel_asked:
        raise FailedError(CANCELLED)
    words = {"minor_code": task.error.minor_code, "message": task.error.message} if task.error else {}
    raise FailedError("task_failed" if task.status is vcloud.TaskStatus.ERROR else "task_canceled", **words)


def _ask_to_stop(turn: Turn, task_urn: str, running: Wait) -> Wait:
    """Ask vCloud once to cancel the task, and read what became of it; it may be too late, then the work goes on."""
    if turn.facts.get("stop_asked") == task_urn:
        return running
    told = {"stop_asked": task_urn}
    with suppress(vcloud.Refused, vcloud.NotFound):  # it has ended meanwhile, or vCloud does not stop such a task
        turn.client.cancel(task_urn)
    return replace(_poll(turn, task_urn) or replace(running, delay_s=0), facts=told)


def _note_intent(turn: Turn) -> None:
    """Write down that a command may be on its way; LostClaimError when it may not be sent any more."""
    _require_young(turn, NOTE_WITHIN)
    with fenced(turn, release=False) as row:
        vapp_queue.require_turn(row)
        row.step_sent_at = clock.now()


def _require_young(turn: Turn, age: timedelta) -> None:
    """LostClaimError when the claim is older: somebody else may be at it by now, or be about to."""
    if clock.now() - turn.claimed_at > age:
        raise LostClaimError


def give_up_lost() -> None:
    """Bring to staff what no worker gets through: each turn of it ended without a word. The schedule calls it.

    Nothing is brought there that merely waits for a worker: its next turn decides. The claim keeps out a worker that
    is at it after all.
    """
    lost = select(Operation.id).where(Operation.state.in_(ACTIVE), Operation.lost_turns >= MOST_LOST_TURNS)
    ids = list(db.session.scalars(lost))
    db.session.rollback()
    for operation_id in ids:
        turn = claim(operation_id)
        if turn is not None:
            stop(turn, "turns_lost", {})
