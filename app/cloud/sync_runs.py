"""Runs of the synchronisation: asking for one, holding it, ending it.

Pressing *Refresh* a hundred times asks for one run: at most one of a data center waits and one runs. A worker holds a
running one with a numbered claim, writes only under that number, and whoever comes after a dead worker goes on.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, not_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from app import clock
from app.cloud.drift_models import Drift
from app.cloud.models import Service
from app.cloud.sync_models import SyncRun, VmEvent
from app.cloud.sync_rules import is_given_up
from app.db import db, transaction

CLAIM = timedelta(seconds=90)
LISTING_CLAIM = timedelta(seconds=360)
"""A listing is read in one piece, for which vCloud has five minutes."""
JOB_TIMEOUT_S = 345
PAUSES = {
    "schedule": timedelta(0),
    "now": timedelta(0),
    "asked": timedelta(seconds=5),
    "screen": timedelta(seconds=5),
    "page": timedelta(seconds=30),
}
"""A new run is not begun earlier than this after the last one began, by why it is asked for."""
PAGE_SHARE = 10
"""For somebody who only looks, reading takes at most one tenth of the time."""
KEEP = timedelta(days=7)
LIVE = ("waiting", "running")
LOST = "lost"
"""Error code of a run that was given up because worker after worker died at it."""
log = logging.getLogger(__name__)


def _silent(_service_id: uuid.UUID) -> None:
    """No doorbell is connected: the clock finds the run."""


doorbell: Callable[[uuid.UUID], None] = _silent
"""What wakes a worker; `jobs` puts its own here, so that nothing in this room knows RQ."""


class LostRunError(Exception):
    """Somebody else has taken this run over, after our claim was over: what we know is not written."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A run that is ours for `CLAIM`."""

    run_id: uuid.UUID
    service_id: uuid.UUID
    claim_no: int
    phase: str | None
    may_be_skipped: bool  # nobody waits for it: there is no hurry to find out once more that vCloud is silent


def ask(service_id: uuid.UUID, why: str, *, user_id: uuid.UUID | None = None) -> uuid.UUID:
    """Have a data center read soon; returns the id of the run that will do it, or of one that just did.

    `why` is "schedule", "asked" (with *Refresh*), "page", "screen" (vCloud closed one) or "now" (a command). Safe to be
    called any number of times.
    """
    now = clock.now()
    try:
        with transaction():
            run, is_new = _waiting_or_fresh(service_id, why, now)
            if is_new:
                db.session.add(run)
            if why == "asked" and run.why != "asked" and run.state in LIVE:
                run.why, run.user_id = why, user_id
            elif is_new:
                run.user_id = user_id
            run_id, must_ring = run.id, run.state == "waiting" and why != "now"
    except IntegrityError:  # somebody asked in the same moment
        return ask(service_id, why, user_id=user_id)
    if must_ring:
        doorbell(service_id)
    return run_id


def _waiting_or_fresh(service_id: uuid.UUID, why: str, now: datetime) -> tuple[SyncRun, bool]:
    of_it = select(SyncRun).where(SyncRun.service_id == service_id)
    waiting = db.session.scalar(of_it.where(SyncRun.state == "waiting"))
    if waiting is not None:
        return waiting, False
    last = db.session.scalar(of_it.order_by(SyncRun.asked_at.desc()).limit(1))
    if last is not None and last.started_at is not None and now < may_begin_at(why, last.started_at, last.finished_at):
        return last, False
    run = SyncRun(
        service_id=service_id,
        state="waiting",
        why=why,
        asked_at=now,
        claim_no=0,
        vapps_done=0,
        vapps_total=0,
        counts={},
        error_params={},
    )
    return run, True


def may_begin_at(why: str, started_at: datetime, finished_at: datetime | None) -> datetime:
    """From when on a run may be asked for again after the last one, which began and ended then."""
    pause = PAUSES[why]
    if why == "page" and finished_at is not None:
        pause = max(pause, (finished_at - started_at) * PAGE_SHARE)
    return started_at + pause


def get(run_id: uuid.UUID) -> SyncRun:
    """A run as it is at this moment."""
    db.session.rollback()
    return db.session.get_one(SyncRun, run_id)


