"""What the database, Redis and the console gateway tell of whether the panel runs by itself; facts, no judgement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, or_, select, text, union_all
from sqlalchemy.orm import aliased

from app import clock
from app.cloud import drift, leases, unexplained
from app.cloud.console_rules import ConsoleMode
from app.cloud.drift_models import Drift
from app.cloud.explain import explain
from app.cloud.heartbeats import ALIVE, Heartbeat
from app.cloud.models import Handler, Service, Vdc
from app.cloud.operation_models import IS_ACTIVE, Operation
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
    vclouds = db.session.execute(_vclouds(now - 2 * sync_every)).all()
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
        kept_back=sum(one.kept_back for one in vclouds),
        vclouds=[Vcloud(**{name: getattr(one, name) for name in Vcloud.__annotations__}) for one in vclouds],
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
    run = _live_runs().c
    unheld_run = or_(run.claimed_until.is_(None), run.claimed_until < now)
    runs = select(run.asked_at).where(unheld_run, run.asked_at < now - UNHEARD)
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
        *_some(runs, run.asked_at, "runs"),
        *_some(stopped, Operation.finished_at, "stopped"),
        *_some(waits, Drift.found_at, "drift"),
        _scalar(drift.listed().where(drift.is_alarming(now)), func.count(), "drift_alarms"),
        *_some(leases.ending(now), leases.ENDS_AT, "leases"),
    )


def _live_runs() -> Subquery:
    """Readings that wait or run. Written out state by state, SQLite finds these few among hundreds of thousands."""
    times = select(SyncRun.asked_at, SyncRun.claimed_until)
    return union_all(*(times.where(text(f"sync_runs.state = '{state}'")) for state in LIVE)).subquery()


def _some(rows: Select[Any], moment: Any, name: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return _scalar(rows, func.count(), name), _scalar(rows, func.min(moment), f"{name}_since")


def _scalar(rows: Select[Any], what: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    return rows.with_only_columns(what).scalar_subquery().label(name)


# ---- What is read of the data centers ------------------------------------------------------------------------------


def _vclouds(late_before: datetime) -> Select[Any]:
    """A row for each vCloud, with what `Vcloud` says of its data centers added up."""
    one = _services().subquery()
    is_answered = one.c.loss_confirmed_at >= one.c.finished_at
    columns: tuple[Any, ...] = (
        Handler.name,
        Handler.answered_at,
        Handler.silent_since,
        (Handler.console_mode == ConsoleMode.GATEWAY).label("has_gateway"),
        func.count(one.c.id).label("vdcs"),
        func.min(one.c.seen_at).label("seen_at"),
        func.count(case((func.coalesce(one.c.seen_at, one.c.created_at) < late_before, 1))).label("late"),
        func.count(case((one.c.ended == "failed", 1))).label("failing"),
        func.count(case((and_(one.c.kept_back > 0, is_answered.is_not(True)), 1))).label("kept_back"),
    )
    joined = select(*columns).outerjoin(one, one.c.handler_id == Handler.id)
    return joined.group_by(Handler.id).order_by(Handler.name)


def _services() -> Select[Any]:
    """Of each data center: the age of its mirror, its last run that came to something, how the last one ended."""
    run, last, done = (aliased(SyncRun, name=name) for name in ("newest_run", "last_run", "done_run"))
    newest = select(run.id).where(run.service_id == Service.id).order_by(run.asked_at.desc()).limit(1)
    return (
        select(
            Service.id,
            Service.handler_id,
            Service.created_at,
            Service.loss_confirmed_at,
            Vdc.seen_at.label("seen_at"),
            done.finished_at,
            done.counts["kept_back"].as_integer().label("kept_back"),
            last.state.label("ended"),
        )
        .outerjoin(Service.vdc)
        .outerjoin(last, last.id == newest.where(run.state.not_in(LIVE)).scalar_subquery())
        .outerjoin(done, done.id == newest.where(run.state == "done").scalar_subquery())
    )


def _sum(one: Some, other: Some) -> Some:
    moments = [some.since for some in (one, other) if some.since is not None]
    return Some(one.number + other.number, min(moments, default=None))
