"""What the database, Redis and the console gateway tell of whether the panel runs by itself; facts, no judgement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import aliased

from app import clock
from app.cloud import drift, leases, unexplained
from app.cloud.console_rules import ConsoleMode
from app.cloud.drift_models import Drift
from app.cloud.explain import explain
from app.cloud.heartbeats import ALIVE, Heartbeat
from app.cloud.models import IS_ACTIVE, Handler, Operation, Service, Vdc
from app.cloud.sync_models import SyncRun
from app.cloud.sync_runs import LIVE
from app.db import db

OVERDUE = timedelta(seconds=60)
"""The clock rings what is due within a second or two; so much later, it does not."""
UNHEARD = timedelta(minutes=3)
"""Longer than the claim of a worker that died: work of which nothing is heard for so long is done by nobody."""
JUDGED = 200
"""So many failures, the last ones, tell how many of them are explained."""


def _nobody() -> bool:
    """No doorbell is connected."""
    return False


doorbell_answers: Callable[[], bool] = _nobody
"""Whether Redis answers, within half a second; `jobs` puts its own here, so that nothing in this room knows it."""


class Some(NamedTuple):
    """How many there are, and the moment of the oldest one (of leases: of the next end)."""

    number: int
    since: datetime | None


@dataclass(frozen=True, kw_only=True)
class Vcloud:
    """One vCloud and how its data centers were read; `seen_at` is the age of the oldest one's mirror."""

    name: str
    answered_at: datetime | None
    silent_since: datetime | None
    has_gateway: bool  # its consoles come through ours
    vdcs: int
    seen_at: datetime | None
    late: int
    failing: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the database tells; three statements, however much there is."""

    clock_at: datetime | None
    worker_at: datetime | None
    workers: int
    overdue: Some  # operations that the clock should have rung
    unheard: Some  # operations and readings that no worker takes up
    stopped: Some  # operations that need staff
    drift: Some  # what waits for a decision
    drift_alarms: int
    leases: Some
    unexplained: int
    kept_back: int  # readings that wait for the word of staff
    vclouds: Sequence[Vcloud]


def facts(sync_every: timedelta) -> Facts:
    """Read them; a data center is late when two beats of the schedule have passed without a reading."""
    now = clock.now()
    row = db.session.execute(_numbers(now)).one()
    services = db.session.execute(_services()).all()
    by_handler = groupby(services, key=attrgetter("Handler"))
    return Facts(
        clock_at=row.clock_at,
        worker_at=row.worker_at,
        workers=row.workers,
        overdue=Some(row.overdue, row.overdue_since),
        unheard=_sum(Some(row.idle, row.idle_since), Some(row.runs, row.runs_since)),
        stopped=Some(row.stopped, row.stopped_since),
        drift=Some(row.drift, row.drift_since),
        drift_alarms=row.drift_alarms,
        leases=Some(row.leases, row.leases_since),
        unexplained=unexplained.count(),
        kept_back=sum(kept_back(one.counts, one.finished_at, one.loss_confirmed_at) > 0 for one in services),
        vclouds=[_vcloud(handler, list(its), now - 2 * sync_every) for handler, its in by_handler],
    )


def explained() -> tuple[int, int]:
    """Of the last failures of which vCloud said why (`JUDGED` at most), how many a rule explains; and how many."""
    ended = select(Operation.error_params).where(
        Operation.state.in_(("failed", "needs_attention")), Operation.error_params["message"].as_string() != ""
    )
    said = list(db.session.scalars(ended.order_by(Operation.finished_at.desc()).limit(JUDGED)))
    known = [explain(one.get("minor_code"), str(one["message"]), language="en") for one in said]
    return sum(one is not None for one in known), len(known)


# ---- The one row of numbers ----------------------------------------------------------------------------------------


def _numbers(now: datetime) -> Select[Any]:
    """A scalar for each number, so that it is one statement."""
    unheld = or_(Operation.claimed_until.is_(None), Operation.claimed_until < now)
    operations = select(Operation).where(IS_ACTIVE, unheld)
    unheld_run = or_(SyncRun.claimed_until.is_(None), SyncRun.claimed_until < now)
    runs = select(SyncRun).where(SyncRun.state.in_(LIVE), unheld_run, SyncRun.asked_at < now - UNHEARD)
    stopped = select(Operation).where(Operation.state == "needs_attention")
    waits = drift.listed().where(drift.wants_decision(now))
    return select(
        _scalar(select(Heartbeat).where(Heartbeat.program == "clock"), func.max(Heartbeat.seen_at), "clock_at"),
        _scalar(select(Heartbeat).where(Heartbeat.program == "worker"), func.max(Heartbeat.seen_at), "worker_at"),
        _scalar(
            select(Heartbeat).where(Heartbeat.program == "worker", Heartbeat.seen_at > now - ALIVE),
            func.count(),
            "workers",
        ),
        *_some(operations.where(Operation.next_at < now - OVERDUE), Operation.next_at, "overdue"),
        *_some(operations.where(Operation.moved_at < now - UNHEARD), Operation.moved_at, "idle"),
        *_some(runs, SyncRun.asked_at, "runs"),
        *_some(stopped, Operation.finished_at, "stopped"),
        *_some(waits, Drift.found_at, "drift"),
        _scalar(drift.listed().where(drift.is_alarming(now)), func.count(), "drift_alarms"),
        *_some(leases.ending(now), leases.ENDS_AT, "leases"),
    )


def _some(rows: Select[Any], moment: Any, name: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return _scalar(rows, func.count(), name), _scalar(rows, func.min(moment), f"{name}_since")


def _scalar(rows: Select[Any], what: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    return rows.with_only_columns(what).scalar_subquery().label(name)


# ---- What is read of each data center ------------------------------------------------------------------------------


def _services() -> Select[Any]:
    """Of each data center: the age of its mirror, its last run that came to something, how the last one ended.

    A vCloud without any has one row, with an `id` of None.
    """
    run, last, done = (aliased(SyncRun, name=name) for name in ("newest_run", "last_run", "done_run"))
    newest = select(run.id).where(run.service_id == Service.id).order_by(run.asked_at.desc()).limit(1)
    return (
        select(
            Handler,
            Service.id,
            Service.created_at,
            Service.loss_confirmed_at,
            Vdc.seen_at.label("seen_at"),
            done.finished_at,
            done.counts,
            last.state.label("ended"),
        )
        .select_from(Handler)
        .outerjoin(Service, Service.handler_id == Handler.id)
        .outerjoin(Service.vdc)
        .outerjoin(last, last.id == newest.where(run.state.not_in(LIVE)).scalar_subquery())
        .outerjoin(done, done.id == newest.where(run.state == "done").scalar_subquery())
        .order_by(Handler.name)
    )


def _vcloud(handler: Handler, rows: Sequence[Row[Any]], late_before: datetime) -> Vcloud:
    services = [row for row in rows if row.id is not None]
    return Vcloud(
        name=handler.name,
        answered_at=handler.answered_at,
        silent_since=handler.silent_since,
        has_gateway=handler.console_mode == ConsoleMode.GATEWAY,
        vdcs=len(services),
        seen_at=min((one.seen_at for one in services if one.seen_at is not None), default=None),
        late=sum((one.seen_at or one.created_at) < late_before for one in services),
        failing=sum(one.ended == "failed" for one in services),
    )


def kept_back(counts: dict[str, Any] | None, ended_at: datetime | None, confirmed_at: datetime | None) -> int:
    """How many machines wait for the word of staff after this run, the last that was done; 0 once it is given."""
    if counts is None or ended_at is None or (confirmed_at is not None and confirmed_at >= ended_at):
        return 0
    return int(counts.get("kept_back", 0))


def _sum(one: Some, other: Some) -> Some:
    moments = [some.since for some in (one, other) if some.since is not None]
    return Some(one.number + other.number, min(moments, default=None))
