"""RQ in one place: the doorbell that wakes a worker up. The only user of rq and redis.

Nothing here is a promise. A bell may be lost, doubled or late: the database row says what is to be done, `advance()`
may be called at any time by anybody, and the clock rings again whatever is due.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.cloud import (
    console_seats,
    deletion,
    drift,
    gateway,
    health,
    kinds,
    operations,
    sync,
    sync_all,
    sync_runs,
    turns,
)
from app.cloud.models import ScheduleSlot
from app.db import db, transaction
from config import Config

QUEUES = ("operations", "background")
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """One line of the schedule: what runs, and how often."""

    name: str
    every: Callable[[Config], timedelta]
    run: Callable[[], None]


SCHEDULE = (
    # Asks every vCloud whether it is there, so that the panel can say so before somebody clicks.
    Scheduled(name="probe", every=lambda _: timedelta(seconds=30), run=gateway.probe_all),
    # A password that was shown is erased some minutes later, that of an operation that has stopped after some days.
    Scheduled(name="passwords", every=lambda _: timedelta(minutes=1), run=kinds.passwords.forget_old_passwords),
    # A deleted machine whose time in the recycle bin is over is erased.
    Scheduled(name="recycle_bin", every=lambda _: timedelta(minutes=1), run=deletion.erase_due),
    # Console tickets that nobody came for are deleted, even while no gateway runs that would do it sooner.
    Scheduled(name="console", every=lambda _: timedelta(minutes=1), run=console_seats.forget_expired),
    # What no worker gets through is brought to staff.
    Scheduled(name="watchdog", every=lambda _: timedelta(minutes=1), run=turns.give_up_lost),
    # Reads every virtual data center, each in a job of its own, so that a slow vCloud holds up no other.
    Scheduled(name="sync", every=lambda config: timedelta(minutes=config.sync_every_min), run=sync_all.ask_all),
    # Runs of the sync of long ago are forgotten, and what was settled on the drift desk.
    Scheduled(name="sync_runs", every=lambda _: timedelta(days=1), run=sync_runs.forget_old),
    Scheduled(name="drifts", every=lambda _: timedelta(days=1), run=drift.forget_settled),
)


def init(app: Flask, redis_url: str) -> None:
    """Keep the connection; it is opened at the first bell. Short time-outs: a click must not hang on Redis."""
    app.extensions["skiff_redis"] = Redis.from_url(
        redis_url, socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), 0)
    )
    operations.doorbell = ring
    sync_runs.doorbell = ring_sync
    gateway.returned = sync_all.ask_again
    turns.must_pass = (JobTimeoutException,)
    asked = Redis.from_url(redis_url, socket_connect_timeout=0.3, socket_timeout=0.3, retry=Retry(NoBackoff(), 0))
    health.doorbell_answers = partial(_answers, asked)


def _answers(connection: Redis) -> bool:
    try:
        return bool(connection.ping())
    except RedisError:
        return False


def ring(operation_id: uuid.UUID) -> None:
    """Wake a worker for this operation; if Redis is away, the clock does it later."""
    _enqueue("operations", turns.JOB_TIMEOUT_S, run_operation, str(operation_id))


def ring_sync(service_id: uuid.UUID) -> None:
    """Wake a worker for the run of the sync of this service; if Redis is away, the clock does it later."""
    _enqueue("background", sync_runs.JOB_TIMEOUT_S, run_sync, str(service_id))


def ring_scheduled(name: str, slot_at: datetime) -> None:
    """Have one due run of periodic work done."""
    _enqueue("background", turns.JOB_TIMEOUT_S, run_scheduled, name, slot_at.isoformat())


def run_operation(operation_id: str) -> None:
    """Job: one turn of an operation."""
    operations.advance(uuid.UUID(operation_id))


def run_sync(service_id: str) -> None:
    """Job: a part of the run of the sync of a service, which rings for the next part."""
    if sync.work(uuid.UUID(service_id)):
        ring_sync(uuid.UUID(service_id))


def run_scheduled(name: str, slot_at: str) -> None:
    """Job: one due run of periodic work; `slot_at` tells the runs apart in the log."""
    log.debug("scheduled %s for %s", name, slot_at)
    next(line for line in SCHEDULE if line.name == name).run()


def claim_slots(config: Config) -> list[tuple[str, datetime]]:
    """The runs of periodic work that have become due and that no other clock has taken."""
    now = clock.now()
    return [
        (line.name, slot_at) for line in SCHEDULE if _claim_slot(line.name, slot_at := _slot(now, line.every(config)))
    ]


def _slot(now: datetime, every: timedelta) -> datetime:
    """The beginning of the present slot: slots are counted from 1970, so every clock has the same ones."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (now - epoch) // every * every


def _claim_slot(name: str, slot_at: datetime) -> bool:
    try:
        with transaction():
            taken = select(ScheduleSlot.id).where(ScheduleSlot.name == name, ScheduleSlot.slot_at == slot_at)
            if db.session.scalar(taken) is not None:
                return False
            db.session.add(ScheduleSlot(name=name, slot_at=slot_at))
            old = ScheduleSlot.slot_at < slot_at - timedelta(days=7)
            db.session.execute(delete(ScheduleSlot).where(ScheduleSlot.name == name, old))
    except IntegrityError:  # another clock was faster
        return False
    return True


def _enqueue(queue: str, timeout_s: int, function: Callable[..., None], *arguments: str) -> None:
    connection: Redis = current_app.extensions["skiff_redis"]
    try:
        Queue(queue, connection=connection, serializer=JSONSerializer).enqueue(
            function, *arguments, job_timeout=timeout_s, result_ttl=60, failure_ttl=7 * 24 * 3600
        )
    except RedisError as error:
        log.warning("Redis is away (%s); the clock will ring %s %s", type(error).__name__, queue, arguments)
