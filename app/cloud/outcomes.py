"""What a turn writes back: the next step, a wait, a failure, an end. Each under the number of the turn's claim.

A turn that was frozen past its claim writes nothing: `fenced` raises LostClaimError then.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app import clock, vcloud
from app.cloud import unexplained
from app.cloud.operation_models import ACTIVE, Operation, OperationEvent
from app.cloud.steps import KINDS, Again, FailedError, Kind, Outcome, Step, Turn, Wait
from app.db import db, transaction

log = logging.getLogger(__name__)

SETTLE = timedelta(seconds=30)  # after so long vCloud has surely registered what it accepted
POLLS_S = (2, 3, 5, 8, 10)
RETRY_S = 5
QUEUE_S = 3
CLEAN_UP_MIN = 15
"""Tidying up has time of its own, for the operation's may be over."""
CANCELLED = "cancelled"
"""Both the verdict of an operation that its person gave up and the state in which it ends."""


class LostClaimError(Exception):
    """Another worker holds the operation by now; this turn must not touch anything any more."""


@contextmanager
def fenced(turn: Turn, *, release: bool = True) -> Iterator[Operation]:
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
            row.lost_turns = 0


def settle(turn: Turn, kind: Kind, outcome: Outcome) -> bool:
    """Write what the turn brought; True when the next one is due at once."""
    with fenced(turn) as row:
        row.facts = {**row.facts, **outcome.facts}
        if "stop_asked" in outcome.facts:
            note(row, "cancel", "vCloud was asked to cancel its task")
        row.task_urn = outcome.task_urn
        row.waiting_for = None
        if isinstance(outcome, Wait):
            _wait(row, outcome)
        elif isinstance(outcome, Again):
            _begin_next_part(row, outcome)
        else:
            if outcome.apply is not None:
                outcome.apply(row)
            note(row, "skip" if outcome.skipped else "done", outcome.text)
            _go_on(row, kind)
        return _is_due(row)


def _wait(row: Operation, outcome: Wait) -> None:
    delay_s = outcome.delay_s if outcome.delay_s is not None else POLLS_S[min(row.polls, len(POLLS_S) - 1)]
    if outcome.text and (outcome.progress != row.progress or row.polls == 0):
        note(row, "task", f"{outcome.text} {outcome.progress} %" if outcome.progress is not None else outcome.text)
    row.progress = outcome.progress
    row.polls += 1
    row.next_at = clock.now() + timedelta(seconds=delay_s)


def _begin_next_part(row: Operation, outcome: Again) -> None:
    note(row, "task", outcome.text)
    row.step_sent_at = row.progress = None
    row.polls = 0
    row.next_at = clock.now()


def _go_on(row: Operation, kind: Kind) -> None:
    following = kind.after(row.step)
    row.step_sent_at = row.step_started_at = row.progress = None
    row.polls = 0
    row.next_at = clock.now()
    if following is not None:
        row.step = following.name
    else:
        finish(row, _end_after_failure(row) if row.error_code else "succeeded")


def _end_after_failure(row: Operation) -> str:
    return CANCELLED if row.error_code == CANCELLED else "failed"


def retry(turn: Turn, error: vcloud.VcloudError) -> bool:
    """Same step later. A command that may have been accepted keeps its note, so the next turn looks and waits."""
    log.warning("operation %s at %s: %s, trying again", turn.operation_id, turn.step, error)
    with fenced(turn) as row:
        if not error.sent and turn.sent_at is None:
            row.step_sent_at = None
        waiting_for = "busy" if isinstance(error, vcloud.Busy) else "unavailable"
        if row.waiting_for != waiting_for:
            note(row, "wait", str(error))
        row.waiting_for = waiting_for
        row.next_at = clock.now() + (SETTLE if error.sent else timedelta(seconds=RETRY_S))
        return _is_due(row)


