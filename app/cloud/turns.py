"""One turn of an operation: claim the row, look at vCloud, send at most one command, write back under the fence.

Whoever claims next goes on from what is written, so any process may die at any moment.

- *Look before you post*: a step first looks whether its wish is already true; before it sends a command it notes
  `step_sent_at`. A step that finds the note looks again, and sends again only after `SETTLE`, when vCloud has
  surely registered what it accepted.
- *Fence*: each claim has a number, and a result is written only under the number that began the turn. A worker
  that was frozen past its claim writes nothing.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update

from app import clock, vcloud
from app.cloud import explain, gateway
from app.cloud.models import ACTIVE, Operation, OperationEvent
from app.cloud.steps import KINDS, FailedError, Kind, Outcome, Step, Turn, Wait
from app.db import db, transaction

log = logging.getLogger(__name__)

TURN_S = 60
JOB_TIMEOUT_S = 75
CLAIM = timedelta(seconds=90)
SEND_WITHIN = timedelta(seconds=30)  # an older claim sends nothing: somebody else may be about to
SETTLE = timedelta(seconds=30)
assert 3 * gateway.LIMITS.call_s <= TURN_S < JOB_TIMEOUT_S < CLAIM.total_seconds()  # noqa: S101  the limits hang together
POLLS_S = (2, 3, 5, 8, 10)
RETRY_S = 5

must_pass: tuple[type[Exception], ...] = ()
"""Exceptions that end a turn without a verdict on the operation: RQ's time-out, put here by `jobs`."""


class DeadlineError(Exception):
    """The operation has taken longer than its kind allows."""


class LostClaimError(Exception):
    """Another worker holds the operation by now; this turn must not touch anything any more."""


def claim(operation_id: uuid.UUID) -> Turn | None:
    """Take the row for `CLAIM`; None when it has ended or somebody else holds it."""
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


def take(turn: Turn) -> bool:
    """Carry a claimed turn out; True when the next one is due at once. LostClaimError when it came too late."""
    kind = KINDS[turn.kind]
    try:
        return _settle(turn, kind, _act(kind.step(turn.step), turn))
    except LostClaimError:
        raise
    except must_pass:
        raise
    except DeadlineError:
        return _end_by_deadline(turn, kind)
    except FailedError as verdict:
        return _fail(turn, kind, verdict)
    except (vcloud.Busy, vcloud.Unavailable, vcloud.SessionExpired) as error:
        return _retry(turn, error)
    except vcloud.VcloudError as error:  # Refused, and NotFound where the step has no answer to it
        return _fail(turn, kind, FailedError("refused", **_words(error)))
    except Exception:
        log.exception("operation %s: turn %s broke at step %s", turn.operation_id, turn.claim_no, turn.step)
        return _stop(turn, "internal", {})


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


def _settle(turn: Turn, kind: Kind, outcome: Outcome) -> bool:
    """Write what the turn brought; True when the next one is due at once."""
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
        return _is_due(row)


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
        finish(row, "failed" if row.error_code else "succeeded")


def _retry(turn: Turn, error: vcloud.VcloudError) -> bool:
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
        return _is_due(row)


def _fail(turn: Turn, kind: Kind, verdict: FailedError) -> bool:
    """The wish cannot be fulfilled: tidy up if the kind knows how, then it has failed."""
    if turn.is_failing:
        return _stop(turn, "clean_up_failed", verdict.params)
    with _fenced(turn) as row:
        row.error_code, row.error_params = verdict.code, verdict.params
        row.task_urn = row.step_sent_at = row.step_started_at = row.waiting_for = row.progress = None
        said = str(verdict.params.get("message") or "")
        _note(row, "error", said or verdict.code)
        if said:
            explain.gather(verdict.params.get("minor_code"), said, row.id)
        row.next_at, row.polls = clock.now(), 0
        row.facts = {**row.facts, "failed_step": row.step}
        if kind.clean_up:
            row.step = kind.clean_up[0].name
        else:
            finish(row, "failed")
        return _is_due(row)


def _end_by_deadline(turn: Turn, kind: Kind) -> bool:
    if kind.deadline_verdict is None:
        return _stop(turn, "deadline", {})
    return _fail(turn, kind, FailedError(kind.deadline_verdict))


def _stop(turn: Turn, code: str, params: dict[str, Any]) -> bool:
    """Nobody knows how to go on: staff must look. What failed first stays the reason on the page."""
    with _fenced(turn) as row:
        if row.error_code is None:
            row.error_code, row.error_params = code, params
        _note(row, "error", str(params.get("message") or code))
        finish(row, "needs_attention")
        return _is_due(row)


def _is_due(row: Operation) -> bool:
    return row.is_active and row.next_at <= clock.now()


def finish(row: Operation, state: str) -> None:
    """Write the end of an operation, inside the caller's transaction. The secret stays only for one that succeeded."""
    row.state = state
    row.finished_at = row.moved_at = clock.now()
    row.task_urn = row.progress = row.waiting_for = row.claimed_until = None
    if state != "succeeded":
        row.password = None


def _note(row: Operation, kind: str, text: str) -> None:
    db.session.add(OperationEvent(operation_id=row.id, at=clock.now(), step=row.step, kind=kind, text=text[:2000]))


def _words(error: vcloud.VcloudError) -> dict[str, Any]:
    return {"minor_code": error.minor_code, "message": error.message, "request_id": error.request_id}
