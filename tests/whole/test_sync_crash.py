"""Real workers that die, freeze or meet at a reading of the same data center: the mirror is right all the same."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import redis
from sqlalchemy import select

from app import clock as app_clock
from app import jobs
from app.cloud import sync, sync_runs
from app.cloud.models import Vm
from app.cloud.sync_models import SyncRun, VmEvent
from app.db import db
from tests.support import elsewhere
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import vdc_of
from tests.support.machines import real_vm, vm_named
from tests.support.mortal import running_from
from tests.support.program import Program, is_alive
from tests.support.settings import settings
from tests.support.waiting import wait_until
from vcdsim import Simulator

Start = Callable[..., Program]


@pytest.fixture
def start(clock: Clock, database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker at the database of the test, with a halt or without."""
    redis.Redis.from_url(redis_url).flushall()  # bells of other tests
    environ = settings(tmp_path, DATABASE_URL=database_url, REDIS_URL=redis_url)
    started: list[Program] = []

    def start(*halt: str, since: float | None = None) -> Program:
        since = time.monotonic() if since is None else since
        arguments = ["-m", "tests.support.mortal", clock.at.isoformat(), str(since), *halt]
        started.append(Program(arguments, tmp_path / f"worker-{len(started)}.log", environ))
        return started[-1]

    yield start
    for program in started:
        program.process.kill()  # nothing is to be saved, and a polite end takes seconds
        program.process.wait()


def truth(cloud: Simulator) -> set[tuple[object, ...]]:
    return {(vm.name, vm.cpu_count, vm.memory_mb, len(vm.disks)) for vm in cloud.world.vms.values()}


def mirror() -> set[tuple[object, ...]]:
    db.session.rollback()
    rows = db.session.scalars(select(Vm).where(Vm.gone_at.is_(None)))
    return {(vm.name, vm.cpu_count, vm.memory_mb, len(vm.disks)) for vm in rows}


def changes(name: str) -> list[dict[str, object]]:
    """What happened to a machine, in order."""
    of_it = select(VmEvent.changes).join(VmEvent.vm).where(Vm.name == name)
    return [change for found in db.session.scalars(of_it.order_by(VmEvent.id)) for change in found]


def last_run() -> SyncRun:
    db.session.rollback()
    return db.session.scalars(select(SyncRun).order_by(SyncRun.asked_at.desc()).limit(1)).one()


def state_of_last_run() -> tuple[object, ...]:
    run = last_run()
    return run.state, run.claim_no, run.claimed_until, run.vapps_done


def let_the_claim_run_out(clock: Clock) -> None:
    """Time passes, and the clock process rings for what nobody holds."""
    clock.move(sync_runs.LISTING_CLAIM.total_seconds() + 60)
    for service_id in sync_runs.due():
        jobs.ring_sync(service_id)


def is_dead(process: int) -> bool:
    return not is_alive(process)


def process_in(file: Path) -> int:
    """The number of the process that halts there."""
    wait_until(file.exists, "the worker comes to its halt", deadline_s=30)
    return int(file.read_text())


def test_workers_killed_in_the_middle_of_two_transactions_leave_a_right_mirror(
    cast: Cast, cloud: Simulator, clock: Clock, start: Start, tmp_path: Path
) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.do(cloud, clock, "accounting", elsewhere.add_disk(2048))
    clock.move(1800)
    sync_runs.ask(vdc_of("acme-vdc").service_id, "schedule")
    before = mirror()
    for halt in ("listing written", "documents written"):
        file = tmp_path / halt
        doomed = start(halt, str(file))
        job = process_in(file)
        doomed.stop(signal.SIGKILL)
        wait_until(partial(is_dead, job), "the job has died with its worker")
        if halt == "listing written":
            assert mirror() == before, "half a listing is never seen"
        let_the_claim_run_out(clock)
    start()
    wait_until(lambda: last_run().state == "done", "another worker ends the run", deadline_s=30)
    assert (last_run().claim_no, last_run().vapps_done) == (3, last_run().vapps_total)
    assert mirror() == truth(cloud)
    assert changes("sandbox") == [{"what": "cpu_count", "before": 1, "after": 3}]
    assert len(changes("accounting")) == 1


def test_a_worker_frozen_past_its_claim_writes_nothing_of_what_it_has_in_hand(
    cast: Cast, cloud: Simulator, clock: Clock, start: Start, tmp_path: Path
) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    service_id = vdc_of("acme-vdc").service_id
    sync_runs.ask(service_id, "schedule")
    frozen = start("documents read", str(tmp_path / "halt"))
    job = process_in(tmp_path / "halt")
    for process in (frozen.process.pid, job):
        os.kill(process, signal.SIGSTOP)
    (tmp_path / "halt").unlink()
    clock.move(sync_runs.LISTING_CLAIM.total_seconds() + 60)
    assert sync_runs.claim(service_id) is not None
    taken = state_of_last_run()
    for process in (frozen.process.pid, job):
        os.kill(process, signal.SIGCONT)
    wait_until(partial(is_dead, job), "the job ends")
    assert (state_of_last_run(), frozen.process.poll()) == (taken, None)
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=5))
    clock.move(sync_runs.CLAIM.total_seconds() + 60)
    sync.work(service_id)
    assert (last_run().state, last_run().vapps_done) == ("done", last_run().vapps_total)
    assert vm_named("sandbox").cpu_count == 5


def test_two_workers_and_a_command_at_one_data_center_leave_a_right_mirror(
    cast: Cast, cloud: Simulator, clock: Clock, start: Start, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = time.monotonic()  # one clock for all three: of two readings, the later one is right
    monkeypatch.setattr(app_clock, "now", running_from(clock.at, since))
    start(since=since), start(since=since)
    service_id = vdc_of("acme-vdc").service_id
    connection = redis.Redis.from_url(redis_url)
    wait_until(lambda: connection.scard("rq:workers") == 2, "both workers wait for work", deadline_s=30)
    for number in range(60):
        real_vm(cloud, "sandbox").cpu_count = 2 + number % 5
        sync_runs.ask(service_id, "schedule")
        jobs.ring_sync(service_id)
        if number % 20 == 10:
            sync.refresh(service_id)
    sync.refresh(service_id)
    wait_until(lambda: last_run().state == "done" and not sync_runs.due(), "all runs end", deadline_s=30)
    assert mirror() == truth(cloud)
    told = [(change["before"], change["after"]) for change in changes("sandbox")]
    assert [before for before, _ in told] == [1, *(after for _, after in told[:-1])], "each change is told once"
    assert {run.state for run in db.session.scalars(select(SyncRun))} == {"done"}
