"""Runs the work: `python worker.py` takes jobs, `python worker.py clock` rings what is due.

The application is imported before the first job, so that a forked job starts in milliseconds. Both processes may
be killed at any moment; nothing but a few seconds is lost.
"""

import ctypes
import gc
import logging
import os
import signal
import sys
import threading
import time
from typing import Any

from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from rq import Worker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app import jobs
from app.cloud import heartbeats, operations, sync_runs
from app.db import Base, db
from app.factory import create_app
from config import Config, ConfigError

RINGS_EVERY_S, SLOTS_EVERY_S = 1.0, 30
WAITS_SHORTER_S = 15
"""RQ waits for a job so much less than the `worker_ttl`."""
log = logging.getLogger("worker")


class PanelWorker(Worker):
    """RQ's worker, whose forked child dies with it and has database connections of its own.

    It leaves signs of life in the database: RQ calls `heartbeat` around each job and after each wait for one.
    """

    _process = ""
    _beats_at = 0.0

    def heartbeat(self, *arguments: Any, **named: Any) -> None:
        """Tell Redis, and the database every half minute, that this worker is there."""
        if time.monotonic() >= self._beats_at:
            self._beats_at = time.monotonic() + heartbeats.EVERY_S
            self._process = self._process or heartbeats.own_process("worker")
            try:
                heartbeats.beat("worker", self._process)
            except SQLAlchemyError as error:  # a worker that stops is worse than one that is not seen
                log.warning("no sign of life was written: %s", type(error).__name__)
            finally:
                db.session.remove()
                db.engine.dispose()  # no connection may be open when the next job is forked
        super().heartbeat(*arguments, **named)

    def setup_work_horse_signals(self) -> None:
        """Runs in the child, right after the fork."""
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        db.engine.dispose(close=False)
        if sys.platform == "linux":
            # Without this, the child of a killed worker goes on, and a second worker does the same beside it.
            parent_death_signal = 1
            ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
            if os.getppid() == 1:
                os._exit(1)


def get_ready() -> None:
    """Do what every job would otherwise do again after its fork.

    What was imported stays; without `freeze` the memory of each job would be searched for what of it can go.
    """
    Base.registry.configure()
    gc.collect()
    gc.freeze()


def work(app: Flask, config: Config) -> int:
    """Take jobs until told to stop; SIGTERM lets the running one end. Returns the exit status."""
    # A connection of its own: waiting for a job blocks for minutes, longer than a page's time-out may be.
    connection = Redis.from_url(config.redis_url)
    try:
        connection.ping()
    except RedisError as error:
        sys.stderr.write(f"worker: Redis does not answer: {error} Start it, or correct REDIS_URL.\n")
        return 1
    get_ready()
    with app.app_context():
        worker = PanelWorker(
            list(jobs.QUEUES),
            connection=connection,
            serializer=JSONSerializer,
            maintenance_interval=60,
            worker_ttl=heartbeats.EVERY_S + WAITS_SHORTER_S,
        )
        worker.work(logging_level="WARNING")
    return 0


def tick(app: Flask, config: Config, stopping: threading.Event) -> None:
    """Ring every second what is due, and every half minute the schedule. A second clock is harmless."""
    next_slots, process = 0.0, heartbeats.own_process("clock")
    while not stopping.is_set():
        try:
            with app.app_context():
                for operation_id in operations.due():
                    jobs.ring(operation_id)
                if time.monotonic() >= next_slots:
                    next_slots = time.monotonic() + SLOTS_EVERY_S
                    heartbeats.beat("clock", process)
                    for service_id in sync_runs.due():
                        jobs.ring_sync(service_id)
                    for name, slot_at in jobs.claim_slots(config):
                        jobs.ring_scheduled(name, slot_at)
        except OperationalError as error:
            log.warning("the database does not answer: %s", " ".join(str(error.orig).split()))
        except Exception:  # a clock that stops is worse than one that says what is wrong and goes on
            log.exception("the clock could not ring")
        stopping.wait(RINGS_EVERY_S)


def main(arguments: list[str]) -> int:
    """The command line."""
    try:
        config = Config.from_env()
    except ConfigError as error:
        sys.stderr.write(f"worker: {error}\n")
        return 2
    app = create_app(config)
    if arguments == ["clock"]:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        tick(app, config, stopping)
    elif not arguments:
        return work(app, config)
    else:
        sys.stderr.write("usage: python worker.py [clock]\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