def is_waiting(service_id: uuid.UUID) -> bool:
    """Whether a run waits for the one at work to end."""
    waiting = select(SyncRun.id).where(SyncRun.service_id == service_id, SyncRun.state == "waiting")
    found = db.session.scalar(waiting) is not None
    db.session.rollback()
    return found


def due() -> list[uuid.UUID]:
    """The data centers with a run that nobody holds: its bell was lost, or its worker died."""
    unheld = or_(SyncRun.claimed_until.is_(None), SyncRun.claimed_until < clock.now())
    found = list(db.session.scalars(select(SyncRun.service_id).where(SyncRun.state.in_(LIVE), unheld).distinct()))
    db.session.rollback()
    return found


def failed_last(handler_id: uuid.UUID) -> list[uuid.UUID]:
    """The data centers of a vCloud whose last run failed."""
    later = aliased(SyncRun)
    newer = exists().where(later.service_id == SyncRun.service_id, later.asked_at > SyncRun.asked_at)
    last = select(SyncRun.service_id).join(SyncRun.service).where(Service.handler_id == handler_id, not_(newer))
    found = list(db.session.scalars(last.where(SyncRun.state == "failed").distinct()))
    db.session.rollback()
    return found


def claim(service_id: uuid.UUID) -> Held | None:
    """Take the run of a data center: one that a dead worker left, else the waiting one. None: there is none to take.

    One that worker after worker died at has failed instead.
    """
    now = clock.now()
    try:
        with transaction():
            run = _to_take(service_id, now)
            if run is None:
                return None
            run.state, run.started_at = "running", run.started_at or now
            run.claimed_until, run.claim_no = now + (CLAIM if run.phase else LISTING_CLAIM), run.claim_no + 1
            run.lost_parts += 1  # until it is let go of
            return Held(
                run_id=run.id,
                service_id=service_id,
                claim_no=run.claim_no,
                phase=run.phase,
                may_be_skipped=run.why in ("schedule", "page"),
            )
    except IntegrityError:  # another worker was faster
        return None


def _to_take(service_id: uuid.UUID, now: datetime) -> SyncRun | None:
    live = select(SyncRun).where(SyncRun.service_id == service_id, SyncRun.state.in_(LIVE)).with_for_update()
    runs = {run.state: run for run in db.session.scalars(live)}
    left = runs.get("running")
    if left is None:
        return runs.get("waiting")
    if left.claimed_until is not None and left.claimed_until >= now:
        return None
    if not is_given_up(left.lost_parts):
        return left
    log.error("sync run %s: %s workers in a row died at it (%s)", left.id, left.lost_parts, left.phase or "listing")
    left.state, left.finished_at, left.claimed_until, left.error_code = "failed", now, None, LOST
    left.error_params = {"text": f"{left.lost_parts} workers in a row ended without a word while they read it"}
    db.session.flush()  # before the next one is "running"
    return runs.get("waiting")


def let_go(held: Held) -> None:
    """Leave the rest of our run to the next part of it, inside the caller's transaction."""
    write(held, claimed_until=None, lost_parts=0)


def write(held: Held, **values: Any) -> None:
    """Write on our run and hold it on, inside the caller's transaction; LostRunError if it is not ours any more."""
    ours = SyncRun.id == held.run_id, SyncRun.claim_no == held.claim_no, SyncRun.state == "running"
    values = {"claimed_until": clock.now() + CLAIM} | values
    found = db.session.execute(
        update(SyncRun).where(*ours).values(**values).returning(SyncRun.id),
        execution_options={"synchronize_session": False},
    ).first()
    if found is None:
        raise LostRunError(held.run_id)


def forget_old() -> None:
    """Forget runs of long ago; what they found stays on the timelines of the machines."""
    with transaction():
        later = aliased(SyncRun)
        newer = exists().where(later.service_id == SyncRun.service_id, later.listed_at > SyncRun.listed_at)
        # The last reading that came to something is kept: it is the age of all that we show.
        is_spare = or_(SyncRun.listed_at.is_(None), newer)
        over = SyncRun.asked_at < clock.now() - KEEP, SyncRun.state.not_in(LIVE), is_spare
        old = list(db.session.scalars(select(SyncRun.id).where(*over)))
        for table in (VmEvent, Drift):
            db.session.execute(update(table).where(table.run_id.in_(old)).values(run_id=None))
        db.session.execute(delete(SyncRun).where(SyncRun.id.in_(old)))