def queue_up(turn: Turn, kind: Kind) -> bool:
    """Same step when its vApp is free. Waiting for others costs the operation nothing of its own time."""
    with fenced(turn) as row:
        if row.waiting_for != "queue":
            note(row, "wait", "another operation is at work in the same vApp")
        now = clock.now()
        row.waiting_for = "queue"
        row.task_urn = row.progress = None
        row.step_started_at = now
        row.deadline_at = max(row.deadline_at, now + timedelta(minutes=kind.deadline_min))
        row.next_at = now + timedelta(seconds=QUEUE_S)
        return _is_due(row)


def fail(turn: Turn, kind: Kind, verdict: FailedError) -> bool:
    """The wish cannot be fulfilled, or is given up: tidy up if the kind knows how, then it has ended."""
    verdict = _named(kind.step(turn.step), verdict)
    if turn.is_failing:
        return _fail_again(turn, kind, verdict)
    with fenced(turn) as row:
        row.error_code, row.error_params = verdict.code, verdict.params
        row.task_urn = row.step_sent_at = row.step_started_at = row.waiting_for = row.progress = None
        said = str(verdict.params.get("message") or "")
        note(row, "error", said or verdict.code)
        if said:
            unexplained.gather(verdict.params.get("minor_code"), said, row.id)
        row.next_at, row.polls = clock.now(), 0
        row.facts = {**row.facts, "failed_step": row.step}
        if kind.clean_up:
            row.step = kind.clean_up[0].name
            row.deadline_at = max(row.deadline_at, clock.now() + timedelta(minutes=CLEAN_UP_MIN))
        else:
            finish(row, _end_after_failure(row))
        return _is_due(row)


def _named(step: Step, verdict: FailedError) -> FailedError:
    """The failure under the code that its step has for what vCloud says, if it has one."""
    said = f"{verdict.params.get('minor_code')} {verdict.params.get('message')}"
    known = (code for pattern, code in step.failures.items() if re.search(pattern, said))
    return FailedError(next(known, verdict.code), **verdict.params)


def _fail_again(turn: Turn, kind: Kind, verdict: FailedError) -> bool:
    if kind.step(turn.step).undoes:
        return stop(turn, "clean_up_failed", verdict.params)
    with fenced(turn) as row:  # only a look was still to be taken, and nothing is left over
        finish(row, _end_after_failure(row))
        return False


def end_by_deadline(turn: Turn, kind: Kind) -> bool:
    """It has taken longer than it may: a failure where the step knows what that means, else staff must look."""
    meaning = kind.step(turn.step).deadline_verdict
    if turn.is_failing or meaning is not None:
        return fail(turn, kind, FailedError(meaning or "deadline"))
    return stop(turn, "deadline", {})


def stop(turn: Turn, code: str, params: dict[str, Any]) -> bool:
    """Nobody knows how to go on: staff must look. What failed first stays the reason on the page."""
    with fenced(turn) as row:
        if row.error_code is None:
            row.error_code, row.error_params = code, params
        note(row, "error", str(params.get("message") or code))
        finish(row, "needs_attention")
        return _is_due(row)


def _is_due(row: Operation) -> bool:
    return row.is_active and row.next_at <= clock.now()


def finish(row: Operation, state: str) -> None:
    """Write the end of an operation, inside the caller's transaction.

    The secret stays for one that succeeded, to be shown, and for one that staff may let go on; tidying up needs none.
    """
    row.state = state
    row.finished_at = row.moved_at = clock.now()
    row.task_urn = row.progress = row.waiting_for = row.claimed_until = None
    if state not in ("succeeded", "needs_attention") or KINDS[row.kind].is_clean_up(row.step):
        row.password = None


def note(row: Operation, kind: str, text: str) -> None:
    """Add a line to what happened, inside the caller's transaction; no secret may be in it."""
    db.session.add(OperationEvent(operation_id=row.id, at=clock.now(), step=row.step, kind=kind, text=text[:2000]))
